//! The shelf: documents of hires, and the spool in which their files lie until they are in Personio.
//!
//! A file comes and goes in chunks, each sealed for its place, so that nobody ever has a whole file in memory and any
//! replica can send what another has taken.

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use super::LedgerError;
use super::permit::Ticket;
use super::row::time;
use super::seal::Seal;
use crate::domain::document::{DocumentStep, Sheet, Taken};
use crate::domain::{Actor, Document, DocumentEvent, DocumentId, DocumentState, HireId, Upload};

/// The largest chunk of a file, in bytes.
pub const CHUNK: usize = 256 << 10;

/// Why there is no permit for a document. It was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withheld {
    /// An earlier permit of this document may have had its effect.
    Spent,
    /// Another document of the hire with the same content was sent, or may have been.
    SameFile,
    /// The hire is not, or no more, this employee: not created, taken back, or somebody else.
    HireChanged,
}

/// What keeps documents. One implementation per engine; the same story is tested on each.
#[async_trait]
pub trait Shelf: Send + Sync {
    /// Adds documents of one hire, which get its next numbers. A file that the hire has already is passed over.
    async fn add(&self, documents: &[Document]) -> Result<(), LedgerError>;

    /// All documents of these hires, each hire's in their order.
    async fn of(&self, hires: &[HireId]) -> Result<Vec<Document>, LedgerError>;

    /// Commits the document's steps, if nobody changed it since it was read. If it leaves `sending`, the permit's end
    /// is noted in the same commit. What lies in the spool and is not what was taken, or is needed no more, goes.
    async fn save(&self, document: &mut Document) -> Result<(), LedgerError>;

    /// Grants the permit for this upload and commits it with the step to `sending`: as
    /// [`Ledger::permit`](super::Ledger::permit) does for an employee, and by the same rule.
    async fn permit(
        &self,
        document: &mut Document,
        upload: Upload,
        actor: &Actor,
        now: Timestamp,
        deadline: Timestamp,
    ) -> Result<Result<Ticket<Upload>, Withheld>, LedgerError>;

    /// Keeps the `n`th chunk, from 0, of one attempt to fill the spool.
    async fn keep(&self, document: DocumentId, fill: Uuid, n: u32, chunk: &[u8]) -> Result<(), LedgerError>;

    /// The `n`th chunk of what was taken.
    async fn chunk(&self, document: DocumentId, fill: Uuid, n: u32) -> Result<Option<Vec<u8>>, LedgerError>;

    /// Hires of which a document's time has come, the longest due first: one to be taken, one to be sent to an
    /// employee that is there, or one that ended and is to be told of. Where there are several replicas, the others
    /// are not told for a while.
    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<HireId>, LedgerError>;

    /// The earliest time of any such document.
    async fn next_due(&self) -> Result<Option<Timestamp>, LedgerError>;

    /// Documents in `sending` whose owner is gone, as far as can be known.
    async fn orphans(&self) -> Result<Vec<Document>, LedgerError>;

    /// Documents whose file lies in the spool, and with which nothing has happened since `before`.
    async fn lying_since(&self, before: Timestamp) -> Result<Vec<Document>, LedgerError>;

    /// How many documents are in which state.
    async fn counts(&self) -> Result<Vec<(String, u64)>, LedgerError>;
}

/// A document as columns.
pub(super) struct DocumentRow {
    pub id: Uuid,
    pub hire: Uuid,
    pub n: i64,
    /// Keyed hash of hire and file id.
    pub file_hash: Vec<u8>,
    pub kind: &'static str,
    pub state: String,
    pub reason: Option<String>,
    pub version: i64,
    pub fill: Option<Uuid>,
    pub size: Option<i64>,
    /// Keyed hash of the content; `None` leaves what is stored.
    pub content_hash: Option<Vec<u8>>,
    pub next_at: Option<i64>,
    pub since: Option<i64>,
    pub tries: i64,
    pub updated_at: i64,
    pub sheet: Vec<u8>,
}

