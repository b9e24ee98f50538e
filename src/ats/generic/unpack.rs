//! Bodies that are no JSON yet.

use std::io::Read;

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use reqwest::header::{CONTENT_ENCODING, HeaderMap};
use serde_json::{Map, Value};

use super::super::Refusal;

/// What a gzip file begins with (<https://www.rfc-editor.org/rfc/rfc1952>); no JSON and no form does.
const MAGIC: &[u8] = &[0x1f, 0x8b];

/// The content of a compressed body of at most `limit` bytes; none if it is not compressed, or broken: what reads it
/// then says so. Never more than the limit is in memory, however small the body is.
pub(super) fn gzip(headers: &HeaderMap, body: &[u8], limit: usize) -> Result<Option<Bytes>, Refusal> {
    if !body.starts_with(MAGIC) && !headers.contains_key(CONTENT_ENCODING) {
        return Ok(None);
    }
    let at_most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let mut content = Vec::new();
    if MultiGzDecoder::new(body).take(at_most).read_to_end(&mut content).is_err() {
        return Ok(None);
    }
    if content.len() > limit { Err(Refusal::UnpackedTooLarge) } else { Ok(Some(content.into())) }
}

/// The fields of a form as a JSON object, without the one that holds the secret; none if it is JSON already. A field
/// that comes several times is a list.
pub(super) fn form(body: &[u8], secret: Option<&str>) -> Option<Bytes> {
    if body.trim_ascii_start().starts_with(b"{") {
        return None;
    }
    let mut fields = Map::new();
    // A line's end is that of a file, not of a value.
    for (name, value) in url::form_urlencoded::parse(body.trim_ascii_end()) {
        if secret == Some(&*name) {
            continue;
        }
        let value = Value::String(value.into_owned());
        match fields.get_mut(&*name) {
            None => drop(fields.insert(name.into_owned(), value)),
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    Some(Value::Object(fields).to_string().into())
}
