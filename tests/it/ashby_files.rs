//! Files at Ashby follow the hire under their categories: asked for with the key, fetched without it.

use std::collections::BTreeSet;

use hirebridge::config::Config;
use jiff::SignedDuration;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::ashby::fixture;
use crate::support::ashby_api::{Ashby, KEY, Says};
use crate::support::storage::{Gives, Storage};
use crate::support::{House, Setup, configuration, notes, state, text};

pub(crate) const DOCUMENTS: &str = "documents = { resume = \"CVs\", offer_letter = \"Contracts\", signed_offer = \"Contracts\", other = \"Other\" }\n";

const RESUME: &str = "eyJoYW5kbGUiOiJleGFtcGxlLXJlc3VtZSJ9";
const CERTIFICATE: &str = "eyJoYW5kbGUiOiJleGFtcGxlLW90aGVyIn0";
const OFFER_PDF: &str = "eyJoYW5kbGUiOiJleGFtcGxlLXVuc2lnbmVkLXBkZiJ9";
const OFFER_DOCX: &str = "eyJoYW5kbGUiOiJleGFtcGxlLWRvY3gifQ";
const SIGNED: &str = "eyJoYW5kbGUiOiJleGFtcGxlLXNpZ25lZCJ9";

const WORD: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

/// A storage with all files of the fixtures.
pub(crate) async fn storage() -> Storage {
    let storage = Storage::start().await;
    for handle in [RESUME, CERTIFICATE, OFFER_PDF, SIGNED] {
        storage.keeps(handle, Gives::pdf(handle));
    }
    let mut docx = b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0".to_vec();
    docx.extend_from_slice(b"\0\0\0\0\0\0\0\0\0\0\0\0\x13\0\0\0[Content_Types].xml word/document.xml");
    storage.keeps(OFFER_DOCX, Gives::File(WORD, docx.into()));
    storage
}

/// The hire once nothing more happens to it or its documents.
pub(crate) async fn settled(house: &House, id: &str) -> Value {
    house.hire(id).await;
    house.pass(SignedDuration::from_secs(1)).await;
    house.hire(id).await
}

/// `kind state` of each document, in order of kind.
pub(crate) fn documents(hire: &Value) -> Vec<String> {
    let all = hire["documents"].as_array().expect("documents").iter();
    let mut all: Vec<_> = all.map(|one| format!("{} {}", text(&one["kind"]), state(one))).collect();
    all.sort();
    all
}

/// `category: file name` of each document that Personio has.
pub(crate) fn stored(house: &House) -> BTreeSet<String> {
    let all = house.sim.documents();
    let found: BTreeSet<_> =
        all.iter().map(|one| format!("{}: {}", one.category_id, one.file_name)).collect();
    assert_eq!(found.len(), all.len(), "each once: {found:?}");
    found
}

/// What the fixtures' files are in Personio.
pub(crate) fn all_of_them() -> BTreeSet<String> {
    [
        "1: Offer Letter - Joerg van der Mueller (signed).pdf",
        "1: Offer Letter - Joerg van der Mueller.docx",
        "1: Offer Letter - Joerg van der Mueller.pdf",
        "2: cv-joerg.pdf",
        "3: certificate.pdf",
    ]
    .map(str::to_owned)
    .into()
}

#[tokio::test]
async fn resume_and_offer_arrive_under_their_categories_each_once() {
    let storage = storage().await;
    let ashby = Ashby::healthy().with_files(&storage);
    let house = ashby.house(DOCUMENTS).await;
    let id = house.deliver(&fixture("candidateHire")).await.hire();
    let hire = settled(&house, &id).await;
    let sent = ["offer_letter sent", "offer_letter sent", "other sent", "resume sent", "signed_offer sent"];
    assert_eq!((state(&hire), documents(&hire)), ("created".into(), sent.map(str::to_owned).to_vec()));
    assert_eq!((stored(&house), house.sim.creates()), (all_of_them(), 1));
    let employee = house.sim.employees()[0].id;
    assert!(house.sim.documents().iter().all(|document| document.employee_id == employee));
    // Nothing is sent again when Ashby tells of them again.
    for event in ["candidateHire", "applicationUpdate-hired", "signatureRequestUpdate-completed"] {
        assert_eq!(house.deliver(&fixture(event)).await.hire(), id, "{event}");
        settled(&house, &id).await;
    }
    assert_eq!((stored(&house), house.sim.creates()), (all_of_them(), 1));
    // The links are opened without the key, which is for the API alone.
    let mut handles = [RESUME, CERTIFICATE, OFFER_PDF, OFFER_DOCX, SIGNED];
    handles.sort_unstable();
    assert_eq!(storage.visits(), handles);
    ashby.was_asked_rightly();
}

