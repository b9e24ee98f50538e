//! People are told what waits for them: once, signed, without a personal datum, and never at the expense of a hire.

use hirebridge::sim::{Behaviour, Fault, Operation};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::ashby::{candidate_hire, hire, nth};
use crate::support::files::{Files, pdf};
use crate::support::mailbox::Mailbox;
use crate::support::receiver::{Mood, Receiver};
use crate::support::{House, Setup, start_of_test, state};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

async fn told_of(receiver: &Receiver, notices: &str) -> House {
    let sections = format!("[notices]\n{notices}\n{}", receiver.section());
    let server = "public_url = \"https://hires.example.com\"\n".to_owned();
    House::with(Setup { server, sections, ..Setup::default() }).await
}

/// Lets time pass and everything be told that is to be.
async fn tell(house: &House, time: SignedDuration) {
    house.pass(time).await;
    house.service().notices().round().await;
}

/// A hire whose start date is none: it is held.
fn without_a_date(n: usize) -> Value {
    let mut body = nth(n);
    body["data"]["offer"]["latestVersion"]["startDate"] = "soon".into();
    body
}

async fn counted(house: &House, outcome: &str) -> Option<String> {
    let metrics = house.send(house.bare(Method::GET, "/metrics")).await.text;
    let name = format!("hirebridge_notices_total{{channel=\"webhook\",outcome=\"{outcome}\"}} ");
    metrics.lines().find_map(|line| line.strip_prefix(&name)).map(str::to_owned)
}

#[tokio::test]
async fn a_held_hire_is_told_once_signed_and_without_a_personal_datum() {
    let receiver = Receiver::start().await;
    let mut house = told_of(&receiver, "").await;
    let id = house.deliver(&without_a_date(1)).await.hire();
    house.deliver(&nth(2)).await;
    for _ in 0..3 {
        tell(&house, MINUTE).await;
    }
    house.close().await;
    house.open().await;
    tell(&house, MINUTE).await;
    let all = receiver.came();
    let [came] = &all[..] else { panic!("one notice, not {all:?}") };
    let told = came.json();
    assert_eq!((told["type"].as_str(), told["data"]["hire"].as_str()), (Some("hire.held"), Some(&*id)));
    assert_eq!((&told["data"]["state"], &told["data"]["reason"]), (&json!("held"), &json!("invalid")));
    assert_eq!(told["data"]["source"], "ashby");
    assert_eq!(told["data"]["link"], format!("https://hires.example.com/console/#/hires/{id}"));
    assert!(told["data"]["says"].as_str().is_some_and(|says| !says.is_empty()), "{told}");
    let text = came.text.to_lowercase();
    assert!(!["mia", "beispiel", "soon", "example.org"].iter().any(|datum| text.contains(datum)), "{text}");
    assert!((came.at - start_of_test().as_second()) < 300 && came.id.starts_with("msg_"));
    assert_eq!(counted(&house, "sent").await, None, "the counter began anew");
}

#[tokio::test]
async fn what_is_in_a_notice_and_its_language_can_be_chosen() {
    let receiver = Receiver::start().await;
    let house = told_of(&receiver, "include = [\"name\", \"state\"]\nlanguage = \"de\"").await;
    house.deliver(&without_a_date(1)).await;
    tell(&house, MINUTE).await;
    let data = receiver.came()[0].json()["data"].clone();
    assert_eq!(data["name"], "Mia Beispiel");
    assert!(data["hire"].is_null() && data["link"].is_null(), "{data}");
    assert!(data["remedy"].as_str().is_some_and(|remedy| remedy.contains("Sie")), "{data}");
}

#[tokio::test]
async fn only_what_is_wanted_is_told_and_success_too_if_it_is() {
    let receiver = Receiver::start().await;
    let house = told_of(&receiver, "on = [\"created\"]").await;
    house.deliver(&without_a_date(1)).await;
    house.deliver(&nth(2)).await;
    tell(&house, MINUTE).await;
    assert_eq!(receiver.kinds(), ["hire.created"]);
}

#[tokio::test]
async fn an_unknown_outcome_and_what_a_person_then_has_to_decide_are_two_notices() {
    let receiver = Receiver::start().await;
    let house = told_of(&receiver, "").await;
    house.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::Cut));
    let id = house.deliver(&hire()).await.hire();
    house.service().notices().round().await;
    assert_eq!(receiver.kinds(), ["hire.unknown"]);
    for _ in 0..30 {
        tell(&house, SignedDuration::from_hours(1)).await;
    }
    assert_eq!(state(&house.hire(&id).await), "held(unknown)");
    assert_eq!(receiver.kinds(), ["hire.unknown", "hire.held"]);
}

