//! What is explored, and within which bounds: the house as it is, or with one of its rules broken.

use hirebridge::domain::{Effect, Event, NotAllowed, State, step};

use super::world::Budget;

/// One rule of the house that is broken, to see that the model would notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// A hire whose sender is gone is made ready again; the permit's rules are whole.
    OrphansAreMadeReady,
    /// The same, and permits of unknown effect may be followed by another.
    OrphansAreSentAgain,
    /// A look-up that finds nobody after an unknown outcome makes the hire ready again; leases alone keep
    /// replicas apart.
    UnknownIsSentAgain,
    /// A save, and a permit, count whatever was written meanwhile; earlier permits are looked at.
    NoCompare,
    /// Neither that is compared, nor are earlier permits looked at.
    NoPermit,
    /// Nobody looks whether the same person has another hire.
    NoSamePerson,
    /// A permit's COMMIT that failed is taken for one whose answer was lost, and that one for done.
    LostCommitIsTrusted,
    /// The ATS is answered before the hire is stored.
    AnswerBeforeStore,
    /// Nobody looks for hires whose sender is gone.
    NoRecovery,
    /// Un-hiring a hire that is looked up forgets its next time.
    UnhireForgetsTheTime,
    /// An outcome that comes late is stored, whatever a person has decided meanwhile.
    LateOutcomesPrevail,
}

/// Whether the credential may read employees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    Allowed,
    Forbidden,
    /// The right is given or taken at any moment.
    Changing,
}

/// Who else uses the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// One process: whoever held a permit is gone when it is not this one.
    Sqlite,
    /// Several: whoever held a permit is gone when the lease is over, and may be paused only.
    Postgres,
}

/// What may happen in the world that is explored.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches, each of which stands for itself")]
pub(crate) struct Rules {
    pub(crate) broken: Option<Broken>,
    pub(crate) engine: Engine,
    pub(crate) replicas: usize,
    /// How many hires, all of one person.
    pub(crate) hires: usize,
    pub(crate) budget: Budget,
    pub(crate) reading: Reading,
    /// Look-ups may miss somebody who is there.
    pub(crate) stale_lists: bool,
    /// Somebody else may have made the person an employee.
    pub(crate) foreign: bool,
    /// Plans may lack something, so that a person or a fuller delivery has to mend them.
    pub(crate) bad_plans: bool,
    /// A person may say that a hire of unknown outcome be sent again.
    pub(crate) overruling: bool,
    /// The customer has said beforehand that a hire of unknown outcome be sent again, once, after the quiet time.
    pub(crate) resend: bool,
    /// An ATS that tells no times: it is not clear whether hire or un-hire came last.
    pub(crate) untimed: bool,
    /// A person sends again only when no call is on the wire any more: the quiet time is long enough.
    pub(crate) quiet: bool,
}

/// Nothing goes wrong and nothing is asked for.
pub(crate) const NOTHING: Budget =
    Budget { deliveries: 0, crashes: 0, clicks: 0, unhires: 0, lost_commits: 0, put_offs: 0 };

pub(crate) const ONE_DELIVERY: Budget = Budget { deliveries: 1, ..NOTHING };

/// Two replicas and one hire. Whatever the budget, calls are lost, late and refused, either replica is paused
/// as long as it likes and taken for gone, and look-ups miss who is there.
pub(crate) const PLAIN: Rules = Rules {
    broken: None,
    engine: Engine::Postgres,
    replicas: 2,
    hires: 1,
    budget: ONE_DELIVERY,
    reading: Reading::Allowed,
    stale_lists: true,
    foreign: true,
    bad_plans: false,
    overruling: false,
    resend: false,
    untimed: false,
    quiet: false,
};

/// A world in which a broken rule is soon seen.
pub(crate) fn faulty() -> Rules {
    let budget = Budget { crashes: 1, unhires: 1, lost_commits: 1, ..ONE_DELIVERY };
    Rules { budget, foreign: false, ..PLAIN }
}

impl Rules {
    pub(crate) fn breaks(&self, what: Broken) -> bool {
        self.broken == Some(what)
    }

    /// The table of states, unless it is what is broken.
    pub(crate) fn step(&self, state: State, event: &Event) -> Result<(State, Effect), NotAllowed> {
        match (self.broken, state, event) {
            (
                Some(Broken::OrphansAreMadeReady | Broken::OrphansAreSentAgain),
                State::Sending,
                Event::OwnerGone,
            )
            | (Some(Broken::UnknownIsSentAgain), State::Unknown, Event::NotFound) => {
                Ok((State::Ready, Effect::LookUp))
            }
            _ => step(state, event),
        }
    }

    /// Whether the ledger sees a permit that ended so, which it does unless that is what is broken.
    pub(crate) fn sees(&self, ended: Option<&str>) -> bool {
        match self.broken {
            Some(Broken::NoPermit) => false,
            // Whoever means to send again would let such permits be followed.
            Some(Broken::OrphansAreSentAgain | Broken::UnknownIsSentAgain) => ended != Some("unknown"),
            _ => true,
        }
    }
}
