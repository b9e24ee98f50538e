//! After a failed sync nobody knows what is on the disk: a delivery is answered 503, nothing is sent, and the process
//! ends rather than guess. The next start reads what is there.

use hirebridge::sim::{Behaviour, Fault, Operation};
use rustix::io::Errno;
use serde_json::json;

use crate::support::ashby::hire;
use crate::support::failing::{gives_up, has_healed, is_turned_away, other_hire, rests, town_on_a_disk};
use crate::support::state;
use crate::support::store_faults::{Disk, Order};

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failed_sync_a_delivery_is_turned_away_and_the_process_ends() {
    let test = "after_a_failed_sync_a_delivery_is_turned_away_and_the_process_ends";
    let Some((town, disk)) = town_on_a_disk(test).await else { return };
    let mut served = town.serve().await;
    let stored = town.deliver(&served, &hire()).await.expect("an answer");
    rests(&town, &served, &stored["hire"]).await;
    disk.fail_syncs(Errno::IO);
    is_turned_away(&town, &served, &other_hire(1)).await;
    gives_up(&mut served).await;
    let syncs = disk.syncs();
    disk.heal();

    let served = town.serve().await;
    assert!(syncs > 0 && town.sim.creates() <= 2);
    let repeats = [hire(), other_hire(1)].map(|body| town.deliver(&served, &body));
    let [known, again] = repeats;
    assert_eq!(known.await.expect("an answer")["hire"], stored["hire"], "what was answered is there");
    // It is on this disk although its sync failed: then it went by itself after the start.
    assert_eq!(state(&again.await.expect("an answer")), "created");
    assert_eq!((town.sim.creates(), town.sim.employees().len()), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_sync_is_noticed_although_nobody_delivers() {
    let Some((town, disk)) = town_on_a_disk("a_failed_sync_is_noticed_although_nobody_delivers").await else {
        return;
    };
    let mut served = town.serve().await;
    disk.fail_syncs(Errno::IO);
    let answer = town.get(&served, "/readyz").await.expect("an answer");
    assert_eq!((answer.status.as_u16(), answer.json()["reason"].clone()), (503, json!("ledger")));
    gives_up(&mut served).await;
    assert_eq!(disk.syncs(), last_order(&disk), "it was not tried again");
    disk.heal();
    let served = town.serve().await;
    has_healed(&town, &served, &hire()).await;
}

fn last_order(disk: &Disk) -> u64 {
    disk.ordered(Order::FailFrom)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permit_whose_sync_failed_sends_nothing_and_is_not_taken_for_lost() {
    let test = "a_permit_whose_sync_failed_sends_nothing_and_is_not_taken_for_lost";
    for lost in [false, true] {
        let Some((town, disk)) = town_on_a_disk(test).await else { return };
        disk.order(Order::KeepSynced, 1);
        let mut served = town.serve().await;
        town.sim.misbehave(Fault::once(Operation::ListEmployees, Behaviour::Wait));
        let looks = town.sim.calls(Operation::ListEmployees);
        let delivery = tokio::spawn(town.post(&served, &hire()));
        town.sim.arrival(Operation::ListEmployees, looks + 1).await;
        disk.fail_syncs(Errno::IO);
        town.sim.release_answers();
        gives_up(&mut served).await;
        // It was stored before, and may be answered so; or not at all.
        drop(delivery.await.expect("no panic"));
        assert_eq!(town.sim.creates(), 0);
        if lost {
            disk.lose_what_was_not_synced();
        }
        disk.heal();

        let served = town.serve().await;
        let repeat = town.deliver(&served, &hire()).await.expect("an answer");
        assert_eq!(repeat["duplicate"], true, "it was stored");
        if lost {
            town.becomes(&served, "created").await;
        } else {
            let looks = town.sim.calls(Operation::ListEmployees);
            town.sim.arrival(Operation::ListEmployees, looks + 2).await;
            town.becomes(&served, "unknown").await;
        }
        assert_eq!(town.sim.creates(), usize::from(lost), "lost: {lost}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_whose_sync_failed_is_looked_up_after_the_restart() {
    let test = "an_outcome_whose_sync_failed_is_looked_up_after_the_restart";
    for lost in [false, true] {
        let Some((town, disk)) = town_on_a_disk(test).await else { return };
        disk.order(Order::KeepSynced, 1);
        town.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::Wait));
        let mut served = town.serve().await;
        let delivery = tokio::spawn(town.post(&served, &hire()));
        town.sim.arrival(Operation::CreateEmployee, 1).await;
        disk.fail_syncs(Errno::IO);
        town.sim.release_answers();
        gives_up(&mut served).await;
        let said = served.log();
        assert!(said.contains("an outcome is not stored: it is unknown until it is looked up"), "{said}");
        let answer = delivery.await.expect("no panic").expect("an answer");
        assert_eq!(state(&answer.json()), "sending", "what is stored");
        if lost {
            disk.lose_what_was_not_synced();
        }
        disk.heal();

        let served = town.serve().await;
        town.becomes(&served, if lost { "created(adopted)" } else { "created" }).await;
        assert_eq!((town.sim.creates(), town.sim.employees().len()), (1, 1), "lost: {lost}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_failed_sync_left_behind_is_nothing_to_build_upon() {
    let test = "what_a_failed_sync_left_behind_is_nothing_to_build_upon";
    let Some((town, disk)) = town_on_a_disk(test).await else { return };
    disk.order(Order::KeepSynced, 1);
    let mut served = town.serve().await;
    disk.fail_syncs(Errno::IO);
    is_turned_away(&town, &served, &other_hire(1)).await;
    gives_up(&mut served).await;

    // The kernel shows what is not on the disk, and will not write it again.
    disk.heal();
    disk.order(Order::KeepSynced, 1);
    let served = town.serve().await;
    let answer = town.deliver(&served, &hire()).await.expect("an answer");
    served.kill();
    disk.lose_what_was_not_synced();
    disk.heal();

    let served = town.serve().await;
    let repeat = town.deliver(&served, &hire()).await.expect("an answer");
    assert_eq!((&repeat["hire"], &repeat["duplicate"]), (&answer["hire"], &json!(true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_sync_of_the_file_itself_ends_the_process_as_well() {
    let test = "a_failed_sync_of_the_file_itself_ends_the_process_as_well";
    let Some((town, disk)) = town_on_a_disk(test).await else { return };
    let mut served = town.serve().await;
    disk.order(Order::SpareLog, 1);
    disk.fail_syncs(Errno::IO);
    let mut stored = Vec::new();
    // The log is copied into the file when it is long: so many hires are more than enough.
    for n in 0..400 {
        match town.post(&served, &other_hire(n)).await {
            Some(answer) if answer.status == 200 => stored.push((n, answer.hire())),
            _ => break,
        }
    }
    gives_up(&mut served).await;
    assert!((1..400).contains(&stored.len()), "{}", stored.len());
    disk.heal();
    let served = town.serve().await;
    for (n, id) in &stored {
        let repeat = town.deliver(&served, &other_hire(*n)).await.expect("an answer");
        assert_eq!((repeat["hire"].as_str(), &repeat["duplicate"]), (Some(id.as_str()), &json!(true)));
    }
}
