//! `/v1/company/employees`: create, update, list, get.

use std::collections::HashSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::answer::{Answer, Payload};
use super::attributes::wrapped;
use super::call::Call;
use super::company::Company;
use super::draft::{self, Purpose};
use super::fitting::Dropped;
use super::manner::{Manner, MetaShape, TakenEmail};
use super::person::{Person, Stored};

const PAGE: usize = 50;
const LARGEST_PAGE: usize = 100;

/// The answer to a create, and the id if somebody was made.
pub(super) fn create(company: &mut Company, call: &Call, manner: &Manner) -> (Answer, Option<u64>) {
    match created(company, call, manner) {
        Ok((id, dropped)) => {
            let mut body = json!({"success": true, "data": {"id": id, "message": "success"}});
            if let Some(meta) = Dropped::meta(&dropped, manner.meta).filter(|_| !dropped.is_empty()) {
                body["meta"] = meta;
            }
            (Answer::json(200, body), Some(id))
        }
        Err(refusal) => (*refusal, None),
    }
}

fn created(company: &mut Company, call: &Call, manner: &Manner) -> Result<(u64, Vec<Dropped>), Box<Answer>> {
    let fitted = company.fit(changes(call, Purpose::Create)?, manner)?;
    let mut person = Person::default();
    for change in fitted.changes {
        change.apply(&mut person);
    }
    check_person(&person, manner)?;
    if let TakenEmail::Refused { status, code } = manner.taken_email
        && !company.with_email(&person.email, manner.emails_ignore_case).is_empty()
    {
        let message =
            manner.say("The email has already been taken.", "Diese E-Mail-Adresse wird bereits verwendet.");
        return Err(Answer::refusal(status, code, message).into());
    }
    Ok((company.add(person), fitted.dropped))
}

/// `PATCH /v1/company/employees/{id}`: `meta` is always there and always a list of strings.
pub(super) fn update(company: &mut Company, call: &Call, manner: &Manner) -> Answer {
    updated(company, call, manner).unwrap_or_else(|refusal| *refusal)
}

fn updated(company: &mut Company, call: &Call, manner: &Manner) -> Result<Answer, Box<Answer>> {
    let stored = call.id.and_then(|id| company.employees.get(&id)).ok_or_else(not_found)?;
    let (id, mut person) = (stored.id, stored.person.clone());
    let fitted = company.fit(changes(call, Purpose::Update)?, manner)?;
    for change in fitted.changes {
        change.apply(&mut person);
    }
    check_person(&person, manner)?;
    if person.supervisor_id == Some(id) {
        let message =
            manner.say("An employee cannot be their own supervisor", "Ungültige vorgesetzte Person");
        return Err(Answer::unprocessable(message).into());
    }
    let now = company.calendar.now();
    if let Some(stored) = company.employees.get_mut(&id) {
        stored.person = person;
        stored.last_modified_at = now;
    }
    let meta = Dropped::meta(&fitted.dropped, MetaShape::Strings);
    Ok(Answer::json(200, json!({"success": true, "data": {"id": id}, "meta": meta})))
}

fn changes(call: &Call, purpose: Purpose) -> Result<Vec<draft::Change>, Box<Answer>> {
    let body = call.json().map_err(|what| Answer::violation(vec![what]))?;
    draft::read(body, purpose).map_err(|violations| Answer::violation(violations).into())
}

/// What is wrong with the person's own data, and no fault of the caller's code.
fn check_person(person: &Person, manner: &Manner) -> Result<(), Box<Answer>> {
    let required =
        [("first_name", &person.first_name), ("last_name", &person.last_name), ("email", &person.email)];
    if let Some((field, _)) = required.iter().find(|(_, value)| value.trim().is_empty()) {
        let german = format!("Bitte geben Sie {field} ein, um fortzufahren.");
        return Err(
            Answer::unprocessable(manner.say(format!("The {field} field is required."), german)).into()
        );
    }
    if !person.email.contains('@') {
        let message =
            manner.say("The email must be a valid email address.", "Die E-Mail-Adresse ist ungültig.");
        return Err(Answer::unprocessable(message).into());
    }
    Ok(())
}

