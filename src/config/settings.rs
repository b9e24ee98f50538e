//! All settings together, and what the modules object to in theirs.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::changes::{Origin, Prints, is_live};
use super::section::Source;
use super::{ConfigErrors, DEFAULTS, Objection, settled};
use crate::ats::Sources;
use crate::clock::Clock;
use crate::http::operators::{self, Operators};
use crate::mapping::{self, Filing, FilterSettings, Filters, Mapping, MappingError, Mappings};
use crate::outbound::guard::{self, Guard};
use crate::telemetry::Metrics;
use crate::{ats, http, ledger, notices, personio, telemetry, transfer};

/// Everything that can be set: each section belongs to the module that obeys it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How to be reached.
    pub server: http::Settings,
    /// What is logged.
    pub log: telemetry::Settings,
    /// Where hires are kept.
    pub ledger: ledger::Settings,
    /// Which places may be called.
    #[serde(default)]
    pub outbound: guard::Settings,
    /// How Personio is reached.
    pub personio: personio::Settings,
    /// How hires are sent and looked up.
    pub transfer: transfer::Settings,
    /// How long things are kept.
    pub retention: transfer::Retention,
    /// Who is told of what.
    pub notices: notices::Settings,
    /// Who delivers, by name.
    #[serde(default)]
    pub sources: BTreeMap<String, Source>,
    /// What goes where.
    #[serde(default)]
    pub mapping: mapping::Settings,
    /// Which hires are not for Personio, whatever their source.
    #[serde(default)]
    pub ignore: Vec<FilterSettings>,
    /// Who may use the API.
    #[serde(default)]
    pub operators: Vec<operators::Settings>,
    #[serde(skip)]
    origin: Origin,
    #[serde(skip)]
    prints: Prints,
}

/// What is different in another configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Keys that a running service can take up.
    pub live: Vec<String>,
    /// Keys that it obeys after a restart.
    pub fixed: Vec<String>,
}

impl Changes {
    /// Whether Personio's credential is another one.
    pub fn of_credential(&self) -> bool {
        self.live.iter().any(|key| key.starts_with("personio.client_"))
    }
}

