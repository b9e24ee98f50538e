//! By hand: preview, correct, send exactly that, type a hire, dismiss, link.

use aws_lc_rs::digest::{SHA256, digest};
use hirebridge::sim::{Behaviour, Fault, MetaShape, Operation, Person};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::ashby::{candidate_hire, hire, with_field};
use crate::support::{House, Reply, SENDER, Setup, is_problem, state};

/// The hash of what was sent last, made from the request that Personio got.
fn hash_sent(house: &House) -> String {
    let requests = house.sim.requests();
    let create = requests.iter().rfind(|request| request.operation == Operation::CreateEmployee);
    let employee = &create.expect("something was sent").body["employee"];
    let canonical = serde_json_canonicalizer::to_vec(&json!({"employee": employee, "documents": []}));
    hex::encode(digest(&SHA256, &canonical.expect("JSON has a canonical form")))
}

/// The plan of a preview.
async fn plan(house: &House, path: &str, body: &Value) -> Value {
    let reply = house.post(path, body).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()["plan"].clone()
}

async fn count(house: &House) -> usize {
    house.get("/v1/hires").await.json()["hires"].as_array().expect("hires").len()
}

/// A request with an Idempotency-Key.
async fn enter(house: &House, key: &str, body: &Value) -> Reply {
    let request = house.bare(Method::POST, "/v1/hires").bearer_auth(SENDER).json(body);
    house.send(request.header("Idempotency-Key", key)).await
}

fn typed() -> Value {
    json!({
        "candidate": {"first_name": "Mia", "last_name": "Beispiel", "email": "mia@example.org"},
        "job": {"title": "Engineer", "department": "Engineering", "location": "Berlin"},
        "offer": {"start_date": "2027-02-01", "weekly_hours": 38.5},
    })
}

/// A hire that is held because its date is none; its id.
async fn held(house: &House) -> String {
    let mut body = hire();
    body["data"]["offer"]["latestVersion"]["startDate"] = "soon".into();
    let answer = house.deliver(&body).await;
    assert_eq!(answer.state(), "held(invalid)");
    answer.hire()
}

/// A hire whose outcome nobody knows although it was looked for; its id.
async fn lost(house: &House, fault: Fault) -> String {
    // Whoever was created is not found, until the simulator behaves again.
    let hidden = Behaviour::Invisible { lookups: None, ms: None };
    house.sim.misbehave(Fault::once(Operation::CreateEmployee, hidden));
    house.sim.misbehave(fault);
    let id = house.deliver(&hire()).await.hire();
    for _ in 0..26 {
        house.pass(SignedDuration::from_hours(1)).await;
    }
    house.sim.behave();
    assert_eq!(state(&house.hire(&id).await), "held(unknown)");
    id
}

#[tokio::test]
async fn a_preview_writes_nothing_and_its_hash_is_that_of_what_is_sent() {
    // A marker is part of what is sent, and so of the hash.
    for transfer in ["", "marker = \"dynamic_101\""] {
        let house = House::with(Setup { transfer: transfer.into(), ..Setup::default() }).await;
        let payload = json!({"source": "ashby", "payload": hire()});
        let previewed = plan(&house, "/v1/hires/preview", &payload).await;
        let as_text = json!({"source": "ashby", "payload": hire().to_string()});
        assert_eq!(plan(&house, "/v1/hires/preview", &as_text).await, previewed);
        assert_eq!((count(&house).await, house.sim.requests().len()), (0, 0));
        let id = house.deliver(&hire()).await.hire();
        assert_eq!(house.hire(&id).await["plan"]["hash"], previewed["hash"]);
        assert_eq!(previewed["hash"], hash_sent(&house));
        // To preview what has been sent shows what was sent.
        let again = plan(&house, &format!("/v1/hires/{id}/preview"), &json!({})).await;
        assert_eq!((&again["hash"], house.sim.creates()), (&previewed["hash"], 1));
    }
}

