//! The permit: the right to make one call whose effect cannot be taken back.

use jiff::Timestamp;
use uuid::Uuid;

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
}

/// The ticket for a permit that was committed with `sending`, which the hire is from now on.
pub(super) fn hand_out(
    hire: &mut Hire,
    mut sending: Hire,
    number: u32,
    deadline: Timestamp,
    employee: Employee,
) -> Ticket<Employee> {
    sending.version += 1;
    sending.unsaved.clear();
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

/// Whether a person has said, with these steps, that a permit of unknown effect may be followed by another.
pub(super) fn overrules(steps: &[Entry]) -> bool {
    steps.iter().any(|step| step.from.as_deref() == Some("held(unknown)") && step.cause == "approved")
}
