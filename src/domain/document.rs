//! Documents that follow a hire: what becomes of each, and which state may follow which.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::file::File;
use super::hire::HireId;
use super::history::Actor;
use super::state::Waiting;

/// Our id of a document: a UUID version 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DocumentId(pub Uuid);

impl fmt::Display for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What would go wrong, or went wrong, with a document for good: a person has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flaw {
    /// Personio has no such category.
    CategoryUnknown,
    /// Personio has no such employee.
    EmployeeUnknown,
    /// Personio refused it for another reason.
    Refused,
    /// The credential may not upload documents, or not see the categories.
    NoRight,
    /// It is larger than Personio takes.
    TooLarge,
    /// With it, the hire's documents would be larger than is kept for one hire.
    HireTooLarge,
    /// There is nothing in it.
    Empty,
    /// Personio does not take files of this type.
    TypeNotTaken,
    /// Its declared type, its ending and its first bytes do not agree.
    TypeDoubtful,
    /// The ATS does not give it any more.
    LinkDead,
    /// The ATS does not take its key, or the key may not read files.
    AtsNoRight,
    /// The ATS points to a place that is not allowed.
    LinkForbidden,
    /// The ATS did not give it, however often it was asked.
    NotFetched,
    /// Personio could not be reached, or did not take the credential, for too long.
    NotSent,
    /// The ATS took the hire back before the document was sent.
    HireTakenBack,
    /// It could not be sent for so long that its file was deleted.
    KeptTooLong,
}

impl Flaw {
    /// Every flaw.
    pub const ALL: [Self; 16] = [
        Self::CategoryUnknown,
        Self::EmployeeUnknown,
        Self::Refused,
        Self::NoRight,
        Self::TooLarge,
        Self::HireTooLarge,
        Self::Empty,
        Self::TypeNotTaken,
        Self::TypeDoubtful,
        Self::LinkDead,
        Self::AtsNoRight,
        Self::LinkForbidden,
        Self::NotFetched,
        Self::NotSent,
        Self::HireTakenBack,
        Self::KeptTooLong,
    ];

    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::CategoryUnknown => "category_unknown",
            Self::EmployeeUnknown => "employee_unknown",
            Self::Refused => "refused",
            Self::NoRight => "no_right",
            Self::TooLarge => "too_large",
            Self::HireTooLarge => "hire_too_large",
            Self::Empty => "empty",
            Self::TypeNotTaken => "type_not_taken",
            Self::TypeDoubtful => "type_doubtful",
            Self::LinkDead => "link_dead",
            Self::AtsNoRight => "ats_no_right",
            Self::LinkForbidden => "link_forbidden",
            Self::NotFetched => "not_fetched",
            Self::NotSent => "not_sent",
            Self::HireTakenBack => "hire_taken_back",
            Self::KeptTooLong => "kept_too_long",
        }
    }
}

/// Where a document stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DocumentState {
    /// It is taken from the ATS, or waits for the employee or for its turn.
    Pending,
    /// The permit is spent; the upload may be on the wire.
    Sending,
    /// It is in Personio.
    Sent,
    /// It is not in Personio, and a person has to act.
    Failed(Flaw),
    /// It cannot be known whether it is in Personio. It is never sent again by itself.
    Unknown,
    /// The same file is another document of this hire.
    Same,
}

impl DocumentState {
    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Failed(_) => "failed",
            Self::Unknown => "unknown",
            Self::Same => "same",
        }
    }

    /// The stable code of why, where there is more than one way.
    pub fn reason(self) -> Option<&'static str> {
        match self {
            Self::Failed(flaw) => Some(flaw.code()),
            _ => None,
        }
    }

    /// The state with this name and reason.
    pub fn parse(name: &str, reason: Option<&str>) -> Option<Self> {
        Self::all().find(|state| state.name() == name && state.reason() == reason)
    }

    /// Every state with every reason.
    pub fn all() -> impl Iterator<Item = Self> {
        let plain = [Self::Pending, Self::Sending, Self::Sent, Self::Unknown, Self::Same];
        plain.into_iter().chain(Flaw::ALL.map(Self::Failed))
    }

    /// Whether a person is to look at it.
    pub fn wants_a_person(self) -> bool {
        matches!(self, Self::Failed(_) | Self::Unknown)
    }
}

