//! Documents follow the hire: taken at receipt, sent once the employee is there, each once, each with its own end.

use bytes::Bytes;
use hirebridge::sim::{Behaviour, Fault, Manner, Operation, Options, Rights};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::ashby::{candidate_hire, hire};
use crate::support::files::{DOCUMENTS, Files, handle, pdf};
use crate::support::postgres::Postgres;
use crate::support::process::eventually;
use crate::support::town::Town;
use crate::support::{House, SENDER, Setup, VIEWER, is_problem, notes, state};

/// A house with one hire who has a CV, after everything that is due now; the hire's id.
pub(crate) async fn with_a_resume(files: &Files) -> (House, String) {
    files.resume("f-1", "Lebenslauf Müller.pdf", pdf("cv", 700_000));
    let house = files.house().await;
    let id = delivered(&house).await;
    (house, id)
}

pub(crate) async fn delivered(house: &House) -> String {
    let answer = house.deliver(&hire()).await.json();
    house.pass(SignedDuration::ZERO).await;
    answer["hire"].as_str().expect("an id").to_owned()
}

pub(crate) fn states(hire: &Value) -> Vec<String> {
    let documents = hire["documents"].as_array().expect("documents");
    documents
        .iter()
        .map(|one| format!("{} {}", one["kind"].as_str().unwrap_or_default(), state(one)))
        .collect()
}

pub(crate) async fn again(house: &House, id: &str, n: u32) -> Value {
    let reply = house.post(&format!("/v1/hires/{id}/documents/{n}/send"), &json!({})).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    house.pass(SignedDuration::ZERO).await;
    house.hire(id).await
}

#[tokio::test]
async fn a_resume_arrives_under_its_category_and_kinds_that_are_off_are_named() {
    let files = Files::none().await;
    files.resume("f-1", "../Lebenslauf Müller.pdf", pdf("cv", 700_000));
    files.other("f-2", "Zeugnis.pdf", pdf("report", 10));
    let sections = DOCUMENTS.replace("other = \"CVs\"\n", "");
    let house = House::with(Setup { sections, ..files.setup() }).await;
    let id = delivered(&house).await;
    let hire = house.hire(&id).await;
    assert_eq!(state(&hire), "created");
    assert_eq!(states(&hire), ["resume sent"], "{hire}");
    assert!(notes(&hire).contains(&"document_off:other"), "{hire}");
    assert_eq!(hire["plan"]["documents"][0]["category"], "CVs");
    assert_eq!(hire["flags"]["warnings"], false);
    let documents = house.sim.documents();
    let [arrived] = &documents[..] else { panic!("one document, not {}", documents.len()) };
    assert_eq!((arrived.title.as_str(), arrived.content.clone()), ("CV Beispiel", pdf("cv", 700_000)));
    assert_eq!(arrived.employee_id, house.sim.employees()[0].id);
    assert!(!arrived.file_name.contains('/') && arrived.file_name.ends_with("Lebenslauf Müller.pdf"));
    assert_eq!((files.fetched(), house.sim.creates()), (1, 1));
    let metrics = house.get("/metrics").await.text;
    assert!(metrics.contains("hirebridge_documents{state=\"sent\"} 1"), "{metrics}");
}

#[tokio::test]
async fn a_name_that_a_template_makes_is_cleaned_like_any_other() {
    let files = Files::none().await;
    files.resume("f-1", "Lebenslauf.pdf", pdf("cv", 1000));
    let sections = "[sources.ashby.documents]\nresume = { category = \"CVs\", file_name = \"../CV {{ candidate.full_name }}\" }\n";
    let house = House::with(Setup { sections: sections.into(), ..files.setup() }).await;
    let answer = house.deliver(&candidate_hire("a-1", "Mia Bei/..\\spielß", "mia@example.org")).await;
    house.pass(SignedDuration::ZERO).await;
    let documents = house.sim.documents();
    let name = documents.first().unwrap_or_else(|| panic!("{}", answer.text)).file_name.clone();
    assert!(name.ends_with("ß.pdf") && !name.contains(['/', '\\']), "{name}");
}

