//! The data file, and control over HTTP.

use super::*;

#[tokio::test]
async fn people_and_documents_are_kept_in_the_data_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = || Options {
        data: Some(folder.path().join("new/sim.json")),
        seed: Seed { employees: vec![person("ada@example.org")], ..Seed::default() },
        ..Options::default()
    };
    let desk = Desk::with(options()).await;
    desk.create(mia_and(json!({"hire_date": "2027-01-01", "custom_attributes": {"dynamic_101": "ATS-991"}})))
        .await;
    let change = json!({"employee": {"office": "Berlin"}});
    desk.send(Method::PATCH, "/v1/company/employees/1002", &change).await;
    let multipart = "--seam\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nCV\r\n\
        --seam\r\nContent-Disposition: form-data; name=\"employee_id\"\r\n\r\n1002\r\n\
        --seam\r\nContent-Disposition: form-data; name=\"category_id\"\r\n\r\n2\r\n\
        --seam\r\nContent-Disposition: form-data; name=\"file\"; filename=\"cv.txt\"\r\n\r\nA life.\r\n--seam--\r\n";
    let upload = desk.request(Method::POST, "/v1/company/documents").body(multipart);
    let upload = upload.header(CONTENT_TYPE, "multipart/form-data; boundary=seam");
    assert_eq!(answered(upload).await.status, 201);
    let (people, documents) = (desk.sim.employees(), desk.sim.documents());
    desk.sim.stop().await;

    let desk = Desk::with(options()).await;
    assert!(desk.sim.employees() == people && desk.sim.documents() == documents);
    assert_eq!(people[1].person.office.as_deref(), Some("Berlin"));
    assert_eq!(desk.found().await, 1);
    assert_eq!(desk.create(mia()).await.status, 422);
    assert_eq!(desk.sim.add(person("eva@example.org")), 1003);
}

#[tokio::test]
async fn a_data_file_that_cannot_be_used_refuses_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let (broken, blocked) = (folder.path().join("broken.json"), folder.path().join("broken.json/sim.json"));
    std::fs::write(&broken, "{\"employees\": 7}").expect("the folder is ours");
    for path in [broken, blocked] {
        let refused = Sim::start(Options { data: Some(path.clone()), ..Options::default() }).await;
        assert!(matches!(refused.err(), Some(SimError::Data { path: named, .. }) if named == path));
    }
}

#[tokio::test]
async fn a_port_that_is_taken_refuses_the_start() {
    let desk = Desk::open().await;
    let listen = desk.sim.address;
    let refused = Sim::start(Options { listen, ..Options::default() }).await;
    assert!(matches!(refused.err(), Some(SimError::Listen { address, .. }) if address == listen));
    desk.sim.stop().await;
    assert!(Sim::start(Options { listen, ..Options::default() }).await.is_ok());
}

#[tokio::test]
async fn faults_are_added_and_cleared_over_http() {
    let desk = Desk::open().await;
    for fault in [
        json!({"operation": "create_employee", "times": 1, "work": "done", "behaviour": {"status": {"code": 503, "retry_after": "7"}}}),
        json!({"operation": "create_employee", "work": {"late": {}}, "behaviour": "refused"}),
        json!({"operation": "any", "behaviour": {"latency": {"ms": 0}}}),
        json!({"operation": "any", "work": "undone", "behaviour": {"invisible": {"lookups": 2}}}),
        json!({"operation": "list_employees", "behaviour": "wait"}),
    ] {
        assert_eq!(desk.send(Method::POST, "/_sim/faults", &fault).await.status, 201, "{fault}");
    }
    let cut = desk.create(mia()).await;
    assert_eq!((cut.status, &cut.headers["retry-after"]), (503, &"7".parse().expect("a header")));
    let mut noa = mia();
    noa["email"] = json!("noa@example.org");
    assert_eq!(desk.create(noa).await.body["success"], json!(false));
    let released = answered(desk.bare(Method::POST, "/_sim/late/release")).await;
    assert_eq!(released.body, json!({"released": 1}));

    let waiting = tokio::spawn(desk.request(Method::GET, EMPLOYEES).send());
    desk.sim.arrival(Operation::ListEmployees, 1).await;
    assert_eq!(answered(desk.bare(Method::DELETE, "/_sim/faults")).await.status, 200);
    assert_eq!(answered(desk.bare(Method::POST, "/_sim/answers/release")).await.status, 200);
    assert_eq!(waiting.await.expect("no panic").expect("an answer").status(), 200);
    assert_eq!(desk.get(EMPLOYEES).await.body["metadata"]["total_elements"], json!(2));
}

