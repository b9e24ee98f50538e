//! The one writer: a thread that takes all work that is queued into one commit, so that hires which
//! arrive together share one sync of the disk.

use std::fs::File;
use std::sync::mpsc;
use std::thread;

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use tokio::sync::oneshot;

use super::OpenError;
use super::condition::Condition;
use super::log;
use crate::ledger::LedgerError;

/// So many pieces of work share a commit at most.
const GROUP: usize = 512;

/// A handle on the writer's thread. Dropping it ends the thread and waits for that, so that the file can
/// be opened again at once.
pub(super) struct Writer {
    queue: Option<mpsc::Sender<Box<dyn Work>>>,
    thread: Option<thread::JoinHandle<()>>,
}

/// A piece of work: run within the commit, answered after it.
trait Work: Send {
    /// # Errors
    /// If because of it nothing may be committed; that it failed itself is none.
    fn run(&mut self, db: &Connection, apart: bool) -> Result<(), LedgerError>;
    /// Whether it was run and has failed.
    fn is_refused(&self) -> bool;
    /// Whether it was run and the store failed it.
    fn has_failed(&self) -> bool;
    fn answer(self: Box<Self>, commit: &Result<(), LedgerError>);
}

struct Job<F, R> {
    work: F,
    result: Option<Result<R, LedgerError>>,
    answer: oneshot::Sender<Result<R, LedgerError>>,
}

impl<F, R> Work for Job<F, R>
where
    F: FnMut(&Connection) -> Result<R, LedgerError> + Send,
    R: Send,
{
    fn run(&mut self, db: &Connection, apart: bool) -> Result<(), LedgerError> {
        let result = if apart { in_savepoint(db, &mut self.work) } else { (self.work)(db) };
        let spoilt = match &result {
            Err(error @ LedgerError::Broken(_)) => Err(error.clone()),
            // When the disk is full, for one, SQLite may give up the whole transaction: what came after this
            // would be committed piece by piece.
            Err(error) if db.is_autocommit() => Err(error.clone()),
            _ => Ok(()),
        };
        self.result = Some(result);
        spoilt
    }

    fn is_refused(&self) -> bool {
        matches!(self.result, Some(Err(_)))
    }

    fn has_failed(&self) -> bool {
        matches!(self.result, Some(Err(LedgerError::Unusable(_))))
    }

    fn answer(self: Box<Self>, commit: &Result<(), LedgerError>) {
        let result = match (commit, self.result) {
            (Ok(()), Some(result)) => result,
            (Err(error), _) => Err(error.clone()),
            (Ok(()), None) => Err(LedgerError::Unusable("the work was not run".into())),
        };
        // Whoever asked may be gone; what was committed stays.
        let _ = self.answer.send(result);
    }
}

impl Writer {
    /// Starts the thread, which keeps the connection and the lock on the file.
    pub(super) fn start(db: Connection, lock: File, condition: Condition) -> Result<Self, OpenError> {
        let (queue, work) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("ledger-writer".into())
            .spawn(move || {
                log::take_over(&db);
                write_all(&db, &work, &condition);
                close(db, &condition);
                drop(lock);
            })
            .map_err(|error| OpenError::Thread(error.to_string()))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Runs `work` in the next commit. Durable when it returns `Ok`. What it did is undone and done again if somebody
    /// else's work fails.
    pub(super) async fn run<R, F>(&self, work: F) -> Result<R, LedgerError>
    where
        F: FnMut(&Connection) -> Result<R, LedgerError> + Send + 'static,
        R: Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let gone = || LedgerError::Unusable("the ledger's writer has ended".into());
        let queue = self.queue.as_ref().ok_or_else(gone)?;
        queue.send(Box::new(Job { work, result: None, answer })).map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the ledger's writer ended badly");
        }
    }
}

fn write_all(db: &Connection, queue: &mpsc::Receiver<Box<dyn Work>>, condition: &Condition) {
    while let Ok(first) = queue.recv() {
        let mut group = vec![first];
        group.extend(queue.try_iter().take(GROUP - 1));
        let committed = condition.objection().and_then(|()| commit(db, &mut group));
        if let Err(error) = &committed {
            tracing::error!(%error, "the ledger could not commit");
            condition.met(error);
        }
        condition.wrote(committed.is_ok() && !group.iter().any(|work| work.has_failed()));
        // Whoever asked for an erasure is answered when the log is empty.
        if committed.is_ok()
            && let Err(error) = log::empty_if_asked(db).map_err(LedgerError::from)
        {
            tracing::error!(%error, "the ledger's log could not be emptied");
            condition.met(&error);
        }
        for work in group {
            work.answer(&committed);
        }
        if let Err(error) = log::copy_if_long(db).map_err(LedgerError::from) {
            tracing::error!(%error, "the ledger's log could not be copied into its file");
            condition.met(&error);
        }
    }
}

