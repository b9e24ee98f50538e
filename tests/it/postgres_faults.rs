//! PostgreSQL is away, does not answer, or only reads: a delivery is answered 503, nothing is sent, `/readyz` says
//! no; and when it is back nothing is to be done.

use std::time::Duration;

use hirebridge::sim::Operation;
use reqwest::Method;
use serde_json::json;

use crate::support::ashby::candidate_hire;
use crate::support::postgres::Postgres;
use crate::support::process::eventually;
use crate::support::{House, Setup, is_problem};

async fn house(server: &Postgres, database: &str) -> House {
    House::with(Setup { ledger: Some(server.database(database)), ..Setup::default() }).await
}

fn body(n: usize) -> serde_json::Value {
    candidate_hire(&format!("a-{n}"), "Mia Beispiel", &format!("mia-{n}@example.org"))
}

async fn ready(house: &House) -> u16 {
    let answer = house.send(house.bare(Method::GET, "/readyz")).await;
    let status = answer.status.as_u16();
    assert!(
        status == 200 || answer.json() == json!({"status": "unready", "reason": "ledger"}),
        "{}",
        answer.text
    );
    status
}

async fn is_turned_away(house: &House, n: usize) {
    let upstream = house.sim.calls(Operation::Any);
    let answer = house.deliver(&body(n)).await;
    is_problem(&answer, 503, "ledger_unavailable");
    assert_eq!(answer.headers["retry-after"], "15");
    assert_eq!(ready(house).await, 503);
    assert_eq!(house.sim.calls(Operation::Any), upstream, "nothing is sent");
}

async fn has_healed(house: &House, n: usize) {
    eventually("it is ready again", || async { (ready(house).await == 200).then_some(()) }).await;
    let answer = house.deliver(&body(n)).await;
    assert_eq!((answer.state().as_str(), answer.json()["duplicate"].clone()), ("created", json!(false)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_gone_turns_deliveries_away_until_it_is_back() {
    let test = "a_server_that_is_gone_turns_deliveries_away_until_it_is_back";
    let Some(mut server) = Postgres::start(test).await else { return };
    let house = house(&server, "gone").await;
    assert_eq!(ready(&house).await, 200);
    server.stop();
    is_turned_away(&house, 1).await;
    server.start_again().await;
    has_healed(&house, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_only_reads_turns_deliveries_away_until_it_writes() {
    let test = "a_server_that_only_reads_turns_deliveries_away_until_it_writes";
    let Some(server) = Postgres::start(test).await else { return };
    let house = house(&server, "reads").await;
    assert_eq!(ready(&house).await, 200);
    server.ask("postgres", "ALTER DATABASE reads SET default_transaction_read_only = on");
    assert!(server.cut() > 0);
    is_turned_away(&house, 1).await;
    server.ask("postgres", "ALTER DATABASE reads RESET default_transaction_read_only");
    has_healed(&house, 1).await;
}

/// A server that hangs says nothing for longer than anyone waits; whoever asks is answered all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_answer_makes_it_unready() {
    let Some(server) = Postgres::start("a_server_that_does_not_answer_makes_it_unready").await else {
        return;
    };
    let house = house(&server, "hangs").await;
    assert_eq!(ready(&house).await, 200);
    server.freeze();
    // Far below the ledger's own time-outs, far above what an answer takes.
    let answer = tokio::time::timeout(Duration::from_secs(8), ready(&house)).await;
    assert_eq!(answer.expect("an answer"), 503);
    server.thaw();
    has_healed(&house, 1).await;
}
