//! Hires that a person types: looked at, stored for review or sent at once.

use std::sync::Arc;
use std::time::Duration;

use super::desk::approve;
use super::refusal::{DeskError, FieldError};
use super::{Inner, Planner, Transfer};
use crate::ats::is_id;
use crate::domain::{Actor, Effect, Facts, Held, Hire, HireKey, Plan, State};
use crate::ledger::Accepted;

/// The kind, and the source's name, of hires that were typed by hand and belong to no source.
pub(super) const BY_HAND: &str = "manual";

/// A hire typed by hand.
pub struct Typed {
    /// What was typed.
    pub facts: Facts,
    /// The source whose hire it is, if it is one's.
    pub source: Option<String>,
    /// Its id there, so that a later webhook is the same hire.
    pub ats_id: Option<String>,
    /// What makes it one hire otherwise.
    pub idempotency_key: Option<String>,
    /// The hash of the plan that was previewed: then it is sent at once.
    pub plan_hash: Option<String>,
}

impl Transfer {
    /// The plan for a hire typed by hand, under the rules of `source`. Writes nothing. A marker attribute
    /// is left out as long as nothing says what the hire's key would be.
    ///
    /// # Errors
    /// [`DeskError::UnknownSource`].
    pub async fn preview_facts(&self, typed: Typed) -> Result<Plan, DeskError> {
        let Typed { facts, source, ats_id, idempotency_key, .. } = typed;
        let key = idempotency_key.as_deref().unwrap_or_default();
        let has_key = ats_id.is_some() || idempotency_key.is_some();
        let key = self.0.typed_key(source.as_deref(), ats_id.as_deref(), key)?;
        let hire = self.0.typed(source.as_deref(), key, facts, &Actor::System);
        let always = self.0.always(&hire.source).await?;
        let planner = self.planner().clone();
        let marker = planner.marker.clone().filter(|_| has_key);
        let plan = Planner { marker, ..planner }.plan(&hire, &[], &always).await;
        self.0.seen.keep(&plan);
        Ok(plan)
    }

    /// Stores a hire that was typed by hand: held for review, or sent at once if the plan with `plan_hash`
    /// is the one that was previewed. The flag says whether the hire was known already.
    ///
    /// # Errors
    /// Every reason in [`DeskError`] why it is not stored or sent.
    pub async fn enter(
        &self,
        typed: Typed,
        operator: &str,
        wait: Duration,
    ) -> Result<(Hire, bool), DeskError> {
        let key = typed.idempotency_key.as_deref().unwrap_or_default();
        let key = self.0.typed_key(typed.source.as_deref(), typed.ats_id.as_deref(), key)?;
        let (facts, actor) = (typed.facts, Actor::Operator(operator.to_owned()));
        let mut hire = self.0.typed(typed.source.as_deref(), key, facts.clone(), &actor);
        let always = self.0.always(&hire.source).await?;
        hire.record.plan = self.0.parts.planner.plan(&hire, &[], &always).await;
        if let Some(hash) = &typed.plan_hash {
            let looked_at = self.0.looked_at(hash, None);
            approve(&mut hire, hash, looked_at.as_ref(), &actor, self.0.now())?;
            hire.next_at = Some(self.0.now());
        }
        let delivery = self.0.nothing_delivered(&hire, "typed");
        let source = hire.source.clone();
        let is_other = |known: &Hire| !is_told_by(known, &facts) || known.source != source;
        let inner = Arc::clone(&self.0);
        let stored = self.0.whatever_happens(async move {
            let stored = inner.parts.ledger.accept(hire, delivery).await?;
            if let Accepted::New(hire) = &stored
                && hire.state() == State::Ready
            {
                inner.start(hire.clone(), Effect::LookUp, None);
            }
            Ok(stored)
        });
        match stored.await? {
            Accepted::New(hire) => {
                if hire.state() == State::Ready {
                    self.0.wait(&hire, wait).await;
                }
                Ok((self.0.known(hire.id).await?, false))
            }
            Accepted::Repeat(known) if known.key.kind == BY_HAND && is_other(&known) => {
                Err(DeskError::KeyReused)
            }
            Accepted::Repeat(known) => Ok((known, true)),
        }
    }
}

/// Whether a stored hire is what these facts make. Of one that was created some of them are gone; of one that was erased, all.
fn is_told_by(known: &Hire, facts: &Facts) -> bool {
    let stored = &known.record.facts;
    let is_among = || stored.names().all(|name| stored.value(name) == facts.value(name));
    let is_cut = matches!(known.state(), State::Created(_) | State::Erased);
    stored == facts || (is_cut && is_among())
}

impl Inner {
    /// The key of a hire typed by hand.
    fn typed_key(&self, source: Option<&str>, ats_id: Option<&str>, key: &str) -> Result<HireKey, DeskError> {
        let source = match source {
            Some(name) => {
                let known = self.parts.planner.sources.named(name);
                Some(known.ok_or_else(|| DeskError::UnknownSource(name.to_owned()))?)
            }
            None => None,
        };
        Ok(match (source, ats_id) {
            (Some(source), Some(ats_id)) if is_id(ats_id) => source.key(ats_id),
            (Some(_), Some(_)) => {
                let message = "must be the application's id: letters, digits, `-`, `_` and `.`".to_owned();
                return Err(DeskError::Invalid(vec![FieldError { field: "ats_id".into(), message }]));
            }
            _ => HireKey { kind: BY_HAND.into(), account: BY_HAND.into(), application: key.to_owned() },
        })
    }

    fn typed(&self, source: Option<&str>, key: HireKey, facts: Facts, actor: &Actor) -> Hire {
        let mut hire =
            Hire::held(self.new_id(), source.unwrap_or(BY_HAND), key, Held::Review, actor, self.now());
        hire.record.facts = facts;
        hire
    }
}
