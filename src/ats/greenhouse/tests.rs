use std::collections::BTreeMap;

use bytes::Bytes;
use bytesize::ByteSize;
use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::json;

use super::super::{Received, Source, Sources, json as strict};
use super::*;
use crate::domain::{DocumentKind, Held};

const SECRET: &str = "gh-secret-key-0123456789abcdef";

fn bytes(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/fixtures/ats/greenhouse/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).expect("the fixture is there")
}

fn fixture(name: &str) -> Value {
    strict::read(&bytes(&format!("{name}.json"))).expect("the fixture is JSON")
}

fn hire() -> Value {
    fixture("hire_candidate")
}

fn hired(payload: &Value) -> super::super::Hired {
    match (Greenhouse { notes: None }).read(payload) {
        Ok(Event::Hire(hired)) => *hired,
        other => panic!("is a hire: {other:?}"),
    }
}

/// The hire with this in place of what is at the pointer.
fn with(pointer: &str, value: Value) -> Value {
    let mut payload = hire();
    *payload.pointer_mut(pointer).expect("is there") = value;
    payload
}

/// A source with these lines in its section.
fn built(more: &str) -> Result<Sources, Vec<super::super::SettingError>> {
    let text =
        format!("[gh]\nkind = \"greenhouse\"\nsecrets = [\"{SECRET}\", \"the-next-secret-token\"]\n{more}");
    let settings: BTreeMap<String, Settings> = toml::from_str(&text).expect("TOML");
    Sources::build(&settings, &Guard::default())
}

fn headers(signatures: &[&str]) -> HeaderMap {
    let value = |text: &&str| {
        (HeaderName::from_static("signature"), HeaderValue::from_str(text).expect("a header value"))
    };
    signatures.iter().map(value).collect()
}

fn received(
    source: &Source,
    headers: &HeaderMap,
    body: Vec<u8>,
) -> Result<super::super::Verified, &'static str> {
    match source.receive(headers, Bytes::from(body), ByteSize::mib(1), Timestamp::UNIX_EPOCH) {
        Ok(Received::Signed(verified)) => Ok(verified),
        Ok(other) => panic!("Greenhouse prescribes no handshake: {other:?}"),
        Err(refusal) => Err(refusal.code()),
    }
}

#[test]
fn the_vectors_are_verified_or_refused() {
    let sources = built("").expect("is right");
    let source = sources.named("gh").expect("is there");
    let file: Value = serde_json::from_slice(&bytes("vectors.json")).expect("JSON");
    let vectors = file["vectors"].as_array().expect("a list");
    assert_eq!(vectors.len(), 15);
    for vector in vectors {
        let text = |name: &str| vector[name].as_str().unwrap_or_default();
        assert_eq!(text("secret"), SECRET);
        let body = match vector["body"].as_str() {
            Some(body) => body.as_bytes().to_vec(),
            None => bytes(text("body_file")),
        };
        let signatures = vector["signatures"].as_array().expect("a list").iter();
        let signatures: Vec<_> = signatures.map(|one| one.as_str().expect("text")).collect();
        let verdict = received(source, &headers(&signatures), body.clone());
        let verdict = verdict.map(|verified| verified.body().clone());
        let expected = if text("expect") == "valid" { Ok(Bytes::from(body)) } else { Err(text("expect")) };
        assert_eq!(verdict, expected, "{}", text("name"));
    }
}

#[test]
fn a_body_with_escapes_is_read_as_what_it_says_and_the_deliverys_id_is_in_its_header() {
    let sources = built("").expect("is right");
    let source = sources.named("gh").expect("is there");
    let file: Value = serde_json::from_slice(&bytes("vectors.json")).expect("JSON");
    let vector = &file["vectors"][0];
    let body = vector["body"].as_str().expect("text").as_bytes().to_vec();
    assert!(body.is_ascii());
    let mut head = headers(&[vector["signatures"][0].as_str().expect("text")]);
    let id = |head: &HeaderMap| {
        let verified = received(source, head, body.clone()).expect("is signed");
        let Ok(super::super::Delivery { event: Event::Hire(hired), .. }) = source.read(&verified) else {
            panic!("is a hire")
        };
        assert_eq!(hired.facts.text("candidate.last_name"), Some("Grünwald <b>"));
        verified.delivery_id().map(str::to_owned)
    };
    assert_eq!(id(&head), None);
    head.insert(&DELIVERY_ID, HeaderValue::from_static("3ce5180d-9119-4ddc-9ef6-21edb6e76f8a"));
    assert_eq!(id(&head).as_deref(), Some("3ce5180d-9119-4ddc-9ef6-21edb6e76f8a"));
    head.insert(&DELIVERY_ID, HeaderValue::from_static("<script>"));
    assert_eq!(id(&head), None, "what is no id is not stored");
}