#[tokio::test]
async fn warnings_and_a_document_that_failed_are_told() {
    let receiver = Receiver::start().await;
    let files = Files::none().await;
    files.resume("f-1", "CV.pdf", pdf("cv", 1000));
    let mut setup = files.setup();
    setup.sections += &receiver.section();
    let house = House::with(setup).await;
    house.sim.misbehave(Fault::new(Operation::UploadDocument, Behaviour::status(403)));
    house.deliver(&hire()).await;
    tell(&house, MINUTE).await;
    tell(&house, MINUTE).await;
    let mut kinds = receiver.kinds();
    kinds.sort();
    assert_eq!(kinds, ["hire.document_failed", "hire.warnings"]);
}

#[tokio::test]
async fn a_credential_that_is_refused_is_told_once_a_day() {
    let receiver = Receiver::start().await;
    let house = told_of(&receiver, "").await;
    let body = json!({"success": false, "error": {"code": 0, "message": "Wrong credentials"}});
    let refusal = Behaviour::Status { code: 403, body: Some(body), retry_after: None };
    house.sim.misbehave(Fault::new(Operation::Auth, refusal));
    house.deliver(&hire()).await;
    for _ in 0..3 {
        tell(&house, MINUTE).await;
    }
    assert_eq!(receiver.kinds(), ["personio.credential_refused"]);
    tell(&house, SignedDuration::from_hours(24)).await;
    assert_eq!(receiver.kinds().len(), 2);
}

#[tokio::test]
async fn a_source_whose_signatures_all_fail_is_told_and_one_that_once_succeeds_is_not() {
    let receiver = Receiver::start().await;
    let house = told_of(&receiver, "").await;
    let wrong =
        || house.bare(Method::POST, "/webhooks/ashby").header("Ashby-Signature", "sha256=00").body("{}");
    for _ in 0..4 {
        assert_eq!(house.send(wrong()).await.status, 401);
    }
    house.deliver(&nth(1)).await;
    for n in 0..5 {
        tell(&house, MINUTE).await;
        assert_eq!(receiver.kinds(), Vec::<String>::new(), "{n}");
        assert_eq!(house.send(wrong()).await.status, 401);
    }
    tell(&house, MINUTE).await;
    tell(&house, MINUTE).await;
    assert_eq!(receiver.kinds(), ["source.signatures"]);
    assert_eq!(receiver.came()[0].json()["data"]["source"], "ashby");
}

