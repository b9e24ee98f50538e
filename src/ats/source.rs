//! The configured sources, each one an account at an ATS.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use bytesize::ByteSize;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tokio::time::Instant;

use super::poll::{Poll, PollError};
use super::signature::{Keys, verify};
use super::{
    ApiError, Arrived, AtsSource, Completed, CustomField, Event, Filed, Hired, KINDS, Manners, Meant,
    Misread, Mistakes, NameSplitPolicy, Opened, Refusal, SettingError, Settings, Setup, Verified, json,
    settings,
};
use crate::clock::Clock;
use crate::domain::{Facts, File, HireKey};
use crate::outbound::Guard;
use crate::outbound::fetch::Fetch;

/// How long a delivery that may lack something waits for a fuller one of the same hire.
const SETTLE: SignedDuration = SignedDuration::from_secs(3);

/// How much a packed body may hold that an operator shows us.
const LARGEST_SHOWN: usize = 16 * 1024 * 1024;

/// One configured source: `POST /webhooks/{name}`.
pub struct Source {
    name: String,
    kind: &'static str,
    enabled: bool,
    account: String,
    ats: Box<dyn AtsSource>,
    keys: Keys,
    awaits_secret: bool,
    name_split: NameSplitPolicy,
    review: bool,
    settle: SignedDuration,
    wait: Option<SignedDuration>,
    body_limit: Option<ByteSize>,
    poll: Option<Poll>,
}

/// What came in, once it is known who sent it.
#[derive(Debug)]
pub enum Received {
    /// An unsigned handshake: answered with success, and nothing else becomes of it. Holds the reason.
    Handshake(&'static str),
    /// A handshake, signed or not, that wants to see this header and value again.
    Echo(HeaderName, HeaderValue),
    /// A delivery with the right signature.
    Signed(Verified),
    /// Nobody can tell who sent it: the ATS has not told its secret yet. It is to be sent again.
    TooEarly,
}

/// A delivery that was read.
pub struct Delivery {
    /// What it is about.
    pub event: Event,
    /// The payload, for mappings that reach into it.
    pub payload: Value,
}

impl Source {
    /// Its name, which is its address.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which ATS it is.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Whether its deliveries are taken. If not, its ATS is asked to repeat them later.
    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// Whether its secret is not known yet, so that nothing but a test can be answered.
    pub fn awaits_secret(&self) -> bool {
        self.awaits_secret
    }

    /// Which account at the ATS; `default` when it is the only one and names none.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// How the ATS wants to be answered.
    pub fn manners(&self) -> Manners {
        self.ats.manners()
    }

    /// What to do at the ATS.
    pub fn setup(&self) -> Setup {
        self.ats.setup()
    }

    /// What becomes of a hire whose name could be split only by guess.
    pub fn name_split(&self) -> NameSplitPolicy {
        self.name_split
    }

    /// Whether a person looks at each of its hires before it is sent.
    pub fn review(&self) -> bool {
        self.review
    }

    /// How long a delivery that is not [`Hired::settled`] waits for a fuller one; not at all by default
    /// when the ATS can be asked.
    pub fn settle(&self) -> SignedDuration {
        self.settle
    }

    /// How long a delivery waits for the final state, if the source says so itself.
    pub fn wait(&self) -> Option<SignedDuration> {
        self.wait
    }

    /// The largest body, if the source says so itself.
    pub fn body_limit(&self) -> Option<ByteSize> {
        self.body_limit
    }

    /// The place that is asked for deliveries, if there is one.
    pub fn poll(&self) -> Option<&Poll> {
        self.poll.as_ref()
    }

    /// Whether its ATS can send to it: not if it is only asked, and there is no secret.
    pub fn is_pushed(&self) -> bool {
        self.poll.is_none() || !self.keys.is_empty()
    }

    /// Fetches the deliveries that there are; none if there is no place to ask. Each is what its ATS would have sent.
    ///
    /// # Errors
    /// [`PollError`]
    pub async fn fetch(&self, fetch: &Fetch, clock: &Clock) -> Result<Vec<Verified>, PollError> {
        let Some(poll) = &self.poll else { return Ok(Vec::new()) };
        let items = poll.fetch(&*self.ats, fetch, clock).await?;
        Ok(items.into_iter().map(Verified::fetched).collect())
    }

