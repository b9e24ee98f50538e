//! Which version of a hire somebody has looked at: `ETag` in answers, `If-Match` in requests.

use axum::extract::FromRequestParts;
use axum::http::HeaderName;
use axum::http::header::{ETAG, IF_MATCH};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};

use super::code::Code;
use super::language::Spoken;
use super::problem::Problem;
use super::shapes::HireShape;

/// A hire as it is answered, with its version.
pub(super) struct Shown {
    pub(super) version: u64,
    pub(super) hire: Spoken<HireShape>,
}

impl IntoResponse for Shown {
    fn into_response(self) -> Response {
        let tag: [(HeaderName, String); 1] = [(ETAG, format!("\"{}\"", self.version))];
        (tag, self.hire).into_response()
    }
}

/// The one version that the client wants to change; `None` if it wants to change whatever is there.
pub(super) struct IfMatch(pub(super) Option<u64>);

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all(IF_MATCH).iter();
        let Some(value) = values.next() else { return Ok(Self(None)) };
        if value == "*" {
            return Ok(Self(None));
        }
        let version = value.to_str().ok().and_then(version).filter(|_| values.next().is_none());
        version.map(|version| Self(Some(version))).ok_or_else(|| Problem::of(Code::IfMatchInvalid))
    }
}

/// What we have given out: a number in quotation marks.
fn version(tag: &str) -> Option<u64> {
    tag.trim().strip_prefix('"')?.strip_suffix('"')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_what_was_given_out_and_nothing_else() {
        assert_eq!(version("\"7\""), Some(7));
        for other in ["7", "W/\"7\"", "\"7\", \"8\"", "\"\"", "\"x\"", ""] {
            assert_eq!(version(other), None, "{other}");
        }
    }
}
