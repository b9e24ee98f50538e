//! Files lie in the ledger until they are sent: sealed, for whichever replica sends them, and no longer.

use hirebridge::ledger::Ledger;
use hirebridge::sim::{Behaviour, Fault, Operation};
use jiff::SignedDuration;
use serde_json::json;

use crate::documents::{delivered, states};
use crate::support::ashby::hire;
use crate::support::files::{Files, handle, pdf};
use crate::support::postgres::{Postgres, open};
use crate::support::{House, Setup};

/// How many chunks are in the house's spool.
fn chunks(house: &House) -> u32 {
    let db = rusqlite::Connection::open(house.folder.path().join("ledger.db")).expect("it is there");
    db.query_row("SELECT count(*) FROM spool", [], |row| row.get(0)).expect("a number")
}

/// Whether these bytes stand anywhere in the ledger's files.
fn is_readable(house: &House, secret: &str) -> bool {
    let files = std::fs::read_dir(house.folder.path()).expect("a folder");
    let files = files.map(|file| file.expect("a file").path());
    let mut ledger = files.filter(|path| path.to_string_lossy().contains("ledger.db"));
    ledger.any(|path| {
        let bytes = std::fs::read(path).unwrap_or_default();
        bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
    })
}

#[tokio::test]
async fn nothing_of_a_file_can_be_read_in_the_ledger_and_nothing_stays_once_it_is_sent() {
    let files = Files::none().await;
    let content = "KANARIE-IM-LEBENSLAUF ".repeat(30_000);
    files.resume("f-1", "KANARIE-IM-NAMEN.pdf", pdf(&content, 700_000));
    let mut house = files.house_with_review().await;
    let id = delivered(&house).await;
    let held = house.hire(&id).await;
    assert_eq!((states(&held), chunks(&house)), (vec!["resume pending".into()], 3));
    for secret in ["KANARIE-IM-LEBENSLAUF", "KANARIE-IM-NAMEN", "handle-f-1", "%PDF-1.7"] {
        assert!(!is_readable(&house, secret), "{secret}");
    }
    let approval = json!({"plan_hash": held["plan"]["hash"]});
    assert_eq!(house.post(&format!("/v1/hires/{id}/send"), &approval).await.status, 200);
    house.pass(SignedDuration::ZERO).await;
    assert_eq!((states(&house.hire(&id).await), chunks(&house)), (vec!["resume sent".into()], 0));
    assert!(house.sim.documents()[0].content.starts_with(b"%PDF-1.7\nKANARIE"));
    house.close().await;
    for secret in ["KANARIE-IM-LEBENSLAUF", "KANARIE-IM-NAMEN", "handle-f-1"] {
        assert!(!is_readable(&house, secret), "{secret}");
    }
}

#[tokio::test]
async fn what_was_taken_in_vain_does_not_stay() {
    let files = Files::none().await;
    files.resume("f-1", "Lebenslauf.pdf", pdf("cv", 31 << 20));
    files.other("f-2", "Kopie.pdf", pdf("copy", 1000));
    files.other("f-3", "Kopie der Kopie.pdf", pdf("copy", 1000));
    let house = files.house().await;
    let id = delivered(&house).await;
    let told = ["resume failed(too_large)", "other sent", "other same"];
    assert_eq!((states(&house.hire(&id).await), chunks(&house)), (told.map(str::to_owned).to_vec(), 0));
}

#[tokio::test]
async fn a_file_whose_chunks_were_exchanged_is_not_sent() {
    let files = Files::none().await;
    files.resume("f-1", "Lebenslauf.pdf", pdf("cv", 700_000));
    let mut house = files.house_with_review().await;
    let id = delivered(&house).await;
    house.close().await;
    let db = rusqlite::Connection::open(house.folder.path().join("ledger.db")).expect("it is there");
    let exchange = "UPDATE spool SET chunk = (SELECT chunk FROM spool WHERE n = 1) WHERE n = 0";
    assert_eq!(db.execute(exchange, []).expect("writable"), 1);
    drop(db);
    house.open().await;
    let approval = json!({"plan_hash": house.hire(&id).await["plan"]["hash"]});
    assert_eq!(house.post(&format!("/v1/hires/{id}/send"), &approval).await.status, 200);
    house.pass(SignedDuration::ZERO).await;
    assert_eq!(states(&house.hire(&id).await), ["resume unknown"]);
    assert!(house.sim.documents().is_empty());
}

