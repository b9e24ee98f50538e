//! One call to Personio as it goes through the layers.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::HeaderValue;

use super::Settings;
use super::error::Failed;
use crate::outbound::breaker::Witness;
use crate::outbound::form::Form;
use crate::outbound::pace::{Lane, Lanes};
use crate::outbound::retry::{Again, Repeat, Tally};
use crate::outbound::{Answer, Body, Call as Timed, Failure};
use crate::telemetry::Metrics;

/// What is asked of Personio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// A token.
    Authenticate,
    /// Employees with an e-mail address.
    LookUp,
    /// One employee.
    Read,
    /// The attributes that the credential may read.
    Attributes,
    /// A page of all employees.
    Page,
    /// The categories of documents.
    Categories,
    /// A new employee.
    Create,
    /// A document of an employee's.
    Upload,
}

impl Operation {
    /// The name in metrics and log lines.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Authenticate => "auth",
            Self::LookUp => "look_up",
            Self::Read => "read",
            Self::Attributes => "attributes",
            Self::Page => "employees",
            Self::Categories => "categories",
            Self::Create => "create",
            Self::Upload => "upload",
        }
    }

    /// Whether carrying it out twice is as good as once.
    pub(super) fn repeatable(self) -> bool {
        !matches!(self, Self::Create | Self::Upload)
    }
}

/// A call, with everything that each attempt needs.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) operation: Operation,
    pub(super) method: Method,
    /// Relative to the base URL; holds nothing personal.
    pub(super) path: Cow<'static, str>,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) body: Body,
    pub(super) deadline: Timestamp,
    /// The bearer token, once the authenticate layer has added it.
    pub(super) authorization: Option<HeaderValue>,
    /// Which attempt it is, counted from 1.
    pub(super) attempt: u32,
}

impl Call {
    pub(super) fn get(operation: Operation, path: impl Into<Cow<'static, str>>, deadline: Timestamp) -> Self {
        Self {
            operation,
            method: Method::GET,
            path: path.into(),
            query: Vec::new(),
            body: Body::None,
            deadline,
            authorization: None,
            attempt: 1,
        }
    }

    pub(super) fn post(operation: Operation, path: &'static str, body: Bytes, deadline: Timestamp) -> Self {
        Self { method: Method::POST, body: Body::Bytes(body), ..Self::get(operation, path, deadline) }
    }

    pub(super) fn post_form(
        operation: Operation,
        path: &'static str,
        form: Form,
        deadline: Timestamp,
    ) -> Self {
        Self { method: Method::POST, body: Body::Form(form), ..Self::get(operation, path, deadline) }
    }

    /// What the attempt means for another one. Personio sends 429 without `Retry-After` and asks for a
    /// second: <https://developer.personio.de/changelog/rate-limits-on-get-employees-endpoint-may-6-2024>.
    fn judge(&self, happened: Result<&Answer, Failure>) -> Again {
        match Again::after(self.operation.repeatable(), happened) {
            Again::BackOff if happened.is_ok_and(|answer| answer.status == 429) => {
                Again::After(Duration::from_secs(1))
            }
            again => again,
        }
    }
}

/// The operation only: query and body are personal.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call({} attempt {})", self.operation.name(), self.attempt)
    }
}

impl Timed for Call {
    fn deadline(&self) -> Timestamp {
        self.deadline
    }

    fn is_repeatable(&self) -> bool {
        self.operation.repeatable()
    }
}

impl Repeat<Answer, Failure> for Call {
    fn again(&self, result: &Result<Answer, Failure>) -> Again {
        self.judge(result.as_ref().map_err(|failure| *failure))
    }

    fn repeated(&mut self) {
        self.attempt += 1;
    }
}

impl Repeat<Answer, Failed> for Call {
    fn again(&self, result: &Result<Answer, Failed>) -> Again {
        match result {
            Ok(answer) => self.judge(Ok(answer)),
            Err(Failed::Call(failure)) => self.judge(Err(*failure)),
            // The call for a token was patient already.
            Err(Failed::Token(_)) => Again::No,
        }
    }

    fn repeated(&mut self) {
        self.attempt += 1;
    }
}

impl Tally<Call> for Metrics {
    fn repeated(&self, call: &Call) {
        self.personio_retry(call.operation.name());
    }

    fn refused(&self, call: &Call) {
        self.personio_retry_refused(call.operation.name());
    }
}

impl Witness for Metrics {
    fn opened(&self) {
        tracing::error!("Personio does not answer as it should: hires wait, and a call now and then tries");
        self.personio_out_of_order(true);
    }

    fn closed(&self) {
        tracing::info!("Personio answers again: waiting hires go on");
        self.personio_out_of_order(false);
    }
}

/// At most so many calls leave at once before the pace sets in.
const BURST: u32 = 10;

/// Tokens a minute. Personio takes 60, then none for a minute: <https://developer.personio.de/reference/auth>.
const TOKENS_PER_MINUTE: u32 = 40;

/// How fast calls may leave.
pub(super) struct Limits {
    tokens: Option<Lane>,
    reads: Option<Lane>,
    creates: Option<Lane>,
    uploads: Option<Lane>,
}

impl Limits {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            tokens: Lane::per_minute(TOKENS_PER_MINUTE, BURST),
            reads: Lane::per_minute(settings.reads_per_minute, BURST),
            creates: Lane::per_minute(settings.creates_per_minute, BURST),
            uploads: Lane::per_minute(settings.uploads_per_minute, BURST),
        }
    }
}

impl Lanes<Call> for Limits {
    fn lane(&self, call: &Call) -> Option<&Lane> {
        match call.operation {
            Operation::Authenticate => self.tokens.as_ref(),
            Operation::LookUp
            | Operation::Read
            | Operation::Attributes
            | Operation::Page
            | Operation::Categories => self.reads.as_ref(),
            Operation::Create => self.creates.as_ref(),
            Operation::Upload => self.uploads.as_ref(),
        }
    }
}
