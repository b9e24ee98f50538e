//! Applicant tracking systems: what each sends, how it signs, and what it can be asked.
//!
//! A delivery goes [`Source::receive`] → [`Source::read`] → [`Source::complete`]. An ATS is one file
//! that implements [`AtsSource`] and two lines below: its `mod` and its place in the list.

pub mod api;
mod ashby;
mod contact;
mod custom;
mod event;
pub mod generic;
mod greenhouse;
pub mod json;
mod kind;
mod link;
pub mod names;
pub mod poll;
mod recruitee;
pub mod settings;
pub mod signature;
mod softgarden;
mod source;

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use crate::domain::{Facts, File};
pub use api::ApiError;
pub use event::{Completed, Event, Filed, Hired, LOOKED_FOR, MERGED, Meant, Merged, Misread, Unhired};
pub use greenhouse::NoteSettings;
use kind::Kind;
pub use kind::{Trait, has, kinds, vendors};
use settings::{Mistakes, NameSplitPolicy, SettingError, Settings};
use signature::Scheme;
pub use signature::{Refusal, Verified};
pub use softgarden::{SoftgardenAddress, SoftgardenDelivery, SoftgardenDocument};
pub use source::{Delivery, Received, Source, Sources};

/// Every ATS that a source may be of.
const KINDS: &[Kind] =
    &[ashby::KIND, greenhouse::KIND, recruitee::KIND, softgarden::KIND, generic::KIND, generic::STANDARD];

/// What hirebridge has to know of an ATS.
#[async_trait]
pub trait AtsSource: Send + Sync {
    /// How it signs.
    fn scheme(&self) -> &Scheme;

    /// How it wants to be answered.
    fn manners(&self) -> Manners;

    /// What to do at the ATS so that deliveries come.
    fn setup(&self) -> Setup;

    /// An unsigned handshake that the ATS prescribes, matched exactly: the reason it is answered with
    /// success and becomes nothing. `None` for everything else, which then needs a signature.
    fn handshake(&self, _headers: &HeaderMap, _body: &[u8]) -> Option<&'static str> {
        None
    }

    /// The header and the value that such a handshake wants to see in the answer, if this is one.
    fn echo(&self, _headers: &HeaderMap) -> Option<(HeaderName, HeaderValue)> {
        None
    }

    /// What the headers of a delivery say, beside its signature. They are there only when it arrives: what is stored
    /// has passed.
    fn envelope(&self, _headers: &HeaderMap) -> Envelope {
        Envelope::default()
    }

    /// Whether its bodies may be compressed.
    fn takes_gzip(&self) -> bool {
        false
    }

    /// The JSON that a body holds in another form, of at most `limit` bytes; none if it is JSON itself, or nothing
    /// that can be unpacked. Only ever given what was verified, or what an operator shows us.
    ///
    /// # Errors
    /// [`Refusal::UnpackedTooLarge`]
    fn unpack(&self, _headers: &HeaderMap, _body: &[u8], _limit: usize) -> Result<Option<Bytes>, Refusal> {
        Ok(None)
    }

    /// What a payload says. Only ever given what was verified, or what an operator shows us.
    ///
    /// # Errors
    /// [`Misread`] when the payload has not the shape that the ATS documents.
    fn read(&self, payload: &Value) -> Result<Event, Misread>;

    /// The deliveries in an answer that was fetched, each as it would have been sent; none if it is no such answer.
    /// One that cannot be read is not left out.
    fn pulled(&self, _answer: Value) -> Option<Vec<Bytes>> {
        None
    }

    /// Asks the ATS for what the webhook names only by its id and `known` lacks. Never fails: what could
    /// not be had is named in the answer, which is there by `deadline`.
    async fn complete(&self, _hired: &Hired, _known: &Facts, _deadline: Instant) -> Completed {
        Completed::default()
    }

    /// Whether it can be asked for somebody by a link or an id.
    fn can_be_asked(&self) -> bool {
        false
    }

    /// The applications that a person means by what was pasted, a link to a page of the ATS or an id; none if there is
    /// nobody. `None` if the ATS cannot be asked.
    async fn look_for(&self, _pasted: &str, _deadline: Instant) -> Option<Result<Vec<Meant>, ApiError>> {
        None
    }

    /// The custom fields that there are at the ATS; `None` if it cannot be asked, or there is no key for that.
    async fn custom_fields(&self, _deadline: Instant) -> Option<Result<Vec<CustomField>, ApiError>> {
        None
    }

    /// Asks the ATS whether it takes the key that the customer gave us; `None` if there is none. Changes nothing
    /// there, and keeps nothing of the answer.
    async fn try_key(&self, _deadline: Instant) -> Option<Result<(), ApiError>> {
        None
    }

    /// Whether somebody was hired, of a delivery that does not say so itself ([`Hired::to_confirm`]).
    ///
    /// # Errors
    /// [`ApiError`]: the delivery is to come again.
    async fn confirm(&self, _hired: &Hired, _deadline: Instant) -> Result<bool, ApiError> {
        Ok(true)
    }

    /// Whether the ATS is told that a hire is in Personio.
    fn is_told(&self) -> bool {
        false
    }

    /// Tells it.
    ///
    /// # Errors
    /// [`ApiError`]
    async fn tell(&self, _arrived: &Arrived, _deadline: Instant) -> Result<(), ApiError> {
        Ok(())
    }

    /// Whether one account has several companies, whose name comes with a hire as `tenant.name`.
    fn has_tenants(&self) -> bool {
        false
    }

    /// Asks for what a delivery about files names only by its ids: whose they are, and which.
    ///
    /// # Errors
    /// [`ApiError`]
    async fn find(&self, filed: Filed, _deadline: Instant) -> Result<Filed, ApiError> {
        Ok(filed)
    }

    /// Says where a file can be had now, asking the ATS if need be. Never called for [`Place::Inline`](crate::domain::Place).
    ///
    /// # Errors
    /// [`ApiError`]; [`ApiError::NoSuchFile`] if asking again is of no use.
    async fn open(&self, _file: &File, _deadline: Instant) -> Result<Opened, ApiError> {
        Err(ApiError::NoFiles)
    }
}

