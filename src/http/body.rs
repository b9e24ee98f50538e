//! Reading a request's body: under a limit, in time, as it came.

use std::error::Error;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use axum::body::{Body, HttpBody};
use axum::extract::{FromRequest, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, EXPECT};
use axum::http::{HeaderMap, HeaderValue};
use bytes::{Bytes, BytesMut};
use bytesize::ByteSize;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use tokio::time::{Instant, timeout_at};

use super::App;
use super::code::Code;
use super::intake::Allowance;
use super::limits::Limits;
use super::problem::Problem;

/// A body that is refused is thrown away if it is no larger, so that its connection can go on.
const ALONG: u64 = 64 * 1024;

/// How often hyper is asked for more of such a body. It reads 8 KiB at a time at least.
const TURNS: usize = 16;

/// Reads a body of at most `limit`. What announces itself as larger is refused before it is read; an
/// encoded body is refused, because a small one could become a large one. Whoever sends too slowly is cut
/// off, and so is everybody once the service stops: nothing of theirs was accepted. An `allowance` says whether
/// there is memory for what arrives.
pub(super) async fn read(
    app: &App,
    headers: &HeaderMap,
    body: Body,
    limit: ByteSize,
    allowance: Option<&Allowance>,
    gzip: bool,
) -> Result<Bytes, Problem> {
    let known = |encoding: &HeaderValue| encoding == "identity" || (gzip && encoding == "gzip");
    if !headers.get_all(CONTENT_ENCODING).iter().all(known) {
        return Err(Problem::of(Code::ContentEncoding));
    }
    let at_most = limit.display().iec().to_string();
    let too_large =
        || Problem::of(Code::TooLarge).detail_with("body_limit", vec![("limit", at_most.clone())]);
    if announced(headers).is_some_and(|length| length > limit.as_u64()) {
        return Err(too_large());
    }
    let limit = usize::try_from(limit.as_u64()).unwrap_or(usize::MAX);
    tokio::select! {
        biased;
        read = collect(Limited::new(body, limit), &app.limits, allowance) => read.map_err(|cut| match cut {
            Cut::NoMemory(problem) => problem,
            Cut::Late => Problem::of(Code::RequestTimeout),
            Cut::Broken(error) if error.is::<LengthLimitError>() => too_large(),
            Cut::Broken(_) => Problem::of(Code::BadRequest).detail("body_cut"),
        }),
        () = app.stopping.cancelled() => {
            Err(Problem::of(Code::Overloaded).detail("stopping"))
        }
    }
}

/// Why a body is not complete.
enum Cut {
    Late,
    NoMemory(Problem),
    Broken(Box<dyn Error + Send + Sync>),
}

/// Reads a body whose sender has to keep up a rate.
async fn collect(
    mut body: Limited<Body>,
    limits: &Limits,
    allowance: Option<&Allowance>,
) -> Result<Bytes, Cut> {
    let (since, mut read) = (Instant::now(), BytesMut::new());
    loop {
        let until = limits.body_until(since, read.len());
        let Some(frame) = timeout_at(until, body.frame()).await.map_err(|_| Cut::Late)? else {
            return Ok(read.freeze());
        };
        if let Ok(data) = frame.map_err(Cut::Broken)?.into_data() {
            allowance.map_or(Ok(()), |allowance| allowance.grow(data.len())).map_err(Cut::NoMemory)?;
            read.extend_from_slice(&data);
        }
    }
}

/// Throws away a body that is refused, if it is small and has come along with its head, which spares both sides a new
/// connection. Returns whether all of it was there. Nothing is waited for.
pub(super) async fn came_along(headers: &HeaderMap, mut body: Body) -> bool {
    let small = announced(headers).is_some_and(|length| length <= ALONG);
    if !small || headers.contains_key(EXPECT) {
        return false;
    }
    // hyper hands over what it has when it has been asked for it.
    for _ in 0..TURNS {
        match poll_fn(|cx| Poll::Ready(Pin::new(&mut body).poll_frame(cx))).await {
            Poll::Ready(Some(Ok(_))) if !body.is_end_stream() => {}
            Poll::Ready(frame) => return frame.is_none_or(|frame| frame.is_ok()),
            Poll::Pending => tokio::task::yield_now().await,
        }
    }
    false
}

