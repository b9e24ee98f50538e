//! Who is asking: by a token, by a session, or by what a trusted proxy says.
//!
//! The ledger is asked each time, so that what is revoked lets nobody in any more, on any replica.

use std::net::IpAddr;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::code::Code;
use super::operators::{Operator, hash_of, may_be_ours};
use super::problem::Problem;
use super::tries::Shut;
use super::{App, proxies, same_site, session};
use crate::domain::Pass;
use crate::ledger::{Keyring, LedgerError, Mark};

/// By what an operator is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Via {
    /// A token in the request.
    Token,
    /// A cookie, had for a token.
    Session,
    /// The proxy's word.
    Proxy,
}

/// An operator who is signed in.
#[derive(Clone, Debug)]
pub(super) struct Visitor {
    pub(super) operator: Operator,
    pub(super) via: Via,
    /// When a session ends by itself.
    pub(super) expires_at: Option<Timestamp>,
}

/// Who is asking; nobody, if the request does not say so. A token counts before a session, a session before a proxy.
pub(super) async fn visitor(app: &App, parts: &Parts) -> Result<Visitor, Problem> {
    if parts.headers.contains_key(AUTHORIZATION) {
        let token = bearer(&parts.headers).ok_or_else(|| Problem::of(Code::Unauthenticated))?;
        let (operator, _) = by_token(app, token, client(app, parts)).await?;
        return Ok(Visitor { operator, via: Via::Token, expires_at: None });
    }
    let found = match by_session(app, &parts.headers).await? {
        Some(visitor) => Some(visitor),
        None => by_proxy(app, parts).await?,
    };
    let visitor = found.ok_or_else(|| Problem::of(Code::Unauthenticated))?;
    same_site::by_the_page(&parts.method, &parts.headers, app.settings.public_url.as_ref())?;
    Ok(visitor)
}

/// The address that a request comes from.
pub(super) fn client(app: &App, parts: &Parts) -> IpAddr {
    app.proxies.client(proxies::peer(parts), &parts.headers)
}

/// The token of the one `Authorization: Bearer …` header.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

impl From<Shut> for Problem {
    fn from(Shut(left): Shut) -> Self {
        let seconds = u32::try_from(left.as_millis().div_ceil(1000)).unwrap_or(u32::MAX);
        Self::of(Code::TooManyTries).retry_after(seconds)
    }
}

/// Whose token this is. From an address that has failed too often no token is taken, right or wrong.
pub(super) async fn by_token(app: &App, token: &str, from: IpAddr) -> Result<(Operator, Mark), Problem> {
    app.tries.open(from, app.clock.elapsed())?;
    let hash = hash_of(token);
    let mark = app.transfer.ledger().keyring().mark(&hash);
    let found = match app.operators.identify(&hash) {
        Some(operator) => Some(operator.clone()),
        None if may_be_ours(token) => by_pass(app, &mark).await?,
        None => None,
    };
    let Some(operator) = found else {
        app.tries.failed(from, app.clock.elapsed())?;
        return Err(Problem::of(Code::Unauthenticated).detail("token_unknown"));
    };
    // It may have been shut while the ledger was asked.
    app.tries.open(from, app.clock.elapsed())?;
    Ok((operator, mark))
}

/// The operator of a pass in the ledger.
async fn by_pass(app: &App, token: &Mark) -> Result<Option<Operator>, LedgerError> {
    let keyring = app.transfer.ledger().keyring();
    let Some(pass) = keyring.pass(token).await? else { return Ok(None) };
    note_use(app, keyring, &pass).await;
    Ok(Some(Operator { name: pass.name.into(), role: pass.role }))
}

/// Once a day. That it cannot be noted keeps nobody out.
async fn note_use(app: &App, keyring: &dyn Keyring, pass: &Pass) {
    let now = app.clock.now();
    if !pass.was_used_on_the_day_of(now)
        && let Err(error) = keyring.used(pass.id, now).await
    {
        tracing::warn!(%error, "that a token was used could not be noted");
    }
}

/// The operator whose token the session was opened with, if that token still lets somebody in.
pub(super) async fn by_session(app: &App, headers: &HeaderMap) -> Result<Option<Visitor>, LedgerError> {
    let Some(cookie) = session::cookie(headers) else { return Ok(None) };
    let keyring = app.transfer.ledger().keyring();
    let Some(session) = keyring.session(&keyring.mark(&hash_of(cookie)), app.clock.now()).await? else {
        return Ok(None);
    };
    let operator = match app.operators.of_session(&session, keyring) {
        Some(operator) => Some(operator.clone()),
        None => by_pass(app, &session.token).await?,
    };
    let expires_at = Some(session.expires_at);
    Ok(operator.map(|operator| Visitor { operator, via: Via::Session, expires_at }))
}

/// Whom the proxy names, if it is one that is trusted and the name is nobody else's here.
async fn by_proxy(app: &App, parts: &Parts) -> Result<Option<Visitor>, Problem> {
    let Some(sign_in) = &app.proxies.sign_in else { return Ok(None) };
    if !app.proxies.trust(proxies::peer(parts)) {
        return Ok(None);
    }
    let Some(operator) = sign_in.operator(&parts.headers)? else { return Ok(None) };
    let taken =
        app.operators.has(&operator.name) || app.transfer.ledger().keyring().has_pass(&operator.name).await?;
    if taken {
        return Err(Problem::of(Code::Forbidden).detail("proxy_name_taken"));
    }
    Ok(Some(Visitor { operator, via: Via::Proxy, expires_at: None }))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

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
}
