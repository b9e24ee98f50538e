//! `hirebridge operators`: who may use a running service.

use std::io::Write;
use std::time::Duration;

use anyhow::Context;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::remote::{Remote, refusal};
use super::token::operator_name;
use crate::http::operators::Role;

/// Let people and programs use a running service, and keep them out again.
#[derive(clap::Subcommand)]
#[command(after_help = "\
The ones who ask must be admins; the first is in the configuration: `hirebridge token new NAME --role admin`.
docs/operators.md says more.

Examples:
  hirebridge operators add mia --role sender --label laptop --token-file admin.token
  hirebridge operators list --token-file admin.token
  hirebridge operators revoke mia --token-file admin.token")]
pub(super) enum Command {
    /// Make a token for an operator, new or known; it is shown this once
    #[command(
        after_help = "Example:\n  hirebridge operators add mia --role sender --label laptop --token-file admin.token"
    )]
    Add {
        /// Whose it is; stands in the history of what that person does
        #[arg(value_parser = operator_name)]
        name: String,
        /// What it may do: viewer (sees), sender (also corrects and sends), admin (also checks, and lets others in)
        #[arg(long)]
        role: Role,
        /// What it is for
        #[arg(long, value_name = "TEXT")]
        label: Option<String>,
        #[command(flatten)]
        remote: Remote,
    },
    /// List the operators: role, label, who added them and when, and when they were last here
    #[command(after_help = "Example:\n  hirebridge operators list --token-file admin.token")]
    List {
        /// Also those that were revoked
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        remote: Remote,
    },
    /// Revoke all tokens of an operator, or one of them
    #[command(after_help = "\
From the next request on they let nobody in, and browsers that were signed in with them are signed out.

Examples:
  hirebridge operators revoke mia --token-file admin.token
  hirebridge operators revoke --token 01942f5e-9c1b-7c3e-8a37-2f6f2a6f0c11 --token-file admin.token")]
    Revoke {
        /// Whose tokens
        #[arg(required_unless_present = "token")]
        name: Option<String>,
        /// The one with this id, as `list` shows it
        #[arg(long, value_name = "ID", conflicts_with = "name")]
        token: Option<Uuid>,
        #[command(flatten)]
        remote: Remote,
    },
}

pub(super) async fn run(command: Command) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    match command {
        Command::Add { name, role, label, remote } => {
            let new = json!({"name": name, "role": role.name(), "label": label});
            let added = ask(&remote, Method::POST, "/v1/operators", Some(&new)).await?;
            let token = added["token"].as_str().context("the service answered without a token")?;
            writeln!(out, "The token, shown this once; give it to {name}:\n\n  {token}\n")?;
            Ok(writeln!(
                out,
                "Its id, for `hirebridge operators revoke --token`: {}",
                text(&added["operator"]["id"])
            )?)
        }
        Command::List { all, remote } => {
            let list = ask(&remote, Method::GET, "/v1/operators", None).await?;
            let operators = list["operators"].as_array().map(Vec::as_slice).unwrap_or_default();
            let shown = operators.iter().filter(|operator| all || operator["revoked"].is_null());
            let rows: Vec<_> = shown.map(row).collect();
            Ok(write!(out, "{}", table(&rows))?)
        }
        Command::Revoke { name, token, remote } => {
            let which = token.map_or_else(|| json!({"name": name}), |id| json!({"id": id}));
            let answer = ask(&remote, Method::POST, "/v1/operators/revoke", Some(&which)).await?;
            for operator in answer["revoked"].as_array().into_iter().flatten() {
                let [name, role, label, ..] = row(operator);
                writeln!(out, "revoked: {name} ({role}) {label} {}", text(&operator["id"]))?;
            }
            Ok(())
        }
    }
}

/// How long the service may take.
const PATIENCE: Duration = Duration::from_secs(30);

async fn ask(remote: &Remote, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
    let mut request = remote.request(method, path)?;
    if let Some(body) = body {
        request = request.with_json(body.to_string().into());
    }
    let asked = request.url.clone();
    let answer = remote.client()?.send(request, PATIENCE).await;
    let answer = answer.map_err(|failure| anyhow::anyhow!("{asked} was not answered: {}", failure.code()))?;
    if !(200..300).contains(&answer.status) {
        return Err(refusal(&answer));
    }
    serde_json::from_slice(&answer.body).context("the service did not answer with JSON")
}

const HEAD: [&str; 7] = ["NAME", "ROLE", "LABEL", "ADDED", "LAST USED", "REVOKED", "TOKEN ID"];

fn row(operator: &Value) -> [String; 7] {
    let said = |who: &Value| match (who["at"].as_str(), who["by"].as_str()) {
        (Some(at), Some(by)) => format!("{} by {by}", at.get(..10).unwrap_or(at)),
        _ => "-".to_owned(),
    };
    let fixed = operator["place"] == "configuration";
    [
        text(&operator["name"]),
        text(&operator["role"]),
        text(&operator["label"]),
        if fixed { "in the configuration".to_owned() } else { said(&operator["added"]) },
        text(&operator["last_used"]),
        said(&operator["revoked"]),
        text(&operator["id"]),
    ]
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("-").to_owned()
}

fn table(rows: &[[String; 7]]) -> String {
    let head = HEAD.map(str::to_owned);
    let width = |n: usize| {
        let all = std::iter::once(&head).chain(rows).map(|row| row[n].chars().count());
        all.max().unwrap_or_default()
    };
    let line = |row: &[String; 7]| {
        let cells = row.iter().enumerate().map(|(n, cell)| format!("{cell:<width$}", width = width(n)));
        let line = cells.collect::<Vec<_>>().join("  ");
        format!("{}\n", line.trim_end())
    };
    std::iter::once(&head).chain(rows).map(line).collect()
}
