//! One attempt: a request out, an answer or a failure back. No redirect, no repeat, bounded body.

use std::fmt;
use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Response};
use url::Url;

use super::form::Form;
use super::guard::{Forbidden, Guard};
use super::retry::retry_after;
use crate::clock::Clock;

/// The longest body that is read, in bytes.
pub const BODY_LIMIT: usize = 8 * 1024 * 1024;

/// How long an unused connection is kept: shorter than servers keep theirs, so that a request seldom
/// meets one that is just being closed.
const IDLE: Duration = Duration::from_secs(10);

/// Whether a connection is used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// For a short while: for what may be repeated.
    Short,
    /// Never: a request on a connection that the server is closing has an unknown outcome.
    Never,
}

/// A request as it goes out.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// The headers; values that are secret are marked sensitive by whoever adds them.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
}

/// What a request carries.
#[derive(Clone)]
pub enum Body {
    /// Nothing.
    None,
    /// These bytes.
    Bytes(Bytes),
    /// A form with a file.
    Form(Form),
}

impl Request {
    /// A request without a body.
    pub fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: HeaderMap::new(), body: Body::None }
    }

    /// The same with a JSON body.
    #[must_use]
    pub fn with_json(mut self, body: Bytes) -> Self {
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.body = Body::Bytes(body);
        self
    }
}

/// Method and host only: path, query, headers and body may be personal or secret.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({} {})", self.method, self.url.host_str().unwrap_or_default())
    }
}

/// A whole answer, whatever its status.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// How long the other side asks us to wait, capped.
    pub retry_after: Option<Duration>,
    /// What time it is there, as the other side says.
    pub date: Option<Timestamp>,
    /// What the body is, as the other side says.
    pub content_type: Option<String>,
    /// The body, at most [`BODY_LIMIT`] bytes.
    pub body: Bytes,
}

/// Status and length only: the body may be personal.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({} {} bytes)", self.status, self.body.len())
    }
}

/// Why there is no answer. The codes are stable and hold neither a URL nor a text of the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No byte of the request has left: `dns`, `connect_refused`, `connect_timeout`, `connect` (TLS
    /// included), `not_sendable`, `too_late`, `forbidden` (the guard does not let it go there).
    #[error("the request was not sent: {0}")]
    NotSent(&'static str),
    /// Not sent: our own pace leaves no room for it before its deadline.
    #[error("the request was not sent: too many are waiting")]
    Throttled,
    /// Not sent: the other side is out of order, and it is not yet time to try again.
    #[error("the request was not sent: the other side is out of order")]
    Shut,
    /// The request may have been carried out: `timeout`, `cut`, `half_body`, `body_too_large`,
    /// `forbidden_peer` (somebody else answered than was called).
    #[error("the answer was lost: {0}")]
    Lost(&'static str),
}

impl Failure {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotSent(code) | Self::Lost(code) => code,
            Self::Throttled => "throttled",
            Self::Shut => "out_of_order",
        }
    }
}

/// The client cannot be made: usually no trusted root certificates are installed.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be set up; are the system's root certificates (ca-certificates) installed?")]
pub struct ClientError(#[source] reqwest::Error);

/// Makes single attempts. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    guard: Guard,
    clock: Clock,
}

impl Client {
    /// A client that gives up connecting after `connect`, and goes only where the guard lets it.
    ///
    /// # Errors
    /// [`ClientError`] if TLS cannot be set up.
    pub fn new(reuse: Reuse, connect: Duration, guard: &Guard, clock: Clock) -> Result<Self, ClientError> {
        let builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(connect)
            .pool_idle_timeout(IDLE)
            .user_agent(concat!("hirebridge/", env!("CARGO_PKG_VERSION")));
        let builder = match reuse {
            Reuse::Short => builder,
            Reuse::Never => builder.pool_max_idle_per_host(0),
        };
        let guard = guard.clone();
        guard.on(builder).build().map(|http| Self { http, guard, clock }).map_err(ClientError)
    }

    /// Sends the request once and reads the whole answer, within `limit`.
    ///
    /// # Errors
    /// [`Failure`], which says whether the request may have been carried out.
    pub async fn send(&self, request: Request, limit: Duration) -> Result<Answer, Failure> {
        tokio::time::timeout(limit, self.exchange(request)).await.unwrap_or(Err(Failure::Lost("timeout")))
    }

    async fn exchange(&self, request: Request) -> Result<Answer, Failure> {
        answer(self.started(request).await?, self.now()).await
    }

