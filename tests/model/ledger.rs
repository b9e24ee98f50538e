//! The ledger of the model: one commit at a time, by the rules of the real one.

use std::collections::BTreeSet;

use hirebridge::domain::{Actor, Effect, Entry, Event, HireId, State};
use hirebridge::ledger::permit::{Other, Permit, ended_by, next_number, overruled};
use jiff::Timestamp;
use uuid::Uuid;

use super::rules::{Broken, Engine, Rules};
use super::world::{Fault, Hire, Point, Row, Step, World};

/// Who writes: nobody's copy of the hire grows old by its own write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Task(usize),
    Other,
}

/// What was asked for was not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum No {
    Conflict,
    SamePerson,
    Spent,
    Overtaken,
}

/// Stores a hire that is new.
pub(crate) fn insert(world: &mut World, of: usize, hire: Hire) {
    world.rows[of] = Some(Row { hire, ends: BTreeSet::new(), was_unknown: false, owner_lives: true });
}

/// Writes the hire over what was read, if nobody was faster; ends its permit if the steps say so.
pub(crate) fn save(
    rules: &Rules,
    world: &mut World,
    of: usize,
    who: Who,
    (hire, fresh, steps): (&Hire, bool, &[Step]),
) -> Result<(), No> {
    if !fresh && !rules.breaks(Broken::NoCompare) && !rules.breaks(Broken::NoPermit) {
        return Err(No::Conflict);
    }
    let entries = lines(steps);
    let row = world.rows[of].as_mut().expect("a hire is stored before it is worked on");
    if let Some(ended) = ended_by(&entries)
        && row.ends.remove(&None)
    {
        row.ends.insert(Some(ended));
    }
    row.was_unknown |= steps.iter().any(|(_, _, to)| *to == State::Unknown);
    if let Some(how) = overruled(&entries)
        && !(how == "resent" && row.ends.contains(&Some(how)))
    {
        world.truth.overruled[of] += 1;
        world.truth.spent[of] = 0;
        if row.ends.remove(&Some("unknown")) {
            row.ends.insert(Some(how));
        }
        supersede(world, of, who);
    }
    write(world, of, who, hire.clone());
    Ok(())
}

/// Grants the permit and stores the step to `sending`, or says why not.
pub(crate) fn permit(
    rules: &Rules,
    world: &mut World,
    of: usize,
    who: Who,
    (hire, fresh, steps): (&Hire, bool, &[Step]),
) -> Result<(), No> {
    if world.taken_back[of] && !hire.unhire_overruled {
        return Err(No::Overtaken);
    }
    let guard = !hire.second_hire_approved && !rules.breaks(Broken::NoSamePerson);
    if guard && is_in_the_way(world, of) {
        return Err(No::SamePerson);
    }
    let row = world.rows[of].as_ref().expect("a hire is stored before it is worked on");
    let seen: Vec<_> =
        row.ends.iter().filter(|ended| rules.sees(**ended)).map(|ended| as_permit(*ended)).collect();
    if next_number(&seen).is_none() {
        return Err(No::Spent);
    }
    let before = world.stored(of).expect("a hire is stored before it is worked on").state;
    save(rules, world, of, who, (hire, fresh, steps))?;
    if !matches!(before, State::Received | State::Ready | State::Waiting(_)) {
        world.truth.faults.insert(Fault::SentAgainstTheLedger);
    }
    if world.truth.spent[of] > 0 {
        world.truth.faults.insert(Fault::SentAgain);
    }
    world.truth.spent[of] += 1;
    supersede(world, of, who);
    let row = world.rows[of].as_mut().expect("it was written just now");
    row.ends.insert(None);
    row.owner_lives = true;
    Ok(())
}

/// Whether another hire of the person is, or may be, an employee. All hires of the world are of one person.
pub(crate) fn is_in_the_way(world: &World, of: usize) -> bool {
    let others = world.rows.iter().enumerate().filter(|(n, _)| *n != of);
    others.filter_map(|(n, row)| Some((n, row.as_ref()?))).any(|(n, row)| {
        let hire = HireId(Uuid::from_u128(n as u128));
        let permits = row.ends.iter().map(|ended| Some(as_permit(*ended)));
        let mut seen =
            permits.chain([None]).map(|permit| Other { hire, state: Some(row.hire.state), permit });
        seen.any(|other| other.is_in_the_way().is_some())
    })
}

fn as_permit(ended: Option<&'static str>) -> Permit {
    ended.map(str::to_owned).into()
}

fn write(world: &mut World, of: usize, who: Who, hire: Hire) {
    let row = world.rows[of].as_mut().expect("a hire is stored before it is worked on");
    row.hire = hire;
    for (n, replica) in world.replicas.iter_mut().enumerate() {
        if let Some(task) = replica.tasks[of].as_mut() {
            task.fresh = who == Who::Task(n);
            task.mine &= task.fresh;
        }
    }
    for click in world.clicks.iter_mut().filter(|click| click.of == of) {
        click.fresh = false;
    }
}

/// Whoever holds an earlier permit is not the last word any more.
fn supersede(world: &mut World, of: usize, who: Who) {
    for (n, replica) in world.replicas.iter_mut().enumerate() {
        if let Some(task) = replica.tasks[of].as_mut() {
            let holds = matches!(task.at, Point::Granted | Point::Calling(_) | Point::Keep);
            task.superseded = holds && who != Who::Task(n);
        }
    }
}

/// Whether a replica would find this hire among those whose sender is gone.
pub(crate) fn is_orphan(rules: &Rules, row: &Row) -> bool {
    let gone = match rules.engine {
        Engine::Sqlite => !row.owner_lives,
        Engine::Postgres => true,
    };
    row.hire.state == State::Sending && gone && !rules.breaks(Broken::NoRecovery)
}

/// The steps as the ledger is given them.
fn lines(steps: &[Step]) -> Vec<Entry> {
    let line = |(from, event, to): &Step| Entry::of(*from, event, *to, &Actor::System, Timestamp::UNIX_EPOCH);
    steps.iter().map(line).collect()
}

/// Takes a step on a copy, as `Hire::apply` does.
pub(crate) fn apply(rules: &Rules, hire: &mut Hire, unsaved: &mut Vec<Step>, event: Event) -> Option<Effect> {
    let (to, effect) = rules.step(hire.state, &event).ok()?;
    let forgets = rules.breaks(Broken::UnhireForgetsTheTime);
    if event != Event::Unhired || to != hire.state || forgets {
        hire.next = false;
    }
    unsaved.push((hire.state, event, to));
    hire.state = to;
    Some(effect)
}
