//! The credential: one token for all, one refresh when it is refused, and nobody knocks while it is not taken.

use hirebridge::sim::{Behaviour, Fault, Operation, Person, Recorded};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::json;

use crate::support::ashby::{candidate_hire, hire, nth};
use crate::support::process::{run, text};
use crate::support::{House, Setup, configuration, state};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

async fn states(house: &House) -> Vec<String> {
    let list = house.get("/v1/hires?limit=200").await.json();
    list["hires"].as_array().expect("hires").iter().map(state).collect()
}

async fn is_counted_as_refused(house: &House) -> bool {
    let metrics = house.send(house.bare(Method::GET, "/metrics")).await.text;
    let line = metrics.lines().find(|line| line.starts_with("hirebridge_personio_credential_refused "));
    match line.unwrap_or_else(|| panic!("the gauge is there: {metrics}")) {
        "hirebridge_personio_credential_refused 1" => true,
        "hirebridge_personio_credential_refused 0" => false,
        other => panic!("{other}"),
    }
}

/// What Personio answers to a client secret that is wrong.
fn wrong_credentials() -> Fault {
    let body = json!({"success": false, "error": {"code": 0, "message": "Wrong credentials"}});
    let refusal = Behaviour::Status { code: 403, body: Some(body), retry_after: None };
    Fault::new(Operation::Auth, refusal)
}

#[tokio::test]
async fn one_token_serves_all_hires_however_many_come_at_once() {
    let house = House::new().await;
    for answer in house.deliver_all(30).await {
        assert_eq!(answer.state(), "created");
    }
    assert_eq!((house.sim.calls(Operation::Auth), house.sim.creates()), (1, 30));
}

#[tokio::test]
async fn a_token_revoked_between_look_up_and_create_is_renewed_once_and_the_hire_created_once() {
    for refusal in [401, 403] {
        let house = House::new().await;
        house.sim.adjust(|manner| manner.refusal_status = refusal);
        house.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::RevokeToken));
        assert_eq!(house.deliver(&hire()).await.state(), "created", "{refusal}");
        assert_eq!((house.sim.calls(Operation::Auth), house.sim.creates()), (2, 2), "{refusal}");
        assert_eq!(house.sim.employees().len(), 1, "{refusal}");
    }
}

#[tokio::test]
async fn a_token_revoked_with_fifty_hires_in_flight_is_renewed_for_all_of_them_together() {
    let house = House::new().await;
    house.sim.misbehave(Fault::new(Operation::ListEmployees, Behaviour::Wait).times(50));
    // One refusal comes so late that the others have a new token already: it must not cost another.
    house.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::Latency { ms: 300 }));
    house.sim.misbehave(Fault::new(Operation::CreateEmployee, Behaviour::Wait).times(50));
    let refuse_all_at_once = async {
        house.sim.arrival(Operation::ListEmployees, 50).await;
        house.sim.revoke_token();
        house.sim.release_answers();
        house.sim.arrival(Operation::CreateEmployee, 50).await;
        house.sim.release_answers();
    };
    let (answers, ()) = tokio::join!(house.deliver_all(50), refuse_all_at_once);
    for answer in answers {
        assert_eq!(state(&house.hire(&answer.hire()).await), "created");
    }
    assert_eq!((house.sim.creates(), house.sim.employees().len()), (100, 50));
    assert_eq!(house.sim.calls(Operation::Auth), 2);
}

#[tokio::test]
async fn with_a_wrong_secret_hires_are_taken_and_wait_until_it_is_mended() {
    let house = House::new().await;
    house.sim.misbehave(wrong_credentials());
    for minute in 0..5 {
        let answer = house.deliver(&nth(minute)).await;
        assert_eq!(answer.state(), "waiting(credential)");
        house.pass(MINUTE / 2).await;
        assert_eq!(house.deliver(&nth(100 + minute)).await.state(), "waiting(credential)");
        house.pass(MINUTE / 2).await;
        let calls = house.sim.calls(Operation::Auth);
        assert!(calls <= 2 * (minute + 1) + 1, "{calls} calls in {} minutes", minute + 1);
    }
    assert!(is_counted_as_refused(&house).await);
    assert_eq!(house.sim.creates(), 0);

    house.sim.behave();
    house.pass(MINUTE).await;
    house.pass(SignedDuration::from_secs(1)).await;
    assert_eq!(states(&house).await, vec!["created"; 10]);
    assert_eq!((house.sim.creates(), house.sim.employees().len()), (10, 10));
    assert!(!is_counted_as_refused(&house).await);
}

#[tokio::test]
async fn while_the_credential_is_refused_one_waiting_hire_a_minute_tries() {
    let house = House::new().await;
    house.sim.misbehave(wrong_credentials());
    for answer in house.deliver_all(20).await {
        assert_eq!(answer.state(), "waiting(credential)");
    }
    let before = house.sim.calls(Operation::Any);
    for minute in 1..=10 {
        for _ in 0..4 {
            house.pass(MINUTE / 4).await;
        }
        assert!(house.sim.calls(Operation::Any) - before <= minute, "in {minute} minutes");
    }
    assert!(house.sim.calls(Operation::Any) - before >= 9, "it does try");
}

