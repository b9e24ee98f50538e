//! People are erased: what is left of them in the ledger, in its files, and for whoever asks.

use hirebridge::domain::{
    Actor, Document, DocumentId, DocumentKind, Event, File, Hire, Outcome, Place, State,
};
use hirebridge::ledger::privacy::{Access, Erasure, Look};
use hirebridge::ledger::{Accepted, Denied, Ledger};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::ledger::{at, delivery, key, permit, ready, received, save, stored, take};
use crate::support::ashby::{candidate_hire, signature};
use crate::support::postgres::Postgres;
use crate::support::process::{hirebridge, text};
use crate::support::{ADMIN, House, Reply, SECRET, Setup, is_problem};

/// The part of every ledger's story that is about people who are erased.
pub(crate) async fn persons_are_erased(ledger: &dyn Ledger) {
    nothing_personal_is_left_and_a_repeat_is_known(ledger).await;
    what_is_on_its_way_is_erased_when_it_has_ended(ledger).await;
    an_erased_person_is_not_sent_again(ledger).await;
    what_has_ended_is_erased_in_its_time(ledger).await;
    who_looked_is_noted_once_an_hour(ledger).await;
}

async fn erase(ledger: &dyn Ledger, hire: &Hire) -> Erasure {
    let actor = Actor::Operator("ada".into());
    ledger.privacy().erase(hire.id, &actor, at(50)).await.expect("asked")
}

async fn state(ledger: &dyn Ledger, hire: &Hire) -> State {
    ledger.hire(hire.id).await.expect("read").expect("it is there").state()
}

async fn created(ledger: &dyn Ledger, application: &str) -> Hire {
    let mut hire = ready(ledger, application).await;
    assert_eq!(permit(ledger, &mut hire).await.expect("asked"), Ok(1));
    hire.employee = Some(4711);
    save(ledger, &mut hire, &[Event::Called(Outcome::Created { employee: 4711 })]).await;
    hire
}

fn file(hire: &Hire) -> Document {
    let file = File {
        id: "file".into(),
        kind: DocumentKind::Resume,
        name: "Mia.pdf".into(),
        date: None,
        place: Place::Handle("handle".into()),
    };
    Document::of(file, hire.id, DocumentId(Uuid::now_v7()), at(0))
}

async fn nothing_personal_is_left_and_a_repeat_is_known(ledger: &dyn Ledger) {
    let hire = created(ledger, "erased").await;
    let document = file(&hire);
    ledger.shelf().add(std::slice::from_ref(&document)).await.expect("added");
    let fill = Uuid::now_v7();
    ledger.shelf().keep(document.id, fill, 0, b"chunk").await.expect("kept");
    assert_eq!(ledger.privacy().of_email("erased@example.org").await.expect("read"), [hire.id]);
    assert_eq!(ledger.privacy().of_employee(4711).await.expect("read"), [hire.id]);
    assert_eq!(erase(ledger, &hire).await, Erasure::Erased);

    let left = ledger.hire(hire.id).await.expect("read").expect("that it was is known");
    assert_eq!((left.state(), left.employee, left.next_at), (State::Erased, None, None));
    assert_eq!(left.key.application, "");
    assert!(left.record == hirebridge::domain::hire::Record::default());
    assert!(ledger.bodies(hire.id).await.expect("read").is_empty());
    assert!(ledger.shelf().of(&[hire.id]).await.expect("read").is_empty());
    assert_eq!(ledger.shelf().chunk(document.id, fill, 0).await.expect("read"), None);
    assert!(ledger.privacy().of_employee(4711).await.expect("read").is_empty());
    let history = ledger.history(hire.id).await.expect("read");
    let last = history.last().expect("a history");
    assert_eq!((last.cause.as_str(), last.actor.as_str()), ("erased", "operator:ada"));
    assert_eq!(last.from.as_deref(), Some("created"));

    let repeat = ledger.accept(received("erased"), delivery("{\"again\": 1}")).await.expect("stored");
    let Accepted::Repeat(repeat) = repeat else { panic!("a second hire") };
    assert_eq!((repeat.id, repeat.state()), (hire.id, State::Erased));
    let unhired = ledger.unhire(&key("erased"), None, delivery("{\"un\": 1}")).await.expect("stored");
    assert_eq!(unhired.map(|hire| hire.id), Some(hire.id));
    assert!(ledger.bodies(hire.id).await.expect("read").is_empty(), "nothing is stored again");
    ledger.shelf().add(&[file(&hire)]).await.expect("asked");
    ledger.shelf().keep(document.id, fill, 1, b"late").await.expect("asked");
    assert!(ledger.shelf().of(&[hire.id]).await.expect("read").is_empty());
    assert_eq!(ledger.shelf().chunk(document.id, fill, 1).await.expect("read"), None);
    assert_eq!(erase(ledger, &hire).await, Erasure::Absent, "it was before");
    assert_eq!(erase(ledger, &received("never stored")).await, Erasure::Absent);
}

