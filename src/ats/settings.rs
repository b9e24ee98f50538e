//! What a source's section of the configuration says, and the check of all of them together.

use std::collections::BTreeMap;
use std::fmt;

use bytesize::ByteSize;
use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use crate::outbound::Guard;

use super::greenhouse::NoteSettings;
use super::poll::{Poll, PollSettings};
use super::{KINDS, Kind, Scheme, Trait, generic, signature};

/// The shortest secret that is accepted, in bytes.
const SHORTEST_SECRET: usize = 16;

/// The largest answer of a place that is asked, where neither source nor kind says how large a body may be.
const LARGEST_ANSWER: ByteSize = ByteSize::mib(8);

/// The account of a source that names none: it is then the only one of its kind.
pub(super) const DEFAULT_ACCOUNT: &str = "default";

/// `[sources.NAME]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Which ATS: `ashby`.
    #[serde(default)]
    pub kind: String,
    /// `false` pauses it.
    pub enabled: Option<bool>,
    /// Which account at the ATS; needed when two sources are of one kind.
    pub account: Option<String>,
    /// The live secrets; several while one replaces the other.
    #[serde(default)]
    pub secrets: Vec<SecretString>,
    /// The secret is not known yet: the ATS tells it only after it has tested the running service.
    #[serde(default)]
    pub awaiting_secret: bool,
    /// A key to the ATS's API, which then completes what the webhook lacks.
    pub api_key: Option<SecretString>,
    /// Where the ATS's API is, if not at the vendor's usual place.
    pub api_base_url: Option<Url>,
    /// Which events mean that somebody was hired; the ATS's page lists them.
    pub hired_when: Option<Vec<String>>,
    /// What becomes of a hire whose name could be split only by guess.
    #[serde(default)]
    pub name_split: NameSplitPolicy,
    /// Whether a person looks at each of its hires before it is sent.
    #[serde(default)]
    pub review: bool,
    /// How long a delivery that may lack something waits for a fuller one of the same hire; 3 s.
    pub settle: Option<SignedDuration>,
    /// How long a delivery waits for the final state, if not as long as the server's `wait` says.
    pub wait: Option<SignedDuration>,
    /// The largest body, if not the server's.
    pub body_limit: Option<ByteSize>,
    /// Whether the ATS is told that a hire is in Personio, where it can be; yes if not said otherwise.
    pub note_on_profile: Option<bool>,
    /// `[sources.NAME.note]`: how a note is left at Greenhouse.
    pub note: Option<NoteSettings>,
    /// `[sources.NAME.signature]`: how the sender signs, for kinds that do not know it themselves.
    pub signature: Option<signature::Settings>,
    /// `[sources.NAME.poll]`: where deliveries are fetched, for kinds that can be asked.
    pub poll: Option<PollSettings>,
    /// `[sources.NAME.delivery]`: how a delivery is read, for `generic`.
    pub delivery: Option<generic::DeliverySettings>,
    /// `[sources.NAME.facts]`: where each fact is, for `generic`.
    #[serde(default)]
    pub facts: BTreeMap<String, generic::OneOrMore>,
}

/// What becomes of a hire whose name could be split only by guess.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameSplitPolicy {
    /// It is sent, with a warning.
    #[default]
    Send,
    /// It waits for a person.
    Review,
}

/// A mistake in a source's settings. Never holds the value of a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {problem}")]
pub struct SettingError {
    /// The key, as one would write it: `sources.ashby.secrets[0]`.
    pub key: String,
    /// What is wrong and what to do, as a sentence.
    pub problem: String,
}

/// The mistakes found so far, while one section is looked at.
#[derive(Default)]
pub(super) struct Mistakes {
    section: String,
    found: Vec<SettingError>,
}

impl Mistakes {
    /// What follows is about the source of this name.
    pub(super) fn in_source(&mut self, name: &str) {
        self.section = format!("sources.{name}");
    }

    /// Adds a mistake at a key of the section; at the section itself if `key` is empty.
    pub(super) fn add(&mut self, key: impl fmt::Display, problem: impl Into<String>) {
        let key = format!("{}.{key}", self.section);
        self.found.push(SettingError { key: key.trim_end_matches('.').to_owned(), problem: problem.into() });
    }

    /// All of them, if there are any.
    pub(super) fn into_result<T>(self, built: T) -> Result<T, Vec<SettingError>> {
        if self.found.is_empty() { Ok(built) } else { Err(self.found) }
    }
}

impl Settings {
    /// The account that goes into the keys of hires.
    pub(super) fn account(&self) -> &str {
        self.account.as_deref().unwrap_or(DEFAULT_ACCOUNT)
    }

