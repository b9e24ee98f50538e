//! Who sent this? How a sender proves it is plain data, a [`Scheme`]; [`Verified`] is the proof that a body passed.
//!
//! There is one parameterised scheme for signatures ([`Signature`]); what an ATS documents is a preset of it, written
//! down in `signature/presets.toml` as an operator would write it for a sender of their own.

mod encoding;
mod keys;
mod parts;
mod preset;
mod refusal;
mod settings;
mod signed;
mod template;
mod token;

use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::header::HeaderMap;

use super::Envelope;
use super::poll::Item;
pub use encoding::{Encoding, KeyForm};
pub use keys::{BadSecret, Keys};
use parts::Parts;
pub use preset::preset;
pub use refusal::Refusal;
pub use settings::Settings;
pub use signed::{Algorithm, Mark, Place, Signature, Stamp, StampPlace, Unit};
pub use template::Template;
pub use token::Token;

/// How a sender proves who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// It signs what it sends.
    Signature(Box<Signature>),
    /// It sends the secret itself. That is safe on the way only under TLS, which the proxy in front of us ends.
    Token(Token),
    /// It proves nothing: anyone can send. Only where the operator says so in so many words.
    Unsigned,
}

impl Scheme {
    /// The header that carries the proof, if one does.
    pub fn header(&self) -> Option<&reqwest::header::HeaderName> {
        match self {
            Self::Signature(signature) => signature.place.header(),
            Self::Token(token) => token.header(),
            Self::Unsigned => None,
        }
    }

    /// Whether whoever changes anything of a body is found out. If not, only ids of it may be believed, and even
    /// those may be those of an earlier delivery.
    pub fn covers_body(&self) -> bool {
        match self {
            Self::Signature(signature) => signature.signed.has_body(),
            Self::Token(_) | Self::Unsigned => true,
        }
    }
}

/// A body of which it is known who it comes from. Of what somebody sent, [`verify`] alone makes one. What we fetched
/// ourselves is proved the other way round: we asked, TLS showed that the configured place answered, and an [`Item`] is
/// made of nothing else.
#[derive(Clone)]
pub struct Verified {
    body: Bytes,
    secret: Option<usize>,
    envelope: Envelope,
}

impl Verified {
    /// What was fetched. No secret came along, since nobody sent it.
    pub(super) fn fetched(item: Item) -> Self {
        Self { body: item.into_body(), secret: None, envelope: Envelope::default() }
    }

    /// The delivery's id at the sender, if a header had it; for the log alone.
    pub fn delivery_id(&self) -> Option<&str> {
        self.envelope.delivery_id.as_deref()
    }

    /// The body, unpacked if it was packed.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// What its headers say.
    pub(super) fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// The same delivery, with what its headers say and what was packed in its body.
    pub(super) fn opened(mut self, envelope: Envelope, unpacked: Option<Bytes>) -> Self {
        self.body = unpacked.unwrap_or(self.body);
        self.envelope = envelope;
        self
    }

    /// Which of the source's secrets matched, counted from 0: an operator sees when an old one is no
    /// longer used. None if the source needs none, or if it was fetched.
    pub fn secret(&self) -> Option<usize> {
        self.secret
    }
}

/// Sizes only: the body is personal.
impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verified({} bytes, secret {:?})", self.body.len(), self.secret)
    }
}

/// Finds out whether a body comes from who knows one of the live secrets.
///
/// # Errors
/// [`Refusal`], with the reason.
pub fn verify(
    scheme: &Scheme,
    keys: &Keys,
    headers: &HeaderMap,
    body: Bytes,
    now: Timestamp,
) -> Result<Verified, Refusal> {
    let parts = Parts::new(headers, &body);
    let secret = match scheme {
        Scheme::Signature(signature) => Some(signature.check(keys, &parts, now)?),
        Scheme::Token(token) => {
            let presented = token.presented(&parts)?;
            Some(keys.matching(&presented, &[]).ok_or(Refusal::NoSecretMatches)?)
        }
        Scheme::Unsigned => None,
    };
    Ok(Verified { body, secret, envelope: Envelope::default() })
}

#[cfg(test)]
mod tests;
