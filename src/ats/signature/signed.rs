//! The one scheme of signatures, with all that differs between senders as its parameters.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};
use reqwest::header::HeaderName;
use serde::Deserialize;

use super::encoding::base64;
use super::{Encoding, KeyForm, Keys, Parts, Refusal, Template};

/// How many entries of a list are looked at: each costs a signature check with each secret.
const MOST: usize = 16;

/// A signature that comes with a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Where it is.
    pub place: Place,
    /// Whether what is there is base64 of what the rest describes.
    pub outer_base64: bool,
    /// What divides the entries, if it is a list; any of them may be the right one.
    pub split: Option<String>,
    /// How an entry that is a signature is told.
    pub mark: Mark,
    /// How its bytes are written.
    pub encoding: Encoding,
    /// How it is made.
    pub algorithm: Algorithm,
    /// How a secret becomes a key.
    pub key: KeyForm,
    /// What is signed.
    pub signed: Template,
    /// The time that is signed along, if one is.
    pub timestamp: Option<Stamp>,
}

/// Where a signature is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a header that comes once.
    Header(HeaderName),
    /// In the body, at a JSON Pointer.
    Body(String),
}

impl Place {
    pub(super) fn header(&self) -> Option<&HeaderName> {
        match self {
            Self::Header(name) => Some(name),
            Self::Body(_) => None,
        }
    }
}

/// How a signature is told from what stands beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Nothing stands beside it.
    Bare,
    /// This comes before it: `sha256=`.
    Prefix(String),
    /// It is the value of this key; other keys are passed over.
    Picked {
        /// `v1`.
        key: String,
        /// What divides key and value: `=`.
        separator: String,
    },
}

/// How a signature is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// HMAC with SHA-256 and a shared secret.
    #[default]
    HmacSha256,
    /// The sender's private key; the source's secrets are the public ones.
    Ed25519,
}

impl Algorithm {
    /// How many bytes a signature has.
    fn size(self) -> usize {
        match self {
            Self::HmacSha256 => 32,
            Self::Ed25519 => 64,
        }
    }
}

/// The time that is signed along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Where it is.
    pub place: StampPlace,
    /// What it counts, since 1970.
    pub unit: Unit,
    /// How far it may be from now, in either direction; none if that does not count.
    pub tolerance: Option<SignedDuration>,
}

/// Where a time is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StampPlace {
    /// In a header that comes once.
    Header(HeaderName),
    /// Beside the signature, under this key.
    Pair(String),
    /// In the body, at a JSON Pointer.
    Body(String),
}

/// What a time counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Unit {
    /// Seconds.
    #[default]
    #[serde(rename = "s")]
    Seconds,
    /// Milliseconds.
    #[serde(rename = "ms")]
    Milliseconds,
}

impl Signature {
    /// A lower-case hexadecimal HMAC-SHA256 over the body, in this header, after this prefix.
    pub fn of_body(header: HeaderName, prefix: &str) -> Self {
        let mark = if prefix.is_empty() { Mark::Bare } else { Mark::Prefix(prefix.to_owned()) };
        Self {
            place: Place::Header(header),
            outer_base64: false,
            split: None,
            mark,
            encoding: Encoding::Hex,
            algorithm: Algorithm::HmacSha256,
            key: KeyForm::Text,
            signed: Template::body(),
            timestamp: None,
        }
    }

    /// The secret that made it, if it is right and of now.
    pub(super) fn check(&self, keys: &Keys, parts: &Parts<'_>, now: Timestamp) -> Result<usize, Refusal> {
        let written = self.written(parts)?;
        let entries = self.entries(&written);
        let tags = self.tags(&entries)?;
        let time = self.timestamp.as_ref().map(|stamp| stamp.text(self, parts, &entries)).transpose()?;
        let message = self.signed.message(parts, time.as_deref())?;
        let secret = keys.matching(&message, &tags).ok_or(Refusal::NoSecretMatches)?;
        if let (Some(stamp), Some(time)) = (&self.timestamp, time) {
            stamp.check(&time, now)?;
        }
        Ok(secret)
    }

