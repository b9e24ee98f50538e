//! What is signed after the hire follows it, also when Ashby's event comes before the file.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::ashby_files::{DOCUMENTS, all_of_them, documents, settled, storage, stored};
use crate::support::ashby::fixture;
use crate::support::ashby_api::{APPLICATION, Ashby, Says};
use crate::support::storage::Gives;
use crate::support::{is_problem, notes};

const AWAITED: &str = "signed_file_awaited";

/// `signatureRequestUpdate` about the application instead of the offer.
fn signed_for_the_application(application: &str) -> Value {
    let mut event = fixture("signatureRequestUpdate-completed");
    event["data"] =
        json!({"relatedEntityType": "application", "applicationId": application, "eventType": "completed"});
    event
}

/// The payload or answer without the signed offer.
fn unsigned(mut value: Value, offer: &str) -> Value {
    let version = value.pointer_mut(&format!("{offer}/latestVersion")).expect("a version");
    version["fileHandles"].as_array_mut().expect("files").truncate(2);
    value
}

/// The offer as Ashby tells of it, perhaps before the signed one is among its files.
fn offer() -> Value {
    fixture("offerUpdate-accepted")["data"]["offer"].clone()
}

#[tokio::test]
async fn what_is_signed_long_after_the_hire_follows_it() {
    let storage = storage().await;
    let ashby = Ashby::healthy().with_files(&storage);
    let house = ashby.house(DOCUMENTS).await;
    let id = house.deliver(&unsigned(fixture("candidateHire"), "/data/offer")).await.hire();
    assert_eq!(documents(&settled(&house, &id).await).len(), 4);
    house.pass(SignedDuration::from_hours(30 * 24)).await;
    let answer = house.deliver(&fixture("signatureRequestUpdate-completed")).await;
    assert_eq!((answer.hire(), answer.state()), (id.clone(), "created".into()));
    let hire = settled(&house, &id).await;
    assert!(documents(&hire).contains(&"signed_offer sent".to_owned()), "{:?}", documents(&hire));
    assert_eq!((stored(&house), house.sim.creates()), (all_of_them(), 1));
    // What is signed for the application shows among the candidate's files.
    let mut candidate = fixture("api-candidate.info");
    let nda = json!({"id": "nda", "name": "NDA (signed).pdf", "handle": "nda-handle"});
    candidate["results"]["fileHandles"].as_array_mut().expect("files").push(nda);
    ashby.now_says("candidate.info", Says::Json(candidate));
    storage.keeps("nda-handle", Gives::pdf("nda"));
    assert_eq!(house.deliver(&signed_for_the_application(APPLICATION)).await.hire(), id);
    settled(&house, &id).await;
    assert!(stored(&house).contains("3: NDA (signed).pdf"));
    assert_eq!((stored(&house).len(), house.sim.creates()), (6, 1));
    ashby.was_asked_rightly();
}

#[tokio::test]
async fn a_signature_is_about_nothing_without_a_hire_or_a_completion() {
    let ashby = Ashby::healthy();
    let house = ashby.house(DOCUMENTS).await;
    for event in ["sent", "cancelled", "deleted"] {
        let mut body = fixture("signatureRequestUpdate-completed");
        body["data"]["eventType"] = event.into();
        assert_eq!(house.deliver(&body).await.state(), "ignored(not_signed)");
    }
    assert_eq!(house.deliver(&signed_for_the_application("a-unknown")).await.state(), "ignored(not_hired)");
    assert_eq!(ashby.asked(), Vec::<String>::new(), "nobody is asked about somebody who was not hired");
    let about_the_offer = fixture("signatureRequestUpdate-completed");
    assert_eq!(house.deliver(&about_the_offer).await.state(), "ignored(not_hired)");
    assert_eq!(ashby.asked(), ["offer.info"]);
    assert_eq!(house.get("/v1/hires").await.json()["hires"], json!([]));
}

#[tokio::test]
async fn a_signature_that_ashby_does_not_explain_is_asked_for_again_or_visibly_ignored() {
    let storage = storage().await;
    let ashby = Ashby::healthy().with_files(&storage);
    let house = ashby.house(DOCUMENTS).await;
    let id = house.deliver(&unsigned(fixture("candidateHire"), "/data/offer")).await.hire();
    settled(&house, &id).await;
    let event = fixture("signatureRequestUpdate-completed");
    for status in [401, 500, 503] {
        ashby.now_says("offer.info", Says::Status(status));
        let answer = house.deliver(&event).await;
        is_problem(&answer, 503, "ats_unavailable");
        assert!(answer.headers.contains_key("retry-after"));
    }
    ashby.now_says("offer.info", Says::error("missing_endpoint_permission"));
    assert_eq!(house.deliver(&event).await.state(), "ignored(ats_refused)");
    let offer = fixture("offerUpdate-accepted")["data"]["offer"].clone();
    ashby.now_says("offer.info", Says::results(&offer));
    assert_eq!(house.deliver(&event).await.hire(), id);
    settled(&house, &id).await;
    assert_eq!(stored(&house), all_of_them());
}