#[tokio::test]
async fn documents_that_are_due_are_given_to_one_replica() {
    let Some(server) = Postgres::start("documents_that_are_due").await else { return };
    let url = server.database("due");
    let files = Files::none().await;
    files.resume("f-1", "Lebenslauf.pdf", pdf("cv", 1000));
    files.fail();
    let house = House::with(Setup { ledger: Some(url.clone()), ..files.setup() }).await;
    let id = delivered(&house).await;
    assert_eq!(states(&house.hire(&id).await), ["resume pending"]);
    let later = house.clock.now() + SignedDuration::from_hours(1);
    server.ask("due", "UPDATE hirebridge.documents SET claimed_by = NULL, claimed_until = NULL");
    let mut given = Vec::new();
    for _ in 0..3 {
        let replica = open(&url).await;
        given.push(replica.shelf().due(later, 10).await.expect("read").len());
    }
    assert_eq!(given, [1, 0, 0]);
}

#[tokio::test]
async fn two_replicas_that_work_on_one_hire_send_each_document_once() {
    let Some(server) = Postgres::start("two_replicas_that_work_on_one_hire").await else { return };
    let files = Files::none().await;
    files.resume("f-1", "Lebenslauf.pdf", pdf("cv", 300_000));
    let mut body = hire();
    let handles: Vec<_> = (2..6).map(|n| handle(&format!("f-{n}"), &format!("{n} signed.pdf"))).collect();
    for n in 2..6 {
        files.holds(&format!("f-{n}"), pdf(&format!("contract {n}"), 300_000));
    }
    body["data"]["offer"]["latestVersion"]["fileHandles"] = handles.into();
    let setup = Setup { ledger: Some(server.database("papers")), ..files.setup() };
    let first = House::with(setup.clone()).await;
    let second = House::beside(&first, setup).await;
    first.sim.misbehave(Fault::once(Operation::UploadDocument, Behaviour::Wait));
    let id = first.deliver(&body).await.hire();
    first.sim.arrival(Operation::UploadDocument, 1).await;
    let readable = "SELECT count(*) FROM hirebridge.spool WHERE position('%PDF-1.7'::bytea IN chunk) > 0";
    assert_eq!(server.ask("papers", readable).trim(), "0");
    assert_ne!(server.ask("papers", "SELECT count(*) FROM hirebridge.spool").trim(), "0");
    // The other one is told of the same files while the first is on the wire with one of them.
    assert_eq!(second.deliver(&body).await.hire(), id);
    second.hire(&id).await;
    second.service().transfer().resume_documents().await.expect("the ledger can be read");
    second.hire(&id).await;
    second.service().transfer().recover().await.expect("the ledger works");
    first.sim.release_answers();
    first.hire(&id).await;
    first.pass(SignedDuration::ZERO).await;
    let told = first.hire(&id).await;
    assert!(states(&told).iter().all(|state| state.ends_with(" sent")), "{told}");
    assert_eq!((first.sim.documents().len(), first.sim.calls(Operation::UploadDocument)), (5, 5));
}

#[tokio::test]
async fn what_a_replica_that_is_gone_had_on_the_wire_is_unknown_to_the_other() {
    let test = "what_a_replica_that_is_gone_had_on_the_wire";
    let Some(server) = Postgres::start(test).await else { return };
    let files = Files::none().await;
    files.resume("f-1", "Lebenslauf.pdf", pdf("cv", 1000));
    let setup = Setup { ledger: Some(server.database("gone")), ..files.setup() };
    let house = House::with(setup).await;
    let id = delivered(&house).await;
    let transfer = house.service().transfer();
    let sending = "UPDATE hirebridge.documents SET state = 'sending', next_at = NULL, owner = gen_random_uuid(), version = version + 1, lease_until = clock_timestamp()";
    for (lease, expected) in [(" + interval '1 minute'", "resume sending"), ("", "resume unknown")] {
        server.ask("gone", &format!("{sending}{lease}"));
        transfer.recover().await.expect("the ledger works");
        house.pass(SignedDuration::ZERO).await;
        assert_eq!(states(&house.hire(&id).await), [expected]);
    }
    assert_eq!(house.sim.calls(Operation::UploadDocument), 1);
}
