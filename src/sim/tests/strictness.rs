//! What a caller must never do is refused, recorded, and carried out not even in part.

use super::*;

/// The violations of the calls since the last look, without their numbers.
fn told(desk: &Desk, seen: usize) -> Vec<String> {
    let told = desk.sim.violations();
    told[seen..].iter().map(|line| line.split_once(": ").expect("a number first").1.to_owned()).collect()
}

#[tokio::test]
async fn fields_are_checked_by_name_and_type() {
    let desk = Desk::open().await;
    let cases = [
        (mia_and(json!({"team": "Core"})), "unknown field employee.team"),
        (mia_and(json!({"first_name": 7})), "employee.first_name must be a string"),
        (mia_and(json!({"gender": "m"})), "employee.gender must be male, female or diverse"),
        (
            mia_and(json!({"status": "hired"})),
            "employee.status must be onboarding, active, leave or inactive",
        ),
        (mia_and(json!({"hire_date": "01.02.2027"})), "employee.hire_date must be a date like 2027-01-31"),
        (mia_and(json!({"weekly_working_hours": "40"})), "employee.weekly_working_hours must be a number"),
        (mia_and(json!({"supervisor_id": null})), "employee.supervisor_id must be a whole number"),
        (mia_and(json!({"custom_attributes": []})), "employee.custom_attributes must be an object"),
        (
            mia_and(json!({"custom_attributes": {"dynamic_105": 12}})),
            "employee.custom_attributes.dynamic_105 must be a string",
        ),
        (
            mia_and(json!({"custom_attributes": {"dynamic_104": "1.2.1990"}})),
            "employee.custom_attributes.dynamic_104 has a value that is not of its type",
        ),
        (
            mia_and(json!({"custom_attributes": {"dynamic_999": "x"}})),
            "employee.custom_attributes.dynamic_999 does not exist",
        ),
        (json!({"email": "mia@example.org", "first_name": "Mia"}), "employee.last_name is required"),
    ];
    for (at, (employee, what)) in cases.into_iter().enumerate() {
        assert_eq!(desk.create(employee).await.status, 422, "{what}");
        assert_eq!(told(&desk, at), [what]);
    }
    assert!(desk.sim.employees().is_empty());
}

#[tokio::test]
async fn what_only_the_data_can_be_blamed_for_is_refused_but_no_violation() {
    let desk = Desk::open().await;
    for wrong in [json!({"last_name": " "}), json!({"email": "mia"})] {
        assert_eq!(desk.create(mia_and(wrong)).await.status, 422);
    }
    assert!(desk.sim.employees().is_empty() && desk.sim.violations().is_empty());
}

#[tokio::test]
async fn the_envelope_and_the_content_type_are_checked() {
    let desk = Desk::open().await;
    let post = || desk.request(Method::POST, EMPLOYEES);
    let text = json!({"employee": mia()}).to_string();
    let cases = [
        (post().json(&mia()), "unknown field email beside employee"),
        (post().json(&json!({})), "employee must be an object"),
        (post().json(&json!([])), "the body must be a JSON object"),
        (post(), "the body must be application/json"),
        (post().header(CONTENT_TYPE, JSON).body("{"), "the body is not JSON"),
        (post().header(CONTENT_TYPE, FORM).body(text.clone()), "the body must be application/json"),
        (
            post().header(CONTENT_TYPE, "text/plain").body(text),
            "nothing here takes the Content-Type \"text/plain\"",
        ),
    ];
    for (at, (request, what)) in cases.into_iter().enumerate() {
        assert_eq!(answered(request).await.status, 422, "{what}");
        assert_eq!(told(&desk, at), [what]);
    }
    assert!(desk.sim.employees().is_empty());
}

#[tokio::test]
async fn an_address_is_never_changed() {
    let desk = Desk::open().await;
    let id = desk.sim.add(person("ada@example.org"));
    let change = json!({"employee": {"email": "mia@example.org", "first_name": "Mia"}});
    let patched = desk.send(Method::PATCH, &format!("{EMPLOYEES}/{id}"), &change).await;
    assert_eq!(patched.status, 422);
    assert_eq!(told(&desk, 0), ["employee.email cannot be changed"]);
    assert_eq!(desk.sim.employees()[0].person.first_name, "Ada");
}

#[tokio::test]
async fn parameters_and_paths_are_checked() {
    let desk = Desk::open().await;
    let cases = [
        (Method::GET, "/v1/company/employees?mail=x", 422, "unknown query parameter mail"),
        (Method::GET, "/v1/company/employees/1001?limit=1", 422, "unknown query parameter limit"),
        (Method::GET, "/v1/company/employees?limit=200", 422, "limit must be 1 to 100"),
        (Method::GET, "/v1/company/employees?offset=-1", 422, "offset must be a whole number"),
        (
            Method::GET,
            "/v1/company/employees?updated_since=soon",
            422,
            "updated_since must be a date or a date and time",
        ),
        (Method::GET, "/v1/company/departments", 404, "there is no GET /v1/company/departments"),
        (Method::DELETE, "/v1/company/employees/7", 404, "there is no DELETE /v1/company/employees/7"),
        (Method::GET, "/v2/persons", 404, "there is no GET /v2/persons"),
    ];
    for (at, (method, path, status, what)) in cases.into_iter().enumerate() {
        assert_eq!(answered(desk.request(method, path)).await.status, status, "{path}");
        assert_eq!(told(&desk, at), [what]);
    }
}

#[tokio::test]
async fn a_call_without_app_id_is_answered_and_recorded() {
    let desk = Desk::open().await;
    let request = desk.bare(Method::GET, EMPLOYEES).bearer_auth(&desk.token);
    assert_eq!(answered(request).await.status, 200);
    assert_eq!(desk.sim.violations(), ["request 2 (list_employees): X-Personio-App-ID is missing"]);
}