#[tokio::test]
async fn the_same_content_is_sent_once() {
    let files = Files::none().await;
    files.resume("f-1", "Lebenslauf.pdf", pdf("cv", 300_000));
    files.other("f-2", "Kopie.pdf", pdf("cv", 300_000));
    let house = files.house().await;
    let id = delivered(&house).await;
    assert_eq!(states(&house.hire(&id).await), ["resume sent", "other same"]);
    assert_eq!(house.sim.documents().len(), 1);
}

#[tokio::test]
async fn a_file_that_comes_after_the_employee_follows() {
    let files = Files::none().await;
    let (house, id) = with_a_resume(&files).await;
    files.holds("f-9", pdf("contract", 1000));
    let mut again = hire();
    again["data"]["offer"]["latestVersion"]["fileHandles"] = json!([handle("f-9", "offer signed.pdf")]);
    for _ in 0..2 {
        assert_eq!(house.deliver(&again).await.json()["duplicate"], true);
        house.pass(SignedDuration::ZERO).await;
    }
    assert_eq!(states(&house.hire(&id).await), ["resume sent", "signed_offer sent"]);
    assert_eq!((house.sim.documents().len(), house.sim.creates()), (2, 1));
}

#[tokio::test]
async fn a_held_hires_files_are_taken_at_receipt_and_sent_after_the_approval() {
    let files = Files::none().await;
    files.resume("f-1", "Lebenslauf.pdf", pdf("cv", 300_000));
    let house = files.house_with_review().await;
    let id = delivered(&house).await;
    let held = house.hire(&id).await;
    assert_eq!((state(&held).as_str(), states(&held)), ("held(review)", vec!["resume pending".to_owned()]));
    files.burn();
    house.pass(SignedDuration::from_hours(48)).await;
    assert!(house.sim.documents().is_empty());
    let approval = json!({"plan_hash": held["plan"]["hash"]});
    assert_eq!(house.post(&format!("/v1/hires/{id}/send"), &approval).await.status, 200);
    house.pass(SignedDuration::ZERO).await;
    assert_eq!(states(&house.hire(&id).await), ["resume sent"]);
    assert_eq!((house.sim.documents().len(), files.fetched()), (1, 1));
}

#[tokio::test]
async fn a_file_that_cannot_be_sent_is_kept_for_its_time_and_taken_anew_when_it_is_wanted() {
    let files = Files::none().await;
    files.resume("f-1", "Lebenslauf.pdf", pdf("cv", 300_000));
    let sections = DOCUMENTS.to_owned() + "[retention]\nfiles = \"24h\"\n";
    let ashby = files.key() + "review = true\n";
    let house = House::with(Setup { ashby, sections, ..files.setup() }).await;
    let id = delivered(&house).await;
    house.pass(SignedDuration::from_hours(23)).await;
    assert_eq!(states(&house.hire(&id).await), ["resume pending"]);
    house.pass(SignedDuration::from_hours(2)).await;
    let held = house.hire(&id).await;
    assert_eq!(states(&held), ["resume failed(kept_too_long)"]);
    assert!(held["documents"][0]["size"].is_null(), "{held}");
    let approval = json!({"plan_hash": held["plan"]["hash"]});
    assert_eq!(house.post(&format!("/v1/hires/{id}/send"), &approval).await.status, 200);
    house.pass(SignedDuration::ZERO).await;
    assert!(house.sim.documents().is_empty());
    assert_eq!(states(&again(&house, &id, 1).await), ["resume sent"]);
    assert_eq!((house.sim.documents().len(), files.fetched()), (1, 2));
}

