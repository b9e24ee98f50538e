//! Senders without a file of their own: the recipes of the page, each with its payload, and what is refused.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{House, Reply, Setup, start_of_test};

const KEY: &str = "a-secret-of-the-test";

/// The key that the secret of the contract's source stands for.
const WHSEC_KEY: &[u8] = b"a-key-of-24-bytes-or-so!";

const PAGE: &str = include_str!("../../docs/ats/generic.md");

fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/fixtures/ats/generic/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The configuration that the page gives under a heading, with the test's secret in it.
fn recipe(heading: &str, secret: &str) -> String {
    let (_, after) = PAGE.split_once(&format!("# {heading}\n")).expect("the page has the heading");
    let (_, block) = after.split_once("```toml\n").expect("the recipe has a block");
    let (block, _) = block.split_once("```").expect("the block ends");
    let with_secret = block.lines().map(|line| match line.split_once("{ file = ") {
        Some((before, _)) if line.starts_with("secrets") => format!("{before}\"{secret}\"]"),
        _ => line.to_owned(),
    });
    with_secret.collect::<Vec<_>>().join("\n")
}

async fn house(sections: String) -> House {
    House::with(Setup { sections, ..Setup::default() }).await
}

fn tag(key: &[u8], message: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message)
}

fn signed(body: &[u8]) -> String {
    hex::encode(tag(KEY.as_bytes(), body))
}

