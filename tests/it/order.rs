//! What the ATS takes back, hires again or merges, in whatever order it comes; the one resend that the customer
//! may ask for; and the audit that finds doubles.

use hirebridge::sim::{Behaviour, Fault, Operation, Options, Person, TakenEmail};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::ashby::{candidate_hire, hire, without_offer};
use crate::support::{House, Setup, is_problem, postgres::Postgres, state};

const EMAIL: &str = "mia@example.org";

fn minutes(n: i64) -> SignedDuration {
    SignedDuration::from_mins(n)
}

/// Every test's hire, as it was at the ATS in this minute.
fn at(mut body: Value, minute: u32) -> Value {
    body["data"]["application"]["updatedAt"] = format!("2026-11-30T10:{minute:02}:00.000Z").into();
    body
}

fn hired(minute: u32) -> Value {
    at(hire(), minute)
}

/// The same application, no longer hired since this minute.
fn taken_back(minute: u32) -> Value {
    let mut body = at(without_offer("applicationUpdate", "a-1", "Mia Beispiel", EMAIL), minute);
    body["data"]["application"]["status"] = "Active".into();
    body
}

fn merge(gone: &str, kept: &str) -> Value {
    json!({"webhookActionId": "m", "action": "candidateMerge",
        "data": {"deletedCandidate": {"id": gone}, "mergedCandidate": {"id": kept}}})
}

/// A hire that waits, since Personio asks for patience; its id.
async fn waiting(house: &House) -> String {
    house.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::too_many(Some("600"))));
    let answer = house.deliver(&hired(1)).await;
    assert_eq!(answer.state(), "waiting(throttled)");
    answer.hire()
}

async fn flagged(house: &House, flag: &str) -> Vec<Value> {
    let list = house.get(&format!("/v1/hires?flag={flag}")).await;
    assert_eq!(list.status, 200, "{}", list.text);
    list.json()["hires"].as_array().expect("hires").clone()
}

async fn counts(house: &House, line: &str) -> bool {
    let metrics = house.send(house.bare(reqwest::Method::GET, "/metrics")).await.text;
    metrics.lines().any(|known| known == line)
}

/// Sends the hire as it is, as a person does.
async fn send(house: &House, id: &str) -> Value {
    let preview = house.post(&format!("/v1/hires/{id}/preview"), &json!({})).await.json();
    let sending = json!({"plan_hash": preview["plan"]["hash"]});
    let reply = house.post(&format!("/v1/hires/{id}/send"), &sending).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()
}

#[tokio::test]
async fn what_was_not_sent_is_cancelled_and_stays_visible() {
    let house = House::new().await;
    let id = waiting(&house).await;
    let answer = house.deliver(&taken_back(2)).await;
    assert_eq!((answer.state().as_str(), answer.hire()), ("cancelled(unhired)", id.clone()));
    assert_eq!(house.deliver(&hired(1)).await.state(), "cancelled(unhired)", "a repeat is older");
    house.pass(SignedDuration::from_hours(80)).await;
    let hire = house.hire(&id).await;
    assert_eq!(state(&hire), "cancelled(unhired)");
    assert_eq!(hire["flags"]["unhired"], false, "nothing is to be looked at in Personio");
    let last = hire["history"].as_array().and_then(|steps| steps.last()).expect("a history");
    assert_eq!((last["cause"].as_str(), last["actor"].as_str()), (Some("unhired"), Some("source:ashby")));
    assert_eq!((house.sim.creates(), house.sim.employees().len()), (1, 0), "the one call that was refused");
}

#[tokio::test]
async fn a_held_and_a_settling_hire_are_cancelled_too() {
    let house = House::new().await;
    let mut body = hired(1);
    body["data"]["offer"]["latestVersion"]["startDate"] = "soon".into();
    assert_eq!(house.deliver(&body).await.state(), "held(invalid)");
    assert_eq!(house.deliver(&taken_back(2)).await.state(), "cancelled(unhired)");

    let setup = Setup { settle: Some("3s".into()), server: "wait = \"10ms\"".into(), ..Setup::default() };
    let house = House::with(setup).await;
    let early = at(without_offer("candidateStageChange", "a-1", "Mia Beispiel", EMAIL), 1);
    assert_eq!(house.deliver(&early).await.state(), "received");
    assert_eq!(house.deliver(&taken_back(2)).await.state(), "cancelled(unhired)");
    house.pass(minutes(1)).await;
    assert_eq!(house.sim.creates(), 0);
}

