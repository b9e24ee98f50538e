//! Greenhouse's hires over HTTP: signed over bytes that carry escapes, whole in one delivery, files behind links.

use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::hmac;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::storage::{Gives, Storage};
use crate::support::{House, Reply, Setup, is_problem, notes, state, text};

const SECRET: &str = "gh-secret-key-0123456789abcdef";
const NEXT: &str = "gh-next-secret-of-the-test";

const SIGNATURE: &str = "Signature";

/// A house with a source `greenhouse` whose documents go to the simulator's categories.
async fn house() -> House {
    let sections = format!(
        "[sources.greenhouse]\nkind = \"greenhouse\"\nsecrets = [\"{SECRET}\", \"{NEXT}\"]\n\
         documents = {{ resume = \"CVs\", signed_offer = \"Contracts\" }}\n\
         [sources.greenhouse.mapping.fields]\ngender = \"custom.gender\"\n\
         dynamic_101 = \"custom.Cost centre\"\n"
    );
    House::with(Setup { sections, ..Setup::default() }).await
}

fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/ats/greenhouse/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).expect("the fixture is there")).expect("JSON")
}

/// The hire whose files lie at this storage.
fn hire(storage: &Storage) -> Value {
    let mut hire = fixture("hire_candidate");
    let attachments = hire.pointer_mut("/payload/application/candidate/attachments").expect("files");
    for (index, handle) in ["cv", "offer"].into_iter().enumerate() {
        attachments[index]["url"] = storage.link(handle).into();
    }
    hire
}

/// The body as Greenhouse writes it: other characters than ASCII are escaped, and so are `<`, `>` and `&`.
fn escaped(body: &Value) -> Vec<u8> {
    let (text, mut bytes) = (body.to_string(), Vec::new());
    for c in text.chars() {
        if c.is_ascii() && !"<>&".contains(c) {
            bytes.push(c as u8);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            bytes.extend(format!("\\u{unit:04x}").into_bytes());
        }
    }
    bytes
}

fn signature(secret: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    format!("sha256 {}", hex::encode(hmac::sign(&key, body)))
}

/// Posts these bytes with these values of the signature's header.
async fn post(house: &House, body: &[u8], signatures: &[&str]) -> Reply {
    let mut request = house.bare(Method::POST, "/webhooks/greenhouse").body(body.to_vec());
    for signature in signatures {
        request = request.header(SIGNATURE, *signature);
    }
    house.send(request.header("Greenhouse-Event-ID", "3ce5180d-9119-4ddc-9ef6-21edb6e76f8a")).await
}

async fn deliver(house: &House, body: &Value) -> Reply {
    let body = escaped(body);
    post(house, &body, &[&signature(SECRET, &body)]).await
}

/// `kind state` of each document.
fn documents(hire: &Value) -> Vec<String> {
    let all = hire["documents"].as_array().expect("documents").iter();
    all.map(|one| format!("{} {}", text(&one["kind"]), state(one))).collect()
}

#[tokio::test]
async fn a_hire_arrives_with_its_facts_and_documents_and_once() {
    let storage = Storage::start().await;
    for handle in ["cv", "offer"] {
        storage.keeps(handle, Gives::pdf(handle));
    }
    let house = house().await;
    let answer = deliver(&house, &hire(&storage)).await;
    assert_eq!((answer.status, answer.state().as_str()), (StatusCode::OK, "created"));
    let id = answer.hire();
    house.hire(&id).await;
    house.pass(SignedDuration::from_secs(1)).await;
    let shown = house.hire(&id).await;
    let person = house.sim.employees()[0].person.clone();
    assert_eq!((person.first_name.as_str(), person.last_name.as_str()), ("Zoë", "Grünwald-Ó Briain"));
    assert_eq!(person.email, "zoe.gruenwald@example.org");
    assert_eq!(person.position.as_deref(), Some("Backend-Entwicklerin Rust"));
    assert_eq!(person.hire_date.map(|date| date.to_string()).as_deref(), Some("2027-01-01"));
    assert_eq!(person.custom_attributes["dynamic_101"], "4210");
    assert_eq!(documents(&shown), ["resume sent", "signed_offer sent"]);
    let stored = house.sim.documents();
    let mut names: Vec<_> = stored.iter().map(|one| (one.category_id, one.file_name.as_str())).collect();
    names.sort_unstable();
    assert_eq!(names, [(1, "vertrag_signiert.pdf"), (2, "cv_gruenwald.pdf")]);
    // Links are opened at once and without any key; a repeat, also under the other secret, is the same hire.
    assert_eq!(storage.visits(), ["cv", "offer"]);
    let again = escaped(&hire(&storage));
    let repeat = post(&house, &again, &[&signature(NEXT, &again)]).await;
    assert_eq!((repeat.hire(), &repeat.json()["duplicate"]), (id.clone(), &json!(true)));
    house.pass(SignedDuration::from_secs(1)).await;
    assert_eq!((house.sim.creates(), house.sim.documents().len()), (1, 2));
    assert!(!shown.to_string().contains("X-Amz"), "no link shows");
}