async fn what_is_on_its_way_is_erased_when_it_has_ended(ledger: &dyn Ledger) {
    let unknown = || Event::Called(Outcome::Unknown { what: "timeout".into() });
    let mut hire = ready(ledger, "on-its-way").await;
    assert_eq!(permit(ledger, &mut hire).await.expect("asked"), Ok(1));
    assert_eq!(erase(ledger, &hire).await, Erasure::Requested);
    save(ledger, &mut hire, &[unknown()]).await;
    assert_eq!(state(ledger, &hire).await, State::Unknown, "nobody knows yet");
    assert_eq!(erase(ledger, &hire).await, Erasure::Requested);
    save(ledger, &mut hire, &[Event::NotFound]).await;
    assert_eq!(state(ledger, &hire).await, State::Erased);
    assert!(ledger.save(&mut hire).await.is_err(), "whoever has it in hand hears of it");
    let causes: Vec<_> =
        ledger.history(hire.id).await.expect("read").into_iter().map(|entry| entry.cause).collect();
    assert_eq!(causes.iter().filter(|cause| *cause == "erase_requested").count(), 1, "{causes:?}");

    let mut unsent = ready(ledger, "unsent").await;
    assert_eq!(erase(ledger, &unsent).await, Erasure::Erased);
    assert!(permit(ledger, &mut unsent).await.is_err(), "it is never sent");
}

async fn an_erased_person_is_not_sent_again(ledger: &dyn Ledger) {
    let sent = created(ledger, "sent-and-erased").await;
    let mut linked = ready(ledger, "linked-and-erased").await;
    save(ledger, &mut linked, &[Event::SamePerson, Event::Linked]).await;
    for (first, address) in [(sent, "sent-and-erased@example.org"), (linked, "linked-and-erased@example.org")]
    {
        assert_eq!(erase(ledger, &first).await, Erasure::Erased);
        let mut again = received(&format!("again-{address}"));
        again.record.facts.put("candidate.email", address);
        let mut again = stored(ledger, again).await;
        save(ledger, &mut again, &[Event::Planned(None)]).await;
        let denied = permit(ledger, &mut again).await.expect("asked");
        assert_eq!(denied, Err(Denied::SamePerson(first.id)), "{address}");
    }
}

async fn what_has_ended_is_erased_in_its_time(ledger: &dyn Ledger) {
    let old = at(1_000_000);
    let ended = ledger.privacy().erase_ended(at(1), at(60), 1_000).await.expect("asked");
    assert!(ended.is_empty(), "nothing is so old yet: {ended:?}");
    let created = created(ledger, "old-created").await;
    let mut flagged = ready(ledger, "old-flagged").await;
    flagged.flags.double = true;
    save(ledger, &mut flagged, &[Event::Unhired]).await;
    let mut held = ready(ledger, "old-held").await;
    save(ledger, &mut held, &[Event::SamePerson]).await;
    let mut dismissed = ready(ledger, "old-dismissed").await;
    take(&mut dismissed, &Event::SamePerson);
    dismissed.flags.dismissed = true;
    ledger.save(&mut dismissed).await.expect("saved");
    let waiting = ready(ledger, "old-waiting").await;
    let mut erased = Vec::new();
    loop {
        let some = ledger.privacy().erase_ended(old, at(60), 3).await.expect("asked");
        assert!(some.len() <= 3);
        if some.is_empty() {
            break;
        }
        erased.extend(some);
    }
    let is_erased = |hire: &Hire| erased.contains(&hire.id);
    assert!(is_erased(&created) && is_erased(&dismissed));
    assert!(!is_erased(&flagged) && !is_erased(&held), "a person is needed");
    assert!(!is_erased(&waiting), "it has not ended");
    assert_eq!(state(ledger, &created).await, State::Erased);
}