#[test]
fn every_documented_field_arrives_as_a_fact() {
    let hired = hired(&hire());
    assert_eq!(
        (hired.application.as_str(), hired.event.as_str(), hired.settled),
        ("98200417", "hire_candidate", true)
    );
    assert_eq!(hired.at.map(|at| at.to_string()).as_deref(), Some("2026-10-19T14:05:09Z"));
    assert_eq!(hired.notes, Vec::<String>::new());
    let expected = json!({
        "application": {"id": "98200417", "hired_at": "2026-10-19T14:05:09Z"},
        "candidate": {
            "id": "71500233", "first_name": "Zoë", "last_name": "Grünwald-Ó Briain",
            "email": "zoe.gruenwald@example.org", "phone": "+49 341 5550142",
            "emails": [
                {"address": "zoe.gruenwald@example.org", "kind": "personal"},
                {"address": "z.gruenwald@old-employer.example", "kind": "work"}
            ]
        },
        "job": {
            "id": "4407219", "title": "Backend-Entwicklerin Rust",
            "department": "Platform Engineering", "departments": ["Platform Engineering"], "location": "Leipzig"
        },
        "offer": {"id": "880514", "start_date": "2027-01-01", "salary_amount": 76000, "salary_currency": "EUR"},
        "custom": {
            "Salary": 76000, "Salary (currency)": "EUR", "salary": 76000, "salary (currency)": "EUR",
            "Weekly hours": 38.5, "weekly_hours": 38.5,
            "Legal entity": "Example GmbH", "legal_entity": "Example GmbH",
            "Notice period": "3 months", "notice_period": "3 months",
            "Gender": "female", "gender": "female",
            "Date of birth": "1993-04-17", "date_of_birth": "1993-04-17",
            "Employment Type": "Full-time", "employment_type": "Full-time",
            "Cost centre": "4210", "cost_centre": "4210",
            "Salary Range": "68000.0 - 82000.0 EUR", "Salary Range (min)": "68000.0",
            "Salary Range (max)": "82000.0", "Salary Range (currency)": "EUR",
            "salary_range": "68000.0 - 82000.0 EUR", "salary_range (min)": "68000.0",
            "salary_range (max)": "82000.0", "salary_range (currency)": "EUR"
        }
    });
    assert_eq!(hired.facts.to_nested(), expected);
}

/// The custom facts of a hire whose offer has these fields and no other owner any.
fn customs(fields: Value) -> (Value, Vec<String>) {
    let mut payload = with("/payload/application/offer/custom_fields", fields);
    for owner in ["", "/candidate", "/jobs/0"] {
        payload.pointer_mut(&format!("/payload/application{owner}")).expect("is there")["custom_fields"] =
            json!({});
    }
    let hired = hired(&payload);
    (hired.facts.to_nested()["custom"].clone(), hired.notes)
}

#[test]
fn custom_fields_of_each_type_become_facts() {
    for (field, expected) in [
        (json!({"type": "short_text", "value": "a"}), json!({"F": "a"})),
        (json!({"type": "long_text", "value": "a\nb"}), json!({"F": "a\nb"})),
        (json!({"type": "boolean", "value": false}), json!({"F": false})),
        (json!({"type": "single_select", "value": "One"}), json!({"F": "One"})),
        (json!({"type": "multi_select", "value": ["One", "Two"]}), json!({"F": ["One", "Two"]})),
        (json!({"type": "multi_select", "value": []}), Value::Null),
        (json!({"type": "number", "value": 125}), json!({"F": 125})),
        (json!({"type": "number", "value": "125.5"}), json!({"F": "125.5"})),
        (json!({"type": "date", "value": "2027-01-01"}), json!({"F": "2027-01-01"})),
        (json!({"type": "url", "value": "https://a.example"}), json!({"F": "https://a.example"})),
        (
            json!({"type": "currency", "value": {"amount": 80000, "unit": "USD"}}),
            json!({"F": 80000, "F (currency)": "USD"}),
        ),
        (
            json!({"type": "currency", "value": {"amount": "80000.0", "unit": "USD"}, "compensation_type": "base",
                "frequency": "annually", "rationale": "because"}),
            json!({"F": "80000.0", "F (currency)": "USD", "F (type)": "base", "F (frequency)": "annually"}),
        ),
        (
            json!({"type": "currency_range", "value": {"min_value": 1, "max_value": 2, "unit": "USD"}}),
            json!({"F": "1 - 2 USD", "F (min)": 1, "F (max)": 2, "F (currency)": "USD"}),
        ),
        (
            json!({"type": "number_range", "value": {"min_value": 1, "max_value": null}}),
            json!({"F (min)": 1}),
        ),
        (
            json!({"type": "user", "value": {"user_id": 1, "name": "Ben", "email": "ben@example.com", "employee_id": "b1"}}),
            json!({"F": "Ben", "F (email)": "ben@example.com", "F (employee id)": "b1"}),
        ),
        (json!({"type": "user", "value": null}), Value::Null),
        (json!({"type": "short_text", "value": null}), Value::Null),
    ] {
        let mut field = field;
        field["name"] = "F".into();
        assert_eq!(customs(json!({"F": field})), (expected, vec![]), "{field}");
    }
}