#[tokio::test]
async fn a_person_may_send_what_was_cancelled() {
    let house = House::new().await;
    let id = waiting(&house).await;
    house.deliver(&taken_back(2)).await;
    assert_eq!(state(&send(&house, &id).await), "created");
}

#[tokio::test]
async fn what_was_sent_is_flagged_once_and_never_deleted() {
    let house = House::new().await;
    let id = house.deliver(&hired(1)).await.hire();
    assert!(flagged(&house, "unhired").await.is_empty());
    for minute in [2, 2, 3] {
        assert_eq!(house.deliver(&taken_back(minute)).await.state(), "created");
    }
    let hire = house.hire(&id).await;
    assert_eq!((state(&hire).as_str(), hire["flags"]["unhired"].as_bool()), ("created", Some(true)));
    assert_eq!(flagged(&house, "unhired").await[0]["id"], json!(id));
    assert!(counts(&house, "hirebridge_unhired_after_sending_total 1").await);
    assert_eq!(house.sim.employees().len(), 1);
    let changed = |operation| matches!(operation, Operation::UpdateEmployee | Operation::Unknown);
    assert!(!house.sim.requests().iter().any(|request| changed(request.operation)));
    // A person has looked at it.
    let reply = house.post(&format!("/v1/hires/{id}/dismiss"), &json!({"dismissed": true})).await;
    assert_eq!(reply.json()["flags"]["dismissed"], true, "{}", reply.text);
    // Hired again: the employee may have been deleted by a person, so nothing is sent and it stays flagged.
    assert_eq!(house.deliver(&hired(4)).await.state(), "created");
    let hire = house.hire(&id).await;
    assert_eq!((&hire["notes"], &hire["flags"]["unhired"]), (&json!(["hired_again"]), &json!(true)));
    assert_eq!(house.sim.creates(), 1);
    is_problem(&house.get("/v1/hires?flag=mia").await, 400, "invalid_query");
}

#[tokio::test]
async fn what_was_being_sent_is_flagged_and_whatever_comes_is_kept() {
    let house = House::new().await;
    house.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::Wait));
    let early = house.send(house.signed(&hired(1)));
    let meanwhile = async {
        house.sim.arrival(Operation::CreateEmployee, 1).await;
        assert_eq!(house.deliver(&taken_back(2)).await.state(), "sending");
        house.sim.release_answers();
    };
    let (answer, ()) = tokio::join!(early, meanwhile);
    let hire = house.hire(&answer.hire()).await;
    assert_eq!((state(&hire).as_str(), hire["flags"]["unhired"].as_bool()), ("created", Some(true)));
}

#[tokio::test]
async fn what_was_being_sent_and_surely_did_not_arrive_is_cancelled() {
    let house = House::new().await;
    house.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::Wait));
    house.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::too_many(Some("600"))));
    let early = house.send(house.signed(&hired(1)));
    let meanwhile = async {
        house.sim.arrival(Operation::CreateEmployee, 1).await;
        house.deliver(&taken_back(2)).await;
        house.sim.release_answers();
    };
    let (answer, ()) = tokio::join!(early, meanwhile);
    assert_eq!(answer.state(), "waiting(throttled)");
    house.pass(minutes(11)).await;
    let hire = house.hire(&answer.hire()).await;
    assert_eq!((state(&hire).as_str(), house.sim.creates()), ("cancelled(unhired)", 1));
    assert_eq!(hire["flags"]["unhired"], false);
}

#[tokio::test]
async fn whoever_is_taken_back_and_hired_again_while_being_sent_is_wanted_as_before() {
    let house = House::with(Setup { server: "wait = \"10ms\"".into(), ..Setup::default() }).await;
    house.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::Wait));
    house.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::too_many(Some("600"))));
    let id = house.deliver(&hired(1)).await.hire();
    house.sim.arrival(Operation::CreateEmployee, 1).await;
    assert_eq!(house.deliver(&taken_back(2)).await.state(), "sending");
    assert_eq!(house.deliver(&hired(3)).await.state(), "sending");
    assert!(flagged(&house, "unhired").await.is_empty());
    house.sim.release_answers();
    assert_eq!(state(&house.hire(&id).await), "waiting(throttled)");
    house.pass(minutes(11)).await;
    assert_eq!(state(&house.hire(&id).await), "created");
}

