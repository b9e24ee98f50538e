//! What people are to be told.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, named_params, params};
use uuid::Uuid;

use super::SqliteLedger;
use super::row::uuid;
use super::statements::{Answer, id};
use crate::domain::HireId;
use crate::ledger::LedgerError;
use crate::ledger::outbox::{AT_A_TIME, Notice, Outbox, Subject, Told, Wanted, noteworthy};
use crate::ledger::row::time;

#[async_trait]
impl Outbox for SqliteLedger {
    async fn noteworthy(
        &self,
        wanted: Wanted,
        channel: &str,
        since: Timestamp,
    ) -> Result<Vec<(HireId, String)>, LedgerError> {
        let channel = channel.to_owned();
        self.readers.run(move |db| found(db, wanted, &channel, since)).await
    }

    async fn post(&self, notices: &[Notice]) -> Result<(), LedgerError> {
        let notices = notices.to_vec();
        self.writer.run(move |db| notices.iter().try_for_each(|notice| post(db, notice))).await
    }

    async fn to_send(&self, channel: &str, now: Timestamp, limit: usize) -> Result<Vec<Notice>, LedgerError> {
        let channel = channel.to_owned();
        self.readers.run(move |db| to_send(db, &channel, now, limit)).await
    }

    async fn claim(&self, notice: &Notice, until: Timestamp) -> Result<bool, LedgerError> {
        let (which, tries) = (id(notice.id), notice.tries);
        self.writer
            .run(move |db| {
                let claim = "UPDATE notices SET tries = tries + 1, next_at = ?3 \
                     WHERE id = ?1 AND tries = ?2 AND state = 'pending'";
                Ok(db.prepare_cached(claim)?.execute(params![which, tries, until.as_millisecond()])? == 1)
            })
            .await
    }

    async fn told(&self, notice: Uuid, how: Told) -> Result<(), LedgerError> {
        let (state, next) = how.columns();
        self.writer
            .run(move |db| {
                let told = "UPDATE notices SET state = ?2, next_at = coalesce(?3, next_at) WHERE id = ?1";
                db.prepare_cached(told)?.execute(params![id(notice), state, next])?;
                Ok(())
            })
            .await
    }
}

fn found(db: &Connection, wanted: Wanted, channel: &str, since: Timestamp) -> Answer<Vec<(HireId, String)>> {
    let mut select = db.prepare_cached(noteworthy!("found.id"))?;
    let rows = select.query_map(
        named_params! {
            "$1": since.as_millisecond(),
            "$2": wanted.held,
            "$3": wanted.unknown,
            "$4": wanted.created,
            "$5": wanted.warnings,
            "$6": wanted.document_failed,
            "$7": channel,
            "$8": AT_A_TIME,
        },
        |row| Ok((HireId(uuid(&row.get::<_, Vec<u8>>(0)?)), row.get(1)?)),
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn post(db: &Connection, notice: &Notice) -> Answer<()> {
    db.prepare_cached(
        "INSERT INTO notices (id, subject, about, channel, state, tries, at, next_at) \
         VALUES (?1, ?2, ?3, ?4, 'pending', 0, ?5, ?5) ON CONFLICT (subject, about, channel) DO NOTHING",
    )?
    .execute(params![
        id(notice.id),
        notice.subject.bytes(),
        notice.about,
        notice.channel,
        notice.at.as_millisecond()
    ])?;
    Ok(())
}

fn to_send(db: &Connection, channel: &str, now: Timestamp, limit: usize) -> Answer<Vec<Notice>> {
    let mut select = db.prepare_cached(
        "SELECT id, subject, about, channel, tries, at FROM notices \
         WHERE state = 'pending' AND channel = ?1 AND next_at <= ?2 ORDER BY next_at, id LIMIT ?3",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = select.query_map(params![channel, now.as_millisecond(), limit], |row| {
        Ok(Notice {
            id: uuid(&row.get::<_, Vec<u8>>(0)?),
            subject: Subject::of(&row.get::<_, Vec<u8>>(1)?),
            about: row.get(2)?,
            channel: row.get(3)?,
            tries: row.get(4)?,
            at: time(row.get(5)?),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
