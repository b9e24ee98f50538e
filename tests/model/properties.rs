//! What is promised in every world that can be reached, and what has to be reachable for that to say something.

use hirebridge::domain::{Effect, Held, How, State};
use stateright::Property;

use super::house::House;
use super::rules::{Engine, Reading, Rules};
use super::world::{Fault, Hire, Point, Row, World};

pub(crate) const NEVER_TWO_CALLS: &str =
    "never two calls whose effect cannot be ruled out, unless a person said so";
pub(crate) const NEVER_TWO_EMPLOYEES: &str = "never two employees, unless a person said so";
pub(crate) const NOT_AGAIN: &str = "an unknown outcome is never sent again by itself";
pub(crate) const AS_STORED: &str = "only what is stored as not yet sent is sent";
pub(crate) const STORED_FIRST: &str = "whatever was answered with success is stored";
pub(crate) const NEVER_STUCK: &str =
    "whatever nobody works on has ended, has a next time or waits for a person";
pub(crate) const NEVER_LOST: &str = "once nothing hinders any more, every hire ends or waits for a person";
pub(crate) const STAYS_CREATED: &str = "a created hire stays created";
pub(crate) const UNHIRE_IS_KEPT: &str = "an un-hire is never forgotten";
pub(crate) const CANCELLED_UNSENT: &str = "a cancelled hire was surely not sent, or is flagged";
pub(crate) const STEPS_FIT: &str = "the work never wants a step that the table of states does not have";

/// Nothing will happen to it by itself, and it shows why.
pub(crate) fn is_at_rest(hire: &Hire) -> bool {
    !hire.next && (hire.state.has_ended() || matches!(hire.state, State::Held(_)))
}

fn will_move(row: &Row) -> bool {
    row.hire.state == State::Sending || (row.hire.next && row.hire.state.resume() != Effect::Rest)
}

/// Notes what must not happen between one world and the next.
pub(crate) fn note_created(before: &World, after: &mut World) {
    let was_created =
        |row: &Option<Row>| row.as_ref().is_some_and(|row| matches!(row.hire.state, State::Created(_)));
    for (was, is) in before.rows.iter().zip(&after.rows) {
        if was_created(was) && !was_created(is) {
            after.truth.faults.insert(Fault::CreatedLost);
        }
    }
}

pub(crate) fn promises() -> Vec<Property<House>> {
    vec![
        Property::always(NEVER_TWO_CALLS, |_, world: &World| {
            world.truth.open.iter().zip(&world.truth.overruled).all(|(open, allowed)| *open <= 1 + allowed)
        }),
        Property::always(NEVER_TWO_EMPLOYEES, |house: &House, world: &World| {
            let allowed = 1 + world.truth.overruled.iter().sum::<u8>();
            let approved = world.rows.iter().flatten().any(|row| row.hire.second_hire_approved);
            let trusted = house.rules.quiet && !house.rules.stale_lists;
            approved || world.employees <= if trusted { 1 } else { allowed }
        }),
        Property::always(NOT_AGAIN, |_, world: &World| !world.truth.faults.contains(&Fault::SentAgain)),
        Property::always(AS_STORED, |_, world: &World| {
            !world.truth.faults.contains(&Fault::SentAgainstTheLedger)
        }),
        Property::always(STORED_FIRST, |_, world: &World| {
            world.truth.answered.iter().zip(&world.rows).all(|(answered, row)| !answered || row.is_some())
        }),
        Property::always(NEVER_STUCK, |_, world: &World| {
            world.rows.iter().enumerate().all(|(of, row)| {
                let worked_on = world.replicas.iter().any(|replica| replica.tasks[of].is_some());
                row.as_ref().is_none_or(|row| worked_on || is_at_rest(&row.hire) || will_move(row))
            })
        }),
        Property::always(NEVER_LOST, |house: &House, world| house.settles(world)),
        Property::always(STAYS_CREATED, |_, world: &World| !world.truth.faults.contains(&Fault::CreatedLost)),
        Property::always(UNHIRE_IS_KEPT, |_, world: &World| {
            let kept = |row: &Row| row.hire.unhired || row.hire.state == State::Cancelled;
            (0..world.rows.len()).all(|of| {
                let kept = world.rows[of].as_ref().is_some_and(kept) || world.taken_back[of];
                kept || !world.truth.unhired[of]
            })
        }),
        Property::always(CANCELLED_UNSENT, |_, world: &World| {
            (0..world.rows.len()).all(|of| {
                let told = world.stored(of).is_some_and(|hire| hire.unhired);
                told || !world.is_stored_as(of, State::Cancelled) || world.truth.open[of] == 0
            })
        }),
        Property::always(STEPS_FIT, |_, world: &World| !world.truth.faults.contains(&Fault::StepRefused)),
    ]
}

