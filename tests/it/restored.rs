//! A ledger that was restored from an older backup, hire by hire: nobody is sent twice because it has forgotten.

use hirebridge::sim::{Behaviour, Fault, Operation, Status};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::json;

use crate::support::ashby::{candidate_hire, hire};
use crate::support::{ADMIN, House, SENDER, Setup, notes, state};

const MARKER: &str = "marker = \"dynamic_101\"";

async fn house(transfer: &str) -> House {
    House::with(Setup { transfer: transfer.into(), server: "wait = \"30s\"".into(), ..Setup::default() })
        .await
}

/// A copy of the house's ledger as it is.
pub(crate) async fn backup(house: &House) -> Vec<u8> {
    let answer = house.bare(Method::POST, "/v1/backup").bearer_auth(ADMIN).send().await.expect("an answer");
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-type"]),
        (200, &"application/vnd.sqlite3".parse().expect("a value"))
    );
    answer.bytes().await.expect("the whole file").to_vec()
}

/// Personio asks for a minute's rest, again and again.
fn throttled(operation: Operation) -> Fault {
    let retry_after = Some("60".into());
    Fault::new(operation, Behaviour::Status { code: 429, body: None, retry_after })
}

/// Closes the house, and opens it again on this ledger.
pub(crate) async fn restore(house: &mut House, ledger: &[u8]) {
    house.close().await;
    for file in ["ledger.db-wal", "ledger.db-shm"] {
        // They are there if the ledger was not closed in order.
        let _ = std::fs::remove_file(house.folder.path().join(file));
    }
    std::fs::write(house.folder.path().join("ledger.db"), ledger).expect("writable");
    house.open().await;
}

#[tokio::test]
async fn a_forgotten_hire_is_adopted_if_the_marker_is_its_own_and_else_a_person_decides() {
    for (transfer, delivered_again, expected) in [
        (MARKER, hire(), "created(adopted)"),
        ("", hire(), "held(exists)"),
        // The same person, but another application: the marker is another hire's.
        (MARKER, candidate_hire("a-2", "Mia Beispiel", "mia@example.org"), "held(exists)"),
    ] {
        let mut house = house(transfer).await;
        let before = backup(&house).await;
        let lost = house.deliver(&hire()).await.hire();
        let employee = house.hire(&lost).await["employee"].clone();
        restore(&mut house, &before).await;
        let again = house.deliver(&delivered_again).await;
        assert_eq!(again.state(), expected);
        let again = house.hire(&again.hire()).await;
        assert_eq!(again["employee"], employee, "with the link to the profile");
        let causes: Vec<_> =
            again["history"].as_array().expect("a history").iter().map(|e| e["cause"].clone()).collect();
        if expected == "created(adopted)" {
            assert!(
                causes.contains(&json!("looked_up:ours")) && causes.contains(&json!("compared")),
                "{causes:?}"
            );
        } else {
            let link = format!("/v1/hires/{}/link", again["id"].as_str().expect("an id"));
            let linked = house.post(&link, &json!({"employee_id": employee["id"]})).await;
            assert_eq!(linked.state(), "created(linked)");
        }
        assert_eq!((house.sim.creates(), house.sim.employees().len()), (1, 1));
    }
}

#[tokio::test]
async fn an_adopted_employee_is_compared_with_what_would_have_been_sent() {
    let mut house = house(MARKER).await;
    let before = backup(&house).await;
    house.deliver(&hire()).await;
    restore(&mut house, &before).await;
    let other_name = candidate_hire("a-1", "Mia Anders", "mia@example.org");
    let again = house.hire(&house.deliver(&other_name).await.hire()).await;
    assert_eq!(state(&again), "created(adopted)");
    assert_eq!(crate::support::warnings(&again), ["changed last_name=Anders"]);
}

#[tokio::test]
async fn a_forgotten_employee_who_has_left_is_still_the_hires_own() {
    let first = house(MARKER).await;
    first.deliver(&hire()).await;
    let mut person = first.sim.employees().remove(0).person;
    person.status = Some(Status::Inactive);
    let empty = house(MARKER).await;
    empty.sim.add(person);
    assert_eq!(empty.deliver(&hire()).await.state(), "created(adopted)");
    assert_eq!(empty.sim.creates(), 0);
}

