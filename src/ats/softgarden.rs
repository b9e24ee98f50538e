//! softgarden: no web hook of its own, and no signature. Its support sets up a push of JSON, in a structure that the
//! receiver names: ours is [`SoftgardenDelivery`].
//!
//! Facts: <https://dev.softgarden.de/applicant-data-export>.

mod contract;
mod files;
mod read;

use async_trait::async_trait;
use bytes::Bytes;
use bytesize::ByteSize;
use serde_json::Value;

pub use contract::{SoftgardenAddress, SoftgardenDelivery, SoftgardenDocument};

use super::settings::{Mistakes, Settings};
use super::signature::{Scheme, Token};
use super::{AtsSource, Event, Kind, Manners, Misread, Setup, Trait};
use crate::outbound::Guard;

/// softgarden's place in the list.
pub(super) const KIND: Kind = Kind {
    traits: &[Trait::SignatureByOperator, Trait::Polled],
    // A person's files come along, in Base64.
    body_limit: Some(ByteSize::mib(48)),
    ..Kind::of("softgarden", build)
};

/// One softgarden account.
struct Softgarden {
    scheme: Scheme,
}

/// The secret comes along as a bearer token, unless the settings say that it is a password.
fn build(settings: &Settings, _guard: &Guard, mistakes: &mut Mistakes) -> Option<Box<dyn AtsSource>> {
    settings.events(&[read::HIRED], &[read::HIRED], mistakes);
    if settings.delivery.is_some() || !settings.facts.is_empty() {
        mistakes.add("delivery", "and `facts` are known of softgarden: leave these sections out");
    }
    let scheme = match &settings.signature {
        None => Scheme::Token(Token::Bearer),
        Some(_) => settings.scheme(mistakes)?,
    };
    if !matches!(scheme, Scheme::Token(Token::Bearer | Token::Basic(_) | Token::Header(_))) {
        let problem = "softgarden does not sign: must be `token = \"bearer\"`, `\"basic\"` with `user`, or `\"header:NAME\"`";
        mistakes.add("signature", problem);
        return None;
    }
    Some(Box::new(Softgarden { scheme }))
}

#[async_trait]
impl AtsSource for Softgarden {
    fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    fn manners(&self) -> Manners {
        Manners { success: 200 }
    }

    fn setup(&self) -> Setup {
        Setup {
            event_to_choose: "applicant data export, push, at the status that means hired (set up by softgarden's support)",
            where_secret_goes: match &self.scheme {
                Scheme::Token(Token::Basic(_)) => {
                    "softgarden's support: the password of HTTP Basic, by a safe way"
                }
                Scheme::Token(Token::Header(_)) => {
                    "softgarden's support: the value of the header, by a safe way"
                }
                _ => "softgarden's support: the token of `Authorization: Bearer`, by a safe way",
            },
        }
    }

    fn has_tenants(&self) -> bool {
        true
    }

    fn read(&self, payload: &Value) -> Result<Event, Misread> {
        read::event(payload)
    }

    fn pulled(&self, answer: Value) -> Option<Vec<Bytes>> {
        let Value::Array(items) = answer else { return None };
        Some(items.into_iter().map(pulled).collect())
    }
}

/// The delivery in an item: the text in `data` is JSON by itself. One that is not wrapped like this is taken as it is;
/// whether it can be read shows when it is stored.
fn pulled(mut item: Value) -> Bytes {
    match item.get_mut("data") {
        Some(Value::String(data)) => std::mem::take(data).into(),
        Some(data @ Value::Object(_)) => data.to_string().into(),
        _ => item.to_string().into(),
    }
}

#[cfg(test)]
mod tests;
