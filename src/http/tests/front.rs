//! What every request goes through, and what nobody needs a token for.

use axum::routing::get;

use super::*;

#[tokio::test]
async fn what_the_framework_refuses_is_a_problem_too() {
    let house = House::new().await;
    assert_eq!(house.get("/nothing").await.problem(), "not_found");
    let answer = house.viewer(Method::GET, "/v1/nothing", &[], "").await;
    assert_eq!((answer.status, answer.problem().as_str()), (StatusCode::NOT_FOUND, "not_found"));
    let answer = house.viewer(Method::DELETE, "/v1/hires", &[], "").await;
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed")
    );
    assert_eq!(answer.header("allow"), "GET,HEAD,POST");
    let answer = house.post("/livez", &[], "").await;
    assert_eq!((answer.status, answer.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "GET,HEAD"));
}

#[tokio::test]
async fn two_hosts_are_refused() {
    let house = House::new().await;
    let answer = house.ask(Method::GET, "/", &[("host", "a"), ("host", "b")], "").await;
    assert_eq!(answer.problem(), "bad_request");
}

#[tokio::test]
async fn a_panic_is_a_problem_that_tells_nothing() {
    async fn panics() {
        panic!("mia@example.org");
    }
    let house = House::new().await;
    let router = dressed(Router::new().route("/", get(panics)), Gates::default(), house.app);
    let request = Request::get("/")
        .header("host", "x")
        .header("x-request-id", "r-1")
        .body(Body::empty())
        .expect("is well formed");
    let answer = Answer::of(router.oneshot(request).await.expect("the router always answers")).await;
    assert_eq!((answer.status, answer.problem().as_str()), (StatusCode::INTERNAL_SERVER_ERROR, "internal"));
    assert!(!answer.text.contains("mia"), "{}", answer.text);
    assert_eq!(answer.header("x-request-id"), "r-1");
}

#[tokio::test]
async fn each_answer_carries_the_requests_id() {
    let house = House::new().await;
    let own = house.ask(Method::GET, "/livez", &[("x-request-id", "abc-1")], "").await;
    assert_eq!(own.header("x-request-id"), "abc-1");
    let ours = house.ask(Method::GET, "/nothing", &[("x-request-id", "a b")], "").await;
    assert_eq!(ours.header("x-request-id").len(), 36);
}

#[tokio::test]
async fn health_is_answered_to_get_and_head_until_the_service_stops() {
    let house = House::new().await;
    for path in ["/", "/livez", "/readyz", "/healthz"] {
        assert_eq!(house.get(path).await.status, StatusCode::OK, "{path}");
        let head = house.ask(Method::HEAD, path, &[], "").await;
        assert_eq!((head.status, head.text.as_str()), (StatusCode::OK, ""), "{path}");
    }
    assert_eq!(house.get("/").await.json()["name"], "hirebridge");
    house.app.draining.cancel();
    for path in ["/readyz", "/healthz"] {
        let answer = house.get(path).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.json(), json!({"status": "unready", "reason": "draining"}));
    }
    assert_eq!(house.get("/livez").await.status, StatusCode::OK);
}

#[tokio::test]
async fn metrics_and_contract_are_shown() {
    let house = House::new().await;
    let metrics = house.get("/metrics").await;
    assert!(metrics.header("content-type").starts_with("application/openmetrics-text"));
    assert!(metrics.text.ends_with("# EOF\n"));
    assert!(house.get("/openapi.yaml").await.text.starts_with("openapi: 3.1.0\n"));
}
