//! What an Ashby payload says: which events mean a hire, and the facts in it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::contact::{Contact, emails};
use super::super::json::shaped;
use super::super::names;
use super::super::{Event, Filed, Hired, Merged, Misread, Unhired, fit_for_log, is_id, time};
use super::custom::put_custom_fields;
use super::files::Files;
use super::shapes::{
    Application, ApplicationPayload, Candidate, Job, Offer, OfferPayload, OfferVersion, TeamMember,
};
use crate::domain::{DocumentKind, Facts, NameSplit, Note};

/// What Ashby sends when a webhook is made or changed.
pub(super) const PING: &str = "ping";

const APPLICATION_UPDATE: &str = "applicationUpdate";
const CANDIDATE_HIRE: &str = "candidateHire";
const CANDIDATE_MERGE: &str = "candidateMerge";
const CANDIDATE_STAGE_CHANGE: &str = "candidateStageChange";
const OFFER_UPDATE: &str = "offerUpdate";
const PUSH_TO_HRIS: &str = "pushToHRIS";
const SIGNATURE_REQUEST_UPDATE: &str = "signatureRequestUpdate";

/// Every event that can mean a hire.
pub(super) const HIRE_EVENTS: &[&str] =
    &[CANDIDATE_HIRE, APPLICATION_UPDATE, CANDIDATE_STAGE_CHANGE, PUSH_TO_HRIS, OFFER_UPDATE];

/// Those that do unless the settings say otherwise; the other two need the API as well.
pub(super) const USUAL_HIRE_EVENTS: &[&str] = &[CANDIDATE_HIRE, APPLICATION_UPDATE, CANDIDATE_STAGE_CHANGE];

/// The events that show an application as it is, hired or not.
const SHOWS_STATUS: &[&str] = &[APPLICATION_UPDATE, CANDIDATE_STAGE_CHANGE];

/// The status of an application that is hired.
const HIRED: &str = "Hired";

/// The status of an application that is over: whoever has it is not hired, whatever a hire is taken to be.
const ARCHIVED: &str = "Archived";

/// The statuses of an application that is going on. Whoever has one is not hired, unless an accepted offer or a
/// push to an HRIS is taken for a hire: then it says nothing.
const GOING_ON: &[&str] = &["Active", "Lead"];

/// Ashby's other events, by its OpenAPI.
const OTHER_EVENTS: &[&str] = &[
    "applicationSubmit",
    "candidateDelete",
    "interviewPlanTransition",
    "interviewScheduleCreate",
    "interviewScheduleUpdate",
    "jobCreate",
    "jobPostingDelete",
    "jobPostingPublish",
    "jobPostingUnpublish",
    "jobPostingUpdate",
    "jobUpdate",
    "offerCreate",
    "offerDelete",
    "openingCreate",
    "surveySubmit",
];

/// What a payload says. `has_key`: whether the API can be asked. Without it, the one address in the payload is noted as
/// all there are, and no files, since nothing but the API opens them.
pub(super) fn event(payload: &Value, hired_when: &[&str], has_key: bool) -> Result<Event, Misread> {
    let Some(action) = payload["action"].as_str() else { return Err(Misread::at("$.action")) };
    let ignored = |reason| Ok(Event::Ignored { event: fit_for_log(action), reason });
    if action == PING {
        return ignored("ping");
    }
    if OTHER_EVENTS.contains(&action) {
        return ignored("event_not_used");
    }
    if action == CANDIDATE_MERGE {
        return merged(payload).map(Event::Merge);
    }
    if action == SIGNATURE_REQUEST_UPDATE {
        return match signature(payload)? {
            None => ignored("not_signed"),
            Some(_) if !has_key => ignored("api_key_missing"),
            Some(filed) => Ok(Event::Files(Box::new(filed))),
        };
    }
    let Some(action) = HIRE_EVENTS.iter().find(|known| **known == action) else {
        return ignored("unknown_event");
    };
    if let Some(unhired) = unhired(payload, action, hired_when) {
        return Ok(Event::Unhire(unhired));
    }
    if *action != CANDIDATE_HIRE && !hired_when.contains(action) {
        return ignored("event_not_used");
    }
    let read = Reading { payload, action, has_key };
    let hired = if *action == OFFER_UPDATE { read.offer() } else { read.application() };
    match hired.map_err(|misread| Misread { application: application_of(payload), ..misread })? {
        Some(hired) => Ok(Event::Hire(Box::new(hired))),
        None => ignored("not_hired"),
    }
}

