//! Deliveries that are not sent but fetched: some ATSs have a place that gives them to whoever asks.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::{Bytes, BytesMut};
use bytesize::ByteSize;
use jiff::SignedDuration;
use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use super::settings::Mistakes;
use super::{AtsSource, json};
use crate::clock::Clock;
use crate::outbound::fetch::{Fetch, FetchError, Link};
use crate::outbound::{Client, Failure, Guard, Request, Reuse};

/// How often it is asked, if nothing is said.
const EVERY: SignedDuration = SignedDuration::from_mins(5);

/// How often it is asked at most.
const AT_MOST_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// How long an answer may take, to its end: files come along.
const WITHIN: SignedDuration = SignedDuration::from_mins(2);

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);

/// `[sources.NAME.poll]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PollSettings {
    /// Where the deliveries are.
    pub url: Option<Url>,
    /// How often to ask; 5 min.
    pub every: Option<SignedDuration>,
    /// The user of HTTP Basic; without one, the credential is a bearer token.
    pub user: Option<String>,
    /// The bearer token, or the password.
    pub credential: Option<SecretString>,
}

/// A place that is asked for deliveries.
pub struct Poll {
    url: Url,
    headers: HeaderMap,
    every: SignedDuration,
    limit: ByteSize,
    http: Client,
}

/// One delivery out of an answer that our own request brought. Made here alone.
pub struct Item(Bytes);

impl Item {
    /// What would have been the body, had it been sent.
    pub(super) fn into_body(self) -> Bytes {
        self.0
    }
}

/// Why nothing was fetched. Holds neither the URL nor anything of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PollError {
    /// The guard does not let us go there.
    #[error("the place may not be called")]
    Forbidden,
    /// Nothing listens there, its name is not known, or its TLS is not right.
    #[error("the place could not be reached")]
    Unreachable,
    /// The answer did not begin or end in time.
    #[error("the answer did not come in time")]
    Timeout,
    /// The answer broke off.
    #[error("the answer broke off")]
    BrokenOff,
    /// 401 or 403.
    #[error("the credential was refused")]
    CredentialRefused,
    /// 429.
    #[error("it was asked too often")]
    Throttled,
    /// 5xx.
    #[error("the place answered with a failure of its own")]
    ServerError,
    /// Any other status than 200; redirects are not followed.
    #[error("the place answered with status {0}")]
    Status(u16),
    /// The answer is larger than a body may be.
    #[error("the answer is too large")]
    TooLarge,
    /// The answer is no list of deliveries.
    #[error("the answer is no list of deliveries")]
    NotAList,
}

impl PollError {
    /// A stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Forbidden => "forbidden",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::BrokenOff => "broken_off",
            Self::CredentialRefused => "credential_refused",
            Self::Throttled => "throttled",
            Self::ServerError => "server_error",
            Self::Status(_) => "unexpected_status",
            Self::TooLarge => "too_large",
            Self::NotAList => "not_a_list",
        }
    }
}

impl From<FetchError> for PollError {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Forbidden(_) => Self::Forbidden,
            FetchError::Dead(status) => Self::of_status(status),
            FetchError::TooLarge => Self::TooLarge,
            FetchError::BrokenOff("throttled") => Self::Throttled,
            FetchError::BrokenOff("server_error") => Self::ServerError,
            FetchError::BrokenOff("timeout" | "too_slow") => Self::Timeout,
            FetchError::BrokenOff("cut" | "half_body") => Self::BrokenOff,
            FetchError::BrokenOff(_) => Self::Unreachable,
        }
    }
}

impl From<Failure> for PollError {
    fn from(failure: Failure) -> Self {
        match failure.code() {
            "forbidden" | "forbidden_peer" => Self::Forbidden,
            "timeout" => Self::Timeout,
            "cut" | "half_body" => Self::BrokenOff,
            _ => Self::Unreachable,
        }
    }
}

impl PollError {
    fn of_status(status: u16) -> Self {
        match status {
            401 | 403 => Self::CredentialRefused,
            status => Self::Status(status),
        }
    }
}

