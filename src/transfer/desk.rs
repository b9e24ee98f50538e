//! What a person does by hand: look at a plan, correct it, send exactly that once, take a hire off the
//! list, say which employee it is, or type a hire.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::refusal::{DeskError, Difference, FieldError};
use super::{Inner, Planner, Transfer};
use crate::ats::is_id;
use crate::domain::{Actor, Effect, Employee, Event, Facts, Found, Held, Hire, HireId, HireKey, Plan, State};
use crate::ledger::{Accepted, Delivery, LedgerError};
use crate::mapping::check_corrections;
use crate::personio::CallError;

/// After an unknown outcome nobody sends again before this has passed: the first call may still arrive.
pub(super) const QUIET: SignedDuration = SignedDuration::from_mins(15);

/// The kind, and the source's name, of hires that were typed by hand and belong to no source.
pub(super) const BY_HAND: &str = "manual";

/// What a person sends.
pub struct Approval {
    /// The hash of the plan that was looked at.
    pub plan_hash: String,
    /// What is to be different from what the mapping made: attribute → value.
    pub corrections: Map<String, Value>,
    /// Of the corrections, those that are to hold for later hires as well, once an admin has confirmed them.
    pub always: Vec<String>,
}

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
    /// What makes plans.
    pub fn planner(&self) -> &Planner {
        &self.0.parts.planner
    }

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

    /// The plan for a stored hire with `corrections` laid over it. Writes nothing.
    ///
    /// # Errors
    /// [`DeskError::NotFound`], [`DeskError::Invalid`].
    pub async fn preview(&self, id: HireId, corrections: &Map<String, Value>) -> Result<Plan, DeskError> {
        let hire = self.0.known(id).await?;
        let plan = self.0.corrected(&hire, corrections).await?.record.plan;
        self.0.seen.keep(&plan);
        Ok(plan)
    }

    /// Sends a held or ignored hire: exactly the plan with this hash, once.
    ///
    /// # Errors
    /// Every reason in [`DeskError`] why it must not, or need not, be sent.
    pub async fn send(
        &self,
        id: HireId,
        approval: &Approval,
        operator: &str,
        wait: Duration,
    ) -> Result<Hire, DeskError> {
        let stored = self.0.known(id).await?;
        self.0.check_sendable(&stored).await?;
        let mut hire = self.0.corrected(&stored, &approval.corrections).await?;
        let proposals = self.0.proposals(&hire, &approval.always, operator).await?;
        let hash = &approval.plan_hash;
        let looked_at = self.0.looked_at(hash, Some(&stored.record.plan));
        approve(&mut hire, hash, looked_at.as_ref(), operator, self.0.now())?;
        // Kept first: what is proposed for a hire that is then not sent does no harm, until an admin confirms it.
        self.0.propose(&mut hire, &proposals).await?;
        hire.next_at = Some(self.0.now());
        let hire = match self.0.save_and_start(hire, Effect::LookUp).await {
            Ok(hire) => hire,
            Err(LedgerError::Conflict) => {
                return Err(DeskError::WrongState { state: self.0.known(id).await?.state() });
            }
            Err(error) => return Err(error.into()),
        };
        self.0.wait(&hire, wait).await;
        self.0.known(id).await
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
        let facts = typed.facts;
        let mut hire =
            self.0.typed(typed.source.as_deref(), key, facts.clone(), &Actor::Operator(operator.to_owned()));
        let always = self.0.always(&hire.source).await?;
        hire.record.plan = self.0.parts.planner.plan(&hire, &[], &always).await;
        if let Some(hash) = &typed.plan_hash {
            let looked_at = self.0.looked_at(hash, None);
            approve(&mut hire, hash, looked_at.as_ref(), operator, self.0.now())?;
            hire.next_at = Some(self.0.now());
        }
        let delivery = Delivery {
            source: hire.source.clone(),
            at: self.0.now(),
            event: "typed".to_owned(),
            delivery_id: None,
            secret: None,
            body: Bytes::new(),
        };
        let source = hire.source.clone();
        let is_other = |known: &Hire| known.record.facts != facts || known.source != source;
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

    /// Takes a held hire, or one that is flagged for a person to look at, off the list, or puts it back.
    ///
    /// # Errors
    /// [`DeskError::NotFound`], [`DeskError::WrongState`] if it is neither.
    pub async fn dismiss(&self, id: HireId, dismissed: bool, operator: &str) -> Result<Hire, DeskError> {
        let mut hire = self.0.known(id).await?;
        let is_held = matches!(hire.state(), State::Held(_));
        if !is_held && !hire.flags.unhired && !hire.flags.double {
            return Err(DeskError::WrongState { state: hire.state() });
        }
        if hire.flags.dismissed != dismissed {
            hire.flags.dismissed = dismissed;
            let what = if dismissed { "dismissed" } else { "undismissed" };
            hire.remark(&Actor::Operator(operator.to_owned()), what, self.0.now());
            self.0.save(&mut hire).await?;
        }
        Ok(hire)
    }

    /// "It is this employee": the hire is in Personio already; it is read back and compared.
    ///
    /// # Errors
    /// [`DeskError::WrongState`] if it is not held, [`DeskError::EmployeeNotFound`],
    /// [`DeskError::PersonioUnreachable`].
    pub async fn link(&self, id: HireId, employee: u64, operator: &str) -> Result<Hire, DeskError> {
        let mut hire = self.0.known(id).await?;
        let now = self.0.now();
        hire.apply(&Event::Linked, &Actor::Operator(operator.to_owned()), now)?;
        match self.0.parts.reader.person(employee).await {
            Ok(Some(_)) | Err(CallError::NotAllowed) => {}
            Ok(None) => return Err(DeskError::EmployeeNotFound),
            Err(_) => return Err(DeskError::PersonioUnreachable),
        }
        (hire.employee, hire.next_at, hire.tries) = (Some(employee), Some(now), 0);
        self.0.save_and_start(hire, Effect::Compare).await?;
        self.0.progress.idle(id).await;
        self.0.known(id).await
    }
}

