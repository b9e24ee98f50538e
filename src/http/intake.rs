//! The intake: at most so many deliveries, and so many bytes of their bodies, are being read and stored at a
//! time. One too many is refused before its body is read, unless somebody dawdles with a body: then that one
//! makes room. While more is stored than can be carried on, and storing begins to take its time, fewer are
//! taken at a time: storing must not take the processors away from those that are being carried.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytesize::ByteSize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::code::Code;
use super::problem::Problem;

/// A body that is not there after so long may be asked to make room. Most come along with their head.
const DAWDLING: Duration = Duration::from_millis(500);

/// Storing is cheap if it takes no longer.
const CHEAP: Duration = Duration::from_millis(10);

/// So many deliveries are taken at a time however long storing takes.
const AT_LEAST: usize = 16;

/// Room for deliveries. Cheap to clone.
#[derive(Clone)]
pub struct Intake(Arc<Inner>);

struct Inner {
    room: Arc<Semaphore>,
    size: usize,
    /// One permit for each byte.
    memory: Arc<Semaphore>,
    arriving: Mutex<Arriving>,
}

/// The bodies that are not complete, in the order of their coming.
struct Arriving {
    next: u64,
    /// How many deliveries are taken at a time while more is stored than can be carried on.
    crowd: usize,
    bodies: BTreeMap<u64, Body>,
}

struct Body {
    since: Instant,
    room: OwnedSemaphorePermit,
    /// As many bytes as have arrived.
    memory: OwnedSemaphorePermit,
    cut: CancellationToken,
}

/// One delivery's room, until dropped.
pub(super) struct Room {
    intake: Intake,
    number: u64,
    cut: CancellationToken,
    stays: Option<Stays>,
}

/// What a delivery keeps whose body is complete.
struct Stays {
    since: Instant,
    #[expect(dead_code, reason = "it is held, not read")]
    room: OwnedSemaphorePermit,
    #[expect(dead_code, reason = "it is held, not read")]
    memory: OwnedSemaphorePermit,
}

/// What one delivery's body may take of the memory.
pub(super) struct Allowance {
    intake: Intake,
    number: u64,
}

impl Intake {
    /// Room for `size` deliveries, whose bodies have `memory` bytes together at most.
    pub fn of(size: usize, memory: ByteSize) -> Self {
        let size = size.min(Semaphore::MAX_PERMITS);
        let room = Arc::new(Semaphore::new(size));
        let memory = usize::try_from(memory.as_u64()).unwrap_or(usize::MAX);
        let memory = Arc::new(Semaphore::new(memory.min(Semaphore::MAX_PERMITS)));
        let arriving = Mutex::new(Arriving { next: 0, crowd: size, bodies: BTreeMap::new() });
        Self(Arc::new(Inner { room, size, memory, arriving }))
    }

    fn arriving(&self) -> MutexGuard<'_, Arriving> {
        self.0.arriving.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Room for a delivery whose body is to be read, and says of itself that it has so many bytes. They are
    /// taken as they arrive: whoever announces much and sends little takes little. `behind` if more is stored
    /// already than can be carried on.
    ///
    /// # Errors
    /// [`Code::Overloaded`] if there is none.
    pub(super) fn admit(&self, announced: u64, behind: bool) -> Result<Room, Problem> {
        let mut arriving = self.arriving();
        let taken = self.0.size - self.0.room.available_permits();
        let crowded = behind && taken >= arriving.crowd;
        let free = Arc::clone(&self.0.room).try_acquire_owned().ok().filter(|_| !crowded);
        let room = free.or_else(|| arriving.oust()).ok_or_else(overloaded)?;
        let announced = usize::try_from(announced).unwrap_or(usize::MAX);
        while self.0.memory.available_permits() < announced {
            drop(arriving.oust().ok_or_else(overloaded)?);
        }
        let memory = self.bytes(0).ok_or_else(overloaded)?;
        let (number, cut) = (arriving.next, CancellationToken::new());
        arriving.next += 1;
        arriving.bodies.insert(number, Body { since: Instant::now(), room, memory, cut: cut.clone() });
        Ok(Room { intake: self.clone(), number, cut, stays: None })
    }

    fn bytes(&self, count: u32) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0.memory).try_acquire_many_owned(count).ok()
    }
}

