//! A replica at work on one hire, as `transfer::carry` does it: each step in which something may go one way
//! or another, with every way it may go.

use hirebridge::domain::{Effect, Event, Found, Held, LookUpZero, Outcome, State, Waiting, prevails};

use super::ledger::{No, Who, apply, is_in_the_way, permit, save};
use super::rules::{Broken, Reading, Rules};
use super::world::{Fault, Point, Task, Wire, World};

/// The one reason for waiting of the model: all are left in the same ways.
const LATER: Waiting = Waiting::Unreachable;

/// Which way a step goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Way {
    /// As it should.
    Well,
    /// The plan lacks something.
    Lacking,
    /// A look-up was answered.
    Seen(Found),
    /// Personio could not be asked, or the call surely was not made.
    Failed,
    /// Time is up: it is given up, or nobody waits for the answer any more.
    TimeUp,
    /// Nobody was found after the quiet time, and the customer allows that it be sent again.
    Again,
    /// The COMMIT was carried out, its answer lost.
    CommitLost,
    /// The ledger failed and nothing was stored.
    LedgerFailed,
}

/// Every way the next step of this work may go.
pub(crate) fn ways(rules: &Rules, world: &World, task: &Task) -> Vec<Way> {
    match &task.at {
        Point::Do(Effect::Plan) if rules.bad_plans => vec![Way::Well, Way::Lacking],
        Point::Do(Effect::LookUp) => seen(rules, world).chain(put_off(world)).collect(),
        Point::Do(Effect::Send) => {
            let lost = (world.budget.lost_commits > 0).then_some([Way::CommitLost, Way::LedgerFailed]);
            [Way::Well].into_iter().chain(put_off(world)).chain(lost.into_iter().flatten()).collect()
        }
        Point::Do(Effect::Wake) => vec![Way::Well, Way::TimeUp],
        Point::Do(Effect::LookAgain) => {
            let again = rules.resend && world.is_quiet() && world.employees == 0 && !world.foreign;
            let again = again && !task.hire.after_unknown && !task.hire.unhired;
            let ways = seen(rules, world).chain(again.then_some(Way::Again));
            ways.chain([Way::Failed, Way::TimeUp]).collect()
        }
        Point::Do(Effect::LookUpRefused) => seen(rules, world).chain([Way::Failed]).collect(),
        Point::Do(_) | Point::Keep => vec![Way::Well],
        Point::CommitLost => vec![Way::Well, Way::LedgerFailed],
        Point::Granted => [Way::Well].into_iter().chain(put_off(world)).collect(),
        Point::Calling(Wire::Pending) => vec![Way::TimeUp],
        Point::Calling(_) => vec![Way::Well, Way::TimeUp],
    }
}

fn put_off(world: &World) -> Option<Way> {
    (world.budget.put_offs > 0).then_some(Way::Failed)
}

/// What a look-up may be answered now.
pub(crate) fn seen(rules: &Rules, world: &World) -> impl Iterator<Item = Way> + use<> {
    let there = world.employees > 0 || world.foreign;
    let found = |found| Some(Way::Seen(found));
    let answers = match rules.reading {
        Reading::Forbidden => [None, None, found(Found::NotAllowed)],
        reading => [
            there.then_some(Way::Seen(Found::Active)),
            (!there || rules.stale_lists).then_some(Way::Seen(Found::Absent)),
            found(Found::NotAllowed).filter(|_| reading == Reading::Changing),
        ],
    };
    answers.into_iter().flatten()
}

/// Takes the next step of replica `at`'s work on hire `of`.
pub(crate) fn advance(rules: &Rules, world: &mut World, at: usize, of: usize, way: Way) {
    let Some(mut task) = world.replicas[at].tasks[of].clone() else { return };
    let mut work = Work { rules, world, at, of };
    if way == Way::Failed && matches!(task.at, Point::Do(Effect::LookUp | Effect::Send) | Point::Granted) {
        work.world.budget.put_offs -= 1;
    }
    let next = work.step(&mut task, way);
    // What is as it was before it was tried to be stored is left as it is stored.
    let next = next.unwrap_or_else(|stop| work.stopped(&mut task, stop));
    let next = next.filter(|next| !matches!(next, Point::Do(Effect::Rest | Effect::Wait)));
    if let Some(point) = next {
        task.at = point;
        let place = &mut world.replicas[at].tasks[of];
        // Its own writes have told the task in the world whether it is up to date.
        if let Some(now) = place {
            (task.fresh, task.mine, task.superseded) = (now.fresh, now.mine, now.superseded);
        }
        *place = Some(task);
    } else {
        world.replicas[at].tasks[of] = None;
    }
}

/// Why the work does not simply go on.
#[derive(Clone, Copy)]
enum Stop {
    /// Somebody else was faster.
    Conflict,
    /// The ledger failed: the hire goes on later.
    Complain,
    /// A step was refused.
    Refused,
}

/// Where the work stands next; nowhere when it is done for now.
type Next = Result<Option<Point>, Stop>;

struct Work<'w> {
    rules: &'w Rules,
    world: &'w mut World,
    at: usize,
    of: usize,
}

