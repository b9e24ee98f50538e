//! What a person does to a stored hire: look at a plan, correct it, send exactly that once, take a hire off
//! the list, or say which employee it is.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::refusal::{DeskError, Difference, FieldError};
use super::{Inner, Planner, Transfer};
use crate::domain::{Actor, Effect, Employee, Event, Found, Held, Hire, HireId, Plan, State};
use crate::ledger::LedgerError;
use crate::mapping::check_corrections;
use crate::personio::CallError;

/// After an unknown outcome nobody sends again before this has passed: the first call may still arrive.
pub(super) const QUIET: SignedDuration = SignedDuration::from_mins(15);

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
    pub(super) fn looked_at(&self, hash: &str, stored: Option<&Plan>) -> Option<Employee> {
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
}

/// A person approves the hire's plan as it is: it must be the one that was looked at, and sendable.
pub(super) fn approve(
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