/// A custom field that there is at an ATS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomField {
    /// Its title, to the letter.
    pub title: String,
    /// What it belongs to, in the ATS's words: `Offer`, `Candidate` …
    pub place: String,
    /// What can be chosen, if it is a choice.
    pub options: Vec<String>,
}

/// Where a file can be had, and what is sent along. Whoever fetches it goes to no other host than these, by redirects
/// neither.
#[derive(Clone)]
pub struct Opened {
    /// Where.
    pub url: Url,
    /// What is sent along: the ATS's key, where the link needs one.
    pub headers: HeaderMap,
    /// The vendor's hosts: a name, or `*.` and a name for all hosts below it.
    pub hosts: Vec<String>,
}

/// The host only: a link is a secret.
impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opened({})", self.url.host_str().unwrap_or_default())
    }
}

/// A hire that is in Personio, as its ATS is told.
#[derive(Clone)]
pub struct Arrived {
    /// The application's id at the ATS, as in [`Hired`].
    pub application: String,
    /// The candidate's id at the ATS, if it is known.
    pub candidate: Option<String>,
    /// The employee's page in Personio, if it is known how such a link looks.
    pub link: Option<String>,
    /// When the employee was created.
    pub at: Timestamp,
    /// Who sent it: nobody if it went by itself.
    pub by: Option<String>,
}

impl Arrived {
    /// What a note says.
    fn words(&self) -> String {
        let day = self.at.strftime("%Y-%m-%d");
        let by = self.by.as_deref().map(|who| format!(", sent by {who}")).unwrap_or_default();
        let link = self.link.as_deref().map(|link| format!(": {link}")).unwrap_or_default();
        format!("In Personio since {day}{by}{link}")
    }
}

/// What the headers of a delivery say of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// The event's name at the sender, fit for a log.
    pub event: Option<String>,
    /// The delivery's id at the sender, for the log alone.
    pub delivery_id: Option<String>,
    /// Why nothing becomes of it, as a stable code, if that is so.
    pub nothing: Option<&'static str>,
}

/// How an ATS wants to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manners {
    /// The HTTP status that means success to it.
    pub success: u16,
}

/// What to do at the ATS so that deliveries come; printed at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setup {
    /// The event to choose, as the ATS's page calls it.
    pub event_to_choose: &'static str,
    /// Where the secret goes, in words.
    pub where_secret_goes: &'static str,
}

/// A time as ATSs write it, if it can be read.
fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// A name from a payload, for logs and answers: cut down to what a name of an event is made of.
fn fit_for_log(name: &str) -> String {
    if is_id(name) { name.to_owned() } else { "unnamed".to_owned() }
}

/// Whether a text is fit for a key, a log and a URL: what an ATS's id must be.
pub fn is_id(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=128).contains(&text.len()) && text.bytes().all(fits)
}
