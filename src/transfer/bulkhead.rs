//! The bulkhead: at most so many hires are on their way to Personio at a time. When Personio is slow, the
//! others wait in the ledger and cost nothing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// Room for hires that are being carried.
pub(super) struct Bulkhead {
    room: Arc<Semaphore>,
    /// Room for as many again that were answered and are still to be read back.
    aside: Arc<Semaphore>,
    size: usize,
    /// Whether hires were left in the ledger for want of room.
    behind: AtomicBool,
}

/// One hire's place. Given up with [`Bulkhead::leave`].
pub(super) struct Berth(Mutex<Place>);

enum Place {
    Inside(#[expect(dead_code, reason = "it is held, not read")] OwnedSemaphorePermit),
    Aside(#[expect(dead_code, reason = "it is held, not read")] OwnedSemaphorePermit),
    Left,
}

impl Bulkhead {
    pub(super) fn of(size: usize) -> Self {
        let room = || Arc::new(Semaphore::new(size.min(Semaphore::MAX_PERMITS)));
        Self { room: room(), aside: room(), size, behind: AtomicBool::new(false) }
    }

    /// How many hires may be carried at a time.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// How many more hires could be carried at the moment.
    pub(super) fn free(&self) -> usize {
        self.room.available_permits()
    }

    /// Whether another hire could be carried at the moment.
    pub(super) fn has_room(&self) -> bool {
        self.free() > 0
    }

    /// Whether there is no room at the moment. Who asks is told through `due` when there is again.
    pub(super) fn is_full(&self, due: &Notify) -> bool {
        self.room.available_permits() == 0 && self.fell_behind(due)
    }

    /// A place, if there is room. Who gets none is told through `due` when there is.
    pub(super) fn board(&self, due: &Notify) -> Option<Berth> {
        let place = Arc::clone(&self.room).try_acquire_owned().ok().map(Place::Inside);
        let berth = place.map(|place| Berth(Mutex::new(place)));
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

    /// A hire is about to be answered: whoever sent it may send the next at once, which is to find room. If too
    /// many are aside already, it stays where it is.
    pub(super) fn step_aside(&self, berth: &Berth, due: &Notify) {
        let mut place = berth.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Place::Inside(_), Ok(aside)) = (&*place, Arc::clone(&self.aside).try_acquire_owned()) {
            *place = Place::Aside(aside);
            self.tell(due);
        }
    }

    /// A hire rests: there is room for another.
    pub(super) fn leave(&self, berth: &Berth, due: &Notify) {
        *berth.0.lock().unwrap_or_else(PoisonError::into_inner) = Place::Left;
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
            bulkhead.leave(&berth, &due);
            assert_eq!(told(&due).await, expected);
        }
        assert!(!bulkhead.is_full(&due));
    }

    #[tokio::test]
    async fn whoever_was_answered_makes_room_as_long_as_not_too_many_are_aside() {
        let (bulkhead, due) = (Bulkhead::of(1), Notify::new());
        let first = bulkhead.board(&due).expect("there is room");
        assert!(bulkhead.board(&due).is_none());
        bulkhead.step_aside(&first, &due);
        assert!(told(&due).await);
        let second = bulkhead.board(&due).expect("the first made room");
        bulkhead.step_aside(&second, &due);
        assert!(bulkhead.board(&due).is_none(), "two are on their way, not three");
        bulkhead.leave(&first, &due);
        bulkhead.step_aside(&second, &due);
        assert!(bulkhead.has_room());
    }
}
