//! What each source has sent since the start: whether it works, and if not, why not.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::App;
use super::contract::tag;
use super::door::Viewer;
use crate::ats::Source;
use crate::domain::HireId;
use crate::transfer::Way;

/// How many reasons are counted one by one; an ATS has not that many events.
const REASONS: usize = 50;

/// What was seen of each configured source since the start. In memory: metrics are for the long run.
#[derive(Clone)]
pub struct SourceWatch {
    since: Timestamp,
    seen: Arc<Mutex<BTreeMap<String, Seen>>>,
}

#[derive(Clone, Default)]
struct Seen {
    delivery: Option<Timestamp>,
    hire: Option<(Timestamp, HireId)>,
    refusal: Option<(Timestamp, &'static str)>,
    refusals: u64,
    /// How many in a row had no right signature, until now.
    unsigned: u64,
    ignored: BTreeMap<String, u64>,
    secrets: BTreeMap<usize, Timestamp>,
    poll: Polled,
}

/// What was seen of a source's place.
#[derive(Clone, Default)]
struct Polled {
    last: Option<Timestamp>,
    success: Option<Timestamp>,
    error: Option<(Timestamp, &'static str)>,
    failures: u64,
}

impl SourceWatch {
    /// Nothing was seen yet.
    pub fn new(since: Timestamp) -> Self {
        Self { since, seen: Arc::default() }
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, source: &str, what: impl FnOnce(&mut Seen)) {
        what(self.all().entry(source.to_owned()).or_default());
    }

    /// A delivery was let in, by the secret of this number; by none if the source needs none.
    pub fn admitted(&self, source: &str, secret: Option<usize>, at: Timestamp) {
        self.note(source, |seen| {
            seen.delivery = Some(at);
            seen.unsigned = 0;
            seen.secrets.extend(secret.map(|secret| (secret, at)));
        });
    }

    /// A delivery was about this hire.
    pub fn hired(&self, source: &str, hire: HireId, at: Timestamp) {
        self.note(source, |seen| seen.hire = Some((at, hire)));
    }

    /// A delivery was answered and nothing became of it.
    pub fn ignored(&self, source: &str, reason: &str) {
        self.note(source, |seen| {
            let full = seen.ignored.len() >= REASONS && !seen.ignored.contains_key(reason);
            let reason = if full { "other" } else { reason };
            *seen.ignored.entry(reason.to_owned()).or_default() += 1;
        });
    }

    /// A delivery was refused.
    pub fn refused(&self, source: &str, reason: &'static str, at: Timestamp) {
        self.note(source, |seen| {
            seen.refusal = Some((at, reason));
            seen.refusals += 1;
        });
    }

    /// A delivery had no right signature; it is refused.
    pub fn unsigned(&self, source: &str) {
        self.note(source, |seen| seen.unsigned += 1);
    }

    /// Sources of which at least so many deliveries in a row, up to the last, had no right signature.
    pub fn misses(&self, in_a_row: u64) -> Vec<String> {
        let missing = |seen: &Seen| seen.unsigned >= in_a_row;
        self.all().iter().filter(|(_, seen)| missing(seen)).map(|(name, _)| name.clone()).collect()
    }

    /// A source's place was asked, and all that it gave is stored.
    pub fn polled(&self, source: &str, at: Timestamp) {
        self.note(source, |seen| {
            seen.poll = Polled { last: Some(at), success: Some(at), failures: 0, ..seen.poll };
        });
    }

    /// A source's place was asked in vain.
    pub fn poll_failed(&self, source: &str, code: &'static str, at: Timestamp) {
        self.note(source, |seen| {
            let failures = seen.poll.failures + 1;
            seen.poll = Polled { last: Some(at), error: Some((at, code)), failures, ..seen.poll };
        });
    }

