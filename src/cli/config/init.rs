//! `hirebridge config init`: a first configuration, and what to do in Personio.

use std::fs::{self, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::builder::PossibleValuesParser;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use url::Url;

use super::login::Login;
use crate::ats;
use crate::cli::secret::webhook_secret;
use crate::clock::Clock;
use crate::config::{Config, environment};
use crate::ledger::LedgerKey;
use crate::personio;
use crate::telemetry::Metrics;

/// What the integration is called in Personio, if nobody wants another name.
const INTEGRATION: &str = "hirebridge";

#[derive(clap::Args)]
#[command(after_help = "\
On a terminal it asks for what is not given. Secrets go into files of their own beside the configuration, readable for you
alone; one that is there already is kept. It then asks Personio whether it takes the credential, if there is one.

Example:
  hirebridge config init --personio acme.app.personio.com --ats ashby --public-url https://hires.example.com")]
pub(in crate::cli) struct Args {
    /// The file to write
    #[arg(long = "config", value_name = "FILE", default_value = "hirebridge.toml")]
    file: PathBuf,
    /// Where you log in to Personio, such as acme.app.personio.com
    #[arg(long, value_name = "DOMAIN")]
    personio: Option<Login>,
    /// An ATS that delivers; may be given several times
    #[arg(long = "ats", value_name = "KIND", value_parser = PossibleValuesParser::new(ats::kinds()))]
    kinds: Vec<String>,
    /// Where the ATS reaches this service
    #[arg(long, value_name = "URL")]
    public_url: Option<Url>,
    /// The client id of Personio's credential
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// A file with the credential's client secret in it
    #[arg(long, value_name = "FILE")]
    client_secret_file: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
}

pub(super) async fn run(mut args: Args) -> anyhow::Result<()> {
    let there = args.file.symlink_metadata().is_ok();
    anyhow::ensure!(args.force || !there, "{} is there; --force replaces it", args.file.display());
    let mut out = io::stdout();
    args.ask_for_the_domain()?;
    if let Some(login) = &args.personio {
        writeln!(out, "{}", in_personio(login))?;
    }
    let secret = args.ask_for_the_rest()?;
    args.keep_secrets(secret)?;
    write_private(&args.file, &args.configuration(), args.force)?;
    writeln!(out, "{} is written. Next: hirebridge check --config {0}", args.file.display())?;
    for missing in args.missing() {
        writeln!(out, "Still to do: write {missing} into {}", args.beside(missing).display())?;
    }
    if args.missing().next().is_none() {
        writeln!(out, "{}", args.asked_of_personio().await)?;
    }
    Ok(())
}

/// What to do in Personio.
fn in_personio(login: &Login) -> String {
    format!(
        "\
In Personio ({}): Marketplace > Connected integrations > Create custom integration
  name:                 {INTEGRATION}
  rights:               Employees: Read and Write
  readable attributes:  e-mail, first name, last name, status, preferred name, gender, position, department, office,
                        subcompany, hire date, weekly working hours, and every one of your own that you map
Links to employees:     {}
Job feed, if it is on:  {}
",
        login.page(),
        login.profile_url(),
        login.feeds().join(" or ")
    )
}

impl Args {
    fn beside(&self, name: &str) -> PathBuf {
        self.file.with_file_name(name)
    }

    fn ask_for_the_domain(&mut self) -> anyhow::Result<()> {
        if self.personio.is_none() && io::stdin().is_terminal() {
            let answer = ask("Where do you log in to Personio (such as acme.app.personio.com)?")?;
            self.personio = Some(answer.parse().map_err(|why: &str| anyhow::anyhow!(why))?);
        }
        Ok(())
    }

    /// The credential's secret, if it is known then.
    fn ask_for_the_rest(&mut self) -> anyhow::Result<Option<String>> {
        let asks = io::stdin().is_terminal();
        if asks && self.kinds.is_empty() {
            let known: Vec<_> = ats::kinds().collect();
            let chosen = ask(&format!("Which ATSs deliver ({})?", known.join(", ")))?;
            self.kinds =
                chosen.split([',', ' ']).filter(|kind| known.contains(kind)).map(str::to_owned).collect();
        }
        if asks && self.public_url.is_none() {
            let answer = ask("Where does the ATS reach this service (https://…; empty if not known)?")?;
            self.public_url = (!answer.is_empty()).then(|| answer.parse()).transpose()?;
        }
        if asks && self.client_id.is_none() && !self.beside("personio_client_id").exists() {
            self.client_id = Some(ask("The credential's client id (empty if there is none yet)?")?);
        }
        match &self.client_secret_file {
            Some(file) => {
                let text = fs::read_to_string(file);
                text.map(Some).with_context(|| format!("{} cannot be read", file.display()))
            }
            None if asks && !self.beside("personio_client_secret").exists() => {
                ask_hidden("The credential's client secret (not shown; empty if there is none yet)?")
                    .map(Some)
            }
            None => Ok(None),
        }
    }

    /// Writes each secret that is not there yet.
    fn keep_secrets(&self, client_secret: Option<String>) -> anyhow::Result<()> {
        let keep = |name: &str, secret: &str| match self.beside(name) {
            path if secret.trim().is_empty() || path.exists() => Ok(()),
            path => write_private(&path, secret.trim(), false),
        };
        keep("ledger_key", &LedgerKey::generate())?;
        keep("personio_client_id", self.client_id.as_deref().unwrap_or_default())?;
        keep("personio_client_secret", &client_secret.unwrap_or_default())?;
        self.kinds.iter().try_for_each(|kind| keep(&format!("{kind}_secret"), &webhook_secret()?))
    }

    fn missing(&self) -> impl Iterator<Item = &'static str> {
        ["personio_client_id", "personio_client_secret"]
            .into_iter()
            .filter(|name| !self.beside(name).exists())
    }

    async fn asked_of_personio(&self) -> String {
        let connected = Config::load(Some(&self.file), environment())
            .map_err(|errors| errors.to_string())
            .and_then(|config| {
                personio::connect(&config.personio, &config.guard(), &Clock::system(), &Metrics::default())
                    .map_err(|error| error.to_string())
            });
        match connected {
            Ok((reader, _)) => match reader.authenticate().await {
                Ok(()) => "Personio takes the credential.".to_owned(),
                Err(error) => format!("{error}."),
            },
            Err(why) => format!("Personio was not asked: {why}"),
        }
    }

    fn configuration(&self) -> String {
        let set = |key: &str, value: Option<String>, example: &str| match value {
            Some(value) => format!("{key} = {value:?}"),
            None => format!("# {key} = {example:?}"),
        };
        let public_url = self.public_url.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned());
        let profile_url = self.personio.as_ref().map(Login::profile_url);
        let sources: String = self.kinds.iter().map(|kind| source(kind)).collect();
        format!(
            "\
# hirebridge. `hirebridge config explain KEY` says what a key means, `hirebridge config default` shows all of them.

[server]
# Plain HTTP; a proxy with TLS stands in front.
listen = \"127.0.0.1:8080\"
# Where the ATS reaches this service.
{}

[ledger]
# A file on a local disk, or postgres://… for several replicas.
url = \"sqlite:hirebridge.db\"
# Keep a copy of it elsewhere: nothing personal in the ledger can be read without it.
key = {{ file = \"ledger_key\" }}

[personio]
client_id = {{ file = \"personio_client_id\" }}
client_secret = {{ file = \"personio_client_secret\" }}
# The page of an employee, for links.
{}
{sources}
# Personio attribute = where it comes from; `hirebridge config explain mapping.fields.NAME` says how.
# [mapping.fields]
# department = {{ from = \"job.department\", values = {{ \"Eng\" = \"Engineering\" }} }}
",
            set("public_url", public_url, "https://hires.example.com"),
            set("profile_url", profile_url, "https://acme.app.personio.com/staff/details/{id}"),
        )
    }
}

fn source(kind: &str) -> String {
    format!(
        "
# Its address is POST /webhooks/{kind}; `hirebridge serve` prints what to register there.
[sources.{kind}]
kind = \"{kind}\"
# The same text goes into the ATS.
secrets = [{{ file = \"{kind}_secret\" }}]
"
    )
}

/// Writes a file that only its owner may read.
fn write_private(path: &Path, text: &str, replace: bool) -> anyhow::Result<()> {
    let written = || {
        let mut part = path.as_os_str().to_owned();
        part.push(format!(".{}.part", std::process::id()));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        // A link does not replace what somebody else wrote meanwhile.
        let done = if replace { fs::rename(&part, path) } else { fs::hard_link(&part, path) };
        // Gone already if it was renamed.
        let _ = fs::remove_file(&part);
        done
    };
    written().with_context(|| format!("{} cannot be written", path.display()))
}

fn ask(question: &str) -> anyhow::Result<String> {
    let mut out = io::stdout();
    write!(out, "{question} ")?;
    out.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(answer.trim().to_owned())
}

/// The same, while the terminal does not show what is typed.
fn ask_hidden(question: &str) -> anyhow::Result<String> {
    let shown = tcgetattr(io::stdin())?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    tcsetattr(io::stdin(), OptionalActions::Now, &hidden)?;
    let answer = ask(question);
    tcsetattr(io::stdin(), OptionalActions::Now, &shown)?;
    writeln!(io::stdout())?;
    answer
}