    /// Whether this source has no files to give for lack of a key.
    pub fn lacks_key_for_files(&self) -> bool {
        self.api_key.is_none() && self.kind().is_some_and(|kind| kind.has(Trait::FilesNeedKey))
    }

    /// Whether nothing can be verified yet, because the ATS has not told its secret.
    pub(super) fn awaits_secret(&self) -> bool {
        self.awaiting_secret && self.secrets.is_empty()
    }

    fn kind(&self) -> Option<&'static Kind> {
        KINDS.iter().find(|known| known.name == self.kind)
    }

    /// The largest body of this source, if it is not the server's: its own, or that of its kind.
    pub fn body_limit(&self) -> Option<ByteSize> {
        self.body_limit.or_else(|| self.kind()?.body_limit)
    }

    /// Whether this ATS has no API that a key would open.
    fn has_no_api(&self) -> bool {
        self.kind().is_some_and(|kind| !kind.has(Trait::Api))
    }

    /// The events of `hired_when` among those that the ATS has; `usual` if the setting is absent.
    pub(super) fn events(
        &self,
        known: &'static [&'static str],
        usual: &[&'static str],
        mistakes: &mut Mistakes,
    ) -> Vec<&'static str> {
        let Some(chosen) = &self.hired_when else { return usual.to_vec() };
        let mut events = Vec::new();
        for (index, event) in chosen.iter().enumerate() {
            if let Some(event) = known.iter().find(|known| *known == event) {
                events.push(*event);
            } else {
                let problem = format!("is no event that can mean a hire; known are {}", known.join(", "));
                mistakes.add(format_args!("hired_when[{index}]"), problem);
            }
        }
        events
    }

    /// What can be wrong with one source, whatever its kind.
    pub(super) fn check(&self, name: &str, guard: &Guard, mistakes: &mut Mistakes) {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !(1..=64).contains(&name.len()) || !name.bytes().all(fits) {
            mistakes.add("", "a source's name is its address: 1 to 64 of a-z, 0-9 and `-`");
        }
        if self.account.as_deref().is_some_and(|account| !super::is_id(account)) {
            mistakes.add(
                "account",
                "must be 1 to 128 letters, digits, `-`, `_` or `.`: it is part of each hire's key",
            );
        }
        if let Some(kind) = self.kind()
            && self.signature.is_some()
            && !kind.has(Trait::SignatureByOperator)
        {
            mistakes.add("signature", format!("is known of `{}`: leave this section out", kind.name));
        }
        if let Some(kind) = self.kind()
            && (self.delivery.is_some() || !self.facts.is_empty())
            && !kind.has(Trait::SignatureByOperator)
        {
            let problem = format!("and `facts` are known of `{}`: leave these sections out", kind.name);
            mistakes.add("delivery", problem);
        }
        self.check_secrets(mistakes);
        self.check_api(guard, mistakes);
        self.check_limits(mistakes);
    }

    /// The scheme that is written down in `[sources.NAME.signature]`; what is wrong with it is added to the mistakes.
    pub(super) fn scheme(&self, mistakes: &mut Mistakes) -> Option<Scheme> {
        let Some(signature) = &self.signature else {
            mistakes.add("signature", "is needed: how the sender proves who it is");
            return None;
        };
        match signature.scheme() {
            Ok(scheme) => Some(scheme),
            Err(wrong) => {
                for (key, problem) in wrong {
                    mistakes.add(format_args!("signature.{key}"), problem);
                }
                None
            }
        }
    }

    /// The place that is asked, if there is one; what is wrong with it is added to the mistakes.
    pub(super) fn poll(&self, guard: &Guard, mistakes: &mut Mistakes) -> Option<Poll> {
        let (poll, kind) = (self.poll.as_ref()?, self.kind()?);
        if !kind.has(Trait::Polled) {
            let problem =
                format!("has no meaning here: `{}` sends its deliveries; leave this section out", kind.name);
            mistakes.add("poll", problem);
            return None;
        }
        poll.poll(self.body_limit().unwrap_or(LARGEST_ANSWER), guard, mistakes)
    }

    fn check_secrets(&self, mistakes: &mut Mistakes) {
        let unsigned = self.signature.as_ref().is_some_and(signature::Settings::is_unsigned);
        let needed = !unsigned && self.poll.is_none();
        let comes_later = self.kind().is_some_and(|kind| kind.has(Trait::SecretComesLater));
        if self.awaiting_secret && !comes_later {
            let problem = format!("is not for `{}`, whose secret you choose: leave it out", self.kind);
            mistakes.add("awaiting_secret", problem);
        } else if self.secrets.is_empty() && needed && !self.awaiting_secret {
            mistakes.add(
                "secrets",
                if comes_later {
                    "needs the secret that the ATS shows; set `awaiting_secret = true` until it has made one"
                } else {
                    "needs at least one secret; `hirebridge secret` makes one"
                },
            );
        }
        if self.note.is_some() && self.kind != super::greenhouse::KIND.name {
            mistakes.add("note", "is of no use: it is for kind `greenhouse` alone");
        }
        if self.note_on_profile.is_some() && self.kind().is_some_and(|kind| !kind.has(Trait::TakesNotes)) {
            mistakes.add(
                "note_on_profile",
                format!("is of no use: no note is left in {}; leave it out", self.kind),
            );
        }
        for (index, secret) in self.secrets.iter().enumerate() {
            let secret = secret.expose_secret();
            let problem = if secret.trim().is_empty() {
                "is empty"
            } else if secret.len() < SHORTEST_SECRET {
                "is too short: at least 16 bytes are needed; `hirebridge secret` makes one"
            } else if secret.trim() != secret {
                "begins or ends with white space, which is hardly part of the secret"
            } else {
                continue;
            };
            mistakes.add(format_args!("secrets[{index}]"), problem);
        }
    }

    fn check_api(&self, guard: &Guard, mistakes: &mut Mistakes) {
        if self.api_key.as_ref().is_some_and(|key| key.expose_secret().trim().is_empty()) {
            mistakes.add("api_key", "is empty; leave it out if there is none");
        }
        for (key, is_set) in
            [("api_key", self.api_key.is_some()), ("api_base_url", self.api_base_url.is_some())]
        {
            if is_set && self.has_no_api() {
                mistakes
                    .add(key, format!("has no meaning here: no API of {} is asked; leave it out", self.kind));
            }
        }
        let Some(url) = &self.api_base_url else { return };
        if let Err(forbidden) = guard.check(url) {
            mistakes.add("api_base_url", forbidden.remedy());
        }
        if url.query().is_some() {
            mistakes.add("api_base_url", "must hold no query");
        }
    }

    fn check_limits(&self, mistakes: &mut Mistakes) {
        for (key, time) in [("settle", self.settle), ("wait", self.wait)] {
            if time.is_some_and(|time| time.is_negative()) {
                mistakes.add(key, "must not be negative");
            }
        }
        if self.body_limit == Some(ByteSize(0)) {
            mistakes.add("body_limit", "must be more than nothing");
        }
    }
}

