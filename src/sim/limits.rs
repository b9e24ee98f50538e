//! How many calls Personio takes, if the switch is on: strictly as documented, and one step stricter where the
//! documentation leaves it open.
//!
//! | calls | limit | source |
//! |---|---|---|
//! | `POST /v1/auth` | 60 in a minute, then none for a minute | <https://developer.personio.de/reference/auth> |
//! | `GET /v1/company/employees`, and below it | 300 in a minute, 15 in a second; one that was turned away waits a second | <https://developer.personio.de/changelog/rate-limits-on-get-employees-endpoint-may-6-2024> |
//! | `POST /v1/company/documents` | 60 in a minute | <https://github.com/personio/api-docs> |
//! | all of v1, from one address | 2,000 in a minute | <https://developer.personio.de/changelog/ip-address-based-rate-limiting-v1-endpoints> |
//!
//! The answer is 429 without `Retry-After`: none was seen, and none is documented.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::operation::Operation;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);

/// A way to measure time: how long ago some fixed moment was.
pub type Elapsed = Arc<dyn Fn() -> Duration + Send + Sync>;

/// One limit: so many calls in any stretch of this length, and how long nothing passes after one too many.
struct Limit {
    takes: usize,
    within: Duration,
    then_none_for: Duration,
    passed: VecDeque<Duration>,
    closed_until: Duration,
}

/// All limits.
pub(super) struct Limits {
    elapsed: Elapsed,
    auth: [Limit; 1],
    employees: [Limit; 2],
    documents: [Limit; 1],
    all: [Limit; 1],
}

impl Limits {
    /// Nothing has passed yet. Time is the system's, if it is not given.
    pub(super) fn new(elapsed: Option<Elapsed>) -> Self {
        let since = Instant::now();
        Self {
            elapsed: elapsed.unwrap_or_else(|| Arc::new(move || since.elapsed())),
            auth: [Limit::new(60, MINUTE, MINUTE)],
            employees: [Limit::new(300, MINUTE, SECOND), Limit::new(15, SECOND, SECOND)],
            documents: [Limit::new(60, MINUTE, Duration::ZERO)],
            all: [Limit::new(2000, MINUTE, Duration::ZERO)],
        }
    }

    /// Whether a call is within all limits that concern it; if so, it counts.
    pub(super) fn take(&mut self, operation: Operation) -> bool {
        let now = (self.elapsed)();
        let own: &mut [Limit] = match operation {
            Operation::Auth => &mut self.auth,
            Operation::ListEmployees | Operation::GetEmployee | Operation::ListAttributes => {
                &mut self.employees
            }
            Operation::UploadDocument => &mut self.documents,
            _ => &mut [],
        };
        let mut concerned: Vec<_> = own.iter_mut().chain(&mut self.all).collect();
        // All are asked: each one that is exceeded closes.
        let exceeded = concerned.iter_mut().filter_map(|limit| (!limit.has_room(now)).then_some(())).count();
        if exceeded == 0 {
            for limit in concerned {
                limit.passed.push_back(now);
            }
        }
        exceeded == 0
    }
}

impl Limit {
    fn new(takes: usize, within: Duration, then_none_for: Duration) -> Self {
        Self { takes, within, then_none_for, passed: VecDeque::new(), closed_until: Duration::ZERO }
    }

    fn has_room(&mut self, now: Duration) -> bool {
        while self.passed.front().is_some_and(|at| *at + self.within <= now) {
            self.passed.pop_front();
        }
        if self.passed.len() >= self.takes {
            self.closed_until = now + self.then_none_for;
            return false;
        }
        now >= self.closed_until
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

    use super::*;

    struct Desk {
        limits: Limits,
        ms: Arc<AtomicU64>,
    }

    impl Desk {
        fn new() -> Self {
            let ms = Arc::new(AtomicU64::new(0));
            let read = Arc::clone(&ms);
            let limits = Limits::new(Some(Arc::new(move || Duration::from_millis(read.load(SeqCst)))));
            Self { limits, ms }
        }

        fn pass(&mut self, ms: u64) {
            self.ms.fetch_add(ms, SeqCst);
        }

        /// How many of so many calls pass.
        fn take(&mut self, operation: Operation, calls: usize) -> usize {
            (0..calls).filter(|_| self.limits.take(operation)).count()
        }
    }

    #[test]
    fn employees_are_read_fifteen_times_a_second_and_300_times_a_minute() {
        let mut desk = Desk::new();
        assert_eq!(desk.take(Operation::ListEmployees, 15), 15);
        assert_eq!(desk.take(Operation::GetEmployee, 5), 0);
        desk.pass(999);
        assert_eq!(desk.take(Operation::ListEmployees, 1), 0, "it is closed for a second");
        desk.pass(1);
        let mut passed = 15;
        for _ in 0..50 {
            passed += desk.take(Operation::ListEmployees, 10);
            desk.pass(1000);
        }
        assert_eq!(passed, 300);
        assert_eq!(desk.take(Operation::CreateEmployee, 100), 100, "creates have no limit of their own");
    }

    #[test]
    fn one_token_too_many_closes_the_door_for_a_minute() {
        let mut desk = Desk::new();
        assert_eq!(desk.take(Operation::Auth, 61), 60);
        desk.pass(59_000);
        assert_eq!(desk.take(Operation::Auth, 1), 0);
        desk.pass(61_000);
        assert_eq!(desk.take(Operation::Auth, 1), 1);
    }

    #[test]
    fn all_calls_together_have_a_limit() {
        let mut desk = Desk::new();
        assert_eq!(desk.take(Operation::CreateEmployee, 3000), 2000);
        desk.pass(60_000);
        assert_eq!(desk.take(Operation::CreateEmployee, 1), 1);
    }
}
