//! An id as ATSs write it.

use serde::Deserialize;
use serde_json::Value;

use super::is_id;

/// An id: a number, or a text that is fit for one.
#[derive(Clone, Deserialize)]
#[serde(try_from = "Value")]
pub(super) struct Id(pub(super) String);

impl TryFrom<Value> for Id {
    type Error = &'static str;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        match value {
            Value::Number(number) if number.is_u64() => Ok(Self(number.to_string())),
            Value::String(text) if is_id(&text) => Ok(Self(text)),
            _ => Err("not an id"),
        }
    }
}
