//! The data file: people and documents, so that a stopped simulator can be looked at again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::SimError;
use super::company::Company;
use super::person::{Stored, StoredDocument};

/// Where the state is kept. Written as a whole on each change, so meant for a demo's handful of people.
pub(super) struct StateFile {
    path: PathBuf,
}

#[derive(Deserialize)]
pub(super) struct Saved {
    pub(super) employees: Vec<Stored>,
    pub(super) documents: Vec<StoredDocument>,
}

#[derive(Serialize)]
struct Saving<'c> {
    employees: Vec<&'c Stored>,
    documents: &'c [StoredDocument],
}

impl StateFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// What was saved before, if the file is there.
    pub(super) fn load(&self) -> Result<Option<Saved>, SimError> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(SimError::Data { path: self.path.clone(), source }),
        };
        let saved = serde_json::from_slice(&bytes).map_err(io::Error::other);
        saved.map(Some).map_err(|source| SimError::Data { path: self.path.clone(), source })
    }

    /// Writes a new file beside the old one and puts it in its place.
    pub(super) fn save(&self, company: &Company) -> Result<(), SimError> {
        let saving =
            Saving { employees: company.employees.values().collect(), documents: &company.documents };
        let text = serde_json::to_vec_pretty(&saving).expect("people and documents are plain values");
        self.replace(&text).map_err(|source| SimError::Data { path: self.path.clone(), source })
    }

    fn replace(&self, text: &[u8]) -> io::Result<()> {
        fs::create_dir_all(self.path.parent().unwrap_or(Path::new(".")))?;
        let fresh = self.path.with_extension("new");
        fs::write(&fresh, text)?;
        fs::rename(&fresh, &self.path)
    }
}
