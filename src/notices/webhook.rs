//! A URL that is told, signed as Standard Webhooks say:
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>.

use std::fmt;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;
use uuid::Uuid;

use super::Failed;
use super::message::Message;
use crate::clock::Clock;
use crate::outbound::guard::Guard;
use crate::outbound::{Client, ClientError, Request, Reuse};

/// Its name.
pub(super) const CHANNEL: &str = "webhook";

/// How long one try may take.
const WITHIN: Duration = Duration::from_secs(15);

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);

/// The shortest secret, in bytes, by the specification.
const SHORTEST: usize = 24;

/// `[notices.webhook]`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    url: Url,
    secret: SecretString,
}

/// Neither: the path of such a URL is often a secret itself.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Webhook")
    }
}

impl Settings {
    fn key(&self) -> Option<Vec<u8>> {
        let written = self.secret.expose_secret().strip_prefix("whsec_")?;
        STANDARD.decode(written).ok().filter(|key| key.len() >= SHORTEST)
    }

    pub(super) fn objections(&self, guard: &Guard) -> Vec<(&'static str, String)> {
        let forbidden = guard.check(&self.url).err();
        let place = forbidden.map(|why| ("notices.webhook.url", why.remedy().to_owned()));
        let no_key =
            || ("notices.webhook.secret", format!("must be `whsec_` and base64 of {SHORTEST} bytes or more"));
        place.into_iter().chain(self.key().is_none().then(no_key)).collect()
    }
}

/// Tells one URL.
pub(super) struct Webhook {
    url: Url,
    key: hmac::Key,
    client: Client,
}

impl Webhook {
    pub(super) fn new(settings: &Settings, guard: &Guard, clock: &Clock) -> Result<Self, ClientError> {
        let client = Client::new(Reuse::Never, CONNECT, guard, clock.clone())?;
        // A secret that is none was refused when the settings were read.
        let key = hmac::Key::new(hmac::HMAC_SHA256, &settings.key().unwrap_or_default());
        Ok(Self { url: settings.url.clone(), key, client })
    }

    /// Sends it once; `id` stays the same however often it is tried.
    pub(super) async fn send(&self, id: Uuid, message: &Message, now: Timestamp) -> Result<(), Failed> {
        let body = message.json().to_string();
        let mut request = Request::new(Method::POST, self.url.clone());
        request.headers = self.headers(&format!("msg_{}", id.simple()), now.as_second(), &body);
        let request = request.with_json(Bytes::from(body));
        let answer = self.client.send(request, WITHIN).await.map_err(|failure| failure.code().to_owned())?;
        if (200..300).contains(&answer.status) { Ok(()) } else { Err(format!("status_{}", answer.status)) }
    }

    fn headers(&self, id: &str, seconds: i64, body: &str) -> HeaderMap {
        let signature = hmac::sign(&self.key, format!("{id}.{seconds}.{body}").as_bytes());
        let signature = format!("v1,{}", STANDARD.encode(signature));
        let all = [
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", seconds.to_string()),
            ("webhook-signature", signature),
        ];
        let value = |text: String| HeaderValue::try_from(text).expect("letters, digits and base64");
        all.into_iter().map(|(name, text)| (HeaderName::from_static(name), value(text))).collect()
    }
}
