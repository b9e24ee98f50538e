use serde_json::json;

use super::super::Sources;
use super::*;
use crate::domain::facts::{NAMES, kind_of};

const SOUND: &str = r#"
    [any]
    kind = "generic"
    secrets = ["test-secret-token"]
    [any.signature]
    header = "x-signature"
    [any.facts]
    "candidate.email" = "$.email"
    [any.delivery]
    application = "$.id"
"#;

fn built(text: &str) -> Result<Sources, Vec<String>> {
    let settings = toml::from_str(text).expect("the test's TOML is right");
    let built = Sources::build(&settings, &Guard::default());
    built.map_err(|wrong| wrong.iter().map(ToString::to_string).collect())
}

fn mistakes(text: &str) -> Vec<String> {
    built(text).expect_err("something is wrong")
}

/// What the source of [`SOUND`], with these facts, reads.
fn facts(facts: &str, payload: &Value) -> Result<Facts, Misread> {
    let text = SOUND.replace("\"candidate.email\" = \"$.email\"", facts);
    let sources = built(&text).expect("is right");
    match sources.named("any").expect("is there").read_payload(payload)? {
        Event::Hire(hired) => Ok(hired.facts),
        event => panic!("is a hire: {event:?}"),
    }
}

#[test]
fn every_mistake_says_where_it_is_and_what_to_do() {
    for (from, to, told) in [
        ("[any.signature]\n    header = \"x-signature\"\n", "", "sources.any.signature: is needed"),
        ("header = \"x-signature\"", "preset = \"lever\"", "sources.any.signature.signed: must cover {body}"),
        (
            "header = \"x-signature\"",
            "token = \"form:token\"",
            "sources.any.signature.token: is a form's field",
        ),
        ("header = \"x-signature\"", "heads = 1", ""),
        ("application = \"$.id\"", "", "sources.any.delivery.application: is needed"),
        ("application = \"$.id\"", "application = []", "sources.any.delivery.application: is needed"),
        (
            "application = \"$.id\"",
            "application = \"id\"",
            "sources.any.delivery.application: is no JSONPath",
        ),
        (
            "application = \"$.id\"",
            "application = \"$.id\"\nsuccess = 410",
            "sources.any.delivery.success: must be",
        ),
        (
            "application = \"$.id\"",
            "application = \"$.id\"\nevent = { is = \"a\" }",
            "sources.any.delivery.event: needs either",
        ),
        (
            "application = \"$.id\"",
            "application = \"$.id\"\nhired = { path = \"$\", header = \"a\", is = \"a\" }",
            "sources.any.delivery.hired: needs either",
        ),
        (
            "application = \"$.id\"",
            "application = \"$.id\"\nhandshake = { echo = \"a\", is = \"a\" }",
            "sources.any.delivery.handshake: needs either `echo`",
        ),
        (
            "application = \"$.id\"",
            "application = \"$.id\"\nid = \"header:a b\"",
            "sources.any.delivery.id: is not the name of a header",
        ),
        (
            "candidate.email",
            "candidate.mail",
            "sources.any.facts.candidate.mail: is no fact; did you mean `candidate.email`?",
        ),
        ("\"candidate.email\" = \"$.email\"", "", "sources.any.facts: is needed"),
        ("\"$.email\"", "\"email\"", "sources.any.facts.candidate.email: is no JSONPath"),
        (
            "kind = \"generic\"",
            "kind = \"generic\"\nhired_when = [\"a\"]",
            "sources.any.hired_when: has no meaning",
        ),
        ("kind = \"generic\"", "kind = \"generic\"\napi_key = \"a\"", "sources.any.api_key: has no meaning"),
        ("kind = \"generic\"", "kind = \"ashby\"", "sources.any.signature: is known of `ashby`"),
        (
            "kind = \"generic\"",
            "kind = \"standard-webhooks\"",
            "sources.any.delivery: and `facts` are those of the contract",
        ),
        ("test-secret-token", "short", "sources.any.secrets[0]: is too short"),
        ("secrets = [\"test-secret-token\"]", "", "sources.any.secrets: needs at least one secret"),
    ] {
        let text = SOUND.replace(from, to);
        assert_ne!(text, SOUND, "{from}");
        if told.is_empty() {
            assert!(toml::from_str::<std::collections::BTreeMap<String, Settings>>(&text).is_err());
            continue;
        }
        let found = mistakes(&text);
        assert!(found.iter().any(|line| line.starts_with(told)), "{told}: {found:?}");
    }
}

#[test]
fn who_lets_everybody_in_has_no_secret() {
    let open = "accept_unsigned = \"I know that anyone can send hires\"";
    let with_secret = SOUND.replace("header = \"x-signature\"", open);
    assert!(mistakes(&with_secret)[0].starts_with("sources.any.secrets[0]: is of no use"));
    assert!(built(&with_secret.replace("secrets = [\"test-secret-token\"]", "")).is_ok());
}

