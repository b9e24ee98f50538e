//! What the webhook names only by its id, asked from Ashby's API. A question that fails is named, and
//! the hire goes on without its answer.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::api::{Api, ApiError};
use super::super::{Completed, Hired};
use super::ask::ask;
use super::files::Files;
use super::read::{ids, put_application, put_candidate, put_emails, put_offer};
use super::shapes::{Application, Candidate, Department, Location, Offer};
use crate::domain::Facts;

/// How many departments are asked for at most: a team, its parent, and so on.
const LONGEST_CHAIN: usize = 5;

type Ids = BTreeMap<&'static str, String>;

/// Asks what `known` lacks, as much as possible at once.
pub(super) async fn complete(
    api: Option<&Api>,
    hired: &Hired,
    known: &Facts,
    deadline: Instant,
) -> Completed {
    let mut known = known.clone();
    known.fill(&hired.facts);
    match api {
        Some(api) => Asking { api, hired, known: &known, deadline }.all().await.add_up(&known),
        None => Completed { lacking: lacking(&known, &hired.ids), ..Completed::default() },
    }
}

/// The smallest question that needs the right `candidatesRead`, without which nothing is completed:
/// <https://developers.ashbyhq.com/reference/applicationlist>.
pub(super) async fn try_key(api: &Api, deadline: Instant) -> Result<(), ApiError> {
    ask::<Value>(api, "application.list", &json!({ "limit": 1 }), deadline).await.map(drop)
}

/// What Ashby has, or should have, and the facts do not.
fn lacking(facts: &Facts, ids: &Ids) -> Vec<&'static str> {
    let unknown = |name| facts.value(name).is_none();
    [
        ("application", unknown("candidate.id")),
        ("department", ids.contains_key("department") && unknown("job.department")),
        ("office", ids.contains_key("location") && unknown("job.location")),
        ("hire_date", unknown("offer.start_date")),
    ]
    .into_iter()
    .filter_map(|(what, lacks)| lacks.then_some(what))
    .collect()
}

/// A question and why it has no answer.
struct Failed(&'static str, ApiError);

/// What a question brought; `None` if it was not asked, or has no answer.
type Found<T> = Result<Option<T>, Failed>;

/// A department, those above it, and why there are no more of them.
type Chain = (Vec<Department>, Option<Failed>);

/// The questions about one hire.
struct Asking<'a> {
    api: &'a Api,
    hired: &'a Hired,
    known: &'a Facts,
    deadline: Instant,
}

impl Asking<'_> {
    /// The offer stands for itself; the rest may first need to learn who applied for what.
    async fn all(&self) -> Answers {
        let (offer, (application, ids, rest)) = tokio::join!(self.offer(), self.around_the_application());
        let (departments, location, candidate) = rest;
        Answers { offer, application, ids, departments, location, candidate }
    }

    async fn around_the_application(
        &self,
    ) -> (Found<Application>, Ids, (Chain, Found<Location>, Found<Candidate>)) {
        let application = self.application().await;
        let found = application.as_ref().ok().and_then(Option::as_ref);
        let job = found.and_then(|application| application.job.as_ref());
        let ids = job.map_or_else(|| self.hired.ids.clone(), ids);
        let candidate = found.and_then(|application| application.candidate.as_ref());
        let candidate = candidate.map(|candidate| candidate.id.as_str());
        let rest = tokio::join!(
            self.departments(ids.get("department")),
            self.location(ids.get("location")),
            self.candidate(candidate.or(self.known.text("candidate.id")))
        );
        (application, ids, rest)
    }

    async fn ask<T: DeserializeOwned>(&self, call: &'static str, body: Value) -> Result<T, Failed> {
        ask(self.api, call, &body, self.deadline).await.map_err(|error| Failed(call, error))
    }

    /// Only when the webhook did not say who applied.
    async fn application(&self) -> Found<Application> {
        if self.known.value("candidate.id").is_some() {
            return Ok(None);
        }
        self.ask("application.info", json!({ "applicationId": self.hired.application })).await.map(Some)
    }

    /// The offer that was accepted last, unless the webhook brought one.
    async fn offer(&self) -> Found<Offer> {
        if self.known.value("offer.id").is_some() {
            return Ok(None);
        }
        let body = json!({ "applicationId": self.hired.application, "acceptanceStatus": ["Accepted"] });
        let offers: Vec<Offer> = self.ask("offer.list", body).await?;
        let ours = |offer: &Offer| offer.is_accepted() && offer.application_id == self.hired.application;
        // Instants in one notation sort as text.
        Ok(offers.into_iter().filter(ours).max_by(|a, b| a.decided_at.cmp(&b.decided_at)))
    }

    async fn candidate(&self, id: Option<&str>) -> Found<Candidate> {
        let Some(id) = id else { return Ok(None) };
        self.ask("candidate.info", json!({ "id": id })).await.map(Some)
    }

    async fn location(&self, id: Option<&String>) -> Found<Location> {
        let Some(id) = id.filter(|_| self.known.value("job.location").is_none()) else { return Ok(None) };
        self.ask("location.info", json!({ "locationId": id })).await.map(Some)
    }

    /// The job's department and those above it, as far as they could be had.
    async fn departments(&self, id: Option<&String>) -> Chain {
        let mut chain: Vec<Department> = Vec::new();
        let mut next = id.filter(|_| self.known.value("job.department").is_none()).cloned();
        while let Some(id) = next.take() {
            let asked = self.ask::<Department>("department.info", json!({ "departmentId": id })).await;
            match asked {
                Ok(department) => {
                    let above = department.parent_id.clone();
                    chain.push(department);
                    next = above.filter(|_| chain.len() < LONGEST_CHAIN);
                }
                Err(failed) => return (chain, Some(failed)),
            }
        }
        (chain, None)
    }
}

