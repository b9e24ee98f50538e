//! Several people decide about one hire: who was first, which version it was, and what became of it is told.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::ashby::hire;
use crate::support::{ADMIN, House, Reply, SENDER, is_problem, state};

/// A hire that is held because its date is none; its id.
async fn held(house: &House) -> String {
    let mut body = hire();
    body["data"]["offer"]["latestVersion"]["startDate"] = "soon".into();
    house.deliver(&body).await.hire()
}

fn corrections() -> Value {
    json!({"hire_date": "2027-03-01", "position": "Team lead"})
}

/// What sends the hire with the corrections.
async fn sending(house: &House, id: &str) -> Value {
    let body = json!({"corrections": corrections()});
    let preview = house.post(&format!("/v1/hires/{id}/preview"), &body).await.json();
    json!({"plan_hash": preview["plan"]["hash"], "corrections": corrections()})
}

async fn version(house: &House, id: &str) -> String {
    let hire = house.get(&format!("/v1/hires/{id}")).await;
    hire.headers["etag"].to_str().expect("text").to_owned()
}

/// A change of what was looked at, or of nothing.
async fn change(house: &House, path: &str, version: &str, body: &Value) -> Reply {
    let request = house.bare(Method::POST, path).bearer_auth(SENDER).json(body);
    house.send(request.header("If-Match", version)).await
}

#[tokio::test]
async fn the_second_person_to_send_hears_who_was_first() {
    let house = House::new().await;
    let id = held(&house).await;
    let (path, body) = (format!("/v1/hires/{id}/send"), sending(&house, &id).await);
    let (mia, admin) = tokio::join!(
        house.ask(Method::POST, &path, SENDER, Some(&body)),
        house.ask(Method::POST, &path, ADMIN, Some(&body)),
    );
    let (first, sent, refused) = if mia.status == 200 { ("mia", mia, admin) } else { ("ada", admin, mia) };
    assert_eq!(sent.status, 200, "{}", sent.text);
    is_problem(&refused, 409, "wrong_state");
    assert_eq!(refused.json()["first"]["by"], first, "{}", refused.text);
    let approved = house.hire(&id).await["history"]
        .as_array()
        .expect("a history")
        .iter()
        .find_map(|entry| (entry["cause"] == "approved").then(|| entry["at"].clone()));
    assert_eq!(Some(&refused.json()["first"]["at"]), approved.as_ref());
    assert_eq!(house.sim.creates(), 1);
}

#[tokio::test]
async fn whoever_decides_about_another_version_than_was_looked_at_decides_nothing() {
    let house = House::new().await;
    let id = held(&house).await;
    let (seen, one) = (version(&house, &id).await, format!("/v1/hires/{id}"));
    let reply = change(&house, &format!("{one}/dismiss"), &seen, &json!({})).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_ne!(reply.headers["etag"].to_str().expect("text"), seen);

    let body = sending(&house, &id).await;
    for (action, body) in
        [("send", body.clone()), ("dismiss", json!({})), ("link", json!({"employee_id": 1}))]
    {
        let refused = change(&house, &format!("{one}/{action}"), &seen, &body).await;
        is_problem(&refused, 412, "other_version");
        assert_eq!(refused.json()["first"]["by"], "mia", "{}", refused.text);
        let refused = change(&house, &format!("{one}/{action}"), "W/\"1\"", &body).await;
        is_problem(&refused, 400, "if_match_invalid");
    }
    assert_eq!((state(&house.hire(&id).await), house.sim.creates()), ("held(invalid)".into(), 0));
    let now = version(&house, &id).await;
    assert_eq!(change(&house, &format!("{one}/send"), &now, &body).await.status, 200);
    assert_eq!(house.sim.creates(), 1);
}

#[tokio::test]
async fn the_history_tells_which_values_were_corrected_and_what_was_said() {
    let house = House::new().await;
    let id = held(&house).await;
    let one = format!("/v1/hires/{id}");
    let note = json!({"dismissed": true, "note": "  Begins in spring. "});
    assert_eq!(house.post(&format!("{one}/dismiss"), &note).await.status, 200);
    let long = json!({"dismissed": false, "note": "x".repeat(501)});
    is_problem(&house.post(&format!("{one}/dismiss"), &long).await, 422, "invalid");
    let sent = house.post(&format!("{one}/send"), &sending(&house, &id).await).await;
    assert_eq!(sent.status, 200, "{}", sent.text);

    let hire = house.hire(&id).await;
    let entry = |cause: &str| {
        let history = hire["history"].as_array().expect("a history");
        history.iter().find(|entry| entry["cause"] == cause).cloned().expect("it happened")
    };
    assert_eq!(entry("dismissed")["note"], "Begins in spring.");
    assert_eq!(
        entry("approved")["fields"],
        json!([
            {"field": "hire_date", "before": null, "after": "2027-03-01"},
            {"field": "position", "before": "Engineer", "after": "Team lead"},
        ])
    );
    assert!(entry("stored").get("fields").is_none());
    assert_eq!(hire["facts"]["candidate"]["email"], hire["plan"]["employee"]["email"]);
}

#[tokio::test]
async fn a_hire_that_a_person_took_off_the_list_is_not_sent_by_a_repeat() {
    let house = House::new().await;
    let mut body = hire();
    let email = body["data"]["application"]["candidate"]["primaryEmailAddress"].take();
    let id = house.deliver(&body).await.hire();
    assert_eq!(state(&house.hire(&id).await), "held(missing)");
    house.post(&format!("/v1/hires/{id}/dismiss"), &json!({})).await;
    body["data"]["application"]["candidate"]["primaryEmailAddress"] = email;
    assert_eq!(house.deliver(&body).await.hire(), id);
    let dismissed = house.hire(&id).await;
    assert_eq!((state(&dismissed), &dismissed["flags"]["dismissed"]), ("held(missing)".into(), &json!(true)));
    assert!(dismissed["facts"]["candidate"]["email"].is_string(), "what came is kept: {dismissed}");

    // Whoever puts it back has it as it is now.
    house.post(&format!("/v1/hires/{id}/dismiss"), &json!({"dismissed": false})).await;
    let preview = house.post(&format!("/v1/hires/{id}/preview"), &json!({})).await.json();
    assert_eq!((&preview["plan"]["sendable"], house.sim.creates()), (&json!(true), 0));
}