/// `name` or `name(reason)`.
impl fmt::Display for DocumentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason() {
            Some(reason) => write!(f, "{}({reason})", self.name()),
            None => f.write_str(self.name()),
        }
    }
}

/// What happens to a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DocumentEvent {
    /// Its file cannot be had, or is not one to be sent.
    Unfit(Flaw),
    /// Its content is that of another document of this hire.
    Duplicate,
    /// The permit was granted.
    Permitted,
    /// The upload ended.
    Uploaded(UploadOutcome),
    /// The one that was sending it is gone.
    OwnerGone,
    /// The ledger was restored: it may have been sent after the backup.
    Forgotten,
    /// A person wants it sent, once more.
    Again,
}

/// What became of an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UploadOutcome {
    /// Personio has it.
    Stored,
    /// Personio said no.
    Refused(Flaw),
    /// It surely was not carried out.
    NotSent(Waiting),
    /// Nobody knows; `what` is a stable code such as `timeout`.
    Unknown {
        /// What was seen instead of an answer.
        what: String,
    },
}

/// This cannot happen to a document in this state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a document that is {} cannot take this step", .0.name())]
pub struct NotThen(pub DocumentState);

/// Which state follows: the only place that knows.
///
/// # Errors
/// [`NotThen`] if this cannot happen in this state.
pub fn step_document(state: DocumentState, event: &DocumentEvent) -> Result<DocumentState, NotThen> {
    use DocumentEvent::{Again, Duplicate, Forgotten, OwnerGone, Permitted, Unfit, Uploaded};
    use DocumentState::{Failed, Pending, Same, Sending, Sent, Unknown};
    match (state, event) {
        (Pending, Unfit(flaw)) | (Sending, Uploaded(UploadOutcome::Refused(flaw))) => Ok(Failed(*flaw)),
        (Pending, Duplicate) => Ok(Same),
        (Pending, Permitted) => Ok(Sending),
        (Sending, Uploaded(UploadOutcome::Stored)) => Ok(Sent),
        (Sending, Uploaded(UploadOutcome::NotSent(_))) | (Failed(_) | Unknown, Again) => Ok(Pending),
        (Sending, Uploaded(UploadOutcome::Unknown { .. }) | OwnerGone) | (Pending, Forgotten) => Ok(Unknown),
        _ => Err(NotThen(state)),
    }
}

/// What is personal of a document, kept encrypted.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sheet {
    /// The file at the ATS.
    pub file: File,
    /// The name under which it goes to Personio; empty until the file was taken.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub file_name: String,
    /// What Personio said when it refused it, or the host that a forbidden link leads to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
}

/// What was taken of a file: all of it, in the spool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Which of the attempts to fill the spool it was that filled it.
    pub fill: Uuid,
    /// How many bytes.
    pub size: u64,
}

/// One document of a hire, as it is in the ledger plus the steps not saved yet.
#[derive(Clone)]
pub struct Document {
    /// Our id.
    pub id: DocumentId,
    /// Whose it is.
    pub hire: HireId,
    /// Its number within the hire, from 1; given by the ledger, and never another's.
    pub n: u32,
    /// The ledger's version: a save succeeds only on the version that was read.
    pub(crate) version: u64,
    /// What is personal.
    pub sheet: Sheet,
    /// Where it stands; changed by [`Document::apply`] alone.
    pub(crate) state: DocumentState,
    /// The file, once it is wholly in the spool. Stays when it was sent and the spool is empty again.
    pub taken: Option<Taken>,
    /// SHA-256 of the content, once it was taken: the ledger keeps a keyed hash of it only. Known to whoever took it.
    pub content: Option<[u8; 32]>,
    /// When something is to be done next, of itself.
    pub next_at: Option<Timestamp>,
    /// Since when it is tried.
    pub since: Option<Timestamp>,
    /// How often it was put off since then.
    pub tries: u32,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The steps since it was read, not saved yet: who, when, from where, why, to where.
    pub(crate) unsaved: Vec<DocumentStep>,
}

