//! Never two, never lost, never a guess.

use futures_util::future::join_all;
use hirebridge::sim::{Behaviour, Fault, Operation, Person};
use jiff::SignedDuration;
use serde_json::json;

use crate::support::ashby::{candidate_hire, hire, with_field, without_offer};
use crate::support::{House, Setup, state};

fn minutes(n: i64) -> SignedDuration {
    SignedDuration::from_mins(n)
}

#[tokio::test]
async fn a_signed_hire_becomes_one_employee_while_the_ats_waits() {
    let house = House::new().await;
    let answer = house.deliver(&hire()).await;
    assert_eq!(answer.state(), "created");
    assert_eq!(answer.json()["duplicate"], false);
    let hire = house.hire(&answer.hire()).await;
    assert_eq!(hire["missing"], json!([]));
    assert_eq!(hire["warnings"], json!([]));
    let employees = house.sim.employees();
    assert_eq!(employees.len(), 1);
    assert_eq!(hire["employee"]["id"], json!(employees[0].id));
}

#[tokio::test]
async fn a_hire_is_sent_once_however_often_it_arrives() {
    let house = House::new().await;
    let (body, mut ids) = (hire(), std::collections::BTreeSet::new());
    let deliveries = (0..16).map(|_| house.deliver(&body));
    for answer in join_all(deliveries).await {
        assert_eq!(answer.status, 200);
        ids.insert(answer.hire());
    }
    assert_eq!(ids.len(), 1);
    assert_eq!(house.sim.creates(), 1);
}

#[tokio::test]
async fn three_webhooks_of_one_hire_are_one_hire() {
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
        let house = House::new().await;
        let bodies = [
            hire(),
            without_offer("applicationUpdate", "a-1", "Mia Beispiel", "mia@example.org"),
            without_offer("candidateStageChange", "a-1", "Mia Beispiel", "mia@example.org"),
        ];
        let mut ids = std::collections::BTreeSet::new();
        for n in order {
            ids.insert(house.deliver(&bodies[n]).await.hire());
        }
        assert_eq!((ids.len(), house.sim.creates()), (1, 1));
    }
}

#[tokio::test]
async fn a_delivery_without_the_offer_waits_for_the_one_that_has_it() {
    let setup = Setup { server: "wait = \"10ms\"".into(), ..Setup::default() };
    let house = House::with(settling(setup)).await;
    let early = without_offer("candidateStageChange", "a-1", "Mia Beispiel", "mia@example.org");
    assert_eq!(house.deliver(&early).await.state(), "received");
    assert_eq!(house.sim.creates(), 0);
    let answer = house.deliver(&hire()).await;
    assert_eq!(answer.json()["duplicate"], true);
    let hire = house.hire(&answer.hire()).await;
    assert_eq!(state(&hire), "created");
    assert_eq!(hire["plan"]["employee"]["hire_date"], "2027-01-01");
}

#[tokio::test]
async fn a_delivery_without_the_offer_goes_alone_when_no_other_comes() {
    let setup = Setup { server: "wait = \"10ms\"".into(), ..Setup::default() };
    let house = House::with(settling(setup)).await;
    let early = without_offer("applicationUpdate", "a-1", "Mia Beispiel", "mia@example.org");
    let id = house.deliver(&early).await.hire();
    house.pass(SignedDuration::from_secs(3)).await;
    let hire = house.hire(&id).await;
    assert_eq!(state(&hire), "created");
    assert_eq!(hire["missing"], json!(["hire_date"]));
}

/// The usual 3 seconds instead of the tests' none.
fn settling(mut setup: Setup) -> Setup {
    setup.ashby = "account = \"acme\"".into();
    setup.settle = Some("3s".into());
    setup
}

#[tokio::test]
async fn a_repeat_mends_what_the_first_delivery_lacked() {
    let house = House::new().await;
    let mut body = hire();
    let address = body["data"]["application"]["candidate"]["primaryEmailAddress"].take();
    body["data"]["application"]["candidate"]
        .as_object_mut()
        .expect("an object")
        .remove("primaryEmailAddress");
    let answer = house.deliver(&body).await;
    assert_eq!(answer.state(), "held(missing)");
    body["data"]["application"]["candidate"]["primaryEmailAddress"] = address;
    let answer = house.deliver(&body).await;
    assert_eq!((answer.state().as_str(), answer.json()["duplicate"].clone()), ("created", json!(true)));
    assert_eq!(house.sim.creates(), 1);
}

