//! Ashby: one signed webhook per event type, and an API that completes it.
//!
//! Facts: <https://developers.ashbyhq.com/docs/setting-up-webhooks>,
//! <https://developers.ashbyhq.com/docs/authenticating-webhooks> and Ashby's OpenAPI.

mod ask;
mod complete;
mod custom;
mod fields;
mod files;
mod look_for;
mod read;
mod shapes;
mod tell;

use std::sync::LazyLock;

use async_trait::async_trait;
use reqwest::header::HeaderMap;
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use super::api::Api;
use super::settings::{Mistakes, Settings};
use super::signature::{Scheme, preset};
use super::{
    ApiError, Arrived, AtsSource, Completed, CustomField, Event, Filed, Hired, Kind, Manners, Meant, Misread,
    Opened, Setup, Trait, json,
};
use crate::domain::{Facts, File, Place};
use crate::outbound::Guard;

/// Ashby's place in the list.
pub(super) const KIND: Kind =
    Kind { traits: &[Trait::Api, Trait::FilesNeedKey, Trait::TakesNotes], ..Kind::of("ashby", build) };

/// Where Ashby's API is: <https://developers.ashbyhq.com/reference/introduction>.
const API: &str = "https://api.ashbyhq.com";

/// The version of the API that this file speaks.
const ACCEPT: &str = "application/json; version=1";

/// The largest ping that is answered unsigned, in bytes; a real one has 53, and an id at most.
const LARGEST_PING: usize = 512;

/// `Ashby-Signature: sha256=<hex>` over the raw body:
/// <https://developers.ashbyhq.com/docs/authenticating-webhooks>.
static SCHEME: LazyLock<Scheme> = LazyLock::new(|| preset("ashby"));

/// Where the signature is.
const SIGNATURE: &str = "ashby-signature";

/// One Ashby account.
struct Ashby {
    /// The events that mean a hire; `candidateHire` is always one.
    hired_when: Vec<&'static str>,
    /// There if the customer gave us a key.
    api: Option<Api>,
    /// Whether a note is left on the candidate's profile: not unless it is asked for, since it needs a right more.
    note_on_profile: bool,
}

fn build(settings: &Settings, guard: &Guard, mistakes: &mut Mistakes) -> Option<Box<dyn AtsSource>> {
    let hired_when = settings.events(read::HIRE_EVENTS, read::USUAL_HIRE_EVENTS, mistakes);
    if settings.api_key.is_none()
        && let Some(event) = hired_when.iter().find(|event| !read::USUAL_HIRE_EVENTS.contains(event))
    {
        mistakes
            .add("hired_when", format!("`{event}` carries too little of a hire: it needs `api_key` as well"));
    }
    let base = settings.api_base_url.clone();
    let base = base.unwrap_or_else(|| Url::parse(API).expect("it is a URL"));
    let api = settings.api_key.as_ref().map(|key| Api::with_basic_key(base, key, ACCEPT, guard)).transpose();
    let note_on_profile = settings.note_on_profile.unwrap_or(false);
    if note_on_profile && settings.api_key.is_none() {
        mistakes.add("note_on_profile", "needs `api_key` as well".to_owned());
    }
    match api {
        Ok(api) => Some(Box::new(Ashby { hired_when, api, note_on_profile })),
        Err(problem) => {
            mistakes.add("api_key", problem);
            None
        }
    }
}

#[async_trait]
impl AtsSource for Ashby {
    fn scheme(&self) -> &Scheme {
        &SCHEME
    }

    fn manners(&self) -> Manners {
        // Any 2xx would do for a delivery; a ping needs one that is "not above 400".
        Manners { success: 200 }
    }

    fn setup(&self) -> Setup {
        Setup {
            event_to_choose: "Candidate Hired",
            where_secret_goes: "Ashby: Admin > Integrations > Webhooks > New, the field \"Secret Token\"",
        }
    }

    /// Ashby pings a webhook when it is made or changed. Whether it signs the ping before a secret is set
    /// is not documented: without a signature it is answered, with a wrong one it is refused, so that
    /// the customer sees the mistake at once.
    fn handshake(&self, headers: &HeaderMap, body: &[u8]) -> Option<&'static str> {
        let unsigned = !headers.contains_key(SIGNATURE);
        (unsigned && body.len() <= LARGEST_PING && is_ping(&json::read(body).ok()?)).then_some(read::PING)
    }

    fn read(&self, payload: &Value) -> Result<Event, Misread> {
        // With a key, the full list of addresses comes from the API, and what is known never changes.
        read::event(payload, &self.hired_when, self.api.is_some())
    }

    async fn complete(&self, hired: &Hired, known: &Facts, deadline: Instant) -> Completed {
        complete::complete(self.api.as_ref(), hired, known, deadline).await
    }

    fn can_be_asked(&self) -> bool {
        self.api.is_some()
    }

    async fn look_for(&self, pasted: &str, deadline: Instant) -> Option<Result<Vec<Meant>, ApiError>> {
        Some(look_for::look_for(self.api.as_ref()?, pasted, deadline).await)
    }

    async fn find(&self, filed: Filed, deadline: Instant) -> Result<Filed, ApiError> {
        files::find(self.api.as_ref().ok_or(ApiError::NoFiles)?, filed, deadline).await
    }

    async fn open(&self, file: &File, deadline: Instant) -> Result<Opened, ApiError> {
        match (&self.api, &file.place) {
            (Some(api), Place::Handle(handle)) => files::open(api, handle, deadline).await,
            _ => Err(ApiError::NoFiles),
        }
    }

    fn is_told(&self) -> bool {
        self.note_on_profile && self.api.is_some()
    }

    async fn tell(&self, arrived: &Arrived, deadline: Instant) -> Result<(), ApiError> {
        tell::tell(self.api.as_ref().ok_or(ApiError::Unreachable)?, arrived, deadline).await
    }

    async fn custom_fields(&self, deadline: Instant) -> Option<Result<Vec<CustomField>, ApiError>> {
        Some(fields::all(self.api.as_ref()?, deadline).await)
    }

    async fn try_key(&self, deadline: Instant) -> Option<Result<(), ApiError>> {
        Some(complete::try_key(self.api.as_ref()?, deadline).await)
    }
}

/// Whether it is a ping and nothing else:
/// `{"action":"ping","data":{"webhookActionType":"ping"}}`, perhaps with the id that all payloads have.
fn is_ping(payload: &Value) -> bool {
    let Some(fields) = payload.as_object() else { return false };
    let Some(data) = payload["data"].as_object() else { return false };
    payload["action"] == read::PING
        && fields.keys().all(|key| ["action", "data", "webhookActionId"].contains(&key.as_str()))
        && data.iter().all(|(key, value)| key == "webhookActionType" && value.is_string())
}

#[cfg(test)]
mod tests;
