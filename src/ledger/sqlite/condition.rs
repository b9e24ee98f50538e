//! How the file is doing: what the writer and the readers have met, for whoever asks.

use std::sync::Arc;

use rusqlite::{ErrorCode, ffi};
use tokio::sync::watch;

use crate::ledger::LedgerError;

/// Shared by the writer, the readers and whoever asks. Cheap to clone.
#[derive(Clone)]
pub(super) struct Condition(Arc<watch::Sender<Health>>);

enum Health {
    Well,
    /// The last write failed; the next may succeed.
    Failing,
    /// Nothing may be written any more.
    Broken(String),
}

impl Condition {
    pub(super) fn well() -> Self {
        Self(Arc::new(watch::Sender::new(Health::Well)))
    }

    /// A write has succeeded, or not.
    pub(super) fn wrote(&self, succeeded: bool) {
        let now = if succeeded { Health::Well } else { Health::Failing };
        self.0.send_if_modified(|health| {
            let changes = !matches!(health, Health::Broken(_));
            if changes {
                *health = now;
            }
            changes
        });
    }

    /// Something failed: is it broken for good?
    pub(super) fn met(&self, error: &LedgerError) {
        if let LedgerError::Broken(why) = error {
            self.0.send_replace(Health::Broken(why.clone()));
        }
    }

    /// Whether the last write failed.
    pub(super) fn is_failing(&self) -> bool {
        !matches!(*self.0.borrow(), Health::Well)
    }

    /// Why nothing may be written any more, if so.
    pub(super) fn objection(&self) -> Result<(), LedgerError> {
        match &*self.0.borrow() {
            Health::Broken(why) => Err(LedgerError::Broken(why.clone())),
            Health::Well | Health::Failing => Ok(()),
        }
    }

    /// Returns when it is broken for good.
    pub(super) async fn broken(&self) -> String {
        let mut health = self.0.subscribe();
        loop {
            if let Err(LedgerError::Broken(why)) = self.objection() {
                return why;
            }
            // The sender is ours and lives as long as this.
            let _ = health.changed().await;
        }
    }
}

/// After a failed sync the kernel may believe that pages are on the disk which are not, and says so only
/// once; and a file that is damaged, or cannot be read, may lack a permit. A write that failed is another matter: the
/// transaction is rolled back, and the next one writes the same place again.
/// <https://www.sqlite.org/rescode.html#extrc>
pub(super) fn is_broken(error: &rusqlite::Error) -> bool {
    const FOR_GOOD: [i32; 6] = [
        ffi::SQLITE_IOERR_FSYNC,
        ffi::SQLITE_IOERR_DIR_FSYNC,
        ffi::SQLITE_IOERR_READ,
        ffi::SQLITE_IOERR_SHORT_READ,
        ffi::SQLITE_IOERR_CORRUPTFS,
        ffi::SQLITE_IOERR_DATA,
    ];
    error.sqlite_error().is_some_and(|said| match said.code {
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => true,
        ErrorCode::SystemIoFailure => FOR_GOOD.contains(&said.extended_code),
        _ => false,
    })
}

impl From<rusqlite::Error> for LedgerError {
    fn from(error: rusqlite::Error) -> Self {
        if is_broken(&error) { Self::Broken(error.to_string()) } else { Self::Unusable(error.to_string()) }
    }
}
