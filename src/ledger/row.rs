//! One hire as the columns of any engine: what is personal sealed, everything else readable.
//!
//! What is personal is kept in two parts, because they change at different times: the facts hardly ever, the rest
//! with the plan. A part that is as the ledger has it is neither sealed nor written again.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::LedgerError;
use super::seal::Seal;
use crate::domain::hire::Record;
use crate::domain::{
    Change, File, Flags, Hire, HireId, HireKey, LookUpZero, NameSplit, Note, Plan, State, Warning,
};

/// The parts of a record.
pub(super) const FACTS: &str = "facts";
pub(super) const REST: &str = "rest";

/// A row of `hires`, and the parts of its record.
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
    /// Whether the ledger has the hire with other ones. Their indexes have no order: each write there costs a page.
    pub hashes_changed: bool,
    pub audit_at: Option<i64>,
    pub received_at: i64,
    pub updated_at: i64,
    /// The facts, sealed; `None` if they are stored as they are.
    pub facts: Option<Vec<u8>>,
    /// The rest of the record, sealed; `None` if it is stored as it is.
    pub rest: Option<Vec<u8>>,
    /// What is stored once this is written.
    pub kept: Option<Arc<Record>>,
}

/// A record without its facts.
#[derive(PartialEq, Serialize)]
struct Rest<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    lacking: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    files: &'a [File],
    #[serde(skip_serializing_if = "Option::is_none")]
    name_split: Option<NameSplit>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    corrections: &'a Map<String, Value>,
    plan: &'a Plan,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    warnings: &'a [Warning],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    notes: &'a [Note],
    #[serde(skip_serializing_if = "Option::is_none")]
    hired_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unhired_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    doubles: &'a [u64],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    changes: &'a [Change],
}

impl<'a> From<&'a Record> for Rest<'a> {
    fn from(record: &'a Record) -> Self {
        // Without `..`, so that nothing that a record has can be forgotten.
        let Record {
            facts: _,
            lacking,
            files,
            name_split,
            corrections,
            plan,
            warnings,
            notes,
            hired_at,
            unhired_at,
            doubles,
            changes,
        } = record;
        let (name_split, hired_at, unhired_at) = (*name_split, *hired_at, *unhired_at);
        Self {
            lacking,
            files,
            name_split,
            corrections,
            plan,
            warnings,
            notes,
            hired_at,
            unhired_at,
            doubles,
            changes,
        }
    }
}

fn text(part: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(part).expect("a record has string keys and finite numbers")
}

impl Row {
    /// Seals a hire.
    pub(super) fn of(hire: &Hire, seal: &Seal) -> Self {
        let (record, before) = (&hire.record, hire.kept.as_deref());
        let seal_part = |name, text: &[u8]| seal.seal(&place(name, hire.id.0), text);
        let facts = before.is_none_or(|before| before.facts != record.facts);
        let rest = before.is_none_or(|before| Rest::from(before) != Rest::from(record));
        let person = record.person();
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
            hashes_changed: before
                .is_some_and(|before| before.person() != person || before.candidate() != record.candidate()),
            person_hash: person.map(|person| seal.hash(&person)),
            candidate_hash: hire.candidate().map(|candidate| seal.hash(&candidate)),
            audit_at: hire.audit_at.map(Timestamp::as_millisecond),
            received_at: hire.received_at.as_millisecond(),
            updated_at: hire.updated_at.as_millisecond(),
            facts: facts.then(|| seal_part(FACTS, &text(&record.facts))),
            rest: rest.then(|| seal_part(REST, &text(&Rest::from(record)))),
            kept: hire.kept.clone().filter(|_| !facts && !rest).or_else(|| Some(Arc::new(record.clone()))),
        }
    }

    /// Opens what is sealed.
    pub(super) fn open(self, seal: &Seal) -> Result<Hire, LedgerError> {
        let damaged = |what: &str| LedgerError::Damaged(format!("{what} of hire {}", self.id));
        let is_erased = self.state == State::Erased.name();
        let part = |name, sealed: Option<&[u8]>| {
            seal.unseal(&place(name, self.id), sealed.ok_or_else(|| damaged("record"))?)
        };
        let record = if is_erased {
            Record::default()
        } else {
            let facts = serde_json::from_slice(&part(FACTS, self.facts.as_deref())?);
            let rest = serde_json::from_slice(&part(REST, self.rest.as_deref())?);
            let (Ok(facts), Ok(rest)) = (facts, rest) else { return Err(damaged("record")) };
            Record { facts, ..rest }
        };
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
            kept: Some(Arc::new(record.clone())),
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

/// Where a part may be opened; one part cannot take the other's place.
fn place(part: &str, id: Uuid) -> String {
    format!("{part} {id}")
}

fn word(value: &impl serde::Serialize) -> String {
    let word = serde_json::to_value(value).expect("a plain enum serialises as its name");
    word.as_str().unwrap_or_default().to_owned()
}

pub(super) fn time(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}
