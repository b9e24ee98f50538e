//! A file from somewhere else: read piece by piece, and broken off when it is too large, too slow or too late.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Method, Response};
use url::Url;

use super::client::{Client, ClientError, Failure, Request, Reuse, failure};
use super::guard::{Forbidden, Guard};
use crate::clock::Clock;

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);

/// How long an answer may take to begin.
const BEGIN: Duration = Duration::from_secs(20);

/// What has to arrive in each stretch of waiting, so that nobody holds a connection open with a drop now and then.
const STRETCH: Duration = Duration::from_secs(10);

/// How many bytes have to arrive in a [`STRETCH`]: 16 KiB a second.
const LEAST: u64 = 160 * 1024;

/// How many redirects are followed, each to an allowed host.
const REDIRECTS: u32 = 3;

/// Where a file is, and what may be sent to get it.
#[derive(Clone)]
pub struct Link {
    /// The link.
    pub url: Url,
    /// Headers for this very host, such as the ATS's key: a redirect to another one leaves them behind.
    pub headers: HeaderMap,
    /// Hosts that it may lead to: `api.example.com`, or `*.example.com` for all below it. Those that the
    /// configuration names in `outbound.allow` may be reached as well.
    pub hosts: Vec<String>,
}

/// Nothing: a link may be all that is needed to read the file.
impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Link")
    }
}

/// Why a file did not arrive. Holds nothing of the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The link leads where no call may go. It will not change.
    #[error("the link may not be opened: {0}")]
    Forbidden(Forbidden),
    /// The link does not give the file (any more): HTTP status.
    #[error("the link does not give the file (status {0})")]
    Dead(u16),
    /// The file is larger than the limit.
    #[error("the file is too large")]
    TooLarge,
    /// It broke off, or did not begin: `dns`, `timeout`, `too_slow`, `half_body`, `throttled`, `server_error` …
    /// While the link lives, another try may succeed.
    #[error("the file did not arrive: {0}")]
    BrokenOff(&'static str),
}

impl FetchError {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Forbidden(_) => "link_forbidden",
            Self::Dead(_) => "link_dead",
            Self::TooLarge => "too_large",
            Self::BrokenOff(code) => code,
        }
    }

    /// Whether another try may succeed.
    pub fn may_pass(self) -> bool {
        matches!(self, Self::BrokenOff(_))
    }
}

impl From<Failure> for FetchError {
    fn from(failure: Failure) -> Self {
        match failure.code() {
            "forbidden" | "forbidden_peer" => Self::Forbidden(Forbidden::Address),
            code => Self::BrokenOff(code),
        }
    }
}

/// Opens links. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Fetch {
    client: Client,
    guard: Guard,
    clock: Clock,
}

impl Fetch {
    /// Goes where the guard lets it.
    ///
    /// # Errors
    /// [`ClientError`] if TLS cannot be set up.
    pub fn new(guard: &Guard, clock: &Clock) -> Result<Self, ClientError> {
        let client = Client::new(Reuse::Never, CONNECT, guard, clock.clone())?;
        Ok(Self { client, guard: guard.clone(), clock: clock.clone() })
    }

    /// Opens a link: at most `limit` bytes may come, all before `deadline`. It is tried once.
    ///
    /// # Errors
    /// [`FetchError`]
    pub async fn open(&self, link: &Link, limit: u64, deadline: Timestamp) -> Result<Incoming, FetchError> {
        let begin = self.clock.now().checked_add(BEGIN).unwrap_or(deadline).min(deadline);
        self.opened(link, REDIRECTS, begin, limit, deadline).await
    }

    /// The same at this very place: no redirect is followed, and the answer may take until `deadline` to begin.
    ///
    /// # Errors
    /// [`FetchError`]
    pub async fn ask(&self, link: &Link, limit: u64, deadline: Timestamp) -> Result<Incoming, FetchError> {
        self.opened(link, 0, deadline, limit, deadline).await
    }

    async fn opened(
        &self,
        link: &Link,
        redirects: u32,
        begin: Timestamp,
        limit: u64,
        deadline: Timestamp,
    ) -> Result<Incoming, FetchError> {
        let response = tokio::select! {
            response = self.followed(link, redirects) => response?,
            () = self.clock.sleep_until(begin) => return Err(FetchError::BrokenOff("timeout")),
        };
        let length = response.content_length();
        if length.is_some_and(|length| length > limit) {
            return Err(FetchError::TooLarge);
        }
        let clock = self.clock.clone();
        Ok(Incoming { response, length, read: 0, limit, deadline, stretch: Stretch::default(), clock })
    }

    /// The host of a link that may not be opened, for whoever decides whether it is to be allowed.
    pub fn forbidden_host(&self, link: &Link) -> Option<String> {
        let host = link.url.host_str()?.to_owned();
        self.check(&link.url, &link.hosts).is_err().then_some(host)
    }

