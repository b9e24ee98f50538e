//! `hirebridge preview`: the plan for a payload, nothing written.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;

use super::ConfigFile;
use super::codes::{Explained, Speech};
use crate::ats::Sources;
use crate::catalog::Learned;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::{Plan, State};
use crate::http;
use crate::personio;
use crate::telemetry::Metrics;
use crate::transfer::Planner;
use crate::words::{self, Kind, Language};

/// How long Personio may take to tell what it has.
const LEARN_WITHIN: Duration = Duration::from_secs(20);

/// Show what Personio would get for a delivery, without a running service and without writing anything.
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  hirebridge preview delivery.json --source ashby --config hirebridge.toml

Prints the plan as JSON, and on standard error what its codes mean. Ends with exit code 1 if it could not be
sent as it is. Asks Personio for its attributes and names, as the service does. What was confirmed as always
(/v1/values) is in the service alone: its POST /v1/hires/preview takes it into account.")]
pub(super) struct Args {
    /// The body of a delivery; `-` reads it from standard input
    file: PathBuf,
    /// The source whose delivery it is
    #[arg(long)]
    source: String,
    #[command(flatten)]
    speech: Speech,
    #[command(flatten)]
    config: ConfigFile,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let config = args.config.load()?;
    let body = read(&args.file)?;
    let planner = Planner {
        sources: Arc::new(Sources::build(&config.ats(), &config.guard()).unwrap_or_default()),
        mappings: Arc::new(config.mappings().map_err(|wrong| anyhow::anyhow!("{wrong:?}"))?),
        catalog: learned(&config).await?,
        marker: config.transfer.marker.clone(),
        clock: Clock::system(),
    };
    let named = planner.sources.named(&args.source);
    let source = named.with_context(|| unknown(&args.source, &planner.sources))?;
    let plan = planner.preview(source, &body, Clock::system().now(), &[]).await?;
    let sendable = plan.sendable();
    let explained = explained(&plan, args.speech.language);
    let shown = serde_json::to_string_pretty(&http::Preview::from(plan))?;
    writeln!(std::io::stdout(), "{shown}")?;
    write!(std::io::stderr(), "{explained}")?;
    Ok(if sendable { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What Personio has, as a running service would have learned it: without that, the plan would be another one.
async fn learned(config: &Config) -> anyhow::Result<Learned> {
    if !config.personio.learn_every.is_positive() {
        return Ok(Learned::default());
    }
    let clock = Clock::system();
    let (reader, _) = personio::connect(&config.personio, &config.guard(), &clock, &Metrics::default())?;
    let learned = Learned::from_personio(reader, clock);
    let why = match tokio::time::timeout(LEARN_WITHIN, learned.once()).await {
        Ok(Ok(())) => return Ok(learned),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "it did not answer in time".to_owned(),
    };
    writeln!(
        std::io::stderr(),
        "Personio could not be asked ({why}): attributes of your own are filled by `dynamic_` key alone, and no value is checked.\n"
    )?;
    Ok(Learned::default())
}

/// What the plan's codes mean.
fn explained(plan: &Plan, language: Language) -> String {
    let hold = plan.hold.map(|why| (Kind::State, State::Held(why).to_string()));
    let warnings = plan.warnings.iter().map(|warning| (Kind::Warning, warning.code.clone()));
    let notes = plan.notes.iter().map(|note| (Kind::Note, note.clone()));
    let mut codes: Vec<_> = hold.into_iter().chain(warnings).chain(notes).collect();
    codes.dedup();
    let said = codes.iter().filter_map(|(kind, code)| {
        let words = words::of(*kind, code, language)?;
        Some(format!("{}\n", Explained { kind: *kind, code, words, language }))
    });
    said.collect()
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    if file == Path::new("-") {
        std::io::stdin().read_to_end(&mut body).context("standard input cannot be read")?;
    } else {
        body = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    }
    Ok(body)
}

fn unknown(name: &str, sources: &Sources) -> String {
    let known: Vec<_> = sources.iter().map(crate::ats::Source::name).collect();
    format!("no source is called `{name}`; the configuration has: {}", known.join(", "))
}
