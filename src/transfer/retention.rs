//! What is not kept for ever.

use jiff::SignedDuration;
use serde::Deserialize;

use super::{Inner, LedgerError, Transfer};
use crate::domain::{DocumentEvent, DocumentState, Flaw};

/// How long things are kept.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// A file that was taken and is not in Personio, counted from the last step of its document.
    pub files: SignedDuration,
}

impl Retention {
    /// What cannot be obeyed: key and problem.
    pub fn objections(&self) -> Vec<(&'static str, String)> {
        if self.files.is_positive() {
            return Vec::new();
        }
        vec![("retention.files", "must be longer than nothing, such as \"720h\"".to_owned())]
    }
}

impl Transfer {
    /// Deletes what was kept for its time.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be read or written.
    pub async fn clear_away(&self) -> Result<(), LedgerError> {
        self.0.clear_the_spool().await
    }
}

impl Inner {
    /// A document whose file is gone can still be sent: its file is taken once more then, if the ATS still has it.
    async fn clear_the_spool(&self) -> Result<(), LedgerError> {
        let shelf = self.parts.ledger.shelf();
        let before = self.now() - self.parts.retention.files;
        for mut document in shelf.lying_since(before).await? {
            tracing::info!(hire = %document.hire, document = document.n, "a file was kept for its time and is deleted");
            document.taken = None;
            if document.state() == DocumentState::Pending {
                self.step(&mut document, &DocumentEvent::Unfit(Flaw::KeptTooLong))?;
            }
            match shelf.save(&mut document).await {
                // Something happens to it just now: it is looked at again in the next round.
                Err(LedgerError::Conflict) => {}
                saved => saved?,
            }
            self.due.notify_one();
        }
        Ok(())
    }
}
