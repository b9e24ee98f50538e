//! `[sources.NAME.signature]`: a scheme as an operator writes it down.

use std::str::FromStr;

use jiff::SignedDuration;
use reqwest::header::HeaderName;
use serde::Deserialize;

use super::preset;
use super::{
    Algorithm, Encoding, KeyForm, Mark, Place, Scheme, Signature, Stamp, StampPlace, Template, Token, Unit,
};

/// The sentence that lets everybody in.
const ACCEPT_UNSIGNED: &str = "I know that anyone can send hires";

/// How far a signed time may be from now, if nothing else is said.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// `[sources.NAME.signature]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// A vendor's scheme; keys beside it replace those of the preset.
    pub preset: Option<String>,
    /// The header that the signature is in.
    pub header: Option<String>,
    /// Where in the body it is, as a JSON Pointer, in place of `header`.
    pub body: Option<String>,
    /// What what is there is written in once more.
    pub outer: Option<Outer>,
    /// What divides several signatures.
    pub split: Option<String>,
    /// What comes before the signature.
    pub prefix: Option<String>,
    /// The key whose value is the signature, in place of `prefix`.
    pub pick: Option<String>,
    /// What divides key and value.
    pub pick_separator: Option<String>,
    /// How the signature is written.
    pub encoding: Option<Encoding>,
    /// How it is made.
    pub algorithm: Option<Algorithm>,
    /// How a secret becomes a key.
    pub key: Option<KeyForm>,
    /// What is signed.
    pub signed: Option<String>,
    /// Where the time is: `header:NAME`, `pair:KEY` or `body:/place`.
    pub timestamp: Option<String>,
    /// What the time counts.
    pub unit: Option<Unit>,
    /// How far it may be from now; `0s`: it does not count.
    pub tolerance: Option<SignedDuration>,
    /// Where the secret itself is, in place of a signature: `bearer`, `basic`, `header:NAME` or `form:FIELD`.
    pub token: Option<String>,
    /// The user of `token = "basic"`.
    pub user: Option<String>,
    /// The sentence that lets everybody in, in place of everything else.
    pub accept_unsigned: Option<String>,
}

/// What a signature may be written in once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outer {
    /// Base64.
    Base64,
}

