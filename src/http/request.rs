//! What every request gets: an id that is in all its log lines, and a look at its framing.

use axum::extract::Request;
use axum::http::header::{CONNECTION, HOST};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Version};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;
use uuid::Uuid;

use super::code::Code;
use super::problem::Problem;

/// The header that carries the request's id, in and out.
const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Gives the request an id: the sender's, if it is one, or our own.
pub(super) async fn identify(request: Request, next: Next) -> Response {
    let id = id_in(request.headers()).unwrap_or_else(|| Uuid::now_v7().to_string());
    let span = tracing::info_span!("request", request_id = %id, operator = tracing::field::Empty);
    let mut response = next.run(request).instrument(span).await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}

/// The sender's id, if it may stand in a log line: at most 64 letters, digits, `.`, `_` and `-`.
fn id_in(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(HEADER)?.to_str().ok()?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    ((1..=64).contains(&id.len()) && id.bytes().all(fits)).then(|| id.to_owned())
}

/// Refuses what two servers in a row could read in two ways, and ends the connection. Lengths and encodings
/// are looked at before, on the wire. <https://www.rfc-editor.org/rfc/rfc9112#section-3.2>
pub(super) async fn one_host(request: Request, next: Next) -> Response {
    let detail = match request.headers().get_all(HOST).iter().count() {
        0 if request.version() == Version::HTTP_11 => "host_missing",
        0 | 1 => return next.run(request).await,
        _ => "host_repeated",
    };
    let mut response = Problem::of(Code::BadRequest).detail(detail).into_response();
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_id_that_may_stand_in_a_log_line_is_taken_over() {
        let taken = |id: &'static str| id_in(&HeaderMap::from_iter([(HEADER, HeaderValue::from_static(id))]));
        assert_eq!(taken("Ab-9_.").as_deref(), Some("Ab-9_."));
        for id in ["", "a b", "a\tb", "mia@example.org", &"a".repeat(65).leak()[..]] {
            assert_eq!(taken(id), None, "{id}");
        }
        assert_eq!(id_in(&HeaderMap::new()), None);
    }
}