impl DocumentRow {
    pub(super) fn of(document: &Document, seal: &Seal) -> Self {
        let (file, taken) = (&document.sheet.file, document.taken);
        let sheet = serde_json::to_vec(&document.sheet).expect("texts have a JSON form");
        Self {
            id: document.id.0,
            hire: document.hire.0,
            n: document.n.into(),
            file_hash: seal.hash(&format!("file {} {}", document.hire, file.id)),
            kind: file.kind.name(),
            state: document.state.name().to_owned(),
            reason: document.state.reason().map(str::to_owned),
            version: i64::try_from(document.version).unwrap_or(i64::MAX),
            fill: taken.map(|taken| taken.fill),
            size: taken.map(|taken| i64::try_from(taken.size).unwrap_or(i64::MAX)),
            content_hash: document
                .content
                .map(|digest| seal.hash(&format!("content {}", hex::encode(digest)))),
            next_at: document.next_at.map(Timestamp::as_millisecond),
            since: document.since.map(Timestamp::as_millisecond),
            tries: document.tries.into(),
            updated_at: document.updated_at.as_millisecond(),
            sheet: seal.seal(&place(document.id.0), &sheet),
        }
    }

    pub(super) fn open(self, seal: &Seal) -> Result<Document, LedgerError> {
        let damaged = || LedgerError::Damaged(format!("document {}", self.id));
        let sheet = seal.unseal(&place(self.id), &self.sheet)?;
        let sheet: Sheet = serde_json::from_slice(&sheet).map_err(|_| damaged())?;
        let state = DocumentState::parse(&self.state, self.reason.as_deref()).ok_or_else(damaged)?;
        let taken = self.fill.zip(self.size);
        Ok(Document {
            id: DocumentId(self.id),
            hire: HireId(self.hire),
            n: u32::try_from(self.n).map_err(|_| damaged())?,
            version: u64::try_from(self.version).unwrap_or_default(),
            sheet,
            state,
            taken: taken.map(|(fill, size)| Taken { fill, size: u64::try_from(size).unwrap_or_default() }),
            content: None,
            next_at: self.next_at.map(time),
            since: self.since.map(time),
            tries: u32::try_from(self.tries).unwrap_or(u32::MAX),
            updated_at: time(self.updated_at),
            unsaved: Vec::new(),
        })
    }

    /// What of the spool is still needed once this is stored.
    pub(super) fn needed(&self) -> Option<Uuid> {
        self.fill.filter(|_| !["sent", "same"].contains(&self.state.as_str()))
    }
}

fn place(document: Uuid) -> String {
    format!("sheet {document}")
}

/// Where a chunk may be opened: nowhere else, and in no other order.
pub(super) fn place_of_chunk(document: DocumentId, fill: Uuid, n: u32) -> String {
    format!("chunk {document} {fill} {n}")
}

/// The document with the step to `sending`, not saved yet.
pub(super) fn permitted(document: &Document, actor: &Actor, now: Timestamp) -> Result<Document, LedgerError> {
    let mut sending = document.clone();
    sending.apply(&DocumentEvent::Permitted, actor, now).map_err(|_| LedgerError::Conflict)?;
    Ok(sending)
}

/// The ticket for a permit that was committed with `sending`, which the document is from now on.
pub(super) fn hand_out(
    document: &mut Document,
    mut sending: Document,
    number: u32,
    deadline: Timestamp,
    upload: Upload,
) -> Ticket<Upload> {
    sending.version += 1;
    sending.unsaved.clear();
    *document = sending;
    Ticket::new(document.id.0, number, deadline, upload)
}

/// How the permit ended, if these steps leave `sending`.
pub(super) fn ended_by(steps: &[DocumentStep]) -> Option<&'static str> {
    let left = steps.iter().find(|step| step.from == DocumentState::Sending)?;
    Some(match left.to {
        DocumentState::Sent => "created",
        DocumentState::Failed(_) => "refused",
        DocumentState::Pending => "void",
        _ => "unknown",
    })
}

/// Whether a person says with these steps that a permit of unknown effect counts for nothing.
pub(super) fn overrules(steps: &[DocumentStep]) -> bool {
    steps.iter().any(|step| (step.from, step.to) == (DocumentState::Unknown, DocumentState::Pending))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Flaw, UploadOutcome, Waiting, step_document};

    #[test]
    fn a_documents_permit_ends_as_its_outcome_says() {
        for (outcome, end) in [
            (UploadOutcome::Stored, "created"),
            (UploadOutcome::Refused(Flaw::Refused), "refused"),
            (UploadOutcome::NotSent(Waiting::Throttled), "void"),
            (UploadOutcome::Unknown { what: "timeout".into() }, "unknown"),
        ] {
            let from = DocumentState::Sending;
            let to = step_document(from, &DocumentEvent::Uploaded(outcome)).expect("an outcome");
            let step = DocumentStep {
                at: Timestamp::UNIX_EPOCH,
                actor: "system".into(),
                from,
                to,
                cause: String::new(),
            };
            assert_eq!((ended_by(std::slice::from_ref(&step)), overrules(&[step])), (Some(end), false));
        }
    }
}
