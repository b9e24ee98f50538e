//! Recruitee's hires over HTTP: a secret that comes later, tests that are none, an API that completes, a note there.

use std::fs;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::hmac;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::storage::{Gives, Storage};
use crate::support::{ADMIN, House, Reply, Setup, is_problem, notes, state};

const RECRUITEES: &str = "secret-that-recruitee-made";

const HIRED: &str = "candidate_moved-stage_changed-hired";
const UNSURE: &str = "candidate_moved-stage_changed-no-category";

fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/ats/recruitee/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&fs::read(path).expect("the fixture is there")).expect("JSON")
}

/// Recruitee's API for the company `acme`, as far as it is used.
#[derive(Clone)]
struct Api {
    url: String,
    candidate: Arc<Mutex<Value>>,
    status: Arc<Mutex<StatusCode>>,
    calls: Arc<Mutex<Vec<String>>>,
}

impl Api {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let api = Self {
            url: format!("http://{}", listener.local_addr().expect("is bound")),
            candidate: Arc::new(Mutex::new(fixture("api-candidate"))),
            status: Arc::new(Mutex::new(StatusCode::OK)),
            calls: Arc::default(),
        };
        let router = axum::Router::new().fallback(answer).with_state(api.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        api
    }

    fn set(&self, pointer: &str, value: Value) {
        let mut candidate = self.candidate.lock().unwrap_or_else(PoisonError::into_inner);
        *candidate.pointer_mut(pointer).expect("is there") = value;
    }

    fn fails(&self, status: StatusCode) {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = status;
    }

    fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn notes(&self) -> Vec<String> {
        self.calls().into_iter().filter(|call| call.starts_with("POST")).collect()
    }

    /// A house with a source of this company, and these lines more.
    async fn house(&self, more: &str) -> House {
        house(&format!("api_key = \"token\"\naccount = \"acme\"\napi_base_url = \"{}\"\n{more}", self.url))
            .await
    }
}

async fn answer(State(api): State<Api>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    assert_eq!(head.headers.get(header::AUTHORIZATION).expect("a token"), "Bearer token");
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
    let path = head.uri.path().strip_prefix("/c/acme").expect("the company's").to_owned();
    let call = format!("{} {path} {}", head.method, String::from_utf8_lossy(&body));
    api.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call.trim_end().to_owned());
    let status = *api.status.lock().unwrap_or_else(PoisonError::into_inner);
    if status != StatusCode::OK {
        return status.into_response();
    }
    let answer = match (head.method, path.as_str()) {
        (Method::GET, "/candidates/51359843") => {
            api.candidate.lock().unwrap_or_else(PoisonError::into_inner).clone()
        }
        (Method::GET, "/candidates/51359843/attachments") => fixture("api-attachments"),
        (Method::GET, "/offers/1402233") => {
            json!({"offer": {"title": "Backend Engineer", "location": "Berlin", "country_code": "DE",
                "employment_type": "fulltime_permanent"}})
        }
        (Method::POST, "/candidates/51359843/notes") => json!({"note": {"id": 1}}),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    axum::Json(answer).into_response()
}

async fn house(lines: &str) -> House {
    let sections = format!(
        "[sources.recruitee]\nkind = \"recruitee\"\n{lines}\n[sources.recruitee.mapping.fields]\ndynamic_101 = \"custom.Cost center\"\n"
    );
    let sections = if lines.contains("secrets") || lines.contains("awaiting") {
        sections
    } else {
        sections.replacen("kind", &format!("secrets = [\"{RECRUITEES}\"]\nkind"), 1)
    };
    House::with(Setup { sections, ..Setup::default() }).await
}

async fn post(house: &House, body: &Value, secret: Option<&str>) -> Reply {
    let body = body.to_string();
    let mut request = house.bare(Method::POST, "/webhooks/recruitee").body(body.clone());
    if let Some(secret) = secret {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        request = request.header("X-Recruitee-Signature", hex::encode(hmac::sign(&key, body.as_bytes())));
    }
    house.send(request).await
}

async fn deliver(house: &House, body: &Value) -> Reply {
    post(house, body, Some(RECRUITEES)).await
}

