//! The audit: some time after a creation Personio is asked once more who this person is. A second employee, made
//! by whomever, is found then. Audits come last: one at a time, slowly, and only while nothing else presses.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tracing::Instrument;

use super::desk::QUIET;
use super::{Inner, LedgerError, Transfer};
use crate::domain::{Actor, Hire, HireId, State};
use crate::personio::CallError;

/// The least time between two audits: however many are due, Personio is asked thirty times a minute.
const PACE: SignedDuration = SignedDuration::from_secs(2);

/// When to try again if Personio could not be asked.
const AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// When a hire is audited that was sent again after an unknown outcome, besides the usual time.
const AFTER_UNKNOWN: [SignedDuration; 2] = [QUIET, SignedDuration::from_hours(1)];

/// The usual time for those, if there is no other.
const A_DAY: SignedDuration = SignedDuration::from_hours(24);

/// When the next audit may begin; locked while one is made.
#[derive(Default, Clone)]
pub(super) struct Audits(Arc<Mutex<Option<Timestamp>>>);

/// The one audit that is being made.
type Turn = OwnedMutexGuard<Option<Timestamp>>;

impl Audits {
    /// Begins one, or says when to ask again.
    fn begin(&self, now: Timestamp) -> Result<Turn, Timestamp> {
        let mut next = Arc::clone(&self.0).try_lock_owned().map_err(|_| now + PACE)?;
        if let Some(later) = next.filter(|next| *next > now) {
            return Err(later);
        }
        *next = Some(now + PACE);
        Ok(next)
    }
}

impl Transfer {
    /// Starts an audit if one is due and nothing presses; returns when to ask again, if there is anything left.
    ///
    /// # Errors
    /// [`LedgerError`] if the ledger cannot be read.
    pub async fn audit_due(&self) -> Result<Option<Timestamp>, LedgerError> {
        let inner = &self.0;
        let now = inner.now();
        let next = self.ledger().next_audit().await?;
        if next.is_none_or(|next| next > now) {
            return Ok(next);
        }
        let presses = !inner.bulkhead.has_room() || inner.gate.next_probe().is_some();
        if presses || inner.ends_at.get().is_some() {
            return Ok(Some(now + PACE));
        }
        match inner.audits.begin(now) {
            Ok(turn) => {
                if let Some(id) = self.ledger().audits(now, 1).await?.pop() {
                    inner.start_audit(id, turn);
                }
                Ok(Some(now + PACE))
            }
            Err(later) => Ok(Some(later)),
        }
    }

    /// Waits until no audit is being made.
    pub async fn idle_audit(&self) {
        drop(self.0.audits.0.lock().await);
    }
}

impl Inner {
    fn start_audit(self: &Arc<Self>, id: HireId, turn: Turn) {
        let Some(running) = self.progress.start(id, State::Received) else { return };
        let inner = Arc::clone(self);
        let work = async move {
            match inner.audit(id, &running).await {
                // Somebody changed the hire meanwhile: it is still due.
                Ok(()) | Err(LedgerError::Conflict) => {}
                Err(error) => {
                    tracing::error!(hire = %id, %error, "an audit could not be stored; it comes again");
                }
            }
            drop(turn);
        };
        self.tasks.spawn(work.in_current_span());
    }

    async fn audit(&self, id: HireId, running: &super::progress::Running) -> Result<(), LedgerError> {
        let mut hire = self.again(id).await?;
        running.say(hire.state());
        let State::Created(_) = hire.state() else {
            hire.audit_at = None;
            return self.save(&mut hire).await;
        };
        match self.everybody(&hire).await {
            Ok(found) => {
                hire.tries += 1;
                hire.audit_at = self.next_audit(&hire);
                self.audited(&mut hire, &found).await
            }
            Err(CallError::NotAllowed) => {
                hire.audit_at = None;
                self.save(&mut hire).await
            }
            Err(_) => {
                hire.audit_at = Some(self.now() + AGAIN);
                self.save(&mut hire).await
            }
        }
    }

    /// The employees who may be this person: ours, and all who have the address that was sent.
    async fn everybody(&self, hire: &Hire) -> Result<BTreeSet<u64>, CallError> {
        let email = hire.record.plan.employee.email();
        let people = self.parts.reader.find_by_email(email, self.call_deadline()).await?;
        let mut all: BTreeSet<u64> = people.iter().map(|person| person.id).collect();
        // Ours may have got another address since; or be gone, and made again by somebody.
        if let Some(ours) = hire.employee.filter(|ours| !all.is_empty() && !all.contains(ours))
            && self.parts.reader.person(ours).await?.is_some()
        {
            all.insert(ours);
        }
        Ok(all)
    }

    /// Stores what an audit found, and raises the alarm if it is more than one employee.
    async fn audited(&self, hire: &mut Hire, employees: &BTreeSet<u64>) -> Result<(), LedgerError> {
        let is_news = employees.len() > 1 && !employees.iter().eq(&hire.record.doubles);
        if is_news {
            (hire.flags.double, hire.flags.dismissed) = (true, false);
            hire.record.doubles = employees.iter().copied().collect();
            hire.remark(&Actor::System, "double_found", self.now());
        }
        self.save(hire).await?;
        if is_news {
            self.parts.metrics.double();
            tracing::error!(hire = %hire.id, employees = employees.len(),
                "double: more than one employee in Personio may be the person of this hire; `GET /v1/hires/{{id}}` names them");
        }
        Ok(())
    }

    /// Of merged candidates more than one may have been created.
    pub(super) async fn compare_merged(&self, hires: Vec<Hire>) -> Result<(), LedgerError> {
        let created = |hire: &Hire| matches!(hire.state(), State::Created(_));
        let employees: BTreeSet<u64> =
            hires.iter().filter(|hire| created(hire)).filter_map(|hire| hire.employee).collect();
        if employees.len() < 2 {
            return Ok(());
        }
        for mut hire in hires.into_iter().filter(created) {
            while let Err(error) = self.audited(&mut hire, &employees).await {
                let LedgerError::Conflict = error else { return Err(error) };
                hire = self.again(hire.id).await?;
            }
        }
        Ok(())
    }

    /// When a created hire is audited next; it was compared at `since`, and audited `tries` times.
    pub(super) fn next_audit(&self, hire: &Hire) -> Option<Timestamp> {
        let usual = self.parts.settings.audit_after;
        let usual = usual.is_positive().then_some(usual);
        let nth = usize::try_from(hire.tries).unwrap_or(usize::MAX);
        let after = if hire.flags.after_unknown {
            let last = usual.unwrap_or(A_DAY).max(A_DAY);
            AFTER_UNKNOWN.into_iter().chain([last]).nth(nth)
        } else {
            usual.into_iter().nth(nth)
        };
        Some(hire.since? + after?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audits_keep_their_pace_however_many_are_due() {
        let (audits, now) = (Audits::default(), Timestamp::UNIX_EPOCH);
        let turn = audits.begin(now).expect("the first");
        assert_eq!(audits.begin(now + PACE).err(), Some(now + PACE + PACE), "one at a time");
        drop(turn);
        assert_eq!(audits.begin(now).err(), Some(now + PACE));
        assert!(audits.begin(now + PACE).is_ok());
    }
}
