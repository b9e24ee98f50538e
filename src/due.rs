//! The one loop for everything that has a time: hires that wait, look-ups, comparisons.

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::ledger::LedgerError;
use crate::transfer::Transfer;

/// How long the loop rests when something is due that it could not start, or the ledger failed.
const REST: SignedDuration = SignedDuration::from_secs(5);

/// How long it sleeps at most: what nobody told it about is found then.
const SLEEP: SignedDuration = SignedDuration::from_mins(1);

/// How often it looks for hires whose sender is gone: another replica may have been killed.
const SEARCH: SignedDuration = SLEEP;

/// Goes on with hires when their time has come, until `stop`.
pub async fn run(transfer: Transfer, clock: Clock, stop: CancellationToken) {
    let mut search_at = clock.now();
    loop {
        let pause = match round(&transfer, &clock, &mut search_at).await {
            Ok(pause) => pause,
            Err(error) => {
                tracing::error!(%error, "what is due cannot be read");
                REST
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = clock.sleep_until(clock.now() + pause) => {}
            () = transfer.due_changed() => {}
        }
    }
}

/// Starts what is due; how long until there may be more.
async fn round(
    transfer: &Transfer,
    clock: &Clock,
    search_at: &mut Timestamp,
) -> Result<SignedDuration, LedgerError> {
    if *search_at <= clock.now() {
        transfer.recover().await?;
        *search_at = clock.now() + SEARCH;
    }
    transfer.resume_due().await?;
    let now = clock.now();
    let until_next = transfer.next_due().await?.map_or(SLEEP, |next| next.duration_since(now));
    // What is due and was not started is being carried already, or finds no room: when there is, the loop
    // is told.
    Ok(if until_next.is_positive() { until_next.min(SLEEP) } else { REST })
}
