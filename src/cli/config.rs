//! `hirebridge config`: help with the configuration file.

mod first;
mod init;
mod login;
mod terminal;

use std::io::Write;
use std::time::Duration;

use anyhow::Context;
use reqwest::Method;
use serde_json::Value;

use super::ConfigFile;
use super::remote::{Remote, refusal};
use crate::config::{DEFAULTS, environment, explain, schema};
use crate::http::reload::Reloaded;
use crate::outbound::Answer;

/// How long the service may take: a credential is changed between two questions for a token.
const PATIENCE: Duration = Duration::from_mins(1);

/// Help with the configuration: judge it, explain it, describe it to an editor.
#[derive(clap::Subcommand)]
#[command(after_help = "\
Examples:
  hirebridge config init --personio acme.app.personio.com --ats ashby
  hirebridge config check --config hirebridge.toml
  hirebridge config explain transfer.lookups")]
pub(super) enum Command {
    /// Read the configuration and say everything that is wrong with it; nothing is started and nobody is asked
    #[command(after_help = "\
Ends with exit code 1 if `serve` would refuse it. `hirebridge check` also asks Personio and opens the ledger.

Example:
  hirebridge config check --config hirebridge.toml")]
    Check(ConfigFile),
    /// Print the JSON Schema of the file, for completion in an editor
    #[command(after_help = "\
Editors with Taplo (such as VS Code's Even Better TOML) use it if the configuration begins with
  #:schema ./hirebridge.schema.json

Example:
  hirebridge config schema > hirebridge.schema.json")]
    Schema,
    /// Print every key with its default and one sentence
    #[command(after_help = "Example:\n  hirebridge config default")]
    Default,
    /// Say what one key means, its default, its environment variable, and what it is set to
    #[command(after_help = "\
A secret is never shown.

Examples:
  hirebridge config explain server.wait
  hirebridge config explain sources.ashby.secrets --config hirebridge.toml")]
    Explain {
        /// Section and key, with dots
        key: String,
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Write a first configuration, and say what to do in Personio
    Init(init::Args),
    /// Have the running service read its configuration again; refused whole if anything is wrong with it
    #[command(after_help = "\
The token must be an admin's. SIGHUP does the same, and tells only the log. Mappings, rules, sources, operators,
look-ups, the log's level and Personio's credential are taken up; what needs a restart is named. Requests and hires
under way end as they began.

Example:
  hirebridge config reload --token-file admin.token")]
    Reload(Remote),
}

pub(super) async fn run(command: Command) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    match command {
        Command::Check(config) => {
            config.load()?;
            let read =
                config.path().map_or("the environment alone".to_owned(), |path| path.display().to_string());
            writeln!(out, "{read}: nothing is wrong")?;
        }
        Command::Schema => writeln!(out, "{}", serde_json::to_string_pretty(&schema())?)?,
        Command::Default => write!(out, "{DEFAULTS}")?,
        Command::Explain { key, config } => {
            let explained = explain(&key, config.path().as_deref(), environment())?;
            writeln!(out, "{explained}")?;
        }
        Command::Init(args) => init::run(args).await?,
        Command::Reload(remote) => {
            let Reloaded { changed, needs_restart } = reload(&remote).await?;
            match &changed[..] {
                [] => writeln!(out, "nothing changed that a running service takes up")?,
                keys => writeln!(out, "taken up: {}", keys.join(", "))?,
            }
            if !needs_restart.is_empty() {
                writeln!(out, "needs a restart: {}", needs_restart.join(", "))?;
            }
        }
    }
    Ok(())
}

async fn reload(remote: &Remote) -> anyhow::Result<Reloaded> {
    let request = remote.request(Method::POST, "/v1/config/reload")?;
    let asked = request.url.clone();
    let answer = remote.client()?.send(request, PATIENCE).await;
    let answer = answer.with_context(|| format!("{asked} was not answered"))?;
    if answer.status != 200 {
        return Err(refused(&answer));
    }
    serde_json::from_slice(&answer.body).with_context(|| format!("{asked} did not answer as expected"))
}

/// What the service says, with each line that is wrong.
fn refused(answer: &Answer) -> anyhow::Error {
    let problem: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let errors = problem["errors"].as_array().into_iter().flatten();
    let lines: Vec<_> = errors.filter_map(|error| error["message"].as_str()).collect();
    let said = refusal(answer);
    if lines.is_empty() { said } else { anyhow::anyhow!("{said}\n{}", lines.join("\n")) }
}