/// One step of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentStep {
    /// When.
    pub at: Timestamp,
    /// Who, as [`Actor`] prints it.
    pub actor: String,
    /// The state before.
    pub from: DocumentState,
    /// The state after.
    pub to: DocumentState,
    /// What the hire's history says of it: a stable code, the document's number, and what is not personal.
    pub cause: String,
}

impl Document {
    /// A document of this file that is to be taken at once.
    pub fn of(file: File, hire: HireId, id: DocumentId, at: Timestamp) -> Self {
        Self {
            id,
            hire,
            n: 0,
            version: 0,
            sheet: Sheet { file, file_name: String::new(), said: None },
            state: DocumentState::Pending,
            taken: None,
            content: None,
            next_at: Some(at),
            since: None,
            tries: 0,
            updated_at: at,
            unsaved: Vec::new(),
        }
    }

    /// Where it stands.
    pub fn state(&self) -> DocumentState {
        self.state
    }

    /// Takes a step. Nothing is durable until the ledger has saved it. A next time, if it needs one, is set by the
    /// caller.
    ///
    /// # Errors
    /// [`NotThen`] if this cannot happen in the state it is in; nothing changes then.
    pub fn apply(&mut self, event: &DocumentEvent, actor: &Actor, at: Timestamp) -> Result<(), NotThen> {
        let (from, to) = (self.state, step_document(self.state, event)?);
        let cause = self.cause(event);
        self.unsaved.push(DocumentStep { at, actor: actor.to_string(), from, to, cause });
        (self.state, self.next_at, self.updated_at) = (to, None, at);
        Ok(())
    }

    /// What the hire's history says of an event.
    fn cause(&self, event: &DocumentEvent) -> String {
        let n = self.n;
        match event {
            DocumentEvent::Unfit(flaw) | DocumentEvent::Uploaded(UploadOutcome::Refused(flaw)) => {
                format!("document_failed:{n}:{}", flaw.code())
            }
            DocumentEvent::Duplicate => format!("document_same:{n}"),
            DocumentEvent::Permitted => format!("document_permitted:{n}"),
            DocumentEvent::Uploaded(UploadOutcome::Stored) => format!("document_sent:{n}"),
            DocumentEvent::Uploaded(UploadOutcome::NotSent(why)) => {
                format!("document_not_sent:{n}:{}", why.code())
            }
            DocumentEvent::Uploaded(UploadOutcome::Unknown { what }) => {
                format!("document_unknown:{n}:{what}")
            }
            DocumentEvent::OwnerGone => format!("document_owner_gone:{n}"),
            DocumentEvent::Forgotten => format!("document_forgotten:{n}"),
            DocumentEvent::Again => format!("document_again:{n}"),
        }
    }
}

/// Id, number and state only: everything else may be personal.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({} {} {})", self.hire, self.n, self.state)
    }
}

/// The kind only.
impl fmt::Debug for Sheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sheet({})", self.file.kind)
    }
}

/// What goes to Personio beside the file's bytes: what a permit for a document is granted for.
#[derive(Clone, PartialEq, Eq)]
pub struct Upload {
    /// Whose document it becomes.
    pub employee: u64,
    /// The category's id.
    pub category: u64,
    /// The title: 1 to 255 characters.
    pub title: String,
    /// The date.
    pub date: Option<Date>,
    /// A comment.
    pub comment: Option<String>,
    /// The file's name, cleaned, with its ending.
    pub file_name: String,
    /// How many bytes the file has.
    pub size: u64,
}

/// Ids and size only: title and name are personal.
impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Upload(to {}, category {}, {} bytes)", self.employee, self.category, self.size)
    }
}
