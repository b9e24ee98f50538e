//! What a person may ask of those who keep data: that it be erased, and who has looked at it.
//!
//! Of an erased hire stays what says nothing of anybody: keyed hashes, by which a repeat and the same person are known
//! again; the permits; the history, which holds no personal value.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::LedgerError;
use crate::domain::{Actor, HireId};

/// What the history says when an erasure has to wait.
pub(super) const ERASE_REQUESTED: &str = "erase_requested";

/// What became of the wish that a person be erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Erasure {
    /// Nothing personal is left of the hire.
    Erased,
    /// The hire is being sent, or nobody knows yet whether it was: it is erased as soon as that has ended.
    Requested,
    /// There is no such hire, or it was erased before.
    Absent,
}

/// What an operator did with a hire that is noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Opened it.
    Opened,
    /// Took out everything that is stored of the person.
    Exported,
}

impl Look {
    /// Its stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Exported => "exported",
        }
    }
}

/// That an operator looked at a hire, once or more often in that hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The operator's name.
    pub operator: String,
    /// `opened` or `exported`.
    pub what: String,
    /// When the hour began.
    pub hour: Timestamp,
}

/// A delivery as it is kept.
pub struct KeptDelivery {
    /// The source it came through.
    pub source: String,
    /// When.
    pub at: Timestamp,
    /// The ATS's name of the event.
    pub event: String,
    /// The ATS's id of the delivery, if it sent one.
    pub delivery_id: Option<String>,
    /// The body, as long as it is kept.
    pub body: Option<Vec<u8>>,
}

/// What erases and keeps accounts of who looked. One implementation per engine; the same story is tested on each.
#[async_trait]
pub trait Privacy: Send + Sync {
    /// Erases a hire in one commit; or, if it is `sending` or `unknown`, notes that it is to be: then the commit with
    /// which it leaves these states erases it, or the next [`Privacy::erase_ended`].
    async fn erase(&self, id: HireId, actor: &Actor, now: Timestamp) -> Result<Erasure, LedgerError>;

    /// Erases hires that have ended, need no person and were last changed before this time, and those that somebody
    /// has asked for and that are on their way no more; so many at most. Which.
    async fn erase_ended(
        &self,
        before: Timestamp,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<HireId>, LedgerError>;

    /// Hires of the person with this e-mail address, as they are compared by it.
    async fn of_email(&self, email: &str) -> Result<Vec<HireId>, LedgerError>;

    /// Hires that are this employee in Personio.
    async fn of_employee(&self, employee: u64) -> Result<Vec<HireId>, LedgerError>;

    /// The deliveries of a hire, the oldest first, for whoever is to get all that is stored.
    async fn deliveries(&self, hire: HireId) -> Result<Vec<KeptDelivery>, LedgerError>;

    /// Notes that an operator looked at a hire: one line for an hour.
    async fn looked(
        &self,
        hire: HireId,
        operator: &str,
        look: Look,
        now: Timestamp,
    ) -> Result<(), LedgerError>;

    /// Who has looked at a hire, the oldest first.
    async fn accesses(&self, hire: HireId) -> Result<Vec<Access>, LedgerError>;

    /// Forgets who looked before this time.
    async fn forget_accesses(&self, before: Timestamp) -> Result<(), LedgerError>;
}

/// The rows of `hires` that [`Privacy::erase_ended`] erases when they are old enough, in the SQL of both engines.
macro_rules! has_ended {
    () => {
        concat!(
            "(state IN ('created', 'cancelled', 'ignored') OR (state = 'held' AND flags LIKE '%\"dismissed\":true%')) \
             AND NOT (",
            crate::ledger::needs_person!(),
            ")"
        )
    };
}
pub(super) use has_ended;

/// When the hour of this time began.
pub(super) fn hour(now: Timestamp) -> i64 {
    let hour = i64::try_from(SignedDuration::from_hours(1).as_millis()).unwrap_or(i64::MAX);
    now.as_millisecond().div_euclid(hour) * hour
}

/// Whether a hire in the state of this name is on its way, so that it cannot be erased yet.
pub(super) fn is_on_its_way(state: &str) -> bool {
    ["sending", "unknown"].contains(&state)
}
