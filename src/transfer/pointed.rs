//! Hires that a person points at: looked for at the ATS, and held for that person to look at.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::planner::Told;
use super::refusal::{DeskError, FieldError};
use super::{Inner, Transfer};
use crate::ats::{Hired, LOOKED_FOR, Meant, Source};
use crate::domain::{Actor, Effect, Event, Held, Hire, HireId, State};
use crate::ledger::{Accepted, Delivery};

/// How long the ATS may take to say who is meant.
const LOOK_FOR_WITHIN: Duration = Duration::from_secs(10);

/// The note on a hire that the ATS does not call one yet.
const NOT_HIRED: &str = "not_hired_at_the_ats";

impl Transfer {
    /// Asks the ATS for what a person means by a link or an id, and stores it as a hire for review. The flag says
    /// whether it was known already: a later webhook is the same hire.
    ///
    /// # Errors
    /// [`DeskError::UnknownSource`], [`DeskError::NotAskable`], [`DeskError::Ats`]; [`DeskError::Invalid`] if nobody,
    /// or not one alone, is meant.
    pub async fn point_at(
        &self,
        source: &str,
        pasted: &str,
        operator: &str,
    ) -> Result<(Hire, bool), DeskError> {
        let inner = &self.0;
        let known = inner.parts.planner.sources.named(source);
        let source = known.ok_or_else(|| DeskError::UnknownSource(source.to_owned()))?;
        let asked = source.look_for(pasted, Instant::now() + LOOK_FOR_WITHIN).await;
        let meant = asked.ok_or(DeskError::NotAskable)?.map_err(DeskError::Ats)?;
        let Meant { application: hired, is_hired } = the_one(meant)?;
        let key = source.key(&hired.application);
        if let Some(hire) = inner.parts.ledger.find(&key).await? {
            return Ok((hire, true));
        }
        let actor = Actor::Operator(operator.to_owned());
        let id = inner.new_id();
        let mut hire = Hire::held(id, source.name(), key, Held::Review, &actor, inner.now());
        hire.record.facts.clone_from(&hired.facts);
        if !is_hired {
            hire.note(NOT_HIRED);
        }
        let told = Told { hired: Some(hired), payloads: Vec::new() };
        inner.parts.planner.complete(&mut hire, &told).await;
        let always = inner.always(&hire.source).await?;
        hire.record.plan = inner.parts.planner.plan(&hire, &[], &always).await;
        let delivery = inner.nothing_delivered(&hire, LOOKED_FOR);
        match inner.parts.ledger.accept(hire, delivery).await? {
            Accepted::New(hire) => {
                inner.files_came(&hire, &hire.record.files).await?;
                Ok((hire, false))
            }
            Accepted::Repeat(hire) => Ok((hire, true)),
        }
    }

    /// Reads the hire's stored deliveries again, as if they came now: by the code and the rules of today.
    ///
    /// # Errors
    /// [`DeskError::NotFound`], [`DeskError::WrongState`] if it was or may have been sent,
    /// [`DeskError::NothingDelivered`], [`DeskError::Unreadable`] if they still say nothing of a hire.
    pub async fn replay(&self, id: HireId, operator: &str) -> Result<Hire, DeskError> {
        self.0.replay(id, operator).await
    }
}

impl Inner {
    async fn replay(self: &Arc<Self>, id: HireId, operator: &str) -> Result<Hire, DeskError> {
        let mut hire = self.known(id).await?;
        if !hire.state().is_before_permit() {
            return Err(DeskError::WrongState { state: hire.state(), decided: None });
        }
        let source = self.parts.planner.sources.named(&hire.source);
        let source = source.ok_or_else(|| DeskError::UnknownSource(hire.source.clone()))?;
        let payloads = self.payloads(&hire).await?;
        if payloads.is_empty() {
            return Err(DeskError::NothingDelivered);
        }
        let told = Told::again(Some(source), payloads);
        let hired = told.hired.ok_or(DeskError::Unreadable { reason: "no_hire_in_it" })?;
        let actor = Actor::Operator(operator.to_owned());
        if source.key(&hired.application) != hire.key {
            return self.replayed_as_another(hire, source, hired, &actor).await;
        }
        let mut facts = hired.facts.clone();
        facts.fill(&hire.record.facts);
        hire.record.facts = facts;
        hire.record.name_split = hired.name_split;
        let effect = hire.apply(&Event::FactsAdded, &actor, self.now())?;
        hire.next_at = (effect == Effect::Plan).then(|| self.now());
        let hire = self.save_and_start(hire, effect).await?;
        self.progress.idle(id).await;
        self.known(hire.id).await
    }

    /// What could not be read had no id of its own: now it is read, it is the hire that it tells of.
    async fn replayed_as_another(
        self: &Arc<Self>,
        mut hire: Hire,
        source: &Source,
        hired: Hired,
        actor: &Actor,
    ) -> Result<Hire, DeskError> {
        let bodies = self.parts.ledger.bodies(hire.id).await?;
        let key = source.key(&hired.application);
        let mut other = Hire::received(self.new_id(), source.name(), key, hired.facts.clone(), self.now());
        other.record.name_split = hired.name_split;
        other.record.hired_at = hired.at;
        let body = bodies.into_iter().next().unwrap_or_default();
        let delivery = Delivery { body, ..self.nothing_delivered(&other, &hired.event) };
        let (Accepted::New(other) | Accepted::Repeat(other)) =
            self.parts.ledger.accept(other, delivery).await?;
        hire.flags.dismissed = true;
        hire.note(&format!("replayed_as:{}", other.id));
        hire.remark(actor, "replayed", self.now());
        self.save(&mut hire).await?;
        if other.state() == State::Received {
            self.start(other.clone(), Effect::Plan, None);
            self.progress.idle(other.id).await;
        }
        self.known(other.id).await
    }

    /// A delivery's line for what no ATS has delivered.
    pub(super) fn nothing_delivered(&self, hire: &Hire, event: &str) -> Delivery {
        Delivery {
            source: hire.source.clone(),
            at: self.now(),
            event: event.to_owned(),
            delivery_id: None,
            secret: None,
            body: Vec::new(),
        }
    }
}

/// Who is meant: the one application, or of several the one that is a hire.
fn the_one(mut meant: Vec<Meant>) -> Result<Meant, DeskError> {
    let wrong =
        |message: String| DeskError::Invalid(vec![FieldError { field: "reference".to_owned(), message }]);
    if meant.len() > 1 && meant.iter().any(|one| one.is_hired) {
        meant.retain(|one| one.is_hired);
    }
    match meant.len() {
        0 => Err(wrong("means nobody there: paste the link to the candidate's page, or an id".to_owned())),
        1 => Ok(meant.remove(0)),
        _ => {
            let ids: Vec<_> = meant.iter().map(|one| one.application.application.as_str()).collect();
            Err(wrong(format!("means several applications; paste one of these ids: {}", ids.join(", "))))
        }
    }
}
