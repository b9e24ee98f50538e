//! Values that people want to hold from now on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, params};
use uuid::Uuid;

use super::SqliteLedger;
use super::row::uuid;
use super::statements::Answer;
use crate::domain::Translation;
use crate::ledger::LedgerError;
use crate::ledger::translation::{Sealed, open};

/// All translations, once they were read: each plan asks for them, and they hardly ever change. Only this process
/// changes the file.
#[derive(Default)]
pub(super) struct Known(Mutex<State>);

#[derive(Default)]
struct State {
    /// How often they have changed.
    changes: u64,
    all: Option<Vec<Translation>>,
}

impl Known {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// They may have changed: what is known, or is being read just now, holds no more.
    fn forget(&self) {
        let mut state = self.state();
        state.changes += 1;
        state.all = None;
    }
}

/// A change under way. It is dropped after its commit, also if whoever asked for it is gone by then.
struct Change(Arc<Known>);

impl Drop for Change {
    fn drop(&mut self) {
        self.0.forget();
    }
}

impl SqliteLedger {
    /// Writes, and forgets what was known before whoever asked is answered.
    pub(super) async fn translate<R: Send + 'static>(
        &self,
        mut write: impl FnMut(&Connection) -> Answer<R> + Send + 'static,
    ) -> Answer<R> {
        let change = Change(Arc::clone(&self.translations));
        let written = self.writer.run(move |db| {
            let Change(_) = &change;
            write(db)
        });
        let written = written.await;
        self.translations.forget();
        written
    }

    /// All of them, oldest first.
    pub(super) async fn all_translations(&self) -> Result<Vec<Translation>, LedgerError> {
        let changes = {
            let state = self.translations.state();
            if let Some(all) = &state.all {
                return Ok(all.clone());
            }
            state.changes
        };
        let sealed = self.readers.run(all).await?;
        let all: Vec<_> =
            sealed.iter().map(|(id, entry)| open(*id, entry, &self.seal)).collect::<Result<_, _>>()?;
        let mut state = self.translations.state();
        if state.changes == changes {
            state.all = Some(all.clone());
        }
        Ok(all)
    }
}

/// Adds a proposal, in place of an earlier one for the same value.
pub(super) fn propose(db: &Connection, new: &Sealed) -> Answer<()> {
    db.prepare_cached("DELETE FROM translations WHERE slot = ?1 AND confirmed = 0")?.execute([&new.slot])?;
    db.prepare_cached("INSERT INTO translations (id, slot, confirmed, entry) VALUES (?1, ?2, 0, ?3)")?
        .execute(params![new.id.as_bytes(), new.slot, new.entry])?;
    Ok(())
}

/// From now on it holds, and no other for the same value; not if it is gone.
pub(super) fn confirm(db: &Connection, one: &Sealed) -> Answer<bool> {
    db.prepare_cached(
        "DELETE FROM translations WHERE slot = ?1 AND confirmed = 1 AND id <> ?2 \
           AND EXISTS (SELECT 1 FROM translations WHERE id = ?2)",
    )?
    .execute(params![one.slot, one.id.as_bytes()])?;
    let confirmed = db
        .prepare_cached("UPDATE translations SET confirmed = 1, entry = ?2 WHERE id = ?1")?
        .execute(params![one.id.as_bytes(), one.entry])?;
    Ok(confirmed == 1)
}

pub(super) fn revoke(db: &Connection, id: Uuid) -> Answer<bool> {
    Ok(db.prepare_cached("DELETE FROM translations WHERE id = ?1")?.execute([id.as_bytes()])? == 1)
}

/// All of them as they are stored, oldest first.
fn all(db: &Connection) -> Answer<Vec<(Uuid, Vec<u8>)>> {
    let mut select = db.prepare_cached("SELECT id, entry FROM translations ORDER BY id")?;
    let rows = select.query_map([], |row| Ok((uuid(&row.get::<_, Vec<u8>>(0)?), row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;

    use jiff::Timestamp;

    use super::*;
    use crate::domain::{HireId, Said};
    use crate::ledger::{Ledger, LedgerKey, Owner};

    fn translation(n: u128) -> Translation {
        Translation {
            id: Uuid::from_u128(n),
            source: "ashby".into(),
            attribute: "department".into(),
            from: format!("Eng {n}"),
            to: "Engineering".into(),
            hire: HireId(Uuid::nil()),
            proposed: Said { by: "mia".into(), at: Timestamp::UNIX_EPOCH },
            confirmed: None,
        }
    }

    #[tokio::test]
    async fn a_change_is_known_at_once_and_also_if_nobody_waits_for_it() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let key = LedgerKey::parse(&LedgerKey::generate()).expect("a generated key is one");
        let ledger = SqliteLedger::open(&folder.path().join("ledger.db"), &key, Owner::new());
        let ledger = ledger.expect("a new file opens");
        let known = async || ledger.translations().await.expect("they can be read").len();
        assert_eq!(known().await, 0);
        ledger.propose(&translation(1)).await.expect("it can be written");
        assert_eq!((known().await, known().await), (1, 1));
        let left = translation(2);
        {
            let mut nobody_waits = ledger.propose(&left);
            let asked = poll_fn(|cx| Poll::Ready(nobody_waits.as_mut().poll(cx).is_ready()));
            assert!(!asked.await, "the writer has it now");
        }
        ledger.probe().await.expect("what was asked before is committed");
        // Whatever was asked before that has been put away by now, too.
        ledger.probe().await.expect("it can be written");
        assert_eq!(known().await, 2);
        ledger.revoke(left.id).await.expect("it can be written");
        assert_eq!(known().await, 1);
    }
}
