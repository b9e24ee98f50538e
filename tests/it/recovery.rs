//! Whatever a former process left behind, and however much of it: deliveries are taken at once, and nothing of it
//! is sent.

use futures_util::future::join_all;
use hirebridge::domain::{Actor, Employee, Event, Facts, Hire, HireId, HireKey, Waiting};
use hirebridge::ledger::sqlite::SqliteLedger;
use hirebridge::ledger::{Accepted, Delivery, Ledger, LedgerKey, Owner};
use hirebridge::sim::Operation;
use jiff::SignedDuration;
use serde_json::json;
use uuid::Uuid;

use crate::support::ashby::{candidate_hire, hire};
use crate::support::postgres::{self, Postgres};
use crate::support::process::eventually;
use crate::support::{House, Setup, start_of_test, state};

/// The source of those who were left behind: the tests' triggers tell them by it.
const BEFORE: &str = "before";

/// How many are left behind: the long run takes ten thousand.
#[expect(clippy::disallowed_methods, reason = "how thorough a test is decides whoever runs it")]
fn many() -> usize {
    if std::env::var_os("HIREBRIDGE_LONG_TESTS").is_some() { 10_000 } else { 300 }
}

/// Leaves `orphans` in mid-send, and as many that wait and are due.
async fn leave_behind(ledger: &dyn Ledger, orphans: usize, waiting: usize) {
    let all: Vec<_> = (0..orphans + waiting).collect();
    for some in all.chunks(512) {
        join_all(some.iter().map(|n| leave(ledger, *n, *n < orphans))).await;
    }
}

async fn leave(ledger: &dyn Ledger, n: usize, sending: bool) {
    let at = start_of_test();
    let key = HireKey { kind: "ashby".into(), account: "default".into(), application: format!("b-{n}") };
    let mut facts = Facts::new();
    facts.put("candidate.email", format!("before{n}@example.org"));
    facts.put("candidate.first_name", "Mia");
    facts.put("candidate.last_name", "Beispiel");
    let mut hire = Hire::received(HireId(Uuid::now_v7()), BEFORE, key, facts, at);
    for attribute in ["email", "first_name", "last_name"] {
        let fact = hire.record.facts.value(&format!("candidate.{attribute}"));
        let value = fact.expect("it was just put there").clone();
        hire.record.plan.employee.set(attribute, value);
    }
    let delivery = Delivery {
        source: BEFORE.into(),
        at,
        event: "candidateHire".into(),
        delivery_id: None,
        secret: None,
        body: Vec::new(),
    };
    let Accepted::New(mut hire) = ledger.accept(hire, delivery).await.expect("stored") else {
        panic!("it was there")
    };
    hire.apply(&Event::Planned(None), &Actor::System, at).expect("allowed");
    if sending {
        let until = at + SignedDuration::from_secs(40);
        let granted = ledger.permit(&mut hire, Employee::default(), &Actor::System, at, until).await;
        drop(granted.expect("asked").expect("granted"));
    } else {
        hire.apply(&Event::PutOff(Waiting::Unreachable), &Actor::System, at).expect("allowed");
        hire.next_at = Some(at);
        ledger.save(&mut hire).await.expect("saved");
    }
}

/// An engine under a house that is closed: how to get at its tables.
enum Tables {
    File(std::path::PathBuf),
    Server(Postgres),
}

const HOLD: &str = "CREATE TRIGGER hold BEFORE UPDATE ON hires WHEN old.source = 'before' AND old.state = 'sending' \
     BEGIN SELECT raise(ABORT, 'not now'); END";

impl Tables {
    fn tell(&self, sqlite: &str, postgres: &str) {
        match self {
            Self::File(path) => {
                let db = rusqlite::Connection::open(path).expect("it is there");
                db.busy_timeout(std::time::Duration::from_secs(5)).expect("set");
                db.execute_batch(sqlite).unwrap_or_else(|error| panic!("{sqlite}: {error}"));
            }
            Self::Server(server) => drop(server.ask("remains", postgres)),
        }
    }

    /// From now on nobody can take up what was left in mid-send.
    fn hold(&self) {
        self.tell(
            HOLD,
            "SET search_path TO hirebridge; \
             CREATE FUNCTION hold() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'not now'; END $$ LANGUAGE plpgsql; \
             CREATE TRIGGER hold BEFORE UPDATE ON hires FOR EACH ROW \
               WHEN (old.source = 'before' AND old.state = 'sending') EXECUTE FUNCTION hold()",
        );
    }

    fn let_go(&self) {
        self.tell("DROP TRIGGER hold", "DROP TRIGGER hold ON hirebridge.hires");
    }
}