#[tokio::test]
async fn an_unknown_outcome_is_flagged_looked_up_further_and_never_cancelled() {
    let house = House::with(resending("20m")).await;
    house.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::Cut));
    let id = house.deliver(&hired(1)).await.hire();
    assert_eq!(house.deliver(&taken_back(2)).await.state(), "unknown");
    house.pass(SignedDuration::from_hours(25)).await;
    let hire = house.hire(&id).await;
    assert_eq!((state(&hire).as_str(), hire["flags"]["unhired"].as_bool()), ("held(unknown)", Some(true)));
    assert_eq!(house.sim.creates(), 1, "nobody is sent again whom the ATS took back");

    let house = House::new().await;
    house.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::Cut));
    let id = house.deliver(&hired(1)).await.hire();
    house.pass(SignedDuration::from_hours(25)).await;
    assert_eq!(house.deliver(&taken_back(2)).await.state(), "held(unknown)");
    assert_eq!(house.hire(&id).await["flags"]["unhired"], true);
}

#[tokio::test]
async fn an_un_hire_that_overtakes_its_hire_wins() {
    let house = House::new().await;
    let answer = house.deliver(&taken_back(2)).await;
    assert_eq!(answer.json(), json!({"hire": null, "state": "ignored", "reason": "not_hired"}));
    assert!(house.get("/v1/hires").await.json()["hires"].as_array().is_some_and(Vec::is_empty));
    let answer = house.deliver(&hired(1)).await;
    assert_eq!(answer.state(), "cancelled(unhired)");
    let hire = house.hire(&answer.hire()).await;
    assert_eq!((state(&hire).as_str(), house.sim.creates()), ("cancelled(unhired)", 0));
    // What happens later at the ATS is a decision of its own.
    assert_eq!(house.deliver(&hired(3)).await.state(), "created");
    assert_eq!(house.sim.creates(), 1);
}

#[tokio::test]
async fn an_un_hire_that_is_older_than_its_hire_says_nothing() {
    let house = House::new().await;
    house.deliver(&taken_back(1)).await;
    let answer = house.deliver(&hired(2)).await;
    assert_eq!((answer.state().as_str(), answer.json()["duplicate"].as_bool()), ("created", Some(false)));
    assert_eq!(house.deliver(&taken_back(1)).await.state(), "created");
    assert_eq!(house.hire(&answer.hire()).await["flags"]["unhired"], false);
}

#[tokio::test]
async fn whoever_is_hired_again_before_sending_is_sent_with_what_is_known_now() {
    let house = House::new().await;
    let id = waiting(&house).await;
    house.deliver(&taken_back(2)).await;
    let mut again = hired(3);
    again["data"]["offer"]["latestVersion"]["startDate"] = "2027-03-01T00:00:00.000Z".into();
    let answer = house.deliver(&again).await;
    assert_eq!((answer.state().as_str(), answer.hire()), ("created", id.clone()));
    assert_eq!(house.hire(&id).await["plan"]["employee"]["hire_date"], "2027-03-01");
    assert_eq!(house.sim.employees().len(), 1);
}

#[tokio::test]
async fn where_times_cannot_tell_a_person_decides() {
    // The un-hire comes first.
    let house = House::new().await;
    house.deliver(&taken_back(1)).await;
    let answer = house.deliver(&hired(1)).await;
    assert_eq!(answer.state(), "held(review)");
    let hire = house.hire(&answer.hire()).await;
    assert_eq!((&hire["notes"], &hire["flags"]["unhired"]), (&json!(["order_unclear"]), &json!(true)));
    assert_eq!(flagged(&house, "unhired").await.len(), 1);
    assert_eq!(state(&send(&house, &answer.hire()).await), "created");

    // The hire comes first, and again after the un-hire.
    let house = House::new().await;
    let id = waiting(&house).await;
    house.deliver(&taken_back(2)).await;
    let mut timeless = hired(1);
    timeless["data"]["application"]["updatedAt"] = "lately".into();
    assert_eq!(house.deliver(&timeless).await.state(), "held(review)");
    assert_eq!(state(&send(&house, &id).await), "created");
}

fn of_candidate(mut body: Value, candidate: &str) -> Value {
    body["data"]["application"]["candidate"]["id"] = candidate.into();
    body
}

fn second(email: &str) -> Value {
    candidate_hire("a-2", "Mia Beispiel", email)
}