impl Allowance {
    /// So many more bytes have arrived.
    ///
    /// # Errors
    /// [`Code::Overloaded`] if there is no memory for them.
    pub(super) fn grow(&self, bytes: usize) -> Result<(), Problem> {
        let bytes = u32::try_from(bytes).map_err(|_| overloaded())?;
        let mut arriving = self.intake.arriving();
        let more = loop {
            match self.intake.bytes(bytes) {
                Some(more) => break more,
                None => drop(arriving.oust().ok_or_else(overloaded)?),
            }
        };
        let body = arriving.bodies.get_mut(&self.number).ok_or_else(overloaded)?;
        body.memory.merge(more);
        Ok(())
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

    /// Storing took so long: fewer at a time if that is too long, twice as many if not.
    fn learn(&mut self, took: Duration, behind: bool, size: usize) {
        let fewer = self.crowd - self.crowd / 16;
        let more = self.crowd.saturating_mul(2);
        let wanted = if behind && took > CHEAP { fewer } else { more };
        self.crowd = wanted.max(AT_LEAST).min(size);
    }
}

impl Room {
    /// The delivery is stored: there is room for another. What it took tells how many are to be taken at a time.
    pub(super) fn stored(self, behind: bool) {
        let took = self.stays.as_ref().map_or(Duration::ZERO, |stays| stays.since.elapsed());
        self.intake.arriving().learn(took, behind, self.intake.0.size);
    }

    /// What the body may take of the memory.
    pub(super) fn allowance(&self) -> Allowance {
        Allowance { intake: self.intake.clone(), number: self.number }
    }

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
        let Body { room, memory, .. } = arrived;
        self.stays = Some(Stays { since: Instant::now(), room, memory });
        Ok(read)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.intake.arriving().bodies.remove(&self.number);
    }
}

fn overloaded() -> Problem {
    Problem::of(Code::Overloaded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_a_body_that_dawdles_makes_room() {
        let intake = Intake::of(2, ByteSize(100));
        let mut stored = intake.admit(10, false).expect("there is room");
        assert!(stored.read(async { Ok(()) }).await.is_ok());
        let mut dawdling = intake.admit(10, false).expect("there is room");
        assert!(intake.admit(10, false).is_err());
        let arriving = |intake: &Intake| intake.arriving().bodies.keys().copied().collect::<Vec<_>>();
        let since = Instant::now().checked_sub(2 * DAWDLING).expect("a moment ago");
        intake.arriving().bodies.values_mut().for_each(|body| body.since = since);
        let fresh = intake.admit(10, false).expect("the one that dawdles leaves");
        assert_eq!(arriving(&intake), [fresh.number]);
        let never = std::future::pending::<Result<(), Problem>>();
        let refused = dawdling.read(never).await.expect_err("its room is gone");
        assert_eq!(refused.code(), Code::Overloaded);
        assert!(intake.admit(10, false).is_err());
        drop((fresh, stored));
        assert!([intake.admit(10, false), intake.admit(10, false)].iter().all(Result::is_ok));
    }

    #[tokio::test]
    async fn bodies_share_a_memory_and_take_of_it_what_has_arrived() {
        let intake = Intake::of(10, ByteSize(100));
        let mut first = intake.admit(100, false).expect("all of it is free");
        let second = intake.admit(100, false).expect("an announcement takes nothing");
        first.allowance().grow(60).expect("there are so many");
        second.allowance().grow(30).expect("there are so many");
        assert!(second.allowance().grow(11).is_err() && intake.admit(11, false).is_err());
        assert!(first.read(async { Ok(()) }).await.is_ok());
        assert!(intake.admit(11, false).is_err(), "it is stored from memory");
        drop(first);
        second.allowance().grow(70).expect("it was given back");
        assert!(intake.admit(1, false).is_err());
        let since = Instant::now().checked_sub(2 * DAWDLING).expect("a moment ago");
        intake.arriving().bodies.values_mut().for_each(|body| body.since = since);
        assert!(intake.admit(100, false).is_ok(), "whoever dawdles gives its memory back at once");
        assert!(second.allowance().grow(1).is_err());
        drop(second);
        assert_eq!(intake.0.memory.available_permits(), 100);
    }

    #[tokio::test]
    async fn while_storing_is_slow_and_too_much_is_stored_fewer_are_taken_at_a_time() {
        let intake = Intake::of(1000, ByteSize(100));
        let crowd = |intake: &Intake| intake.arriving().crowd;
        let learn = |took, behind| intake.arriving().learn(took, behind, 1000);
        for _ in 0..1000 {
            learn(2 * CHEAP, false);
            learn(CHEAP, true);
        }
        assert_eq!(crowd(&intake), 1000);
        for _ in 0..1000 {
            learn(2 * CHEAP, true);
        }
        assert_eq!(crowd(&intake), AT_LEAST);
        let all: Vec<_> = (0..AT_LEAST).map(|_| intake.admit(0, true).expect("so many are taken")).collect();
        assert!(intake.admit(0, true).is_err());
        let one = intake.admit(0, false).expect("nothing is behind");
        one.stored(false);
        assert!(intake.admit(0, true).is_ok(), "storing is cheap again");
        drop(all);
    }
}