#[tokio::test]
async fn a_stored_hire_is_sent_as_corrected_once_and_only_with_the_hash_of_its_preview() {
    let house = House::new().await;
    let id = held(&house).await;
    let (preview, send) = (format!("/v1/hires/{id}/preview"), format!("/v1/hires/{id}/send"));
    let corrections =
        json!({"hire_date": "2027-03-01", "office": "Munich", "position": null, "dynamic_105": 7});
    let before = house.hire(&id).await;
    let uncorrected = plan(&house, &preview, &json!({})).await;
    let corrected = plan(&house, &preview, &json!({"corrections": corrections})).await;
    assert_eq!((&uncorrected["sendable"], &corrected["sendable"]), (&json!(false), &json!(true)));
    assert_eq!(house.hire(&id).await, before, "a preview writes nothing");

    // The hash is of another plan: the difference is shown as far as the other plan is known.
    let body = json!({"plan_hash": uncorrected["hash"], "corrections": corrections});
    let refused = house.post(&send, &body).await;
    is_problem(&refused, 409, "plan_changed");
    let expected = json!([
        {"field": "dynamic_105", "yours": null, "now": "7"},
        {"field": "hire_date", "yours": null, "now": "2027-03-01"},
        {"field": "office", "yours": null, "now": "Munich"},
        {"field": "position", "yours": "Engineer", "now": null},
    ]);
    assert_eq!(refused.json()["difference"], expected);
    assert_eq!(refused.json()["plan"]["hash"], corrected["hash"]);
    is_problem(&house.post(&send, &json!({"plan_hash": corrected["hash"]})).await, 409, "plan_changed");
    let unsendable = house.post(&send, &json!({"plan_hash": uncorrected["hash"]})).await;
    is_problem(&unsendable, 422, "not_sendable");
    let wrong = json!({"plan_hash": "x", "corrections": {"hire_date": "soon", "offcie": "Berlin"}});
    let wrong = house.post(&send, &wrong).await;
    is_problem(&wrong, 422, "invalid");
    assert_eq!(wrong.json()["errors"].as_array().map(Vec::len), Some(2));
    assert_eq!(house.hire(&id).await, before);
    assert_eq!(house.sim.creates(), 0);

    let body = json!({"plan_hash": corrected["hash"], "corrections": corrections});
    let sent = house.post(&send, &body).await;
    assert_eq!((sent.status.as_u16(), sent.state().as_str()), (200, "created"), "{}", sent.text);
    assert_eq!(corrected["hash"], hash_sent(&house));
    let person = &house.sim.employees()[0].person;
    assert_eq!((person.office.as_deref(), person.position.as_deref()), (Some("Munich"), None));
    assert_eq!(person.hire_date.map(|date| date.to_string()).as_deref(), Some("2027-03-01"));
    assert_eq!(person.custom_attributes["dynamic_105"], "7");
    let again = house.post(&send, &body).await;
    is_problem(&again, 409, "wrong_state");
    assert_eq!((&again.json()["state"], house.sim.creates()), (&json!("created"), 1));
}

#[tokio::test]
async fn the_difference_is_told_from_whatever_preview_was_looked_at() {
    let house = House::new().await;
    let id = held(&house).await;
    let (preview, send) = (format!("/v1/hires/{id}/preview"), format!("/v1/hires/{id}/send"));
    let of = |date: &str| json!({"hire_date": date, "office": "Munich"});
    let seen = plan(&house, &preview, &json!({"corrections": of("2027-03-01")})).await;
    let body = json!({"plan_hash": seen["hash"], "corrections": of("2027-04-01")});
    let refused = house.post(&send, &body).await;
    is_problem(&refused, 409, "plan_changed");
    let expected = json!([{"field": "hire_date", "yours": "2027-03-01", "now": "2027-04-01"}]);
    assert_eq!(refused.json()["difference"], expected);

    let seen = plan(&house, "/v1/hires/preview", &typed()).await;
    let mut changed = typed();
    changed["job"]["title"] = json!("Gardener");
    changed["plan_hash"] = seen["hash"].clone();
    let refused = enter(&house, "key-1", &changed).await;
    is_problem(&refused, 409, "plan_changed");
    let expected = json!([{"field": "position", "yours": seen["employee"]["position"], "now": "Gardener"}]);
    assert_eq!((&refused.json()["difference"], house.sim.creates()), (&expected, 0));
}