#[tokio::test]
async fn what_is_not_signed_as_greenhouse_signs_is_refused() {
    let house = house().await;
    let body = escaped(&fixture("hire_candidate"));
    let right = signature(SECRET, &body);
    let wrong = signature("another-secret-of-somebody", &body);
    let ashbys = signature(crate::support::SECRET, &body);
    let upper = format!("sha256 {}", right["sha256 ".len()..].to_uppercase());
    let flipped = right.replace("sha256 ", "sha256=");
    let resolved = fixture("hire_candidate").to_string().into_bytes();
    assert_ne!(body, resolved);
    for (body, signatures) in [
        (&body, &[][..]),
        (&body, &[""]),
        (&body, &[wrong.as_str()]),
        (&body, &[&ashbys]),
        (&body, &[&right, &wrong]),
        (&body, &[&wrong, &right]),
        (&body, &[&right, &right]),
        (&body, &[&upper]),
        (&body, &[&flipped]),
        (&resolved, &[&right]),
    ] {
        is_problem(&post(&house, body, signatures).await, 401, "signature");
    }
    let sources = house.get("/v1/sources").await.text;
    assert!(sources.contains("no_secret_matches"), "{sources}");
    assert_eq!((house.get("/v1/hires").await.json()["hires"].clone(), house.sim.creates()), (json!([]), 0));
    assert_eq!(post(&house, &body, &[&right]).await.state(), "created");
}

#[tokio::test]
async fn a_ping_and_every_other_event_is_answered_200_and_nothing_becomes_of_it() {
    let house = house().await;
    for (body, reason) in [
        (json!({"action": "ping", "payload": {"web_hook": {"id": 1}}}), "ignored(ping)"),
        (json!({"action": "delete_candidate", "payload": {"person": {"id": 1}}}), "ignored(event_not_used)"),
        (json!({"web_hook": {"id": 1}}), "ignored(event_not_used)"),
        (fixture("unhire_candidate"), "ignored(not_hired)"),
    ] {
        let answer = deliver(&house, &body).await;
        assert_eq!((answer.status, answer.state().as_str()), (StatusCode::OK, reason));
        assert_eq!(answer.json()["hire"], Value::Null);
    }
    assert_eq!(house.get("/v1/hires").await.json()["hires"], json!([]));
}

#[tokio::test]
async fn a_hire_that_is_taken_back_is_flagged_and_hired_again_a_person_decides() {
    let storage = Storage::start().await;
    let house = house().await;
    let id = deliver(&house, &hire(&storage)).await.hire();
    let answer = deliver(&house, &fixture("unhire_candidate")).await;
    assert_eq!((answer.hire(), answer.state()), (id.clone(), "created".into()));
    let flagged = house.hire(&id).await;
    assert_eq!(flagged["flags"]["unhired"], true, "{flagged}");
    // Taken back before it came: nobody can tell whether the hire is a new one.
    let house = self::house().await;
    assert_eq!(deliver(&house, &fixture("unhire_candidate")).await.state(), "ignored(not_hired)");
    let late = deliver(&house, &hire(&storage)).await;
    assert_eq!((late.state().as_str(), house.sim.creates()), ("held(review)", 0));
    assert!(notes(&house.hire(&late.hire()).await).contains(&"order_unclear"));
}

#[tokio::test]
async fn a_link_to_another_host_than_the_storage_is_never_opened() {
    for (url, host) in [
        ("https://files.example.org/cv.pdf?X-Amz-Signature=abc", "files.example.org"),
        ("https://10.0.0.7/cv.pdf", "10.0.0.7"),
        ("http://localhost:9/cv.pdf", "localhost"),
    ] {
        let house = house().await;
        let mut body = fixture("hire_candidate");
        let attachments = body.pointer_mut("/payload/application/candidate/attachments").expect("files");
        *attachments = json!([{"filename": "cv.pdf", "url": url, "type": "resume"}]);
        let id = deliver(&house, &body).await.hire();
        house.hire(&id).await;
        house.pass(SignedDuration::from_secs(1)).await;
        let hire = house.hire(&id).await;
        assert_eq!(
            (state(&hire).as_str(), documents(&hire)),
            ("created", vec!["resume failed(link_forbidden)".into()])
        );
        assert_eq!(hire["documents"][0]["said"], host, "whoever decides has to know it");
    }
}

