//! What the custom fields of any ATS become: facts under their titles, with the parts of a value beside it.

use serde_json::Value;

use crate::domain::Facts;
use crate::domain::facts::CUSTOM;

/// A value and what belongs to it: each part under the title and a suffix, the value itself under none.
pub(super) type Parts = Vec<(&'static str, Value)>;

/// Notes a custom field. An equal title that came before, from what is closer to the hire, keeps all its parts.
pub(super) fn put(facts: &mut Facts, title: &str, parts: Parts) {
    if facts.value(&format!("{CUSTOM}{}", title.trim())).is_none() {
        for (part, value) in parts {
            facts.put_custom(&format!("{}{part}", title.trim()), value);
        }
    }
}

/// A value without parts.
pub(super) fn one(value: &Value) -> Parts {
    vec![("", value.clone())]
}

/// An amount of money.
pub(super) fn money(amount: &Value, currency: &Value) -> Parts {
    vec![("", amount.clone()), (" (currency)", currency.clone())]
}

/// A range, of money or of numbers: `50000 - 60000 EUR`, and each part by itself.
pub(super) fn range(least: &Value, most: &Value, currency: &Value) -> Parts {
    let both = number(least).zip(number(most));
    let words = both.map(|(least, most)| {
        let words = format!("{least} - {most} {}", currency.as_str().unwrap_or_default());
        words.trim_end().to_owned()
    });
    vec![
        ("", words.into()),
        (" (min)", least.clone()),
        (" (max)", most.clone()),
        (" (currency)", currency.clone()),
    ]
}

/// A number as it is written, also one in a text.
pub(super) fn number(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => {
            text.parse::<f64>().ok().filter(|number| number.is_finite()).map(|_| text.clone())
        }
        _ => None,
    }
}

/// Whether it is a list of texts.
pub(super) fn is_texts(value: &Value) -> bool {
    value.as_array().is_some_and(|items| items.iter().all(Value::is_string))
}
