//! What an operator is answered when `transfer` cannot do what was asked.

use super::code::Code;
use super::problem::Problem;
use super::shapes::PlanShape;
use crate::domain::Held;
use crate::ledger::LedgerError;
use crate::transfer::DeskError;

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::NotFound => Self::of(Code::HireNotFound),
            DeskError::WrongState { state, decided } => {
                Self::of(Code::WrongState).state(state.name()).reason(state.reason()).first(decided)
            }
            DeskError::OtherVersion { state, decided } => {
                Self::of(Code::OtherVersion).state(state.name()).reason(state.reason()).first(decided)
            }
            DeskError::PlanChanged { plan, difference } => {
                Self::of(Code::PlanChanged).difference(difference).plan(PlanShape::from(&*plan))
            }
            DeskError::NotSendable { plan } => {
                Self::of(Code::NotSendable).reason(plan.hold.map(Held::code)).plan(PlanShape::from(&*plan))
            }
            DeskError::Invalid(errors) => Self::of(Code::Invalid).fields(errors),
            DeskError::UnknownSource(_) => {
                Self::of(Code::UnknownSource).field("source", "is not configured; `/v1/sources` lists them")
            }
            DeskError::TooEarly { until } => Self::of(Code::TooEarly).until(until),
            DeskError::LookUpImpossible => Self::of(Code::LookUpImpossible),
            DeskError::EmployeeNotFound => Self::of(Code::EmployeeNotFound),
            DeskError::PersonioUnreachable => Self::of(Code::PersonioUnreachable),
            DeskError::KeyReused => Self::of(Code::IdempotencyKeyReused),
            DeskError::NoDocument => Self::of(Code::DocumentNotFound),
            DeskError::DocumentState { state } => {
                Self::of(Code::WrongDocumentState).state(state.name()).reason(state.reason())
            }
            DeskError::ValueNotFound => Self::of(Code::ValueNotFound),
            DeskError::NotAskable => Self::of(Code::SourceNotAskable),
            DeskError::Ats(error) => {
                tracing::warn!(%error, "an ATS was asked in vain");
                Self::of(Code::AtsUnavailable)
            }
            DeskError::NothingDelivered => Self::of(Code::NothingToReplay),
            DeskError::Unreadable { reason } => Self::of(Code::UnreadablePayload).reason(Some(reason)),
            DeskError::NoHire { reason } => Self::of(Code::NoHire).reason(Some(reason)),
            DeskError::Ledger(error) => error.into(),
        }
    }
}

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Conflict => Self::of(Code::ChangedMeanwhile),
            LedgerError::Damaged(_) => {
                tracing::error!(%error, "a request failed");
                Self::of(Code::Internal)
            }
            LedgerError::Unusable(_) | LedgerError::Broken(_) => {
                tracing::error!(%error, "a request failed");
                Self::of(Code::LedgerUnavailable)
            }
        }
    }
}
