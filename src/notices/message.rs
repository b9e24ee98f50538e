//! What is said, before a channel puts it into its own form.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{Part, Parts};
use crate::domain::{Hire, HireId, State};
use crate::ledger::outbox::{Notice, Subject};
use crate::words::{self, Kind, Language, Words};

/// Reasons that are no state of a hire.
pub(super) const DOCUMENT_FAILED: &str = "document_failed";
pub(super) const CREDENTIAL_REFUSED: &str = "credential_refused";
pub(super) const SIGNATURES: &str = "signatures";
const WARNINGS: &str = "warnings";

/// What is said. Only what is to be in it is there.
#[derive(Serialize)]
pub(super) struct Message {
    /// What happened: `hire.held`, `source.signatures`.
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// When it came up.
    pub(super) timestamp: Timestamp,
    pub(super) data: Data,
}

#[derive(Default, Serialize)]
pub(super) struct Data {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hire: Option<HireId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) says: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cause: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remedy: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) link: Option<String>,
}

impl Message {
    /// What is to be said of a notice; of its hire only what the settings let out.
    pub(super) fn of(notice: &Notice, hire: Option<&Hire>, parts: &Parts) -> Self {
        let code = notice.about.split(' ').next().unwrap_or_default();
        let (state, reason) = divided(code);
        let language = parts.settings.language;
        let words = words_of(code, state, reason, language);
        let mut data = Data::default();
        let has = |part| parts.settings.include.contains(&part);
        if has(Part::State) || hire.is_none() {
            data.says = words.map(|words| words.says.as_str());
            data.cause = words.and_then(|words| words.cause.as_deref());
            data.remedy = words.and_then(|words| words.remedy.as_deref());
        }
        match &notice.subject {
            Subject::Hire(id) => {
                data.hire = has(Part::Id).then_some(*id);
                data.link = parts.link(*id).filter(|_| has(Part::Link));
                if has(Part::State) {
                    let is_state = matches!(state, "held" | "unknown" | "created");
                    let (state, reason) = if is_state { (state, reason) } else { ("created", Some(state)) };
                    data.state = (code != DOCUMENT_FAILED).then(|| state.to_owned());
                    data.reason = reason.map(str::to_owned);
                    data.source = hire.map(|hire| hire.source.clone());
                }
                data.name = hire.filter(|_| has(Part::Name)).and_then(name);
            }
            Subject::Service(name) => {
                data.source = (code == SIGNATURES).then(|| name.clone());
                data.reason = Some(code.to_owned());
            }
        }
        Self { kind: kind(state), timestamp: notice.at, data }
    }
}

/// `state` and `reason` of `state(reason)`.
fn divided(code: &str) -> (&str, Option<&str>) {
    match code.split_once('(') {
        Some((state, reason)) => (state, Some(reason.trim_end_matches(')'))),
        None => (code, None),
    }
}

fn kind(of: &str) -> String {
    match of {
        CREDENTIAL_REFUSED => format!("personio.{of}"),
        SIGNATURES => format!("source.{of}"),
        _ => format!("hire.{of}"),
    }
}

fn words_of(code: &str, state: &str, reason: Option<&str>, language: Language) -> Option<&'static Words> {
    match code {
        WARNINGS => words::of(Kind::Flag, WARNINGS, language),
        DOCUMENT_FAILED | CREDENTIAL_REFUSED | SIGNATURES => words::of(Kind::Notice, code, language),
        _ => State::parse(state, reason).map(|state| words::of_state(state, language)),
    }
}

/// The person's name, as the ATS has it.
pub(super) fn name(hire: &Hire) -> Option<String> {
    let facts = &hire.record.facts;
    let names = ["candidate.first_name", "candidate.last_name"].map(|fact| facts.text(fact));
    let name = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
    if name.is_empty() { facts.text("candidate.name").map(str::to_owned) } else { Some(name) }
}

impl Parts {
    /// The page of a hire in the console.
    pub(super) fn link(&self, hire: HireId) -> Option<String> {
        let url = self.public_url.as_ref()?;
        Some(format!("{}/console/#/hires/{hire}", url.as_str().trim_end_matches('/')))
    }
}

/// As JSON.
impl Message {
    pub(super) fn json(&self) -> Value {
        serde_json::to_value(self).expect("texts, ids and times have a JSON form")
    }
}
