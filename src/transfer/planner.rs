//! From a hire's facts to its plan: asks the ATS for what is lacking, then applies the rules.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;
use uuid::Uuid;

use super::DeskError;
use crate::ats::settings::NameSplitPolicy;
use crate::ats::{Event, Hired, Source, Sources};
use crate::catalog::Learned;
use crate::clock::Clock;
use crate::domain::file::gather;
use crate::domain::hire::Record;
use crate::domain::{Catalog, File, Held, Hire, HireId, Plan, Translation, Warning, employee};
use crate::mapping::{Input, Mapping, Mappings};

/// How long the ATS may take to complete a hire.
const COMPLETE_WITHIN: Duration = Duration::from_secs(10);

/// The warning that a value is not in Personio, as far as was known.
pub(super) const UNKNOWN_VALUE: &str = "unknown_value";

/// The warnings that something is not in Personio, as far as was known.
const UNKNOWN: [&str; 3] = [UNKNOWN_VALUE, "attribute_unknown", "attribute_not_checked"];

/// What plans are made with. The same for a hire that is sent and for a preview.
#[derive(Clone)]
pub struct Planner {
    /// The configured sources.
    pub sources: Arc<Sources>,
    /// The rules of all sources.
    pub mappings: Arc<Mappings>,
    /// What Personio knows.
    pub catalog: Learned,
    /// The attribute that carries the hire's key.
    pub marker: Option<String>,
    /// Tells the day on which a plan is made.
    pub clock: Clock,
}

/// The facts that say who it is: by them a hire is found, also to be erased.
const WHO: [&str; 6] = [
    "candidate.first_name",
    "candidate.last_name",
    "candidate.full_name",
    "candidate.preferred_name",
    "candidate.email",
    "candidate.emails",
];

impl Planner {
    /// The plan for a delivery of this source that comes `now`, where `always` are the translations that hold for it.
    /// Nothing is written.
    ///
    /// # Errors
    /// [`DeskError::Unreadable`] or [`DeskError::NoHire`] if there is no hire in it.
    pub async fn preview(
        &self,
        source: &Source,
        body: &[u8],
        now: Timestamp,
        always: &[Translation],
    ) -> Result<Plan, DeskError> {
        let read =
            source.read_unsigned(body).map_err(|misread| DeskError::Unreadable { reason: misread.code })?;
        let hired = match read.event {
            Event::Hire(hired) => *hired,
            event => return Err(DeskError::NoHire { reason: event.no_hire().unwrap_or_default() }),
        };
        let key = source.key(&hired.application);
        let never_stored = HireId(Uuid::nil());
        let facts = hired.facts.clone();
        let mut hire = Hire::received(never_stored, source.name(), key, facts, now);
        let told = Told { hired: Some(hired), payloads: vec![read.payload] };
        self.complete(&mut hire, &told).await;
        hire.record.plan = self.plan(&hire, &told.payloads, always).await;
        if let Some(rule) = self.ignored_by(&hire) {
            hire.ignored(&rule);
        }
        let mut plan = Plan { hold: self.hold(&hire), ..hire.record.plan.clone() };
        for note in hire.notes() {
            plan.note(note);
        }
        Ok(plan)
    }

    /// Asks the ATS for what its webhooks name only by id, if the hire came from one.
    pub(super) async fn complete(&self, hire: &mut Hire, told: &Told) {
        self.catalog.first().await;
        let (Some(source), Some(hired)) = (self.sources.named(&hire.source), &told.hired) else { return };
        let deadline = tokio::time::Instant::now() + COMPLETE_WITHIN;
        let completed = source.complete(hired, &hire.record.facts, deadline).await;
        hire.record.facts.fill(&completed.facts);
        let files = hired.files.iter().chain(&completed.files).map(File::without_content);
        gather(&mut hire.record.files, files);
        let (attributes, other): (Vec<_>, Vec<_>) =
            completed.lacking.into_iter().partition(|lacking| employee::shape_of(lacking).is_some());
        hire.record.lacking = attributes.into_iter().map(str::to_owned).collect();
        hire.record.name_split = hire.record.name_split.or(hired.name_split).or(completed.name_split);
        let other = other.into_iter().map(|lacking| format!("ats_lacks:{lacking}"));
        for note in hired.notes.iter().chain(&completed.notes).cloned().chain(other) {
            hire.note(&note);
        }
    }

    /// The rule by which the hire is not for Personio, if there is one and no person has sent it.
    pub(super) fn ignored_by(&self, hire: &Hire) -> Option<String> {
        let rule = self.mappings.of(&hire.source).ignored_by(&hire.record.facts);
        rule.filter(|_| !hire.flags.approved).map(str::to_owned)
    }

