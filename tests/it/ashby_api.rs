//! With a key to Ashby's API the hire is completed; what the API does not tell never stops it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::ashby::{fixture, without_offer};
use crate::support::{ADMIN, House, Setup, state};

const KEY: &str = "ashby-api-key-of-the-test";

/// `KEY:` in base64.
const BASIC: &str = "Basic YXNoYnktYXBpLWtleS1vZi10aGUtdGVzdDo=";

const APPLICATION: &str = "00000010-1111-4222-8333-000000000010";
const TEAM: &str = "00000019-1111-4222-8333-000000000019";
const PARENT: &str = "0000001c-1111-4222-8333-00000000001c";
const LOCATION: &str = "00000018-1111-4222-8333-000000000018";
const CANDIDATE: &str = "00000011-1111-4222-8333-000000000011";

/// How Ashby answers a call.
#[derive(Clone, Debug)]
enum Says {
    Json(Value),
    Status(u16),
    Hangs,
}

/// Ashby's API: it knows one hire, looks at each request, and notes what it was asked.
#[derive(Clone, Default)]
struct Ashby {
    answers: BTreeMap<String, Says>,
    asked: Arc<Mutex<Vec<String>>>,
    wrong: Arc<Mutex<Vec<String>>>,
}

impl Ashby {
    /// One that answers everything, in the documented shapes.
    fn healthy() -> Self {
        let parent = json!({"id": PARENT, "name": "Product & Tech", "isArchived": false, "parentId": null});
        let mut application = fixture("applicationUpdate-hired")["data"]["application"].clone();
        application["candidate"]["customFields"] = json!([]);
        let offer = fixture("offerUpdate-accepted")["data"]["offer"].clone();
        Self::default()
            .says("application.info", Says::Json(json!({"success": true, "results": application})))
            .says("candidate.info", Says::Json(fixture("api-candidate.info")))
            .says("location.info", Says::Json(fixture("api-location.info")))
            .says(&format!("department.info/{TEAM}"), Says::Json(fixture("api-department.info")))
            .says(
                &format!("department.info/{PARENT}"),
                Says::Json(json!({"success": true, "results": parent})),
            )
            .says(
                "offer.list",
                Says::Json(json!({"success": true, "results": [offer], "moreDataAvailable": false})),
            )
    }

    fn says(mut self, call: &str, says: Says) -> Self {
        self.answers.insert(call.to_owned(), says);
        self
    }

    /// One that answers every call in this way.
    fn always(says: &Says) -> Self {
        let all = Self::healthy().answers;
        Self { answers: all.into_keys().map(|call| (call, says.clone())).collect(), ..Self::default() }
    }

    /// A house whose source has the key to this API.
    async fn house(&self, more: &str) -> House {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("is bound"));
        let router = axum::Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        // Personio knows the offices by other names than Ashby.
        let fields = "[mapping.fields]\noffice = { from = \"job.location\", values = { \"Berlin HQ\" = \"Berlin\" } }\n\
            dynamic_101 = \"job.team\"\ndynamic_111 = \"job.departments\"\n";
        let ashby = format!("api_key = \"{KEY}\"\napi_base_url = \"{url}\"\n{more}");
        House::with(Setup { ashby, sections: fields.into(), ..Setup::default() }).await
    }

    fn asked(&self) -> Vec<String> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone();
        asked.sort();
        asked
    }

    /// That nothing was asked for that Ashby would not have understood.
    fn was_asked_rightly(&self) {
        assert_eq!(*self.wrong.lock().unwrap_or_else(PoisonError::into_inner), Vec::<String>::new());
    }
}

