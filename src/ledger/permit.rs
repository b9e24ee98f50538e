//! The permit: the right to make one call whose effect cannot be taken back.

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use crate::domain::hire::{RESENT, Record};
use crate::domain::{Employee, Entry, Hire, HireId};

/// One running process, as it signs permits. Made anew at each start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner(pub(super) Uuid);

impl Owner {
    /// An owner that nobody else is.
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }
}

impl Default for Owner {
    fn default() -> Self {
        Self::new()
    }
}

/// A spent permit, in the hands of the one that may make the call. It carries what may be sent, so that
/// nothing else can be; it cannot be copied, and only the ledger makes one, after the commit.
#[derive(Debug)]
#[must_use = "a permit that is not used leaves the hire in `sending`"]
pub struct Ticket<T> {
    subject: HireId,
    number: u32,
    deadline: Timestamp,
    content: T,
}

impl<T> Ticket<T> {
    pub(super) fn new(subject: HireId, number: u32, deadline: Timestamp, content: T) -> Self {
        Self { subject, number, deadline, content }
    }

    /// A ticket that no ledger granted, for tests of what spends one.
    #[cfg(test)]
    pub(crate) fn for_test(deadline: Timestamp, content: T) -> Self {
        Self::new(HireId(Uuid::now_v7()), 1, deadline, content)
    }

    /// The hire it was granted for.
    pub fn subject(&self) -> HireId {
        self.subject
    }

    /// Which permit of this hire it is, counted from 1.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The call must not start after this, and must be given up at this.
    pub fn deadline(&self) -> Timestamp {
        self.deadline
    }

    /// What may be sent.
    pub fn content(&self) -> &T {
        &self.content
    }
}

/// Why a permit was not granted. The hire was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// Another hire of the same person is being sent, or was.
    SamePerson(HireId),
    /// An earlier permit of this hire may have had its effect.
    Spent,
    /// The ATS has taken the hire back, at this time of its own if it told one, before the hire came; and
    /// the hire is not known to be the later of the two.
    Overtaken(Option<Timestamp>),
}

/// What is asked of the other rows before a permit is granted.
#[derive(Clone, Copy)]
pub(super) struct Guard {
    /// Whether another hire of the same person forbids it. Not if a person has said otherwise.
    pub second_hires: bool,
    /// Whether an un-hire that came before the hire forbids it. Not if a person has said otherwise.
    pub unhired: bool,
    /// When the hire happened at the ATS.
    pub hired_at: Option<Timestamp>,
}

impl Guard {
    pub(super) fn of(hire: &Hire) -> Self {
        Self {
            second_hires: !hire.flags.second_hire_approved,
            unhired: !hire.flags.unhire_overruled,
            hired_at: hire.record.hired_at,
        }
    }
}

/// The ticket for a permit that was committed with `sending`, which the hire is from now on.
pub(super) fn hand_out(
    hire: &mut Hire,
    mut sending: Hire,
    kept: Option<Arc<Record>>,
    number: u32,
    deadline: Timestamp,
    employee: Employee,
) -> Ticket<Employee> {
    sending.version += 1;
    sending.unsaved.clear();
    sending.kept = kept;
    *hire = sending;
    Ticket::new(hire.id, number, deadline, employee)
}

/// How the permit ended, if these steps leave `sending`.
pub(super) fn ended_by(steps: &[Entry]) -> Option<&'static str> {
    let left = steps.iter().find(|step| step.from.as_deref() == Some("sending") && step.to != "sending")?;
    Some(match left.to.as_str() {
        "created" => "created",
        "held(refused)" => "refused",
        to if to.starts_with("waiting") => "void",
        _ => "unknown",
    })
}

/// How a permit of unknown effect ends with these steps, if they say that it may be followed by another: a person
/// did, or the customer did beforehand. The latter counts once for a hire.
pub(super) fn overruled(steps: &[Entry]) -> Option<&'static str> {
    steps.iter().find_map(|step| match (step.from.as_deref()?, step.cause.as_str()) {
        ("held(unknown)", "approved") => Some("overruled"),
        ("unknown", RESENT) => Some("resent"),
        _ => None,
    })
}
