//! Rules on facts: which hires are not for Personio, and which are looked at first.

use hirebridge::config::Config;
use hirebridge::sim::{Behaviour, Fault, Operation};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::ashby::{candidate_hire, hire, with_field, without_offer};
use crate::support::{House, Setup, configuration, is_problem, notes, state};

/// Interns stay out; so does whoever the ATS is tested with, whatever the source.
const RULES: &str = r#"
[[sources.ashby.ignore]]
name = "interns"
fact = "custom.Contract"
is = ["Intern", "Working student"]
[[ignore]]
fact = "candidate.email"
like = "*@test.example"
"#;

async fn house(sections: &str) -> House {
    House::with(Setup { sections: sections.into(), ..Setup::default() }).await
}

fn intern() -> Value {
    with_field(hire(), "Contract", "Intern")
}

/// Sends what is stored of a hire, as a person does who has looked at it.
async fn send(house: &House, id: &str) -> Value {
    let plan = house.post(&format!("/v1/hires/{id}/preview"), &json!({})).await.json()["plan"].clone();
    let sent = house.post(&format!("/v1/hires/{id}/send"), &json!({"plan_hash": plan["hash"]})).await;
    assert_eq!(sent.status, 200, "{}", sent.text);
    house.hire(id).await
}

#[tokio::test]
async fn an_ignored_hire_is_kept_and_counted_with_the_rule_and_nobody_calls_personio() {
    let house = house(RULES).await;
    let answer = house.deliver(&intern()).await;
    assert_eq!(answer.state(), "ignored(rule)");
    let test = house.deliver(&candidate_hire("a-2", "Test Person", "Test@Test.example")).await;
    assert_eq!((house.sim.requests().len(), test.state().as_str()), (0, "ignored(rule)"));
    assert_eq!(notes(&house.hire(&test.hire()).await), ["ignored_by:candidate.email"]);

    let stored = house.hire(&answer.hire()).await;
    assert_eq!((state(&stored).as_str(), notes(&stored)), ("ignored(rule)", vec!["ignored_by:interns"]));
    assert_eq!(stored["plan"]["employee"]["email"], "mia@example.org", "it is planned all the same");
    let listed = house.get("/v1/hires?state=ignored").await.json();
    assert_eq!(listed["hires"].as_array().map(Vec::len), Some(2));
    let metrics = house.get("/metrics").await.text;
    assert!(metrics.lines().any(|line| line.contains("ignored") && line.ends_with(" 2")), "{metrics}");

    // It rests: neither time nor a repeat sends it.
    house.pass(SignedDuration::from_hours(100)).await;
    assert_eq!(house.deliver(&intern()).await.state(), "ignored(rule)");
    let employee =
        with_field(candidate_hire("a-3", "Ada Muster", "ada@example.org"), "Contract", "Permanent");
    assert_eq!(house.deliver(&employee).await.state(), "created");
    assert_eq!(house.sim.creates(), 1);
}

#[test]
fn a_rule_that_cannot_work_refuses_the_start_with_its_line_and_the_nearest_fact() {
    let folder = tempfile::TempDir::new().expect("a folder can be made");
    let path = folder.path().join("hirebridge.toml");
    let sections = "[[ignore]]\nfact = \"job.contry\"\nis = \"FR\"\n\
        [[sources.ashby.ignore]]\nfact = \"job.country\"\n";
    let setup = Setup { sections: sections.into(), ..Setup::default() };
    let text = configuration("http://127.0.0.1:1", folder.path(), &setup);
    std::fs::write(&path, &text).expect("writable");
    let refused = Config::load(Some(&path), std::iter::empty()).expect_err("two mistakes").to_string();
    let line = |of: &str| 1 + text.lines().position(|line| line == of).expect("is there");
    for expected in [
        format!("toml:{}: `ignore[0].fact`", line("fact = \"job.contry\"")),
        "there is no fact `job.contry`; did you mean `job.country`?".to_owned(),
        format!("toml:{}: `sources.ashby.ignore[0]`", line("[[sources.ashby.ignore]]")),
    ] {
        assert!(refused.contains(&expected), "{expected}\n{refused}");
    }
}

