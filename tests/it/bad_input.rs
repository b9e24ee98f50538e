//! Bad input: signed nonsense is kept for a person, unsigned nonsense learns nothing.

use bytes::Bytes;
use http_body_util::StreamBody;
use hyper::body::Frame;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::ashby::{self, candidate_hire, fixture, hire};
use crate::support::{House, Reply, SECRET, SENDER, Setup, is_problem};

const HOOK: &str = "/webhooks/ashby";

/// A delivery with these values of `Ashby-Signature`.
fn delivery(house: &House, path: &str, body: &[u8], signatures: &[&str]) -> RequestBuilder {
    let request = house.bare(Method::POST, path).body(body.to_vec());
    signatures.iter().fold(request, |request, signature| request.header("Ashby-Signature", *signature))
}

async fn listed(house: &House) -> Vec<Value> {
    house.get("/v1/hires").await.json()["hires"].as_array().expect("hires").clone()
}

/// What is wrong, the bytes, and what becomes of them when they are signed.
fn garbage() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let text = hire().to_string();
    let utf16 = text.encode_utf16().flat_map(u16::to_le_bytes);
    let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n)).into_bytes();
    let with = |place: &str, value: Value| {
        let mut body = candidate_hire(&format!("a{}", place.len()), "Mia Beispiel", "mia@example.org");
        *body.pointer_mut(place).expect("is there") = value;
        body.to_string().into_bytes()
    };
    let mut latin1 = text.clone().into_bytes();
    let name = text.find("Mia").expect("a name");
    latin1[name] = 0xfc;
    vec![
        ("empty", vec![], "held(unreadable)"),
        ("not JSON", b"action=candidateHire".to_vec(), "held(unreadable)"),
        ("truncated", text.as_bytes()[..text.len() / 2].to_vec(), "held(unreadable)"),
        ("followed by more", format!("{text}{text}").into_bytes(), "held(unreadable)"),
        ("with a byte order mark", format!("\u{feff}{text}").into_bytes(), "held(unreadable)"),
        ("UTF-16", [0xff, 0xfe].into_iter().chain(utf16).collect(), "held(unreadable)"),
        ("Latin-1", latin1, "held(unreadable)"),
        ("too deep", deep(65), "held(unreadable)"),
        ("far too deep", deep(100_000), "held(unreadable)"),
        ("no object", b"[]".to_vec(), "held(unreadable)"),
        ("no action", b"{\"data\":{}}".to_vec(), "held(unreadable)"),
        ("no application", with("/data/application", json!(null)), "held(unreadable)"),
        ("an id that is none", with("/data/application/id", json!("../a")), "held(unreadable)"),
        ("a wrong type", with("/data/application/candidate/name", json!(["Mia"])), "held(unreadable)"),
        ("a key twice", text.replacen("{\"id\"", "{\"id\":\"b\",\"id\"", 1).into_bytes(), "held(ambiguous)"),
        (
            "a key twice, escaped",
            text.replacen("{\"id\"", "{\"\\u0069d\":1,\"id\"", 1).into_bytes(),
            "held(ambiguous)",
        ),
    ]
}

#[tokio::test]
async fn signed_nonsense_is_kept_once_and_nothing_is_sent() {
    let house = House::new().await;
    let cases = garbage();
    for (n, (what, body, expected)) in cases.iter().enumerate() {
        let first = house.deliver_bytes(body).await;
        assert_eq!(
            (first.state().as_str(), &first.json()["duplicate"]),
            (*expected, &json!(false)),
            "{what}"
        );
        let again = house.deliver_bytes(body).await;
        assert_eq!((again.state().as_str(), &again.json()["duplicate"]), (*expected, &json!(true)), "{what}");
        assert_eq!(first.hire(), again.hire());
        let hire = house.hire(&first.hire()).await;
        assert_eq!(hire["notes"].as_array().map(Vec::len), Some(1), "why: {what}");
        assert_eq!(listed(&house).await.len(), n + 1, "{what}");
    }
    assert_eq!(house.sim.requests().len(), 0);
}

#[tokio::test]
async fn unsigned_nonsense_is_a_bad_signature_and_is_not_kept() {
    let house = House::new().await;
    let wrong = ashby::signature("another-secret-token", b"");
    for (what, body, _) in garbage() {
        for signatures in [&[][..], &[wrong.as_str()], &["sha256="], &[""]] {
            let reply = house.send(delivery(&house, HOOK, &body, signatures)).await;
            is_problem(&reply, 401, "signature");
            assert!(!reply.text.contains("Mia"), "{what}");
        }
    }
    assert_eq!((listed(&house).await.len(), house.sim.requests().len()), (0, 0));
}

