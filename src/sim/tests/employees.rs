//! Creating, finding, reading and changing people.

use jiff::civil::date;

use super::*;

const PATCH: Method = Method::PATCH;

#[tokio::test]
async fn a_person_is_created_found_and_read_back_in_wrapped_attributes() {
    let today = Some(date(2026, 11, 30));
    let desk = Desk::with(Options { today, ..Options::default() }).await;
    let boss = desk.sim.add(person("boss@example.org"));
    let created = desk
        .create(mia_and(json!({
            "preferred_name": "Mimi", "gender": "diverse", "position": "Backend Engineer",
            "subcompany": "Acme GmbH", "department": "Sales", "office": "Munich",
            "hire_date": "2027-01-01", "weekly_working_hours": 38.5, "supervisor_id": boss,
            "custom_attributes": {"dynamic_101": "ATS-991", "dynamic_105": "12", "dynamic_110": "English, German"},
        })))
        .await;
    assert_eq!(created.status, 200);
    assert_eq!(created.body, json!({"success": true, "data": {"id": 1002, "message": "success"}}));

    let listed = desk.get("/v1/company/employees?email=mia.beispiel%40example.org").await.body;
    assert_eq!(listed["metadata"], json!({"total_elements": 1, "current_page": 0, "total_pages": 1}));
    assert_eq!((&listed["offset"], &listed["limit"]), (&json!(0), &json!(50)));
    let read = desk.get("/v1/company/employees/1002").await.body;
    assert_eq!(read["data"], listed["data"][0]);
    assert_eq!(read["data"]["type"], json!("Employee"));

    let attributes = &read["data"]["attributes"];
    let office = json!({"type": "Office", "attributes": {"id": 131_002, "name": "Munich"}});
    assert_eq!(
        attributes["office"],
        json!({"label": "Office", "value": office, "type": "standard", "universal_id": "office"})
    );
    let values = [
        ("id", json!(1002)),
        ("first_name", json!("Mia")),
        ("preferred_name", json!("Mimi")),
        ("gender", json!("diverse")),
        ("status", json!("onboarding")),
        ("hire_date", json!("2027-01-01T00:00:00+01:00")),
        ("weekly_working_hours", json!("38.5")),
        ("termination_date", Value::Null),
        ("cost_centers", json!([])),
        ("created_at", json!("2026-11-30T12:00:00+01:00")),
        ("dynamic_101", json!("ATS-991")),
        ("dynamic_102", json!("")),
        ("dynamic_104", Value::Null),
        ("dynamic_105", json!(12)),
        ("dynamic_110", json!("English,German")),
    ];
    for (key, value) in values {
        assert_eq!(attributes[key]["value"], value, "{key}");
    }
    assert_eq!(attributes["supervisor"]["value"]["attributes"]["id"]["value"], json!(boss));
    assert_eq!(attributes["dynamic_103"]["universal_id"], json!("iban"));
    assert_eq!(attributes["dynamic_101"]["universal_id"], Value::Null);
    assert!(desk.sim.violations().is_empty(), "{:?}", desk.sim.violations());
}

#[tokio::test]
async fn the_status_follows_from_the_hire_date_unless_it_is_sent() {
    let today = Some(date(2027, 1, 15));
    let desk = Desk::with(Options { today, ..Options::default() }).await;
    for (email, more) in [
        ("past@example.org", json!({"hire_date": "2027-01-14"})),
        ("today@example.org", json!({"hire_date": "2027-01-15"})),
        ("dateless@example.org", json!({})),
        ("sent@example.org", json!({"hire_date": "2027-01-14", "status": "leave"})),
    ] {
        let mut employee = mia_and(more);
        employee["email"] = json!(email);
        assert_eq!(desk.create(employee).await.status, 200, "{email}");
    }
    let derived: Vec<_> = desk.sim.employees().iter().map(|stored| stored.person.status).collect();
    let expected = [Status::Active, Status::Onboarding, Status::Onboarding, Status::Leave];
    assert_eq!(derived, expected.map(Some));
}

