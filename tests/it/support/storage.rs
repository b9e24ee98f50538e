//! The host where an ATS's files lie: another one than its API, which knows no key. It gives what a signed link asks for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use bytes::Bytes;
use futures_util::stream;

/// A file as it comes.
#[derive(Clone)]
pub(crate) enum Gives {
    /// These bytes, with this type.
    File(&'static str, Bytes),
    /// A link that is over: S3 says 403.
    Status(u16),
    /// A file that has no end.
    Endless,
    /// A beginning, and nothing more.
    Stalls,
    /// Somewhere else.
    Redirect(String),
}

impl Gives {
    /// A small PDF; its text tells one from another.
    pub(crate) fn pdf(text: &str) -> Self {
        Self::File("application/pdf", format!("%PDF-1.7\n% {text}\n%%EOF\n").into())
    }
}

/// The storage, its files by their handle, and who came.
#[derive(Clone)]
pub(crate) struct Storage {
    url: String,
    files: Arc<Mutex<BTreeMap<String, Gives>>>,
    visits: Arc<Mutex<Vec<String>>>,
    /// Tells of each visit.
    pub(crate) visited: Arc<tokio::sync::Notify>,
}

impl Storage {
    /// An empty one, on a port of its own.
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("is bound"));
        let storage = Self { url, files: Arc::default(), visits: Arc::default(), visited: Arc::default() };
        let router = axum::Router::new().fallback(give).with_state(storage.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        storage
    }

    /// Keeps a file.
    pub(crate) fn keeps(&self, handle: &str, gives: Gives) {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).insert(handle.to_owned(), gives);
    }

    /// Gives all that it keeps in this way.
    pub(crate) fn gives_all(&self, gives: &Gives) {
        for kept in self.files.lock().unwrap_or_else(PoisonError::into_inner).values_mut() {
            *kept = gives.clone();
        }
    }

    /// A link, as the API would sign it.
    pub(crate) fn link(&self, handle: &str) -> String {
        format!("{}/bucket/{handle}?X-Amz-Expires=900&X-Amz-Signature=abc", self.url)
    }

    /// Its port, to reach it under another name.
    pub(crate) fn port(&self) -> &str {
        self.url.rsplit(':').next().expect("a port")
    }

    /// The handles that were asked for, each with ` with a key` if a credential came along.
    pub(crate) fn visits(&self) -> Vec<String> {
        let mut visits = self.visits.lock().unwrap_or_else(PoisonError::into_inner).clone();
        visits.sort();
        visits
    }
}

async fn give(State(storage): State<Storage>, request: Request) -> Response {
    let handle = request.uri().path().trim_start_matches("/bucket/").to_owned();
    let signed = request.uri().query().is_some_and(|query| query.contains("X-Amz-Signature=abc"));
    let with_key = request.headers().contains_key(header::AUTHORIZATION);
    let visit = if with_key { format!("{handle} with a key") } else { handle.clone() };
    storage.visits.lock().unwrap_or_else(PoisonError::into_inner).push(visit);
    let gives = storage.files.lock().unwrap_or_else(PoisonError::into_inner).get(&handle).cloned();
    storage.visited.notify_one();
    match gives.filter(|_| signed) {
        Some(Gives::File(declared, bytes)) => ([(header::CONTENT_TYPE, declared)], bytes).into_response(),
        Some(Gives::Status(status)) => StatusCode::from_u16(status).expect("a status").into_response(),
        Some(Gives::Redirect(to)) => Redirect::temporary(&to).into_response(),
        Some(Gives::Endless) => streamed(stream::repeat(Bytes::from(vec![b'a'; 1 << 16]))),
        Some(Gives::Stalls) => streamed(stream::pending()),
        None => StatusCode::FORBIDDEN.into_response(),
    }
}

/// A PDF that goes on with these pieces.
fn streamed(pieces: impl stream::Stream<Item = Bytes> + Send + 'static) -> Response {
    use futures_util::StreamExt;
    let begin = stream::once(async { Bytes::from_static(b"%PDF-1.7\n") });
    let body = Body::from_stream(begin.chain(pieces).map(Ok::<_, std::io::Error>));
    ([(header::CONTENT_TYPE, "application/pdf")], body).into_response()
}
