use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use secrecy::SecretString;
use url::Url;

use super::super::super::{AtsSource, Event};
use super::super::{ACCEPT, Ashby, read};
use super::*;
use crate::domain::NameSplit;
use crate::outbound::Guard;

/// How the test's Ashby answers a call.
#[derive(Clone)]
enum Says {
    Json(Value),
    Status(u16),
    Hangs,
}

/// An Ashby that knows only the answers that a test gives it, and notes what it was asked.
#[derive(Clone, Default)]
struct FakeAshby {
    answers: BTreeMap<String, Says>,
    asked: Arc<Mutex<Vec<(String, Value)>>>,
}

impl FakeAshby {
    fn says(mut self, call: &str, answer: Says) -> Self {
        self.answers.insert(call.to_owned(), answer);
        self
    }

    fn gives(self, call: &str, results: &Value) -> Self {
        self.says(call, Says::Json(json!({ "success": true, "results": results })))
    }

    async fn listens(&self) -> Api {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("is bound"));
        let router = axum::Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let key = SecretString::from("ashby-api-key");
        let url: Url = url.parse().expect("a URL");
        let guard = Guard::open_to(&url);
        Api::with_basic_key(url, &key, ACCEPT, &guard).expect("TLS is there")
    }

    /// What was asked, in the order of the calls' names.
    fn asked(&self) -> Vec<String> {
        let mut asked: Vec<_> = self
            .asked
            .lock()
            .expect("nobody panicked")
            .iter()
            .map(|(call, body)| format!("{call} {body}"))
            .collect();
        asked.sort();
        asked
    }
}

async fn answer(State(ashby): State<FakeAshby>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    assert_eq!(head.method, "POST");
    assert_eq!(
        head.headers[header::AUTHORIZATION],
        "Basic YXNoYnktYXBpLWtleTo=",
        "the key and an empty password"
    );
    assert_eq!(head.headers[header::ACCEPT], ACCEPT);
    assert_eq!(head.headers[header::CONTENT_TYPE], "application/json");
    let body = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
    let call = head.uri.path().trim_start_matches('/').to_owned();
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    let departments = body["departmentId"].as_str().map(|id| format!("{call}/{id}"));
    let says = departments.and_then(|one| ashby.answers.get(&one)).or_else(|| ashby.answers.get(&call));
    ashby.asked.lock().expect("nobody panicked").push((call.clone(), body));
    match says {
        Some(Says::Json(answer)) => axum::Json(answer.clone()).into_response(),
        Some(Says::Status(status)) => StatusCode::from_u16(*status).expect("a status").into_response(),
        Some(Says::Hangs) => std::future::pending().await,
        None => StatusCode::IM_A_TEAPOT.into_response(),
    }
}

const APPLICATION: &str = "00000010-1111-4222-8333-000000000010";
const CANDIDATE: &str = "00000011-1111-4222-8333-000000000011";
const TEAM: &str = "00000019-1111-4222-8333-000000000019";
const PARENT: &str = "0000001c-1111-4222-8333-00000000001c";
const LOCATION: &str = "00000018-1111-4222-8333-000000000018";

fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/ats/ashby/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).expect("the fixture is there")).expect("the fixture is JSON")
}

