//! The world in which the model's hires are carried: what is stored, who works on it, what is on the wire.
//! A value that can be compared and hashed, and nothing in it that does not decide what may happen next.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use hirebridge::domain::{Effect, Event, LookUpZero, State};

/// A hire as it is stored or as somebody holds it: what of `Hire` decides about its way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "independent marks, as the hire itself has them")]
pub(crate) struct Hire {
    pub(crate) state: State,
    pub(crate) zero: LookUpZero,
    /// Whether it has a next time. Which one is left open: it may come at any moment.
    pub(crate) next: bool,
    pub(crate) unhired: bool,
    pub(crate) unhire_overruled: bool,
    pub(crate) after_unknown: bool,
    pub(crate) second_hire_approved: bool,
}

impl Hire {
    pub(crate) fn in_state(state: State, next: bool) -> Self {
        Self {
            state,
            zero: LookUpZero::NotAsked,
            next,
            unhired: false,
            unhire_overruled: false,
            after_unknown: false,
            second_hire_approved: false,
        }
    }
}

/// What the ledger keeps of one hire.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Row {
    pub(crate) hire: Hire,
    /// How its permits ended, each way once; `None` is one that has not.
    pub(crate) ends: BTreeSet<Option<&'static str>>,
    /// Whether it was of unknown outcome at some time: what the history tells.
    pub(crate) was_unknown: bool,
    /// Whether the process that holds the permit still runs. Asked by the engine for one process alone.
    pub(crate) owner_lives: bool,
}

/// A step that is not stored yet.
pub(crate) type Step = (State, Event, State);

/// Where a replica's work on a hire stands. Between any two of these it may be overtaken, paused or killed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Point {
    /// About to do this.
    Do(Effect),
    /// The answer to the permit's COMMIT was lost.
    CommitLost,
    /// The ticket is in hand, and nothing was sent.
    Granted,
    /// The create call is on the wire.
    Calling(Wire),
    /// The outcome is known, and not stored.
    Keep,
}

/// What has become of a create call that somebody still waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Wire {
    Pending,
    Created,
    Refused,
    TurnedAway,
}

/// A replica's work on one hire.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Task {
    /// The hire as it was read, and the steps since.
    pub(crate) hire: Hire,
    pub(crate) unsaved: Vec<Step>,
    pub(crate) at: Point,
    /// Whether nobody has written the hire since it was read: what the version tells.
    pub(crate) fresh: bool,
    /// Whether the last write bears this task's mark.
    pub(crate) mine: bool,
    /// Whether its permit was followed by another, or overruled by a person: what the history tells.
    pub(crate) superseded: bool,
}

impl Task {
    pub(crate) fn new(hire: Hire, at: Point) -> Self {
        Self { hire, unsaved: Vec::new(), at, fresh: true, mine: false, superseded: false }
    }
}

/// A delivery that a replica is storing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Intake {
    #[default]
    Idle,
    Arrived(usize),
    Stored(usize),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Replica {
    pub(crate) tasks: Vec<Option<Task>>,
    pub(crate) intake: Intake,
}

/// Somebody looked at a held hire and is about to click send.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Click {
    pub(crate) of: usize,
    pub(crate) seen: Hire,
    pub(crate) fresh: bool,
}

/// How much may still go wrong or be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Budget {
    pub(crate) deliveries: u8,
    pub(crate) crashes: u8,
    pub(crate) clicks: u8,
    pub(crate) unhires: u8,
    pub(crate) lost_commits: u8,
    pub(crate) put_offs: u8,
}

/// What the ledger does not know, and what the properties are about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Truth {
    /// Create calls of each hire that had, or may yet have, an effect that nobody has ruled out.
    pub(crate) open: Vec<u8>,
    /// Permits of each hire that may have had an effect, granted since it was last said that it be sent again.
    pub(crate) spent: Vec<u8>,
    /// How often a person, or the customer beforehand, has said that a hire of unknown outcome be sent again.
    pub(crate) overruled: Vec<u8>,
    /// Hires whose delivery was answered with success.
    pub(crate) answered: Vec<bool>,
    /// Hires that were taken back by the ATS, durably.
    pub(crate) unhired: Vec<bool>,
    /// What must never happen, once it has.
    pub(crate) faults: BTreeSet<Fault>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// A permit was granted while an earlier call might have had its effect, and nobody had approved.
    SentAgain,
    /// A permit was granted to a hire that as it was stored must not be sent.
    SentAgainstTheLedger,
    /// The work wanted a step that the table of states does not have.
    StepRefused,
    /// A hire that was created is so no more.
    CreatedLost,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) rows: Vec<Option<Row>>,
    /// Hires that the ATS took back before they came.
    pub(crate) taken_back: Vec<bool>,
    pub(crate) replicas: Vec<Replica>,
    pub(crate) clicks: Vec<Click>,
    /// Employees that our calls made. All hires of a world are of one person.
    pub(crate) employees: u8,
    /// Whether somebody else made that person an employee before.
    pub(crate) foreign: bool,
    /// Calls on the wire that nobody waits for any more, by hire.
    pub(crate) late: Vec<usize>,
    pub(crate) budget: Budget,
    pub(crate) truth: Truth,
}

impl World {
    pub(crate) fn new(hires: usize, replicas: usize, foreign: bool, budget: Budget) -> Self {
        let replica = Replica { tasks: vec![None; hires], intake: Intake::Idle };
        Self {
            rows: vec![None; hires],
            taken_back: vec![false; hires],
            replicas: vec![replica; replicas],
            clicks: Vec::new(),
            employees: 0,
            foreign,
            late: Vec::new(),
            budget,
            truth: Truth {
                open: vec![0; hires],
                spent: vec![0; hires],
                overruled: vec![0; hires],
                answered: vec![false; hires],
                unhired: vec![false; hires],
                faults: BTreeSet::new(),
            },
        }
    }

    pub(crate) fn stored(&self, of: usize) -> Option<&Hire> {
        self.rows[of].as_ref().map(|row| &row.hire)
    }

    pub(crate) fn is_stored_as(&self, of: usize, state: State) -> bool {
        self.stored(of).is_some_and(|hire| hire.state == state)
    }

    pub(crate) fn any(&self, is: impl Fn(State) -> bool) -> bool {
        self.rows.iter().flatten().any(|row| is(row.hire.state))
    }

    /// Whether no call is on the wire, or about to be.
    pub(crate) fn is_quiet(&self) -> bool {
        let under_way = |task: &Task| matches!(task.at, Point::Granted | Point::Calling(Wire::Pending));
        self.late.is_empty() && !self.tasks().any(under_way)
    }

    pub(crate) fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.replicas.iter().flat_map(|replica| replica.tasks.iter().flatten())
    }

    /// Replicas are alike, and so are clicks: of two worlds that differ in their order alone, one is looked at.
    pub(crate) fn in_order(mut self) -> Self {
        if self.replicas.len() > 1 && self.replicas[0] != self.replicas[1] {
            self.replicas.sort_by_cached_key(fingerprint);
        }
        if self.clicks.len() > 1 {
            self.clicks.sort_by_cached_key(fingerprint);
        }
        self.late.sort_unstable();
        self
    }
}

pub(crate) fn fingerprint(what: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}