#[tokio::test]
async fn what_becomes_of_an_upload_is_told_and_a_person_has_it_sent_again() {
    let missing = json!({"success": false, "error": {"message": "No query results for model [DocumentCategory] 1", "code": 0}});
    let invalid =
        json!({"success": false, "error": {"message": "?", "code": 0, "error_data": {"file": ["?"]}}});
    let status = |code, body| Behaviour::Status { code, body: Some(body), retry_after: None };
    for (behaviour, ends) in [
        (status(404, missing), "failed(category_unknown)"),
        (status(422, invalid), "failed(type_not_taken)"),
        (Behaviour::status(403), "failed(no_right)"),
        (Behaviour::status(500), "unknown"),
        (Behaviour::Cut, "unknown"),
    ] {
        let files = Files::none().await;
        files.resume("f-1", "Lebenslauf.pdf", pdf("cv", 1000));
        let house = files.house().await;
        house.sim.misbehave(Fault::new(Operation::UploadDocument, behaviour));
        let id = delivered(&house).await;
        house.pass(SignedDuration::from_hours(100)).await;
        let hire = house.hire(&id).await;
        assert_eq!((state(&hire).as_str(), states(&hire)), ("created", vec![format!("resume {ends}")]));
        assert_eq!(hire["flags"]["warnings"], true, "{ends}");
        assert!(hire["documents"][0]["remedy"].as_str().is_some_and(|remedy| remedy.len() > 10));
        let list = house.get("/v1/hires?flag=warnings").await.json();
        assert_eq!(list["hires"][0]["documents"][0]["n"], 1);
        house.sim.behave();
        house.pass(SignedDuration::from_hours(100)).await;
        assert!(house.sim.documents().is_empty(), "{ends}: never by itself");
        let hire = again(&house, &id, 1).await;
        assert_eq!(
            (states(&hire), &hire["flags"]["warnings"]),
            (vec!["resume sent".to_owned()], &json!(false))
        );
        assert_eq!((house.sim.documents().len(), house.sim.creates()), (1, 1));
    }
}

#[tokio::test]
async fn a_right_that_is_lacking_is_told_and_an_id_needs_only_the_one_to_write() {
    for (read, write, told) in [
        (false, true, ["signed_offer sent", "resume failed(no_right)"]),
        (true, false, ["signed_offer failed(no_right)", "resume failed(no_right)"]),
    ] {
        let files = Files::none().await;
        files.resume("f-1", "Lebenslauf.pdf", pdf("cv", 1000));
        files.holds("f-2", pdf("offer", 1000));
        let rights = Rights { documents_read: read, documents_write: write, ..Rights::default() };
        let personio = Options { manner: Manner { rights, ..Manner::default() }, ..Options::default() };
        let sections = DOCUMENTS.replace("\"Contracts\"", "1");
        let house = House::facing(Setup { sections, ..files.setup() }, personio).await;
        let mut body = hire();
        body["data"]["offer"]["latestVersion"]["fileHandles"] = json!([handle("f-2", "offer signed.pdf")]);
        let id = house.deliver(&body).await.hire();
        house.pass(SignedDuration::ZERO).await;
        let hire = house.hire(&id).await;
        assert_eq!((state(&hire).as_str(), states(&hire)), ("created", told.map(str::to_owned).to_vec()));
        let remedy = hire["documents"][1]["remedy"].as_str().expect("a remedy");
        assert!(remedy.contains("Documents: Write"), "{remedy}");
    }
}

#[tokio::test]
async fn an_upload_that_surely_was_not_carried_out_is_tried_again() {
    let files = Files::none().await;
    files.resume("f-1", "Lebenslauf.pdf", pdf("cv", 1000));
    let house = files.house().await;
    let many = Fault::new(Operation::UploadDocument, Behaviour::too_many(Some("300")));
    house.sim.misbehave(many);
    let id = delivered(&house).await;
    assert_eq!(states(&house.hire(&id).await), ["resume pending"]);
    house.sim.behave();
    house.pass(SignedDuration::from_mins(20)).await;
    let hire = house.hire(&id).await;
    assert_eq!((states(&hire), house.sim.documents().len()), (vec!["resume sent".to_owned()], 1));
}

#[tokio::test]
async fn what_is_too_large_or_not_what_it_says_is_not_sent() {
    let files = Files::none().await;
    files.resume("f-1", "Lebenslauf.pdf", pdf("cv", 31 << 20));
    files.other("f-2", "Foto.pdf", "MZ and so on".into());
    files.other("f-3", "leer.pdf", Bytes::default());
    let house = files.house().await;
    let id = delivered(&house).await;
    let told = ["resume failed(too_large)", "other failed(type_doubtful)", "other failed(empty)"];
    assert_eq!(states(&house.hire(&id).await), told);
    let fits = pdf("fits", 29 << 20);
    files.holds("f-1", fits.clone());
    let hire = again(&house, &id, 1).await;
    assert_eq!(states(&hire)[0], "resume sent");
    assert_eq!(house.sim.documents()[0].content, fits);
}

