//! Recruitee (Tellent): a signed webhook for each move through a pipeline, and an API that completes it.
//!
//! Facts: <https://docs.recruitee.com/docs/webhooks>; what is known from running receivers alone is marked in
//! `docs/ats/recruitee.md`.

mod complete;
mod fields;
mod look_for;
mod read;
mod shapes;

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
    ApiError, Arrived, AtsSource, Completed, Event, Hired, Kind, Manners, Meant, Misread, Opened, Setup,
    Trait, json,
};
use crate::domain::{Facts, File, Place};
use crate::outbound::Guard;

/// Recruitee's place in the list.
pub(super) const KIND: Kind = Kind {
    traits: &[
        Trait::Api,
        Trait::ApiOfAccount,
        Trait::FilesNeedKey,
        Trait::SecretComesLater,
        Trait::TakesNotes,
    ],
    ..Kind::of("recruitee", build)
};

/// Where Recruitee's API is: <https://docs.recruitee.com/reference/getting-started>.
const API: &str = "https://api.recruitee.com";

/// `X-Recruitee-Signature: <hex>` over the raw body.
static SCHEME: LazyLock<Scheme> = LazyLock::new(|| preset("recruitee"));

/// One Recruitee company.
struct Recruitee {
    stages: read::Stages,
    /// Whether its secret is not known yet.
    awaits_secret: bool,
    /// There if the customer gave us a token.
    api: Option<Api>,
    note_on_profile: bool,
}

fn build(settings: &Settings, guard: &Guard, mistakes: &mut Mistakes) -> Option<Box<dyn AtsSource>> {
    let named = settings.hired_when.clone().unwrap_or_default();
    let stages = read::Stages { named, has_key: settings.api_key.is_some() };
    let awaits_secret = settings.awaits_secret();
    let note_on_profile = settings.note_on_profile.unwrap_or(true);
    let Some(key) = &settings.api_key else {
        return Some(Box::new(Recruitee { stages, awaits_secret, api: None, note_on_profile }));
    };
    let Some(company) = settings.account.as_deref() else {
        mistakes.add(
            "account",
            "is needed with `api_key`: the company's id or subdomain, from Settings > Apps and plugins > API tokens",
        );
        return None;
    };
    let mut base = settings.api_base_url.clone().unwrap_or_else(|| Url::parse(API).expect("it is a URL"));
    if let Ok(mut path) = base.path_segments_mut() {
        path.pop_if_empty().extend(["c", company]);
    }
    match Api::with_bearer(base, key, guard) {
        Ok(api) => Some(Box::new(Recruitee { stages, awaits_secret, api: Some(api), note_on_profile })),
        Err(problem) => {
            mistakes.add("api_key", problem);
            None
        }
    }
}

#[async_trait]
impl AtsSource for Recruitee {
    fn scheme(&self) -> &Scheme {
        &SCHEME
    }

    fn manners(&self) -> Manners {
        // Everything but 200 counts as failed, other 2xx as well: <https://docs.recruitee.com/docs/webhooks>.
        Manners { success: 200 }
    }

    fn setup(&self) -> Setup {
        Setup {
            event_to_choose: "Pipeline change",
            where_secret_goes: "Recruitee makes it: Settings > Apps and plugins > Webhooks, \"Show Secret\"; it goes into `secrets`",
        }
    }

    /// Recruitee tests a webhook before it tells the secret: `{"test":true}`, signed perhaps. A larger test without a
    /// signature is answered as well: it can never become a hire.
    fn handshake(&self, headers: &HeaderMap, body: &[u8]) -> Option<&'static str> {
        let payload = json::read(body).ok()?;
        let fields = payload.as_object()?;
        let unsigned = SCHEME.header().is_some_and(|header| !headers.contains_key(header));
        (fields.get("test")? == true && (fields.len() == 1 || unsigned && !self.awaits_secret))
            .then_some(read::TEST)
    }

    fn read(&self, payload: &Value) -> Result<Event, Misread> {
        read::event(payload, &self.stages)
    }

    async fn confirm(&self, hired: &Hired, deadline: Instant) -> Result<bool, ApiError> {
        match &self.api {
            Some(api) => complete::confirm(api, hired, deadline).await,
            None => Ok(false),
        }
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

    async fn open(&self, file: &File, deadline: Instant) -> Result<Opened, ApiError> {
        match (&self.api, &file.place) {
            (Some(api), Place::Handle(candidate)) => complete::open(api, candidate, deadline).await,
            _ => Err(ApiError::NoFiles),
        }
    }

    fn is_told(&self) -> bool {
        self.note_on_profile && self.api.is_some()
    }

    async fn tell(&self, arrived: &Arrived, deadline: Instant) -> Result<(), ApiError> {
        match &self.api {
            Some(api) => complete::tell(api, arrived, deadline).await,
            None => Ok(()),
        }
    }

    async fn try_key(&self, deadline: Instant) -> Option<Result<(), ApiError>> {
        Some(complete::try_key(self.api.as_ref()?, deadline).await)
    }
}

#[cfg(test)]
mod tests;
