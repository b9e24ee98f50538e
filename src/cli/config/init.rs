//! `hirebridge config init`: a first configuration, and what to do in Personio.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context;
use clap::builder::PossibleValuesParser;
use tokio::time::Instant;
use url::Url;

use super::first::First;
use super::login::Login;
use super::terminal::{ask, ask_hidden, somebody_is_there};
use crate::ats::{self, ApiError, Source, Sources, Trait};
use crate::cli::secret::webhook_secret;
use crate::clock::Clock;
use crate::config::{Config, environment};
use crate::ledger::LedgerKey;
use crate::personio;
use crate::telemetry::Metrics;

/// What the integration is called in Personio, if nobody wants another name.
const INTEGRATION: &str = "hirebridge";

/// How long an ATS may take to say whether it takes a key.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(clap::Args)]
#[command(after_help = "\
On a terminal it asks for what is not given. Secrets go into files of their own beside the configuration, readable for you
alone; one that is there already is kept. It then asks Personio whether it takes the credential, and each ATS whether it
takes the key to its API, as far as there are any.

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
    #[arg(long = "ats", value_name = "KIND", value_parser = PossibleValuesParser::new(ats::vendors()))]
    kinds: Vec<String>,
    /// A file with the key to an ATS's API in it, such as ashby=key.txt
    #[arg(long = "api-key-file", value_name = "KIND=FILE")]
    api_keys: Vec<KeyFile>,
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

/// Where the key to an ATS's API is.
#[derive(Clone)]
struct KeyFile {
    kind: String,
    file: PathBuf,
}

impl FromStr for KeyFile {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = text.split_once('=').filter(|(kind, _)| ats::has(kind, Trait::Api));
        let (kind, file) =
            known.ok_or("must be an ATS whose API is asked and a file, such as ashby=key.txt")?;
        Ok(Self { kind: kind.to_owned(), file: file.into() })
    }
}

/// A secret, the file that is to hold it, and what it is called.
struct Secret {
    name: String,
    what: String,
    text: String,
}

pub(super) async fn run(mut args: Args) -> anyhow::Result<()> {
    let there = args.file.symlink_metadata().is_ok();
    anyhow::ensure!(args.force || !there, "{} is there; --force replaces it", args.file.display());
    let mut out = io::stdout();
    args.ask_for_the_domain()?;
    writeln!(out, "{}", in_personio(args.personio.as_ref()))?;
    args.ask_for_the_rest()?;
    for kept in args.keep(&args.secrets()?)? {
        writeln!(out, "{} is there and stays as it is; delete it to have it replaced", kept.display())?;
    }
    write_private(&args.file, &args.first().text(), args.force)?;
    writeln!(out, "{} is written.", args.file.display())?;
    for (what, path) in args.missing() {
        writeln!(out, "Still to do: write {what} into {}", path.display())?;
    }
    if args.missing().next().is_none() {
        for said in args.asked().await {
            writeln!(out, "{said}")?;
        }
    }
    let file = args.file.display();
    writeln!(out, "Next: hirebridge check --config {file}\nThen: hirebridge serve --config {file}")?;
    Ok(())
}

/// What to do in Personio, and where, as far as that is known.
fn in_personio(login: Option<&Login>) -> String {
    let page = login.map(|login| format!(" ({})", login.page())).unwrap_or_default();
    let links = login.map(|login| {
        let (profile, feeds) = (login.profile_url(), login.feeds().join(" or "));
        format!("Links to employees:     {profile}\nJob feed, if it is on:  {feeds}\n")
    });
    format!(
        "\
In Personio{page}: Marketplace > Connected integrations > Create custom integration
  name:                 {INTEGRATION}
  rights:               Employees: Read and Write
  readable attributes:  e-mail, first name, last name, status, preferred name, gender, position, department, office,
                        subcompany, hire date, weekly working hours, and every one of your own that you map
{}",
        links.unwrap_or_default()
    )
}

/// The ATSs that are named in an answer.
fn chosen(answer: &str) -> Result<Vec<String>, String> {
    let names = answer.split([',', ' ']).filter(|name| !name.is_empty()).map(str::to_ascii_lowercase);
    let read = |name: String| {
        let unknown = || format!("`{name}` is none of them");
        ats::vendors().find(|kind| *kind == name).map(str::to_owned).ok_or_else(unknown)
    };
    names.map(read).collect()
}

/// A file of this kind of secret, beside the configuration.
fn api_key_of(kind: &str) -> String {
    format!("{kind}_api_key")
}

impl Args {
    fn beside(&self, name: &str) -> PathBuf {
        self.file.with_file_name(name)
    }

    fn ask_for_the_domain(&mut self) -> anyhow::Result<()> {
        if self.personio.is_none() && somebody_is_there() {
            let question = "Where do you log in to Personio (such as acme.app.personio.com)?";
            self.personio = Some(ask(question, str::parse)?);
        }
        Ok(())
    }

