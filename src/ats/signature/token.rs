//! The secret itself, sent along with each delivery.

use reqwest::header::{AUTHORIZATION, HeaderName};

use super::encoding::base64;
use super::{Parts, Refusal};

/// Where the secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// `Authorization: Bearer <secret>`.
    Bearer,
    /// A header of its own, whose whole value it is.
    Header(HeaderName),
    /// HTTP Basic: the secret is this user's password.
    Basic(String),
    /// A field of a form.
    Field(String),
}

impl Token {
    pub(super) fn header(&self) -> Option<&HeaderName> {
        match self {
            Self::Bearer | Self::Basic(_) => Some(&AUTHORIZATION),
            Self::Header(name) => Some(name),
            Self::Field(_) => None,
        }
    }

    /// What has to be presented.
    pub(super) fn expected(&self, secret: &str) -> String {
        match self {
            Self::Basic(user) => format!("{user}:{secret}"),
            Self::Bearer | Self::Header(_) | Self::Field(_) => secret.to_owned(),
        }
    }

    /// What is presented.
    pub(super) fn presented(&self, parts: &Parts<'_>) -> Result<Vec<u8>, Refusal> {
        let value = match self {
            Self::Field(name) => parts.field(name)?.map(String::into_bytes),
            Self::Bearer | Self::Basic(_) => parts.header(&AUTHORIZATION)?.map(<[u8]>::to_vec),
            Self::Header(name) => parts.header(name)?.map(<[u8]>::to_vec),
        };
        let value = value.ok_or(Refusal::HeaderMissing)?;
        if value.trim_ascii().is_empty() {
            return Err(Refusal::HeaderEmpty);
        }
        let credential = match self {
            Self::Bearer => after(b"Bearer ", &value).map(<[u8]>::to_vec),
            Self::Basic(_) => after(b"Basic ", &value).and_then(base64),
            Self::Header(_) | Self::Field(_) => Some(value),
        };
        credential.ok_or(Refusal::HeaderMalformed)
    }
}

/// What follows the name of the authentication, whose case does not count
/// (<https://www.rfc-editor.org/rfc/rfc9110#section-11.1>).
fn after<'a>(name: &[u8], value: &'a [u8]) -> Option<&'a [u8]> {
    let (begin, rest) = value.split_at_checked(name.len())?;
    begin.eq_ignore_ascii_case(name).then_some(rest)
}
