//! The write-ahead log, which is copied into the file now and then. SQLite would do it by itself, but keep to
//! itself that the file could not be synced.

use std::cell::Cell;

use rusqlite::Connection;

/// So many pages in the log are enough to copy them.
const LONG: i32 = 1_000;

thread_local! {
    /// How many pages the log has, as the last commit on this thread has left it.
    static PAGES: Cell<i32> = const { Cell::new(0) };
    /// Whether something was erased that the log still has.
    static ANEW: Cell<bool> = const { Cell::new(false) };
}

/// From now on this connection copies the log only when [`copy_if_long`] says so.
pub(super) fn take_over(db: &Connection) {
    db.wal_hook(Some(|_, pages| {
        PAGES.set(pages);
        Ok(())
    }));
}

/// What was erased in this transaction is in the log still: it is to be begun anew.
pub(super) fn begin_anew() {
    ANEW.set(true);
}

/// Copies the log into the file and empties it, if that was asked for. Somebody may read it just now, for whom SQLite waits
/// its time; then the next commit tries again.
///
/// # Errors
/// If it could not be copied.
pub(super) fn empty_if_asked(db: &Connection) -> rusqlite::Result<()> {
    if ANEW.get() {
        let busy: bool = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        ANEW.set(busy);
    }
    Ok(())
}

/// Copies a long log into the file, and syncs that.
///
/// # Errors
/// If it could not be copied. What was committed stands; unless a sync failed, the next time may go better.
pub(super) fn copy_if_long(db: &Connection) -> rusqlite::Result<()> {
    if PAGES.replace(0) < LONG {
        return Ok(());
    }
    db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}
