//! What follows a create call: the search for a person whose creation has an unknown outcome, the reason
//! of a refusal, and the comparison of what arrived with what was sent.

use std::sync::Arc;

use jiff::SignedDuration;

use super::Inner;
use super::carry::{Next, ReadBack};
use super::compare::{Difference, compare};
use super::documents::wants_a_look;
use super::planner::UNKNOWN_VALUE;
use crate::domain::catalog::NAMED;
use crate::domain::{Effect, Event, Found, Hire, LookUpZero, Plan, State, Warning};
use crate::personio::{CallError, Person};

/// How long an unknown outcome is looked up before a person is asked.
pub(super) const LOOK_FOR: SignedDuration = SignedDuration::from_hours(24);

/// How often, and how far apart, the comparison is tried when Personio does not show the person yet.
const COMPARE_AGAIN: [SignedDuration; 4] = [
    SignedDuration::from_secs(10),
    SignedDuration::from_mins(1),
    SignedDuration::from_mins(10),
    SignedDuration::from_hours(1),
];

impl Inner {
    /// Looks up a person whose creation has an unknown outcome.
    pub(super) async fn look_again(&self, hire: &mut Hire) -> Next {
        match self.find(hire).await {
            Ok((Found::NotAllowed, _)) => self.stop(hire, &Event::NotFound).await,
            Ok((found, Some(person))) => {
                let ours = hire.look_up_zero == LookUpZero::Absent || found == Found::Ours;
                let effect = self.apply(hire, &Event::Appeared { ours })?;
                self.belongs_to(hire, &person);
                self.save(hire).await?;
                Ok(effect)
            }
            Ok((Found::Absent, None)) if self.resend_at(hire).is_some_and(|at| at <= self.now()) => {
                self.resend(hire).await
            }
            Ok((_, None)) | Err(_) => self.look_later_or_ask(hire).await,
        }
    }

    /// Notes whom a look-up has found. Whoever is adopted is read back.
    pub(super) fn belongs_to(&self, hire: &mut Hire, person: &Person) {
        hire.employee = Some(person.id);
        if let State::Created(_) = hire.state() {
            (hire.since, hire.tries, hire.next_at) = (None, 0, Some(self.now()));
        }
    }

    /// Whether the marker attribute says that this employee came from this hire.
    pub(super) fn is_marked(&self, hire: &Hire, person: &Person) -> bool {
        let marker = self.parts.planner.marker.as_deref();
        marker.and_then(|marker| person.values.get(marker)).is_some_and(|value| *value == hire.key.text())
    }

    pub(super) async fn look_later_or_ask(&self, hire: &mut Hire) -> Next {
        let now = self.now();
        if hire.since.is_none_or(|since| now.duration_since(since) >= LOOK_FOR) {
            return self.stop(hire, &Event::NotFound).await;
        }
        hire.tries += 1;
        let regular = now + self.look_up_interval(hire.tries);
        let resend = self.resend_at(hire).filter(|at| *at > now);
        hire.next_at = Some(resend.map_or(regular, |at| at.min(regular)));
        self.save(hire).await?;
        Ok(Effect::Wait)
    }

    /// After a refusal: does the e-mail address belong to somebody? Then that is why.
    pub(super) async fn look_up_refused(&self, hire: &mut Hire) -> Next {
        hire.next_at = None;
        let mut effect = Effect::Rest;
        if let Ok((found, Some(person))) = self.find(hire).await {
            effect = self.apply(hire, &Event::LookedUp(found))?;
            self.belongs_to(hire, &person);
        }
        self.save(hire).await?;
        Ok(effect)
    }

    /// Reads the employee back, unless that is done, and names what did not arrive.
    pub(super) async fn compare(self: &Arc<Self>, hire: &mut Hire, read: Option<ReadBack>) -> Next {
        let Some(employee) = hire.employee else { return self.compared(hire, Some("not_read_back")).await };
        let found = match read {
            Some(read) if read.employee == employee => read.found,
            _ => self.parts.reader.person(employee).await,
        };
        match found {
            Ok(Some(person)) => {
                let difference = compare(&hire.record.plan.employee, &person);
                for attribute in &difference.unread {
                    hire.note(&format!("not_read_back:{attribute}"));
                }
                settle(&mut hire.record.plan, &difference);
                merge(&mut hire.record.warnings, difference.warnings);
                self.compared(hire, None).await
            }
            Err(CallError::NotAllowed | CallError::Credential) => {
                self.compared(hire, Some("not_read_back")).await
            }
            Ok(None) | Err(_) => self.compare_later(hire).await,
        }
    }

    async fn compare_later(self: &Arc<Self>, hire: &mut Hire) -> Next {
        let Some(pause) = usize::try_from(hire.tries).ok().and_then(|tries| COMPARE_AGAIN.get(tries)) else {
            return self.compared(hire, Some("not_read_back")).await;
        };
        hire.tries += 1;
        hire.next_at = Some(self.now() + *pause);
        self.save(hire).await?;
        Ok(Effect::Wait)
    }

    async fn compared(self: &Arc<Self>, hire: &mut Hire, note: Option<&str>) -> Next {
        if let Some(note) = note {
            hire.note(note);
        }
        self.parts.planner.explain(hire);
        self.tell_the_ats(hire).await?;
        self.files_came(hire, &hire.record.files).await?;
        let documents = self.parts.ledger.shelf().of(&[hire.id]).await?;
        let has_warnings = wants_a_look(hire, &documents);
        hire.flags.warnings = has_warnings;
        if has_warnings {
            self.parts.metrics.created_with_warnings();
        }
        (hire.since, hire.tries) = (Some(self.now()), 0);
        hire.audit_at = self.next_audit(hire);
        self.parts.planner.cut(hire);
        let effect = self.stop(hire, &Event::Compared).await?;
        if !documents.is_empty() {
            self.work_on_papers(hire.id);
        }
        Ok(effect)
    }
}

/// What could not be told before sending is told by what arrived.
fn settle(plan: &mut Plan, difference: &Difference) {
    let has_arrived = |field: &String| difference.arrived.contains(field);
    plan.warnings
        .retain(|doubt| doubt.code != UNKNOWN_VALUE || !doubt.field.as_ref().is_some_and(has_arrived));
    if !difference.unread.iter().any(|field| NAMED.contains(&field.as_str())) {
        plan.notes.retain(|note| note != "names_not_checked");
    }
}

/// Adds what was found on reading back; what Personio said of a field at once is said again in better words.
fn merge(warnings: &mut Vec<Warning>, found: Vec<Warning>) {
    for warning in found {
        warnings.retain(|known| known.field != warning.field);
        warnings.push(warning);
    }
}
