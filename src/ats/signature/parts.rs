//! What a signature may be found in, or made of: headers, and places in a body that nobody has verified yet.

use std::borrow::Cow;
use std::cell::OnceCell;

use reqwest::header::{HeaderMap, HeaderName};
use serde_json::Value;

use super::Refusal;
use crate::ats::json;

/// The largest body that is read before it is verified. A signature in the body has ids beside it, no files.
const LARGEST: usize = 1024 * 1024;

/// One delivery.
pub(super) struct Parts<'a> {
    headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
    /// Read at most once, and only for schemes that look into it.
    json: OnceCell<Option<Value>>,
}

impl<'a> Parts<'a> {
    pub(super) fn new(headers: &'a HeaderMap, body: &'a [u8]) -> Self {
        Self { headers, body, json: OnceCell::new() }
    }

    /// A header that comes once; none if it does not come.
    pub(super) fn header(&self, name: &HeaderName) -> Result<Option<&'a [u8]>, Refusal> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next();
        if values.next().is_some() {
            return Err(Refusal::HeaderRepeated);
        }
        Ok(value.map(reqwest::header::HeaderValue::as_bytes))
    }

    /// The text at a place in the body; none if there is none. A number is given as it was sent, which only whole
    /// ones can be.
    pub(super) fn at(&self, pointer: &str) -> Result<Option<Cow<'_, str>>, Refusal> {
        let json = self.json.get_or_init(|| {
            let small = (self.body.len() <= LARGEST).then_some(self.body)?;
            json::read(small).ok()
        });
        let json = json.as_ref().ok_or(Refusal::BodyUnreadable)?;
        Ok(match json.pointer(pointer) {
            Some(Value::String(text)) => Some(Cow::Borrowed(text.as_str())),
            Some(Value::Number(number)) if number.is_u64() || number.is_i64() => {
                Some(Cow::Owned(number.to_string()))
            }
            _ => None,
        })
    }

    /// The field of a form that has this name, if it comes once.
    pub(super) fn field(&self, name: &str) -> Result<Option<String>, Refusal> {
        if self.body.len() > LARGEST {
            return Err(Refusal::BodyUnreadable);
        }
        let fields = url::form_urlencoded::parse(self.body);
        let mut values = fields.filter(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        let value = values.next();
        if values.next().is_some() { Err(Refusal::HeaderRepeated) } else { Ok(value) }
    }
}