/// `GET /v1/company/employees/{id}`
pub(super) fn one(company: &mut Company, call: &Call, manner: &Manner) -> Answer {
    let found = call.id.filter(|id| company.found(*id)).and_then(|id| company.employees.get(&id));
    match found {
        Some(stored) => Answer::data(200, wrapped(company, stored, manner, &|_| true)),
        None => not_found(),
    }
}

/// Personio's answer for an unknown employee: German, whatever the language.
fn not_found() -> Answer {
    Answer::refusal(404, 404, "Es ist ein Problem aufgetreten ")
}

/// What a list is asked for.
struct Listing<'c> {
    limit: usize,
    offset: usize,
    email: Option<&'c str>,
    since: Option<Timestamp>,
    attributes: HashSet<&'c str>,
}

/// `GET /v1/company/employees`
pub(super) fn list(company: &mut Company, call: &Call, manner: &Manner) -> Answer {
    match Listing::read(call, company) {
        Ok(listing) => listing.page(company, manner),
        Err(violations) => Answer::violation(violations),
    }
}

impl<'c> Listing<'c> {
    fn read(call: &'c Call, company: &Company) -> Result<Self, Vec<String>> {
        let (limit, offset) = (call.parameter("limit"), call.parameter("offset"));
        let since = call.parameter("updated_since");
        let mut listing = Self {
            limit: limit.map_or(Some(PAGE), |text| text.parse().ok()).unwrap_or_default(),
            offset: offset.map_or(Some(0), |text| text.parse().ok()).unwrap_or(usize::MAX),
            email: call.parameter("email"),
            since: since.and_then(|text| company.calendar.moment(text)),
            attributes: HashSet::new(),
        };
        let named = call.query.iter().filter(|(key, _)| key == "attributes[]");
        listing.attributes.extend(named.map(|(_, value)| value.as_str()));
        let wrong = [
            (!(1..=LARGEST_PAGE).contains(&listing.limit), "limit must be 1 to 100"),
            (listing.offset == usize::MAX, "offset must be a whole number"),
            (since.is_some() && listing.since.is_none(), "updated_since must be a date or a date and time"),
        ];
        let wrong: Vec<String> =
            wrong.iter().filter(|(is_wrong, _)| *is_wrong).map(|&(_, what)| what.into()).collect();
        if wrong.is_empty() { Ok(listing) } else { Err(wrong) }
    }

    fn page(&self, company: &mut Company, manner: &Manner) -> Answer {
        let ids = self.ids(company, manner);
        let asked = |key: &str| self.attributes.is_empty() || key == "id" || self.attributes.contains(key);
        let page = ids.iter().skip(self.offset).take(self.limit).filter_map(|id| company.employees.get(id));
        let data: Vec<Value> = page.map(|stored| wrapped(company, stored, manner, &asked)).collect();
        let body = json!({
            "success": true,
            "metadata": {
                "total_elements": ids.len(),
                "current_page": self.offset / self.limit,
                "total_pages": ids.len().div_ceil(self.limit),
            },
            "offset": self.offset,
            "limit": self.limit,
            "data": data,
        });
        Answer::new(200, Payload::Json(body))
    }

    /// Who is in the list. As documented, `updated_since` makes Personio ignore the address.
    fn ids(&self, company: &mut Company, manner: &Manner) -> Vec<u64> {
        if let (Some(email), None) = (self.email, self.since) {
            let ids = company.with_email(email, manner.emails_ignore_case);
            return ids.into_iter().filter(|id| company.found(*id)).collect();
        }
        let changed = |stored: &&Stored| self.since.is_none_or(|since| stored.last_modified_at >= since);
        let ids = company.employees.values().filter(changed).map(|stored| stored.id);
        ids.filter(|id| company.visible(*id)).collect()
    }
}
