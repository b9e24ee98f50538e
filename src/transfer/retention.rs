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
    /// The body of a delivery, counted from its receipt; longer while its hire needs it.
    pub bodies: SignedDuration,
}

impl Retention {
    /// What cannot be obeyed: key and problem.
    pub fn objections(&self) -> Vec<(&'static str, String)> {
        let times = [("retention.files", self.files), ("retention.bodies", self.bodies)];
        let wrong = times.into_iter().filter(|(_, time)| !time.is_positive());
        wrong.map(|(key, _)| (key, "must be longer than nothing, such as \"720h\"".to_owned())).collect()
    }
}

impl Transfer {
    /// Deletes what was kept for its time.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be read or written.
    pub async fn clear_away(&self) -> Result<(), LedgerError> {
        self.0.clear_the_spool().await?;
        self.0.forget_bodies().await
    }
}

/// So many bodies are deleted in one commit.
const BATCH: usize = 100;

impl Inner {
    async fn forget_bodies(&self) -> Result<(), LedgerError> {
        let before = self.now() - self.parts.retention.bodies;
        let mut all = 0;
        loop {
            let gone = self.parts.ledger.forget_bodies(before, BATCH).await?;
            all += gone;
            if gone < BATCH {
                break;
            }
        }
        if all > 0 {
            tracing::info!(bodies = all, "bodies of deliveries were kept for their time and are deleted");
        }
        Ok(())
    }

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
