//! What operators are let to do.

use axum::routing::get;

use super::contract::operations;
use super::*;

/// Whether it is open to anyone: whoever signs in or out has no operator yet.
fn is_open(path: &str, method: &Method) -> bool {
    path == "/v1/session" && method != Method::GET
}

#[tokio::test]
async fn nothing_under_v1_works_without_a_token() {
    let house = House::new().await;
    let behind = |(path, method): &(String, Method)| path.starts_with("/v1") && !is_open(path, method);
    let mut paths: Vec<_> = operations().into_iter().filter(behind).collect();
    assert!(paths.len() >= 9, "{paths:?}");
    paths.extend([("/v1".into(), Method::GET), ("/v1/nothing".into(), Method::DELETE)]);
    for (path, method) in paths {
        // Wrong tokens are counted by the minute.
        house.app.clock.advance(SignedDuration::from_mins(1));
        for headers in [&[][..], &[("authorization", "Bearer hb_wrong")], &[("authorization", "Basic eDp5")]]
        {
            let answer = house.ask(method.clone(), &path, headers, "{}").await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
            assert_eq!(answer.problem(), "unauthenticated");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
            assert_eq!(answer.header("cache-control"), "no-store");
        }
    }
}

#[test]
fn every_route_behind_the_door_states_whom_it_is_open_to() {
    let api = serde_json::to_value(routes().into_openapi()).expect("the contract serialises");
    for (path, item) in api["paths"].as_object().expect("there are paths") {
        for (method, operation) in item.as_object().expect("there are methods") {
            let role = operation["x-role"].as_str();
            let method = method.to_uppercase().parse().expect("a method");
            let roles = ["viewer", "sender", "admin"];
            let expected: &[_] = if is_open(path, &method) { &["anyone"] } else { &roles };
            assert_eq!(role.is_some(), path.starts_with("/v1"), "{method} {path}");
            assert!(role.is_none_or(|role| expected.contains(&role)), "{method} {path}: {role:?}");
        }
    }
}

