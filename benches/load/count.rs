//! Service and floor in instructions: hardly depends on what else the machine does. The kernel's are not counted.

use std::ops::Range;
use std::path::Path;

use anyhow::Context;

use crate::check::Simulator;
use crate::process::{Process, Start};
use crate::{ground, roles, senders};

/// Enough to open connections and fill caches; then enough for a difference.
const FEW: usize = 100;
const MANY: usize = 500;

/// Few, because a process under callgrind has one processor and is slow.
const SENDERS: usize = 8;

/// Prints what a hire takes; keeps callgrind's profiles in the folder `keep`.
pub(crate) fn count(folder: &Path, keep: &Path) -> anyhow::Result<()> {
    let personio = Process::start(roles::SIMULATOR, folder, &Start::default())?;
    let simulator = Simulator::at(personio.address());
    ground::configure(folder, &personio.address().to_string())?;
    let mut delivered = 0;
    for role in [roles::SERVICE, roles::FLOOR] {
        let mut total = |hires| {
            let numbers = delivered..delivered + hires;
            delivered = numbers.end;
            instructions(role, folder, keep, numbers)
        };
        let (few, many) = (total(FEW)?, total(MANY)?);
        println!("{role:<8}{:>10} instructions/hire", (many - few) / (MANY - FEW) as u64);
    }
    println!("profiles: {}/callgrind.*", keep.display());
    simulator.expect_each_once(delivered)
}

/// All instructions of a process that takes these hires.
fn instructions(role: &str, folder: &Path, keep: &Path, hires: Range<usize>) -> anyhow::Result<u64> {
    let said = folder.join("valgrind.log");
    let profile = keep.join(format!("callgrind.{role}.{}", hires.len()));
    let wrapper = vec![
        "valgrind".to_owned(),
        "--tool=callgrind".to_owned(),
        format!("--log-file={}", said.display()),
        format!("--callgrind-out-file={}", profile.display()),
    ];
    let mut process = Process::start(role, folder, &Start { wrapper, ..Start::default() })?;
    let deliveries = hires.map(senders::delivery).collect::<Result<Vec<_>, _>>()?;
    senders::send(process.address(), &deliveries, SENDERS)?;
    process.finish()?;
    drop(process);
    let said = std::fs::read_to_string(said)?;
    let collected = said.lines().find_map(|line| line.split_once("Collected : "));
    let (_, collected) = collected.with_context(|| format!("valgrind said no count:\n{said}"))?;
    Ok(collected.trim().parse()?)
}
