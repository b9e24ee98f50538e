//! Asks the places whose deliveries are fetched, one loop for each source. What was fetched goes the way of what is sent:
//! it is stored before anything is done with it, and is kept here until all of it is stored.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::ats::{Source, Verified};
use crate::clock::Clock;
use crate::http::SourceWatch;
use crate::outbound::fetch::Fetch;
use crate::telemetry::Metrics;
use crate::transfer::{Receipt, Transfer};

/// The code of what cannot be stored.
const NOT_STORED: &str = "not_stored";

/// The result of a poll that went well.
const OK: &str = "ok";

/// How long it rests before it tries again to store what was fetched.
const REST: SignedDuration = SignedDuration::from_secs(5);

/// How long a place is left alone at most that has failed, unless it is asked more seldom anyway.
const LONGEST: SignedDuration = SignedDuration::from_hours(1);

/// What all loops have in common. Cheap to clone.
#[derive(Clone)]
pub struct Polls {
    /// The transfer of the moment, and with it the sources.
    pub transfers: watch::Receiver<Transfer>,
    /// Opens the places.
    pub fetch: Fetch,
    /// What is shown of each source.
    pub watch: SourceWatch,
    /// What an operator sees.
    pub metrics: Metrics,
    /// What time it is.
    pub clock: Clock,
    /// Ends the loops, each once it has stored what it has fetched.
    pub stop: CancellationToken,
    /// How often it was told how a poll went.
    pub told: watch::Sender<u64>,
}

impl Polls {
    /// Asks every place in its time, and those that a reload adds, until the end.
    pub async fn run(mut self) {
        let (mut known, mut loops) = (BTreeSet::new(), JoinSet::new());
        loop {
            let transfer = self.transfers.borrow_and_update().clone();
            for source in transfer.planner().sources.iter().filter(|source| source.poll().is_some()) {
                if known.insert(source.name().to_owned()) {
                    loops.spawn(self.clone().keep(source.name().to_owned()));
                }
            }
            tokio::select! {
                () = self.stop.cancelled() => break,
                changed = self.transfers.changed() => if changed.is_err() { break },
            }
        }
        while let Some(ended) = loops.join_next().await {
            if ended.is_err() {
                tracing::error!("a poll ended badly");
            }
        }
    }

    /// Asks one source's place, at the start and after each reload at once; not while it is paused or has none.
    async fn keep(mut self, name: String) {
        let mut failures = 0;
        while !self.stop.is_cancelled() {
            let transfer = self.transfers.borrow_and_update().clone();
            let source = transfer.planner().sources.named(&name).filter(|source| source.is_enabled());
            let until = match source.and_then(|source| Some((source, source.poll()?))) {
                Some((source, poll)) => {
                    let went_well = self.poll(&transfer, source).await;
                    failures = if went_well { 0 } else { failures + 1 };
                    self.clock.now().saturating_add(pause(poll.every(), failures)).unwrap_or(Timestamp::MAX)
                }
                None => Timestamp::MAX,
            };
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = wait(&self.clock, until) => {}
                changed = self.transfers.changed() => {
                    failures = 0;
                    if changed.is_err() {
                        return;
                    }
                }
            }
        }
    }

    /// Asks once; whether all went well. What is fetched may not be given again: nothing is fetched that could not be stored.
    async fn poll(&self, transfer: &Transfer, source: &Source) -> bool {
        if let Err(error) = transfer.ledger().probe().await {
            tracing::error!(source = source.name(), %error, "nothing is fetched, since it could not be stored");
            self.failed(source, NOT_STORED);
            return false;
        }
        match source.fetch(&self.fetch, &self.clock).await {
            Ok(items) => {
                let count = items.len();
                let stored = self.store(transfer, source, items).await;
                if stored {
                    self.watch.polled(source.name(), self.clock.now());
                    self.tell(source, OK);
                    tracing::debug!(source = source.name(), count, "poll");
                }
                stored
            }
            Err(error) => {
                tracing::warn!(source = source.name(), reason = error.code(), %error, "poll");
                self.failed(source, error.code());
                false
            }
        }
    }

    fn failed(&self, source: &Source, code: &'static str) {
        self.watch.poll_failed(source.name(), code, self.clock.now());
        self.tell(source, code);
    }

    fn tell(&self, source: &Source, result: &'static str) {
        self.metrics.poll(source.name(), result);
        self.told.send_modify(|told| *told += 1);
    }

    /// Stores each of them, the others even if one cannot be; tries again until all are stored. Whether they are.
    async fn store(&self, transfer: &Transfer, source: &Source, mut left: Vec<Verified>) -> bool {
        loop {
            let mut kept = Vec::new();
            for item in left {
                match transfer.receive(source, &item).await {
                    Ok(stored) => self.note(source, &transfer.outcome(stored, Duration::ZERO).await),
                    Err(error) => {
                        tracing::error!(source = source.name(), %error, "what was fetched is not stored yet");
                        kept.push(item);
                    }
                }
            }
            if kept.is_empty() {
                return true;
            }
            self.failed(source, NOT_STORED);
            tokio::select! {
                biased;
                () = self.stop.cancelled() => {
                    let lost = kept.len();
                    tracing::error!(source = source.name(), lost, "fetched and not stored: have these sent once more");
                    return false;
                }
                () = self.clock.sleep_until(self.clock.now() + REST) => left = kept,
            }
        }
    }

    /// The one log line of a delivery, its metric, and what `/v1/sources` shows.
    fn note(&self, source: &Source, receipt: &Receipt) {
        let (name, now) = (source.name(), self.clock.now());
        let reason = receipt.reason.unwrap_or_default();
        self.watch.admitted(name, None, now);
        let result = if let Some(hire) = receipt.hire {
            self.watch.hired(name, hire, now);
            if receipt.duplicate { "duplicate" } else { "stored" }
        } else {
            self.watch.ignored(name, reason);
            "ignored"
        };
        self.metrics.fetched(name, result);
        let hire = receipt.hire.map(tracing::field::display);
        tracing::info!(
            source = name,
            fetched = true,
            result,
            hire,
            state = receipt.state,
            reason,
            "delivery"
        );
    }
}

/// Waits until then; for good if there is no such time.
async fn wait(clock: &Clock, until: Timestamp) {
    if until == Timestamp::MAX {
        std::future::pending::<()>().await;
    }
    clock.sleep_until(until).await;
}

/// How long until the next poll: longer with each failure in a row.
fn pause(every: SignedDuration, failures: u32) -> SignedDuration {
    let longer = 1_i32.checked_shl(failures.min(16)).unwrap_or(1);
    every.checked_mul(longer).unwrap_or(SignedDuration::MAX).min(LONGEST.max(every))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_fails_is_asked_more_seldom() {
        let minutes = SignedDuration::from_mins;
        let pauses = [0, 1, 2, 3, 4, 40].map(|failures| pause(minutes(5), failures));
        assert_eq!(pauses, [minutes(5), minutes(10), minutes(20), minutes(40), minutes(60), minutes(60)]);
        assert_eq!(pause(minutes(300), 3), minutes(300));
    }
}
