//! Opening the file: durable, ours, alone, and of a version that this build knows; else refused in words.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::keys;
use crate::ledger::LedgerKey;
use crate::ledger::seal::{Seal, Unlocked};
use crate::ledger::sealed::{FORMER_KEYS, missing, with_former};

/// `HBLG`: marks the file as a ledger of ours.
pub(super) const APPLICATION_ID: i32 = 0x4842_4c47;

/// The migrations, oldest first; the file's `user_version` counts those that were run.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_hires.sql"),
    include_str!("migrations/0002_order.sql"),
    include_str!("migrations/0003_translations.sql"),
    include_str!("migrations/0004_documents.sql"),
    include_str!("migrations/0005_operators.sql"),
    include_str!("migrations/0006_privacy.sql"),
    include_str!("migrations/0007_bodies.sql"),
    include_str!("migrations/0008_notices.sql"),
];

/// How long a write waits for a lock of another program's. Whoever delivers, and whoever asks whether we are
/// ready, is not kept waiting for it.
const LOCKED: Duration = Duration::from_millis(300);

/// So much of the file the writer keeps in memory. The keyed hashes lie anywhere in their indexes, and a page that
/// is not in memory is read again for each hire.
const PAGES_IN_MEMORY_KIB: u32 = 16 * 1024;

/// So many pages the log has before they are copied into the file: a page that many hires change is copied once.
const LOG_PAGES: &str = "4000";

/// Why the ledger's file could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder or file cannot be written by this user.
    #[error("{path} cannot be written by the user hirebridge runs as (uid {uid}); {remedy}", path = path.display())]
    NotWritable {
        /// The folder or file.
        path: PathBuf,
        /// The user we run as.
        uid: u32,
        /// What to do.
        remedy: String,
    },
    /// The folder is not there.
    #[error("the folder {} does not exist; make it, or change ledger.url", .0.display())]
    NoFolder(PathBuf),
    /// Another process has the ledger open.
    #[error("{} is in use by another hirebridge; one process opens a SQLite ledger at a time", .0.display())]
    InUse(PathBuf),
    /// The file is not one of ours.
    #[error("{} is not a hirebridge ledger; change ledger.url", .0.display())]
    NotOurs(PathBuf),
    /// The file is not as it was written.
    #[error(
        "{path} is damaged ({what}); keep it, and put a backup in its place: docs/backup.md says how, and what to look at then",
        path = path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found first.
        what: String,
    },
    /// The file was made by a newer version.
    #[error("{path} was made by a newer hirebridge (its version is {found}, this one knows {known}); run that one", path = path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The file's version.
        found: usize,
        /// The newest version this build knows.
        known: usize,
    },
    /// The file cannot promise that what was committed survives a power loss.
    #[error("{path} is not durable: {what}; put the ledger on a local disk", path = path.display())]
    NotDurable {
        /// The file.
        path: PathBuf,
        /// What is weaker than needed.
        what: String,
    },
    /// The key is not the one that the file was made with.
    #[error(
        "{} was made with another key; use the one it was made with, or add that one to ledger.previous_keys",
        .0.display()
    )]
    OtherKey(PathBuf),
    /// Some of what is stored is sealed with a key that was not given.
    #[error(
        "must hold one more key: a part of {} is still encrypted under it; keep it here until the log says that nothing is",
        .0.display()
    )]
    KeyMissing(PathBuf),
    /// SQLite or the file system said no.
    #[error("{path} cannot be opened: {what}", path = path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What it said.
        what: String,
    },
    /// The writer's thread could not be started.
    #[error("the ledger's writer could not be started: {0}")]
    Thread(String),
}

pub(super) struct Opened {
    pub(super) writer: Connection,
    pub(super) lock: File,
    pub(super) seal: Seal,
}

pub(super) fn open(path: &Path, key: &LedgerKey) -> Result<Opened, OpenError> {
    let lock = lock(path)?;
    let failed = |error: rusqlite::Error| refused(path, &error);
    let mut writer = Connection::open(path).map_err(failed)?;
    identify(&writer, path)?;
    version(&writer, path)?;
    make_durable(&writer, path)?;
    settle(&writer, path)?;
    examine(path)?;
    migrate(&mut writer, path)?;
    let seal = match unlock(&writer, path, key)? {
        Some(Unlocked { seal, resealed, was }) => {
            find_missing_keys(&writer, path, &seal)?;
            if let Some(sealed) = resealed {
                // First, so that a key that has sealed something is never forgotten.
                let former = with_former(former_keys(&writer).map_err(failed)?, was);
                writer
                    .execute(
                        "REPLACE INTO meta (name, value) VALUES (?1, ?2)",
                        rusqlite::params![FORMER_KEYS, former],
                    )
                    .map_err(failed)?;
                let change = "UPDATE meta SET value = ?1 WHERE name = 'tombstone_key'";
                writer.execute(change, [sealed]).map_err(failed)?;
            }
            seal
        }
        None => lock_up(&writer, key).map_err(failed)?,
    };
    writer.busy_timeout(LOCKED).map_err(failed)?;
    Ok(Opened { writer, lock, seal })
}

