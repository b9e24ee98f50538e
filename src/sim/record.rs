//! What arrived, in order, and what was wrong with it.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::operation::Operation;

/// Older requests are forgotten, so that a benchmark does not fill the memory.
const KEPT: usize = 10_000;

/// One request as it arrived. Its `Debug` shows neither body nor query: they hold people.
#[derive(Clone, Serialize)]
pub struct Recorded {
    /// The place in the order of arrival, from 1.
    pub number: u64,
    /// The operation.
    pub operation: Operation,
    /// The HTTP method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The query, as sent.
    pub query: Option<String>,
    /// What the request said about its right to ask.
    pub bearer: Bearer,
    /// `X-Personio-App-ID`
    pub app_id: Option<String>,
    /// `X-Personio-Partner-ID`
    pub partner_id: Option<String>,
    /// `Content-Type`
    pub content_type: Option<String>,
    /// The body: JSON as sent, a form as an object, a file as its name, type and size. Never the client secret.
    pub body: Value,
    /// What was answered.
    pub outcome: Outcome,
}

/// What a request's `Authorization` header was worth when it arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bearer {
    /// There was none.
    Missing,
    /// It was no token that is good now.
    Rejected,
    /// It was the token of the moment.
    Accepted,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Not yet.
    Open,
    /// With this status.
    Answered(u16),
    /// With this status and half a body.
    HalfAnswered(u16),
    /// The connection was closed without an answer.
    Cut,
    /// The connection was reset without an answer.
    Reset,
    /// It hangs.
    Hanging,
}

impl fmt::Debug for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorded")
            .field("number", &self.number)
            .field("operation", &self.operation)
            .field("bearer", &self.bearer)
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}

/// Everything that arrived.
#[derive(Default)]
pub(super) struct Log {
    requests: VecDeque<Recorded>,
    arrived: u64,
    calls: BTreeMap<Operation, usize>,
    violations: Vec<String>,
}

impl Log {
    /// Takes a request in and gives it its number.
    pub(super) fn arrive(&mut self, mut request: Recorded) -> u64 {
        self.arrived += 1;
        request.number = self.arrived;
        *self.calls.entry(request.operation).or_default() += 1;
        if self.requests.len() == KEPT {
            self.requests.pop_front();
        }
        self.requests.push_back(request);
        self.arrived
    }

    pub(super) fn finish(&mut self, number: u64, outcome: Outcome) {
        let from_the_end = usize::try_from(self.arrived - number).unwrap_or(usize::MAX);
        let place = self.requests.len().checked_sub(from_the_end.saturating_add(1));
        if let Some(request) = place.and_then(|place| self.requests.get_mut(place)) {
            request.outcome = outcome;
        }
    }

    pub(super) fn object(&mut self, number: u64, operation: Operation, violations: Vec<String>) {
        let told = violations.into_iter().map(|what| format!("request {number} ({operation}): {what}"));
        self.violations.extend(told);
    }

    pub(super) fn calls(&self, operation: Operation) -> usize {
        match operation {
            Operation::Any => self.calls.values().sum(),
            operation => self.calls.get(&operation).copied().unwrap_or_default(),
        }
    }

    pub(super) fn requests(&self) -> impl Iterator<Item = &Recorded> {
        self.requests.iter()
    }

    pub(super) fn violations(&self) -> &[String] {
        &self.violations
    }
}
