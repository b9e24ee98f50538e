//! What a former process, or a replica that is gone, left in mid-send.
//!
//! Nothing waits for this: a hire in `sending` is sent by nobody, whether or not its sender lives, so the service
//! takes deliveries while thousands of them are still being taken up.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::{Inner, Transfer};
use crate::domain::{Actor, Event, HireId, State};
use crate::ledger::LedgerError;

/// So many are taken up at a time: they share commits, and leave room for deliveries between them.
const AT_A_TIME: usize = 16;

impl Transfer {
    /// Hires whose sender is gone have an unknown outcome, and are looked up. After a start, and now and then:
    /// another replica may be gone. Nobody is asked but the ledger. One that cannot be taken up does not keep
    /// the others from it.
    ///
    /// # Errors
    /// [`LedgerError`] if some could not be read or written.
    pub async fn recover(&self) -> Result<(), LedgerError> {
        let orphans = self.ledger().orphans(self.0.now()).await?;
        let mut whole = Ok(());
        for some in orphans.chunks(AT_A_TIME) {
            let mut taking: JoinSet<_> = some.iter().map(|id| Arc::clone(&self.0).take_up(*id)).collect();
            while let Some(taken) = taking.join_next().await {
                let broken_off = |_| Err(LedgerError::Unusable("recovery was broken off".into()));
                whole = whole.and(taken.unwrap_or_else(broken_off));
            }
            self.0.due.notify_one();
        }
        whole.and(self.0.recover_documents().await)
    }
}

impl Inner {
    async fn take_up(self: Arc<Self>, id: HireId) -> Result<(), LedgerError> {
        // Whoever works on it here will say what became of it.
        let Some(_running) = self.progress.start(id, State::Sending) else { return Ok(()) };
        match self.abandoned(id).await {
            // Another replica was faster.
            Err(LedgerError::Conflict) => Ok(()),
            taken => taken,
        }
    }

    /// The one that sent this hire is gone: nobody knows what became of the call.
    pub(super) async fn abandoned(&self, id: HireId) -> Result<(), LedgerError> {
        let Some(mut hire) = self.parts.ledger.hire(id).await? else { return Ok(()) };
        if hire.state() != State::Sending {
            return Ok(());
        }
        let now = self.now();
        if hire.apply(&Event::OwnerGone, &Actor::System, now).is_ok() {
            self.look_up_later(&mut hire, now);
            self.save(&mut hire).await?;
        }
        Ok(())
    }
}
