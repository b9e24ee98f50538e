//! Reading connections beside the writer: in WAL mode they never wait for it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, OpenFlags};

use super::condition::Condition;
use crate::ledger::LedgerError;

/// Connections that only read; made when needed, kept for the next one.
#[derive(Clone)]
pub(super) struct Readers {
    path: PathBuf,
    condition: Condition,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    pub(super) fn new(path: &Path, condition: Condition) -> Self {
        Self { path: path.to_owned(), condition, idle: Arc::default() }
    }

    /// Runs `work` on a reading connection, off the runtime's threads.
    pub(super) async fn run<R, F>(&self, work: F) -> Result<R, LedgerError>
    where
        F: FnOnce(&Connection) -> Result<R, LedgerError> + Send + 'static,
        R: Send + 'static,
    {
        let readers = self.clone();
        tokio::task::spawn_blocking(move || {
            let db = readers.take()?;
            let result = work(&db).inspect_err(|error| readers.condition.met(error));
            readers.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(db);
            result
        })
        .await
        .unwrap_or_else(|_| Err(LedgerError::Unusable("reading was interrupted".into())))
    }

    fn take(&self) -> Result<Connection, LedgerError> {
        let idle = self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop();
        if let Some(db) = idle {
            return Ok(db);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(&self.path, flags)?;
        db.busy_timeout(std::time::Duration::from_secs(5))?;
        Ok(db)
    }
}
