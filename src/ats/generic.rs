//! Senders without a file of their own: how they sign, what tells of a hire and where its facts are is written in the
//! configuration. `STANDARD` is such a source whose configuration is ours: the contract that we publish.

mod fact;
mod read;
mod settings;
mod test;
mod unpack;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use serde_json_path::JsonPath;
use tokio::time::Instant;

use self::fact::Fact;
pub use self::settings::{DeliverySettings, OneOrMore};
use self::test::{Handshake, Place, Test};
use super::signature::{Scheme, Token, preset};
use super::{
    ApiError, AtsSource, Completed, Envelope, Event, Hired, Kind, Manners, Misread, Mistakes, Refusal,
    Settings, Setup, Trait, json,
};
use crate::domain::Facts;
use crate::outbound::Guard;

/// Any sender, by configuration.
pub(super) const KIND: Kind = Kind { traits: &[Trait::SignatureByOperator], ..Kind::of("generic", build) };

/// A sender that speaks our own contract, signed as Standard Webhooks are:
/// <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>.
pub(super) const STANDARD: Kind =
    Kind { traits: &[Trait::SignatureByOperator], ..Kind::of("standard-webhooks", build_standard) };

/// The largest handshake that is answered unsigned, in bytes.
const LARGEST_HANDSHAKE: usize = 4096;

/// The longest value that is sent back.
const LONGEST_ECHO: usize = 512;

/// One sender.
struct Generic {
    scheme: Scheme,
    reading: Reading,
    success: u16,
    gzip: bool,
    form: bool,
}

/// How its deliveries are read.
struct Reading {
    /// What makes a hire one hire; several are put together.
    application: Vec<JsonPath>,
    event: Option<Test>,
    hired: Option<Test>,
    handshake: Option<Handshake>,
    id: Option<Place>,
    at: Option<JsonPath>,
    facts: Vec<Fact>,
}

fn build(settings: &Settings, _: &Guard, mistakes: &mut Mistakes) -> Option<Box<dyn AtsSource>> {
    let scheme = settings.scheme(mistakes);
    settings::refuse_others_keys(settings, mistakes);
    let Some(delivery) = &settings.delivery else {
        mistakes.add("delivery", "is needed: where a delivery says which application it is about");
        return None;
    };
    let reading = delivery.reading(&settings.facts, mistakes);
    made(scheme?, reading?, delivery, mistakes)
}

fn build_standard(settings: &Settings, _: &Guard, mistakes: &mut Mistakes) -> Option<Box<dyn AtsSource>> {
    let scheme = match &settings.signature {
        Some(_) => settings.scheme(mistakes),
        None => Some(preset("standard-webhooks")),
    };
    settings::refuse_others_keys(settings, mistakes);
    if settings.delivery.is_some() || !settings.facts.is_empty() {
        mistakes.add("delivery", "and `facts` are those of the contract here; `generic` takes others");
    }
    let ours = settings::standard();
    let reading = ours.delivery.reading(&ours.facts, mistakes);
    made(scheme?, reading?, &ours.delivery, mistakes)
}

fn made(
    scheme: Scheme,
    reading: Reading,
    delivery: &DeliverySettings,
    mistakes: &mut Mistakes,
) -> Option<Box<dyn AtsSource>> {
    if !scheme.covers_body() {
        let problem =
            "must cover {body}: with this scheme whoever has seen one delivery can send another hire";
        mistakes.add("signature.signed", problem);
        return None;
    }
    if matches!(scheme, Scheme::Token(Token::Field(_))) && !delivery.form {
        mistakes.add("signature.token", "is a form's field: `form = true` in `delivery` has to go with it");
        return None;
    }
    let success = delivery.success.unwrap_or(200);
    let (gzip, form) = (delivery.gzip, delivery.form);
    Some(Box::new(Generic { scheme, reading, success, gzip, form }))
}

#[async_trait]
impl AtsSource for Generic {
    fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    fn manners(&self) -> Manners {
        Manners { success: self.success }
    }

    fn setup(&self) -> Setup {
        Setup {
            event_to_choose: "the one that tells of a hire; docs/ats/generic.md has recipes",
            where_secret_goes: "the sender's webhook, where it asks for a signing key or a token",
        }
    }

    fn handshake(&self, headers: &HeaderMap, body: &[u8]) -> Option<&'static str> {
        let unsigned = self.scheme.header().is_none_or(|header| !headers.contains_key(header));
        let handshake = self.reading.handshake.as_ref().filter(|_| unsigned)?;
        let is_one = match handshake {
            Handshake::Echo(_) => self.echo(headers).is_some(),
            Handshake::Equal(test) => match test.place {
                Place::Header(_) => test.passes_headers(headers) == Some(true),
                Place::Path(_) => {
                    let small = (body.len() <= LARGEST_HANDSHAKE).then_some(body)?;
                    test.passes(&json::read(small).ok()?) == Some(true)
                }
            },
        };
        is_one.then_some(read::HANDSHAKE)
    }

    fn echo(&self, headers: &HeaderMap) -> Option<(HeaderName, HeaderValue)> {
        let Some(Handshake::Echo(name)) = &self.reading.handshake else { return None };
        let mut values = headers.get_all(name).iter();
        let value = values.next().filter(|value| !value.is_empty() && value.len() <= LONGEST_ECHO)?;
        values.next().is_none().then(|| (name.clone(), value.clone()))
    }

    fn envelope(&self, headers: &HeaderMap) -> Envelope {
        self.reading.envelope(headers)
    }

    fn takes_gzip(&self) -> bool {
        self.gzip
    }

    fn unpack(&self, headers: &HeaderMap, body: &[u8], limit: usize) -> Result<Option<Bytes>, Refusal> {
        let unzipped = if self.gzip { unpack::gzip(headers, body, limit)? } else { None };
        if !self.form {
            return Ok(unzipped);
        }
        let secret = match &self.scheme {
            Scheme::Token(Token::Field(name)) => Some(name.as_str()),
            _ => None,
        };
        let body = unzipped.as_deref().unwrap_or(body);
        Ok(unpack::form(body, secret).or(unzipped))
    }

    fn read(&self, payload: &Value) -> Result<Event, Misread> {
        self.reading.event(payload)
    }

    async fn complete(&self, _: &Hired, _: &Facts, _: Instant) -> Completed {
        Completed::default()
    }

    async fn try_key(&self, _: Instant) -> Option<Result<(), ApiError>> {
        None
    }
}

/// The time at a place, if there is one.
fn time(path: &JsonPath, payload: &Value) -> Result<Option<Timestamp>, Misread> {
    match test::first(path, payload) {
        None => Ok(None),
        Some(value) => {
            let time = value.as_str().and_then(|text| text.parse().ok());
            time.map(Some).ok_or_else(|| Misread::at(path.to_string()))
        }
    }
}

#[cfg(test)]
mod tests;