    /// What stands at its place.
    fn written<'p>(&self, parts: &'p Parts<'_>) -> Result<Cow<'p, str>, Refusal> {
        let found = match &self.place {
            Place::Header(name) => match parts.header(name)? {
                Some(bytes) => {
                    Some(Cow::Borrowed(std::str::from_utf8(bytes).map_err(|_| Refusal::HeaderMalformed)?))
                }
                None => None,
            },
            Place::Body(pointer) => parts.at(pointer)?,
        };
        let text = found.ok_or(Refusal::HeaderMissing)?;
        if text.trim_ascii().is_empty() {
            return Err(Refusal::HeaderEmpty);
        }
        if !self.outer_base64 {
            return Ok(text);
        }
        let inner = base64(text.as_bytes()).and_then(|bytes| String::from_utf8(bytes).ok());
        inner.map(Cow::Owned).ok_or(Refusal::HeaderMalformed)
    }

    fn entries<'t>(&self, written: &'t str) -> Vec<&'t str> {
        match &self.split {
            None => vec![written],
            Some(split) => {
                written.split(split.as_str()).filter(|entry| !entry.is_empty()).take(MOST).collect()
            }
        }
    }

    /// The signatures among the entries; at least one.
    fn tags(&self, entries: &[&str]) -> Result<Vec<Vec<u8>>, Refusal> {
        let marked = entries.iter().filter_map(|entry| self.mark.of(entry));
        let decoded = marked.filter_map(|written| self.encoding.decode(written.as_bytes()));
        let tags: Vec<_> = decoded.filter(|tag| tag.len() == self.algorithm.size()).collect();
        if tags.is_empty() { Err(Refusal::HeaderMalformed) } else { Ok(tags) }
    }
}

impl Mark {
    /// What an entry says under this mark.
    fn of<'t>(&self, entry: &'t str) -> Option<&'t str> {
        match self {
            Self::Bare => Some(entry),
            Self::Prefix(prefix) => entry.strip_prefix(prefix.as_str()),
            Self::Picked { key, separator } => value_of(entry, key, separator),
        }
    }
}

fn value_of<'t>(entry: &'t str, key: &str, separator: &str) -> Option<&'t str> {
    let (found, value) = entry.split_once(separator)?;
    (found == key).then_some(value)
}

impl Stamp {
    /// The time as it was sent: digits, since that is what is signed.
    fn text(&self, signature: &Signature, parts: &Parts<'_>, entries: &[&str]) -> Result<String, Refusal> {
        let found = match &self.place {
            StampPlace::Header(name) => {
                let value = parts.header(name)?.and_then(|bytes| std::str::from_utf8(bytes).ok());
                value.map(str::to_owned)
            }
            StampPlace::Body(pointer) => parts.at(pointer)?.map(Cow::into_owned),
            StampPlace::Pair(key) => {
                let separator = match &signature.mark {
                    Mark::Picked { separator, .. } => separator,
                    Mark::Bare | Mark::Prefix(_) => "=",
                };
                let mut values = entries.iter().filter_map(|entry| value_of(entry, key, separator));
                let value = values.next();
                value.filter(|_| values.next().is_none()).map(str::to_owned)
            }
        };
        let is_number =
            |text: &String| (1..=16).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        found.filter(is_number).ok_or(Refusal::TimestampMalformed)
    }

    fn check(&self, time: &str, now: Timestamp) -> Result<(), Refusal> {
        let Some(tolerance) = self.tolerance else { return Ok(()) };
        let count: i64 = time.parse().map_err(|_| Refusal::TimestampMalformed)?;
        let since = match self.unit {
            Unit::Seconds => SignedDuration::from_secs(count),
            Unit::Milliseconds => SignedDuration::from_millis(count),
        };
        let age = now.duration_since(Timestamp::UNIX_EPOCH).saturating_sub(since);
        if age > tolerance {
            return Err(Refusal::TimestampOld);
        }
        if age < -tolerance {
            return Err(Refusal::TimestampAhead);
        }
        Ok(())
    }
}
