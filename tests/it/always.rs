//! "Always": a correction that holds from now on, once an admin has confirmed it.

use hirebridge::domain::{HireId, Said, Translation};
use hirebridge::ledger::Ledger;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::ashby::{candidate_hire, with_field};
use crate::support::postgres::Postgres;
use crate::support::{ADMIN, House, Reply, SENDER, Setup, VIEWER, is_problem, notes, start_of_test, state};

/// Departments come from a custom field, and each hire is looked at first.
fn setup() -> Setup {
    let sections = "[mapping.fields]\n\
        department = { from = \"custom.Team\", values = { \"HR\" = \"People\" }, required = true }\n";
    Setup { ashby: "review = true".into(), sections: sections.into(), ..Setup::default() }
}

/// The hire of somebody in this team.
fn of_team(application: &str, team: &str) -> Value {
    let email = format!("{application}@example.org");
    with_field(candidate_hire(application, "Mia Beispiel", &email), "Team", team)
}

/// Delivers it; its id.
async fn deliver(house: &House, application: &str, team: &str) -> String {
    let answer = house.deliver(&of_team(application, team)).await;
    assert_eq!(answer.state(), "held(review)");
    answer.hire()
}

async fn plan(house: &House, id: &str, corrections: Value) -> Value {
    let reply = house.post(&format!("/v1/hires/{id}/preview"), &json!({"corrections": corrections})).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()["plan"].clone()
}

/// Sends a hire with corrections, of which some are always to hold.
async fn send(house: &House, id: &str, corrections: Value, always: Value) -> Reply {
    let hash = plan(house, id, corrections.clone()).await["hash"].clone();
    let body = json!({"plan_hash": hash, "corrections": corrections, "always": always});
    house.post(&format!("/v1/hires/{id}/send"), &body).await
}

async fn values(house: &House) -> Vec<Value> {
    house.get("/v1/values").await.json()["values"].as_array().expect("values").clone()
}

/// Sends a hire of the team `Eng` as one of `Engineering`, always; the id of the proposal.
async fn propose(house: &House, application: &str, department: &str) -> String {
    let id = deliver(house, application, "Eng").await;
    let sent = send(house, &id, json!({"department": department}), json!(["department"])).await;
    assert_eq!((sent.status.as_u16(), sent.state().as_str()), (200, "created"), "{}", sent.text);
    let all = values(house).await;
    let proposed = all.iter().find(|one| one["hire"] == *id).expect("it is proposed");
    proposed["id"].as_str().expect("an id").to_owned()
}

async fn confirm(house: &House, value: &str) -> Reply {
    house.ask(Method::POST, &format!("/v1/values/{value}/confirm"), ADMIN, None).await
}

async fn revoke(house: &House, value: &str) -> Reply {
    house.ask(Method::DELETE, &format!("/v1/values/{value}"), ADMIN, None).await
}

/// The department of a hire's plan of now, and what it says of values that always hold.
async fn department(house: &House, id: &str) -> (Value, Vec<String>) {
    let plan = plan(house, id, json!({})).await;
    let always = notes(&plan).into_iter().filter(|note| note.starts_with("always"));
    let notes = always.map(str::to_owned).collect();
    (plan["employee"]["department"].clone(), notes)
}

