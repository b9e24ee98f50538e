//! Tokens and rights.

use super::*;

const NOT_VALID: &str = "Provided authorization is not valid";

#[tokio::test]
async fn one_token_is_given_for_json_and_form_again_and_again() {
    let desk = Desk::unknown(Options::default()).await;
    let first = desk.log_in().await;
    let form = "client_id=sim-client-id&client_secret=sim-client-secret";
    let second = answered(desk.auth(FORM, form.into())).await;

    assert_eq!((first.status, second.status), (200, 200));
    assert_eq!(first.body["success"], json!(true));
    let data = &first.body["data"];
    assert!(data["token"].as_str().is_some_and(|token| token.starts_with("papi-")));
    assert!(data["expires_in"].as_u64().is_some_and(|left| (86_000..=86_400).contains(&left)));
    assert_eq!(data["scope"], json!("employees:read employees:write documents:read documents:write"));
    assert_eq!(second.body["data"]["token"], data["token"]);
    assert!(desk.sim.violations().is_empty(), "{:?}", desk.sim.violations());
}

#[tokio::test]
async fn credentials_in_the_query_are_refused_and_not_kept() {
    let desk = Desk::unknown(Options::default()).await;
    let path = "/v1/auth?client_id=sim-client-id&client_secret=sim-client-secret";
    let answered = answered(desk.bare(Method::POST, path)).await;

    assert_eq!(answered.status, 403);
    assert_eq!(desk.sim.requests()[0].query, None);
    let told = "request 1 (auth): credentials belong into the body of /v1/auth, never into the query";
    assert_eq!(desk.sim.violations(), [told]);
}

#[tokio::test]
async fn wrong_credentials_are_refused_without_a_violation() {
    let desk = Desk::unknown(Options::default()).await;
    let wrong = json!({"client_id": "sim-client-id", "client_secret": "guessed"}).to_string();
    let answered = answered(desk.auth(JSON, wrong)).await;

    assert_eq!((answered.status, answered.body), (403, refusal(0, "Wrong credentials")));
    assert_eq!(desk.sim.requests()[0].body["client_secret"], json!("[withheld]"));
    assert!(desk.sim.violations().is_empty());
}

#[tokio::test]
async fn an_incomplete_login_is_a_violation() {
    let desk = Desk::unknown(Options::default()).await;
    let wrong = json!({"client_id": 7, "grant_type": "client_credentials"}).to_string();
    assert_eq!(answered(desk.auth(JSON, wrong)).await.status, 422);
    assert_eq!(
        desk.sim.violations(),
        [
            "request 1 (auth): client_id must be a string",
            "request 1 (auth): unknown field grant_type",
            "request 1 (auth): client_id and client_secret are required",
        ]
    );
}

#[tokio::test]
async fn personnel_answers_repeat_the_token() {
    let desk = Desk::open().await;
    let listed = desk.get(EMPLOYEES).await;
    assert_eq!(listed.headers["authorization"], format!("Bearer {}", desk.token).as_str());
    let missed = desk.get("/v1/company/employees/77").await;
    assert!(missed.headers.get("authorization").is_none());
}

#[tokio::test]
async fn nothing_is_told_without_a_token_or_with_a_wrong_one() {
    let desk = Desk::open().await;
    let without = answered(desk.bare(Method::GET, EMPLOYEES).header("X-Personio-App-ID", "HIREBRIDGE")).await;
    assert_eq!((without.status, without.body), (401, refusal(401, "Authorization is not provided")));

    let wrong = desk.bare(Method::GET, EMPLOYEES).header("X-Personio-App-ID", "HIREBRIDGE");
    let wrong = answered(wrong.bearer_auth("papi-of-yesterday")).await;
    assert_eq!((wrong.status, wrong.body), (403, refusal(403, NOT_VALID)));

    let bearers: Vec<Bearer> = desk.sim.requests().iter().skip(1).map(|request| request.bearer).collect();
    assert_eq!(bearers, [Bearer::Missing, Bearer::Rejected]);
}

#[tokio::test]
async fn an_old_or_revoked_token_is_replaced() {
    let desk = Desk::open().await;
    desk.sim.revoke_token();
    assert_eq!(desk.get(EMPLOYEES).await.status, 403);
    let fresh = desk.log_in().await.body["data"]["token"].clone();
    assert_ne!(fresh, json!(desk.token));

    desk.sim.adjust(|manner| manner.token_lifetime_s = 0);
    let born_old = desk.log_in().await.body["data"].clone();
    assert_eq!(born_old["expires_in"], json!(0));
    assert_ne!(born_old["token"], fresh);
    assert_eq!(desk.get(EMPLOYEES).await.status, 403);
}

#[tokio::test]
async fn a_credential_that_may_only_write_creates_and_reads_nothing() {
    let desk = Desk::open().await;
    desk.sim.adjust(|manner| manner.rights = Rights::write_only());
    assert_eq!(desk.create(mia()).await.status, 200);
    let paths = [
        EMPLOYEES,
        "/v1/company/employees/1001",
        "/v1/company/employees/attributes",
        "/v1/company/document-categories",
    ];
    for path in paths {
        let answered = desk.get(path).await;
        assert_eq!((answered.status, answered.body), (403, refusal(403, NOT_VALID)), "{path}");
    }
    assert_eq!(desk.log_in().await.body["data"]["scope"], json!("employees:write documents:write"));
}

#[tokio::test]
async fn a_missing_right_can_be_answered_with_401() {
    let desk = Desk::open().await;
    desk.sim.adjust(|manner| {
        manner.refusal_status = 401;
        manner.rights.employees_write = false;
    });
    let answered = desk.create(mia()).await;
    assert_eq!((answered.status, answered.body), (401, refusal(401, NOT_VALID)));
    assert!(desk.sim.employees().is_empty());
}
