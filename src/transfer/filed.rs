//! Files come on their own: signed, perhaps, some time after the hire. They follow the hire if there is one.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Inner;
use super::receive::{NotReceived, Stored};
use crate::ats::api::ApiError;
use crate::ats::{Filed, Source, Verified};
use crate::domain::{Document, DocumentKind, Facts, File, Hire, HireId, HireKey};
use crate::ledger::{Accepted, LedgerError};

/// How long the ATS may take to say whose files they are.
const FIND_WITHIN: Duration = Duration::from_secs(10);

/// What is answered when the ATS does not want to say it, as a stable code.
const NOT_TOLD: &str = "ats_refused";

/// The note on a hire of which the ATS said that something was signed, and has not listed it yet.
const AWAITED: &str = "signed_file_awaited";

impl Inner {
    /// Nothing is stored yet while the ATS is asked: if it cannot be, it is to send the delivery again. It is not
    /// asked about somebody who was not hired.
    pub(super) async fn filed(
        self: &Arc<Self>,
        source: &Source,
        filed: Filed,
        verified: &Verified,
    ) -> Result<Stored, NotReceived> {
        let otherwise = filed.otherwise;
        if let Some(key) = filed.application.as_deref().map(|application| source.key(application))
            && self.parts.ledger.find(&key).await?.is_none()
        {
            return Ok(Stored::nothing(otherwise));
        }
        let found = match source.find(filed, Instant::now() + FIND_WITHIN).await {
            Ok(found) => found,
            Err(error @ (ApiError::Refused(_) | ApiError::NoFiles)) => {
                tracing::warn!(source = source.name(), %error, "files not found");
                return Ok(Stored::nothing(NOT_TOLD));
            }
            Err(error) => return Err(NotReceived::Ats(error)),
        };
        match found.application.as_deref().map(|application| source.key(application)) {
            Some(key) if let Some(known) = self.parts.ledger.find(&key).await? => {
                let has_come = self.has_come(source, known.id, &found).await?;
                let stored = self.follows(source, key, found, verified, has_come).await?;
                if has_come { Ok(stored) } else { Err(NotReceived::NotYet) }
            }
            _ => Ok(Stored::nothing(otherwise)),
        }
    }

    /// Whether what the event announced is among the files, as far as it is wanted.
    async fn has_come(&self, source: &Source, hire: HireId, filed: &Filed) -> Result<bool, LedgerError> {
        let Some(awaited) = filed.awaited else { return Ok(true) };
        let filing = self.parts.planner.mappings.of(source.name()).filing();
        let wanted = |kind: DocumentKind| filing.of(kind).is_some();
        // Under another name, a signed offer is a letter.
        let or_letter = awaited == DocumentKind::SignedOffer && wanted(DocumentKind::OfferLetter);
        if !(wanted(awaited) || or_letter) {
            return Ok(true);
        }
        let known = self.parts.ledger.shelf().of(&[hire]).await?;
        Ok(is_among(awaited, filed.files.iter().filter(|file| wanted(file.kind)), &known))
    }

    /// Files of a hire that is known are its documents, whatever became of it by now. As long as the ATS has not listed
    /// what was signed, that shows on the hire: nobody repeats a delivery for ever.
    async fn follows(
        self: &Arc<Self>,
        source: &Source,
        key: HireKey,
        filed: Filed,
        verified: &Verified,
        has_come: bool,
    ) -> Result<Stored, LedgerError> {
        let same = Hire::received(self.new_id(), source.name(), key, Facts::new(), self.now());
        let delivery = self.delivery(source, &filed.event, filed.delivery_id.clone(), verified);
        let inner = Arc::clone(self);
        self.whatever_happens(async move {
            let (Accepted::New(mut hire) | Accepted::Repeat(mut hire)) =
                inner.parts.ledger.accept(same, delivery).await?;
            inner.files_came(&hire, &filed.files).await?;
            inner.note_awaited(&mut hire, !has_come).await?;
            Ok(Stored::known(&hire))
        })
        .await
    }

    async fn note_awaited(&self, hire: &mut Hire, is_awaited: bool) -> Result<(), LedgerError> {
        if is_awaited == hire.record.notes.iter().any(|note| note == AWAITED) {
            return Ok(());
        }
        hire.record.notes.retain(|note| note != AWAITED);
        if is_awaited {
            tracing::warn!(hire = %hire.id, "something was signed that the ATS does not list yet");
            hire.note(AWAITED);
        }
        match self.save(hire).await {
            // The hire moves just now: the next delivery sees to it.
            Err(LedgerError::Conflict) => Ok(()),
            saved => saved,
        }
    }
}

/// Whether the awaited one is among these files. A signed offer is told by its name alone: under another name, it is
/// what has come to an offer whose other files are known.
fn is_among<'a>(
    awaited: DocumentKind,
    files: impl Iterator<Item = &'a File>,
    documents: &[Document],
) -> bool {
    let is_known = |file: &&File| documents.iter().any(|document| document.sheet.file.id == file.id);
    let (known, new): (Vec<_>, Vec<_>) = files.partition(is_known);
    let is_awaited = |file: &&File| file.kind == awaited;
    let added = !new.is_empty() && !known.is_empty();
    new.iter().any(is_awaited)
        || (awaited == DocumentKind::SignedOffer && (added || known.iter().any(is_awaited)))
}
