//! Problems: every answer that is no success, in the form of RFC 9457, with a stable code.
//!
//! A problem names fields and codes. It never repeats a value that was sent, except in `difference` and
//! `plan`, which only an operator who may see the hire is shown.

use std::any::Any;
use std::sync::Arc;

use axum::http::header::{
    CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, VARY, WWW_AUTHENTICATE,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::code::Code;
use super::contract::StateName;
use super::shapes::PlanShape;
use crate::domain::Difference;
use crate::transfer::{Decided, FieldError};
use crate::words::{self, Language};

/// The media type of problems.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Why a request was not carried out.
#[derive(Debug)]
pub struct Problem {
    body: Box<Body>,
    detail: Option<Box<Detail>>,
    headers: HeaderMap,
    /// Whether the request was read to its end, although that was not needed.
    at_its_end: bool,
}

/// What more there is to say than the code does: a sentence of the catalogue, and what stands in its places.
#[derive(Debug)]
struct Detail {
    code: &'static str,
    places: Vec<(&'static str, String)>,
}

/// What is written of a problem.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem, example = json!({
    "type": "urn:hirebridge:problem:invalid",
    "title": "Some fields are not right",
    "status": 422,
    "code": "invalid",
    "detail": "Correct the fields that `errors` names.",
    "errors": [{"field": "candidate.email", "message": "must be text"}],
}))]
pub struct Body {
    /// The code as a URI, as RFC 9457 asks for one.
    #[serde(rename = "type")]
    kind: String,
    /// What the code means, in the language that was asked for.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// The stable code.
    code: Code,
    /// What to do about it, in the language that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// The fields that are not right.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
    /// The state the hire is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<StateName>)]
    state: Option<&'static str>,
    /// A stable code that says more.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// Who was first.
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<First>,
    /// When it may be tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// The plan as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<PlanShape>,
    /// Where the plan as it is now differs from the one that was seen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    difference: Vec<FieldDifference>,
}

/// A field that is not right.
#[derive(Serialize, ToSchema)]
pub struct FieldProblem {
    /// The field's name, with dots where it is nested.
    #[schema(example = "candidate.email")]
    field: String,
    /// What is expected.
    #[schema(example = "must be text")]
    message: String,
}

/// The operator who was first, and when.
#[derive(Serialize, ToSchema)]
pub struct First {
    /// The operator's name.
    #[schema(example = "mia")]
    by: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// A field whose value is not the one that was seen.
#[derive(Serialize, ToSchema)]
pub struct FieldDifference {
    /// The Personio attribute.
    #[schema(example = "department")]
    field: String,
    /// What was seen, if that is known.
    #[schema(value_type = Option<Value>)]
    yours: Option<Value>,
    /// What would be sent now.
    #[schema(value_type = Option<Value>)]
    now: Option<Value>,
}

impl Problem {
    /// A problem with this code.
    pub fn of(code: Code) -> Self {
        let body = Body {
            kind: format!("urn:hirebridge:problem:{}", code.name()),
            title: "",
            status: code.status().as_u16(),
            code,
            detail: None,
            errors: Vec::new(),
            state: None,
            reason: None,
            first: None,
            until: None,
            plan: None,
            difference: Vec::new(),
        };
        Self { body: Box::new(body), detail: None, headers: HeaderMap::new(), at_its_end: false }
            .in_language(Language::English)
            .with_usual_headers()
    }

    /// Title and detail in this language. Messages in `errors` stay English: they name fields.
    #[must_use]
    pub(super) fn in_language(mut self, language: Language) -> Self {
        let words = self.body.code.words(language);
        self.body.title = &words.says;
        self.body.detail = match &self.detail {
            Some(detail) => Some(words::detail(detail.code, &detail.places, language)),
            None => words.remedy.clone(),
        };
        self.headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
        self.headers.insert(VARY, HeaderValue::from_static("accept-language"));
        self
    }

    fn with_usual_headers(mut self) -> Self {
        match self.body.code {
            Code::Unauthenticated => {
                self.headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
                self
            }
            Code::LedgerUnavailable => self.retry_after(15),
            Code::AtsUnavailable | Code::FileNotListed => self.retry_after(30),
            Code::Overloaded => self.retry_after(10),
            Code::PersonioUnreachable => self.retry_after(60),
            Code::SourcePaused | Code::SecretAwaited => self.retry_after(300),
            _ => self,
        }
    }