async fn who_looked_is_noted_once_an_hour(ledger: &dyn Ledger) {
    let hire = ready(ledger, "looked-at").await;
    let hour = |hours: i64| at(0) + SignedDuration::from_hours(hours);
    let looked = async |operator: &str, look, now| {
        ledger.privacy().looked(hire.id, operator, look, now).await.expect("noted");
    };
    for _ in 0..3 {
        looked("ada", Look::Opened, hour(5)).await;
    }
    looked("ada", Look::Exported, hour(5)).await;
    looked("bob", Look::Opened, hour(7)).await;
    let accesses = async || ledger.privacy().accesses(hire.id).await.expect("read");
    let told: Vec<_> = accesses()
        .await
        .into_iter()
        .map(|Access { operator, what, hour }| format!("{operator} {what} {}", hour.as_second() % 3600))
        .collect();
    assert_eq!(told, ["ada exported 0", "ada opened 0", "bob opened 0"], "the earlier hour first");
    ledger.privacy().forget_accesses(hour(7)).await.expect("forgotten");
    assert_eq!(accesses().await.len(), 1);
}

const FIRST_NAME: &str = "Wilhelmine";
const EMAIL: &str = "wilhelmine.erased@example.org";

fn body(application: &str) -> Value {
    candidate_hire(application, &format!("{FIRST_NAME} Beispiel"), EMAIL)
}

/// With an id of its own, as an ATS sends one that says so.
async fn deliver(house: &House, application: &str) -> Reply {
    let body = body(application).to_string();
    let request = house.bare(Method::POST, "/webhooks/ashby");
    let request = request.header("Ashby-Signature", signature(SECRET, body.as_bytes()));
    house.send(request.body(body)).await
}

