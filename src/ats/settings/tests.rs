use bytes::Bytes;
use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::super::{Event, Received, Refusal, Sources};
use super::*;
use crate::outbound::guard;

fn settings(text: &str) -> BTreeMap<String, Settings> {
    toml::from_str(text).expect("the test's TOML is right")
}

fn mistakes(text: &str) -> Vec<String> {
    let found = Sources::build(&settings(text), &Guard::default()).expect_err("there are mistakes");
    found.iter().map(ToString::to_string).collect()
}

const GOOD: &str = r#"
    [ashby]
    kind = "ashby"
    secrets = ["test-secret-token", "the-next-secret-token"]
"#;

#[test]
fn a_source_needs_only_its_kind_and_a_secret() {
    let sources = Sources::build(&settings(GOOD), &Guard::default()).expect("is right");
    let source = sources.named("ashby").expect("is there");
    assert_eq!((source.name(), source.kind(), source.account()), ("ashby", "ashby", "default"));
    assert_eq!(source.key("a").text(), "ashby/default/a");
    assert_eq!((source.settle(), source.wait()), (SignedDuration::from_secs(3), None));
    assert_eq!((source.name_split(), source.body_limit()), (NameSplitPolicy::Send, None));
    assert_eq!((source.manners().success, source.setup().event_to_choose), (200, "Candidate Hired"));
    assert!(sources.named("other").is_none());
    assert_eq!(sources.iter().count(), 1);
}

#[test]
fn a_source_may_say_everything() {
    let all = settings(
        r#"
        [acme-de]
        kind = "ashby"
        account = "acme"
        secrets = ["test-secret-token"]
        api_key = "key"
        api_base_url = "http://127.0.0.1:9999/ashby"
        hired_when = ["candidateHire", "pushToHRIS", "offerUpdate"]
        name_split = "review"
        settle = "500ms"
        wait = "2s"
        body_limit = "2MiB"
    "#,
    );
    let guard = Guard::open_to(&"http://127.0.0.1:9999".parse().expect("a URL"));
    let sources = Sources::build(&all, &guard).expect("is right");
    let source = sources.named("acme-de").expect("is there");
    assert_eq!((source.account(), source.name_split()), ("acme", NameSplitPolicy::Review));
    assert_eq!(source.settle(), SignedDuration::from_millis(500));
    assert_eq!(source.wait(), Some(SignedDuration::from_secs(2)));
    assert_eq!(source.body_limit(), Some(ByteSize::mib(2)));
}

#[test]
fn an_unknown_key_is_refused() {
    let wrong = toml::from_str::<BTreeMap<String, Settings>>("[ashby]\nkind = \"ashby\"\nsecret = \"x\"");
    assert!(wrong.is_err());
}

#[test]
fn all_mistakes_are_told_at_once_and_no_secret_is() {
    let told = mistakes(
        r#"
        ["My ATS"]
        kind = "ashbi"
        account = "a/b"
        secrets = ["short-4711", "", " test-secret-token"]
        api_key = ""
        api_base_url = "http://ashby.example.com"
        wait = "-1s"
        body_limit = "0B"

        [other]
        kind = "ashby"
        secrets = []
        hired_when = ["candidateHire", "pushToHRIS", "hired"]
    "#,
    );
    let keys: Vec<&str> = told.iter().filter_map(|line| line.split(": ").next()).collect();
    assert_eq!(
        keys,
        [
            "sources.My ATS",
            "sources.My ATS.account",
            "sources.My ATS.secrets[0]",
            "sources.My ATS.secrets[1]",
            "sources.My ATS.secrets[2]",
            "sources.My ATS.api_key",
            "sources.My ATS.api_base_url",
            "sources.My ATS.wait",
            "sources.My ATS.body_limit",
            "sources.My ATS.kind",
            "sources.other.secrets",
            "sources.other.hired_when[2]",
            "sources.other.hired_when",
        ]
    );
    let told = told.join("\n");
    assert!(told.contains("did you mean `ashby`?"), "{told}");
    assert!(told.contains("candidateHire, applicationUpdate, candidateStageChange, pushToHRIS, offerUpdate"));
    assert!(told.contains("`pushToHRIS` carries too little of a hire: it needs `api_key` as well"));
    assert!(!told.contains("4711") && !told.contains("test-secret-token"), "{told}");
}