#[tokio::test]
async fn a_hire_has_sixty_megabytes() {
    let files = Files::none().await;
    files.resume("f-1", "a.pdf", pdf("a", 29 << 20));
    files.other("f-2", "b.pdf", pdf("b", 29 << 20));
    files.other("f-3", "c.pdf", pdf("c", 3 << 20));
    let house = files.house_with_review().await;
    let id = delivered(&house).await;
    let told = ["resume pending", "other pending", "other failed(hire_too_large)"];
    assert_eq!(states(&house.hire(&id).await), told);
}

#[tokio::test]
async fn a_file_that_does_not_come_is_told_and_can_be_tried_again() {
    let files = Files::none().await;
    files.resume("f-1", "Lebenslauf.pdf", pdf("cv", 1000));
    files.fail();
    let house = files.house().await;
    let id = delivered(&house).await;
    assert_eq!(states(&house.hire(&id).await), ["resume pending"]);
    for _ in 0..3 {
        house.pass(SignedDuration::from_hours(13)).await;
    }
    assert_eq!(states(&house.hire(&id).await), ["resume failed(not_fetched)"]);
    files.burn();
    assert_eq!(states(&again(&house, &id, 1).await), ["resume failed(link_dead)"]);
    files.holds("f-1", pdf("cv", 1000));
    assert_eq!(states(&again(&house, &id, 1).await), ["resume sent"]);
}

#[tokio::test]
async fn only_who_may_send_sends_a_document_again_and_only_one_that_did_not_arrive() {
    let files = Files::none().await;
    let (house, id) = with_a_resume(&files).await;
    let path = |n: &str| format!("/v1/hires/{id}/documents/{n}/send");
    is_problem(&house.ask(Method::POST, &path("1"), VIEWER, None).await, 403, "forbidden");
    is_problem(&house.ask(Method::POST, &path("1"), SENDER, None).await, 409, "wrong_document_state");
    is_problem(&house.ask(Method::POST, &path("2"), SENDER, None).await, 404, "document_not_found");
    is_problem(&house.ask(Method::POST, &path("x"), SENDER, None).await, 400, "invalid_id");
    assert_eq!(house.sim.documents().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_killed_while_it_was_on_the_wire_is_unknown_and_not_sent_again() {
    let files = Files::none().await;
    files.resume("f-1", "Lebenslauf.pdf", pdf("cv", 1000));
    let town = Town::with(files.setup()).await;
    town.sim.misbehave(Fault::once(Operation::UploadDocument, Behaviour::Hang));
    let served = town.serve().await;
    assert_eq!(town.deliver(&served, &hire()).await.expect("an answer")["state"], "created");
    town.sim.arrival(Operation::UploadDocument, 1).await;
    served.kill();
    let served = town.serve().await;
    let hire = eventually("the document is unknown", || async {
        let hire = town.becomes(&served, "created").await;
        (states(&hire) == ["resume unknown"] && hire["flags"]["warnings"] == true).then_some(hire)
    })
    .await;
    assert!(hire["history"].to_string().contains("document_owner_gone:1"), "{hire}");
    assert_eq!((town.sim.calls(Operation::UploadDocument), town.sim.creates()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_replica_sends_what_the_first_has_taken() {
    let Some(server) = Postgres::start("another_replica_sends_what_the_first_has_taken").await else {
        return;
    };
    let files = Files::none().await;
    files.resume("f-1", "Lebenslauf.pdf", pdf("cv", 700_000));
    let ashby = files.key() + "review = true\n";
    let setup = Setup { ledger: Some(server.database("documents")), ashby, ..files.setup() };
    let mut first = House::with(setup.clone()).await;
    let id = delivered(&first).await;
    let held = first.hire(&id).await;
    assert_eq!(states(&held), ["resume pending"]);
    let second = House::beside(&first, setup).await;
    first.close().await;
    files.burn();
    let approval = json!({"plan_hash": held["plan"]["hash"]});
    assert_eq!(second.post(&format!("/v1/hires/{id}/send"), &approval).await.status, 200);
    second.pass(SignedDuration::ZERO).await;
    assert_eq!(states(&second.hire(&id).await), ["resume sent"]);
    assert_eq!(second.sim.documents()[0].content, pdf("cv", 700_000));
}
