//! What a person does to a stored hire: look at a plan, correct it, send exactly that once, take a hire off
//! the list, or say which employee it is.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::refusal::{Decided, DeskError, FieldError};
use super::{Inner, Planner, Transfer};
use crate::domain::{Actor, Difference, Effect, Employee, Event, Found, Held, Hire, HireId, Plan, State};
use crate::ledger::LedgerError;
use crate::mapping::check_corrections;
use crate::personio::CallError;

/// After an unknown outcome nobody sends again before this has passed: the first call may still arrive.
pub(super) const QUIET: SignedDuration = SignedDuration::from_mins(15);

/// Who decides about a hire, and which version of it was looked at.
pub struct By<'a> {
    /// The operator's name.
    pub operator: &'a str,
    /// Only if the hire is still this version; whatever it is if `None`.
    pub version: Option<u64>,
}

impl By<'_> {
    fn actor(&self) -> Actor {
        Actor::Operator(self.operator.to_owned())
    }
}

/// What a person sends.
pub struct Approval {
    /// The hash of the plan that was looked at.
    pub plan_hash: String,
    /// What is to be different from what the mapping made: attribute → value.
    pub corrections: Map<String, Value>,
    /// Of the corrections, those that are to hold for later hires as well, once an admin has confirmed them.
    pub always: Vec<String>,
}

impl Transfer {
    /// What makes plans.
    pub fn planner(&self) -> &Planner {
        &self.0.parts.planner
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
        by: &By<'_>,
        wait: Duration,
    ) -> Result<Hire, DeskError> {
        let sent = self.0.send_by(id, approval, by).await;
        let hire = self.0.or_who_was_first(id, sent).await?;
        self.0.wait(&hire, wait).await;
        self.0.known(id).await
    }

    /// Takes a hire that is held, or flagged for a person to look at, off the list, or puts it back; `note` says why.
    ///
    /// # Errors
    /// [`DeskError::NotFound`], [`DeskError::OtherVersion`], [`DeskError::WrongState`] if it is neither.
    pub async fn dismiss(
        &self,
        id: HireId,
        dismissed: bool,
        note: Option<&str>,
        by: &By<'_>,
    ) -> Result<Hire, DeskError> {
        let done = self.0.dismiss(id, dismissed, note, by).await;
        self.0.or_who_was_first(id, done).await
    }

    /// "It is this employee": the hire is in Personio already; it is read back and compared.
    ///
    /// # Errors
    /// [`DeskError::WrongState`] if it is not held, [`DeskError::OtherVersion`], [`DeskError::EmployeeNotFound`],
    /// [`DeskError::PersonioUnreachable`].
    pub async fn link(&self, id: HireId, employee: u64, by: &By<'_>) -> Result<Hire, DeskError> {
        let linked = self.0.link(id, employee, by).await;
        self.0.or_who_was_first(id, linked).await?;
        self.0.progress.idle(id).await;
        self.0.known(id).await
    }
}

impl Inner {
    async fn send_by(
        self: &Arc<Self>,
        id: HireId,
        approval: &Approval,
        by: &By<'_>,
    ) -> Result<Hire, DeskError> {
        let stored = self.known_to(id, by).await?;
        self.check_sendable(&stored).await?;
        let mut hire = self.corrected(&stored, &approval.corrections).await?;
        let proposals = self.proposals(&hire, &approval.always, by.operator).await?;
        let hash = &approval.plan_hash;
        let looked_at = self.looked_at(hash, Some(&stored.record.plan));
        let now = self.now();
        approve(&mut hire, hash, looked_at.as_ref(), &by.actor(), now)?;
        note_corrections(&mut hire, &stored.record.plan.employee, &approval.corrections);
        // Kept first: what is proposed for a hire that is then not sent does no harm, until an admin confirms it.
        self.propose(&mut hire, &proposals).await?;
        hire.next_at = Some(now);
        Ok(self.save_and_start(hire, Effect::LookUp).await?)
    }

    async fn dismiss(
        &self,
        id: HireId,
        dismissed: bool,
        note: Option<&str>,
        by: &By<'_>,
    ) -> Result<Hire, DeskError> {
        let mut hire = self.known_to(id, by).await?;
        let is_held = matches!(hire.state(), State::Held(_));
        if !is_held && !hire.flags.unhired && !hire.flags.double && !hire.flags.warnings {
            return Err(DeskError::WrongState { state: hire.state(), decided: None });
        }
        if hire.flags.dismissed != dismissed {
            hire.flags.dismissed = dismissed;
            let what = if dismissed { "dismissed" } else { "undismissed" };
            hire.remark(&by.actor(), what, self.now());
            if let Some(note) = note {
                hire.add_to_last_step(Vec::new(), Some(note.to_owned()));
            }
            self.save(&mut hire).await?;
        }
        Ok(hire)
    }

