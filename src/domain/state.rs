//! The states of a hire, and [`step`]: the one function that knows which state may follow which.

use serde::{Deserialize, Serialize};

/// Where a hire stands. An answer's `state` is [`State::name`], its `reason` is [`State::reason`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Verified and stored; not planned yet.
    Received,
    /// Planned, or approved by a person; may be sent.
    Ready,
    /// Waits for a person.
    Held(Held),
    /// Waits for a time; was surely not sent.
    Waiting(Waiting),
    /// The permit is spent; the call may be on the wire.
    Sending,
    /// It cannot be known whether Personio created the person; it is being looked up.
    Unknown,
    /// The employee is in Personio.
    Created(How),
    /// Un-hired before it was sent.
    Cancelled,
    /// A rule says that this hire is not for Personio.
    Ignored,
    /// Erased; only the keyed hash of its key is left.
    Erased,
}

/// Why a hire waits for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// A required field has no value.
    Missing,
    /// A value cannot be sent as it is: a date that is none, control characters in a name.
    Invalid,
    /// The signed body has a key twice, so that it can be read in two ways.
    Ambiguous,
    /// The signed body is not the JSON that this ATS sends.
    Unreadable,
    /// A value matches nothing that Personio knows.
    Unmatched,
    /// Another hire has the same e-mail address.
    SecondHire,
    /// A person is to look at it first: typed by hand, or an uncertain split of the name.
    Review,
    /// An active employee has this e-mail address.
    Exists,
    /// An inactive employee has this e-mail address.
    Rehire,
    /// Personio refused the employee.
    Refused,
    /// The outcome is unknown and looking has not found the person.
    Unknown,
    /// Personio could not be reached, or did not take the credential, for 72 hours.
    NotSent,
}

/// Why a hire waits for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Waiting {
    /// Personio could not be reached, or could not be asked.
    Unreachable,
    /// Personio does not take our credential, or it lacks a right.
    Credential,
    /// Personio asked us to slow down.
    Throttled,
}

/// How the employee came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// Created by our call, which was answered.
    Sent,
    /// Created by our call, whose answer was lost; found afterwards.
    Adopted,
    /// A person said which employee it is.
    Linked,
}

/// What became of the create call.
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nobody.
    Absent,
    /// An employee who is active, on leave or in onboarding.
    Active,
    /// An inactive employee.
    Inactive,
    /// The credential may not read employees.
    NotAllowed,
}

/// What happens to a hire.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// The ATS says that the person is not hired after all.
    Unhired,
    /// The person is to be erased.
    Erased,
}

/// What is to be done next for a hire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

        (S::Received, E::Planned(None)) | (S::Held(_), E::Approved) | (S::Waiting(_), E::Due) => {
            Some((S::Ready, Effect::LookUp))
        }
        (S::Received | S::Ready, E::Planned(Some(why))) => Some((S::Held(*why), Effect::Rest)),
        (S::Received, E::RuledOut) => Some((S::Ignored, Effect::Rest)),
        (S::Received | S::Ready | S::Waiting(_), E::FactsAdded) => Some((S::Received, Effect::Plan)),
        (S::Held(why), E::FactsAdded) if why.is_about_the_plan() => Some((S::Received, Effect::Plan)),
        (S::Held(_), E::FactsAdded)
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

        (S::Received | S::Ready | S::Held(_) | S::Waiting(_), E::Unhired) => {
            Some((S::Cancelled, Effect::Rest))
        }
        (S::Sending | S::Unknown | S::Created(_) | S::Cancelled, E::Unhired) => Some((state, state.resume())),
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

impl State {
    /// What is to be done when a hire in this state has a next time and that time has come: after a
    /// restart, or when it is due. Everything a hire needs to go on is in its state.
    pub fn resume(self) -> Effect {
        match self {
            Self::Received => Effect::Plan,
            Self::Ready => Effect::LookUp,
            Self::Waiting(_) => Effect::Wake,
            Self::Unknown => Effect::LookAgain,
            Self::Created(_) => Effect::Compare,
            Self::Held(Held::Refused) => Effect::LookUpRefused,
            Self::Sending | Self::Held(_) | Self::Cancelled | Self::Ignored | Self::Erased => Effect::Rest,
        }
    }

