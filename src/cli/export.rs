//! `hirebridge export`: everything that a running service has stored about a person.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use anyhow::Context;
use serde_json::Value;

use super::person::{Person, ask};
use super::remote::Remote;

/// Take out everything that a running service has stored about a person, as JSON.
#[derive(clap::Args)]
#[command(after_help = "\
Hires with facts, plan, corrections, history, deliveries, documents (without the files) and who looked at them; only what
hirebridge stores, not what Personio or the ATS have. It is noted who exported. The token must be an admin's.

Example:
  hirebridge export --email mia@example.org --out mia.json --token-file admin.token")]
pub(super) struct Args {
    #[command(flatten)]
    person: Person,
    /// Where it goes, readable for you alone; a file that is there is not replaced [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    remote: Remote,
}

pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let answer = ask(&args.remote, "/v1/people/export", args.person.selector()).await?;
    let answer: Value = serde_json::from_slice(&answer.body).context("the answer is no JSON")?;
    let text = format!("{}\n", serde_json::to_string_pretty(&answer)?);
    let Some(path) = &args.out else { return Ok(std::io::stdout().write_all(text.as_bytes())?) };
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.with_context(|| format!("{} cannot be written", path.display()))
}
