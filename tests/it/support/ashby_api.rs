//! Ashby's API as it is documented: it knows one hire, looks at each request, and notes what it was asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::ashby::fixture;
use super::storage::Storage;
use super::{House, Setup};

pub(crate) const KEY: &str = "ashby-api-key-of-the-test";

/// `KEY:` in base64.
pub(crate) const BASIC: &str = "Basic YXNoYnktYXBpLWtleS1vZi10aGUtdGVzdDo=";

pub(crate) const APPLICATION: &str = "00000010-1111-4222-8333-000000000010";
pub(crate) const TEAM: &str = "00000019-1111-4222-8333-000000000019";
pub(crate) const PARENT: &str = "0000001c-1111-4222-8333-00000000001c";
const LOCATION: &str = "00000018-1111-4222-8333-000000000018";
const CANDIDATE: &str = "00000011-1111-4222-8333-000000000011";
const OFFER: &str = "0000002f-1111-4222-8333-00000000002f";

/// How Ashby answers a call.
#[derive(Clone, Debug)]
pub(crate) enum Says {
    Json(Value),
    Status(u16),
    Hangs,
}

impl Says {
    /// A success with these results.
    pub(crate) fn results(results: &Value) -> Self {
        Self::Json(json!({"success": true, "results": results}))
    }

    /// HTTP 200 with an error in it.
    pub(crate) fn error(code: &str) -> Self {
        let info = json!({"code": code, "message": "no", "requestId": "01J"});
        Self::Json(json!({"success": false, "errors": [code], "errorInfo": info}))
    }
}

/// Ashby's API, and the storage where its files lie.
#[derive(Clone)]
pub(crate) struct Ashby {
    application: &'static str,
    candidate: &'static str,
    answers: Arc<Mutex<BTreeMap<String, Says>>>,
    asked: Arc<Mutex<Vec<String>>>,
    wrong: Arc<Mutex<Vec<String>>>,
    storage: Option<Storage>,
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ashby {
    /// One that knows this application alone, and says nothing of it yet.
    pub(crate) fn of(application: &'static str, candidate: &'static str) -> Self {
        let (answers, asked, wrong) = Default::default();
        Self { application, candidate, answers, asked, wrong, storage: None }
    }

    /// One that answers everything, in the documented shapes.
    pub(crate) fn healthy() -> Self {
        let parent = json!({"id": PARENT, "name": "Product & Tech", "isArchived": false, "parentId": null});
        let mut application = fixture("applicationUpdate-hired")["data"]["application"].clone();
        application["candidate"]["customFields"] = json!([]);
        let offer = fixture("offerUpdate-accepted")["data"]["offer"].clone();
        let offers = json!({"success": true, "results": [offer], "moreDataAvailable": false});
        Self::of(APPLICATION, CANDIDATE)
            .says("application.info", Says::results(&application))
            .says("candidate.info", Says::Json(fixture("api-candidate.info")))
            .says("location.info", Says::Json(fixture("api-location.info")))
            .says(&format!("department.info/{TEAM}"), Says::Json(fixture("api-department.info")))
            .says(&format!("department.info/{PARENT}"), Says::results(&parent))
            .says("offer.list", Says::Json(offers))
            .says("offer.info", Says::results(&offer))
    }

    /// The same, with its files at a storage host.
    pub(crate) fn with_files(mut self, storage: &Storage) -> Self {
        self.storage = Some(storage.clone());
        self
    }

    pub(crate) fn says(self, call: &str, says: Says) -> Self {
        self.now_says(call, says);
        self
    }

    /// Changes an answer.
    pub(crate) fn now_says(&self, call: &str, says: Says) {
        locked(&self.answers).insert(call.to_owned(), says);
    }

    /// Takes back what it was to answer.
    pub(crate) fn no_longer_says(&self, call: &str) {
        locked(&self.answers).remove(call);
    }

    /// One that answers every call in this way.
    pub(crate) fn always(says: &Says) -> Self {
        let all = locked(&Self::healthy().answers).clone();
        let answers = all.into_keys().map(|call| (call, says.clone())).collect();
        Self { answers: Arc::new(Mutex::new(answers)), ..Self::of(APPLICATION, CANDIDATE) }
    }

    /// Where it listens, from now on.
    pub(crate) async fn listens(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("is bound"));
        let router = axum::Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    /// A house whose source has the key to this API.
    pub(crate) async fn house(&self, more: &str) -> House {
        let url = self.listens().await;
        // Personio knows the offices by other names than Ashby.
        let fields = "[mapping.fields]\noffice = { from = \"job.location\", values = { \"Berlin HQ\" = \"Berlin\" } }\n\
            dynamic_101 = \"job.team\"\ndynamic_111 = \"job.departments\"\n";
        let ashby = format!("api_key = \"{KEY}\"\napi_base_url = \"{url}\"\n{more}");
        House::with(Setup { ashby, sections: fields.into(), ..Setup::default() }).await
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        let mut asked = locked(&self.asked).clone();
        asked.sort();
        asked
    }

    /// That nothing was asked for that Ashby would not have understood.
    pub(crate) fn was_asked_rightly(&self) {
        assert_eq!(*locked(&self.wrong), Vec::<String>::new());
    }

    fn link(&self, body: &Value) -> Option<Says> {
        let (storage, handle) = (self.storage.as_ref()?, body["fileHandle"].as_str()?);
        Some(Says::results(&json!({ "url": storage.link(handle) })))
    }
}

fn is_note(note: &Value) -> bool {
    let said = note.as_str().unwrap_or_default();
    said.starts_with("In Personio since 2026-12-01") && said.contains("/staff/details/")
}

async fn answer(State(ashby): State<Ashby>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let call = head.uri.path().trim_start_matches('/').to_owned();
    let expected = match call.as_str() {
        "application.info" => json!({"applicationId": ashby.application}),
        "candidate.info" => json!({"id": ashby.candidate}),
        "location.info" => json!({"locationId": LOCATION}),
        "department.info" => json!({"departmentId": body["departmentId"]}),
        "offer.info" => json!({"offerId": OFFER}),
        "file.info" => json!({"fileHandle": body["fileHandle"]}),
        "candidate.createNote" if is_note(&body["note"]) => {
            json!({"candidateId": ashby.candidate, "note": body["note"]})
        }
        "customField.list" => json!({"limit": 100}),
        _ => json!({"applicationId": ashby.application, "acceptanceStatus": ["Accepted"]}),
    };
    let is_right = head.method == "POST"
        && head.uri.query().is_none()
        && head.headers.get(header::AUTHORIZATION).is_some_and(|value| value == BASIC)
        && head.headers.get(header::ACCEPT).is_some_and(|value| value == "application/json; version=1")
        && head.headers.get(header::CONTENT_TYPE).is_some_and(|value| value == "application/json")
        && body == expected;
    if !is_right {
        locked(&ashby.wrong).push(format!("{} {}", head.method, head.uri));
    }
    let call = match body["departmentId"].as_str() {
        Some(id) => format!("{call}/{id}"),
        None => call,
    };
    locked(&ashby.asked).push(call.clone());
    let says = locked(&ashby.answers).get(&call).cloned();
    match says.or_else(|| ashby.link(&body).filter(|_| call == "file.info")) {
        Some(Says::Json(answer)) => axum::Json(answer).into_response(),
        Some(Says::Status(status)) => StatusCode::from_u16(status).expect("a status").into_response(),
        Some(Says::Hangs) => std::future::pending().await,
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
