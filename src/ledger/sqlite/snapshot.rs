//! A copy of the file while it is in use, and what a ledger remembers of having been one.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use uuid::Uuid;

use super::open::APPLICATION_ID;
use crate::ledger::LedgerError;
use crate::ledger::snapshot::{COPY, RESTORED, Restored, Snapshot, SnapshotError, restored as read};

/// Makes copies of one ledger's file, one at a time.
#[derive(Clone)]
pub(super) struct Copyist {
    ledger: PathBuf,
    busy: Arc<Mutex<()>>,
}

impl Copyist {
    /// Throws away what a process left behind that was killed while it copied.
    pub(super) fn new(ledger: &Path) -> Self {
        for left in left_behind(ledger).unwrap_or_default() {
            if let Err(error) = fs::remove_file(&left) {
                tracing::warn!(%error, "a half-made backup beside the ledger could not be removed");
            }
        }
        Self { ledger: ledger.to_owned(), busy: Arc::default() }
    }

    /// Copies, marks the copy as one, checks it, and takes its name away.
    pub(super) async fn copy(&self, now: Timestamp) -> Result<Snapshot, SnapshotError> {
        let Self { ledger, busy } = self.clone();
        let work = move || {
            let _alone = busy.try_lock().map_err(|_| SnapshotError::Busy)?;
            copy(&ledger, now)
        };
        let broken_off = |_| Err(SnapshotError::Failed("it was broken off".to_owned()));
        tokio::task::spawn_blocking(work).await.unwrap_or_else(broken_off)
    }
}

impl From<rusqlite::Error> for SnapshotError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<io::Error> for SnapshotError {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// A name beside the ledger that ends with this scope.
struct Passing(PathBuf);

impl Drop for Passing {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0) {
            tracing::error!(%error, "a backup's file beside the ledger could not be removed");
        }
    }
}

/// What the names of copies begin with.
fn prefix(ledger: &Path) -> OsString {
    let mut name = ledger.file_name().unwrap_or_default().to_owned();
    name.push(".backup-");
    name
}

fn left_behind(ledger: &Path) -> io::Result<Vec<PathBuf>> {
    let folder = ledger.parent().filter(|folder| !folder.as_os_str().is_empty());
    let prefix = prefix(ledger);
    let ours = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default();
        name.as_encoded_bytes().starts_with(prefix.as_encoded_bytes())
    };
    let entries = fs::read_dir(folder.unwrap_or(Path::new(".")))?;
    Ok(entries.filter_map(Result::ok).map(|entry| entry.path()).filter(ours).collect())
}

fn copy(ledger: &Path, now: Timestamp) -> Result<Snapshot, SnapshotError> {
    let mut name = prefix(ledger);
    name.push(Uuid::now_v7().to_string());
    let copy = Passing(ledger.with_file_name(name));
    // An empty file is filled; so nobody else can read it, from its first byte on.
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&copy.0)?;
    let db = Connection::open_with_flags(ledger, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let name =
        copy.0.to_str().ok_or_else(|| SnapshotError::Failed("the ledger's path is no UTF-8".into()))?;
    db.execute("VACUUM INTO ?1", [name])?;
    drop(db);
    mark(&copy.0, now)?;
    verify(&copy.0)?;
    let file = File::open(&copy.0)?;
    Ok(Snapshot { length: file.metadata()?.len(), file, at: now })
}

/// Whoever opens it is to know that it is a copy. One file, without a write-ahead log beside it.
fn mark(copy: &Path, now: Timestamp) -> rusqlite::Result<()> {
    let db = Connection::open(copy)?;
    db.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))?;
    db.execute(
        "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)",
        params![COPY, now.to_string().into_bytes()],
    )?;
    db.close().map_err(|(_, error)| error)
}

/// Looks whether a file is a sound copy of a ledger, from its first page to its last.
///
/// # Errors
/// [`SnapshotError::Failed`], in words.
pub fn verify(copy: &Path) -> Result<(), SnapshotError> {
    let db = Connection::open_with_flags(copy, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let application: i32 = db.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if application != APPLICATION_ID {
        return Err(SnapshotError::Failed("it is not a hirebridge ledger".to_owned()));
    }
    let said: String = db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if said == "ok" { Ok(()) } else { Err(SnapshotError::Failed(said)) }
}

/// Since when this ledger is a restored one. A copy becomes one when it is opened.
pub(super) fn restored(db: &Connection, now: Timestamp) -> Result<Option<Restored>, LedgerError> {
    if db.execute("DELETE FROM meta WHERE name = ?1", [COPY])? > 0 {
        let now = now.to_string().into_bytes();
        db.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)", params![RESTORED, now])?;
    }
    let value: Option<Vec<u8>> =
        db.query_row("SELECT value FROM meta WHERE name = ?1", [RESTORED], |row| row.get(0)).optional()?;
    Ok(value.as_deref().and_then(read))
}
