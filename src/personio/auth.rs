//! The authenticate layer: every call leaves with a token that Personio should take.
//!
//! There is one token for all. Whoever finds none asks for it; everybody else who needs it meanwhile
//! waits and shares the answer, also when it is a failure. A token that was refused is dropped and the
//! call is made once more with a new one. That is safe for a create too: what is turned away for its
//! token is not carried out.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::HeaderValue;
use secrecy::SecretString;
use tokio::sync::Mutex;
use tower::{Layer, Service, ServiceExt};

use super::call::{Call, Operation};
use super::error::{CallError, Failed};
use super::{Bare, Patient, Settings, v1};
use crate::clock::Clock;
use crate::outbound::{Answer, Failure, Meaning, classify, left};

/// A token is renewed so long before it ends; a short-lived one after half its life.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// How long a refused credential is not tried again: twice a minute at most.
const REFUSED_FOR: SignedDuration = SignedDuration::from_secs(30);

/// How long we stay away at most when Personio asks us to; it closes the door for a minute.
/// Source: <https://developer.personio.de/reference/auth>.
const AWAY_FOR: SignedDuration = SignedDuration::from_secs(60);

/// How long an operation that a brand-new token did not open is not worth another token.
const BARRED_FOR: SignedDuration = SignedDuration::from_secs(60);

/// A token, ready to be sent.
#[derive(Clone)]
pub(super) struct Token {
    header: HeaderValue,
    number: u64,
    good_until: Timestamp,
}

/// The one token of the credential, and how to get the next.
pub(super) struct Tokens {
    calls: Patient<Bare>,
    credential: std::sync::Mutex<Bytes>,
    patience: Duration,
    clock: Clock,
    /// How often a token was asked for; tells whoever waited that the answer is there.
    rounds: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    failure: Option<Shared>,
    barred: Vec<(Operation, Timestamp)>,
}

/// A failure that others need not live through again.
struct Shared {
    error: CallError,
    round: u64,
    until: Option<Timestamp>,
}

impl Tokens {
    pub(super) fn new(calls: Patient<Bare>, settings: &Settings, patience: Duration, clock: Clock) -> Self {
        let credential = v1::credential(&settings.client_id, &settings.client_secret).into();
        let (rounds, state) = (AtomicU64::new(0), Mutex::default());
        Self { calls, credential, patience, clock, rounds, state }
    }

    /// The token; asks for one if there is none that is good.
    pub(super) async fn token(&self, deadline: Timestamp) -> Result<Token, CallError> {
        let left = left(deadline, self.clock.now());
        tokio::time::timeout(left, self.known_or_new())
            .await
            .unwrap_or(Err(CallError::Unreachable("timeout".into())))
    }

    async fn known_or_new(&self) -> Result<Token, CallError> {
        let seen = self.rounds.load(Ordering::Acquire);
        let mut state = self.state.lock().await;
        let now = self.clock.now();
        if let Some(token) = state.token.as_ref().filter(|token| now < token.good_until) {
            return Ok(token.clone());
        }
        if let Some(error) = state.failure.as_ref().and_then(|failure| failure.for_one_who_saw(seen, now)) {
            return Err(error);
        }
        let asked = self.ask().await;
        let round = self.rounds.fetch_add(1, Ordering::AcqRel) + 1;
        state.failure = asked.as_ref().err().map(|error| Shared::new(error, round, self.clock.now()));
        state.token = asked.as_ref().ok().map(|token| Token { number: round, ..token.clone() });
        state.token.clone().ok_or_else(|| asked.err().expect("there is a token or an error"))
    }

    async fn ask(&self) -> Result<Token, CallError> {
        let deadline = self.clock.now().checked_add(self.patience).unwrap_or(Timestamp::MAX);
        let answer = self.calls.clone().oneshot(v1::authenticate(self.credential(), deadline)).await;
        let answer = answer.map_err(|failure| CallError::from(Failed::Call(failure)))?;
        let now = self.clock.now();
        let (text, lifetime) = v1::read_token(&answer, now)?;
        let mut header = HeaderValue::try_from(format!("Bearer {text}"))
            .map_err(|_| CallError::Unreadable("token_not_sendable"))?;
        header.set_sensitive(true);
        let good_for = (lifetime - MARGIN).max(lifetime / 2);
        Ok(Token { header, number: 0, good_until: now.checked_add(good_for).unwrap_or(Timestamp::MAX) })
    }