#[test]
fn a_custom_field_that_is_not_as_documented_is_left_out_and_noted() {
    for field in [
        json!({"name": "F", "type": "short_text", "value": 1}),
        json!({"name": "F", "type": "number", "value": "many"}),
        json!({"name": "F", "type": "multi_select", "value": "One"}),
        json!({"name": "F", "type": "currency", "value": 80000}),
        json!({"name": "F", "type": "currency_range", "value": {"min_value": "low", "max_value": 2}}),
        json!({"name": "F", "type": "user", "value": "Ben"}),
        json!({"name": "F", "type": "hologram", "value": "a"}),
        json!({"name": "F", "value": "a"}),
        json!({"name": " ", "type": "short_text", "value": "a"}),
        json!("a"),
    ] {
        let told = customs(json!({"f_1": field}));
        assert_eq!(told, (Value::Null, vec!["custom_field_left_out:offer.f_1".to_owned()]), "{field}");
    }
    let odd = customs(json!({"Zoë's": 1}));
    assert_eq!(odd.1, ["custom_field_left_out:offer.unnamed"], "no note holds any text of theirs");
    assert_eq!(customs(json!(["a"])).1, ["custom_field_left_out:offer"]);
    for none in [json!([]), json!({}), Value::Null] {
        assert_eq!(customs(none), (Value::Null, vec![]));
    }
}

#[test]
fn what_is_closest_to_the_hire_counts_and_a_name_before_a_key() {
    let text = |name: &str, value: &str| json!({"name": name, "type": "short_text", "value": value});
    let mut payload = hire();
    let application = &mut payload["payload"]["application"];
    application["offer"]["custom_fields"] = json!({"level": text("Grade", "offer's")});
    application["candidate"]["custom_fields"] = json!({"x": text("level", "candidate's")});
    application["jobs"][0]["custom_fields"] = json!({"grade": text("Grade", "job's")});
    application["opening"]["custom_fields"] = json!({"team": text("Team", "opening's")});
    let facts = hired(&payload).facts;
    assert_eq!(facts.text("custom.Grade"), Some("offer's"));
    assert_eq!(facts.text("custom.level"), Some("candidate's"));
    assert_eq!(
        (facts.text("custom.Team"), facts.text("custom.team")),
        (Some("opening's"), Some("opening's"))
    );
    payload["payload"]["application"]["opening"] = json!({"opening_id": null});
    assert_eq!(hired(&payload).facts.value("custom.Team"), None);
}

#[test]
fn the_persons_own_address_and_number_go_before_those_at_work() {
    let contacts = |kinds: &[&str]| -> Value {
        kinds.iter().map(|kind| json!({"value": format!("{kind}@example.org"), "type": kind})).collect()
    };
    for (kinds, expected) in [
        (&["work", "personal", "personal"][..], Some("personal")),
        (&["work", "other"], Some("other")),
        (&["work"], Some("work")),
        (&["school"], Some("school")),
        (&[], None),
    ] {
        let hired = hired(&with("/payload/application/candidate/email_addresses", contacts(kinds)));
        let expected = expected.map(|kind| format!("{kind}@example.org"));
        assert_eq!(hired.facts.text("candidate.email"), expected.as_deref(), "{kinds:?}");
    }
    for (kinds, expected) in [
        (&["work", "skype", "home", "mobile"][..], Some("mobile")),
        (&["skype", "work"], Some("work")),
        (&["skype"], None),
    ] {
        let hired = hired(&with("/payload/application/candidate/phone_numbers", contacts(kinds)));
        let expected = expected.map(|kind| format!("{kind}@example.org"));
        assert_eq!(hired.facts.text("candidate.phone"), expected.as_deref(), "{kinds:?}");
    }
}

