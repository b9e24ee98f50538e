//! What an ATS told us about a hire, under canonical names that every ATS fills and the mapping reads.
//!
//! A fact is absent when it is unknown: never empty text, never `null`. Dates stay the text that the
//! ATS sent; the plan turns them into calendar dates, so that one place decides what a date is.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// The kind of value a fact holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Plain text.
    Text,
    /// A number, or text that is one.
    Number,
    /// A calendar date: `YYYY-MM-DD`, alone or at the start of an instant.
    Date,
    /// A list of texts.
    List,
    /// `candidate.emails`: a list of `{address, kind}`.
    Emails,
}

/// Every canonical fact and its kind. `custom.<title>` comes on top.
pub const NAMES: &[(&str, Kind)] = &[
    ("candidate.id", Kind::Text),
    ("candidate.first_name", Kind::Text),
    ("candidate.last_name", Kind::Text),
    ("candidate.full_name", Kind::Text),
    ("candidate.preferred_name", Kind::Text),
    ("candidate.email", Kind::Text),
    ("candidate.emails", Kind::Emails),
    ("candidate.phone", Kind::Text),
    ("candidate.gender", Kind::Text),
    ("candidate.birth_date", Kind::Date),
    ("candidate.street", Kind::Text),
    ("candidate.postal_code", Kind::Text),
    ("candidate.city", Kind::Text),
    ("candidate.country", Kind::Text),
    ("job.id", Kind::Text),
    ("job.title", Kind::Text),
    ("job.department", Kind::Text),
    ("job.departments", Kind::List),
    ("job.team", Kind::Text),
    ("job.location", Kind::Text),
    ("job.country", Kind::Text),
    ("job.employment_type", Kind::Text),
    ("job.tags", Kind::List),
    ("job.hiring_manager_email", Kind::Text),
    ("offer.id", Kind::Text),
    ("offer.start_date", Kind::Date),
    ("offer.end_date", Kind::Date),
    ("offer.probation_end", Kind::Date),
    ("offer.weekly_hours", Kind::Number),
    ("offer.salary_amount", Kind::Number),
    ("offer.salary_currency", Kind::Text),
    ("application.id", Kind::Text),
    ("application.hired_at", Kind::Date),
    ("tenant.id", Kind::Text),
    ("tenant.name", Kind::Text),
];

/// The prefix of facts that carry a custom field's title.
pub const CUSTOM: &str = "custom.";

/// The facts of one hire: canonical name → value. Cheap to clone: copies share what neither has changed.
#[derive(Clone, Default, PartialEq)]
pub struct Facts(Arc<BTreeMap<String, Value>>);

impl Serialize for Facts {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(output)
    }
}

impl<'de> Deserialize<'de> for Facts {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(input).map(|facts| Self(Arc::new(facts)))
    }
}

/// Why a typed hire's fact was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FactError {
    /// No fact has this name.
    #[error("there is no fact `{name}`{}", nearest.as_deref().map(|n| format!("; did you mean `{n}`?")).unwrap_or_default())]
    UnknownName {
        /// The name as it was written.
        name: String,
        /// The known name closest to it.
        nearest: Option<String>,
    },
    /// The value is not of the fact's kind.
    #[error("`{name}` must be {expected}")]
    WrongKind {
        /// The fact.
        name: String,
        /// What is expected, in words.
        expected: &'static str,
    },
}

impl Facts {
    /// No facts yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a fact. Empty text, `null`, empty lists and objects count as unknown and are not noted.
    pub fn put(&mut self, name: &'static str, value: impl Into<Value>) {
        debug_assert!(kind_of(name).is_some(), "`{name}` is not a canonical fact");
        self.note(name.to_owned(), value.into());
    }

    /// Notes a custom field under its title. The first of equal titles stays: sources call this in the
    /// order offer → application → candidate → job.
    pub fn put_custom(&mut self, title: &str, value: Value) {
        let name = format!("{CUSTOM}{}", title.trim());
        if !self.0.contains_key(&name) {
            self.note(name, value);
        }
    }

