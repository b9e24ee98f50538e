//! Deliveries: who sent it, is it right, then over to `transfer`. A sender that is refused learns nothing
//! from the answer: an unknown source, a missing and a wrong signature look the same.

use std::time::Duration;

use aws_lc_rs::hmac;
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::time::Instant;
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use super::App;
use super::body;
use super::code::Code;
use super::contract::{StateName, tag};
use super::problem::Problem;
use crate::ats::{Received, Refusal, SoftgardenDelivery, Source};
use crate::transfer::{NotReceived, Receipt};

/// What deliveries to addresses that do not exist are counted under.
const NOBODY: &str = "unknown";

/// The result of a delivery that was not taken.
const REFUSED: &str = "refused";

/// What a handshake is counted as that wants to see a header again.
const ECHO: &str = "handshake";

/// What an ATS sends, for the contract: in its own structure, or in ours. Each ATS's file reads its own.
struct DeliveryBody;

impl PartialSchema for DeliveryBody {
    fn schema() -> RefOr<Schema> {
        let ours = Ref::from_schema_name(SoftgardenDelivery::name());
        AnyOfBuilder::new().item(ours).item(ObjectBuilder::new()).into()
    }
}

impl ToSchema for DeliveryBody {}

/// What became of a delivery. Nothing personal.
#[derive(Serialize, ToSchema)]
pub(super) struct DeliveryAnswer {
    /// The hire, which stays the same however often it is delivered; `null` if this is about none.
    hire: Option<Uuid>,
    #[schema(value_type = StateName)]
    state: &'static str,
    /// Why it is in this state, as a stable code.
    reason: Option<&'static str>,
    /// Whether the hire was known already.
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicate: Option<bool>,
    /// How many things did not arrive in Personio or are doubtful; left out if all is well. The hire names them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    warnings: Option<usize>,
}

/// Why a delivery was not taken: for the log, the metric and `/v1/sources`, and for the sender.
struct Refused {
    reason: &'static str,
    problem: Problem,
}

/// What became of a delivery.
enum Outcome {
    Handshake(&'static str),
    Echo(HeaderName, HeaderValue),
    Stored(Receipt),
    Refused(Refused),
    NotStored(NotReceived),
}

/// Take a delivery of an ATS.
///
/// The body is what the ATS sends, signed as the ATS signs. A success answer means that the hire is
/// stored, whatever Personio does. An unknown source is answered as a wrong signature is.
#[utoipa::path(post, path = "/webhooks/{source}", tag = tag::WEBHOOKS, operation_id = "deliver",
    params(("source" = String, Path, description = "The source's name in the configuration", example = "ashby")),
    request_body(description = "The delivery as the ATS sends it. softgarden sends what it is told to: a `SoftgardenDelivery`, as docs/ats/softgarden.md has it", content_type = "application/json",
        content = inline(DeliveryBody), example = json!({"action": "candidateHire", "data": {"application": {"id": "…"}}})),
    responses(
        (status = 200, description = "Stored, or not about a hire. Some ATSs are answered with 202 instead",
            body = DeliveryAnswer, examples(
                ("created" = (value = json!({"hire": "01942f5e-9c1b-7c3e-8a37-2f6f2a6f0c11",
                    "state": "created", "reason": null, "duplicate": false}))),
                ("created with warnings" = (value = json!({"hire": "01942f5e-9c1b-7c3e-8a37-2f6f2a6f0c11",
                    "state": "created", "reason": null, "duplicate": false, "warnings": 1}))),
                ("held" = (value = json!({"hire": "01942f5e-9c1b-7c3e-8a37-2f6f2a6f0c11",
                    "state": "held", "reason": "exists", "duplicate": true}))),
                ("ping" = (value = json!({"hire": null, "state": "ignored", "reason": "ping"}))),
            )),
        (status = 401, description = "The signature is missing or wrong, or there is no such source"),
        (status = 408, description = "The body did not arrive in time"),
        (status = 413, description = "The body is larger than the limit"),
        (status = 415, description = "The body is encoded"),
        (status = 503, description = "It could not be stored, the ATS could not be asked for the rest, too many deliveries are being stored, the source is paused, or its secret is not known yet: send it again",
            headers(("Retry-After" = u32, description = "After so many seconds"))),
    ))]