#[test]
fn of_several_departments_offices_and_jobs_the_first_counts_and_it_is_said() {
    let units =
        |names: &[&str]| -> Value { names.iter().map(|name| json!({"id": 1, "name": name})).collect() };
    let mut payload = with("/payload/application/jobs/0/departments", units(&["Tech", "Backend"]));
    payload["payload"]["application"]["jobs"][0]["offices"] = units(&["Leipzig", "Berlin"]);
    let second = json!({"id": 2, "name": "Another", "departments": units(&["Sales"])});
    payload["payload"]["application"]["jobs"].as_array_mut().expect("jobs").push(second);
    let hired = hired(&payload);
    let facts = &hired.facts;
    assert_eq!((facts.text("job.department"), facts.text("job.location")), (Some("Tech"), Some("Leipzig")));
    assert_eq!(facts.value("job.departments"), Some(&json!(["Tech", "Backend"])));
    assert_eq!(facts.text("job.title"), Some("Backend-Entwicklerin Rust"));
    assert_eq!(hired.notes, ["several_jobs", "several_departments", "several_offices"]);
}

#[test]
fn the_deprecated_job_is_not_read_and_what_is_absent_is_unknown() {
    let mut payload = hire();
    let application = payload["payload"]["application"].as_object_mut().expect("an object");
    application.insert("jobs".into(), json!([]));
    application.remove("offer");
    application.remove("opening");
    application.insert("candidate".into(), Value::Null);
    let hired = hired(&payload);
    let names: Vec<_> = hired.facts.names().collect();
    assert_eq!(names, ["application.id", "custom.Notice period", "custom.notice_period"]);
    assert_eq!((hired.at, hired.files.len()), (None, 0));
}

#[test]
fn a_field_of_the_wrong_type_is_misread_at_its_place() {
    for (pointer, value, place) in [
        ("/id", json!("a/b"), "id"),
        ("/id", json!(-1), "id"),
        ("/candidate/first_name", json!(7), "candidate.first_name"),
        ("/candidate/email_addresses", json!("zoe@example.org"), "candidate.email_addresses"),
        ("/candidate/email_addresses/1/value", json!({}), "candidate.email_addresses[1].value"),
        ("/jobs/0/departments/0/name", json!([]), "jobs[0].departments[0].name"),
        ("/offer/starts_at", json!(20_270_101), "offer.starts_at"),
    ] {
        let Err(misread) =
            Greenhouse { notes: None }.read(&with(&format!("/payload/application{pointer}"), value))
        else {
            panic!("{pointer} fits")
        };
        assert_eq!(misread.held, Held::Unreadable);
        assert_eq!(misread.path, Some(format!("$.payload.application.{place}")));
        let known = (pointer != "/id").then(|| "98200417".to_owned());
        assert_eq!(misread.application, known, "{pointer}");
    }
    let nothing = Greenhouse { notes: None }
        .read(&json!({"action": "hire_candidate"}))
        .expect_err("has no application");
    assert_eq!(nothing.path.as_deref(), Some("$"));
    let unnamed = Greenhouse { notes: None }
        .read(&json!({"payload": {"application": {"id": 1}}}))
        .expect_err("has no action");
    assert_eq!(unnamed.path.as_deref(), Some("$.action"));
}

#[test]
fn a_hire_is_taken_back_by_its_application_and_merged_candidates_are_named() {
    let Ok(Event::Unhire(unhired)) = Greenhouse { notes: None }.read(&fixture("unhire_candidate")) else {
        panic!("is one")
    };
    assert_eq!((unhired.application.as_str(), unhired.otherwise), ("98200417", "not_hired"));
    assert_eq!(unhired.at, None, "no time in it is said to be that of the event");
    let Ok(Event::Merge(merged)) = Greenhouse { notes: None }.read(&fixture("merge_candidate")) else {
        panic!("is one")
    };
    assert_eq!((merged.gone.as_str(), merged.kept.as_str()), ("71500233", "71500999"));
    for (event, place) in
        [("unhire_candidate", "$.payload.application"), ("merge_candidate", "$.payload.person")]
    {
        let misread =
            Greenhouse { notes: None }.read(&json!({"action": event, "payload": {}})).expect_err("has no id");
        assert_eq!(misread.path.as_deref().map(|path| place.starts_with(path)), Some(true), "{event}");
    }
}