#[tokio::test]
async fn a_correction_holds_for_later_hires_once_an_admin_has_confirmed_it_and_until_it_is_revoked() {
    let house = House::with(setup()).await;
    let value = propose(&house, "a-1", "Engineering").await;
    let expected = json!({
        "id": value, "state": "proposed", "source": "ashby", "attribute": "department", "from": "Eng",
        "to": "Engineering", "hire": values(&house).await[0]["hire"], "confirmed": null,
        "proposed": {"by": "mia", "at": "2026-12-01T08:00:00Z"},
    });
    assert_eq!(values(&house).await, [expected]);
    let history =
        house.hire(values(&house).await[0]["hire"].as_str().expect("an id")).await["history"].clone();
    assert!(history.to_string().contains("always_proposed:department"), "{history}");

    // Proposed it is nothing, and only an admin makes it more.
    let second = deliver(&house, "a-2", "Eng").await;
    let before = plan(&house, &second, json!({})).await;
    assert_eq!(before["employee"]["department"], "Eng");
    for token in [VIEWER, SENDER] {
        let path = format!("/v1/values/{value}/confirm");
        is_problem(&house.ask(Method::POST, &path, token, None).await, 403, "forbidden");
        is_problem(&house.ask(Method::DELETE, &path[..path.len() - 8], token, None).await, 403, "forbidden");
    }
    assert_eq!(department(&house, &second).await.0, "Eng");

    let confirmed = confirm(&house, &value).await.json();
    assert_eq!((&confirmed["state"], &confirmed["confirmed"]["by"]), (&json!("confirmed"), &json!("ada")));
    let (always, noted) = department(&house, &second).await;
    assert_eq!((always, noted), (json!("Engineering"), vec!["always:department".to_owned()]));
    // What was looked at before is not sent now: the difference is shown.
    let late = house.post(&format!("/v1/hires/{second}/send"), &json!({"plan_hash": before["hash"]})).await;
    is_problem(&late, 409, "plan_changed");
    let difference = json!([{"field": "department", "yours": "Eng", "now": "Engineering"}]);
    assert_eq!(late.json()["difference"], difference);
    assert_eq!(send(&house, &second, json!({}), json!([])).await.state(), "created");
    assert_eq!(house.sim.employees().len(), 2);

    // Another value, a delivery's preview, a hire typed by hand for the source or for none.
    let other = deliver(&house, "a-3", "HR").await;
    assert_eq!(department(&house, &other).await, (json!("People"), vec![]));
    let typed = json!({"candidate": {"email": "x@example.org"}, "custom": {"Team": "Eng"}});
    for (source, more, expected) in [
        ("ashby", json!({"payload": of_team("a-4", "Eng")}), "Engineering"),
        ("ashby", typed.clone(), "Engineering"),
        ("", typed, "Eng"),
    ] {
        let mut body = more;
        if !source.is_empty() {
            body["source"] = source.into();
        }
        let plan = house.post("/v1/hires/preview", &body).await.json()["plan"].clone();
        assert_eq!(plan["employee"]["department"], expected, "{body}");
    }

    assert_eq!(revoke(&house, &value).await.status, 204);
    is_problem(&revoke(&house, &value).await, 404, "value_not_found");
    is_problem(&confirm(&house, &value).await, 404, "value_not_found");
    let third = deliver(&house, "a-5", "Eng").await;
    assert_eq!(department(&house, &third).await, (json!("Eng"), vec![]));
    assert_eq!(values(&house).await, Vec::<Value>::new());
}

#[tokio::test]
async fn the_later_one_of_two_for_the_same_value_holds_when_it_is_confirmed() {
    let house = House::with(setup()).await;
    let first = propose(&house, "a-1", "Engineering").await;
    let replaced = propose(&house, "a-2", "Tech").await;
    is_problem(&confirm(&house, &first).await, 404, "value_not_found");
    assert_eq!(confirm(&house, &replaced).await.status, 200);
    let other = propose(&house, "a-3", "Engineering").await;
    let waiting = deliver(&house, "a-4", "Eng").await;
    assert_eq!(department(&house, &waiting).await.0, "Tech");
    assert_eq!(confirm(&house, &other).await.status, 200);
    assert_eq!(department(&house, &waiting).await.0, "Engineering");
    assert_eq!(values(&house).await.len(), 1);
}

#[tokio::test]
async fn as_toml_the_confirmed_ones_are_lines_that_do_the_same() {
    let house = House::with(setup()).await;
    let value = propose(&house, "a-1", "Engineering \"West\"").await;
    let toml = async || house.ask(Method::GET, "/v1/values?format=toml", VIEWER, None).await;
    assert_eq!(toml().await.text, "", "what is proposed does not hold");
    confirm(&house, &value).await;
    let exported = toml().await;
    assert_eq!(exported.headers["content-type"], "application/toml; charset=utf-8");
    assert_eq!(
        exported.text,
        "[sources.ashby.mapping.fields]\n\
         department = { from = \"custom.Team\", values = { \"Eng\" = \"Engineering \\\"West\\\"\", \
         \"HR\" = \"People\" }, required = true }\n"
    );
    is_problem(&house.get("/v1/values?format=xml").await, 400, "invalid_query");

    let pasted = Setup { sections: exported.text, ..setup() };
    let other = House::with(pasted).await;
    for (application, team, expected) in [("a-1", "Eng", "Engineering \"West\""), ("a-2", "HR", "People")] {
        let id = deliver(&other, application, team).await;
        assert_eq!(department(&other, &id).await, (json!(expected), vec![]));
    }
}

