//! The intake: at most so many deliveries are being read and stored at a time. One too many is refused
//! before its body is read, unless somebody dawdles with a body: then that one makes room.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::code::Code;
use super::problem::Problem;

/// A body that is not there after so long may be asked to make room. Most come along with their head.
const DAWDLING: Duration = Duration::from_millis(500);

/// Room for deliveries. Cheap to clone.
#[derive(Clone)]
pub struct Intake(Arc<Inner>);

struct Inner {
    room: Arc<Semaphore>,
    arriving: Mutex<Arriving>,
}

/// The bodies that are not complete, in the order of their coming.
#[derive(Default)]
struct Arriving {
    next: u64,
    bodies: BTreeMap<u64, Body>,
}

struct Body {
    since: Instant,
    room: OwnedSemaphorePermit,
    cut: CancellationToken,
}

/// One delivery's room, until dropped.
pub(super) struct Room {
    intake: Intake,
    number: u64,
    cut: CancellationToken,
    stays: Option<OwnedSemaphorePermit>,
}

impl Intake {
    /// Room for `size` deliveries.
    pub fn of(size: usize) -> Self {
        let room = Arc::new(Semaphore::new(size.min(Semaphore::MAX_PERMITS)));
        Self(Arc::new(Inner { room, arriving: Mutex::default() }))
    }

    fn arriving(&self) -> MutexGuard<'_, Arriving> {
        self.0.arriving.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Room for a delivery whose body is to be read.
    ///
    /// # Errors
    /// [`Code::Overloaded`] if there is none.
    pub(super) fn admit(&self) -> Result<Room, Problem> {
        let mut arriving = self.arriving();
        let free = Arc::clone(&self.0.room).try_acquire_owned().ok();
        let room = free.or_else(|| arriving.oust()).ok_or_else(overloaded)?;
        let (number, cut) = (arriving.next, CancellationToken::new());
        arriving.next += 1;
        arriving.bodies.insert(number, Body { since: Instant::now(), room, cut: cut.clone() });
        Ok(Room { intake: self.clone(), number, cut, stays: None })
    }
}

impl Arriving {
    /// Takes the room of the body that has been arriving longest, if that is too long.
    fn oust(&mut self) -> Option<OwnedSemaphorePermit> {
        let oldest = self.bodies.first_entry().filter(|body| body.get().since.elapsed() > DAWDLING)?;
        let Body { room, cut, .. } = oldest.remove();
        cut.cancel();
        Some(room)
    }
}

impl Room {
    /// Reads the body, after which the room is this delivery's until it is dropped.
    ///
    /// # Errors
    /// What `body` says, or [`Code::Overloaded`] if the room went to somebody else.
    pub(super) async fn read<T>(
        &mut self,
        body: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Problem> {
        let read = tokio::select! {
            read = body => read?,
            () = self.cut.cancelled() => return Err(overloaded()),
        };
        let arrived = self.intake.arriving().bodies.remove(&self.number).ok_or_else(overloaded)?;
        self.stays = Some(arrived.room);
        Ok(read)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.intake.arriving().bodies.remove(&self.number);
    }
}

fn overloaded() -> Problem {
    Problem::of(Code::Overloaded).detail("Nothing was stored: send it again.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_a_body_that_dawdles_makes_room() {
        let intake = Intake::of(2);
        let mut stored = intake.admit().expect("there is room");
        assert!(stored.read(async { Ok(()) }).await.is_ok());
        let mut dawdling = intake.admit().expect("there is room");
        assert!(intake.admit().is_err());
        let arriving = |intake: &Intake| intake.arriving().bodies.keys().copied().collect::<Vec<_>>();
        let since = Instant::now().checked_sub(2 * DAWDLING).expect("a moment ago");
        intake.arriving().bodies.values_mut().for_each(|body| body.since = since);
        let fresh = intake.admit().expect("the one that dawdles leaves");
        assert_eq!(arriving(&intake), [fresh.number]);
        let never = std::future::pending::<Result<(), Problem>>();
        let refused = dawdling.read(never).await.expect_err("its room is gone");
        assert_eq!(refused.code(), Code::Overloaded);
        assert!(intake.admit().is_err());
        drop((fresh, stored));
        assert!([intake.admit(), intake.admit()].iter().all(Result::is_ok));
    }
}
