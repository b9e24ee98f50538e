//! A person points at somebody, by a link or an id of the ATS; an admin has stored deliveries read again.

use aws_lc_rs::hmac;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::ashby::{fixture, hire};
use crate::support::ashby_api::{APPLICATION, Ashby, Says};
use crate::support::{ADMIN, House, Reply, SENDER, Setup, is_problem, notes, state};

const CANDIDATE: &str = "00000011-1111-4222-8333-000000000011";

async fn fetch(house: &House, reference: &str) -> Reply {
    let body = json!({"source": "ashby", "reference": reference});
    house.ask(Method::POST, "/v1/hires/fetch", SENDER, Some(&body)).await
}

async fn replay(house: &House, id: &str) -> Reply {
    house.ask(Method::POST, &format!("/v1/hires/{id}/replay"), ADMIN, None).await
}

fn id(reply: &Reply) -> String {
    reply.json()["id"].as_str().unwrap_or_else(|| panic!("{}", reply.text)).to_owned()
}

#[tokio::test]
async fn whoever_is_pointed_at_is_fetched_looked_at_and_sent_once() {
    let ashby = Ashby::healthy();
    let house = ashby.house("").await;
    let fetched = fetch(&house, &format!("https://app.ashbyhq.com/candidates/{CANDIDATE}")).await;
    assert_eq!(fetched.status, 201, "{}", fetched.text);
    let hire = fetched.json();
    assert_eq!(state(&hire), "held(review)");
    assert_eq!((&hire["ats_id"], &hire["source"]), (&json!(APPLICATION), &json!("ashby")));
    assert_eq!(hire["facts"]["candidate"]["email"], "joerg.mueller@example.com");
    assert_eq!(hire["plan"]["employee"]["office"], "Berlin");
    assert!(!notes(&hire).contains(&"not_hired_at_the_ats"));
    assert_eq!(fetched.headers["location"], format!("/v1/hires/{}", id(&fetched)));
    ashby.was_asked_rightly();

    // By its id, and by the webhook, it is the same.
    let again = fetch(&house, APPLICATION).await;
    assert_eq!((again.status.as_u16(), id(&again)), (200, id(&fetched)));
    let delivered = house.deliver(&fixture("candidateHire")).await;
    assert_eq!((delivered.hire(), house.sim.creates()), (id(&fetched), 0));

    let one = format!("/v1/hires/{}", id(&fetched));
    let preview = house.post(&format!("{one}/preview"), &json!({})).await.json();
    let sent = house.post(&format!("{one}/send"), &json!({"plan_hash": preview["plan"]["hash"]})).await;
    assert_eq!((sent.status.as_u16(), house.sim.creates()), (200, 1), "{}", sent.text);
    let again = fetch(&house, CANDIDATE).await;
    assert_eq!((state(&again.json()), house.sim.creates()), ("created".into(), 1));
}

#[tokio::test]
async fn whoever_is_not_hired_at_the_ats_is_marked() {
    let mut application = fixture("applicationUpdate-hired")["data"]["application"].clone();
    application["status"] = "Active".into();
    let ashby = Ashby::healthy().says("application.info", Says::results(&application));
    let house = ashby.house("").await;
    let fetched = fetch(&house, APPLICATION).await;
    assert_eq!(fetched.status, 201, "{}", fetched.text);
    assert!(notes(&fetched.json()).contains(&"not_hired_at_the_ats"), "{}", fetched.text);
}

#[tokio::test]
async fn what_means_nobody_or_cannot_be_asked_is_refused_with_the_reason() {
    let ashby = Ashby::healthy();
    let house = ashby.house("").await;
    is_problem(&fetch(&house, "mia").await, 422, "invalid");
    ashby.now_says("application.info", Says::error("application_not_found"));
    ashby.now_says("candidate.info", Says::error("candidate_not_found"));
    let nobody = fetch(&house, CANDIDATE).await;
    is_problem(&nobody, 422, "invalid");
    assert_eq!(nobody.json()["errors"][0]["field"], "reference");
    ashby.now_says("application.info", Says::Status(500));
    is_problem(&fetch(&house, APPLICATION).await, 503, "ats_unavailable");

    let without_key = House::new().await;
    for (house, expected) in [(&house, true), (&without_key, false)] {
        assert_eq!(house.get("/v1/sources").await.json()["sources"][0]["can_be_asked"], expected);
    }
    is_problem(&fetch(&without_key, APPLICATION).await, 422, "source_not_askable");
    let body = json!({"source": "other", "reference": "x"});
    is_problem(&without_key.post("/v1/hires/fetch", &body).await, 422, "unknown_source");
    assert_eq!(house.get("/v1/hires").await.json()["hires"], json!([]));
}

