//! What is signed, written as a text with parts of the delivery in it: `{header:webhook-id}.{ts}.{body}`.

use std::str::FromStr;

use reqwest::header::HeaderName;

use super::{Parts, Refusal};

/// What is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    /// The body, byte for byte.
    Body,
    /// The time, as it was sent.
    Time,
    /// A header. One that may be absent then counts as empty.
    Header {
        name: HeaderName,
        optional: bool,
    },
    /// A text or a whole number in the body.
    Json(String),
}

impl Template {
    /// The body alone.
    pub fn body() -> Self {
        Self(vec![Part::Body])
    }

    /// Whether the body is signed.
    pub(super) fn has_body(&self) -> bool {
        self.0.contains(&Part::Body)
    }

    /// Whether the time is signed.
    pub(super) fn has_time(&self) -> bool {
        self.0.contains(&Part::Time)
    }

    /// Whether nothing that was sent is signed.
    pub(super) fn is_constant(&self) -> bool {
        !self.0.iter().any(|part| matches!(part, Part::Body | Part::Json(_)))
    }

    /// What has to be signed in this delivery.
    pub(super) fn message(&self, parts: &Parts<'_>, time: Option<&str>) -> Result<Vec<u8>, Refusal> {
        let mut message = Vec::with_capacity(parts.body.len() + 128);
        for part in &self.0 {
            match part {
                Part::Literal(text) => message.extend_from_slice(text.as_bytes()),
                Part::Body => message.extend_from_slice(parts.body),
                Part::Time => message.extend_from_slice(time.unwrap_or_default().as_bytes()),
                Part::Header { name, optional } => match parts.header(name)? {
                    Some(value) if *optional || !value.is_empty() => message.extend_from_slice(value),
                    None if *optional => {}
                    _ => return Err(Refusal::PartMissing),
                },
                Part::Json(pointer) => match parts.at(pointer)? {
                    Some(text) if !text.is_empty() => message.extend_from_slice(text.as_bytes()),
                    _ => return Err(Refusal::PartMissing),
                },
            }
        }
        Ok(message)
    }
}

impl FromStr for Template {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or("has a `{` without its `}`")?;
            push(&mut parts, literal);
            parts.push(part(name)?);
            rest = after;
        }
        push(&mut parts, rest);
        Ok(Self(parts))
    }
}

fn push(parts: &mut Vec<Part>, literal: &str) {
    if !literal.is_empty() {
        parts.push(Part::Literal(literal.to_owned()));
    }
}

fn part(name: &str) -> Result<Part, String> {
    match name.split_once(':') {
        None if name == "body" => Ok(Part::Body),
        None if name == "ts" => Ok(Part::Time),
        Some(("json", pointer)) if pointer.starts_with('/') => Ok(Part::Json(pointer.to_owned())),
        Some(("header", written)) => {
            let optional = written.ends_with('?');
            let name = HeaderName::from_str(written.trim_end_matches('?'))
                .map_err(|_| format!("has `{{{name}}}`, which is not the name of a header"))?;
            Ok(Part::Header { name, optional })
        }
        _ => Err(format!(
            "has the unknown part `{{{name}}}`; there are {{body}}, {{ts}}, {{header:NAME}}, {{header:NAME?}} \
             and {{json:/place}}"
        )),
    }
}
