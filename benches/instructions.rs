//! From a signed body to the plan, in instructions: the same on a busy machine, so fit to be watched for drift.
//!
//! Runs itself under callgrind with few and with many repeats; what starting costs is the same in both and cancels.

mod ground;
mod planning;

use std::process::Command;

use anyhow::Context;

use planning::{Planning, STEPS};

/// Says to run a step so many times: `--repeat STEP TIMES`.
const REPEAT: &str = "--repeat";
const FEW: u64 = 100;
const MANY: u64 = 600;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [REPEAT, step, times] = arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        return repeat(step, times.parse()?);
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("instructions: not counted, because valgrind is missing: apt-get install valgrind");
        return Ok(());
    }
    println!("instructions per operation, candidateHire of {} bytes", ground::PAYLOAD.len());
    for (step, _) in STEPS {
        let each = (count(step, MANY)? - count(step, FEW)?) / (MANY - FEW);
        println!("{step:<8}{each:>10}");
    }
    Ok(())
}

fn repeat(step: &str, times: u64) -> anyhow::Result<()> {
    let planning = Planning::new()?;
    let (_, step) = STEPS.iter().find(|(name, _)| *name == step).context("no such step")?;
    (0..times).for_each(|_| step(&planning));
    Ok(())
}

/// All instructions of a process that does the step so many times.
fn count(step: &str, times: u64) -> anyhow::Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?)
        .args([REPEAT, step, &times.to_string()])
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "valgrind failed:\n{said}");
    let collected = said.lines().find_map(|line| line.split_once("Collected : "));
    let (_, collected) = collected.with_context(|| format!("valgrind said no count:\n{said}"))?;
    Ok(collected.trim().parse()?)
}
