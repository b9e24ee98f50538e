//! `hirebridge erase`: a person is erased from a running service's ledger.

use std::io::Write;

use anyhow::Context;
use serde_json::Value;

use super::person::{Person, ask};
use super::remote::Remote;

/// Erase a person from the ledger of a running service; without --yes only say which hires are meant.
#[derive(clap::Args)]
#[command(after_help = "\
Facts, plan, corrections, deliveries and files of all hires that are found are gone. What stays names nobody: keyed hashes,
by which a repeat is known, permits, and who did what when. A hire that is just being sent is erased as soon as it has ended.
Only hirebridge forgets: neither Personio nor the ATS is touched. Backups that were made before still have the person.
The token must be an admin's. docs/privacy.md says more.

Example:
  hirebridge erase --email mia@example.org --token-file admin.token
  hirebridge erase --email mia@example.org --token-file admin.token --yes")]
pub(super) struct Args {
    #[command(flatten)]
    person: Person,
    /// Do it
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    remote: Remote,
}

pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let mut about = args.person.selector();
    about.insert("dry_run".to_owned(), Value::Bool(!args.yes));
    let answer = ask(&args.remote, "/v1/people/erase", about).await?;
    let answer: Value = serde_json::from_slice(&answer.body).context("the answer is no JSON")?;
    Ok(std::io::stdout().write_all(said(&answer, args.yes).as_bytes())?)
}

/// Ids and states alone.
fn said(answer: &Value, done: bool) -> String {
    let list = |name: &str| answer[name].as_array().cloned().unwrap_or_default();
    let (found, pending) = (list("found"), list("pending"));
    if found.is_empty() {
        return "No hire of this person is stored.\n".to_owned();
    }
    let line = |hire: &Value| {
        let became = match (done, pending.contains(&hire["id"])) {
            (false, _) => "",
            (true, true) => ": to be erased as soon as it has ended",
            (true, false) => ": erased",
        };
        let word = |name: &str| hire[name].as_str().unwrap_or_default();
        format!("{} {}{became}\n", word("id"), word("state"))
    };
    let lines: String = found.iter().map(line).collect();
    let end = if done {
        "Personio and the ATS were not touched."
    } else {
        "Nothing was erased: --yes does it. Personio and the ATS are not touched."
    };
    format!("{lines}\n{end}\n")
}
