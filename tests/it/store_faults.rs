//! The store fails: a delivery is answered 503, nothing is sent, `/readyz` says no at once; and what heals goes on
//! by itself, while after a failed sync, or on a damaged file, the process ends rather than guess.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use hirebridge::sim::{Behaviour, Fault, Operation};
use rusqlite::Connection;
use rustix::io::Errno;
use serde_json::{Value, json};

use crate::support::ashby::{candidate_hire, hire, with_field, without_offer};
use crate::support::process::{Served, ended, eventually, hirebridge, text};
use crate::support::store_faults::{Disk, Order};
use crate::support::town::Town;
use crate::support::{Setup, is_problem, state};

/// A town whose ledger is in the folder `data`.
async fn town(setup: Setup) -> Town {
    Town::with(Setup { ledger: Some("sqlite:data/ledger.db".into()), ..setup }).await
}

/// Answers at once with the state that is stored.
fn brief() -> Setup {
    Setup { server: "wait = \"10ms\"".into(), ..Setup::default() }
}

fn ledger(town: &Town) -> PathBuf {
    town.folder.path().join("data/ledger.db")
}

/// The same, on a disk that fails on request.
async fn town_on_a_disk(test: &str) -> Option<(Town, Disk)> {
    town_on_a_disk_with(test, Setup::default()).await
}

async fn town_on_a_disk_with(test: &str, setup: Setup) -> Option<(Town, Disk)> {
    let mut town = town(setup).await;
    let disk = Disk::under(town.folder.path(), test)?;
    town.environment = disk.environment();
    Some((town, disk))
}

async fn town_on_a_sound_disk() -> Town {
    let town = town(Setup::default()).await;
    fs::create_dir(town.folder.path().join("data")).expect("a folder can be made");
    town
}

fn other_hire(n: usize) -> Value {
    candidate_hire(&format!("b-{n}"), "Bo Beispiel", &format!("bo-{n}@example.org"))
}

/// A delivery that cannot be stored is to be sent again, and goes nowhere.
async fn is_turned_away(town: &Town, served: &Served, body: &Value) {
    let upstream = town.sim.calls(Operation::Any);
    let answer = town.post(served, body).await.expect("an answer");
    is_problem(&answer, 503, "ledger_unavailable");
    assert_eq!(answer.headers["retry-after"], "15");
    assert_eq!(town.sim.calls(Operation::Any), upstream, "nothing is sent");
}

/// Nobody should send anything here; but it lives.
async fn is_unready(town: &Town, served: &Served) {
    for (path, status, body) in [
        ("/readyz", 503, json!({"status": "unready", "reason": "ledger"})),
        ("/healthz", 503, json!({"status": "unready", "reason": "ledger"})),
        ("/livez", 200, json!({"status": "ok"})),
    ] {
        let answer = town.get(served, path).await.expect("an answer");
        assert_eq!((answer.status.as_u16(), answer.json()), (status, body), "{path}");
    }
}

/// All is as if nothing had been.
async fn has_healed(town: &Town, served: &Served, body: &Value) {
    assert_eq!(town.get(served, "/readyz").await.expect("an answer").status, 200);
    let creates = town.sim.creates();
    let answer = town.deliver(served, body).await.expect("an answer");
    assert_eq!((state(&answer).as_str(), &answer["duplicate"]), ("created", &json!(false)));
    assert_eq!(town.sim.creates(), creates + 1);
    rests(town, served, &answer["hire"]).await;
}

/// Waits until a hire that was created is compared: then nothing is written or sent for it any more.
async fn rests(town: &Town, served: &Served, hire: &Value) {
    let id = hire.as_str().expect("an id");
    eventually("the hire is compared", || async {
        let hire = town.hire(served, id).await;
        let last = hire["history"].as_array().expect("a history").last().expect("a step");
        (last["cause"] == "compared").then_some(())
    })
    .await;
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

/// The process ends by itself, as a failure, and says what to do.
async fn gives_up(served: &mut Served) {
    assert_eq!(served.ended().await, Some(1));
    let said = served.log();
    for words in ["the ledger has stopped for good", "look after the disk, then start hirebridge again"] {
        assert!(said.contains(words), "{words} in {said}");
    }
}

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
