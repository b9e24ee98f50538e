//! Personio: what it is asked, in which dialect, and how patiently.
//!
//! [`connect`] stacks the layers, outermost first: retry → authenticate → breaker → pace → the wire. A [`Reader`] cannot
//! change Personio; a [`Writer`] spends a [`Ticket`](crate::ledger::Ticket) for every employee it creates and every document it adds.

mod auth;
mod call;
mod error;
mod meta;
mod person;
mod reader;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod tests;
mod upload;
mod v1;
mod wire;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use secrecy::SecretString;
use serde::Deserialize;
use tower::Layer;
use tower::retry::{Retry, RetryLayer};
use url::Url;

use crate::clock::Clock;
use crate::outbound::breaker::{Breaker, Broken};
use crate::outbound::budget::Budget;
use crate::outbound::pace::{Pace, Paced};
use crate::outbound::retry::Patience;
use crate::outbound::{ClientError, Guard};
use crate::telemetry::Metrics;

use auth::{Authenticate, Authenticated, Tokens};
use call::Limits;
use wire::Wire;

pub use crate::outbound::form::{Content, Pieces};
pub use error::CallError;
pub use person::{Person, Shown};
pub use reader::Reader;
pub use upload::Uploading;
pub use writer::{Creation, Writer};

/// How Personio is reached.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `https://api.personio.de`, or a simulator.
    pub base_url: Url,
    /// The integration's client id.
    pub client_id: SecretString,
    /// The integration's client secret.
    pub client_secret: SecretString,
    /// Sent as `X-Personio-App-ID`: upper case, digits and underscores.
    /// Source: <https://developer.personio.de/reference/include-our-headers-in-your-requests>.
    pub app_id: String,
    /// Sent as `X-Personio-Partner-ID`; for partners of Personio only.
    #[serde(default)]
    pub partner_id: Option<String>,
    /// Where a person finds an employee's profile: `{id}` stands for the employee's id.
    #[serde(default)]
    pub profile_url: Option<String>,
    /// How long one attempt may take.
    pub attempt_timeout: SignedDuration,
    /// How long a call may take, repeats and waits included. A create has its permit's deadline instead.
    pub call_timeout: SignedDuration,
    /// How many reads may leave in a minute; 0 is no limit. Personio takes 300, at most 15 in a second:
    /// <https://developer.personio.de/changelog/rate-limits-on-get-employees-endpoint-may-6-2024>.
    pub reads_per_minute: u32,
    /// How many creates may leave in a minute; 0 is no limit. Personio documents none of its own.
    pub creates_per_minute: u32,
    /// How many documents may leave in a minute; 0 is no limit. Personio takes 60 in any minute, of which ten are left for
    /// those that may leave at once: <https://github.com/personio/api-docs>.
    pub uploads_per_minute: u32,
    /// How often is learned what Personio knows: attributes, options, names; 0 for never.
    #[serde(default)]
    pub learn_every: SignedDuration,
}

/// Why no connection to Personio can be set up. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A setting cannot be used.
    #[error("personio.{key} {problem}")]
    Setting {
        /// The key in the section `personio`.
        key: &'static str,
        /// What is wrong with it, and what would be right.
        problem: &'static str,
    },
    /// The HTTP client cannot be set up.
    #[error(transparent)]
    Client(#[from] ClientError),
}

type Patient<S> = Retry<Patience<Metrics>, S>;
type Bare = Broken<Paced<Wire, Limits>, Metrics>;
type Stack = Patient<Authenticated<Bare>>;

/// Sets up the way to Personio; asks nothing yet.
///
/// # Errors
/// [`ConnectError`] if a setting cannot be used.
pub fn connect(
    settings: &Settings,
    guard: &Guard,
    clock: &Clock,
    metrics: &Metrics,
) -> Result<(Reader, Writer), ConnectError> {
    let (attempt, whole) = timeouts(settings)?;
    let connecting = wire::connecting(attempt);

    let breaker = Breaker::new(clock.clone(), metrics.clone());
    let wire = Wire::new(settings, attempt, guard, clock.clone(), metrics.clone())?;
    let pace = Pace::new(Limits::new(settings), clock.clone());
    let bare = breaker.layer(pace.layer(wire.clone()));
    let budget = Budget::new(clock.clone());
    let retry = RetryLayer::new(Patience::new(clock.clone(), budget, connecting, metrics.clone()));
    let token_calls = retry.layer(bare.clone());
    let tokens = Arc::new(Tokens::new(token_calls, settings, whole, clock.clone()));
    let authenticate = Authenticate::new(Arc::clone(&tokens));

    let stack = retry.layer(authenticate.layer(bare));

    let writer = Writer::new(stack.clone(), clock.clone());
    let profile_url = profile_url(settings)?;
    Ok((Reader::new(stack, tokens, breaker, wire, whole, profile_url, clock.clone()), writer))
}

fn timeouts(settings: &Settings) -> Result<(Duration, Duration), ConnectError> {
    let time = |key, value: SignedDuration| {
        Duration::try_from(value)
            .ok()
            .filter(|time| !time.is_zero())
            .ok_or(ConnectError::Setting { key, problem: "must be longer than nothing, such as \"10s\"" })
    };
    Ok((time("attempt_timeout", settings.attempt_timeout)?, time("call_timeout", settings.call_timeout)?))
}

fn profile_url(settings: &Settings) -> Result<Option<Arc<str>>, ConnectError> {
    match &settings.profile_url {
        Some(template) if !template.contains(reader::ID) => {
            Err(ConnectError::Setting { key: "profile_url", problem: "must say where the {id} stands" })
        }
        template => Ok(template.as_deref().map(Arc::from)),
    }
}
