//! A budget of repeats: in any minute at most a tenth of the first attempts, so that repeating never becomes
//! a load of its own when the other side is in trouble.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock;

/// What "any minute" means.
const WINDOW: Duration = Duration::from_mins(1);

/// One repeat for so many first attempts.
const FIRSTS_PER_REPEAT: u64 = 10;

/// So many repeats a minute are granted however few first attempts there are: one hire takes four calls, and a
/// quiet service may still repeat each of them.
pub const FLOOR: usize = 10;

/// The budget of all calls to one upstream. Clones share it.
///
/// In any sixty seconds, wherever they begin, there are at most [`FLOOR`] repeats, or a tenth of the first
/// attempts within the same sixty seconds if that is more.
#[derive(Clone, Debug)]
pub struct Budget {
    clock: Clock,
    spent: Arc<Mutex<Spent>>,
}

#[derive(Debug, Default)]
struct Spent {
    /// First attempts, ever.
    firsts: u64,
    /// The repeats of the last minute, oldest first: when, and how many first attempts there had been.
    repeats: VecDeque<(Duration, u64)>,
}

impl Budget {
    /// A budget of which nothing is spent.
    pub fn new(clock: Clock) -> Self {
        Self { clock, spent: Arc::default() }
    }

    /// A call is made for the first time.
    pub(super) fn first(&self) {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner).firsts += 1;
    }

    /// Whether a call may be made again; if so, that is spent.
    pub(super) fn repeat(&self) -> bool {
        let now = self.clock.elapsed();
        self.spent.lock().unwrap_or_else(PoisonError::into_inner).repeat(now)
    }
}

impl Spent {
    /// A minute that would hold too many repeats begins, at worst, with one of them: before it there is no
    /// repeat to be left out, after it fewer first attempts. So the minutes that begin with each are checked;
    /// that they go on after `now` can only help.
    fn repeat(&mut self, now: Duration) -> bool {
        while self.repeats.front().is_some_and(|(at, _)| *at + WINDOW < now) {
            self.repeats.pop_front();
        }
        let with_this = self.repeats.len() + 1;
        let granted = self.repeats.iter().enumerate().all(|(older, (_, firsts_before))| {
            let repeats = with_this - older;
            let firsts = self.firsts - firsts_before;
            repeats <= FLOOR || repeats as u64 * FIRSTS_PER_REPEAT <= firsts
        });
        if granted {
            self.repeats.push_back((now, self.firsts));
        }
        granted
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_quiet_service_may_repeat_a_few_times_a_minute() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let budget = Budget::new(clock.clone());
        budget.first();
        let granted = |budget: &Budget| (0..100).filter(|_| budget.repeat()).count();
        assert_eq!(granted(&budget), FLOOR);
        clock.advance(SignedDuration::from_mins(1));
        assert_eq!(granted(&budget.clone()), 0, "a minute has both its ends");
        clock.advance(SignedDuration::from_millis(1));
        assert_eq!(granted(&budget), FLOOR);
    }

    #[test]
    fn a_busy_service_may_repeat_every_tenth_call() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let budget = Budget::new(clock.clone());
        let mut granted = 0;
        for call in 0..6000 {
            budget.first();
            granted += usize::from(call % 10 == 9 && budget.repeat());
            clock.advance(SignedDuration::from_millis(10));
        }
        // A minute that begins with a repeat has one fence post more than fences.
        assert!((540..=600).contains(&granted), "{granted}");
    }

    proptest! {
        #[test]
        fn no_minute_holds_more_repeats_than_the_floor_or_a_tenth_of_its_first_attempts(
            steps in prop::collection::vec((0..4000_u64, 0..40_usize, 0..12_usize), 1..150),
        ) {
            let (mut spent, mut now) = (Spent::default(), Duration::ZERO);
            // Of each kind: when, and how many.
            let (mut firsts, mut repeats) = (Vec::new(), Vec::new());
            for (pause, calls, wishes) in steps {
                now += Duration::from_millis(pause);
                spent.firsts += calls as u64;
                firsts.push((now, calls));
                repeats.push((now, (0..wishes).filter(|_| spent.repeat(now)).count()));
            }
            // The worst minutes begin with a repeat, or just after a first attempt.
            let beginnings = firsts.iter().flat_map(|(at, _)| [*at, *at + Duration::from_nanos(1)]);
            for from in beginnings {
                let within = |all: &[(Duration, usize)]| {
                    let minute = from..=from + WINDOW;
                    all.iter().filter(|(at, _)| minute.contains(at)).map(|(_, count)| count).sum::<usize>()
                };
                let (repeats, firsts) = (within(&repeats), within(&firsts));
                prop_assert!(repeats <= FLOOR.max(firsts / 10), "{repeats} for {firsts} from {from:?}");
            }
        }
    }
}
