//! One rule: where the value of one attribute comes from, and what to do with one that Personio does not know.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde_json::Value;

use super::origin::{EMAILS, Failed, Origin, list, quoted};
use super::template::Template;
use super::value::tags;
use super::{Expected, as_text};
use crate::domain::Facts;

/// The table of the rules for all sources.
pub(super) const COMMON: &str = "mapping.fields";

/// A rule as it is written: a fact or JSONPath alone, or a table.
#[derive(Clone, Debug, Default)]
pub struct RuleSettings(Table);

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    from: Option<String>,
    first_of: Option<Vec<String>>,
    template: Option<String>,
    #[serde(rename = "const")]
    constant: Option<Value>,
    prefer: Option<Vec<String>>,
    #[serde(default)]
    values: BTreeMap<String, String>,
    default: Option<Value>,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    review: bool,
    unknown: Option<Unknown>,
    #[serde(default)]
    known_values: Vec<String>,
}

/// What to do with a value that Personio does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Unknown {
    /// Hold the hire: a person corrects or confirms it.
    Hold,
    /// Send it and warn: Personio leaves it out.
    Send,
}

impl<'de> Deserialize<'de> for RuleSettings {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrTable;
        impl<'de> Visitor<'de> for TextOrTable {
            type Value = RuleSettings;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a fact such as \"job.title\", a JSONPath such as \"$.data.x\", or a table")
            }

            fn visit_str<E>(self, from: &str) -> Result<RuleSettings, E> {
                Ok(RuleSettings(Table { from: Some(from.to_owned()), ..Table::default() }))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RuleSettings, A::Error> {
                Table::deserialize(MapAccessDeserializer::new(map)).map(RuleSettings)
            }
        }
        deserializer.deserialize_any(TextOrTable)
    }
}

/// A checked rule.
#[derive(Clone)]
pub(super) struct Rule {
    origins: Vec<Origin>,
    values: BTreeMap<String, String>,
    default: Value,
    pub(super) expected: Expected,
    /// Whether a person looks at every hire that has a value here.
    pub(super) review: bool,
    /// What the configuration says of unknown values, if it does.
    pub(super) unknown: Option<Unknown>,
    /// Values that Personio is known to take, though nothing shows it.
    pub(super) known_values: Vec<String>,
    /// Whether nobody configured it.
    pub(super) built_in: bool,
    /// The table of the configuration where it is, or would be.
    table: String,
}

/// How many values an attribute takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// One of those that Personio has.
    One,
    /// Several of those that it has.
    Tags,
    /// Any text.
    Text,
}

impl Rule {
    pub(super) fn built_in(fact: &str, expected: Expected) -> Self {
        Self {
            origins: vec![Origin::Fact(fact.to_owned())],
            values: BTreeMap::new(),
            default: Value::Null,
            expected,
            review: false,
            unknown: None,
            known_values: Vec::new(),
            built_in: true,
            table: COMMON.to_owned(),
        }
    }

    /// Checks a rule of a table; the sentence says what is wrong with it.
    pub(super) fn compile(RuleSettings(table): &RuleSettings, within: &str) -> Result<Self, String> {
        let expected = if table.required { Expected::Required } else { Expected::Yes };
        Ok(Self {
            origins: table.origins()?,
            values: table.values.clone(),
            default: table.default.clone().unwrap_or_default(),
            expected,
            review: table.review,
            unknown: table.unknown,
            known_values: table.known_values.clone(),
            built_in: false,
            table: within.to_owned(),
        })
    }

    /// Whether it stands in a source's own table.
    pub(super) fn is_of_a_source(&self) -> bool {
        self.table != COMMON
    }

    /// Whether any of its origins is this fact.
    pub(super) fn uses(&self, fact: &str) -> bool {
        self.origins.iter().any(|origin| origin.uses(fact))
    }

    pub(super) fn needs_payloads(&self) -> bool {
        self.origins.iter().any(|origin| matches!(origin, Origin::Path(_)))
    }

    /// Where the rule, which has this name, is in the configuration.
    pub(super) fn key(&self, name: &str) -> String {
        format!("{}.{name}", self.table)
    }

    pub(super) fn has_table(&self) -> bool {
        !self.values.is_empty()
    }