/// What each set of rules must make happen at least once.
pub(crate) fn reached(rules: &Rules) -> Vec<Property<House>> {
    let state = |name, is: fn(&House, &World) -> bool| Property::sometimes(name, is);
    let mut all = vec![
        state("created", |_, world: &World| world.any(|state| state == State::Created(How::Sent))),
        state("held(unknown)", |_, world: &World| world.any(|state| state == State::Held(Held::Unknown))),
        state("held(refused)", |_, world: &World| world.any(|state| state == State::Held(Held::Refused))),
        state("held(not_sent)", |_, world: &World| world.any(|state| state == State::Held(Held::NotSent))),
        state("unknown", |_, world: &World| world.any(|state| state == State::Unknown)),
        state("waiting", |_, world: &World| world.any(|state| matches!(state, State::Waiting(_)))),
        state("a permit that is followed by another", |_, world: &World| {
            world.rows.iter().flatten().any(|row| row.ends.contains(&None) && row.ends.len() > 1)
        }),
        state("a call that takes effect when nobody waits for it", |_, world: &World| {
            world.employees > 0 && world.any(|state| state == State::Unknown)
        }),
    ];
    if rules.replicas > 1 {
        all.push(state("somebody was faster", |_, world: &World| {
            world.tasks().any(|task| !task.fresh && task.at == Point::Do(Effect::Send))
        }));
        all.push(state("an owner that is taken for gone and is not", |_, world: &World| {
            world.any(|state| state == State::Unknown) && world.tasks().any(|task| task.at == Point::Granted)
        }));
    }
    if rules.reading != Reading::Forbidden {
        all.push(state("created(adopted)", |_, world: &World| {
            world.any(|state| state == State::Created(How::Adopted))
        }));
    }
    if rules.foreign {
        all.push(state("held(exists)", |_, world: &World| {
            world.any(|state| state == State::Held(Held::Exists))
        }));
    }
    if rules.budget.clicks > 0 {
        all.push(state("created(linked)", |_, world: &World| {
            world.any(|state| state == State::Created(How::Linked))
        }));
    }
    if rules.budget.clicks > 1 {
        all.push(state("two people about to click", |_, world: &World| world.clicks.len() > 1));
    }
    if rules.budget.unhires > 0 {
        all.push(state("cancelled", |_, world: &World| world.any(|state| state == State::Cancelled)));
        all.push(state("un-hired when it was sent already", |_, world: &World| {
            world.rows.iter().flatten().any(|row| row.hire.unhired)
        }));
    }
    if rules.budget.lost_commits > 0 && rules.engine == Engine::Postgres {
        all.push(state("a permit whose commit is found again", |_, world: &World| {
            world.tasks().any(|task| task.at == Point::CommitLost && task.mine)
        }));
        all.push(state("a permit whose commit is not found again", |_, world: &World| {
            world.tasks().any(|task| task.at == Point::CommitLost && !task.mine)
        }));
    }
    if rules.resend {
        all.push(state("sent again by itself, as the customer said", |_, world| {
            world
                .rows
                .iter()
                .flatten()
                .any(|row| row.ends.contains(&Some("resent")) && row.ends.contains(&None))
        }));
    }
    if rules.untimed {
        all.push(state("held(review)", |_, world| world.any(|state| state == State::Held(Held::Review))));
    }
    if rules.bad_plans {
        all.push(state("held(missing)", |_, world: &World| {
            world.any(|state| state == State::Held(Held::Missing))
        }));
    }
    if rules.hires > 1 {
        all.push(state("held(second_hire)", |_, world: &World| {
            world.any(|state| state == State::Held(Held::SecondHire))
        }));
    }
    if rules.overruling {
        all.push(state("sent again because a person said so", |_, world: &World| {
            world.truth.open.iter().any(|open| *open > 1)
                || world.truth.overruled.iter().any(|times| *times > 0)
        }));
    }
    all
}
