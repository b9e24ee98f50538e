//! The files of some hires: Ashby's API that names them and gives links, and the storage that the links lead to. Both
//! fail now and then, each link once at most, so that a file can be had in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use fastrand::Rng;
use futures_util::stream;
use serde_json::{Value, json};

/// The source whose hires have files.
pub(crate) const SOURCE: &str = "papers";

/// Its webhook secret.
pub(crate) const SECRET: &str = "papers-secret-token";

const KEY: &str = "ashby-api-key-of-the-storm";

/// `KEY:` in base64.
const BASIC: &str = "Basic YXNoYnktYXBpLWtleS1vZi10aGUtc3Rvcm06";

/// The categories by kind, and their ids in the simulator.
pub(crate) const FILED: [(&str, &str, u64); 2] = [("resume", "CVs", 2), ("signed_offer", "Contracts", 1)];

/// A file that Ashby has of a hire.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Paper {
    /// The application's id.
    pub(crate) application: String,
    /// The kind, as hirebridge names it.
    pub(crate) kind: &'static str,
    /// Its name, which no other file has.
    pub(crate) name: String,
    /// What is in it, which is in no other file.
    pub(crate) content: Bytes,
}

impl Paper {
    /// One of a seeded size: of one chunk, or of several.
    pub(crate) fn new(rng: &mut Rng, application: &str, kind: &'static str) -> Self {
        let name = match kind {
            "resume" => format!("{application} Lebenslauf.pdf"),
            _ => format!("{application} offer signed.pdf"),
        };
        let mut content = format!("%PDF-1.7\n{name}\n").into_bytes();
        let size = if rng.u8(..4) == 0 { rng.usize(..700_000) } else { rng.usize(..9_000) };
        content.resize(content.len() + size, rng.u8(..));
        content.extend_from_slice(b"%%EOF");
        Self { application: application.to_owned(), kind, name, content: content.into() }
    }

    /// As Ashby names a file: <https://developers.ashbyhq.com/reference/candidateinfo>.
    pub(crate) fn handle(&self) -> Value {
        let handle = self.name.replace(' ', "-");
        json!({"id": handle, "name": self.name, "handle": handle})
    }
}

/// All files, as Ashby and its storage have them.
#[derive(Clone)]
pub(crate) struct Cabinet {
    url: String,
    papers: Arc<Vec<Paper>>,
    candidates: Arc<BTreeMap<String, Value>>,
    /// Chance, and the calls that have failed.
    moods: Arc<Mutex<(Rng, BTreeSet<String>)>>,
    wrong: Arc<Mutex<Vec<String>>>,
}

impl Cabinet {
    /// Begins to listen. `candidates` are what `candidate.info` answers.
    pub(crate) async fn open(rng: &mut Rng, papers: Vec<Paper>, candidates: BTreeMap<String, Value>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("is bound"));
        let (papers, candidates) = (Arc::new(papers), Arc::new(candidates));
        let moods = Arc::new(Mutex::new((rng.fork(), BTreeSet::new())));
        let cabinet = Self { url, papers, candidates, moods, wrong: Arc::default() };
        let router = axum::Router::new().fallback(answer).with_state(cabinet.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        cabinet
    }

    /// The source and what goes where, for the configuration.
    pub(crate) fn source(&self) -> String {
        let kinds = FILED.map(|(kind, category, _)| format!("{kind} = \"{category}\"\n")).concat();
        format!(
            "[sources.{SOURCE}]\nkind = \"ashby\"\naccount = \"{SOURCE}\"\nsecrets = [\"{SECRET}\"]\napi_key = \"{KEY}\"\n\
             api_base_url = \"{}\"\n[sources.{SOURCE}.documents]\n{kinds}",
            self.url
        )
    }

    /// What nobody should have asked.
    pub(crate) fn wrong(&self) -> Vec<String> {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether this call fails now: seldom, and once at most.
    fn fails(&self, call: &str) -> bool {
        let mut moods = self.moods.lock().unwrap_or_else(PoisonError::into_inner);
        let (rng, failed) = &mut *moods;
        rng.u8(..100) < 8 && failed.insert(call.to_owned())
    }

    fn ask(&self, call: &str, body: &Value) -> Option<Response> {
        let results = match call {
            "candidate.info" => self.candidates.get(body["id"].as_str()?)?.clone(),
            "offer.list" | "customField.list" => json!([]),
            "file.info" => {
                let handle = body["fileHandle"].as_str()?;
                if self.fails(&format!("info {handle}")) {
                    return Some(StatusCode::SERVICE_UNAVAILABLE.into_response());
                }
                json!({"url": format!("{}/storage/{handle}?X-Amz-Signature=abc", self.url)})
            }
            _ => return None,
        };
        Some(axum::Json(json!({"success": true, "results": results})).into_response())
    }

    fn give(&self, handle: &str) -> Option<Response> {
        let paper = self.papers.iter().find(|paper| paper.handle()["handle"] == handle)?;
        let content = paper.content.clone();
        let body = if self.fails(handle) {
            // The first half, and then the end of the connection.
            let half = content.slice(..content.len() / 2);
            let pieces = [Ok(half), Err(std::io::Error::from(std::io::ErrorKind::BrokenPipe))];
            Body::from_stream(stream::iter(pieces))
        } else {
            Body::from(content)
        };
        Some(([(header::CONTENT_TYPE, "application/pdf")], body).into_response())
    }
}

async fn answer(State(cabinet): State<Cabinet>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
    let path = head.uri.path().trim_start_matches('/');
    let key = head.headers.get(header::AUTHORIZATION);
    let answer = match path.strip_prefix("storage/") {
        Some(handle) if key.is_none() && head.method == "GET" => cabinet.give(handle),
        None if key.is_some_and(|key| key == BASIC) && head.method == "POST" => {
            cabinet.ask(path, &serde_json::from_slice(&body).unwrap_or_default())
        }
        _ => None,
    };
    answer.unwrap_or_else(|| {
        let what = format!("Ashby was asked {} {path}, with a key: {}", head.method, key.is_some());
        cabinet.wrong.lock().unwrap_or_else(PoisonError::into_inner).push(what);
        StatusCode::NOT_FOUND.into_response()
    })
}