/// Every answer about one hire.
struct Answers {
    offer: Found<Offer>,
    application: Found<Application>,
    ids: Ids,
    departments: Chain,
    location: Found<Location>,
    candidate: Found<Candidate>,
}

impl Answers {
    /// What the answers add to `known`. Custom fields count in this order: offer, application, candidate.
    fn add_up(self, known: &Facts) -> Completed {
        let mut added = Added::default();
        added.offer(self.offer);
        let offer = added.0.facts.clone();
        let shown = added.application(self.application);
        added.departments(self.departments);
        added.location(self.location);
        let unanswered = self.candidate.is_err();
        added.candidate(self.candidate, shown, known);
        added.0.facts.leave_custom(known, &offer);
        let mut all = known.clone();
        all.fill(&added.0.facts);
        added.0.lacking = lacking(&all, &self.ids);
        if unanswered {
            added.0.lacking.push("candidate");
        }
        if known.value("candidate.full_name").is_some() {
            added.0.name_split = None;
        }
        added.0.files = added.1.found;
        added.0.notes.extend(added.1.notes);
        added.0
    }
}

/// What the answers add up to.
#[derive(Default)]
struct Added(Completed, Files);

impl Added {
    /// The answer, if there is one; why not is noted.
    fn take<T>(&mut self, found: Found<T>) -> Option<T> {
        found.unwrap_or_else(|failed| {
            self.failed(&failed);
            None
        })
    }

    fn failed(&mut self, Failed(call, error): &Failed) {
        self.0.notes.push(format!("ats_call_failed:{call}:{}", error.code()));
    }

    fn offer(&mut self, found: Found<Offer>) {
        if let Some(offer) = self.take(found) {
            put_offer(&offer, &mut self.0.facts, &mut self.0.notes);
            self.1.of_offer(&offer);
        }
    }

    /// Returns the candidate as the application shows it.
    fn application(&mut self, found: Found<Application>) -> Option<Candidate> {
        let application = self.take(found)?;
        self.1.of_application(&application);
        self.0.name_split = put_application(&application, &mut self.0.facts, &mut self.0.notes);
        application.candidate
    }

    /// A job may belong to a team: its name, else those above it, may be what Personio knows.
    fn departments(&mut self, (chain, failed): Chain) {
        if let Some(failed) = failed {
            self.failed(&failed);
        }
        let Some(own) = chain.first() else { return };
        self.0.facts.put("job.department", own.name.as_str());
        self.0.facts.put("job.team", own.parent_id.as_ref().map(|_| own.name.as_str()));
        self.0.facts.put("job.departments", chain.iter().map(|one| one.name.as_str()).collect::<Vec<_>>());
    }

    fn location(&mut self, found: Found<Location>) {
        let Some(location) = self.take(found) else { return };
        self.0.facts.put("job.location", location.name.as_str());
        let address = location.address.as_ref().and_then(|address| address.postal_address.as_ref());
        self.0.facts.put("job.country", address.and_then(|address| address.address_country.as_deref()));
    }

    /// The candidate as asked for, else as the application shows it. When neither tells an address, the
    /// webhook's one is all there are.
    fn candidate(&mut self, found: Found<Candidate>, shown: Option<Candidate>, known: &Facts) {
        let asked = self.take(found);
        if let Some(candidate) = &asked {
            let split = put_candidate(candidate, &mut self.0.facts, &mut self.0.notes);
            self.0.name_split = split.or(self.0.name_split);
            self.1.of_candidate(candidate);
        }
        put_emails(asked.or(shown).as_ref(), &mut self.0.facts);
        let told = self.0.facts.value("candidate.emails").is_some();
        if let Some(email) = known.text("candidate.email").filter(|_| !told) {
            self.0.facts.put("candidate.emails", vec![json!({ "address": email })]);
        }
    }
}

#[cfg(test)]
mod tests;
