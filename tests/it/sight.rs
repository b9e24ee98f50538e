//! What a person sees: who needs them, who is found by name, what Personio takes and has, how things stand.

use hirebridge::sim::{Behaviour, Fault, Operation, Person};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::ashby::{candidate_hire, hire};
use crate::support::{House, is_problem, state};

fn ids(list: &Value) -> Vec<&str> {
    let hires = list["hires"].as_array().expect("hires");
    hires.iter().map(|hire| hire["id"].as_str().expect("an id")).collect()
}

#[tokio::test]
async fn whoever_needs_a_person_is_listed_until_one_has_decided() {
    let house = House::new().await;
    let created = house.deliver(&hire()).await.hire();
    let mut body = candidate_hire("a-2", "Ben Beispiel", "b@example.org");
    body["data"]["offer"]["latestVersion"]["startDate"] = "soon".into();
    let held = house.deliver(&body).await.hire();
    assert_ne!(created, held);
    let needs = "/v1/hires?needs=person";
    let listed = house.get(needs).await.json();
    assert_eq!(ids(&listed), [held.as_str()], "{listed}");
    let status = house.get("/v1/status").await.json();
    assert_eq!((&status["needs_person"], &status["hires"]["created"]), (&json!(1), &json!(1)), "{status}");
    assert_eq!(status["personio"]["state"], "ok");

    house.post(&format!("/v1/hires/{held}/dismiss"), &json!({})).await;
    assert_eq!(ids(&house.get(needs).await.json()), [] as [&str; 0]);
    house.post(&format!("/v1/hires/{held}/dismiss"), &json!({"dismissed": false})).await;
    assert_eq!(ids(&house.get("/v1/hires?reason=invalid").await.json()), [held.as_str()]);

    // What cannot be sent for a day is a person's as well.
    house.sim.misbehave(Fault::new(Operation::CreateEmployee, Behaviour::status(403)));
    let waits = house.deliver(&candidate_hire("a-3", "Cem Beispiel", "c@example.org")).await.hire();
    assert_eq!(ids(&house.get(needs).await.json()), [held.as_str()]);
    house.pass(SignedDuration::from_hours(25)).await;
    let listed = house.get(needs).await.json();
    assert!(ids(&listed).contains(&waits.as_str()), "{listed}");
}

#[tokio::test]
async fn a_person_is_found_by_name_and_no_name_stands_in_a_url() {
    let house = House::new().await;
    let zoe = house.deliver(&candidate_hire("a-1", "Zoë Müller", "a-1@example.org")).await.hire();
    house.pass(SignedDuration::from_secs(1)).await;
    let max = house.deliver(&candidate_hire("a-2", "Max Mueller-Groß", "a-2@example.org")).await.hire();
    let found = async |body: Value| house.post("/v1/hires/search", &body).await;
    let search = found(json!({"name": "mueller"})).await.json();
    assert_eq!(ids(&search), [max.as_str(), zoe.as_str()]);
    assert_eq!(ids(&found(json!({"name": "ZOE mull"})).await.json()), [zoe.as_str()]);
    assert_eq!(ids(&found(json!({"name": "a-2@example"})).await.json()), [max.as_str()]);
    assert_eq!(ids(&found(json!({"name": "gross", "state": "held"})).await.json()), [] as [&str; 0]);

    // Page by page.
    let first = found(json!({"name": "mueller", "limit": 1})).await.json();
    assert_eq!(ids(&first), [max.as_str()]);
    let second = found(json!({"name": "mueller", "limit": 1, "cursor": first["next_cursor"]})).await.json();
    assert_eq!((ids(&second), &second["next_cursor"]), (vec![zoe.as_str()], &Value::Null));

    is_problem(&found(json!({"name": "m", "stat": "held"})).await, 422, "invalid");
    is_problem(&found(json!({"name": "x".repeat(101)})).await, 422, "invalid");
    is_problem(&house.get("/v1/hires?name=mueller").await, 400, "invalid_query");
}

#[tokio::test]
async fn what_is_in_personio_is_asked_when_somebody_looks() {
    let house = House::new().await;
    let id = house.deliver(&hire()).await.hire();
    let there = format!("/v1/hires/{id}/personio");
    let employee = house.hire(&id).await["employee"]["id"].as_u64().expect("an id");
    let field = |answer: &Value, name: &str| {
        let fields = answer["people"][0]["fields"].as_array().expect("fields");
        fields.iter().find(|field| field["field"] == name).cloned().unwrap_or_else(|| panic!("{answer}"))
    };
    let seen = house.get(&there).await.json();
    assert_eq!(seen["people"][0]["employee"]["id"], employee);
    assert_eq!(
        field(&seen, "position"),
        json!({"field": "position", "verdict": "same", "planned": "Engineer", "there": null})
    );

    // Somebody is there already, and known by another title.
    let position = Some("Team lead".to_owned());
    let known = Person { email: "known@example.org".into(), position, ..Person::default() };
    let known = house.sim.add(known);
    let held = house.deliver(&candidate_hire("a-2", "Kim Bekannt", "known@example.org")).await.hire();
    assert_eq!(state(&house.hire(&held).await), "held(exists)");
    let there = format!("/v1/hires/{held}/personio");
    let seen = house.get(&there).await.json();
    assert_eq!(seen["people"][0]["employee"]["id"], known);
    let planned = house.hire(&held).await["plan"]["employee"]["position"].clone();
    assert_eq!(
        field(&seen, "position"),
        json!({"field": "position", "verdict": "other", "planned": planned, "there": "Team lead"})
    );
    assert!(!house.hire(&held).await.to_string().contains("Team lead"), "nothing of it is kept");

    house.sim.misbehave(Fault::new(Operation::Any, Behaviour::status(503)));
    is_problem(&house.get(&there).await, 502, "personio_unreachable");
}

#[tokio::test]
async fn the_catalog_says_what_a_correction_may_be() {
    let house = House::new().await;
    house.deliver(&hire()).await;
    let catalog = house.get("/v1/catalog").await.json();
    let attributes = catalog["attributes"].as_array().expect("attributes");
    let of =
        |key: &str| attributes.iter().find(|one| one["key"] == key).unwrap_or_else(|| panic!("{catalog}"));
    assert_eq!(attributes[0]["key"], "email");
    assert_eq!((&of("hire_date")["shape"], &of("hire_date")["options"]), (&json!("date"), &Value::Null));
    assert_eq!((&of("status")["shape"], &of("status")["closed"]), (&json!("option"), &json!(true)));
    let own: Vec<_> = attributes
        .iter()
        .filter(|one| one["key"].as_str().is_some_and(|key| key.starts_with("dynamic_")))
        .collect();
    assert_eq!(own.is_empty(), !catalog["learned"].as_bool().expect("a boolean"), "{catalog}");
}
