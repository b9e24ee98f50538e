//! For whoever runs the service: is it alive, can it store a delivery, what does it count. Nobody has to
//! show a token here, and nothing here is personal. Personio is never asked: were it down, a balancer
//! would take every instance out, and deliveries would be lost instead of stored.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use super::contract::tag;
use super::door::Admin;
use super::{App, contract};
use crate::check::{Finding, Verdict};
use crate::ledger::LedgerError;

/// When a ledger that does not answer counts as one that cannot store: whoever asks hears within a second.
const PATIENCE: Duration = Duration::from_millis(900);

/// The media type of what `prometheus-client` writes.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A text with its media type, never kept by a cache.
type Text = ([(HeaderName, &'static str); 2], String);

/// Whether it works.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    /// `ok` or `unready`.
    status: &'static str,
    /// `draining` or `ledger`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// What this is.
#[derive(Serialize, ToSchema)]
pub(super) struct About {
    name: &'static str,
    version: &'static str,
}

/// Name and version.
///
/// For balancers that ask `/` and expect 200.
#[utoipa::path(get, path = "/", tag = tag::HEALTH, operation_id = "about", responses(
    (status = 200, description = "Name and version", body = About,
        example = json!({"name": "hirebridge", "version": "0.1.0"})),
))]
pub(super) async fn about() -> Json<About> {
    Json(About { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") })
}

/// Whether the process lives.
///
/// Depends on nothing else: a service that does not answer here should be started anew.
#[utoipa::path(get, path = "/livez", tag = tag::HEALTH, operation_id = "livez", responses(
    (status = 200, description = "It lives", body = Health, example = json!({"status": "ok"})),
))]
pub(super) async fn live() -> Json<Health> {
    Json(Health { status: "ok", reason: None })
}

/// Whether a delivery could be stored now.
///
/// 503 while the ledger cannot be written or the service is stopping. Never asks Personio or an ATS.
#[utoipa::path(get, path = "/readyz", tag = tag::HEALTH, operation_id = "readyz", responses(
    (status = 200, description = "Deliveries can be stored", body = Health, example = json!({"status": "ok"})),
    (status = 503, description = "Send deliveries elsewhere, or later", body = Health,
        example = json!({"status": "unready", "reason": "draining"})),
))]
pub(super) async fn ready(State(app): State<App>) -> (StatusCode, Json<Health>) {
    readiness(&app).await
}

/// The same as `/readyz`.
///
/// For whoever looks here first.
#[utoipa::path(get, path = "/healthz", tag = tag::HEALTH, operation_id = "healthz", responses(
    (status = 200, description = "Deliveries can be stored", body = Health, example = json!({"status": "ok"})),
    (status = 503, description = "Send deliveries elsewhere, or later", body = Health,
        example = json!({"status": "unready", "reason": "ledger"})),
))]
pub(super) async fn healthy(State(app): State<App>) -> (StatusCode, Json<Health>) {
    readiness(&app).await
}

async fn readiness(app: &App) -> (StatusCode, Json<Health>) {
    let reason = if app.draining.is_cancelled() { Some("draining") } else { unstorable(app).await };
    match reason {
        None => (StatusCode::OK, Json(Health { status: "ok", reason })),
        Some(_) => (StatusCode::SERVICE_UNAVAILABLE, Json(Health { status: "unready", reason })),
    }
}

/// Tries to write, each time: a disk that fails is noticed although nobody delivers anything.
async fn unstorable(app: &App) -> Option<&'static str> {
    let error = match tokio::time::timeout(PATIENCE, app.transfer.ledger().probe()).await {
        Ok(Ok(())) => return None,
        Ok(Err(error)) => error,
        Err(_) => LedgerError::Unusable("it does not answer in time".into()),
    };
    tracing::error!(%error, "not ready: nothing can be stored");
    Some("ledger")
}

/// Counters and gauges for Prometheus.
///
/// OpenMetrics text: hires by source and state, deliveries by result, calls to Personio, retries, the age
/// of the oldest unfinished hire.
#[utoipa::path(get, path = "/metrics", tag = tag::HEALTH, operation_id = "metrics", responses(
    (status = 200, description = "OpenMetrics text", body = String, content_type = "application/openmetrics-text",
        example = "hirebridge_hires{source=\"ashby\",state=\"created\"} 12\n# EOF\n"),
))]
pub(super) async fn metrics(State(app): State<App>) -> Text {
    if let Err(error) = count(&app).await {
        tracing::error!(%error, "the metrics of the ledger are not up to date");
    }
    ([(CONTENT_TYPE, OPEN_METRICS), (CACHE_CONTROL, "no-store")], app.metrics.text())
}

async fn count(app: &App) -> Result<(), LedgerError> {
    let ledger = app.transfer.ledger();
    let counts = ledger.counts().await?;
    let oldest = ledger.oldest_unfinished().await?;
    let age = oldest.map_or(0.0, |since| app.clock.now().duration_since(since).as_secs_f64());
    let counts = counts.iter().map(|((source, state), count)| (source.as_str(), *state, *count));
    app.metrics.ledger(counts, age);
    app.metrics.documents(ledger.shelf().counts().await?);
    Ok(())
}

/// This contract.
///
/// OpenAPI 3.1 in YAML, made from the routes.
#[utoipa::path(get, path = "/openapi.yaml", tag = tag::HEALTH, operation_id = "openapi", responses(
    (status = 200, description = "OpenAPI 3.1", body = String, content_type = "application/yaml",
        example = "openapi: 3.1.0\n"),
))]
pub(super) async fn openapi() -> Text {
    ([(CONTENT_TYPE, "application/yaml"), (CACHE_CONTROL, "no-cache")], contract::yaml())
}

/// What the self-check found.
#[derive(Serialize, ToSchema)]
pub(super) struct CheckReport {
    /// Whether hires can be sent: no finding is a problem.
    healthy: bool,
    /// What was looked at.
    findings: Vec<Finding>,
}

/// The self-check: found, expected, remedy.
///
/// Looks at the configuration, the ledger, the clock, and at Personio's credential, rights and attributes.
/// Changes nothing.
#[utoipa::path(get, path = "/v1/check", tag = tag::SIGHT, operation_id = "check", responses(
    (status = 200, description = "What was found", body = CheckReport, example = json!({
        "healthy": true,
        "findings": [{
            "about": "employees", "verdict": "warning",
            "found": "may not be read: hires are sent without a look-up",
            "expected": "the right to read employees",
            "remedy": "tick Employees > Read for the integration",
        }],
    })),
))]
pub(super) async fn check(_: Admin, State(app): State<App>) -> Json<CheckReport> {
    let findings = app.doctor.examine().await;
    let healthy = findings.iter().all(|finding| finding.verdict != Verdict::Problem);
    Json(CheckReport { healthy, findings })
}
