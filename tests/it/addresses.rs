//! Before sending, every e-mail address of a candidate is looked up, not only the one that is sent.

use hirebridge::sim::{Operation, Person, Status};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::ashby::{candidate_hire, hire, with_field};
use crate::support::{House, SENDER, Setup, notes, state, text, warnings};
use crate::truth::change;

/// The work address is sent; the candidate's own is `mia@example.org`.
async fn house() -> House {
    let sections = "[mapping.fields]\nemail = \"custom.Work e-mail\"\n".into();
    House::with(Setup { sections, ..Setup::default() }).await
}

fn mia() -> Value {
    with_field(hire(), "Work e-mail", "mia.beispiel@acme.example")
}

fn employ(house: &House, email: &str, status: Status) -> u64 {
    let (first_name, last_name) = ("Mia".to_owned(), "Beispiel".to_owned());
    let status = Some(status);
    house.sim.add(Person { email: email.into(), first_name, last_name, status, ..Person::default() })
}

#[tokio::test]
async fn who_was_an_employee_under_another_address_is_a_rehire_with_the_link() {
    let house = house().await;
    let former = employ(&house, "mia@example.org", Status::Inactive);
    let answer = house.deliver(&mia()).await;
    assert_eq!((answer.state().as_str(), house.sim.creates()), ("held(rehire)", 0));
    let held = house.hire(&answer.hire()).await;
    let url = format!("https://acme.app.personio.com/staff/details/{former}");
    assert_eq!(held["employee"], json!({"id": former, "url": url}));
    // Personio's own steps.
    assert!(text(&held["remedy"]).contains("> Rehire this person"), "{}", held["remedy"]);
    assert_eq!(notes(&held), ["found_by_other_email"], "the note has no address");
    assert_eq!(warnings(&held), ["found_by_other_email email=mia@example.org"]);
}

#[tokio::test]
async fn who_was_created_here_and_has_left_is_a_rehire_too() {
    let house = House::new().await;
    let first = house.deliver(&candidate_hire("a-1", "Mia Beispiel", "mia@example.org")).await;
    assert_eq!(first.state(), "created");
    let again = house.deliver(&candidate_hire("a-2", "Mia Beispiel", "mia@example.org")).await;
    assert_eq!(again.state(), "held(second_hire)", "she is there");
    change(&house, json!({"status": "inactive"})).await;
    let back = house.deliver(&candidate_hire("a-3", "Mia Beispiel", "mia@example.org")).await;
    assert_eq!((back.state().as_str(), house.sim.creates()), ("held(rehire)", 1));
    let held = house.hire(&back.hire()).await;
    assert_eq!(held["employee"]["id"], json!(house.sim.employees()[0].id));
}

#[tokio::test]
async fn a_person_who_has_seen_that_it_is_somebody_else_can_send() {
    let house = house().await;
    employ(&house, "mia@example.org", Status::Active);
    let answer = house.deliver(&mia()).await;
    assert_eq!(answer.state(), "held(exists)");
    let path = format!("/v1/hires/{}", answer.hire());
    let hash = house.hire(&answer.hire()).await["plan"]["hash"].clone();
    house.post(&format!("{path}/send"), &json!({"plan_hash": hash})).await;
    let sent = house.hire(&answer.hire()).await;
    assert_eq!((state(&sent).as_str(), house.sim.creates()), ("created", 1));
    assert_eq!((notes(&sent), warnings(&sent).len()), (vec!["found_by_other_email"], 0));
}

#[tokio::test]
async fn the_planned_address_is_looked_up_even_after_a_person_sent_the_hire() {
    let house = house().await;
    employ(&house, "mia@example.org", Status::Active);
    let answer = house.deliver(&mia()).await;
    let hash = house.hire(&answer.hire()).await["plan"]["hash"].clone();
    employ(&house, "mia.beispiel@acme.example", Status::Active);
    house.post(&format!("/v1/hires/{}/send", answer.hire()), &json!({"plan_hash": hash})).await;
    let again = house.hire(&answer.hire()).await;
    assert_eq!((state(&again).as_str(), house.sim.creates()), ("held(exists)", 0));
}

/// Types Mia with these addresses and has her sent at once.
async fn typed(house: &House, addresses: &[&str]) -> Value {
    let emails: Vec<_> =
        addresses.iter().map(|address| json!({"address": address, "kind": "other"})).collect();
    let candidate =
        json!({"first_name": "Mia", "last_name": "Beispiel", "email": "a@example.org", "emails": emails});
    let body = json!({"candidate": candidate, "custom": {"Work e-mail": "a@example.org"}});
    let request = |path: &str, body: &Value| {
        let request = house.bare(Method::POST, path).bearer_auth(SENDER).json(body);
        request.header("Idempotency-Key", "k-1")
    };
    let plan = house.send(request("/v1/hires/preview", &body)).await.json()["plan"].clone();
    let mut body = body;
    body["plan_hash"] = plan["hash"].clone();
    let id = house.send(request("/v1/hires", &body)).await.json()["id"].clone();
    house.hire(id.as_str().expect("an id")).await
}

#[tokio::test]
async fn an_address_is_looked_up_once_however_it_is_written_and_five_at_most() {
    for (addresses, calls, noted) in [
        (["a@example.org", " A+jobs@Example.org", "b@example.org", "b+x@example.org"].as_slice(), 2, false),
        (&["b@example.org", "c@example.org", "d@example.org", "e@example.org", "f@example.org"], 5, true),
    ] {
        let house = house().await;
        let sent = typed(&house, addresses).await;
        assert_eq!((state(&sent).as_str(), house.sim.calls(Operation::ListEmployees)), ("created", calls));
        assert_eq!(notes(&sent).contains(&"not_all_emails_looked_up"), noted);
    }
}

#[tokio::test]
async fn an_active_employee_counts_before_a_former_one() {
    let house = house().await;
    employ(&house, "b@example.org", Status::Inactive);
    let active = employ(&house, "c@example.org", Status::Active);
    let held = typed(&house, &["b@example.org", "c@example.org", "d@example.org"]).await;
    assert_eq!((state(&held).as_str(), &held["employee"]["id"]), ("held(exists)", &json!(active)));
}