#[tokio::test]
async fn a_source_starts_without_its_secret_and_the_first_hire_arrives_once_it_is_there() {
    let house = house("awaiting_secret = true").await;
    let source = |sources: Value| {
        let all = sources["sources"].as_array().expect("sources").clone();
        all.into_iter().find(|source| source["name"] == "recruitee").expect("the source")
    };
    assert_eq!(source(house.get("/v1/sources").await.json())["awaiting_secret"], true);
    let check = house.get("/v1/check").await.json().to_string();
    assert!(check.contains("recruitee awaits its secret"), "{check}");
    // Recruitee's test before it makes the webhook.
    let test = post(&house, &fixture("test"), None).await;
    assert_eq!((test.status.as_u16(), &test.json()["reason"]), (200, &json!("test")));
    for (body, secret) in [(HIRED, Some(RECRUITEES)), ("test-payload-candidate_moved", None), (HIRED, None)] {
        let early = post(&house, &fixture(body), secret).await;
        is_problem(&early, 503, "secret_awaited");
        assert!(early.headers.contains_key("retry-after"));
    }
    let path = house.folder.path().join("hirebridge.toml");
    let config = fs::read_to_string(&path).expect("readable");
    let known = config.replace("awaiting_secret = true", &format!("secrets = [\"{RECRUITEES}\"]"));
    fs::write(&path, known).expect("writable");
    assert_eq!(house.ask(Method::POST, "/v1/config/reload", ADMIN, None).await.status, 200);
    assert_eq!(source(house.get("/v1/sources").await.json())["awaiting_secret"], false);
    // Recruitee repeats: another attempt has another body and another signature.
    let mut repeated = fixture(HIRED);
    repeated["attempt_count"] = 2.into();
    let answer = deliver(&house, &repeated).await;
    assert_eq!((answer.status.as_u16(), answer.state().as_str()), (200, "created"));
    repeated["attempt_count"] = 3.into();
    assert_eq!(deliver(&house, &repeated).await.json()["duplicate"], true);
    assert_eq!(house.sim.creates(), 1);
}

#[tokio::test]
async fn tests_become_nothing_and_wrong_signatures_are_refused() {
    let house = house("").await;
    let test = fixture("test-payload-candidate_moved");
    for (body, secret) in [(&fixture("test"), None), (&test, None), (&test, Some(RECRUITEES))] {
        let answer = post(&house, body, secret).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["hire"]), (200, &json!(null)));
    }
    for secret in [None, Some("the-secret-of-somebody-else")] {
        is_problem(&post(&house, &fixture(HIRED), secret).await, 401, "signature");
    }
    assert_eq!(house.sim.creates(), 0);
    assert_eq!(house.get("/v1/hires").await.json()["hires"], json!([]));
}

#[tokio::test]
async fn without_a_token_four_fields_go_and_what_is_missing_is_named() {
    let house = house("").await;
    let answer = deliver(&house, &fixture(HIRED)).await;
    assert_eq!(answer.state(), "created");
    let hire = house.hire(&answer.hire()).await;
    let person = house.sim.employees()[0].person.clone();
    assert_eq!((person.first_name.as_str(), person.last_name.as_str()), ("Jörg", "van der Müller"));
    assert_eq!(person.email, "joerg.mueller@example.com");
    assert_eq!(person.position.as_deref(), Some("Backend Engineer"));
    assert_eq!(hire["missing"], json!(["dynamic_101", "hire_date", "office"]), "{hire}");
}

