//! The innermost service: one attempt of a call, counted and noted.

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use jiff::SignedDuration;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use tower::Service;
use url::Url;

use super::call::Call;
use super::{ConnectError, Settings};
use crate::clock::Clock;
use crate::outbound::{Answer, Body, Client, Failure, Guard, Request, Reuse, left};
use crate::telemetry::Metrics;

/// Source: <https://developer.personio.de/reference/include-our-headers-in-your-requests>.
const APP_ID: HeaderName = HeaderName::from_static("x-personio-app-id");
const PARTNER_ID: HeaderName = HeaderName::from_static("x-personio-partner-id");

/// How long connecting may take: well below an attempt, so that a server that cannot be reached is told
/// from one that does not answer.
pub(super) fn connecting(attempt: Duration) -> Duration {
    (attempt / 2).min(Duration::from_secs(3))
}

/// How many bytes of a file leave in a second at least.
const SLOWEST: u64 = 128 * 1024;

/// Makes single attempts at Personio.
#[derive(Clone)]
pub(super) struct Wire(Arc<Line>);

struct Line {
    base: Url,
    headers: HeaderMap,
    reads: Client,
    creates: Client,
    attempt: Duration,
    clock: Clock,
    metrics: Metrics,
    /// By how many seconds Personio's clock was ahead of ours at its last answer.
    ahead: OnceLock<AtomicI64>,
}

impl Wire {
    pub(super) fn new(
        settings: &Settings,
        attempt: Duration,
        guard: &Guard,
        clock: Clock,
        metrics: Metrics,
    ) -> Result<Self, ConnectError> {
        let connect = connecting(attempt);
        Ok(Self(Arc::new(Line {
            base: base(settings, guard)?,
            headers: headers(settings)?,
            reads: Client::new(Reuse::Short, connect, guard, clock.clone())?,
            creates: Client::new(Reuse::Never, connect, guard, clock.clone())?,
            attempt,
            clock,
            metrics,
            ahead: OnceLock::new(),
        })))
    }
}

impl Wire {
    /// By how much Personio's clock was ahead of ours at its last answer, if it has answered.
    pub(super) fn ahead(&self) -> Option<SignedDuration> {
        self.0.ahead.get().map(|ahead| SignedDuration::from_secs(ahead.load(Ordering::Relaxed)))
    }
}

/// The base URL as a folder, so that paths are joined below it.
fn base(settings: &Settings, guard: &Guard) -> Result<Url, ConnectError> {
    let mut base = settings.base_url.clone();
    let usable = base.has_host() && base.query().is_none() && base.fragment().is_none();
    if !usable {
        let problem = "must be a URL such as \"https://api.personio.de\"";
        return Err(ConnectError::Setting { key: "base_url", problem });
    }
    if let Err(forbidden) = guard.check(&base) {
        return Err(ConnectError::Setting { key: "base_url", problem: forbidden.remedy() });
    }
    if !base.path().ends_with('/') {
        base.set_path(&format!("{}/", base.path()));
    }
    Ok(base)
}

fn headers(settings: &Settings) -> Result<HeaderMap, ConnectError> {
    let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    let value = |key, text: &str| {
        HeaderValue::from_str(text).ok().filter(|_| !text.is_empty() && text.bytes().all(fits)).ok_or(
            ConnectError::Setting {
                key,
                problem: "must be upper case, digits and underscores, such as \"HIREBRIDGE\"",
            },
        )
    };
    let mut headers = HeaderMap::with_capacity(4);
    headers.insert(APP_ID, value("app_id", &settings.app_id)?);
    if let Some(partner) = &settings.partner_id {
        headers.insert(PARTNER_ID, value("partner_id", partner)?);
    }
    Ok(headers)
}

impl Line {
    /// Sends the call, unless its deadline has passed: this is the last look at the clock before the write.
    async fn attempt(&self, call: &Call) -> Result<Answer, Failure> {
        let request = self.request(call)?;
        let client = if call.operation.repeatable() { &self.reads } else { &self.creates };
        match left(call.deadline, self.clock.now()) {
            Duration::ZERO => Err(Failure::NotSent("too_late")),
            left => client.send(request, left.min(self.patience(call))).await,
        }
    }

    /// How long an attempt may take: a file takes longer to send than a question.
    fn patience(&self, call: &Call) -> Duration {
        match &call.body {
            Body::Form(form) => self.attempt + Duration::from_secs(form.file.content.size() / SLOWEST),
            Body::None | Body::Bytes(_) => self.attempt,
        }
    }

    fn request(&self, call: &Call) -> Result<Request, Failure> {
        let mut url = self.base.join(&call.path).map_err(|_| Failure::NotSent("not_sendable"))?;
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        let mut request = Request::new(call.method.clone(), url);
        request.headers = self.headers.clone();
        if let Some(token) = &call.authorization {
            request.headers.insert(AUTHORIZATION, token.clone());
        }
        Ok(match &call.body {
            Body::Bytes(json) => request.with_json(json.clone()),
            body => Request { body: body.clone(), ..request },
        })
    }

    fn note_time(&self, result: &Result<Answer, Failure>) {
        if let Some(theirs) = result.as_ref().ok().and_then(|answer| answer.date) {
            let ahead = theirs.duration_since(self.clock.now()).as_secs();
            self.ahead.get_or_init(AtomicI64::default).store(ahead, Ordering::Relaxed);
        }
    }

    fn note(&self, call: &Call, result: &Result<Answer, Failure>) {
        let result = match result {
            Ok(answer) => Cow::Owned(answer.status.to_string()),
            Err(failure) => Cow::Borrowed(failure.code()),
        };
        let operation = call.operation.name();
        tracing::debug!(operation, result = &*result, attempt = call.attempt, "asked Personio");
        self.metrics.personio_call(operation, result.into_owned());
    }
}

impl Service<Call> for Wire {
    type Response = Answer;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, Failure>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call) -> Self::Future {
        let line = Arc::clone(&self.0);
        Box::pin(async move {
            let result = line.attempt(&call).await;
            line.note(&call, &result);
            line.note_time(&result);
            result
        })
    }
}
