//! The one writer: a thread that takes all work that is queued into one commit, so that hires which
//! arrive together share one sync of the disk.

use std::fs::File;
use std::sync::mpsc;
use std::thread;

use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use super::OpenError;
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
    fn run(&mut self, db: &Connection);
    fn answer(self: Box<Self>, commit: &Result<(), String>);
}

struct Job<F, R> {
    work: Option<F>,
    result: Option<Result<R, LedgerError>>,
    answer: oneshot::Sender<Result<R, LedgerError>>,
}

impl<F, R> Work for Job<F, R>
where
    F: FnOnce(&Connection) -> Result<R, LedgerError> + Send,
    R: Send,
{
    fn run(&mut self, db: &Connection) {
        if let Some(work) = self.work.take() {
            self.result = Some(in_savepoint(db, work));
        }
    }

    fn answer(self: Box<Self>, commit: &Result<(), String>) {
        let result = match (commit, self.result) {
            (Ok(()), Some(result)) => result,
            (Err(why), _) => Err(LedgerError::Unusable(why.clone())),
            (Ok(()), None) => Err(LedgerError::Unusable("the work was not run".into())),
        };
        // Whoever asked may be gone; what was committed stays.
        let _ = self.answer.send(result);
    }
}

impl Writer {
    /// Starts the thread, which keeps the connection and the lock on the file.
    pub(super) fn start(db: Connection, lock: File) -> Result<Self, OpenError> {
        let (queue, work) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("ledger-writer".into())
            .spawn(move || {
                write_all(&db, &work);
                drop(db);
                drop(lock);
            })
            .map_err(|error| OpenError::Thread(error.to_string()))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Runs `work` in the next commit. Durable when it returns `Ok`.
    pub(super) async fn run<R, F>(&self, work: F) -> Result<R, LedgerError>
    where
        F: FnOnce(&Connection) -> Result<R, LedgerError> + Send + 'static,
        R: Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let gone = || LedgerError::Unusable("the ledger has stopped after a failed sync".into());
        let queue = self.queue.as_ref().ok_or_else(gone)?;
        queue.send(Box::new(Job { work: Some(work), result: None, answer })).map_err(|_| gone())?;
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

fn write_all(db: &Connection, queue: &mpsc::Receiver<Box<dyn Work>>) {
    while let Ok(first) = queue.recv() {
        let mut group = vec![first];
        group.extend(queue.try_iter().take(GROUP - 1));
        let committed = commit(db, &mut group);
        let fatal = matches!(&committed, Err(error) if is_fatal(error));
        let said = committed.map_err(|error| error.to_string());
        if let Err(why) = &said {
            tracing::error!(error = %why, fatal, "the ledger could not commit");
        }
        for work in group {
            work.answer(&said);
        }
        if fatal {
            return;
        }
    }
}

fn commit(db: &Connection, group: &mut [Box<dyn Work>]) -> rusqlite::Result<()> {
    db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    for work in group.iter_mut() {
        work.run(db);
    }
    let committed = db.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([]));
    if committed.is_err() && !db.is_autocommit() {
        db.execute_batch("ROLLBACK")?;
    }
    committed.map(drop)
}

/// After an error of the disk nothing that was written can be trusted to be there: the writer stops, and
/// a restart reads what really is on the disk.
fn is_fatal(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::SystemIoFailure | ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

/// One piece of work that fails must not undo the others in its commit.
fn in_savepoint<R>(
    db: &Connection,
    work: impl FnOnce(&Connection) -> Result<R, LedgerError>,
) -> Result<R, LedgerError> {
    let execute = |sql| db.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
    execute("SAVEPOINT work")?;
    let result = work(db);
    if result.is_err() {
        execute("ROLLBACK TO work")?;
    }
    execute("RELEASE work")?;
    result
}