async fn erase_person(house: &House, who: &Value) -> Value {
    let answer = house.ask(Method::POST, "/v1/people/erase", ADMIN, Some(who)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

/// The files under a folder in which any of these is found.
fn files_with(folder: &std::path::Path, needles: &[&[u8]]) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("readable").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            // A server may remove a file meanwhile.
            let bytes = std::fs::read(&path).unwrap_or_default();
            let has = |needle: &&[u8]| memchr(&bytes, needle);
            if needles.iter().any(has) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

fn memchr(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

/// What is sealed of a hire, as the file has it.
fn sealed(folder: &std::path::Path) -> Vec<Vec<u8>> {
    let db = rusqlite::Connection::open(folder.join("ledger.db")).expect("it opens");
    let mut all = Vec::new();
    for sql in ["SELECT sealed FROM records", "SELECT body FROM deliveries WHERE body IS NOT NULL"] {
        let mut select = db.prepare(sql).expect("SQL");
        let rows = select.query_map([], |row| row.get::<_, Vec<u8>>(0)).expect("rows");
        all.extend(rows.map(|row| row.expect("a row")));
    }
    all
}

#[tokio::test]
async fn no_byte_of_an_erased_person_is_left_in_sqlites_files() {
    let mut house = House::new().await;
    let reply = deliver(&house, "ats-id-of-wilhelmine").await;
    let id = reply.hire();
    assert_eq!(reply.state(), "created");
    house.hire(&id).await;
    let sealed = sealed(house.folder.path());
    assert!(sealed.len() >= 3, "facts, rest and body");
    let chunks: Vec<_> = sealed.iter().map(|sealed| &sealed[sealed.len() / 2..][..16]).collect();
    assert!(!files_with(house.folder.path(), &chunks).is_empty(), "the search finds what is there");
    let known: [&[u8]; 3] = [b"ats-id-of-wilhelmine", FIRST_NAME.as_bytes(), EMAIL.as_bytes()];
    assert!(!files_with(house.folder.path(), &known).is_empty());

    let gone = house.ask(Method::DELETE, &format!("/v1/hires/{id}/person"), ADMIN, None).await;
    assert_eq!(gone.status, 204, "{}", gone.text);
    for _ in 0..2 {
        for needles in [&chunks[..], &known[..]] {
            assert_eq!(files_with(house.folder.path(), needles), Vec::<String>::new());
        }
        let again = deliver(&house, "ats-id-of-wilhelmine").await;
        assert_eq!((again.status.as_u16(), again.hire()), (200, id.clone()));
        assert_eq!((again.state().as_str(), &again.json()["duplicate"]), ("erased", &json!(true)));
    }
    house.close().await;
    for needles in [&chunks[..], &known[..]] {
        assert_eq!(files_with(house.folder.path(), needles), Vec::<String>::new());
    }
    house.open().await;
    let other = deliver(&house, "another-application").await;
    assert_eq!(other.state(), "held(second_hire)", "the same person is known by a hash");
    assert_eq!(house.sim.creates(), 1);
    let shown = house.hire(&id).await;
    assert_eq!(
        (&shown["ats_id"], &shown["plan"], &shown["employee"]),
        (&json!(""), &json!(null), &json!(null))
    );
    let gone = house.ask(Method::DELETE, &format!("/v1/hires/{id}/person"), ADMIN, None).await;
    is_problem(&gone, 404, "hire_not_found");
}

#[tokio::test]
async fn no_plaintext_of_a_person_is_in_any_file_of_postgresql() {
    let Some(server) = Postgres::start("no_plaintext_of_a_person_is_in_any_file_of_postgresql").await else {
        return;
    };
    let house = House::with(Setup { ledger: Some(server.database("erase")), ..Setup::default() }).await;
    let id = deliver(&house, "a-1").await.hire();
    house.hire(&id).await;
    let gone = house.ask(Method::DELETE, &format!("/v1/hires/{id}/person"), ADMIN, None).await;
    assert_eq!(gone.status, 204, "{}", gone.text);
    let again = deliver(&house, "a-1").await;
    assert_eq!((again.hire(), again.state().as_str()), (id, "erased"));
    server.ask("erase", "CHECKPOINT");
    let known: [&[u8]; 2] = [FIRST_NAME.as_bytes(), EMAIL.as_bytes()];
    assert_eq!(files_with(server.folder(), &known), Vec::<String>::new());
    let left = server.ask(
        "erase",
        "SELECT count(*) FROM hirebridge.hires WHERE application <> '' OR length(facts) > 0 OR length(rest) > 0",
    );
    assert_eq!(left.trim(), "0");
    let bodies = server.ask("erase", "SELECT count(*) FROM hirebridge.deliveries WHERE body IS NOT NULL");
    assert_eq!(bodies.trim(), "0");
}

#[tokio::test]
async fn a_person_is_found_by_each_of_four_ways() {
    let house = House::new().await;
    let id = deliver(&house, "a-1").await.hire();
    let employee = house.hire(&id).await["employee"]["id"].clone();
    for who in [
        json!({"hire": id}),
        json!({"ats_id": "a-1", "source": "ashby"}),
        json!({"email": " Wilhelmine.Erased+jobs@Example.org"}),
        json!({"employee": employee}),
    ] {
        let mut who = who;
        who["dry_run"] = json!(true);
        let answer = erase_person(&house, &who).await;
        assert_eq!(answer["found"], json!([{"id": id, "state": "created"}]), "{who}");
        assert_eq!((&answer["hires"], &answer["pending"]), (&json!([]), &json!([])), "nothing is done");
    }
    for who in
        [json!({}), json!({"hire": id, "employee": 1}), json!({"ats_id": "a-1"}), json!({"source": "x"})]
    {
        let answer = house.ask(Method::POST, "/v1/people/erase", ADMIN, Some(&who)).await;
        is_problem(&answer, 422, "invalid");
    }
    let answer = erase_person(&house, &json!({"email": EMAIL})).await;
    assert_eq!(answer["hires"], json!([id]));
    let answer = erase_person(&house, &json!({"email": EMAIL})).await;
    assert_eq!(answer["found"], json!([]), "it is nobody's any more");
}

#[tokio::test]
async fn whoever_opens_a_hire_is_noted() {
    let house = House::new().await;
    let id = deliver(&house, "a-1").await.hire();
    house.hire(&id).await;
    house.hire(&id).await;
    let accesses = house.get(&format!("/v1/hires/{id}/accesses")).await.json();
    let expected = json!([{"operator": "ada", "what": "opened", "hour": "2026-12-01T08:00:00Z"}]);
    assert_eq!(accesses["accesses"], expected);
    house.pass(SignedDuration::from_hours(8761)).await;
    let accesses = house.get(&format!("/v1/hires/{id}/accesses")).await.json();
    assert_eq!(accesses["accesses"], json!([]), "kept for their time");
}

#[tokio::test]
async fn what_has_ended_is_erased_after_its_time_and_what_needs_a_person_is_kept() {
    let setup = Setup { sections: "[retention]\npeople = \"720h\"\n".into(), ..Setup::default() };
    let house = House::with(setup).await;
    let ended = deliver(&house, "a-1").await.hire();
    let held = deliver(&house, "a-2").await;
    assert_eq!(held.state(), "held(second_hire)");
    house.pass(SignedDuration::from_hours(719)).await;
    assert_eq!(house.hire(&ended).await["state"], "created");
    // The audit, a day after the creation, was its last change.
    house.pass(SignedDuration::from_hours(26)).await;
    assert_eq!(house.hire(&ended).await["state"], "erased");
    assert_eq!(house.hire(&held.hire()).await["state"], "held");
    let list = house.get("/v1/hires").await.json();
    assert_eq!(list["hires"].as_array().map(Vec::len), Some(1), "it is listed no more");
}

#[tokio::test]
async fn of_a_created_hire_only_what_the_plan_used_is_kept() {
    let mapping = "[mapping.fields]\nposition = { template = \"{{ job.title }} {{ candidate.city }}\" }\n";
    let house = House::with(Setup { sections: mapping.into(), ..Setup::default() }).await;
    let typed = json!({
        "candidate": {"email": EMAIL, "first_name": FIRST_NAME, "last_name": "Beispiel", "phone": "+49 30 1",
            "city": "Bonn", "street": "Weg 1"},
        "job": {"title": "Cook", "tags": ["x"]},
        "offer": {"start_date": "2027-02-01", "salary_amount": 1},
        "custom": {"Referrer": "somebody"},
    });
    let request = house.bare(Method::POST, "/v1/hires").bearer_auth(ADMIN).header("Idempotency-Key", "k-1");
    let entered = house.send(request.json(&typed)).await.json();
    let id = entered["id"].as_str().expect("an id").to_owned();
    assert_eq!(entered["facts"]["offer"]["salary_amount"], 1, "{entered}");
    let plan = json!({"plan_hash": entered["plan"]["hash"]});
    let sent = house.ask(Method::POST, &format!("/v1/hires/{id}/send"), ADMIN, Some(&plan)).await;
    assert_eq!(sent.state(), "created", "{}", sent.text);
    let request = house.bare(Method::POST, "/v1/hires").bearer_auth(ADMIN).header("Idempotency-Key", "k-1");
    let again = house.send(request.json(&typed)).await;
    assert_eq!((again.status.as_u16(), &again.json()["id"]), (200, &json!(id)), "it is the same hire");
    let facts = house.hire(&id).await["facts"].clone();
    let kept = json!({
        "candidate": {"email": EMAIL, "first_name": FIRST_NAME, "last_name": "Beispiel", "city": "Bonn"},
        "job": {"title": "Cook"},
        "offer": {"start_date": "2027-02-01"},
    });
    assert_eq!(facts, kept);
}

/// The command, against this house.
async fn command(house: &House, arguments: &[&str]) -> (Option<i32>, String) {
    let token = house.folder.path().join("admin.token");
    std::fs::write(&token, ADMIN).expect("writable");
    let mut command = hirebridge(house.folder.path());
    command.args(arguments).arg("--token-file").arg(token).env("HIREBRIDGE_URL", house.url(""));
    let output =
        tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.expect("it ends");
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

#[tokio::test]
async fn all_that_is_stored_is_exported_and_the_commands_erase_only_when_told() {
    let house = House::new().await;
    let id = deliver(&house, "a-1").await.hire();
    house.hire(&id).await;
    let (code, said) = command(&house, &["export", "--email", EMAIL, "--out", "person.json"]).await;
    assert_eq!((code, said.as_str()), (Some(0), ""));
    let exported = std::fs::read_to_string(house.folder.path().join("person.json")).expect("written");
    let exported: Value = serde_json::from_str(&exported).expect("JSON");
    let one = &exported["hires"][0];
    assert_eq!(one["hire"]["id"], id);
    assert_eq!(one["record"]["facts"]["candidate.email"], EMAIL);
    assert!(one["deliveries"][0]["body"].as_str().expect("a body").contains(FIRST_NAME));
    assert!(one["accesses"].to_string().contains("exported"), "{}", one["accesses"]);
    assert!(one["hire"]["history"].as_array().is_some_and(|history| history.len() > 2));

    let (code, said) = command(&house, &["erase", "--employee", "999999"]).await;
    assert_eq!((code, said.as_str()), (Some(0), "No hire of this person is stored.\n"));
    let (code, said) = command(&house, &["erase", "--email", EMAIL]).await;
    assert!(code == Some(0) && said.starts_with(&format!("{id} created\n")), "{said}");
    assert!(!said.contains(FIRST_NAME) && !said.contains(EMAIL), "ids and states alone: {said}");
    assert_eq!(house.hire(&id).await["state"], "created", "nothing is done without --yes");
    let (code, said) = command(&house, &["erase", "--ats-id", "a-1", "--source", "ashby", "--yes"]).await;
    assert!(code == Some(0) && said.contains("created: erased"), "{said}");
    assert_eq!(house.hire(&id).await["state"], "erased");
    let (code, _) = command(&house, &["erase", "--email", EMAIL, "--employee", "1"]).await;
    assert_eq!(code, Some(2), "one way to say who is meant");
}