    /// Why the hire with its plan waits for a person, if it does. What was ignored once goes on only when a person
    /// has looked at it: the rules, or what is known of the hire, may have changed long after.
    pub(super) fn hold(&self, hire: &Hire) -> Option<Held> {
        let reviewed = self.sources.named(&hire.source).is_some_and(Source::review) || hire.was_ignored();
        hire.record.plan.hold.or((reviewed && !hire.flags.approved).then_some(Held::Review))
    }

    /// The plan for a hire as it stands, corrections applied. What Personio does not seem to know is looked for
    /// there once more.
    pub(super) async fn plan(&self, hire: &Hire, payloads: &[Value], always: &[Translation]) -> Plan {
        let known = self.catalog.catalog();
        let plan = self.asked(&known, hire, payloads, always, Mapping::plan);
        let doubtful = plan.warnings.iter().any(|warning| UNKNOWN.contains(&warning.code.as_str()));
        if doubtful && self.catalog.renew(&known).await {
            return self.asked(&self.catalog.catalog(), hire, payloads, always, Mapping::plan);
        }
        plan
    }

    /// Adds to what did not arrive what Personio would take in its place and the line that mends it, as far as is
    /// known. What the plan said about the same attribute is said by that.
    pub(super) fn explain(&self, hire: &mut Hire) {
        let (catalog, mapping) = (self.catalog.catalog(), self.mappings.of(&hire.source));
        let Record { plan, warnings, facts, .. } = &mut hire.record;
        for warning in warnings.iter_mut().filter(|warning| warning.options.is_empty()) {
            let Some(field) = &warning.field else { continue };
            if let Some(doubt) = plan.warnings.iter().find(|doubt| is_about(doubt, field)) {
                (warning.options, warning.line) = (doubt.options.clone(), doubt.line.clone());
                plan.warnings.retain(|doubt| !is_about(doubt, field));
            } else if let Some(sent) = warning.sent.as_ref().and_then(Value::as_str) {
                let (alike, options) = catalog.offers(field, sent);
                let likeliest = options.first().filter(|_| alike > 0);
                warning.line = likeliest.and_then(|name| mapping.line(&catalog, field, facts, name));
                warning.options = options;
            }
        }
    }

    /// Forgets what the ATS told of a hire that is in Personio, but for who it is, the ids by which the ATS is asked, and what
    /// the plan may have in it.
    pub(super) fn cut(&self, hire: &mut Hire) {
        let (catalog, mapping) = (self.catalog.catalog(), self.mappings.of(&hire.source));
        let is_kept = |fact: &str| {
            fact.split_once('.').is_some_and(|(_, field)| field == "id")
                || ["application.", "tenant."].iter().any(|group| fact.starts_with(group))
                || WHO.contains(&fact)
                || mapping.uses(fact, &catalog)
        };
        hire.record.facts.keep(is_kept);
    }

    /// What the ATS says for each attribute of a hire, as far as that is one plain value.
    pub(super) fn told(&self, hire: &Hire, payloads: &[Value]) -> BTreeMap<String, String> {
        self.asked(&self.catalog.catalog(), hire, payloads, &[], Mapping::told)
    }

    fn asked<T>(
        &self,
        catalog: &Catalog,
        hire: &Hire,
        payloads: &[Value],
        always: &[Translation],
        ask: impl FnOnce(&Mapping, &Input<'_>) -> T,
    ) -> T {
        let source = self.sources.named(&hire.source);
        let input = Input {
            catalog,
            received: Some(TimeZone::UTC.to_datetime(hire.received_at).date()),
            today: Some(TimeZone::UTC.to_datetime(self.clock.now()).date()),
            facts: hire.record.facts.clone(),
            payloads,
            lacking: &hire.record.lacking,
            name_split: hire.record.name_split,
            review_split: source.is_some_and(|source| source.name_split() == NameSplitPolicy::Review),
            corrections: hire.record.corrections.clone(),
            translations: always,
            marker: self.marker.clone().map(|attribute| (attribute, hire.key.text())),
            files: &hire.record.files,
        };
        ask(self.mappings.of(&hire.source), &input)
    }
}

/// What the deliveries of one hire say.
pub(super) struct Told {
    /// What they say together; `None` if none of them can be read as a hire any more.
    pub(super) hired: Option<Hired>,
    /// The deliveries, oldest first, for mappings that reach into them.
    pub(super) payloads: Vec<Value>,
}

impl Told {
    /// Reads stored deliveries, of this source if it is still configured, oldest first.
    pub(super) fn again(source: Option<&Source>, payloads: Vec<Value>) -> Self {
        let read = |payload| match source?.read_payload(payload) {
            Ok(Event::Hire(hired)) => Some(*hired),
            _ => None,
        };
        Self { hired: payloads.iter().filter_map(read).reduce(Hired::and), payloads }
    }
}

/// Whether a plan has a doubt about this attribute's value.
fn is_about(doubt: &Warning, field: &str) -> bool {
    doubt.code == UNKNOWN_VALUE && doubt.field.as_deref() == Some(field)
}
