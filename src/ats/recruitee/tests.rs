use serde_json::json;

use super::super::json as strict;
use super::*;
use crate::domain::Held;

fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/ats/recruitee/{name}.json", env!("CARGO_MANIFEST_DIR"));
    strict::read(&std::fs::read(path).expect("the fixture is there")).expect("the fixture is JSON")
}

fn recruitee(named: &[&str], has_key: bool) -> Recruitee {
    let named = named.iter().map(|name| (*name).to_owned()).collect();
    let stages = read::Stages { named, has_key };
    Recruitee { stages, awaits_secret: false, api: None, note_on_profile: true }
}

fn hired(payload: &Value) -> Hired {
    match recruitee(&[], false).read(payload) {
        Ok(Event::Hire(hired)) => *hired,
        other => panic!("is a hire: {other:?}"),
    }
}

/// What it is taken for: `hire`, `hire?` (to be confirmed), `not_hired`, or why it is nothing.
fn read(recruitee: &Recruitee, payload: &Value) -> &'static str {
    match recruitee.read(payload).expect("readable") {
        Event::Hire(hired) if hired.to_confirm => "hire?",
        Event::Hire(_) => "hire",
        Event::Unhire(unhired) => unhired.otherwise,
        Event::Ignored { reason, .. } => reason,
        other => panic!("Recruitee says no such thing: {other:?}"),
    }
}

#[test]
fn a_move_into_a_stage_of_the_category_is_a_hire_with_its_facts() {
    let hired = hired(&fixture("candidate_moved-stage_changed-hired"));
    assert_eq!(hired.application, "51359843-1402233", "candidate and job together");
    assert_eq!((hired.delivery_id.as_deref(), hired.settled), (Some("88000123"), true));
    assert_eq!(hired.at.map(|at| at.to_string()).as_deref(), Some("2026-11-18T15:03:28.104551Z"));
    for (fact, value) in [
        ("candidate.id", json!("51359843")),
        ("candidate.full_name", json!("Jörg van der Müller")),
        ("candidate.first_name", json!("Jörg")),
        ("candidate.last_name", json!("van der Müller")),
        ("candidate.email", json!("joerg.mueller@example.com")),
        ("candidate.emails", json!([{"address": "joerg.mueller@example.com"}])),
        ("candidate.phone", json!("+49301234567")),
        ("job.id", json!("1402233")),
        ("job.title", json!("Backend Engineer")),
        ("job.department", json!("Engineering")),
        ("job.tags", json!(["tech"])),
    ] {
        assert_eq!(hired.facts.value(fact), Some(&value), "{fact}");
    }
}

#[test]
fn stages_count_by_category_by_what_is_configured_or_by_asking() {
    let with = fixture("candidate_moved-stage_changed-hired");
    let without = fixture("candidate_moved-stage_changed-no-category");
    let other = fixture("candidate_moved-stage_changed-not-hired");
    for (named, has_key, payload, says) in [
        (&[][..], false, &with, "hire"),
        (&[], true, &with, "hire"),
        (&[], false, &other, "not_hired"),
        (&["Offer"], false, &other, "hire"),
        (&["501"], false, &other, "hire"),
        (&["Hired"], false, &other, "not_hired"),
        (&[], false, &without, "stage_unknown"),
        (&[], true, &without, "hire?"),
        (&["Eingestellt"], true, &without, "hire"),
        (&["502"], false, &without, "hire"),
        (&["Hired"], true, &without, "not_hired"),
    ] {
        assert_eq!(read(&recruitee(named, has_key), payload), says, "{named:?} {has_key}");
    }
}

#[test]
fn other_events_are_no_hires() {
    let recruitee = recruitee(&[], true);
    assert_eq!(read(&recruitee, &fixture("candidate_moved-disqualified")), "not_hired");
    let mut moved = fixture("candidate_moved-stage_changed-hired");
    for (event, subtype, reason) in [
        ("candidate_moved", "requalified", "event_not_used"),
        ("candidate_moved", "teleported", "unknown_event"),
        ("candidate_deleted", "", "event_not_used"),
        ("something_new", "", "unknown_event"),
    ] {
        (moved["event_type"], moved["event_subtype"]) = (event.into(), subtype.into());
        assert_eq!(read(&recruitee, &moved), reason);
    }
}

