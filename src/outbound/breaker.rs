//! A breaker: when one attempt after the other fails, the other side is out of order, and calls are turned away
//! at once instead of living through their time-outs. Now and then a single repeatable call tries.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tower::{Layer, Service};

use super::Call;
use super::client::{Answer, Failure};
use crate::clock::Clock;

/// So many failures in a row, of whichever calls, open it: more than one patient call lives through alone.
pub const FAILURES: u32 = 5;

/// While it is open, one call may try so often.
pub const TRY_EVERY: Duration = Duration::from_secs(15);

/// Is told when the breaker opens and closes, once each.
pub trait Witness: Clone + Send + Sync + 'static {
    /// The other side is out of order.
    fn opened(&self);

    /// It answers again.
    fn closed(&self);
}

/// The breaker of one upstream, and the layer that asks it before each attempt. Clones share it.
#[derive(Clone, Debug)]
pub struct Breaker<W> {
    clock: Clock,
    witness: W,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// When the next call may try, while it is open.
    next_try: Option<Duration>,
}

/// What an attempt tells of the other side.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Evidence {
    InOrder,
    OutOfOrder,
    Nothing,
}

impl<W: Witness> Breaker<W> {
    /// A closed one: calls pass.
    pub fn new(clock: Clock, witness: W) -> Self {
        Self { clock, witness, state: Arc::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long until a call may try, while it is open; `None` if calls pass.
    pub fn shut_for(&self) -> Option<Duration> {
        self.state().next_try.map(|at| at.saturating_sub(self.clock.elapsed()))
    }

    /// Whether a call may be made now. Of those that are repeatable one may try when it is time; others pass
    /// only while the breaker is closed: what must not be made twice is no means to find out.
    fn admits(&self, repeatable: bool) -> bool {
        let now = self.clock.elapsed();
        match &mut self.state().next_try {
            None => true,
            Some(at) if repeatable && *at <= now => {
                *at = now + TRY_EVERY;
                true
            }
            Some(_) => false,
        }
    }

    fn learn(&self, evidence: Evidence) {
        let mut state = self.state();
        match evidence {
            Evidence::Nothing => {}
            Evidence::InOrder => {
                state.failures = 0;
                if state.next_try.take().is_some() {
                    self.witness.closed();
                }
            }
            Evidence::OutOfOrder => {
                state.failures = state.failures.saturating_add(1);
                if state.failures >= FAILURES && state.next_try.is_none() {
                    state.next_try = Some(self.clock.elapsed() + TRY_EVERY);
                    self.witness.opened();
                }
            }
        }
    }
}

/// What became of a call that is not repeatable proves only that the other side can be reached or not: its
/// 5xx may be about what was sent.
fn evidence(repeatable: bool, happened: Result<u16, Failure>) -> Evidence {
    match happened {
        Err(
            Failure::NotSent("too_late" | "not_sendable")
            | Failure::Lost("body_too_large")
            | Failure::Throttled
            | Failure::Shut,
        ) => Evidence::Nothing,
        Err(Failure::NotSent(_)) => Evidence::OutOfOrder,
        Ok(408 | 500..=599) | Err(Failure::Lost(_)) if repeatable => Evidence::OutOfOrder,
        Ok(408 | 500..=599) | Err(Failure::Lost(_)) => Evidence::Nothing,
        Ok(_) => Evidence::InOrder,
    }
}

impl<S, W: Clone> Layer<S> for Breaker<W> {
    type Service = Broken<S, W>;

    fn layer(&self, inner: S) -> Broken<S, W> {
        Broken { inner, breaker: self.clone() }
    }
}

/// A service behind a breaker.
#[derive(Clone, Debug)]
pub struct Broken<S, W> {
    inner: S,
    breaker: Breaker<W>,
}

impl<S, C, W> Service<C> for Broken<S, W>
where
    S: Service<C, Response = Answer, Error = Failure> + Clone + Send + 'static,
    S::Future: Send,
    C: Call + Send + 'static,
    W: Witness,
{
    type Response = Answer;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, Failure>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, call: C) -> Self::Future {
        let repeatable = call.is_repeatable();
        if !self.breaker.admits(repeatable) {
            return Box::pin(std::future::ready(Err(Failure::Shut)));
        }
        let breaker = self.breaker.clone();
        let answered = self.inner.call(call);
        Box::pin(async move {
            let answered = answered.await;
            let happened = answered.as_ref().map(|answer| answer.status).map_err(|failure| *failure);
            breaker.learn(evidence(repeatable, happened));
            answered
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    use jiff::{SignedDuration, Timestamp};
    use tower::{ServiceExt, service_fn};

    use super::*;

    #[derive(Clone, Default)]
    struct Diary(Arc<(AtomicU32, AtomicU32)>);

    impl Witness for Diary {
        fn opened(&self) {
            self.0.0.fetch_add(1, SeqCst);
        }

        fn closed(&self) {
            self.0.1.fetch_add(1, SeqCst);
        }
    }

    impl Diary {
        fn read(&self) -> (u32, u32) {
            (self.0.0.load(SeqCst), self.0.1.load(SeqCst))
        }
    }

    #[derive(Clone)]
    struct Errand {
        repeatable: bool,
        ends: Result<u16, Failure>,
    }

    impl Call for Errand {
        fn deadline(&self) -> Timestamp {
            Timestamp::MAX
        }

        fn is_repeatable(&self) -> bool {
            self.repeatable
        }
    }

    async fn call(breaker: &Breaker<Diary>, repeatable: bool, ends: Result<u16, Failure>) -> bool {
        let inner = service_fn(|errand: Errand| async move {
            errand.ends.map(|status| Answer { status, ..Answer::default() })
        });
        breaker.layer(inner).oneshot(Errand { repeatable, ends }).await != Err(Failure::Shut)
    }

    #[tokio::test]
    async fn failures_in_a_row_open_it_and_the_first_success_closes_it() {
        let (clock, diary) = (Clock::manual(Timestamp::UNIX_EPOCH), Diary::default());
        let breaker = Breaker::new(clock.clone(), diary.clone());
        for ends in [Ok(503), Ok(200), Ok(500), Err(Failure::Lost("timeout")), Ok(502), Ok(429)] {
            assert!(call(&breaker, true, ends).await);
        }
        for _ in 0..FAILURES {
            assert!(call(&breaker, true, Err(Failure::NotSent("dns"))).await);
        }
        assert_eq!((diary.read(), breaker.shut_for()), ((1, 0), Some(TRY_EVERY)));
        assert!(!call(&breaker, true, Ok(200)).await && !call(&breaker, false, Ok(200)).await);

        clock.advance(SignedDuration::from_secs(15));
        assert!(!call(&breaker, false, Ok(200)).await, "a create does not try");
        assert!(call(&breaker, true, Ok(503)).await, "one call does");
        assert!(!call(&breaker, true, Ok(200)).await, "and no other");
        clock.advance(SignedDuration::from_secs(15));
        assert!(call(&breaker, true, Ok(403)).await, "whatever it answers, it is there");
        assert_eq!((diary.read(), breaker.shut_for()), ((1, 1), None));
        assert!(call(&breaker, false, Ok(200)).await);
    }

    #[tokio::test]
    async fn what_says_nothing_of_the_other_side_neither_opens_nor_closes_it() {
        let breaker = Breaker::new(Clock::manual(Timestamp::UNIX_EPOCH), Diary::default());
        let nothing = [Err(Failure::Throttled), Err(Failure::NotSent("too_late"))];
        for ends in nothing.into_iter().cycle().take(20) {
            call(&breaker, true, ends).await;
        }
        for _ in 0..20 {
            call(&breaker, false, Ok(500)).await;
        }
        assert_eq!(breaker.shut_for(), None);
    }
}