impl Work<'_> {
    fn step(&mut self, task: &mut Task, way: Way) -> Next {
        match task.at.clone() {
            Point::Do(effect) => self.effect(task, effect, way),
            // Found again by its mark alone, and only while the lease lasts.
            Point::CommitLost if way == Way::Well && task.mine => Ok(Some(Point::Granted)),
            Point::CommitLost => Err(Stop::Complain),
            Point::Granted if way == Way::Failed => {
                self.ruled_out(task);
                self.outcome(task, Outcome::NotSent(LATER))
            }
            Point::Granted => {
                self.world.truth.open[self.of] += 1;
                Ok(Some(Point::Calling(Wire::Pending)))
            }
            Point::Calling(wire) if way == Way::TimeUp => {
                if wire == Wire::Pending {
                    self.world.late.push(self.of);
                }
                self.outcome(task, Outcome::Unknown { what: "timeout".into() })
            }
            Point::Calling(wire) => self.answered(task, wire),
            Point::Keep => Ok(self.keep(task)),
        }
    }

    fn effect(&mut self, task: &mut Task, effect: Effect, way: Way) -> Next {
        match (effect, way) {
            (Effect::Plan, Way::Lacking) => self.stop(task, Event::Planned(Some(Held::Missing))),
            (Effect::Plan, _) => self.go(task, Event::Planned(None)),
            (Effect::LookUp | Effect::Send, Way::Failed) => self.put_off(task),
            (Effect::LookUp, Way::Seen(found)) => self.look_up(task, found),
            (Effect::Send, way) => self.send(task, way),
            (Effect::Wake, _) if task.hire.unhired && !task.hire.unhire_overruled => self.take_back(task),
            (Effect::Wake, Way::TimeUp) => self.stop(task, Event::GivenUp),
            (Effect::Wake, _) => self.go(task, Event::Due),
            (Effect::LookAgain, way) => self.look_again(task, way),
            (Effect::LookUpRefused, way) => self.look_up_refused(task, way),
            (Effect::Compare, _) => self.stop(task, Event::Compared),
            _ => Ok(None),
        }
    }

    fn look_up(&mut self, task: &mut Task, found: Found) -> Next {
        task.hire.zero = match found {
            Found::Absent => LookUpZero::Absent,
            Found::NotAllowed => LookUpZero::NotAllowed,
            Found::Active | Found::Inactive | Found::Ours => task.hire.zero,
        };
        if found == Found::NotAllowed && task.hire.after_unknown {
            return self.stop(task, Event::Spent);
        }
        let stranger = matches!(found, Found::Active | Found::Inactive) && !task.hire.second_hire_approved;
        if stranger && is_in_the_way(self.world, self.of) {
            return self.stop(task, Event::SamePerson);
        }
        match self.apply(task, Event::LookedUp(found))? {
            Effect::Rest => self.saved(task),
            effect => Ok(Some(Point::Do(effect))),
        }
    }

    fn send(&mut self, task: &mut Task, way: Way) -> Next {
        let mut sending = task.clone();
        self.apply(&mut sending, Event::Permitted)?;
        if way == Way::LedgerFailed {
            self.world.budget.lost_commits -= 1;
            if self.rules.breaks(Broken::LostCommitIsTrusted) {
                (task.hire, task.unsaved) = (sending.hire, Vec::new());
                return Ok(Some(Point::Granted));
            }
            return Err(Stop::Complain);
        }
        let who = Who::Task(self.at);
        let asked = (&sending.hire, sending.fresh, &sending.unsaved[..]);
        match permit(self.rules, self.world, self.of, who, asked) {
            Err(No::Conflict) => return Err(Stop::Conflict),
            Err(No::SamePerson) => return self.stop(task, Event::SamePerson),
            Err(No::Spent) => return self.stop(task, Event::Spent),
            Err(No::Overtaken) => return self.overtaken(task),
            Ok(()) => {}
        }
        (task.hire, task.unsaved) = (sending.hire, Vec::new());
        if way == Way::CommitLost {
            self.world.budget.lost_commits -= 1;
            if let Some(now) = &mut self.world.replicas[self.at].tasks[self.of] {
                now.mine = true;
            }
            return Ok(Some(Point::CommitLost));
        }
        Ok(Some(Point::Granted))
    }

    /// The hire asked for a permit, and had been taken back before it came.
    fn overtaken(&mut self, task: &mut Task) -> Next {
        if self.rules.untimed {
            task.hire.unhired = true;
            return self.stop(task, Event::Unclear);
        }
        self.stop(task, Event::Unhired)
    }

    /// It was taken back while it was being sent, and surely was not sent.
    fn take_back(&mut self, task: &mut Task) -> Next {
        let row = self.world.rows[self.of].as_ref().expect("it is stored");
        task.hire.unhired = row.was_unknown;
        self.stop(task, Event::Unhired)
    }

    fn answered(&mut self, task: &mut Task, wire: Wire) -> Next {
        if wire != Wire::Created {
            self.world.truth.open[self.of] -= 1;
            self.ruled_out(task);
        }
        match wire {
            Wire::Created => self.outcome(task, Outcome::Created { employee: 1 }),
            Wire::Refused => self.outcome(task, Outcome::Refused { status: 422 }),
            Wire::TurnedAway | Wire::Pending => self.outcome(task, Outcome::NotSent(LATER)),
        }
    }

    /// This permit surely had no effect.
    fn ruled_out(&mut self, task: &Task) {
        if !task.superseded {
            let spent = &mut self.world.truth.spent[self.of];
            *spent = spent.saturating_sub(1);
        }
    }

    /// What the outcome means for the hire; to be stored next.
    fn outcome(&mut self, task: &mut Task, outcome: Outcome) -> Next {
        let unknown = matches!(outcome, Outcome::Unknown { .. });
        self.apply(task, Event::Called(outcome))?;
        if unknown && task.hire.zero == LookUpZero::NotAllowed {
            self.apply(task, Event::NotFound)?;
        } else {
            task.hire.next = true;
        }
        Ok(Some(Point::Keep))
    }

    fn keep(&mut self, task: &mut Task) -> Option<Point> {
        if self.save(task).is_err() {
            let newer = self.world.stored(self.of).expect("it was there").clone();
            let superseded = task.superseded && !self.rules.breaks(Broken::LateOutcomesPrevail);
            self.read_again();
            if prevails(task.hire.state, newer.state, superseded) {
                task.hire.unhired = newer.unhired || newer.state == State::Cancelled;
                task.hire.unhire_overruled = newer.unhire_overruled;
                task.hire.after_unknown = newer.after_unknown;
                task.hire.second_hire_approved = newer.second_hire_approved;
                return Some(Point::Keep);
            }
            (task.hire, task.unsaved) = (newer, Vec::new());
        }
        let goes_on = task.hire.next && matches!(task.hire.state, State::Created(_) | State::Held(_));
        goes_on.then(|| Point::Do(task.hire.state.resume()))
    }

    fn put_off(&mut self, task: &mut Task) -> Next {
        self.apply(task, Event::PutOff(LATER))?;
        task.hire.next = true;
        self.saved(task)
    }

    fn look_again(&mut self, task: &mut Task, way: Way) -> Next {
        match way {
            Way::Seen(Found::NotAllowed) | Way::TimeUp => self.stop(task, Event::NotFound),
            Way::Again => {
                let effect = self.apply(task, Event::Resent)?;
                (task.hire.after_unknown, task.hire.next) = (true, true);
                self.saved(task)?;
                Ok(Some(Point::Do(effect)))
            }
            Way::Seen(Found::Active | Found::Inactive) => {
                let ours = task.hire.zero == LookUpZero::Absent;
                let effect = self.apply(task, Event::Appeared { ours })?;
                task.hire.next = ours;
                self.saved(task)?;
                Ok(Some(Point::Do(effect)))
            }
            _ => {
                task.hire.next = true;
                self.saved(task)
            }
        }
    }

    fn look_up_refused(&mut self, task: &mut Task, way: Way) -> Next {
        task.hire.next = false;
        if let Way::Seen(found @ (Found::Active | Found::Inactive)) = way {
            self.apply(task, Event::LookedUp(found))?;
        }
        self.saved(task)
    }

    /// Takes a step and goes on with what it asks for, unsaved.
    fn go(&mut self, task: &mut Task, event: Event) -> Next {
        self.apply(task, event).map(|effect| Some(Point::Do(effect)))
    }

    /// Takes a step, stores it, and goes on if there is anything to go on with.
    fn stop(&mut self, task: &mut Task, event: Event) -> Next {
        let effect = self.apply(task, event)?;
        self.saved(task)?;
        Ok(Some(Point::Do(effect)))
    }

    fn apply(&mut self, task: &mut Task, event: Event) -> Result<Effect, Stop> {
        apply(self.rules, &mut task.hire, &mut task.unsaved, event).ok_or(Stop::Refused)
    }

    fn saved(&mut self, task: &mut Task) -> Next {
        self.save(task).map(|()| None).map_err(|_| Stop::Conflict)
    }

    fn save(&mut self, task: &mut Task) -> Result<(), No> {
        let what = (&task.hire, task.fresh, &task.unsaved[..]);
        save(self.rules, self.world, self.of, Who::Task(self.at), what)?;
        task.unsaved.clear();
        Ok(())
    }

    fn stopped(&mut self, task: &mut Task, stop: Stop) -> Option<Point> {
        match stop {
            Stop::Complain => None,
            Stop::Refused => {
                self.world.truth.faults.insert(Fault::StepRefused);
                None
            }
            Stop::Conflict => {
                self.read_again();
                task.hire = self.world.stored(self.of).expect("it was there").clone();
                task.unsaved.clear();
                task.hire.next.then(|| Point::Do(task.hire.state.resume()))
            }
        }
    }

    /// The hire was read again: its version is the last one.
    fn read_again(&mut self) {
        if let Some(now) = &mut self.world.replicas[self.at].tasks[self.of] {
            now.fresh = true;
        }
    }
}
