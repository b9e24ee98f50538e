//! Tells people what waits for them: by webhook and e-mail, once about each hire and reason. A hire never waits for
//! that, and what comes of it changes no hire.
//!
//! Nobody hands notices in. A loop of its own asks the ledger which hires have changed into something that is worth
//! one, and keeps the notice in the ledger until it is told.

mod email;
mod letter;
mod message;
mod settings;
mod webhook;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use url::Url;
use uuid::Uuid;

use crate::clock::Clock;
use crate::ledger::outbox::{Notice, Subject, Told};
use crate::ledger::{Filter, Ledger, LedgerError};
use crate::outbound::ClientError;
use crate::outbound::guard::Guard;
use crate::telemetry::Metrics;
use email::Email;
use letter::Letter;
use message::Message;
use webhook::Webhook;

pub use settings::{Part, Reason, Settings};

/// How often it is looked for what is to be told.
const EVERY: SignedDuration = SignedDuration::from_secs(10);

/// How long ago something may have changed that is still told: whoever turns notices on is not told of years.
const NEWS: SignedDuration = SignedDuration::from_hours(3 * 24);

/// How long it is tried.
const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(3 * 24);

/// How long to wait after each failure; the last repeats.
const PAUSES: [SignedDuration; 6] = [
    SignedDuration::from_mins(1),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(15),
    SignedDuration::from_hours(1),
    SignedDuration::from_hours(3),
    SignedDuration::from_hours(6),
];

/// How long a notice is left to whoever has taken it on: longer than one try takes.
const CLAIM: SignedDuration = SignedDuration::from_mins(2);

/// So many are sent by a channel in one round.
const AT_A_TIME: usize = 50;

/// So many hires are named in a digest.
const IN_A_DIGEST: usize = 50;

/// What is wrong with the service itself at the moment.
#[derive(Clone, Debug, Default)]
pub struct Troubles {
    /// Whether Personio does not take the credential.
    pub credential_refused: bool,
    /// Sources whose deliveries are all refused for their signatures.
    pub signatures: Vec<String>,
}

/// What the notices are made from.
pub struct Parts {
    /// Whom to tell, and of what.
    pub settings: Settings,
    /// Where the console is, for links.
    pub public_url: Option<Url>,
    /// Where hires and notices are.
    pub ledger: Arc<dyn Ledger>,
    /// Where calls may go.
    pub guard: Guard,
    /// What time it is.
    pub clock: Clock,
    /// What an operator sees.
    pub metrics: Metrics,
    /// Asks what is wrong at the moment.
    pub troubles: Box<dyn Fn() -> Troubles + Send + Sync>,
}

/// The notices of a running service. Cheap to clone.
#[derive(Clone)]
pub struct Notices(Arc<Inner>);

struct Inner {
    parts: Parts,
    webhook: Option<Webhook>,
    email: Option<Email>,
    /// The last day on which it was seen whether a digest is due.
    digested: Mutex<Option<Date>>,
    /// One round at a time.
    turn: Mutex<()>,
}

/// Why a notice was not taken: a stable code.
type Failed = String;

impl Notices {
    /// Nothing is told yet.
    ///
    /// # Errors
    /// [`ClientError`] if TLS cannot be set up.
    pub fn new(parts: Parts) -> Result<Self, ClientError> {
        let webhook = parts.settings.webhook.as_ref();
        let webhook =
            webhook.map(|settings| Webhook::new(settings, &parts.guard, &parts.clock)).transpose()?;
        let email = parts.settings.email.as_ref().map(|settings| Email::new(settings, &parts.guard));
        let (digested, turn) = Default::default();
        Ok(Self(Arc::new(Inner { parts, webhook, email, digested, turn })))
    }

