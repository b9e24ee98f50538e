//! softgarden's pull over HTTP: what its export gives is fetched, stored and sent, each hire once.

use std::fs;

use hirebridge::config::Config;
use hirebridge::sim::Operation;
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::export::{Export, Says, item};
use crate::support::process::eventually;
use crate::support::town::Town;
use crate::support::{ADMIN, House, Setup, configuration, is_problem, notes, state, text};

const SECRET: &str = "softgarden-secret-of-the-test";
const CREDENTIAL: &str = "credential = \"the-export-token\"";
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const SECOND: SignedDuration = SignedDuration::from_secs(1);

fn hired(id: &str, email: &str) -> Value {
    let path = format!("{}/tests/fixtures/ats/softgarden/hired.json", env!("CARGO_MANIFEST_DIR"));
    let mut hired: Value =
        serde_json::from_slice(&fs::read(path).expect("the fixture is there")).expect("JSON");
    hired["applicationId"] = id.into();
    hired["email"] = email.into();
    hired
}

fn mia() -> Value {
    hired("a-1", "mia@example.org")
}

fn section(export: &Export, source: &str, poll: &str) -> String {
    let url = &export.url;
    format!(
        "[sources.softgarden]\nkind = \"softgarden\"\n{source}\n\
         [sources.softgarden.poll]\nurl = \"{url}\"\n{poll}\n\
         [sources.softgarden.documents]\nother = \"CVs\"\nsigned_offer = \"Contracts\"\n"
    )
}

async fn house_with(export: &Export, source: &str, poll: &str) -> House {
    House::with(Setup { sections: section(export, source, poll), ..Setup::default() }).await
}

async fn house(export: &Export) -> House {
    house_with(export, &format!("secrets = [\"{SECRET}\"]"), CREDENTIAL).await
}

async fn source(house: &House) -> Value {
    let sources = house.get("/v1/sources").await.json()["sources"].take();
    let all = sources.as_array().expect("sources").iter();
    all.into_iter().find(|source| source["name"] == "softgarden").expect("it is there").clone()
}

/// The hires of this source, each once nothing more happens to it.
async fn hires(house: &House) -> Vec<Value> {
    house.pass(SECOND).await;
    let list = house.get("/v1/hires?source=softgarden").await.json()["hires"].take();
    let mut hires = Vec::new();
    for hire in list.as_array().expect("hires") {
        hires.push(house.hire(text(&hire["id"])).await);
    }
    hires
}

async fn states(house: &House) -> Vec<String> {
    let mut states: Vec<_> = hires(house).await.iter().map(state).collect();
    states.sort();
    states
}

async fn reload(house: &House, change: impl FnOnce(String) -> String) -> Value {
    let path = house.folder.path().join("hirebridge.toml");
    fs::write(&path, change(fs::read_to_string(&path).expect("readable"))).expect("writable");
    let reply = house.ask(Method::POST, "/v1/config/reload", ADMIN, None).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()["changed"].take()
}