impl PollSettings {
    /// The place that these settings name; what is wrong with them is added to the mistakes.
    pub(super) fn poll(&self, limit: ByteSize, guard: &Guard, mistakes: &mut Mistakes) -> Option<Poll> {
        let every = self.every.unwrap_or(EVERY);
        if every < AT_MOST_EVERY {
            mistakes.add("poll.every", "must be at least 1m");
        }
        let headers = self.headers(mistakes);
        let Some(url) = self.url.clone() else {
            mistakes.add("poll.url", "is needed: where the deliveries are fetched");
            return None;
        };
        if let Err(forbidden) = guard.check(&url) {
            mistakes.add("poll.url", forbidden.remedy());
        }
        // It asks only whether the place is there; what is fetched goes by the service's clock.
        let http = Client::new(Reuse::Never, CONNECT, guard, Clock::system());
        match http {
            Ok(http) => Some(Poll { url, headers: headers?, every, limit, http }),
            Err(error) => {
                mistakes.add("poll", error.to_string());
                None
            }
        }
    }

    fn headers(&self, mistakes: &mut Mistakes) -> Option<HeaderMap> {
        let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        let secret = self.credential.as_ref().map(ExposeSecret::expose_secret);
        let value = match (&self.user, secret) {
            (None, None) => return Some(headers),
            (Some(_), None) => {
                mistakes.add("poll.user", "is of no use without `credential`, the password");
                return None;
            }
            (_, Some(secret)) if secret.trim().is_empty() => {
                mistakes.add("poll.credential", "is empty; leave it out if there is none");
                return None;
            }
            (Some(user), Some(_)) if user.contains(':') => {
                mistakes.add("poll.user", "must hold no colon: HTTP Basic divides user and password by it");
                return None;
            }
            (Some(user), Some(secret)) => {
                format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{secret}")))
            }
            (None, Some(secret)) => format!("Bearer {secret}"),
        };
        let Ok(mut value) = HeaderValue::try_from(value) else {
            mistakes.add("poll.credential", "holds characters that no token has");
            return None;
        };
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
        Some(headers)
    }
}

impl Poll {
    /// How often to ask.
    pub fn every(&self) -> SignedDuration {
        self.every
    }

    /// Its host, for people.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Asks for what there is, and divides the answer as this ATS does.
    pub(super) async fn fetch(
        &self,
        ats: &dyn AtsSource,
        fetch: &Fetch,
        clock: &Clock,
    ) -> Result<Vec<Item>, PollError> {
        let answer = match self.answer(fetch, clock).await {
            Ok(answer) => answer,
            // There is nothing, said without a list.
            Err(PollError::Status(204)) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let answer = json::read(&answer).map_err(|_| PollError::NotAList)?;
        let bodies = ats.pulled(answer).ok_or(PollError::NotAList)?;
        Ok(bodies.into_iter().map(Item).collect())
    }

    async fn answer(&self, fetch: &Fetch, clock: &Clock) -> Result<Bytes, PollError> {
        let deadline = clock.now().saturating_add(WITHIN).unwrap_or(jiff::Timestamp::MAX);
        let link = Link {
            url: self.url.clone(),
            headers: self.headers.clone(),
            hosts: vec![self.host().to_owned()],
        };
        let mut incoming = fetch.ask(&link, self.limit.as_u64(), deadline).await?;
        let mut body = BytesMut::new();
        while let Some(piece) = incoming.next().await? {
            body.extend_from_slice(&piece);
        }
        Ok(body.freeze())
    }

    /// Asks whether the place is there and takes the credential, as far as that can be told without fetching: who
    /// fetches may be the last to see what is there.
    ///
    /// # Errors
    /// [`PollError`]
    pub async fn knock(&self, within: Duration) -> Result<(), PollError> {
        let mut request = Request::new(Method::OPTIONS, self.url.clone());
        request.headers.extend(self.headers.clone());
        match self.http.send(request, within).await?.status {
            401 | 403 => Err(PollError::CredentialRefused),
            _ => Ok(()),
        }
    }
}

/// The host only: a path may be secret.
impl fmt::Debug for Poll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Poll({} every {})", self.host(), self.every)
    }
}