    /// Tells what there is to tell, until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        if self.0.channels().is_empty() {
            return;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.go_on() => {}
        }
    }

    async fn go_on(&self) {
        let clock = &self.0.parts.clock;
        loop {
            self.round().await;
            clock.sleep_until(clock.now() + EVERY).await;
        }
    }

    /// Looks once for what is to be told, and tells what is due.
    pub async fn round(&self) {
        let _turn = self.0.turn.lock().await;
        for channel in self.0.channels() {
            if let Err(error) = self.0.collect(channel).await {
                tracing::error!(channel, %error, "what people are to be told cannot be read or kept");
            }
        }
        // Neither waits for the other.
        tokio::join!(self.0.deliver_all(webhook::CHANNEL), self.0.deliver_all(email::CHANNEL));
    }
}

impl Inner {
    fn channels(&self) -> Vec<&'static str> {
        let webhook = self.webhook.iter().map(|_| webhook::CHANNEL);
        webhook.chain(self.email.iter().map(|_| email::CHANNEL)).collect()
    }

    /// Keeps a notice of all there is to tell that has none yet.
    async fn collect(&self, channel: &str) -> Result<(), LedgerError> {
        let now = self.parts.clock.now();
        let outbox = self.parts.ledger.outbox();
        let in_digest = channel == email::CHANNEL && self.email.as_ref().is_some_and(Email::has_digest);
        let hires = if in_digest {
            Vec::new()
        } else {
            outbox.noteworthy(self.parts.settings.wanted(), channel, now - NEWS).await?
        };
        let hires = hires.into_iter().map(|(hire, about)| (Subject::Hire(hire), about));
        let digest = if in_digest { self.digest_of_today(now).await? } else { None };
        let troubles = self.troubles(now).into_iter().chain(digest);
        let notices: Vec<_> = hires
            .chain(troubles)
            .map(|(subject, about)| {
                let (id, channel) = (Uuid::now_v7(), channel.to_owned());
                Notice { id, subject, about, channel, tries: 0, at: now }
            })
            .collect();
        if notices.is_empty() { Ok(()) } else { outbox.post(&notices).await }
    }

    /// The digest, if it is time for it and somebody waits.
    async fn digest_of_today(&self, now: Timestamp) -> Result<Option<(Subject, String)>, LedgerError> {
        let here = TimeZone::UTC.to_datetime(now);
        let at = self.email.as_ref().and_then(Email::digest_at);
        let mut digested = self.digested.lock().await;
        if at.is_none_or(|at| here.time() < at) || *digested == Some(here.date()) {
            return Ok(None);
        }
        let waits = self.parts.ledger.count(&for_a_person(now)).await? > 0;
        *digested = Some(here.date());
        let about = format!("{} {}", letter::DIGEST, here.date());
        Ok(waits.then(|| (Subject::Service("people".into()), about)))
    }

    /// What is wrong with the service: one notice a day for as long as it lasts.
    fn troubles(&self, now: Timestamp) -> Vec<(Subject, String)> {
        let on: BTreeSet<_> = self.parts.settings.on.iter().copied().collect();
        let Troubles { credential_refused, signatures } = (self.parts.troubles)();
        let day = now.strftime("%Y-%m-%d");
        let mut all = Vec::new();
        if credential_refused && on.contains(&Reason::CredentialRefused) {
            let subject = Subject::Service("personio".into());
            all.push((subject, format!("{} {day}", message::CREDENTIAL_REFUSED)));
        }
        if on.contains(&Reason::Signatures) {
            let about = format!("{} {day}", message::SIGNATURES);
            all.extend(signatures.into_iter().map(|source| (Subject::Service(source), about.clone())));
        }
        all
    }

    async fn deliver_all(&self, channel: &'static str) {
        if let Err(error) = self.deliver(channel).await {
            tracing::error!(channel, %error, "what people are to be told cannot be read or kept");
        }
    }

    /// Sends what is due, up to the first that is not taken: the others would not be either.
    async fn deliver(&self, channel: &'static str) -> Result<(), LedgerError> {
        let (clock, outbox) = (&self.parts.clock, self.parts.ledger.outbox());
        for notice in outbox.to_send(channel, clock.now(), AT_A_TIME).await? {
            if !outbox.claim(&notice, clock.now() + CLAIM).await? {
                continue;
            }
            let sent = self.send(&notice).await?;
            let how = told(&notice, sent.is_ok(), clock.now());
            outbox.told(notice.id, how).await?;
            self.count(&notice, channel, how, sent.as_ref().err());
            if sent.is_err() {
                break;
            }
        }
        Ok(())
    }

    async fn send(&self, notice: &Notice) -> Result<Result<(), Failed>, LedgerError> {
        let hire = match &notice.subject {
            Subject::Hire(id) => self.parts.ledger.hire(*id).await?,
            Subject::Service(_) => None,
        };
        let message = Message::of(notice, hire.as_ref(), &self.parts);
        let now = self.parts.clock.now();
        if notice.channel == webhook::CHANNEL {
            return Ok(match &self.webhook {
                Some(webhook) => webhook.send(notice.id, &message, now).await,
                None => Ok(()),
            });
        }
        let letter = if notice.about.starts_with(letter::DIGEST) {
            let (count, hires) = (self.parts.ledger.count(&for_a_person(now)).await?, for_a_person(now));
            Letter::digest(count, &self.parts.ledger.list(&hires).await?, &self.parts)
        } else {
            Letter::of(&message, self.parts.settings.language)
        };
        Ok(match &self.email {
            Some(email) => email.send(notice.id, letter).await,
            None => Ok(()),
        })
    }

    fn count(&self, notice: &Notice, channel: &'static str, how: Told, failed: Option<&Failed>) {
        let outcome = match how {
            Told::Sent => "sent",
            Told::Again(_) => "failed",
            Told::GivenUp => "given_up",
        };
        self.parts.metrics.notice(channel, outcome);
        let hire = match &notice.subject {
            Subject::Hire(id) => Some(tracing::field::display(id)),
            Subject::Service(_) => None,
        };
        let about = notice.about.as_str();
        match failed {
            None => tracing::info!(channel, hire, about, "notice"),
            Some(reason) => {
                tracing::warn!(channel, hire, about, outcome, reason, "a notice was not taken");
            }
        }
    }
}