impl Inner {
    pub(super) async fn known(&self, id: HireId) -> Result<Hire, DeskError> {
        self.parts
            .ledger
            .hire(id)
            .await?
            .filter(|hire| hire.state() != State::Erased)
            .ok_or(DeskError::NotFound)
    }

    /// The hire with corrections laid over those it has, and its plan made again.
    async fn corrected(&self, hire: &Hire, corrections: &Map<String, Value>) -> Result<Hire, DeskError> {
        check_corrections(&self.parts.planner.catalog.catalog(), corrections).map_err(|wrong| {
            let error = |(field, message)| FieldError { field, message };
            DeskError::Invalid(wrong.into_iter().map(error).collect())
        })?;
        let mut hire = hire.clone();
        hire.record.corrections.extend(corrections.clone());
        let payloads = self.payloads(&hire).await?;
        let always = self.always(&hire.source).await?;
        hire.record.plan = self.parts.planner.plan(&hire, &payloads, &always).await;
        Ok(hire)
    }

    /// What the plan with this hash would have sent, if it is `stored` or was shown lately.
    fn looked_at(&self, hash: &str, stored: Option<&Plan>) -> Option<Employee> {
        let stored = stored.filter(|plan| plan.hash() == hash).map(|plan| plan.employee.clone());
        stored.or_else(|| self.seen.employee(hash))
    }

    /// Whether a person may send this hire now.
    async fn check_sendable(self: &Arc<Self>, hire: &Hire) -> Result<(), DeskError> {
        match hire.state() {
            State::Held(Held::Unknown) => self.check_after_unknown(hire).await,
            State::Held(_) | State::Cancelled | State::Ignored => Ok(()),
            state => Err(DeskError::WrongState { state }),
        }
    }

    /// An unknown outcome is sent again only after the quiet time, and only if it can be looked up.
    async fn check_after_unknown(&self, hire: &Hire) -> Result<(), DeskError> {
        let until = hire.since.unwrap_or(hire.updated_at) + QUIET;
        if self.now() < until {
            return Err(DeskError::TooEarly { until });
        }
        match self.find(hire).await {
            Ok((Found::NotAllowed, _)) => Err(DeskError::LookUpImpossible),
            Ok(_) => Ok(()),
            Err(_) => Err(DeskError::PersonioUnreachable),
        }
    }

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

/// A person approves the hire's plan as it is: it must be the one that was looked at, and sendable.
fn approve(
    hire: &mut Hire,
    plan_hash: &str,
    looked_at: Option<&Employee>,
    operator: &str,
    now: Timestamp,
) -> Result<(), DeskError> {
    let plan = &mut hire.record.plan;
    if plan.hash() != plan_hash {
        return Err(DeskError::PlanChanged {
            difference: difference(looked_at, &plan.employee),
            plan: Box::new(plan.clone()),
        });
    }
    if let Some(Held::Missing | Held::Invalid) = plan.hold {
        return Err(DeskError::NotSendable { plan: Box::new(plan.clone()) });
    }
    plan.hold = None;
    let held = hire.state();
    hire.apply(&Event::Approved, &Actor::Operator(operator.to_owned()), now)?;
    hire.flags.approved = true;
    hire.flags.dismissed = false;
    hire.flags.unhired |= held == State::Cancelled;
    hire.flags.unhire_overruled |= hire.flags.unhired;
    hire.flags.second_hire_approved |= held == State::Held(Held::SecondHire);
    hire.flags.after_unknown |= held == State::Held(Held::Unknown);
    (hire.since, hire.tries, hire.employee) = (None, 0, None);
    hire.record.warnings.clear();
    Ok(())
}

/// What differs between what was looked at, where that is known, and what would be sent now.
fn difference(yours: Option<&Employee>, now: &Employee) -> Vec<Difference> {
    let Some(yours) = yours else { return Vec::new() };
    let before = yours.attributes().map(|(name, _)| name);
    let mut fields: Vec<_> = before.chain(now.attributes().map(|(name, _)| name)).collect();
    fields.sort_unstable();
    fields.dedup();
    let pair = |field: &str| (yours.value(field).cloned(), now.value(field).cloned());
    fields
        .into_iter()
        .map(|field| (field, pair(field)))
        .filter(|(_, (yours, now))| yours != now)
        .map(|(field, (yours, now))| Difference { field: field.to_owned(), yours, now })
        .collect()
}