#[tokio::test]
async fn the_api_completes_the_hire_its_cv_follows_and_a_note_says_so() {
    let (api, storage) = (Api::start().await, Storage::start().await);
    storage.keeps("Lebenslauf%20J%C3%B6rg.pdf", Gives::pdf("cv"));
    api.set("/candidate/cv_original_url", storage.link("Lebenslauf%20J%C3%B6rg.pdf").into());
    let house = api.house("documents = { resume = \"CVs\" }").await;
    let answer = deliver(&house, &fixture(HIRED)).await;
    assert_eq!(answer.state(), "created", "{}", answer.text);
    house.pass(SignedDuration::ZERO).await;
    let hire = house.hire(&answer.hire()).await;
    let person = house.sim.employees()[0].person.clone();
    assert_eq!(person.hire_date.map(|date| date.to_string()).as_deref(), Some("2027-01-01"));
    assert_eq!(person.gender, Some(hirebridge::sim::Gender::Male));
    assert_eq!(person.custom_attributes["dynamic_101"], "4100");
    assert_eq!(state(&hire["documents"][0]), "sent", "{hire}");
    assert_eq!(house.sim.documents()[0].file_name, "Lebenslauf Jörg.pdf");
    assert_eq!(storage.visits().len(), 1, "and without the token");
    let noted = api.notes();
    assert!(noted.len() == 1 && noted[0].contains("In Personio since 2026-12-01"), "{noted:?}");
    let told = notes(&hire);
    assert!(told.contains(&"noted_at_ats") && told.contains(&"attachment_not_opened:0"), "{told:?}");
    // A repeat leaves no second note.
    deliver(&house, &fixture(HIRED)).await;
    assert_eq!(api.notes().len(), 1);
}

#[tokio::test]
async fn a_note_can_be_switched_off_and_one_that_fails_costs_nothing() {
    let api = Api::start().await;
    let house = api.house("note_on_profile = false").await;
    assert_eq!(deliver(&house, &fixture(HIRED)).await.state(), "created");
    assert_eq!(api.notes(), Vec::<String>::new());
    let house = api.house("").await;
    api.fails(StatusCode::FORBIDDEN);
    let answer = deliver(&house, &fixture(HIRED)).await;
    assert_eq!(answer.state(), "created");
    let hire = house.hire(&answer.hire()).await;
    let told = notes(&hire);
    assert!(told.contains(&"not_noted_at_ats:status_403"), "{told:?}");
    assert!(told.contains(&"ats_call_failed:candidates:status_403"), "{told:?}");
}

#[tokio::test]
async fn a_stage_without_a_category_is_asked_about() {
    let api = Api::start().await;
    let house = api.house("").await;
    api.fails(StatusCode::SERVICE_UNAVAILABLE);
    is_problem(&deliver(&house, &fixture(UNSURE)).await, 503, "ats_unavailable");
    api.fails(StatusCode::OK);
    api.set("/candidate/placements/0/hired_in_this_placement", false.into());
    let answer = deliver(&house, &fixture(UNSURE)).await;
    assert_eq!((answer.state().as_str(), &answer.json()["hire"]), ("ignored(not_hired)", &json!(null)));
    api.set("/candidate/placements/0/hired_in_this_placement", true.into());
    let mut later = fixture(UNSURE);
    later["created_at"] = "2026-11-19T08:00:00.000000Z".into();
    let answer = deliver(&house, &later).await;
    assert_eq!(answer.state(), "created", "{}", answer.text);
    assert_eq!(house.sim.creates(), 1);
}

#[tokio::test]
async fn who_is_moved_back_is_not_hired_any_more() {
    let house = house("review = true").await;
    let answer = deliver(&house, &fixture(HIRED)).await;
    assert_eq!(answer.state(), "held(review)");
    let mut back = fixture("candidate_moved-stage_changed-not-hired");
    back["created_at"] = "2026-11-19T08:00:00.000000Z".into();
    deliver(&house, &back).await;
    assert_eq!(state(&house.hire(&answer.hire()).await), "cancelled(unhired)");
    assert_eq!(house.sim.creates(), 0);
}

#[tokio::test]
async fn a_candidate_who_is_pointed_at_is_fetched_with_the_job_that_hired() {
    let api = Api::start().await;
    let house = api.house("note_on_profile = false").await;
    let body = json!({"source": "recruitee", "reference": "https://app.recruitee.com/#/candidates/51359843"});
    let fetched = house.post("/v1/hires/fetch", &body).await;
    assert_eq!(fetched.status, 201, "{}", fetched.text);
    let hire = fetched.json();
    assert_eq!((state(&hire), &hire["ats_id"]), ("held(review)".into(), &json!("51359843-1402233")));
    assert_eq!(hire["plan"]["employee"]["position"], "Backend Engineer");
    let delivered = deliver(&house, &fixture(HIRED)).await;
    assert_eq!(Some(delivered.hire().as_str()), hire["id"].as_str());
}
