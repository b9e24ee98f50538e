//! Passes and sessions.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::SqliteLedger;
use super::row::uuid;
use super::statements::{Answer, id};
use crate::domain::{Pass, Said};
use crate::ledger::LedgerError;
use crate::ledger::keyring::{COLUMNS, Keyring, Mark, PassRow, Session, Which};
use crate::ledger::row::time;

#[async_trait]
impl Keyring for SqliteLedger {
    fn mark(&self, sha256: &[u8; 32]) -> Mark {
        Mark::of(sha256, &self.seal)
    }

    async fn add_pass(&self, pass: &Pass, token: &Mark) -> Result<(), LedgerError> {
        let (pass, token) = (pass.clone(), token.clone());
        self.writer.run(move |db| add(db, &pass, &token)).await
    }

    async fn passes(&self) -> Result<Vec<Pass>, LedgerError> {
        self.readers.run(|db| chosen(db, "ORDER BY id", params![])).await
    }

    async fn pass(&self, token: &Mark) -> Result<Option<Pass>, LedgerError> {
        let token = token.clone();
        let found = self
            .readers
            .run(move |db| chosen(db, "WHERE mark = ?1 AND revoked_at IS NULL", params![token.0]))
            .await?;
        Ok(found.into_iter().next())
    }

    async fn has_pass(&self, name: &str) -> Result<bool, LedgerError> {
        let name = name.to_owned();
        self.readers
            .run(move |db| {
                let mut select = db.prepare_cached(
                    "SELECT EXISTS (SELECT 1 FROM passes WHERE lower(name) = lower(?1) AND revoked_at IS NULL)",
                )?;
                Ok(select.query_row([name], |row| row.get(0))?)
            })
            .await
    }

    async fn revoke_passes(&self, which: &Which, by: &Said) -> Result<Vec<Pass>, LedgerError> {
        let (which, by) = (which.clone(), by.clone());
        self.writer.run(move |db| revoke(db, &which, &by)).await
    }

    async fn used(&self, pass: Uuid, at: Timestamp) -> Result<(), LedgerError> {
        self.writer
            .run(move |db| {
                let mut update = db.prepare_cached("UPDATE passes SET used_at = ?2 WHERE id = ?1")?;
                update.execute(params![id(pass), at.as_millisecond()])?;
                Ok(())
            })
            .await
    }

    async fn open_session(
        &self,
        cookie: &Mark,
        session: &Session,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let (cookie, session) = (cookie.clone(), session.clone());
        self.writer
            .run(move |db| {
                db.prepare_cached("DELETE FROM sessions WHERE expires_at <= ?1")?
                    .execute([now.as_millisecond()])?;
                db.prepare_cached("INSERT INTO sessions (mark, token, expires_at) VALUES (?1, ?2, ?3)")?
                    .execute(params![cookie.0, session.token.0, session.expires_at.as_millisecond()])?;
                Ok(())
            })
            .await
    }

    async fn session(&self, cookie: &Mark, now: Timestamp) -> Result<Option<Session>, LedgerError> {
        let cookie = cookie.clone();
        self.readers
            .run(move |db| {
                let mut select = db.prepare_cached(
                    "SELECT token, expires_at FROM sessions WHERE mark = ?1 AND expires_at > ?2",
                )?;
                let read =
                    |row: &Row<'_>| Ok(Session { token: Mark(row.get(0)?), expires_at: time(row.get(1)?) });
                Ok(select.query_row(params![cookie.0, now.as_millisecond()], read).optional()?)
            })
            .await
    }

    async fn end_session(&self, cookie: &Mark) -> Result<(), LedgerError> {
        let cookie = cookie.clone();
        self.writer
            .run(move |db| {
                db.prepare_cached("DELETE FROM sessions WHERE mark = ?1")?.execute([cookie.0])?;
                Ok(())
            })
            .await
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<PassRow> {
    Ok(PassRow {
        id: uuid(&row.get::<_, Vec<u8>>(0)?),
        name: row.get(1)?,
        role: row.get(2)?,
        label: row.get(3)?,
        added_at: row.get(4)?,
        added_by: row.get(5)?,
        used_at: row.get(6)?,
        revoked_at: row.get(7)?,
        revoked_by: row.get(8)?,
    })
}

fn chosen(db: &Connection, which: &str, values: impl rusqlite::Params) -> Answer<Vec<Pass>> {
    let mut select = db.prepare_cached(&format!("SELECT {COLUMNS} FROM passes {which}"))?;
    let rows = select.query_map(values, read)?.collect::<Result<Vec<_>, _>>()?;
    rows.into_iter().map(PassRow::open).collect()
}

fn add(db: &Connection, pass: &Pass, token: &Mark) -> Answer<()> {
    db.prepare_cached(
        "INSERT INTO passes (id, mark, name, role, label, added_at, added_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        id(pass.id),
        token.0,
        pass.name,
        pass.role.name(),
        pass.label,
        pass.added.at.as_millisecond(),
        pass.added.by,
    ])?;
    Ok(())
}

fn revoke(db: &Connection, which: &Which, by: &Said) -> Answer<Vec<Pass>> {
    let (name, one) = which.columns();
    let mut update = db.prepare_cached(&format!(
        "UPDATE passes SET revoked_at = ?3, revoked_by = ?4 \
         WHERE revoked_at IS NULL AND (lower(name) = lower(?1) OR id = ?2) RETURNING {COLUMNS}"
    ))?;
    let values = params![name, one.map(id), by.at.as_millisecond(), by.by];
    let rows = update.query_map(values, read)?.collect::<Result<Vec<_>, _>>()?;
    db.execute(
        "DELETE FROM sessions WHERE token IN (SELECT mark FROM passes WHERE revoked_at IS NOT NULL)",
        [],
    )?;
    rows.into_iter().map(PassRow::open).collect()
}