#[tokio::test]
async fn what_is_fetched_arrives_with_its_files_and_once_also_if_it_is_pushed_too() {
    let export = Export::start(Says::Items(vec![item(&mia())])).await;
    let house = house(&export).await;
    house.service().polled(1).await;
    let hire = hires(&house).await.pop().expect("a hire");
    assert_eq!(state(&hire), "created");
    let documents: Vec<_> = hire["documents"].as_array().expect("documents").iter().map(state).collect();
    assert_eq!(documents, ["sent", "sent"]);
    house.pass(HOUR).await;
    house.service().polled(2).await;
    let pushed = house.bare(Method::POST, "/webhooks/softgarden").bearer_auth(SECRET);
    let pushed = house.send(pushed.body(mia().to_string())).await;
    assert_eq!((pushed.hire().as_str(), &pushed.json()["duplicate"]), (text(&hire["id"]), &json!(true)));
    assert_eq!((hires(&house).await.len(), house.sim.creates(), house.sim.documents().len()), (1, 1, 2));
    assert!(export.visits().iter().all(|visit| visit == "GET Bearer the-export-token"));
    let shown = source(&house).await;
    assert_eq!(shown["last_hire"]["id"], hire["id"]);
    let poll = &shown["poll"];
    assert_eq!((&poll["failures"], &poll["last_error"]), (&json!(0), &Value::Null), "{poll}");
    assert_eq!(poll["last_at"], poll["last_success_at"]);
    assert_eq!(poll["last_at"], "2026-12-01T09:00:01Z");
    let metrics = house.send(house.bare(Method::GET, "/metrics")).await.text;
    assert!(metrics.contains(r#"hirebridge_polls_total{source="softgarden",result="ok"} 2"#), "{metrics}");
}

#[tokio::test]
async fn an_item_that_cannot_be_read_is_kept_for_a_person_and_keeps_no_other_out() {
    let mut unnamed = mia();
    unnamed["applicationId"] = json!({});
    let broken = [json!({"data": "{\"applicationId\":"}), json!({"data": 7}), json!("x"), Value::Null];
    let broken: Vec<_> = broken.into_iter().chain([item(&unnamed), item(&mia())]).collect();
    let export = Export::start(Says::Items(broken)).await;
    let house = house(&export).await;
    house.service().polled(1).await;
    let expected = ["created", "held(unreadable)", "held(unreadable)", "held(unreadable)"];
    let expected = [&expected[..], &["held(unreadable)"; 2]].concat();
    assert_eq!(states(&house).await, expected);
    let noted = hires(&house).await;
    assert!(noted.iter().any(|hire| notes(hire).contains(&"not_json")), "{noted:?}");
    house.pass(HOUR).await;
    house.service().polled(2).await;
    assert_eq!(states(&house).await, expected, "each is kept once");
}

#[tokio::test]
async fn trials_and_withdrawals_mean_what_they_mean_when_they_are_pushed() {
    let with_status = |status: &str| {
        let mut body = mia();
        body["status"] = status.into();
        body["changedAt"] = "2026-12-24T08:00:00Z".into();
        item(&body)
    };
    let export = Export::start(Says::Items(vec![with_status("TEST")])).await;
    let house = house(&export).await;
    house.service().polled(1).await;
    assert_eq!(hires(&house).await.len(), 0);
    // An item without its wrapping is the same.
    export.says(Says::Once(vec![mia(), json!({"data": hired("a-2", "bo@example.org")})]));
    house.pass(HOUR).await;
    house.service().polled(2).await;
    assert_eq!(states(&house).await, ["created", "created"]);
    export.says(Says::Once(vec![with_status("WITHDRAWN")]));
    house.pass(HOUR).await;
    house.service().polled(3).await;
    let hires = hires(&house).await;
    let unhired: Vec<_> = hires.iter().filter(|hire| hire["flags"]["unhired"] == true).collect();
    assert_eq!((unhired.len(), &unhired[0]["ats_id"]), (1, &json!("a-1")));
    assert_eq!(source(&house).await["ignored"], json!({"ping": 1}));
}

#[tokio::test]
async fn what_fails_is_told_asked_for_more_seldom_and_loses_nothing() {
    let elsewhere = Export::start(Says::Items(vec![item(&mia())])).await;
    let cases = [
        (Says::Status(401), "credential_refused"),
        (Says::Status(403), "credential_refused"),
        (Says::Status(404), "unexpected_status"),
        (Says::Redirect(elsewhere.url.clone()), "unexpected_status"),
        (Says::Status(429), "throttled"),
        (Says::Status(500), "server_error"),
        (Says::Text("<html>".into()), "not_a_list"),
        (Says::Text(r#"{"data": "{}"}"#.into()), "not_a_list"),
        (Says::Endless, "too_large"),
    ];
    let export = Export::start(Says::Items(vec![])).await;
    let house = house_with(&export, "body_limit = \"256KiB\"", CREDENTIAL).await;
    house.service().polled(1).await;
    let mut told = 1;
    for (nth, (says, code)) in cases.into_iter().enumerate() {
        export.says(says);
        house.pass(HOUR).await;
        told += 1;
        house.service().polled(told).await;
        let poll = source(&house).await["poll"].take();
        assert_eq!((&poll["last_error"]["code"], &poll["failures"]), (&json!(code), &json!(nth + 1)));
        let metrics = house.send(house.bare(Method::GET, "/metrics")).await.text;
        assert!(metrics.contains(&format!("result=\"{code}\"")), "{metrics}");
    }
    assert_eq!((hires(&house).await.len(), elsewhere.visits().len()), (0, 0));
    let visits = export.visits().len();
    export.says(Says::Items(vec![item(&mia())]));
    // An hour after the last try, not five minutes.
    house.pass(SignedDuration::from_mins(58)).await;
    assert_eq!(export.visits().len(), visits);
    house.pass(SignedDuration::from_mins(2)).await;
    house.service().polled(told + 1).await;
    assert_eq!(states(&house).await, ["created"]);
    let poll = source(&house).await["poll"].take();
    assert_eq!((&poll["failures"], &poll["last_error"]["code"]), (&json!(0), &json!("too_large")));
}

#[tokio::test]
async fn an_answer_that_does_not_end_is_given_up() {
    for says in [Says::Stalls, Says::Late(vec![item(&mia())])] {
        let export = Export::start(says).await;
        let house = house(&export).await;
        export.visited(1).await;
        let told = house.service().polled(1);
        tokio::pin!(told);
        let mut moves = tokio::time::interval(std::time::Duration::from_millis(10));
        loop {
            tokio::select! {
                () = &mut told => break,
                _ = moves.tick() => house.clock.advance(10 * SECOND),
            }
        }
        assert_eq!(source(&house).await["poll"]["last_error"]["code"], "timeout");
    }
}

#[tokio::test]
async fn a_paused_source_is_not_asked_and_a_reload_takes_up_what_changed() {
    let export = Export::start(Says::Once(vec![item(&mia())])).await;
    let house = house_with(&export, "enabled = false", CREDENTIAL).await;
    house.pass(HOUR).await;
    assert_eq!((hires(&house).await.len(), export.visits().len()), (0, 0));
    let changed = reload(&house, |config| config.replace("enabled = false", "enabled = true")).await;
    assert_eq!(changed, json!(["sources.softgarden.enabled"]));
    house.service().polled(1).await;
    assert_eq!(states(&house).await, ["created"]);
    let with_a_user = "credential = \"another\"\nuser = \"acme\"\nevery = \"2h\"";
    let changed = reload(&house, |config| config.replace(CREDENTIAL, with_a_user)).await;
    let keys = ["credential", "every", "user"].map(|key| format!("sources.softgarden.poll.{key}"));
    assert_eq!(changed, json!(keys));
    house.service().polled(2).await;
    house.pass(HOUR).await;
    assert_eq!(export.visits(), ["GET Bearer the-export-token", "GET Basic YWNtZTphbm90aGVy"]);
    house.pass(HOUR).await;
    house.service().polled(3).await;
    reload(&house, |config| {
        config
            .replace(&format!("[sources.softgarden.poll]\nurl = \"{}\"\n{with_a_user}", export.url), "")
            .replace("enabled = true", "secrets = [\"softgarden-secret-of-the-test\"]")
    })
    .await;
    house.pass(24 * HOUR).await;
    assert_eq!(export.visits().len(), 3);
    assert_eq!(source(&house).await["poll"], Value::Null);
}

#[tokio::test]
async fn a_source_that_is_added_by_a_reload_is_asked() {
    let export = Export::start(Says::Once(vec![item(&mia())])).await;
    let house = House::new().await;
    let more = section(&export, "", "");
    reload(&house, |config| config.replacen("[[operators]]", &format!("{more}\n[[operators]]"), 1)).await;
    house.service().polled(1).await;
    assert_eq!(
        (states(&house).await, export.visits()),
        (vec!["created".to_owned()], vec!["GET -".to_owned()])
    );
}

#[tokio::test]
async fn what_cannot_be_stored_is_not_asked_for_and_what_was_fetched_is_kept_until_it_is_stored() {
    let export = Export::start(Says::Late(vec![item(&mia()), item(&hired("a-2", "bo@example.org"))])).await;
    let house = house(&export).await;
    export.visited(1).await;
    let ledger = rusqlite::Connection::open(house.folder.path().join("ledger.db")).expect("it is there");
    ledger.execute_batch("BEGIN IMMEDIATE").expect("nobody writes");
    export.release();
    export.says(Says::Items(vec![]));
    house.service().polled(1).await;
    let poll = source(&house).await["poll"].take();
    assert_eq!((&poll["last_error"]["code"], export.visits().len()), (&json!("not_stored"), 1));
    ledger.execute_batch("ROLLBACK").expect("it was begun");
    house.pass(5 * SECOND).await;
    house.service().polled(2).await;
    assert_eq!(states(&house).await, ["created", "created"]);
    assert_eq!(house.sim.creates(), 2);
    ledger.execute_batch("BEGIN IMMEDIATE").expect("nobody writes");
    house.clock.advance(HOUR);
    house.service().polled(3).await;
    assert_eq!(export.visits().len(), 1, "nothing is fetched that could not be stored");
    ledger.execute_batch("ROLLBACK").expect("it was begun");
}

#[tokio::test]
async fn a_service_that_is_stopped_stores_first_what_it_fetches() {
    let export = Export::start(Says::Late(vec![item(&mia())])).await;
    let mut house = house(&export).await;
    export.visited(1).await;
    export.says(Says::Items(vec![]));
    tokio::join!(house.close(), async { export.release() });
    house.open().await;
    house.service().polled(1).await;
    assert_eq!(states(&house).await, ["created"]);
    assert_eq!(house.sim.creates(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_killed_before_it_has_stored_asks_again_when_it_is_started() {
    let export = Export::start(Says::Late(vec![item(&mia())])).await;
    let town = Town::with(Setup { sections: section(&export, "", CREDENTIAL), ..Setup::default() }).await;
    let served = town.serve().await;
    export.visited(1).await;
    served.kill();
    export.says(Says::Items(vec![item(&mia())]));
    let served = town.serve().await;
    eventually("it is fetched", || async { (town.hires(&served).await.len() == 1).then_some(()) }).await;
    town.becomes(&served, "created").await;
    assert_eq!(town.sim.calls(Operation::CreateEmployee), 1);
    served.kill();
    // It is given once more to one that has it already.
    let served = town.serve().await;
    export.visited(3).await;
    town.becomes(&served, "created").await;
    assert_eq!(Town::terminate(served).await, Some(0));
    assert_eq!(town.sim.calls(Operation::CreateEmployee), 1);
}

#[tokio::test]
async fn without_a_secret_nothing_can_be_pushed() {
    let export = Export::start(Says::Items(vec![])).await;
    let house = house_with(&export, "", CREDENTIAL).await;
    for token in ["", "the-export-token", SECRET] {
        let pushed = house.bare(Method::POST, "/webhooks/softgarden").bearer_auth(token);
        is_problem(&house.send(pushed.body(mia().to_string())).await, 401, "signature");
    }
    assert_eq!(hires(&house).await.len(), 0);
}

#[tokio::test]
async fn the_check_tries_the_place_and_fetches_nothing() {
    let export = Export::start(Says::Status(500)).await;
    let house = house(&export).await;
    house.service().polled(1).await;
    export.says(Says::Once(vec![item(&mia())]));
    let finding = |check: Value| {
        let all = check["findings"].as_array().expect("findings").clone();
        all.into_iter().find(|finding| finding["about"] == "poll").expect("a finding")
    };
    let found = finding(house.get("/v1/check").await.json());
    assert_eq!(found["verdict"], "not_checkable");
    assert_eq!(export.visits()[1], "OPTIONS Bearer the-export-token");
    reload(&house, |config| config.replace(&export.url, "http://127.0.0.1:9/export")).await;
    house.service().polled(2).await;
    let found = finding(house.get("/v1/check").await.json());
    assert_eq!(found["verdict"], "warning", "{found}");
    assert_eq!(source(&house).await["poll"]["last_error"]["code"], "unreachable");
}

#[test]
fn settings_that_cannot_be_obeyed_are_named() {
    let folder = TempDir::new().expect("a folder can be made");
    let path = folder.path().join("hirebridge.toml");
    let load = |sections: &str| {
        let setup = Setup { sections: sections.into(), ..Setup::default() };
        fs::write(&path, configuration("http://127.0.0.1:9", folder.path(), &setup)).expect("writable");
        Config::load(Some(&path), std::iter::empty()).map(|_| ()).map_err(|errors| errors.to_string())
    };
    let with = |poll: &str| load(&format!("[sources.s]\nkind = \"softgarden\"\n[sources.s.poll]\n{poll}\n"));
    let url = "url = \"https://export.example.com/x\"";
    assert_eq!(with(url), Ok(()));
    let cases = [
        ("", "sources.s.poll.url"),
        ("url = \"http://export.example.com/x\"", "sources.s.poll.url"),
        ("url = \"https://mia:secret@export.example.com/x\"", "sources.s.poll.url"),
        (&format!("{url}\nevery = \"59s\""), "sources.s.poll.every"),
        (&format!("{url}\nuser = \"mia\""), "sources.s.poll.user"),
        (&format!("{url}\nuser = \"a:b\"\ncredential = \"c\""), "sources.s.poll.user"),
        (&format!("{url}\ncredential = \" \""), "sources.s.poll.credential"),
        (&format!("{url}\nsecret = \"c\""), "sources.s.poll.secret"),
    ];
    for (poll, key) in cases {
        let told = with(poll).expect_err(poll);
        assert!(told.contains(&format!("`{key}`")), "{poll}: {told}");
    }
    let other = "[sources.g]\nkind = \"greenhouse\"\nsecrets = [\"a-secret-of-sixteen\"]\n[sources.g.poll]\n";
    let told = load(&format!("{other}{url}\n")).expect_err("it sends");
    assert!(told.contains("`sources.g.poll`") && told.contains("`greenhouse` sends"), "{told}");
    let twice = |name: &str| {
        format!(
            "[sources.{name}]\nkind = \"softgarden\"\naccount = \"{name}\"\n[sources.{name}.poll]\n{url}\n"
        )
    };
    let told = load(&format!("{}{}", twice("a"), twice("b"))).expect_err("they take from one another");
    assert!(told.contains("`sources.b.poll.url`"), "{told}");
}
