//! Why Personio did not give what it was asked for.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::outbound::{Answer, Failure};

/// Why a call to Personio failed, for whoever decides what to do next. Holds no personal value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The client id or secret is not taken.
    #[error("Personio does not take the credential: check personio.client_id and personio.client_secret")]
    Credential,
    /// The credential is taken, but not for this.
    #[error("Personio takes the credential but does not allow this: tick the right on the integration")]
    NotAllowed,
    /// Personio could not be reached, or did not answer as it should, after all repeats.
    #[error("Personio cannot be reached ({0})")]
    Unreachable(Cow<'static, str>),
    /// Personio asked us to slow down, or our own pace has no room.
    #[error("Personio asks for fewer calls")]
    Throttled {
        /// When to come back, if Personio said so.
        retry_at: Option<Timestamp>,
    },
    /// Personio refused, with this HTTP status.
    #[error("Personio refused (status {0})")]
    Refused(u16),
    /// The answer is not what Personio documents.
    #[error("Personio's answer cannot be read ({0})")]
    Unreadable(&'static str),
}

impl CallError {
    /// What an answer that is no success says.
    pub(super) fn from_answer(answer: &Answer, now: Timestamp) -> Self {
        match answer.status {
            401 | 403 => Self::NotAllowed,
            429 => Self::Throttled { retry_at: retry_at(answer, now) },
            300..=399 | 408 | 500..=599 => Self::Unreachable(format!("status_{}", answer.status).into()),
            status => Self::Refused(status),
        }
    }
}

/// When the other side asks us to come back.
pub(super) fn retry_at(answer: &Answer, now: Timestamp) -> Option<Timestamp> {
    now.checked_add(answer.retry_after?).ok()
}

/// Why the stack has no answer.
#[derive(Debug)]
pub(super) enum Failed {
    /// The call itself.
    Call(Failure),
    /// No token could be had: the call was not sent, or was turned away for want of one.
    Token(CallError),
}

impl From<Failed> for CallError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Token(error) => error,
            Failed::Call(Failure::Throttled) => Self::Throttled { retry_at: None },
            Failed::Call(failure) => Self::Unreachable(failure.code().into()),
        }
    }
}
