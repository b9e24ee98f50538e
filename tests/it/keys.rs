//! The ledger's key is changed for another: everything stays readable, and in the end the old key opens nothing.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::{Either, select};
use hirebridge::domain::{Event, HireId};
use hirebridge::ledger::postgres::{Address, PostgresLedger};
use hirebridge::ledger::sqlite::SqliteLedger;
use hirebridge::ledger::{Filter, Ledger, LedgerKey, Owner};
use tempfile::TempDir;

use crate::ledger::{ready, save};
use crate::shelf::one_file_is_kept;
use crate::support::ADMIN;
use crate::support::ashby::candidate_hire;
use crate::support::postgres::Postgres;
use crate::support::process::{Served, eventually};
use crate::support::town::Town;

fn text_of(byte: u8) -> String {
    STANDARD.encode([byte; 32])
}

fn key(byte: u8) -> LedgerKey {
    LedgerKey::parse(&text_of(byte)).expect("a key")
}

fn both() -> LedgerKey {
    key(2).beside([key(1)])
}

/// Everything that is sealed, as it is read.
pub(crate) async fn all(ledger: &dyn Ledger) -> Vec<String> {
    let hires = ledger.list(&Filter { limit: 999, ..Filter::default() }).await.expect("read");
    let mut all = Vec::new();
    for hire in &hires {
        all.push(format!("{:?}", serde_json::to_value(&hire.record).expect("it has a JSON form")));
        for entry in ledger.history(hire.id).await.expect("read") {
            all.push(entry.cause);
        }
        for body in ledger.bodies(hire.id).await.expect("read") {
            all.push(String::from_utf8(body).expect("a text"));
        }
    }
    let ids: Vec<HireId> = hires.iter().map(|hire| hire.id).collect();
    for document in ledger.shelf().of(&ids).await.expect("read") {
        all.push(document.sheet.file.name.clone());
        if let Some(taken) = document.taken {
            let chunk = ledger.shelf().chunk(document.id, taken.fill, 0).await.expect("read");
            all.push(format!("{chunk:?}"));
        }
    }
    for translation in ledger.translations().await.expect("read") {
        all.push(serde_json::to_string(&translation).expect("it has a JSON form"));
    }
    all
}

async fn left(ledger: &dyn Ledger) -> u64 {
    ledger.sealed_with_old_keys().await.expect("read").expect("there is an old key")
}

