//! [`step`]: the one function that knows which state may follow which, and what is to be done then.

use super::state::{Held, How, State, Waiting};

/// What became of the create call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Personio answered with the employee's id.
    Created {
        /// The employee's id in Personio.
        employee: u64,
    },
    /// Personio refused; nothing was created.
    Refused {
        /// The HTTP status of the refusal.
        status: u16,
    },
    /// The call was surely not carried out.
    NotSent(Waiting),
    /// It cannot be known.
    Unknown {
        /// What happened, as a stable code: `timeout`, `cut`, `status_502` …
        what: String,
    },
}

/// What a look-up by e-mail found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Found {
    /// Nobody.
    Absent,
    /// An employee who is active, on leave or in onboarding.
    Active,
    /// An inactive employee.
    Inactive,
    /// The employee of this very hire: the marker attribute carries its key.
    Ours,
    /// The credential may not read employees.
    NotAllowed,
}

/// What happens to a hire.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// The plan was made; `Some` holds the hire.
    Planned(Option<Held>),
    /// A rule says that it is not for Personio.
    RuledOut,
    /// A repeat brought facts that were lacking.
    FactsAdded,
    /// A person approved the plan, corrected or as it is.
    Approved,
    /// The look-up by e-mail was answered.
    LookedUp(Found),
    /// Personio could not be asked, or the call could not be made now.
    PutOff(Waiting),
    /// Another hire of the same person holds or has used a permit.
    SamePerson,
    /// The permit was granted.
    Permitted,
    /// An earlier permit may have had its effect, so that no other is granted.
    Spent,
    /// The create call ended.
    Called(Outcome),
    /// The process that held the permit is gone.
    OwnerGone,
    /// The waiting time is over.
    Due,
    /// It has waited long enough; a person is to look at it.
    GivenUp,
    /// A look-up after an unknown outcome found the person. `ours` if look-up 0 had found nobody or
    /// the marker matches.
    Appeared {
        /// Whether it surely is the person whom we created.
        ours: bool,
    },
    /// The look-ups are over, or not possible, and nobody was found.
    NotFound,
    /// A person said which employee it is.
    Linked,
    /// What arrived was compared with what was sent.
    Compared,
    /// Nobody was found after the quiet time, and the customer has said that it may be sent once more.
    Resent,
    /// The ATS says that the person is not hired after all.
    Unhired,
    /// The ATS says, after it had taken the hire back, that the person is hired again.
    Rehired,
    /// The ATS has both hired and taken back, and nothing tells which came last.
    Unclear,
    /// The person is to be erased.
    Erased,
}

/// What is to be done next for a hire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Complete the facts and make the plan.
    Plan,
    /// Look-up 0: ask Personio whether the e-mail is there already.
    LookUp,
    /// Spend the permit and call.
    Send,
    /// Nothing until the hire's next time.
    Wait,
    /// Its next time has come: make it ready again, or give it up.
    Wake,
    /// Look the person up, as scheduled.
    LookAgain,
    /// Find out whom the refused e-mail belongs to, if to anybody.
    LookUpRefused,
    /// Compare what arrived with what was sent.
    Compare,
    /// Nothing: it has ended, or a person has to act.
    Rest,
}

/// An event that cannot happen to a hire in this state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a hire that is {} cannot take this step ({event:?})", state.name())]
pub struct NotAllowed {
    /// The state the hire is in.
    pub state: State,
    /// What was to happen.
    pub event: Event,
}