    fn seen(&self, source: &str) -> Seen {
        self.all().get(source).cloned().unwrap_or_default()
    }
}

/// All sources.
#[derive(Serialize, ToSchema)]
pub(super) struct SourceList {
    /// Since when this is counted: the start of the service.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    personio: PersonioShape,
    sources: Vec<SourceShape>,
}

/// Whether hires can be sent to Personio at the moment.
#[derive(Serialize, ToSchema)]
pub(super) struct PersonioShape {
    /// `ok`, `out_of_order` (it cannot be reached or fails) or `credential_refused`: hires wait.
    state: &'static str,
    /// When a call tries whether it answers again, while it is out of order.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_try_at: Option<Timestamp>,
}

impl From<Way> for PersonioShape {
    fn from(way: Way) -> Self {
        match way {
            Way::Open => Self { state: "ok", next_try_at: None },
            Way::OutOfOrder { next_try_at } => Self { state: "out_of_order", next_try_at: Some(next_try_at) },
            Way::CredentialRefused => Self { state: "credential_refused", next_try_at: None },
        }
    }
}

/// One source, and what it has sent.
#[derive(Serialize, ToSchema)]
#[schema(as = Source)]
struct SourceShape {
    name: String,
    /// Which ATS.
    kind: &'static str,
    /// `false` if it is paused: its deliveries are answered 503, so that the ATS repeats them.
    enabled: bool,
    /// `true` if its secret is not known yet: all but a test is answered 503, so that the ATS repeats it.
    awaiting_secret: bool,
    /// Whether its ATS can be asked for somebody by a link or an id: `POST /v1/hires/fetch`.
    can_be_asked: bool,
    /// Which account there.
    account: String,
    /// What to register at the ATS.
    url: String,
    /// When a delivery with a right signature came last.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_delivery_at: Option<Timestamp>,
    /// The last delivery that was about a hire.
    last_hire: Option<LastHire>,
    /// The last delivery that was refused, and why.
    last_refusal: Option<LastRefusal>,
    /// How many were refused.
    refusals: u64,
    /// How many were answered and became nothing, by reason.
    ignored: BTreeMap<String, u64>,
    /// Which secrets are in use: an old one that is no longer used can go.
    secrets: Vec<SecretUse>,
    /// How its place is doing, if its deliveries are fetched.
    poll: Option<PollShape>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SourcePoll)]
struct PollShape {
    /// When it was asked last.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_at: Option<Timestamp>,
    /// When that went well last.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_success_at: Option<Timestamp>,
    /// What went wrong last.
    last_error: Option<LastPollError>,
    /// How often it went wrong in a row, until now.
    failures: u64,
}

#[derive(Serialize, ToSchema)]
struct LastPollError {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// `credential_refused`, `timeout`, `not_a_list` …
    code: &'static str,
}

#[derive(Serialize, ToSchema)]
struct LastHire {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    id: Uuid,
}

#[derive(Serialize, ToSchema)]
struct LastRefusal {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// `header_missing`, `no_secret_matches`, `too_large` …
    reason: &'static str,
}

#[derive(Serialize, ToSchema)]
struct SecretUse {
    /// Its place in the configuration, counted from 1.
    n: usize,
    #[schema(value_type = String, format = DateTime)]
    last_used_at: Timestamp,
}

/// Each source: what it sent last, what was refused and why.
///
/// Counted since the start of the service. A signature that does not match shows here with its reason;
/// the sender is never told. `personio` says whether hires can be sent at the moment, as far as its last
/// answers tell.
#[utoipa::path(get, path = "/v1/sources", tag = tag::SIGHT, operation_id = "sources", responses(
    (status = 200, description = "All configured sources, by name", body = SourceList, example = json!({
        "since": "2027-01-04T08:00:00Z",
        "personio": {"state": "ok", "next_try_at": null},
        "sources": [{
            "name": "ashby", "kind": "ashby", "enabled": true, "awaiting_secret": false, "can_be_asked": true, "account": "acme",
            "url": "https://hires.example.com/webhooks/ashby",
            "last_delivery_at": "2027-01-04T09:12:44Z",
            "last_hire": {"at": "2027-01-04T09:12:44Z", "id": "01942f5e-9c1b-7c3e-8a37-2f6f2a6f0c11"},
            "last_refusal": {"at": "2027-01-04T08:01:10Z", "reason": "no_secret_matches"},
            "refusals": 1,
            "ignored": {"ping": 1},
            "secrets": [{"n": 1, "last_used_at": "2027-01-04T09:12:44Z"}],
            "poll": null,
        }],
    })),
))]
pub(super) async fn list(_: Viewer, State(app): State<App>) -> Json<SourceList> {
    let sources = app.sources.iter().map(|source| shape(&app, source)).collect();
    Json(SourceList { since: app.watch.since, personio: app.transfer.way().into(), sources })
}

impl From<Polled> for PollShape {
    fn from(seen: Polled) -> Self {
        let Polled { last, success, error, failures } = seen;
        let last_error = error.map(|(at, code)| LastPollError { at, code });
        Self { last_at: last, last_success_at: success, last_error, failures }
    }
}

fn shape(app: &App, source: &Source) -> SourceShape {
    let seen = app.watch.seen(source.name());
    SourceShape {
        name: source.name().to_owned(),
        kind: source.kind(),
        enabled: source.is_enabled(),
        awaiting_secret: source.awaits_secret(),
        can_be_asked: source.can_be_asked(),
        account: source.account().to_owned(),
        url: app.settings.webhook_url(source.name()),
        last_delivery_at: seen.delivery,
        last_hire: seen.hire.map(|(at, id)| LastHire { at, id: id.0 }),
        last_refusal: seen.refusal.map(|(at, reason)| LastRefusal { at, reason }),
        refusals: seen.refusals,
        ignored: seen.ignored,
        poll: source.poll().map(|_| seen.poll.into()),
        secrets: seen.secrets.iter().map(|(n, at)| SecretUse { n: n + 1, last_used_at: *at }).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_sender_makes_up_cannot_fill_the_memory() {
        let watch = SourceWatch::new(Timestamp::UNIX_EPOCH);
        for n in 0..1000 {
            watch.ignored("ashby", &format!("event_{n}"));
        }
        let ignored = watch.seen("ashby").ignored;
        assert_eq!(ignored.len(), REASONS + 1);
        assert_eq!(ignored["other"], 950);
    }

    #[test]
    fn the_last_refusal_stays_with_its_reason() {
        let watch = SourceWatch::new(Timestamp::UNIX_EPOCH);
        watch.refused("ashby", "header_missing", Timestamp::UNIX_EPOCH);
        watch.refused("ashby", "no_secret_matches", Timestamp::MAX);
        watch.admitted("ashby", Some(0), Timestamp::UNIX_EPOCH);
        let seen = watch.seen("ashby");
        assert_eq!(seen.refusal, Some((Timestamp::MAX, "no_secret_matches")));
        assert_eq!(seen.refusals, 2);
        assert!(watch.seen("other").delivery.is_none());
    }
}
