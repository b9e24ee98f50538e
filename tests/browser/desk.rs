//! What somebody does at the page all day.

use reqwest::Method;
use serde_json::json;
use thirtyfour::Key;

use crate::browser::{Browser, DESK};
use crate::support::ashby::candidate_hire;
use crate::support::{ADMIN, SENDER};
use crate::{deliver, doubtful, house, open};

#[tokio::test]
async fn a_hire_is_corrected_looked_at_once_more_and_sent_and_the_page_says_who_did_it() {
    let house = house().await;
    let Some(browser) = Browser::open("a_hire_is_corrected", &house, DESK).await else { return };
    let id = deliver(&house, &doubtful("a-1", "Mia Beispiel")).await;
    for (application, name) in [("a-2", "Jörg van der Müller"), ("a-3", "Zoë Ångström")] {
        deliver(&house, &doubtful(application, name)).await;
    }
    browser.picture("sign-in").await;
    browser.sign_in(SENDER).await;
    browser.reads("A person is to look at this hire").await;
    browser.reads("Zoë Ångström").await;
    browser.picture("list").await;

    open(&browser, &id).await;
    // The nearest of what Personio knows is offered at the field.
    browser.click(".field.wrong .chip").await;
    browser.find(".field.corrected #field-department").await;
    browser.find(".always input").await.click().await.expect("a box");
    browser.fill("#field-position", "Head of Engines").await;
    browser.reads("2 corrections").await;
    browser.script("document.activeElement.blur()").await;
    browser.picture("hire").await;

    browser.press("Review and send").await;
    let shown = browser.text("dialog").await;
    for expected in
        ["Send Mia Beispiel to Personio?", "Head of Engines", "Engineering", "a-1@example.org", "1 Jan 2027"]
    {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    assert!(!shown.contains("Enginering"), "{shown}");
    assert_eq!(house.sim.creates(), 0, "nothing is sent before it is confirmed");
    browser.picture("send").await;

    browser.click("#send-now").await;
    let badge = browser.text("#in-personio").await;
    assert!(badge.contains("In Personio since") && badge.contains("by mia"), "{badge}");
    let link = browser.script("return document.querySelector('#in-personio a').href").await;
    let hire = house.hire(&id).await;
    assert_eq!(link, hire["employee"]["url"]);
    assert_eq!(house.sim.creates(), 1);
    let employee = &hire["plan"]["employee"];
    assert_eq!(
        (&employee["department"], &employee["position"]),
        (&json!("Engineering"), &json!("Head of Engines"))
    );
    // Who changed what stands in the history.
    let changes = browser.text(".timeline .changes").await;
    assert!(changes.contains("Enginering") && changes.contains("Engineering"), "{changes}");
    browser.picture("sent").await;
    let values = house.get("/v1/values").await.json();
    assert_eq!(
        (&values["values"][0]["to"], &values["values"][0]["state"]),
        (&json!("Engineering"), &json!("proposed"))
    );
    browser.close().await;
}

#[tokio::test]
async fn all_the_way_to_sending_goes_by_keyboard_alone() {
    let house = house().await;
    let Some(browser) = Browser::open("all_the_way_by_keyboard", &house, DESK).await else { return };
    deliver(&house, &doubtful("a-1", "Mia Beispiel")).await;
    let focused = "return document.activeElement?.id || document.activeElement?.innerText || ''";
    // The token's field has the focus already.
    browser.until("document.activeElement?.id === 'token'").await;
    browser.type_text(SENDER).await;
    browser.keys(&[Key::Enter]).await;
    browser.find(".row").await;
    // Whoever has signed in is where the content begins; whoever opens the page, at its top.
    assert_eq!(browser.script(focused).await, "main");
    browser.go("").await;
    browser.find(".row").await;
    browser.keys(&[Key::Tab]).await;
    assert_eq!(browser.script(focused).await, "Skip to the content");
    browser.keys(&[Key::Enter]).await;
    assert_eq!(browser.script(focused).await, "main");
    tab_to(&browser, ".row a").await;
    browser.keys(&[Key::Enter]).await;
    browser.find("#field-department").await;
    tab_to(&browser, ".chip").await;
    let outline = browser.script("return getComputedStyle(document.activeElement).outlineStyle").await;
    assert_eq!(outline, "solid", "the focus can be seen");
    browser.keys(&[Key::Enter]).await;
    browser.find(".field.corrected").await;
    tab_to(&browser, ".submit .primary").await;
    browser.keys(&[Key::Enter]).await;
    browser.until("document.activeElement?.id === 'dialog-title'").await;
    // Escape closes it, and the focus is where it was.
    browser.keys(&[Key::Escape]).await;
    browser
        .until("!document.querySelector('dialog') && document.activeElement?.matches('.submit .primary')")
        .await;
    browser.keys(&[Key::Enter]).await;
    browser.find("dialog").await;
    tab_to(&browser, "#send-now").await;
    browser.keys(&[Key::Enter]).await;
    browser.find("#in-personio").await;
    browser.until("document.querySelector('.toast').textContent === 'The employee is in Personio.'").await;
    assert_eq!(house.sim.creates(), 1);
    browser.close().await;
}

/// Presses Tab until the focus is on such an element.
async fn tab_to(browser: &Browser, selector: &str) {
    let there = format!("return Boolean(document.activeElement?.matches({}))", json!(selector));
    for _ in 0..60 {
        browser.keys(&[Key::Tab]).await;
        if browser.script(&there).await == true {
            return;
        }
    }
    panic!("the keyboard does not lead to {selector}");
}

#[tokio::test]
async fn whoever_is_second_is_told_who_was_first() {
    let house = house().await;
    let Some(mut browser) = Browser::open("whoever_is_second", &house, DESK).await else { return };
    browser.expect("/send - Failed to load resource: the server responded with a status of 4");
    let id = deliver(&house, &doubtful("a-1", "Mia Beispiel")).await;
    browser.sign_in(SENDER).await;
    open(&browser, &id).await;
    browser.press("Review and send").await;
    browser.find("#send-now").await;
    // While mia reads, ada sends.
    let hire = house.get(&format!("/v1/hires/{id}")).await.json();
    let body = json!({"plan_hash": hire["plan"]["hash"]});
    let sent = house.ask(Method::POST, &format!("/v1/hires/{id}/send"), ADMIN, Some(&body)).await;
    assert_eq!(sent.status, 200, "{}", sent.text);
    // The page may hear of it before mia clicks: then there is nothing left to click on.
    browser.script("document.querySelector('#send-now')?.click()").await;
    browser.reads("ada").await;
    browser.picture("second").await;
    browser.script("document.querySelector('dialog .primary')?.click()").await;
    let badge = browser.text("#in-personio").await;
    assert!(badge.contains("by ada"), "{badge}");
    assert_eq!(house.sim.creates(), 1);
    browser.close().await;
}

#[tokio::test]
async fn a_hire_that_arrives_appears_without_a_reload_and_leaves_the_list_when_it_is_dealt_with() {
    let house = house().await;
    let Some(browser) = Browser::open("a_hire_that_arrives", &house, DESK).await else { return };
    browser.sign_in(SENDER).await;
    browser.reads("Nothing waits for you").await;
    let id = deliver(&house, &doubtful("a-1", "Mia Beispiel")).await;
    deliver(&house, &doubtful("a-2", "Ana Outra")).await;
    browser.reads("Mia Beispiel").await;
    browser.fill("input[type=search]", "outra").await;
    browser.until("document.querySelectorAll('.row').length === 1").await;
    browser.reads("Ana Outra").await;
    browser.fill("input[type=search]", "").await;
    open(&browser, &id).await;

    browser.press("Take off the list…").await;
    browser.fill("#note", "Starts with our sister company").await;
    browser.picture("dismiss").await;
    browser.click("dialog .primary").await;
    browser.reads("Starts with our sister company").await;
    assert_eq!(house.hire(&id).await["flags"]["dismissed"], true);
    browser.press("Put back on the list").await;
    browser.until("document.querySelector('.toast').textContent.includes('on the list again')").await;

    browser.press("It is this employee…").await;
    browser.fill("#employee", "https://acme.app.personio.com/staff/details/1").await;
    let employees = house.sim.employees();
    let existing = employees.first().expect("a colleague").id;
    browser.fill("#employee", &format!("https://acme.app.personio.com/staff/details/{existing}")).await;
    browser.click("dialog .primary").await;
    browser.find("#in-personio").await;
    assert_eq!(house.hire(&id).await["reason"], "linked");
    assert_eq!(house.sim.creates(), 0);
    browser.close().await;
}

#[tokio::test]
async fn a_hire_is_typed_kept_corrected_and_sent_and_its_webhook_later_is_no_second_one() {
    let house = house().await;
    let Some(browser) = Browser::open("a_hire_is_typed", &house, DESK).await else { return };
    browser.sign_in(SENDER).await;
    browser.press("New").await;
    for (field, text) in [
        ("candidate.first_name", "Mia"),
        ("candidate.last_name", "Beispiel"),
        ("candidate.email", "mia@example.org"),
        ("job.title", "Engineer"),
    ] {
        browser.fill(&format!("[id='{field}']"), text).await;
    }
    browser.press("Show the plan").await;
    browser.reads("Keep the hire to correct it and send it.").await;
    browser.picture("new").await;
    browser.press("Keep and go on").await;
    browser.find("#field-position").await;
    browser.press("Review and send").await;
    browser.click("#send-now").await;
    browser.find("#in-personio").await;
    assert_eq!(house.sim.creates(), 1);
    // Of the same person by the ATS: a second hire, which waits for a person.
    let later = house.deliver(&candidate_hire("a-9", "Mia Beispiel", "mia@example.org")).await;
    assert_ne!(later.state(), "created");
    assert_eq!(house.sim.creates(), 1);
    browser.close().await;
}
