//! The one loop for everything that has a time: hires that wait, look-ups, comparisons, documents; and the search for what
//! a sender that is gone left behind, and for what was kept for its time.

use jiff::SignedDuration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::ledger::LedgerError;
use crate::transfer::Transfer;

/// How long the loop rests when something is due that it could not start, or the ledger failed.
const REST: SignedDuration = SignedDuration::from_secs(5);

/// How long it sleeps at most: what nobody told it about is found then.
const SLEEP: SignedDuration = SignedDuration::from_mins(1);

/// How often it looks for hires whose sender is gone, and for what was kept for its time.
const SEARCH: SignedDuration = SLEEP;

/// Goes on with hires when their time has come, until `stop`; and looks, beside that, for hires whose sender is
/// gone, so that however many there are, nothing that is due waits for them.
/// Each round goes by the transfer of that moment.
pub async fn run(transfer: watch::Receiver<Transfer>, clock: Clock, stop: CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = go_on(&transfer, &clock) => {}
        () = search(&transfer, &clock) => {}
    }
}

fn current(transfer: &watch::Receiver<Transfer>) -> Transfer {
    transfer.borrow().clone()
}

async fn search(transfer: &watch::Receiver<Transfer>, clock: &Clock) {
    loop {
        let transfer = current(transfer);
        let done = transfer.recover().await.and(transfer.clear_away().await);
        let pause = match done {
            Ok(()) => SEARCH,
            Err(error) => {
                tracing::error!(%error, "not all hires whose sender is gone can be taken up, or not all that was kept for its time be deleted");
                REST
            }
        };
        clock.sleep_until(clock.now() + pause).await;
    }
}

async fn go_on(current_one: &watch::Receiver<Transfer>, clock: &Clock) {
    loop {
        let transfer = &current(current_one);
        transfer.knock().await;
        let pause = match round(transfer, clock).await {
            Ok(pause) => pause,
            Err(error) => {
                tracing::error!(%error, "what is due cannot be read");
                REST
            }
        };
        tokio::select! {
            () = clock.sleep_until(clock.now() + pause) => {}
            () = transfer.due_changed() => {}
        }
    }
}

/// Starts what is due; how long until there may be more.
async fn round(transfer: &Transfer, clock: &Clock) -> Result<SignedDuration, LedgerError> {
    transfer.resume_due().await?;
    transfer.resume_documents().await?;
    let now = clock.now();
    let audit = transfer.audit_due().await?;
    let document = transfer.next_document().await?;
    let next = [transfer.next_due().await?, audit, document].into_iter().flatten().min();
    let until_next = next.map_or(SLEEP, |next| next.duration_since(now));
    // What is due and was not started is being carried already, or finds no room: when there is, the loop
    // is told.
    Ok(if until_next.is_positive() { until_next.min(SLEEP) } else { REST })
}
