//! A ledger that was restored from an older backup has forgotten whom it sent since. Where a look-up can be made
//! it tells; where none is allowed, a person does.

use super::Inner;
use crate::domain::Hire;

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
}
