//! Greenhouse Recruiting: a signed web hook for each event, which carries the whole hire. Its API is not asked.
//!
//! Facts: <https://developers.greenhouse.io/webhooks.html>.

mod custom;
mod files;
mod read;
mod shapes;

use std::sync::LazyLock;

use async_trait::async_trait;
use reqwest::header::{HeaderMap, HeaderName};
use serde_json::Value;
use tokio::time::Instant;

use super::settings::{Mistakes, Settings};
use super::signature::{Scheme, preset};
use super::{ApiError, AtsSource, Envelope, Event, Kind, Manners, Misread, Opened, Setup, is_id, link};
use crate::domain::{File, Place};
use crate::outbound::Guard;

/// Greenhouse's place in the list.
pub(super) const KIND: Kind = Kind::of("greenhouse", build);

/// `Signature: sha256 <hex>` over the raw body, whose characters are escaped before it is signed:
/// <https://developers.greenhouse.io/webhooks.html#authentication>.
static SCHEME: LazyLock<Scheme> = LazyLock::new(|| preset("greenhouse"));

/// One id for each delivery: <https://developers.greenhouse.io/webhooks.html#what-is-a-web-hook>.
static DELIVERY_ID: HeaderName = HeaderName::from_static("greenhouse-event-id");

/// The host in the vendor's examples of attachments: <https://developers.greenhouse.io/webhooks.html#candidate-hired>.
const EXAMPLE_HOST: &str = "prod-heroku.s3.amazonaws.com";

/// One Greenhouse account.
struct Greenhouse;

#[expect(clippy::unnecessary_wraps, reason = "every kind of ATS is built so")]
fn build(settings: &Settings, _guard: &Guard, mistakes: &mut Mistakes) -> Option<Box<dyn AtsSource>> {
    settings.events(&[read::HIRE], &[read::HIRE], mistakes);
    Some(Box::new(Greenhouse))
}

#[async_trait]
impl AtsSource for Greenhouse {
    fn scheme(&self) -> &Scheme {
        &SCHEME
    }

    fn manners(&self) -> Manners {
        // Everything but 200 counts as failed: <https://developers.greenhouse.io/webhooks.html#retry-policy>.
        Manners { success: 200 }
    }

    fn setup(&self) -> Setup {
        Setup {
            event_to_choose: "Candidate has been hired",
            where_secret_goes: "Greenhouse: Configure > Dev Center > Web Hooks > Web Hooks, the field \"Secret key\"",
        }
    }

    fn envelope(&self, headers: &HeaderMap) -> Envelope {
        let id = headers.get(&DELIVERY_ID).and_then(|id| id.to_str().ok()).filter(|id| is_id(id));
        Envelope { delivery_id: id.map(str::to_owned), ..Envelope::default() }
    }

    fn read(&self, payload: &Value) -> Result<Event, Misread> {
        read::event(payload)
    }

    async fn open(&self, file: &File, _deadline: Instant) -> Result<Opened, ApiError> {
        match &file.place {
            Place::Link(link) => link::at_storage(link, EXAMPLE_HOST),
            _ => Err(ApiError::NoFiles),
        }
    }
}

#[cfg(test)]
mod tests;