#[tokio::test]
async fn a_person_is_changed_and_meta_is_always_a_list() {
    let desk = Desk::open().await;
    let boss = desk.sim.add(person("boss@example.org"));
    desk.create(mia_and(json!({"supervisor_id": boss, "hire_date": "2027-01-01"}))).await;
    let path = "/v1/company/employees/1002";
    let change = json!({"employee": {"office": "Berlin", "supervisor_id": null, "hire_date": "2020-01-01"}});
    let patched = desk.send(PATCH, path, &change).await;
    assert_eq!(patched.status, 200);
    assert_eq!(patched.body, json!({"success": true, "data": {"id": 1002}, "meta": []}));
    let stored = &desk.sim.employees()[1].person;
    assert_eq!((stored.office.as_deref(), stored.supervisor_id), (Some("Berlin"), None));
    assert_eq!(stored.status, Some(Status::Onboarding), "a new hire date leaves the status alone");

    let moved = desk.send(PATCH, path, &json!({"employee": {"office": "Atlantis"}})).await;
    let told = json!(["The office \"Atlantis\" does not exist and was ignored."]);
    assert_eq!((moved.status, &moved.body["meta"]), (200, &told));
    assert_eq!(desk.sim.employees()[1].person.office.as_deref(), Some("Berlin"));
}

#[tokio::test]
async fn who_does_not_exist_is_answered_in_german() {
    let desk = Desk::open().await;
    let german = refusal(404, "Es ist ein Problem aufgetreten ");
    let missed = desk.get("/v1/company/employees/77").await;
    assert_eq!((missed.status, &missed.body), (404, &german));
    let missed = desk.send(PATCH, "/v1/company/employees/77", &json!({"employee": {}})).await;
    assert_eq!((missed.status, &missed.body), (404, &german));

    let boss = desk.create(mia_and(json!({"supervisor_id": 1}))).await;
    assert_eq!((boss.status, boss.body), (422, refusal(422, "Supervisor with ID 1 not found")));
    assert!(desk.sim.employees().is_empty() && desk.sim.violations().is_empty());
}

#[tokio::test]
async fn unknown_names_are_dropped_and_told_in_each_shape_of_meta() {
    let department = "The department \"Dreams\" does not exist and was ignored.";
    let option = "Attribute dynamic_107 has a value that is none of its options";
    let shapes = [
        (MetaShape::Strings, json!([department, option])),
        (MetaShape::Object, json!({"department": department, "dynamic_107": option})),
        (
            MetaShape::Objects,
            json!([
                {"field": "department", "message": department},
                {"field": "dynamic_107", "message": option},
            ]),
        ),
        (MetaShape::Absent, Value::Null),
    ];
    for (shape, meta) in shapes {
        let desk = Desk::open().await;
        desk.sim.adjust(|manner| manner.meta = shape);
        let more = json!({"department": "Dreams", "office": "Berlin", "custom_attributes": {"dynamic_107": "never"}});
        let created = desk.create(mia_and(more)).await;
        assert_eq!((created.status, &created.body["meta"]), (200, &meta), "{shape:?}");
        let stored = &desk.sim.employees()[0].person;
        assert_eq!((stored.department.as_deref(), stored.office.as_deref()), (None, Some("Berlin")));
        assert!(stored.custom_attributes.is_empty());
    }
}

#[tokio::test]
async fn a_value_that_does_not_fit_can_be_refused() {
    let desk = Desk::open().await;
    desk.sim.adjust(|manner| {
        manner.unknown_option = Unfit::Refused;
        manner.unknown_attribute = Unfit::Refused;
    });
    for (key, value) in [("dynamic_107", "never"), ("dynamic_110", "English,Elvish"), ("dynamic_999", "x")] {
        let created = desk.create(mia_and(json!({"custom_attributes": {key: value}}))).await;
        assert_eq!((created.status, &created.body["success"]), (422, &json!(false)), "{key}");
    }
    assert!(desk.sim.employees().is_empty() && desk.sim.violations().is_empty());
}

