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
    /// What is personal of a hire that has ended and needs no person, counted from its last change.
    pub people: SignedDuration,
    /// Who opened a hire.
    pub accesses: SignedDuration,
}

impl Retention {
    /// What cannot be obeyed: key and problem.
    pub fn objections(&self) -> Vec<(&'static str, String)> {
        let all = [
            ("retention.files", self.files, "720h"),
            ("retention.bodies", self.bodies, "720h"),
            ("retention.people", self.people, "4380h"),
            ("retention.accesses", self.accesses, "8760h"),
        ];
        let nothing = all.into_iter().filter(|(_, time, _)| !time.is_positive());
        nothing
            .map(|(key, _, usual)| (key, format!("must be longer than nothing, such as \"{usual}\"")))
            .collect()
    }
}

impl Transfer {
    /// Deletes what was kept for its time.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be read or written.
    pub async fn clear_away(&self) -> Result<(), LedgerError> {
        self.0.clear_the_spool().await?;
        self.0.erase_ended().await?;
        self.0.forget_bodies().await?;
        let before = self.0.now() - self.0.parts.retention.accesses;
        self.ledger().privacy().forget_accesses(before).await
    }
}

/// How many hires are erased, or bodies deleted, in one commit.
const AT_A_TIME: usize = 100;

impl Inner {
    async fn forget_bodies(&self) -> Result<(), LedgerError> {
        let before = self.now() - self.parts.retention.bodies;
        let mut all = 0;
        loop {
            let gone = self.parts.ledger.forget_bodies(before, AT_A_TIME).await?;
            all += gone;
            if gone < AT_A_TIME {
                break;
            }
        }
        if all > 0 {
            tracing::info!(bodies = all, "bodies of deliveries were kept for their time and are deleted");
        }
        Ok(())
    }

    /// Erases whose time is over, and those on their way no more whose erasure had to wait for that.
    async fn erase_ended(&self) -> Result<(), LedgerError> {
        loop {
            let now = self.now();
            let before = now - self.parts.retention.people;
            let erased = self.parts.ledger.privacy().erase_ended(before, now, AT_A_TIME).await?;
            if !erased.is_empty() {
                tracing::info!(hires = erased.len(), "the time of hires that have ended is over: erased");
                self.seen.forget();
            }
            if erased.len() < AT_A_TIME {
                return Ok(());
            }
        }
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
