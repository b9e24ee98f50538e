//! Never a half-truth: every value that did not arrive is named.

use hirebridge::sim::{Behaviour, Fault, MetaShape, Operation, Person, Rights};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::ashby::{candidate_hire, hire, with_field};
use crate::support::process::{self, Served};
use crate::support::{ADMIN, House, SECRET, Setup, ashby, configuration, notes, state, text, warnings};

/// Department, office and a list of the company's own, from custom fields.
const FIELDS: &str = r#"
[mapping.fields]
department = "custom.Department"
office = "custom.Office"
subcompany = "custom.Company"
dynamic_107 = "custom.Contract"
"#;

fn mapped() -> Setup {
    Setup { sections: FIELDS.into(), ..Setup::default() }
}

/// Mia in a department, an office and a contract that Personio does not know, and a company that it knows.
fn unknown_names() -> Value {
    let fields = [
        ("Department", "Enginering"),
        ("Office", "Köln"),
        ("Company", "Acme GmbH"),
        ("Contract", "for life"),
    ];
    fields.into_iter().fold(hire(), |body, (title, value)| with_field(body, title, value))
}

#[tokio::test]
async fn what_personio_drops_is_named_with_the_value_sent_however_it_says_so() {
    let shapes = [MetaShape::Strings, MetaShape::Object, MetaShape::Objects, MetaShape::Absent];
    let dropped =
        ["dropped department=Enginering", "dropped dynamic_107=for life", "dropped office=Köln"].as_slice();
    for shape in shapes {
        // Without the right to read there is `meta` alone; with it, the read-back alone would do.
        for (may_read, german) in [(true, false), (false, false), (false, true)] {
            let house = House::with(mapped()).await;
            house.sim.adjust(|manner| {
                manner.meta = shape;
                manner.rights.employees_read = may_read;
            });
            if german {
                house.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::German));
            }
            let answer = house.deliver(&unknown_names()).await;
            assert_eq!(answer.state(), "created");
            let hire = house.hire(&answer.hire()).await;
            let expected = if !may_read && shape == MetaShape::Absent { &[] } else { dropped };
            assert_eq!(warnings(&hire), expected, "{shape:?}, reads: {may_read}, German: {german}");
            assert_eq!(notes(&hire).contains(&"not_read_back"), !may_read);
            let plain = hire["says"] == "The employee is in Personio.";
            assert_eq!(plain, expected.is_empty(), "{}", hire["says"]);
        }
    }
}

#[tokio::test]
async fn a_hire_that_arrived_whole_has_no_warning_and_one_that_was_changed_names_the_field() {
    let house = House::with(mapped()).await;
    let body = with_field(with_field(hire(), "Department", "Sales"), "Office", "Berlin");
    house.sim.misbehave(Fault::once(
        Operation::CreateEmployee,
        Behaviour::Invisible { lookups: Some(1), ms: None },
    ));
    let id = house.deliver(&body).await.hire();
    assert_eq!(house.hire(&id).await["warnings"], json!([]));
    change(&house, json!({"office": "Munich"})).await;
    house.pass(SignedDuration::from_secs(15)).await;
    let changed = house.hire(&id).await;
    assert_eq!(warnings(&changed), ["changed office=Berlin"]);

    let other = candidate_hire("a-2", "Ben Muster", "ben@example.org");
    let id =
        house.deliver(&with_field(with_field(other, "Department", "Sales"), "Office", "Berlin")).await.hire();
    let whole = house.hire(&id).await;
    assert_eq!((state(&whole).as_str(), warnings(&whole).len(), notes(&whole).len()), ("created", 0, 0));
}

/// Somebody who is in a department already.
fn colleague() -> Person {
    Person { email: "x@example.org".into(), department: Some("Engineering".into()), ..Person::default() }
}

