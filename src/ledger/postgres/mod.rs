//! The engine for several replicas: one PostgreSQL database, which they share.
//!
//! Whether a statement whose answer was lost was carried out is found out on a new connection: every write bears
//! a mark that only its writer knows. A permit is handed out only if the row shows it.

mod address;
mod bodies;
mod keyring;
mod keys;
mod open;
mod order;
mod outbox;
mod privacy;
mod restored;
mod shelf;
mod statements;
mod translations;
mod write;

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::postgres::PgPool;
use uuid::Uuid;

use super::permit::{Guard, hand_out};
use super::privacy::is_on_its_way;
use super::row::Row;
use super::seal::Seal;
use super::translation::{Sealed, open as opened};
use super::{
    Accepted, Counts, Delivery, Denied, Filter, Keyring, Ledger, LedgerError, LedgerKey, Outbox, Owner,
    Privacy, Restored, Shelf, Ticket,
};
use crate::domain::{Actor, Employee, Entry, Event, Hire, HireId, HireKey, Translation};

pub use address::Address;
pub use open::{OpenError, inspect};

/// When an answer is no longer waited for; the server gives a statement up before.
const PATIENCE: Duration = Duration::from_secs(15);

/// A ledger in a PostgreSQL database, beside other replicas.
pub struct PostgresLedger {
    pool: PgPool,
    seal: Seal,
    owner: Owner,
}

impl PostgresLedger {
    /// Connects, and sets the tables up or brings them up to date.
    ///
    /// # Errors
    /// [`OpenError`] if the server cannot be reached, is not durable or only reads, or if the tables belong to
    /// a newer version, another program or another key.
    pub async fn open(address: &Address, key: &LedgerKey, owner: Owner) -> Result<Self, OpenError> {
        let (pool, seal) = open::open(address, key).await?;
        Ok(Self { pool, seal, owner })
    }

    fn opened(&self, row: Option<Row>) -> Result<Option<Hire>, LedgerError> {
        row.map(|row| row.open(&self.seal)).transpose()
    }
}

/// What a statement's error says, without the values it was given.
fn words(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(said) => said.message().to_owned(),
        sqlx::Error::Io(said) => said.to_string(),
        sqlx::Error::PoolTimedOut => "no connection to PostgreSQL could be had in time".to_owned(),
        other => other.to_string(),
    }
}

impl From<sqlx::Error> for LedgerError {
    fn from(error: sqlx::Error) -> Self {
        Self::Unusable(words(&error))
    }
}

/// Whether the connection broke, so that nobody has said what became of the statement.
fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => true,
        // Connection failures, and a server that stops (57P01 to 57P03).
        sqlx::Error::Database(said) => {
            said.code().is_some_and(|code| code.starts_with("08") || code.starts_with("57P"))
        }
        _ => false,
    }
}

/// Waits for an answer, not for ever.
async fn in_time<T>(work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    let late =
        |_| Err(std::io::Error::new(std::io::ErrorKind::TimedOut, "PostgreSQL does not answer").into());
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(late)
}

/// Does it, and once more on another connection if the first was lost. Only for what does no more when done
/// twice than when done once.
async fn twice<T, W>(mut work: impl FnMut() -> W) -> Result<T, sqlx::Error>
where
    W: Future<Output = Result<T, sqlx::Error>>,
{
    match in_time(work()).await {
        Err(error) if is_lost(&error) => in_time(work()).await,
        answer => answer,
    }
}

#[async_trait]
impl Ledger for PostgresLedger {
    async fn accept(&self, mut hire: Hire, delivery: Delivery) -> Result<Accepted, LedgerError> {
        let row = Row::of(&hire, &self.seal);
        let entries = std::mem::take(&mut hire.unsaved);
        let body = self.seal.seal("body", &delivery.body);
        (hire.version, hire.kept) = (1, row.kept.clone());
        let (db, me) = (&self.pool, self.owner);
        if twice(|| statements::accept(db, &row, &entries, &delivery, &body, me)).await? {
            return Ok(Accepted::New(hire));
        }
        let known = twice(|| statements::repeat(db, &row.key_hash, row.id, &delivery, &body)).await?;
        match self.opened(known)? {
            Some(known) if known.id == hire.id => Ok(Accepted::New(known)),
            Some(known) => Ok(Accepted::Repeat(known)),
            None => Err(LedgerError::Damaged("a hire that was there a moment ago".into())),
        }
    }

    async fn save(&self, hire: &mut Hire) -> Result<(), LedgerError> {
        let row = Row::of(hire, &self.seal);
        let (db, signed) = (&self.pool, (self.owner, Uuid::now_v7()));
        let saved = twice(|| write::save(db, &row, &hire.unsaved, signed, None)).await?
            || twice(|| write::bears(db, row.id, signed.1)).await?;
        if !saved {
            return Err(LedgerError::Conflict);
        }
        if hire.unsaved.iter().any(|step| step.from.as_deref().is_some_and(is_on_its_way)) {
            // It is saved; what is not erased now is found by the next search for it.
            if let Err(error) = twice(|| privacy::erase_if_requested(db, row.id, row.updated_at)).await {
                tracing::warn!(hire = %hire.id, error = words(&error), "not erased yet");
            }
        }
        hire.version += 1;
        hire.kept = row.kept;
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
        let row = Row::of(&sending, &self.seal);
        let guard = Guard::of(hire);
        let (db, signed) = (&self.pool, (self.owner, Uuid::now_v7()));
        let asked = write::permit(db, &row, &sending.unsaved, signed, guard, (now, deadline));
        let granted = match in_time(asked).await {
            Err(error) if is_lost(&error) => {
                let number = in_time(write::granted(db, row.id, signed)).await?;
                Ok(number.ok_or(error)?)
            }
            answer => answer?.ok_or(LedgerError::Conflict)?,
        };
        Ok(granted.map(|number| hand_out(hire, sending, row.kept, number, deadline, employee)))
    }