#[tokio::test]
async fn an_event_without_files_is_completed_with_them() {
    let storage = storage().await;
    let ashby = Ashby::healthy().with_files(&storage);
    let house = ashby.house(DOCUMENTS).await;
    let id = house.deliver(&fixture("applicationUpdate-hired")).await.hire();
    let hire = settled(&house, &id).await;
    assert_eq!((stored(&house), documents(&hire).len()), (all_of_them(), 5));
    ashby.was_asked_rightly();
}

#[tokio::test]
async fn kinds_without_a_category_stay_at_ashby() {
    let storage = storage().await;
    let ashby = Ashby::healthy().with_files(&storage);
    let house = ashby.house("documents = { resume = \"CVs\" }\n").await;
    let id = house.deliver(&fixture("candidateHire")).await.hire();
    let hire = settled(&house, &id).await;
    assert_eq!(documents(&hire), ["resume sent"]);
    for off in ["document_off:offer_letter", "document_off:signed_offer", "document_off:other"] {
        assert!(notes(&hire).contains(&off), "{:?}", notes(&hire));
    }
    assert_eq!(storage.visits(), [RESUME]);
}

#[tokio::test]
async fn without_a_key_nothing_is_asked_and_the_signature_says_what_is_missing() {
    let house = House::new().await;
    let id = house.deliver(&fixture("candidateHire")).await.hire();
    assert_eq!(house.hire(&id).await["documents"], json!([]));
    let event = fixture("signatureRequestUpdate-completed");
    assert_eq!(house.deliver(&event).await.state(), "ignored(api_key_missing)");
}

#[test]
fn documents_without_a_key_are_a_mistake_in_the_configuration() {
    let folder = TempDir::new().expect("a folder can be made");
    let path = folder.path().join("hirebridge.toml");
    let load = |ashby: String| {
        let text = configuration("http://127.0.0.1:9", folder.path(), &Setup { ashby, ..Setup::default() });
        std::fs::write(&path, text).expect("writable");
        Config::load(Some(&path), std::iter::empty()).map_err(|errors| errors.to_string())
    };
    let told = load(DOCUMENTS.to_owned()).err().unwrap_or_default();
    assert!(told.contains("sources.ashby.documents") && told.contains("needs `api_key`"), "{told}");
    assert!(load(format!("api_key = \"{KEY}\"\n{DOCUMENTS}")).is_ok());
}