/// Those that a person has to look at, and those that have waited for a day.
fn for_a_person(now: Timestamp) -> Filter {
    let since = now - SignedDuration::from_hours(24);
    Filter { needs_person: Some(since), limit: IN_A_DIGEST, ..Filter::default() }
}

/// What is to become of a notice after a try.
fn told(notice: &Notice, is_sent: bool, now: Timestamp) -> Told {
    let last = PAUSES.len() - 1;
    let pause = PAUSES[usize::try_from(notice.tries).map_or(last, |tries| tries.min(last))];
    match (is_sent, now + pause) {
        (true, _) => Told::Sent,
        (false, next) if next.duration_since(notice.at) > GIVE_UP_AFTER => Told::GivenUp,
        (false, next) => Told::Again(next),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_tried_for_three_days_and_ever_more_seldom() {
        let at = Timestamp::UNIX_EPOCH;
        let mut notice = Notice {
            id: Uuid::nil(),
            subject: Subject::Service("personio".into()),
            about: String::new(),
            channel: String::new(),
            tries: 0,
            at,
        };
        let (mut now, mut pauses) = (at, Vec::new());
        while let Told::Again(next) = told(&notice, false, now) {
            pauses.push(next.duration_since(now));
            (now, notice.tries) = (next, notice.tries + 1);
        }
        assert_eq!(pauses[..6], PAUSES);
        assert!(pauses[6..].iter().all(|pause| *pause == PAUSES[5]));
        let tried_for = now.duration_since(at);
        assert!(tried_for <= GIVE_UP_AFTER && tried_for + PAUSES[5] > GIVE_UP_AFTER, "{tried_for}");
        assert_eq!(told(&notice, true, now), Told::Sent);
    }
}