    /// The facts that it reads.
    pub(super) fn facts(&self) -> impl Iterator<Item = &str> {
        self.origins.iter().filter_map(|origin| match origin {
            Origin::Fact(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// The values that stand in the configuration: constants, the right side of the table, the default.
    pub(super) fn written_values(&self) -> impl Iterator<Item = Value> {
        let constants = self.origins.iter().filter_map(|origin| match origin {
            Origin::Constant(value) => Some(value.clone()),
            _ => None,
        });
        let targets = self.values.values().map(|value| Value::from(value.as_str()));
        constants.chain(targets).chain([self.default.clone()])
    }

    /// What the ATS says, before the value table: of the first origin that has something; else null.
    pub(super) fn found(&self, facts: &Facts, payloads: &[Value]) -> Result<Value, Failed> {
        for origin in &self.origins {
            if let Some(found) = origin.value(facts, payloads)? {
                return Ok(found);
            }
        }
        Ok(Value::Null)
    }

    /// Through the value table; the default where nothing was found. Of a list where `one` value is wanted, what the
    /// table names counts alone; a text where several are wanted is a comma list.
    pub(super) fn translate(&self, found: &Value, takes: Takes) -> Value {
        let found = if found.is_null() { &self.default } else { found };
        let each = |item: &Value| self.entry(item).unwrap_or_else(|| item.clone());
        match (found, takes) {
            (Value::Array(items), Takes::One) if items.len() > 1 => {
                let named: BTreeSet<_> = items.iter().filter_map(|item| self.target(item)).collect();
                if named.is_empty() { items.iter().map(each).collect() } else { named.into_iter().collect() }
            }
            (Value::Array(items), _) => items.iter().map(each).collect(),
            (Value::String(text), Takes::Tags) if self.has_table() && self.entry(found).is_none() => {
                tags(text).map(|tag| each(&tag.into())).collect()
            }
            _ => each(found),
        }
    }

    /// The part of what was found that became this value: what the value table has to name to change it.
    pub(super) fn part_of(&self, told: &Value, value: &str, takes: Takes) -> String {
        let parts: Vec<String> = match told {
            Value::Array(items) => items.iter().filter_map(as_text).collect(),
            Value::String(text) if takes == Takes::Tags => tags(text).map(str::to_owned).collect(),
            Value::String(text) => return text.clone(),
            _ => Vec::new(),
        };
        let becomes = |part: &String| self.values.get(part).unwrap_or(part) == value;
        parts.into_iter().find(becomes).unwrap_or_else(|| value.to_owned())
    }

    fn entry(&self, value: &Value) -> Option<Value> {
        self.target(value).map(Value::from)
    }

    fn target(&self, value: &Value) -> Option<&str> {
        self.values.get(&as_text(value)?).map(String::as_str)
    }

    /// The line of the configuration that has this rule with one more entry in its value table: valid TOML,
    /// ready to paste.
    pub(super) fn line(&self, name: &str, from: &str, to: &str) -> String {
        format!("{} # in [{}]", self.written(name, std::iter::once((from, to))), self.table)
    }

    /// The same with several more entries, and without a word of where it belongs.
    pub(super) fn written<'a>(
        &self,
        name: &str,
        entries: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> String {
        let mut values = self.values.clone();
        values.extend(entries.map(|(from, to)| (from.to_owned(), to.to_owned())));
        let values: Vec<_> =
            values.iter().map(|(from, to)| format!("{} = {}", quoted(from), quoted(to))).collect();
        let mut parts = vec![self.written_origins(), format!("values = {{ {} }}", values.join(", "))];
        if !self.default.is_null() {
            parts.push(format!("default = {}", self.default));
        }
        if self.expected == Expected::Required && !self.built_in {
            parts.push("required = true".to_owned());
        }
        if self.review {
            parts.push("review = true".to_owned());
        }
        if let Some(unknown) = self.unknown {
            parts.push(format!("unknown = \"{}\"", if unknown == Unknown::Hold { "hold" } else { "send" }));
        }
        if !self.known_values.is_empty() {
            parts.push(format!("known_values = {}", list(self.known_values.iter())));
        }
        let bare = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let name = if bare { name.to_owned() } else { quoted(name) };
        format!("{name} = {{ {} }}", parts.join(", "))
    }

    fn written_origins(&self) -> String {
        match self.origins.as_slice() {
            [one] => one.written(),
            several => format!("first_of = {}", list(several.iter().filter_map(Origin::name))),
        }
    }
}

impl Table {
    fn origins(&self) -> Result<Vec<Origin>, String> {
        if let Some(prefer) = &self.prefer
            && (self.from.as_deref() != Some(EMAILS) || prefer.is_empty())
        {
            return Err(format!("`prefer` lists kinds of address and needs `from = \"{EMAILS}\"`"));
        }
        Ok(match (&self.from, &self.first_of, &self.template, &self.constant) {
            (Some(from), None, None, None) if from == EMAILS => {
                vec![Origin::Email(self.prefer.clone().unwrap_or_default())]
            }
            (Some(from), None, None, None) => vec![Origin::parse(from)?],
            (None, Some(several), None, None) if !several.is_empty() => {
                several.iter().map(|from| Origin::parse(from)).collect::<Result<_, _>>()?
            }
            (None, None, Some(source), None) => {
                vec![Origin::Template(Template::compile(source)?, source.clone())]
            }
            (None, None, None, Some(constant)) => vec![Origin::Constant(constant.clone())],
            _ => {
                return Err(
                    "needs exactly one of `from`, `first_of` (not empty), `template` and `const`".into()
                );
            }
        })
    }
}
