//! Passes and sessions.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::postgres::{PgPool, PgRow};
use sqlx::{Row as _, query, query_scalar};
use uuid::Uuid;

use super::statements::Answer;
use super::{PostgresLedger, twice};
use crate::domain::{Pass, Said};
use crate::ledger::LedgerError;
use crate::ledger::keyring::{Keyring, Mark, PassRow, Session, Which};
use crate::ledger::row::time;

#[async_trait]
impl Keyring for PostgresLedger {
    fn mark(&self, sha256: &[u8; 32]) -> Mark {
        Mark::of(sha256, &self.seal)
    }

    async fn add_pass(&self, pass: &Pass, token: &Mark) -> Result<(), LedgerError> {
        Ok(twice(|| add(&self.pool, pass, token)).await?)
    }

    async fn passes(&self) -> Result<Vec<Pass>, LedgerError> {
        let rows = twice(|| query(ALL).fetch_all(&self.pool)).await?;
        opened(&rows)
    }

    async fn pass(&self, token: &Mark) -> Result<Option<Pass>, LedgerError> {
        let rows = twice(|| query(BY_TOKEN).bind(&token.0).fetch_all(&self.pool)).await?;
        Ok(opened(&rows)?.pop())
    }

    async fn has_pass(&self, name: &str) -> Result<bool, LedgerError> {
        Ok(twice(|| query_scalar(HAS_PASS).bind(name).fetch_one(&self.pool)).await?)
    }

    async fn revoke_passes(&self, which: &Which, by: &Said) -> Result<Vec<Pass>, LedgerError> {
        let rows = twice(|| revoke(&self.pool, which, by)).await?;
        opened(&rows)
    }

    async fn used(&self, pass: Uuid, at: Timestamp) -> Result<(), LedgerError> {
        twice(|| query(USED).bind(pass).bind(at.as_millisecond()).execute(&self.pool)).await?;
        Ok(())
    }

    async fn open_session(
        &self,
        cookie: &Mark,
        session: &Session,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let forget = || query(FORGET_SESSIONS).bind(now.as_millisecond()).execute(&self.pool);
        twice(forget).await?;
        let keep = || {
            let values = query(OPEN_SESSION).bind(&cookie.0).bind(&session.token.0);
            values.bind(session.expires_at.as_millisecond()).execute(&self.pool)
        };
        twice(keep).await?;
        Ok(())
    }

    async fn session(&self, cookie: &Mark, now: Timestamp) -> Result<Option<Session>, LedgerError> {
        let find = || query(SESSION).bind(&cookie.0).bind(now.as_millisecond()).fetch_optional(&self.pool);
        let Some(row) = twice(find).await? else { return Ok(None) };
        let session =
            Session { token: Mark(row.try_get("token")?), expires_at: time(row.try_get("expires_at")?) };
        Ok(Some(session))
    }

    async fn end_session(&self, cookie: &Mark) -> Result<(), LedgerError> {
        twice(|| query(END_SESSION).bind(&cookie.0).execute(&self.pool)).await?;
        Ok(())
    }
}

const ALL: &str = "SELECT * FROM passes ORDER BY id";
const BY_TOKEN: &str = "SELECT * FROM passes WHERE mark = $1 AND revoked_at IS NULL";
const HAS_PASS: &str =
    "SELECT EXISTS (SELECT FROM passes WHERE lower(name) = lower($1) AND revoked_at IS NULL)";
const USED: &str = "UPDATE passes SET used_at = $2 WHERE id = $1";
const FORGET_SESSIONS: &str = "DELETE FROM sessions WHERE expires_at <= $1";
const OPEN_SESSION: &str = "INSERT INTO sessions (mark, token, expires_at) VALUES ($1, $2, $3) \
     ON CONFLICT (mark) DO NOTHING";
const SESSION: &str = "SELECT token, expires_at FROM sessions WHERE mark = $1 AND expires_at > $2";
const END_SESSION: &str = "DELETE FROM sessions WHERE mark = $1";

fn opened(rows: &[PgRow]) -> Result<Vec<Pass>, LedgerError> {
    let read = |row: &PgRow| -> Answer<PassRow> {
        Ok(PassRow {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            role: row.try_get("role")?,
            label: row.try_get("label")?,
            added_at: row.try_get("added_at")?,
            added_by: row.try_get("added_by")?,
            used_at: row.try_get("used_at")?,
            revoked_at: row.try_get("revoked_at")?,
            revoked_by: row.try_get("revoked_by")?,
        })
    };
    rows.iter().map(|row| read(row)?.open()).collect()
}

/// Done twice, it is there once.
async fn add(db: &PgPool, pass: &Pass, token: &Mark) -> Answer<()> {
    query(
        "INSERT INTO passes (id, mark, name, role, label, added_at, added_by) VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(pass.id)
    .bind(&token.0)
    .bind(&pass.name)
    .bind(pass.role.name())
    .bind(&pass.label)
    .bind(pass.added.at.as_millisecond())
    .bind(&pass.added.by)
    .execute(db)
    .await?;
    Ok(())
}

/// Those that this very revocation has revoked: the same again if it is repeated after a lost answer.
async fn revoke(db: &PgPool, which: &Which, by: &Said) -> Answer<Vec<PgRow>> {
    let (name, id) = which.columns();
    query(
        "WITH revoked AS ( \
           UPDATE passes SET revoked_at = $3, revoked_by = $4 \
           WHERE (revoked_at IS NULL OR (revoked_at = $3 AND revoked_by = $4)) \
             AND (lower(name) = lower($1) OR id = $2) RETURNING *), \
         ended AS (DELETE FROM sessions WHERE token IN (SELECT mark FROM revoked)) \
         SELECT * FROM revoked ORDER BY id",
    )
    .bind(name)
    .bind(id)
    .bind(by.at.as_millisecond())
    .bind(&by.by)
    .fetch_all(db)
    .await
}
