//! The bulkhead: at most so many hires are on their way to Personio at a time. A few more stand in a line before it,
//! as they were read: taken from the ledger anew, each would cost as much again. When Personio is slow, all others
//! wait in the ledger and cost nothing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// Room for hires that are being carried, and the line before it.
pub(super) struct Bulkhead {
    room: Arc<Semaphore>,
    /// Room for as many again that were answered and are still to be read back.
    aside: Arc<Semaphore>,
    /// Room in the line for hires that have just come in.
    fresh: Arc<Semaphore>,
    /// Room in the line for hires that are due in the ledger: however many of the others come, these have a share.
    overdue: Arc<Semaphore>,
    size: usize,
    ahead: usize,
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

/// Which hires stand in the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Those that have just come in.
    Fresh,
    /// Those that were due in the ledger.
    Overdue,
}

/// A berth, or a place in the line for one.
pub(super) enum Turn {
    Now(Berth),
    Later(OwnedSemaphorePermit),
}

impl Bulkhead {
    /// Room for `size`, and for `ahead` new ones in the line.
    pub(super) fn of(size: usize, ahead: usize) -> Self {
        let room = |size: usize| Arc::new(Semaphore::new(size.min(Semaphore::MAX_PERMITS)));
        Self {
            room: room(size),
            aside: room(size),
            fresh: room(ahead),
            overdue: room(size),
            size,
            ahead,
            behind: AtomicBool::new(false),
        }
    }

    /// How many hires may be here at most: carried, read back, and in the line.
    pub(super) fn most(&self) -> usize {
        self.size.saturating_mul(3).saturating_add(self.ahead)
    }

    /// How many hires may be carried at a time.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// How many more new hires would find a berth or a place in the line at the moment.
    pub(super) fn free(&self) -> usize {
        self.room.available_permits().saturating_add(self.fresh.available_permits())
    }

    /// Whether another hire could be carried at the moment.
    pub(super) fn has_room(&self) -> bool {
        self.room.available_permits() > 0
    }

    /// Whether those that are due have next to no room in the line. Who asks is told through `due` when they have again:
    /// not for each single place, because finding out what is due takes longer than a place is taken.
    pub(super) fn is_full(&self, due: &Notify) -> bool {
        !self.wants_more() && self.fell_behind(due)
    }

    fn wants_more(&self) -> bool {
        self.overdue.available_permits() > self.size / 2
    }

    /// A berth if there is room, or a place in the line. Who gets neither is told through `due` when there is one.
    pub(super) fn queue(&self, line: Line, due: &Notify) -> Option<Turn> {
        // Nobody gets past the line: a berth that becomes free goes to whoever stands there.
        let berth =
            Arc::clone(&self.room).try_acquire_owned().ok().map(|place| Turn::Now(Berth::inside(place)));
        let line = match line {
            Line::Fresh => &self.fresh,
            Line::Overdue => &self.overdue,
        };
        let turn = berth.or_else(|| Arc::clone(line).try_acquire_owned().ok().map(Turn::Later));
        if turn.is_none() {
            self.fell_behind(due);
        }
        turn
    }

    /// The berth, when it is this one's turn; `None` if there are no turns any more.
    pub(super) async fn board(&self, turn: Turn, due: &Notify) -> Option<Berth> {
        match turn {
            Turn::Now(berth) => Some(berth),
            Turn::Later(standing) => {
                let place = Arc::clone(&self.room).acquire_owned().await.ok()?;
                drop(standing);
                self.tell(due);
                Some(Berth::inside(place))
            }
        }
    }

    /// From now on nobody boards.
    pub(super) fn close(&self) {
        self.room.close();
    }

    /// Some were left in the ledger; always true. If a place became free in between, nobody else would tell.
    pub(super) fn fell_behind(&self, due: &Notify) -> bool {
        self.behind.store(true, Ordering::SeqCst);
        self.tell(due);
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
        if self.wants_more() && self.behind.swap(false, Ordering::SeqCst) {
            due.notify_one();
        }
    }
}

impl Berth {
    fn inside(place: OwnedSemaphorePermit) -> Self {
        Self(Mutex::new(Place::Inside(place)))
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use tokio::time::{Duration, timeout};

    use super::*;

    async fn told(due: &Notify) -> bool {
        timeout(Duration::ZERO, due.notified()).await.is_ok()
    }

    fn berth(turn: Option<Turn>) -> Berth {
        match turn {
            Some(Turn::Now(berth)) => berth,
            _ => panic!("there is room"),
        }
    }

    fn standing(turn: Option<Turn>) -> Turn {
        turn.filter(|turn| matches!(turn, Turn::Later(_))).expect("there is a place in the line")
    }

    #[tokio::test]
    async fn whoever_found_no_place_is_told_once_when_there_is_one() {
        let (bulkhead, due) = (Bulkhead::of(2, 1), Notify::new());
        let berths = [(); 2].map(|()| berth(bulkhead.queue(Line::Overdue, &due)));
        let waiting = [(); 2].map(|()| standing(bulkhead.queue(Line::Overdue, &due)));
        assert!(bulkhead.is_full(&due) && bulkhead.queue(Line::Overdue, &due).is_none());
        assert!(!told(&due).await);
        for berth in &berths {
            bulkhead.leave(berth, &due);
        }
        for (turn, expected) in waiting.into_iter().zip([false, true]) {
            assert!(bulkhead.board(turn, &due).await.is_some());
            assert_eq!(told(&due).await, expected, "more than half of the line is wanted");
        }
        assert!(!bulkhead.is_full(&due));
    }

    #[tokio::test]
    async fn new_hires_have_a_line_of_their_own_and_nobody_gets_past_it() {
        let (bulkhead, due) = (Bulkhead::of(1, 2), Notify::new());
        assert_eq!(bulkhead.free(), 3);
        let first = berth(bulkhead.queue(Line::Fresh, &due));
        let second = standing(bulkhead.queue(Line::Fresh, &due));
        let third = standing(bulkhead.queue(Line::Fresh, &due));
        assert!(bulkhead.free() == 0 && bulkhead.queue(Line::Fresh, &due).is_none());
        assert!(told(&due).await, "the one that is left in the ledger may stand in the other line");
        let fourth = standing(bulkhead.queue(Line::Overdue, &due));
        let mut second = pin!(bulkhead.board(second, &due));
        assert!(timeout(Duration::ZERO, second.as_mut()).await.is_err());
        bulkhead.leave(&first, &due);
        assert!(bulkhead.queue(Line::Fresh, &due).is_none() && !bulkhead.has_room());
        let aboard = second.await;
        assert!(aboard.is_some() && bulkhead.free() == 1);
        bulkhead.close();
        assert!(bulkhead.board(third, &due).await.is_none() && bulkhead.board(fourth, &due).await.is_none());
    }

    #[tokio::test]
    async fn whoever_was_answered_makes_room_as_long_as_not_too_many_are_aside() {
        let (bulkhead, due) = (Bulkhead::of(1, 0), Notify::new());
        let first = berth(bulkhead.queue(Line::Fresh, &due));
        assert!(bulkhead.queue(Line::Fresh, &due).is_none());
        bulkhead.step_aside(&first, &due);
        assert!(told(&due).await);
        let second = berth(bulkhead.queue(Line::Fresh, &due));
        bulkhead.step_aside(&second, &due);
        assert!(bulkhead.queue(Line::Fresh, &due).is_none(), "two are on their way, not three");
        bulkhead.leave(&first, &due);
        bulkhead.step_aside(&second, &due);
        assert!(bulkhead.has_room());
    }
}
