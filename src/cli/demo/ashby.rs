//! The Ashby of the demo: its API, as far as it is asked, and the host where its files lie, which knows no key.

use anyhow::Context;
use axum::Router;
use axum::extract::{Json, Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::deliveries;

/// The key that a customer would make there.
pub(super) const API_KEY: &str = "demo-ashby-api-key";

/// The same as HTTP Basic has it: the key and no password.
const CREDENTIAL: &str = "Basic ZGVtby1hc2hieS1hcGkta2V5Og==";

/// A page with nothing on it.
const RESUME: &[u8] = b"%PDF-1.4\n\
    1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n\
    2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
    3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\n\
    trailer<</Root 1 0 R>>\n%%EOF\n";

/// Runs until it is dropped.
pub(super) struct Ashby {
    url: String,
    tasks: [JoinHandle<()>; 2],
}

impl Ashby {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let storage = Router::new().route("/{handle}", get(file));
        let (storage, files) = listening(storage).await?;
        let api = Router::new().route("/{call}", post(answer)).with_state(storage);
        let (url, api) = listening(api).await?;
        Ok(Self { url, tasks: [api, files] })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Ashby {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn listening(router: Router) -> anyhow::Result<(String, JoinHandle<()>)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("no free port")?;
    let url = format!("http://{}", listener.local_addr()?);
    let serving = tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "the demo's Ashby has ended");
        }
    });
    Ok((url, serving))
}

/// Shapes: <https://developers.ashbyhq.com/reference/candidateinfo>, `/fileinfo`, `/offerlist`.
async fn answer(
    State(storage): State<String>,
    Path(call): Path<String>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    if headers.get("authorization").is_none_or(|credential| credential != CREDENTIAL) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let results = match call.as_str() {
        "candidate.info" => candidate(&body["id"]),
        "file.info" => {
            body["fileHandle"].as_str().map(|handle| json!({"url": format!("{storage}/{handle}")}))
        }
        // An accepted offer comes with the delivery; nobody has another.
        "offer.list" => Some(json!([])),
        _ => None,
    };
    let answer = match results {
        Some(results) => json!({"success": true, "results": results}),
        None => json!({"success": false, "errorInfo": {"code": "not_found", "message": "Not found"}}),
    };
    Json(answer).into_response()
}

/// The candidate of one of the deliveries, with what only the API shows.
fn candidate(id: &Value) -> Option<Value> {
    let deliveries = deliveries::all();
    let candidates = deliveries.iter().filter_map(|one| one.body.pointer("/data/application/candidate"));
    let mut candidate = candidates.into_iter().find(|candidate| candidate["id"] == *id)?.clone();
    candidate["emailAddresses"] = json!([candidate["primaryEmailAddress"]]);
    if deliveries::has_resume(&candidate) {
        let id = format!("resume-{}", id.as_str()?);
        candidate["resumeFileHandle"] = json!({"id": id, "name": "Lebenslauf.pdf", "handle": id});
        candidate["fileHandles"] = json!([candidate["resumeFileHandle"]]);
    }
    Some(candidate)
}

async fn file() -> Response {
    ([(CONTENT_TYPE, "application/pdf")], RESUME).into_response()
}