/// A closed house in whose ledger so many were left behind.
async fn left_behind(server: Option<Postgres>, orphans: usize, waiting: usize) -> (House, Tables) {
    let url = server.as_ref().map(|server| server.database("remains"));
    let setup = Setup {
        ledger: url.clone(),
        server: "wait = \"10ms\"".into(),
        transfer: "lookups = [\"48h\"]".into(),
        ..Setup::default()
    };
    let mut house = House::with(setup).await;
    house.close().await;
    let tables = if let Some(server) = server {
        leave_behind(&postgres::open(&url.expect("a server has a URL")).await, orphans, waiting).await;
        server.ask("remains", "UPDATE hirebridge.hires SET lease_until = clock_timestamp()");
        Tables::Server(server)
    } else {
        let path = house.folder.path().join("ledger.db");
        let key = LedgerKey::parse("BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=").expect("a key");
        let free = || async { SqliteLedger::open(&path, &key, Owner::new()).ok() };
        let ledger = eventually("it is free", free).await;
        leave_behind(&ledger, orphans, waiting).await;
        Tables::File(path)
    };
    (house, tables)
}

async fn in_state(house: &House, wanted: &str) -> u64 {
    let counts = house.service().transfer().ledger().counts().await.expect("the ledger can be read");
    counts.iter().filter(|((source, state), _)| source == BEFORE && *state == wanted).map(|(_, n)| n).sum()
}

async fn readiness_waits_for_nobody(server: Option<Postgres>) {
    let left = many();
    let (mut house, tables) = left_behind(server, left, 0).await;
    tables.hold();
    house.open().await;
    assert_eq!(house.get("/readyz").await.status, 200);
    assert_eq!(in_state(&house, "sending").await, left as u64, "not one was taken up before");
    assert_eq!(house.sim.calls(Operation::Any), 0, "and nobody was asked");
    let new = house.deliver(&hire()).await.hire();
    assert_eq!(state(&house.hire(&new).await), "created");
    let repeat = house.deliver(&candidate_hire("b-0", "Mia Beispiel", "before0@example.org")).await;
    assert_eq!((repeat.state().as_str(), &repeat.json()["duplicate"]), ("sending", &json!(true)));
    assert_eq!(house.sim.creates(), 1, "what is in mid-send is not sent");

    tables.let_go();
    eventually("all are taken up", || async {
        house.clock.advance(SignedDuration::from_secs(1));
        (in_state(&house, "unknown").await == left as u64).then_some(())
    })
    .await;
    assert_eq!(house.sim.creates(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_ready_before_anything_is_taken_up_that_a_dead_sender_left() {
    Box::pin(readiness_waits_for_nobody(None)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_ready_on_postgres_before_anything_is_taken_up_that_a_dead_sender_left() {
    let test = "it_is_ready_on_postgres_before_anything_is_taken_up_that_a_dead_sender_left";
    let Some(server) = Postgres::start(test).await else { return };
    Box::pin(readiness_waits_for_nobody(Some(server))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_cannot_be_read_keeps_no_other_from_being_taken_up() {
    let (mut house, tables) = left_behind(None, 40, 0).await;
    tables.tell("UPDATE records SET sealed = x'00' WHERE hire = (SELECT min(id) FROM hires)", "");
    house.open().await;
    eventually("the others are taken up", || async {
        (in_state(&house, "unknown").await == 39).then_some(())
    })
    .await;
    assert_eq!((in_state(&house, "sending").await, house.sim.calls(Operation::Any)), (1, 0));
}

/// How long a start takes with 10,000 unfinished hires, half of them in mid-send; for docs/benchmarks.md.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures, asserts no time: run it alone with --nocapture"]
async fn how_long_it_takes_until_it_is_ready() {
    for engine in ["sqlite", "postgres"] {
        let server = if engine == "postgres" {
            let Some(server) = Postgres::start("how_long_it_takes_until_it_is_ready").await else { return };
            Some(server)
        } else {
            None
        };
        let (mut house, _tables) = left_behind(server, 5_000, 5_000).await;
        let began = tokio::time::Instant::now();
        house.open().await;
        assert_eq!(house.get("/readyz").await.status, 200);
        let ready = began.elapsed();
        let sending = in_state(&house, "sending").await;
        eventually("all are taken up", || async { (in_state(&house, "sending").await == 0).then_some(()) })
            .await;
        println!(
            "{engine}: ready after {ready:?}, {sending} then in mid-send; taken up after {:?}",
            began.elapsed()
        );
    }
}
