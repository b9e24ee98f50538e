//! What people are to be told.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::{query, query_as};
use uuid::Uuid;

use super::{PostgresLedger, twice};
use crate::domain::HireId;
use crate::ledger::LedgerError;
use crate::ledger::outbox::{AT_A_TIME, Notice, Outbox, Subject, Told, Wanted, noteworthy};
use crate::ledger::row::time;

/// A row of `notices`: id, subject, about, channel, tries, at.
type Columns = (Uuid, Vec<u8>, String, String, i64, i64);

#[async_trait]
impl Outbox for PostgresLedger {
    async fn noteworthy(
        &self,
        wanted: Wanted,
        channel: &str,
        since: Timestamp,
    ) -> Result<Vec<(HireId, String)>, LedgerError> {
        let ask = || {
            query_as(noteworthy!("uuid_send(found.id)"))
                .bind(since.as_millisecond())
                .bind(wanted.held)
                .bind(wanted.unknown)
                .bind(wanted.created)
                .bind(wanted.warnings)
                .bind(wanted.document_failed)
                .bind(channel)
                .bind(AT_A_TIME)
                .fetch_all(&self.pool)
        };
        let rows: Vec<(Uuid, String)> = twice(ask).await?;
        Ok(rows.into_iter().map(|(hire, about)| (HireId(hire), about)).collect())
    }

    async fn post(&self, notices: &[Notice]) -> Result<(), LedgerError> {
        for notice in notices {
            let add = || {
                query(
                    "INSERT INTO notices (id, subject, about, channel, state, tries, at, next_at) \
                     VALUES ($1, $2, $3, $4, 'pending', 0, $5, $5) ON CONFLICT DO NOTHING",
                )
                .bind(notice.id)
                .bind(notice.subject.bytes())
                .bind(&notice.about)
                .bind(&notice.channel)
                .bind(notice.at.as_millisecond())
                .execute(&self.pool)
            };
            twice(add).await?;
        }
        Ok(())
    }

    async fn to_send(&self, channel: &str, now: Timestamp, limit: usize) -> Result<Vec<Notice>, LedgerError> {
        let ask = || {
            query_as(
                "SELECT id, subject, about, channel, tries, at FROM notices \
                 WHERE state = 'pending' AND channel = $1 AND next_at <= $2 ORDER BY next_at, id LIMIT $3",
            )
            .bind(channel)
            .bind(now.as_millisecond())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&self.pool)
        };
        let rows: Vec<Columns> = twice(ask).await?;
        Ok(rows.into_iter().map(read).collect())
    }

    async fn claim(&self, notice: &Notice, until: Timestamp) -> Result<bool, LedgerError> {
        // If the answer is lost and it is claimed, nobody knows: it is free again when `until` has come.
        let claim = || {
            query(
                "UPDATE notices SET tries = tries + 1, next_at = $3 \
                 WHERE id = $1 AND tries = $2 AND state = 'pending'",
            )
            .bind(notice.id)
            .bind(i64::from(notice.tries))
            .bind(until.as_millisecond())
            .execute(&self.pool)
        };
        Ok(twice(claim).await?.rows_affected() == 1)
    }

    async fn told(&self, notice: Uuid, how: Told) -> Result<(), LedgerError> {
        let (state, next) = how.columns();
        let tell = || {
            query("UPDATE notices SET state = $2, next_at = coalesce($3, next_at) WHERE id = $1")
                .bind(notice)
                .bind(state)
                .bind(next)
                .execute(&self.pool)
        };
        twice(tell).await?;
        Ok(())
    }
}

fn read((id, subject, about, channel, tries, at): Columns) -> Notice {
    Notice {
        id,
        subject: Subject::of(&subject),
        about,
        channel,
        tries: u32::try_from(tries).unwrap_or(u32::MAX),
        at: time(at),
    }
}
