//! Sessions of browsers: signed in with a token, for half a day at most.
//!
//! A session is worth what its token is worth: if that is revoked, or taken out of the configuration, the session is
//! over with the next request.

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode};
use axum::response::IntoResponse;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::contract::tag;
use super::door::Viewer;
use super::operators::{hash_of, new_secret};
use super::problem::Problem;
use super::visitor::{Via, Visitor, by_session, by_token, client};
use super::{App, body, same_site};
use crate::ledger::Session;
use crate::words::Language;

/// The cookie.
const NAME: &str = "hirebridge_session";

/// How long a session lasts at most.
const LASTS: SignedDuration = SignedDuration::from_hours(12);

/// What signs a browser in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"token": "hb_…"}))]
pub(super) struct SignIn {
    /// The operator's token.
    token: String,
}

/// Who is signed in.
#[derive(Serialize, ToSchema)]
#[schema(as = Session, example = json!({
    "name": "mia", "role": "sender", "via": "session", "expires_at": "2027-01-04T21:12:44Z",
}))]
pub(super) struct SessionShape {
    /// The operator's name.
    name: String,
    /// `viewer`, `sender` or `admin`.
    #[schema(example = "sender")]
    role: &'static str,
    /// By what.
    via: Via,
    /// When the session ends by itself.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

impl SessionShape {
    fn of(visitor: &Visitor) -> Self {
        let Visitor { operator, via, expires_at } = visitor;
        Self {
            name: operator.name.to_string(),
            role: operator.role.name(),
            via: *via,
            expires_at: *expires_at,
        }
    }
}

/// What a request says besides its body.
pub(super) struct Head(Parts);

impl FromRequestParts<App> for Head {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        Ok(Self(parts.clone()))
    }
}

/// The value of the one session cookie. Of two, one may have been set by somebody else's page.
pub(super) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let pairs = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = pairs.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(name, _)| *name == NAME).map(|(_, value)| value);
    values.next().filter(|_| values.next().is_none())
}

fn set_cookie(app: &App, value: &str, seconds: i64) -> [(HeaderName, String); 1] {
    let https = app.settings.public_url.as_ref().is_some_and(|url| url.scheme() == "https");
    let secure = if https { "; Secure" } else { "" };
    let cookie = format!("{NAME}={value}; HttpOnly; SameSite=Strict; Path=/; Max-Age={seconds}{secure}");
    [(SET_COOKIE, cookie)]
}

/// Sign a browser in with a token.
///
/// The answer sets a cookie that is good for 12 hours at most: until the browser signs out, the token is revoked, or
/// the operator is taken out of the configuration. With the cookie, whatever is not GET or HEAD needs the header
/// `X-Hirebridge-Console: 1`.
#[utoipa::path(post, path = "/v1/session", tag = tag::OPERATORS, operation_id = "sign_in",
    request_body(content = SignIn, description = "The token"),
    responses(
        (status = 200, description = "The browser is signed in", body = SessionShape,
            headers(("Set-Cookie" = String, description = "`hirebridge_session`"))),
        (status = 403, description = "It was asked by somebody else's page: `cross_site`"),
        (status = 429, description = "Too many tries from this address: `too_many_tries`, with `Retry-After`"),
    ))]
pub(super) async fn sign_in(
    State(app): State<App>,
    Head(parts): Head,
    body::Json(SignIn { token }): body::Json<SignIn>,
) -> Result<impl IntoResponse, Problem> {
    let found = by_token(&app, token.trim(), client(&app, &parts)).await;
    let (operator, token) = found.inspect_err(|problem| {
        let reason = &problem.code().words(Language::English).says;
        tracing::warn!(reason, "refused a sign-in");
    })?;
    let keyring = app.transfer.ledger().keyring();
    if let Some(former) = cookie(&parts.headers) {
        keyring.end_session(&keyring.mark(&hash_of(former))).await?;
    }
    let (now, value) = (app.clock.now(), new_secret());
    let session = Session { token, expires_at: now.saturating_add(LASTS).unwrap_or(now) };
    keyring.open_session(&keyring.mark(&hash_of(&value)), &session, now).await?;
    tracing::info!(operator = &*operator.name, role = operator.role.name(), "signed in");
    let visitor = Visitor { operator, via: Via::Token, expires_at: Some(session.expires_at) };
    Ok((set_cookie(&app, &value, LASTS.as_secs()), Json(SessionShape::of(&visitor))))
}

/// Say who is signed in, and by what.
///
/// By a token in the request, by the cookie, or by the word of a proxy.
#[utoipa::path(get, path = "/v1/session", tag = tag::OPERATORS, operation_id = "session", responses(
    (status = 200, description = "Who", body = SessionShape),
))]
pub(super) async fn who(_: Viewer, axum::Extension(visitor): axum::Extension<Visitor>) -> Json<SessionShape> {
    Json(SessionShape::of(&visitor))
}

/// Sign the browser out.
///
/// Ends the session of the cookie, and takes the cookie away.
#[utoipa::path(delete, path = "/v1/session", tag = tag::OPERATORS, operation_id = "sign_out", responses(
    (status = 204, description = "Nobody is signed in by a cookie any more"),
    (status = 403, description = "It was not asked by the page itself: `cross_site`"),
))]
pub(super) async fn sign_out(
    State(app): State<App>,
    Head(parts): Head,
) -> Result<impl IntoResponse, Problem> {
    if let Some(visitor) = by_session(&app, &parts.headers).await? {
        same_site::by_the_page(&Method::DELETE, &parts.headers, app.settings.public_url.as_ref())?;
        tracing::info!(operator = &*visitor.operator.name, "signed out");
    }
    if let Some(value) = cookie(&parts.headers) {
        let keyring = app.transfer.ledger().keyring();
        keyring.end_session(&keyring.mark(&hash_of(value))).await?;
    }
    Ok((StatusCode::NO_CONTENT, set_cookie(&app, "", 0)))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn one_cookie_is_the_session_and_two_are_none() {
        let found = |values: &[&'static str]| {
            let value = |text: &&'static str| (COOKIE, HeaderValue::from_static(text));
            let headers: HeaderMap = values.iter().map(value).collect();
            cookie(&headers).map(str::to_owned)
        };
        assert_eq!(found(&["a=b; hirebridge_session=x;c=d"]).as_deref(), Some("x"));
        assert_eq!(found(&["hirebridge_session=x=="]).as_deref(), Some("x=="));
        assert_eq!(found(&["hirebridge_session=x; hirebridge_session=y"]), None);
        assert_eq!(found(&["hirebridge_session=x", "hirebridge_session=x"]), None);
        assert_eq!(found(&["xhirebridge_session=x", "hirebridge_session"]), None);
    }
}