    fn note(&mut self, name: String, value: Value) {
        let known = match &value {
            Value::Null => false,
            Value::String(text) => !text.trim().is_empty(),
            Value::Array(items) => !items.is_empty(),
            Value::Object(fields) => !fields.is_empty(),
            Value::Bool(_) | Value::Number(_) => true,
        };
        if known {
            Arc::make_mut(&mut self.0).insert(name, value);
        }
    }

    /// The value of a fact, if known.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A fact as text, if known and a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.value(name).and_then(Value::as_str)
    }

    /// The names of all known facts.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Takes over what `later` knows and these facts lack. Returns whether anything was added. What is known already
    /// never changes, but for custom fields that an application told before its offer was known: the offer is closer
    /// to the hire.
    pub fn fill(&mut self, later: &Facts) -> bool {
        let lacks = |name| self.value(name).is_none() && later.value(name).is_some();
        let offer_comes = lacks("offer.id") && self.value("application.id").is_some();
        let mut changed = false;
        for (name, value) in &*later.0 {
            let known = self.0.get(name);
            let is_closer = offer_comes && name.starts_with(CUSTOM) && known != Some(value);
            if known.is_none() || is_closer {
                changed = true;
                Arc::make_mut(&mut self.0).insert(name.clone(), value.clone());
            }
        }
        changed
    }

    /// Forgets what is not to be kept.
    pub fn keep(&mut self, is_kept: impl Fn(&str) -> bool) {
        if self.names().any(|name| !is_kept(name)) {
            Arc::make_mut(&mut self.0).retain(|name, _| is_kept(name));
        }
    }

    /// Forgets the custom fields that are `known` elsewhere, unless the `offer` tells them.
    pub fn leave_custom(&mut self, known: &Facts, offer: &Facts) {
        let stays = |name: &str| {
            !name.starts_with(CUSTOM) || known.value(name).is_none() || offer.value(name).is_some()
        };
        Arc::make_mut(&mut self.0).retain(|name, _| stays(name));
    }

    /// Reads facts in the nested form of the REST API: `{candidate: {…}, job: {…}, custom: {…}}`.
    ///
    /// # Errors
    /// Every name that is no fact (with the nearest known one) and every value of the wrong kind.
    pub fn from_nested(groups: &Map<String, Value>) -> Result<Self, Vec<FactError>> {
        let mut facts = Self::new();
        let mut errors = Vec::new();
        for (group, fields) in groups {
            match fields {
                Value::Object(fields) => {
                    for (field, value) in fields {
                        facts.note_checked(format!("{group}.{field}"), value.clone(), &mut errors);
                    }
                }
                Value::Null => {}
                _ => errors.push(FactError::WrongKind { name: group.clone(), expected: "an object" }),
            }
        }
        if errors.is_empty() { Ok(facts) } else { Err(errors) }
    }

    fn note_checked(&mut self, name: String, value: Value, errors: &mut Vec<FactError>) {
        if name.strip_prefix(CUSTOM).is_some_and(|title| !title.is_empty()) {
            return self.note(name, value);
        }
        match kind_of(&name) {
            None => errors.push(FactError::UnknownName { nearest: nearest(&name), name }),
            Some(_) if value.is_null() => {}
            Some(kind) => match expectation(kind, &value) {
                Some(expected) => errors.push(FactError::WrongKind { name, expected }),
                None => self.note(name, value),
            },
        }
    }

    /// The nested form of the REST API, with known facts only.
    pub fn to_nested(&self) -> Value {
        let mut groups = Map::new();
        for (name, value) in &*self.0 {
            let (group, field) = name.split_once('.').unwrap_or((name, ""));
            let group = groups.entry(group.to_owned()).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(fields) = group {
                fields.insert(field.to_owned(), value.clone());
            }
        }
        Value::Object(groups)
    }
}

