//! The service beside its floor, against the simulator: what durability costs.
//!
//! The floor verifies, maps and forwards with the same upstream calls, and stores nothing. Simulator, service and
//! floor are processes of their own: this program, started again with `--role`. Senders are threads of this one.

mod check;
mod cores;
mod count;
mod flood;
mod floor;
#[path = "../ground.rs"]
mod ground;
mod overload;
mod process;
mod report;
mod roles;
mod rounds;
mod senders;
mod syncs;

use std::path::Path;

use check::Simulator;
use process::{Process, Start};
use report::Column;
use rounds::{Bench, Setting};
use syncs::Syncs;

/// Said by this program to itself: `--role NAME FOLDER`.
const ROLE: &str = "--role";

/// Rounds of each setting, and hires of each round. Together they take a little more than a minute on two cores.
const SETTINGS: &[Setting] = &[
    Setting { latency_ms: 0, sync_ms: 0, senders: 1, rounds: 5, hires: 200 },
    Setting { latency_ms: 0, sync_ms: 0, senders: 64, rounds: 5, hires: 1000 },
    Setting { latency_ms: 5, sync_ms: 0, senders: 1, rounds: 4, hires: 80 },
    Setting { latency_ms: 5, sync_ms: 0, senders: 64, rounds: 5, hires: 1000 },
    Setting { latency_ms: 0, sync_ms: 2, senders: 1, rounds: 3, hires: 80 },
    Setting { latency_ms: 0, sync_ms: 2, senders: 64, rounds: 5, hires: 1000 },
];

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [ROLE, role, folder] = arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        return roles::play(role, Path::new(folder));
    }
    // The build's folder lies on a disk, where the system's temporary one may be memory.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let asked_for = |what: &str| arguments.iter().any(|argument| argument == what);
    if asked_for("--instructions") {
        return count::count(folder.path(), Path::new(env!("CARGO_TARGET_TMPDIR")));
    }
    let quick = asked_for("--quick");
    if asked_for("--overload") { overload::run(folder.path(), quick) } else { run(folder.path(), quick) }
}

fn run(folder: &Path, quick: bool) -> anyhow::Result<()> {
    let personio = Process::start(roles::SIMULATOR, folder, &Start::default())?;
    let simulator = Simulator::at(personio.address());
    ground::configure(folder, &personio.address().to_string())?;
    let syncs = Syncs::build(folder)?;
    let environment = syncs.iter().flat_map(Syncs::environment).collect();
    let mut bench = Bench {
        simulator: &simulator,
        personio: &personio,
        service: Process::start(roles::SERVICE, folder, &Start { environment, ..Start::default() })?,
        floor: Process::start(roles::FLOOR, folder, &Start::default())?,
        syncs: syncs.as_ref(),
        folder,
        delivered: 0,
    };
    bench.warm_up()?;
    let possible = SETTINGS.iter().filter(|setting| setting.sync_ms == 0 || syncs.is_some());
    let settings = possible.map(|setting| if quick { setting.quick() } else { *setting });
    let column = |setting| anyhow::Ok(Column { setting, rounds: bench.compare(setting)? });
    let columns = settings.map(column).collect::<Result<Vec<_>, _>>()?;
    report::table(&columns);
    let delivered = bench.delivered;
    simulator.expect_each_once(delivered)?;
    println!("\neach of {delivered} hires was created exactly once");
    Ok(())
}