    /// The stable name of the state.
    pub fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Ready => "ready",
            Self::Held(_) => "held",
            Self::Waiting(_) => "waiting",
            Self::Sending => "sending",
            Self::Unknown => "unknown",
            Self::Created(_) => "created",
            Self::Cancelled => "cancelled",
            Self::Ignored => "ignored",
            Self::Erased => "erased",
        }
    }

    /// The stable code of why it is in this state, where there is more than one way.
    pub fn reason(self) -> Option<&'static str> {
        match self {
            Self::Held(why) => Some(why.code()),
            Self::Waiting(why) => Some(why.code()),
            Self::Created(How::Adopted) => Some("adopted"),
            Self::Created(How::Linked) => Some("linked"),
            Self::Ignored => Some("rule"),
            _ => None,
        }
    }

    /// The state with this name and reason, as [`name`](Self::name) and [`reason`](Self::reason) wrote it.
    pub fn parse(name: &str, reason: Option<&str>) -> Option<Self> {
        ALL.iter().copied().find(|state| state.name() == name && state.reason() == reason)
    }

    /// Whether nothing automatic will happen any more and no person needs to act.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Created(_) | Self::Cancelled | Self::Ignored | Self::Erased)
    }

    /// Whether the permit may still be granted, so that facts and plan may change.
    pub fn is_before_permit(self) -> bool {
        matches!(self, Self::Received | Self::Ready | Self::Waiting(_))
            || matches!(self, Self::Held(why) if why != Held::Refused && why != Held::Unknown)
    }
}

impl Held {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Invalid => "invalid",
            Self::Ambiguous => "ambiguous",
            Self::Unreadable => "unreadable",
            Self::Unmatched => "unmatched",
            Self::SecondHire => "second_hire",
            Self::Review => "review",
            Self::Exists => "exists",
            Self::Rehire => "rehire",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
            Self::NotSent => "not_sent",
        }
    }

    /// Whether more facts may mend it without a person.
    fn is_about_the_plan(self) -> bool {
        matches!(self, Self::Missing | Self::Invalid | Self::Unmatched | Self::Unreadable | Self::Ambiguous)
    }
}

impl Waiting {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Credential => "credential",
            Self::Throttled => "throttled",
        }
    }
}

/// Every state with every reason: what the ledger may hold and the API may show.
pub const ALL: &[State] = &[
    State::Received,
    State::Ready,
    State::Held(Held::Missing),
    State::Held(Held::Invalid),
    State::Held(Held::Ambiguous),
    State::Held(Held::Unreadable),
    State::Held(Held::Unmatched),
    State::Held(Held::SecondHire),
    State::Held(Held::Review),
    State::Held(Held::Exists),
    State::Held(Held::Rehire),
    State::Held(Held::Refused),
    State::Held(Held::Unknown),
    State::Held(Held::NotSent),
    State::Waiting(Waiting::Unreachable),
    State::Waiting(Waiting::Credential),
    State::Waiting(Waiting::Throttled),
    State::Sending,
    State::Unknown,
    State::Created(How::Sent),
    State::Created(How::Adopted),
    State::Created(How::Linked),
    State::Cancelled,
    State::Ignored,
    State::Erased,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Every event, with every variant that matters to a state.
    fn events() -> Vec<Event> {
        let outcomes = [
            Outcome::Created { employee: 1 },
            Outcome::Refused { status: 422 },
            Outcome::NotSent(Waiting::Throttled),
            Outcome::Unknown { what: "timeout".into() },
        ];
        let found = [Found::Absent, Found::Active, Found::Inactive, Found::NotAllowed];
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
            Event::Unhired,
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
    fn an_unknown_outcome_never_becomes_ready_without_a_person() {
        for (from, event, to, _) in edges() {
            if matches!(from, State::Unknown | State::Sending) {
                assert!(!matches!(to, State::Ready | State::Received), "{from:?} {event:?}");
            }
            if from == State::Held(Held::Unknown) && to == State::Ready {
                assert_eq!(event, Event::Approved);
            }
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
    fn nothing_leaves_the_tombstone() {
        assert!(edges().all(|(from, ..)| from != State::Erased));
    }

    #[test]
    fn every_state_survives_its_name_and_reason() {
        for state in ALL {
            assert_eq!(State::parse(state.name(), state.reason()), Some(*state));
        }
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
