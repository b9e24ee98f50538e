//! One PostgreSQL under several replicas: never two, never lost, whatever happens to the connections.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use hirebridge::domain::{Actor, Event, Facts, Hire, HireId, HireKey};
use hirebridge::ledger::postgres::{Address, OpenError, PostgresLedger, inspect};
use hirebridge::ledger::{Accepted, Delivery, Ledger, LedgerKey, Owner};
use jiff::SignedDuration;
use serde_json::json;

use crate::ledger::story;
use crate::support::ashby::candidate_hire;
use crate::support::postgres::{PASSWORD, Postgres, open};
use crate::support::process::eventually;
use crate::support::wire::Wire;
use crate::support::{House, Reply, Setup, start_of_test, state};

#[tokio::test(flavor = "multi_thread")]
async fn postgres_tells_the_story_of_a_ledger() {
    let Some(server) = Postgres::start("postgres_tells_the_story_of_a_ledger").await else { return };
    story(&open(&server.database("story")).await).await;
}

/// Why a ledger is not opened, as the log would show it.
async fn refusal(url: &str, key: &LedgerKey) -> String {
    let address = Address::parse(url, None).expect("the URL is right");
    let opened = PostgresLedger::open(&address, key, Owner::new()).await;
    let refused: OpenError = opened.err().expect("it is refused");
    let inspected = inspect(&address, key).await.expect_err("and it is found out before");
    let said = refused.to_string();
    assert_eq!(inspected.to_string(), said, "the doctor says the same");
    assert!(!said.contains(PASSWORD) && !format!("{refused:?}").contains(PASSWORD), "{said}");
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_could_lose_a_hire_is_refused_in_words() {
    let Some(server) = Postgres::start("a_server_that_could_lose_a_hire_is_refused_in_words").await else {
        return;
    };
    let key = LedgerKey::parse(&LedgerKey::generate()).expect("a key");
    for (database, setting, said) in [
        ("asynchronous", "synchronous_commit = off", "`synchronous_commit` is `off`"),
        ("reading", "default_transaction_read_only = on", "cannot be written: transactions are read-only"),
    ] {
        let url = server.database(database);
        server.ask("postgres", &format!("ALTER DATABASE {database} SET {setting}"));
        let refused = refusal(&url, &key).await;
        assert!(refused.contains(said) && refused.contains(database), "{refused}");
    }
    let url = server.database("weak");
    for setting in ["fsync", "full_page_writes"] {
        server.ask("postgres", &format!("ALTER SYSTEM SET {setting} = off"));
        server.ask("postgres", "SELECT pg_reload_conf()");
        eventually("the setting is off", || async {
            (server.ask("weak", &format!("SHOW {setting}")).trim() == "off").then_some(())
        })
        .await;
        assert!(refusal(&url, &key).await.contains(&format!("`{setting}` is `off`")));
        server.ask("postgres", &format!("ALTER SYSTEM RESET {setting}"));
        server.ask("postgres", "SELECT pg_reload_conf()");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_this_ledger_is_refused_in_words() {
    let Some(server) = Postgres::start("a_database_that_is_not_this_ledger_is_refused_in_words").await else {
        return;
    };
    let key = LedgerKey::parse(&LedgerKey::generate()).expect("a key");

    let url = server.database("others");
    server.ask("others", "CREATE SCHEMA hirebridge; CREATE TABLE hirebridge.hires (id int)");
    assert!(refusal(&url, &key).await.contains("not a hirebridge ledger"));

    let url = server.database("ours");
    let address = Address::parse(&url, None).expect("the URL is right");
    assert!(inspect(&address, &key).await.expect("new").contains("will be set up"));
    let twins = join_all((0..4).map(|_| PostgresLedger::open(&address, &key, Owner::new()))).await;
    assert!(twins.into_iter().all(|twin| twin.is_ok()), "replicas that start together set it up once");
    assert!(inspect(&address, &key).await.expect("there").contains("can be used"));
    let other = LedgerKey::parse(&LedgerKey::generate()).expect("a key");
    assert!(refusal(&url, &other).await.contains("another key"));
    server.ask("ours", "INSERT INTO hirebridge.migrations (version) VALUES (99)");
    assert!(refusal(&url, &key).await.contains("newer hirebridge (its version is 99"));

    assert!(refusal(&server.url("missing"), &key).await.contains("\"missing\" does not exist"));
    let intruder = url.replace(PASSWORD, "wr0ng-s3cret");
    let refused = refusal(&intruder, &key).await;
    assert!(refused.contains("password authentication failed") && !refused.contains("wr0ng"), "{refused}");
    assert!(refusal("postgres://hires@127.0.0.1:9/hires", &key).await.contains("cannot be reached"));

    server.ask("postgres", "CREATE ROLE guest LOGIN PASSWORD 'pg-s3cret'");
    let url = server.database("strange").replace("hires:", "guest:");
    assert!(refusal(&url, &key).await.contains("must own the schema"));
}

/// Two services on one database, before one Personio.
async fn replicas(url: &str) -> [House; 2] {
    let setup = Setup { ledger: Some(url.to_owned()), ..Setup::default() };
    let first = House::with(setup.clone()).await;
    let second = House::beside(&first, setup).await;
    [first, second]
}

/// How many hires: enough to meet in many ways; the long run takes a thousand.
#[expect(clippy::disallowed_methods, reason = "how thorough a test is decides whoever runs it")]
fn many() -> usize {
    if std::env::var_os("HIREBRIDGE_LONG_TESTS").is_some() { 1_000 } else { 200 }
}

fn body(n: usize) -> serde_json::Value {
    candidate_hire(&format!("a-{n}"), "Mia Beispiel", &format!("mia-{n}@example.org"))
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_copies_of_each_hire_through_two_replicas_make_one_employee_each() {
    let test = "sixteen_copies_of_each_hire_through_two_replicas_make_one_employee_each";
    let Some(server) = Postgres::start(test).await else { return };
    let houses = replicas(&server.database("replicas")).await;
    let hires: Vec<usize> = (0..many()).collect();
    for some in hires.chunks(8) {
        let copies = some.iter().flat_map(|n| (0..16).map(move |copy| (*n, copy)));
        let answers =
            copies.map(async |(n, copy): (usize, usize)| (n, houses[copy % 2].deliver(&body(n)).await));
        let mut ids = BTreeSet::new();
        for (n, answer) in join_all(answers).await {
            assert_eq!(answer.state(), "created", "{n}");
            ids.insert((n, answer.hire()));
        }
        assert_eq!(ids.len(), some.len(), "one id for all copies of a hire");
    }
    let sim = &houses[0].sim;
    assert_eq!((sim.creates(), sim.employees().len()), (many(), many()));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hires_of_one_person_through_two_replicas_at_once_make_one_employee() {
    let test = "two_hires_of_one_person_through_two_replicas_at_once_make_one_employee";
    let Some(server) = Postgres::start(test).await else { return };
    let houses = replicas(&server.database("person")).await;
    houses[0].sim.adjust(|manner| manner.rights.employees_read = false);
    for n in 0..20 {
        let email = format!("mia-{n}@example.org");
        let bodies = ["x", "y"].map(|way| candidate_hire(&format!("{way}-{n}"), "Mia Beispiel", &email));
        let answers = join_all(houses.iter().zip(&bodies).map(|(house, body)| house.deliver(body))).await;
        let states: BTreeSet<_> = answers.iter().map(Reply::state).collect();
        assert_eq!(states, BTreeSet::from(["created".to_owned(), "held(second_hire)".to_owned()]));
    }
    assert_eq!(houses[0].sim.creates(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_cut_during_work_lose_nothing_and_double_nothing() {
    let test = "connections_that_are_cut_during_work_lose_nothing_and_double_nothing";
    let Some(server) = Postgres::start(test).await else { return };
    let houses = replicas(&server.database("cut")).await;
    let delivered = async |n: usize| {
        // As an ATS does: again until it is taken.
        eventually("the hire is taken", || async {
            let answer = houses[n % 2].deliver(&body(n)).await;
            (answer.status == 200).then(|| answer.hire())
        })
        .await
    };
    let mut cut = 0;
    let cutting = async {
        let mut turns = tokio::time::interval(std::time::Duration::from_millis(40));
        while cut < 100 {
            turns.tick().await;
            cut += tokio::task::block_in_place(|| server.cut());
        }
    };
    let work = async {
        let mut ids = Vec::new();
        for some in (0..160).collect::<Vec<_>>().chunks(16) {
            ids.extend(join_all(some.iter().map(|n| delivered(*n))).await);
        }
        ids
    };
    let mut work = std::pin::pin!(work);
    let ids: Vec<String> = tokio::select! {
        ids = &mut work => ids,
        () = cutting => work.await,
    };
    assert!(cut > 20, "{cut}");
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 160);
    // A permit whose commit is known to nobody is found when its lease has ended by the server's clock.
    eventually("every hire is an employee", || async {
        for house in &houses {
            house.clock.advance(SignedDuration::from_secs(70));
            // What fails now is tried again in the next round.
            let _ = house.service().transfer().resume_due().await;
        }
        let created = server.ask("cut", "SELECT count(*) FROM hirebridge.hires WHERE state = 'created'");
        (created.trim() == "160").then_some(())
    })
    .await;
    let (sim, first) = (&houses[0].sim, &houses[0]);
    assert_eq!((sim.creates(), sim.employees().len()), (160, 160));
    for id in &ids {
        assert!(state(&first.hire(id).await).starts_with("created"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_due_hire_is_given_to_one_replica() {
    let Some(server) = Postgres::start("a_due_hire_is_given_to_one_replica").await else { return };
    let url = server.database("due");
    let setup = Setup {
        ledger: Some(url.clone()),
        settle: Some("3s".into()),
        server: "wait = \"10ms\"".into(),
        ..Setup::default()
    };
    let house = House::with(Setup { ashby: "account = \"acme\"".into(), ..setup }).await;
    for n in 0..40 {
        let mut early = body(n);
        early["action"] = json!("applicationUpdate");
        early["data"].as_object_mut().expect("an object").remove("offer");
        assert_eq!(house.deliver(&early).await.state(), "received");
    }
    let later = house.clock.now() + SignedDuration::from_secs(4);
    server.ask("due", "UPDATE hirebridge.hires SET claimed_by = NULL, claimed_until = NULL");
    let replicas = join_all((0..4).map(|_| open(&url))).await;
    let taken = join_all(replicas.iter().map(|replica| replica.due(later, 100, 0))).await;
    let taken: Vec<Vec<HireId>> = taken.into_iter().map(|ids| ids.expect("read")).collect();
    let all: BTreeSet<HireId> = taken.iter().flatten().copied().collect();
    assert_eq!((all.len(), taken.iter().map(Vec::len).sum::<usize>()), (40, 40), "each is taken once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hire_whose_replica_is_gone_in_mid_send_is_looked_up_by_another() {
    let test = "a_hire_whose_replica_is_gone_in_mid_send_is_looked_up_by_another";
    let Some(server) = Postgres::start(test).await else { return };
    let url = server.database("gone");
    let setup = Setup { ledger: Some(url), ..Setup::default() };
    let house = House::with(setup).await;
    let id = house.deliver(&body(1)).await.hire();
    house.hire(&id).await;
    let transfer = house.service().transfer();
    let sending = "UPDATE hirebridge.hires SET state = 'sending', next_at = NULL, owner = gen_random_uuid(), version = version + 1, lease_until = clock_timestamp()";
    server.ask("gone", &format!("{sending} + interval '1 minute'"));
    transfer.recover().await.expect("the ledger works");
    assert_eq!(state(&house.hire(&id).await), "sending", "its lease has not ended");
    server.ask("gone", sending);
    transfer.recover().await.expect("the ledger works");
    assert_eq!(state(&house.hire(&id).await), "unknown");
    house.pass(SignedDuration::from_mins(2)).await;
    assert_eq!(state(&house.hire(&id).await), "created(adopted)");
    assert_eq!(house.sim.creates(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_answer_is_lost_is_found_out_and_not_done_twice() {
    let test = "a_write_whose_answer_is_lost_is_found_out_and_not_done_twice";
    let Some(server) = Postgres::start(test).await else { return };
    let mut incomplete = body(2);
    incomplete["data"]["application"]["candidate"]
        .as_object_mut()
        .expect("an object")
        .remove("primaryEmailAddress");
    // The permit's commit; the statement that stores a hire; the one that saves a step of it.
    for (database, words, later, body, ends, steps) in [
        ("permitted", "COMMIT", 0, body(1), "created", 6),
        ("accepted", "INSERT INTO hires", 1, body(1), "created", 6),
        ("saved", "UPDATE hires SET state", 1, incomplete, "held(missing)", 2),
    ] {
        let wire = Wire::to(server.folder());
        let url = server.database(database);
        let direct = server.folder().display().to_string();
        let url = url.replace(&direct, &wire.folder().display().to_string());
        let house = House::with(Setup { ledger: Some(url), ..Setup::default() }).await;
        wire.lose(words, later);
        let answer = house.deliver(&body).await;
        assert!(wire.has_lost(), "{words}");
        assert_eq!(
            (answer.state().as_str(), answer.json()["duplicate"].clone()),
            (ends, json!(false)),
            "{words}"
        );
        assert_eq!(
            house.hire(&answer.hire()).await["history"].as_array().map_or(0, Vec::len),
            steps,
            "{words}: each step once"
        );
        let deliveries = server.ask(database, "SELECT count(*) FROM hirebridge.deliveries");
        assert_eq!(deliveries.trim(), "1", "{words}");
        assert_eq!(house.sim.creates(), usize::from(ends == "created"), "{words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_whose_answer_is_lost_is_known_to_be_ones_own() {
    let Some(server) = Postgres::start("a_save_whose_answer_is_lost_is_known_to_be_ones_own").await else {
        return;
    };
    let wire = Wire::to(server.folder());
    let (direct, through) = (server.folder().display().to_string(), wire.folder().display().to_string());
    let ledger = open(&server.database("saved").replace(&direct, &through)).await;
    let id = HireId(uuid::Uuid::now_v7());
    let key = HireKey { kind: "ashby".into(), account: "acme".into(), application: "a\0b".into() };
    let hire = Hire::received(id, "ashby", key.clone(), Facts::new(), start_of_test());
    let delivery = Delivery {
        source: "ashby".into(),
        at: start_of_test(),
        event: "candidateHire".into(),
        delivery_id: Some("with a \0".into()),
        secret: None,
        body: Vec::new().into(),
    };
    let Ok(Accepted::New(mut hire)) = ledger.accept(hire, delivery).await else { panic!("it is new") };
    hire.apply(&Event::Planned(None), &Actor::System, start_of_test()).expect("the step is allowed");
    wire.lose("UPDATE hires SET state", 1);
    ledger.save(&mut hire).await.expect("it was saved");
    assert!(wire.has_lost());
    assert_eq!(ledger.history(id).await.expect("read").len(), 2);
    ledger.save(&mut hire).await.expect("it knows its version");
    assert_eq!(ledger.find(&key).await.expect("read").map(|hire| hire.id), Some(id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permit_that_was_not_committed_sends_nothing() {
    let Some(server) = Postgres::start("a_permit_that_was_not_committed_sends_nothing").await else { return };
    let setup = Setup {
        ledger: Some(server.database("refused")),
        server: "wait = \"1s\"".into(),
        ..Setup::default()
    };
    let house = House::with(setup).await;
    // The backend is killed while it commits the permit.
    server.ask(
        "refused",
        "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS \
           'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'; \
         CREATE CONSTRAINT TRIGGER die AFTER INSERT ON hirebridge.permits \
           DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()",
    );
    let answer = house.deliver(&body(1)).await;
    assert_eq!((answer.state().as_str(), house.sim.creates()), ("received", 0));
    server.ask("refused", "DROP TRIGGER die ON hirebridge.permits");
    house.pass(SignedDuration::from_secs(1)).await;
    assert_eq!((state(&house.hire(&answer.hire()).await).as_str(), house.sim.creates()), ("created", 1));
}
