//! The note on the candidate's profile, by Harvest v3: one token, one note.
//!
//! Facts: <https://harvestdocs.greenhouse.io/docs/authentication> for the token; that notes are posted to `/v3/notes`, with the
//! scope `harvest:notes:create`, and their fields are known from published integrations.

use reqwest::header::HeaderValue;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;
use url::Url;

use super::super::Arrived;
use super::super::api::{Api, ApiError};
use super::super::settings::Mistakes;
use crate::outbound::Guard;

/// Where tokens are had, and where notes go: <https://harvestdocs.greenhouse.io/docs/authentication>.
const TOKENS: &str = "https://auth.greenhouse.io";
const HARVEST: &str = "https://harvest.greenhouse.io";

/// `[sources.NAME.note]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoteSettings {
    /// The id of a Harvest v3 (OAuth) credential.
    pub client_id: SecretString,
    /// Its secret.
    pub client_secret: SecretString,
    /// The id of the user in whose name the note is left.
    pub user: String,
    /// Where tokens are had, if not at the vendor's usual place.
    pub auth_url: Option<Url>,
    /// Where notes go, if not to the vendor's usual place.
    pub url: Option<Url>,
}

/// What leaves notes.
pub(super) struct Notes {
    tokens: Api,
    base: Url,
    guard: Guard,
    user: u64,
    user_id: String,
}

impl Notes {
    pub(super) fn of(settings: &NoteSettings, guard: &Guard, mistakes: &mut Mistakes) -> Option<Self> {
        let Ok(user) = settings.user.parse() else {
            mistakes.add("note.user", "must be the number at the end of the user's address in Greenhouse");
            return None;
        };
        let or = |url: &Option<Url>, usual: &str| {
            url.clone().unwrap_or_else(|| Url::parse(usual).expect("it is a URL"))
        };
        let base = or(&settings.url, HARVEST);
        let tokens = or(&settings.auth_url, TOKENS);
        for (key, url) in [("note.url", &base), ("note.auth_url", &tokens)] {
            if let Err(problem) = guard.check(url) {
                mistakes.add(key, problem.remedy());
                return None;
            }
        }
        match Api::with_basic(tokens, &settings.client_id, &settings.client_secret, guard) {
            Ok(tokens) => {
                Some(Self { tokens, base, guard: guard.clone(), user, user_id: settings.user.clone() })
            }
            Err(problem) => {
                mistakes.add("note", problem);
                None
            }
        }
    }

    /// Leaves a note that whoever may see the candidate can read.
    pub(super) async fn leave(&self, arrived: &Arrived, deadline: Instant) -> Result<(), ApiError> {
        let candidate = arrived.candidate.as_deref().and_then(|id| id.parse::<u64>().ok());
        let candidate = candidate.ok_or(ApiError::Unreadable)?;
        let asked = [("grant_type", "client_credentials"), ("sub", &self.user_id)];
        let answer = self.tokens.post_form("token", &asked, deadline).await?;
        let token = answer["access_token"].as_str().ok_or(ApiError::Unreadable)?;
        HeaderValue::from_str(token).map_err(|_| ApiError::Unreadable)?;
        let harvest = Api::with_bearer(self.base.clone(), &token.into(), &self.guard);
        let note = json!({
            "candidate_id": candidate,
            "user_id": self.user,
            "body": arrived.words(),
            "visibility": "public",
            "note_type": "NOTE",
        });
        let harvest = harvest.map_err(|_| ApiError::Unreachable)?;
        harvest.post_json("v3/notes", &note, deadline).await.map(|_: Value| ())
    }
}
