//! A softgarden whose export is fetched: a place that gives hires to whoever asks with the right credential.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use bytes::Bytes;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};

/// What the place says.
#[derive(Clone)]
pub(crate) enum Says {
    /// These items, each time.
    Items(Vec<Value>),
    /// These items to the first who asks, then none: what softgarden seems to do.
    Once(Vec<Value>),
    /// This text.
    Text(String),
    /// This status.
    Status(u16),
    /// Somewhere else.
    Redirect(String),
    /// The items, when the test says so.
    Late(Vec<Value>),
    /// A list without end.
    Endless,
    /// A beginning, and nothing more.
    Stalls,
}

/// The place, and who came.
#[derive(Clone)]
pub(crate) struct Export {
    pub(crate) url: String,
    says: Arc<Mutex<Says>>,
    visits: watch::Sender<Vec<String>>,
    late: Arc<Semaphore>,
}

impl Export {
    /// A place on a port of its own.
    pub(crate) async fn start(says: Says) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/export?tenant=acme", listener.local_addr().expect("is bound"));
        let (says, visits) = (Arc::new(Mutex::new(says)), watch::Sender::default());
        let export = Self { url, says, visits, late: Arc::new(Semaphore::new(0)) };
        let router = axum::Router::new().fallback(give).with_state(export.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        export
    }

    /// Says this from now on.
    pub(crate) fn says(&self, says: Says) {
        *self.says.lock().unwrap_or_else(PoisonError::into_inner) = says;
    }

    /// Lets a late answer go.
    pub(crate) fn release(&self) {
        self.late.add_permits(1);
    }

    /// Each visit: method, and the credential that came along.
    pub(crate) fn visits(&self) -> Vec<String> {
        self.visits.borrow().clone()
    }

    /// Returns when somebody has come so often.
    pub(crate) async fn visited(&self, times: usize) {
        self.visits.subscribe().wait_for(|visits| visits.len() >= times).await.expect("it is there");
    }
}

/// An item as softgarden wraps it.
pub(crate) fn item(delivery: &Value) -> Value {
    json!({ "data": delivery.to_string() })
}

async fn give(State(export): State<Export>, request: Request) -> Response {
    let credential = request.headers().get(header::AUTHORIZATION).map(|value| value.to_str().expect("text"));
    let visit = format!("{} {}", request.method(), credential.unwrap_or("-"));
    export.visits.send_modify(|visits| visits.push(visit));
    if request.method() != Method::GET {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let says = {
        let mut says = export.says.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *says {
            Says::Once(items) => Says::Items(std::mem::take(items)),
            other => other.clone(),
        }
    };
    match says {
        Says::Items(items) | Says::Once(items) => axum::Json(items).into_response(),
        Says::Text(text) => text.into_response(),
        Says::Status(status) => StatusCode::from_u16(status).expect("a status").into_response(),
        Says::Redirect(to) => Redirect::temporary(&to).into_response(),
        Says::Late(items) => {
            export.late.acquire().await.expect("it is open").forget();
            axum::Json(items).into_response()
        }
        Says::Endless => {
            Body::from_stream(pieces(stream::repeat(Bytes::from(vec![b' '; 1 << 16])))).into_response()
        }
        Says::Stalls => Body::from_stream(pieces(stream::pending())).into_response(),
    }
}

/// A list that goes on with these pieces.
fn pieces(
    pieces: impl stream::Stream<Item = Bytes> + Send + 'static,
) -> impl stream::Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static {
    use futures_util::StreamExt;
    stream::once(async { Bytes::from_static(b"[") }).chain(pieces).map(Ok)
}
