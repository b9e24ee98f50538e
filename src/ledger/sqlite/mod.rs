//! The embedded engine: one SQLite file, write-ahead log, `synchronous=FULL`, one writer.

mod bodies;
mod condition;
mod keyring;
mod keys;
mod log;
mod open;
mod order;
mod outbox;
mod privacy;
mod reader;
mod row;
mod shelf;
mod snapshot;
mod statements;
mod translations;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use super::permit::{Guard, hand_out};
use super::row::Row;
use super::seal::Seal;
use super::translation::Sealed;
use super::{
    Accepted, Counts, Delivery, Denied, Filter, Keyring, Ledger, LedgerError, LedgerKey, Outbox, Owner,
    Privacy, Restored, Shelf, Snapshot, SnapshotError, Ticket,
};
use crate::domain::{Actor, Employee, Entry, Event, Hire, HireId, HireKey, Translation};
use condition::Condition;
use reader::Readers;
use snapshot::Copyist;
use translations::Known;
use writer::Writer;

pub use open::{OpenError, inspect};
pub use snapshot::verify;

/// What a probe writes: next to nothing, unless the last write failed. Where the disk is full there may be room
/// for that and not for a delivery.
const PROBE: u32 = 8;
const PROBE_OF_ROOM: u32 = 256 << 10;

/// A ledger in one SQLite file. Only one process has it open.
pub struct SqliteLedger {
    seal: Arc<Seal>,
    owner: Owner,
    writer: Writer,
    readers: Readers,
    copyist: Copyist,
    condition: Condition,
    translations: Arc<Known>,
    /// Whether there may be documents.
    has_documents: AtomicBool,
}

impl SqliteLedger {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// [`OpenError`] if the file cannot be durable, belongs to another process, a newer version or another
    /// key, or if the folder cannot be written.
    pub fn open(path: &Path, key: &LedgerKey, owner: Owner) -> Result<Self, OpenError> {
        let opened = open::open(path, key)?;
        let condition = Condition::well();
        let has_documents = shelf::has_any(&opened.writer).map_err(|error| open::refused(path, &error))?;
        Ok(Self {
            seal: Arc::new(opened.seal),
            owner,
            copyist: Copyist::new(path),
            writer: Writer::start(opened.writer, opened.lock, condition.clone())?,
            readers: Readers::new(path, condition.clone()),
            condition,
            translations: Arc::default(),
            has_documents: AtomicBool::new(has_documents),
        })
    }

    fn row(&self, hire: &Hire) -> Row {
        Row::of(hire, &self.seal)
    }

    /// The body as it is kept, if it is kept. As it came it is needed no more.
    fn sealed_body(&self, delivery: &mut Delivery) -> Option<Vec<u8>> {
        let body = std::mem::take(&mut delivery.body);
        (!body.is_empty()).then(|| self.seal.seal("body", &body))
    }
}

#[async_trait]
impl Ledger for SqliteLedger {
    async fn accept(&self, mut hire: Hire, mut delivery: Delivery) -> Result<Accepted, LedgerError> {
        let row = self.row(&hire);
        let (id, kept) = (hire.id, row.kept.clone());
        let entries = std::mem::take(&mut hire.unsaved);
        let body = self.sealed_body(&mut delivery);
        let work = move |db: &_| statements::accept(db, &row, &entries, &delivery, body.as_deref());
        let stored = self.writer.run(work).await?;
        match stored {
            None => {
                hire.version = 1;
                hire.kept = kept;
                Ok(Accepted::New(hire))
            }
            Some(row) => {
                debug_assert!(row.id != id.0, "a repeat has the id of the first");
                Ok(Accepted::Repeat(row.open(&self.seal)?))
            }
        }
    }

    async fn save(&self, hire: &mut Hire) -> Result<(), LedgerError> {
        let row = self.row(hire);
        let (entries, kept) = (hire.unsaved.clone(), row.kept.clone());
        self.writer.run(move |db| statements::save(db, &row, &entries)).await?;
        hire.version += 1;
        hire.kept = kept;
        hire.unsaved.clear();
        Ok(())
    }

    async fn permit(
        &self,
        hire: &mut Hire,
        employee: Employee,
        actor: &Actor,
        now: Timestamp,
        deadline: Timestamp,
    ) -> Result<Result<Ticket<Employee>, Denied>, LedgerError> {
        let mut sending = hire.clone();
        sending.apply(&Event::Permitted, actor, now).map_err(|_| LedgerError::Conflict)?;
        let row = self.row(&sending);
        let (entries, kept) = (sending.unsaved.clone(), row.kept.clone());
        let owner = self.owner;
        let guard = Guard::of(hire);
        let granted = self
            .writer
            .run(move |db| statements::permit(db, &row, &entries, owner, guard, now, deadline))
            .await?;
        Ok(granted.map(|number| hand_out(hire, sending, kept, number, deadline, employee)))
    }

    async fn hire(&self, id: HireId) -> Result<Option<Hire>, LedgerError> {
        let row = self.readers.run(move |db| statements::by_id(db, id)).await?;
        row.map(|row| row.open(&self.seal)).transpose()
    }

    async fn find(&self, key: &HireKey) -> Result<Option<Hire>, LedgerError> {
        let hash = self.seal.hash(&key.text());
        let row = self.readers.run(move |db| statements::by_key(db, &hash)).await?;
        row.map(|row| row.open(&self.seal)).transpose()
    }

    async fn history(&self, id: HireId) -> Result<Vec<Entry>, LedgerError> {
        self.readers.run(move |db| statements::history(db, id)).await
    }

