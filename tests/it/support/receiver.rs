//! Somebody who is told by webhook, and looks at the signature by hand.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::hmac;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// Its secret, as bytes.
const KEY: [u8; 32] = [9; 32];

/// What came.
#[derive(Clone, Debug)]
pub(crate) struct Came {
    /// `webhook-id`.
    pub(crate) id: String,
    /// `webhook-timestamp`.
    pub(crate) at: i64,
    pub(crate) text: String,
}

impl Came {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("JSON")
    }

    pub(crate) fn kind(&self) -> String {
        self.json()["type"].as_str().expect("a type").to_owned()
    }
}

/// What it answers next.
#[derive(Clone, Copy)]
pub(crate) enum Mood {
    Status(u16),
    Hangs,
}

/// The receiver, on a port of its own.
#[derive(Clone)]
pub(crate) struct Receiver {
    url: String,
    came: Arc<Mutex<Vec<Came>>>,
    mood: Arc<Mutex<Mood>>,
    /// Tells of each visit.
    pub(crate) visited: Arc<tokio::sync::Notify>,
}

fn open<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/secret-path", listener.local_addr().expect("is bound"));
        let mood = Arc::new(Mutex::new(Mood::Status(204)));
        let receiver = Self { url, came: Arc::default(), mood, visited: Arc::default() };
        let router = axum::Router::new().fallback(take).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        receiver
    }

    /// The section that names it.
    pub(crate) fn section(&self) -> String {
        let secret = STANDARD.encode(KEY);
        format!("[notices.webhook]\nurl = \"{}\"\nsecret = \"whsec_{secret}\"\n", self.url)
    }

    pub(crate) fn is(&self, mood: Mood) {
        *open(&self.mood) = mood;
    }

    pub(crate) fn came(&self) -> Vec<Came> {
        open(&self.came).clone()
    }

    pub(crate) fn kinds(&self) -> Vec<String> {
        self.came().iter().map(Came::kind).collect()
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| headers[name].to_str().expect("text").to_owned();
    let (id, at) = (header("webhook-id"), header("webhook-timestamp"));
    let text = String::from_utf8(body.to_vec()).expect("text");
    let signed = format!("{id}.{at}.{text}");
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &KEY), signed.as_bytes());
    let right = header("webhook-signature") == format!("v1,{}", STANDARD.encode(signature));
    if !right || header("content-type") != "application/json" {
        return StatusCode::UNAUTHORIZED;
    }
    open(&receiver.came).push(Came { id, at: at.parse().expect("seconds"), text });
    receiver.visited.notify_one();
    let mood = *open(&receiver.mood);
    match mood {
        Mood::Status(status) => StatusCode::from_u16(status).expect("a status"),
        Mood::Hangs => std::future::pending().await,
    }
}