#[tokio::test]
async fn a_right_delivery_mends_one_of_the_same_application_that_could_not_be_read() {
    let house = House::new().await;
    let mut body = hire();
    body["data"]["application"]["candidate"]["name"] = json!(["Mia"]);
    let wrong = house.deliver(&body).await;
    assert_eq!(wrong.state(), "held(unreadable)");
    let right = house.deliver(&hire()).await;
    assert_eq!((right.state().as_str(), right.hire()), ("created", wrong.hire()));
    assert_eq!(house.deliver(&body).await.state(), "created");
    assert_eq!(house.sim.creates(), 1);
}

#[tokio::test]
async fn what_can_be_read_in_two_ways_is_not_read_for_a_plan_either() {
    let sections = "[mapping.fields]\nposition = \"$.data.application.job.title\"\n";
    let house = House::with(Setup { sections: sections.into(), ..Setup::default() }).await;
    let text = hire().to_string().replacen("{\"id\"", "{\"id\":\"b\",\"id\"", 1);
    let id = house.deliver_bytes(text.as_bytes()).await.hire();
    let preview = house.post(&format!("/v1/hires/{id}/preview"), &json!({})).await.json();
    assert_eq!((&preview["plan"]["sendable"], &preview["plan"]["employee"]), (&json!(false), &json!({})));
}

#[tokio::test]
async fn a_signature_counts_only_when_it_is_the_one_and_right() {
    let house = House::new().await;
    let body = hire().to_string().into_bytes();
    let right = ashby::signature(SECRET, &body);
    let wrong = ashby::signature("another-secret-token", &body);
    let bare = right.trim_start_matches("sha256=").to_owned();
    let cases: [&[&str]; 9] = [
        &[&right, &wrong],
        &[&wrong, &right],
        &[&right, &right],
        &[&right, ""],
        &["", &right],
        &[&bare],
        &[&right.to_uppercase()],
        &[&right[..right.len() - 2]],
        &[&format!("{right}, {right}")],
    ];
    for signatures in cases {
        is_problem(&house.send(delivery(&house, HOOK, &body, signatures)).await, 401, "signature");
    }
    let mut changed = body.clone();
    changed.push(b' ');
    is_problem(&house.send(delivery(&house, HOOK, &changed, &[&right])).await, 401, "signature");
    assert_eq!(listed(&house).await.len(), 0);

    // Who guesses an address learns as little as who guesses a secret.
    let refused = house.send(delivery(&house, HOOK, &body, &[&wrong])).await;
    let unknown = house.send(delivery(&house, "/webhooks/nobody", &body, &[&right])).await;
    let names = |reply: &Reply| {
        let names: Vec<_> = reply.headers.keys().map(ToString::to_string).collect();
        (reply.status, reply.text.clone(), names)
    };
    assert_eq!(names(&refused), names(&unknown));
    is_problem(&unknown, 401, "signature");

    let slash = house.send(delivery(&house, "/webhooks/ashby/", &body, &[&right])).await;
    assert_eq!(slash.state(), "created");
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_however_it_comes() {
    let house = House::with(Setup { server: "body_limit = \"2KiB\"".into(), ..Setup::default() }).await;
    let small = candidate_hire("a-1", "Mia Beispiel", "mia@example.org").to_string();
    for (length, taken) in [(2048, true), (2049, false), (1 << 20, false)] {
        let body = [small.as_bytes(), &vec![b' '; length - small.len()]].concat();
        let signature = ashby::signature(SECRET, &body);
        let at_once = delivery(&house, HOOK, &body, &[&signature]);
        // A stream has no length that could be announced.
        let pieces: Vec<_> =
            body.chunks(100).map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece)))).collect();
        let stream = StreamBody::new(futures_util::stream::iter::<Vec<Result<_, std::io::Error>>>(pieces));
        let chunked = house.bare(Method::POST, HOOK).header("Ashby-Signature", &signature);
        for request in [at_once, chunked.body(reqwest::Body::wrap(stream))] {
            let reply = request.send().await;
            match reply {
                Ok(reply) => assert_eq!(reply.status(), if taken { 200 } else { 413 }),
                // One that is cut off while it still sends may miss the answer; it is not taken either.
                Err(_) => assert_eq!(length, 1 << 20),
            }
        }
    }
    assert_eq!(listed(&house).await.len(), 1);
    let refusals = house.get("/v1/sources").await.json()["sources"][0]["last_refusal"].clone();
    assert_eq!(refusals["reason"], "too_large");
}

#[tokio::test]
async fn other_methods_and_encodings_are_refused_by_name() {
    let house = House::new().await;
    for path in [HOOK, "/webhooks/ashby/"] {
        for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::PUT, Method::DELETE] {
            let reply = house.send(house.bare(method.clone(), path)).await;
            assert_eq!((reply.status.as_u16(), reply.headers["allow"].to_str().ok()), (405, Some("POST")));
            assert_eq!(reply.headers["content-type"], "application/problem+json");
            if method != Method::HEAD {
                is_problem(&reply, 405, "method_not_allowed");
            }
        }
    }
    let body = hire().to_string().into_bytes();
    let signature = ashby::signature(SECRET, &body);
    for encoding in ["gzip", "identity, gzip", "br"] {
        let request = delivery(&house, HOOK, &body, &[&signature]).header("Content-Encoding", encoding);
        is_problem(&house.send(request).await, 415, "content_encoding");
    }
    let plain = delivery(&house, HOOK, &body, &[&signature]).header("Content-Encoding", "identity");
    assert_eq!(house.send(plain).await.state(), "created");
}

