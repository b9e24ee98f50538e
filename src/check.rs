//! The doctor: looks at everything a hire needs, and says what was found, what is expected and what to do.
//!
//! It changes nothing, here or in Personio.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::ats::Sources;
use crate::clock::Clock;
use crate::domain::Attribute;
use crate::ledger;
use crate::mapping::Mappings;
use crate::personio::{CallError, Reader};

/// How far our clock may be from Personio's before it is worth a warning.
const SKEW: SignedDuration = SignedDuration::from_secs(60);

/// An address that nobody has: reading employees is tried with it.
const NOBODY: &str = "hirebridge-check@example.invalid";

/// How good or bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Works, but something is lost by it.
    Warning,
    /// Hires would fail.
    Problem,
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
}

impl Finding {
    /// All is well.
    pub fn ok(about: &str, found: impl Into<String>) -> Self {
        let found = found.into();
        Self { about: about.into(), verdict: Verdict::Ok, expected: found.clone(), found, remedy: None }
    }

    /// Something is not as it should be.
    pub fn bad(verdict: Verdict, about: &str, found: &str, expected: &str, remedy: &str) -> Self {
        Self {
            about: about.into(),
            verdict,
            found: found.into(),
            expected: expected.into(),
            remedy: Some(remedy.into()),
        }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mark = match self.verdict {
            Verdict::Ok => "ok",
            Verdict::Warning => "warning",
            Verdict::Problem => "PROBLEM",
        };
        write!(f, "{mark:<8} {:<12} {}", self.about, self.found)?;
        if let Some(remedy) = &self.remedy {
            write!(f, "\n{:21} expected: {}\n{:21} remedy:   {remedy}", "", self.expected, "")?;
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
        findings.push(self.ledger().await);
        let deadline = self.clock.now() + SignedDuration::from_secs(15);
        match self.reader.authenticate().await {
            Ok(()) => findings.push(Finding::ok("credential", "Personio takes it")),
            Err(error) => {
                findings.push(credential(&error));
                return findings;
            }
        }
        findings.push(reading(&self.reader, deadline).await);
        findings.push(writing());
        findings.extend(self.attributes().await);
        findings.extend(self.skew());
        findings
    }

    fn sources(&self) -> Vec<Finding> {
        let mut findings: Vec<_> = self
            .sources
            .iter()
            .map(|source| Finding::ok("source", format!("{} receives from {}", source.name(), source.kind())))
            .collect();
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

    async fn attributes(&self) -> Vec<Finding> {
        let mut mapped = self.mappings.own_attributes();
        mapped.extend(self.marker.as_deref());
        match self.reader.attributes().await {
            Ok(known) => {
                mapped.iter().map(|attribute| exists(attribute, &known)).chain([listed(&known)]).collect()
            }
            Err(CallError::NotAllowed) => vec![unlisted(&mapped)],
            Err(error) => vec![not_asked("attributes", &error)],
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

/// Creating cannot be tried without creating somebody.
fn writing() -> Finding {
    Finding::ok(
        "employees",
        "whether they may be created shows with the first hire: the right is Employees > Write",
    )
}

fn credential(error: &CallError) -> Finding {
    let problem = |found: &str, remedy: &str| {
        Finding::bad(Verdict::Problem, "credential", found, "Personio answers with a token", remedy)
    };
    match error {
        CallError::Credential | CallError::NotAllowed => problem(
            "Personio does not take it",
            "copy client id and secret again: Personio > Marketplace > Connected integrations > your custom \
             integration; new credentials make the old ones invalid",
        ),
        error => problem(
            &format!("Personio cannot be asked: {error}"),
            "check personio.base_url, the network and https://status.personio.de",
        ),
    }
}

async fn reading(reader: &Reader, deadline: Timestamp) -> Finding {
    match reader.find_by_email(NOBODY, deadline).await {
        Ok(_) => {
            Finding::ok("employees", "may be read: hires are looked up before and compared after sending")
        }
        Err(CallError::NotAllowed) => Finding::bad(
            Verdict::Warning,
            "employees",
            "may not be read: hires are sent without a look-up, and what Personio dropped is not noticed",
            "the right to read employees",
            "Personio > Marketplace > Connected integrations > your integration: tick Employees > Read, and tick the \
             attributes that you map as readable",
        ),
        Err(error) => not_asked("employees", &error),
    }
}

fn unlisted(mapped: &BTreeSet<&str>) -> Finding {
    let mapped = mapped.iter().copied().collect::<Vec<_>>().join(", ");
    let found = if mapped.is_empty() {
        "cannot be listed".to_owned()
    } else {
        format!("cannot be listed, so {mapped} could not be checked")
    };
    Finding::bad(
        Verdict::Warning,
        "attributes",
        &found,
        "the right to read employees, which includes their attributes",
        "Personio > Marketplace > Connected integrations > your integration: tick Employees > Read",
    )
}

fn listed(known: &[Attribute]) -> Finding {
    Finding::ok("attributes", format!("{} can be read", known.len()))
}

fn exists(attribute: &str, known: &[Attribute]) -> Finding {
    match known.iter().find(|known| known.key == attribute) {
        Some(known) => Finding::ok("attributes", format!("{attribute} is \u{201c}{}\u{201d}", known.label)),
        None => Finding::bad(
            Verdict::Problem,
            "attributes",
            &format!("{attribute} is mapped and Personio does not list it"),
            "an attribute that exists and that the credential may read",
            &format!(
                "correct mapping.fields.{attribute}, or tick the attribute as readable for the integration"
            ),
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