#[tokio::test]
async fn a_hire_that_a_rule_held_goes_on_when_the_rule_is_mended_and_it_is_read_again() {
    let sections = |required| {
        format!(
            "[mapping.fields]\nweekly_working_hours = {{ from = \"custom.Hours\", required = {required} }}\n"
        )
    };
    let mut house = House::with(Setup { sections: sections(true), ..Setup::default() }).await;
    let id = house.deliver(&hire()).await.hire();
    assert_eq!(state(&house.hire(&id).await), "held(missing)");
    let still = replay(&house, &id).await;
    assert_eq!((state(&still.json()), house.sim.creates()), ("held(missing)".into(), 0));

    house.reconfigure(|setup| setup.sections = sections(false)).await;
    let sent = replay(&house, &id).await;
    assert_eq!((state(&sent.json()), house.sim.creates()), ("created".into(), 1), "{}", sent.text);
    is_problem(&replay(&house, &id).await, 409, "wrong_state");

    let typed = json!({"candidate": {"email": "b@example.org"}, "source": "ashby", "ats_id": "a-9"});
    let typed = house.post("/v1/hires", &typed).await;
    is_problem(&replay(&house, typed.json()["id"].as_str().expect("an id")).await, 422, "nothing_to_replay");
}

#[tokio::test]
async fn what_could_not_be_read_becomes_its_hire_when_it_can_be() {
    let sections = |place: &str| {
        format!(
            "[sources.hr]\nkind = \"generic\"\nsecrets = [\"a-secret-of-the-test\"]\n\
             [sources.hr.signature]\nheader = \"x-signature\"\n[sources.hr.delivery]\napplication = \"{place}\"\n\
             [sources.hr.facts]\n\"candidate.first_name\" = \"$.first\"\n\"candidate.last_name\" = \"$.last\"\n\
             \"candidate.email\" = \"$.email\"\n"
        )
    };
    let mut house = House::with(Setup { sections: sections("$.nowhere"), ..Setup::default() }).await;
    let body =
        json!({"id": "17", "first": "Mia", "last": "Beispiel", "email": "mia@example.org"}).to_string();
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"a-secret-of-the-test");
    let signature = hex::encode(hmac::sign(&key, body.as_bytes()));
    let deliver = async |house: &House| {
        let request = house.bare(Method::POST, "/webhooks/hr").header("X-Signature", &signature);
        house.send(request.body(body.clone())).await
    };
    let unread = deliver(&house).await.hire();
    assert_eq!(state(&house.hire(&unread).await), "held(unreadable)");
    is_problem(&replay(&house, &unread).await, 422, "unreadable_payload");

    house.reconfigure(|setup| setup.sections = sections("$.id")).await;
    let read = replay(&house, &unread).await;
    assert_eq!(
        (state(&read.json()), &read.json()["ats_id"]),
        ("created".into(), &json!("17")),
        "{}",
        read.text
    );
    let old = house.hire(&unread).await;
    assert_eq!(old["flags"]["dismissed"], true);
    assert!(notes(&old).iter().any(|note| note.starts_with("replayed_as:")), "{old}");
    // Read once more, and delivered once more, it is the same hire.
    assert_eq!(id(&replay(&house, &unread).await), id(&read));
    assert_eq!((deliver(&house).await.hire(), house.sim.creates()), (id(&read), 1));
    let needs: Value = house.get("/v1/hires?needs=person").await.json();
    assert_eq!(needs["hires"], json!([]));
}