/// Somebody changes the first employee in Personio by hand.
pub(crate) async fn change(house: &House, employee: Value) {
    let http = reqwest::Client::builder().build().expect("a client");
    let credential = json!({"client_id": "sim-client-id", "client_secret": "sim-client-secret"});
    let auth = http.post(format!("{}/v1/auth", house.sim.url())).json(&credential);
    let token: Value = auth.send().await.expect("an answer").json().await.expect("JSON");
    let url = format!("{}/v1/company/employees/{}", house.sim.url(), house.sim.employees()[0].id);
    let patch =
        http.patch(url).bearer_auth(text(&token["data"]["token"])).header("X-Personio-App-ID", "HAND");
    let answer = patch.json(&json!({"employee": employee})).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn a_credential_that_may_only_write_is_enough() {
    let house = House::new().await;
    house.sim.adjust(|manner| manner.rights = Rights::write_only());
    let answer = house.deliver(&hire()).await;
    assert_eq!(answer.state(), "created");
    let hire = house.hire(&answer.hire()).await;
    assert_eq!(notes(&hire), ["not_looked_up", "not_read_back"]);
    assert_eq!(hire["warnings"], json!([]));
    assert_eq!(house.sim.employees().len(), 1);
}

#[tokio::test]
async fn an_attribute_that_may_not_be_read_is_noted_and_not_called_dropped() {
    let house = House::with(mapped()).await;
    let readable = ["id", "status", "email", "first_name", "last_name", "position", "hire_date"];
    house.sim.adjust(|manner| manner.readable_attributes = Some(readable.map(str::to_owned).into()));
    let id = house.deliver(&with_field(hire(), "Office", "Berlin")).await.hire();
    let hire = house.hire(&id).await;
    assert_eq!((warnings(&hire).len(), notes(&hire)), (0, vec!["names_not_checked", "not_read_back:office"]));
}

#[tokio::test]
async fn a_person_who_is_invisible_at_first_is_compared_later() {
    let house = House::with(mapped()).await;
    house.sim.adjust(|manner| manner.meta = MetaShape::Absent);
    let hidden = Behaviour::Invisible { lookups: Some(3), ms: None };
    house.sim.misbehave(Fault::once(Operation::CreateEmployee, hidden));
    let id = house.deliver(&with_field(hire(), "Office", "Köln")).await.hire();
    for seconds in [11, 61] {
        assert_eq!(warnings(&house.hire(&id).await).len(), 0);
        house.pass(SignedDuration::from_secs(seconds)).await;
    }
    assert_eq!(warnings(&house.hire(&id).await).len(), 0);
    house.pass(SignedDuration::from_mins(11)).await;
    let hire = house.hire(&id).await;
    assert_eq!(warnings(&hire), ["dropped office=Köln"]);
    assert!(!notes(&hire).contains(&"not_read_back"));
    assert_eq!(house.sim.creates(), 1);
}

#[tokio::test]
async fn a_person_who_stays_invisible_is_noted_as_not_read_back() {
    let house = House::new().await;
    let hidden = Behaviour::Invisible { lookups: None, ms: None };
    house.sim.misbehave(Fault::once(Operation::CreateEmployee, hidden));
    let id = house.deliver(&hire()).await.hire();
    for _ in 0..5 {
        house.pass(SignedDuration::from_hours(1)).await;
    }
    let hire = house.hire(&id).await;
    assert_eq!((state(&hire).as_str(), notes(&hire)), ("created", vec!["not_read_back"]));
}

#[tokio::test]
async fn a_hire_that_cannot_be_looked_up_is_held_where_that_is_required() {
    let house = House::with(Setup { transfer: "require_lookup = true".into(), ..Setup::default() }).await;
    house.sim.adjust(|manner| manner.rights.employees_read = false);
    let answer = house.deliver(&hire()).await;
    assert_eq!(answer.state(), "held(review)");
    let id = answer.hire();
    let held = house.hire(&id).await;
    assert_eq!((notes(&held), house.sim.creates()), (vec!["not_looked_up"], 0));
    let hash = &held["plan"]["hash"];
    let sent = house.post(&format!("/v1/hires/{id}/send"), &json!({"plan_hash": hash})).await;
    assert_eq!((sent.state().as_str(), house.sim.creates()), ("created", 1));
}

#[tokio::test]
async fn a_marked_employee_is_adopted_even_when_nobody_could_look_before_sending() {
    for (marker, expected) in [(Some("marker = \"dynamic_101\""), "created(adopted)"), (None, "held(exists)")]
    {
        let transfer = format!("lookups = [\"1s\"]\n{}", marker.unwrap_or_default());
        let setup = Setup { transfer, ..Setup::default() };
        // The house is here for its Personio and its folder; the service is killed, so it is a process.
        let mut house = House::new().await;
        house.close().await;
        let folder = tempfile::TempDir::new().expect("a folder");
        let config = folder.path().join("hirebridge.toml");
        std::fs::write(&config, configuration(&house.sim.url(), folder.path(), &setup)).expect("writable");
        house.sim.adjust(|manner| manner.rights.employees_read = false);
        house.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::Wait));
        let served = Served::start(folder.path(), &config).await;
        let http = reqwest::Client::builder().build().expect("a client");
        let body = hire().to_string();
        let delivery = http
            .post(format!("{}/webhooks/ashby", served.url))
            .header("Ashby-Signature", ashby::signature(SECRET, body.as_bytes()))
            .body(body);
        let delivered = tokio::spawn(delivery.send());
        house.sim.arrival(Operation::CreateEmployee, 1).await;
        served.kill();
        delivered.await.expect("it ends").expect_err("nobody answers");
        house.sim.adjust(|manner| manner.rights.employees_read = true);

        let served = Served::start(folder.path(), &config).await;
        let hire = process::eventually("the outcome is known", || async {
            let list = http.get(format!("{}/v1/hires", served.url)).bearer_auth(ADMIN).send().await.ok()?;
            let list: Value = list.json().await.ok()?;
            let hire = list["hires"][0].clone();
            (hire["state"] != "unknown" && hire["state"] != "sending").then_some(hire)
        })
        .await;
        assert_eq!(state(&hire), expected);
        let people: Vec<Person> = house.sim.employees().into_iter().map(|stored| stored.person).collect();
        let mark = people[0].custom_attributes.get("dynamic_101").map(String::as_str);
        assert_eq!((people.len(), mark), (1, marker.map(|_| "ashby/default/a-1")));
    }
}