/// Who is shown as not hired. Ashby has no event for a hire that is taken back; the status of the application then
/// is another one: <https://developers.ashbyhq.com/reference/applicationupdatewebhook>.
fn unhired(payload: &Value, action: &str, hired_when: &[&str]) -> Option<Unhired> {
    let application = &payload["data"]["application"];
    let status = application["status"].as_str().filter(|_| SHOWS_STATUS.contains(&action))?;
    let hired_means_more = hired_when.iter().any(|event| [PUSH_TO_HRIS, OFFER_UPDATE].contains(event));
    if status != ARCHIVED && (hired_means_more || !GOING_ON.contains(&status)) {
        return None;
    }
    Some(Unhired {
        application: application["id"].as_str().filter(|id| is_id(id))?.to_owned(),
        event: action.to_owned(),
        delivery_id: delivery_id(payload),
        at: time(&application["updatedAt"]),
        otherwise: "not_hired",
    })
}

/// `{"deletedCandidate": {"id": …}, "mergedCandidate": {"id": …}}`:
/// <https://developers.ashbyhq.com/reference/candidatemergewebhook>.
fn merged(payload: &Value) -> Result<Merged, Misread> {
    let id = |who: &str| {
        let id = payload["data"][who]["id"].as_str().filter(|id| is_id(id));
        id.map(str::to_owned).ok_or_else(|| Misread::at(format!("$.data.{who}.id")))
    };
    Ok(Merged {
        gone: id("deletedCandidate")?,
        kept: id("mergedCandidate")?,
        event: CANDIDATE_MERGE.to_owned(),
    })
}

/// `{"relatedEntityType": "application", "applicationId": …}` or `{"relatedEntityType": "offer", "offerId": …,
/// "offerVersionId": …}`, each with `eventType`; nothing if nothing was signed. Source: Ashby's OpenAPI.
fn signature(payload: &Value) -> Result<Option<Filed>, Misread> {
    let data = &payload["data"];
    if data["eventType"].as_str().ok_or_else(|| Misread::at("$.data.eventType"))? != "completed" {
        return Ok(None);
    }
    let id = |what: &str| {
        let id = data[what].as_str().filter(|id| is_id(id));
        id.map(str::to_owned).ok_or_else(|| Misread::at(format!("$.data.{what}")))
    };
    let (application, ids, awaited) = match data["relatedEntityType"].as_str() {
        Some("application") => (Some(id("applicationId")?), BTreeMap::new(), DocumentKind::Other),
        Some("offer") => {
            let ids = [("offer", id("offerId")?), ("offer_version", id("offerVersionId")?)];
            (None, BTreeMap::from(ids), DocumentKind::SignedOffer)
        }
        _ => return Err(Misread::at("$.data.relatedEntityType")),
    };
    Ok(Some(Filed {
        application,
        ids,
        event: SIGNATURE_REQUEST_UPDATE.to_owned(),
        delivery_id: delivery_id(payload),
        files: Vec::new(),
        awaited: Some(awaited),
        otherwise: "not_hired",
    }))
}

fn delivery_id(payload: &Value) -> Option<String> {
    payload["webhookActionId"].as_str().filter(|id| is_id(id)).map(str::to_owned)
}

/// The application's id, if at least that can be read.
fn application_of(payload: &Value) -> Option<String> {
    let places = ["/data/application/id", "/data/offer/applicationId"];
    let id = places.iter().find_map(|place| payload.pointer(place)?.as_str())?;
    is_id(id).then(|| id.to_owned())
}

/// A payload whose event may mean a hire.
struct Reading<'a> {
    payload: &'a Value,
    action: &'a str,
    has_key: bool,
}

