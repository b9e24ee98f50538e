//! Why what a person asked for was not done.

use jiff::Timestamp;

use crate::domain::{Difference, DocumentState, NotAllowed, Plan, State};
use crate::ledger::LedgerError;

/// A value that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The attribute or fact.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

/// The last operator who decided about a hire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// Who: the operator's name.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// Why what a person asked for was not done.
#[derive(thiserror::Error)]
pub enum DeskError {
    /// There is no such hire.
    #[error("there is no such hire")]
    NotFound,
    /// It cannot be done to a hire in this state.
    #[error("a hire that is {} cannot take this step", state.name())]
    WrongState {
        /// The state it is in.
        state: State,
        /// Who was first, if it was a person.
        decided: Option<Decided>,
    },
    /// It is not the version that was looked at.
    #[error("the hire has changed since it was looked at")]
    OtherVersion {
        /// The state it is in.
        state: State,
        /// Who was first, if it was a person.
        decided: Option<Decided>,
    },
    /// What would be sent is not what was looked at.
    #[error("the plan has changed since it was previewed")]
    PlanChanged {
        /// The plan now.
        plan: Box<Plan>,
        /// What differs.
        difference: Vec<Difference>,
    },
    /// Something required is missing or invalid.
    #[error("the plan cannot be sent as it is")]
    NotSendable {
        /// The plan, with what is missing.
        plan: Box<Plan>,
    },
    /// Corrections or facts that cannot be taken.
    #[error("some values cannot be taken")]
    Invalid(Vec<FieldError>),
    /// No source has this name.
    #[error("there is no source of this name")]
    UnknownSource(String),
    /// The person may still appear in Personio.
    #[error("an earlier call may still take effect; try again after {until}")]
    TooEarly {
        /// When it may be sent again.
        until: Timestamp,
    },
    /// Whether the person is in Personio cannot be known with this credential.
    #[error("the credential may not read employees, so nobody can know whether the person is there already")]
    LookUpImpossible,
    /// Personio has no employee with this id.
    #[error("Personio has no such employee")]
    EmployeeNotFound,
    /// Personio cannot be asked now.
    #[error("Personio cannot be asked now")]
    PersonioUnreachable,
    /// The hire has no document of this number.
    #[error("the hire has no such document")]
    NoDocument,
    /// It cannot be done to a document in this state.
    #[error("a document that is {} cannot take this step", state.name())]
    DocumentState {
        /// The state it is in.
        state: DocumentState,
    },
    /// There is no such translation.
    #[error("there is no such value")]
    ValueNotFound,
    /// The idempotency key stands for another hire.
    #[error("this Idempotency-Key was used with another hire")]
    KeyReused,
    /// The ATS cannot be asked.
    #[error("this source's ATS cannot be asked: it has no API that we use, or there is no key")]
    NotAskable,
    /// The ATS was asked in vain.
    #[error(transparent)]
    Ats(crate::ats::ApiError),
    /// Nothing of the deliveries is stored any more, or there were none.
    #[error("no delivery of this hire is stored")]
    NothingDelivered,
    /// The payload is not what this ATS sends.
    #[error("the payload cannot be read: {reason}")]
    Unreadable {
        /// Why, as a stable code.
        reason: &'static str,
    },
    /// The payload is about no hire.
    #[error("the payload is about no hire: {reason}")]
    NoHire {
        /// Why, as a stable code.
        reason: &'static str,
    },
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// The variant alone: some hold personal values.
impl std::fmt::Debug for DeskError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DeskError({self})")
    }
}

impl From<NotAllowed> for DeskError {
    fn from(refusal: NotAllowed) -> Self {
        Self::WrongState { state: refusal.state, decided: None }
    }
}