#[tokio::test]
async fn a_bad_file_is_told_by_itself_and_costs_no_other() {
    let storage = storage().await;
    let elsewhere = format!("http://localhost:{}/bucket/{CERTIFICATE}", storage.port());
    for (gives, expected) in [
        (Gives::Status(403), "failed(link_dead)"),
        (Gives::Status(404), "failed(link_dead)"),
        (Gives::Endless, "failed(too_large)"),
        (Gives::File("text/html", "<html>please log in</html>".into()), "failed(type_doubtful)"),
        (Gives::File("application/pdf", b"MZ\x90\0\x03\0\0\0".as_slice().into()), "failed(type_doubtful)"),
        (Gives::File("application/pdf", "".into()), "failed(empty)"),
        (Gives::Redirect(elsewhere.clone()), "failed(link_forbidden)"),
        (Gives::Redirect("http://169.254.169.254/latest".into()), "failed(link_forbidden)"),
        (Gives::pdf(CERTIFICATE), "same"),
    ] {
        storage.keeps(RESUME, gives);
        let ashby = Ashby::healthy().with_files(&storage);
        let house = ashby.house("documents = { resume = \"CVs\", other = \"Other\" }\n").await;
        let id = house.deliver(&fixture("candidateHire")).await.hire();
        let hire = settled(&house, &id).await;
        let mut of_the_two = documents(&hire);
        if expected == "same" {
            // Whichever was taken second.
            of_the_two = of_the_two
                .iter()
                .map(|one| one.split(' ').next_back().unwrap_or_default().to_owned())
                .collect();
            of_the_two.sort();
            assert_eq!(of_the_two, ["same", "sent"]);
        } else {
            assert_eq!(of_the_two, ["other sent".to_owned(), format!("resume {expected}")]);
        }
        assert_eq!((state(&hire).as_str(), stored(&house).len(), house.sim.creates()), ("created", 1, 1));
    }
    assert!(storage.visits().iter().all(|visit| !visit.contains("with a key")));
}

#[tokio::test]
async fn a_link_to_another_host_than_the_storage_is_never_opened() {
    for url in [
        "https://files.example.org/cv.pdf",
        "http://localhost:9/cv.pdf",
        "https://10.0.0.7/cv.pdf",
        "file:///etc/passwd",
    ] {
        let ashby = Ashby::healthy().says("file.info", Says::results(&json!({ "url": url })));
        let house = ashby.house("documents = { resume = \"CVs\" }\n").await;
        let id = house.deliver(&fixture("candidateHire")).await.hire();
        assert_eq!(documents(&settled(&house, &id).await), ["resume failed(link_forbidden)"], "{url}");
    }
}

#[tokio::test]
async fn a_file_that_comes_too_slowly_is_asked_for_again_with_a_new_link() {
    let storage = storage().await;
    storage.keeps(RESUME, Gives::Stalls);
    let ashby = Ashby::healthy().with_files(&storage);
    let house = ashby.house("documents = { resume = \"CVs\" }\n").await;
    let id = house.deliver(&fixture("candidateHire")).await.hire();
    storage.visited.notified().await;
    storage.keeps(RESUME, Gives::pdf("at last"));
    house.pass(SignedDuration::from_mins(2)).await;
    house.pass(SignedDuration::from_mins(1)).await;
    assert_eq!(documents(&settled(&house, &id).await), ["resume sent"]);
    assert_eq!(ashby.asked().iter().filter(|call| *call == "file.info").count(), 2);
}

#[tokio::test]
async fn a_file_that_ashby_does_not_know_any_more_is_dead_and_one_that_it_does_not_give_is_asked_for_again() {
    let storage = storage().await;
    let ashby = Ashby::healthy().with_files(&storage).says("file.info", Says::error("file_not_found"));
    let house = ashby.house("documents = { resume = \"CVs\" }\n").await;
    let id = house.deliver(&fixture("candidateHire")).await.hire();
    let hire = settled(&house, &id).await;
    assert_eq!(documents(&hire), ["resume failed(link_dead)"]);

    let ashby = Ashby::healthy().with_files(&storage).says("file.info", Says::Status(503));
    let house = ashby.house("documents = { resume = \"CVs\" }\n").await;
    let id = house.deliver(&fixture("candidateHire")).await.hire();
    assert_eq!(documents(&settled(&house, &id).await), ["resume pending"]);
    ashby.now_says("file.info", Says::results(&json!({ "url": storage.link(RESUME) })));
    house.pass(SignedDuration::from_mins(1)).await;
    let hire = settled(&house, &id).await;
    assert_eq!(documents(&hire), ["resume sent"]);
    // Neither link nor handle shows in an answer.
    let shown = hire.to_string();
    assert!(!shown.contains("X-Amz") && !shown.contains(RESUME), "{shown}");
    assert_eq!(house.get("/v1/hires").await.status, StatusCode::OK);
}
