//! The store fails: a delivery is answered 503, nothing is sent, `/readyz` says no at once; and what heals goes on
//! by itself. A file that is damaged or too new is refused.

use std::fs;
use std::os::unix::fs::FileExt;

use hirebridge::sim::{Behaviour, Fault, Operation};
use rusqlite::Connection;
use rustix::io::Errno;

use crate::support::ashby::{hire, with_field, without_offer};
use crate::support::failing::{
    gives_up, has_healed, is_turned_away, is_unready, ledger, other_hire, town_on_a_disk,
    town_on_a_disk_with, town_on_a_sound_disk,
};
use crate::support::process::{ended, eventually, hirebridge, text};
use crate::support::store_faults::Order;
use crate::support::town::Town;
use crate::support::{Setup, state};

/// Answers at once with the state that is stored.
fn brief() -> Setup {
    Setup { server: "wait = \"10ms\"".into(), ..Setup::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_takes_no_writes_turns_deliveries_away_until_it_does() {
    let test = "a_disk_that_takes_no_writes_turns_deliveries_away_until_it_does";
    let Some((town, disk)) = town_on_a_disk(test).await else { return };
    let served = town.serve().await;
    assert!(disk.syncs() > 0, "the disk is under the service");
    let faults = [
        // Full as disks are: what is there can still be written over.
        (Errno::NOSPC, 1),
        (Errno::NOSPC, 0),
        (Errno::DQUOT, 0),
        (Errno::ROFS, 0),
        (Errno::IO, 0),
    ];
    for (n, (errno, only_growing)) in faults.into_iter().enumerate() {
        disk.order(Order::OnlyGrowing, only_growing);
        disk.fail_writes(errno);
        for _ in 0..2 {
            is_turned_away(&town, &served, &other_hire(n)).await;
            is_unready(&town, &served).await;
        }
        disk.heal();
        has_healed(&town, &served, &other_hire(n)).await;
    }
    assert_eq!(town.hires(&served).await.len(), 5);
    assert_eq!(Town::terminate(served).await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_with_room_for_little_is_not_taken_for_one_with_room() {
    let test = "a_disk_with_room_for_little_is_not_taken_for_one_with_room";
    let Some((town, disk)) = town_on_a_disk(test).await else { return };
    let served = town.serve().await;
    // The log is begun anew in the room that it has.
    let other = Connection::open(ledger(&town)).expect("it opens");
    other.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())).expect("it can be copied");
    disk.order(Order::OnlyGrowing, 1);
    disk.fail_writes(Errno::NOSPC);
    let large = with_field(hire(), "Note", &"n".repeat(400_000));
    is_turned_away(&town, &served, &large).await;
    is_unready(&town, &served).await;
    disk.heal();
    has_healed(&town, &served, &hire()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_is_noticed_although_nobody_delivers() {
    let Some((town, disk)) = town_on_a_disk("a_disk_that_fails_is_noticed_although_nobody_delivers").await
    else {
        return;
    };
    let served = town.serve().await;
    disk.fail_writes(Errno::ROFS);
    is_unready(&town, &served).await;
    disk.heal();
    has_healed(&town, &served, &hire()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_another_program_has_locked_turns_deliveries_away_until_it_is_free() {
    let town = town_on_a_sound_disk().await;
    let served = town.serve().await;
    let other = Connection::open(ledger(&town)).expect("it opens");
    for (n, lock) in ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"].into_iter().enumerate() {
        other.execute_batch(lock).expect("it is free");
        is_turned_away(&town, &served, &other_hire(n)).await;
        is_unready(&town, &served).await;
        other.execute_batch("ROLLBACK").expect("it was locked");
        has_healed(&town, &served, &other_hire(n)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_that_finds_the_disk_full_is_stored_when_there_is_room() {
    let test = "an_outcome_that_finds_the_disk_full_is_stored_when_there_is_room";
    let Some((town, disk)) = town_on_a_disk(test).await else { return };
    town.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::Wait));
    let served = town.serve().await;
    let delivery = tokio::spawn(town.deliver(&served, &hire()));
    town.sim.arrival(Operation::CreateEmployee, 1).await;
    disk.fail_writes(Errno::NOSPC);
    town.sim.release_answers();
    let answer = delivery.await.expect("no panic").expect("an answer");
    assert_eq!(state(&answer), "sending", "what is stored");
    eventually("it says that the outcome is not stored", || async {
        served.log().contains("an outcome could not be stored; trying again").then_some(())
    })
    .await;
    disk.heal();
    town.becomes(&served, "created").await;
    assert_eq!((town.sim.creates(), town.sim.employees().len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hire_that_is_due_while_the_disk_is_full_troubles_nobody() {
    let test = "a_hire_that_is_due_while_the_disk_is_full_troubles_nobody";
    let Some((town, disk)) = town_on_a_disk_with(test, Setup { settle: Some("1s".into()), ..brief() }).await
    else {
        return;
    };
    let served = town.serve().await;
    let early = without_offer("applicationUpdate", "a-1", "Mia Beispiel", "mia@example.org");
    assert_eq!(state(&town.deliver(&served, &early).await.expect("an answer")), "received");
    disk.fail_writes(Errno::NOSPC);
    is_unready(&town, &served).await;
    let upstream = town.sim.calls(Operation::Any);
    eventually("the loop has looked", || async {
        served.log().contains("what is due cannot be read").then_some(())
    })
    .await;
    assert_eq!(town.sim.calls(Operation::Any), upstream);
    disk.heal();
    town.becomes(&served, "created").await;
}

/// Overwrites everything from `from` to `to` of a thousand parts of the file.
fn damage(town: &Town, from: u64, to: u64) {
    let file = fs::File::options().write(true).open(ledger(town)).expect("it is there");
    let size = file.metadata().expect("it can be asked").len();
    let [from, to] = [from, to].map(|part| (size * part / 1_000).next_multiple_of(4096).max(4096));
    let garbage = vec![0x5a; usize::try_from(to - from).expect("a small file")];
    file.write_all_at(&garbage, from).expect("it can be written");
}

/// A town with some hires, and nobody at work.
async fn settled_town() -> Town {
    let town = town_on_a_sound_disk().await;
    let served = town.serve().await;
    for n in 0..40 {
        town.deliver(&served, &other_hire(n)).await.expect("an answer");
    }
    assert_eq!(Town::terminate(served).await, Some(0));
    town
}

/// What `serve` says when it does not start.
fn refusal(town: &Town) -> String {
    let output = ended(hirebridge(town.folder.path()).args(["serve", "--config"]).arg(&town.config));
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("cannot start") && said.contains("`ledger.url`"), "{said}");
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_refused_in_words() {
    let town = settled_town().await;
    let upstream = town.sim.calls(Operation::Any);
    damage(&town, 400, 500);
    let said = refusal(&town);
    assert!(said.contains("is damaged (") && said.contains("put a backup in its place"), "{said}");
    let mut check = hirebridge(town.folder.path());
    let checked = text(&ended(check.args(["check", "--config"]).arg(&town.config)).stdout);
    assert!(checked.contains("is damaged ("), "{checked}");
    let calls = town.sim.requests().into_iter().skip(upstream);
    assert!(calls.into_iter().all(|call| call.operation != Operation::CreateEmployee));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_damaged_under_a_running_service_ends_it() {
    let town = settled_town().await;
    let mut served = town.serve().await;
    damage(&town, 0, 1_000);
    is_turned_away(&town, &served, &other_hire(99)).await;
    let ready = town.get(&served, "/readyz").await;
    assert!(ready.is_none_or(|answer| answer.status == 503), "it is never ready again");
    gives_up(&mut served).await;
    assert!(refusal(&town).contains("is damaged ("));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_damaged_is_found_by_whoever_only_reads() {
    let town = settled_town().await;
    let mut served = town.serve().await;
    damage(&town, 0, 1_000);
    let answer = town.ask(&served, "/v1/hires?limit=100").await;
    assert_eq!(answer["code"], "ledger_unavailable", "{answer}");
    gives_up(&mut served).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_a_newer_version_is_refused_and_left_as_it_is() {
    let town = settled_town().await;
    let newer = Connection::open(ledger(&town)).expect("it opens");
    newer.pragma_update(None, "user_version", 99).expect("it can be written");
    newer.close().expect("it closes");
    let before = fs::read(ledger(&town)).expect("readable");
    let said = refusal(&town);
    assert!(
        said.contains("made by a newer hirebridge (its version is 99") && said.contains("run that one"),
        "{said}"
    );
    assert!(before == fs::read(ledger(&town)).expect("readable"), "the file is as it was");
}
