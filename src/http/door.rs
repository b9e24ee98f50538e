//! The door of the API: nothing under `/v1` is reached but by an operator with the role that its route states, and
//! nothing at all that states none. A handler has an operator only by taking one of the proofs [`Viewer`],
//! [`Sender`] and [`Admin`].

use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::header::{ALLOW, CACHE_CONTROL};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use url::form_urlencoded;

use super::access::{Access, Gates};
use super::code::Code;
use super::operators::{Operator, Role, may_be_ours};
use super::problem::Problem;
use super::visitor::{Visitor, visitor};
use super::{App, same_site};
use crate::words::Language;

/// What is behind the door.
const BEHIND: &str = "/v1";

/// What the door knows.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) app: App,
    pub(super) gates: Arc<Gates>,
}

/// Refuses whoever is not signed in, whatever the address behind the door, existing or not.
pub(super) async fn keep(State(door): State<Door>, request: Request, next: Next) -> Response {
    if !is_behind(request.uri().path()) {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let mut response = match door.admit(&parts).await {
        Ok(Some(visitor)) => {
            tracing::Span::current().record("operator", &*visitor.operator.name);
            parts.extensions.insert(visitor);
            next.run(Request::from_parts(parts, body)).await
        }
        Ok(None) => next.run(Request::from_parts(parts, body)).await,
        Err(problem) => {
            tracing::warn!(
                status = problem.code().status().as_u16(),
                reason = problem.code().words(Language::English).says,
                "refused a request to the API"
            );
            let allowed = door.allowed(&parts).filter(|_| problem.code() == Code::MethodNotAllowed);
            let mut response = problem.into_response();
            response.headers_mut().extend(allowed.map(|allowed| (ALLOW, allowed)));
            response
        }
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn is_behind(path: &str) -> bool {
    path.strip_prefix(BEHIND).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Door {
    /// Who is let in; nobody needs to be, where the route is open to anyone.
    async fn admit(&self, parts: &Parts) -> Result<Option<Visitor>, Problem> {
        if names_a_token(&parts.uri) {
            return Err(Problem::of(Code::TokenInUrl));
        }
        let path = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str);
        match path.map(|path| (path, self.gates.access(path, &parts.method))) {
            Some((_, Some(Access::Anyone))) => {
                let public = self.app.settings.public_url.as_ref();
                same_site::from_here(&parts.method, &parts.headers, public).map(|()| None)
            }
            Some((_, Some(Access::Operators(role)))) => {
                let visitor = visitor(&self.app, parts).await?;
                may(&visitor.operator, role)?;
                Ok(Some(visitor))
            }
            Some((path, None)) => {
                visitor(&self.app, parts).await?;
                if self.gates.allowed(path).is_some() {
                    return Err(Problem::of(Code::MethodNotAllowed));
                }
                tracing::error!(path, "the route does not state who may use it, so nobody may");
                Err(Problem::of(Code::NotFound))
            }
            // There is nothing at this address, which strangers are not told.
            None => visitor(&self.app, parts).await.map(Some),
        }
    }

    fn allowed(&self, parts: &Parts) -> Option<HeaderValue> {
        self.gates.allowed(parts.extensions.get::<MatchedPath>()?.as_str())
    }
}

/// What a secret is called where people put it into a URL.
const SECRETS: &[&str] = &[
    "access_token",
    "api-key",
    "api_key",
    "apikey",
    "auth",
    "authorization",
    "bearer",
    "hirebridge_session",
    "id_token",
    "key",
    "password",
    "secret",
    "session",
    "token",
];

/// Whether something in the URL is a secret, or called like one.
fn names_a_token(uri: &Uri) -> bool {
    let userinfo = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
    let in_path = uri.path().split('/').any(may_be_ours);
    let mut query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    userinfo
        || in_path
        || query.any(|(name, value)| {
            SECRETS.contains(&name.to_ascii_lowercase().as_str())
                || may_be_ours(&name)
                || value.split_whitespace().any(may_be_ours)
        })
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
    let visitor = parts.extensions.get::<Visitor>().ok_or_else(|| Problem::of(Code::Unauthenticated))?;
    may(&visitor.operator, needed)?;
    Ok(visitor.operator.clone())
}

fn may(operator: &Operator, needed: Role) -> Result<(), Problem> {
    if operator.role < needed {
        let roles = vec![("has", operator.role.name().to_owned()), ("needs", needed.name().to_owned())];
        return Err(Problem::of(Code::Forbidden).detail_with("role", roles));
    }
    Ok(())
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
    fn a_token_in_the_url_is_seen_however_it_is_spelt() {
        let token = super::super::operators::new_token().0;
        let seen = |uri: &str| names_a_token(&uri.parse().expect("a URI"));
        for uri in [
            "/v1/hires?limit=5&access_token=x",
            "/v1/hires?to%6ben=",
            "/v1/hires?TOKEN=x",
            "/v1/hires?api_key=x",
            "/v1/hires?Authorization=Bearer+x",
            &format!("/v1/hires?q={token}"),
            &format!("/v1/hires?q=Bearer%20{token}"),
            &format!("/v1/hires?{token}"),
            &format!("/v1/hires/{token}"),
            "http://mia:secret@localhost/v1/hires",
        ] {
            assert!(seen(uri), "{uri}");
        }
        assert!(!seen("/v1/hires?source=token&name=hb_&reason=key"));
    }
}
