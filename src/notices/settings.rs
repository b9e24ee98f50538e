//! Whom to tell, of what, and how much of it.

use serde::{Deserialize, Deserializer};

use super::{email, webhook};
use crate::ledger::outbox::Wanted;
use crate::outbound::guard::Guard;
use crate::words::Language;

/// `[notices]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Of what people are told.
    pub on: Vec<Reason>,
    /// What is in a notice.
    pub include: Vec<Part>,
    /// The language of its sentences.
    #[serde(deserialize_with = "language")]
    pub language: Language,
    /// A URL that is told.
    pub webhook: Option<webhook::Settings>,
    /// A mailbox that is told.
    pub email: Option<email::Settings>,
}

/// Of what people are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A hire waits for a person.
    Held,
    /// It is not known whether Personio has created a hire.
    Unknown,
    /// A hire was created, and something about it is to be looked at.
    Warnings,
    /// A document did not get to Personio, or may not have.
    DocumentFailed,
    /// Personio does not take the credential.
    CredentialRefused,
    /// All deliveries of a source are refused for their signatures.
    Signatures,
    /// A hire was created.
    Created,
}

/// What may be in a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The hire's id.
    Id,
    /// State, reason and source, and what they mean.
    State,
    /// The hire's page in the console, if `server.public_url` is set.
    Link,
    /// The person's name.
    Name,
}

fn language<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Language, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

impl Settings {
    pub(super) fn wanted(&self) -> Wanted {
        let on = |reason| self.on.contains(&reason);
        Wanted {
            held: on(Reason::Held),
            unknown: on(Reason::Unknown),
            warnings: on(Reason::Warnings),
            document_failed: on(Reason::DocumentFailed),
            created: on(Reason::Created),
        }
    }

    /// What cannot be obeyed: key and problem.
    pub fn objections(&self, guard: &Guard) -> Vec<(&'static str, String)> {
        let webhook = self.webhook.iter().flat_map(|webhook| webhook.objections(guard));
        webhook.chain(self.email.iter().flat_map(|email| email.objections(guard))).collect()
    }
}
