//! What is kept of a person: deliveries for their time, and nothing personal that Personio was read for.

use hirebridge::domain::HireId;
use hirebridge::ledger::sqlite::SqliteLedger;
use hirebridge::ledger::{LedgerKey, Owner};
use hirebridge::sim::{Person, Status};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

use crate::keys::all;
use crate::support::ashby::{candidate_hire, with_field};
use crate::support::town::Town;
use crate::support::{ADMIN, House, Setup, is_problem, state};

async fn bodies(house: &House, id: &str) -> usize {
    let id = HireId(id.parse().expect("an id"));
    house.service().transfer().ledger().bodies(id).await.expect("read").len()
}

/// A hire whose position is told by a path into the delivery, which is no fact.
fn body(application: &str) -> Value {
    let email = format!("{application}@example.org");
    let mut body = candidate_hire(application, "Mia Beispiel", &email);
    body["data"]["application"]["job"]["title"] = json!("Keeper of the Keys");
    body
}

#[tokio::test]
async fn deliveries_are_deleted_after_their_time_and_the_plan_stays_what_was_sent() {
    let sections =
        "[mapping.fields]\nposition = \"$.data.application.job.title\"\n[retention]\nbodies = \"240h\"\n";
    let sections = sections.to_owned();
    let house = House::with(Setup { sections, ..Setup::default() }).await;
    let created = house.deliver(&body("a-1")).await;
    assert_eq!(created.state(), "created");
    let incomplete = with_field(candidate_hire("a-2", "Mia", "no address"), "Team", "HR");
    let held = house.deliver(&incomplete).await;
    assert_eq!(held.state(), "held(invalid)");
    let (created, held) = (created.hire(), held.hire());
    let before = house.hire(&created).await;
    assert_eq!(before["plan"]["employee"]["position"], "Keeper of the Keys");

    house.pass(SignedDuration::from_hours(239)).await;
    assert_eq!(
        (bodies(&house, &created).await, bodies(&house, &held).await),
        (1, 1),
        "not before their time"
    );
    house.pass(SignedDuration::from_hours(2)).await;
    assert_eq!(
        (bodies(&house, &created).await, bodies(&house, &held).await),
        (0, 1),
        "it is still to be decided"
    );
    let preview = house.post(&format!("/v1/hires/{created}/preview"), &json!({})).await;
    assert_eq!(preview.status, 200, "{}", preview.text);
    assert_eq!(preview.json()["plan"]["hash"], before["plan"]["hash"]);
    assert_eq!(house.hire(&created).await["plan"], before["plan"]);
    let again = house.deliver(&body("a-1")).await;
    assert_eq!((again.hire(), house.sim.creates()), (created, 1), "a repeat is recognised");

    let dismissed = house.post(&format!("/v1/hires/{held}/dismiss"), &json!({"dismissed": true})).await;
    assert_eq!(dismissed.status, 200, "{}", dismissed.text);
    house.pass(SignedDuration::ZERO).await;
    assert_eq!(bodies(&house, &held).await, 0, "nobody needs it any more");
    let replayed = house.ask(Method::POST, &format!("/v1/hires/{held}/replay"), ADMIN, None).await;
    is_problem(&replayed, 422, "nothing_to_replay");
}

/// Somebody in Personio of whom every value would be known again.
fn marked(email: &str, marker: Option<&str>) -> Person {
    let mut person = Person {
        email: email.into(),
        first_name: "Marked-First".into(),
        last_name: "Marked-Last".into(),
        preferred_name: Some("Marked-Preferred".into()),
        position: Some("Marked-Position".into()),
        ..Person::default()
    };
    person.custom_attributes.insert("dynamic_105".into(), "Marked-Attribute".into());
    if let Some(marker) = marker {
        person.custom_attributes.insert("dynamic_101".into(), marker.into());
    }
    person
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_personal_that_was_read_in_personio_is_stored_or_logged() {
    let sections = "[mapping.fields]\nposition = \"job.title\"\n".to_owned();
    let transfer = "marker = \"dynamic_101\"".to_owned();
    let mut town = Town::with(Setup { transfer, sections, ..Setup::default() }).await;
    town.environment.push(("HIREBRIDGE__LOG__LEVEL", "debug".into()));
    town.sim.add(marked("a-1@example.org", None));
    town.sim.add(Person { status: Some(Status::Inactive), ..marked("a-2@example.org", None) });
    town.sim.add(marked("a-3@example.org", Some("ashby/default/a-3")));
    let served = town.serve().await;
    let mut answers = Vec::new();
    for (application, expected) in
        [("a-1", "held(exists)"), ("a-2", "held(rehire)"), ("a-3", "created(adopted)")]
    {
        let answer = town.deliver(&served, &body(application)).await.expect("an answer");
        assert_eq!(state(&answer), expected, "{answer}");
        let id = answer["hire"].as_str().expect("an id").to_owned();
        // Whoever looks is shown what is there; nothing of it stays.
        let there = town.ask(&served, &format!("/v1/hires/{id}/personio")).await;
        assert!(there.to_string().contains("Marked-"), "{there}");
        answers.push(town.hire(&served, &id).await.to_string());
    }
    let differs = &answers[2];
    assert!(differs.contains("changed") && differs.contains("first_name"), "the field is named: {differs}");
    answers.push(json!(town.hires(&served).await).to_string());
    let log = served.log();
    assert!(log.contains("personio"), "it was written: {log}");
    answers.push(log);
    assert_eq!(Town::terminate(served).await, Some(0));
    let key = LedgerKey::parse("BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=").expect("a key");
    let ledger =
        SqliteLedger::open(&town.folder.path().join("ledger.db"), &key, Owner::new()).expect("it opens");
    let stored = all(&ledger).await;
    assert!(stored.iter().any(|text| text.contains("Beispiel")), "it was read: {stored:?}");
    for text in answers.iter().chain(&stored) {
        assert!(!text.to_lowercase().contains("marked-"), "{text}");
    }
}
