//! Ashby's API as far as files go, and the storage that its links lead to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Value, json};

use super::ashby::fixture;

/// The files of one candidate, by handle, and what has been fetched.
#[derive(Clone, Default)]
pub(crate) struct Storage(Arc<Mutex<Stored>>);

#[derive(Default)]
struct Stored {
    url: String,
    resume: Value,
    others: Vec<Value>,
    files: BTreeMap<String, (StatusCode, Bytes)>,
    fetched: Vec<String>,
}

/// A PDF of so many bytes that no other one is like.
pub(crate) fn pdf(text: &str, size: usize) -> Bytes {
    let mut content = format!("%PDF-1.7\n{text}\n").into_bytes();
    content.resize(size.max(content.len()), b' ');
    content.into()
}

/// As Ashby names a file: <https://developers.ashbyhq.com/reference/candidateinfo>.
pub(crate) fn handle(id: &str, name: &str) -> Value {
    json!({"id": id, "name": name, "handle": format!("handle-{id}")})
}

impl Storage {
    /// Begins to listen.
    pub(crate) async fn start() -> Self {
        let storage = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        storage.stored().url = format!("http://{}", listener.local_addr().expect("is bound"));
        let router = axum::Router::new().fallback(answer).with_state(storage.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        storage
    }

    fn stored(&self) -> std::sync::MutexGuard<'_, Stored> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lines for `[sources.ashby]`.
    pub(crate) fn key(&self) -> String {
        format!("api_key = \"ashby-api-key\"\napi_base_url = \"{}\"\n", self.stored().url)
    }

    /// The candidate has a CV.
    pub(crate) fn resume(&self, id: &str, name: &str, content: Bytes) {
        self.stored().resume = handle(id, name);
        self.holds(id, content);
    }

    /// The candidate has another file.
    pub(crate) fn other(&self, id: &str, name: &str, content: Bytes) {
        self.stored().others.push(handle(id, name));
        self.holds(id, content);
    }

    /// The file of this id is there.
    pub(crate) fn holds(&self, id: &str, content: Bytes) {
        self.stored().files.insert(format!("handle-{id}"), (StatusCode::OK, content));
    }

    /// No file is there any more.
    pub(crate) fn burn(&self) {
        self.answer_all(StatusCode::NOT_FOUND);
    }

    /// It is out of order.
    pub(crate) fn fail(&self) {
        self.answer_all(StatusCode::SERVICE_UNAVAILABLE);
    }

    fn answer_all(&self, with: StatusCode) {
        for (status, _) in self.stored().files.values_mut() {
            *status = with;
        }
    }

    /// How often files were fetched.
    pub(crate) fn fetched(&self) -> usize {
        self.stored().fetched.len()
    }
}

async fn answer(State(storage): State<Storage>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut stored = storage.stored();
    let results = match head.uri.path() {
        "/candidate.info" => {
            let mut candidate = fixture("api-candidate.info")["results"].take();
            candidate["id"] = body["id"].clone();
            candidate["resumeFileHandle"] = stored.resume.clone();
            candidate["fileHandles"] = stored.others.clone().into();
            candidate
        }
        "/file.info" => {
            json!({"url": format!("{}/storage/{}", stored.url, body["fileHandle"].as_str().unwrap_or_default())})
        }
        path if path.starts_with("/storage/") => {
            assert!(!head.headers.contains_key(header::AUTHORIZATION), "Ashby's key is for Ashby alone");
            let handle = path.trim_start_matches("/storage/").to_owned();
            let file = stored.files.get(&handle).cloned();
            stored.fetched.push(handle);
            let (status, content) = file.unwrap_or((StatusCode::NOT_FOUND, Bytes::new()));
            return (status, [(header::CONTENT_TYPE, "application/pdf")], content).into_response();
        }
        _ => return axum::Json(json!({"success": false, "errors": ["not_found"]})).into_response(),
    };
    axum::Json(json!({"success": true, "results": results})).into_response()
}