#[tokio::test]
async fn two_people_who_click_at_once_send_once() {
    let house = House::new().await;
    let id = held(&house).await;
    let corrections = json!({"hire_date": "2027-03-01"});
    let path = format!("/v1/hires/{id}/preview");
    let hash = plan(&house, &path, &json!({"corrections": corrections})).await["hash"].clone();
    let (send, body) =
        (format!("/v1/hires/{id}/send"), json!({"plan_hash": hash, "corrections": corrections}));
    let clicks = (0..6).map(|_| house.post(&send, &body));
    let answers = futures_util::future::join_all(clicks).await;
    let taken = answers.iter().filter(|answer| answer.status == 200).count();
    assert!(answers.iter().all(|answer| [200, 409].contains(&answer.status.as_u16())));
    assert_eq!((taken, house.sim.creates()), (1, 1));
}

#[tokio::test]
async fn a_typed_hire_waits_for_review_or_is_sent_with_the_hash_of_its_preview() {
    let house = House::new().await;
    let previewed = plan(&house, "/v1/hires/preview", &typed()).await;
    assert_eq!(count(&house).await, 0);
    let entered = enter(&house, "k-1", &typed()).await;
    assert_eq!((entered.status.as_u16(), entered.state().as_str()), (201, "held(review)"));
    let id = entered.json()["id"].as_str().expect("an id").to_owned();
    assert_eq!(entered.headers["location"], format!("/v1/hires/{id}"));
    assert_eq!(entered.json()["plan"]["hash"], previewed["hash"]);
    assert_eq!(entered.json()["history"][0]["actor"], "operator:mia");

    let repeat = enter(&house, "k-1", &typed()).await;
    assert_eq!((repeat.status.as_u16(), &repeat.json()["id"]), (200, &json!(id)));
    let mut other = typed();
    other["job"]["title"] = "Cook".into();
    is_problem(&enter(&house, "k-1", &other).await, 422, "idempotency_key_reused");
    let mut elsewhere = typed();
    elsewhere["source"] = "ashby".into();
    is_problem(&enter(&house, "k-1", &elsewhere).await, 422, "idempotency_key_reused");
    is_problem(&house.post("/v1/hires", &typed()).await, 400, "idempotency_key_missing");
    is_problem(&enter(&house, &"k".repeat(256), &typed()).await, 400, "idempotency_key_invalid");
    assert_eq!((count(&house).await, house.sim.creates()), (1, 0));

    let mut at_once = typed();
    at_once["candidate"]["email"] = "mia2@example.org".into();
    let hash = plan(&house, "/v1/hires/preview", &at_once).await["hash"].clone();
    at_once["plan_hash"] = "0".repeat(64).into();
    is_problem(&enter(&house, "k-2", &at_once).await, 409, "plan_changed");
    assert_eq!(count(&house).await, 1, "what was refused is not stored");
    at_once["plan_hash"] = hash.clone();
    for status in [201, 200] {
        let sent = enter(&house, "k-2", &at_once).await;
        assert_eq!((sent.status.as_u16(), sent.state().as_str()), (status, "created"), "{}", sent.text);
    }
    assert_eq!((hash, house.sim.creates()), (json!(hash_sent(&house)), 1));
    assert_eq!(house.sim.employees()[0].person.weekly_working_hours, Some(38.5));
}

#[tokio::test]
async fn the_marker_of_a_typed_hire_is_in_its_preview_too() {
    let house = House::with(Setup { transfer: "marker = \"dynamic_101\"".into(), ..Setup::default() }).await;
    let mut by_ats_id = typed();
    (by_ats_id["source"], by_ats_id["ats_id"]) = (json!("ashby"), json!("a-1"));
    let mut by_key = typed();
    by_key["candidate"]["email"] = "mia2@example.org".into();
    for (mut body, marker) in [(by_ats_id, "ashby/default/a-1"), (by_key, "manual/manual/k-1")] {
        let preview = house.bare(Method::POST, "/v1/hires/preview").bearer_auth(SENDER).json(&body);
        let preview = house.send(preview.header("Idempotency-Key", "k-1")).await.json();
        body["plan_hash"] = preview["plan"]["hash"].clone();
        assert_eq!(enter(&house, "k-1", &body).await.state(), "created");
        assert_eq!(preview["plan"]["hash"], hash_sent(&house));
        let employees = house.sim.employees();
        assert_eq!(employees.last().expect("somebody").person.custom_attributes["dynamic_101"], marker);
    }
    // Without a key nothing is made up.
    let preview = plan(&house, "/v1/hires/preview", &typed()).await;
    assert_eq!(preview["employee"]["custom_attributes"], json!(null));
}