/// The story of a key that is changed, told of a ledger that `open` opens.
async fn a_key_is_replaced<L: Ledger>(open: impl AsyncFn(LedgerKey) -> Result<L, String>) {
    let opened = async |key| open(key).await.unwrap_or_else(|error| panic!("{error}"));
    let first = opened(key(1)).await;
    assert_eq!(first.sealed_with_old_keys().await.expect("read"), None, "there is no other key");
    for n in 0..80 {
        ready(&first, &format!("key-{n}")).await;
    }
    one_file_is_kept(&first, "key-with-file").await;
    crate::always::translations_are_kept(&first).await;
    let before = all(&first).await;
    drop(first);

    assert!(open(key(2)).await.err().expect("refused").contains("made with another key"));
    let second = opened(both()).await;
    assert_eq!(all(&second).await, before, "the old key opens it");
    let at_first = left(&second).await;
    assert!(at_first > 200, "{at_first}: records, bodies, sheets, chunks");

    // Cut off after its first commit, as a stop does it.
    let done = AtomicU64::new(0);
    let (told, heard) = tokio::sync::watch::channel(());
    let tell = |n| {
        done.fetch_add(n, Ordering::Relaxed);
        told.send_replace(());
    };
    let mut heard = heard;
    match select(second.seal_anew(&tell), Box::pin(heard.changed())).await {
        Either::Left(_) => panic!("it had more to do"),
        Either::Right((changed, _)) => changed.expect("it tells"),
    }
    drop(second);
    assert!(open(key(1)).await.err().expect("refused").contains("made with another key"));
    let half = open(key(2)).await.err().expect("a part needs the old key");
    assert!(half.contains("must hold one more key"), "{half}");
    let third = opened(both()).await;
    assert_eq!(all(&third).await, before, "with either key");
    // The commit that was under way when it was cut off may have been carried out.
    let rest = left(&third).await;
    assert!(rest > 0 && rest <= at_first - done.load(Ordering::Relaxed), "what was done is done: {rest}");

    // What is changed meanwhile stays as it was changed.
    let mut changed = third.list(&Filter { limit: 20, ..Filter::default() }).await.expect("read");
    let changing = async {
        for hire in &mut changed {
            hire.record.notes.clear();
            hire.record.facts.put("candidate.first_name", "Pia");
            save(&third, hire, &[Event::FactsAdded]).await;
        }
    };
    let (sealed, ()) = tokio::join!(third.seal_anew(&|_| ()), changing);
    sealed.expect("sealed anew");
    third.seal_anew(&|_| ()).await.expect("sealed anew");
    assert_eq!(left(&third).await, 0);
    for hire in &changed {
        let stored = third.hire(hire.id).await.expect("read").expect("there");
        assert_eq!(stored.record.facts, hire.record.facts);
    }
    let after = all(&third).await;
    drop(third);

    let last = opened(key(2)).await;
    assert_eq!(all(&last).await, after, "the new key alone opens everything");
    let again = last.find(&changed[0].key).await.expect("read");
    assert_eq!(again.map(|hire| hire.id), Some(changed[0].id), "and it is recognised");
    drop(last);
    assert!(open(key(1)).await.err().expect("refused").contains("made with another key"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_a_file_is_replaced() {
    let folder = TempDir::new().expect("a folder can be made");
    let path = folder.path().join("ledger.db");
    let open = async |key| SqliteLedger::open(&path, &key, Owner::new()).map_err(|error| error.to_string());
    a_key_is_replaced(open).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_a_database_is_replaced() {
    let Some(server) = Postgres::start("the_key_of_a_database_is_replaced").await else { return };
    let address = Address::parse(&server.database("keys"), None).expect("a URL");
    let open = async |key| {
        PostgresLedger::open(&address, &key, Owner::new()).await.map_err(|error| error.to_string())
    };
    a_key_is_replaced(open).await;
}

/// What any file of the ledger has in these bytes.
fn has(folder: &Path, bytes: &[u8]) -> bool {
    let files = std::fs::read_dir(folder).expect("readable").map(|file| file.expect("an entry").path());
    files
        .map(|file| std::fs::read(file).expect("readable"))
        .any(|file| file.windows(bytes.len()).any(|part| part == bytes))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_old_key_has_sealed_is_in_no_file_any_more() {
    let folder = TempDir::new().expect("a folder can be made");
    let path = folder.path().join("ledger.db");
    let open = |key| SqliteLedger::open(&path, &key, Owner::new()).expect("it opens");
    let first = open(key(1));
    for n in 0..40 {
        ready(&first, &format!("key-{n}")).await;
    }
    drop(first);
    let sealed = |sql: &str| -> Vec<Vec<u8>> {
        let db = rusqlite::Connection::open(&path).expect("it opens");
        let mut select = db.prepare(sql).expect("a statement");
        let rows = select.query_map([], |row| row.get(0)).expect("rows");
        rows.collect::<Result<_, _>>().expect("read")
    };
    let old = [sealed("SELECT sealed FROM records"), sealed("SELECT body FROM deliveries")].concat();
    assert!(old.len() > 100 && has(folder.path(), &old[0][8..38]));

    let second = open(both());
    second.seal_anew(&|_| ()).await.expect("sealed anew");
    // The commit is answered before the log is begun anew; after the next one it surely was.
    second.probe().await.expect("it can be written");
    second.probe().await.expect("it can be written");
    for sealed in old {
        assert!(!has(folder.path(), &sealed[8..38]), "in the file, or its log");
    }
}

/// Starts it with these lines in place of the key's; it must not run.
async fn refused(town: &Town, key: &str, said: &str) {
    configure(town, key);
    let mut served = town.spawn();
    assert_eq!(served.ended().await, Some(1));
    assert!(served.log().contains(said), "{said}: {}", served.log());
}

fn configure(town: &Town, key: &str) {
    let config = std::fs::read_to_string(&town.config).expect("readable");
    let lines = config.lines().filter(|line| !line.starts_with("previous_keys = "));
    let lines = lines.map(|line| if line.starts_with("key = ") { key } else { line });
    std::fs::write(&town.config, lines.collect::<Vec<_>>().join("\n")).expect("writable");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_given_a_new_key_and_then_needs_the_old_one_no_more() {
    let mut town = Town::new().await;
    town.environment.push(("HIREBRIDGE__LOG__LEVEL", "info".into()));
    let hire = |n: usize| candidate_hire(&format!("a-{n}"), "Mia Beispiel", &format!("mia{n}@example.org"));
    let served = town.serve().await;
    for n in 0..3 {
        town.deliver(&served, &hire(n)).await.expect("an answer");
    }
    let seen = async |served: &Served| {
        let mut hires = town.hires(served).await;
        for hire in &mut hires {
            *hire = town.hire(served, hire["id"].as_str().expect("an id")).await;
        }
        hires
    };
    let before = seen(&served).await;
    assert_eq!(Town::terminate(served).await, Some(0));
    let backup = town.folder.path().join("backup.db");
    std::fs::copy(town.folder.path().join("ledger.db"), &backup).expect("it is there");

    let (old, new) = (text_of(7), text_of(9));
    refused(&town, &format!("key = \"{new}\""), "`ledger.key`").await;
    let wrong = format!("key = \"{new}\"\nprevious_keys = [\"{old}\", \"c2hvcnQ=\"]");
    refused(&town, &wrong, "`ledger.previous_keys[1]` must be 32 bytes in base64").await;
    configure(&town, &format!("key = \"{new}\"\nprevious_keys = [\"{old}\"]"));
    let served = town.serve().await;
    assert_eq!(seen(&served).await, before);
    eventually("everything is sealed anew", || async {
        served.log().contains("take `ledger.previous_keys` out").then_some(())
    })
    .await;
    let metrics =
        reqwest::Client::builder().build().expect("a client").get(format!("{}/metrics", served.url));
    let metrics = metrics.bearer_auth(ADMIN).send().await.expect("an answer").text().await.expect("a body");
    assert!(metrics.contains("hirebridge_ledger_old_key 0"), "{metrics}");
    assert_eq!(Town::terminate(served).await, Some(0));

    configure(&town, &format!("key = \"{new}\""));
    let served = town.serve().await;
    assert_eq!(seen(&served).await, before, "the new one alone");
    let again = town.deliver(&served, &hire(1)).await.expect("an answer");
    assert_eq!(again["duplicate"], true, "and it is recognised: {again}");
    assert_eq!(Town::terminate(served).await, Some(0));
    refused(&town, &format!("key = \"{old}\""), "was made with another key").await;
    let old = LedgerKey::parse(&old).expect("a key");
    assert!(SqliteLedger::open(&backup, &old, Owner::new()).is_ok(), "a backup keeps the key of its time");
}