    async fn link(self: &Arc<Self>, id: HireId, employee: u64, by: &By<'_>) -> Result<Hire, DeskError> {
        let mut hire = self.known_to(id, by).await?;
        let now = self.now();
        hire.apply(&Event::Linked, &by.actor(), now)?;
        match self.parts.reader.person(employee).await {
            Ok(Some(_)) | Err(CallError::NotAllowed) => {}
            Ok(None) => return Err(DeskError::EmployeeNotFound),
            Err(_) => return Err(DeskError::PersonioUnreachable),
        }
        (hire.employee, hire.next_at, hire.tries) = (Some(employee), Some(now), 0);
        Ok(self.save_and_start(hire, Effect::Compare).await?)
    }

    /// The hire, if it is the version that was looked at.
    pub(super) async fn known_to(&self, id: HireId, by: &By<'_>) -> Result<Hire, DeskError> {
        let hire = self.known(id).await?;
        if by.version.is_some_and(|version| version != hire.version()) {
            return Err(DeskError::OtherVersion { state: hire.state(), decided: None });
        }
        Ok(hire)
    }

    /// What was done; or, if somebody else was faster, who.
    pub(super) async fn or_who_was_first<T>(
        &self,
        id: HireId,
        done: Result<T, DeskError>,
    ) -> Result<T, DeskError> {
        match done {
            Err(DeskError::WrongState { state, .. }) => {
                Err(DeskError::WrongState { state, decided: self.decided(id).await? })
            }
            Err(DeskError::OtherVersion { state, .. }) => {
                Err(DeskError::OtherVersion { state, decided: self.decided(id).await? })
            }
            Err(DeskError::Ledger(LedgerError::Conflict)) => {
                let (state, decided) = (self.known(id).await?.state(), self.decided(id).await?);
                Err(DeskError::WrongState { state, decided })
            }
            done => done,
        }
    }

    /// The last operator who decided about the hire.
    async fn decided(&self, id: HireId) -> Result<Option<Decided>, LedgerError> {
        let history = self.parts.ledger.history(id).await?;
        Ok(history.iter().rev().find_map(|entry| {
            let by = Actor::operator_in(&entry.actor)?.to_owned();
            Some(Decided { by, at: entry.at })
        }))
    }

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
    pub(super) fn looked_at(&self, hash: &str, stored: Option<&Plan>) -> Option<Employee> {
        let stored = stored.filter(|plan| plan.hash() == hash).map(|plan| plan.employee.clone());
        stored.or_else(|| self.seen.employee(hash))
    }

    /// Whether a person may send this hire now.
    async fn check_sendable(self: &Arc<Self>, hire: &Hire) -> Result<(), DeskError> {
        match hire.state() {
            State::Held(Held::Unknown) => self.check_after_unknown(hire).await,
            State::Held(_) | State::Cancelled | State::Ignored => Ok(()),
            state => Err(DeskError::WrongState { state, decided: None }),
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
}

/// A person approves the hire's plan as it is: it must be the one that was looked at, and sendable.
pub(super) fn approve(
    hire: &mut Hire,
    plan_hash: &str,
    looked_at: Option<&Employee>,
    actor: &Actor,
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
    hire.apply(&Event::Approved, actor, now)?;
    hire.flags.approved = true;
    hire.flags.unhired |= held == State::Cancelled;
    hire.flags.unhire_overruled |= hire.flags.unhired;
    hire.flags.second_hire_approved |= held == State::Held(Held::SecondHire);
    hire.flags.after_unknown |= held == State::Held(Held::Unknown);
    (hire.since, hire.tries, hire.employee) = (None, 0, None);
    hire.record.warnings.clear();
    Ok(())
}

/// Notes which values are others than before because of the corrections.
fn note_corrections(hire: &mut Hire, before: &Employee, corrections: &Map<String, Value>) {
    let mut fields = difference(Some(before), &hire.record.plan.employee);
    fields.retain(|difference| corrections.contains_key(&difference.field));
    if !fields.is_empty() {
        hire.add_to_last_step(fields, None);
    }
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
        .map(|(field, (before, after))| Difference { field: field.to_owned(), before, after })
        .collect()
}
