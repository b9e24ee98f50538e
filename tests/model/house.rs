//! The model: what may happen next, and what then is.

use std::collections::HashMap;
use std::sync::Mutex;

use hirebridge::domain::{Effect, Event, Found, Held, State};
use stateright::{Model, Property};

use super::carry::{Way, advance, seen, ways};
use super::ledger::{Who, apply, insert, is_orphan, save};
use super::properties;
use super::rules::{Broken, Engine, Rules};
use super::world::{Click, Hire, Intake, Point, Step, Task, Wire, World, fingerprint};

/// Something that happens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Act {
    /// A delivery of this hire reaches a replica.
    Arrives { at: usize, of: usize },
    /// The replica stores it; a repeat may bring facts that were lacking.
    Stores { at: usize, fuller: bool },
    /// The replica answers the ATS with success.
    Answers { at: usize },
    /// The ATS takes the hire back.
    Unhires { of: usize },
    /// The replica's due loop takes the hire.
    Resumes { at: usize, of: usize },
    /// The replica takes whoever sent the hire for gone.
    Recovers { at: usize, of: usize },
    /// The replica's work on the hire goes on.
    Works { at: usize, of: usize, way: Way },
    /// The replica is killed, and started again.
    Crashes { at: usize },
    /// The create call is carried out, or not.
    Personio { at: usize, of: usize, does: Wire },
    /// A call that nobody waits for any more is carried out, or lost.
    Late { call: usize, acts: bool },
    /// A person looks at a hire that may be sent.
    Looks { of: usize },
    /// A person clicks send.
    Sends { click: usize, at: usize },
    /// A person says which employee it is.
    Links { of: usize },
}

pub(crate) struct House {
    pub(crate) rules: Rules,
    /// Worlds in which nothing is under way, and whether they come to rest.
    settled: Mutex<HashMap<u64, bool>>,
}

impl House {
    pub(crate) fn new(rules: Rules) -> Self {
        Self { rules, settled: Mutex::default() }
    }

    /// Whether every hire ends, or waits for a person, if now all replicas are killed and from then on
    /// nothing goes wrong any more and no person does anything.
    pub(crate) fn settles(&self, world: &World) -> bool {
        let key = fingerprint(&(&world.rows, &world.taken_back, world.employees, world.foreign));
        let known = self.settled.lock().expect("nobody panics with it").get(&key).copied();
        known.unwrap_or_else(|| {
            let mut quiet = world.clone();
            (0..quiet.replicas.len()).for_each(|at| crash(&mut quiet, at));
            quiet.clicks.clear();
            quiet.late.clear();
            let settles = self.comes_to_rest(quiet);
            self.settled.lock().expect("nobody panics with it").insert(key, settles);
            settles
        })
    }

    fn comes_to_rest(&self, mut world: World) -> bool {
        for _ in 0..100 {
            let Some(act) = self.helpful(&world) else {
                return world.rows.iter().flatten().all(|row| properties::is_at_rest(&row.hire));
            };
            self.happen(&mut world, &act);
        }
        false
    }

    /// What a replica does next in a world that does nothing to hinder it.
    fn helpful(&self, world: &World) -> Option<Act> {
        (0..self.rules.hires).find_map(|of| {
            if let Some(task) = &world.replicas[0].tasks[of] {
                if task.at == Point::Calling(Wire::Pending) {
                    return Some(Act::Personio { at: 0, of, does: Wire::Created });
                }
                let mut ways = ways(&self.rules, world, task).into_iter();
                let searches = task.at == Point::Do(Effect::LookAgain);
                // Nobody is found for ever: the schedule of look-ups comes to its end.
                let way =
                    ways.find(|way| !searches || !matches!(way, Way::Seen(Found::Absent) | Way::Failed))?;
                return Some(Act::Works { at: 0, of, way });
            }
            let row = world.rows[of].as_ref()?;
            if is_orphan(&self.rules, row) {
                return Some(Act::Recovers { at: 0, of });
            }
            row.hire.next.then_some(Act::Resumes { at: 0, of })
        })
    }

