//! What a run prints.

use std::collections::BTreeMap;

use crate::checker::Complaint;
use crate::evidence::{Evidence, steps};
use crate::storm::Outcome;
use crate::support::state;
use crate::weather::kinds;
use crate::{Args, Store};

/// How many complaints are shown with everything that was seen of the hire.
const SHOWN: usize = 10;

/// The run in one block.
pub(crate) fn summary(args: &Args, seed: u64, forgeries: usize, outcome: &Outcome) {
    let Outcome { evidence, weather, .. } = outcome;
    let store = if args.store == Store::Sqlite { "sqlite" } else { "postgres, two replicas" };
    let answers: usize = evidence.delivered.iter().map(|hire| hire.answers.len()).sum();
    let turned_away = evidence.creates.iter().filter(|create| create.turned_away).count();
    let adopted = evidence.shown.iter().filter(|hire| state(hire) == "created(adopted)").count();
    let unknown = evidence.shown.iter().filter(|hire| steps(hire).any(|(_, to, _)| to == "unknown")).count();
    let warned = evidence.shown.iter().filter(|hire| !hire["warnings"][0].is_null()).count();
    let mut states: BTreeMap<String, usize> = BTreeMap::new();
    for hire in &evidence.shown {
        *states.entry(state(hire)).or_default() += 1;
    }
    let states: Vec<String> = states.iter().map(|(state, n)| format!("{state} {n}")).collect();
    println!("  seed {seed} on {store}; the checker found out {forgeries} forgeries");
    println!(
        "  kills          {} ({} within 500 ms of the start, {} of them before it was ready)",
        outcome.kills, outcome.in_recovery, outcome.before_ready
    );
    println!(
        "  misbehaviour   {} faults of {} of {} kinds, {} spells of other rights and shapes",
        weather.faults.values().sum::<usize>(),
        weather.faults.len(),
        kinds(),
        weather.spells
    );
    println!(
        "  hires          {} delivered {} times, {answers} success answers, {} glimpses",
        evidence.delivered.len(),
        outcome.deliveries,
        evidence.glimpses.len()
    );
    println!(
        "  creates        {} calls, {turned_away} turned away; {} employees",
        evidence.creates.len(),
        evidence.employees.len()
    );
    let mut documents: BTreeMap<String, usize> = BTreeMap::new();
    for document in evidence.shown.iter().flat_map(|hire| hire["documents"].as_array().into_iter().flatten())
    {
        *documents.entry(state(document)).or_default() += 1;
    }
    let documents: Vec<String> = documents.iter().map(|(state, n)| format!("{state} {n}")).collect();
    println!(
        "  documents      {} files, {} uploads; {}",
        evidence.papers.len(),
        evidence.uploads.len(),
        documents.join(", ")
    );
    println!("  unknown        {unknown}, of them {adopted} adopted; {warned} hires with warnings");
    println!("  in the end     {}", states.join(", "));
    println!(
        "  took           {:.1} s: storm {:.1} s, calm {:.1} s; a start {} ms",
        (outcome.storm + outcome.calm).as_secs_f64(),
        outcome.storm.as_secs_f64(),
        outcome.calm.as_secs_f64(),
        outcome.start.as_millis()
    );
}

/// What does not hold, with all that was seen of the first few hires.
pub(crate) fn complaints(complaints: &[Complaint], evidence: &Evidence) {
    if complaints.is_empty() {
        println!("  every invariant holds");
    }
    for complaint in complaints {
        let whose = complaint.application.as_deref().unwrap_or("-");
        println!("  BROKEN {:?}: {whose} {}", complaint.invariant, complaint.what);
    }
    let whose = complaints.iter().filter_map(|complaint| complaint.application.as_deref());
    for application in whose.take(SHOWN) {
        all_of(application, evidence);
    }
}

fn all_of(application: &str, evidence: &Evidence) {
    println!("\n  everything seen of {application}");
    for hire in evidence.delivered.iter().filter(|hire| hire.application == application) {
        println!("    answers {:?}", hire.answers);
    }
    for create in evidence.creates.iter().filter(|create| create.application == application) {
        println!("    call {} turned away: {} {}", create.number, create.turned_away, create.sent);
    }
    for made in evidence.employees.iter().filter(|made| made.application == application) {
        println!("    employee {} {}", made.id, made.stored);
    }
    for hire in evidence.shown.iter().filter(|hire| hire["ats_id"] == application) {
        println!("    shown {} {} {} {}", hire["id"], state(hire), hire["warnings"], hire["documents"]);
        for step in steps(hire) {
            println!("      {step:?}");
        }
    }
}
