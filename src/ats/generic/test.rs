//! Questions to a delivery: is this place equal to one of these?

use std::borrow::Cow;

use reqwest::header::{HeaderMap, HeaderName};
use serde_json::Value;
use serde_json_path::JsonPath;

/// Where something is.
pub(super) enum Place {
    /// In a header.
    Header(HeaderName),
    /// In the payload.
    Path(JsonPath),
}

/// Whether something there equals one of these.
pub(super) struct Test {
    pub(super) place: Place,
    pub(super) is: Vec<String>,
}

/// What is answered with success and becomes nothing, signed or not.
pub(super) enum Handshake {
    /// A delivery with this header, whose value is sent back.
    Echo(HeaderName),
    /// A delivery that passes a test.
    Equal(Test),
}

impl Test {
    /// The answer of a payload; none if there is nothing at the place, or it is in the headers.
    pub(super) fn passes(&self, payload: &Value) -> Option<bool> {
        let Place::Path(path) = &self.place else { return None };
        let found: Vec<_> = path.query(payload).all().into_iter().filter_map(word).collect();
        (!found.is_empty()).then(|| found.iter().any(|word| self.is.iter().any(|one| *one == **word)))
    }

    /// The answer of the headers; none if the header does not come, or the place is in the payload.
    pub(super) fn passes_headers(&self, headers: &HeaderMap) -> Option<bool> {
        let Place::Header(name) = &self.place else { return None };
        single(headers, name).map(|value| self.is.iter().any(|one| one == value))
    }

    /// What is at the place in the payload.
    pub(super) fn word<'v>(&self, payload: &'v Value) -> Option<Cow<'v, str>> {
        let Place::Path(path) = &self.place else { return None };
        word(first(path, payload)?)
    }
}

/// The text of a header that comes once.
pub(super) fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    values.next().is_none().then(|| value.to_str().ok())?
}

/// The first thing at a place: neither null nor empty.
pub(super) fn first<'v>(path: &JsonPath, payload: &'v Value) -> Option<&'v Value> {
    path.query(payload).all().into_iter().find(|value| !value.is_null() && **value != "")
}

/// A plain value as a text to compare with.
pub(super) fn word(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(_) | Value::Bool(_) => Some(Cow::Owned(value.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
