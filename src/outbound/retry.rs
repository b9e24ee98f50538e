//! Patience: how often and after which wait a call is made again. What may be repeated is the call's
//! own judgement; this only waits, and never hides the last answer.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Sleep, sleep};
use tower::retry::Policy;

use super::budget::Budget;
use super::client::{Answer, Failure};
use super::{Call, Meaning, classify, left};
use crate::clock::Clock;

/// How often a call is made, the first time included.
pub const ATTEMPTS: u32 = 4;

/// The longest wait before the second attempt; it doubles with each one.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// Where the doubling ends.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// What is added at most to a wait that was asked for, so that not everybody comes back at once.
const SPREAD: Duration = Duration::from_millis(250);

/// The longest wait that is believed when the other side asks for one.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(1);

/// Whether a call is made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// No.
    No,
    /// After a wait of our own choice.
    BackOff,
    /// After at least this wait, which the other side asked for.
    After(Duration),
}

impl Again {
    /// What [`classify()`] and `Retry-After` say together.
    pub fn after(repeatable: bool, happened: Result<&Answer, Failure>) -> Self {
        if classify(repeatable, happened.map(|answer| answer.status)) != Meaning::Repeat {
            return Self::No;
        }
        happened.ok().and_then(|answer| answer.retry_after).map_or(Self::BackOff, Self::After)
    }
}

/// A call that the retry layer may make again.
pub trait Repeat<T, E>: Call {
    /// Whether to make it again after this.
    fn again(&self, result: &Result<T, E>) -> Again;

    /// It is about to be made again.
    fn repeated(&mut self);
}

/// Is told of every repeat.
pub trait Tally<C>: Clone {
    /// The call is about to be made again.
    fn repeated(&self, call: &C);

    /// The call would have been made again, had the budget not been spent.
    fn refused(&self, call: &C);
}

/// The policy of [`tower::retry::RetryLayer`]: four attempts, full jitter, `Retry-After` honoured. A wait
/// that does not fit before the call's deadline is not begun, nor one that the [`Budget`] does not grant: the
/// last answer is returned at once.
#[derive(Clone, Debug)]
pub struct Patience<T> {
    clock: Clock,
    budget: Budget,
    room: Duration,
    tally: T,
    made: u32,
}

impl<T> Patience<T> {
    /// Patience that makes a repeat only if, after the wait, `room` is left before the deadline.
    pub fn new(clock: Clock, budget: Budget, room: Duration, tally: T) -> Self {
        Self { clock, budget, room, tally, made: 0 }
    }

    fn wait(&self, again: Again, left: Duration) -> Option<Duration> {
        let wait = match again {
            _ if self.made >= ATTEMPTS => return None,
            Again::No => return None,
            Again::BackOff => up_to(FIRST_WAIT.saturating_mul(1 << (self.made - 1)).min(LONGEST_WAIT)),
            Again::After(asked) => asked + up_to(SPREAD),
        };
        (wait + self.room <= left).then_some(wait)
    }
}

impl<C, R, E, T> Policy<C, R, E> for Patience<T>
where
    C: Repeat<R, E>,
    T: Tally<C>,
{
    type Future = Sleep;

    fn retry(&mut self, call: &mut C, result: &mut Result<R, E>) -> Option<Sleep> {
        self.made += 1;
        let wait = self.wait(call.again(result), left(call.deadline(), self.clock.now()))?;
        if !self.budget.repeat() {
            self.tally.refused(call);
            return None;
        }
        call.repeated();
        self.tally.repeated(call);
        Some(sleep(wait))
    }

    /// Called before each attempt that may be followed by another.
    fn clone_request(&mut self, call: &C) -> Option<C> {
        if self.made == 0 {
            self.budget.first();
        }
        Some(call.clone())
    }
}

fn up_to(longest: Duration) -> Duration {
    longest.mul_f64(fastrand::f64())
}

/// The wait that a `Retry-After` header asks for: seconds or an HTTP date; capped. Anything else, a
/// negative number included, is as if the header were absent.
pub fn retry_after(header: &str, now: Timestamp) -> Option<Duration> {
    let header = header.trim();
    if !header.is_empty() && header.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds = header.parse().unwrap_or(u64::MAX);
        return Some(Duration::from_secs(seconds).min(LONGEST_RETRY_AFTER));
    }
    let date = Timestamp::try_from(httpdate::parse_http_date(header).ok()?).ok()?;
    Some(left(date, now).min(LONGEST_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-22T08:00:00Z".parse().expect("a timestamp")
    }

    #[test]
    fn retry_after_is_read_in_each_form_and_capped() {
        let cases = [
            ("0", Some(0)),
            (" 7 ", Some(7)),
            ("1000000000000", Some(3600)),
            ("99999999999999999999999999", Some(3600)),
            ("Sun, 22 Nov 2026 08:00:30 GMT", Some(30)),
            ("Sun, 22 Nov 2026 07:00:00 GMT", Some(0)),
            ("Sun, 22 Nov 2099 08:00:00 GMT", Some(3600)),
            ("-5", None),
            ("1e12", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ];
        for (header, seconds) in cases {
            assert_eq!(retry_after(header, now()), seconds.map(Duration::from_secs), "{header:?}");
        }
    }

    fn patience(made: u32) -> Patience<()> {
        let clock = Clock::manual(now());
        let budget = Budget::new(clock.clone());
        Patience { clock, budget, room: Duration::from_secs(1), tally: (), made }
    }

    #[test]
    fn waits_grow_and_stay_below_their_bound() {
        for (made, bound) in [(1, 200), (2, 400), (3, 800)] {
            let wait = patience(made).wait(Again::BackOff, Duration::MAX).expect("another attempt");
            assert!(wait <= Duration::from_millis(bound), "{made}: {wait:?}");
        }
        let wait = patience(1).wait(Again::After(Duration::from_secs(7)), Duration::MAX);
        let bounds = Duration::from_secs(7)..=Duration::from_millis(7250);
        assert!(wait.is_some_and(|wait| bounds.contains(&wait)), "{wait:?}");
    }

    #[test]
    fn the_last_answer_is_returned_after_four_attempts_or_when_the_wait_does_not_fit() {
        let no_hurry = Duration::from_mins(1);
        assert_eq!(patience(4).wait(Again::BackOff, no_hurry), None);
        assert_eq!(patience(1).wait(Again::No, no_hurry), None);
        assert_eq!(patience(1).wait(Again::After(no_hurry), no_hurry), None);
        assert_eq!(patience(1).wait(Again::BackOff, Duration::from_millis(900)), None);
    }
}