async fn deliver(house: &House, source: &str, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Reply {
    let request = house.bare(Method::POST, &format!("/webhooks/{source}"));
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    house.send(request.body(body.into())).await
}

/// What became of a delivery: `created`, `ignored(…)`, or the status of a problem.
fn fate(reply: &Reply) -> String {
    if reply.status.is_success() { reply.state() } else { reply.status.as_str().to_owned() }
}

/// The payload with something else at a place.
fn with(body: &[u8], pointer: &str, value: Value) -> Vec<u8> {
    let mut body: Value = serde_json::from_slice(body).expect("JSON");
    *body.pointer_mut(pointer).expect("the place is there") = value;
    body.to_string().into_bytes()
}

/// What Personio got for a delivery that was created, by the plan.
async fn sent(house: &House, reply: &Reply) -> Value {
    assert_eq!(reply.state(), "created", "{}", reply.text);
    house.hire(&reply.hire()).await["plan"]["employee"].clone()
}

#[tokio::test]
async fn comeets_form_becomes_an_employee_with_everything_that_it_has() {
    let mapping = "[sources.comeet.mapping.fields]\nweekly_working_hours = \"custom.Weekly hours\"";
    let house = house(format!("{}\n{mapping}", recipe("Comeet", KEY))).await;
    let body = fixture("comeet-create_employee.json");
    let signature = format!("sha256 {}", signed(&body));
    let reply = deliver(&house, "comeet", &[("Signature", &signature)], body.clone()).await;
    let employee = sent(&house, &reply).await;
    for (attribute, value) in [
        ("first_name", json!("Zoë")),
        ("last_name", json!("Grünwald")),
        ("email", json!("zoe.gruenwald@example.org")),
        ("position", json!("Backend-Entwicklerin Rust")),
        ("department", json!("Platform Engineering")),
        ("office", json!("Leipzig")),
        ("hire_date", json!("2027-01-01")),
        ("weekly_working_hours", json!(38.5)),
    ] {
        assert_eq!(employee[attribute], value, "{attribute}");
    }
    let again = deliver(&house, "comeet", &[("Signature", &signature)], body.clone()).await;
    assert_eq!(again.hire(), reply.hire());
    assert_eq!(again.json()["duplicate"], true);
    assert_eq!(house.sim.creates(), 1);
    let bare = deliver(&house, "comeet", &[("Signature", &signed(&body))], body).await;
    assert_eq!(fate(&bare), "401", "without `sha256 ` it is not as Comeet writes it");
}

#[tokio::test]
async fn jazzhrs_export_is_a_hire_once_its_status_says_so_and_its_verification_never_is() {
    let house = house(recipe("JazzHR", KEY)).await;
    let post =
        async |headers: &[(&str, &str)], body: &[u8]| fate(&deliver(&house, "jazzhr", headers, body).await);
    let verify = fixture("jazzhr-verify.json");
    assert_eq!(post(&[], &verify).await, "ignored(handshake)");
    assert_eq!(post(&[("X-JazzHR-Signature", &signed(&verify))], &verify).await, "ignored(handshake)");
    assert_eq!(post(&[("X-JazzHR-Signature", &signed(b"x"))], &verify).await, "401", "a wrong secret shows");
    let active = with(
        &fixture("jazzhr-candidate_export.json"),
        "/candidate/profiles/0/associatedPositionOpenings/0/candidateStatus/category",
        json!("Active"),
    );
    assert_eq!(post(&[("X-JazzHR-Signature", &signed(&active))], &active).await, "ignored(not_hired)");
    let body = fixture("jazzhr-candidate_export.json");
    assert_eq!(post(&[], &body).await, "401");
    assert_eq!(house.sim.creates(), 0);
    let reply = deliver(&house, "jazzhr", &[("X-JazzHR-Signature", &signed(&body))], body.clone()).await;
    let employee = sent(&house, &reply).await;
    assert_eq!(employee["position"], "Backend-Entwicklerin Rust");
    assert_eq!((&employee["first_name"], &employee["last_name"]), (&json!("Zoë"), &json!("Grünwald")));
    let hire = house.hire(&reply.hire()).await;
    assert_eq!(hire["ats_id"], "prospect_20261019_ABC_job_1");
    assert!(hire["missing"].as_array().expect("a list").contains(&json!("hire_date")), "{hire}");
}

#[tokio::test]
async fn breezys_secret_is_the_key_as_it_stands_and_its_name_is_split() {
    let secret = "whsec_a1b2c3d4e5f6";
    let house = house(recipe("Breezy HR", secret)).await;
    let body = fixture("breezy-candidateStatusUpdated.json");
    let sign = |body: &[u8]| hex::encode(tag(secret.as_bytes(), body));
    let reply = deliver(&house, "breezy", &[("X-Hook-Signature", &sign(&body))], body.clone()).await;
    let employee = sent(&house, &reply).await;
    assert_eq!((&employee["first_name"], &employee["last_name"]), (&json!("Zoë"), &json!("Grünwald")));
    assert_eq!(employee["office"], "Leipzig, DE");
    for (pointer, value, expected) in [
        ("/object/stage/id", json!("interviewing"), "ignored(not_hired)"),
        ("/type", json!("candidateAdded"), "ignored(event_not_used)"),
        ("/object/stage", json!({}), "held(unreadable)"),
    ] {
        let other = with(&body, pointer, value);
        let reply = deliver(&house, "breezy", &[("X-Hook-Signature", &sign(&other))], other).await;
        assert_eq!(fate(&reply), expected, "{pointer}");
    }
    assert_eq!(house.sim.creates(), 1);
}

#[tokio::test]
async fn workables_move_is_a_hire_by_the_kind_of_its_stage() {
    let house = house(recipe("Workable", KEY)).await;
    let body = fixture("workable-candidate_moved.json");
    let reply = deliver(&house, "workable", &[("X-Workable-Signature", &signed(&body))], body.clone()).await;
    let employee = sent(&house, &reply).await;
    assert_eq!(employee["position"], "Backend-Entwicklerin Rust");
    assert_eq!(house.hire(&reply.hire()).await["ats_id"], "1f2e3d4c_8B1C2D3E4F");
    let offered = with(&body, "/data/stage_kind", json!("offer"));
    let reply = deliver(&house, "workable", &[("X-Workable-Signature", &signed(&offered))], offered).await;
    assert_eq!(fate(&reply), "ignored(not_hired)");
}

#[tokio::test]
async fn zohos_form_becomes_a_hire_and_its_token_is_kept_nowhere() {
    let secret = "static-shared-token";
    let house = house(recipe("Zoho Recruit", secret)).await;
    let body = fixture("zoho-workflow_webhook.form.txt");
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let reply = deliver(&house, "zoho", &form, body.clone()).await;
    let employee = sent(&house, &reply).await;
    assert_eq!((&employee["first_name"], &employee["last_name"]), (&json!("Zoë"), &json!("Grünwald")));
    let body = String::from_utf8(body).expect("text");
    assert_eq!(fate(&deliver(&house, "zoho", &form, body.replace("static-", "another-")).await), "401");
    assert_eq!(fate(&deliver(&house, "zoho", &form, body.replace("token=", "tokin=")).await), "401");
    let twice = format!("{body}&token=x");
    assert_eq!(fate(&deliver(&house, "zoho", &form, twice).await), "401");
    let path = format!("/v1/hires/{}/payload", reply.hire());
    let shown = house.get(&path).await;
    assert!(!shown.text.contains(secret), "{}", shown.text);
}

#[tokio::test]
async fn what_carries_ids_alone_is_taken_and_never_a_hire() {
    let house = house(format!(
        "{}\n{}",
        recipe("Kombo", KEY),
        recipe("Merge", KEY).replace(KEY, "another-secret-of-the-test")
    ))
    .await;
    let body = fixture("kombo-data-changed.json");
    let signature = URL_SAFE_NO_PAD.encode(tag(KEY.as_bytes(), &body));
    let reply = deliver(&house, "kombo", &[("X-Kombo-Signature", &signature)], body.clone()).await;
    assert_eq!(fate(&reply), "ignored(event_not_used)");
    assert_eq!(fate(&deliver(&house, "kombo", &[], body).await), "401");
    let body = fixture("merge-changed.json");
    let tag = tag(b"another-secret-of-the-test", &body);
    for signature in [URL_SAFE_NO_PAD.encode(tag), STANDARD.encode(tag)] {
        let headers = [("X-Merge-Webhook-Signature", &*signature)];
        let reply = deliver(&house, "merge", &headers, body.clone()).await;
        assert_eq!(fate(&reply), "ignored(event_not_used)");
    }
    assert_eq!(house.get("/v1/hires").await.json()["hires"], json!([]));
}

/// The headers of Standard Webhooks for a body that is sent now.
fn standard(id: &str, seconds: i64, body: &[u8]) -> [(&'static str, String); 3] {
    let message = [format!("{id}.{seconds}.").as_bytes(), body].concat();
    let signature = STANDARD.encode(tag(WHSEC_KEY, &message));
    [
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", seconds.to_string()),
        ("webhook-signature", format!("v1a,AAAA v1,{signature}")),
    ]
}

async fn deliver_standard(house: &House, id: &str, seconds: i64, body: &[u8]) -> Reply {
    let headers = standard(id, seconds, body);
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    deliver(house, "ours", &headers, body).await
}

#[tokio::test]
async fn our_contract_is_a_hire_in_the_form_of_standard_webhooks() {
    let secret = format!("whsec_{}", STANDARD.encode(WHSEC_KEY));
    let house = house(recipe("Our contract", &secret)).await;
    let now = start_of_test().as_second();
    let body = fixture("standard-webhooks-candidate.hired.json");
    let reply = deliver_standard(&house, "msg_1", now, &body).await;
    let employee = sent(&house, &reply).await;
    assert_eq!(employee["office"], "Leipzig");
    assert_eq!(employee["hire_date"], "2027-01-01");
    assert_eq!(house.hire(&reply.hire()).await["ats_id"], "98200417");
    // A repeat has a time of its own, the hire is the same.
    house.clock.advance(SignedDuration::from_mins(30));
    let repeat = deliver_standard(&house, "msg_1", now + 30 * 60, &body).await;
    assert_eq!((repeat.hire(), &repeat.json()["duplicate"]), (reply.hire(), &json!(true)));
    assert_eq!(fate(&deliver_standard(&house, "msg_1", now, &body).await), "401");
    let refusal = &house.get("/v1/sources").await.json()["sources"][1]["last_refusal"]["reason"].clone();
    assert_eq!(refusal, "timestamp_old");
    let other = with(&body, "/type", json!("candidate.rejected"));
    let ignored = deliver_standard(&house, "msg_2", now + 30 * 60, &other).await;
    assert_eq!(fate(&ignored), "ignored(event_not_used)");
    assert_eq!(house.sim.creates(), 1);
}

#[tokio::test]
async fn the_contract_as_the_page_shows_it_is_a_hire() {
    let secret = format!("whsec_{}", STANDARD.encode(WHSEC_KEY));
    let house = house(recipe("Our contract", &secret)).await;
    let (_, after) = PAGE.split_once("```json\n").expect("the page has an example");
    let (example, _) = after.split_once("```").expect("it ends");
    let now = start_of_test().as_second();
    let reply = deliver_standard(&house, "msg_1", now, example.as_bytes()).await;
    assert_eq!(reply.state(), "created", "{}", reply.text);
}

const BARE: &str = r#"
[sources.any]
kind = "generic"
secrets = ["a-secret-of-the-test"]
body_limit = "64KiB"
[sources.any.signature]
header = "x-signature"
[sources.any.facts]
"candidate.full_name" = "$.name"
"candidate.email" = "$.email"
[sources.any.delivery]
application = "$.id"
"#;

/// A source with these lines for `[sources.any.delivery]`.
async fn any(delivery: &str) -> House {
    house(format!("{BARE}{delivery}")).await
}

const HIRE: &[u8] = br#"{"id": 7, "name": "Mia Beispiel", "email": "mia@example.org"}"#;

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut packed, content).expect("memory takes it");
    packed.finish().expect("memory takes it")
}

