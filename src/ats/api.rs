//! Questions to an ATS's own API, for what a webhook names only by its id.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::time::Instant;
use url::{Url, form_urlencoded};

use crate::clock::Clock;
use crate::outbound::{Body, Client, Failure, Guard, Request, Reuse};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(3);

/// Why a question has no answer. Holds neither the URL nor anything of the answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// Nothing listens there, or it hung up.
    #[error("the ATS could not be reached")]
    Unreachable,
    /// There was no answer before the deadline.
    #[error("the ATS did not answer in time")]
    Timeout,
    /// An HTTP status other than success.
    #[error("the ATS answered with status {0}")]
    Status(u16),
    /// The ATS said no in an answer of its own, with its code.
    #[error("the ATS refused: {0}")]
    Refused(String),
    /// The answer is larger than 8 MiB.
    #[error("the ATS's answer is too large")]
    TooLarge,
    /// The answer is not what the ATS documents.
    #[error("the ATS's answer cannot be read")]
    Unreadable,
    /// The ATS does not have this file any more.
    #[error("the ATS has no such file")]
    NoSuchFile,
    /// The key that we were given may not read files.
    #[error("the ATS's key may not read files")]
    NoRight,
    /// This ATS has no files that could be asked for, or there is no key to ask with.
    #[error("this ATS's files cannot be asked for")]
    NoFiles,
}

impl ApiError {
    /// A stable code: `timeout`, `status_503`, `refused_application_not_found` …
    pub fn code(&self) -> String {
        match self {
            Self::Unreachable => "unreachable".into(),
            Self::Timeout => "timeout".into(),
            Self::Status(status) => format!("status_{status}"),
            Self::Refused(code) => format!("refused_{code}"),
            Self::TooLarge => "too_large".into(),
            Self::Unreadable => "unreadable".into(),
            Self::NoSuchFile => "no_such_file".into(),
            Self::NoRight => "no_right".into(),
            Self::NoFiles => "no_files".into(),
        }
    }
}

/// An ATS's API with the key that a customer gave us.
pub struct Api {
    http: Client,
    base: Url,
    headers: HeaderMap,
}

impl Api {
    /// An API that takes the key as the user of HTTP Basic, without a password.
    ///
    /// # Errors
    /// A sentence, when the platform's TLS cannot be set up.
    pub fn with_basic_key(
        base: Url,
        key: &SecretString,
        accept: &'static str,
        guard: &Guard,
    ) -> Result<Self, String> {
        let credential = BASE64_STANDARD.encode(format!("{}:", key.expose_secret()));
        let basic = HeaderValue::try_from(format!("Basic {credential}")).expect("base64 is fit for a header");
        Self::with(base, basic, accept, guard)
    }

    /// An API that takes a user and a password by HTTP Basic.
    ///
    /// # Errors
    /// A sentence, when the platform's TLS cannot be set up.
    pub fn with_basic(
        base: Url,
        user: &SecretString,
        password: &SecretString,
        guard: &Guard,
    ) -> Result<Self, String> {
        let credential = format!("{}:{}", user.expose_secret(), password.expose_secret());
        let basic = HeaderValue::try_from(format!("Basic {}", BASE64_STANDARD.encode(credential)));
        Self::with(base, basic.expect("base64 is fit for a header"), "application/json", guard)
    }

    /// An API that takes the key as a bearer token.
    ///
    /// # Errors
    /// A sentence, when the key is not fit for a header, or the platform's TLS cannot be set up.
    pub fn with_bearer(base: Url, key: &SecretString, guard: &Guard) -> Result<Self, String> {
        let bearer = HeaderValue::try_from(format!("Bearer {}", key.expose_secret()));
        let bearer = bearer.map_err(|_| "holds characters that no token has".to_owned())?;
        Self::with(base, bearer, "application/json", guard)
    }

    fn with(
        base: Url,
        mut credential: HeaderValue,
        accept: &'static str,
        guard: &Guard,
    ) -> Result<Self, String> {
        credential.set_sensitive(true);
        let headers =
            HeaderMap::from_iter([(AUTHORIZATION, credential), (ACCEPT, HeaderValue::from_static(accept))]);
        let http = Client::new(Reuse::Short, CONNECT, guard, Clock::system());
        let http = http.map_err(|error| error.to_string())?;
        Ok(Self { http, base, headers })
    }

