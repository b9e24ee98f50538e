//! What an operator sees: log lines and metrics. Neither ever holds a personal value or a secret.

use std::sync::atomic::{AtomicI64, AtomicU64};
use std::sync::{Arc, OnceLock};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Metric, Registry, Unit};
use serde::Deserialize;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, reload};

/// How log lines look and which are written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `json` or `text`.
    pub format: Format,
    /// `error`, `warn`, `info`, `debug` or `trace`; for hirebridge's own lines. What libraries say is
    /// shown from `warn` on, whatever the level: their finer lines may hold what is not ours to log.
    pub level: Level,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// Which log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Errors only.
    Error,
    /// And warnings.
    Warn,
    /// And one line per delivery and per change of state.
    Info,
    /// And each outgoing call.
    Debug,
    /// Everything.
    Trace,
}

impl From<Level> for LevelFilter {
    fn from(level: Level) -> Self {
        match level {
            Level::Error => Self::ERROR,
            Level::Warn => Self::WARN,
            Level::Info => Self::INFO,
            Level::Debug => Self::DEBUG,
            Level::Trace => Self::TRACE,
        }
    }
}

/// The subscriber that writes log lines to `writer`: what [`start_logging`] installs.
pub fn subscriber<W>(settings: &Settings, writer: W) -> impl tracing::Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    let (filter, level) = reload::Layer::new(filter(settings.level));
    // Only the first one logs: the level is that one's.
    drop(LEVEL.set(level));
    let lines = match settings.format {
        Format::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
        Format::Text => lines.with_ansi(false).with_target(false).boxed(),
    };
    tracing_subscriber::registry().with(filter).with(lines)
}

/// How the level of what is logged is changed.
static LEVEL: OnceLock<reload::Handle<Targets, tracing_subscriber::Registry>> = OnceLock::new();

fn filter(level: Level) -> Targets {
    let ours = LevelFilter::from(level);
    Targets::new().with_default(LevelFilter::WARN).with_target(env!("CARGO_PKG_NAME"), ours)
}

/// Logs at this level from now on, if this process logs.
pub fn change_level(level: Level) {
    if LEVEL.get().is_some_and(|current| current.reload(filter(level)).is_err()) {
        tracing::warn!("the level of the log cannot be changed");
    }
}

/// Writes log lines to standard error from now on.
pub fn start_logging(settings: &Settings) {
    if subscriber(settings, std::io::stderr).try_init().is_err() {
        tracing::debug!("logging was started already");
    }
}

/// From now on a panic says where it happened and not with which words, which may be personal.
pub fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "an internal error; please report the place");
    }));
}

/// A hire's state as a label.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct HireLabels {
    source: String,
    state: &'static str,
}

/// What became of a delivery.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct DeliveryLabels {
    source: String,
    result: &'static str,
}