/// The state that follows `state` when `event` happens, and what is to be done then.
///
/// # Errors
/// [`NotAllowed`] for every pair that is not in the table of states; the hire stays as it is.
pub fn step(state: State, event: &Event) -> Result<(State, Effect), NotAllowed> {
    use Event as E;
    use State as S;
    let next = match (state, event) {
        (S::Erased, _) => None,
        (_, E::Erased) => Some((S::Erased, Effect::Rest)),

        (S::Received, E::Planned(None))
        | (S::Held(_) | S::Cancelled | S::Ignored, E::Approved)
        | (S::Waiting(_), E::Due)
        | (S::Unknown, E::Resent) => Some((S::Ready, Effect::LookUp)),
        (S::Received | S::Ready, E::Planned(Some(why))) => Some((S::Held(*why), Effect::Rest)),
        (S::Received, E::RuledOut) => Some((S::Ignored, Effect::Rest)),
        (S::Received | S::Ready | S::Waiting(_) | S::Ignored, E::FactsAdded) | (S::Cancelled, E::Rehired) => {
            Some((S::Received, Effect::Plan))
        }
        (S::Held(why), E::FactsAdded) if why.is_about_the_plan() => Some((S::Received, Effect::Plan)),
        // What may be in Personio is never cancelled: it is kept, and flagged.
        (S::Sending | S::Unknown | S::Held(Held::Unknown) | S::Created(_) | S::Cancelled, E::Unhired)
        | (S::Held(_), E::FactsAdded)
        | (S::Held(Held::Refused), E::LookedUp(Found::Absent | Found::NotAllowed)) => {
            Some((state, Effect::Rest))
        }

        (S::Ready, E::LookedUp(Found::Absent | Found::NotAllowed)) => Some((S::Ready, Effect::Send)),
        (S::Ready | S::Held(Held::Refused), E::LookedUp(Found::Active)) => {
            Some((S::Held(Held::Exists), Effect::Rest))
        }
        (S::Ready | S::Held(Held::Refused), E::LookedUp(Found::Inactive)) => {
            Some((S::Held(Held::Rehire), Effect::Rest))
        }
        // Created in a life that this ledger knows nothing of: it was restored from an older backup.
        (S::Ready | S::Held(Held::Refused), E::LookedUp(Found::Ours)) => {
            Some((S::Created(How::Adopted), Effect::Compare))
        }
        (S::Ready, E::PutOff(why)) => Some((S::Waiting(*why), Effect::Wait)),
        (S::Ready, E::SamePerson) => Some((S::Held(Held::SecondHire), Effect::Rest)),
        (S::Ready, E::Spent) | (S::Unknown, E::NotFound) => Some((S::Held(Held::Unknown), Effect::Rest)),
        (S::Ready, E::Permitted) => Some((S::Sending, Effect::Rest)),

        (S::Sending, E::Called(outcome)) => Some(after_call(outcome)),
        (S::Sending, E::OwnerGone) => Some((S::Unknown, Effect::Wait)),
        (S::Waiting(_), E::GivenUp) => Some((S::Held(Held::NotSent), Effect::Rest)),

        (S::Unknown, E::Appeared { ours: true }) => Some((S::Created(How::Adopted), Effect::Compare)),
        (S::Unknown, E::Appeared { ours: false }) => Some((S::Held(Held::Exists), Effect::Rest)),
        (S::Held(_), E::Linked) => Some((S::Created(How::Linked), Effect::Compare)),
        (S::Created(_), E::Compared) => Some((state, Effect::Rest)),

        (S::Received | S::Ready | S::Held(_) | S::Waiting(_) | S::Ignored, E::Unhired) => {
            Some((S::Cancelled, Effect::Rest))
        }
        (S::Cancelled | S::Ready, E::Unclear) => Some((S::Held(Held::Review), Effect::Rest)),
        _ => None,
    };
    next.ok_or_else(|| NotAllowed { state, event: event.clone() })
}

fn after_call(outcome: &Outcome) -> (State, Effect) {
    match outcome {
        Outcome::Created { .. } => (State::Created(How::Sent), Effect::Compare),
        Outcome::Refused { .. } => (State::Held(Held::Refused), Effect::LookUpRefused),
        Outcome::NotSent(why) => (State::Waiting(*why), Effect::Wait),
        Outcome::Unknown { .. } => (State::Unknown, Effect::Wait),
    }
}

