//! Who is working on which hire in this process, and what those who wait for it are told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::domain::{Hire, HireId, State};

/// The hires that are being worked on or waited for.
#[derive(Clone, Default)]
pub(super) struct Progress(Arc<Mutex<HashMap<HireId, Slot>>>);

struct Slot {
    running: bool,
    /// Whether it stands in the line: nothing becomes of it in a moment.
    standing: bool,
    stored: watch::Sender<Word>,
}

/// What is told of a hire.
#[derive(Clone, Copy)]
struct Word {
    state: State,
    /// How many warnings it has, if it was told by whoever carries it.
    warnings: Option<usize>,
}

impl Word {
    fn of(state: State) -> watch::Sender<Self> {
        watch::Sender::new(Self { state, warnings: None })
    }
}

/// The right to work on a hire in this process; given up when dropped.
pub(super) struct Running {
    id: HireId,
    progress: Progress,
}

impl Progress {
    fn slots(&self) -> MutexGuard<'_, HashMap<HireId, Slot>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts work on a hire; `None` if this process works on it already.
    pub(super) fn start(&self, id: HireId, state: State) -> Option<Running> {
        let mut slots = self.slots();
        let slot = slots.entry(id).or_insert_with(|| Slot {
            running: false,
            standing: false,
            stored: Word::of(state),
        });
        if slot.running {
            return None;
        }
        slot.running = true;
        Some(Running { id, progress: self.clone() })
    }

    /// Whether this process works on the hire.
    pub(super) fn is_running(&self, id: HireId) -> bool {
        self.slots().get(&id).is_some_and(|slot| slot.running)
    }

    /// Whether this process works on the hire, and it does not merely stand in the line.
    pub(super) fn is_moving(&self, id: HireId) -> bool {
        self.slots().get(&id).is_some_and(|slot| slot.running && !slot.standing)
    }

    /// Waits until the hire's stored state is one that will not pass by itself in a moment, for `wait`
    /// at most, and returns the state of that time.
    pub(super) async fn wait(&self, hire: &Hire, wait: Duration) -> State {
        if !is_passing(hire.state()) {
            return hire.state();
        }
        let mut stored = self
            .slots()
            .entry(hire.id)
            .or_insert_with(|| Slot { running: false, standing: false, stored: Word::of(hire.state()) })
            .stored
            .subscribe();
        let reached = tokio::time::timeout(wait, stored.wait_for(|word| !is_passing(word.state))).await;
        let reached = reached.ok().and_then(Result::ok).map(|word| word.state);
        let state = reached.unwrap_or_else(|| stored.borrow().state);
        drop(stored);
        self.tidy(hire.id);
        state
    }

    /// Waits until nobody in this process works on the hire. One that stands in the line is not waited for. As what
    /// whoever carried it has left it: stored state and warnings; `None` if that has to be read.
    pub(super) async fn idle(&self, id: HireId) -> Option<(State, usize)> {
        let stored = self
            .slots()
            .get(&id)
            .filter(|slot| slot.running && !slot.standing)
            .map(|slot| slot.stored.subscribe());
        let mut stored = stored?;
        while stored.changed().await.is_ok() {}
        let Word { state, warnings } = *stored.borrow();
        warnings.map(|warnings| (state, warnings))
    }

    fn tidy(&self, id: HireId) {
        let mut slots = self.slots();
        if slots.get(&id).is_some_and(|slot| !slot.running && slot.stored.receiver_count() == 0) {
            slots.remove(&id);
        }
    }
}

/// Whether the state is one on the way, which whoever waits is not told unless time is up.
pub(super) fn is_passing(state: State) -> bool {
    matches!(state, State::Received | State::Ready | State::Sending)
}

impl Running {
    /// The hire stands in the line now, or no more.
    pub(super) fn stands(&self, standing: bool) {
        if let Some(slot) = self.progress.slots().get_mut(&self.id) {
            slot.standing = standing;
        }
    }

    /// Tells those who wait which state is stored now.
    pub(super) fn say(&self, state: State) {
        self.send(Word { state, warnings: None });
    }

    /// Tells those who wait, if all of the hire's steps are stored.
    pub(super) fn tell(&self, hire: &Hire) {
        if hire.unsaved.is_empty() {
            self.send(Word { state: hire.state(), warnings: Some(hire.warnings().count()) });
        }
    }

    fn send(&self, word: Word) {
        if let Some(slot) = self.progress.slots().get(&self.id) {
            slot.stored.send_replace(word);
        }
    }
}

/// Those who still wait see the last state that was said.
impl Drop for Running {
    fn drop(&mut self) {
        self.progress.slots().remove(&self.id);
    }
}