#[tokio::test]
async fn other_events_are_ignored_with_their_reason() {
    let house = House::new().await;
    let with_status = |name: &str, status: &str| {
        let mut body = fixture(name);
        body["data"]["application"]["status"] = status.into();
        body["data"]["application"]["updatedAt"] = "2026-11-01T00:00:00.000Z".into();
        body
    };
    let cases = [
        (fixture("ping"), "ping"),
        (fixture("offerUpdate-accepted"), "event_not_used"),
        (fixture("pushToHRIS"), "event_not_used"),
        (fixture("signatureRequestUpdate-completed"), "api_key_missing"),
        (json!({"action": "jobUpdate", "data": {}}), "event_not_used"),
        (with_status("applicationUpdate-hired", "Active"), "not_hired"),
        (with_status("candidateStageChange-hired", "Archived"), "not_hired"),
        (json!({"action": "candidateTeleport", "data": hire()["data"]}), "unknown_event"),
        (json!({"action": "Mia Beispiel"}), "unknown_event"),
    ];
    for (body, reason) in &cases {
        let reply = house.deliver(body).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.json(), json!({"hire": null, "state": "ignored", "reason": reason}));
    }
    assert_eq!((listed(&house).await.len(), house.sim.requests().len()), (0, 0));
    let counted = house.get("/v1/sources").await.json()["sources"][0]["ignored"].clone();
    assert_eq!(
        counted,
        json!({"api_key_missing": 1, "event_not_used": 3, "not_hired": 2, "ping": 1, "unknown_event": 2})
    );
    // The same fixtures, hired, are one hire.
    for name in
        ["applicationUpdate-hired", "candidateStageChange-hired", "candidateHire", "candidateHire-no-offer"]
    {
        assert_eq!(house.deliver(&fixture(name)).await.state(), "created", "{name}");
    }
    assert_eq!(house.sim.creates(), 1);
}

#[tokio::test]
async fn a_ping_needs_no_signature_but_a_wrong_one_is_told() {
    let house = House::new().await;
    let ping = fixture("ping").to_string().into_bytes();
    let (right, wrong) = (ashby::signature(SECRET, &ping), ashby::signature("another-secret-token", &ping));
    for signatures in [&[][..], &[right.as_str()]] {
        let reply = house.send(delivery(&house, HOOK, &ping, signatures)).await;
        assert_eq!(reply.json(), json!({"hire": null, "state": "ignored", "reason": "ping"}));
    }
    for signatures in [&[wrong.as_str()][..], &[""], &["sha256="], &[&right, &right]] {
        is_problem(&house.send(delivery(&house, HOOK, &ping, signatures)).await, 401, "signature");
    }
    is_problem(&house.send(delivery(&house, "/webhooks/nobody", &ping, &[])).await, 401, "signature");
    // What only looks like a ping is none.
    let mut hidden = hire();
    hidden["action"] = "ping".into();
    let padded = format!("{}{}", fixture("ping"), " ".repeat(600));
    let twice = r#"{"action":"candidateHire","action":"ping","data":{"webhookActionType":"ping"}}"#;
    for body in [hidden.to_string(), padded, twice.to_owned()] {
        is_problem(&house.send(delivery(&house, HOOK, body.as_bytes(), &[])).await, 401, "signature");
    }
    assert_eq!(listed(&house).await.len(), 0);
}

#[tokio::test]
async fn while_secrets_rotate_both_count_and_it_shows_which_is_in_use() {
    let (old, new) = ("the-old-secret-token", "the-new-secret-token");
    let section = format!(
        "[sources.berlin]\nkind = \"ashby\"\naccount = \"berlin\"\nsecrets = [\"{old}\", \"{new}\"]\n"
    );
    let setup = Setup { ashby: "account = \"acme\"".into(), sections: section, ..Setup::default() };
    let house = House::with(setup).await;
    for (secret, status) in [(old, 200), (new, 200), (SECRET, 401), ("", 401)] {
        let body = hire().to_string().into_bytes();
        let signature = ashby::signature(secret, &body);
        let reply = house.send(delivery(&house, "/webhooks/berlin", &body, &[&signature])).await;
        assert_eq!(reply.status, status);
    }
    let sources = house.ask(Method::GET, "/v1/sources", SENDER, None).await.json()["sources"].clone();
    let used: Vec<_> =
        sources[1]["secrets"].as_array().expect("secrets").iter().map(|s| s["n"].clone()).collect();
    assert_eq!((used, &sources[1]["refusals"]), (vec![json!(1), json!(2)], &json!(2)));
    assert_eq!((&sources[0]["secrets"], house.sim.creates()), (&json!([]), 1));
}
