//! One hire as the columns of any engine: what is personal sealed, everything else readable.

use jiff::Timestamp;
use uuid::Uuid;

use super::LedgerError;
use super::seal::Seal;
use crate::domain::hire::Record;
use crate::domain::{Flags, Hire, HireId, HireKey, LookUpZero, State};

/// A row of `hires`.
pub(super) struct Row {
    pub id: Uuid,
    pub key_hash: Vec<u8>,
    pub kind: String,
    pub account: String,
    pub application: String,
    pub source: String,
    pub state: String,
    pub reason: Option<String>,
    pub version: i64,
    pub next_at: Option<i64>,
    pub since: Option<i64>,
    pub tries: u32,
    pub look_up_zero: String,
    pub employee: Option<i64>,
    pub flags: String,
    pub person_hash: Option<Vec<u8>>,
    pub candidate_hash: Option<Vec<u8>>,
    pub audit_at: Option<i64>,
    pub received_at: i64,
    pub updated_at: i64,
    pub record: Vec<u8>,
}

impl Row {
    /// Seals a hire.
    pub(super) fn of(hire: &Hire, seal: &Seal) -> Self {
        let record = serde_json::to_vec(&hire.record).expect("a record has string keys and finite numbers");
        Self {
            id: hire.id.0,
            key_hash: seal.hash(&hire.key.text()),
            kind: hire.key.kind.clone(),
            account: hire.key.account.clone(),
            application: hire.key.application.clone(),
            source: hire.source.clone(),
            state: hire.state.name().to_owned(),
            reason: hire.state.reason().map(str::to_owned),
            version: i64::try_from(hire.version).unwrap_or(i64::MAX),
            next_at: hire.next_at.map(Timestamp::as_millisecond),
            since: hire.since.map(Timestamp::as_millisecond),
            tries: hire.tries,
            look_up_zero: word(&hire.look_up_zero),
            employee: hire.employee.and_then(|id| i64::try_from(id).ok()),
            flags: serde_json::to_string(&hire.flags).expect("flags are booleans"),
            person_hash: hire.person().map(|person| seal.hash(&person)),
            candidate_hash: hire.candidate().map(|candidate| seal.hash(&candidate)),
            audit_at: hire.audit_at.map(Timestamp::as_millisecond),
            received_at: hire.received_at.as_millisecond(),
            updated_at: hire.updated_at.as_millisecond(),
            record: seal.seal(&place(hire.id.0), &record),
        }
    }

    /// Opens what is sealed.
    pub(super) fn open(self, seal: &Seal) -> Result<Hire, LedgerError> {
        let damaged = |what: &str| LedgerError::Damaged(format!("{what} of hire {}", self.id));
        let record = seal.unseal(&place(self.id), &self.record)?;
        let record: Record = serde_json::from_slice(&record).map_err(|_| damaged("record"))?;
        let state = State::parse(&self.state, self.reason.as_deref()).ok_or_else(|| damaged("state"))?;
        let flags: Flags = serde_json::from_str(&self.flags).map_err(|_| damaged("flags"))?;
        let look_up_zero: LookUpZero =
            serde_json::from_value(self.look_up_zero.as_str().into()).map_err(|_| damaged("look-up"))?;
        Ok(Hire {
            id: HireId(self.id),
            key: HireKey { kind: self.kind, account: self.account, application: self.application },
            source: self.source,
            state,
            version: u64::try_from(self.version).unwrap_or_default(),
            record,
            look_up_zero,
            employee: self.employee.and_then(|id| u64::try_from(id).ok()),
            flags,
            next_at: self.next_at.map(time),
            since: self.since.map(time),
            tries: self.tries,
            audit_at: self.audit_at.map(time),
            received_at: time(self.received_at),
            updated_at: time(self.updated_at),
            unsaved: Vec::new(),
        })
    }
}

fn place(id: Uuid) -> String {
    format!("record {id}")
}

fn word(value: &impl serde::Serialize) -> String {
    let word = serde_json::to_value(value).expect("a plain enum serialises as its name");
    word.as_str().unwrap_or_default().to_owned()
}

pub(super) fn time(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}
