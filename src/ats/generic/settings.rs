//! `[sources.NAME.delivery]` and `[sources.NAME.facts]`.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::LazyLock;

use reqwest::header::HeaderName;
use serde::Deserialize;
use serde_json_path::JsonPath;

use super::super::{Mistakes, Settings};
use super::Reading;
use super::fact::Fact;
use super::test::{Handshake, Place, Test};
use crate::domain::facts::nearest;

/// `[sources.NAME.delivery]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeliverySettings {
    /// Where the application's id is; several places together if one alone is not enough.
    pub application: Option<OneOrMore>,
    /// Which deliveries may tell of a hire.
    pub event: Option<TestSettings>,
    /// Which of them do.
    pub hired: Option<TestSettings>,
    /// What is answered with success and becomes nothing.
    pub handshake: Option<HandshakeSettings>,
    /// Where the delivery's own id is: `header:NAME` or a JSONPath.
    pub id: Option<String>,
    /// Where the time is at which it happened.
    pub at: Option<String>,
    /// The status that means success to the sender.
    pub success: Option<u16>,
    /// Whether bodies may be compressed.
    pub gzip: bool,
    /// Whether bodies are forms.
    pub form: bool,
}

/// One text or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum OneOrMore {
    /// One.
    One(String),
    /// Several.
    More(Vec<String>),
}

/// Whether a place equals one of some texts.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestSettings {
    /// The place is this header.
    pub header: Option<String>,
    /// The place is this JSONPath.
    pub path: Option<String>,
    /// The texts.
    pub is: OneOrMore,
}

/// What a handshake is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandshakeSettings {
    /// The header whose value is sent back.
    pub echo: Option<String>,
    /// The header that equals one of these.
    pub header: Option<String>,
    /// The JSONPath that equals one of these.
    pub path: Option<String>,
    /// The texts.
    pub is: Option<OneOrMore>,
}

/// A configuration of ours, in the form of the customers'.
#[derive(Deserialize)]
pub(super) struct Standard {
    pub(super) delivery: DeliverySettings,
    pub(super) facts: BTreeMap<String, OneOrMore>,
}

/// Our contract.
pub(super) fn standard() -> &'static Standard {
    static STANDARD: LazyLock<Standard> =
        LazyLock::new(|| toml::from_str(include_str!("standard.toml")).expect("a test reads it"));
    &STANDARD
}

/// Keys that mean nothing to a source that has no events of its own and no API.
pub(super) fn refuse_others_keys(settings: &Settings, mistakes: &mut Mistakes) {
    if settings.hired_when.is_some() {
        mistakes
            .add("hired_when", "has no meaning here: `event` and `hired` in `delivery` say what a hire is");
    }
}

impl OneOrMore {
    fn all(&self) -> Vec<&str> {
        match self {
            Self::One(one) => vec![one],
            Self::More(all) => all.iter().map(String::as_str).collect(),
        }
    }
}

impl DeliverySettings {
    /// How deliveries are read; what is wrong is added to the mistakes.
    pub(super) fn reading(
        &self,
        facts: &BTreeMap<String, OneOrMore>,
        mistakes: &mut Mistakes,
    ) -> Option<Reading> {
        let mut checked = Checked { mistakes, sound: true };
        let event = self.event.as_ref().map(|test| checked.test("event", test));
        // Whoever says that no event tells of a hire need not say where its facts are.
        let tells_none = self.event.as_ref().is_some_and(|event| event.is.all().is_empty());
        let application = self.application.as_ref().map(|paths| checked.paths("delivery.application", paths));
        if application.as_ref().is_none_or(Vec::is_empty) && !tells_none {
            let problem = "is needed: the JSONPath of the id that makes a hire one hire, such as `$.data.id`";
            checked.wrong("delivery.application", problem);
        }
        if facts.is_empty() && !tells_none {
            checked.wrong("facts", "is needed: where the facts of a hire are; `candidate.email` is one");
        }
        if !(200..=299).contains(&self.success.unwrap_or(200)) {
            checked.wrong("delivery.success", "must be one of 200 to 299");
        }
        let mut facts: Vec<_> = facts.iter().filter_map(|(name, paths)| checked.fact(name, paths)).collect();
        facts.sort_by_key(Fact::comes_last);
        let reading = Reading {
            application: application.unwrap_or_default(),
            event: event.flatten(),
            hired: self.hired.as_ref().and_then(|test| checked.test("hired", test)),
            handshake: self.handshake.as_ref().and_then(|handshake| checked.handshake(handshake)),
            id: self.id.as_ref().and_then(|id| checked.id(id)),
            at: self.at.as_ref().and_then(|at| checked.path("delivery.at", at)),
            facts,
        };
        checked.sound.then_some(reading)
    }
}

