//! Encryption of what is personal, and keyed hashes of what must be recognised after erasure.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::{digest, hmac, rand};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::LedgerError;

const KEY_LEN: usize = 32;

/// So many bytes of a key's fingerprint stand before what it has sealed.
pub(super) const ID_LEN: usize = 8;

/// Which key has sealed something.
pub(super) type KeyId = [u8; ID_LEN];

/// The ledger's key: 32 bytes, kept in base64 outside the ledger. Losing it loses what is stored.
pub struct LedgerKey {
    bytes: [u8; KEY_LEN],
    others: Vec<[u8; KEY_LEN]>,
}

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
        let bytes = bytes.try_into().map_err(|_| KeyError::WrongLength(length))?;
        Ok(Self { bytes, others: Vec::new() })
    }

    /// The same key; what was sealed with one of these others is opened as well.
    #[must_use]
    pub fn beside(mut self, others: impl IntoIterator<Item = Self>) -> Self {
        self.others.extend(others.into_iter().map(|other| other.bytes));
        self
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

/// One key, and what tells that it was this one.
struct Sealer {
    id: KeyId,
    key: RandomizedNonceKey,
}

impl Sealer {
    fn new(bytes: &[u8; KEY_LEN]) -> Self {
        let text = [b"hirebridge ledger key ".as_slice(), bytes].concat();
        let print = digest::digest(&digest::SHA256, &text);
        Self {
            id: print.as_ref()[..ID_LEN].try_into().expect("a fingerprint is longer"),
            key: RandomizedNonceKey::new(&AES_256_GCM, bytes).expect("an AES-256 key has 32 bytes"),
        }
    }
}

/// What encrypts records (AES-256-GCM under the ledger's key) and hashes keys (HMAC-SHA-256 under a key
/// of its own, which stays when the ledger's key changes, so that tombstones stay recognisable).
pub(super) struct Seal {
    current: Sealer,
    /// What they have sealed is opened; nothing is sealed with them any more.
    others: Vec<Sealer>,
    tombstones: hmac::Key,
}

/// The seal of a ledger that was opened.
pub(super) struct Unlocked {
    pub seal: Seal,
    /// The tombstone key, sealed with the ledger's key of today, if it was sealed with another one.
    pub resealed: Option<Vec<u8>>,
    /// The key that it was sealed with.
    pub was: KeyId,
}

const TOMBSTONE_KEY: &str = "tombstone-key";

impl Seal {
    /// A seal for a new ledger, with a new tombstone key; the second value is that key, sealed, to be
    /// stored in the ledger.
    pub(super) fn create(key: &LedgerKey) -> (Self, Vec<u8>) {
        let tombstone_key = random();
        let seal = Self::with(key, &tombstone_key);
        let sealed = seal.seal(TOMBSTONE_KEY, &tombstone_key);
        (seal, sealed)
    }

    /// The seal of an existing ledger; `None` if it was made with a key that is not among these.
    pub(super) fn open(key: &LedgerKey, sealed_tombstone_key: &[u8]) -> Option<Unlocked> {
        let tombstone_key = Self::with(key, &[]).unseal(TOMBSTONE_KEY, sealed_tombstone_key).ok()?;
        let seal = Self::with(key, &tombstone_key);
        let old = !sealed_tombstone_key.starts_with(&seal.current.id);
        let resealed = old.then(|| seal.seal(TOMBSTONE_KEY, &tombstone_key));
        let was = sealed_tombstone_key.get(..ID_LEN)?.try_into().ok()?;
        Some(Unlocked { seal, resealed, was })
    }

    fn with(key: &LedgerKey, tombstone_key: &[u8]) -> Self {
        Self {
            current: Sealer::new(&key.bytes),
            others: key.others.iter().filter(|other| **other != key.bytes).map(Sealer::new).collect(),
            tombstones: hmac::Key::new(hmac::HMAC_SHA256, tombstone_key),
        }
    }

    /// The other keys that open something.
    pub(super) fn others(&self) -> Vec<KeyId> {
        self.others.iter().map(|sealer| sealer.id).collect()
    }

    /// The key that everything is sealed with from now on.
    pub(super) fn current(&self) -> KeyId {
        self.current.id
    }

    /// All keys that open something.
    pub(super) fn keys(&self) -> Vec<KeyId> {
        std::iter::once(&self.current).chain(&self.others).map(|sealer| sealer.id).collect()
    }

    /// Encrypts `plain` so that it can be opened only in its `place`: the key's id, nonce, then ciphertext with tag.
    pub(super) fn seal(&self, place: &str, plain: &[u8]) -> Vec<u8> {
        let head = ID_LEN + NONCE_LEN;
        let mut sealed = Vec::with_capacity(head + plain.len() + AES_256_GCM.tag_len());
        sealed.extend_from_slice(&self.current.id);
        sealed.extend_from_slice(&[0; NONCE_LEN]);
        sealed.extend_from_slice(plain);
        let (nonce, tag) = self
            .current
            .key
            .seal_in_place_separate_tag(Aad::from(place.as_bytes()), &mut sealed[head..])
            .expect("a record is far smaller than what AES-GCM can take");
        sealed[ID_LEN..head].copy_from_slice(nonce.as_ref());
        sealed.extend_from_slice(tag.as_ref());
        sealed
    }

    /// Opens what [`Seal::seal`] made for the same place, with whichever of the keys.
    pub(super) fn unseal(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, LedgerError> {
        let damaged = || LedgerError::Damaged(format!("{place} does not open with this ledger.key"));
        let (id, rest) = sealed.split_at_checked(ID_LEN).ok_or_else(damaged)?;
        let (nonce, text) = rest.split_at_checked(NONCE_LEN).ok_or_else(damaged)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| damaged())?;
        let mut sealers = std::iter::once(&self.current).chain(&self.others);
        let sealer = sealers.find(|sealer| sealer.id == id).ok_or_else(|| {
            LedgerError::Damaged(format!(
                "{place} is sealed with a key that is neither ledger.key nor one of ledger.previous_keys"
            ))
        })?;
        let mut text = text.to_vec();
        let plain = sealer
            .key
            .open_in_place(nonce, Aad::from(place.as_bytes()), &mut text)
            .map_err(|_| damaged())?
            .len();
        text.truncate(plain);
        Ok(text)
    }

    /// The same, sealed with the ledger's key of today.
    pub(super) fn reseal(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, LedgerError> {
        self.unseal(place, sealed).map(|plain| self.seal(place, &plain))
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
        let Unlocked { seal: again, resealed, .. } = Seal::open(&key, &sealed).expect("the same key");
        assert!(resealed.is_none());
        assert_eq!(seal.hash("ashby/acme/1"), again.hash("ashby/acme/1"));
        assert_ne!(seal.hash("ashby/acme/1"), seal.hash("ashby/acme/2"));
    }

    #[test]
    fn what_another_key_has_sealed_is_opened_and_nothing_more_sealed_with_it() {
        let (old, sealed_key) = Seal::create(&key());
        let sealed = old.seal("hire 1", b"Mia");
        let both = LedgerKey { bytes: [9; KEY_LEN], others: vec![[8; KEY_LEN]] };
        assert!(Seal::open(&both, &sealed_key).is_none(), "it is not among these");

        let first = LedgerKey { bytes: [8; KEY_LEN], others: Vec::new() };
        let (old, sealed_key) = Seal::create(&first);
        let sealed_by_old = old.seal("hire 1", b"Mia");
        let Unlocked { seal, resealed, .. } = Seal::open(&both, &sealed_key).expect("the other opens it");
        assert_eq!(seal.unseal("hire 1", &sealed_by_old).expect("it is opened"), b"Mia");
        assert_eq!(seal.hash("ashby/acme/1"), old.hash("ashby/acme/1"));
        assert!(seal.unseal("hire 1", &sealed).is_err(), "a third key's is not");
        let again = seal.reseal("hire 1", &sealed_by_old).expect("it is opened");
        assert!(again.starts_with(&seal.current()) && old.unseal("hire 1", &again).is_err());
        let alone = LedgerKey { bytes: [9; KEY_LEN], others: Vec::new() };
        assert!(Seal::open(&alone, &resealed.expect("it was another's")).is_some());
    }

    #[test]
    fn a_wrong_key_text_is_refused_without_showing_it() {
        assert_eq!(LedgerKey::parse("not base64!").err(), Some(KeyError::NotBase64));
        assert_eq!(LedgerKey::parse("c2hvcnQ=").err(), Some(KeyError::WrongLength(5)));
    }
}