#[tokio::test]
async fn created_with_warnings_shows_in_the_answer_the_list_and_the_metrics() {
    let house = House::with(Setup { learn: true, ..mapped() }).await;
    house.sim.add(colleague());
    house.service().catalog().learn().await.expect("Personio answers");
    let well = house
        .deliver(&with_field(
            candidate_hire("a-0", "Ben Muster", "ben@example.org"),
            "Department",
            "Engineering",
        ))
        .await;
    assert_eq!(well.json().get("warnings"), None, "{}", well.text);
    let doubtful = house.deliver(&with_field(hire(), "Department", "Enginering")).await;
    assert_eq!((doubtful.state().as_str(), &doubtful.json()["warnings"]), ("created", &json!(1)));
    let again = house.deliver(&with_field(hire(), "Department", "Enginering")).await;
    assert_eq!((&again.json()["duplicate"], &again.json()["warnings"]), (&json!(true), &json!(1)));

    let listed = house.get("/v1/hires?flag=warnings").await.json();
    let ids: Vec<_> =
        listed["hires"].as_array().expect("hires").iter().map(|hire| text(&hire["id"])).collect();
    assert_eq!(ids, [doubtful.hire()]);
    let metrics = house.send(house.bare(Method::GET, "/metrics")).await.text;
    assert!(metrics.contains("hirebridge_created_with_warnings_total 1\n"), "{metrics}");
}

#[tokio::test]
async fn a_dropped_value_is_told_once_with_what_personio_takes_and_the_line_that_mends_it() {
    let house = House::with(Setup { learn: true, ..mapped() }).await;
    house.sim.add(colleague());
    house.service().catalog().learn().await.expect("Personio answers");
    let id = house.deliver(&with_field(hire(), "Department", "Enginering")).await.hire();
    let created = house.hire(&id).await;
    assert_eq!(warnings(&created), ["dropped department=Enginering"]);
    let warning = &created["warnings"][0];
    assert_eq!(warning["options"], json!(["Engineering"]));
    let line = "department = { from = \"custom.Department\", values = { \"Enginering\" = \"Engineering\" } } # in [mapping.fields]";
    assert_eq!(warning["line"], line);
}

#[tokio::test]
async fn a_value_that_was_called_known_and_is_dropped_is_told_with_its_options_too() {
    let rule = r#"
        [mapping.fields]
        department = { from = "custom.Department", known_values = ["Enginering"] }
    "#;
    let house = House::with(Setup { learn: true, sections: rule.into(), ..Setup::default() }).await;
    house.sim.add(colleague());
    house.service().catalog().learn().await.expect("Personio answers");
    let id = house.deliver(&with_field(hire(), "Department", "Enginering")).await.hire();
    let created = house.hire(&id).await;
    assert_eq!(warnings(&created), ["dropped department=Enginering"]);
    assert_eq!(created["warnings"][0]["options"], json!(["Engineering"]));
    assert!(text(&created["warnings"][0]["line"]).contains("known_values = [\"Enginering\"]"));
}
