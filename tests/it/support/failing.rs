//! A town on a disk that fails on request, and what is to be seen of it from outside.

use std::fs;
use std::path::PathBuf;

use hirebridge::sim::Operation;
use serde_json::{Value, json};

use super::ashby::candidate_hire;
use super::process::{Served, eventually};
use super::store_faults::Disk;
use super::town::Town;
use super::{Setup, is_problem, state};

/// A town whose ledger is in the folder `data`.
async fn town(setup: Setup) -> Town {
    Town::with(Setup { ledger: Some("sqlite:data/ledger.db".into()), ..setup }).await
}

pub(crate) fn ledger(town: &Town) -> PathBuf {
    town.folder.path().join("data/ledger.db")
}

/// The same, on a disk that fails on request.
pub(crate) async fn town_on_a_disk(test: &str) -> Option<(Town, Disk)> {
    town_on_a_disk_with(test, Setup::default()).await
}

pub(crate) async fn town_on_a_disk_with(test: &str, setup: Setup) -> Option<(Town, Disk)> {
    let mut town = town(setup).await;
    let disk = Disk::under(town.folder.path(), test)?;
    town.environment = disk.environment();
    Some((town, disk))
}

pub(crate) async fn town_on_a_sound_disk() -> Town {
    let town = town(Setup::default()).await;
    fs::create_dir(town.folder.path().join("data")).expect("a folder can be made");
    town
}

pub(crate) fn other_hire(n: usize) -> Value {
    candidate_hire(&format!("b-{n}"), "Bo Beispiel", &format!("bo-{n}@example.org"))
}

/// A delivery that cannot be stored is to be sent again, and goes nowhere.
pub(crate) async fn is_turned_away(town: &Town, served: &Served, body: &Value) {
    let upstream = town.sim.calls(Operation::Any);
    let answer = town.post(served, body).await.expect("an answer");
    is_problem(&answer, 503, "ledger_unavailable");
    assert_eq!(answer.headers["retry-after"], "15");
    assert_eq!(town.sim.calls(Operation::Any), upstream, "nothing is sent");
}

/// Nobody should send anything here; but it lives.
pub(crate) async fn is_unready(town: &Town, served: &Served) {
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
pub(crate) async fn has_healed(town: &Town, served: &Served, body: &Value) {
    assert_eq!(town.get(served, "/readyz").await.expect("an answer").status, 200);
    let creates = town.sim.creates();
    let answer = town.deliver(served, body).await.expect("an answer");
    assert_eq!((state(&answer).as_str(), &answer["duplicate"]), ("created", &json!(false)));
    assert_eq!(town.sim.creates(), creates + 1);
    rests(town, served, &answer["hire"]).await;
}

/// Waits until a hire that was created is compared: then nothing is written or sent for it any more.
pub(crate) async fn rests(town: &Town, served: &Served, hire: &Value) {
    let id = hire.as_str().expect("an id");
    eventually("the hire is compared", || async {
        let hire = town.hire(served, id).await;
        let last = hire["history"].as_array().expect("a history").last().expect("a step");
        (last["cause"] == "compared").then_some(())
    })
    .await;
}

/// The process ends by itself, as a failure, and says what to do.
pub(crate) async fn gives_up(served: &mut Served) {
    assert_eq!(served.ended().await, Some(1));
    let said = served.log();
    for words in ["the ledger has stopped for good", "look after the disk, then start hirebridge again"] {
        assert!(said.contains(words), "{words} in {said}");
    }
}
