use reqwest::header::{HeaderName, HeaderValue};
use serde_json::json;

use super::*;
use crate::domain::Held;
use crate::domain::NameSplit;

fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/fixtures/ats/ashby/{name}.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).expect("the fixture is there")
}

fn payload(name: &str) -> Value {
    json::read(&fixture(name)).expect("the fixture is JSON")
}

fn ashby(hired_when: &[&'static str]) -> Ashby {
    Ashby { hired_when: hired_when.to_vec(), api: None, note_on_profile: false }
}

fn read(payload: &Value) -> Result<Event, Misread> {
    ashby(read::USUAL_HIRE_EVENTS).read(payload)
}

fn hired(payload: &Value) -> Hired {
    match ashby(read::HIRE_EVENTS).read(payload) {
        Ok(Event::Hire(hired)) => *hired,
        other => panic!("is a hire: {other:?}"),
    }
}

fn ignored(event: &str, reason: &'static str) -> Event {
    Event::Ignored { event: event.to_owned(), reason }
}

/// A `candidateHire` with these custom fields of the offer and of the application.
fn with_custom_fields(offer: &Value, application: &Value) -> Value {
    let mut payload = payload("candidateHire");
    payload["data"]["offer"]["latestVersion"]["customFields"] = offer.clone();
    payload["data"]["application"]["customFields"] = application.clone();
    payload
}

#[test]
fn each_event_means_what_ashby_says() {
    let usual = read::USUAL_HIRE_EVENTS;
    let all = read::HIRE_EVENTS;
    for (name, hired_when, outcome) in [
        ("candidateHire", usual, Ok(true)),
        ("candidateHire", &["applicationUpdate"][..], Ok(true)),
        ("candidateHire-no-offer", usual, Ok(true)),
        ("applicationUpdate-hired", usual, Ok(false)),
        ("applicationUpdate-hired", &["candidateHire"], Err("event_not_used")),
        ("candidateStageChange-hired", usual, Ok(false)),
        ("pushToHRIS", usual, Err("event_not_used")),
        ("pushToHRIS", all, Ok(false)),
        ("offerUpdate-accepted", usual, Err("event_not_used")),
        ("offerUpdate-accepted", all, Ok(false)),
        ("signatureRequestUpdate-completed", all, Err("api_key_missing")),
        ("ping", all, Err("ping")),
    ] {
        let told = match ashby(hired_when).read(&payload(name)).expect("is well-formed") {
            Event::Hire(hired) => {
                assert_eq!(hired.application, "00000010-1111-4222-8333-000000000010", "{name}");
                Ok(hired.settled)
            }
            event => Err(event.no_hire().expect("it is none")),
        };
        assert_eq!(told, outcome, "{name}");
    }
}

#[test]
fn an_update_counts_only_when_the_status_is_hired() {
    for event in ["applicationUpdate-hired", "candidateStageChange-hired"] {
        for status in ["hired", "HIRED", "Onboarding"] {
            let payload = with_status(event, status);
            let action = payload["action"].as_str().expect("text").to_owned();
            assert_eq!(read(&payload), Ok(ignored(&action, "not_hired")));
        }
    }
}

fn with_status(name: &str, status: &str) -> Value {
    let mut payload = payload(name);
    payload["data"]["application"]["status"] = status.into();
    payload
}

#[test]
fn an_application_that_is_not_hired_is_taken_back_if_it_was() {
    let accepted = &["candidateHire", "offerUpdate"][..];
    for (event, status, hired_when, taken_back) in [
        ("applicationUpdate-hired", "Archived", read::USUAL_HIRE_EVENTS, true),
        ("applicationUpdate-hired", "Active", read::USUAL_HIRE_EVENTS, true),
        ("candidateStageChange-hired", "Lead", read::USUAL_HIRE_EVENTS, true),
        ("candidateStageChange-hired", "Active", &["candidateHire"], true),
        ("applicationUpdate-hired", "Hired", read::USUAL_HIRE_EVENTS, false),
        ("candidateStageChange-hired", "Active", accepted, false),
        ("candidateStageChange-hired", "Archived", accepted, true),
        ("candidateHire", "Archived", read::USUAL_HIRE_EVENTS, false),
        ("pushToHRIS", "Archived", read::USUAL_HIRE_EVENTS, false),
    ] {
        let said = ashby(hired_when).read(&with_status(event, status)).expect("is well-formed");
        match said {
            Event::Unhire(unhired) => {
                assert!(taken_back, "{event} {status}");
                assert_eq!(unhired.application, "00000010-1111-4222-8333-000000000010");
                assert_eq!(unhired.otherwise, "not_hired");
                assert!(unhired.at.is_some(), "{event}");
            }
            other => assert!(!taken_back, "{event} {status}: {other:?}"),
        }
    }
}

#[test]
fn a_merge_names_who_is_gone_and_who_is_kept() {
    let payload = json!({"action": "candidateMerge", "data": {
        "deletedCandidate": {"id": "c-1"}, "mergedCandidate": {"id": "c-2"}}});
    let Ok(Event::Merge(merged)) = read(&payload) else { panic!("is a merge") };
    assert_eq!((merged.gone.as_str(), merged.kept.as_str()), ("c-1", "c-2"));
    let payload = json!({"action": "candidateMerge", "data": {"deletedCandidate": {"id": "c-1"}}});
    let misread = read(&payload).expect_err("says too little");
    assert_eq!(misread.path.as_deref(), Some("$.data.mergedCandidate.id"));
}

#[test]
fn an_offer_counts_only_when_it_was_accepted() {
    let mut payload = payload("offerUpdate-accepted");
    let offer = &mut payload["data"]["offer"];
    offer["acceptanceStatus"] = "WaitingOnResponse".into();
    assert_eq!(hired(&payload).event, "offerUpdate", "the other status says so");
    payload["data"]["offer"]["offerStatus"] = "WaitingOnCandidateResponse".into();
    assert_eq!(ashby(read::HIRE_EVENTS).read(&payload), Ok(ignored("offerUpdate", "not_hired")));
}

#[test]
fn an_unknown_event_is_ignored_and_its_name_is_fit_for_a_log() {
    assert_eq!(
        read(&json!({ "action": "candidateTeleport" })),
        Ok(ignored("candidateTeleport", "unknown_event"))
    );
    assert_eq!(read(&json!({ "action": "Mia Meier\n" })), Ok(ignored("unnamed", "unknown_event")));
}

#[test]
fn a_hire_with_an_offer_fills_these_facts() {
    let hired = hired(&payload("candidateHire"));
    let expected = json!({
        "application": { "id": "00000010-1111-4222-8333-000000000010" },
        "candidate": {
            "id": "00000011-1111-4222-8333-000000000011",
            "full_name": "Jörg van der Müller",
            "first_name": "Jörg",
            "last_name": "van der Müller",
            "email": "joerg.mueller@example.com",
            "emails": [{ "address": "joerg.mueller@example.com", "kind": "Personal" }],
            "phone": "+49 30 1234567",
        },
        "job": {
            "id": "00000017-1111-4222-8333-000000000017",
            "title": "Backend Engineer",
            "hiring_manager_email": "hm@example.com",
        },
        "offer": {
            "id": "0000002f-1111-4222-8333-00000000002f",
            "start_date": "2027-01-01T00:00:00.000Z",
            "salary_amount": 78000,
            "salary_currency": "EUR",
        },
        "custom": {
            "Position": "Senior Backend Engineer",
            "Department": "Engineering",
            "Office": "Berlin",
            "Cost center": ["4100 Product", "4200 Platform"],
            "Probation end": "2027-07-01T00:00:00.000Z",
            "Signing bonus": 5000,
            "Signing bonus (currency)": "EUR",
            "Company car": false,
            "Notice period (weeks)": 6,
        },
    });
    assert_eq!(hired.facts.to_nested(), expected);
    assert_eq!(hired.name_split, Some(NameSplit::ByParticle));
    assert_eq!(hired.delivery_id.as_deref(), Some("00000001-1111-4222-8333-000000000001"));
    assert_eq!(hired.ids["department"], "00000019-1111-4222-8333-000000000019");
    assert_eq!(hired.ids["location"], "00000018-1111-4222-8333-000000000018");
    assert_eq!(hired.notes, Vec::<String>::new());
}

#[test]
fn a_hire_without_an_offer_has_no_start_date_and_none_is_made_up() {
    let hired = hired(&payload("candidateHire-no-offer"));
    assert_eq!(hired.facts.names().filter(|name| name.starts_with("offer.")).count(), 0);
    assert_eq!(hired.facts.value("candidate.phone"), None);
    assert!(hired.ids.is_empty());
    assert!(hired.settled, "no other webhook of Ashby's has more");
}

#[test]
fn the_offer_of_a_later_delivery_fills_what_the_first_lacked() {
    let mut facts = hired(&payload("applicationUpdate-hired")).facts;
    assert!(facts.fill(&hired(&payload("candidateHire")).facts));
    assert_eq!(facts, hired(&payload("candidateHire")).facts);
}

#[test]
fn the_start_date_stays_as_it_was_written() {
    for date in ["2027-01-01T00:00:00.000Z", "2027-01-01T23:30:00-08:00", "2027-01-01", "soon"] {
        let mut payload = payload("candidateHire");
        payload["data"]["offer"]["latestVersion"]["startDate"] = date.into();
        assert_eq!(hired(&payload).facts.text("offer.start_date"), Some(date));
    }
}

#[test]
fn custom_fields_become_plain_values() {
    let payload = with_custom_fields(
        &json!([
            { "title": "Level", "value": "l3", "valueLabel": "Level 3" },
            { "title": "Hours", "value": { "type": "number-range", "minValue": 20, "maxValue": 40 } },
            { "title": "Band", "value": { "type": "compensation-range", "minValue": 50000, "maxValue": 60000,
                "currencyCode": "EUR", "interval": "1 YEAR" } },
            { "title": "Open end", "value": { "type": "number-range", "minValue": 1, "maxValue": null } },
            { "title": "Nothing", "value": null },
            { "title": "Empty", "value": "" },
            { "title": "Odd", "value": { "street": "x" } },
            { "title": "Odder", "value": [1, 2] },
            { "value": "no title" },
            "no field",
        ]),
        &json!([]),
    );
    let hired = hired(&payload);
    assert_eq!(
        hired.facts.to_nested()["custom"],
        json!({
            "Level": "Level 3",
            "Hours": "20 - 40",
            "Hours (min)": 20,
            "Hours (max)": 40,
            "Band": "50000 - 60000 EUR",
            "Band (min)": 50000,
            "Band (max)": 60000,
            "Band (currency)": "EUR",
            "Band (interval)": "1 YEAR",
            "Open end (min)": 1,
        })
    );
    let left_out = [6, 7, 8, 9].map(|index| format!("custom_field_left_out:offer[{index}]"));
    assert_eq!(hired.notes, left_out);
}

#[test]
fn the_offers_custom_field_comes_before_the_applications() {
    let payload = with_custom_fields(
        &json!([{ "title": "Office", "value": "Berlin" }]),
        &json!([
            { "title": "Office", "value": { "value": 1, "currencyCode": "EUR" } },
            { "title": "Shirt", "value": "M" },
        ]),
    );
    let custom = hired(&payload).facts.to_nested()["custom"].clone();
    assert_eq!(custom, json!({ "Office": "Berlin", "Shirt": "M" }));
}

#[test]
fn a_wrong_type_is_told_by_its_place_and_never_by_its_value() {
    for (place, path) in [
        ("/data/application/candidate/name", "$.data.application.candidate.name"),
        (
            "/data/application/candidate/primaryEmailAddress",
            "$.data.application.candidate.primaryEmailAddress",
        ),
        ("/data/application/job/title", "$.data.application.job.title"),
        ("/data/application/hiringTeam/0/email", "$.data.application.hiringTeam[0].email"),
        ("/data/application/customFields", "$.data.application.customFields"),
        ("/data/offer/latestVersion/startDate", "$.data.offer.latestVersion.startDate"),
        ("/data/offer/latestVersion/salary/value", "$.data.offer.latestVersion.salary.value"),
    ] {
        let mut payload = payload("candidateHire");
        *payload.pointer_mut(place).expect("is there") = json!(["4711-secret"]);
        if place.ends_with("customFields") {
            *payload.pointer_mut(place).expect("is there") = json!("4711-secret");
        }
        let misread = read(&payload).expect_err("is misread");
        assert_eq!(misread.path.as_deref(), Some(path));
        assert_eq!((misread.held, misread.code), (Held::Unreadable, "unexpected_shape"));
        assert_eq!(misread.application.as_deref(), Some("00000010-1111-4222-8333-000000000010"));
        assert!(!format!("{misread} {misread:?}").contains("4711"));
    }
}

#[test]
fn without_an_applications_id_there_is_no_hire() {
    for id in [Value::Null, json!(7), json!(""), json!("a/b"), json!("a b"), json!("x".repeat(129))] {
        let mut payload = payload("candidateHire");
        payload["data"]["application"]["id"] = id.clone();
        let misread = read(&payload).expect_err("is misread");
        assert_eq!(
            (misread.held, misread.path.as_deref()),
            (Held::Unreadable, Some("$.data.application.id")),
            "{id}"
        );
    }
    for payload in [json!({}), json!([]), json!(1), json!({ "action": 1 })] {
        assert_eq!(read(&payload), Err(Misread::at("$.action")));
    }
    assert!(read(&json!({ "action": "candidateHire" })).is_err());
    let no_status = json!({ "action": "applicationUpdate", "data": { "application": { "id": "a" } } });
    let misread = read(&no_status).expect_err("is misread");
    assert_eq!(misread.path.as_deref(), Some("$.data.application.status"));
}

#[test]
fn a_bare_hire_is_a_hire() {
    let hired = hired(&json!({ "action": "candidateHire", "data": { "application": { "id": "a" } } }));
    assert_eq!(hired.facts.names().collect::<Vec<_>>(), ["application.id"]);
    assert_eq!((hired.name_split, hired.delivery_id), (None, None));
}

#[test]
fn an_unsigned_ping_is_a_handshake_and_nothing_else_is() {
    let ashby = ashby(read::USUAL_HIRE_EVENTS);
    let unsigned = HeaderMap::new();
    let shakes = |body: &[u8]| ashby.handshake(&unsigned, body);
    assert_eq!(shakes(&fixture("ping")), Some("ping"));
    assert_eq!(
        shakes(br#"{"webhookActionId":"1","action":"ping","data":{"webhookActionType":"ping"}}"#),
        Some("ping")
    );
    let others: &[&[u8]] = &[
        b"",
        b"ping",
        br#"{"action":"ping"}"#,
        br#"{"action":"Ping","data":{}}"#,
        br#"{"action":"ping","data":{"application":{"id":"a"}}}"#,
        br#"{"action":"ping","data":{"webhookActionType":"ping"},"more":1}"#,
        br#"{"action":"ping","action":"candidateHire","data":{}}"#,
        br#"{"action":"candidateHire","data":{"application":{"id":"a"}}}"#,
    ];
    for body in others {
        assert_eq!(shakes(body), None, "{}", body.escape_ascii());
    }
    let long = [fixture("ping"), vec![b' '; LARGEST_PING]].concat();
    assert_eq!(shakes(&long), None);
    for value in ["", "sha256=00"] {
        let signed =
            HeaderMap::from_iter([(HeaderName::from_static(SIGNATURE), HeaderValue::from_static(value))]);
        assert_eq!(
            ashby.handshake(&signed, &fixture("ping")),
            None,
            "a signature that is there must be right"
        );
    }
}
