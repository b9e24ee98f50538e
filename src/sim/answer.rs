//! What is answered, in the shapes of Personio v1, and how it goes over the wire.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

/// An answer, and what was wrong with the call.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) payload: Payload,
    pub(super) retry_after: Option<String>,
    /// The token, which Personio repeats in the `Authorization` header of personnel answers.
    pub(super) token: Option<String>,
    pub(super) violations: Vec<String>,
}

#[derive(Debug, Clone)]
pub(super) enum Payload {
    Empty,
    Json(Value),
    Text(&'static str, String),
}

impl Answer {
    pub(super) fn new(status: u16, payload: Payload) -> Self {
        Self { status, payload, retry_after: None, token: None, violations: Vec::new() }
    }

    pub(super) fn json(status: u16, body: Value) -> Self {
        Self::new(status, Payload::Json(body))
    }

    /// `{"success":true,"data":…}`
    pub(super) fn data(status: u16, data: impl Into<Value>) -> Self {
        Self::json(status, json!({"success": true, "data": data.into()}))
    }

    /// `{"success":false,"error":{"code":…,"message":…}}`
    pub(super) fn refusal(status: u16, code: u16, message: impl Into<String>) -> Self {
        Self::json(status, json!({"success": false, "error": {"code": code, "message": message.into()}}))
    }

    /// 422 in the shape of a refused employee.
    pub(super) fn unprocessable(message: impl Into<String>) -> Self {
        Self::refusal(422, 422, message)
    }

    /// 422 for calls that the caller must never make; each is recorded.
    pub(super) fn violation(violations: Vec<String>) -> Self {
        Self::unprocessable(violations.join("; ")).with_violations(violations)
    }

    /// What a proxy on the way might answer.
    pub(super) fn html() -> Self {
        let page = "<!doctype html><html><body><h1>Maintenance</h1></body></html>";
        Self::new(200, Payload::Text("text/html; charset=utf-8", page.into()))
    }

    pub(super) fn with_violations(mut self, violations: Vec<String>) -> Self {
        self.violations = violations;
        self
    }

    /// The same answer without the id that it should carry.
    pub(super) fn without_id(mut self) -> Self {
        if let Payload::Json(body) = &mut self.payload
            && let Some(data) = body.get_mut("data").and_then(Value::as_object_mut)
        {
            data.shift_remove("id");
        }
        self
    }

    pub(super) fn into_response(self) -> Response<Reply> {
        let (mut response, body) = self.split();
        *response.body_mut() = Reply::Whole(Some(body));
        response
    }

    /// The head of the whole answer and the first half of its body; then the connection ends.
    pub(super) fn into_half(self) -> Response<Reply> {
        let (mut response, body) = self.split();
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        *response.body_mut() = Reply::Torn { half: Some(body.slice(..body.len() / 2)), flushed: false };
        response
    }

    fn split(self) -> (Response<Reply>, Bytes) {
        let (content_type, body) = match self.payload {
            Payload::Empty => (None, Bytes::new()),
            Payload::Json(body) => (Some("application/json"), body.to_string().into()),
            Payload::Text(content_type, text) => (Some(content_type), text.into()),
        };
        let mut response = Response::new(Reply::Whole(None));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let bearer = self.token.map(|token| format!("Bearer {token}"));
        let optional = [
            (CONTENT_TYPE, content_type.map(str::to_owned)),
            (RETRY_AFTER, self.retry_after),
            (AUTHORIZATION, bearer),
        ];
        for (name, value) in optional {
            if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
                response.headers_mut().insert(name, value);
            }
        }
        (response, body)
    }
}

/// The connection ends without an answer, or in the middle of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the simulator cuts this connection")]
pub(super) enum Cut {
    /// An orderly end (FIN).
    Close,
    /// A reset (RST).
    Reset,
}

/// The body of an answer: whole, or torn after its first half.
pub(super) enum Reply {
    Whole(Option<Bytes>),
    Torn { half: Option<Bytes>, flushed: bool },
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        match &mut *self {
            Self::Whole(body) | Self::Torn { half: body @ Some(_), .. } => {
                Poll::Ready(body.take().map(|bytes| Ok(Frame::data(bytes))))
            }
            // hyper writes to the socket only when the body has nothing for it at the moment.
            Self::Torn { flushed: flushed @ false, .. } => {
                *flushed = true;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Self::Torn { .. } => Poll::Ready(Some(Err(Cut::Close))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => SizeHint::with_exact(body.as_ref().map_or(0, |b| b.len() as u64)),
            Self::Torn { .. } => SizeHint::default(),
        }
    }
}