#[tokio::test]
async fn one_person_hired_for_two_applications_is_one_employee() {
    for (email, candidate) in
        [(EMAIL, "c-a-2"), ("Mia+two@Example.org", "c-a-2"), ("other@example.org", "c-a-1")]
    {
        let house = House::new().await;
        let first = house.deliver(&hire()).await.hire();
        let answer = house.deliver(&of_candidate(second(email), candidate)).await;
        assert_eq!(answer.state(), "held(second_hire)", "{email} {candidate}");
        let hire = house.hire(&answer.hire()).await;
        assert_eq!(hire["notes"], json!([format!("same_person_as:{first}")]));
        assert_eq!(house.sim.creates(), 1);
    }
}

#[tokio::test]
async fn the_second_hire_can_be_sent_when_the_first_will_not_be() {
    for refused in [true, false] {
        let house = House::new().await;
        house.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::Wait));
        let fault = if refused { Behaviour::Refused } else { Behaviour::too_many(Some("600")) };
        house.sim.misbehave(Fault::once(Operation::CreateEmployee, fault));
        let first = house.send(house.signed(&hired(1)));
        let meanwhile = async {
            house.sim.arrival(Operation::CreateEmployee, 1).await;
            let answer = house.deliver(&second(EMAIL)).await;
            assert_eq!(answer.state(), "held(second_hire)");
            house.sim.release_answers();
            answer.hire()
        };
        let (first, id) = tokio::join!(first, meanwhile);
        if refused {
            assert_eq!(first.state(), "held(refused)");
        } else {
            assert_eq!(house.deliver(&taken_back(2)).await.state(), "cancelled(unhired)");
        }
        assert_eq!(state(&send(&house, &id).await), "created", "refused: {refused}");
        assert_eq!(house.sim.employees().len(), 1);
    }
}

#[tokio::test]
async fn hires_follow_their_candidates_when_these_are_merged() {
    let house = House::new().await;
    let first = house.deliver(&of_candidate(hire(), "c-old")).await.hire();
    let answer = house.deliver(&merge("c-old", "c-new")).await;
    assert_eq!(answer.json(), json!({"hire": null, "state": "ignored", "reason": "candidates_merged"}));
    let hire = house.hire(&first).await;
    let steps = hire["history"].as_array().expect("a history");
    assert_eq!(steps.last().expect("a step")["cause"], "candidate_merged");
    // Later deliveries of both meet: the same hire, and another one of the same person.
    assert_eq!(house.deliver(&of_candidate(hire_again(), "c-new")).await.hire(), first);
    for (application, candidate) in [("a-2", "c-new"), ("a-3", "c-old")] {
        let body = candidate_hire(application, "Mia Beispiel", &format!("{application}@example.org"));
        assert_eq!(house.deliver(&of_candidate(body, candidate)).await.state(), "held(second_hire)");
    }
    house.deliver(&merge("c-old", "c-new")).await;
    assert_eq!(house.hire(&first).await["history"].as_array().map(Vec::len), Some(steps.len()), "once");
    assert_eq!(house.sim.creates(), 1);
}

fn hire_again() -> Value {
    without_offer("applicationUpdate", "a-1", "Mia Beispiel", EMAIL)
}

#[tokio::test]
async fn merged_candidates_who_are_both_employees_raise_the_alarm() {
    let house = House::new().await;
    let first = house.deliver(&hire()).await.hire();
    let other = house.deliver(&second("other@example.org")).await.hire();
    house.deliver(&merge("c-a-1", "c-a-2")).await;
    for id in [first, other] {
        let hire = house.hire(&id).await;
        assert_eq!(
            (&hire["flags"]["double"], hire["doubles"].as_array().map(Vec::len)),
            (&json!(true), Some(2))
        );
    }
    assert!(counts(&house, "hirebridge_doubles_total 2").await);
}

fn resending(after: &str) -> Setup {
    Setup { transfer: format!("resend_after_unknown = \"{after}\""), ..Setup::default() }
}

#[tokio::test]
async fn without_the_setting_nobody_is_sent_again() {
    let house = House::new().await;
    house.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::Cut));
    let id = house.deliver(&hire()).await.hire();
    house.pass(SignedDuration::from_hours(25)).await;
    assert_eq!(state(&house.hire(&id).await), "held(unknown)");
    assert_eq!(house.sim.creates(), 1);
}