/// What is wrong: the key, and what and what to do as a sentence.
pub(crate) type Mistake = (&'static str, String);

impl Settings {
    /// Whether everything is let in, or is meant to be.
    pub(crate) fn is_unsigned(&self) -> bool {
        self.accept_unsigned.is_some()
    }

    /// What is written down here.
    ///
    /// # Errors
    /// What is wrong with it, at the key that is to be changed.
    pub(crate) fn scheme(&self) -> Result<Scheme, Vec<Mistake>> {
        if let Some(sentence) = &self.accept_unsigned {
            return self.unsigned(sentence).map_err(|mistake| vec![mistake]);
        }
        if let Some(token) = &self.token {
            return self.token(token).map(Scheme::Token).map_err(|mistake| vec![mistake]);
        }
        let all = match self.preset.as_deref().map(|name| preset::keys_of(name).ok_or(name)) {
            None => self.clone(),
            Some(Ok(preset)) => self.over(preset),
            Some(Err(name)) => return Err(vec![("preset", no_preset(name))]),
        };
        all.signature().map(|signature| Scheme::Signature(Box::new(signature)))
    }

    fn unsigned(&self, sentence: &str) -> Result<Scheme, Mistake> {
        if let Some(other) = self.names().find(|name| *name != "accept_unsigned") {
            return Err((other, "has no meaning beside `accept_unsigned`: leave out one of them".to_owned()));
        }
        if sentence != ACCEPT_UNSIGNED {
            let problem = format!(
                "lets anyone who knows the address make hires; if that is meant, write `{ACCEPT_UNSIGNED}`, \
                 else leave it out and say how the sender signs"
            );
            return Err(("accept_unsigned", problem));
        }
        Ok(Scheme::Unsigned)
    }

    fn token(&self, place: &str) -> Result<Token, Mistake> {
        if let Some(other) = self.names().find(|name| !["token", "user"].contains(name)) {
            return Err((other, "has no meaning beside `token`: leave out one of them".to_owned()));
        }
        if self.user.is_some() != (place == "basic") {
            return Err(("user", "belongs to `token = \"basic\"`, which needs it".to_owned()));
        }
        match (place.split_once(':'), &self.user) {
            (None, Some(user)) if !user.contains(':') => Ok(Token::Basic(user.clone())),
            (None, Some(_)) => Err(("user", "must hold no `:`".to_owned())),
            (None, None) if place == "bearer" => Ok(Token::Bearer),
            (Some(("header", name)), _) => header("token", name).map(Token::Header),
            (Some(("form", field)), _) if !field.is_empty() => Ok(Token::Field(field.to_owned())),
            _ => Err(("token", "must be `bearer`, `basic`, `header:NAME` or `form:FIELD`".to_owned())),
        }
    }

    fn signature(&self) -> Result<Signature, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let place = kept(self.place(), &mut mistakes);
        let mark = kept(self.mark(), &mut mistakes);
        let signed = kept(self.template(), &mut mistakes);
        let timestamp = kept(self.stamp(), &mut mistakes);
        mistakes.extend(self.needless());
        let (Some(place), Some(mark), Some(signed), Some(timestamp), []) =
            (place, mark, signed, timestamp, &mistakes[..])
        else {
            return Err(mistakes);
        };
        Ok(Signature {
            place,
            outer_base64: self.outer.is_some(),
            split: self.split.clone(),
            mark,
            encoding: self.encoding.unwrap_or_default(),
            algorithm: self.algorithm.unwrap_or_default(),
            key: self.key.unwrap_or_default(),
            signed,
            timestamp,
        })
    }

    fn place(&self) -> Result<Place, Mistake> {
        match (&self.header, &self.body) {
            (Some(name), None) => header("header", name).map(Place::Header),
            (None, Some(pointer)) => pointer_of("body", pointer).map(Place::Body),
            (Some(_), Some(_)) => {
                Err(("body", "has no meaning beside `header`: leave out one of them".to_owned()))
            }
            (None, None) => {
                let problem = format!(
                    "is needed: the header that the signature is in. Or `preset`, one of {}; or `token`, if the \
                     sender sends the secret itself",
                    preset::names().collect::<Vec<_>>().join(", ")
                );
                Err(("header", problem))
            }
        }
    }

    fn mark(&self) -> Result<Mark, Mistake> {
        match (&self.prefix, &self.pick) {
            (Some(_), Some(_)) => {
                Err(("pick", "has no meaning beside `prefix`: leave out one of them".to_owned()))
            }
            (Some(prefix), None) => Ok(Mark::Prefix(prefix.clone())),
            (None, Some(key)) => {
                let separator = self.pick_separator.as_deref().unwrap_or("=").to_owned();
                Ok(Mark::Picked { key: key.clone(), separator })
            }
            (None, None) => Ok(Mark::Bare),
        }
    }

    fn template(&self) -> Result<Template, Mistake> {
        let text = self.signed.as_deref().unwrap_or("{body}");
        let template: Template = text.parse().map_err(|problem| ("signed", problem))?;
        if template.is_constant() {
            return Err((
                "signed",
                "holds neither {body} nor {json:/place}: nothing would be signed".to_owned(),
            ));
        }
        if template.has_time() != self.timestamp.is_some() {
            let problem = if self.timestamp.is_some() {
                "must hold {ts}: a time that is not signed can be changed by anyone. Or leave out `timestamp`"
            } else {
                "holds {ts}, and `timestamp` does not say where the time is"
            };
            return Err(("signed", problem.to_owned()));
        }
        Ok(template)
    }

    fn stamp(&self) -> Result<Option<Stamp>, Mistake> {
        let Some(written) = &self.timestamp else { return Ok(None) };
        let place = match written.split_once(':') {
            Some(("header", name)) => StampPlace::Header(header("timestamp", name)?),
            Some(("pair", key)) if !key.is_empty() => StampPlace::Pair(key.to_owned()),
            Some(("body", pointer)) => StampPlace::Body(pointer_of("timestamp", pointer)?),
            _ => {
                let problem = "must be `header:NAME`, `pair:KEY` or `body:/place`";
                return Err(("timestamp", problem.to_owned()));
            }
        };
        let tolerance = self.tolerance.unwrap_or(TOLERANCE);
        if tolerance.is_negative() {
            return Err(("tolerance", "must not be negative; `0s` if the time does not count".to_owned()));
        }
        let tolerance = Some(tolerance).filter(|tolerance| !tolerance.is_zero());
        Ok(Some(Stamp { place, unit: self.unit.unwrap_or_default(), tolerance }))
    }

    /// Keys that say something about what is not there.
    fn needless(&self) -> Vec<Mistake> {
        let lacks = |key, of: &str| (key, format!("has no meaning without `{of}`"));
        let mut found = Vec::new();
        if self.pick_separator.is_some() && self.pick.is_none() {
            found.push(lacks("pick_separator", "pick"));
        }
        if self.unit.is_some() && self.timestamp.is_none() {
            found.push(lacks("unit", "timestamp"));
        }
        if self.tolerance.is_some() && self.timestamp.is_none() {
            found.push(lacks("tolerance", "timestamp"));
        }
        if self.user.is_some() {
            found.push(lacks("user", "token"));
        }
        if self.split.as_deref() == Some("") {
            found.push(("split", "is empty; leave it out if there is one signature".to_owned()));
        }
        found
    }

    /// These keys, and those of the preset where none is given.
    fn over(&self, preset: &Self) -> Self {
        // Of two keys that exclude one another, the one that is given counts.
        let elsewhere = self.header.is_some() || self.body.is_some();
        let marked = self.prefix.is_some() || self.pick.is_some();
        let own = self.clone();
        let its = preset.clone();
        Self {
            preset: None,
            header: own.header.or(its.header.filter(|_| !elsewhere)),
            body: own.body.or(its.body.filter(|_| !elsewhere)),
            outer: own.outer.or(its.outer),
            split: own.split.or(its.split),
            prefix: own.prefix.or(its.prefix.filter(|_| !marked)),
            pick: own.pick.or(its.pick.filter(|_| !marked)),
            pick_separator: own.pick_separator.or(its.pick_separator.filter(|_| !marked)),
            encoding: own.encoding.or(its.encoding),
            algorithm: own.algorithm.or(its.algorithm),
            key: own.key.or(its.key),
            signed: own.signed.or(its.signed),
            timestamp: own.timestamp.or(its.timestamp),
            unit: own.unit.or(its.unit),
            tolerance: own.tolerance.or(its.tolerance),
            token: None,
            user: own.user,
            accept_unsigned: None,
        }
    }

    /// The keys that are given.
    fn names(&self) -> impl Iterator<Item = &'static str> {
        [
            ("preset", self.preset.is_some()),
            ("header", self.header.is_some()),
            ("body", self.body.is_some()),
            ("outer", self.outer.is_some()),
            ("split", self.split.is_some()),
            ("prefix", self.prefix.is_some()),
            ("pick", self.pick.is_some()),
            ("pick_separator", self.pick_separator.is_some()),
            ("encoding", self.encoding.is_some()),
            ("algorithm", self.algorithm.is_some()),
            ("key", self.key.is_some()),
            ("signed", self.signed.is_some()),
            ("timestamp", self.timestamp.is_some()),
            ("unit", self.unit.is_some()),
            ("tolerance", self.tolerance.is_some()),
            ("token", self.token.is_some()),
            ("user", self.user.is_some()),
            ("accept_unsigned", self.accept_unsigned.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, given)| given.then_some(name))
    }
}

fn kept<T>(made: Result<T, Mistake>, mistakes: &mut Vec<Mistake>) -> Option<T> {
    made.map_err(|mistake| mistakes.push(mistake)).ok()
}

fn header(key: &'static str, name: &str) -> Result<HeaderName, Mistake> {
    HeaderName::from_str(name).map_err(|_| (key, "is not the name of a header".to_owned()))
}

fn pointer_of(key: &'static str, pointer: &str) -> Result<String, Mistake> {
    if pointer.starts_with('/') {
        return Ok(pointer.to_owned());
    }
    Err((key, "is not a JSON Pointer: write `/signature`".to_owned()))
}

fn no_preset(name: &str) -> String {
    let known: Vec<_> = preset::names().collect();
    let likeness = |known: &&&str| strsim::jaro_winkler(known, name);
    let nearest = known.iter().filter(|known| likeness(known) > 0.7);
    match nearest.max_by(|a, b| likeness(a).total_cmp(&likeness(b))) {
        Some(nearest) => format!("is not known; did you mean `{nearest}`?"),
        None => format!("is not known; there are {}", known.join(", ")),
    }
}