    fn ask_for_the_rest(&mut self) -> anyhow::Result<()> {
        if self.kinds.is_empty() && somebody_is_there() {
            let known: Vec<_> = ats::vendors().collect();
            self.kinds = ask(&format!("Which ATSs deliver ({})?", known.join(", ")), chosen)?;
        }
        self.kinds.extend(self.api_keys.iter().map(|key| key.kind.clone()));
        self.kinds.sort();
        self.kinds.dedup();
        if self.public_url.is_none() && somebody_is_there() {
            let question = "Where does the ATS reach this service (https://…; empty if not known)?";
            let read = |answer: &str| if answer.is_empty() { Ok(None) } else { answer.parse().map(Some) };
            self.public_url = ask(question, read)?;
        }
        if self.client_id.is_none() && somebody_is_there() && !self.beside("personio_client_id").exists() {
            let question = "The credential's client id (empty if there is none yet)?";
            self.client_id = Some(ask(question, |answer| Ok::<_, String>(answer.to_owned()))?);
        }
        Ok(())
    }

    /// Every secret, as far as it is known or can be made. On a terminal it is asked for.
    fn secrets(&self) -> anyhow::Result<Vec<Secret>> {
        let secret = |name: &str, what: &str, text: String| Secret {
            name: name.to_owned(),
            what: what.to_owned(),
            text: text.trim().to_owned(),
        };
        let id = self.client_id.clone().unwrap_or_default();
        let what = "the credential's client secret";
        let typed = self.typed("personio_client_secret", self.client_secret_file.as_deref(), what)?;
        let mut secrets = vec![
            secret("ledger_key", "", LedgerKey::generate()),
            secret("personio_client_id", "the credential's client id", id),
            secret("personio_client_secret", what, typed),
        ];
        for kind in &self.kinds {
            if !ats::has(kind, Trait::SecretComesLater) {
                secrets.push(secret(&format!("{kind}_secret"), "", webhook_secret()?));
            }
            if !ats::has(kind, Trait::Api) {
                continue;
            }
            let given = self.api_keys.iter().find(|key| key.kind == *kind).map(|key| key.file.as_path());
            let (name, what) = (api_key_of(kind), format!("the key to {kind}'s API"));
            let typed = self.typed(&name, given, &what)?;
            secrets.push(secret(&name, &what, typed));
        }
        Ok(secrets)
    }

    /// What is in the file that was named, or is typed unseen; nothing, if it is there already or nobody can type it.
    fn typed(&self, name: &str, given: Option<&Path>, what: &str) -> anyhow::Result<String> {
        if let Some(file) = given {
            return fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()));
        }
        if !somebody_is_there() || self.beside(name).exists() {
            return Ok(String::new());
        }
        ask_hidden(&format!("And {what} (not shown; empty if there is none yet)?"))
    }

    /// Writes each secret that is not there yet. Returns where another one is than the one that was given.
    fn keep(&self, secrets: &[Secret]) -> anyhow::Result<Vec<PathBuf>> {
        let mut kept = Vec::new();
        for secret in secrets.iter().filter(|secret| !secret.text.is_empty()) {
            let path = self.beside(&secret.name);
            match fs::read_to_string(&path) {
                Ok(there) if secret.what.is_empty() || there.trim() == secret.text => {}
                Ok(_) => kept.push(path),
                Err(_) => write_private(&path, &secret.text, false)?,
            }
        }
        Ok(kept)
    }

    /// What the configuration needs and nobody could make, and where it goes.
    fn missing(&self) -> impl Iterator<Item = (&'static str, PathBuf)> {
        let needed = [
            ("the credential's client id", "personio_client_id"),
            ("the credential's client secret", "personio_client_secret"),
        ];
        let needed = needed.map(|(what, name)| (what, self.beside(name)));
        needed.into_iter().filter(|(_, path)| !path.exists())
    }

    fn first(&self) -> First<'_> {
        let key = |kind: &str| ats::has(kind, Trait::Api).then(|| self.beside(&api_key_of(kind)).exists());
        First {
            login: self.personio.as_ref(),
            public_url: self.public_url.as_ref(),
            sources: self.kinds.iter().map(|kind| (kind.as_str(), key(kind))).collect(),
        }
    }

    /// What Personio and the ATSs say to what was written.
    async fn asked(&self) -> Vec<String> {
        let config = match Config::load(Some(&self.file), environment()) {
            Ok(config) => config,
            Err(errors) => return vec![format!("Nobody was asked: {errors}")],
        };
        let mut said = vec![asked_of_personio(&config).await];
        for source in Sources::build(&config.ats(), &config.guard()).unwrap_or_default().iter() {
            said.extend(asked_of_ats(source).await);
        }
        said
    }
}

async fn asked_of_personio(config: &Config) -> String {
    match personio::connect(&config.personio, &config.guard(), &Clock::system(), &Metrics::default()) {
        Ok((reader, _)) => match reader.authenticate().await {
            Ok(()) => "Personio takes the credential.".to_owned(),
            Err(error) => format!("{error}."),
        },
        Err(why) => format!("Personio was not asked: {why}"),
    }
}

async fn asked_of_ats(source: &Source) -> Option<String> {
    let name = source.name();
    Some(match source.try_key(Instant::now() + PATIENCE).await? {
        Ok(()) => format!("{name} takes the key to its API."),
        Err(error @ (ApiError::Status(401 | 403) | ApiError::Refused(_))) => {
            format!("{name} does not take the key to its API, or not for this: {error}. Look at its rights.")
        }
        Err(error) => format!("Whether {name} takes the key to its API is not known: {error}."),
    })
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
