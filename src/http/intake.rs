//! The intake: at most so many deliveries, and so many bytes of their bodies, are being read and stored at a
//! time. One too many is refused before its body is read, unless somebody dawdles with a body: then that one
//! makes room. Nor are more taken than can be carried or stand in line for it: storing what cannot be carried
//! takes the processors away from what is.

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
    #[expect(dead_code, reason = "it is held, not read")]
    room: OwnedSemaphorePermit,
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
        let arriving = Mutex::new(Arriving { next: 0, bodies: BTreeMap::new() });
        Self(Arc::new(Inner { room, size, memory, arriving }))
    }

    fn arriving(&self) -> MutexGuard<'_, Arriving> {
        self.0.arriving.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Room for a delivery whose body is to be read, and says of itself that it has so many bytes. They are
    /// taken as they arrive: whoever announces much and sends little takes little. `places` says how many new hires
    /// could go on: those that are being received may need one each.
    ///
    /// # Errors
    /// [`Code::Overloaded`] if there is none.
    pub(super) fn admit(&self, announced: u64, places: usize) -> Result<Room, Problem> {
        let mut arriving = self.arriving();
        let taken = self.0.size - self.0.room.available_permits();
        let free = (taken < places).then(|| Arc::clone(&self.0.room).try_acquire_owned().ok()).flatten();
        // If there is no place for anybody, nobody need make room.
        let made = || (places > 0).then(|| arriving.oust()).flatten();
        let room = free.or_else(made).ok_or_else(overloaded)?;
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

    /// Whether whoever came now would find no room and nobody who makes any.
    pub(super) fn is_full(&self, places: usize) -> bool {
        let arriving = self.arriving();
        let taken = self.0.size - self.0.room.available_permits();
        taken >= places.min(self.0.size) && (places == 0 || !arriving.somebody_dawdles())
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
    fn somebody_dawdles(&self) -> bool {
        self.bodies.first_key_value().is_some_and(|(_, body)| body.since.elapsed() > DAWDLING)
    }

    /// Takes the room of the body that has been arriving longest, if that is too long.
    fn oust(&mut self) -> Option<OwnedSemaphorePermit> {
        let oldest = self.bodies.first_entry().filter(|body| body.get().since.elapsed() > DAWDLING)?;
        let Body { room, cut, .. } = oldest.remove();
        cut.cancel();
        Some(room)
    }
}

impl Room {
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
        self.stays = Some(Stays { room, memory });
        Ok(read)
    }

    /// The complete body has become so many bytes larger.
    ///
    /// # Errors
    /// [`Code::Overloaded`] if there is no memory for them.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), Problem> {
        let stays = self.stays.as_mut().filter(|_| bytes > 0);
        let Some(stays) = stays else { return Ok(()) };
        let bytes = u32::try_from(bytes).map_err(|_| overloaded())?;
        stays.memory.merge(self.intake.bytes(bytes).ok_or_else(overloaded)?);
        Ok(())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.intake.arriving().bodies.remove(&self.number);
    }
}

/// Nobody is to be taken at the moment.
pub(super) fn overloaded() -> Problem {
    Problem::of(Code::Overloaded)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: usize = 100;

    #[tokio::test]
    async fn only_a_body_that_dawdles_makes_room() {
        let intake = Intake::of(2, ByteSize(100));
        let mut stored = intake.admit(10, PLACES).expect("there is room");
        assert!(stored.read(async { Ok(()) }).await.is_ok());
        let mut dawdling = intake.admit(10, PLACES).expect("there is room");
        assert!(intake.admit(10, PLACES).is_err());
        let arriving = |intake: &Intake| intake.arriving().bodies.keys().copied().collect::<Vec<_>>();
        let since = Instant::now().checked_sub(2 * DAWDLING).expect("a moment ago");
        intake.arriving().bodies.values_mut().for_each(|body| body.since = since);
        let fresh = intake.admit(10, PLACES).expect("the one that dawdles leaves");
        assert_eq!(arriving(&intake), [fresh.number]);
        let never = std::future::pending::<Result<(), Problem>>();
        let refused = dawdling.read(never).await.expect_err("its room is gone");
        assert_eq!(refused.code(), Code::Overloaded);
        assert!(intake.admit(10, PLACES).is_err());
        drop((fresh, stored));
        assert!([intake.admit(10, PLACES), intake.admit(10, PLACES)].iter().all(Result::is_ok));
    }

    #[tokio::test]
    async fn bodies_share_a_memory_and_take_of_it_what_has_arrived() {
        let intake = Intake::of(10, ByteSize(100));
        let mut first = intake.admit(100, PLACES).expect("all of it is free");
        let second = intake.admit(100, PLACES).expect("an announcement takes nothing");
        first.allowance().grow(60).expect("there are so many");
        second.allowance().grow(30).expect("there are so many");
        assert!(second.allowance().grow(11).is_err() && intake.admit(11, PLACES).is_err());
        assert!(first.read(async { Ok(()) }).await.is_ok());
        assert!(first.grow(11).is_err() && first.grow(10).is_ok(), "what it unpacks to counts as well");
        assert!(intake.admit(1, PLACES).is_err(), "it is stored from memory");
        drop(first);
        second.allowance().grow(70).expect("it was given back");
        assert!(intake.admit(1, PLACES).is_err());
        let since = Instant::now().checked_sub(2 * DAWDLING).expect("a moment ago");
        intake.arriving().bodies.values_mut().for_each(|body| body.since = since);
        assert!(intake.admit(100, PLACES).is_ok(), "whoever dawdles gives its memory back at once");
        assert!(second.allowance().grow(1).is_err());
        drop(second);
        assert_eq!(intake.0.memory.available_permits(), 100);
    }

    #[tokio::test]
    async fn no_more_are_received_than_can_be_carried_or_stand_in_line() {
        let intake = Intake::of(10, ByteSize(100));
        assert!(intake.admit(0, 0).is_err());
        let first = intake.admit(0, 2).expect("there are two places");
        let second = intake.admit(0, 2).expect("there is another");
        assert!(intake.admit(0, 2).is_err() && intake.is_full(2) && !intake.is_full(3));
        let since = Instant::now().checked_sub(2 * DAWDLING).expect("a moment ago");
        intake.arriving().bodies.values_mut().for_each(|body| body.since = since);
        assert!(intake.is_full(0) && !intake.is_full(2));
        assert!(intake.admit(0, 0).is_err() && intake.arriving().bodies.len() == 2, "nobody leaves in vain");
        let third = intake.admit(0, 2).expect("the one that dawdles leaves");
        assert!(!intake.arriving().bodies.contains_key(&first.number));
        drop((second, third));
        assert!(intake.admit(0, 2).is_ok());
    }
}
