//! The states of a hire, their names and their reasons.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::step::Effect;

/// Where a hire stands. An answer's `state` is [`State::name`], its `reason` is [`State::reason`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Verified and stored; not planned yet.
    Received,
    /// Planned, or approved by a person; may be sent.
    Ready,
    /// Waits for a person.
    Held(Held),
    /// Waits for a time; was surely not sent.
    Waiting(Waiting),
    /// The permit is spent; the call may be on the wire.
    Sending,
    /// It cannot be known whether Personio created the person; it is being looked up.
    Unknown,
    /// The employee is in Personio.
    Created(How),
    /// Un-hired before it was sent.
    Cancelled,
    /// A rule says that this hire is not for Personio.
    Ignored,
    /// Erased; only the keyed hash of its key is left.
    Erased,
}

/// Why a hire waits for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// A required field has no value.
    Missing,
    /// A value cannot be sent as it is: a date that is none, control characters in a name.
    Invalid,
    /// The signed body has a key twice, so that it can be read in two ways.
    Ambiguous,
    /// The signed body is not the JSON that this ATS sends.
    Unreadable,
    /// A value matches nothing that Personio knows.
    Unmatched,
    /// Another hire has the same e-mail address.
    SecondHire,
    /// A person is to look at it first: typed by hand, or an uncertain split of the name.
    Review,
    /// An active employee has this e-mail address.
    Exists,
    /// An inactive employee has this e-mail address.
    Rehire,
    /// Personio refused the employee.
    Refused,
    /// The outcome is unknown and looking has not found the person.
    Unknown,
    /// Personio could not be reached, or did not take the credential, for 72 hours.
    NotSent,
}

/// Why a hire waits for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Waiting {
    /// Personio could not be reached, or could not be asked.
    Unreachable,
    /// Personio does not take our credential, or it lacks a right.
    Credential,
    /// Personio asked us to slow down.
    Throttled,
}

/// How the employee came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// Created by our call, which was answered.
    Sent,
    /// Created by our call, whose answer was lost, or which this ledger has forgotten; found afterwards.
    Adopted,
    /// A person said which employee it is.
    Linked,
}

impl State {
    /// What is to be done when a hire in this state has a next time and that time has come: after a
    /// restart, or when it is due. Everything a hire needs to go on is in its state.
    pub fn resume(self) -> Effect {
        match self {
            Self::Received => Effect::Plan,
            Self::Ready => Effect::LookUp,
            Self::Waiting(_) => Effect::Wake,
            Self::Unknown => Effect::LookAgain,
            Self::Created(_) => Effect::Compare,
            Self::Held(Held::Refused) => Effect::LookUpRefused,
            Self::Sending | Self::Held(_) | Self::Cancelled | Self::Ignored | Self::Erased => Effect::Rest,
        }
    }

    /// The stable name of the state.
    pub fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Ready => "ready",
            Self::Held(_) => "held",
            Self::Waiting(_) => "waiting",
            Self::Sending => "sending",
            Self::Unknown => "unknown",
            Self::Created(_) => "created",
            Self::Cancelled => "cancelled",
            Self::Ignored => "ignored",
            Self::Erased => "erased",
        }
    }

    /// The stable code of why it is in this state, where there is more than one way.
    pub fn reason(self) -> Option<&'static str> {
        match self {
            Self::Held(why) => Some(why.code()),
            Self::Waiting(why) => Some(why.code()),
            Self::Created(How::Adopted) => Some("adopted"),
            Self::Created(How::Linked) => Some("linked"),
            Self::Cancelled => Some("unhired"),
            Self::Ignored => Some("rule"),
            _ => None,
        }
    }

    /// The state with this name and reason, as [`name`](Self::name) and [`reason`](Self::reason) wrote it.
    pub fn parse(name: &str, reason: Option<&str>) -> Option<Self> {
        ALL.iter().copied().find(|state| state.name() == name && state.reason() == reason)
    }

    /// Whether nothing automatic will happen any more and no person needs to act.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Created(_) | Self::Cancelled | Self::Ignored | Self::Erased)
    }

    /// Whether an employee came, or may have come, of a hire in this state: then no other hire of the same
    /// person is sent.
    pub fn may_be_an_employee(self) -> bool {
        matches!(self, Self::Sending | Self::Unknown | Self::Created(_) | Self::Held(Held::Unknown))
    }

    /// Whether the permit may still be granted, so that facts and plan may change.
    pub fn is_before_permit(self) -> bool {
        matches!(self, Self::Received | Self::Ready | Self::Waiting(_) | Self::Ignored)
            || matches!(self, Self::Held(why) if why != Held::Refused && why != Held::Unknown)
    }
}

/// `name` or `name(reason)`.
impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason() {
            Some(reason) => write!(f, "{}({reason})", self.name()),
            None => f.write_str(self.name()),
        }
    }
}

impl Held {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Invalid => "invalid",
            Self::Ambiguous => "ambiguous",
            Self::Unreadable => "unreadable",
            Self::Unmatched => "unmatched",
            Self::SecondHire => "second_hire",
            Self::Review => "review",
            Self::Exists => "exists",
            Self::Rehire => "rehire",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
            Self::NotSent => "not_sent",
        }
    }

    /// Whether more facts may mend it without a person.
    pub(super) fn is_about_the_plan(self) -> bool {
        matches!(self, Self::Missing | Self::Invalid | Self::Unmatched | Self::Unreadable | Self::Ambiguous)
    }
}

impl Waiting {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Credential => "credential",
            Self::Throttled => "throttled",
        }
    }
}

/// Every state with every reason: what the ledger may hold and the API may show.
pub const ALL: &[State] = &[
    State::Received,
    State::Ready,
    State::Held(Held::Missing),
    State::Held(Held::Invalid),
    State::Held(Held::Ambiguous),
    State::Held(Held::Unreadable),
    State::Held(Held::Unmatched),
    State::Held(Held::SecondHire),
    State::Held(Held::Review),
    State::Held(Held::Exists),
    State::Held(Held::Rehire),
    State::Held(Held::Refused),
    State::Held(Held::Unknown),
    State::Held(Held::NotSent),
    State::Waiting(Waiting::Unreachable),
    State::Waiting(Waiting::Credential),
    State::Waiting(Waiting::Throttled),
    State::Sending,
    State::Unknown,
    State::Created(How::Sent),
    State::Created(How::Adopted),
    State::Created(How::Linked),
    State::Cancelled,
    State::Ignored,
    State::Erased,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_survives_its_name_and_reason() {
        for state in ALL {
            assert_eq!(State::parse(state.name(), state.reason()), Some(*state));
        }
    }
}