#[tokio::test]
async fn a_fault_that_nobody_understands_is_refused() {
    let desk = Desk::open().await;
    for fault in [
        json!({"operation": "create_employees", "behaviour": "reset"}),
        json!({"operation": "any", "behaviour": "explode"}),
        json!({"operation": "any", "behaviour": "reset", "time": 2}),
    ] {
        let refused = desk.send(Method::POST, "/_sim/faults", &fault).await;
        assert_eq!(refused.status, 400, "{fault}");
        assert!(refused.body["error"].is_string());
    }
    assert_eq!(answered(desk.bare(Method::POST, "/_sim/faults")).await.status, 400);
    assert_eq!(answered(desk.bare(Method::GET, "/_sim/secrets")).await.status, 404);
}

#[tokio::test]
async fn the_switches_are_read_and_set_over_http() {
    let desk = Desk::open().await;
    let manner = json!({"meta": "object", "taken_email": {"refused": {"status": 409, "code": 0}}, "rights": {"documents_read": false}});
    assert_eq!(desk.send(Method::PUT, "/_sim/manner", &manner).await.status, 200);
    let shown = answered(desk.bare(Method::GET, "/_sim/manner")).await.body;
    assert_eq!((&shown["meta"], &shown["refusal_status"]), (&json!("object"), &json!(403)));
    assert_eq!(
        (&shown["rights"]["documents_read"], &shown["rights"]["employees_read"]),
        (&json!(false), &json!(true))
    );
    desk.create(mia()).await;
    assert_eq!(desk.create(mia()).await.status, 409);
    let typo = desk.send(Method::PUT, "/_sim/manner", &json!({"metta": "object"})).await;
    assert_eq!(typo.status, 400);
}

#[tokio::test]
async fn what_happened_is_shown_over_http() {
    let desk = Desk::open().await;
    let create = desk.creation(&mia_and(json!({"team": "Core"}))).header("X-Personio-Partner-ID", "PARTNER");
    assert_eq!(answered(create).await.status, 422);
    desk.create(mia()).await;
    assert_eq!(answered(desk.bare(Method::POST, "/_sim/token/revoke")).await.status, 200);
    assert_eq!(desk.get("/v1/company/employees?limit=1").await.status, 403);

    let show = async |what: &str| answered(desk.bare(Method::GET, &format!("/_sim/{what}"))).await.body;
    let requests = show("requests").await;
    assert_eq!(requests.as_array().map(Vec::len), Some(4), "control is no request");
    let login = json!({"client_id": "sim-client-id", "client_secret": "[withheld]"});
    assert_eq!(requests[0]["body"], login);
    let mut first = requests[1].clone();
    assert_eq!(first["body"].take()["employee"]["team"], json!("Core"));
    let expected = json!({
        "number": 2, "operation": "create_employee", "method": "POST", "path": EMPLOYEES, "query": null,
        "bearer": "accepted", "app_id": "HIREBRIDGE", "partner_id": "PARTNER", "content_type": JSON,
        "body": null, "outcome": {"answered": 422},
    });
    assert_eq!(first, expected);
    assert_eq!((&requests[3]["bearer"], &requests[3]["query"]), (&json!("rejected"), &json!("limit=1")));
    assert_eq!(show("violations").await, json!(["request 2 (create_employee): unknown field employee.team"]));
    assert_eq!(show("employees").await[0]["person"]["last_name"], json!("Beispiel"));
    assert_eq!(show("documents").await, json!([]));
}
