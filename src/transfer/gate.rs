//! The gate: closed while Personio does not take our credential, so that hires wait instead of knocking.

use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};

use crate::telemetry::Metrics;

/// While the gate is closed, one hire a minute may try whether it opens.
const PROBE_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// Whether hires may go to Personio.
pub(super) struct Gate {
    next_probe: Mutex<Option<Timestamp>>,
    metrics: Metrics,
}

impl Gate {
    pub(super) fn open(metrics: Metrics) -> Self {
        Self { next_probe: Mutex::new(None), metrics }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, Option<Timestamp>> {
        self.next_probe.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Personio refused the credential.
    pub(super) fn close(&self, now: Timestamp) {
        let was_open = self.state().replace(now + PROBE_EVERY).is_none();
        if was_open {
            tracing::error!(
                "Personio does not take the credential, or it lacks the right to create employees: hires wait; run `hirebridge check`"
            );
        }
        self.metrics.credential_refused(true);
    }

    /// Personio took the credential. Returns whether the gate was closed.
    pub(super) fn reopen(&self) -> bool {
        let was_closed = self.state().take().is_some();
        if was_closed {
            tracing::info!("Personio takes the credential again: waiting hires go on");
            self.metrics.credential_refused(false);
        }
        was_closed
    }

    /// How many of the hires that wait for the credential may try now: all, one, or none.
    pub(super) fn admit(&self, now: Timestamp, all: usize) -> usize {
        let mut state = self.state();
        match *state {
            None => all,
            Some(probe) if probe <= now => {
                *state = Some(now + PROBE_EVERY);
                1
            }
            Some(_) => 0,
        }
    }

    /// When the next one may try, while the gate is closed.
    pub(super) fn next_probe(&self) -> Option<Timestamp> {
        *self.state()
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
        gate.close(now);
        assert_eq!(gate.admit(now, 100), 0);
        let later = now + PROBE_EVERY;
        assert_eq!(gate.admit(later, 100), 1);
        assert_eq!(gate.admit(later, 100), 0);
        assert!(gate.reopen());
        assert_eq!(gate.admit(later, 100), 100);
    }
}