async fn answer(State(ashby): State<Ashby>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let call = head.uri.path().trim_start_matches('/').to_owned();
    let expected = match call.as_str() {
        "application.info" => json!({"applicationId": APPLICATION}),
        "candidate.info" => json!({"id": CANDIDATE}),
        "location.info" => json!({"locationId": LOCATION}),
        "department.info" => json!({"departmentId": body["departmentId"]}),
        _ => json!({"applicationId": APPLICATION, "acceptanceStatus": ["Accepted"]}),
    };
    let is_right = head.method == "POST"
        && head.uri.query().is_none()
        && head.headers.get(header::AUTHORIZATION).is_some_and(|value| value == BASIC)
        && head.headers.get(header::ACCEPT).is_some_and(|value| value == "application/json; version=1")
        && head.headers.get(header::CONTENT_TYPE).is_some_and(|value| value == "application/json")
        && body == expected;
    if !is_right {
        ashby
            .wrong
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(format!("{} {}", head.method, head.uri));
    }
    let call = match body["departmentId"].as_str() {
        Some(id) => format!("{call}/{id}"),
        None => call,
    };
    ashby.asked.lock().unwrap_or_else(PoisonError::into_inner).push(call.clone());
    match ashby.answers.get(&call) {
        Some(Says::Json(answer)) => axum::Json(answer.clone()).into_response(),
        Some(Says::Status(status)) => StatusCode::from_u16(*status).expect("a status").into_response(),
        Some(Says::Hangs) => std::future::pending().await,
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The notes on calls that failed.
fn failed(hire: &Value) -> Vec<String> {
    let notes = hire["notes"].as_array().expect("notes").iter().filter_map(Value::as_str);
    notes.filter_map(|note| note.strip_prefix("ats_call_failed:")).map(str::to_owned).collect()
}

#[tokio::test]
async fn with_a_key_a_hire_is_completed_before_it_is_sent() {
    let ashby = Ashby::healthy();
    let house = ashby.house("").await;
    let answer = house.deliver(&fixture("applicationUpdate-hired")).await;
    assert_eq!(answer.state(), "created");
    let hire = house.hire(&answer.hire()).await;
    let said = [&hire["missing"], &hire["warnings"]];
    assert_eq!((said, failed(&hire)), ([&json!([]), &json!([])], vec![]));
    let person = house.sim.employees()[0].person.clone();
    assert_eq!((person.first_name.as_str(), person.last_name.as_str()), ("Jörg", "van der Müller"));
    assert_eq!(person.hire_date.map(|date| date.to_string()).as_deref(), Some("2027-01-01"));
    assert_eq!(
        (person.department.as_deref(), person.office.as_deref()),
        (Some("Engineering"), Some("Berlin"))
    );
    assert_eq!(person.custom_attributes["dynamic_101"], "Engineering");
    assert_eq!(person.custom_attributes["dynamic_111"], "Engineering, Product & Tech");
    let calls = ["candidate.info", &format!("department.info/{TEAM}"), &format!("department.info/{PARENT}")];
    assert_eq!(ashby.asked(), [&calls[..], &["location.info", "offer.list"]].concat());
    ashby.was_asked_rightly();
}

#[tokio::test]
async fn a_preview_is_completed_as_the_hire_is() {
    let ashby = Ashby::healthy();
    let house = ashby.house("").await;
    let request = json!({"source": "ashby", "payload": fixture("applicationUpdate-hired")});
    let preview = house.post("/v1/hires/preview", &request).await.json();
    let id = house.deliver(&fixture("applicationUpdate-hired")).await.hire();
    let hire = house.hire(&id).await;
    assert_eq!(preview["plan"]["hash"], hire["plan"]["hash"]);
    assert_eq!(preview["plan"]["employee"]["department"], "Engineering");
}

#[tokio::test]
async fn events_that_carry_little_are_hires_when_they_are_chosen() {
    let chosen = "hired_when = [\"offerUpdate\", \"pushToHRIS\"]";
    for (events, applications) in
        [(["offerUpdate-accepted", "pushToHRIS"], 1), (["pushToHRIS", "offerUpdate-accepted"], 0)]
    {
        let ashby = Ashby::healthy();
        let house = ashby.house(chosen).await;
        let mut ids = Vec::new();
        for event in events {
            let answer = house.deliver(&fixture(event)).await;
            assert_eq!(answer.state(), "created", "{event}");
            ids.push(answer.hire());
        }
        assert_eq!((&ids[0], house.sim.creates()), (&ids[1], 1));
        let hire = house.hire(&ids[0]).await;
        assert_eq!((&hire["missing"], &hire["warnings"]), (&json!([]), &json!([])), "{events:?}");
        assert_eq!(hire["plan"]["employee"]["email"], "joerg.mueller@example.com");
        assert_eq!(hire["plan"]["employee"]["position"], "Backend Engineer");
        assert_eq!(ashby.asked().iter().filter(|call| *call == "application.info").count(), applications);
        ashby.was_asked_rightly();
        let mut open = fixture("offerUpdate-accepted");
        open["data"]["offer"]["acceptanceStatus"] = "WaitingOnResponse".into();
        open["data"]["offer"]["offerStatus"] = "WaitingOnCandidateResponse".into();
        assert_eq!(house.deliver(&open).await.state(), "ignored(not_hired)");
        assert_eq!(
            house.deliver(&fixture("applicationUpdate-hired")).await.state(),
            "ignored(event_not_used)"
        );
    }
}

#[tokio::test]
async fn what_ashby_does_not_tell_is_named_and_the_hire_goes_all_the_same() {
    let cases = [
        (Says::Json(fixture("api-error")), "refused_application_not_found"),
        (
            Says::Json(json!({"success": false, "errors": ["missing_endpoint_permission"]})),
            "refused_missing_endpoint_permission",
        ),
        (Says::Json(json!({"results": {"name": "Berlin HQ"}})), "unreadable"),
        (Says::Status(401), "status_401"),
        (Says::Status(500), "status_500"),
        (Says::Status(302), "status_302"),
        (Says::Hangs, "timeout"),
    ];
    // Together, because one of them waits until there is no more time to wait for Ashby.
    join_all(cases.map(|(says, code)| async move {
        let ashby = Ashby::always(&says);
        let house = ashby.house("wait = \"10ms\"").await;
        let id = house.deliver(&fixture("applicationUpdate-hired")).await.hire();
        let hire = house.hire(&id).await;
        assert_eq!((state(&hire).as_str(), house.sim.creates()), ("created", 1), "{code}");
        let expected = json!(["dynamic_101", "dynamic_111", "hire_date", "office", "department"]);
        assert_eq!(hire["missing"], expected, "{code}");
        let calls = ["offer.list", "department.info", "location.info", "candidate.info"];
        assert_eq!(failed(&hire), calls.map(|call| format!("{call}:{code}")));
        assert_eq!(house.sim.employees()[0].person.hire_date, None, "no date is made up");
        ashby.was_asked_rightly();
    }))
    .await;
}

#[tokio::test]
async fn one_call_that_fails_costs_only_what_it_would_have_told() {
    for (call, missing) in [
        ("offer.list", json!(["hire_date"])),
        ("location.info", json!(["office"])),
        (&format!("department.info/{TEAM}"), json!(["dynamic_101", "dynamic_111", "department"])),
        (&format!("department.info/{PARENT}"), json!([])),
        ("candidate.info", json!([])),
    ] {
        let ashby = Ashby::healthy().says(call, Says::Status(503));
        let house = ashby.house("").await;
        let answer = house.deliver(&fixture("applicationUpdate-hired")).await;
        assert_eq!(answer.state(), "created");
        let hire = house.hire(&answer.hire()).await;
        let call = call.split('/').next().unwrap_or(call);
        assert_eq!((&hire["missing"], failed(&hire)), (&missing, vec![format!("{call}:status_503")]));
    }
}

#[tokio::test]
async fn without_a_key_what_is_named_only_by_its_id_is_missing() {
    let house = House::new().await;
    let named = house.deliver(&fixture("candidateHire")).await;
    assert_eq!(named.state(), "created");
    assert_eq!(house.hire(&named.hire()).await["missing"], json!(["department", "office"]));
    let unnamed =
        house.deliver(&without_offer("candidateHire", "a-2", "Mia Beispiel", "mia@example.org")).await;
    assert_eq!(house.hire(&unnamed.hire()).await["missing"], json!(["hire_date"]));
}

#[tokio::test]
async fn an_offer_alone_that_cannot_be_completed_is_held_and_nothing_is_made_up() {
    let ashby = Ashby::always(&Says::Status(503));
    let house = ashby.house("hired_when = [\"offerUpdate\"]").await;
    let answer = house.deliver(&fixture("offerUpdate-accepted")).await;
    assert_eq!((answer.state().as_str(), house.sim.creates()), ("held(missing)", 0));
    let hire = house.hire(&answer.hire()).await;
    assert!(hire["notes"].as_array().expect("notes").contains(&json!("ats_lacks:application")));
    // The webhook that has it all mends it.
    assert_eq!(house.deliver(&fixture("candidateHire")).await.state(), "created");
    assert_eq!(house.sim.creates(), 1);
}

#[tokio::test]
async fn the_key_shows_in_no_answer() {
    let ashby = Ashby::healthy().says("location.info", Says::Status(401));
    let house = ashby.house("").await;
    let answer = house.deliver(&fixture("applicationUpdate-hired")).await;
    let mut answers = vec![answer.text.clone()];
    answers.push(house.hire(&answer.hire()).await.to_string());
    for path in ["/", "/metrics", "/healthz", "/openapi.yaml", "/v1/hires", "/v1/sources", "/v1/check"] {
        answers.push(house.ask(Method::GET, path, ADMIN, None).await.text);
    }
    for secret in [KEY, BASIC.trim_start_matches("Basic ")] {
        assert!(answers.iter().all(|text| !text.contains(secret)));
    }
}