pub(super) async fn deliver(
    State(app): State<App>,
    name: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let arrived = Instant::now();
    let source = name.ok().and_then(|Path(name)| app.sources.named(&name));
    let outcome = take(&app, source, request).await;
    note(&app, source.map_or(NOBODY, Source::name), &outcome, arrived.elapsed());
    answer(source, outcome)
}

/// Any other method: most likely a person who tries the address in a browser.
pub(super) async fn only_post() -> Problem {
    Problem::of(Code::MethodNotAllowed).detail("only_deliveries")
}

async fn take(app: &App, source: Option<&Source>, request: Request) -> Outcome {
    let (parts, body) = request.into_parts();
    let limit = source.and_then(Source::body_limit).unwrap_or(app.settings.body_limit);
    // What is larger than the limit is refused for that, without being read.
    let announced = body::announced(&parts.headers).filter(|length| *length <= limit.as_u64());
    let mut room = match app.intake.admit(announced.unwrap_or_default(), app.transfer.places()) {
        Ok(room) => room,
        Err(problem) if body::came_along(&parts.headers, body).await => {
            return Outcome::Refused(unread(problem.at_its_end()));
        }
        Err(problem) => return Outcome::Refused(unread(problem)),
    };
    let allowance = room.allowance();
    let gzip = source.is_some_and(Source::takes_gzip);
    let body = match room.read(body::read(app, &parts.headers, body, limit, Some(&allowance), gzip)).await {
        Ok(body) => body,
        Err(problem) => return Outcome::Refused(unread(problem)),
    };
    let arrived = body.len();
    let Some(source) = source else {
        pretend(&body);
        return Outcome::Refused(unsigned("unknown_source"));
    };
    let delivery = match source.receive(&parts.headers, body, limit, app.clock.now()) {
        Ok(Received::Signed(delivery)) => delivery,
        Ok(Received::Handshake(reason)) => return Outcome::Handshake(reason),
        Ok(Received::TooEarly) => {
            let problem = Problem::of(Code::SecretAwaited);
            return Outcome::Refused(Refused { reason: "secret_awaited", problem });
        }
        Ok(Received::Echo(name, value)) => return Outcome::Echo(name, value),
        Err(refusal @ Refusal::UnpackedTooLarge) => {
            let problem = Problem::of(Code::TooLarge);
            return Outcome::Refused(Refused { reason: refusal.code(), problem });
        }
        Err(refusal) => {
            app.watch.unsigned(source.name());
            return Outcome::Refused(unsigned(refusal.code()));
        }
    };
    // What was packed takes up room as well.
    if let Err(problem) = room.grow(delivery.body().len().saturating_sub(arrived)) {
        return Outcome::Refused(unread(problem));
    }
    app.watch.admitted(source.name(), delivery.secret(), app.clock.now());
    if !source.is_enabled() {
        return Outcome::Refused(Refused { reason: "paused", problem: Problem::of(Code::SourcePaused) });
    }
    let wait = Duration::try_from(source.wait().unwrap_or(app.settings.wait)).unwrap_or_default();
    match app.transfer.receive(source, &delivery).await {
        Ok(stored) => {
            // Those who wait for the outcome take up no room, nor do their bodies.
            drop((room, delivery));
            Outcome::Stored(app.transfer.outcome(stored, wait).await)
        }
        Err(error) => Outcome::NotStored(error),
    }
}

/// A delivery was refused without looking into it.
pub(super) fn note_overload(app: &App, source: &str) {
    app.metrics.delivery(source, REFUSED, 0.0);
    note_refused(app, source, reason(Code::Overloaded), 0);
}

fn note_refused(app: &App, source: &str, reason: &'static str, duration_ms: u64) {
    if source != NOBODY {
        app.watch.refused(source, reason, app.clock.now());
    }
    tracing::warn!(source, result = REFUSED, reason, duration_ms, "delivery");
}

