//! One rule: where the value of one attribute comes from.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde_json::Value;
use serde_json_path::JsonPath;

use super::{Expected, check_fact};
use crate::domain::Facts;

/// A rule as it is written: a fact or JSONPath alone, or a table.
#[derive(Clone, Debug, Default)]
pub struct RuleSettings(Table);

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    from: Option<String>,
    first_of: Option<Vec<String>>,
    #[serde(rename = "const")]
    constant: Option<Value>,
    #[serde(default)]
    values: BTreeMap<String, String>,
    default: Option<Value>,
    #[serde(default)]
    required: bool,
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
}

/// Where a value may come from.
#[derive(Clone)]
enum Origin {
    Fact(String),
    Path(JsonPath),
    Constant(Value),
}

impl Rule {
    pub(super) fn built_in(fact: &str, expected: Expected) -> Self {
        Self {
            origins: vec![Origin::Fact(fact.to_owned())],
            values: BTreeMap::new(),
            default: Value::Null,
            expected,
        }
    }

    /// Checks a rule; the sentence says what is wrong with it.
    pub(super) fn compile(RuleSettings(table): &RuleSettings) -> Result<Self, String> {
        let origins = match (&table.from, &table.first_of, &table.constant) {
            (Some(from), None, None) => vec![Origin::parse(from)?],
            (None, Some(several), None) if !several.is_empty() => {
                several.iter().map(|from| Origin::parse(from)).collect::<Result<_, _>>()?
            }
            (None, None, Some(constant)) => vec![Origin::Constant(constant.clone())],
            _ => return Err("needs exactly one of `from`, `first_of` (not empty) and `const`".into()),
        };
        let expected = if table.required { Expected::Required } else { Expected::Yes };
        let default = table.default.clone().unwrap_or_default();
        Ok(Self { origins, values: table.values.clone(), default, expected })
    }

    pub(super) fn needs_payloads(&self) -> bool {
        self.origins.iter().any(|origin| matches!(origin, Origin::Path(_)))
    }

    /// The value of the first origin that has one, through the value table; else the default, else null.
    pub(super) fn value(&self, facts: &Facts, payloads: &[Value]) -> Value {
        let found = self.origins.iter().find_map(|origin| origin.value(facts, payloads));
        let found = found.unwrap_or_else(|| self.default.clone());
        match found.as_str().and_then(|text| self.values.get(text)) {
            Some(translated) => Value::String(translated.clone()),
            None => found,
        }
    }
}

impl Origin {
    fn parse(from: &str) -> Result<Self, String> {
        if from.starts_with('$') {
            let path = JsonPath::parse(from);
            return path.map(Self::Path).map_err(|error| format!("not a JSONPath (RFC 9535): {error}"));
        }
        check_fact(from).map(|()| Self::Fact(from.to_owned()))
    }

    fn value(&self, facts: &Facts, payloads: &[Value]) -> Option<Value> {
        match self {
            Self::Fact(name) => facts.value(name).cloned(),
            Self::Path(path) => payloads.iter().find_map(|payload| in_payload(path, payload)),
            Self::Constant(value) => Some(value.clone()),
        }
    }
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
