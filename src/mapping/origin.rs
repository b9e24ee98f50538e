//! Where the value of an attribute may come from, and how that is written in the configuration.

use serde_json::Value;
use serde_json_path::JsonPath;

use super::check_fact;
use super::template::{NoText, Template};
use crate::domain::Facts;

/// The fact that lists all addresses of a candidate.
pub(super) const EMAILS: &str = "candidate.emails";

/// Where a value may come from.
#[derive(Clone)]
pub(super) enum Origin {
    Fact(String),
    Path(JsonPath),
    Constant(Value),
    Template(Template, String),
    /// The candidate's address of the first of these kinds that has one, else the one that is told alone.
    Email(Vec<String>),
}

/// A value that no origin could make, though all of its facts are there.
pub(super) struct Failed;

impl Origin {
    pub(super) fn parse(from: &str) -> Result<Self, String> {
        if from.starts_with('$') {
            let path = JsonPath::parse(from);
            return path.map(Self::Path).map_err(|error| format!("not a JSONPath (RFC 9535): {error}"));
        }
        if from == EMAILS {
            return Ok(Self::Email(Vec::new()));
        }
        check_fact(from).map(|()| Self::Fact(from.to_owned()))
    }

    pub(super) fn value(&self, facts: &Facts, payloads: &[Value]) -> Result<Option<Value>, Failed> {
        Ok(match self {
            Self::Fact(name) => facts.value(name).cloned(),
            Self::Path(path) => payloads.iter().find_map(|payload| in_payload(path, payload)),
            Self::Constant(value) => Some(value.clone()),
            Self::Template(template, _) => match template.text(facts) {
                Ok(text) => Some(text).filter(|text| *text != ""),
                Err(NoText::Missing) => None,
                Err(NoText::Failed) => return Err(Failed),
            },
            Self::Email(kinds) => email(facts, kinds),
        })
    }

    /// Whether the value may come from this fact. A template is not taken apart: whatever it might mean counts.
    pub(super) fn uses(&self, fact: &str) -> bool {
        match self {
            Self::Fact(name) => name == fact,
            Self::Template(_, source) => {
                fact.split_once('.').is_some_and(|(_, field)| source.contains(field))
            }
            Self::Email(_) => fact == EMAILS || fact == "candidate.email",
            Self::Path(_) | Self::Constant(_) => false,
        }
    }

    /// The fact or the path.
    pub(super) fn name(&self) -> Option<String> {
        match self {
            Self::Fact(name) => Some(name.clone()),
            Self::Path(path) => Some(path.to_string()),
            Self::Email(_) => Some(EMAILS.to_owned()),
            Self::Constant(_) | Self::Template(..) => None,
        }
    }

    /// As it is written in the configuration.
    pub(super) fn written(&self) -> String {
        match self {
            Self::Constant(value) => format!("const = {value}"),
            Self::Template(_, source) => format!("template = {}", quoted(source)),
            Self::Email(kinds) if !kinds.is_empty() => {
                format!("from = {}, prefer = {}", quoted(EMAILS), list(kinds.iter()))
            }
            other => format!("from = {}", quoted(&other.name().unwrap_or_default())),
        }
    }
}

/// The address of the first kind that has one; else the one that the ATS names as the candidate's.
fn email(facts: &Facts, kinds: &[String]) -> Option<Value> {
    let all = facts.value(EMAILS).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let of_kind = |wanted: &String| {
        let is_one = |one: &&Value| one["kind"].as_str().is_some_and(|kind| same_kind(kind, wanted));
        all.iter().find(is_one).map(|one| one["address"].clone())
    };
    let any = || facts.value("candidate.email").cloned().or_else(|| Some(all.first()?["address"].clone()));
    kinds.iter().find_map(of_kind).or_else(any)
}

/// ATSs call a private address `Personal`, `home` or `private`.
fn same_kind(one: &str, other: &str) -> bool {
    let one_word = |kind: &str| match kind.to_lowercase().as_str() {
        "personal" | "home" => "private".to_owned(),
        "office" | "business" => "work".to_owned(),
        kind => kind.to_owned(),
    };
    one_word(one) == one_word(other)
}

/// Texts as a TOML array.
pub(super) fn list(texts: impl Iterator<Item = impl AsRef<str>>) -> String {
    let texts: Vec<_> = texts.map(|text| quoted(text.as_ref())).collect();
    format!("[{}]", texts.join(", "))
}

/// A text as a TOML basic string. JSON's escapes are TOML's, too.
pub(super) fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

/// One match is its value, several are a list; null and empty text count as none.
fn in_payload(path: &JsonPath, payload: &Value) -> Option<Value> {
    let mut found: Vec<_> = path
        .query(payload)
        .all()
        .into_iter()
        .filter(|value| !value.is_null() && **value != "")
        .cloned()
        .collect();
    match found.len() {
        0 => None,
        1 => found.pop(),
        _ => Some(Value::Array(found)),
    }
}