#[tokio::test]
async fn with_it_a_hire_is_sent_again_once_after_the_quiet_time() {
    let house = House::with(resending("20m")).await;
    house.sim.misbehave(Fault::new(Operation::CreateEmployee, Behaviour::Cut));
    let id = house.deliver(&hire()).await.hire();
    for _ in 0..19 {
        house.pass(minutes(1)).await;
    }
    assert_eq!((state(&house.hire(&id).await).as_str(), house.sim.creates()), ("unknown", 1));
    for _ in 0..3 {
        house.pass(minutes(1)).await;
    }
    assert_eq!((state(&house.hire(&id).await).as_str(), house.sim.creates()), ("unknown", 2));
    for _ in 0..30 {
        house.pass(SignedDuration::from_hours(1)).await;
    }
    let hire = house.hire(&id).await;
    assert_eq!((state(&hire).as_str(), house.sim.creates()), ("held(unknown)", 2), "and no more");
    assert_eq!(hire["notes"], json!(["resent_after_unknown"]));
    let causes: Vec<_> =
        hire["history"].as_array().into_iter().flatten().map(|step| &step["cause"]).collect();
    assert_eq!(causes.iter().filter(|cause| **cause == "resent_after_unknown").count(), 1, "{causes:?}");
}

#[tokio::test]
async fn nobody_is_sent_again_who_is_found_or_may_be_hidden() {
    // Found: adopted.
    let house = House::with(resending("20m")).await;
    house.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::Cut).late());
    let id = house.deliver(&hire()).await.hire();
    house.pass(minutes(10)).await;
    house.sim.release_late();
    house.pass(minutes(30)).await;
    assert_eq!((state(&house.hire(&id).await).as_str(), house.sim.creates()), ("created(adopted)", 1));
    // Not allowed to look.
    let house = House::with(resending("20m")).await;
    house.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::Cut));
    let id = house.deliver(&hire()).await.hire();
    house.sim.adjust(|manner| manner.rights.employees_read = false);
    house.pass(minutes(30)).await;
    assert_eq!((state(&house.hire(&id).await).as_str(), house.sim.creates()), ("held(unknown)", 1));
    // Could not look.
    let house = House::with(resending("20m")).await;
    house.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::Cut));
    let id = house.deliver(&hire()).await.hire();
    house.sim.misbehave(Fault::new(Operation::ListEmployees, Behaviour::status(500)));
    house.pass(minutes(30)).await;
    assert_eq!((state(&house.hire(&id).await).as_str(), house.sim.creates()), ("unknown", 1));
}

#[tokio::test]
async fn a_first_call_that_acts_after_the_second_one_is_found_as_a_double() {
    let house = House::with(resending("15m")).await;
    house.sim.adjust(|manner| manner.taken_email = TakenEmail::Accepted);
    house.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::Cut).late());
    let id = house.deliver(&hire()).await.hire();
    for _ in 0..20 {
        house.pass(minutes(1)).await;
    }
    assert_eq!(state(&house.hire(&id).await), "created");
    house.sim.release_late();
    assert_eq!(house.sim.employees().len(), 2);
    house.pass(minutes(16)).await;
    is_double(&house, &id).await;
}

/// The alarm: flag, both links, metric, list.
async fn is_double(house: &House, id: &str) {
    let hire = house.hire(id).await;
    assert_eq!(hire["flags"]["double"], true, "{hire}");
    let ids: Vec<_> = house.sim.employees().iter().map(|employee| json!(employee.id)).collect();
    let doubles = hire["doubles"].as_array().expect("doubles");
    assert_eq!(doubles.iter().map(|double| double["id"].clone()).collect::<Vec<_>>(), ids);
    assert!(
        doubles
            .iter()
            .all(|double| double["url"].as_str().is_some_and(|url| url.contains("/staff/details/")))
    );
    assert_eq!(flagged(house, "double").await.len(), 1);
    assert!(counts(house, "hirebridge_doubles_total 1").await);
}

#[test]
fn a_quiet_time_in_which_the_first_call_may_still_act_is_refused() {
    for (after, wrong) in [("14m", true), ("15m", false), ("23h", false), ("24h", true)] {
        let file = tempfile::NamedTempFile::new().expect("a file can be made");
        let text = crate::support::configuration(
            "http://127.0.0.1:1",
            std::path::Path::new("/tmp"),
            &resending(after),
        );
        std::fs::write(file.path(), text).expect("writable");
        let loaded = hirebridge::config::Config::load(Some(file.path()), std::iter::empty());
        let errors = loaded.err().map(|errors| errors.to_string()).unwrap_or_default();
        assert_eq!(errors.contains("transfer.resend_after_unknown"), wrong, "{after}: {errors}");
        assert_eq!(!errors.is_empty(), wrong, "{after}: {errors}");
    }
}