#[tokio::test]
async fn what_may_have_been_carried_out_is_never_sent_again() {
    let faults = [
        Behaviour::Cut,
        Behaviour::Reset,
        Behaviour::HalfBody,
        Behaviour::WithoutId,
        Behaviour::Html,
        Behaviour::status(500),
        Behaviour::status(502),
        Behaviour::status(503),
        Behaviour::status(504),
        Behaviour::status(408),
        Behaviour::status(307),
        Behaviour::Hang,
    ];
    for fault in faults {
        let patience = matches!(fault, Behaviour::Hang).then(|| "1s".to_owned());
        let house = House::with(Setup { attempt_timeout: patience, ..Setup::default() }).await;
        house.sim.misbehave(Fault::once(Operation::CreateEmployee, fault.clone()).done());
        let id = house.deliver(&hire()).await.hire();
        assert_eq!(state(&house.hire(&id).await), "unknown", "{fault:?}");
        house.pass(minutes(2)).await;
        assert_eq!(state(&house.hire(&id).await), "created(adopted)", "{fault:?}");
        assert_eq!((house.sim.creates(), house.sim.employees().len()), (1, 1), "{fault:?}");
    }
}

#[tokio::test]
async fn an_unknown_outcome_that_never_appears_is_shown_to_a_person() {
    let house = House::new().await;
    house.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::Cut));
    let id = house.deliver(&hire()).await.hire();
    for _ in 0..30 {
        house.pass(SignedDuration::from_hours(1)).await;
    }
    assert_eq!(state(&house.hire(&id).await), "held(unknown)");
    assert_eq!(house.sim.creates(), 1);
}

#[tokio::test]
async fn a_person_created_late_is_adopted() {
    let house = House::new().await;
    house.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::Cut).late());
    let id = house.deliver(&hire()).await.hire();
    house.pass(minutes(2)).await;
    assert_eq!(state(&house.hire(&id).await), "unknown");
    house.sim.release_late();
    house.pass(minutes(10)).await;
    assert_eq!(state(&house.hire(&id).await), "created(adopted)");
}

#[tokio::test]
async fn what_was_surely_not_carried_out_is_sent_again_by_itself() {
    let house = House::new().await;
    house.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::too_many(Some("0"))));
    assert_eq!(house.deliver(&hire()).await.state(), "created");
    assert_eq!(house.sim.creates(), 2);
    assert_eq!(house.sim.employees().len(), 1);
}

#[tokio::test]
async fn a_throttled_hire_waits_as_long_as_personio_says() {
    let house = House::new().await;
    house.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::too_many(Some("600"))));
    let answer = house.deliver(&hire()).await;
    assert_eq!(answer.state(), "waiting(throttled)");
    house.pass(minutes(9)).await;
    assert_eq!(house.sim.creates(), 1);
    house.pass(minutes(2)).await;
    assert_eq!(state(&house.hire(&answer.hire()).await), "created");
}

#[tokio::test]
async fn a_refused_hire_is_held_and_not_repeated() {
    let house = House::new().await;
    house.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::Refused));
    let answer = house.deliver(&hire()).await;
    assert_eq!(answer.state(), "held(refused)");
    house.pass(SignedDuration::from_hours(80)).await;
    assert_eq!(state(&house.hire(&answer.hire()).await), "held(refused)");
    assert_eq!(house.sim.creates(), 1);
}

#[tokio::test]
async fn two_hires_of_one_person_make_one_employee() {
    let house = House::new().await;
    house.sim.adjust(|manner| manner.rights.employees_read = false);
    let first = house.deliver(&candidate_hire("a-1", "Mia Beispiel", "mia@example.org")).await;
    assert_eq!(first.state(), "created");
    let second = house.deliver(&candidate_hire("a-2", "Mia Beispiel", "Mia+ats@Example.org")).await;
    assert_eq!(second.state(), "held(second_hire)");
    assert_eq!(house.sim.creates(), 1);
}

#[tokio::test]
async fn an_address_that_is_in_personio_already_is_held_with_the_profile_link() {
    let house = House::new().await;
    let mia = ("mia@example.org".to_owned(), "Mia".to_owned(), "Beispiel".to_owned());
    house.sim.add(Person { email: mia.0, first_name: mia.1, last_name: mia.2, ..Person::default() });
    let body = with_field(candidate_hire("a-9", "Mia Beispiel", "mia@example.org"), "x", "y");
    let answer = house.deliver(&body).await;
    assert_eq!(answer.state(), "held(exists)");
    let hire = house.hire(&answer.hire()).await;
    assert!(hire["employee"]["url"].as_str().is_some_and(|url| url.contains("/staff/details/")));
    assert_eq!(house.sim.creates(), 0);
}