#[tokio::test]
async fn a_compressed_body_is_taken_where_it_is_declared_and_bounded_while_it_is_unpacked() {
    let house = any("gzip = true").await;
    let packed = gzip(HIRE);
    let post = async |body: &[u8], encoding: &str| {
        let signature = signed(body);
        let headers = [("x-signature", &*signature), ("content-encoding", encoding)];
        deliver(&house, "any", &headers, body).await
    };
    let reply = post(&packed, "gzip").await;
    assert_eq!(reply.state(), "created", "{}", reply.text);
    assert_eq!(post(HIRE, "identity").await.hire(), reply.hire(), "one that is not compressed is the same");
    assert_eq!(post(&packed, "identity").await.hire(), reply.hire(), "some do not say that they compress");
    let bomb = gzip(&vec![b' '; 10 << 20]);
    assert!(bomb.len() < 64 << 10);
    assert_eq!(fate(&post(&bomb, "gzip").await), "413");
    let reason = house.get("/v1/sources").await.json()["sources"][0]["last_refusal"]["reason"].clone();
    assert_eq!(reason, "unpacked_too_large");
    assert_eq!(fate(&post(&packed[..packed.len() - 9], "gzip").await), "held(unreadable)");
    assert_eq!(fate(&post(&packed, "br").await), "415");
    let unsigned = deliver(&house, "any", &[("content-encoding", "gzip")], bomb).await;
    assert_eq!(fate(&unsigned), "401", "nothing is unpacked for a stranger");
}

