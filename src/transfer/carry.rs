//! Carries one hire from state to state until it rests: each effect in a function of its own.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::bulkhead::Berth;
use super::gate::Door;
use super::planner::Told;
use super::progress::{Running, is_passing};
use super::{Inner, LedgerError, log};
use crate::ats::json;
use crate::domain::{Actor, Effect, Entry, Event, Hire, LookUpZero, Outcome, State, Waiting, prevails};
use crate::ledger::Denied;
use crate::ledger::permit::is_superseded;
use crate::personio::{CallError, Person};

/// What goes on after an effect, or why nothing does.
pub(super) type Next = Result<Effect, LedgerError>;

/// What Personio says of an employee who was just created.
pub(super) struct ReadBack {
    pub(super) employee: u64,
    pub(super) found: Result<Option<Person>, CallError>,
}

impl Inner {
    /// Does what is to be done for a hire until it rests or waits. `told` is what its deliveries say, where that
    /// is at hand already. Returns whether the due loop is to be told of its next time.
    pub(super) async fn carry(
        self: Arc<Self>,
        mut hire: Hire,
        first: Effect,
        mut told: Option<Told>,
        berth: Arc<Berth>,
        running: Running,
    ) -> bool {
        // Whoever waits for the credential comes here only when the gate has let it in.
        let admitted = hire.state() == State::Waiting(Waiting::Credential);
        let mut effect = first;
        let mut read_back = None;
        let tell = |hire: &Hire| {
            if !is_passing(hire.state()) {
                self.bulkhead.step_aside(&berth, &self.due);
            }
            running.tell(hire);
        };
        loop {
            let next = match effect {
                Effect::Plan => self.plan(&mut hire, told.take()).await,
                Effect::LookUp => self.look_up(&mut hire).await,
                Effect::Send if !admitted && !self.gate.admits(self.now()) => {
                    self.wait_for(&mut hire, Waiting::Credential, None).await
                }
                Effect::Send => self.send(&mut hire, &tell, &mut read_back).await,
                Effect::Wake => self.wake(&mut hire).await,
                Effect::LookAgain => self.look_again(&mut hire).await,
                Effect::LookUpRefused => self.look_up_refused(&mut hire).await,
                Effect::Compare => self.compare(&mut hire, read_back.take()).await,
                Effect::Wait | Effect::Rest => return hire.next_at.is_some(),
            };
            tell(&hire);
            effect = match next {
                Ok(next) => next,
                Err(LedgerError::Conflict) => match self.again(hire.id).await {
                    Ok(newer) => {
                        hire = newer;
                        tell(&hire);
                        let due = hire.next_at.is_some_and(|at| at <= self.now());
                        if due { hire.state().resume() } else { Effect::Rest }
                    }
                    Err(error) => return complain(&hire, &error),
                },
                Err(error) => return complain(&hire, &error),
            };
        }
    }

    /// Completes the facts and makes the plan. A sendable one is not stored by itself: the permit does.
    async fn plan(self: &Arc<Self>, hire: &mut Hire, told: Option<Told>) -> Next {
        let told = if let Some(told) = told {
            told
        } else {
            let source = self.parts.planner.sources.named(&hire.source);
            Told::again(source, self.payloads(hire).await?)
        };
        self.parts.planner.complete(hire, &told).await;
        let always = self.always(&hire.source).await?;
        hire.record.plan = self.parts.planner.plan(hire, &told.payloads, &always).await;
        let event = if let Some(rule) = self.parts.planner.ignored_by(hire) {
            hire.ignored(&rule);
            Event::RuledOut
        } else {
            self.files_came(hire, &hire.record.files).await?;
            Event::Planned(self.parts.planner.hold(hire))
        };
        let effect = self.apply(hire, &event)?;
        if effect == Effect::Rest {
            self.save(hire).await?;
        }
        Ok(effect)
    }

    /// The parsed deliveries of a hire, oldest first.
    pub(super) async fn payloads(&self, hire: &Hire) -> Result<Vec<Value>, LedgerError> {
        if self.parts.planner.sources.named(&hire.source).is_none() {
            return Ok(Vec::new());
        }
        let bodies = self.parts.ledger.bodies(hire.id).await?;
        // As strictly as at receipt: what can be read in two ways is not read for a plan either.
        Ok(bodies.iter().filter_map(|body| json::read(body).ok()).collect())
    }