#[tokio::test]
async fn a_hire_of_another_shape_waits_for_a_person_with_the_place() {
    let house = house().await;
    let mut body = fixture("hire_candidate");
    body["payload"]["application"]["offer"]["starts_at"] = json!(20_270_101);
    let answer = deliver(&house, &body).await;
    assert_eq!((answer.status, answer.state().as_str()), (StatusCode::OK, "held(unreadable)"));
    let hire = house.hire(&answer.hire()).await;
    assert_eq!(notes(&hire), ["unexpected_shape:$.payload.application.offer.starts_at"]);
    assert_eq!(hire["ats_id"], "98200417");
}

/// Greenhouse's tokens and notes; whatever was asked.
#[derive(Clone, Default)]
struct Harvest {
    refuses: bool,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Harvest {
    async fn listens(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("is bound"));
        let router = axum::Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn answer(State(harvest): State<Harvest>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
    let part = |name| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("-");
    let asked =
        [part(header::AUTHORIZATION), part(header::CONTENT_TYPE), &String::from_utf8_lossy(&body)].join(" ");
    let asked = format!("{} {} {asked}", head.method, head.uri.path());
    harvest.asked.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
    match head.uri.path() {
        _ if harvest.refuses => StatusCode::FORBIDDEN.into_response(),
        "/token" => axum::Json(json!({"access_token": "a-token", "token_type": "Bearer"})).into_response(),
        _ => (StatusCode::CREATED, axum::Json(json!({"id": 1}))).into_response(),
    }
}

async fn noting(url: &str, more: &str) -> House {
    let sections = format!(
        "[sources.greenhouse]\nkind = \"greenhouse\"\nsecrets = [\"{SECRET}\"]\n{more}\n\
         [sources.greenhouse.note]\nclient_id = \"an-id\"\nclient_secret = \"a-secret\"\nuser = \"4080\"\n\
         auth_url = \"{url}\"\nurl = \"{url}\"\n"
    );
    House::with(Setup { sections, ..Setup::default() }).await
}

#[tokio::test]
async fn a_note_says_that_the_hire_is_in_personio_and_one_that_fails_costs_nothing() {
    let body = fixture("hire_candidate");
    let candidate = body.pointer("/payload/application/candidate/id").cloned().expect("an id");
    let harvest = Harvest::default();
    let house = noting(&harvest.listens().await, "").await;
    let delivered = deliver(&house, &body).await;
    assert_eq!(delivered.state(), "created");
    let basic = STANDARD.encode("an-id:a-secret");
    let asked = harvest.asked();
    assert_eq!(
        asked[0],
        format!(
            "POST /token Basic {basic} application/x-www-form-urlencoded grant_type=client_credentials&sub=4080"
        )
    );
    let (head, note) = asked[1].split_once('{').expect("a body");
    assert_eq!(head, "POST /v3/notes Bearer a-token application/json ");
    let note: Value = serde_json::from_str(&format!("{{{note}")).expect("JSON");
    assert_eq!(
        (&note["candidate_id"], &note["user_id"], &note["note_type"], &note["visibility"]),
        (&candidate, &json!(4080), &json!("NOTE"), &json!("public"))
    );
    assert!(
        note["body"].as_str().is_some_and(|words| words.starts_with("In Personio since 2026-12-01")),
        "{note}"
    );
    assert!(notes(&house.hire(&delivered.hire()).await).contains(&"noted_at_ats"));
    deliver(&house, &body).await;
    assert_eq!(harvest.asked().len(), 2, "once");

    let refusing = Harvest { refuses: true, ..Harvest::default() };
    let house = noting(&refusing.listens().await, "").await;
    let delivered = deliver(&house, &body).await;
    assert_eq!(delivered.state(), "created");
    assert!(notes(&house.hire(&delivered.hire()).await).contains(&"not_noted_at_ats:status_403"));

    let silent = Harvest::default();
    let house = noting(&silent.listens().await, "note_on_profile = false").await;
    assert_eq!(deliver(&house, &body).await.state(), "created");
    assert_eq!(silent.asked(), Vec::<String>::new());
}
