//! The ledger: what must survive a crash, and the permits that keep a create from happening twice.
//!
//! [`Ledger`] is what the rest of the house sees; [`sqlite`] is the embedded engine, [`postgres`] the one for
//! several replicas. A hire is read,
//! steps are applied to it, and [`Ledger::save`] commits them if nobody else was faster. The step to
//! `sending` goes through [`Ledger::permit`] alone, which hands out the [`Ticket`] that a create needs.

mod bodies;
pub mod keyring;
pub mod outbox;
pub mod permit;
pub mod postgres;
pub mod privacy;
mod row;
mod seal;
mod sealed;
mod settings;
pub mod shelf;
mod snapshot;
pub mod sqlite;
mod translation;

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::domain::{Actor, Employee, Entry, Hire, HireId, HireKey, State, Translation};

pub use keyring::{Keyring, Mark, Session, Which};
pub use outbox::{Notice, Outbox};
pub use permit::{Denied, Owner, Ticket};
pub use privacy::Privacy;
pub use seal::{KeyError, LedgerKey};
pub use settings::{OpenError, Place, Settings, inspect, open};
pub use shelf::{Shelf, Withheld};
pub use snapshot::{Restored, Snapshot, SnapshotError};

/// A verified delivery, as the ledger keeps it beside its hire.
pub struct Delivery {
    /// The source it came through.
    pub source: String,
    /// When.
    pub at: Timestamp,
    /// The ATS's name of the event.
    pub event: String,
    /// The ATS's id of the delivery, if it sends one. For the record only.
    pub delivery_id: Option<String>,
    /// Which of the source's live secrets matched, counted from 0.
    pub secret: Option<usize>,
    /// The body as it came; kept encrypted. Empty if it need not be kept.
    pub body: Bytes,
}

/// What became of a delivery that was offered to the ledger.
pub enum Accepted {
    /// The hire was new and is stored.
    New(Hire),
    /// A hire with this key was there; the delivery was added to it.
    Repeat(Hire),
}

/// Which hires to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only those in the state of this name.
    pub state: Option<String>,
    /// Only those that are in it for this reason.
    pub reason: Option<String>,
    /// Only those that a person has to look at; of those that wait, those that have waited since then or longer.
    pub needs_person: Option<Timestamp>,
    /// Only those that came through this source.
    pub source: Option<String>,
    /// Only the one with this id at the ATS.
    pub ats_id: Option<String>,
    /// Only those that have the flag of this name.
    pub flag: Option<&'static str>,
    /// Only those received at this time or later.
    pub since: Option<Timestamp>,
    /// Only those after this one, newest first: the last id of the page before.
    pub after: Option<HireId>,
    /// At most so many.
    pub limit: usize,
}

/// How many hires are in a state, by source.
pub type Counts = BTreeMap<(String, &'static str), u64>;

/// The counts of an engine's rows: source, name of the state, how many.
fn counts(rows: Vec<(String, String, u64)>) -> Counts {
    let name = |state: &str| {
        crate::domain::state::ALL.iter().map(|known| State::name(*known)).find(|name| *name == state)
    };
    rows.into_iter().filter_map(|(source, state, count)| Some(((source, name(&state)?), count))).collect()
}

/// How long it is remembered that a hire was taken back of which nothing was heard yet. No ATS repeats a delivery
/// for so long.
pub const FORGET_AFTER: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The rows of `hires` that a person has to look at, in the SQL of both engines; what waits is not among them.
macro_rules! needs_person {
    () => {
        "flags NOT LIKE '%\"dismissed\":true%' AND (state = 'held' OR flags LIKE '%\"double\":true%' \
         OR flags LIKE '%\"warnings\":true%' \
         OR (flags LIKE '%\"unhired\":true%' AND flags NOT LIKE '%\"unhire_overruled\":true%'))"
    };
}
use needs_person;

/// The text by which a flag is found among those of a hire.
fn flagged(flag: &str) -> String {
    format!("%\"{flag}\":true%")
}

/// Why the ledger could not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LedgerError {
    /// Somebody else changed the hire since it was read: read it again.
    #[error("the hire was changed meanwhile")]
    Conflict,
    /// The store cannot be read or written at the moment: disk full, lock, connection. Nothing was changed.
    #[error("the ledger cannot be used: {0}")]
    Unusable(String),
    /// A sync failed, or the file is damaged: what is on the disk is unknown until a restart has read it. What
    /// was to be written may be there or not. Nothing is written any more.
    #[error("the ledger has stopped for good: {0}")]
    Broken(String),
    /// What is stored cannot be read with this key, or is damaged.
    #[error("a stored record cannot be read: {0}")]
    Damaged(String),
}