#[tokio::test]
async fn a_notice_that_is_not_taken_is_tried_again_under_the_same_id_also_after_a_restart() {
    let receiver = Receiver::start().await;
    receiver.is(Mood::Status(500));
    let mut house = told_of(&receiver, "").await;
    house.deliver(&without_a_date(1)).await;
    house.service().notices().round().await;
    house.service().notices().round().await;
    assert_eq!(receiver.came().len(), 1, "not before its time");
    assert_eq!(counted(&house, "failed").await.as_deref(), Some("1"));
    house.close().await;
    house.open().await;
    tell(&house, MINUTE).await;
    assert_eq!(receiver.came().len(), 2);
    receiver.is(Mood::Status(200));
    tell(&house, MINUTE * 5).await;
    tell(&house, MINUTE * 60).await;
    let all = receiver.came();
    assert_eq!(all.len(), 3);
    assert!(all.iter().all(|came| came.id == all[0].id && came.text == all[0].text), "{all:?}");
    assert!(all[2].at > all[0].at, "each try is signed anew");
    assert_eq!(counted(&house, "sent").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn a_notice_that_nobody_takes_for_three_days_is_given_up() {
    let receiver = Receiver::start().await;
    receiver.is(Mood::Status(500));
    let house = told_of(&receiver, "").await;
    house.deliver(&without_a_date(1)).await;
    for _ in 0..24 {
        tell(&house, SignedDuration::from_hours(6)).await;
    }
    assert_eq!(counted(&house, "given_up").await.as_deref(), Some("1"));
    let tries = receiver.came().len();
    tell(&house, SignedDuration::from_hours(48)).await;
    assert_eq!(receiver.came().len(), tries);
}

#[tokio::test]
async fn a_receiver_that_hangs_keeps_no_hire_waiting() {
    let receiver = Receiver::start().await;
    receiver.is(Mood::Hangs);
    let house = told_of(&receiver, "").await;
    house.deliver(&without_a_date(1)).await;
    house.clock.advance(MINUTE);
    receiver.visited.notified().await;
    assert_eq!(house.deliver(&nth(2)).await.state(), "created", "while the receiver hangs");
    let held = house.deliver(&candidate_hire("a-3", "", "mia3@example.org")).await;
    assert_eq!(held.state(), "held(missing)");
    assert_eq!(receiver.came().len(), 1);
}

#[tokio::test]
async fn two_replicas_tell_a_thing_once() {
    let Some(server) = crate::support::postgres::Postgres::start("two_replicas_tell_a_thing_once").await
    else {
        return;
    };
    let receiver = Receiver::start().await;
    let setup =
        Setup { ledger: Some(server.database("told")), sections: receiver.section(), ..Setup::default() };
    let one = House::with(setup.clone()).await;
    let other = House::beside(&one, setup).await;
    one.deliver(&without_a_date(1)).await;
    tokio::join!(one.service().notices().round(), other.service().notices().round());
    tell(&one, MINUTE).await;
    tell(&other, MINUTE).await;
    assert_eq!(receiver.kinds(), ["hire.held"]);
}

#[tokio::test]
async fn a_receiver_in_a_private_network_or_a_weak_secret_is_refused_in_words() {
    let refused = |lines: &str| {
        let folder = tempfile::TempDir::new().expect("a folder");
        let path = folder.path().join("hirebridge.toml");
        let setup = Setup { sections: format!("[notices.webhook]\n{lines}"), ..Setup::default() };
        let config = crate::support::configuration("http://127.0.0.1:9", folder.path(), &setup);
        std::fs::write(&path, config).expect("writable");
        let loaded = hirebridge::config::Config::load(Some(&path), std::iter::empty());
        loaded.expect_err("it is refused").to_string()
    };
    let secret = "secret = \"whsec_CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=\"\n";
    let private = refused(&format!("url = \"https://10.0.0.7/hook\"\n{secret}"));
    assert!(private.contains("notices.webhook.url") && private.contains("outbound.allow"), "{private}");
    let weak = refused("url = \"https://example.com/hook\"\nsecret = \"whsec_c2hvcnQ=\"\n");
    assert!(weak.contains("notices.webhook.secret") && !weak.contains("c2hvcnQ"), "{weak}");
}

#[tokio::test]
async fn a_mailbox_is_told_once_in_words_and_without_a_personal_datum() {
    let mailbox = Mailbox::start().await;
    let server = "public_url = \"https://hires.example.com\"\n".to_owned();
    let house = House::with(Setup { sections: mailbox.section(), server, ..Setup::default() }).await;
    let id = house.deliver(&without_a_date(1)).await.hire();
    tell(&house, MINUTE).await;
    tell(&house, MINUTE).await;
    let letters = mailbox.letters();
    let [letter] = &letters[..] else { panic!("one letter, not {letters:?}") };
    assert!(letter.contains("RCPT TO:<hr@example.com>") && letter.contains("RCPT TO:<it@example.com>"));
    assert!(letter.contains("Subject: hirebridge: ") && letter.contains("From: hirebridge "), "{letter}");
    assert!(letter.replace("=\n", "").contains(&format!("console/#/hires/{id}")), "{letter}");
    let text = letter.to_lowercase();
    assert!(!["mia", "beispiel", "example.org"].iter().any(|datum| text.contains(datum)), "{letter}");
}

#[tokio::test]
async fn a_mailbox_and_a_url_are_told_each_even_if_the_other_is_not() {
    let (mailbox, receiver) = (Mailbox::start().await, Receiver::start().await);
    receiver.is(Mood::Status(500));
    let sections = mailbox.section() + &receiver.section();
    let house = House::with(Setup { sections, ..Setup::default() }).await;
    house.deliver(&without_a_date(1)).await;
    tell(&house, SignedDuration::ZERO).await;
    assert_eq!((mailbox.letters().len(), receiver.came().len()), (1, 1));
    tell(&house, MINUTE).await;
    assert_eq!((mailbox.letters().len(), receiver.came().len()), (1, 2));
}

#[tokio::test]
async fn a_digest_is_one_letter_a_day_at_its_time_and_none_if_nobody_waits() {
    let mailbox = Mailbox::start().await;
    let sections = mailbox.section() + "mode = \"digest\"\ndigest = \"09:30\"\n";
    let house = House::with(Setup { sections, ..Setup::default() }).await;
    let ids = [1, 2].map(without_a_date);
    for body in &ids {
        house.deliver(body).await;
    }
    tell(&house, MINUTE * 89).await;
    assert_eq!(mailbox.letters(), Vec::<String>::new(), "at 09:29");
    for _ in 0..3 {
        tell(&house, MINUTE).await;
    }
    let letters = mailbox.letters();
    assert_eq!(letters.len(), 1);
    assert!(letters[0].contains("Subject: hirebridge: 2 waiting for a person"), "{}", letters[0]);
    for hire in house.get("/v1/hires").await.json()["hires"].as_array().expect("hires") {
        let id = hire["id"].as_str().expect("an id").to_owned();
        assert!(letters[0].contains(&id), "{}", letters[0]);
        let dismissed = house.post(&format!("/v1/hires/{id}/dismiss"), &json!({"dismissed": true})).await;
        assert_eq!(dismissed.status, 200, "{}", dismissed.text);
    }
    tell(&house, SignedDuration::from_hours(24)).await;
    assert_eq!(mailbox.letters().len(), 1, "nobody waits");
}
