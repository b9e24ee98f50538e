//! The one place that asks what time it is. Everything else takes a [`Clock`], so that tests decide.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::time::Instant;

/// What the system's [`Clock::elapsed`] is counted from.
static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// A source of time: the system's, or one that a test moves by hand.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<watch::Sender<Timestamp>>>);

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self(None)
    }

    /// A clock that stands still at `start` until [`Clock::advance`] moves it.
    pub fn manual(start: Timestamp) -> Self {
        Self(Some(Arc::new(watch::Sender::new(start))))
    }

    /// What time it is.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the system's clock")]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            None => Timestamp::now(),
            Some(manual) => *manual.borrow(),
        }
    }

    /// Moves a manual clock on; the system's clock moves by itself.
    pub fn advance(&self, by: SignedDuration) {
        if let Some(manual) = &self.0 {
            manual.send_modify(|now| *now = now.saturating_add(by).unwrap_or(Timestamp::MAX));
        }
    }

    /// How long ago some moment was that stays the same: for measuring what lies between two readings. Unlike
    /// [`now`](Self::now) it never goes back when the system's time is set.
    pub fn elapsed(&self) -> Duration {
        match &self.0 {
            None => ORIGIN.elapsed(),
            Some(manual) => {
                let since = manual.borrow().duration_since(Timestamp::UNIX_EPOCH);
                Duration::try_from(since).unwrap_or_default()
            }
        }
    }

    /// Returns after `pause`.
    pub async fn sleep(&self, pause: Duration) {
        if self.0.is_none() {
            tokio::time::sleep(pause).await;
        } else {
            self.sleep_until(self.now().checked_add(pause).unwrap_or(Timestamp::MAX)).await;
        }
    }

    /// Returns when it is `until` or later.
    pub async fn sleep_until(&self, until: Timestamp) {
        match &self.0 {
            None => {
                let left = until.duration_since(self.now());
                tokio::time::sleep(Duration::try_from(left).unwrap_or_default()).await;
            }
            Some(manual) => {
                let reached = manual.subscribe().wait_for(|now| *now >= until).await.is_ok();
                debug_assert!(reached, "the sender lives as long as the clock");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_manual_clock_wakes_whoever_waits_for_its_time() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let until = clock.now() + SignedDuration::from_mins(5);
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep_until(until).await }
        });
        clock.advance(SignedDuration::from_mins(5));
        sleeper.await.expect("the sleeper wakes");
        assert_eq!(clock.now(), until);
    }
}
