//! With a key to Ashby's API the hire is completed; what the API does not tell never stops it.

use futures_util::future::join_all;
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::ashby::{fixture, without_offer};
use crate::support::ashby_api::{Ashby, BASIC, KEY, PARENT, Says, TEAM};
use crate::support::{ADMIN, House, notes, state};

/// The notes on calls that failed.
fn failed(hire: &Value) -> Vec<String> {
    let notes = hire["notes"].as_array().expect("notes").iter().filter_map(Value::as_str);
    notes.filter_map(|note| note.strip_prefix("ats_call_failed:")).map(str::to_owned).collect()
}

#[tokio::test]
async fn with_a_key_a_hire_is_completed_before_it_is_sent() {
    let ashby = Ashby::healthy();
    let house = ashby.house("").await;
    let answer = house.deliver(&fixture("applicationUpdate-hired")).await;
    assert_eq!(answer.state(), "created");
    let hire = house.hire(&answer.hire()).await;
    let said = [&hire["missing"], &hire["warnings"]];
    assert_eq!((said, failed(&hire)), ([&json!([]), &json!([])], vec![]));
    let person = house.sim.employees()[0].person.clone();
    assert_eq!((person.first_name.as_str(), person.last_name.as_str()), ("Jörg", "van der Müller"));
    assert_eq!(person.hire_date.map(|date| date.to_string()).as_deref(), Some("2027-01-01"));
    assert_eq!(
        (person.department.as_deref(), person.office.as_deref()),
        (Some("Engineering"), Some("Berlin"))
    );
    assert_eq!(person.custom_attributes["dynamic_101"], "Engineering");
    assert_eq!(person.custom_attributes["dynamic_111"], "Engineering, Product & Tech");
    let calls = ["candidate.info", &format!("department.info/{TEAM}"), &format!("department.info/{PARENT}")];
    assert_eq!(ashby.asked(), [&calls[..], &["location.info", "offer.list"]].concat());
    ashby.was_asked_rightly();
}

#[tokio::test]
async fn a_preview_is_completed_as_the_hire_is() {
    let ashby = Ashby::healthy();
    let house = ashby.house("").await;
    let request = json!({"source": "ashby", "payload": fixture("applicationUpdate-hired")});
    let preview = house.post("/v1/hires/preview", &request).await.json();
    let id = house.deliver(&fixture("applicationUpdate-hired")).await.hire();
    let hire = house.hire(&id).await;
    assert_eq!(preview["plan"]["hash"], hire["plan"]["hash"]);
    assert_eq!(preview["plan"]["employee"]["department"], "Engineering");
}

#[tokio::test]
async fn events_that_carry_little_are_hires_when_they_are_chosen() {
    let chosen = "hired_when = [\"offerUpdate\", \"pushToHRIS\"]";
    for (events, applications) in
        [(["offerUpdate-accepted", "pushToHRIS"], 1), (["pushToHRIS", "offerUpdate-accepted"], 0)]
    {
        let ashby = Ashby::healthy();
        let house = ashby.house(chosen).await;
        let mut ids = Vec::new();
        for event in events {
            let answer = house.deliver(&fixture(event)).await;
            assert_eq!(answer.state(), "created", "{event}");
            ids.push(answer.hire());
        }
        assert_eq!((&ids[0], house.sim.creates()), (&ids[1], 1));
        let hire = house.hire(&ids[0]).await;
        assert_eq!((&hire["missing"], &hire["warnings"]), (&json!([]), &json!([])), "{events:?}");
        assert_eq!(hire["plan"]["employee"]["email"], "joerg.mueller@example.com");
        assert_eq!(hire["plan"]["employee"]["position"], "Backend Engineer");
        assert_eq!(ashby.asked().iter().filter(|call| *call == "application.info").count(), applications);
        ashby.was_asked_rightly();
        let mut open = fixture("offerUpdate-accepted");
        open["data"]["offer"]["acceptanceStatus"] = "WaitingOnResponse".into();
        open["data"]["offer"]["offerStatus"] = "WaitingOnCandidateResponse".into();
        assert_eq!(house.deliver(&open).await.state(), "ignored(not_hired)");
        assert_eq!(
            house.deliver(&fixture("applicationUpdate-hired")).await.state(),
            "ignored(event_not_used)"
        );
    }
}

#[tokio::test]
async fn what_ashby_does_not_tell_is_named_and_the_hire_goes_all_the_same() {
    let cases = [
        (Says::Json(fixture("api-error")), "refused_application_not_found"),
        (
            Says::Json(json!({"success": false, "errors": ["missing_endpoint_permission"]})),
            "refused_missing_endpoint_permission",
        ),
        (Says::Json(json!({"results": {"name": "Berlin HQ"}})), "unreadable"),
        (Says::Status(401), "status_401"),
        (Says::Status(500), "status_500"),
        (Says::Status(302), "status_302"),
        (Says::Hangs, "timeout"),
    ];
    // Together, because one of them waits until there is no more time to wait for Ashby.
    join_all(cases.map(|(says, code)| async move {
        let ashby = Ashby::always(&says);
        let house = ashby.house("wait = \"10ms\"").await;
        let id = house.deliver(&fixture("applicationUpdate-hired")).await.hire();
        let hire = house.hire(&id).await;
        assert_eq!((state(&hire).as_str(), house.sim.creates()), ("created", 1), "{code}");
        let expected = json!(["dynamic_101", "dynamic_111", "hire_date", "office", "department"]);
        assert_eq!(hire["missing"], expected, "{code}");
        let calls = ["offer.list", "department.info", "location.info", "candidate.info"];
        assert_eq!(failed(&hire), calls.map(|call| format!("{call}:{code}")));
        assert_eq!(house.sim.employees()[0].person.hire_date, None, "no date is made up");
        ashby.was_asked_rightly();
    }))
    .await;
}