/// How many bytes the body says that it has.
pub(super) fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// A JSON body of our own API, where a field that nobody knows is a mistake. No body counts as `{}`.
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = read(app, &parts.headers, body, app.settings.body_limit, None, false).await?;
        if bytes.is_empty() {
            return parse(b"{}").map(Self);
        }
        if !parts.headers.get(CONTENT_TYPE).is_some_and(is_json) {
            return Err(Problem::of(Code::UnsupportedMediaType));
        }
        parse(&bytes).map(Self)
    }
}

/// `application/json` or `application/…+json`, in UTF-8.
fn is_json(content_type: &HeaderValue) -> bool {
    let Ok(text) = content_type.to_str() else { return false };
    let text = text.to_ascii_lowercase();
    let mut parts = text.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let json =
        essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"));
    json && parts.filter_map(|part| part.strip_prefix("charset=")).all(|set| set.trim_matches('"') == "utf-8")
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut input = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut input).map_err(|error| {
        let path = error.path().to_string();
        misfit(&path, error.inner())
    })?;
    input.end().map_err(|error| not_json(&error))?;
    Ok(value)
}

fn misfit(path: &str, error: &serde_json::Error) -> Problem {
    if error.classify() != Category::Data {
        return not_json(error);
    }
    let words = error.to_string();
    let (field, message) = match in_backticks(&words) {
        ("unknown field", name) => (beside(path, name), "is not a known field"),
        ("missing field", name) => (beside(path, name), "is missing"),
        ("duplicate field", name) => (beside(path, name), "comes twice"),
        // Anything else may repeat the value that was sent.
        _ => (path.to_owned(), "is not of the kind that is expected here"),
    };
    Problem::of(Code::Invalid).field(field, message)
}

/// `unknown field `a`, expected …` → what is wrong, and with which name.
fn in_backticks(words: &str) -> (&str, &str) {
    let mut parts = words.splitn(3, '`');
    let what = parts.next().unwrap_or_default().trim_end();
    (what, parts.next().unwrap_or_default())
}

/// The name of a field in the object at `path`, which may or may not end in that name already.
fn beside(path: &str, name: &str) -> String {
    match path {
        "." | "?" | "" => name.to_owned(),
        _ if path == name || path.ends_with(&format!(".{name}")) => path.to_owned(),
        _ => format!("{path}.{name}"),
    }
}

fn not_json(error: &serde_json::Error) -> Problem {
    let place = vec![("line", error.line().to_string()), ("column", error.column().to_string())];
    Problem::of(Code::InvalidJson).detail_with("json_place", place)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Form {
        #[serde(rename = "plan_hash")]
        _hash: String,
        #[serde(default, rename = "inner")]
        _inner: Inner,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[serde(rename = "employee_id")]
        _employee: u64,
    }

    fn refused(text: &str) -> (Code, Value) {
        let problem = parse::<Form>(text.as_bytes()).expect_err("is refused");
        let body = serde_json::to_value(problem.body()).expect("a problem serialises");
        (problem.code(), body["errors"].clone())
    }

    #[test]
    fn a_field_that_is_wrong_is_named_and_its_value_is_not() {
        let cases = [
            (r#"{"plan_hash": "a", "mia": 1}"#, "mia", "is not a known field"),
            (r#"{"plan_hash": "a", "inner": {"x": 1}}"#, "inner.x", "is not a known field"),
            (r#"{"plan_hash": "a", "inner": {}}"#, "inner.employee_id", "is missing"),
            (r#"{"plan_hash": "a", "plan_hash": "a"}"#, "plan_hash", "comes twice"),
            (
                r#"{"plan_hash": "a", "inner": {"employee_id": "mia@example.org"}}"#,
                "inner.employee_id",
                "is not of the kind that is expected here",
            ),
            ("{}", "plan_hash", "is missing"),
        ];
        for (text, field, message) in cases {
            let expected = json!([{"field": field, "message": message}]);
            assert_eq!(refused(text), (Code::Invalid, expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_json_is_refused_with_its_place() {
        for text in ["{", r#"{"plan_hash": "a"} x"#, "\u{feff}{}"] {
            assert_eq!(refused(text).0, Code::InvalidJson, "{text}");
        }
    }

    #[test]
    fn json_is_told_by_its_content_type() {
        for (text, expected) in [
            ("application/json", true),
            ("application/json; charset=UTF-8", true),
            ("application/merge-patch+json", true),
            ("application/json; charset=utf-16", false),
            ("text/plain", false),
            ("multipart/form-data; boundary=x", false),
        ] {
            assert_eq!(is_json(&HeaderValue::from_static(text)), expected, "{text}");
        }
    }
}
