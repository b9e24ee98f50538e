//! The doctor: looks at everything a hire needs, and says what was found, what is expected and what to do.
//!
//! It changes nothing, here or in Personio.

mod attributes;
mod documents;
mod rights;
mod rules;

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use serde::Serialize;
use utoipa::ToSchema;

use crate::ats::{Source, Sources};
use crate::catalog::Learned;
use crate::clock::Clock;
use crate::domain::Catalog;
use crate::domain::catalog::Names;
use crate::ledger;
use crate::mapping::Mappings;
use crate::personio::{CallError, Reader};

/// How far our clock may be from Personio's before it is worth a warning.
const SKEW: SignedDuration = SignedDuration::from_secs(60);

/// How long the names that employees carry may take to be learned, where nobody has learned them.
const LEARN_WITHIN: Duration = Duration::from_secs(20);

/// How long the ATSs may take to say whether they take our keys.
const KEY_WITHIN: Duration = Duration::from_secs(10);

/// How good or bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It cannot be told from here without changing something: the remedy says how to look.
    NotCheckable,
    /// Works, but something is lost by it.
    Warning,
    /// Hires would fail.
    Problem,
}

/// A place in Personio's settings, by the words on its pages.
struct Place {
    en: &'static str,
    de: &'static str,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Finding {
    /// What was looked at: `configuration`, `ledger`, `credential` …
    pub about: String,
    /// How good or bad it is.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What should be.
    pub expected: String,
    /// What to do, if there is something to do.
    pub remedy: Option<String>,
    /// Where in Personio's settings that is done, if it is done there, as an English Personio calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Marketplace > Connected integrations > your custom integration")]
    pub place: Option<String>,
    /// The same as a German Personio calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Marketplace > Verbundene Integrationen > Ihre Integration")]
    pub place_de: Option<String>,
}

impl Finding {
    /// All is well.
    pub fn ok(about: &str, found: impl Into<String>) -> Self {
        let found = found.into();
        Self {
            about: about.into(),
            verdict: Verdict::Ok,
            expected: found.clone(),
            found,
            remedy: None,
            place: None,
            place_de: None,
        }
    }

    /// Something is not as it should be.
    pub fn bad(verdict: Verdict, about: &str, found: &str, expected: &str, remedy: &str) -> Self {
        Self {
            about: about.into(),
            verdict,
            found: found.into(),
            expected: expected.into(),
            remedy: Some(remedy.into()),
            place: None,
            place_de: None,
        }
    }

    /// The same, with the place in Personio's settings.
    #[must_use]
    fn at(self, place: &Place) -> Self {
        Self { place: Some(place.en.to_owned()), place_de: Some(place.de.to_owned()), ..self }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mark = match self.verdict {
            Verdict::Ok => "ok",
            Verdict::NotCheckable => "unproved",
            Verdict::Warning => "warning",
            Verdict::Problem => "PROBLEM",
        };
        write!(f, "{mark:<8} {:<12} {}", self.about, self.found)?;
        if let Some(remedy) = &self.remedy {
            write!(f, "\n{:21} expected: {}\n{:21} remedy:   {remedy}", "", self.expected, "")?;
        }
        if let Some(place) = &self.place {
            write!(f, "\n{:21} place:    Personio > {place}", "")?;
        }
        if let Some(place) = &self.place_de {
            write!(f, "\n{:21} (German)  Personio > {place}", "")?;
        }
        Ok(())
    }
}

/// Looks at what a running service, or one that is to run, is made of.
pub struct Doctor {
    /// Where hires are kept.
    pub ledger: ledger::Settings,
    /// Who delivers.
    pub sources: Arc<Sources>,
    /// How Personio is asked.
    pub reader: Reader,
    /// What goes where.
    pub mappings: Arc<Mappings>,
    /// The names that employees carry, as far as they were learned.
    pub learned: Learned,
    /// The attribute that carries the hire's key.
    pub marker: Option<String>,
    /// What time it is.
    pub clock: Clock,
}

impl Doctor {
    /// Everything: what was read from the configuration, the ledger, and what Personio says about our
    /// credential, its rights, the clock and the mapped attributes.
    pub async fn examine(&self) -> Vec<Finding> {
        let mut findings = vec![Finding::ok("configuration", "can be read and obeyed")];
        findings.extend(self.sources());
        findings.extend(self.keys().await);
        findings.extend(self.places().await);
        findings.push(self.ledger().await);
        if let Err(error) = self.reader.authenticate().await {
            findings.push(credential(&error));
            return findings;
        }
        findings.push(Finding::ok("credential", "Personio takes it"));
        let deadline = self.clock.now() + SignedDuration::from_secs(15);
        findings.push(rights::reading(&self.reader, deadline).await);
        findings.push(rights::writing());
        findings.extend(self.personio().await);
        findings.extend(self.skew());
        findings
    }