impl Config {
    /// Reads the defaults, the file and the environment, and asks every module what it objects to.
    ///
    /// # Errors
    /// Everything that is wrong, with key and line, never with a value.
    pub fn load(
        file: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigErrors> {
        Self::read(Origin { file: file.map(Path::to_owned), variables: env.collect() })
    }

    /// Reads the file, the secret files and the same environment again.
    ///
    /// # Errors
    /// Everything that is wrong, with key and line, never with a value.
    pub fn again(&self) -> Result<Self, ConfigErrors> {
        Self::read(self.origin.clone())
    }

    fn read(origin: Origin) -> Result<Self, ConfigErrors> {
        let (config, tree) = settled(DEFAULTS, origin.file.as_deref(), &origin.variables, Self::objections)?;
        Ok(Self { origin, prints: Prints::of(&tree), ..config })
    }

    /// What is different in `newer`.
    pub fn changes(&self, newer: &Self) -> Changes {
        let (live, fixed) = self.prints.differing(&newer.prints).into_iter().partition(|key| is_live(key));
        Changes { live, fixed }
    }

    /// Takes over Personio's credential alone.
    pub fn take_credential(&mut self, newer: &Self) {
        self.personio.client_id = newer.personio.client_id.clone();
        self.personio.client_secret = newer.personio.client_secret.clone();
        for key in ["personio.client_id", "personio.client_secret"] {
            self.prints.take(key, &newer.prints);
        }
    }

    /// This configuration as a service runs it that was started with `running`.
    #[must_use]
    pub fn taken_up(mut self, running: &Self) -> Self {
        self.prints.keep_fixed(&running.prints);
        self
    }

    /// Says where calls may go: everything that leaves this process asks it.
    pub fn guard(&self) -> Guard {
        // A setting that cannot be obeyed was refused when it was read.
        self.outbound.guard().unwrap_or_default()
    }

    /// The sections of the sources, without their mappings.
    pub fn ats(&self) -> BTreeMap<String, ats::settings::Settings> {
        self.sources.iter().map(|(name, source)| (name.clone(), source.ats.clone())).collect()
    }

    /// The checked rules of all sources, and those for hires without a source.
    ///
    /// # Errors
    /// Every rule that cannot work.
    pub fn mappings(&self) -> Result<Mappings, Vec<MappingError>> {
        let mut errors = Vec::new();
        let mut by_source = BTreeMap::new();
        let mut checked = |key: &str, rules: &[FilterSettings]| {
            Filters::compile(key, rules).unwrap_or_else(|wrong| {
                errors.extend(wrong);
                Filters::default()
            })
        };
        let ignored = checked("ignore", &self.ignore);
        let own = |(name, source): (&String, &Source)| {
            checked(&format!("sources.{name}.ignore"), &source.ignore).and(&ignored)
        };
        let filters: Vec<_> = self.sources.iter().map(own).collect();
        for ((name, source), filters) in self.sources.iter().zip(filters) {
            if !source.documents.is_empty() && source.ats.lacks_key_for_files() {
                let key = format!("sources.{name}.documents");
                let message = "needs `api_key`: without it, this ATS gives no files".to_owned();
                errors.push(MappingError { key, message });
            }
            let filing = Filing::compile(&format!("sources.{name}.documents"), &source.documents);
            let filing = filing.unwrap_or_else(|wrong| {
                errors.extend(wrong);
                Filing::default()
            });
            let own = source.mapping.as_ref().map(|own| (name.as_str(), own));
            match Mapping::compile(&self.mapping, own) {
                Ok(mapping) => {
                    let mapping = mapping.ignoring(filters).with_documents(filing);
                    drop(by_source.insert(name.clone(), mapping));
                }
                Err(wrong) => errors.extend(wrong),
            }
        }
        match Mapping::compile(&self.mapping, None).map(|common| common.ignoring(ignored)) {
            Ok(common) if errors.is_empty() => return Ok(Mappings { common, by_source }),
            Ok(_) => {}
            Err(wrong) => errors.extend(wrong),
        }
        // The common rules are compiled once per source: their mistakes are told once.
        errors.sort_by(|a, b| a.key.cmp(&b.key));
        errors.dedup();
        Err(errors)
    }

    fn objections(&self) -> Vec<Objection> {
        let mut all = Vec::new();
        let mut object = |key: &str, problem: &str, remedy: &str| {
            all.push(Objection { key: key.into(), problem: problem.into(), remedy: remedy.into() });
        };
        if let Err(error) = self.outbound.guard() {
            object(&error.key, error.problem, "");
        }
        let guard = self.guard();
        if let Err(personio::ConnectError::Setting { key, problem }) =
            personio::connect(&self.personio, &guard, &Clock::system(), &Metrics::default())
        {
            object(&format!("personio.{key}"), problem, "");
        }
        if let Err(error) = self.ledger.parse() {
            object(error.key(), &error.to_string(), "");
        }
        for error in Sources::build(&self.ats(), &guard).err().into_iter().flatten() {
            object(&error.key, &error.problem, "");
        }
        for error in self.mappings().err().into_iter().flatten() {
            object(&error.key, &error.message, "");
        }
        for error in Operators::build(&self.operators).err().into_iter().flatten() {
            object(&error.key, &error.problem, "");
        }
        for (key, problem) in self.notices.objections(&guard) {
            object(key, &problem, "");
        }
        for (name, source) in &self.sources {
            if source.ats.body_limit().is_some_and(|limit| limit > self.server.body_memory) {
                object(&format!("sources.{name}.body_limit"), "must not be more than server.body_memory", "");
            }
        }
        let objections = [self.server.objections(), self.transfer.objections(), self.retention.objections()];
        for (key, problem) in objections.into_iter().flatten() {
            object(key, &problem, "");
        }
        all
    }
}