    fn happen(&self, world: &mut World, act: &Act) {
        let rules = &self.rules;
        match *act {
            Act::Arrives { at, of } => {
                world.budget.deliveries -= 1;
                world.replicas[at].intake = Intake::Arrived(of);
                if rules.breaks(Broken::AnswerBeforeStore) {
                    world.truth.answered[of] = true;
                }
            }
            Act::Stores { at, fuller } => self.store(world, at, fuller),
            Act::Answers { at } => {
                if let Intake::Stored(of) = std::mem::take(&mut world.replicas[at].intake) {
                    world.truth.answered[of] = true;
                }
            }
            Act::Unhires { of } => self.unhire(world, of),
            Act::Resumes { at, of } => {
                let hire = world.stored(of).expect("it is due").clone();
                start(world, at, of, hire.state.resume());
            }
            Act::Recovers { of, .. } => self.recover(world, of),
            Act::Works { at, of, way } => advance(rules, world, at, of, way),
            Act::Crashes { at } => {
                world.budget.crashes -= 1;
                crash(world, at);
            }
            Act::Personio { at, of, does } => {
                world.employees += u8::from(does == Wire::Created);
                if let Some(task) = &mut world.replicas[at].tasks[of] {
                    task.at = Point::Calling(does);
                }
            }
            Act::Late { call, acts } => {
                world.late.remove(call);
                world.employees += u8::from(acts);
            }
            Act::Looks { of } => {
                world.budget.clicks -= 1;
                let seen = world.stored(of).expect("it is held").clone();
                world.clicks.push(Click { of, seen, fresh: true });
            }
            Act::Sends { click, at } => self.send(world, click, at),
            Act::Links { of } => {
                world.budget.clicks -= 1;
                self.write(world, of, Event::Linked, |hire| hire.next = true);
            }
        }
    }

    /// Stores a delivery: a new hire, or what a repeat adds.
    fn store(&self, world: &mut World, at: usize, fuller: bool) {
        let Intake::Arrived(of) = world.replicas[at].intake else { return };
        world.replicas[at].intake = Intake::Stored(of);
        match world.stored(of) {
            None => {
                insert(world, of, Hire::in_state(State::Received, true));
                start(world, at, of, Effect::Plan);
            }
            Some(known) if fuller && known.state.is_before_permit() => {
                let effect = self.write(world, of, Event::FactsAdded, |hire| {
                    hire.next = hire.state == State::Received;
                });
                if let Some(effect @ Effect::Plan) = effect {
                    start(world, at, of, effect);
                }
            }
            Some(_) => {}
        }
    }

    /// The ATS takes the hire back, perhaps before it was heard of.
    fn unhire(&self, world: &mut World, of: usize) {
        world.budget.unhires -= 1;
        world.truth.unhired[of] = true;
        let Some(row) = &world.rows[of] else {
            world.taken_back[of] = true;
            return;
        };
        if row.hire.state == State::Cancelled || row.hire.unhired {
            return;
        }
        let perhaps_there = row.was_unknown;
        self.write(world, of, Event::Unhired, |hire| {
            hire.unhired = hire.state != State::Cancelled || perhaps_there;
        });
    }

    fn recover(&self, world: &mut World, of: usize) {
        self.write(world, of, Event::OwnerGone, |hire| hire.next = true);
    }

    /// Reads, takes a step and stores it; whoever does so tries again until nobody was faster.
    fn write(&self, world: &mut World, of: usize, event: Event, then: impl Fn(&mut Hire)) -> Option<Effect> {
        let mut hire = world.stored(of)?.clone();
        let mut steps = Vec::new();
        let effect = apply(&self.rules, &mut hire, &mut steps, event)?;
        then(&mut hire);
        save(&self.rules, world, of, Who::Other, (&hire, true, &steps)).ok()?;
        Some(effect)
    }

    /// A person sends what was looked at, if nobody was faster.
    fn send(&self, world: &mut World, click: usize, at: usize) {
        let Click { of, seen, fresh } = world.clicks.remove(click);
        let mut hire = seen.clone();
        let mut steps: Vec<Step> = Vec::new();
        if apply(&self.rules, &mut hire, &mut steps, Event::Approved).is_none() {
            return;
        }
        hire.unhired |= seen.state == State::Cancelled;
        hire.unhire_overruled |= hire.unhired;
        hire.second_hire_approved |= seen.state == State::Held(Held::SecondHire);
        hire.after_unknown |= seen.state == State::Held(Held::Unknown);
        hire.next = true;
        if save(&self.rules, world, of, Who::Other, (&hire, fresh, &steps)).is_ok() {
            start(world, at, of, Effect::LookUp);
        }
    }

    fn may_be_sent(&self, world: &World, of: usize) -> bool {
        match world.stored(of).map(|hire| hire.state) {
            Some(State::Held(Held::Unknown)) => {
                self.rules.overruling
                    && (!self.rules.quiet || world.is_quiet())
                    && seen(&self.rules, world).any(|way| way != Way::Seen(Found::NotAllowed))
            }
            Some(State::Held(_) | State::Cancelled) => true,
            _ => false,
        }
    }