#[tokio::test]
async fn a_typed_hire_and_its_webhook_are_one_hire_whichever_comes_first() {
    let house = House::new().await;
    let mut body = typed();
    (body["source"], body["ats_id"]) = (json!("ashby"), json!("a-1"));
    let entered = house.post("/v1/hires", &body).await;
    assert_eq!((entered.status.as_u16(), entered.state().as_str()), (201, "held(review)"));
    let id = entered.json()["id"].as_str().expect("an id").to_owned();
    let webhook = house.deliver(&hire()).await;
    assert_eq!((webhook.hire(), webhook.state().as_str()), (id.clone(), "held(review)"));
    assert_eq!(webhook.json()["duplicate"], true);
    let hash = plan(&house, &format!("/v1/hires/{id}/preview"), &json!({})).await["hash"].clone();
    let sent = house.post(&format!("/v1/hires/{id}/send"), &json!({"plan_hash": hash})).await;
    assert_eq!(sent.state(), "created");
    assert_eq!(sent.json()["plan"]["employee"]["hire_date"], "2027-02-01", "what was typed stays");
    assert_eq!(house.deliver(&hire()).await.state(), "created");

    assert_eq!(
        house.deliver(&candidate_hire("a-2", "Ben Muster", "ben@example.org")).await.state(),
        "created"
    );
    body["ats_id"] = "a-2".into();
    let known = house.post("/v1/hires", &body).await;
    assert_eq!((known.status.as_u16(), known.state().as_str()), (200, "created"));
    assert_eq!((house.sim.creates(), count(&house).await), (2, 2));
    body["source"] = "nobody".into();
    is_problem(&house.post("/v1/hires", &body).await, 422, "unknown_source");
}

#[tokio::test]
async fn a_held_hire_can_be_dismissed_and_put_back() {
    let house = House::new().await;
    let id = held(&house).await;
    let path = format!("/v1/hires/{id}/dismiss");
    for dismissed in [true, true, false] {
        let reply = house.post(&path, &json!({"dismissed": dismissed})).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["flags"]["dismissed"]), (200, &json!(dismissed)));
    }
    let history = house.hire(&id).await["history"].clone();
    let causes: Vec<_> = history.as_array().expect("a history").iter().map(|e| e["cause"].clone()).collect();
    assert_eq!(causes, ["stored", "planned", "dismissed", "undismissed"]);
    let created = house.deliver(&candidate_hire("a-2", "Ben Muster", "ben@example.org")).await.hire();
    is_problem(&house.post(&format!("/v1/hires/{created}/dismiss"), &json!({})).await, 409, "wrong_state");
}

#[tokio::test]
async fn a_person_says_which_employee_it_is() {
    let sections = "[mapping.fields]\noffice = \"custom.Office\"\ndepartment = \"custom.Department\"\n";
    let house = House::with(Setup { sections: sections.into(), ..Setup::default() }).await;
    let mia = Person { email: "mia@example.org".into(), office: Some("Munich".into()), ..Person::default() };
    let employee = house.sim.add(Person { first_name: "Mia".into(), last_name: "Beispiel".into(), ..mia });
    let body = with_field(with_field(hire(), "Office", "Berlin"), "Department", "Sales");
    let answer = house.deliver(&body).await;
    assert_eq!(answer.state(), "held(exists)");
    let path = format!("/v1/hires/{}/link", answer.hire());
    is_problem(&house.post(&path, &json!({"employee_id": 999})).await, 422, "employee_not_found");
    house.sim.misbehave(Fault::once(Operation::GetEmployee, Behaviour::Cut).times(9));
    is_problem(&house.post(&path, &json!({"employee_id": employee})).await, 502, "personio_unreachable");
    house.sim.behave();
    let linked = house.post(&path, &json!({"employee_id": employee})).await;
    assert_eq!(
        (linked.status.as_u16(), linked.state().as_str()),
        (200, "created(linked)"),
        "{}",
        linked.text
    );
    let hire = linked.json();
    assert_eq!(hire["employee"]["id"], employee);
    let said = |w: &Value| (w["code"].clone(), w["field"].clone(), w["sent"].clone());
    let mut warnings: Vec<_> = hire["warnings"].as_array().expect("warnings").iter().map(said).collect();
    warnings.sort_by_key(|warning| warning.1.to_string());
    let expected = [("dropped", "department", "Sales"), ("dropped", "hire_date", "2027-01-01")];
    let expected =
        expected.into_iter().chain([("changed", "office", "Berlin"), ("dropped", "position", "Engineer")]);
    assert_eq!(warnings, expected.map(|(a, b, c)| (json!(a), json!(b), json!(c))).collect::<Vec<_>>());
    is_problem(&house.post(&path, &json!({"employee_id": employee})).await, 409, "wrong_state");
    assert_eq!(house.sim.creates(), 0);
}

