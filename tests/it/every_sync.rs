//! Killed at each sync of the disk that one hire takes, from the making of the ledger to the end of the process:
//! never two, never lost.

use std::fmt;

use futures_util::stream::{self, StreamExt};
use serde_json::{Value, json};

use crate::support::ashby::hire;
use crate::support::failing::town_on_a_disk;
use crate::support::process::eventually;
use crate::support::state;
use crate::support::store_faults::Order;
use crate::support::town::Town;

/// How the process ends at a sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Death {
    /// Killed before it.
    Before,
    /// Killed after it.
    After,
    /// The power fails before it: what was not synced is gone.
    PowerBefore,
    /// The power fails after it.
    PowerAfter,
}

/// One run: a hire, and a death at a sync.
#[derive(Clone, Copy)]
struct Run {
    sync: u64,
    death: Death,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} sync {}", self.death, self.sync)
    }
}

/// Starts, delivers, waits until nothing more is done for the hire, and stops. What the ATS was answered, as far as
/// the process lived to answer it.
async fn life(town: &Town) -> Option<Value> {
    let mut served = town.spawn();
    if !served.is_ready().await {
        return None;
    }
    let answer = town.deliver(&served, &hire()).await;
    while let Some(seen) = town.try_ask(&served, "/v1/hires?limit=100").await {
        let id = seen["hires"][0]["id"].as_str().unwrap_or_default().to_owned();
        let Some(hire) = town.try_ask(&served, &format!("/v1/hires/{id}")).await else { break };
        if hire["history"]
            .as_array()
            .is_some_and(|steps| steps.iter().any(|step| step["cause"] == "compared"))
        {
            break;
        }
        tokio::task::yield_now().await;
    }
    Town::terminate(served).await;
    answer
}

/// The service dies as it is said, is started again, and the ATS repeats.
///
/// Returns whether it died.
async fn survives(run: Run, test: &str) -> bool {
    let Some((town, disk)) = town_on_a_disk(test).await else { return false };
    disk.order(Order::KillAt, run.sync);
    disk.order(Order::KillAfter, u64::from(matches!(run.death, Death::After | Death::PowerAfter)));
    disk.order(Order::KeepSynced, 1);
    let answered = life(&town).await;
    let died = disk.syncs() == run.sync;
    assert!(disk.syncs() <= run.sync, "{run}: it went on");
    if matches!(run.death, Death::PowerBefore | Death::PowerAfter) {
        disk.lose_what_was_not_synced();
    }
    disk.heal();

    let served = town.serve().await;
    let before = town.hires(&served).await;
    if let Some(answered) = &answered {
        assert_eq!(before.len(), 1, "{run}: what was answered is there");
        assert_eq!(before[0]["id"], answered["hire"], "{run}");
    }
    let repeat = town.deliver(&served, &hire()).await.expect("an answer");
    assert_eq!(repeat["duplicate"], json!(!before.is_empty()), "{run}");
    let ended = eventually(&format!("{run}: the hire has ended or waits for a look-up"), || async {
        let hires = town.hires(&served).await;
        assert_eq!((hires.len(), &hires[0]["id"]), (1, &repeat["hire"]), "{run}");
        let wanted: &[&str] = match town.sim.employees().len() {
            0 => &["unknown"],
            _ => &["created", "created(adopted)"],
        };
        let state = state(&hires[0]);
        wanted.contains(&state.as_str()).then_some(state)
    })
    .await;
    assert!(town.sim.creates() <= 1, "{run}: {ended}");
    assert!(town.sim.employees().len() == 1 || town.sim.creates() == 0, "{run}: {ended}");
    died
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hire_whose_service_dies_at_any_sync_is_created_once_or_seen() {
    let test = "a_hire_whose_service_dies_at_any_sync_is_created_once_or_seen";
    let Some((town, disk)) = town_on_a_disk(test).await else { return };
    let answer = life(&town).await.expect("an answer");
    assert_eq!(state(&answer), "created");
    let syncs = disk.syncs();
    assert!((8..60).contains(&syncs), "the making of a ledger and a hire's four commits: {syncs}");
    let deaths = [Death::Before, Death::After, Death::PowerBefore, Death::PowerAfter];
    let runs = (1..=syncs).flat_map(|sync| deaths.map(|death| Run { sync, death }));
    let died: Vec<bool> =
        stream::iter(runs.map(|run| survives(run, test))).buffer_unordered(4).collect().await;
    // Two commits may share a sync where the first run took two.
    let lived = died.iter().filter(|died| !**died).count();
    assert!(lived <= 8, "{lived} of {} runs ended without having met their sync", died.len());
}