    async fn bodies(&self, id: HireId) -> Result<Vec<Vec<u8>>, LedgerError> {
        let sealed = self.readers.run(move |db| statements::bodies(db, id)).await?;
        sealed.iter().map(|body| self.seal.unseal("body", body)).collect()
    }

    async fn forget_bodies(&self, before: Timestamp, limit: usize) -> Result<usize, LedgerError> {
        self.writer.run(move |db| bodies::forget(db, before, limit)).await
    }

    async fn list(&self, filter: &Filter) -> Result<Vec<Hire>, LedgerError> {
        let filter = filter.clone();
        let rows = self.readers.run(move |db| statements::list(db, &filter)).await?;
        rows.into_iter().map(|row| row.open(&self.seal)).collect()
    }

    async fn count(&self, filter: &Filter) -> Result<u64, LedgerError> {
        let filter = filter.clone();
        self.readers.run(move |db| statements::count(db, &filter)).await
    }

    async fn unhire(
        &self,
        key: &HireKey,
        at: Option<Timestamp>,
        mut delivery: Delivery,
    ) -> Result<Option<Hire>, LedgerError> {
        let hash = self.seal.hash(&key.text());
        let body = self.sealed_body(&mut delivery);
        let work = move |db: &_| order::unhire(db, &hash, at, &delivery, body.as_deref());
        let row = self.writer.run(work).await?;
        row.map(|row| row.open(&self.seal)).transpose()
    }

    async fn merge(&self, gone: &str, kept: &str, now: Timestamp) -> Result<Vec<HireId>, LedgerError> {
        let (gone, kept) = (self.seal.hash(gone), self.seal.hash(kept));
        self.writer.run(move |db| order::merge(db, &gone, &kept, now)).await
    }

    async fn same_person(&self, hire: &Hire) -> Result<Option<HireId>, LedgerError> {
        let row = self.row(hire);
        let other = self.readers.run(move |db| statements::same_person(db, &row)).await?;
        Ok(other.map(HireId))
    }

    async fn audits(&self, now: Timestamp, limit: usize) -> Result<Vec<HireId>, LedgerError> {
        self.readers.run(move |db| order::audits(db, now, limit)).await
    }

    async fn next_audit(&self) -> Result<Option<Timestamp>, LedgerError> {
        self.readers.run(order::next_audit).await
    }

    async fn due(&self, now: Timestamp, limit: usize, credential: usize) -> Result<Vec<HireId>, LedgerError> {
        // Whoever is told asks Personio first: in vain, if what comes of it cannot be stored.
        if self.condition.is_failing() {
            self.probe().await?;
        }
        self.readers.run(move |db| statements::due(db, now, limit, credential)).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, LedgerError> {
        self.readers.run(statements::next_due).await
    }

    async fn orphans(&self, _now: Timestamp) -> Result<Vec<HireId>, LedgerError> {
        // The lock on the file proves that every other owner is gone: no lease needs to be waited for.
        let me = self.owner;
        self.readers.run(move |db| statements::orphans(db, me)).await
    }

    async fn counts(&self) -> Result<Counts, LedgerError> {
        let counted = self.readers.run(statements::counts).await?;
        Ok(super::counts(counted))
    }

    async fn oldest_unfinished(&self) -> Result<Option<Timestamp>, LedgerError> {
        self.readers.run(statements::oldest_unfinished).await
    }

    async fn propose(&self, proposed: &Translation) -> Result<(), LedgerError> {
        let new = Sealed::of(proposed, &self.seal);
        self.translate(move |db| translations::propose(db, &new)).await
    }

    async fn confirm(&self, confirmed: &Translation) -> Result<bool, LedgerError> {
        let one = Sealed::of(confirmed, &self.seal);
        self.translate(move |db| translations::confirm(db, &one)).await
    }

    async fn revoke(&self, id: Uuid) -> Result<bool, LedgerError> {
        self.translate(move |db| translations::revoke(db, id)).await
    }

    async fn translations(&self) -> Result<Vec<Translation>, LedgerError> {
        self.all_translations().await
    }

    fn outbox(&self) -> &dyn Outbox {
        self
    }

    fn shelf(&self) -> &dyn Shelf {
        self
    }

    fn keyring(&self) -> &dyn Keyring {
        self
    }

    fn privacy(&self) -> &dyn Privacy {
        self
    }

    async fn probe(&self) -> Result<(), LedgerError> {
        let size = if self.condition.is_failing() { PROBE_OF_ROOM } else { PROBE };
        self.writer.run(move |db| statements::probe(db, size)).await
    }

    async fn sealed_with_old_keys(&self) -> Result<Option<u64>, LedgerError> {
        let others = self.seal.others();
        if others.is_empty() {
            return Ok(None);
        }
        self.readers.run(move |db| Ok(Some(keys::sealed_by(db, &others)?))).await
    }

    async fn seal_anew(&self, told: &(dyn Fn(u64) + Send + Sync)) -> Result<u64, LedgerError> {
        SqliteLedger::seal_anew(self, told).await
    }

    async fn broken(&self) -> String {
        self.condition.broken().await
    }

    async fn restored(&self, now: Timestamp) -> Result<Option<Restored>, LedgerError> {
        self.writer.run(move |db| snapshot::restored(db, now)).await
    }

    async fn snapshot(&self, now: Timestamp) -> Result<Snapshot, SnapshotError> {
        self.copyist.copy(now).await
    }
}