#[tokio::test]
async fn without_the_right_to_create_hires_wait_and_are_created_once_when_it_is_given() {
    let house = House::new().await;
    house.sim.adjust(|manner| manner.rights.employees_write = false);
    for answer in house.deliver_all(20).await {
        house.hire(&answer.hire()).await;
    }
    assert_eq!(states(&house).await, vec!["waiting(credential)"; 20]);
    assert!(is_counted_as_refused(&house).await);
    let (creates, tokens) = (house.sim.creates(), house.sim.calls(Operation::Auth));
    for minute in 1..=10 {
        house.pass(MINUTE).await;
        let late = house.deliver(&nth(20 + minute)).await;
        assert_eq!(late.state(), "waiting(credential)");
        assert!(is_counted_as_refused(&house).await, "a look-up that works does not open the gate");
        let tried = house.sim.creates() - creates;
        assert!(tried <= 2 * minute, "{tried} creates in {minute} minutes");
    }
    assert!(house.sim.creates() > creates, "it does try");
    assert!(house.sim.calls(Operation::Auth) - tokens <= 10);

    house.sim.adjust(|manner| manner.rights.employees_write = true);
    house.pass(MINUTE).await;
    house.pass(SignedDuration::from_secs(1)).await;
    assert_eq!(states(&house).await, vec!["created"; 30]);
    assert_eq!(house.sim.employees().len(), 30);
    assert!(!is_counted_as_refused(&house).await);
}

#[tokio::test]
async fn while_no_token_can_be_had_a_hire_waits_and_is_sent_later() {
    let cases = [
        (Behaviour::too_many(Some("60")), "waiting(throttled)"),
        (Behaviour::status(500), "waiting(unreachable)"),
        (Behaviour::Cut, "waiting(unreachable)"),
    ];
    for (trouble, expected) in cases {
        let house = House::new().await;
        house.sim.misbehave(Fault::new(Operation::Auth, trouble.clone()));
        let id = house.deliver(&hire()).await.hire();
        assert_eq!(state(&house.hire(&id).await), expected, "{trouble:?}");
        assert_eq!(house.sim.creates(), 0, "{trouble:?}");
        house.sim.behave();
        house.pass(2 * MINUTE).await;
        assert_eq!(state(&house.hire(&id).await), "created", "{trouble:?}");
        assert_eq!(house.sim.creates(), 1, "{trouble:?}");
    }
}

/// Everything about a request that is no body.
fn outside(request: &Recorded) -> String {
    format!("{} {}", request.path, request.query.as_deref().unwrap_or_default())
}

#[tokio::test]
async fn every_call_says_who_asks_and_none_carries_the_credential_in_its_url() {
    let house = House::new().await;
    house.deliver(&hire()).await.hire();
    house.get("/v1/check").await;
    let requests = house.sim.requests();
    assert!(requests.len() >= 4);
    for request in &requests {
        assert_eq!(request.app_id.as_deref(), Some("HIREBRIDGE"), "{request:?}");
        assert_eq!(request.partner_id, None, "{request:?}");
        for secret in ["sim-client", "papi-"] {
            assert!(!outside(request).contains(secret), "{request:?}");
        }
    }
}

#[tokio::test]
async fn the_partner_id_is_sent_only_if_it_is_configured() {
    let house = House::new().await;
    let config = configuration(&house.sim.url(), house.folder.path(), &Setup::default())
        .replace("[personio]", "[personio]\napp_id = \"ACME_BRIDGE\"\npartner_id = \"ACME\"")
        .replace("/ledger.db", "/other.db");
    let file = house.folder.path().join("partner.toml");
    std::fs::write(&file, config).expect("writable");
    let folder = house.folder.path().to_owned();
    let check = tokio::task::spawn_blocking(move || run(&folder, &["check", "--config", "partner.toml"]));
    let output = check.await.expect("it runs");
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    let requests = house.sim.requests();
    assert!(requests.len() >= 3);
    for request in requests {
        assert_eq!(request.partner_id.as_deref(), Some("ACME"), "{request:?}");
        assert_eq!(request.app_id.as_deref(), Some("ACME_BRIDGE"), "{request:?}");
    }
}

#[tokio::test]
async fn an_address_is_looked_up_as_it_is_whatever_is_in_it() {
    let house = House::new().await;
    let there = |email: &str| Person {
        email: email.into(),
        first_name: "Bo".into(),
        last_name: "Beispiel".into(),
        ..Person::default()
    };
    house.sim.add(there("bo@example.org"));
    house.sim.add(there("mia+1@example.org"));
    let cases = [
        ("x&email=bo@example.org", "created"),
        ("x#bo@example.org", "created"),
        ("x%26email=bo@example.org", "created"),
        ("mia%2b1@example.org", "created"),
        ("mia+1@example.org", "held(exists)"),
    ];
    for (n, (email, expected)) in cases.into_iter().enumerate() {
        let answer = house.deliver(&candidate_hire(&format!("a-{n}"), "Mia Beispiel", email)).await;
        assert_eq!(answer.state(), expected, "{email}");
        let requests = house.sim.requests();
        let look_up = requests.iter().rfind(|request| request.operation == Operation::ListEmployees);
        let query = look_up.and_then(|request| request.query.clone()).expect("a query");
        let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let emails: Vec<_> = pairs.iter().filter(|(name, _)| name == "email").collect();
        assert_eq!(emails, [&("email".to_owned(), email.to_owned())]);
    }
}