#[tokio::test]
async fn a_route_that_states_no_role_is_open_to_nobody() {
    let house = House::new().await;
    let routes = Router::new().route("/v1/unstated", get(|| async { "open" }));
    let router = dressed(routes, Gates::default(), house.app.clone());
    let request = Request::get("/v1/unstated").header("host", "x");
    let request = request.header("authorization", format!("Bearer {SENDER}"));
    let answer = router.oneshot(request.body(Body::empty()).expect("well formed")).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_viewer_changes_nothing() {
    let house = House::new().await;
    let hire = "/v1/hires/01942f5e-9c1b-7c3e-8a37-2f6f2a6f0c11";
    for path in
        ["/v1/hires".to_owned(), format!("{hire}/send"), format!("{hire}/dismiss"), format!("{hire}/link")]
    {
        let answer = house.viewer(Method::POST, &path, &[], "{}").await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (StatusCode::FORBIDDEN, "forbidden"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_token_in_the_url_is_refused_even_if_it_is_right() {
    let house = House::new().await;
    let answer = house.get(&format!("/v1/hires?token={VIEWER}")).await;
    assert_eq!((answer.status, answer.problem().as_str()), (StatusCode::BAD_REQUEST, "token_in_url"));
    assert!(!answer.text.contains(VIEWER));
}

#[tokio::test]
async fn a_viewer_lists_and_looks_up() {
    let house = House::new().await;
    let answer = house.viewer(Method::GET, "/v1/hires?state=held&limit=2", &[], "").await;
    assert_eq!(answer.json(), json!({"hires": [], "next_cursor": null}));
    assert_eq!(answer.header("cache-control"), "no-store");
    let unknown = house.viewer(Method::GET, "/v1/hires/01942f5e-9c1b-7c3e-8a37-2f6f2a6f0c11", &[], "").await;
    assert_eq!((unknown.status, unknown.problem().as_str()), (StatusCode::NOT_FOUND, "hire_not_found"));
    let none = house.viewer(Method::GET, "/v1/hires/mia@example.org", &[], "").await;
    assert_eq!((none.status, none.problem().as_str()), (StatusCode::BAD_REQUEST, "invalid_id"));
    assert!(!none.text.contains("mia"));
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_a_problem() {
    let house = House::new().await;
    let long = " ".repeat(1001);
    let json = ("content-type", "application/json");
    let cases = [
        (vec![("content-type", "text/plain")], "{}", 415, "unsupported_media_type"),
        (vec![], "{}", 415, "unsupported_media_type"),
        (vec![json, ("content-encoding", "gzip")], "{}", 415, "content_encoding"),
        (vec![json], long.as_str(), 413, "too_large"),
        (vec![json, ("content-length", "5000")], "{}", 413, "too_large"),
        (vec![json], "{", 400, "invalid_json"),
        (vec![json], r#"{"candidat": {"email": "mia@example.org"}}"#, 422, "invalid"),
        (vec![json], r#"{"candidate": "mia@example.org"}"#, 422, "invalid"),
        (vec![json], r#"{"payload": {}}"#, 422, "invalid"),
        (vec![json], r#"{"payload": {}, "source": "mia"}"#, 422, "unknown_source"),
        (vec![json], r#"{"payload": {}, "source": "ashby", "job": {}}"#, 422, "invalid"),
    ];
    for (headers, body, status, code) in cases {
        let answer = house.viewer(Method::POST, "/v1/hires/preview", &headers, body).await;
        assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (status, code), "{body}");
        assert!(!answer.text.contains("mia"), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_typed_hire_is_previewed_entered_once_shown_and_taken_off_the_list() {
    let house = House::new().await;
    let json = ("content-type", "application/json");
    let body = r#"{"candidate": {"first_name": "Mia", "last_name": "Beispiel", "email": "mia@example.org"}}"#;
    let plan = house.viewer(Method::POST, "/v1/hires/preview", &[json], body).await.json()["plan"].clone();
    assert_eq!(plan["employee"]["email"], "mia@example.org");
    assert_eq!((&plan["sendable"], &plan["missing"]), (&json!(true), &json!(["hire_date", "position"])));

    let without = house.operator(SENDER, Method::POST, "/v1/hires", &[json], body).await;
    assert_eq!(
        (without.status, without.problem().as_str()),
        (StatusCode::BAD_REQUEST, "idempotency_key_missing")
    );
    let key = ("idempotency-key", "k-1");
    let entered = house.operator(SENDER, Method::POST, "/v1/hires", &[json, key], body).await;
    let hire = entered.json();
    assert_eq!(entered.status, StatusCode::CREATED, "{}", entered.text);
    assert_eq!((&hire["state"], &hire["reason"]), (&json!("held"), &json!("review")));
    assert_eq!(hire["plan"]["hash"], plan["hash"]);
    assert_eq!(hire["history"][0]["actor"], "operator:mia");
    let again = house.operator(SENDER, Method::POST, "/v1/hires", &[json, key], body).await;
    assert_eq!((again.status, &again.json()["id"]), (StatusCode::OK, &hire["id"]));

    let at = entered.header("location").to_owned();
    assert_eq!(house.viewer(Method::GET, &at, &[], "").await.json(), hire);
    let list = house.viewer(Method::GET, "/v1/hires?state=held&limit=1", &[], "").await.json();
    assert_eq!((&list["hires"][0]["id"], &list["next_cursor"]), (&hire["id"], &Value::Null));
    assert!(list["hires"][0].get("history").is_none());

    let dismissed = house.operator(SENDER, Method::POST, &format!("{at}/dismiss"), &[], "").await.json();
    assert_eq!(dismissed["flags"]["dismissed"], true);
    let undo = r#"{"dismissed": false}"#;
    let undone = house.operator(SENDER, Method::POST, &format!("{at}/dismiss"), &[json], undo).await;
    assert_eq!(undone.json()["flags"]["dismissed"], false);
}

#[tokio::test]
async fn another_plan_than_the_one_that_was_seen_is_shown_and_not_sent() {
    let house = House::new().await;
    let json = ("content-type", "application/json");
    let body = r#"{"candidate": {"first_name": "Mia", "last_name": "Beispiel", "email": "mia@example.org"}}"#;
    let key = ("idempotency-key", "k-1");
    let hire = house.operator(SENDER, Method::POST, "/v1/hires", &[json, key], body).await.json();
    let at = format!("/v1/hires/{}", hire["id"].as_str().expect("an id"));
    let sending = json!({"plan_hash": hire["plan"]["hash"], "corrections": {"hire_date": "2027-02-01"}});
    let answer =
        house.operator(SENDER, Method::POST, &format!("{at}/send"), &[json], &sending.to_string()).await;
    assert_eq!((answer.status, answer.problem().as_str()), (StatusCode::CONFLICT, "plan_changed"));
    let expected = json!([{"field": "hire_date", "yours": null, "now": "2027-02-01"}]);
    assert_eq!(answer.json()["difference"], expected);
    assert_eq!(answer.json()["plan"]["employee"]["hire_date"], "2027-02-01");

    let wrong = json!({"plan_hash": "x", "corrections": {"hire_date": "mia"}}).to_string();
    let answer = house.operator(SENDER, Method::POST, &format!("{at}/send"), &[json], &wrong).await;
    assert_eq!((answer.status, answer.problem().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "invalid"));
}