#[tokio::test]
async fn where_it_is_not_declared_a_compressed_body_is_refused() {
    let house = any("").await;
    let packed = gzip(HIRE);
    let signature = signed(&packed);
    let headers = [("x-signature", &*signature), ("content-encoding", "gzip")];
    assert_eq!(fate(&deliver(&house, "any", &headers, packed).await), "415");
}

#[tokio::test]
async fn an_echo_is_sent_back_and_is_never_a_hire() {
    let house = any("handshake = { echo = \"x-hook-secret\" }\nsuccess = 202").await;
    let secret = ("X-Hook-Secret", "n0nce");
    let right = signed(HIRE);
    for headers in [vec![secret], vec![secret, ("x-signature", &right)]] {
        let reply = deliver(&house, "any", &headers, HIRE).await;
        assert_eq!(
            (reply.status.as_u16(), &reply.headers["x-hook-secret"]),
            (202, &"n0nce".parse().expect("a value"))
        );
        assert_eq!(reply.state(), "ignored(handshake)");
    }
    let wrong = signed(b"x");
    let refused = deliver(&house, "any", &[secret, ("x-signature", &wrong)], HIRE).await;
    assert_eq!(fate(&refused), "401");
    assert!(!refused.headers.contains_key("x-hook-secret"));
    let long = "n".repeat(513);
    for headers in [vec![("x-hook-secret", "")], vec![("x-hook-secret", &*long)], vec![secret, secret]] {
        assert_eq!(fate(&deliver(&house, "any", &headers, HIRE).await), "401");
    }
    assert_eq!(house.sim.creates(), 0);
    let reply = deliver(&house, "any", &[("x-signature", &right)], HIRE).await;
    assert_eq!((reply.status.as_u16(), reply.json()["state"].as_str()), (202, Some("created")));
    assert!(!reply.headers.contains_key("x-hook-secret"));
}

