use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use serde_json::json;

use super::super::{Hired, Received, SettingError, Sources, json as strict};
use super::*;
use crate::domain::{DocumentKind, Held, Place};

const SECRET: &str = "softgarden-secret-of-the-test";

fn softgarden() -> Softgarden {
    Softgarden { scheme: Scheme::Token(Token::Bearer) }
}

fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/ats/softgarden/{name}.json", env!("CARGO_MANIFEST_DIR"));
    strict::read(&std::fs::read(path).expect("the fixture is there")).expect("JSON")
}

fn hired(payload: &Value) -> Hired {
    match softgarden().read(payload) {
        Ok(Event::Hire(hired)) => *hired,
        other => panic!("is a hire: {other:?}"),
    }
}

fn with(field: &str, value: Value) -> Value {
    let mut payload = fixture("hired");
    payload[field] = value;
    payload
}

fn built(more: &str) -> Result<Sources, Vec<SettingError>> {
    let text =
        format!("[sg]\nkind = \"softgarden\"\nsecrets = [\"{SECRET}\", \"the-next-secret-token\"]\n{more}");
    let settings: BTreeMap<String, Settings> = toml::from_str(&text).expect("TOML");
    Sources::build(&settings, &Guard::default())
}

#[test]
fn every_field_of_the_contract_arrives_as_a_fact() {
    let hired = hired(&fixture("hired"));
    let application = "1b639d3b-57b3-4b31-9fac-83a8c5d9443a";
    assert_eq!((hired.application.as_str(), hired.settled), (application, true));
    assert_eq!(hired.at.map(|at| at.to_string()).as_deref(), Some("2026-11-18T15:03:27Z"));
    let expected = json!({
        "application": {"id": application, "hired_at": "2026-11-18T15:03:27Z"},
        "candidate": {
            "first_name": "Jörg", "last_name": "van der Müller", "email": "joerg.mueller@example.com",
            "emails": [{"address": "joerg.mueller@example.com"}], "phone": "+49 30 5550142", "gender": "M",
            "birth_date": "1993-04-17", "street": "Karl-Heine-Str. 1", "postal_code": "04229", "city": "Leipzig",
            "country": "DE"
        },
        "custom": {"Cost centre": "4210", "Parking": true, "Skills": ["Rust", "Go"]},
        "job": {
            "id": "2797227", "title": "Backend Engineer", "department": "Engineering", "location": "Berlin",
            "employment_type": "Full-time"
        },
        "offer": {"start_date": "2027-01-01", "weekly_hours": 38.5},
        "tenant": {"id": "12", "name": "Acme GmbH"}
    });
    assert_eq!(hired.facts.to_nested(), expected);
    assert_eq!(hired.notes, Vec::<String>::new());
}

#[test]
fn the_least_that_softgarden_can_send_is_a_hire() {
    let hired = hired(&fixture("least"));
    assert_eq!(hired.facts.text("tenant.name"), Some("Acme GmbH"));
    assert_eq!(hired.facts.text("offer.start_date"), Some("2027-01-01"));
    assert_eq!((hired.at, hired.files.len()), (None, 1));
}

#[test]
fn the_status_says_what_it_is_and_without_one_nothing_is_guessed() {
    for (status, expected) in [
        ("HIRED", None),
        ("Hired", None),
        ("TEST", Some("ping")),
        ("ONBOARDING", Some("not_hired")),
        ("", Some("not_hired")),
    ] {
        let event = softgarden().read(&with("status", status.into())).expect("is readable");
        assert_eq!(event.no_hire(), expected, "{status}");
    }
    for status in [Value::Null, json!(1)] {
        let misread = softgarden().read(&with("status", status)).expect_err("has no status");
        assert_eq!((misread.held, misread.path.as_deref()), (Held::Unreadable, Some("$.status")));
        assert!(misread.application.is_some());
    }
    let Ok(Event::Unhire(unhired)) = softgarden().read(&with("status", "WITHDRAWN".into())) else {
        panic!("is taken back")
    };
    assert_eq!(unhired.application, "1b639d3b-57b3-4b31-9fac-83a8c5d9443a");
    assert!(unhired.at.is_some());
    let nobody = softgarden().read(&json!({"status": "WITHDRAWN"})).expect_err("has no id");
    assert_eq!(nobody.path.as_deref(), Some("$.applicationId"));
}

#[test]
fn a_field_of_the_wrong_type_is_misread_at_its_place() {
    for (field, value, place) in [
        ("applicationId", json!("a/b"), "$.applicationId"),
        ("applicationId", Value::Null, "$.applicationId"),
        ("firstname", json!(7), "$.firstname"),
        ("address", json!({"postalCode": 4229}), "$.address.postalCode"),
        ("hireDate", json!(20_270_101), "$.hireDate"),
    ] {
        let misread = softgarden().read(&with(field, value)).expect_err("does not fit");
        assert_eq!(misread.path.as_deref(), Some(place));
        assert_eq!(misread.application.is_some(), field != "applicationId");
    }
}

