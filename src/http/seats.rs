//! Who is connected and asks nothing at the moment: the first to go when there is no room left.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::telemetry::Metrics;

/// The order of leaving: first whoever has not finished a head, then whoever has an idle connection; within
/// both, the one that has been at it longest.
type Place = (Rank, u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Head,
    Idle,
}

/// All connections that can be given up.
#[derive(Default)]
pub(super) struct Seats {
    waiting: Mutex<Waiting>,
    pub(super) metrics: Metrics,
}

#[derive(Default)]
struct Waiting {
    next: u64,
    places: BTreeMap<Place, CancellationToken>,
}

/// One connection's.
pub(super) struct Seat {
    seats: Arc<Seats>,
    /// Cancelled when the connection is to end as soon as nothing is in service on it.
    pub(super) end: CancellationToken,
    now: Mutex<(Stage, Option<Place>)>,
}

/// What a connection is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// A head has been on its way since then.
    Head(Instant),
    /// Nothing has been asked since then.
    Idle(Instant),
    /// A request is being served.
    Busy,
    /// Its answer is complete and has to be written.
    Answered,
}

impl Seats {
    /// Seats that are counted.
    pub(super) fn counted(metrics: Metrics) -> Self {
        Self { waiting: Mutex::default(), metrics }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new connection, which owes a head.
    pub(super) fn take(self: &Arc<Self>, end: CancellationToken) -> Arc<Seat> {
        self.metrics.connection_began();
        let seat = Seat { seats: Arc::clone(self), end, now: Mutex::new((Stage::Answered, None)) };
        seat.enter(Stage::Head(Instant::now()));
        Arc::new(seat)
    }

    /// Asks the connection to leave that can be spared most. False if all are being served.
    pub(super) fn evict(&self) -> bool {
        let leaving = self.waiting().places.pop_first();
        if let Some((_, end)) = &leaving {
            end.cancel();
            self.metrics.connection_cut("evicted");
        }
        leaving.is_some()
    }
}

impl Seat {
    fn now(&self) -> MutexGuard<'_, (Stage, Option<Place>)> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the connection is at.
    pub(super) fn stage(&self) -> Stage {
        self.now().0
    }

    /// Whether ending it would cut off an answer.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self.stage(), Stage::Busy | Stage::Answered)
    }

    /// The connection is cut for not keeping up.
    pub(super) fn too_slow(&self) {
        self.seats.metrics.connection_cut("slow");
    }

    /// The connection is at something else now.
    pub(super) fn enter(&self, stage: Stage) {
        let mut now = self.now();
        let rank = match stage {
            Stage::Head(_) => Some(Rank::Head),
            Stage::Idle(_) => Some(Rank::Idle),
            Stage::Busy | Stage::Answered => None,
        };
        let mut waiting = self.seats.waiting();
        if let Some(place) = now.1.take() {
            waiting.places.remove(&place);
        }
        now.0 = stage;
        now.1 = rank.map(|rank| (rank, waiting.next));
        if let Some(place) = now.1 {
            waiting.next += 1;
            waiting.places.insert(place, self.end.clone());
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.enter(Stage::Answered);
        self.seats.metrics.connection_ended();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_oldest_unfinished_head_leaves_first_and_whoever_is_served_stays() {
        let seats = Arc::new(Seats::default());
        let [idle, served, older, younger] = std::array::from_fn(|_| seats.take(CancellationToken::new()));
        idle.enter(Stage::Idle(Instant::now()));
        served.enter(Stage::Busy);
        drop(seats.take(CancellationToken::new()));
        for leaving in [&older, &younger, &idle] {
            assert!(!leaving.end.is_cancelled());
            assert!(seats.evict());
            assert!(leaving.end.is_cancelled());
        }
        assert!(!seats.evict() && !served.end.is_cancelled());
    }
}
