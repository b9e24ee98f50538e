//! Documents that must not go, or not go again: of a hire that was taken back, of a ledger that has forgotten, without a right.

use hirebridge::sim::{Behaviour, Fault, Operation};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::documents::{again, delivered, states, with_a_resume};
use crate::restored::{backup, restore};
use crate::support::ashby::{hire, without_offer};
use crate::support::ashby_api::Says;
use crate::support::files::{Files, handle, pdf};
use crate::support::{House, Setup, notes, state, text};

const MARKER: &str = "marker = \"dynamic_101\"";

fn minutes(n: i64) -> SignedDuration {
    SignedDuration::from_mins(n)
}

/// Personio asks for ten minutes' rest, again and again.
fn throttled(operation: Operation) -> Fault {
    Fault::new(operation, Behaviour::too_many(Some("600")))
}

fn at(mut body: Value, minute: u32) -> Value {
    body["data"]["application"]["updatedAt"] = format!("2026-11-30T10:{minute:02}:00.000Z").into();
    body
}

/// Mia's application, no longer hired since this minute.
fn taken_back(minute: u32) -> Value {
    let mut body = at(without_offer("applicationUpdate", "a-1", "Mia Beispiel", "mia@example.org"), minute);
    body["data"]["application"]["status"] = "Active".into();
    body
}

/// Mia's hire with a signed offer, as Ashby tells it once more.
fn with_the_signed_offer() -> Value {
    let mut body = hire();
    body["data"]["offer"]["latestVersion"]["fileHandles"] = json!([handle("f-9", "offer signed.pdf")]);
    body
}

#[tokio::test]
async fn what_was_not_sent_before_the_hire_was_taken_back_is_not_sent() {
    let files = Files::none().await;
    files.resume("f-1", "Lebenslauf.pdf", pdf("cv", 1000));
    let house = files.house().await;
    house.sim.misbehave(throttled(Operation::UploadDocument));
    let id = house.deliver(&at(hire(), 1)).await.hire();
    assert_eq!(states(&house.hire(&id).await), ["resume pending"]);
    assert_eq!(house.deliver(&taken_back(2)).await.hire(), id);
    house.sim.behave();
    house.pass(minutes(30)).await;
    let told = house.hire(&id).await;
    assert_eq!(
        (state(&told), states(&told)),
        ("created".into(), vec!["resume failed(hire_taken_back)".into()])
    );
    assert!(text(&told["documents"][0]["remedy"]).len() > 10);
    assert_eq!(states(&again(&house, &id, 1).await), ["resume failed(hire_taken_back)"]);
    // What comes now is not even fetched.
    let fetched = files.fetched();
    files.holds("f-9", pdf("contract", 1000));
    let mut later = with_the_signed_offer();
    later["data"]["application"]["updatedAt"] = "2026-11-30T09:00:00.000Z".into();
    house.deliver(&later).await;
    house.hire(&id).await;
    house.pass(minutes(30)).await;
    let told = house.hire(&id).await;
    assert_eq!(states(&told)[1], "signed_offer failed(hire_taken_back)");
    assert_eq!((files.fetched(), house.sim.documents().len()), (fetched, 0));
}

#[tokio::test]
async fn the_documents_of_a_cancelled_hire_stay_until_it_is_hired_again() {
    let files = Files::none().await;
    files.resume("f-1", "Lebenslauf.pdf", pdf("cv", 1000));
    let house = files.house_with_review().await;
    let id = house.deliver(&at(hire(), 1)).await.hire();
    house.hire(&id).await;
    house.deliver(&taken_back(2)).await;
    house.pass(SignedDuration::from_hours(80)).await;
    let cancelled = house.hire(&id).await;
    assert_eq!(
        (state(&cancelled).as_str(), states(&cancelled)),
        ("cancelled(unhired)", vec!["resume pending".into()])
    );
    assert_eq!(house.sim.calls(Operation::UploadDocument), 0);
    house.deliver(&at(hire(), 3)).await;
    let held = house.hire(&id).await;
    let approval = json!({"plan_hash": held["plan"]["hash"]});
    assert_eq!(house.post(&format!("/v1/hires/{id}/send"), &approval).await.status, 200);
    house.pass(SignedDuration::ZERO).await;
    assert_eq!(states(&house.hire(&id).await), ["resume sent"]);
    assert_eq!((house.sim.documents().len(), files.fetched()), (1, 1));
}

#[tokio::test]
async fn a_restored_ledger_does_not_send_what_it_may_have_sent() {
    let files = Files::none().await;
    files.resume("f-1", "Lebenslauf.pdf", pdf("cv", 700_000));
    let mut house = files.house().await;
    house.sim.misbehave(throttled(Operation::UploadDocument));
    let id = delivered(&house).await;
    let before = backup(&house).await;
    house.sim.behave();
    house.pass(minutes(30)).await;
    assert_eq!(states(&house.hire(&id).await), ["resume sent"]);
    restore(&mut house, &before).await;
    house.pass(minutes(30)).await;
    let told = house.hire(&id).await;
    assert_eq!((states(&told), &told["flags"]["warnings"]), (vec!["resume unknown".into()], &json!(true)));
    house.pass(SignedDuration::from_hours(100)).await;
    assert_eq!(house.sim.documents().len(), 1);
    // A person has looked, and knows better.
    assert_eq!(states(&again(&house, &id, 1).await), ["resume sent"]);
    assert_eq!(house.sim.documents().len(), 2);
}

