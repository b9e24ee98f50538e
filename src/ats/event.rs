//! What a delivery says, and what the ATS's API adds to it.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;

use super::json::Unreadable;
use crate::domain::{DocumentKind, Facts, File, Held, NameSplit, Note, file};

/// What a delivery is about.
#[derive(Debug, PartialEq)]
pub enum Event {
    /// Somebody was hired.
    Hire(Box<Hired>),
    /// A hire was taken back.
    Unhire(Unhired),
    /// Two candidates turned out to be one.
    Merge(Merged),
    /// There are files for an application, of which it is not said that it is a hire.
    Files(Box<Filed>),
    /// Nothing for us.
    Ignored {
        /// The event's name at the ATS, fit for a log.
        event: String,
        /// Why, as a stable code.
        reason: &'static str,
    },
}

/// A hire was taken back, or somebody is not hired: many ATSs say so with the same event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unhired {
    /// The application's id at the ATS, as in [`Hired`].
    pub application: String,
    /// The event's name at the ATS.
    pub event: String,
    /// The delivery's id at the ATS, for the log alone.
    pub delivery_id: Option<String>,
    /// When it happened, by the ATS's clock.
    pub at: Option<Timestamp>,
    /// What is answered when nothing is known of such a hire, as a stable code: `not_hired` if the event is sent
    /// for people as well who never were.
    pub otherwise: &'static str,
}

/// Files came, such as one that was signed some time after the hire. Of a hire that is known they follow it; else it
/// is nothing for us, since they are asked for when the hire comes.
#[derive(Clone, Debug, PartialEq)]
pub struct Filed {
    /// The application's id at the ATS, as in [`Hired`]; none if the delivery does not say it.
    pub application: Option<String>,
    /// What the delivery names only by its id, for [`AtsSource::find`](super::AtsSource::find).
    pub ids: BTreeMap<&'static str, String>,
    /// The event's name at the ATS.
    pub event: String,
    /// The delivery's id at the ATS, for the log alone.
    pub delivery_id: Option<String>,
    /// The files.
    pub files: Vec<File>,
    /// What the event says is there now: if it is not among the files, the ATS has not listed it yet.
    pub awaited: Option<DocumentKind>,
    /// What is answered when nothing is known of such a hire, as a stable code.
    pub otherwise: &'static str,
}

/// Two candidates of one account turned out to be one person. Ids only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// The candidate who is no longer there.
    pub gone: String,
    /// The candidate who has taken over everything of the other.
    pub kept: String,
    /// The event's name at the ATS.
    pub event: String,
}

/// What is answered to a merge, as a stable code.
pub const MERGED: &str = "candidates_merged";

impl Event {
    /// Why it is not about a hire that could be sent, if it is not.
    pub fn no_hire(&self) -> Option<&'static str> {
        match self {
            Self::Hire(_) => None,
            Self::Unhire(unhired) => Some(unhired.otherwise),
            Self::Merge(_) => Some(MERGED),
            Self::Files(filed) => Some(filed.otherwise),
            Self::Ignored { reason, .. } => Some(reason),
        }
    }
}

/// Somebody was hired: what one delivery says of it.
#[derive(Clone, PartialEq)]
pub struct Hired {
    /// The application's id at the ATS: fit for a key, a log and a URL.
    pub application: String,
    /// What the delivery says.
    pub facts: Facts,
    /// When it happened, or was last so, by the ATS's clock.
    pub at: Option<Timestamp>,
    /// The event's name at the ATS.
    pub event: String,
    /// The delivery's id at the ATS, for the log alone.
    pub delivery_id: Option<String>,
    /// What the delivery names only by its id, for [`AtsSource::complete`](super::AtsSource::complete).
    pub ids: BTreeMap<&'static str, String>,
    /// How sure the split of the name is, where the ATS has only one name.
    pub name_split: Option<NameSplit>,
    /// Expected things worth telling, as stable codes.
    pub notes: Vec<Note>,
    /// The files that it names or brings.
    pub files: Vec<File>,
    /// Whether the ATS has to be asked if this is a hire at all, before it is taken for one.
    pub to_confirm: bool,
    /// Whether this event by its nature carries everything that the ATS's webhooks carry about a hire.
    /// If not, another delivery may come at about the same time and add to it.
    pub settled: bool,
}

impl Hired {
    /// What this delivery and a later one of the same hire say together; what this one says counts.
    #[must_use]
    pub fn and(mut self, later: Self) -> Self {
        self.facts.fill(&later.facts);
        for (what, id) in later.ids {
            self.ids.entry(what).or_insert(id);
        }
        self.name_split = self.name_split.or(later.name_split);
        self.notes.extend(later.notes);
        file::gather(&mut self.files, later.files);
        self.to_confirm &= later.to_confirm;
        self.settled |= later.settled;
        self.at = self.at.max(later.at);
        self
    }

    /// The same delivery, if it turns out to say that this is no hire, or no more.
    pub fn taken_back(&self) -> Unhired {
        Unhired {
            application: self.application.clone(),
            event: self.event.clone(),
            delivery_id: self.delivery_id.clone(),
            at: self.at,
            otherwise: "not_hired",
        }
    }
}

/// Ids only: facts are personal.
impl fmt::Debug for Hired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hired({} by {})", self.application, self.event)
    }
}

/// What a link or an id means that a person has pasted: an application, and how it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Meant {
    /// The application, with as much as was learned by looking for it.
    pub application: Hired,
    /// Whether the ATS says that it is a hire.
    pub is_hired: bool,
}

impl Hired {
    /// An application that was looked for by its id.
    pub fn looked_for(application: String, ids: BTreeMap<&'static str, String>) -> Self {
        let mut facts = Facts::new();
        facts.put("application.id", application.as_str());
        Self {
            application,
            facts,
            at: None,
            event: LOOKED_FOR.to_owned(),
            delivery_id: None,
            ids,
            name_split: None,
            notes: Vec::new(),
            files: Vec::new(),
            to_confirm: false,
            settled: true,
        }
    }
}

/// What stands in the place of an event's name if nothing was delivered.
pub const LOOKED_FOR: &str = "looked_for";

/// What the ATS's API added.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Completed {
    /// What it added; for [`Facts::fill`].
    pub facts: Facts,
    /// What is still lacking although the ATS has it, or should have it: `application`, `candidate`,
    /// `department`, `office`, `hire_date`.
    pub lacking: Vec<&'static str>,
    /// Which calls failed and how, as stable codes: `ats_call_failed:department.info:timeout`.
    pub notes: Vec<Note>,
    /// How sure the split of the name is, if the name came from the API.
    pub name_split: Option<NameSplit>,
    /// The files that it named.
    pub files: Vec<File>,
}

/// Why a verified delivery cannot be read as what it claims to be. Says where, never what.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code} at {}", path.as_deref().unwrap_or("the body"))]
pub struct Misread {
    /// Why the hire waits for a person.
    pub held: Held,
    /// A stable code.
    pub code: &'static str,
    /// Where in the payload.
    pub path: Option<String>,
    /// The application's id, if at least that can be read: the hire's key then is the usual one.
    pub application: Option<String>,
}

impl Misread {
    /// A payload that has not the documented shape at `path`.
    pub(super) fn at(path: impl Into<String>) -> Self {
        let path = Some(path.into());
        Self { held: Held::Unreadable, code: "unexpected_shape", path, application: None }
    }
}

impl From<Unreadable> for Misread {
    fn from(why: Unreadable) -> Self {
        Self { held: why.held(), code: why.code(), path: None, application: None }
    }
}
