//! How signatures and keys are written as text.

use base64::alphabet;
use base64::engine::{DecodePaddingMode, Engine, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

/// Senders write base64 with padding or without, and do not always say which.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);

const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// How the bytes of a signature are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Hexadecimal, lower case only: no vendor documents the other.
    #[default]
    Hex,
    /// Base64 in either alphabet, padded or not.
    Base64,
}

impl Encoding {
    /// The bytes, if they are written so.
    pub(super) fn decode(self, written: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Hex if written.iter().any(u8::is_ascii_uppercase) => None,
            Self::Hex => hex::decode(written).ok(),
            Self::Base64 => base64(written),
        }
    }
}

/// How a secret's text becomes a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyForm {
    /// The text itself, in UTF-8.
    #[default]
    Text,
    /// The text is the key in hexadecimal.
    Hex,
    /// The text is the key in base64.
    Base64,
    /// As Standard Webhooks write it: base64, most times after `whsec_`; `whpk_` for a public key.
    Whsec,
}

impl KeyForm {
    /// The key, if the text is written so.
    pub(super) fn key(self, secret: &str) -> Option<Vec<u8>> {
        match self {
            Self::Text => Some(secret.as_bytes().to_vec()),
            Self::Hex => hex::decode(secret).ok(),
            Self::Base64 => base64(secret.as_bytes()),
            Self::Whsec => {
                let bare = secret.strip_prefix("whsec_").or_else(|| secret.strip_prefix("whpk_"));
                base64(bare.unwrap_or(secret).as_bytes())
            }
        }
    }

    /// What is expected, in words.
    pub(super) fn expected(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Hex => "hexadecimal",
            Self::Base64 => "base64",
            Self::Whsec => "`whsec_` and base64",
        }
    }
}

/// Reads base64 in either alphabet, padded or not.
pub(super) fn base64(written: &[u8]) -> Option<Vec<u8>> {
    STANDARD.decode(written).or_else(|_| URL_SAFE.decode(written)).ok()
}
