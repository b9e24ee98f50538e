//! A copy of the whole ledger as it was at one moment, to be kept elsewhere.

use std::fs::File;
use std::time::Duration;

use jiff::Timestamp;

/// The file of a copy. It has no name any more: when it is dropped, nothing is left of it.
#[derive(Debug)]
pub struct Snapshot {
    /// The copy, checked, to be read from its start.
    pub file: File,
    /// How many bytes it has.
    pub length: u64,
    /// When it was made.
    pub at: Timestamp,
}

/// Why there is no copy. The ledger is none the worse for it.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// This engine's own means are better.
    #[error("a PostgreSQL ledger is backed up by PostgreSQL's own means, such as `pg_dump`")]
    Elsewhere,
    /// One is being made already.
    #[error("a backup is being made already")]
    Busy,
    /// It could not be written, or is not sound.
    #[error("the backup could not be made: {0}")]
    Failed(String),
}

/// Hires that came before the restore, or within this time after it, may have been sent between backup and
/// restore: an ATS repeats what it was told then for days, a person for longer.
const FORGOTTEN: Duration = Duration::from_hours(30 * 24);

/// A ledger that was restored from a backup does not know what was sent after that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// When it was opened first.
    pub at: Timestamp,
}

impl Restored {
    /// Until when hires that come in may be ones that the ledger has forgotten.
    pub fn doubtful_until(self) -> Timestamp {
        self.at.saturating_add(FORGOTTEN).unwrap_or(Timestamp::MAX)
    }
}

/// What stands in `meta` of a copy, and of a ledger that was one.
pub(super) const COPY: &str = "snapshot";
pub(super) const RESTORED: &str = "restored";

/// The time in a row of `meta`.
pub(super) fn restored(value: &[u8]) -> Option<Restored> {
    std::str::from_utf8(value).ok()?.parse().ok().map(|at| Restored { at })
}
