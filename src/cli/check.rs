//! `hirebridge check`: the doctor.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use super::ConfigFile;
use crate::ats::Sources;
use crate::catalog::Learned;
use crate::check::{Doctor, Finding, Verdict};
use crate::clock::Clock;
use crate::config::Config;
use crate::personio;
use crate::telemetry::Metrics;

/// Look at everything a hire needs: configuration, ledger, clock, Personio's credential, rights, attributes.
#[derive(clap::Args)]
#[command(after_help = "\
Changes nothing. Ends with exit code 1 if anything would make a hire fail.

Example:
  hirebridge check --config hirebridge.toml")]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigFile,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let config = args.config.load()?;
    let findings = doctor(&config)?.examine().await;
    let mut out = std::io::stdout();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&findings)?)?;
    } else {
        for finding in &findings {
            writeln!(out, "{finding}")?;
        }
    }
    Ok(if fails(&findings) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn doctor(config: &Config) -> anyhow::Result<Doctor> {
    let clock = Clock::system();
    let (reader, _) = personio::connect(&config.personio, &config.guard(), &clock, &Metrics::default())?;
    let learned = Learned::from_personio(reader.clone(), clock.clone());
    Ok(Doctor {
        learned,
        ledger: config.ledger.clone(),
        sources: Arc::new(Sources::build(&config.ats(), &config.guard()).unwrap_or_default()),
        reader,
        mappings: Arc::new(config.mappings().map_err(|wrong| anyhow::anyhow!("{wrong:?}"))?),
        marker: config.transfer.marker.clone(),
        clock,
    })
}

fn fails(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.verdict == Verdict::Problem)
}
