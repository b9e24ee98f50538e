//! While one key of the ledger replaces another: seals anew what the old one has sealed, and says when it is needed no
//! more.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::ledger::{Ledger, LedgerError};
use crate::telemetry::Metrics;

/// How soon it is looked again: another replica may still seal with the old key, or just now change what was met.
const AGAIN: SignedDuration = SignedDuration::from_mins(1);

/// The same, once nothing was found.
const DONE: SignedDuration = SignedDuration::from_hours(1);

/// Runs beside everything else until `stop`; at once to its end if there are no other keys. Nothing is lost when it is
/// stopped, however hard: what is sealed anew is, and the rest is found by the next start.
pub(super) async fn run(ledger: Arc<dyn Ledger>, metrics: Metrics, clock: Clock, stop: CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = replace(&*ledger, &metrics, &clock) => {}
    }
}

async fn replace(ledger: &dyn Ledger, metrics: &Metrics, clock: &Clock) {
    let mut said = None;
    loop {
        let pause = match round(ledger, metrics).await {
            Ok(None) => return,
            Ok(Some(left)) => {
                if said != Some(left) {
                    say(left);
                }
                said = Some(left);
                if left == 0 { DONE } else { AGAIN }
            }
            Err(error) => {
                tracing::error!(%error, "what is sealed with an old key of the ledger could not be sealed anew");
                AGAIN
            }
        };
        clock.sleep_until(clock.now() + pause).await;
    }
}

fn say(left: u64) {
    if left == 0 {
        tracing::info!(
            "nothing is sealed with an old key any more: once every replica has the new `ledger.key`, take `ledger.previous_keys` out"
        );
    } else {
        tracing::warn!(
            left,
            "some of the ledger is still sealed with an old key: keep `ledger.previous_keys`; it is gone on with in a minute"
        );
    }
}

/// How much is left then; nothing if there are no other keys.
async fn round(ledger: &dyn Ledger, metrics: &Metrics) -> Result<Option<u64>, LedgerError> {
    let Some(old) = ledger.sealed_with_old_keys().await? else { return Ok(None) };
    metrics.sealed_with_old_keys(old);
    if old == 0 {
        return Ok(Some(0));
    }
    tracing::info!(left = old, "what is sealed with an old key of the ledger is sealed anew");
    let left = AtomicU64::new(old);
    let told = |done| {
        let before = left.fetch_sub(done, Ordering::Relaxed);
        metrics.sealed_with_old_keys(before.saturating_sub(done));
    };
    ledger.seal_anew(&told).await?;
    let left = ledger.sealed_with_old_keys().await?.unwrap_or_default();
    metrics.sealed_with_old_keys(left);
    Ok(Some(left))
}