    /// Posts JSON to a path below the base and reads the JSON of the answer, all before `deadline`.
    ///
    /// # Errors
    /// [`ApiError`]; a status other than 2xx is one, redirects included.
    pub async fn post_json(&self, path: &str, body: &Value, deadline: Instant) -> Result<Value, ApiError> {
        let body = serde_json::to_vec(body).map_err(|_| ApiError::Unreadable)?;
        self.ask(Request::new(Method::POST, self.at(path)).with_json(body.into()), deadline).await
    }

    /// Posts a form to a path below the base and reads the JSON of the answer, all before `deadline`.
    ///
    /// # Errors
    /// [`ApiError`]; a status other than 2xx is one, redirects included.
    pub async fn post_form(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        deadline: Instant,
    ) -> Result<Value, ApiError> {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut request = Request::new(Method::POST, self.at(path));
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers.insert(CONTENT_TYPE, form_type);
        request.body = Body::Bytes(form.into());
        self.ask(request, deadline).await
    }

    /// Reads the JSON at a path below the base, with this query, before `deadline`.
    ///
    /// # Errors
    /// [`ApiError`]; a status other than 2xx is one, redirects included.
    pub async fn get_json(
        &self,
        path: &str,
        query: &[(&str, &str)],
        deadline: Instant,
    ) -> Result<Value, ApiError> {
        let mut url = self.at(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.ask(Request::new(Method::GET, url), deadline).await
    }

    /// A path below the base.
    fn at(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path.split('/'));
        }
        url
    }

    async fn ask(&self, mut request: Request, deadline: Instant) -> Result<Value, ApiError> {
        request.headers.extend(self.headers.clone());
        let left = deadline.duration_since(Instant::now());
        let answer = self.http.send(request, left).await?;
        match answer.status {
            200..=299 => super::json::read(&answer.body).map_err(|_| ApiError::Unreadable),
            status => Err(ApiError::Status(status)),
        }
    }
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        match failure.code() {
            "timeout" => Self::Timeout,
            "body_too_large" => Self::TooLarge,
            _ => Self::Unreachable,
        }
    }
}

/// The base only: the key stays unsaid.
impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Api({})", self.base)
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;
    use axum::routing::post;
    use serde_json::json;

    use super::*;

    async fn ask(answer: impl IntoResponse + Clone + Send + Sync + 'static) -> Result<Value, ApiError> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base = format!("http://{}/base/", listener.local_addr().expect("is bound"));
        let router = axum::Router::new().route("/base/thing.info", post(move || async move { answer }));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let key = SecretString::from("the-api-key");
        let base: Url = base.parse().expect("a URL");
        let guard = Guard::open_to(&base);
        let api = Api::with_basic_key(base, &key, "application/json", &guard).expect("TLS is there");
        assert!(!format!("{api:?}").contains("the-api-key"));
        api.post_json("thing.info", &json!({}), Instant::now() + Duration::from_mins(1)).await
    }

    #[tokio::test]
    async fn an_answer_is_read_below_the_base() {
        assert_eq!(ask(r#"{"success":true}"#).await, Ok(json!({ "success": true })));
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed() {
        let moved = ask(axum::response::Redirect::temporary("/base/thing.info")).await;
        assert_eq!(moved, Err(ApiError::Status(307)));
    }

    #[tokio::test]
    async fn an_answer_without_end_is_cut_off() {
        assert_eq!(ask(" ".repeat(crate::outbound::client::BODY_LIMIT + 1)).await, Err(ApiError::TooLarge));
    }

    #[tokio::test]
    async fn an_answer_that_is_not_json_is_unreadable() {
        assert_eq!(ask("<html>").await, Err(ApiError::Unreadable));
        assert_eq!(ask(r#"{"a":1,"a":2}"#).await, Err(ApiError::Unreadable));
    }
}