/// Looks whether opening would succeed, and changes nothing but an empty lock file.
///
/// # Errors
/// [`OpenError`] if it would not.
pub fn inspect(path: &Path, key: &LedgerKey) -> Result<String, OpenError> {
    let shown = path.display();
    match lock(path) {
        Ok(_lock) => {}
        Err(OpenError::InUse(_)) => return Ok(format!("{shown} is in use by a running hirebridge")),
        Err(error) => return Err(error),
    }
    if !path.exists() {
        return Ok(format!("{shown} will be made at the first start"));
    }
    if std::fs::OpenOptions::new().append(true).open(path).is_err() {
        return Err(not_writable(path));
    }
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
    let db = db.map_err(|error| refused(path, &error))?;
    identify(&db, path)?;
    examine(path)?;
    let done = version(&db, path)?;
    let opened = if done > 0 { unlock(&db, path, key)? } else { None };
    // Where a migration is still to be run there are not all tables yet: the start looks into them.
    if let Some(opened) = opened.filter(|_| done == MIGRATIONS.len()) {
        find_missing_keys(&db, path, &opened.seal)?;
    }
    Ok(format!("{shown} can be used"))
}

/// SQLite reports a file it cannot write only when it tries; our words tell what to do.
pub(super) fn refused(path: &Path, error: &rusqlite::Error) -> OpenError {
    use rusqlite::ErrorCode::{CannotOpen, DatabaseCorrupt, NotADatabase, ReadOnly};
    match error.sqlite_error_code() {
        Some(ReadOnly | CannotOpen) => not_writable(path),
        Some(NotADatabase) => OpenError::NotOurs(path.to_owned()),
        Some(DatabaseCorrupt) => OpenError::Damaged { path: path.to_owned(), what: error.to_string() },
        _ => OpenError::Failed { path: path.to_owned(), what: error.to_string() },
    }
}

/// Takes the lock that says who has the ledger open; it is released when the process ends, however it ends.
fn lock(path: &Path) -> Result<File, OpenError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(OpenError::NoFolder(folder.to_owned()));
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&name);
    let file = file.map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => not_writable(folder),
        _ => OpenError::Failed { path: PathBuf::from(&name), what: error.to_string() },
    })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(path.to_owned())),
        Err(TryLockError::Error(error)) => {
            Err(OpenError::Failed { path: PathBuf::from(&name), what: error.to_string() })
        }
    }
}

fn not_writable(path: &Path) -> OpenError {
    // The owner of our own /proc entry is the user we run as.
    let us = std::fs::metadata("/proc/self").map(|us| (us.uid(), us.gid())).unwrap_or_default();
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let remedy = match std::fs::metadata(folder) {
        Ok(owner) if owner.uid() == us.0 => format!("run `chmod -R u+rwX {}`", folder.display()),
        _ => format!("run `chown -R {}:{} {}`", us.0, us.1, folder.display()),
    };
    OpenError::NotWritable { path: path.to_owned(), uid: us.0, remedy }
}

fn identify(db: &Connection, path: &Path) -> Result<(), OpenError> {
    let failed = |error: rusqlite::Error| refused(path, &error);
    let application: i32 = db.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(failed)?;
    let tables: i64 =
        db.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0)).map_err(failed)?;
    if application == APPLICATION_ID || (application == 0 && tables == 0) {
        Ok(())
    } else {
        Err(OpenError::NotOurs(path.to_owned()))
    }
}

