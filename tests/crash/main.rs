//! The crash proof: delivers hires while the service is killed at random moments and Personio misbehaves in every
//! way that the simulator knows; then asks whether what was promised holds.
//!
//! Everything that is chosen at random comes from one seed. It replays who is delivered, what goes wrong in
//! which order and how long each process lives, not the machine's timing: a rare failure may take a few runs.

mod checker;
mod evidence;
mod forgeries;
mod hires;
mod papers;
mod replicas;
mod report;
mod senders;
mod storm;
#[expect(dead_code, reason = "tests/it uses all of it")]
#[path = "../it/support/mod.rs"]
mod support;
mod weather;
mod witness;

use std::process::ExitCode;

use clap::{Parser, ValueEnum};

/// Kills hirebridge while hires are delivered, and checks from outside that none is lost and none is double.
///
/// Without arguments it is short: 60 hires and 20 kills on SQLite.
#[derive(Parser)]
#[command(name = "cargo test --test crash --")]
struct Args {
    /// Replays a run; without it a new one is made up and said.
    #[arg(long)]
    seed: Option<u64>,
    /// How many hires are delivered.
    #[arg(long, default_value_t = 60)]
    hires: usize,
    /// How often a process is killed.
    #[arg(long, default_value_t = 20)]
    kills: usize,
    /// One process on SQLite, or two replicas on a PostgreSQL server of the test's own.
    #[arg(long, value_enum, default_value_t = Store::Sqlite)]
    store: Store,
}

/// Where the hires are kept.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Store {
    Sqlite,
    Postgres,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    let forgeries = forgeries::are_found_out();
    let Some(outcome) = storm::run(seed, args.hires, args.kills, args.store).await else {
        return ExitCode::SUCCESS;
    };
    let complaints = checker::check(&outcome.evidence);
    report::summary(&args, seed, forgeries, &outcome);
    report::complaints(&complaints, &outcome.evidence);
    if complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
