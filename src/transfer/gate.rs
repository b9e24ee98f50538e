//! The gate: closed while Personio does not take our credential, so that hires wait instead of knocking.

use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

use crate::telemetry::Metrics;

/// While the gate is closed, one hire a minute may try whether it opens.
const PROBE_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// How far the credential gets us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Door {
    /// To a token.
    Token,
    /// To a new employee, which needs a right beside the token.
    Create,
}

/// Whether hires may go to Personio.
pub(super) struct Gate {
    state: Mutex<State>,
    turned_away: Notify,
    metrics: Metrics,
}

#[derive(Clone, Copy, Default)]
struct State {
    /// Where Personio turned us away.
    closed: Option<Door>,
    /// Whether this process has seen Personio take the credential. A former one may have left hires that wait
    /// for it: until then they do not all try at once.
    proven: bool,
    /// When the next hire may try, if not all may.
    next_probe: Timestamp,
}

impl Gate {
    pub(super) fn open(metrics: Metrics) -> Self {
        Self { state: Mutex::default(), turned_away: Notify::new(), metrics }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Personio turned us away at this door. It stays the next probe's turn when that was closed already.
    pub(super) fn close(&self, at: Door, now: Timestamp) {
        self.turned_away.notify_one();
        let mut state = self.state();
        let was_closed = state.closed.is_some();
        state.closed = state.closed.max(Some(at));
        if was_closed {
            return;
        }
        state.next_probe = now + PROBE_EVERY;
        tracing::error!(
            "Personio does not take the credential, or it lacks the right to create employees: hires wait; run `hirebridge check`"
        );
        self.metrics.credential_refused(true);
    }

    /// Personio let us through this door. That a token is taken says nothing of the right to create: opened
    /// by a look-up, the gate would send all waiting hires against the closed door behind it. Returns whether
    /// hires may go now that had to wait.
    pub(super) fn reopen(&self, passed: Door) -> bool {
        let mut state = self.state();
        let was_closed = state.closed.take_if(|at| *at <= passed).is_some();
        if was_closed {
            tracing::info!("Personio takes the credential again: waiting hires go on");
            self.metrics.credential_refused(false);
        }
        let is_proof = state.closed.is_none() && (was_closed || passed == Door::Create);
        is_proof && (!std::mem::replace(&mut state.proven, true) || was_closed)
    }

    /// Returns when Personio has turned us away since this was last asked, be it for the first time or again.
    pub(super) async fn turned_away(&self) {
        self.turned_away.notified().await;
    }

    /// Lets the next one try from `now` on.
    pub(super) fn probe_at(&self, now: Timestamp) {
        self.state().next_probe = now;
    }

    /// Whether Personio has turned us away.
    pub(super) fn is_closed(&self) -> bool {
        self.state().closed.is_some()
    }

    /// Whether a hire that is on its way may go on. If not all may, one a minute.
    pub(super) fn admits(&self, now: Timestamp) -> bool {
        let mut state = self.state();
        state.closed.is_none() || state.probe(now)
    }

    /// How many of those that wait for the credential may try now: all, one, or none.
    pub(super) fn admit_waiting(&self, now: Timestamp, all: usize) -> usize {
        let mut state = self.state();
        if state.closed.is_none() && state.proven { all } else { usize::from(state.probe(now)) }
    }

    /// When the next one may try, while the gate is closed.
    pub(super) fn next_probe(&self) -> Option<Timestamp> {
        let state = self.state();
        state.closed.map(|_| state.next_probe)
    }
}

impl State {
    fn probe(&mut self, now: Timestamp) -> bool {
        let is_time = self.next_probe <= now;
        if is_time {
            self.next_probe = now + PROBE_EVERY;
        }
        is_time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proven() -> Gate {
        let gate = Gate::open(Metrics::default());
        assert!(gate.reopen(Door::Create));
        gate
    }

    #[test]
    fn a_closed_gate_lets_one_hire_a_minute_try() {
        let gate = proven();
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(gate.admit_waiting(now, 100), 100);
        gate.close(Door::Token, now);
        assert_eq!(gate.admit_waiting(now, 100), 0);
        let later = now + PROBE_EVERY;
        gate.close(Door::Token, later);
        assert_eq!(gate.admit_waiting(later, 100), 1);
        assert!(!gate.admits(later), "those on their way and those that wait share the turn");
        assert!(gate.reopen(Door::Token));
        assert_eq!(gate.admit_waiting(later, 100), 100);
    }

    #[test]
    fn a_token_alone_does_not_open_what_a_refused_create_closed() {
        let gate = proven();
        let now = Timestamp::UNIX_EPOCH;
        gate.close(Door::Token, now);
        gate.close(Door::Create, now);
        gate.close(Door::Token, now);
        assert!(!gate.reopen(Door::Token));
        assert_eq!(gate.admit_waiting(now, 100), 0);
        assert!(gate.reopen(Door::Create));
        assert!(!gate.reopen(Door::Create), "it is open");
    }

    #[test]
    fn after_a_start_one_of_those_that_waited_goes_ahead_and_new_ones_are_not_kept() {
        let gate = Gate::open(Metrics::default());
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(gate.admit_waiting(now, 100), 1);
        assert_eq!(gate.admit_waiting(now, 100), 0);
        assert!(gate.admits(now));
        assert!(!gate.reopen(Door::Token), "the right to create is not proven");
        assert_eq!(gate.admit_waiting(now, 100), 0);
        assert_eq!(gate.admit_waiting(now + PROBE_EVERY, 100), 1);
        assert!(gate.reopen(Door::Create));
        assert_eq!(gate.admit_waiting(now, 100), 100);
    }
}
