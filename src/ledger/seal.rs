//! Encryption of what is personal, and keyed hashes of what must be recognised after erasure.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::{hmac, rand};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::LedgerError;

const KEY_LEN: usize = 32;

/// The ledger's key: 32 bytes, kept in base64 outside the ledger. Losing it loses what is stored.
pub struct LedgerKey([u8; KEY_LEN]);

/// Why a text is no ledger key. Never shows the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is not base64.
    #[error("must be base64; `hirebridge secret --ledger-key` makes one")]
    NotBase64,
    /// It has the wrong length.
    #[error("must be 32 bytes in base64, not {0}; `hirebridge secret --ledger-key` makes one")]
    WrongLength(usize),
}

impl LedgerKey {
    /// Reads a key from its base64 text; white space around it does not count.
    ///
    /// # Errors
    /// [`KeyError`] if it is not the base64 of 32 bytes.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| KeyError::NotBase64)?;
        let length = bytes.len();
        bytes.try_into().map(Self).map_err(|_| KeyError::WrongLength(length))
    }

    /// A new random key, as base64 text.
    pub fn generate() -> String {
        STANDARD.encode(random())
    }
}

fn random() -> [u8; KEY_LEN] {
    let mut bytes = [0; KEY_LEN];
    rand::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// What encrypts records (AES-256-GCM under the ledger's key) and hashes keys (HMAC-SHA-256 under a key
/// of its own, which stays when the ledger's key changes, so that tombstones stay recognisable).
pub(super) struct Seal {
    records: RandomizedNonceKey,
    tombstones: hmac::Key,
}

impl Seal {
    /// A seal for a new ledger, with a new tombstone key; the second value is that key, sealed, to be
    /// stored in the ledger.
    pub(super) fn create(key: &LedgerKey) -> (Self, Vec<u8>) {
        let tombstone_key = random();
        let seal = Self::with(key, &tombstone_key);
        let sealed = seal.seal("tombstone-key", &tombstone_key);
        (seal, sealed)
    }

    /// The seal of an existing ledger; `None` if the ledger was made with another key.
    pub(super) fn open(key: &LedgerKey, sealed_tombstone_key: &[u8]) -> Option<Self> {
        let tombstone_key = Self::with(key, &[]).unseal("tombstone-key", sealed_tombstone_key).ok()?;
        Some(Self::with(key, &tombstone_key))
    }

    fn with(key: &LedgerKey, tombstone_key: &[u8]) -> Self {
        let records = RandomizedNonceKey::new(&AES_256_GCM, &key.0).expect("an AES-256 key has 32 bytes");
        Self { records, tombstones: hmac::Key::new(hmac::HMAC_SHA256, tombstone_key) }
    }

    /// Encrypts `plain` so that it can be opened only in its `place`: nonce, then ciphertext with tag.
    pub(super) fn seal(&self, place: &str, plain: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
        sealed.extend_from_slice(&[0; NONCE_LEN]);
        sealed.extend_from_slice(plain);
        let (nonce, tag) = self
            .records
            .seal_in_place_separate_tag(Aad::from(place.as_bytes()), &mut sealed[NONCE_LEN..])
            .expect("a record is far smaller than what AES-GCM can take");
        sealed[..NONCE_LEN].copy_from_slice(nonce.as_ref());
        sealed.extend_from_slice(tag.as_ref());
        sealed
    }

    /// Opens what [`Seal::seal`] made for the same place.
    pub(super) fn unseal(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, LedgerError> {
        let damaged = || LedgerError::Damaged(format!("{place} does not open with this ledger.key"));
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN).ok_or_else(damaged)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| damaged())?;
        let mut text = text.to_vec();
        let plain = self
            .records
            .open_in_place(nonce, Aad::from(place.as_bytes()), &mut text)
            .map_err(|_| damaged())?
            .len();
        text.truncate(plain);
        Ok(text)
    }

    /// The keyed hash by which `text` is recognised, also after it was erased.
    pub(super) fn hash(&self, text: &str) -> Vec<u8> {
        hmac::sign(&self.tombstones, text.as_bytes()).as_ref().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> LedgerKey {
        LedgerKey::parse(&LedgerKey::generate()).expect("a generated key is one")
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_alone() {
        let (seal, _) = Seal::create(&key());
        let sealed = seal.seal("hire 1", b"Mia");
        assert!(!sealed.windows(3).any(|part| part == b"Mia"));
        assert_eq!(seal.unseal("hire 1", &sealed).expect("the same place"), b"Mia");
        assert!(seal.unseal("hire 2", &sealed).is_err());
        assert!(seal.unseal("hire 1", &sealed[..5]).is_err());
    }

    #[test]
    fn another_key_opens_nothing() {
        let (_, sealed) = Seal::create(&key());
        assert!(Seal::open(&key(), &sealed).is_none());
    }

    #[test]
    fn the_tombstone_key_survives_reopening() {
        let key = key();
        let (seal, sealed) = Seal::create(&key);
        let again = Seal::open(&key, &sealed).expect("the same key");
        assert_eq!(seal.hash("ashby/acme/1"), again.hash("ashby/acme/1"));
        assert_ne!(seal.hash("ashby/acme/1"), seal.hash("ashby/acme/2"));
    }

    #[test]
    fn a_wrong_key_text_is_refused_without_showing_it() {
        assert_eq!(LedgerKey::parse("not base64!").err(), Some(KeyError::NotBase64));
        assert_eq!(LedgerKey::parse("c2hvcnQ=").err(), Some(KeyError::WrongLength(5)));
    }
}