#[tokio::test]
async fn a_preview_says_that_a_rule_would_ignore_the_hire() {
    let house = house(RULES).await;
    let preview = house.post("/v1/hires/preview", &json!({"source": "ashby", "payload": intern()})).await;
    assert_eq!(notes(&preview.json()["plan"]), ["ignored_by:interns"]);
}

#[tokio::test]
async fn a_person_can_send_an_ignored_hire() {
    let house = house(RULES).await;
    let id = house.deliver(&intern()).await.hire();
    is_problem(
        &house.post(&format!("/v1/hires/{id}/send"), &json!({"plan_hash": "x"})).await,
        409,
        "plan_changed",
    );
    // Personio is away just then: what the person said holds when it is back, and when facts are added meanwhile.
    house.sim.misbehave(Fault::new(Operation::ListEmployees, Behaviour::Cut));
    let waiting = send(&house, &id).await;
    assert_eq!(state(&waiting), "waiting(unreachable)");
    house.sim.behave();
    house.deliver(&with_field(intern(), "Shirt", "M")).await;
    house.pass(SignedDuration::from_mins(20)).await;
    let sent = house.hire(&id).await;
    assert_eq!((state(&sent).as_str(), house.sim.creates()), ("created", 1));
    assert_eq!(notes(&sent), ["ignored_by:interns"]);
}

#[tokio::test]
async fn what_was_ignored_and_is_no_longer_waits_for_a_person() {
    let rule = "[[sources.ashby.ignore]]\nfact = \"offer.start_date\"\nmissing = true";
    let house = house(rule).await;
    let first =
        house.deliver(&without_offer("applicationUpdate", "a-1", "Mia Beispiel", "mia@example.org")).await;
    assert_eq!(first.state(), "ignored(rule)");
    house.deliver(&hire()).await;
    let later = house.hire(&first.hire()).await;
    assert_eq!(state(&later), "held(review)");
    assert_eq!((notes(&later), house.sim.creates()), (vec!["ignored_by:offer.start_date"], 0));
    assert_eq!(state(&send(&house, &first.hire()).await), "created");
}

#[tokio::test]
async fn a_fuller_delivery_within_the_settling_time_is_judged_with_the_first() {
    let rule = "[[sources.ashby.ignore]]\nfact = \"offer.start_date\"\nmissing = true";
    let setup = Setup { sections: rule.into(), settle: Some("3s".into()), ..Setup::default() };
    let house = House::with(setup).await;
    house.deliver(&without_offer("applicationUpdate", "a-1", "Mia Beispiel", "mia@example.org")).await;
    assert_eq!(house.deliver(&hire()).await.state(), "created");
}

#[tokio::test]
async fn an_ignored_hire_that_the_ats_takes_back_is_cancelled_and_a_new_decision_is_judged_anew() {
    let house = house(RULES).await;
    let id = house.deliver(&intern()).await.hire();
    let mut back = intern();
    back["action"] = "applicationUpdate".into();
    back["data"]["application"]["status"] = "Active".into();
    back["data"]["application"]["updatedAt"] = "2026-11-19T10:00:00.000Z".into();
    assert_eq!(house.deliver(&back).await.state(), "cancelled(unhired)");
    let mut again = intern();
    again["data"]["application"]["updatedAt"] = "2026-11-20T10:00:00.000Z".into();
    assert_eq!(house.deliver(&again).await.hire(), id);
    assert_eq!(state(&house.hire(&id).await), "ignored(rule)");
}

#[tokio::test]
async fn a_source_can_have_each_of_its_hires_looked_at() {
    let house = House::with(Setup { ashby: "review = true".into(), ..Setup::default() }).await;
    let answer = house.deliver(&hire()).await;
    assert_eq!((answer.state().as_str(), house.sim.requests().len()), ("held(review)", 0));
    let preview = house.post("/v1/hires/preview", &json!({"source": "ashby", "payload": hire()})).await;
    assert_eq!(preview.json()["plan"]["sendable"], false, "not by itself");
    assert_eq!(state(&send(&house, &answer.hire()).await), "created");
    assert_eq!(house.sim.creates(), 1);
}