/// What became of a call to Personio.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct CallLabels {
    operation: &'static str,
    result: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StateLabels {
    state: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OperationLabels {
    operation: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct NoticeLabels {
    channel: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct CutLabels {
    why: &'static str,
}

/// The counters and gauges behind `/metrics`. Cheap to clone; each service has its own.
#[derive(Clone, Default)]
pub struct Metrics(Arc<Counters>);

struct Counters {
    registry: Registry,
    hires: Family<HireLabels, Gauge>,
    deliveries: Family<DeliveryLabels, Counter>,
    answer_seconds: Histogram,
    polls: Family<DeliveryLabels, Counter>,
    calls: Family<CallLabels, Counter>,
    retries: Family<OperationLabels, Counter>,
    retries_refused: Family<OperationLabels, Counter>,
    documents: Family<StateLabels, Gauge>,
    warnings: Counter,
    unhired: Counter,
    doubles: Counter,
    oldest_unfinished: Gauge<f64, AtomicU64>,
    credential_refused: Gauge<i64, AtomicI64>,
    connections: Gauge<i64, AtomicI64>,
    connections_cut: Family<CutLabels, Counter>,
    out_of_order: Gauge<i64, AtomicI64>,
    old_key: Gauge,
    notices: Family<NoticeLabels, Counter>,
}

/// A new metric, which the registry shows from now on.
fn kept<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    let metric = M::default();
    registry.register(name, help, metric.clone());
    metric
}

impl Default for Counters {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("hirebridge");
        let hires = kept(&mut registry, "hires", "Hires by source and state");
        let deliveries = kept(&mut registry, "deliveries", "Deliveries by source and result");
        let answer_seconds = Histogram::new(exponential_buckets(0.001, 2.0, 14));
        registry.register_with_unit(
            "delivery_answer",
            "Time from a delivery's arrival to its answer",
            Unit::Seconds,
            answer_seconds.clone(),
        );
        let polls = kept(
            &mut registry,
            "polls",
            "Polls of sources whose deliveries are fetched, by source and result",
        );
        let calls = kept(&mut registry, "personio_calls", "Calls to Personio by operation and result");
        let retries = kept(&mut registry, "personio_retries", "Repeated calls to Personio by operation");
        let retries_refused = kept(
            &mut registry,
            "personio_retries_refused",
            "Calls to Personio that were not repeated because the budget of repeats was spent, by operation",
        );
        let documents = kept(&mut registry, "documents", "Documents of hires by state");
        let warnings = kept(
            &mut registry,
            "created_with_warnings",
            "Hires created with warnings: something did not arrive, or is doubtful",
        );
        let unhired = kept(
            &mut registry,
            "unhired_after_sending",
            "Hires that the ATS took back when they were, or may have been, sent",
        );
        let doubles =
            kept(&mut registry, "doubles", "Hires whose person may be more than one employee in Personio");
        let oldest_unfinished = Gauge::default();
        registry.register_with_unit(
            "oldest_unfinished_age",
            "Age of the oldest hire that has neither ended nor waits for a person",
            Unit::Seconds,
            oldest_unfinished.clone(),
        );
        let credential_refused = kept(
            &mut registry,
            "personio_credential_refused",
            "1 while Personio does not take the credential",
        );
        let connections = kept(&mut registry, "connections", "Open connections");
        let connections_cut = kept(&mut registry, "connections_cut", "Connections cut, by why");
        let out_of_order = kept(
            &mut registry,
            "personio_out_of_order",
            "1 while Personio does not answer as it should and hires are not sent",
        );
        let old_key = kept(
            &mut registry,
            "ledger_old_key",
            "What the ledger still has sealed with one of ledger.previous_keys",
        );
        let notices =
            kept(&mut registry, "notices", "Tries to tell people something, by channel and outcome");
        Self {
            registry,
            hires,
            deliveries,
            answer_seconds,
            polls,
            calls,
            retries,
            retries_refused,
            documents,
            warnings,
            unhired,
            doubles,
            oldest_unfinished,
            credential_refused,
            connections,
            connections_cut,
            out_of_order,
            old_key,
            notices,
        }
    }
}

impl Metrics {
    /// A delivery was answered. `result` is a stable code: `stored`, `duplicate`, `ignored`, `refused` …
    pub fn delivery(&self, source: &str, result: &'static str, seconds: f64) {
        self.0.deliveries.get_or_create(&DeliveryLabels { source: source.to_owned(), result }).inc();
        self.0.answer_seconds.observe(seconds);
    }

    /// A delivery that was fetched is stored. `result` is a stable code: `stored`, `duplicate` or `ignored`.
    pub fn fetched(&self, source: &str, result: &'static str) {
        self.0.deliveries.get_or_create(&DeliveryLabels { source: source.to_owned(), result }).inc();
    }

    /// A source's place was asked. `result` is `ok` or a stable code.
    pub fn poll(&self, source: &str, result: &'static str) {
        self.0.polls.get_or_create(&DeliveryLabels { source: source.to_owned(), result }).inc();
    }

    /// A call to Personio ended. `result` is an HTTP status or a stable code such as `timeout`.
    pub fn personio_call(&self, operation: &'static str, result: String) {
        self.0.calls.get_or_create(&CallLabels { operation, result }).inc();
    }

    /// A call to Personio is repeated.
    pub fn personio_retry(&self, operation: &'static str) {
        self.0.retries.get_or_create(&OperationLabels { operation }).inc();
    }

    /// A call to Personio is not repeated, because the budget of repeats is spent.
    pub fn personio_retry_refused(&self, operation: &'static str) {
        self.0.retries_refused.get_or_create(&OperationLabels { operation }).inc();
    }

    /// Personio does not, or does again, answer as it should.
    pub fn personio_out_of_order(&self, out_of_order: bool) {
        self.0.out_of_order.set(i64::from(out_of_order));
    }

    /// A hire was created with warnings.
    pub fn created_with_warnings(&self) {
        self.0.warnings.inc();
    }

    /// The ATS took back a hire that was, or may have been, sent.
    pub fn unhired_after_sending(&self) {
        self.0.unhired.inc();
    }

    /// More than one employee may be the person of a hire.
    pub fn double(&self) {
        self.0.doubles.inc();
    }

    /// Personio does, or does not, take our credential.
    pub fn credential_refused(&self, refused: bool) {
        self.0.credential_refused.set(i64::from(refused));
    }

    /// A connection was accepted.
    pub fn connection_began(&self) {
        self.0.connections.inc();
    }

    /// A connection that had been accepted is gone.
    pub fn connection_ended(&self) {
        self.0.connections.dec();
    }

    /// A connection is cut. `why` is a stable code: `slow`, `evicted` or `full`.
    pub fn connection_cut(&self, why: &'static str) {
        self.0.connections_cut.get_or_create(&CutLabels { why }).inc();
    }

    /// It was tried to tell people something. `outcome` is a stable code: `sent`, `failed` or `given_up`.
    pub fn notice(&self, channel: &'static str, outcome: &'static str) {
        self.0.notices.get_or_create(&NoticeLabels { channel, outcome }).inc();
    }

    /// Sets the gauges that are read from the ledger: hires by source and state, and the age in seconds.
    pub fn ledger<'a>(
        &self,
        counts: impl Iterator<Item = (&'a str, &'static str, u64)>,
        oldest_seconds: f64,
    ) {
        self.0.hires.clear();
        for (source, state, count) in counts {
            let labels = HireLabels { source: source.to_owned(), state };
            self.0.hires.get_or_create(&labels).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        self.0.oldest_unfinished.set(oldest_seconds);
    }

    /// So much of the ledger is sealed with another key than that of today.
    pub fn sealed_with_old_keys(&self, left: u64) {
        self.0.old_key.set(i64::try_from(left).unwrap_or(i64::MAX));
    }

    /// Sets the gauge of documents by state, as the ledger has them.
    pub fn documents(&self, counts: Vec<(String, u64)>) {
        self.0.documents.clear();
        for (state, count) in counts {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            self.0.documents.get_or_create(&StateLabels { state }).set(count);
        }
    }

    /// The metrics in OpenMetrics text format.
    pub fn text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.0.registry).expect("writing to a string does not fail");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_named_in_open_metrics_text() {
        let metrics = Metrics::default();
        metrics.delivery("ashby", "stored", 0.01);
        metrics.personio_call("create", "200".into());
        metrics.ledger([("ashby", "created", 2)].into_iter(), 0.0);
        let text = metrics.text();
        assert!(text.contains(r#"hirebridge_deliveries_total{source="ashby",result="stored"} 1"#), "{text}");
        assert!(text.contains(r#"hirebridge_personio_calls_total{operation="create",result="200"} 1"#));
        assert!(text.contains(r#"hirebridge_hires{source="ashby",state="created"} 2"#));
    }
}