#[tokio::test]
async fn a_hire_that_the_backup_believes_to_be_waiting_is_looked_up_before_it_is_sent() {
    for (transfer, expected) in [(MARKER, "created(adopted)"), ("", "held(exists)")] {
        let mut house = house(transfer).await;
        house.sim.misbehave(throttled(Operation::ListEmployees));
        let id = house.deliver(&hire()).await.hire();
        assert_eq!(state(&house.hire(&id).await), "waiting(throttled)");
        let before = backup(&house).await;
        house.sim.behave();
        house.pass(SignedDuration::from_mins(1)).await;
        assert_eq!(state(&house.hire(&id).await), "created");
        restore(&mut house, &before).await;
        house.pass(SignedDuration::from_mins(1)).await;
        assert_eq!(state(&house.hire(&id).await), expected);
        assert_eq!((house.sim.creates(), house.sim.employees().len()), (1, 1));
    }
}

#[tokio::test]
async fn without_a_look_up_a_restored_ledger_sends_nobody_whom_it_may_have_forgotten() {
    let mut house = house("").await;
    house.sim.adjust(|manner| manner.rights.employees_read = false);
    let before = backup(&house).await;
    let lost = house.deliver(&hire()).await;
    assert_eq!(lost.state(), "created", "an ordinary ledger does without");
    restore(&mut house, &before).await;
    let again = house.deliver(&hire()).await;
    assert_eq!((again.state().as_str(), house.sim.creates()), ("held(review)", 1));
    let held = house.hire(&again.hire()).await;
    assert_eq!(notes(&held), ["not_looked_up", &format!("restored:{}", house.clock.now())]);
    // It is told at each start, and the mark stays.
    house.close().await;
    house.open().await;
    let other = house.deliver(&candidate_hire("a-2", "Max Muster", "max@example.org")).await;
    assert_eq!((other.state().as_str(), house.sim.creates()), ("held(review)", 1));
    let hash = house.hire(&other.hire()).await["plan"]["hash"].clone();
    let sent = house.post(&format!("/v1/hires/{}/send", other.hire()), &json!({"plan_hash": hash})).await;
    assert_eq!((sent.state().as_str(), house.sim.creates()), ("created", 2), "a person has looked");
    // With the right to read, and when nobody repeats any more, it is over.
    house.sim.adjust(|manner| manner.rights.employees_read = true);
    let new = house.deliver(&candidate_hire("a-3", "Eva Neu", "eva@example.org")).await;
    assert_eq!((new.state().as_str(), house.sim.creates()), ("created", 3));
    house.sim.adjust(|manner| manner.rights.employees_read = false);
    house.clock.advance(SignedDuration::from_hours(31 * 24));
    let later = house.deliver(&candidate_hire("a-4", "Ole Neu", "ole@example.org")).await;
    assert_eq!((later.state().as_str(), house.sim.creates()), ("created", 4));
}

#[tokio::test]
async fn an_approval_of_before_the_restore_does_not_count() {
    let mut house = house("require_lookup = true").await;
    house.sim.adjust(|manner| manner.rights.employees_read = false);
    let id = house.deliver(&hire()).await.hire();
    let hash = house.hire(&id).await["plan"]["hash"].clone();
    let send = (format!("/v1/hires/{id}/send"), json!({"plan_hash": hash}));
    house.sim.misbehave(throttled(Operation::CreateEmployee));
    let waits = house.ask(Method::POST, &send.0, SENDER, Some(&send.1)).await;
    assert_eq!(waits.state(), "waiting(throttled)");
    let before = backup(&house).await;
    house.sim.behave();
    house.pass(SignedDuration::from_mins(20)).await;
    assert_eq!(state(&house.hire(&id).await), "created");
    let creates = house.sim.creates();
    restore(&mut house, &before).await;
    house.pass(SignedDuration::from_mins(20)).await;
    assert_eq!(state(&house.hire(&id).await), "held(review)");
    assert_eq!(house.sim.creates(), creates);
}

#[tokio::test]
async fn what_a_killed_backup_left_is_thrown_away_and_nothing_else() {
    let mut house = house("").await;
    house.close().await;
    let names = ["ledger.db.backup-1", "ledger.db.backup-1-journal", "other.db.backup-1", "ledger.db.bak"];
    for name in names {
        std::fs::write(house.folder.path().join(name), "half").expect("writable");
    }
    house.open().await;
    let left: Vec<_> = names.iter().filter(|name| house.folder.path().join(name).exists()).collect();
    assert_eq!(left, [&"other.db.backup-1", &"ledger.db.bak"]);
}
