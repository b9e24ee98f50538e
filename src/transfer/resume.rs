//! Goes on with the hires whose time has come, as far as there is room and Personio is in order.

use std::sync::Arc;

use jiff::Timestamp;

use super::bulkhead::Line;
use super::progress::Running;
use super::{Inner, Transfer};
use crate::domain::{Hire, HireId, State, Waiting};
use crate::ledger::LedgerError;

/// So many due hires are read at a time at most.
const BATCH: usize = 16;

impl Transfer {
    /// While Personio is out of order: tries, when it is time, whether it answers again.
    pub async fn knock(&self) {
        let inner = &self.0;
        // Whoever comes second learns from the first.
        let _alone = inner.knocking.lock().await;
        let is_time = inner.parts.reader.shut_until().is_some_and(|at| at <= inner.now());
        if is_time && inner.ends_at.get().is_none() {
            inner.parts.reader.knock().await;
        }
    }

    /// Goes on with the hires that are due, the one first that has been due longest, as far as there is
    /// room: [`due_changed`](Self::due_changed) tells when there is again. Returns how many were started.
    ///
    /// # Errors
    /// [`LedgerError`] if they cannot be read.
    pub async fn resume_due(&self) -> Result<usize, LedgerError> {
        let inner = &self.0;
        if inner.bulkhead.is_full(&inner.due) {
            return Ok(0);
        }
        let now = inner.now();
        // Those that are here already are due as well, and may come first.
        let limit = inner.bulkhead.most().saturating_add(inner.bulkhead.size());
        let waiting = if inner.is_shut() { 0 } else { inner.gate.admit_waiting(now, limit) };
        let due = self.ledger().due(now, limit, waiting).await?;
        let may_be_more = due.len() >= limit;
        let resting: Vec<_> = due.into_iter().filter(|id| !inner.progress.is_running(*id)).collect();
        let mut started = 0;
        for batch in resting.chunks(BATCH) {
            for (hire, running) in inner.load(batch).await? {
                // What was let in to try the gate may go although it is closed.
                let probes = waiting < limit;
                let may = move |inner: &Inner, hire: &Hire| inner.may_go_on(hire, probes);
                if may(inner, &hire) {
                    let effect = hire.state().resume();
                    if !inner.go_on(hire, effect, None, running, Line::Overdue, may) {
                        return Ok(started);
                    }
                    started += 1;
                }
            }
        }
        if may_be_more && started > 0 {
            inner.bulkhead.fell_behind(&inner.due);
        }
        Ok(started)
    }

    /// When something is due next, as far as is known now.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be read.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, LedgerError> {
        // What is due while Personio is out of order stays due: the next try is what there is to wait for.
        if let Some(next_try) = self.0.parts.reader.shut_until() {
            return Ok(Some(next_try));
        }
        let next = self.ledger().next_due().await?;
        Ok([next, self.0.gate.next_probe()].into_iter().flatten().min())
    }

    /// Returns when a hire may have become due earlier than was known.
    pub async fn due_changed(&self) {
        self.0.due.notified().await;
    }
}

impl Inner {
    /// Takes on those hires that nobody works on, and reads them all at once: one after the other they would be
    /// read more slowly than they are carried. Read before it is taken on, a hire might be out of date.
    async fn load(&self, ids: &[HireId]) -> Result<Vec<(Hire, Running)>, LedgerError> {
        let take = |id: &HireId| {
            // Nobody is told this state: it is one on the way.
            let running = self.progress.start(*id, State::Received)?;
            let (ledger, id) = (Arc::clone(&self.parts.ledger), *id);
            Some((id, tokio::spawn(async move { ledger.hire(id).await }), running))
        };
        let reading: Vec<_> = ids.iter().filter_map(take).collect();
        let now = self.now();
        let mut hires = Vec::with_capacity(reading.len());
        for (id, read, running) in reading {
            let broken_off = |_| Err(LedgerError::Unusable("a hire could not be read".into()));
            let hire = match read.await.unwrap_or_else(broken_off) {
                Err(error @ LedgerError::Damaged(_)) => {
                    tracing::error!(hire = %id, %error, "a hire is passed over: nobody can tell what it is about");
                    continue;
                }
                read => read?,
            };
            // Somebody may have carried it since it was found to be due.
            let due = hire.filter(|hire| hire.next_at.is_some_and(|at| at <= now));
            hires.extend(due.map(|hire| (hire, running)));
        }
        Ok(hires)
    }

    fn is_shut(&self) -> bool {
        self.parts.reader.shut_until().is_some()
    }

    /// Whether a hire that is due may go on now. Personio may have turned others away since it was let in: then its
    /// turn comes later.
    fn may_go_on(&self, hire: &Hire, probes: bool) -> bool {
        let wants_credential = hire.state() == State::Waiting(Waiting::Credential);
        let turned_away = wants_credential && !probes && self.gate.is_closed();
        !turned_away && (!self.is_shut() || self.needs_no_personio(hire))
    }

    /// Whether something can be done for a hire without Personio: a new one is planned, one that was taken back
    /// is cancelled, one that has waited enough, or whose source is gone, is handed to a person.
    fn needs_no_personio(&self, hire: &Hire) -> bool {
        match hire.state() {
            State::Received => true,
            State::Waiting(_) => {
                hire.is_taken_back() || self.has_waited_enough(hire) || self.waits_for_its_source(hire)
            }
            _ => false,
        }
    }
}