    /// What Personio has, and the rules held against it.
    async fn personio(&self) -> Vec<Finding> {
        let categories = self.reader.categories().await;
        let mut catalog = Catalog { names: self.names().await, ..Catalog::default() };
        let attributes = self.reader.attributes().await;
        let mut findings = documents::examined(&categories, &documents::wanted(&self.mappings));
        findings.push(attributes::names(catalog.names.as_ref()));
        let listed = attributes::listed(&attributes, &self.named());
        catalog.attributes = attributes.ok();
        findings.extend(attributes::marker(self.marker.as_deref(), &catalog));
        findings.extend(attributes::unread(&self.mappings, &catalog));
        findings.extend(attributes::status(&catalog));
        findings.extend(rules::examined(&self.mappings, &catalog));
        findings.push(listed);
        findings.extend(rules::subcompanies(&self.sources, &self.mappings, &catalog));
        findings
    }

    /// The names that were learned; where nobody learns them all the time, they are asked for now.
    async fn names(&self) -> Option<Names> {
        if self.learned.catalog().names.is_none() {
            // Without them the finding says that they are not known.
            let _ = tokio::time::timeout(LEARN_WITHIN, self.learned.learn()).await;
        }
        self.learned.catalog().names.clone()
    }

    /// Every attribute of the company's own that the configuration names, by key or label.
    fn named(&self) -> Vec<&str> {
        let marker = self.marker.as_deref();
        let own = self.mappings.own_attributes().into_iter().chain(self.mappings.labels());
        own.chain(marker).collect()
    }

    fn sources(&self) -> Vec<Finding> {
        let mut findings: Vec<_> = self.sources.iter().map(source).collect();
        if findings.is_empty() {
            findings.push(Finding::bad(
                Verdict::Warning,
                "source",
                "none is configured, so that no ATS can deliver",
                "one [sources.NAME] for each ATS account",
                "add one; the README shows how",
            ));
        }
        findings
    }

    /// What each ATS says to our key, where it can be asked.
    async fn keys(&self) -> Vec<Finding> {
        let deadline = tokio::time::Instant::now() + KEY_WITHIN;
        let mut findings = Vec::new();
        for source in self.sources.iter() {
            if let Some(answer) = source.custom_fields(deadline).await {
                findings.push(rights::ats_key(source, answer.err().as_ref()));
            }
        }
        findings
    }

    /// Whether the places are there whose deliveries are fetched.
    async fn places(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for source in self.sources.iter() {
            if let Some(poll) = source.poll() {
                findings.push(rights::place(source, poll.host(), poll.knock(KEY_WITHIN).await.err()));
            }
        }
        findings
    }

    async fn ledger(&self) -> Finding {
        match ledger::inspect(&self.ledger).await {
            Ok(found) => Finding::ok("ledger", found),
            Err(error) => Finding::bad(
                Verdict::Problem,
                "ledger",
                &error.to_string(),
                "a file on a local disk that this user can write, or a PostgreSQL that is durable, and the key it was made with",
                &format!("change {}, or do what the finding says", error.key()),
            ),
        }
    }

    /// Compares our clock with the time on Personio's last answer.
    fn skew(&self) -> Option<Finding> {
        let skew = self.reader.clock_skew()?;
        Some(if skew.abs() <= SKEW {
            Finding::ok("clock", "agrees with Personio's")
        } else {
            Finding::bad(
                Verdict::Warning,
                "clock",
                &format!("is {} s away from Personio's (ours says {})", skew.as_secs(), self.clock.now()),
                "less than 60 s",
                "switch on time synchronisation (NTP) on this machine",
            )
        })
    }
}

fn source(source: &Source) -> Finding {
    let (name, kind) = (source.name(), source.kind());
    if source.awaits_secret() {
        return Finding::bad(
            Verdict::Warning,
            "source",
            &format!("{name} awaits its secret: all but {kind}'s test is answered 503 and not stored"),
            "that the secret follows soon; its ATS repeats what it could not deliver",
            &format!(
                "put the secret that {kind} shows into sources.{name}.secrets, take awaiting_secret out, then `hirebridge config reload`"
            ),
        );
    }
    if source.is_enabled() {
        return Finding::ok("source", format!("{name} receives from {kind}"));
    }
    Finding::bad(
        Verdict::Warning,
        "source",
        &format!("{name} is paused: what {kind} delivers is answered 503 and not stored"),
        "that its ATS repeats what it could not deliver, and that the pause is short",
        &format!("set sources.{name}.enabled = true, then `hirebridge config reload`"),
    )
}

fn credential(error: &CallError) -> Finding {
    let problem = |found: &str, remedy: &str| {
        Finding::bad(Verdict::Problem, "credential", found, "Personio answers with a token", remedy)
    };
    match error {
        CallError::Credential | CallError::NotAllowed => problem(
            "Personio does not take it",
            "copy client id and secret again; new credentials make the old ones invalid",
        )
        .at(&rights::INTEGRATION),
        error => problem(
            &format!("Personio cannot be asked: {error}"),
            "check personio.base_url, the network and https://status.personio.de",
        ),
    }
}

fn not_asked(about: &str, error: &CallError) -> Finding {
    Finding::bad(
        Verdict::Warning,
        about,
        &format!("could not be checked: {error}"),
        "an answer from Personio",
        "run `hirebridge check` again later",
    )
}