#[tokio::test]
async fn a_signed_offer_that_ashby_lists_after_its_event_is_asked_for_again_until_it_is_there() {
    let storage = storage().await;
    let ashby = Ashby::healthy().with_files(&storage);
    let house = ashby.house(DOCUMENTS).await;
    let id = house.deliver(&unsigned(fixture("candidateHire"), "/data/offer")).await.hire();
    settled(&house, &id).await;
    ashby.now_says("offer.info", Says::results(&unsigned(offer(), "")));
    let event = fixture("signatureRequestUpdate-completed");
    for _ in 0..2 {
        is_problem(&house.deliver(&event).await, 503, "file_not_listed");
        let hire = settled(&house, &id).await;
        assert_eq!((notes(&hire).contains(&AWAITED), stored(&house).len()), (true, 4), "{hire}");
    }
    ashby.now_says("offer.info", Says::results(&offer()));
    assert_eq!(house.deliver(&event).await.hire(), id);
    let hire = settled(&house, &id).await;
    assert_eq!((notes(&hire).contains(&AWAITED), stored(&house)), (false, all_of_them()));
    assert_eq!(house.deliver(&event).await.status, 200, "it is known by now");
    assert_eq!(house.sim.creates(), 1);
}

#[tokio::test]
async fn a_signed_offer_of_another_name_has_come_when_a_file_was_added() {
    let storage = storage().await;
    let ashby = Ashby::healthy().with_files(&storage);
    let house = ashby.house(DOCUMENTS).await;
    let id = house.deliver(&unsigned(fixture("candidateHire"), "/data/offer")).await.hire();
    settled(&house, &id).await;
    let mut offer = offer();
    offer["latestVersion"]["fileHandles"][2]["name"] = "final.pdf".into();
    ashby.now_says("offer.info", Says::results(&offer));
    assert_eq!(house.deliver(&fixture("signatureRequestUpdate-completed")).await.hire(), id);
    settled(&house, &id).await;
    assert!(stored(&house).contains("1: final.pdf"), "{:?}", stored(&house));
}

#[tokio::test]
async fn letters_that_were_not_known_before_the_event_are_not_the_signed_one() {
    let storage = storage().await;
    let ashby = Ashby::healthy().with_files(&storage);
    let house = ashby.house(DOCUMENTS).await;
    let mut hired = fixture("candidateHire");
    hired["data"]["offer"]["latestVersion"]["fileHandles"] = json!([]);
    let id = house.deliver(&hired).await.hire();
    settled(&house, &id).await;
    ashby.now_says("offer.info", Says::results(&unsigned(offer(), "")));
    let event = fixture("signatureRequestUpdate-completed");
    is_problem(&house.deliver(&event).await, 503, "file_not_listed");
    assert_eq!(documents(&settled(&house, &id).await).len(), 4, "the letters are taken all the same");
    ashby.now_says("offer.info", Says::results(&offer()));
    assert_eq!(house.deliver(&event).await.hire(), id);
    settled(&house, &id).await;
    assert_eq!(stored(&house), all_of_them());
}

#[tokio::test]
async fn what_was_signed_for_the_application_is_asked_for_again_until_the_candidate_has_it() {
    let storage = storage().await;
    let ashby = Ashby::healthy().with_files(&storage);
    let house = ashby.house(DOCUMENTS).await;
    let id = house.deliver(&fixture("candidateHire")).await.hire();
    settled(&house, &id).await;
    let event = signed_for_the_application(APPLICATION);
    is_problem(&house.deliver(&event).await, 503, "file_not_listed");
    let mut candidate = fixture("api-candidate.info");
    let nda = json!({"id": "nda", "name": "NDA (signed).pdf", "handle": "nda-handle"});
    candidate["results"]["fileHandles"].as_array_mut().expect("files").push(nda);
    ashby.now_says("candidate.info", Says::Json(candidate));
    storage.keeps("nda-handle", Gives::pdf("nda"));
    assert_eq!(house.deliver(&event).await.hire(), id);
    assert!(documents(&settled(&house, &id).await).contains(&"other sent".to_owned()));
    assert!(stored(&house).contains("3: NDA (signed).pdf"));
}

#[tokio::test]
async fn nobody_waits_for_a_signed_file_that_is_to_stay_at_ashby() {
    let storage = storage().await;
    let ashby = Ashby::healthy().with_files(&storage);
    let house = ashby.house("documents = { resume = \"CVs\" }\n").await;
    let id = house.deliver(&fixture("candidateHire")).await.hire();
    settled(&house, &id).await;
    for event in [signed_for_the_application(APPLICATION), fixture("signatureRequestUpdate-completed")] {
        assert_eq!(house.deliver(&event).await.hire(), id);
    }
    assert_eq!(documents(&settled(&house, &id).await), ["resume sent"]);
}