    /// Whether its bodies may be compressed.
    pub fn takes_gzip(&self) -> bool {
        self.ats.takes_gzip()
    }

    /// The key of one of its hires.
    pub fn key(&self, application: &str) -> HireKey {
        let application = application.to_owned();
        HireKey { kind: self.kind.to_owned(), account: self.account.clone(), application }
    }

    /// Finds out who sent this: an unsigned handshake, or something with the right signature, which is then unpacked
    /// to at most `limit`.
    ///
    /// # Errors
    /// [`Refusal`] for everything else.
    pub fn receive(
        &self,
        headers: &HeaderMap,
        body: Bytes,
        limit: ByteSize,
        now: Timestamp,
    ) -> Result<Received, Refusal> {
        let handshake = self.ats.handshake(headers, &body);
        if handshake.is_none() && self.awaits_secret {
            return Ok(Received::TooEarly);
        }
        let verified = match handshake {
            Some(_) => None,
            None => Some(verify(self.ats.scheme(), &self.keys, headers, body, now)?),
        };
        if let Some((name, value)) = self.ats.echo(headers) {
            return Ok(Received::Echo(name, value));
        }
        let Some(verified) = verified else { return Ok(Received::Handshake(handshake.unwrap_or_default())) };
        let limit = usize::try_from(limit.as_u64()).unwrap_or(usize::MAX);
        let unpacked = self.ats.unpack(headers, verified.body(), limit)?;
        Ok(Received::Signed(verified.opened(self.ats.envelope(headers), unpacked)))
    }

    /// Reads what was verified.
    ///
    /// # Errors
    /// [`Misread`]: the delivery is kept for a person to look at.
    pub fn read(&self, verified: &Verified) -> Result<Delivery, Misread> {
        let envelope = verified.envelope();
        let named = |event: Option<String>| event.unwrap_or_else(|| "unnamed".to_owned());
        if let Some(reason) = envelope.nothing {
            let event = Event::Ignored { event: named(envelope.event.clone()), reason };
            return Ok(Delivery { event, payload: Value::Null });
        }
        let mut delivery = self.read_unsigned(verified.body())?;
        if let Event::Hire(hired) = &mut delivery.event {
            hired.delivery_id = hired.delivery_id.take().or_else(|| envelope.delivery_id.clone());
            hired.event = envelope.event.clone().unwrap_or_else(|| std::mem::take(&mut hired.event));
        }
        Ok(delivery)
    }

    /// Reads a body that nobody signed just now: a stored one, verified when it was taken in, or one
    /// that an operator wants a preview of. Never what came over the network.
    ///
    /// # Errors
    /// As [`Source::read`].
    pub fn read_unsigned(&self, body: &[u8]) -> Result<Delivery, Misread> {
        let unpacked = self.ats.unpack(&HeaderMap::new(), body, LARGEST_SHOWN);
        let payload = json::read(unpacked.ok().flatten().as_deref().unwrap_or(body))?;
        let event = self.read_payload(&payload)?;
        Ok(Delivery { event, payload })
    }

    /// Reads a stored payload again.
    ///
    /// # Errors
    /// As [`Source::read`].
    pub fn read_payload(&self, payload: &Value) -> Result<Event, Misread> {
        self.ats.read(payload)
    }

    /// Asks the ATS for what `known` lacks; see [`AtsSource::complete`].
    pub async fn complete(&self, hired: &Hired, known: &Facts, deadline: Instant) -> Completed {
        self.ats.complete(hired, known, deadline).await
    }

    /// Whether its ATS can be asked for somebody by a link or an id.
    pub fn can_be_asked(&self) -> bool {
        self.ats.can_be_asked()
    }

    /// The applications that a person means; see [`AtsSource::look_for`].
    pub async fn look_for(&self, pasted: &str, deadline: Instant) -> Option<Result<Vec<Meant>, ApiError>> {
        self.ats.look_for(pasted, deadline).await
    }