/// One piece of work that fails must not undo the others. That is seldom; and a savepoint for each would copy each
/// page that several of them change, once for each of them.
fn commit(db: &Connection, group: &mut [Box<dyn Work>]) -> Result<(), LedgerError> {
    if transaction(db, group, false)? || group.len() == 1 {
        return Ok(());
    }
    transaction(db, group, true).map(drop)
}

/// Whether it was committed. Not if a piece of work has failed that was not kept apart from the others.
fn transaction(db: &Connection, group: &mut [Box<dyn Work>], apart: bool) -> Result<bool, LedgerError> {
    let execute = |sql| db.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
    execute("BEGIN IMMEDIATE")?;
    let done = group.iter_mut().try_for_each(|work| work.run(db, apart));
    let commits = apart || !group.iter().any(|work| work.is_refused());
    let done = done.and_then(|()| if commits { Ok(execute("COMMIT").map(drop)?) } else { Ok(()) });
    if !db.is_autocommit() {
        execute("ROLLBACK")?;
    }
    done.map(|()| commits)
}

/// Closing copies the log into the file, which nobody may rely on once a sync has failed.
fn close(db: Connection, condition: &Condition) {
    if let Err(error) = condition.objection()
        && db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).is_err()
    {
        tracing::error!(%error, "the ledger's file could not be left as it is");
    }
    drop(db);
}

fn in_savepoint<R>(
    db: &Connection,
    work: &mut impl FnMut(&Connection) -> Result<R, LedgerError>,
) -> Result<R, LedgerError> {
    let execute = |sql| db.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
    execute("SAVEPOINT work")?;
    let result = work(db);
    if db.is_autocommit() {
        return result;
    }
    if result.is_err() {
        execute("ROLLBACK TO work")?;
    }
    execute("RELEASE work")?;
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    type Answer = oneshot::Receiver<Result<(), LedgerError>>;

    /// A thing of this size is put in, and then refused.
    const UNWANTED: u32 = 7;

    fn insert(size: u32) -> (Box<dyn Work>, Answer) {
        let work = move |db: &Connection| {
            db.execute("INSERT INTO things (thing) VALUES (zeroblob(?1))", [size])?;
            if size == UNWANTED { Err(LedgerError::Conflict) } else { Ok(()) }
        };
        let (answer, answered) = oneshot::channel();
        (Box::new(Job { work, result: None, answer }), answered)
    }

    fn commit_all(db: &Connection, sizes: &[u32]) -> Vec<Result<(), LedgerError>> {
        let (mut group, answers): (Vec<_>, Vec<_>) = sizes.iter().map(|size| insert(*size)).unzip();
        let committed = commit(db, &mut group);
        for work in group {
            work.answer(&committed);
        }
        answers.into_iter().map(|mut answer| answer.try_recv().expect("each is answered")).collect()
    }

    #[test]
    fn of_a_commit_in_which_some_work_fails_the_other_work_is_there() {
        let db = Connection::open_in_memory().expect("it opens");
        db.execute_batch("CREATE TABLE things (thing BLOB)").expect("it can be made");
        for sizes in [&[1, UNWANTED, 2, UNWANTED, 3][..], &[UNWANTED], &[4, 5]] {
            let answers = commit_all(&db, sizes);
            for (size, answer) in sizes.iter().zip(answers) {
                assert_eq!(answer.is_ok(), *size != UNWANTED, "{size} of {sizes:?}");
            }
        }
        let sizes: String = db
            .query_row("SELECT group_concat(length(thing)) FROM things", [], |row| row.get(0))
            .expect("it can be read");
        assert_eq!(sizes, "1,2,3,4,5");
    }

    /// When there is no room SQLite gives up the transaction in its middle, and what comes after it would be a
    /// transaction of its own.
    #[test]
    fn of_a_commit_for_which_there_is_no_room_nothing_is_there() {
        let db = Connection::open_in_memory().expect("it opens");
        db.execute_batch("CREATE TABLE things (thing BLOB); PRAGMA max_page_count = 20")
            .expect("it can be made");
        let refused = commit_all(&db, &[1, 1 << 20, 1]);
        assert!(refused.iter().all(|answer| matches!(answer, Err(LedgerError::Unusable(_)))), "{refused:?}");
        let count = || db.query_row("SELECT count(*) FROM things", [], |row| row.get::<_, i64>(0));
        assert_eq!(count().expect("it can be read"), 0);
        assert!(commit_all(&db, &[1, 1]).iter().all(Result::is_ok));
        assert_eq!(count().expect("it can be read"), 2);
    }
}
