//! A source's live secrets, made ready to compare with.

use std::fmt;

use aws_lc_rs::{hmac, signature};
use secrecy::{ExposeSecret, SecretString};

use super::token::Token;
use super::{Algorithm, KeyForm, Scheme, Signature};

/// The shortest key that is accepted, in bytes.
const SHORTEST: usize = 16;

/// How many bytes a public key for ed25519 has.
const PUBLIC: usize = 32;

/// A source's live secrets, made ready once for every delivery to come.
pub struct Keys(Vec<Key>);

enum Key {
    Hmac(hmac::Key),
    /// A public key.
    Ed25519(Vec<u8>),
    /// What has to be presented, as a tag under a key that is made of it: so the comparison takes as long
    /// whatever is presented, of whatever length.
    Token(hmac::Key, hmac::Tag),
}

/// A secret that cannot be a key of its scheme. Says nothing of its value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct BadSecret {
    /// Which one, counted from 0.
    pub index: usize,
    /// What is wrong, as a sentence.
    pub problem: String,
}

impl Keys {
    /// The keys of these secrets, in their order.
    ///
    /// # Errors
    /// Each secret that is not written as the scheme says, or whose key is too short.
    pub fn new(scheme: &Scheme, secrets: &[SecretString]) -> Result<Self, Vec<BadSecret>> {
        let (mut keys, mut bad) = (Vec::new(), Vec::new());
        for (index, secret) in secrets.iter().enumerate() {
            match Key::new(scheme, secret.expose_secret()) {
                Ok(key) => keys.push(key),
                Err(problem) => bad.push(BadSecret { index, problem }),
            }
        }
        if bad.is_empty() { Ok(Self(keys)) } else { Err(bad) }
    }

    /// Whether there are none, so that nothing matches.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The secret that made one of `tags` over `message`, or that is the `message`. Every key is tried with every
    /// tag, so that the time tells nothing of which one it was; each comparison is constant in time.
    pub(super) fn matching(&self, message: &[u8], tags: &[Vec<u8>]) -> Option<usize> {
        self.0.iter().enumerate().fold(None, |found, (index, key)| {
            let matches = key.matches(message, tags);
            found.or(matches.then_some(index))
        })
    }
}

impl Key {
    fn new(scheme: &Scheme, secret: &str) -> Result<Self, String> {
        match scheme {
            Scheme::Signature(signature) => Self::of_signature(signature, secret),
            Scheme::Token(token) => Ok(Self::of_token(token, secret)),
            Scheme::Unsigned => Err("is of no use: `accept_unsigned` lets everything in".to_owned()),
        }
    }

    fn of_signature(signature: &Signature, secret: &str) -> Result<Self, String> {
        let form = signature.key;
        let key = form.key(secret);
        let key = key.ok_or_else(|| format!("is not written as `key` says: {}", form.expected()))?;
        match signature.algorithm {
            Algorithm::Ed25519 if key.len() != PUBLIC => {
                Err("is no public key for ed25519: `whpk_` and base64 of 32 bytes".to_owned())
            }
            Algorithm::Ed25519 => Ok(Self::Ed25519(key)),
            Algorithm::HmacSha256 if secret.starts_with("whpk_") && form == KeyForm::Whsec => Err(
                "is a public key, with which anyone could sign; `algorithm = \"ed25519\"` checks with one"
                    .to_owned(),
            ),
            // The length of a text is looked at where all secrets are.
            Algorithm::HmacSha256 if key.len() < SHORTEST && form != KeyForm::Text => {
                Err(format!("makes a key of {} bytes; at least {SHORTEST} are needed", key.len()))
            }
            Algorithm::HmacSha256 => Ok(Self::Hmac(hmac::Key::new(hmac::HMAC_SHA256, &key))),
        }
    }

    fn of_token(token: &Token, secret: &str) -> Self {
        let expected = token.expected(secret);
        let key = hmac::Key::new(hmac::HMAC_SHA256, expected.as_bytes());
        let tag = hmac::sign(&key, expected.as_bytes());
        Self::Token(key, tag)
    }

    fn matches(&self, message: &[u8], tags: &[Vec<u8>]) -> bool {
        let any = |verify: &dyn Fn(&[u8]) -> bool| tags.iter().fold(false, |any, tag| verify(tag) | any);
        match self {
            Self::Hmac(key) => any(&|tag| hmac::verify(key, message, tag).is_ok()),
            Self::Ed25519(key) => {
                let key = signature::UnparsedPublicKey::new(&signature::ED25519, key);
                any(&|tag| key.verify(message, tag).is_ok())
            }
            Self::Token(key, tag) => hmac::verify(key, message, tag.as_ref()).is_ok(),
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.0.len())
    }
}
