//! What a Greenhouse payload says: who was hired, taken back or merged, and the facts in it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::contact::{Contact, emails};
use super::super::json::{Id, shaped};
use super::super::{Event, Hired, Merged, Misread, Unhired, fit_for_log, time};
use super::custom::{put_custom_fields, salary};
use super::files::files;
use super::shapes::{Application, Applied, Candidate, Job, MergePayload, Named, Offer, Unit};
use crate::domain::{Facts, Note};

/// The web hook *Candidate hired*.
pub(super) const HIRE: &str = "hire_candidate";

const UNHIRE: &str = "unhire_candidate";
const MERGE: &str = "merge_candidate";

/// Which number is a person's own, the best first.
const PHONES: &[&str] = &["mobile", "home", "other", "work"];

/// Which address is a person's own, the best first. No address is marked as the primary one.
const EMAILS: &[&str] = &["personal", "other", "work"];

/// What a payload says. Whatever is not one of three events is nothing for us: what Greenhouse sends when a web hook is
/// saved is not documented, but for being signed.
pub(super) fn event(payload: &Value) -> Result<Event, Misread> {
    let action = payload["action"].as_str();
    let ignored = |reason| Ok(Event::Ignored { event: fit_for_log(action.unwrap_or_default()), reason });
    match action {
        Some(HIRE) => {
            let misread = |misread| Misread { application: application_of(payload), ..misread };
            let body = shaped::<Applied<Application>>(payload).map_err(misread)?;
            Ok(Event::Hire(Box::new(hired(body.payload.application))))
        }
        Some(UNHIRE) => unhired(payload).map(Event::Unhire),
        Some(MERGE) => merged(payload).map(Event::Merge),
        Some("ping") => ignored("ping"),
        None if payload.pointer("/payload/application").is_some() => Err(Misread::at("$.action")),
        _ => ignored("event_not_used"),
    }
}

/// The application's id, if at least that can be read.
fn application_of(payload: &Value) -> Option<String> {
    Id::try_from(payload.pointer("/payload/application/id")?.clone()).ok().map(|id| id.0)
}

/// `last_activity_at` is not said to be the time at which the hire was taken back, so that there is none: if the hire
/// is delivered again, a person decides.
fn unhired(payload: &Value) -> Result<Unhired, Misread> {
    let application = shaped::<Applied<Named>>(payload)?.payload.application;
    Ok(Unhired {
        application: application.id.0,
        event: UNHIRE.to_owned(),
        delivery_id: None,
        at: None,
        otherwise: "not_hired",
    })
}

fn merged(payload: &Value) -> Result<Merged, Misread> {
    let person = shaped::<MergePayload>(payload)?.payload.person;
    Ok(Merged { gone: person.id.0, kept: person.new_candidate_id.0, event: MERGE.to_owned() })
}

fn hired(application: Application) -> Hired {
    let (mut facts, mut notes) = (Facts::new(), Vec::new());
    facts.put("application.id", application.id.0.as_str());
    let resolved_at = application.offer.as_ref().and_then(|offer| offer.resolved_at.as_deref());
    put_custom(&application, &mut facts, &mut notes);
    if let Some(offer) = &application.offer {
        put_offer(offer, &mut facts);
    }
    if let Some(candidate) = &application.candidate {
        put_candidate(candidate, &mut facts);
    }
    put_job(application.jobs.as_deref().unwrap_or_default(), &mut facts, &mut notes);
    let files = application.candidate.as_ref().map(|candidate| files(&candidate.attachments, &mut notes));
    Hired {
        at: resolved_at.and_then(|at| time(&at.into())),
        application: application.id.0,
        facts,
        event: HIRE.to_owned(),
        delivery_id: None,
        ids: BTreeMap::new(),
        name_split: None,
        notes,
        files: files.unwrap_or_default(),
        to_confirm: false,
        settled: true,
    }
}

fn put_custom(application: &Application, facts: &mut Facts, notes: &mut Vec<Note>) {
    let job = application.jobs.iter().flatten().next();
    let owners = [
        ("offer", application.offer.as_ref().map(|offer| &offer.custom_fields)),
        ("application", Some(&application.custom_fields)),
        ("candidate", application.candidate.as_ref().map(|candidate| &candidate.custom_fields)),
        ("job", job.map(|job| &job.custom_fields)),
        ("opening", application.opening.as_ref().map(|opening| &opening.custom_fields)),
    ];
    let owners: Vec<_> = owners.into_iter().filter_map(|(owner, fields)| Some((owner, fields?))).collect();
    put_custom_fields(&owners, facts, notes);
}

fn put_offer(offer: &Offer, facts: &mut Facts) {
    facts.put("offer.id", offer.id.as_ref().map(|id| id.0.as_str()));
    facts.put("offer.start_date", offer.starts_at.as_deref());
    facts.put("application.hired_at", offer.resolved_at.as_deref());
    if let Some((amount, currency)) = salary(&offer.custom_fields) {
        facts.put("offer.salary_amount", amount.clone());
        facts.put("offer.salary_currency", currency.clone());
    }
}

fn put_candidate(candidate: &Candidate, facts: &mut Facts) {
    facts.put("candidate.id", candidate.id.as_ref().map(|id| id.0.as_str()));
    facts.put("candidate.first_name", candidate.first_name.as_deref());
    facts.put("candidate.last_name", candidate.last_name.as_deref());
    let addresses = candidate.email_addresses.as_deref().unwrap_or_default();
    facts.put("candidate.email", best(addresses, EMAILS));
    facts.put("candidate.emails", emails(addresses));
    let numbers = candidate.phone_numbers.as_deref().unwrap_or_default();
    facts.put("candidate.phone", best(numbers, PHONES));
}

/// The first of the best kind that there is, or of one that is not documented; what is called by `skype` is no number.
fn best<'a>(contacts: &'a [Contact], kinds: &[&str]) -> Option<&'a str> {
    let first = |fits: &dyn Fn(Option<&str>) -> bool| {
        contacts.iter().filter(|one| fits(one.kind.as_deref())).find_map(Contact::known)
    };
    let of_kind = |wanted: &&str| first(&|kind| kind == Some(*wanted));
    kinds.iter().find_map(of_kind).or_else(|| first(&|kind| kind != Some("skype")))
}

fn put_job(jobs: &[Job], facts: &mut Facts, notes: &mut Vec<Note>) {
    let Some(job) = jobs.first() else { return };
    facts.put("job.id", job.id.as_ref().map(|id| id.0.as_str()));
    facts.put("job.title", job.name.as_deref());
    let (departments, offices) = (names(job.departments.as_deref()), names(job.offices.as_deref()));
    facts.put("job.department", departments.first().cloned());
    facts.put("job.location", offices.first().cloned());
    if jobs.len() > 1 {
        notes.push("several_jobs".to_owned());
    }
    if departments.len() > 1 {
        notes.push("several_departments".to_owned());
    }
    if offices.len() > 1 {
        notes.push("several_offices".to_owned());
    }
    facts.put("job.departments", departments);
}

fn names(units: Option<&[Unit]>) -> Vec<String> {
    let names = units.into_iter().flatten().filter_map(|unit| unit.name.clone());
    names.filter(|name| !name.trim().is_empty()).collect()
}
