//! Who may come in, and what each role sees.

use crate::browser::{Browser, DESK};
use crate::support::{ADMIN, VIEWER};
use crate::{deliver, doubtful, house, open};

#[tokio::test]
async fn a_viewer_sees_all_is_offered_nothing_and_is_refused_by_the_service() {
    let house = house().await;
    let Some(mut browser) = Browser::open("a_viewer_sees_all", &house, DESK).await else { return };
    browser.expect("Failed to load resource: the server responded with a status of 403");
    let id = deliver(&house, &doubtful("a-1", "Mia Beispiel")).await;
    browser.sign_in(VIEWER).await;
    open(&browser, &id).await;
    browser.reads("To correct and send a hire, the role sender is needed").await;
    browser.reads("Enginering").await;
    browser.picture("viewer").await;
    let offered = "return [...document.querySelectorAll('main button')].map((one) => one.innerText)";
    assert_eq!(browser.script(offered).await, serde_json::json!(["Look in Personio"]));
    assert_eq!(
        browser.script("return document.querySelectorAll('main :is(input, select, textarea)').length").await,
        0
    );
    assert_eq!(browser.script("return document.querySelectorAll('nav a').length").await, 2);
    // The page's word is not what keeps a viewer out.
    for (path, body) in
        [("send", "{\"plan_hash\": \"x\"}"), ("dismiss", "{}"), ("link", "{\"employee_id\": 1}")]
    {
        let script = format!(
            "return fetch('/v1/hires/{id}/{path}', {{method: 'POST', body: '{body}', \
            headers: {{'Content-Type': 'application/json', 'X-Hirebridge-Console': '1'}}}}).then((answer) => answer.status)"
        );
        assert_eq!(browser.script(&script).await, 403, "{path}");
    }
    // Without the page's own header a cookie changes nothing, whatever the role.
    browser.press("Sign out").await;
    browser.sign_in(ADMIN).await;
    let script = format!(
        "return fetch('/v1/hires/{id}/dismiss', {{method: 'POST', body: '{{}}', \
        headers: {{'Content-Type': 'application/json'}}}}).then((answer) => answer.status)"
    );
    assert_eq!(browser.script(&script).await, 403);
    assert_eq!(house.hire(&id).await["flags"]["dismissed"], false);
    assert_eq!(house.sim.creates(), 0);
    browser.close().await;
}

#[tokio::test]
async fn a_wrong_token_is_told_and_after_signing_out_nothing_is_left_to_see() {
    let house = house().await;
    let Some(mut browser) = Browser::open("a_wrong_token_is_told", &house, DESK).await else { return };
    browser.expect("Failed to load resource: the server responded with a status of 401");
    deliver(&house, &doubtful("a-1", "Mia Beispiel")).await;
    browser.fill("#token", "hb_wrong").await;
    browser.press("Sign in").await;
    browser.find("[role=alert]").await;
    browser.fill("#token", "").await;
    browser.sign_in(ADMIN).await;
    browser.reads("Mia Beispiel").await;
    let kept = browser
        .script("return JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
        .await;
    assert_eq!(kept, r#"[{"hirebridge.language":"en"},{},""]"#, "nothing personal and no secret is kept");
    browser.press("Status").await;
    browser.press("Sign out").await;
    browser.find("#token").await;
    assert!(!browser.text("body").await.contains("Mia Beispiel"));
    browser.script("history.back()").await;
    browser.find("#token").await;
    assert!(!browser.text("body").await.contains("Mia Beispiel"));
    // Somebody whose session ends elsewhere is asked to sign in again.
    browser.sign_in(ADMIN).await;
    browser.reads("Mia Beispiel").await;
    let end = "return fetch('/v1/session', {method: 'DELETE', headers: {'X-Hirebridge-Console': '1'}}).then((answer) => answer.status)";
    assert_eq!(browser.script(end).await, 204);
    browser.press("Status").await;
    browser.reads("You are not signed in any more.").await;
    browser.close().await;
}

#[tokio::test]
async fn an_admin_sees_how_all_is_doing_and_confirms_what_always_holds() {
    let house = house().await;
    let Some(browser) = Browser::open("an_admin_sees_how_all_is_doing", &house, DESK).await else { return };
    let id = deliver(&house, &doubtful("a-1", "Mia Beispiel")).await;
    let hash = house
        .post(
            &format!("/v1/hires/{id}/preview"),
            &serde_json::json!({"corrections": {"department": "Engineering"}}),
        )
        .await
        .json()["plan"]["hash"]
        .clone();
    let body = serde_json::json!({"plan_hash": hash, "corrections": {"department": "Engineering"}, "always": ["department"]});
    assert_eq!(house.post(&format!("/v1/hires/{id}/send"), &body).await.status, 200);
    browser.sign_in(ADMIN).await;
    browser.press("Status").await;
    browser.reads("Personio works").await;
    browser.reads("/webhooks/ashby").await;
    browser.press("Confirm").await;
    browser
        .until("[...document.querySelectorAll('.badge')].some((one) => one.innerText === 'confirmed')")
        .await;
    browser.press("Check now").await;
    browser.reads("Hires can be sent").await;
    browser.picture("status").await;
    let values = house.get("/v1/values").await.json();
    assert_eq!(values["values"][0]["confirmed"]["by"], "ada");
    // What is in Personio is asked now, and shown beside what was sent.
    browser.go(&format!("#/hires/{id}")).await;
    browser.press("Look in Personio").await;
    browser.reads("The plan and what is there agree").await;
    browser.close().await;
}
