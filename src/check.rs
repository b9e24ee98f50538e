//! The doctor: looks at everything a hire needs, and says what was found, what is expected and what to do.
//!
//! It changes nothing, here or in Personio.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::Clock;
use crate::mapping::Mapping;
use crate::personio::{Attribute, CallError, Reader};

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

/// What Personio says about our credential, its rights, the clock and the mapped attributes.
pub async fn personio(reader: &Reader, mappings: &[&Mapping], clock: &Clock) -> Vec<Finding> {
    let deadline = clock.now() + SignedDuration::from_secs(15);
    let mut findings = match reader.authenticate().await {
        Ok(()) => vec![Finding::ok("credential", "Personio takes it")],
        Err(error) => return vec![credential(&error)],
    };
    findings.push(reading(reader, deadline).await);
    findings.extend(attributes(reader, mappings).await);
    findings.extend(skew(reader, clock));
    findings
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
        Ok(_) => Finding::ok("employees", "may be read: hires are looked up before and compared after sending"),
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

async fn attributes(reader: &Reader, mappings: &[&Mapping]) -> Vec<Finding> {
    let mut mapped: Vec<&str> = mappings.iter().flat_map(|mapping| mapping.own_attributes()).collect();
    mapped.sort_unstable();
    mapped.dedup();
    match reader.attributes().await {
        Ok(known) => mapped.iter().map(|attribute| exists(attribute, &known)).chain([listed(&known)]).collect(),
        Err(CallError::NotAllowed) => {
            let found = match mapped.len() {
                0 => "cannot be listed".to_owned(),
                _ => format!("cannot be listed, so {} could not be checked", mapped.join(", ")),
            };
            vec![Finding::bad(
                Verdict::Warning,
                "attributes",
                &found,
                "the right to read employees, which includes their attributes",
                "Personio > Marketplace > Connected integrations > your integration: tick Employees > Read",
            )]
        }
        Err(error) => vec![not_asked("attributes", &error)],
    }
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
            &format!("correct mapping.fields.{attribute}, or tick the attribute as readable for the integration"),
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

/// Compares our clock with the time on Personio's last answer.
fn skew(reader: &Reader, clock: &Clock) -> Option<Finding> {
    let skew = reader.last_seen_skew()?;
    Some(if skew.abs() <= SKEW {
        Finding::ok("clock", "agrees with Personio's")
    } else {
        Finding::bad(
            Verdict::Warning,
            "clock",
            &format!("is {} s away from Personio's (ours says {})", skew.as_secs(), clock.now()),
            "less than 60 s",
            "switch on time synchronisation (NTP) on this machine",
        )
    })
}