impl Reading<'_> {
    fn application(&self) -> Result<Option<Hired>, Misread> {
        if !self.says_hired()? {
            return Ok(None);
        }
        let data = shaped::<ApplicationPayload>(self.payload)?.data;
        let mut hired = self.hired(&data.application.id, "$.data.application.id")?;
        if let Some(offer) = &data.offer {
            self.put_offer(offer, &mut hired);
        }
        hired.name_split = put_application(&data.application, &mut hired.facts, &mut hired.notes);
        if let Some(job) = &data.application.job {
            hired.ids = ids(job);
        }
        if !self.has_key {
            put_emails(data.application.candidate.as_ref(), &mut hired.facts);
        }
        Ok(Some(hired))
    }

    fn offer(&self) -> Result<Option<Hired>, Misread> {
        let offer = shaped::<OfferPayload>(self.payload)?.data.offer;
        if !offer.is_accepted() {
            return Ok(None);
        }
        let mut hired = self.hired(&offer.application_id, "$.data.offer.applicationId")?;
        hired.facts.put("application.id", offer.application_id.as_str());
        self.put_offer(&offer, &mut hired);
        Ok(Some(hired))
    }

    fn put_offer(&self, offer: &Offer, hired: &mut Hired) {
        put_offer(offer, &mut hired.facts, &mut hired.notes);
        if self.has_key {
            let mut files = Files::default();
            files.of_offer(offer);
            hired.files.extend(files.found);
            hired.notes.extend(files.notes);
        }
    }

    /// `candidateHire` and `pushToHRIS` say so by their name, the others by the application's status.
    fn says_hired(&self) -> Result<bool, Misread> {
        if [CANDIDATE_HIRE, PUSH_TO_HRIS].contains(&self.action) {
            return Ok(true);
        }
        let status = self.payload.pointer("/data/application/status").and_then(Value::as_str);
        status.map(|status| status == HIRED).ok_or_else(|| Misread::at("$.data.application.status"))
    }

    fn hired(&self, application: &str, place: &str) -> Result<Hired, Misread> {
        if !is_id(application) {
            return Err(Misread::at(place));
        }
        let at = ["/data/application/updatedAt", "/data/offer/decidedAt"];
        Ok(Hired {
            application: application.to_owned(),
            facts: Facts::new(),
            files: Vec::new(),
            event: self.action.to_owned(),
            delivery_id: delivery_id(self.payload),
            at: at.iter().find_map(|place| time(self.payload.pointer(place)?)),
            ids: BTreeMap::new(),
            name_split: None,
            notes: Vec::new(),
            to_confirm: false,
            settled: self.action == CANDIDATE_HIRE,
        })
    }
}

/// What is named only by its id.
pub(super) fn ids(job: &Job) -> BTreeMap<&'static str, String> {
    let ids = [("department", &job.department_id), ("location", &job.location_id)];
    ids.into_iter().filter_map(|(name, id)| Some((name, id.clone()?))).collect()
}

pub(super) fn put_application(
    application: &Application,
    facts: &mut Facts,
    notes: &mut Vec<Note>,
) -> Option<NameSplit> {
    facts.put("application.id", application.id.as_str());
    if let Some(job) = &application.job {
        facts.put("job.id", job.id.as_deref());
        facts.put("job.title", job.title.as_deref());
    }
    let is_manager = |member: &&TeamMember| member.role.as_deref() == Some("Hiring Manager");
    let manager = application.hiring_team.iter().flatten().find(is_manager);
    facts.put("job.hiring_manager_email", manager.and_then(|member| member.email.as_deref()));
    put_custom_fields("application", application.custom_fields.as_deref(), facts, notes);
    put_candidate(application.candidate.as_ref()?, facts, notes)
}

pub(super) fn put_candidate(
    candidate: &Candidate,
    facts: &mut Facts,
    notes: &mut Vec<Note>,
) -> Option<NameSplit> {
    let value = |contact: &Option<Contact>| contact.as_ref().and_then(|contact| contact.value.clone());
    facts.put("candidate.id", candidate.id.as_str());
    facts.put("candidate.email", value(&candidate.primary_email_address));
    facts.put("candidate.phone", value(&candidate.primary_phone_number));
    put_custom_fields("candidate", candidate.custom_fields.as_deref(), facts, notes);
    let name = candidate.name.as_deref()?;
    let split = names::split(name)?;
    facts.put("candidate.full_name", name);
    facts.put("candidate.first_name", split.first);
    facts.put("candidate.last_name", split.last);
    Some(split.how)
}

/// The addresses: all that the API gave, else the one that the webhook has.
pub(super) fn put_emails(candidate: Option<&Candidate>, facts: &mut Facts) {
    let Some(candidate) = candidate else { return };
    let addresses = match &candidate.email_addresses {
        Some(all) => emails(all),
        None => emails(&candidate.primary_email_address),
    };
    facts.put("candidate.emails", addresses);
}

pub(super) fn put_offer(offer: &Offer, facts: &mut Facts, notes: &mut Vec<Note>) {
    facts.put("offer.id", offer.id.as_str());
    let Some(OfferVersion { start_date, salary, custom_fields, .. }) = &offer.latest_version else { return };
    facts.put("offer.start_date", start_date.as_deref());
    if let Some(salary) = salary {
        facts.put("offer.salary_amount", salary.value.clone().map_or(Value::Null, Value::Number));
        facts.put("offer.salary_currency", salary.currency_code.as_deref());
    }
    put_custom_fields("offer", custom_fields.as_deref(), facts, notes);
}
