//! A pace: how many calls may leave in a minute. Each call gets a departure time; below the limit that
//! is now, and it costs one uncontended lock.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tower::{Layer, Service};

use super::client::Failure;
use super::{Call, left};
use crate::clock::Clock;

/// Calls that share one limit.
#[derive(Debug)]
pub struct Lane {
    every: Duration,
    head_start: Duration,
    /// By the clock's [`elapsed`](Clock::elapsed), as all times here.
    next: Mutex<Duration>,
}

impl Lane {
    /// So many calls a minute, of which `burst` may leave at once; `None`, without a limit, for 0.
    pub fn per_minute(calls: u32, burst: u32) -> Option<Self> {
        let every = Duration::from_mins(1).checked_div(calls)?;
        Some(Self { every, head_start: every * burst.saturating_sub(1), next: Mutex::default() })
    }

    /// When a call that is ready `now` may leave. `None`, and nothing is taken, if only after `latest`.
    fn departure(&self, now: Duration, latest: Duration) -> Option<Duration> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let regular = now.max(*next);
        let departure = regular.saturating_sub(self.head_start).max(now);
        (departure <= latest).then(|| {
            *next = regular + self.every;
            departure
        })
    }
}

/// Says which lane a call takes.
pub trait Lanes<C>: Send + Sync + 'static {
    /// Its lane; `None` if it may leave at any time.
    fn lane(&self, call: &C) -> Option<&Lane>;
}

/// The layer: everything that it wraps, and every clone of that, shares the lanes.
#[derive(Debug)]
pub struct Pace<L> {
    lanes: Arc<L>,
    clock: Clock,
}

impl<L> Pace<L> {
    /// A layer over these lanes.
    pub fn new(lanes: L, clock: Clock) -> Self {
        Self { lanes: Arc::new(lanes), clock }
    }
}

impl<S, L> Layer<S> for Pace<L> {
    type Service = Paced<S, L>;

    fn layer(&self, inner: S) -> Paced<S, L> {
        Paced { inner, lanes: Arc::clone(&self.lanes), clock: self.clock.clone() }
    }
}

/// A service whose calls leave at their pace.
#[derive(Debug)]
pub struct Paced<S, L> {
    inner: S,
    lanes: Arc<L>,
    clock: Clock,
}

impl<S: Clone, L> Clone for Paced<S, L> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), lanes: Arc::clone(&self.lanes), clock: self.clock.clone() }
    }
}

impl<S, L> Paced<S, L> {
    /// How long the call has to wait.
    fn wait<C: Call>(&self, call: &C) -> Result<Duration, Failure>
    where
        L: Lanes<C>,
    {
        let Some(lane) = self.lanes.lane(call) else { return Ok(Duration::ZERO) };
        let now = self.clock.elapsed();
        let latest = now + left(call.deadline(), self.clock.now());
        let departure = lane.departure(now, latest).ok_or(Failure::Throttled)?;
        Ok(departure.saturating_sub(now))
    }
}

impl<S, L, C> Service<C> for Paced<S, L>
where
    S: Service<C, Error = Failure> + Clone + Send + 'static,
    S::Future: Send,
    S::Response: Send,
    L: Lanes<C>,
    C: Call + Send + 'static,
{
    type Response = S::Response;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, Failure>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, call: C) -> Self::Future {
        let wait = self.wait(&call);
        let clock = self.clock.clone();
        let waiting = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, waiting);
        Box::pin(async move {
            match wait? {
                Duration::ZERO => {}
                wait => clock.sleep(wait).await,
            }
            inner.call(call).await
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use tower::{ServiceExt, service_fn};

    use super::*;

    #[test]
    fn a_burst_leaves_at_once_and_the_rest_at_its_pace() {
        let lane = Lane::per_minute(240, 3).expect("a limit");
        let now = Duration::from_hours(1);
        let far = now + Duration::from_mins(1);
        let waits: Vec<_> = (0..6)
            .map(|_| lane.departure(now, far).expect("a place").saturating_sub(now))
            .map(|wait| wait.as_millis())
            .collect();
        assert_eq!(waits, [0, 0, 0, 250, 500, 750]);
        let later = now + Duration::from_mins(1);
        assert_eq!(lane.departure(later, later), Some(later), "a pause gives the burst back");
    }

    #[test]
    fn no_minute_holds_more_than_the_burst_and_a_minutes_pace() {
        let lane = Lane::per_minute(50, 10).expect("a limit");
        let (mut now, mut left) = (Duration::ZERO, Vec::new());
        for call in 0..500_u64 {
            // Some come together, some after a pause.
            now += Duration::from_millis(if call % 97 == 0 { 9000 } else { 100 });
            left.push(lane.departure(now, Duration::MAX).expect("a place"));
        }
        for from in &left {
            let minute = *from..*from + Duration::from_mins(1);
            let within = left.iter().filter(|at| minute.contains(at)).count();
            assert!(within <= 60, "{within} from {from:?}");
        }
    }

    #[derive(Clone)]
    struct Errand(Timestamp);

    impl Call for Errand {
        fn deadline(&self) -> Timestamp {
            self.0
        }

        fn is_repeatable(&self) -> bool {
            true
        }
    }

    struct OneLane(Option<Lane>);

    impl Lanes<Errand> for OneLane {
        fn lane(&self, _: &Errand) -> Option<&Lane> {
            self.0.as_ref()
        }
    }

    #[tokio::test]
    async fn clones_share_their_lanes_and_nobody_waits_past_a_deadline() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let soon = Errand(clock.now() + SignedDuration::from_secs(5));
        for (calls, expected) in [(1, Err(Failure::Throttled)), (0, Ok(()))] {
            let pace = Pace::new(OneLane(Lane::per_minute(calls, 1)), clock.clone());
            let service = pace.layer(service_fn(|_: Errand| async { Ok::<_, Failure>(()) }));
            assert_eq!(service.clone().oneshot(soon.clone()).await, Ok(()));
            assert_eq!(service.clone().oneshot(soon.clone()).await, expected);
        }
    }
}
