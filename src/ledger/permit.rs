//! The permit: the right to make one call whose effect cannot be taken back.

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use crate::domain::hire::Record;
use crate::domain::history::RESENT;
use crate::domain::{Employee, Entry, Hire, HireId, State};

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
    subject: Uuid,
    number: u32,
    deadline: Timestamp,
    content: T,
}

impl<T> Ticket<T> {
    pub(super) fn new(subject: Uuid, number: u32, deadline: Timestamp, content: T) -> Self {
        Self { subject, number, deadline, content }
    }

    /// A ticket that no ledger granted, for tests of what spends one.
    #[cfg(test)]
    pub(crate) fn for_test(deadline: Timestamp, content: T) -> Self {
        Self::new(Uuid::now_v7(), 1, deadline, content)
    }

    /// The id of what it was granted for: a hire, or one of its documents.
    pub fn subject(&self) -> Uuid {
        self.subject
    }

    /// Which permit of its subject it is, counted from 1.
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
    Ticket::new(hire.id.0, number, deadline, employee)
}

/// What has become of a permit.
#[derive(Clone, Debug)]
pub enum Permit {
    /// It has not ended: the call may be on the wire.
    Open,
    /// How it ended.
    Ended(String),
}

impl From<Option<String>> for Permit {
    fn from(ended: Option<String>) -> Self {
        ended.map_or(Self::Open, Self::Ended)
    }
}

impl Permit {
    /// Whether it surely had no effect, or a person has said that it counts for nothing.
    fn is_harmless(&self) -> bool {
        matches!(self, Self::Ended(how) if ["void", "refused", "overruled"].contains(&how.as_str()))
    }

    fn was_resent(&self) -> bool {
        matches!(self, Self::Ended(how) if how == "resent")
    }
}

/// The number of a hire's next permit after all that it has had, if there may be a next one.
pub fn next_number(permits: &[Permit]) -> Option<u32> {
    let free = permits.iter().all(|permit| permit.is_harmless() || permit.was_resent());
    free.then(|| u32::try_from(permits.len()).unwrap_or(u32::MAX).saturating_add(1))
}

/// Another hire of the same person, with one of its permits.
#[derive(Clone, Debug)]
pub struct Other {
    /// The hire.
    pub hire: HireId,
    /// Its state; `None` is one that cannot be read.
    pub state: Option<State>,
    /// One of its permits, if it has any.
    pub permit: Option<Permit>,
}

impl Other {
    /// The hire, if an employee came, or may have come, of it: then there is no permit for the same person.
    pub fn is_in_the_way(&self) -> Option<HireId> {
        let sent = self.permit.as_ref().is_some_and(|permit| !permit.is_harmless());
        (sent || self.state.is_none_or(State::may_be_an_employee)).then_some(self.hire)
    }
}

/// How the permit ended, if these steps leave `sending`.
pub fn ended_by(steps: &[Entry]) -> Option<&'static str> {
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
pub fn overruled(steps: &[Entry]) -> Option<&'static str> {
    steps.iter().find_map(|step| match (step.from.as_deref()?, step.cause.as_str()) {
        ("held(unknown)", "approved") => Some("overruled"),
        ("unknown", RESENT) => Some("resent"),
        _ => None,
    })
}

/// Whether the permit with this number was followed by another, or by a word that there may be one.
pub fn is_superseded(history: &[Entry], number: u32) -> bool {
    let granted = |step: &Entry| step.to == "sending" && step.from.as_deref() != Some("sending");
    let mut since = history.iter();
    let own = (0..number).all(|_| since.any(granted));
    let since = since.as_slice();
    !own || since.iter().any(granted) || overruled(since).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Actor, Event, Held, How, Outcome, Waiting};

    fn line(from: State, event: &Event, to: State) -> Entry {
        Entry::of(from, event, to, &Actor::System, Timestamp::UNIX_EPOCH)
    }

    fn permitted() -> Entry {
        line(State::Ready, &Event::Permitted, State::Sending)
    }

    fn ended(how: &str) -> Permit {
        Permit::Ended(how.to_owned())
    }

    #[test]
    fn only_permits_that_surely_had_no_effect_or_were_overruled_let_another_follow() {
        assert_eq!(next_number(&[]), Some(1));
        for harmless in ["void", "refused", "overruled", "resent"] {
            assert_eq!(next_number(&[ended(harmless)]), Some(2), "{harmless}");
        }
        for open in [Permit::Open, ended("unknown"), ended("created"), ended("anything else")] {
            let permits = [ended("void"), open];
            assert_eq!(next_number(&permits), None, "{permits:?}");
        }
    }

    #[test]
    fn another_hire_of_the_person_is_in_the_way_if_it_may_be_an_employee() {
        let hire = HireId(Uuid::nil());
        let exists = State::Held(Held::Exists);
        let other = |state, permit| Other { hire, state: Some(state), permit };
        for other in [
            other(State::Sending, Some(Permit::Open)),
            other(State::Held(Held::Unknown), None),
            other(State::Created(How::Linked), None),
            other(exists, Some(ended("unknown"))),
            other(State::Ready, Some(ended("resent"))),
            Other { state: None, ..other(exists, None) },
        ] {
            assert_eq!(other.is_in_the_way(), Some(hire), "{other:?}");
        }
        for other in [other(exists, None), other(State::Ready, Some(ended("void")))] {
            assert_eq!(other.is_in_the_way(), None, "{other:?}");
        }
    }

    #[test]
    fn a_permit_ends_as_its_outcome_says() {
        let ends = [
            (Outcome::Created { employee: 1 }, "created"),
            (Outcome::Refused { status: 422 }, "refused"),
            (Outcome::NotSent(Waiting::Throttled), "void"),
            (Outcome::Unknown { what: "timeout".into() }, "unknown"),
        ];
        for (outcome, end) in ends {
            let event = Event::Called(outcome);
            let (to, _) = crate::domain::step(State::Sending, &event).expect("an outcome of what is sent");
            assert_eq!(ended_by(&[line(State::Sending, &event, to)]), Some(end));
        }
        let flagged = line(State::Sending, &Event::Unhired, State::Sending);
        assert_eq!(ended_by(&[flagged]), None);
        assert_eq!(ended_by(&[line(State::Sending, &Event::OwnerGone, State::Unknown)]), Some("unknown"));
    }

    #[test]
    fn a_permit_is_superseded_by_another_and_by_a_person_who_allows_another() {
        let gone = line(State::Sending, &Event::OwnerGone, State::Unknown);
        let held = line(State::Unknown, &Event::NotFound, State::Held(Held::Unknown));
        let approved = line(State::Held(Held::Unknown), &Event::Approved, State::Ready);
        let mut history = vec![permitted(), gone, held];
        assert!(!is_superseded(&history, 1));
        history.push(approved);
        assert!(is_superseded(&history, 1));
        history.push(permitted());
        assert!(is_superseded(&history, 1));
        assert!(!is_superseded(&history, 2));
        assert!(is_superseded(&history, 3), "it is not even there");
    }
}
