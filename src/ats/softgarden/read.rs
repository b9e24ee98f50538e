//! What a delivery says, and the facts in it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::contact::{Contact, emails};
use super::super::custom::{self, is_texts};
use super::super::json::{Id, shaped};
use super::super::{Event, Hired, Misread, Unhired, fit_for_log, time};
use super::contract::SoftgardenDelivery;
use super::files::files;
use crate::domain::{Facts, Note};

/// Somebody was hired.
pub(super) const HIRED: &str = "HIRED";

/// A hire is taken back.
const WITHDRAWN: &str = "WITHDRAWN";

/// A trial.
const TEST: &str = "TEST";

/// What a note calls the fields of their own.
const CUSTOM_FIELDS: &str = "customFields";

/// What a delivery says. Without a status it is not known what it is about: nothing is guessed.
pub(super) fn event(payload: &Value) -> Result<Event, Misread> {
    let Some(status) = payload["status"].as_str() else {
        return Err(Misread { application: application_of(payload), ..Misread::at("$.status") });
    };
    let ignored = |reason| Ok(Event::Ignored { event: fit_for_log(status), reason });
    match [HIRED, WITHDRAWN, TEST].into_iter().find(|known| status.eq_ignore_ascii_case(known)) {
        Some(HIRED) => hired(payload).map(|hired| Event::Hire(Box::new(hired))),
        Some(WITHDRAWN) => unhired(payload).map(Event::Unhire),
        Some(_) => ignored("ping"),
        None => ignored("not_hired"),
    }
}

/// The application's id, if at least that can be read.
fn application_of(payload: &Value) -> Option<String> {
    Id::try_from(payload["applicationId"].clone()).ok().map(|id| id.0)
}

fn unhired(payload: &Value) -> Result<Unhired, Misread> {
    Ok(Unhired {
        application: application_of(payload).ok_or_else(|| Misread::at("$.applicationId"))?,
        event: WITHDRAWN.to_owned(),
        delivery_id: None,
        at: time(&payload["changedAt"]),
        otherwise: "not_hired",
    })
}

fn hired(payload: &Value) -> Result<Hired, Misread> {
    let misread = |misread| Misread { application: application_of(payload), ..misread };
    let delivery: SoftgardenDelivery = shaped(payload).map_err(misread)?;
    let (mut facts, mut notes) = (Facts::new(), Vec::new());
    put_candidate(&delivery, &mut facts);
    put_position(&delivery, &mut facts);
    put_custom(delivery.custom_fields.as_ref(), &mut facts, &mut notes);
    Ok(Hired {
        at: time(&payload["changedAt"]),
        application: delivery.application_id.0,
        facts,
        event: HIRED.to_owned(),
        delivery_id: None,
        ids: BTreeMap::new(),
        name_split: None,
        files: files(&payload["documents"], &mut notes),
        notes,
        to_confirm: false,
        settled: true,
    })
}

fn put_candidate(delivery: &SoftgardenDelivery, facts: &mut Facts) {
    facts.put("application.id", delivery.application_id.0.as_str());
    facts.put("candidate.first_name", delivery.firstname.as_deref());
    facts.put("candidate.last_name", delivery.lastname.as_deref());
    facts.put("candidate.email", delivery.email.as_deref());
    let only = Contact { value: delivery.email.clone(), kind: None };
    facts.put("candidate.emails", emails([&only]));
    facts.put("candidate.phone", delivery.phone.as_deref());
    facts.put("candidate.gender", delivery.gender.as_deref());
    facts.put("candidate.birth_date", delivery.birth_date.as_deref());
    if let Some(address) = &delivery.address {
        facts.put("candidate.street", address.street.as_deref());
        facts.put("candidate.postal_code", address.postal_code.as_deref());
        facts.put("candidate.city", address.city.as_deref());
        facts.put("candidate.country", address.country_code.as_deref());
    }
}

fn put_position(delivery: &SoftgardenDelivery, facts: &mut Facts) {
    let id = |id: &Option<Id>| id.as_ref().map(|id| id.0.clone());
    facts.put("tenant.id", id(&delivery.tenant_id));
    facts.put("tenant.name", delivery.tenant.as_deref());
    facts.put("job.id", id(&delivery.job_id));
    facts.put("job.title", delivery.job_name.as_deref());
    facts.put("job.department", delivery.department.as_deref());
    facts.put("job.location", delivery.location.as_deref());
    facts.put("job.employment_type", delivery.employment_type.as_deref());
    facts.put("offer.start_date", delivery.hire_date.as_deref());
    facts.put("offer.end_date", delivery.contract_end_date.as_deref());
    let hours = delivery.weekly_hours.as_ref().filter(|hours| custom::number(hours).is_some());
    facts.put("offer.weekly_hours", hours.cloned().unwrap_or_default());
    facts.put("application.hired_at", delivery.changed_at.as_deref());
}

fn put_custom(fields: Option<&Map<String, Value>>, facts: &mut Facts, notes: &mut Vec<Note>) {
    for (index, (title, value)) in fields.into_iter().flatten().enumerate() {
        if title.trim().is_empty() || value.is_object() || (value.is_array() && !is_texts(value)) {
            notes.push(format!("custom_field_left_out:{CUSTOM_FIELDS}[{index}]"));
        } else {
            facts.put_custom(title, value.clone());
        }
    }
}
