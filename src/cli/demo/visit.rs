//! Plays the ATS and the curious user: delivers over HTTP, then asks the REST API what became of it.

use std::time::Duration;

use anyhow::Context;
use aws_lc_rs::hmac;
use bytes::Bytes;
use jiff::SignedDuration;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use uuid::Uuid;

use super::deliveries::{self, Delivery, Expected};
use super::folder::Folder;
use super::report;
use crate::clock::Clock;
use crate::domain::HireId;
use crate::outbound::{Answer, Client, Guard, Request, Reuse};
use crate::service::Service;

const PATIENCE: Duration = Duration::from_secs(30);

/// Ashby's header. Source: <https://developers.ashbyhq.com/docs/authenticating-webhooks>.
const SIGNATURE: HeaderName = HeaderName::from_static("ashby-signature");

/// Somebody with a webhook secret and an operator's token.
pub(super) struct Visitor {
    http: Client,
    url: String,
    key: hmac::Key,
    token: HeaderValue,
}

/// A delivery and what became of it.
pub(super) struct Ended {
    /// What the delivery shows.
    pub(super) what: &'static str,
    /// The HTTP status it was answered with.
    pub(super) status: u16,
    /// The answer.
    pub(super) answer: Value,
    /// Its hire, as the REST API shows it.
    pub(super) hire: Option<Value>,
    expected: Expected,
}

impl Visitor {
    pub(super) fn new(service: &Service, folder: &Folder) -> anyhow::Result<Self> {
        let guard = Guard::open_to(&service.url().parse()?);
        let http = Client::new(Reuse::Short, PATIENCE, &guard, Clock::system())?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, folder.secret().as_bytes());
        let mut token = HeaderValue::try_from(format!("Bearer {}", folder.token()))?;
        token.set_sensitive(true);
        Ok(Self { http, url: service.url(), key, token })
    }

    /// Posts every delivery, one after the other, and looks at each once it has ended.
    pub(super) async fn deliver_all(&self, service: &Service) -> anyhow::Result<Vec<Ended>> {
        let mut ended = Vec::new();
        for delivery in deliveries::all() {
            ended.push(self.deliver(delivery, service).await?);
        }
        Ok(ended)
    }

    async fn deliver(&self, delivery: Delivery, service: &Service) -> anyhow::Result<Ended> {
        let body = Bytes::from(serde_json::to_vec(&delivery.body)?);
        let signature =
            if delivery.signed { hex::encode(hmac::sign(&self.key, &body)) } else { "0".repeat(64) };
        let headers =
            HeaderMap::from_iter([(SIGNATURE, HeaderValue::try_from(format!("sha256={signature}"))?)]);
        let answer = self.ask(Method::POST, "/webhooks/ashby", headers, Some(body)).await?;
        let status = answer.status;
        let answer: Value = serde_json::from_slice(&answer.body)?;
        let hire = match answer["hire"].as_str() {
            Some(id) => Some(self.look(id, service).await?),
            None => None,
        };
        Ok(Ended { what: delivery.what, status, answer, hire, expected: delivery.expected })
    }

    /// Waits for the hires whose outcome is unknown, and says what the look-ups found. `briefly`: not for
    /// ever.
    pub(super) async fn follow(
        &self,
        all: &mut [Ended],
        service: &Service,
        briefly: bool,
    ) -> anyhow::Result<()> {
        let clock = Clock::system();
        let mut told = None;
        let give_up = clock.now() + SignedDuration::try_from(PATIENCE)?;
        for ended in all.iter_mut().filter(|ended| ended.state() == Some("unknown")) {
            while ended.state() == Some("unknown") && !(briefly && clock.now() > give_up) {
                clock.sleep_until(clock.now() + SignedDuration::from_millis(250)).await;
                if let Some(id) = ended.answer["hire"].as_str() {
                    ended.hire = Some(self.look(id, service).await?);
                }
            }
            if told.replace(ended.answer["hire"].clone()).as_ref() != Some(&ended.answer["hire"]) {
                report::found(ended)?;
            }
        }
        Ok(())
    }

    /// The hire, once nobody works on it any more and its documents have followed.
    async fn look(&self, id: &str, service: &Service) -> anyhow::Result<Value> {
        let clock = Clock::system();
        let give_up = clock.now() + SignedDuration::try_from(PATIENCE)?;
        loop {
            let hire = self.seen(id, service).await?;
            let mut states = hire["documents"].as_array().into_iter().flatten().map(|one| &one["state"]);
            let on_their_way =
                hire["state"] == "created" && states.any(|state| state == "pending" || state == "sending");
            if !on_their_way || clock.now() > give_up {
                return Ok(hire);
            }
            clock.sleep_until(clock.now() + SignedDuration::from_millis(100)).await;
        }
    }

    async fn seen(&self, id: &str, service: &Service) -> anyhow::Result<Value> {
        service.transfer().idle(HireId(id.parse::<Uuid>()?)).await;
        let headers = HeaderMap::from_iter([(AUTHORIZATION, self.token.clone())]);
        let answer = self.ask(Method::GET, &format!("/v1/hires/{id}"), headers, None).await?;
        anyhow::ensure!(answer.status == 200, "the hire cannot be read: status {}", answer.status);
        Ok(serde_json::from_slice(&answer.body)?)
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Option<Bytes>,
    ) -> anyhow::Result<Answer> {
        let mut request = Request::new(method, format!("{}{path}", self.url).parse()?);
        request.headers = headers;
        if let Some(body) = body {
            request = request.with_json(body);
        }
        self.http.send(request, PATIENCE).await.with_context(|| format!("{path} was not answered"))
    }
}

impl Ended {
    /// The state the hire ended in, or the answer's.
    pub(super) fn state(&self) -> Option<&str> {
        self.hire.as_ref().unwrap_or(&self.answer)["state"].as_str()
    }

    /// Why it is in that state.
    pub(super) fn reason(&self) -> Option<&str> {
        self.hire.as_ref().unwrap_or(&self.answer)["reason"].as_str()
    }

    /// The names in a list of the hire: of strings, or of objects with a `field`.
    pub(super) fn names(&self, list: &str) -> Vec<&str> {
        let items = self.hire.as_ref().and_then(|hire| hire[list].as_array());
        items
            .into_iter()
            .flatten()
            .filter_map(|item| item.as_str().or_else(|| item["field"].as_str()))
            .collect()
    }

    /// Each of its documents: kind, state and category.
    pub(super) fn documents(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        let hire = self.hire.as_ref();
        let planned = hire.and_then(|hire| hire["plan"]["documents"].as_array());
        let category = move |kind: &Value| {
            let planned = planned.into_iter().flatten().find(|planned| planned["kind"] == *kind);
            planned.and_then(|planned| planned["category"].as_str()).unwrap_or_default()
        };
        let all = hire.and_then(|hire| hire["documents"].as_array()).into_iter().flatten();
        all.filter_map(move |one| {
            Some((one["kind"].as_str()?, one["state"].as_str()?, category(&one["kind"])))
        })
    }

    /// Whether it became what it should.
    pub(super) fn is_as_expected(&self) -> bool {
        let expected = self.expected;
        self.status == expected.status
            && self.state() == expected.state
            && self.names("missing") == expected.missing
            && self.names("warnings") == expected.warnings
            && self.documents().all(|(_, state, _)| state == "sent")
            && self.documents().map(|(kind, ..)| kind).eq(expected.documents.iter().copied())
    }
}