#[tokio::test]
async fn one_call_that_fails_costs_only_what_it_would_have_told() {
    for (call, missing) in [
        ("offer.list", json!(["hire_date"])),
        ("location.info", json!(["office"])),
        (&format!("department.info/{TEAM}"), json!(["dynamic_101", "dynamic_111", "department"])),
        (&format!("department.info/{PARENT}"), json!([])),
        ("candidate.info", json!([])),
    ] {
        let ashby = Ashby::healthy().says(call, Says::Status(503));
        let house = ashby.house("").await;
        let answer = house.deliver(&fixture("applicationUpdate-hired")).await;
        assert_eq!(answer.state(), "created");
        let hire = house.hire(&answer.hire()).await;
        let call = call.split('/').next().unwrap_or(call);
        assert_eq!((&hire["missing"], failed(&hire)), (&missing, vec![format!("{call}:status_503")]));
    }
}

#[tokio::test]
async fn without_a_key_what_is_named_only_by_its_id_is_missing() {
    let house = House::new().await;
    let named = house.deliver(&fixture("candidateHire")).await;
    assert_eq!(named.state(), "created");
    assert_eq!(house.hire(&named.hire()).await["missing"], json!(["department", "office"]));
    let unnamed =
        house.deliver(&without_offer("candidateHire", "a-2", "Mia Beispiel", "mia@example.org")).await;
    assert_eq!(house.hire(&unnamed.hire()).await["missing"], json!(["hire_date"]));
}

#[tokio::test]
async fn an_offer_alone_that_cannot_be_completed_is_held_and_nothing_is_made_up() {
    let ashby = Ashby::always(&Says::Status(503));
    let house = ashby.house("hired_when = [\"offerUpdate\"]").await;
    let answer = house.deliver(&fixture("offerUpdate-accepted")).await;
    assert_eq!((answer.state().as_str(), house.sim.creates()), ("held(missing)", 0));
    let hire = house.hire(&answer.hire()).await;
    assert!(hire["notes"].as_array().expect("notes").contains(&json!("ats_lacks:application")));
    // The webhook that has it all mends it.
    assert_eq!(house.deliver(&fixture("candidateHire")).await.state(), "created");
    assert_eq!(house.sim.creates(), 1);
}

#[tokio::test]
async fn the_key_shows_in_no_answer() {
    let ashby = Ashby::healthy().says("location.info", Says::Status(401));
    let house = ashby.house("").await;
    let answer = house.deliver(&fixture("applicationUpdate-hired")).await;
    let mut answers = vec![answer.text.clone()];
    answers.push(house.hire(&answer.hire()).await.to_string());
    for path in ["/", "/metrics", "/healthz", "/openapi.yaml", "/v1/hires", "/v1/sources", "/v1/check"] {
        answers.push(house.ask(Method::GET, path, ADMIN, None).await.text);
    }
    for secret in [KEY, BASIC.trim_start_matches("Basic ")] {
        assert!(answers.iter().all(|text| !text.contains(secret)));
    }
}

#[tokio::test]
async fn a_note_on_the_profile_is_left_only_if_it_is_asked_for() {
    for (line, times) in [("note_on_profile = true", 1), ("", 0)] {
        let api = Ashby::healthy().says("candidate.createNote", Says::results(&json!({"id": "n-1"})));
        let house = api.house(line).await;
        let answer = house.deliver(&fixture("applicationUpdate-hired")).await;
        assert_eq!(answer.state(), "created", "{}", answer.text);
        house.deliver(&fixture("applicationUpdate-hired")).await;
        house.pass(SignedDuration::from_mins(1)).await;
        api.was_asked_rightly();
        let noted = api.asked().iter().filter(|call| *call == "candidate.createNote").count();
        assert_eq!(noted, times, "{line}");
        let hire = house.hire(&answer.hire()).await;
        assert_eq!(notes(&hire).contains(&"noted_at_ats"), times == 1, "{hire}");
    }
}

#[tokio::test]
async fn a_note_that_the_key_may_not_leave_costs_nothing() {
    let api = Ashby::healthy().says("candidate.createNote", Says::error("missing_endpoint_permission"));
    let house = api.house("note_on_profile = true").await;
    let answer = house.deliver(&fixture("applicationUpdate-hired")).await;
    assert_eq!(answer.state(), "created");
    let hire = house.hire(&answer.hire()).await;
    let told = notes(&hire);
    assert!(told.contains(&"not_noted_at_ats:refused_missing_endpoint_permission"), "{told:?}");
}