    /// Asks whether somebody was hired; see [`AtsSource::confirm`].
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn confirm(&self, hired: &Hired, deadline: Instant) -> Result<bool, ApiError> {
        self.ats.confirm(hired, deadline).await
    }

    /// Whether the ATS is told that a hire is in Personio.
    pub fn is_told(&self) -> bool {
        self.ats.is_told()
    }

    /// Tells the ATS that a hire is in Personio; see [`AtsSource::tell`].
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn tell(&self, arrived: &Arrived, deadline: Instant) -> Result<(), ApiError> {
        self.ats.tell(arrived, deadline).await
    }

    /// Asks for what a delivery about files does not say itself; see [`AtsSource::find`].
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn find(&self, filed: Filed, deadline: Instant) -> Result<Filed, ApiError> {
        self.ats.find(filed, deadline).await
    }

    /// Says where a file can be had now; see [`AtsSource::open`].
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn open(&self, file: &File, deadline: Instant) -> Result<Opened, ApiError> {
        self.ats.open(file, deadline).await
    }

    /// The custom fields that there are at the ATS; see [`AtsSource::custom_fields`].
    pub async fn custom_fields(&self, deadline: Instant) -> Option<Result<Vec<CustomField>, ApiError>> {
        self.ats.custom_fields(deadline).await
    }

    /// Whether hires come with the name of a tenant; see [`AtsSource::has_tenants`].
    pub fn has_tenants(&self) -> bool {
        self.ats.has_tenants()
    }

    /// Whether the ATS takes the key to its API; see [`AtsSource::try_key`].
    pub async fn try_key(&self, deadline: Instant) -> Option<Result<(), ApiError>> {
        self.ats.try_key(deadline).await
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({}: {}/{})", self.name, self.kind, self.account)
    }
}

/// All configured sources, by name.
#[derive(Debug, Default)]
pub struct Sources(BTreeMap<String, Source>);

impl Sources {
    /// Makes the sources from their sections, by name; their APIs are asked where the guard lets them.
    ///
    /// # Errors
    /// Every mistake in all of them, each with its key.
    pub fn build(all: &BTreeMap<String, Settings>, guard: &Guard) -> Result<Self, Vec<SettingError>> {
        let mut mistakes = Mistakes::default();
        let mut sources = BTreeMap::new();
        for (name, settings) in all {
            mistakes.in_source(name);
            settings.check(name, guard, &mut mistakes);
            if let Some(source) = source(name, settings, guard, &mut mistakes) {
                sources.insert(name.clone(), source);
            }
        }
        settings::check_together(all, &mut mistakes);
        mistakes.into_result(Self(sources))
    }

    /// The source of this name.
    pub fn named(&self, name: &str) -> Option<&Source> {
        self.0.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Source> {
        self.0.values()
    }
}

fn source(name: &str, settings: &Settings, guard: &Guard, mistakes: &mut Mistakes) -> Option<Source> {
    let Some(kind) = KINDS.iter().find(|kind| kind.name == settings.kind) else {
        mistakes.add("kind", settings::unknown_kind(&settings.kind));
        return None;
    };
    let poll = settings.poll(guard, mistakes);
    let ats = (kind.build)(settings, guard, mistakes)?;
    let keys = match Keys::new(ats.scheme(), &settings.secrets) {
        Ok(keys) => keys,
        Err(bad) => {
            for bad in bad {
                mistakes.add(format_args!("secrets[{}]", bad.index), bad.problem);
            }
            return None;
        }
    };
    Some(Source {
        name: name.to_owned(),
        kind: kind.name,
        enabled: settings.enabled.unwrap_or(true),
        account: settings.account().to_owned(),
        ats,
        keys,
        awaits_secret: settings.awaits_secret(),
        name_split: settings.name_split,
        review: settings.review,
        settle: settings.settle.unwrap_or(if settings.api_key.is_some() {
            SignedDuration::ZERO
        } else {
            SETTLE
        }),
        wait: settings.wait,
        body_limit: settings.body_limit(),
        poll,
    })
}