#[test]
fn every_other_event_is_nothing_for_us() {
    for (payload, event, reason) in [
        (json!({"action": "ping", "payload": {"web_hook": {"id": 1}}}), "ping", "ping"),
        (
            json!({"action": "candidate_stage_change", "payload": {"application": {"id": 1}}}),
            "candidate_stage_change",
            "event_not_used",
        ),
        (
            json!({"action": "delete_candidate", "payload": {"person": {}}}),
            "delete_candidate",
            "event_not_used",
        ),
        (json!({"action": "Zoë was hired"}), "unnamed", "event_not_used"),
        (json!({"payload": {"web_hook": {"id": 1}}}), "unnamed", "event_not_used"),
        (json!([]), "unnamed", "event_not_used"),
    ] {
        let expected = Event::Ignored { event: event.to_owned(), reason };
        assert_eq!(Greenhouse { notes: None }.read(&payload), Ok(expected), "{payload}");
    }
}

#[test]
fn attachments_are_files_of_their_kind_each_once() {
    let attachment =
        |kind: &str, url: &str| json!({"filename": format!("{kind}.pdf"), "url": url, "type": kind});
    let kinds = [
        ("resume", DocumentKind::Resume),
        ("cover_letter", DocumentKind::CoverLetter),
        ("offer_letter", DocumentKind::OfferLetter),
        ("offer_packet", DocumentKind::OfferLetter),
        ("signed_offer_letter", DocumentKind::SignedOffer),
        ("take_home_test", DocumentKind::Other),
        ("attachment", DocumentKind::Other),
        ("other", DocumentKind::Other),
        ("hologram", DocumentKind::Other),
    ];
    let link =
        |kind: &str, signature: u8| format!("https://s3.amazonaws.com/{kind}?X-Amz-Signature={signature}");
    let all =
        |signature: u8| kinds.iter().map(|(kind, _)| attachment(kind, &link(kind, signature))).collect();
    let place = "/payload/application/candidate/attachments";
    let (first, again) = (hired(&with(place, all(1))), hired(&with(place, all(2))));
    let found: Vec<_> =
        first.files.iter().map(|file| (file.name.trim_end_matches(".pdf"), file.kind)).collect();
    assert_eq!(found, kinds);
    assert!(first.files.iter().all(|file| super::super::is_id(&file.id)));
    // A later delivery signs the links anew: they are the same files, and the newer links count.
    let both = first.and(again);
    assert_eq!(both.files.len(), kinds.len());
    assert_eq!(both.files[0].place, Place::Link(link("resume", 2)));
}

#[test]
fn an_attachment_that_is_not_as_documented_is_left_out_and_noted() {
    let place = "/payload/application/candidate/attachments";
    let good = json!({"filename": "a.pdf", "url": "https://s3.amazonaws.com/a"});
    let hired_with = |attachments| {
        let hired = hired(&with(place, attachments));
        (hired.files.len(), hired.notes)
    };
    let odd = json!([{"filename": "a.pdf"}, good, {"filename": "a.pdf", "url": "nowhere"}, null, {"url": "https://a.example"}]);
    let left_out = [0, 2, 3, 4].map(|index| format!("file_left_out:attachments[{index}]"));
    assert_eq!(hired_with(odd), (1, left_out.to_vec()));
    assert_eq!(hired_with(json!("none")), (0, vec!["file_left_out:attachments".to_owned()]));
    assert_eq!(hired_with(Value::Null), (0, vec![]));
}

#[tokio::test]
async fn a_link_leads_to_amazons_storage_or_to_the_host_of_the_example() {
    let open = |place| {
        let file =
            File { id: "1".into(), kind: DocumentKind::Resume, name: "a.pdf".into(), date: None, place };
        async move { Greenhouse { notes: None }.open(&file, Instant::now()).await.map(|opened| opened.hosts) }
    };
    let hosts = open(Place::Link("https://grnhse.s3.eu-central-1.amazonaws.com/a".into())).await;
    assert_eq!(hosts, Ok(vec!["grnhse.s3.eu-central-1.amazonaws.com".to_owned()]));
    let elsewhere = open(Place::Link("https://files.example.org/a".into())).await;
    assert_eq!(elsewhere, Ok(vec![EXAMPLE_HOST.to_owned()]));
    assert_eq!(open(Place::Handle("a".into())).await, Err(ApiError::NoFiles));
}

#[test]
fn settings_that_mean_nothing_to_greenhouse_are_mistakes() {
    assert!(built("hired_when = [\"hire_candidate\"]").is_ok());
    for (line, key) in [
        ("hired_when = [\"candidate_hired\"]", "sources.gh.hired_when[0]"),
        ("api_key = \"k\"", "sources.gh.api_key"),
        ("api_base_url = \"https://harvest.greenhouse.io\"", "sources.gh.api_base_url"),
    ] {
        let mistakes = built(line).map(|_| ()).expect_err("is a mistake");
        assert_eq!(mistakes.iter().map(|mistake| mistake.key.as_str()).collect::<Vec<_>>(), [key]);
    }
}
