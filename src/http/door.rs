//! The door of the API: nothing under `/v1` is reached without a token, and a handler has an operator
//! only by taking one of the proofs [`Viewer`], [`Sender`] and [`Admin`].

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use url::form_urlencoded;

use super::App;
use super::code::Code;
use super::operators::{Operator, Operators, Role};
use super::problem::Problem;
use crate::words::Language;

/// What is behind the door.
const BEHIND: &str = "/v1";

/// Refuses whoever has no token, whatever the address behind the door, existing or not.
pub(super) async fn keep(State(app): State<App>, mut request: Request, next: Next) -> Response {
    if !is_behind(request.uri().path()) {
        return next.run(request).await;
    }
    let mut response = match admit(&app.operators, &request) {
        Ok(operator) => {
            tracing::Span::current().record("operator", &*operator.name);
            request.extensions_mut().insert(operator);
            next.run(request).await
        }
        Err(problem) => {
            tracing::warn!(
                status = problem.code().status().as_u16(),
                reason = problem.code().words(Language::English).says,
                "refused a request to the API"
            );
            problem.into_response()
        }
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn is_behind(path: &str) -> bool {
    path.strip_prefix(BEHIND).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn admit(operators: &Operators, request: &Request) -> Result<Operator, Problem> {
    if names_a_token(request.uri().query().unwrap_or_default()) {
        return Err(Problem::of(Code::TokenInUrl));
    }
    let token = bearer(request.headers()).ok_or_else(|| Problem::of(Code::Unauthenticated))?;
    let unknown = || Problem::of(Code::Unauthenticated).detail("token_unknown");
    operators.identify(token).cloned().ok_or_else(unknown)
}

fn names_a_token(query: &str) -> bool {
    form_urlencoded::parse(query.as_bytes())
        .any(|(name, _)| ["token", "access_token"].contains(&name.to_ascii_lowercase().as_str()))
}

/// The token of the one `Authorization: Bearer …` header.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The proof that an operator may see.
#[derive(Clone, Debug)]
pub struct Viewer(Operator);

/// The proof that an operator may send.
#[derive(Clone, Debug)]
pub struct Sender(Operator);

/// The proof that an operator may do everything.
#[derive(Clone, Debug)]
pub struct Admin(Operator);

macro_rules! proof {
    ($proof:ident, $role:expr) => {
        impl $proof {
            /// The name that stands in the history.
            pub fn name(&self) -> &str {
                &self.0.name
            }
        }

        impl<S: Sync> FromRequestParts<S> for $proof {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
                admitted(parts, $role).map(Self)
            }
        }
    };
}

proof!(Viewer, Role::Viewer);
proof!(Sender, Role::Sender);
proof!(Admin, Role::Admin);

fn admitted(parts: &Parts, needed: Role) -> Result<Operator, Problem> {
    let operator = parts.extensions.get::<Operator>().ok_or_else(|| Problem::of(Code::Unauthenticated))?;
    if operator.role < needed {
        let roles = vec![("has", operator.role.name().to_owned()), ("needs", needed.name().to_owned())];
        return Err(Problem::of(Code::Forbidden).detail_with("role", roles));
    }
    Ok(operator.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_door_is_before_v1_and_before_nothing_else() {
        for (path, expected) in [
            ("/v1", true),
            ("/v1/", true),
            ("/v1/hires", true),
            ("/v10", false),
            ("/", false),
            ("/livez", false),
        ] {
            assert_eq!(is_behind(path), expected, "{path}");
        }
    }

    #[test]
    fn a_token_comes_in_one_authorization_header() {
        let token = |values: &[&'static str]| {
            let value = |text: &&'static str| (AUTHORIZATION, HeaderValue::from_static(text));
            let headers: HeaderMap = values.iter().map(value).collect();
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(token(&["Bearer hb_a"]).as_deref(), Some("hb_a"));
        assert_eq!(token(&["bearer  hb_a "]).as_deref(), Some("hb_a"));
        assert_eq!(token(&["Basic hb_a"]), None);
        assert_eq!(token(&["hb_a"]), None);
        assert_eq!(token(&["Bearer hb_a", "Bearer hb_b"]), None);
        assert_eq!(token(&[]), None);
    }

    #[test]
    fn a_token_in_the_query_is_seen_however_it_is_spelt() {
        assert!(names_a_token("limit=5&access_token=x"));
        assert!(names_a_token("to%6ben="));
        assert!(names_a_token("TOKEN=x"));
        assert!(!names_a_token("source=token"));
    }
}