    async fn followed(&self, link: &Link, redirects: u32) -> Result<Response, FetchError> {
        let (mut url, mut headers) = (link.url.clone(), link.headers.clone());
        headers.extend(self::headers());
        for _ in 0..=redirects {
            self.check(&url, &link.hosts)?;
            let request = Request { headers: headers.clone(), ..Request::new(Method::GET, url.clone()) };
            let response = self.client.started(request).await?;
            let status = response.status().as_u16();
            match status {
                200 => return whole(response),
                301 | 302 | 303 | 307 | 308 if redirects > 0 => {}
                408 => return Err(FetchError::BrokenOff("timeout")),
                429 => return Err(FetchError::BrokenOff("throttled")),
                500..=599 => return Err(FetchError::BrokenOff("server_error")),
                status => return Err(FetchError::Dead(status)),
            }
            let next = next(&url, &response).ok_or(FetchError::Dead(status))?;
            if next.origin() != url.origin() {
                headers = self::headers();
            }
            url = next;
        }
        Err(FetchError::Forbidden(Forbidden::Host))
    }

    fn check(&self, url: &Url, hosts: &[String]) -> Result<(), FetchError> {
        self.guard.check(url).map_err(FetchError::Forbidden)?;
        let named = url.domain().is_some_and(|name| hosts.iter().any(|host| is_within(name, host)));
        if named || self.guard.lists(url) { Ok(()) } else { Err(FetchError::Forbidden(Forbidden::Host)) }
    }
}

/// Where a redirect leads.
fn next(from: &Url, response: &Response) -> Option<Url> {
    from.join(response.headers().get(LOCATION)?.to_str().ok()?).ok()
}

/// An answer that is the file as it is.
fn whole(response: Response) -> Result<Response, FetchError> {
    let coded = response.headers().get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity");
    if coded { Err(FetchError::Dead(200)) } else { Ok(response) }
}

/// What every host may see.
fn headers() -> HeaderMap {
    // What is coded would be larger than it looks.
    HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("identity"))])
}

/// `*.example.com` is any name below it; every other pattern is itself.
fn is_within(name: &str, pattern: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    match pattern.strip_prefix('*') {
        Some(below) => {
            name.strip_suffix(below).is_some_and(|first| below.starts_with('.') && !first.is_empty())
        }
        None => name == pattern,
    }
}

/// A file that is arriving.
pub struct Incoming {
    response: Response,
    length: Option<u64>,
    read: u64,
    limit: u64,
    deadline: Timestamp,
    stretch: Stretch,
    clock: Clock,
}

/// What came while it was waited for; the time that the reader takes for itself does not count.
#[derive(Default)]
struct Stretch {
    waited: Duration,
    bytes: u64,
}

impl Stretch {
    /// Counts it; `false` if a whole stretch has brought too little.
    fn goes_on(&mut self, waited: Duration, bytes: u64) -> bool {
        self.waited += waited;
        self.bytes += bytes;
        if self.waited < STRETCH {
            return true;
        }
        let enough = self.bytes >= LEAST;
        *self = Self::default();
        enough
    }
}

impl Incoming {
    /// What it is, as the other side says.
    pub fn declared_type(&self) -> Option<&str> {
        self.response.headers().get(CONTENT_TYPE)?.to_str().ok()
    }

    /// How long it is, as the other side says.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// The next piece; none at the end.
    ///
    /// # Errors
    /// [`FetchError`]: what came so far is not the file.
    pub async fn next(&mut self) -> Result<Option<Bytes>, FetchError> {
        let piece = self.piece().await?;
        let length = piece.as_ref().map_or(0, |piece| piece.len() as u64);
        self.read = self.read.saturating_add(length);
        if self.read > self.limit {
            return Err(FetchError::TooLarge);
        }
        if piece.is_none() && self.length.is_some_and(|length| length != self.read) {
            return Err(FetchError::BrokenOff("half_body"));
        }
        Ok(piece)
    }

    async fn piece(&mut self) -> Result<Option<Bytes>, FetchError> {
        loop {
            let before = self.clock.elapsed();
            let piece = self.piece_of_this_stretch().await?;
            if self.clock.now() >= self.deadline {
                return Err(FetchError::BrokenOff("timeout"));
            }
            let bytes = piece.iter().flatten().map(|piece| piece.len() as u64).sum();
            let goes_on = self.stretch.goes_on(self.clock.elapsed().saturating_sub(before), bytes);
            match piece {
                Some(None) => return Ok(None),
                _ if !goes_on => return Err(FetchError::BrokenOff("too_slow")),
                Some(piece) => return Ok(piece),
                None => {}
            }
        }
    }

    /// None if the stretch, or the time, is over before anything comes.
    async fn piece_of_this_stretch(&mut self) -> Result<Option<Option<Bytes>>, FetchError> {
        let left = STRETCH.saturating_sub(self.stretch.waited);
        let until = self.clock.now().checked_add(left).unwrap_or(self.deadline).min(self.deadline);
        tokio::select! {
            biased;
            piece = self.response.chunk() => Ok(Some(piece.map_err(|error| FetchError::from(failure(&error)))?)),
            () = self.clock.sleep_until(until) => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests;
