//! What a Recruitee webhook says: who was moved into which stage, and the facts in it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::json::shaped;
use super::super::{Event, Hired, Misread, fit_for_log, names, time};
use super::shapes::{Body, Job, Person, Stage};
use crate::domain::{Facts, NameSplit};

/// The event *Pipeline change*.
const MOVED: &str = "candidate_moved";

/// Recruitee's other events, by what its receivers know.
const OTHER_EVENTS: &[&str] = &[
    "new_candidate",
    "candidate_created",
    "candidate_assigned",
    "candidate_deleted",
    "offer_published",
    "offer_unpublished",
    "offer_updated",
];

/// The category of the stages that mean that somebody was hired.
const HIRE: &str = "hire";

/// What is answered to a test.
pub(super) const TEST: &str = "test";

/// Which stages mean a hire, beside those of the category.
pub(super) struct Stages {
    /// By name or id, as the operator wrote them.
    pub(super) named: Vec<String>,
    /// Whether the API can be asked where a webhook does not tell.
    pub(super) has_key: bool,
}

/// What a stage says of a hire.
enum Says {
    Hired,
    NotHired,
    /// Its category is missing, and no stages are configured.
    Nothing,
}

impl Stages {
    fn say(&self, stage: &Stage) -> Says {
        let is_named = |text: Option<&str>| text.is_some_and(|text| self.named.iter().any(|one| one == text));
        let names = [stage.name.as_deref().map(str::trim), stage.id.as_ref().map(|id| id.0.as_str())];
        match stage.category.as_deref() {
            Some(HIRE) => Says::Hired,
            _ if names.into_iter().any(is_named) => Says::Hired,
            None if self.named.is_empty() => Says::Nothing,
            _ => Says::NotHired,
        }
    }
}

/// What a payload says. Whatever has `test` in it is a test: Recruitee adds that to its examples of events.
pub(super) fn event(payload: &Value, stages: &Stages) -> Result<Event, Misread> {
    let ignored = |reason, event: &str| Ok(Event::Ignored { event: fit_for_log(event), reason });
    if payload.get("test").is_some() {
        return ignored("test", TEST);
    }
    let Some(kind) = payload["event_type"].as_str() else { return Err(Misread::at("$.event_type")) };
    if kind != MOVED {
        let known = OTHER_EVENTS.contains(&kind);
        return if known { ignored("event_not_used", kind) } else { ignored("unknown_event", kind) };
    }
    // Who is moved out of the hires is not hired any more, like everybody else who is moved anywhere.
    match payload["event_subtype"].as_str() {
        Some("stage_changed") => moved(payload, stages),
        Some("disqualified") => Ok(Event::Unhire(hired(&body(payload)?).taken_back())),
        Some("requalified") => ignored("event_not_used", "requalified"),
        Some(other) => ignored("unknown_event", other),
        None => Err(Misread::at("$.event_subtype")),
    }
}

fn body(payload: &Value) -> Result<Body, Misread> {
    let id = |pointer: &str| payload.pointer(pointer).and_then(Value::as_u64);
    let both = id("/payload/candidate/id").zip(id("/payload/offer/id"));
    let application = both.map(|(candidate, job)| format!("{candidate}-{job}"));
    shaped::<Body>(payload).map_err(|misread| Misread { application, ..misread })
}

/// Recruitee has no application: it is a candidate and a job together.
fn application(body: &Body) -> String {
    format!("{}-{}", body.payload.candidate.id.0, body.payload.offer.id.0)
}

fn moved(payload: &Value, stages: &Stages) -> Result<Event, Misread> {
    let body = body(payload)?;
    let Some(stage) = &body.payload.details.to_stage else {
        return Err(Misread {
            application: Some(application(&body)),
            ..Misread::at("$.payload.details.to_stage")
        });
    };
    let to_confirm = match stages.say(stage) {
        Says::Hired => false,
        Says::Nothing if stages.has_key => true,
        Says::Nothing => return Ok(Event::Ignored { event: MOVED.to_owned(), reason: "stage_unknown" }),
        Says::NotHired => return Ok(Event::Unhire(hired(&body).taken_back())),
    };
    Ok(Event::Hire(Box::new(Hired { to_confirm, ..hired(&body) })))
}

fn hired(body: &Body) -> Hired {
    let mut facts = Facts::new();
    let id = application(body);
    facts.put("application.id", id.as_str());
    let name_split = put_person(&body.payload.candidate, &mut facts);
    put_job(&body.payload.offer, &mut facts);
    let ids = [("candidate", &body.payload.candidate.id), ("job", &body.payload.offer.id)];
    Hired {
        application: id,
        facts,
        at: body.created_at.as_deref().and_then(|at| time(&at.into())),
        event: MOVED.to_owned(),
        delivery_id: body.id.as_ref().map(|id| id.0.clone()),
        ids: ids.into_iter().map(|(name, id)| (name, id.0.clone())).collect::<BTreeMap<_, _>>(),
        name_split,
        notes: Vec::new(),
        files: Vec::new(),
        to_confirm: false,
        settled: true,
    }
}

pub(super) fn put_person(person: &Person, facts: &mut Facts) -> Option<NameSplit> {
    facts.put("candidate.id", person.id.0.as_str());
    facts.put("candidate.email", person.emails.first().map(String::as_str));
    let addresses = person.emails.iter().filter(|address| !address.trim().is_empty());
    facts.put("candidate.emails", addresses.map(|address| json!({ "address": address })).collect::<Vec<_>>());
    facts.put("candidate.phone", person.phones.first().map(String::as_str));
    let name = person.name.as_deref()?;
    let split = names::split(name)?;
    facts.put("candidate.full_name", name);
    facts.put("candidate.first_name", split.first);
    facts.put("candidate.last_name", split.last);
    Some(split.how)
}

fn put_job(job: &Job, facts: &mut Facts) {
    facts.put("job.id", job.id.0.as_str());
    facts.put("job.title", job.title.as_deref());
    facts.put("job.department", job.department.as_ref().and_then(|department| department.name.as_deref()));
    let tags = job.tags.iter().flatten().filter_map(|tag| tag.name.clone());
    facts.put("job.tags", tags.collect::<Vec<_>>());
}