    /// Spends the permit and calls. From the permit's commit on, only the outcome moves the hire. Whoever is there is
    /// read back while that is being stored.
    async fn send(
        &self,
        hire: &mut Hire,
        tell: &(dyn Fn(&Hire) + Sync),
        read_back: &mut Option<ReadBack>,
    ) -> Next {
        if let Err(error) = self.parts.reader.authenticate().await {
            return self.put_off(hire, &error).await;
        }
        // A token may be at hand while Personio is out of order: a create is no way to find out.
        if self.parts.reader.shut_until().is_some() {
            return self.wait_for(hire, Waiting::Unreachable, None).await;
        }
        let now = self.now();
        let employee = hire.record.plan.employee.clone();
        let deadline = now + self.parts.call_timeout;
        // Cut off in the middle, its outcome would be unknown; as it is, the next start sends it.
        if self.ends_at.get().is_some_and(|ends_at| *ends_at < deadline) {
            return Ok(Effect::Rest);
        }
        let steps = hire.unsaved.clone();
        let permitted = Entry {
            at: now,
            actor: Actor::System.to_string(),
            from: Some(State::Ready.name().into()),
            to: State::Sending.name().into(),
            cause: "permitted".into(),
        };
        let granted = self.parts.ledger.permit(hire, employee, &Actor::System, now, deadline).await?;
        let ticket = match granted {
            Ok(ticket) => ticket,
            Err(Denied::SamePerson(other)) => {
                hire.note(&format!("same_person_as:{other}"));
                return self.stop(hire, &Event::SamePerson).await;
            }
            Err(Denied::Spent) => return self.stop(hire, &Event::Spent).await,
            Err(Denied::Overtaken(at)) => return self.overtaken(hire, at).await,
        };
        log(hire, &steps);
        log(hire, &[permitted]);
        tell(hire);
        let number = ticket.number();
        let creation = self.parts.writer.create(ticket).await;
        hire.record.warnings.extend(creation.warnings);
        self.note_outcome(hire, &creation.outcome, creation.retry_at, deadline)?;
        let keeping = async {
            let kept = self.keep(hire, number).await;
            kept.inspect(|()| tell(hire))
        };
        let (kept, read) = tokio::join!(keeping, self.read_back(&creation.outcome));
        kept?;
        *read_back = read;
        if let Outcome::Created { .. } | Outcome::Refused { .. } = creation.outcome {
            self.credential_works(Door::Create);
        }
        Ok(if hire.next_at.is_some() { after(hire.state()) } else { Effect::Rest })
    }

    async fn read_back(&self, outcome: &Outcome) -> Option<ReadBack> {
        let Outcome::Created { employee } = outcome else { return None };
        Some(ReadBack { employee: *employee, found: self.parts.reader.person(*employee).await })
    }

    pub(super) async fn stop(&self, hire: &mut Hire, why: &Event) -> Next {
        let effect = self.apply(hire, why)?;
        self.save(hire).await?;
        Ok(effect)
    }

    /// What the outcome means for the hire: its state, its employee, and when it goes on.
    fn note_outcome(
        &self,
        hire: &mut Hire,
        outcome: &Outcome,
        retry_at: Option<Timestamp>,
        deadline: Timestamp,
    ) -> Result<(), LedgerError> {
        let now = self.now();
        self.apply(hire, &Event::Called(outcome.clone()))?;
        match outcome {
            Outcome::Created { employee } => {
                hire.employee = Some(*employee);
                (hire.since, hire.tries, hire.next_at) = (None, 0, Some(now));
            }
            Outcome::Refused { .. } => hire.next_at = Some(now),
            Outcome::NotSent(why) => {
                if *why == Waiting::Credential {
                    self.gate.close(Door::Create, now);
                }
                self.wait_longer(hire, *why, retry_at);
            }
            Outcome::Unknown { .. } if hire.look_up_zero == LookUpZero::NotAllowed => {
                self.apply(hire, &Event::NotFound)?;
            }
            Outcome::Unknown { .. } => self.look_up_later(hire, deadline),
        }
        Ok(())
    }

    /// Stores an outcome. A store that fails for a moment must not turn a known outcome into an unknown
    /// one, so this tries until it succeeds or the process ends.
    async fn keep(&self, hire: &mut Hire, permit: u32) -> Result<(), LedgerError> {
        loop {
            match self.keep_once(hire, permit).await {
                Err(LedgerError::Unusable(why)) => {
                    tracing::error!(hire = %hire.id, %why, "an outcome could not be stored; trying again");
                    let soon = self.now() + SignedDuration::from_secs(1);
                    self.parts.clock.sleep_until(soon).await;
                }
                Err(error) => {
                    let state = hire.state().name();
                    tracing::error!(hire = %hire.id, state, %error, "an outcome is not stored: it is unknown until it is looked up");
                    return Err(error);
                }
                Ok(()) => return Ok(()),
            }
        }
    }