    /// Sends the request; its answer has begun.
    pub(super) async fn started(&self, request: Request) -> Result<Response, Failure> {
        self.guard.check(&request.url).map_err(|_| Failure::NotSent("forbidden"))?;
        let url = request.url.clone();
        let outgoing = self.http.request(request.method, request.url).headers(request.headers);
        let outgoing = match request.body {
            Body::None => outgoing,
            Body::Bytes(bytes) => outgoing.body(bytes),
            Body::Form(form) => outgoing.multipart(form.into_multipart()?),
        };
        let response = outgoing.send().await.map_err(|error| failure(&error))?;
        let expected = self.guard.admits_peer(&url, response.remote_addr());
        if expected { Ok(response) } else { Err(Failure::Lost("forbidden_peer")) }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// The whole of an answer that has begun.
pub(super) async fn answer(response: Response, now: Timestamp) -> Result<Answer, Failure> {
    let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let retry_after = text(RETRY_AFTER).and_then(|value| retry_after(value, now));
    let date = text(DATE).and_then(|value| httpdate::parse_http_date(value).ok());
    let date = date.and_then(|date| Timestamp::try_from(date).ok());
    let content_type = text(CONTENT_TYPE).map(str::to_owned);
    let status = response.status().as_u16();
    Ok(Answer { status, retry_after, date, content_type, body: body(response).await? })
}

async fn body(mut response: Response) -> Result<Bytes, Failure> {
    let announced = response.content_length().unwrap_or_default();
    if announced > BODY_LIMIT as u64 {
        return Err(Failure::Lost("body_too_large"));
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| Failure::Lost("half_body"))? {
        if body.len() + chunk.len() > BODY_LIMIT {
            return Err(Failure::Lost("body_too_large"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

pub(super) fn failure(error: &reqwest::Error) -> Failure {
    match () {
        () if error.is_builder() => Failure::NotSent("not_sendable"),
        () if is_forbidden(error) => Failure::NotSent("forbidden"),
        () if error.is_dns() => Failure::NotSent("dns"),
        () if error.is_connect() && error.is_timeout() => Failure::NotSent("connect_timeout"),
        () if error.is_connect() && is_refused(error) => Failure::NotSent("connect_refused"),
        () if error.is_connect() => Failure::NotSent("connect"),
        () if error.is_timeout() => Failure::Lost("timeout"),
        () => Failure::Lost("cut"),
    }
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(std::error::Error::source(error), |cause| cause.source())
}

fn is_refused(error: &reqwest::Error) -> bool {
    causes(error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::ConnectionRefused)
}

fn is_forbidden(error: &reqwest::Error) -> bool {
    causes(error).any(<dyn std::error::Error>::is::<Forbidden>)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::super::guard::Settings;
    use super::*;

    const ENOUGH: Duration = Duration::from_secs(10);

    fn client() -> Client {
        let here = Settings { allow: vec!["127.0.0.1".into()], proxy: None }.guard().expect("a host");
        Client::new(Reuse::Never, Duration::from_secs(2), &here, Clock::system()).expect("root certificates")
    }

    fn url(port: u16) -> Url {
        format!("http://127.0.0.1:{port}/").parse().expect("a URL")
    }

    /// A server that reads one request, writes these bytes and closes.
    async fn says(bytes: &'static [u8]) -> Url {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.expect("a connection");
            let read = socket.read(&mut [0; 4096]).await.expect("a request");
            assert!(read > 0);
            socket.write_all(bytes).await.expect("an open connection");
        });
        url(port)
    }

    async fn ask(bytes: &'static [u8]) -> Result<Answer, Failure> {
        client().send(Request::new(Method::GET, says(bytes).await), ENOUGH).await
    }

    #[tokio::test]
    async fn an_answer_is_read_whole() {
        let answer = ask(
            b"HTTP/1.1 429 X\r\nRetry-After: 7\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi",
        )
        .await;
        let expected = Answer {
            date: None,
            status: 429,
            retry_after: Some(Duration::from_secs(7)),
            content_type: Some("text/plain".into()),
            body: Bytes::from_static(b"hi"),
        };
        assert_eq!(answer, Ok(expected));
    }

    #[tokio::test]
    async fn no_redirect_is_followed() {
        let moved =
            ask(b"HTTP/1.1 307 X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n").await;
        assert_eq!(moved.map(|answer| answer.status), Ok(307));
    }

    #[tokio::test]
    async fn what_is_lost_after_sending_is_told_from_what_was_not_sent() {
        assert_eq!(ask(b"").await, Err(Failure::Lost("cut")));
        assert_eq!(
            ask(b"HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\nhalf").await,
            Err(Failure::Lost("half_body"))
        );
        assert_eq!(
            ask(b"HTTP/1.1 200 X\r\nContent-Length: 99999999\r\n\r\n").await,
            Err(Failure::Lost("body_too_large"))
        );
        let gone = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = gone.local_addr().expect("bound").port();
        drop(gone);
        let refused = client().send(Request::new(Method::GET, url(port)), ENOUGH).await;
        assert_eq!(refused, Err(Failure::NotSent("connect_refused")));
        let unknown = "https://no-such-host.invalid/".parse().expect("a URL");
        let unknown = client().send(Request::new(Method::GET, unknown), ENOUGH).await;
        assert!(matches!(unknown, Err(Failure::NotSent(_))), "{unknown:?}");
    }

    #[tokio::test]
    async fn a_silent_server_is_given_up() {
        let silent = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = silent.local_addr().expect("bound").port();
        let answer = client().send(Request::new(Method::GET, url(port)), Duration::from_millis(50)).await;
        assert_eq!(answer, Err(Failure::Lost("timeout")));
    }

    #[test]
    fn debug_shows_neither_path_nor_header_nor_body() {
        let url = "https://api.example.org/v1/x?email=mia@example.org".parse().expect("a URL");
        let request = Request::new(Method::POST, url).with_json(Bytes::from_static(b"{\"secret\":1}"));
        assert_eq!(format!("{request:?}"), "Request(POST api.example.org)");
        let answer = Answer { status: 200, body: Bytes::from_static(b"mia"), ..Answer::default() };
        assert_eq!(format!("{answer:?}"), "Answer(200 3 bytes)");
    }
}