fn make_durable(db: &Connection, path: &Path) -> Result<(), OpenError> {
    let failed = |error: rusqlite::Error| refused(path, &error);
    db.busy_timeout(Duration::from_secs(5)).map_err(failed)?;
    let mode: String =
        db.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)).map_err(failed)?;
    let memory = format!("-{PAGES_IN_MEMORY_KIB}");
    let durable = [("synchronous", "FULL"), ("foreign_keys", "ON"), ("secure_delete", "ON")];
    let quick = [("cache_size", &*memory), ("wal_autocheckpoint", LOG_PAGES)];
    for (pragma, value) in durable.into_iter().chain(quick) {
        db.execute_batch(&format!("PRAGMA {pragma} = {value}")).map_err(failed)?;
    }
    let read = |pragma| db.pragma_query_value::<i64, _>(None, pragma, |row| row.get(0)).map_err(failed);
    let weak = |what: String| Err(OpenError::NotDurable { path: path.to_owned(), what });
    if mode != "wal" {
        return weak(format!("its journal mode is `{mode}` and cannot be `wal`"));
    }
    for (pragma, wanted) in [("synchronous", 2), ("foreign_keys", 1), ("secure_delete", 1)] {
        let found = read(pragma)?;
        if found != wanted {
            return weak(format!("`{pragma}` is {found} and cannot be {wanted}"));
        }
    }
    db.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// Copies the log into the file, syncs that, and begins a new log. A former process whose sync failed may have left
/// in the log what the kernel shows and the disk does not have: nothing may be built upon that.
fn settle(db: &Connection, path: &Path) -> Result<(), OpenError> {
    let busy: bool = db
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        .map_err(|error| refused(path, &error))?;
    if busy {
        tracing::warn!("another program reads the ledger's file; its log is not begun anew");
    }
    Ok(())
}

/// Reads the whole file, on a connection of its own that keeps none of it: a page that is damaged is better
/// found now than under a hire.
fn examine(path: &Path) -> Result<(), OpenError> {
    let read = || {
        let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        db.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))
    };
    let found = read().map_err(|error| refused(path, &error))?;
    if found == "ok" {
        return Ok(());
    }
    let what = found.lines().last().unwrap_or_default().to_owned();
    Err(OpenError::Damaged { path: path.to_owned(), what })
}

/// How many migrations the file has seen.
fn version(db: &Connection, path: &Path) -> Result<usize, OpenError> {
    let done: i64 = db
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(|error| refused(path, &error))?;
    let done = usize::try_from(done).unwrap_or(usize::MAX);
    if done > MIGRATIONS.len() {
        return Err(OpenError::Newer { path: path.to_owned(), found: done, known: MIGRATIONS.len() });
    }
    Ok(done)
}

fn migrate(db: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let failed = |error: rusqlite::Error| refused(path, &error);
    let done = version(db, path)?;
    for (number, migration) in MIGRATIONS.iter().enumerate().skip(done) {
        let commit = db.transaction().and_then(|all| {
            all.execute_batch(migration)?;
            all.pragma_update(None, "application_id", APPLICATION_ID)?;
            all.pragma_update(None, "user_version", i64::try_from(number + 1).unwrap_or(i64::MAX))?;
            all.commit()
        });
        commit.map_err(failed)?;
    }
    Ok(())
}

/// Opens the tombstone key that is stored sealed under the ledger's key; none if the ledger is new.
fn unlock(db: &Connection, path: &Path, key: &LedgerKey) -> Result<Option<Unlocked>, OpenError> {
    let failed = |error: rusqlite::Error| refused(path, &error);
    let sealed: Option<Vec<u8>> = db
        .query_row("SELECT value FROM meta WHERE name = 'tombstone_key'", [], |row| row.get(0))
        .optional()
        .map_err(failed)?;
    let Some(sealed) = sealed else { return Ok(None) };
    Seal::open(key, &sealed).ok_or_else(|| OpenError::OtherKey(path.to_owned())).map(Some)
}

/// Refuses if anything is sealed with a key that was the ledger's once and is not given.
fn find_missing_keys(db: &Connection, path: &Path, seal: &Seal) -> Result<(), OpenError> {
    let sealed = former_keys(db).and_then(|former| keys::sealed_by(db, &missing(&former, &seal.keys())));
    let sealed = sealed.map_err(|error| refused(path, &error))?;
    if sealed == 0 { Ok(()) } else { Err(OpenError::KeyMissing(path.to_owned())) }
}

fn former_keys(db: &Connection) -> rusqlite::Result<Vec<u8>> {
    let ids = db.query_row("SELECT value FROM meta WHERE name = ?1", [FORMER_KEYS], |row| row.get(0));
    Ok(ids.optional()?.unwrap_or_default())
}

fn lock_up(db: &Connection, key: &LedgerKey) -> rusqlite::Result<Seal> {
    let (seal, sealed) = Seal::create(key);
    db.execute("INSERT INTO meta (name, value) VALUES ('tombstone_key', ?1)", [sealed])?;
    Ok(seal)
}