/// Names only: values are personal.
impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Facts({} known)", self.0.len())
    }
}

/// The kind of a canonical fact; `None` if there is no such fact.
pub fn kind_of(name: &str) -> Option<Kind> {
    NAMES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
}

/// The canonical fact whose name is closest to `name`, if one is close.
pub fn nearest(name: &str) -> Option<String> {
    NAMES
        .iter()
        .map(|(known, _)| (strsim::jaro_winkler(known, name), *known))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known.to_owned())
}

/// What is expected instead, when the value is not of the kind.
fn expectation(kind: Kind, value: &Value) -> Option<&'static str> {
    let (fits, expected) = match kind {
        Kind::Text => (value.is_string(), "text"),
        Kind::Date => (value.is_string(), "a date, YYYY-MM-DD"),
        Kind::Number => (
            value.is_number() || value.as_str().is_some_and(|text| text.trim().parse::<f64>().is_ok()),
            "a number",
        ),
        Kind::List => (is_list_of(value, Value::is_string), "a list of texts"),
        Kind::Emails => (is_list_of(value, |item| item["address"].is_string()), "a list of {address, kind}"),
    };
    (!fits).then_some(expected)
}

fn is_list_of(value: &Value, fits: impl Fn(&Value) -> bool) -> bool {
    value.as_array().is_some_and(|items| items.iter().all(fits))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_empty_counts_as_unknown() {
        let mut facts = Facts::new();
        facts.put("candidate.email", "  ");
        facts.put("job.tags", Value::Array(vec![]));
        assert_eq!(facts.names().count(), 0);
    }

    #[test]
    fn later_facts_fill_gaps_and_never_overwrite() {
        let mut facts = Facts::new();
        facts.put("candidate.email", "a@example.org");
        let mut later = Facts::new();
        later.put("candidate.email", "b@example.org");
        assert!(!facts.fill(&later));
        later.put("offer.start_date", "2027-01-01");
        assert!(facts.fill(&later));
        assert_eq!(facts.text("candidate.email"), Some("a@example.org"));
        assert_eq!(facts.text("offer.start_date"), Some("2027-01-01"));
    }

    #[test]
    fn the_offers_custom_fields_count_however_late_it_comes() {
        let told = |offer: Option<&str>, shirt: &str| {
            let mut facts = Facts::new();
            facts.put("application.id", "a");
            facts.put("offer.id", offer);
            facts.put_custom("Shirt", shirt.into());
            facts
        };
        let mut facts = told(None, "the application's");
        assert!(facts.fill(&told(Some("o"), "the offer's")));
        assert_eq!(facts.text("custom.Shirt"), Some("the offer's"));
        assert!(!facts.fill(&told(Some("o"), "another")), "known is known");
        assert_eq!(facts.text("custom.Shirt"), Some("the offer's"));
        let mut candidate = told(None, "the candidate's");
        candidate.leave_custom(&facts, &Facts::new());
        assert_eq!(candidate.value("custom.Shirt"), None);
    }

    #[test]
    fn the_nested_form_is_read_and_written_back() {
        let nested = json!({"candidate": {"email": "a@example.org"}, "custom": {"Cost center": ["1", "2"]}});
        let facts = Facts::from_nested(nested.as_object().expect("an object")).expect("all names are facts");
        assert_eq!(facts.to_nested(), nested);
    }

    #[test]
    fn a_wrong_name_is_told_with_the_nearest_one() {
        let nested = json!({"candidate": {"frist_name": "Mia"}, "offer": {"weekly_hours": "many"}});
        let errors = Facts::from_nested(nested.as_object().expect("an object")).expect_err("two mistakes");
        let words: Vec<_> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            words,
            [
                "there is no fact `candidate.frist_name`; did you mean `candidate.first_name`?",
                "`offer.weekly_hours` must be a number"
            ]
        );
    }
}