#[tokio::test]
async fn an_event_may_be_told_by_a_header() {
    let house = any("event = { header = \"x-event\", is = [\"hired\", \"started\"] }\nid = \"header:x-delivery\"\nhandshake = { header = \"x-event\", is = \"verify\" }").await;
    let signature = signed(HIRE);
    let post = async |event: &[(&str, &str)], signed: bool| {
        let mut headers = event.to_vec();
        headers.extend(signed.then_some(("x-signature", &*signature)));
        fate(&deliver(&house, "any", &headers, HIRE).await)
    };
    assert_eq!(post(&[("x-event", "verify")], false).await, "ignored(handshake)");
    assert_eq!(post(&[("x-event", "verify")], true).await, "ignored(handshake)");
    assert_eq!(post(&[("x-event", "rejected")], true).await, "ignored(event_not_used)");
    assert_eq!(post(&[("x-event", "hired"), ("x-event", "rejected")], true).await, "ignored(event_not_used)");
    assert_eq!(post(&[], true).await, "ignored(event_not_used)");
    assert_eq!(post(&[("x-event", "hired")], false).await, "401");
    assert_eq!(house.sim.creates(), 0);
    assert_eq!(post(&[("x-event", "started")], true).await, "created");
}

#[tokio::test]
async fn a_value_of_another_kind_holds_the_hire_and_names_its_place() {
    let house = any("").await;
    let body = br#"{"id": 7, "name": "Mia Beispiel", "email": {"address": "mia@example.org"}}"#;
    let reply = deliver(&house, "any", &[("x-signature", &signed(body))], body.as_slice()).await;
    assert_eq!(fate(&reply), "held(unreadable)");
    let hire = house.hire(&reply.hire()).await;
    assert_eq!(hire["ats_id"], "7");
    assert!(hire["notes"].to_string().contains(":$.email"), "{}", hire["notes"]);
    for body in [&br#"{"id": "a/b"}"#[..], br#"{"id": ""}"#, br#"{"id": [1]}"#, br#"{"name": "Mia"}"#] {
        let reply = deliver(&house, "any", &[("x-signature", &signed(body))], body).await;
        assert_eq!(fate(&reply), "held(unreadable)", "{}", body.escape_ascii());
    }
    assert_eq!(house.sim.creates(), 0);
}

#[tokio::test]
async fn whoever_is_let_in_unsigned_is_so_only_where_the_sentence_stands() {
    let open = BARE
        .replace("secrets = [\"a-secret-of-the-test\"]\n", "")
        .replace("header = \"x-signature\"", "accept_unsigned = \"I know that anyone can send hires\"");
    let house = house(open).await;
    assert_eq!(deliver(&house, "any", &[], HIRE).await.state(), "created");
    let sources = house.get("/v1/sources").await.json();
    assert_eq!(sources["sources"][0]["secrets"], json!([]));
}