/// Whether the outcome of a call is stored over what was `stored` while it was on the wire: by another replica
/// that took its sender for gone, or by a person after that. `superseded` says that meanwhile a person has
/// allowed another call, or it was made: then this outcome must not be taken for that one's.
///
/// That the employee exists is worth more than any guess. That it surely does not mends only what was not known.
pub fn prevails(outcome: State, stored: State, superseded: bool) -> bool {
    match (outcome, stored) {
        (_, State::Erased) => false,
        (State::Created(_), State::Sending | State::Created(_)) => !superseded,
        (State::Created(_), _) => true,
        (State::Unknown | State::Held(Held::Unknown), _) => stored == State::Sending && !superseded,
        (_, State::Sending | State::Unknown | State::Held(Held::Unknown)) => !superseded,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::state::ALL;
    use super::*;

    /// Every event, with every variant that matters to a state.
    fn events() -> Vec<Event> {
        let outcomes = [
            Outcome::Created { employee: 1 },
            Outcome::Refused { status: 422 },
            Outcome::NotSent(Waiting::Throttled),
            Outcome::Unknown { what: "timeout".into() },
        ];
        let found = [Found::Absent, Found::Active, Found::Inactive, Found::Ours, Found::NotAllowed];
        let mut events = vec![
            Event::Planned(None),
            Event::Planned(Some(Held::Missing)),
            Event::RuledOut,
            Event::FactsAdded,
            Event::Approved,
            Event::PutOff(Waiting::Unreachable),
            Event::SamePerson,
            Event::Permitted,
            Event::Spent,
            Event::OwnerGone,
            Event::Due,
            Event::GivenUp,
            Event::Appeared { ours: true },
            Event::Appeared { ours: false },
            Event::NotFound,
            Event::Linked,
            Event::Compared,
            Event::Resent,
            Event::Unhired,
            Event::Rehired,
            Event::Unclear,
            Event::Erased,
        ];
        events.extend(outcomes.map(Event::Called));
        events.extend(found.map(Event::LookedUp));
        events
    }

    fn edges() -> impl Iterator<Item = (State, Event, State, Effect)> {
        ALL.iter().flat_map(|state| {
            events().into_iter().filter_map(|event| {
                step(*state, &event).ok().map(|(next, effect)| (*state, event, next, effect))
            })
        })
    }

    #[test]
    fn only_a_ready_hire_gets_a_permit_and_only_the_permit_leads_to_sending() {
        for (from, event, to, _) in edges() {
            if to == State::Sending && from != State::Sending {
                assert_eq!((from, &event), (State::Ready, &Event::Permitted));
            }
        }
    }

    #[test]
    fn an_unknown_outcome_never_becomes_ready_unless_a_person_or_the_customer_said_so() {
        for (from, event, to, _) in edges() {
            if matches!(from, State::Unknown | State::Sending) && event != Event::Resent {
                assert!(!matches!(to, State::Ready | State::Received), "{from:?} {event:?}");
            }
            if event == Event::Resent {
                assert_eq!((from, to), (State::Unknown, State::Ready));
            }
            if from == State::Held(Held::Unknown) && to == State::Ready {
                assert_eq!(event, Event::Approved);
            }
        }
    }

    #[test]
    fn a_late_outcome_gives_way_to_what_is_known_and_is_never_taken_for_a_later_call_s() {
        let created = State::Created(How::Sent);
        let not_sent = State::Waiting(Waiting::Throttled);
        let refused = State::Held(Held::Refused);
        let unknown = [State::Unknown, State::Held(Held::Unknown)];
        for outcome in [created, not_sent, refused] {
            assert!(prevails(outcome, State::Sending, false));
            assert!(!prevails(outcome, State::Sending, true), "another call is on the wire");
            assert!(unknown.iter().all(|stored| prevails(outcome, *stored, false)));
            assert!(!prevails(outcome, State::Erased, false));
        }
        for stored in [State::Ready, State::Held(Held::Unknown), State::Cancelled, not_sent] {
            assert!(
                prevails(created, stored, true),
                "an employee that is there is not forgotten: {stored:?}"
            );
        }
        for outcome in [not_sent, refused, State::Unknown, State::Held(Held::Unknown)] {
            assert!(!prevails(outcome, State::Created(How::Linked), false), "{outcome:?}");
            assert!(!prevails(outcome, State::Ready, true), "{outcome:?}");
        }
    }

    #[test]
    fn a_created_hire_stays_created_until_it_is_erased() {
        for (from, event, to, _) in edges() {
            if matches!(from, State::Created(_)) {
                assert!(to == from || event == Event::Erased, "{from:?} {event:?} {to:?}");
            }
        }
    }

    #[test]
    fn only_who_is_surely_ours_is_adopted() {
        for (from, event, to, _) in edges() {
            if to == State::Created(How::Adopted) && from != to {
                let surely = [Event::LookedUp(Found::Ours), Event::Appeared { ours: true }];
                assert!(surely.contains(&event), "{from:?} {event:?}");
            }
        }
    }

    #[test]
    fn what_may_be_in_personio_is_never_cancelled() {
        for (from, event, to, _) in edges() {
            if to == State::Cancelled && from != to {
                assert_eq!(event, Event::Unhired);
                assert!(!from.may_be_an_employee(), "{from:?}");
            }
        }
    }

    #[test]
    fn nothing_leaves_the_tombstone() {
        assert!(edges().all(|(from, ..)| from != State::Erased));
    }

    #[test]
    fn every_state_that_is_not_at_rest_can_be_resumed() {
        for (_, event, to, effect) in edges() {
            let goes_on = !matches!(effect, Effect::Rest);
            if goes_on && event != Event::LookedUp(Found::Absent) {
                assert_ne!(to.resume(), Effect::Rest, "{to:?} after {event:?}");
            }
        }
    }
}