#[tokio::test]
async fn what_cannot_always_hold_is_refused_and_nothing_is_sent() {
    let house = House::with(setup()).await;
    let id = deliver(&house, "a-1", "Eng").await;
    for (corrections, always, why) in [
        (json!({}), "department", "is not corrected to a value"),
        (json!({"department": null}), "department", "is not corrected to a value"),
        (json!({"office": "Berlin"}), "office", "has no single value from the ATS"),
        (json!({"first_name": "Maria"}), "first_name", "belongs to one person alone"),
    ] {
        let refused = send(&house, &id, corrections, json!([always])).await;
        is_problem(&refused, 422, "invalid");
        let error = refused.json()["errors"][0].clone();
        assert_eq!(error["field"], "always");
        assert!(error["message"].as_str().is_some_and(|said| said.contains(why)), "{error}");
    }
    assert_eq!((house.sim.creates(), values(&house).await.len()), (0, 0));
    assert_eq!(state(&house.hire(&id).await), "held(review)");
}

/// Whether these bytes are in any of the house's files.
fn is_on_disk(house: &House, bytes: &[u8]) -> bool {
    let files = std::fs::read_dir(house.folder.path()).expect("readable");
    files.map(|file| file.expect("an entry").path()).any(|path| {
        let content = std::fs::read(path).expect("readable");
        content.windows(bytes.len()).any(|window| window == bytes)
    })
}

#[tokio::test]
async fn it_survives_a_restart_and_neither_it_nor_a_correction_can_be_read_on_the_disk() {
    let mut house = House::with(setup()).await;
    let value = propose(&house, "a-1", "Canary department").await;
    confirm(&house, &value).await;
    assert!(!is_on_disk(&house, b"Canary") && is_on_disk(&house, b"always_proposed:department"));
    house.close().await;
    house.open().await;
    let second = deliver(&house, "a-2", "Eng").await;
    assert_eq!(department(&house, &second).await.0, "Canary department");
    let first = values(&house).await[0]["hire"].clone();
    let first = house.hire(first.as_str().expect("an id")).await;
    assert_eq!(
        first["plan"]["employee"]["department"], "Canary department",
        "the correction is in the record"
    );
    assert!(!is_on_disk(&house, b"Canary"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_replica_plans_with_what_was_confirmed_or_revoked_at_another() {
    let Some(server) = Postgres::start("every_replica_plans_with_what_was_confirmed").await else { return };
    let setup = Setup { ledger: Some(server.database("always")), ..setup() };
    let here = House::with(setup.clone()).await;
    let there = House::beside(&here, setup).await;
    let value = propose(&here, "a-1", "Engineering").await;
    assert_eq!(confirm(&there, &value).await.status, 200);
    let id = deliver(&there, "a-2", "Eng").await;
    for house in [&here, &there] {
        assert_eq!(department(house, &id).await.0, "Engineering");
    }
    assert_eq!(revoke(&here, &value).await.status, 204);
    for house in [&here, &there] {
        assert_eq!(department(house, &id).await.0, "Eng");
    }
}

/// What a ledger keeps of them, whatever its engine.
pub(crate) async fn translations_are_kept(ledger: &dyn Ledger) {
    let new = |from: &str, to: &str| Translation {
        id: uuid::Uuid::now_v7(),
        source: "ashby".into(),
        attribute: "department".into(),
        from: from.into(),
        to: to.into(),
        hire: HireId(uuid::Uuid::now_v7()),
        proposed: Said { by: "mia".into(), at: start_of_test() },
        confirmed: None,
    };
    let all = async || ledger.translations().await.expect("read");
    assert_eq!(all().await, []);
    let (first, other) = (new("Eng", "Engineering"), new("Ops", "Operations"));
    for one in [&first, &other, &first] {
        ledger.propose(one).await.expect("kept");
    }
    assert_eq!(all().await, [first.clone(), other.clone()], "in their order, once each");
    let confirmed = |one: &Translation| {
        let ada = Said { by: "ada".into(), at: start_of_test() };
        Translation { confirmed: Some(ada), ..one.clone() }
    };
    assert!(ledger.confirm(&confirmed(&first)).await.expect("kept"));
    let again = new("Eng", "Tech");
    ledger.propose(&new("Eng", "Teck")).await.expect("kept");
    ledger.propose(&again).await.expect("kept");
    assert_eq!(all().await, [confirmed(&first), other.clone(), again.clone()], "a proposal replaces one");
    let gone = new("Eng", "Nothing");
    assert!(!ledger.confirm(&confirmed(&gone)).await.expect("asked"), "what is gone does not come back");
    assert_eq!(all().await.len(), 3, "and takes nothing with it");
    for _ in 0..2 {
        assert!(ledger.confirm(&confirmed(&again)).await.expect("kept"));
    }
    assert_eq!(all().await, [other.clone(), confirmed(&again)], "one holds");
    assert!(ledger.revoke(again.id).await.expect("gone") && !ledger.revoke(again.id).await.expect("asked"));
    assert!(ledger.revoke(other.id).await.expect("gone"));
    assert_eq!(all().await, []);
}