    fn credential(&self) -> Bytes {
        self.credential.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Goes by another credential: what is known of the former one is forgotten.
    pub(super) async fn change(&self, id: &SecretString, secret: &SecretString) {
        *self.credential.lock().unwrap_or_else(PoisonError::into_inner) = v1::credential(id, secret);
        *self.state.lock().await = State::default();
    }

    /// Drops a token that was refused, so that the next one is new. `false` if that has just been tried for
    /// this operation: then a right is missing, and asking again would only wear out the limit.
    async fn drop_refused(&self, operation: Operation, refused: &Token) -> bool {
        let mut state = self.state.lock().await;
        let now = self.clock.now();
        state.barred.retain(|(_, until)| now < *until);
        let barred = state.barred.iter().any(|(known, _)| *known == operation);
        if !barred {
            state.token.take_if(|token| token.number == refused.number);
        }
        !barred
    }

    async fn bar(&self, operation: Operation) {
        let until = self.clock.now().checked_add(BARRED_FOR).unwrap_or(Timestamp::MAX);
        self.state.lock().await.barred.push((operation, until));
    }
}

impl Shared {
    fn new(error: &CallError, round: u64, now: Timestamp) -> Self {
        let in_a_while = |wait| now.checked_add(wait).unwrap_or(Timestamp::MAX);
        let until = match error {
            CallError::Credential => Some(in_a_while(REFUSED_FOR)),
            CallError::Throttled { retry_at } => retry_at.map(|at| at.min(in_a_while(AWAY_FOR))),
            _ => None,
        };
        Self { error: error.clone(), round, until }
    }

    /// The error, if it happened while this one waited or still stands.
    fn for_one_who_saw(&self, round: u64, now: Timestamp) -> Option<CallError> {
        let shared = round < self.round || self.until.is_some_and(|until| now < until);
        shared.then(|| self.error.clone())
    }
}

/// The layer.
pub(super) struct Authenticate(Arc<Tokens>);

impl Authenticate {
    pub(super) fn new(tokens: Arc<Tokens>) -> Self {
        Self(tokens)
    }
}

impl<S> Layer<S> for Authenticate {
    type Service = Authenticated<S>;

    fn layer(&self, inner: S) -> Authenticated<S> {
        Authenticated { inner, tokens: Arc::clone(&self.0) }
    }
}

/// A service whose calls carry a token.
#[derive(Clone)]
pub(super) struct Authenticated<S> {
    inner: S,
    tokens: Arc<Tokens>,
}

impl<S> Authenticated<S>
where
    S: Service<Call, Response = Answer, Error = Failure> + Clone,
{
    async fn attempt(mut self, call: Call) -> Result<Answer, Failed> {
        let token = self.tokens.token(call.deadline).await.map_err(Failed::Token)?;
        let answer = self.with(&token, &call).await?;
        if !is_refused(&answer) || !self.tokens.drop_refused(call.operation, &token).await {
            return Ok(answer);
        }
        let token = self.tokens.token(call.deadline).await.map_err(Failed::Token)?;
        let answer = self.with(&token, &call).await?;
        if is_refused(&answer) {
            self.tokens.bar(call.operation).await;
        }
        Ok(answer)
    }

    async fn with(&mut self, token: &Token, call: &Call) -> Result<Answer, Failed> {
        let call = Call { authorization: Some(token.header.clone()), ..call.clone() };
        let inner = self.inner.ready().await.map_err(Failed::Call)?;
        inner.call(call).await.map_err(Failed::Call)
    }
}

fn is_refused(answer: &Answer) -> bool {
    classify(false, Ok(answer.status)) == Meaning::Credential
}

impl<S> Service<Call> for Authenticated<S>
where
    S: Service<Call, Response = Answer, Error = Failure> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Answer;
    type Error = Failed;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, Failed>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        self.inner.poll_ready(cx).map_err(Failed::Call)
    }

    fn call(&mut self, call: Call) -> Self::Future {
        Box::pin(self.clone().attempt(call))
    }
}