#[tokio::test]
async fn a_taken_address_has_each_plausible_answer() {
    let desk = Desk::open().await;
    desk.create(mia()).await;
    for (status, code) in [(422, 422), (400, 0), (409, 409), (200, 0)] {
        desk.sim.adjust(|manner| manner.taken_email = TakenEmail::Refused { status, code });
        let again = desk.create(mia()).await;
        assert_eq!((again.status, again.body), (status, refusal(code, "The email has already been taken.")));
    }
    assert_eq!(desk.sim.employees().len(), 1);
    desk.sim.adjust(|manner| manner.taken_email = TakenEmail::Accepted);
    assert_eq!(desk.create(mia()).await.status, 200);
    assert_eq!(desk.found().await, 2);
}

#[tokio::test]
async fn whether_case_matters_in_an_address_is_a_switch() {
    let desk = Desk::open().await;
    desk.sim.add(person("Mia.Beispiel@Example.org"));
    assert_eq!(desk.found().await, 0);
    desk.sim.adjust(|manner| manner.emails_ignore_case = true);
    assert_eq!(desk.found().await, 1);
    assert_eq!(desk.create(mia()).await.status, 422);
}

#[tokio::test]
async fn a_list_comes_in_pages_with_the_attributes_that_were_asked_for() {
    let people = ["a@example.org", "b@example.org", "c@example.org"];
    let employees = people.into_iter().map(person).collect();
    let seed = Seed { employees, ..Seed::default() };
    let today = Some(date(2027, 1, 15));
    let desk = Desk::with(Options { seed, today, ..Options::default() }).await;

    let page = desk.get("/v1/company/employees?limit=2&offset=2&attributes[]=email").await.body;
    assert_eq!(page["metadata"], json!({"total_elements": 3, "current_page": 1, "total_pages": 2}));
    let data = page["data"].as_array().expect("a list");
    assert_eq!(data.len(), 1);
    let keys: Vec<_> = data[0]["attributes"].as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["id", "email"]);

    for (since, total) in [("2027-01-15", 3), ("2027-01-15T11:59:59", 3), ("2027-01-16", 0)] {
        let path = format!("/v1/company/employees?updated_since={since}&email=a%40example.org");
        assert_eq!(desk.get(&path).await.body["metadata"]["total_elements"], json!(total), "{since}");
    }
}

#[tokio::test]
async fn the_catalogue_shows_what_may_be_read_and_so_do_people() {
    let desk = Desk::open().await;
    desk.create(mia_and(json!({"custom_attributes": {"dynamic_110": "English,German"}}))).await;
    let alias = desk.get("/v1/company/employees/custom-attributes").await.body;
    let all = desk.get("/v1/company/employees/attributes").await.body;
    assert_eq!(all, alias);
    let status = json!({
        "key": "dynamic_108", "label": "Marital status", "type": "list",
        "universal_id": null, "options": ["married", "single"],
    });
    assert!(all["data"].as_array().is_some_and(|list| list.contains(&status)), "{all}");

    desk.sim.adjust(|manner| {
        manner.readable_attributes = Some(vec!["id".into(), "dynamic_110".into()]);
        manner.tags = TagsShape::JsonInString;
    });
    let fewer = desk.get("/v1/company/employees/attributes").await.body;
    assert_eq!(fewer["data"].as_array().map(Vec::len), Some(2));
    let read = desk.get("/v1/company/employees/1001").await.body;
    let attributes = read["data"]["attributes"].as_object().expect("an object");
    assert_eq!(attributes.keys().collect::<Vec<_>>(), ["id", "dynamic_110"]);
    assert_eq!(attributes["dynamic_110"]["value"], json!("[\"English\",\"German\"]"));
}
