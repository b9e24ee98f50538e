//! `hirebridge config`: help with the configuration file.

use std::io::Write;

use super::ConfigFile;
use crate::config::{DEFAULTS, environment, explain, schema};

/// Help with the configuration: judge it, explain it, describe it to an editor.
#[derive(clap::Subcommand)]
#[command(after_help = "\
Examples:
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
}

pub(super) async fn run(command: Command) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    match command {
        Command::Check(config) => {
            config.load()?;
            let read = config.path().map_or("the environment alone".to_owned(), |path| path.display().to_string());
            writeln!(out, "{read}: nothing is wrong")?;
        }
        Command::Schema => writeln!(out, "{}", serde_json::to_string_pretty(&schema())?)?,
        Command::Default => write!(out, "{DEFAULTS}")?,
        Command::Explain { key, config } => {
            let explained = explain(&key, config.path().as_deref(), environment())?;
            writeln!(out, "{explained}")?;
        }
    }
    Ok(())
}
