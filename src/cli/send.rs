//! `hirebridge send`: hires from a table, for an ATS that sends none itself.

mod table;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use aws_lc_rs::digest::{SHA256, digest};
use reqwest::Method;
use reqwest::header::{HeaderName, HeaderValue};
use serde_json::{Map, Value, json};

use super::remote::{Remote, refusal};
use crate::outbound::{Answer, Client};
use table::{Row, Table};

/// How long the service may take for one hire: it waits for Personio.
const PATIENCE: Duration = Duration::from_mins(2);

/// What makes a repeat of a row the same hire.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Send hires from a table through the running service, for an ATS that has no webhook.
#[derive(clap::Args)]
#[command(after_help = "\
The first line names the facts: candidate.first_name, candidate.email, offer.start_date, custom.Shirt size …
(`hirebridge codes` explains what happens to them, docs/mapping.md lists them). Columns are divided by `,`, `;` or a
tab, several values in one cell by `|`; an empty cell is unknown. The column `id` is the hire's number at the ATS;
without one, the e-mail address makes a repeat of a row the same hire. Running it twice makes nothing twice.

A row whose plan is complete is sent at once; any other is stored and waits for a person (`held`).
Ends with exit code 1 if a row was not taken. The token must be a sender's; for --dry-run a viewer's will do.

Examples:
  hirebridge send --csv hires.csv --dry-run --token-file sender.token
  hirebridge send --csv hires.csv --token-file sender.token")]
pub(super) struct Args {
    /// The table, in UTF-8; its first line names the facts
    #[arg(long, value_name = "FILE")]
    csv: PathBuf,
    /// The source whose hires they are: its mapping is used, and with a column `id` its webhook means the same hire
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Show what Personio would get and send nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    remote: Remote,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let text = std::fs::read(&args.csv).with_context(|| format!("{} cannot be read", args.csv.display()))?;
    // Everything that can be wrong with the table is told before anything is sent.
    let table = Table::read(&text).with_context(|| args.csv.display().to_string())?;
    let desk = Desk { client: args.remote.client()?, args: &args };
    let mut refused = 0;
    for row in &table.rows {
        let said = match desk.row(row).await? {
            Ok(said) => said,
            Err(why) => {
                refused += 1;
                format!("not taken: {why:#}")
            }
        };
        writeln!(std::io::stdout(), "line {}: {said}", row.line)?;
    }
    if !args.dry_run {
        writeln!(std::io::stdout(), "{} of {} rows taken", table.rows.len() - refused, table.rows.len())?;
    }
    Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Where rows are handed in.
struct Desk<'a> {
    client: Client,
    args: &'a Args,
}

impl Desk<'_> {
    /// What became of one row, or why it was not taken. The outer error ends the whole: nobody answers.
    async fn row(&self, row: &Row) -> anyhow::Result<anyhow::Result<String>> {
        let mut hire = self.hire(row);
        let answer = self.ask("/v1/hires/preview", row, &hire).await?;
        if answer.status != 200 {
            return Ok(Err(refused(&answer)));
        }
        let plan = said(&answer)?["plan"].clone();
        let sendable = plan["sendable"] == true;
        if self.args.dry_run {
            let would = if sendable { "would be sent" } else { "would wait for a person" };
            return Ok(Ok(format!("{would}: {}", serde_json::to_string_pretty(&plan)?)));
        }
        if sendable {
            hire.insert("plan_hash".to_owned(), plan["hash"].clone());
        }
        let answer = self.ask("/v1/hires", row, &hire).await?;
        Ok(match answer.status {
            201 => Ok(state(&said(&answer)?)),
            200 => Ok(format!("{} (known already)", state(&said(&answer)?))),
            _ => Err(refused(&answer)),
        })
    }

    /// The body that both requests have in common.
    fn hire(&self, row: &Row) -> Map<String, Value> {
        let mut hire = row.facts.clone();
        hire.extend(self.args.source.as_ref().map(|source| ("source".to_owned(), json!(source))));
        if let (Some(_), Some(id)) = (&self.args.source, &row.id) {
            hire.insert("ats_id".to_owned(), json!(id));
        }
        hire
    }

    async fn ask(&self, path: &str, row: &Row, body: &Map<String, Value>) -> anyhow::Result<Answer> {
        let mut request = self.args.remote.request(Method::POST, path)?;
        // A digest, since an address is personal and may hold what a header must not.
        let key = format!("csv-{}", hex::encode(digest(&SHA256, row.key.as_bytes())));
        request.headers.insert(IDEMPOTENCY_KEY, HeaderValue::try_from(key)?);
        let request = request.with_json(serde_json::to_vec(body)?.into());
        let asked = request.url.clone();
        let answer = self.client.send(request, PATIENCE).await;
        answer.with_context(|| {
            format!("line {}: {asked} was not answered; run it again: nothing is made twice", row.line)
        })
    }
}

fn said(answer: &Answer) -> anyhow::Result<Value> {
    serde_json::from_slice(&answer.body).context("the service did not answer as expected")
}

fn state(hire: &Value) -> String {
    let text = |name: &str| hire[name].as_str().unwrap_or_default().to_owned();
    match text("reason") {
        reason if reason.is_empty() => format!("{} {}", text("state"), text("id")),
        reason => format!("{}({reason}) {}", text("state"), text("id")),
    }
}

/// What the service says, with each field that is wrong.
fn refused(answer: &Answer) -> anyhow::Error {
    let problem: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let errors = problem["errors"].as_array().into_iter().flatten();
    let one = |error: &Value| Some(format!("{} {}", error["field"].as_str()?, error["message"].as_str()?));
    let lines: Vec<_> = errors.filter_map(one).collect();
    let said = refusal(answer);
    if lines.is_empty() { said } else { anyhow::anyhow!("{said}: {}", lines.join("; ")) }
}
