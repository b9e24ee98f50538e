//! A hire's history: who did what, when and why. Holds no personal value.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::state::State;
use super::step::{Event, Found, Outcome};

/// The cause, and the note, of the one time that a hire is sent again after an unknown outcome by itself.
pub const RESENT: &str = "resent_after_unknown";

/// Who or what made a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// hirebridge itself.
    System,
    /// The ATS, through the source of this name.
    Source(String),
    /// The operator of this name.
    Operator(String),
}

impl Actor {
    /// The operator's name, if what an [`Actor`] has printed is one.
    pub fn operator_in(actor: &str) -> Option<&str> {
        actor.strip_prefix("operator:")
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("system"),
            Self::Source(name) => write!(f, "source:{name}"),
            Self::Operator(name) => write!(f, "operator:{name}"),
        }
    }
}

/// What a person changed or said in one step. Personal: it is part of the record, and belongs to the line of the
/// history that has the same time, actor and cause.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// Who, as [`Actor`] prints it.
    pub actor: String,
    /// Why, as the history says it.
    pub cause: String,
    /// The attributes that were corrected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Difference>,
    /// What the person said about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Change {
    /// What belongs to this line of the history.
    pub fn of(entry: &Entry) -> Self {
        let Entry { at, actor, cause, .. } = entry.clone();
        Self { at, actor, cause, fields: Vec::new(), note: None }
    }

    /// Whether this is what was changed in that step. The ledger keeps times to the millisecond.
    pub fn belongs_to(&self, entry: &Entry) -> bool {
        let at = |time: Timestamp| time.as_millisecond();
        at(self.at) == at(entry.at) && self.actor == entry.actor && self.cause == entry.cause
    }
}

/// An attribute whose value is not the one it was.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The Personio attribute.
    pub field: String,
    /// The value before, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// The value after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// One line of a hire's history. Holds no personal value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// Who, as [`Actor`] prints it.
    pub actor: String,
    /// The state before, as `name` or `name(reason)`.
    pub from: Option<String>,
    /// The state after.
    pub to: String,
    /// Why, as a stable code with details that are not personal.
    pub cause: String,
}

impl Entry {
    /// The line for a step.
    pub fn of(from: State, event: &Event, to: State, actor: &Actor, at: Timestamp) -> Self {
        Self {
            at,
            actor: actor.to_string(),
            from: Some(from.to_string()),
            to: to.to_string(),
            cause: cause(event),
        }
    }
}

/// What the history says of an event: a stable code, with details that are not personal.
fn cause(event: &Event) -> String {
    match event {
        Event::Planned(_) => "planned".into(),
        Event::RuledOut => "ruled_out".into(),
        Event::FactsAdded => "facts_added".into(),
        Event::Approved => "approved".into(),
        Event::LookedUp(Found::Absent) => "looked_up:absent".into(),
        Event::LookedUp(Found::Active) => "looked_up:active".into(),
        Event::LookedUp(Found::Inactive) => "looked_up:inactive".into(),
        Event::LookedUp(Found::Ours) => "looked_up:ours".into(),
        Event::LookedUp(Found::NotAllowed) => "not_looked_up".into(),
        Event::PutOff(_) => "put_off".into(),
        Event::SamePerson => "same_person".into(),
        Event::Permitted => "permitted".into(),
        Event::Spent => "permit_spent".into(),
        Event::Called(Outcome::Created { .. }) => "called:created".into(),
        Event::Called(Outcome::Refused { status }) => format!("called:refused:{status}"),
        Event::Called(Outcome::NotSent(_)) => "called:not_sent".into(),
        Event::Called(Outcome::Unknown { what }) => format!("called:unknown:{what}"),
        Event::OwnerGone => "owner_gone".into(),
        Event::Due => "due".into(),
        Event::GivenUp => "given_up".into(),
        Event::Appeared { ours: true } => "appeared".into(),
        Event::Appeared { ours: false } => "appeared:not_surely_ours".into(),
        Event::NotFound => "not_found".into(),
        Event::Linked => "linked".into(),
        Event::Compared => "compared".into(),
        Event::Resent => RESENT.into(),
        Event::Unhired => "unhired".into(),
        Event::Rehired => "hired_again".into(),
        Event::Unclear => "order_unclear".into(),
        Event::Erased => "erased".into(),
    }
}
