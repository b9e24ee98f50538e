//! Greenhouse Recruiting: a signed web hook for each event, which carries the whole hire. Its API is asked for nothing; it is
//! told, if the operator wants a note on the profile.
//!
//! Facts: <https://developers.greenhouse.io/webhooks.html>.

mod custom;
mod files;
mod read;
mod shapes;
mod tell;

use std::sync::LazyLock;

use async_trait::async_trait;
use reqwest::header::{HeaderMap, HeaderName};
use serde_json::Value;
use tokio::time::Instant;

use super::settings::{Mistakes, Settings};
use super::signature::{Scheme, preset};
use super::{
    ApiError, Arrived, AtsSource, Envelope, Event, Kind, Manners, Misread, Opened, Setup, Trait, is_id, link,
};
use crate::domain::{File, Place};
use crate::outbound::Guard;

/// Greenhouse's place in the list.
pub(super) const KIND: Kind = Kind { traits: &[Trait::TakesNotes], ..Kind::of("greenhouse", build) };

pub use tell::NoteSettings;
use tell::Notes;

/// `Signature: sha256 <hex>` over the raw body, whose characters are escaped before it is signed:
/// <https://developers.greenhouse.io/webhooks.html#authentication>.
static SCHEME: LazyLock<Scheme> = LazyLock::new(|| preset("greenhouse"));

/// One id for each delivery: <https://developers.greenhouse.io/webhooks.html#what-is-a-web-hook>.
static DELIVERY_ID: HeaderName = HeaderName::from_static("greenhouse-event-id");

/// The host in the vendor's examples of attachments: <https://developers.greenhouse.io/webhooks.html#candidate-hired>.
const EXAMPLE_HOST: &str = "prod-heroku.s3.amazonaws.com";

/// One Greenhouse account.
struct Greenhouse {
    /// There if a note is to be left.
    notes: Option<Notes>,
}

fn build(settings: &Settings, guard: &Guard, mistakes: &mut Mistakes) -> Option<Box<dyn AtsSource>> {
    settings.events(&[read::HIRE], &[read::HIRE], mistakes);
    if settings.note_on_profile == Some(true) && settings.note.is_none() {
        mistakes.add("note_on_profile", "needs the section `note` as well");
    }
    let wanted = settings.note.as_ref().filter(|_| settings.note_on_profile != Some(false));
    let notes = match wanted {
        Some(note) => Some(Notes::of(note, guard, mistakes)?),
        None => None,
    };
    Some(Box::new(Greenhouse { notes }))
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

    fn is_told(&self) -> bool {
        self.notes.is_some()
    }

    async fn tell(&self, arrived: &Arrived, deadline: Instant) -> Result<(), ApiError> {
        match &self.notes {
            Some(notes) => notes.leave(arrived, deadline).await,
            None => Ok(()),
        }
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