#[test]
fn each_kind_of_fact_takes_what_it_can_be() {
    let payload = json!({
        "id": 7, "n": 4711, "t": "text", "e": "", "o": {"a": 1}, "l": ["a", 2], "half": "38.5", "x": null,
        "m": ["a@example.org", {"address": "b@example.org", "kind": "work"}],
    });
    for (fact, expected) in [
        ("\"job.id\" = \"$.n\"", Some(json!("4711"))),
        ("\"job.title\" = \"$.t\"", Some(json!("text"))),
        ("\"job.title\" = [\"$.e\", \"$.x\", \"$.t\"]", Some(json!("text"))),
        ("\"job.title\" = \"$.o\"", None),
        ("\"job.title\" = \"$.l\"", None),
        ("\"offer.weekly_hours\" = \"$.half\"", Some(json!("38.5"))),
        ("\"offer.weekly_hours\" = \"$.t\"", None),
        ("\"offer.start_date\" = \"$.t\"", Some(json!("text"))),
        ("\"offer.start_date\" = \"$.n\"", None),
        ("\"job.tags\" = \"$.l\"", Some(json!(["a", "2"]))),
        ("\"job.tags\" = [\"$.l[*]\"]", Some(json!(["a", "2"]))),
        ("\"job.tags\" = \"$.o\"", None),
        (
            "\"candidate.emails\" = \"$.m\"",
            Some(json!([{"address": "a@example.org"}, {"address": "b@example.org", "kind": "work"}])),
        ),
        ("\"candidate.emails\" = \"$.o\"", None),
        ("\"custom.Any\" = \"$.o\"", Some(json!({"a": 1}))),
        ("\"custom.Any\" = \"$.l[*]\"", Some(json!(["a", 2]))),
    ] {
        let name = fact.split('"').nth(1).expect("a name");
        match (facts(fact, &payload), expected) {
            (Ok(facts), Some(expected)) => assert_eq!(facts.value(name), Some(&expected), "{fact}"),
            (Err(misread), None) => {
                assert_eq!(misread.application.as_deref(), Some("7"), "{fact}");
                assert!(misread.path.is_some_and(|path| path.starts_with("$.")), "{fact}");
            }
            (told, _) => panic!("{fact}: {told:?}"),
        }
    }
    let unknown = facts("\"job.title\" = \"$.nowhere\"", &payload).expect("is readable");
    assert_eq!(unknown.value("job.title"), None);
}

#[test]
fn a_title_that_is_named_goes_before_all_members_of_an_object() {
    let payload =
        json!({"id": 7, "a": {"Shirt": "M", "Shoes": 43}, "b": [{"Shirt": "L"}, {"Hat": "S"}], "c": "XL"});
    let all = facts("\"custom.*\" = [\"$.a\", \"$.b[*]\"]", &payload).expect("is readable");
    let told = |facts: &Facts, title: &str| facts.value(&format!("custom.{title}")).cloned();
    assert_eq!(told(&all, "Shirt"), Some(json!("M")), "the first of equal titles");
    assert_eq!((told(&all, "Shoes"), told(&all, "Hat")), (Some(json!(43)), Some(json!("S"))));
    let named = facts("\"custom.*\" = \"$.a\"\n\"custom.Shirt\" = \"$.c\"", &payload).expect("is readable");
    assert_eq!(told(&named, "Shirt"), Some(json!("XL")));
    assert!(facts("\"custom.*\" = \"$.c\"", &payload).is_err());
}

#[test]
fn one_name_is_split_only_where_there_are_no_two() {
    let one = "\"candidate.full_name\" = \"$.name\"\n\"candidate.last_name\" = \"$.last\"";
    let payload = json!({"id": 7, "name": "Mia van der Berg"});
    let split = facts(one, &payload).expect("is readable");
    assert_eq!(split.text("candidate.last_name"), Some("van der Berg"));
    let told =
        facts(one, &json!({"id": 7, "name": "Mia van der Berg", "last": "Berg"})).expect("is readable");
    assert_eq!((told.text("candidate.first_name"), told.text("candidate.last_name")), (None, Some("Berg")));
}

#[test]
fn our_contract_takes_every_fact_by_its_name() {
    let text = "[ours]\nkind = \"standard-webhooks\"\nsecrets = [\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"]";
    let sources = built(text).expect("is right");
    let source = sources.named("ours").expect("is there");
    let mut data = json!({"source_id": "a-1", "custom": {"Shirt": "M"}});
    for (name, kind) in NAMES {
        let (group, field) = name.split_once('.').expect("a group and a field");
        data[group][field] = match kind {
            crate::domain::facts::Kind::List => json!(["x"]),
            crate::domain::facts::Kind::Emails => json!([{"address": "x@example.org"}]),
            crate::domain::facts::Kind::Number => json!(7),
            _ => json!("x"),
        };
    }
    let payload = json!({"type": "candidate.hired", "timestamp": "2026-10-19T14:05:10Z", "data": data});
    let Ok(Event::Hire(hired)) = source.read_payload(&payload) else { panic!("is a hire") };
    for (name, _) in NAMES {
        assert!(hired.facts.value(name).is_some(), "{name}");
    }
    assert_eq!(hired.facts.text("custom.Shirt"), Some("M"));
    assert_eq!((hired.application.as_str(), hired.event.as_str()), ("a-1", "candidate.hired"));
    assert_eq!(hired.at, "2026-10-19T14:05:10Z".parse().ok());
    assert!(settings::standard().facts.keys().all(|name| name == "custom.*" || kind_of(name).is_some()));
}

#[test]
fn a_form_is_an_object_whose_doubled_fields_are_lists() {
    let form = |body: &str, secret| {
        let json = unpack::form(body.as_bytes(), secret).expect("is a form");
        serde_json::from_slice::<Value>(&json).expect("is JSON")
    };
    assert_eq!(
        form("a=1&b=Zo%C3%AB+G&a=2&a=3&c", None),
        json!({"a": ["1", "2", "3"], "b": "Zoë G", "c": ""})
    );
    assert_eq!(form("a=1&token=s\r\n", Some("token")), json!({"a": "1"}));
    assert_eq!(unpack::form(b" {\"a\": 1}", None), None, "what is JSON stays JSON");
}