    fn acts_of_people(&self, world: &World, acts: &mut Vec<Act>) {
        for of in 0..self.rules.hires {
            if world.budget.unhires > 0 {
                acts.push(Act::Unhires { of });
            }
            if world.budget.clicks > 0 && self.may_be_sent(world, of) {
                acts.push(Act::Looks { of });
            }
            let held = world.stored(of).is_some_and(|hire| matches!(hire.state, State::Held(_)));
            if world.budget.clicks > 0 && held && (world.employees > 0 || world.foreign) {
                acts.push(Act::Links { of });
            }
        }
        for click in 0..world.clicks.len() {
            acts.extend((0..self.rules.replicas).map(|at| Act::Sends { click, at }));
        }
    }

    fn acts_of_a_replica(&self, world: &World, at: usize, acts: &mut Vec<Act>) {
        let replica = &world.replicas[at];
        for of in 0..self.rules.hires {
            if world.budget.deliveries > 0 && replica.intake == Intake::Idle {
                acts.push(Act::Arrives { at, of });
            }
            let Some(row) = &world.rows[of] else { continue };
            match &replica.tasks[of] {
                Some(task) => {
                    let way = ways(&self.rules, world, task).into_iter();
                    acts.extend(way.map(|way| Act::Works { at, of, way }));
                    if task.at == Point::Calling(Wire::Pending) {
                        let ends = [Wire::Created, Wire::Refused, Wire::TurnedAway];
                        acts.extend(ends.map(|does| Act::Personio { at, of, does }));
                    }
                }
                None if is_orphan(&self.rules, row) => acts.push(Act::Recovers { at, of }),
                None if row.hire.next => acts.push(Act::Resumes { at, of }),
                None => {}
            }
        }
        match replica.intake {
            Intake::Arrived(of) => {
                acts.push(Act::Stores { at, fuller: false });
                if world.rows[of].is_some() {
                    acts.push(Act::Stores { at, fuller: true });
                }
            }
            Intake::Stored(_) => acts.push(Act::Answers { at }),
            Intake::Idle => {}
        }
        let busy = replica.intake != Intake::Idle || replica.tasks.iter().any(Option::is_some);
        let holds = self.rules.engine == Engine::Sqlite && world.any(|state| state == State::Sending);
        if world.budget.crashes > 0 && (busy || holds) {
            acts.push(Act::Crashes { at });
        }
    }
}

/// Starts work on a hire in a replica, unless that works on it already.
fn start(world: &mut World, at: usize, of: usize, effect: Effect) {
    let hire = world.stored(of).expect("it is stored").clone();
    let place = &mut world.replicas[at].tasks[of];
    if place.is_none() && !matches!(effect, Effect::Rest | Effect::Wait) {
        *place = Some(Task::new(hire, Point::Do(effect)));
    }
}

/// Everything that the replica had in hand is gone; what is on the wire stays there.
fn crash(world: &mut World, at: usize) {
    world.replicas[at].intake = Intake::Idle;
    for of in 0..world.rows.len() {
        let task = world.replicas[at].tasks[of].take();
        if task.is_some_and(|task| task.at == Point::Calling(Wire::Pending)) {
            world.late.push(of);
        }
    }
    // A single process is the owner of all permits. Where there are several, nobody asks who it was.
    if world.replicas.len() == 1 {
        for row in world.rows.iter_mut().flatten() {
            row.owner_lives = row.hire.state != State::Sending;
        }
    }
}

impl Model for House {
    type State = World;
    type Action = Act;

    fn init_states(&self) -> Vec<World> {
        let Rules { hires, replicas, foreign, budget, .. } = self.rules;
        let alone = World::new(hires, replicas, false, budget);
        if foreign { vec![alone, World::new(hires, replicas, true, budget)] } else { vec![alone] }
    }

    fn actions(&self, world: &World, acts: &mut Vec<Act>) {
        (0..self.rules.replicas).for_each(|at| self.acts_of_a_replica(world, at, acts));
        self.acts_of_people(world, acts);
        for call in 0..world.late.len() {
            acts.extend([true, false].map(|acts| Act::Late { call, acts }));
        }
    }

    fn next_state(&self, world: &World, act: Act) -> Option<World> {
        let mut next = world.clone();
        self.happen(&mut next, &act);
        properties::note_created(world, &mut next);
        Some(next.in_order())
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut all = properties::promises();
        if self.rules.broken.is_none() {
            all.extend(properties::reached(&self.rules));
        }
        all
    }
}