/// What keeps hires. One implementation per engine; the same story is tested on each.
#[async_trait]
pub trait Ledger: Send + Sync + 'static {
    /// Stores a new hire with its delivery, or adds the delivery to the hire that has its key.
    /// Durable when it returns.
    async fn accept(&self, hire: Hire, delivery: Delivery) -> Result<Accepted, LedgerError>;

    /// Commits the hire's new steps and record, if nobody changed it since it was read. If it leaves
    /// `sending`, the permit's end is noted in the same commit. Durable when it returns.
    async fn save(&self, hire: &mut Hire) -> Result<(), LedgerError>;

    /// Grants the permit to send `employee` for this hire, which must be ready, and commits it together with
    /// the hire's steps and the step to `sending`. At most one ticket is ever handed out per grant; it is
    /// granted again only after an attempt that surely was not carried out, or after a person's approval.
    async fn permit(
        &self,
        hire: &mut Hire,
        employee: Employee,
        actor: &Actor,
        now: Timestamp,
        deadline: Timestamp,
    ) -> Result<Result<Ticket<Employee>, Denied>, LedgerError>;

    /// One hire.
    async fn hire(&self, id: HireId) -> Result<Option<Hire>, LedgerError>;

    /// The hire with this key.
    async fn find(&self, key: &HireKey) -> Result<Option<Hire>, LedgerError>;

    /// A hire's history, oldest first.
    async fn history(&self, id: HireId) -> Result<Vec<Entry>, LedgerError>;

    /// The bodies of a hire's deliveries, oldest first.
    async fn bodies(&self, id: HireId) -> Result<Vec<Vec<u8>>, LedgerError>;

    /// Deletes, of the bodies that came before this time, at most so many: those of hires that need them no more. How
    /// many it were.
    async fn forget_bodies(&self, before: Timestamp, limit: usize) -> Result<usize, LedgerError>;

    /// Hires, newest first.
    async fn list(&self, filter: &Filter) -> Result<Vec<Hire>, LedgerError>;

    /// How many hires a filter is about, whatever its limit.
    async fn count(&self, filter: &Filter) -> Result<u64, LedgerError>;

    /// The ATS says, at this time of its own if it tells one, that it has taken a hire back. Adds the delivery to
    /// the hire that has this key. If there is none, it is remembered for [`FORGET_AFTER`]: a hire with this key
    /// that comes later gets no permit unless it is known to be newer. Durable when it returns.
    async fn unhire(
        &self,
        key: &HireKey,
        at: Option<Timestamp>,
        delivery: Delivery,
    ) -> Result<Option<Hire>, LedgerError>;

    /// Of two candidates, each as [`HireKey::candidate`] gives it, one is gone: from now on, and for hires that
    /// come later, both are the same person. Returns all hires of that person, oldest first.
    async fn merge(&self, gone: &str, kept: &str, now: Timestamp) -> Result<Vec<HireId>, LedgerError>;

    /// Another hire of the same person, by candidate or e-mail address, that was or may have been sent.
    async fn same_person(&self, hire: &Hire) -> Result<Option<HireId>, LedgerError>;

    /// Created hires whose time for an audit has come, the longest due first; as with [`Ledger::due`].
    async fn audits(&self, now: Timestamp, limit: usize) -> Result<Vec<HireId>, LedgerError>;

    /// The earliest time of any audit.
    async fn next_audit(&self) -> Result<Option<Timestamp>, LedgerError>;

    /// Hires whose next time has come, the longest due first. Those that wait for the credential are
    /// left out unless `credential` says how many of them to take. Whoever is told is expected to take
    /// them: where there are several replicas, the others are not told for a short time.
    async fn due(&self, now: Timestamp, limit: usize, credential: usize) -> Result<Vec<HireId>, LedgerError>;

    /// The earliest next time of any hire that does not wait for the credential.
    async fn next_due(&self) -> Result<Option<Timestamp>, LedgerError>;

    /// Hires in `sending` whose owner is gone, as far as can be known.
    async fn orphans(&self, now: Timestamp) -> Result<Vec<HireId>, LedgerError>;

    /// How many hires are in which state.
    async fn counts(&self) -> Result<Counts, LedgerError>;

    /// When the oldest hire was received that has neither ended nor waits for a person.
    async fn oldest_unfinished(&self) -> Result<Option<Timestamp>, LedgerError>;

    /// Keeps a proposed translation, in place of one that was proposed for the same value. Durable when it returns.
    async fn propose(&self, proposed: &Translation) -> Result<(), LedgerError>;

    /// Keeps a translation as confirmed, in place of another for the same value. `false` if it is gone: then nothing
    /// is changed. Durable when it returns.
    async fn confirm(&self, confirmed: &Translation) -> Result<bool, LedgerError>;

    /// Forgets a translation, confirmed or not. `false` if it was gone already. Durable when it returns.
    async fn revoke(&self, id: Uuid) -> Result<bool, LedgerError>;

    /// All translations, proposed and confirmed, oldest first.
    async fn translations(&self) -> Result<Vec<Translation>, LedgerError>;

    /// Where what people are to be told is kept.
    fn outbox(&self) -> &dyn Outbox;

    /// Where the documents of hires are.
    fn shelf(&self) -> &dyn Shelf;

    /// Who is let in by a token or a session that is kept here.
    fn keyring(&self) -> &dyn Keyring;

    /// Who is to be erased, and who has looked.
    fn privacy(&self) -> &dyn Privacy;

    /// How much is still sealed with another key than the ledger's of today; `None` if no other key opens anything.
    async fn sealed_with_old_keys(&self) -> Result<Option<u64>, LedgerError>;

    /// Seals it with the key of today, in small commits, beside everything else; whoever stops it loses nothing.
    /// `told` hears how much was sealed anew with each commit. How much it was: less than there is if somebody
    /// changed a part of it meanwhile, or if another replica has taken up yet another key.
    async fn seal_anew(&self, told: &(dyn Fn(u64) + Send + Sync)) -> Result<u64, LedgerError>;

    /// Whether a delivery could be stored now.
    async fn probe(&self) -> Result<(), LedgerError>;

    /// Whether this ledger was restored from a backup, and when; to be asked before anything is carried. The
    /// first one to ask says that it is `now`.
    async fn restored(&self, _now: Timestamp) -> Result<Option<Restored>, LedgerError> {
        Ok(None)
    }

    /// A copy of everything that is stored now, without the ledger's key.
    async fn snapshot(&self, _now: Timestamp) -> Result<Snapshot, SnapshotError> {
        Err(SnapshotError::Elsewhere)
    }

    /// Returns, with the reason, when the ledger has stopped for good and only a restart helps. A server of its
    /// own sees to that itself.
    async fn broken(&self) -> String {
        std::future::pending().await
    }
}
