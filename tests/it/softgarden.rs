//! softgarden's push over HTTP: our structure, a token in place of a signature, files within the body.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hirebridge::config::Config;
use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{House, Reply, Setup, configuration, is_problem, state, text};

const SECRET: &str = "softgarden-secret-of-the-test";

async fn house(more: &str) -> House {
    let sections = format!(
        "[sources.softgarden]\nkind = \"softgarden\"\nsecrets = [\"{SECRET}\"]\n{more}\
         [sources.softgarden.documents]\nother = \"CVs\"\nsigned_offer = \"Contracts\"\n"
    );
    House::with(Setup { sections, ..Setup::default() }).await
}

fn hired() -> Value {
    let path = format!("{}/tests/fixtures/ats/softgarden/hired.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).expect("the fixture is there")).expect("JSON")
}

async fn post(house: &House, authorization: &[&str], body: &Value) -> Reply {
    let mut request = house.bare(Method::POST, "/webhooks/softgarden").body(body.to_string());
    for value in authorization {
        request = request.header("Authorization", *value);
    }
    house.send(request).await
}

async fn deliver(house: &House, body: &Value) -> Reply {
    post(house, &[&format!("Bearer {SECRET}")], body).await
}

/// `kind state` of each document.
fn documents(hire: &Value) -> Vec<String> {
    let all = hire["documents"].as_array().expect("documents").iter();
    all.map(|one| format!("{} {}", text(&one["kind"]), state(one))).collect()
}

#[tokio::test]
async fn a_hire_arrives_with_its_tenant_and_large_files_and_once() {
    let house = house("").await;
    let mut body = hired();
    let mut pdf = b"%PDF-1.7\n".to_vec();
    pdf.resize(6 << 20, b'a');
    body["documents"][0]["binaryData"] = BASE64_STANDARD.encode(&pdf).into();
    let answer = deliver(&house, &body).await;
    assert_eq!((answer.status, answer.state().as_str()), (StatusCode::OK, "created"));
    let id = answer.hire();
    house.hire(&id).await;
    house.pass(SignedDuration::from_secs(1)).await;
    let hire = house.hire(&id).await;
    assert_eq!(hire["plan"]["employee"]["subcompany"], "Acme GmbH");
    assert_eq!(documents(&hire), ["other sent", "signed_offer sent"]);
    let person = house.sim.employees()[0].person.clone();
    assert_eq!((person.first_name.as_str(), person.last_name.as_str()), ("Jörg", "van der Müller"));
    assert_eq!(person.hire_date.map(|date| date.to_string()).as_deref(), Some("2027-01-01"));
    let stored = house.sim.documents();
    let mut sizes: Vec<_> = stored.iter().map(|one| (one.category_id, one.content.len())).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [(1, 24), (2, 6 << 20)]);
    let repeat = deliver(&house, &body).await;
    assert_eq!((repeat.hire(), &repeat.json()["duplicate"]), (id, &json!(true)));
    house.pass(SignedDuration::from_secs(1)).await;
    assert_eq!((house.sim.creates(), house.sim.documents().len()), (1, 2));
}

#[tokio::test]
async fn without_the_token_nothing_comes_in() {
    let house = house("").await;
    let right = format!("Bearer {SECRET}");
    let ashbys = format!("Bearer {}", crate::support::SECRET);
    for authorization in [
        &[][..],
        &[""],
        &["Bearer "],
        &[SECRET],
        &["Bearer another-secret-of-somebody"],
        &[ashbys.as_str()],
        &[&right, &right],
        &[&right, "Bearer another-secret-of-somebody"],
    ] {
        is_problem(&post(&house, authorization, &hired()).await, 401, "signature");
    }
    assert_eq!(house.get("/v1/hires").await.json()["hires"], json!([]));
    let basic =
        self::house("[sources.softgarden.signature]\ntoken = \"basic\"\nuser = \"softgarden\"\n").await;
    let password = format!("Basic {}", BASE64_STANDARD.encode(format!("softgarden:{SECRET}")));
    is_problem(&post(&basic, &[&right], &hired()).await, 401, "signature");
    assert_eq!(post(&basic, &[&password], &hired()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_trial_and_other_statuses_are_answered_and_a_hire_can_be_taken_back() {
    let house = house("").await;
    let with_status = |status: &str| {
        let mut body = hired();
        body["status"] = status.into();
        body
    };
    for (status, expected) in [("TEST", "ignored(ping)"), ("OFFER", "ignored(not_hired)")] {
        let answer = deliver(&house, &with_status(status)).await;
        assert_eq!((answer.status, answer.state().as_str()), (StatusCode::OK, expected));
    }
    let id = deliver(&house, &hired()).await.hire();
    let mut back = with_status("WITHDRAWN");
    back["changedAt"] = "2026-11-20T08:00:00Z".into();
    assert_eq!(deliver(&house, &back).await.hire(), id);
    assert_eq!(house.hire(&id).await["flags"]["unhired"], true);
    let mut unknown = hired();
    unknown["applicationId"] = "another".into();
    unknown.as_object_mut().expect("an object").remove("status");
    assert_eq!(deliver(&house, &unknown).await.state(), "held(unreadable)");
}

#[test]
fn files_that_do_not_fit_into_the_memory_for_bodies_are_a_mistake_in_the_configuration() {
    let folder = TempDir::new().expect("a folder can be made");
    let path = folder.path().join("hirebridge.toml");
    let load = |server: &str| {
        let sections = format!("[sources.softgarden]\nkind = \"softgarden\"\nsecrets = [\"{SECRET}\"]\n");
        let setup = Setup { server: server.into(), sections, ..Setup::default() };
        std::fs::write(&path, configuration("http://127.0.0.1:9", folder.path(), &setup)).expect("writable");
        Config::load(Some(&path), std::iter::empty()).map(|_| ()).map_err(|errors| errors.to_string())
    };
    let told = load("body_memory = \"32MiB\"").expect_err("a body may have 48 MiB");
    assert!(told.contains("sources.softgarden.body_limit") && told.contains("server.body_memory"), "{told}");
    assert_eq!(load(""), Ok(()));
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_and_takes_nothing_from_the_others() {
    let house = house("body_limit = \"2KiB\"\n").await;
    let mut body = hired();
    body["documents"][0]["binaryData"] = "A".repeat(4096).into();
    is_problem(&deliver(&house, &body).await, 413, "too_large");
    assert_eq!(deliver(&house, &hired()).await.state(), "created");
}