#[tokio::test]
async fn what_followed_a_hire_after_the_backup_is_not_sent_again() {
    let files = Files::none().await;
    let (mut house, id) = with_a_resume(&files).await;
    let before = backup(&house).await;
    files.holds("f-9", pdf("contract", 1000));
    house.deliver(&with_the_signed_offer()).await;
    house.pass(SignedDuration::ZERO).await;
    assert_eq!(house.sim.documents().len(), 2);
    house.clock.advance(minutes(1));
    restore(&mut house, &before).await;
    house.deliver(&with_the_signed_offer()).await;
    house.pass(SignedDuration::ZERO).await;
    assert_eq!(states(&house.hire(&id).await), ["resume sent", "signed_offer unknown"]);
    assert_eq!(house.sim.documents().len(), 2);
    // After a month nobody repeats any more.
    house.clock.advance(SignedDuration::from_hours(31 * 24));
    files.holds("f-10", pdf("another contract", 1000));
    let mut later = with_the_signed_offer();
    later["data"]["offer"]["latestVersion"]["fileHandles"][0] = handle("f-10", "amendment signed.pdf");
    house.deliver(&later).await;
    house.pass(SignedDuration::ZERO).await;
    let told = house.hire(&id).await;
    assert_eq!(states(&told)[2], "signed_offer sent", "{told:#}");
}

#[tokio::test]
async fn the_documents_of_an_adopted_hire_that_was_forgotten_are_not_sent_again() {
    let files = Files::none().await;
    files.resume("f-1", "Lebenslauf.pdf", pdf("cv", 1000));
    let setup = Setup { transfer: MARKER.into(), ..files.setup() };
    for is_marked_as_a_copy in [true, false] {
        let mut house = House::with(setup.clone()).await;
        let before = backup(&house).await;
        delivered(&house).await;
        assert_eq!(house.sim.documents().len(), 1);
        house.clock.advance(minutes(1));
        if is_marked_as_a_copy {
            restore(&mut house, &before).await;
        } else {
            house.close().await;
            std::fs::remove_file(house.folder.path().join("ledger.db")).expect("it is there");
            house.open().await;
        }
        let id = delivered(&house).await;
        let told = house.hire(&id).await;
        assert_eq!(
            (state(&told).as_str(), states(&told)),
            ("created(adopted)", vec!["resume unknown".into()])
        );
        assert_eq!((house.sim.documents().len(), house.sim.creates()), (1, 1));
    }
}

#[tokio::test]
async fn whoever_is_created_after_the_restore_surely_has_no_document_yet() {
    let files = Files::none().await;
    files.resume("f-1", "Lebenslauf.pdf", pdf("cv", 1000));
    let mut house = files.house().await;
    house.sim.misbehave(throttled(Operation::CreateEmployee));
    let id = delivered(&house).await;
    let before = backup(&house).await;
    house.clock.advance(minutes(1));
    restore(&mut house, &before).await;
    house.sim.behave();
    house.pass(minutes(30)).await;
    assert_eq!(states(&house.hire(&id).await), ["resume sent"]);
}

#[tokio::test]
async fn an_adopted_employee_of_an_unknown_create_gets_the_documents() {
    let files = Files::none().await;
    files.resume("f-1", "Lebenslauf.pdf", pdf("cv", 1000));
    let house = files.house().await;
    house.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::Cut).done());
    let id = delivered(&house).await;
    house.pass(SignedDuration::from_hours(1)).await;
    let told = house.hire(&id).await;
    assert_eq!((state(&told).as_str(), states(&told)), ("created(adopted)", vec!["resume sent".into()]));
}

#[tokio::test]
async fn a_key_that_may_not_read_files_is_told_with_the_right_it_lacks() {
    for (says, tries) in [
        (Says::error("missing_endpoint_permission"), 1),
        (Says::Json(json!({"success": false, "errors": ["missing_endpoint_permission"]})), 1),
        (Says::Status(403), 1),
        (Says::Status(401), 3),
    ] {
        let files = Files::none().await;
        files.resume("f-1", "Lebenslauf.pdf", pdf("cv", 1000));
        files.ashby.now_says("file.info", says);
        let house = files.house().await;
        let id = delivered(&house).await;
        if tries > 1 {
            assert_eq!(states(&house.hire(&id).await), ["resume pending"]);
            for _ in 0..3 {
                house.pass(SignedDuration::from_hours(13)).await;
            }
        }
        let told = house.hire(&id).await;
        assert_eq!(states(&told), ["resume failed(ats_no_right)"]);
        assert!(text(&told["documents"][0]["remedy"]).contains("candidatesRead"), "{told}");
        assert!(!notes(&told).contains(&"document_off:resume") && files.fetched() == 0);
        files.ashby.no_longer_says("file.info");
        assert_eq!(states(&again(&house, &id, 1).await), ["resume sent"]);
    }
}
