//! A ledger that was restored from an older backup has forgotten whom it sent since. Where a look-up can be made
//! it tells; where none is allowed, a person does.

use jiff::Timestamp;

use super::{Inner, LedgerError};
use crate::domain::state::How;
use crate::domain::{Document, Entry, Hire, State};

impl Inner {
    /// Whether this hire, which cannot be looked up, may have been sent in the time that the ledger has forgotten,
    /// and no person has approved it since the restore.
    pub(super) fn may_be_forgotten(&self, hire: &mut Hire) -> bool {
        let Some(restored) = self.parts.restored.filter(|since| hire.received_at < since.doubtful_until())
        else {
            return false;
        };
        // With the time: it may be the second restore.
        let note = format!("restored:{}", restored.at);
        let asked = hire.received_at >= restored.at || hire.notes().any(|known| *known == note);
        hire.note(&note);
        !(asked && hire.flags.approved)
    }

    /// Whether a document may have been sent in the time that the ledger, or one that was lost, has forgotten, and no
    /// person has had it sent since: Personio does not tell which documents it has. Not if the employee was created
    /// by this ledger's own permit, since then none can have had a document before.
    pub(super) async fn may_be_filed(&self, hire: &Hire, document: &Document) -> Result<bool, LedgerError> {
        let restored = self.parts.restored.filter(|since| document.updated_at < since.doubtful_until());
        if restored.is_none() && hire.state() != State::Created(How::Adopted) {
            return Ok(false);
        }
        let since = restored.map_or(Timestamp::MIN, |since| since.at);
        let told = format!("document_forgotten:{}", document.n);
        let settles = |entry: &Entry| {
            (entry.to == State::Sending.name() && entry.at > since)
                || (entry.cause == told && entry.at >= since)
        };
        Ok(!self.parts.ledger.history(hire.id).await?.iter().any(settles))
    }
}
