//! The gate: closed while Personio does not take our credential, so that hires wait instead of knocking.

use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};

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
    closed: Mutex<Option<Closed>>,
    metrics: Metrics,
}

#[derive(Clone, Copy)]
struct Closed {
    at: Door,
    next_probe: Timestamp,
}

impl Gate {
    pub(super) fn open(metrics: Metrics) -> Self {
        Self { closed: Mutex::new(None), metrics }
    }

    fn closed(&self) -> std::sync::MutexGuard<'_, Option<Closed>> {
        self.closed.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Personio turned us away at this door. It stays the next probe's turn when that was closed already.
    pub(super) fn close(&self, at: Door, now: Timestamp) {
        let mut closed = self.closed();
        if let Some(closed) = closed.as_mut() {
            closed.at = closed.at.max(at);
            return;
        }
        *closed = Some(Closed { at, next_probe: now + PROBE_EVERY });
        tracing::error!(
            "Personio does not take the credential, or it lacks the right to create employees: hires wait; run `hirebridge check`"
        );
        self.metrics.credential_refused(true);
    }

    /// Personio let us through this door. That a token is taken says nothing of the right to create: opened
    /// by a look-up, the gate would send all waiting hires against the closed door behind it.
    pub(super) fn reopen(&self, passed: Door) -> bool {
        let was_closed = self.closed().take_if(|closed| closed.at <= passed).is_some();
        if was_closed {
            tracing::info!("Personio takes the credential again: waiting hires go on");
            self.metrics.credential_refused(false);
        }
        was_closed
    }

    /// How many of those that want to may try now: all, one, or none.
    pub(super) fn admit(&self, now: Timestamp, all: usize) -> usize {
        match self.closed().as_mut() {
            None => all,
            Some(closed) if closed.next_probe <= now => {
                closed.next_probe = now + PROBE_EVERY;
                1
            }
            Some(_) => 0,
        }
    }

    /// When the next one may try, while the gate is closed.
    pub(super) fn next_probe(&self) -> Option<Timestamp> {
        self.closed().map(|closed| closed.next_probe)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_gate_lets_one_hire_a_minute_try() {
        let gate = Gate::open(Metrics::default());
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(gate.admit(now, 100), 100);
        gate.close(Door::Token, now);
        assert_eq!(gate.admit(now, 100), 0);
        let later = now + PROBE_EVERY;
        gate.close(Door::Token, later);
        assert_eq!(gate.admit(later, 100), 1);
        assert_eq!(gate.admit(later, 100), 0);
        assert!(gate.reopen(Door::Token));
        assert_eq!(gate.admit(later, 100), 100);
    }

    #[test]
    fn a_token_alone_does_not_open_what_a_refused_create_closed() {
        let gate = Gate::open(Metrics::default());
        let now = Timestamp::UNIX_EPOCH;
        gate.close(Door::Token, now);
        gate.close(Door::Create, now);
        gate.close(Door::Token, now);
        assert!(!gate.reopen(Door::Token));
        assert_eq!(gate.admit(now, 100), 0);
        assert!(gate.reopen(Door::Create));
        assert!(!gate.reopen(Door::Create), "it is open");
    }
}