#[tokio::test]
async fn after_an_unknown_outcome_a_person_sends_again_only_when_nobody_is_there() {
    // Nobody was created: sent again, after a look.
    let house = House::new().await;
    let id = lost(&house, Fault::once(Operation::CreateEmployee, Behaviour::Cut)).await;
    let (send, hash) = (format!("/v1/hires/{id}/send"), house.hire(&id).await["plan"]["hash"].clone());
    let body = json!({"plan_hash": hash});
    house.sim.misbehave(Fault::new(Operation::ListEmployees, Behaviour::status(503)));
    is_problem(&house.post(&send, &body).await, 502, "personio_unreachable");
    house.sim.behave();
    house.sim.adjust(|manner| manner.rights.employees_read = false);
    is_problem(&house.post(&send, &body).await, 409, "look_up_impossible");
    assert_eq!(house.sim.creates(), 1);
    house.sim.adjust(|manner| manner.rights.employees_read = true);
    let looked = house.sim.calls(Operation::ListEmployees);
    assert_eq!(house.post(&send, &body).await.state(), "created");
    assert!(house.sim.calls(Operation::ListEmployees) > looked);
    assert_eq!((house.sim.creates(), house.sim.employees().len()), (2, 1));

    // Somebody was: that is shown, and nothing is sent.
    let house = House::new().await;
    let id = lost(&house, Fault::once(Operation::CreateEmployee, Behaviour::Cut).done()).await;
    let hash = house.hire(&id).await["plan"]["hash"].clone();
    let found = house.post(&format!("/v1/hires/{id}/send"), &json!({"plan_hash": hash})).await;
    assert_eq!((found.state().as_str(), house.sim.creates()), ("held(exists)", 1));
    assert_eq!(found.json()["employee"]["id"], house.sim.employees()[0].id);
}

#[tokio::test]
async fn nobody_sends_again_while_the_first_call_may_still_arrive() {
    let house = House::new().await;
    house.sim.adjust(|manner| {
        manner.rights.employees_read = false;
        manner.meta = MetaShape::Absent;
    });
    house.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::Cut).late());
    let answer = house.deliver(&hire()).await;
    let id = answer.hire();
    assert_eq!(state(&house.hire(&id).await), "held(unknown)", "it cannot be looked up: at once");
    house.sim.adjust(|manner| manner.rights.employees_read = true);
    let (send, hash) = (format!("/v1/hires/{id}/send"), house.hire(&id).await["plan"]["hash"].clone());
    let early = house.post(&send, &json!({"plan_hash": hash})).await;
    is_problem(&early, 409, "too_early");
    assert!(early.json()["until"].is_string());
    house.pass(SignedDuration::from_mins(16)).await;
    house.sim.release_late();
    let later = house.post(&send, &json!({"plan_hash": hash})).await;
    assert_eq!((later.state().as_str(), house.sim.creates()), ("held(exists)", 1));
}

#[tokio::test]
async fn an_id_that_no_ats_has_is_refused() {
    let house = House::new().await;
    let mut body =
        serde_json::json!({"candidate": {"email": "mia@example.org"}, "source": "ashby", "ats_id": "a b"});
    let answer = house.post("/v1/hires", &body).await;
    assert_eq!(answer.status, 422, "{}", answer.text);
    assert!(answer.text.contains("ats_id"));
    body["ats_id"] = "a-b".into();
    assert_eq!(house.post("/v1/hires", &body).await.status, 201);
}