fn hired(name: &str, api: Option<Api>) -> (Ashby, Hired) {
    let ashby = Ashby { hired_when: read::HIRE_EVENTS.to_vec(), api, note_on_profile: false };
    match ashby.read(&fixture(name)) {
        Ok(Event::Hire(hired)) => (ashby, *hired),
        other => panic!("is a hire: {other:?}"),
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_mins(1)
}

/// Asks the API about the hire of a fixture, and fills what comes back into its facts.
async fn completed(api: &FakeAshby, name: &str, deadline: Instant) -> (Completed, Facts) {
    let (ashby, hired) = hired(name, Some(api.listens().await));
    let completed = ashby.complete(&hired, &Facts::new(), deadline).await;
    let mut facts = hired.facts;
    facts.fill(&completed.facts);
    (completed, facts)
}

/// An Ashby that answers everything as documented.
fn healthy() -> FakeAshby {
    let offer = fixture("offerUpdate-accepted")["data"]["offer"].clone();
    FakeAshby::default()
        .gives("offer.list", &json!([offer]))
        .gives("application.info", &fixture("applicationUpdate-hired")["data"]["application"])
        .says(&format!("department.info/{TEAM}"), Says::Json(fixture("api-department.info")))
        .gives(
            &format!("department.info/{PARENT}"),
            &json!({ "id": PARENT, "name": "Product & Tech", "parentId": null }),
        )
        .says("location.info", Says::Json(fixture("api-location.info")))
        .says("candidate.info", Says::Json(fixture("api-candidate.info")))
}

#[tokio::test]
async fn without_a_key_nothing_is_asked_and_what_is_lacking_is_named() {
    for (name, lacking) in [
        ("candidateHire", &["department", "office"][..]),
        ("candidateHire-no-offer", &["hire_date"]),
        ("applicationUpdate-hired", &["department", "office", "hire_date"]),
    ] {
        let (ashby, hired) = hired(name, None);
        let completed = ashby.complete(&hired, &hired.facts, soon()).await;
        assert_eq!(completed, Completed { lacking: lacking.to_vec(), ..Completed::default() }, "{name}");
    }
}

#[tokio::test]
async fn a_key_brings_names_for_ids_and_all_addresses() {
    let api = healthy();
    let (completed, facts) = completed(&api, "candidateHire", soon()).await;
    assert_eq!((completed.lacking, completed.notes), (vec![], vec![]));
    assert_eq!(facts.text("job.department"), Some("Engineering"));
    assert_eq!(facts.text("job.team"), Some("Engineering"));
    assert_eq!(facts.value("job.departments"), Some(&json!(["Engineering", "Product & Tech"])));
    assert_eq!(facts.text("job.location"), Some("Berlin HQ"));
    assert_eq!(facts.text("job.country"), Some("Germany"));
    assert_eq!(facts.text("custom.Gender"), Some("Male"));
    let both = json!([
        { "address": "joerg.mueller@example.com", "kind": "Personal" },
        { "address": "jm@oldjob.example", "kind": "Work" },
    ]);
    assert_eq!(facts.value("candidate.emails"), Some(&both));
    let asked = [
        format!(r#"candidate.info {{"id":"{CANDIDATE}"}}"#),
        format!(r#"department.info {{"departmentId":"{TEAM}"}}"#),
        format!(r#"department.info {{"departmentId":"{PARENT}"}}"#),
        format!(r#"location.info {{"locationId":"{LOCATION}"}}"#),
    ];
    assert_eq!(api.asked(), asked, "the offer came with the webhook");
}

#[tokio::test]
async fn the_offer_is_asked_for_when_the_webhook_has_none() {
    let api = healthy();
    let (completed, facts) = completed(&api, "applicationUpdate-hired", soon()).await;
    assert_eq!(completed.lacking, Vec::<&str>::new());
    assert_eq!(facts.text("offer.start_date"), Some("2027-01-01T00:00:00.000Z"));
    assert_eq!(facts.value("offer.salary_amount"), Some(&json!(78000)));
    assert_eq!(facts.text("custom.Position"), Some("Senior Backend Engineer"));
    assert_eq!(completed.name_split, None, "the webhook's name was split already");
    let asked = format!(r#"offer.list {{"applicationId":"{APPLICATION}","acceptanceStatus":["Accepted"]}}"#);
    assert!(api.asked().contains(&asked));
}

#[tokio::test]
async fn of_several_offers_the_one_accepted_last_counts() {
    let offer = |id: &str, decided: &str, status: &str, application: &str| {
        json!({ "id": id, "decidedAt": decided, "acceptanceStatus": status, "applicationId": application,
            "latestVersion": { "startDate": decided } })
    };
    let api = healthy().gives(
        "offer.list",
        &json!([
            offer("first", "2026-01-01T00:00:00.000Z", "Accepted", APPLICATION),
            offer("second", "2026-02-01T00:00:00.000Z", "Accepted", APPLICATION),
            offer("declined", "2026-03-01T00:00:00.000Z", "Declined", APPLICATION),
            offer("another's", "2026-04-01T00:00:00.000Z", "Accepted", "another"),
        ]),
    );
    let (_, facts) = completed(&api, "candidateHire-no-offer", soon()).await;
    assert_eq!(facts.text("offer.id"), Some("second"));
}

#[tokio::test]
async fn an_accepted_offer_alone_becomes_a_whole_hire() {
    let api = healthy();
    let (completed, facts) = completed(&api, "offerUpdate-accepted", soon()).await;
    assert_eq!(completed.lacking, Vec::<&str>::new());
    assert_eq!(completed.name_split, Some(NameSplit::ByParticle));
    for (name, value) in [
        ("candidate.email", "joerg.mueller@example.com"),
        ("candidate.last_name", "van der Müller"),
        ("job.title", "Backend Engineer"),
        ("job.department", "Engineering"),
        ("job.location", "Berlin HQ"),
        ("offer.start_date", "2027-01-01T00:00:00.000Z"),
    ] {
        assert_eq!(facts.text(name), Some(value));
    }
    assert!(api.asked().contains(&format!(r#"application.info {{"applicationId":"{APPLICATION}"}}"#)));
}

#[tokio::test]
async fn what_is_known_is_not_asked_again() {
    let api = healthy();
    let (ashby, hired) = hired("applicationUpdate-hired", Some(api.listens().await));
    let mut known = Facts::new();
    known.put("offer.id", "known");
    known.put("job.department", "Known");
    known.put("job.location", "Known");
    let completed = ashby.complete(&hired, &known, soon()).await;
    assert_eq!(api.asked(), [format!(r#"candidate.info {{"id":"{CANDIDATE}"}}"#)]);
    assert_eq!(completed.lacking, ["hire_date"], "the known offer has no date");
}

#[tokio::test]
async fn every_way_to_fail_is_named_and_the_rest_arrives() {
    let refused = Says::Json(fixture("api-error"));
    let api = healthy()
        .says(&format!("department.info/{TEAM}"), Says::Status(500))
        .says("location.info", Says::Status(401))
        .says("offer.list", refused)
        .gives("candidate.info", &json!({ "id": 7 }));
    let (completed, facts) = completed(&api, "applicationUpdate-hired", soon()).await;
    assert_eq!(completed.lacking, ["department", "office", "hire_date", "candidate"]);
    assert_eq!(
        completed.notes,
        [
            "ats_call_failed:offer.list:refused_application_not_found",
            "ats_call_failed:department.info:status_500",
            "ats_call_failed:location.info:status_401",
            "ats_call_failed:candidate.info:unreadable",
        ]
    );
    let webhooks = json!([{ "address": "joerg.mueller@example.com" }]);
    assert_eq!(facts.value("candidate.emails"), Some(&webhooks));
}

#[tokio::test]
async fn a_refusal_is_one_however_it_is_written() {
    for (answer, code) in [
        (
            json!({ "success": false, "errors": ["missing_endpoint_permission"] }),
            "refused_missing_endpoint_permission",
        ),
        (
            json!({ "success": false, "errors": [{ "message": "Mia Meier", "parameter": "id" }] }),
            "refused_unnamed",
        ),
        (json!({ "success": false, "errorInfo": { "code": "Mia Meier!" } }), "refused_unnamed"),
        (json!({ "results": { "name": "Berlin" } }), "unreadable"),
        (json!([]), "unreadable"),
    ] {
        let api = healthy().says("location.info", Says::Json(answer));
        let (completed, _) = completed(&api, "candidateHire", soon()).await;
        assert_eq!(completed.lacking, ["office"]);
        assert_eq!(completed.notes, [format!("ats_call_failed:location.info:{code}")]);
    }
}

#[tokio::test]
async fn a_call_that_hangs_is_given_up_at_the_deadline() {
    let api = healthy().says("location.info", Says::Hangs);
    let (completed, _) = completed(&api, "candidateHire", Instant::now() + Duration::from_millis(300)).await;
    assert!(completed.lacking.contains(&"office"));
    assert!(completed.notes.contains(&"ats_call_failed:location.info:timeout".to_owned()));
}

#[tokio::test]
async fn a_team_whose_parent_cannot_be_asked_keeps_its_own_name() {
    let api = healthy().says(&format!("department.info/{PARENT}"), Says::Status(429));
    let (completed, facts) = completed(&api, "candidateHire", soon()).await;
    assert_eq!(completed.lacking, Vec::<&str>::new());
    assert_eq!(completed.notes, ["ats_call_failed:department.info:status_429"]);
    assert_eq!(facts.value("job.departments"), Some(&json!(["Engineering"])));
}

#[tokio::test]
async fn departments_in_a_circle_end() {
    let circle = json!({ "id": TEAM, "name": "Round", "parentId": TEAM });
    let api = healthy().gives(&format!("department.info/{TEAM}"), &circle);
    let (completed, _) = completed(&api, "candidateHire", soon()).await;
    assert_eq!(completed.facts.text("job.department"), Some("Round"));
}

#[tokio::test]
async fn an_ashby_that_is_down_loses_nothing() {
    let nobody: Url = "http://127.0.0.1:1".parse().expect("a URL");
    let (guard, key) = (Guard::open_to(&nobody), SecretString::from("ashby-api-key"));
    let api = Api::with_basic_key(nobody, &key, ACCEPT, &guard).expect("TLS is there");
    let (ashby, hired) = hired("offerUpdate-accepted", Some(api));
    let completed = ashby.complete(&hired, &hired.facts, soon()).await;
    assert_eq!(completed.lacking, ["application"]);
    assert_eq!(completed.notes, ["ats_call_failed:application.info:unreachable"]);
    assert_eq!(completed.facts, Facts::new());
}