    /// Says more than the code does, by a sentence of `words/details.toml`.
    #[must_use]
    pub fn detail(self, code: &'static str) -> Self {
        self.detail_with(code, Vec::new())
    }

    /// The same, with what stands in the sentence's places. Never holds a value that was sent.
    #[must_use]
    pub fn detail_with(mut self, code: &'static str, places: Vec<(&'static str, String)>) -> Self {
        self.detail = Some(Box::new(Detail { code, places }));
        self.in_language(Language::English)
    }

    /// Names a field that is not right.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>, message: impl Into<String>) -> Self {
        self.body.errors.push(FieldProblem { field: field.into(), message: message.into() });
        self
    }

    /// Names all fields that are not right.
    #[must_use]
    pub fn fields(self, errors: impl IntoIterator<Item = FieldError>) -> Self {
        errors.into_iter().fold(self, |problem, error| problem.field(error.field, error.message))
    }

    /// Tells the state the hire is in.
    #[must_use]
    pub fn state(mut self, state: &'static str) -> Self {
        self.body.state = Some(state);
        self
    }

    /// Says more, with a stable code, where there is one.
    #[must_use]
    pub fn reason(mut self, reason: Option<&'static str>) -> Self {
        self.body.reason = reason;
        self
    }

    /// Tells who was first, if it was a person.
    #[must_use]
    pub(super) fn first(mut self, decided: Option<Decided>) -> Self {
        self.body.first = decided.map(|Decided { by, at }| First { by, at });
        self
    }

    /// Tells when it may be tried again.
    #[must_use]
    pub fn until(mut self, until: Timestamp) -> Self {
        self.body.until = Some(until);
        self
    }

    /// Shows the plan as it is now.
    #[must_use]
    pub fn plan(mut self, plan: PlanShape) -> Self {
        self.body.plan = Some(plan);
        self
    }

    /// Shows where the plan differs from the one that was seen.
    #[must_use]
    pub fn difference(mut self, difference: Vec<Difference>) -> Self {
        let shown =
            difference.into_iter().map(|d| FieldDifference { field: d.field, yours: d.before, now: d.after });
        self.body.difference.extend(shown);
        self
    }

    /// Asks the client to come back after so many seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        self
    }

    /// Nothing is left of the request that was refused: the connection can go on.
    #[must_use]
    pub(super) fn at_its_end(mut self) -> Self {
        self.at_its_end = true;
        self
    }

    /// The code.
    pub fn code(&self) -> Code {
        self.body.code
    }

    fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(&self.body).expect("strings, numbers and JSON values serialise")
    }

    /// What is written of it.
    pub fn body(&self) -> &Body {
        &self.body
    }
}

/// Code only: a plan or a difference is personal.
impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Problem({:?})", self.code)
    }
}

impl IntoResponse for Problem {
    /// In English; `translated` says it in another language, if the client asked for one.
    fn into_response(self) -> Response {
        let mut response = (self.body.code.status(), self.headers.clone(), self.bytes()).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if !self.at_its_end {
            close_if_unread(self.body.code, response.headers_mut());
        }
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// An answer that is a problem, in this language; any other answer as it is.
pub(super) fn translated(mut response: Response, language: Language) -> Response {
    let problem = response.extensions_mut().remove::<Arc<Problem>>().and_then(Arc::into_inner);
    let Some(problem) = problem.filter(|_| language != Language::English) else { return response };
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    Response::from_parts(parts, problem.in_language(language).bytes().into())
}

/// What is left of a body that was refused is not read, so that the connection cannot go on.
fn close_if_unread(code: Code, headers: &mut HeaderMap) {
    let unread =
        [StatusCode::PAYLOAD_TOO_LARGE, StatusCode::UNSUPPORTED_MEDIA_TYPE, StatusCode::REQUEST_TIMEOUT];
    if code == Code::Overloaded || unread.contains(&code.status()) {
        headers.insert(axum::http::header::CONNECTION, HeaderValue::from_static("close"));
    }
}

/// An address that does not exist.
pub(super) async fn not_found() -> Problem {
    Problem::of(Code::NotFound)
}

/// A method that the address does not take; the router adds `Allow`.
pub(super) async fn method_not_allowed() -> Problem {
    Problem::of(Code::MethodNotAllowed)
}

/// A panic. Its message may hold anything, so that nobody is told.
pub(super) fn panicked(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("a request ended in a panic");
    Problem::of(Code::Internal).into_response()
}