    async fn keep_once(&self, hire: &mut Hire, permit: u32) -> Result<(), LedgerError> {
        loop {
            match self.save(hire).await {
                Err(LedgerError::Conflict) => {
                    let newer = self.again(hire.id).await?;
                    let history = self.parts.ledger.history(hire.id).await?;
                    if !prevails(hire.state(), newer.state(), is_superseded(&history, permit)) {
                        let (outcome, stored) = (hire.state().name(), newer.state().name());
                        tracing::warn!(hire = %hire.id, outcome, stored, "an outcome came too late and is not stored");
                        *hire = newer;
                        return Ok(());
                    }
                    hire.version = newer.version;
                    hire.kept = newer.kept;
                    hire.flags = newer.flags;
                    hire.flags.unhired |= newer.state == State::Cancelled;
                }
                done => return done,
            }
        }
    }

    /// Could not ask, or could not send, and surely nothing was carried out.
    pub(super) async fn put_off(&self, hire: &mut Hire, error: &CallError) -> Next {
        let (why, retry_at) = match error {
            CallError::Credential | CallError::NotAllowed => (Waiting::Credential, None),
            CallError::Throttled { retry_at } => (Waiting::Throttled, *retry_at),
            CallError::Unreachable(_) | CallError::Refused(_) | CallError::Unreadable(_) => {
                (Waiting::Unreachable, None)
            }
        };
        if why == Waiting::Credential {
            self.gate.close(Door::Token, self.now());
        }
        self.wait_for(hire, why, retry_at).await
    }

    async fn wait_for(&self, hire: &mut Hire, why: Waiting, retry_at: Option<Timestamp>) -> Next {
        let effect = self.apply(hire, &Event::PutOff(why))?;
        self.wait_longer(hire, why, retry_at);
        self.save(hire).await?;
        Ok(effect)
    }

    /// Sets the next time of a hire that waits: when Personio said, or ever later up to 15 minutes. While
    /// nobody may try, it is due as soon as one may.
    fn wait_longer(&self, hire: &mut Hire, why: Waiting, retry_at: Option<Timestamp>) {
        let now = self.now();
        hire.since.get_or_insert(now);
        if why == Waiting::Unreachable && self.parts.reader.shut_until().is_some() {
            hire.next_at = Some(now);
            return;
        }
        let pause = SignedDuration::from_secs((15i64 << hire.tries.min(6)).min(900));
        hire.tries += 1;
        hire.next_at = Some(match why {
            Waiting::Credential => now,
            _ => retry_at.unwrap_or(now + pause),
        });
    }

    pub(super) fn credential_works(&self, passed: Door) {
        if self.gate.reopen(passed) {
            self.due.notify_one();
        }
    }

    /// The time of a waiting hire has come.
    async fn wake(&self, hire: &mut Hire) -> Next {
        if hire.is_taken_back() {
            return self.withdraw(hire).await;
        }
        if self.has_waited_enough(hire) {
            return self.stop(hire, &Event::GivenUp).await;
        }
        self.apply(hire, &Event::Due)
    }

    /// Whether a waiting hire is to be handed to a person.
    pub(super) fn has_waited_enough(&self, hire: &Hire) -> bool {
        let waited = hire.since.map(|since| self.now().duration_since(since));
        waited.is_some_and(|waited| waited >= self.parts.settings.give_up_after)
    }

    /// Takes a step as the system itself. That it cannot be taken is a mistake of ours: the hire rests
    /// as it is stored.
    pub(super) fn apply(&self, hire: &mut Hire, event: &Event) -> Next {
        let taken = hire.apply(event, &Actor::System, self.now());
        taken.map_err(|refusal| LedgerError::Damaged(refusal.to_string()))
    }

    pub(super) fn call_deadline(&self) -> Timestamp {
        self.now() + self.parts.call_timeout
    }
}

/// What follows once an outcome is stored.
fn after(state: State) -> Effect {
    match state {
        State::Created(_) | State::Held(_) => state.resume(),
        _ => Effect::Wait,
    }
}

/// It is found again when the due loop next looks by itself; told at once, it would try without a pause.
fn complain(hire: &Hire, error: &LedgerError) -> bool {
    tracing::error!(hire = %hire.id, %error, "the ledger failed; the hire goes on when it works again");
    false
}
