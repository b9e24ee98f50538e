//! The bulkhead: at most so many hires are on their way to Personio at a time. When Personio is slow, the
//! others wait in the ledger and cost nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// Room for hires that are being carried.
pub(super) struct Bulkhead {
    room: Arc<Semaphore>,
    size: usize,
    /// Whether hires were left in the ledger for want of room.
    behind: AtomicBool,
}

/// One hire's place. Given up with [`Bulkhead::leave`].
pub(super) struct Berth(#[expect(dead_code, reason = "it is held, not read")] OwnedSemaphorePermit);

impl Bulkhead {
    pub(super) fn of(size: usize) -> Self {
        Self {
            room: Arc::new(Semaphore::new(size.min(Semaphore::MAX_PERMITS))),
            size,
            behind: AtomicBool::new(false),
        }
    }

    /// How many hires may be carried at a time.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Whether another hire could be carried at the moment.
    pub(super) fn has_room(&self) -> bool {
        self.room.available_permits() > 0
    }

    /// Whether there is no room at the moment. Who asks is told through `due` when there is again.
    pub(super) fn is_full(&self, due: &Notify) -> bool {
        self.room.available_permits() == 0 && self.fell_behind(due)
    }

    /// A place, if there is room. Who gets none is told through `due` when there is.
    pub(super) fn board(&self, due: &Notify) -> Option<Berth> {
        let berth = Arc::clone(&self.room).try_acquire_owned().ok().map(Berth);
        if berth.is_none() {
            self.fell_behind(due);
        }
        berth
    }

    /// Somebody was left behind. If a place became free in between, nobody else would tell.
    fn fell_behind(&self, due: &Notify) -> bool {
        self.behind.store(true, Ordering::SeqCst);
        if self.room.available_permits() > 0 {
            self.tell(due);
        }
        true
    }

    /// A hire rests: there is room for another.
    pub(super) fn leave(&self, berth: Berth, due: &Notify) {
        drop(berth);
        self.tell(due);
    }

    fn tell(&self, due: &Notify) {
        if self.behind.swap(false, Ordering::SeqCst) {
            due.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Duration, timeout};

    use super::*;

    async fn told(due: &Notify) -> bool {
        timeout(Duration::ZERO, due.notified()).await.is_ok()
    }

    #[tokio::test]
    async fn whoever_found_no_room_is_told_once_when_there_is() {
        let (bulkhead, due) = (Bulkhead::of(2), Notify::new());
        let berths = [bulkhead.board(&due), bulkhead.board(&due)].map(|berth| berth.expect("there is room"));
        assert!(bulkhead.is_full(&due) && bulkhead.board(&due).is_none());
        assert!(!told(&due).await);
        for (berth, expected) in berths.into_iter().zip([true, false]) {
            bulkhead.leave(berth, &due);
            assert_eq!(told(&due).await, expected);
        }
        assert!(!bulkhead.is_full(&due));
    }
}