fn unread(problem: Problem) -> Refused {
    Refused { reason: reason(problem.code()), problem }
}

fn reason(code: Code) -> &'static str {
    match code {
        Code::TooLarge => "too_large",
        Code::ContentEncoding => "content_encoding",
        Code::RequestTimeout => "body_late",
        Code::Overloaded => "overloaded",
        _ => "body_cut",
    }
}

fn unsigned(reason: &'static str) -> Refused {
    Refused { reason, problem: Problem::of(Code::Signature) }
}

/// The work of a signature check, so that the time does not tell which sources there are.
fn pretend(body: &[u8]) {
    let key = hmac::Key::new(hmac::HMAC_SHA256, NOBODY.as_bytes());
    std::hint::black_box(hmac::verify(&key, body, &[0; 32]).is_ok());
}

/// The one log line of a delivery, its metric, and what `/v1/sources` shows.
fn note(app: &App, source: &str, outcome: &Outcome, elapsed: Duration) {
    let result = outcome.result();
    app.metrics.delivery(source, result, elapsed.as_secs_f64());
    let duration_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    match outcome {
        Outcome::Handshake(_) | Outcome::Echo(..) => {
            let reason = outcome.handshake();
            app.watch.ignored(source, reason);
            tracing::info!(source, result, reason, duration_ms, "delivery");
        }
        Outcome::Stored(receipt) => {
            let reason = receipt.reason.unwrap_or_default();
            match receipt.hire {
                Some(hire) => app.watch.hired(source, hire, app.clock.now()),
                None => app.watch.ignored(source, reason),
            }
            let hire = receipt.hire.map(tracing::field::display);
            tracing::info!(source, result, hire, state = receipt.state, reason, duration_ms, "delivery");
        }
        Outcome::Refused(Refused { reason, .. }) => {
            note_refused(app, source, reason, duration_ms);
        }
        Outcome::NotStored(error) => {
            tracing::error!(source, result, %error, duration_ms, "delivery");
        }
    }
}

impl Outcome {
    /// What kind of handshake it was.
    fn handshake(&self) -> &'static str {
        if let Self::Handshake(reason) = self { reason } else { ECHO }
    }

    /// The stable code of the log line and the metric.
    fn result(&self) -> &'static str {
        match self {
            Self::Handshake(_) | Self::Echo(..) => "ignored",
            Self::Stored(receipt) if receipt.hire.is_none() => "ignored",
            Self::Stored(receipt) if receipt.duplicate => "duplicate",
            Self::Stored(_) => "stored",
            Self::Refused(_) => REFUSED,
            Self::NotStored(_) => "not_stored",
        }
    }
}

fn answer(source: Option<&Source>, outcome: Outcome) -> Response {
    let echo = match &outcome {
        Outcome::Echo(name, value) => Some((name.clone(), value.clone())),
        _ => None,
    };
    let answer = match outcome {
        Outcome::Refused(refused) => return refused.problem.into_response(),
        Outcome::NotStored(why) => {
            let code = match why {
                NotReceived::Ledger(_) => Code::LedgerUnavailable,
                NotReceived::Ats(_) => Code::AtsUnavailable,
                NotReceived::NotYet => Code::FileNotListed,
            };
            return Problem::of(code).into_response();
        }
        Outcome::Handshake(_) | Outcome::Echo(..) => DeliveryAnswer {
            hire: None,
            state: "ignored",
            reason: Some(outcome.handshake()),
            duplicate: None,
            warnings: None,
        },
        Outcome::Stored(receipt) => DeliveryAnswer {
            hire: receipt.hire.map(|id| id.0),
            state: receipt.state,
            reason: receipt.reason,
            duplicate: receipt.hire.map(|_| receipt.duplicate),
            warnings: Some(receipt.warnings).filter(|warnings| *warnings > 0),
        },
    };
    let success = source.map(|source| source.manners().success);
    let status = success.and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or(StatusCode::OK);
    let mut response = (status, Json(answer)).into_response();
    response.headers_mut().extend(echo);
    response
}