/// The same person, typed into Personio by somebody.
fn typed_by_somebody(house: &House) -> u64 {
    house.sim.add(Person {
        email: EMAIL.into(),
        first_name: "Mia".into(),
        last_name: "B.".into(),
        ..Person::default()
    })
}

#[tokio::test]
async fn an_audit_finds_a_double_that_somebody_else_made() {
    let house = House::new().await;
    let id = house.deliver(&hire()).await.hire();
    house.hire(&id).await;
    typed_by_somebody(&house);
    house.pass(SignedDuration::from_hours(23)).await;
    assert_eq!(house.hire(&id).await["flags"]["double"], false);
    house.pass(SignedDuration::from_hours(2)).await;
    is_double(&house, &id).await;
    let lookups = house.sim.calls(Operation::ListEmployees);
    house.pass(SignedDuration::from_hours(100)).await;
    assert_eq!(house.sim.calls(Operation::ListEmployees), lookups, "once is enough");
}

#[tokio::test]
async fn an_audit_that_finds_one_says_nothing_and_none_is_made_where_it_may_not_or_shall_not() {
    // Where it may not look, it asks once, and once more with another token.
    let off = Setup { transfer: "audit_after = \"0s\"".into(), ..Setup::default() };
    for (setup, may_read, lookups) in
        [(Setup::default(), true, 2), (off, true, 1), (Setup::default(), false, 3)]
    {
        let house = House::with(setup).await;
        let id = house.deliver(&hire()).await.hire();
        house.hire(&id).await;
        if !may_read {
            house.sim.adjust(|manner| manner.rights.employees_read = false);
        }
        let before = house.hire(&id).await["history"].clone();
        house.pass(SignedDuration::from_hours(30)).await;
        house.pass(SignedDuration::from_hours(30)).await;
        let hire = house.hire(&id).await;
        assert_eq!((&hire["flags"]["double"], &hire["history"]), (&json!(false), &before));
        let allowed = house
            .sim
            .requests()
            .iter()
            .filter(|request| request.operation == Operation::ListEmployees)
            .count();
        assert_eq!(allowed, lookups);
    }
}

#[tokio::test]
async fn however_many_audits_are_due_personio_is_asked_slowly() {
    let house = House::new().await;
    for n in 0..5 {
        let email = format!("mia-{n}@example.org");
        let answer = house.deliver(&candidate_hire(&format!("a-{n}"), "Mia Beispiel", &email)).await;
        house.hire(&answer.hire()).await;
    }
    let before = house.sim.calls(Operation::ListEmployees);
    house.pass(SignedDuration::from_hours(25)).await;
    for audits in 1..=5 {
        for _ in 0..3 {
            house.pass(SignedDuration::ZERO).await;
            assert_eq!(house.sim.calls(Operation::ListEmployees) - before, audits);
        }
        house.pass(SignedDuration::from_secs(2)).await;
    }
    assert_eq!(house.sim.calls(Operation::ListEmployees) - before, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_agree_on_what_was_taken_back_merged_and_audited() {
    let test = "two_replicas_agree_on_what_was_taken_back_merged_and_audited";
    let Some(server) = Postgres::start(test).await else { return };
    let setup = Setup { ledger: Some(server.database("ordered")), ..Setup::default() };
    let one = House::facing(setup.clone(), Options::default()).await;
    let other = House::beside(&one, setup).await;
    one.deliver(&taken_back(2)).await;
    let answer = other.deliver(&hired(1)).await;
    assert_eq!(answer.state(), "cancelled(unhired)");
    assert_eq!(one.deliver(&hired(3)).await.state(), "created");
    one.hire(&answer.hire()).await;
    assert_eq!(other.deliver(&taken_back(4)).await.state(), "created");
    assert_eq!(flagged(&one, "unhired").await.len(), 1);
    other.deliver(&merge("c-a-1", "c-new")).await;
    let body = of_candidate(second("other@example.org"), "c-new");
    assert_eq!(one.deliver(&body).await.state(), "held(second_hire)");
    typed_by_somebody(&one);
    one.pass(SignedDuration::from_hours(25)).await;
    other.pass(SignedDuration::from_secs(4)).await;
    let hire = one.hire(&answer.hire()).await;
    assert_eq!(hire["flags"]["double"], true, "{hire}");
}