#[test]
fn documents_come_along_and_are_known_by_their_id_or_their_content() {
    let files = hired(&fixture("hired")).files;
    let found: Vec<_> = files.iter().map(|file| (file.kind, file.name.as_str())).collect();
    let expected =
        [(DocumentKind::Other, "application.pdf"), (DocumentKind::SignedOffer, "vertrag_signiert.pdf")];
    assert_eq!(found, expected);
    assert_eq!(files[1].id, "contract-1");
    assert_eq!(files[0].place, Place::Inline("JVBERi0xLjQKJSBleGFtcGxlCg==".into()));
    let document = |data: &str| json!({"fileName": "a.pdf", "binaryData": data});
    let several = hired(&with(
        "documents",
        json!([document("JVBERg=="), document("JVBE\r\nRg==\n"), document("JVBERi0x")]),
    ));
    assert_eq!(several.files.len(), 2, "line breaks make no other file");
}

#[test]
fn a_document_that_is_not_as_agreed_is_left_out_and_noted() {
    let good = json!({"fileName": "a.pdf", "binaryData": "JVBERg==", "kind": "hologram"});
    let bad = |data: &str| json!({"fileName": "a.pdf", "binaryData": data});
    let documents = json!([
        good, {"fileName": "a.pdf"}, {"binaryData": "JVBERg=="}, bad("JVBERg="), bad("JVBE_g=="), bad("===="), null
    ]);
    let hire = hired(&with("documents", documents));
    assert_eq!((hire.files.len(), hire.files[0].kind), (1, DocumentKind::Other));
    let left_out = [1, 2, 3, 4, 5, 6].map(|index| format!("file_left_out:documents[{index}]"));
    assert_eq!(hire.notes, left_out);
    assert_eq!(hired(&with("documents", json!("none"))).notes, ["file_left_out:documents"]);
    let odd = hired(&with("customFields", json!({"A": {"b": 1}, " ": 1, "C": [1], "D": "d"})));
    let left_out = [0, 1, 2].map(|index| format!("custom_field_left_out:customFields[{index}]"));
    assert_eq!((odd.notes, odd.facts.text("custom.D")), (left_out.to_vec(), Some("d")));
}

#[test]
fn the_secret_comes_along_as_a_token_or_as_a_password() {
    let refused = |more: &str, header: HeaderName, values: &[&str]| {
        let sources = built(more).expect("is right");
        let value = |text: &&str| (header.clone(), HeaderValue::from_str(text).expect("a header value"));
        let headers: HeaderMap = values.iter().map(value).collect();
        let source = sources.named("sg").expect("is there");
        match source.receive(&headers, Bytes::from_static(b"{}"), ByteSize::mib(1), Timestamp::UNIX_EPOCH) {
            Ok(Received::Signed(verified)) => Ok(verified.secret()),
            Ok(_) => panic!("there is no handshake"),
            Err(refusal) => Err(refusal.code()),
        }
    };
    let right = format!("Bearer {SECRET}");
    for (values, expected) in [
        (&[right.as_str()][..], Ok(Some(0))),
        (&["Bearer the-next-secret-token"], Ok(Some(1))),
        (&["Bearer another-secret-of-somebody"], Err("no_secret_matches")),
        (&[SECRET], Err("header_malformed")),
        (&[], Err("header_missing")),
        (&[&right, &right], Err("header_repeated")),
        (&["Basic c29mdGdhcmRlbjpzb2Z0Z2FyZGVuLXNlY3JldC1vZi10aGUtdGVzdA=="], Err("header_malformed")),
    ] {
        assert_eq!(refused("", AUTHORIZATION, values), expected, "{values:?}");
    }
    let basic = "[sg.signature]\ntoken = \"basic\"\nuser = \"softgarden\"";
    let password = "Basic c29mdGdhcmRlbjpzb2Z0Z2FyZGVuLXNlY3JldC1vZi10aGUtdGVzdA==";
    assert_eq!(refused(basic, AUTHORIZATION, &[password]), Ok(Some(0)));
    assert_eq!(refused(basic, AUTHORIZATION, &[&right]), Err("header_malformed"));
    let own = "[sg.signature]\ntoken = \"header:X-Token\"";
    assert_eq!(refused(own, HeaderName::from_static("x-token"), &[SECRET]), Ok(Some(0)));
}

#[test]
fn what_softgarden_cannot_do_is_a_mistake_in_its_section() {
    for (more, key) in [
        ("hired_when = [\"Onboarding\"]", "sources.sg.hired_when[0]"),
        ("api_key = \"k\"", "sources.sg.api_key"),
        ("facts = { \"job.title\" = \"$.job\" }", "sources.sg.delivery"),
        ("[sg.signature]\nheader = \"x-signature\"", "sources.sg.signature"),
        ("[sg.signature]\ntoken = \"form:token\"", "sources.sg.signature"),
        ("[sg.signature]\naccept_unsigned = \"I know that anyone can send hires\"", "sources.sg.signature"),
        ("[sg.signature]\ntoken = \"basic\"", "sources.sg.signature.user"),
    ] {
        let mistakes = built(more).map(|_| ()).expect_err("is a mistake");
        assert_eq!(mistakes.iter().map(|mistake| mistake.key.as_str()).collect::<Vec<_>>(), [key], "{more}");
    }
}

#[test]
fn files_fit_into_a_body_unless_the_settings_say_otherwise() {
    let limit =
        |more: &str| built(more).expect("is right").named("sg").and_then(super::super::Source::body_limit);
    assert_eq!(limit(""), Some(ByteSize::mib(48)));
    assert_eq!(limit("body_limit = \"2MiB\""), Some(ByteSize::mib(2)));
    assert!(built("").expect("is right").named("sg").is_some_and(super::super::Source::has_tenants));
}