#[test]
fn whatever_is_a_test_never_becomes_a_hire() {
    let recruitee = recruitee(&[], true);
    for name in ["test", "test-payload-candidate_moved"] {
        assert_eq!(read(&recruitee, &fixture(name)), "test");
    }
    let mut hire = fixture("candidate_moved-stage_changed-hired");
    for test in [json!(true), json!(false), json!(null), json!("yes")] {
        hire["test"] = test;
        assert_eq!(read(&recruitee, &hire), "test");
    }
}

#[test]
fn the_test_is_answered_without_a_signature_and_nothing_that_only_resembles_it() {
    let (signed, unsigned) = (
        HeaderMap::from_iter([(
            SCHEME.header().expect("one header").clone(),
            reqwest::header::HeaderValue::from_static("00"),
        )]),
        HeaderMap::new(),
    );
    let whole = fixture("test-payload-candidate_moved").to_string();
    for (awaits_secret, headers, body, answered) in [
        (false, &unsigned, r#"{"test":true}"#, true),
        (true, &unsigned, r#"{"test":true}"#, true),
        (true, &signed, r#"{ "test" : true }"#, true),
        (false, &unsigned, whole.as_str(), true),
        (false, &signed, whole.as_str(), false),
        (true, &unsigned, whole.as_str(), false),
        (false, &unsigned, r#"{"test":false}"#, false),
        (false, &unsigned, r#"{"test":"true"}"#, false),
        (false, &unsigned, r#"{"test":true,"test":true}"#, false),
        (false, &unsigned, r#"[{"test":true}]"#, false),
        (false, &unsigned, "", false),
    ] {
        let recruitee = Recruitee { awaits_secret, ..recruitee(&[], false) };
        assert_eq!(
            recruitee.handshake(headers, body.as_bytes()).is_some(),
            answered,
            "{awaits_secret} {body}"
        );
    }
}

#[test]
fn what_is_not_as_documented_is_misread_with_its_place() {
    let broken = |pointer: &str, value: Value| {
        let mut payload = fixture("candidate_moved-stage_changed-hired");
        *payload.pointer_mut(pointer).expect("is there") = value;
        recruitee(&[], true).read(&payload).expect_err("it is broken")
    };
    for (pointer, value, path, known) in [
        ("/event_type", json!(7), "$.event_type", false),
        ("/event_subtype", json!(null), "$.event_subtype", false),
        ("/payload/candidate/id", json!("a b"), "$.payload.candidate.id", false),
        ("/payload/candidate/emails", json!("one"), "$.payload.candidate.emails", true),
        ("/payload/offer", json!(null), "$.payload.offer", false),
        ("/payload/details/to_stage", json!(null), "$.payload.details.to_stage", true),
    ] {
        let misread = broken(pointer, value);
        assert_eq!((misread.held, misread.path.as_deref()), (Held::Unreadable, Some(path)));
        assert_eq!(misread.application.is_some(), known, "{path}");
    }
}

#[test]
fn profile_fields_become_facts_by_their_kind() {
    let field = |kind: &str, name: &str, values: Value| json!({"kind": kind, "name": name, "values": values});
    let all = [
        field("gender", "Gender", json!([[{"value": "female"}]])),
        field("date_of_birth", "Date of birth", json!([{"date": "1990-04-03"}])),
        field("single_line", "Cost center", json!([{"text": "4100"}])),
        field("multi_line", "Remarks", json!([{"text": "a"}, {"text": "b"}])),
        field("boolean", "Driver", json!([{"flag": true}])),
        field("nationality", "Nationality", json!([{"country_code": "DE"}])),
        field("salary", "Salary", json!([{"amount": 50000, "currency": "EUR"}])),
        field("hologram", "New", json!([{"text": "?"}])),
        field("single_line", "Empty", json!([])),
        json!("no field"),
    ];
    let (mut facts, mut notes) = (Facts::new(), Vec::new());
    fields::put_fields(&all, &mut facts, &mut notes);
    for (fact, value) in [
        ("candidate.gender", json!("female")),
        ("candidate.birth_date", json!("1990-04-03")),
        ("custom.Cost center", json!("4100")),
        ("custom.Remarks", json!(["a", "b"])),
        ("custom.Driver", json!(true)),
        ("custom.Nationality", json!("DE")),
        ("custom.Salary", json!(50000)),
        ("custom.Salary (currency)", json!("EUR")),
    ] {
        assert_eq!(facts.value(fact), Some(&value), "{fact}");
    }
    assert_eq!(facts.value("custom.Empty"), None);
    assert_eq!(notes, ["custom_field_left_out:candidate[7]", "custom_field_left_out:candidate[9]"]);
}
