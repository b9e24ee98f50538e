//! What comes in another order than it happened: a hire is taken back before or after it was sent, hired again,
//! or its candidate becomes another one.

use std::sync::Arc;

use jiff::Timestamp;

use super::carry::Next;
use super::receive::Stored;
use super::{Inner, LedgerError};
use crate::ats::{Event as Said, Hired, MERGED, Merged, Source, Unhired, Verified};
use crate::domain::{Actor, Effect, Event, Flags, Hire, HireId, State};

/// The note on a hire of which nobody can tell whether it was taken back before or after it happened.
const UNCLEAR: &str = "order_unclear";

/// The note, and the history's word, when the ATS hires again whom it had taken back when it was sent already.
const HIRED_AGAIN: &str = "hired_again";

/// Whether the first happened after the second; `None` if nobody can tell.
fn is_later(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<bool> {
    one.zip(other).filter(|(one, other)| one != other).map(|(one, other)| one > other)
}

/// Whether the ATS has taken the hire back.
pub(super) fn is_taken_back(hire: &Hire) -> bool {
    hire.state() == State::Cancelled || hire.flags.unhired
}

impl Inner {
    /// The ATS takes a hire back, or says of somebody that they are not hired.
    pub(super) async fn unhired(
        self: &Arc<Self>,
        source: &Source,
        unhired: Unhired,
        verified: &Verified,
    ) -> Result<Stored, LedgerError> {
        let Unhired { application, event, delivery_id, at, otherwise } = unhired;
        let key = source.key(&application);
        let delivery = self.delivery(source, &event, delivery_id, verified);
        let actor = Actor::Source(source.name().to_owned());
        let inner = Arc::clone(self);
        let known = self.whatever_happens(async move {
            match inner.parts.ledger.unhire(&key, at, delivery).await? {
                Some(hire) => inner.take_back(hire, at, &actor).await.map(Some),
                None => Ok(None),
            }
        });
        Ok(known.await?.map_or_else(|| Stored::nothing(otherwise), |hire| Stored::known(&hire)))
    }

    /// Cancels what was not sent, and flags what was or may have been. What is older than the hire says nothing.
    async fn take_back(
        &self,
        mut hire: Hire,
        at: Option<Timestamp>,
        actor: &Actor,
    ) -> Result<Hire, LedgerError> {
        loop {
            let hired_at = self.times(&hire).await?.0;
            if is_taken_back(&hire) || is_later(at, hired_at) == Some(false) {
                return Ok(hire);
            }
            let perhaps_there = self.was_unknown(hire.id).await?;
            if hire.apply(&Event::Unhired, actor, self.now()).is_err() {
                return Ok(hire);
            }
            hire.flags.unhired = hire.state() != State::Cancelled || perhaps_there;
            match self.save(&mut hire).await {
                Ok(()) => {
                    self.tell_of_unhired(&hire);
                    return Ok(hire);
                }
                Err(LedgerError::Conflict) => hire = self.again(hire.id).await?,
                Err(error) => return Err(error),
            }
        }
    }

    fn tell_of_unhired(&self, hire: &Hire) {
        if hire.flags.unhired {
            self.parts.metrics.unhired_after_sending();
            tracing::warn!(hire = %hire.id, state = hire.state().name(),
                "the ATS took back a hire that was, or may have been, sent: look at the employee in Personio");
        }
    }

    /// The hire was taken back while it was being sent, and surely was not sent.
    pub(super) async fn withdraw(&self, hire: &mut Hire) -> Next {
        hire.flags.unhired = self.was_unknown(hire.id).await?;
        self.stop(hire, &Event::Unhired).await
    }

    /// Whether a call for the hire had an unknown outcome at some time, so that the person may be in Personio.
    async fn was_unknown(&self, id: HireId) -> Result<bool, LedgerError> {
        let history = self.parts.ledger.history(id).await?;
        Ok(history.iter().any(|entry| entry.to == State::Unknown.name()))
    }

    /// Whether the person was found in Personio because of another hire of ours; it is noted which.
    pub(super) async fn is_second_hire(&self, hire: &mut Hire) -> Result<bool, LedgerError> {
        if hire.flags.second_hire_approved {
            return Ok(false);
        }
        let other = self.parts.ledger.same_person(hire).await?;
        if let Some(other) = other {
            hire.note(&format!("same_person_as:{other}"));
        }
        Ok(other.is_some())
    }

    /// The hire asked for a permit, and had been taken back before it came.
    pub(super) async fn overtaken(&self, hire: &mut Hire, at: Option<Timestamp>) -> Next {
        hire.record.unhired_at = at;
        if is_later(at, hire.record.hired_at) == Some(true) {
            return self.stop(hire, &Event::Unhired).await;
        }
        hire.flags.unhired = true;
        hire.note(UNCLEAR);
        self.stop(hire, &Event::Unclear).await
    }

    /// The ATS delivers a hire that it has taken back: the later of the two counts.
    pub(super) async fn hired_again(
        self: &Arc<Self>,
        mut hire: Hire,
        hired: &Hired,
    ) -> Result<Hire, LedgerError> {
        let actor = Actor::Source(hire.source.clone());
        loop {
            let later = is_later(hired.at, self.times(&hire).await?.1);
            let effect = match (hire.state(), later) {
                (State::Cancelled, Some(true)) => reopen(&mut hire, hired, &actor, self.now()),
                (State::Cancelled, None) => {
                    hire.flags.unhired = true;
                    hire.note(UNCLEAR);
                    hire.apply(&Event::Unclear, &actor, self.now()).unwrap_or(Effect::Rest)
                }
                (State::Created(_) | State::Held(_), Some(true))
                    if !hire.notes().any(|note| note == HIRED_AGAIN) =>
                {
                    hire.note(HIRED_AGAIN);
                    hire.flags.dismissed = false;
                    hire.remark(&actor, HIRED_AGAIN, self.now());
                    tracing::warn!(hire = %hire.id, "the ATS hired again whom it had taken back: look at the employee in Personio");
                    Effect::Rest
                }
                (state, Some(true)) if !matches!(state, State::Created(_) | State::Held(_)) => {
                    // Nobody has had a reason yet to undo anything in Personio: it is wanted as before.
                    hire.flags.unhired = false;
                    hire.record.hired_at = hired.at;
                    hire.remark(&actor, HIRED_AGAIN, self.now());
                    Effect::Rest
                }
                _ => return Ok(hire),
            };
            match self.save(&mut hire).await {
                Ok(()) if effect == Effect::Plan => {
                    self.start(hire.clone(), effect, None);
                    return Ok(hire);
                }
                Ok(()) => return Ok(hire),
                Err(LedgerError::Conflict) => hire = self.again(hire.id).await?,
                Err(error) => return Err(error),
            }
        }
    }

    /// When the ATS last hired, and last took back, by its own clock, as far as the deliveries tell.
    async fn times(&self, hire: &Hire) -> Result<(Option<Timestamp>, Option<Timestamp>), LedgerError> {
        let (mut hired, mut unhired) = (hire.record.hired_at, hire.record.unhired_at);
        let Some(source) = self.parts.planner.sources.named(&hire.source) else {
            return Ok((hired, unhired));
        };
        for payload in self.payloads(hire).await? {
            match source.read_payload(&payload) {
                Ok(Said::Hire(said)) => hired = hired.max(said.at),
                Ok(Said::Unhire(said)) => unhired = unhired.max(said.at),
                _ => {}
            }
        }
        Ok((hired, unhired))
    }

    /// Two candidates are one person: hires of both are hires of the one who is left.
    pub(super) async fn merged(&self, source: &Source, merged: &Merged) -> Result<Stored, LedgerError> {
        let any = source.key("");
        let (gone, kept) = (any.candidate(&merged.gone), any.candidate(&merged.kept));
        let mut hires = Vec::new();
        for id in self.parts.ledger.merge(&gone, &kept, self.now()).await? {
            hires.push(self.follow(id, source, merged).await?);
        }
        tracing::info!(source = source.name(), hires = hires.len(), "two candidates were merged");
        self.compare_merged(hires).await?;
        Ok(Stored::nothing(MERGED))
    }

    /// From now on the ATS is asked about the candidate who is left.
    async fn follow(&self, id: HireId, source: &Source, merged: &Merged) -> Result<Hire, LedgerError> {
        let actor = Actor::Source(source.name().to_owned());
        loop {
            let mut hire = self.again(id).await?;
            if hire.record.facts.text("candidate.id") != Some(&merged.gone) {
                return Ok(hire);
            }
            hire.record.facts.put("candidate.id", merged.kept.as_str());
            hire.remark(&actor, "candidate_merged", self.now());
            match self.save(&mut hire).await {
                Ok(()) => return Ok(hire),
                Err(LedgerError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// A new decision of the ATS: what a person said of the former one does not count.
fn reopen(hire: &mut Hire, hired: &Hired, actor: &Actor, now: Timestamp) -> Effect {
    let Ok(effect) = hire.apply(&Event::Rehired, actor, now) else { return Effect::Rest };
    let known = std::mem::replace(&mut hire.record.facts, hired.facts.clone());
    hire.record.facts.fill(&known);
    hire.record.hired_at = hired.at;
    hire.record.name_split = hired.name_split.or(hire.record.name_split);
    hire.record.warnings.clear();
    hire.forget_ignored();
    hire.flags = Flags { after_unknown: hire.flags.after_unknown, ..Flags::default() };
    (hire.employee, hire.since, hire.tries, hire.next_at) = (None, None, 0, Some(now));
    effect
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_time_or_the_same_is_neither_earlier_nor_later() {
        let at = |second| Timestamp::from_second(second).ok();
        assert_eq!(is_later(at(2), at(1)), Some(true));
        assert_eq!(is_later(at(1), at(2)), Some(false));
        assert_eq!(
            (is_later(at(1), at(1)), is_later(at(1), None), is_later(None, at(1))),
            (None, None, None)
        );
    }
}