/// What is looked at, and whether all of it was right.
struct Checked<'m> {
    mistakes: &'m mut Mistakes,
    sound: bool,
}

impl Checked<'_> {
    fn wrong(&mut self, key: impl std::fmt::Display, problem: impl Into<String>) {
        self.mistakes.add(key, problem);
        self.sound = false;
    }

    fn path(&mut self, key: &str, text: &str) -> Option<JsonPath> {
        let made = JsonPath::parse(text);
        made.map_err(|error| self.wrong(key, format!("is no JSONPath (RFC 9535): {error}"))).ok()
    }

    fn paths(&mut self, key: &str, paths: &OneOrMore) -> Vec<JsonPath> {
        paths.all().into_iter().filter_map(|path| self.path(key, path)).collect()
    }

    fn header(&mut self, key: &str, name: &str) -> Option<HeaderName> {
        let made = HeaderName::from_str(name);
        made.map_err(|_| self.wrong(key, "is not the name of a header")).ok()
    }

    fn place(&mut self, key: &str, header: Option<&str>, path: Option<&str>) -> Option<Place> {
        match (header, path) {
            (Some(name), None) => self.header(&format!("{key}.header"), name).map(Place::Header),
            (None, Some(path)) => self.path(&format!("{key}.path"), path).map(Place::Path),
            _ => {
                self.wrong(key, "needs either `header` or `path`: where to look");
                None
            }
        }
    }

    fn test(&mut self, key: &str, test: &TestSettings) -> Option<Test> {
        let key = format!("delivery.{key}");
        let place = self.place(&key, test.header.as_deref(), test.path.as_deref())?;
        Some(Test { place, is: owned(&test.is) })
    }

    fn handshake(&mut self, settings: &HandshakeSettings) -> Option<Handshake> {
        let key = "delivery.handshake";
        match (&settings.echo, &settings.is) {
            (Some(name), None) if settings.header.is_none() && settings.path.is_none() => {
                self.header("delivery.handshake.echo", name).map(Handshake::Echo)
            }
            (None, Some(is)) => {
                let place = self.place(key, settings.header.as_deref(), settings.path.as_deref())?;
                Some(Handshake::Equal(Test { place, is: owned(is) }))
            }
            _ => {
                self.wrong(key, "needs either `echo`, or `is` with `header` or `path`");
                None
            }
        }
    }

    fn id(&mut self, id: &str) -> Option<Place> {
        match id.strip_prefix("header:") {
            Some(name) => self.header("delivery.id", name).map(Place::Header),
            None => self.path("delivery.id", id).map(Place::Path),
        }
    }

    fn fact(&mut self, name: &str, paths: &OneOrMore) -> Option<Fact> {
        let key = format!("facts.{name}");
        let paths = self.paths(&key, paths);
        let fact = Fact::new(name, paths);
        if fact.is_none() {
            let nearest = nearest(name).map(|nearest| format!("; did you mean `{nearest}`?"));
            let problem = nearest.unwrap_or_else(|| {
                ": `hirebridge fields` lists them, and `custom.` begins any other".to_owned()
            });
            self.wrong(key, format!("is no fact{problem}"));
        }
        fact
    }
}

fn owned(texts: &OneOrMore) -> Vec<String> {
    texts.all().into_iter().map(str::to_owned).collect()
}