#[test]
fn one_secret_twice_is_refused_within_a_source_and_between_two() {
    let told = mistakes(
        r#"
        [one]
        kind = "ashby"
        account = "one"
        secrets = ["test-secret-token", "test-secret-token"]
        [two]
        kind = "ashby"
        account = "two"
        secrets = ["test-secret-token"]
    "#,
    );
    assert_eq!(
        told,
        [
            "sources.one.secrets[1]: is the same as sources.one.secrets[0]",
            "sources.two.secrets[0]: is the same as sources.one.secrets[0]",
        ]
    );
}

#[test]
fn two_sources_of_one_kind_each_need_an_account_of_their_own() {
    let two = |first: &str, second: &str| {
        let account = |account: &str| {
            if account.is_empty() { String::new() } else { format!("account = \"{account}\"") }
        };
        format!(
            "[one]\nkind = \"ashby\"\nsecrets = [\"secret-number-one-\"]\n{}\n[two]\nkind = \"ashby\"\nsecrets = [\"secret-number-two-\"]\n{}",
            account(first),
            account(second)
        )
    };
    assert_eq!(
        mistakes(&two("", "acme")),
        ["sources.one.account: is needed: several sources are of kind `ashby`"]
    );
    assert_eq!(mistakes(&two("", "")).len(), 2);
    assert_eq!(
        mistakes(&two("acme", "acme")),
        [
            "sources.one.account: is the same as that of sources.two; each needs its own",
            "sources.two.account: is the same as that of sources.one; each needs its own",
        ]
    );
    assert!(Sources::build(&settings(&two("acme", "acme-us")), &Guard::default()).is_ok());
}

#[test]
fn http_is_taken_only_on_this_machine_and_where_it_is_allowed() {
    let with = |url: &str, allowed: &[&str]| {
        let allow = allowed.iter().map(|&host| host.to_owned()).collect();
        let guard = guard::Settings { allow, proxy: None }.guard().expect("hosts");
        let text = format!("{GOOD}\napi_key = \"key\"\napi_base_url = \"{url}\"");
        Sources::build(&settings(&text), &guard)
    };
    assert!(with("https://ashby.example.com", &[]).is_ok());
    let allowed = ["localhost", "127.8.0.1", "::1", "10.0.0.1"];
    for url in ["http://localhost:1", "http://127.8.0.1", "http://[::1]:1/", "https://10.0.0.1"] {
        assert!(with(url, &[]).is_err(), "{url}");
        assert!(with(url, &allowed).is_ok(), "{url}");
    }
    for url in
        ["http://10.0.0.1", "http://localhost.example.com", "ftp://localhost", "https://u:p@example.com"]
    {
        assert!(with(url, &allowed).is_err(), "{url}");
    }
}

/// A delivery to the source of [`GOOD`].
fn receive(signature: Option<&'static str>, body: &'static [u8]) -> Result<Received, Refusal> {
    let sources = Sources::build(&settings(GOOD), &Guard::default()).expect("is right");
    let header = |value| (HeaderName::from_static("ashby-signature"), HeaderValue::from_static(value));
    let headers = HeaderMap::from_iter(signature.map(header));
    let source = sources.named("ashby").expect("is there");
    let received =
        source.receive(&headers, Bytes::from_static(body), ByteSize::mib(1), Timestamp::UNIX_EPOCH)?;
    if let Received::Signed(verified) = &received {
        let delivery = source.read(verified).expect("is readable");
        assert_eq!(delivery.event, Event::Ignored { event: "ping".to_owned(), reason: "ping" });
        assert_eq!(delivery.payload["action"], "ping");
    }
    Ok(received)
}

#[test]
fn a_ping_is_answered_unsigned_or_signed_right_and_refused_signed_wrong() {
    const PING: &[u8] = br#"{"action":"ping","data":{"webhookActionType":"ping"}}"#;
    const RIGHT: &str = "sha256=e8f386345ca2994f0a6e05ab70a0b7046747494c020572a1fb853de8aef9e086";
    const WRONG: &str = "sha256=08f386345ca2994f0a6e05ab70a0b7046747494c020572a1fb853de8aef9e086";
    assert!(matches!(receive(None, PING), Ok(Received::Handshake("ping"))));
    assert!(matches!(receive(Some(RIGHT), PING), Ok(Received::Signed(_))));
    assert!(matches!(receive(Some(WRONG), PING), Err(Refusal::NoSecretMatches)));
    assert!(matches!(receive(Some(""), PING), Err(Refusal::HeaderEmpty)));
    assert!(matches!(receive(None, br#"{"action":"candidateHire"}"#), Err(Refusal::HeaderMissing)));
}