    async fn hire(&self, id: HireId) -> Result<Option<Hire>, LedgerError> {
        self.opened(twice(|| statements::by_id(&self.pool, id)).await?)
    }

    async fn find(&self, key: &HireKey) -> Result<Option<Hire>, LedgerError> {
        let hash = self.seal.hash(&key.text());
        self.opened(twice(|| statements::by_key(&self.pool, &hash)).await?)
    }

    async fn history(&self, id: HireId) -> Result<Vec<Entry>, LedgerError> {
        Ok(twice(|| statements::history(&self.pool, id)).await?)
    }

    async fn bodies(&self, id: HireId) -> Result<Vec<Vec<u8>>, LedgerError> {
        let sealed = twice(|| statements::bodies(&self.pool, id)).await?;
        sealed.iter().map(|body| self.seal.unseal("body", body)).collect()
    }

    async fn forget_bodies(&self, before: Timestamp, limit: usize) -> Result<usize, LedgerError> {
        Ok(twice(|| bodies::forget(&self.pool, before, limit)).await?)
    }

    async fn list(&self, filter: &Filter) -> Result<Vec<Hire>, LedgerError> {
        let rows = twice(|| statements::list(&self.pool, filter)).await?;
        rows.into_iter().map(|row| row.open(&self.seal)).collect()
    }

    async fn count(&self, filter: &Filter) -> Result<u64, LedgerError> {
        let count = twice(|| statements::count(&self.pool, filter)).await?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    async fn unhire(
        &self,
        key: &HireKey,
        at: Option<Timestamp>,
        delivery: Delivery,
    ) -> Result<Option<Hire>, LedgerError> {
        let hash = self.seal.hash(&key.text());
        let body = self.seal.seal("body", &delivery.body);
        self.opened(twice(|| order::unhire(&self.pool, &hash, at, &delivery, &body)).await?)
    }

    async fn merge(&self, gone: &str, kept: &str, now: Timestamp) -> Result<Vec<HireId>, LedgerError> {
        let (gone, kept) = (self.seal.hash(gone), self.seal.hash(kept));
        Ok(twice(|| order::merge(&self.pool, &gone, &kept, now)).await?)
    }

    async fn same_person(&self, hire: &Hire) -> Result<Option<HireId>, LedgerError> {
        let row = Row::of(hire, &self.seal);
        Ok(twice(|| order::same_person(&self.pool, &row)).await?)
    }

    async fn audits(&self, now: Timestamp, limit: usize) -> Result<Vec<HireId>, LedgerError> {
        Ok(twice(|| statements::audits(&self.pool, self.owner, now, limit)).await?)
    }

    async fn next_audit(&self) -> Result<Option<Timestamp>, LedgerError> {
        Ok(twice(|| order::next_audit(&self.pool)).await?)
    }

    async fn due(&self, now: Timestamp, limit: usize, credential: usize) -> Result<Vec<HireId>, LedgerError> {
        let (db, me) = (&self.pool, self.owner);
        let mut ids = twice(|| statements::due(db, me, now, limit, false)).await?;
        if credential > 0 {
            ids.extend(twice(|| statements::due(db, me, now, credential, true)).await?);
        }
        Ok(ids)
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, LedgerError> {
        Ok(twice(|| statements::next_due(&self.pool)).await?)
    }

    async fn orphans(&self, _now: Timestamp) -> Result<Vec<HireId>, LedgerError> {
        // Replicas may disagree about the time: leases go by the server's clock alone.
        Ok(twice(|| statements::orphans(&self.pool)).await?)
    }

    async fn counts(&self) -> Result<Counts, LedgerError> {
        Ok(super::counts(twice(|| statements::counts(&self.pool)).await?))
    }

    async fn oldest_unfinished(&self) -> Result<Option<Timestamp>, LedgerError> {
        Ok(twice(|| statements::oldest_unfinished(&self.pool)).await?)
    }

    async fn propose(&self, proposed: &Translation) -> Result<(), LedgerError> {
        let new = Sealed::of(proposed, &self.seal);
        Ok(twice(|| translations::propose(&self.pool, &new)).await?)
    }

    async fn confirm(&self, confirmed: &Translation) -> Result<bool, LedgerError> {
        let one = Sealed::of(confirmed, &self.seal);
        Ok(twice(|| translations::confirm(&self.pool, &one)).await?)
    }

    async fn revoke(&self, id: Uuid) -> Result<bool, LedgerError> {
        Ok(twice(|| translations::revoke(&self.pool, id)).await?)
    }

    async fn translations(&self) -> Result<Vec<Translation>, LedgerError> {
        let sealed = twice(|| translations::all(&self.pool)).await?;
        sealed.iter().map(|(id, entry)| opened(*id, entry, &self.seal)).collect()
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
        Ok(twice(|| statements::probe(&self.pool)).await?)
    }

    async fn sealed_with_old_keys(&self) -> Result<Option<u64>, LedgerError> {
        let others = self.seal.others();
        if others.is_empty() {
            return Ok(None);
        }
        Ok(Some(keys::left(&self.pool, &others).await?))
    }

    async fn seal_anew(&self, told: &(dyn Fn(u64) + Send + Sync)) -> Result<u64, LedgerError> {
        keys::seal_anew(&self.pool, &self.seal, told).await
    }

    async fn restored(&self, now: Timestamp) -> Result<Option<Restored>, LedgerError> {
        Ok(twice(|| restored::restored(&self.pool, now)).await?)
    }
}
