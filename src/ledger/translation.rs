//! One translation as the columns of any engine: its values sealed.

use uuid::Uuid;

use super::LedgerError;
use super::seal::Seal;
use crate::domain::Translation;

/// A row of `translations`.
#[derive(Clone)]
pub(super) struct Sealed {
    pub id: Uuid,
    /// Keyed hash of what it is about.
    pub slot: Vec<u8>,
    pub entry: Vec<u8>,
}

impl Sealed {
    pub(super) fn of(translation: &Translation, seal: &Seal) -> Self {
        let entry = serde_json::to_vec(translation).expect("texts and times have a JSON form");
        let id = translation.id;
        Self { id, slot: seal.hash(&translation.slot()), entry: seal.seal(&place(id), &entry) }
    }
}

/// Opens what is sealed.
pub(super) fn open(id: Uuid, entry: &[u8], seal: &Seal) -> Result<Translation, LedgerError> {
    let entry = seal.unseal(&place(id), entry)?;
    serde_json::from_slice(&entry).map_err(|_| LedgerError::Damaged(format!("translation {id}")))
}

fn place(id: Uuid) -> String {
    format!("translation {id}")
}