/// What can be wrong between sources: one secret twice, and accounts that cannot be told apart.
pub(super) fn check_together(all: &BTreeMap<String, Settings>, mistakes: &mut Mistakes) {
    let mut seen: BTreeMap<&str, String> = BTreeMap::new();
    for (name, settings) in all {
        mistakes.in_source(name);
        for (index, secret) in settings.secrets.iter().enumerate() {
            let here = format!("sources.{name}.secrets[{index}]");
            if let Some(there) = seen.get(secret.expose_secret()) {
                mistakes.add(format_args!("secrets[{index}]"), format!("is the same as {there}"));
            } else {
                seen.insert(secret.expose_secret(), here);
            }
        }
        let place = |settings: &Settings| settings.poll.as_ref().and_then(|poll| poll.url.clone());
        let same = |other: &Settings| place(settings).is_some() && place(other) == place(settings);
        if let Some((other, _)) = all.iter().find(|(other, settings)| *other < name && same(settings)) {
            mistakes.add(
                "poll.url",
                format!("is the same as that of sources.{other}: each would take from the other"),
            );
        }
        let rivals =
            || all.iter().filter(|(other, _)| *other != name).filter(|(_, o)| o.kind == settings.kind);
        if settings.account.is_none() && rivals().next().is_some() {
            mistakes.add("account", format!("is needed: several sources are of kind `{}`", settings.kind));
        } else if let Some((other, _)) = rivals().find(|(_, other)| other.account() == settings.account()) {
            mistakes.add("account", format!("is the same as that of sources.{other}; each needs its own"));
        }
    }
}

/// What to say of a kind that is not in the list.
pub(super) fn unknown_kind(kind: &str) -> String {
    let known: Vec<_> = KINDS.iter().map(|known| known.name).collect();
    let likeness = |name: &&str| strsim::jaro_winkler(name, kind);
    let nearest = known.iter().copied().filter(|name| likeness(name) > 0.7);
    match nearest.max_by(|a, b| likeness(a).total_cmp(&likeness(b))) {
        Some(nearest) => format!("there is no such ATS; did you mean `{nearest}`?"),
        None => format!("there is no such ATS; known are {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests;
