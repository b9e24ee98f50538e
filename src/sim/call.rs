//! A request, read to its end and taken apart.

use axum::extract::{DefaultBodyLimit, FromRequest as _, Multipart};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_DISPOSITION, CONTENT_TYPE};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, Request};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::answer::Cut;
use super::operation::Operation;
use super::record::{Bearer, Outcome, Recorded};

/// Room for a file that is over Personio's 30 MB, so that it is refused and not cut off.
const BODY_LIMIT: usize = 40 << 20;

pub(super) struct Call {
    pub(super) operation: Operation,
    /// The employee id in the path.
    pub(super) id: Option<u64>,
    pub(super) query: Vec<(String, String)>,
    /// The bearer token as sent; what it is worth is judged on arrival.
    pub(super) token: Option<String>,
    pub(super) body: Body,
    head: Parts,
}

pub(super) enum Body {
    Empty,
    Json(Value),
    Form(Vec<(String, String)>),
    Multipart(Vec<Part>),
    /// A body that is not what its `Content-Type` says, or of a type that nobody asked for.
    Unreadable(String),
}

/// One part of a multipart body.
pub(super) struct Part {
    pub(super) name: String,
    pub(super) file_name: Option<String>,
    pub(super) content_type: Option<String>,
    /// Whether name or file name come coded (`filename*=`), which RFC 7578 forbids in a form and PHP does not read.
    pub(super) coded: bool,
    pub(super) content: Bytes,
}

impl Call {
    /// Reads the request to its end. `Err` if the caller goes away before that.
    pub(super) async fn read(request: Request<Incoming>) -> Result<Self, Cut> {
        let (head, body) = request.into_parts();
        let bytes = Limited::new(body, BODY_LIMIT).collect().await.map_err(|_| Cut::Close)?.to_bytes();
        let (operation, id) = Operation::of(&head.method, head.uri.path());
        let query = head.uri.query().map(pairs).unwrap_or_default();
        let token = text_of(&head.headers, AUTHORIZATION.as_str())
            .map(|value| value.strip_prefix("Bearer ").unwrap_or_default().to_owned());
        let body = Body::read(&head, bytes).await;
        Ok(Self { operation, id, query, token, body, head })
    }

    pub(super) fn method(&self) -> &Method {
        &self.head.method
    }

    pub(super) fn path(&self) -> &str {
        self.head.uri.path()
    }

    pub(super) fn header(&self, name: &str) -> Option<String> {
        text_of(&self.head.headers, name)
    }

    /// The one value of a query parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON, or what is wrong with it.
    pub(super) fn json(&self) -> Result<&Value, String> {
        match &self.body {
            Body::Json(value) => Ok(value),
            Body::Unreadable(what) => Err(what.clone()),
            Body::Empty | Body::Form(_) | Body::Multipart(_) => {
                Err("the body must be application/json".into())
            }
        }
    }

    pub(super) fn record(&self, bearer: Bearer) -> Recorded {
        // Credentials in the query of `/v1/auth` are refused; they are not kept either.
        let query = self.head.uri.query().filter(|_| self.operation != Operation::Auth);
        Recorded {
            number: 0,
            operation: self.operation,
            method: self.method().to_string(),
            path: self.path().to_owned(),
            query: query.map(str::to_owned),
            bearer,
            app_id: self.header("x-personio-app-id"),
            partner_id: self.header("x-personio-partner-id"),
            content_type: self.header("content-type"),
            body: self.recorded_body(),
            outcome: Outcome::Open,
        }
    }

    fn recorded_body(&self) -> Value {
        let mut body = match &self.body {
            Body::Empty => Value::Null,
            Body::Json(value) => value.clone(),
            Body::Form(pairs) => pairs.iter().map(|(key, value)| (key.clone(), json!(value))).collect(),
            Body::Multipart(parts) => parts.iter().map(|part| (part.name.clone(), part.recorded())).collect(),
            Body::Unreadable(what) => json!({"unreadable": what}),
        };
        if let Some(secret) = body.get_mut("client_secret") {
            *secret = json!("[withheld]");
        }
        body
    }
}

impl Body {
    async fn read(head: &Parts, bytes: Bytes) -> Self {
        let content_type = text_of(&head.headers, CONTENT_TYPE.as_str()).unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "" if bytes.is_empty() => Self::Empty,
            "application/json" => match serde_json::from_slice(&bytes) {
                Ok(value) => Self::Json(value),
                Err(_) => Self::Unreadable("the body is not JSON".into()),
            },
            "application/x-www-form-urlencoded" => {
                Self::Form(form_urlencoded::parse(&bytes).into_owned().collect())
            }
            "multipart/form-data" => match parts(&content_type, bytes).await {
                Ok(parts) => Self::Multipart(parts),
                Err(error) => Self::Unreadable(format!("the multipart body cannot be read: {error}")),
            },
            other => Self::Unreadable(format!("nothing here takes the Content-Type {other:?}")),
        }
    }
}

impl Part {
    pub(super) fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.content).ok()
    }

    fn recorded(&self) -> Value {
        match (&self.file_name, self.text()) {
            (None, Some(text)) => json!(text),
            (name, _) => json!({"file_name": name, "type": self.content_type, "size": self.content.len()}),
        }
    }
}

async fn parts(content_type: &str, bytes: Bytes) -> Result<Vec<Part>, axum::BoxError> {
    let mut request =
        Request::post("/").header(CONTENT_TYPE, content_type).body(axum::body::Body::from(bytes))?;
    DefaultBodyLimit::disable().apply(&mut request);
    let mut multipart = Multipart::from_request(request, &()).await?;
    let mut parts = Vec::new();
    while let Some(field) = multipart.next_field().await? {
        let name = field.name().ok_or("a part has no name")?.to_owned();
        let file_name = field.file_name().map(str::to_owned);
        let content_type = field.content_type().map(str::to_owned);
        let disposition = text_of(field.headers(), CONTENT_DISPOSITION.as_str()).unwrap_or_default();
        let coded = disposition.contains("name*");
        parts.push(Part { name, file_name, content_type, coded, content: field.bytes().await? });
    }
    Ok(parts)
}

fn pairs(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

fn text_of(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}
