//! What whoever runs the service sees: alive, ready, counted; and what each source has sent.

use std::sync::Arc;

use hirebridge::sim::{Behaviour, Fault, Operation, Options, Sim};
use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::ashby::{candidate_hire, hire, signature, without_offer};
use crate::support::process::{Served, hirebridge};
use crate::support::{House, SECRET, Setup, VIEWER, configuration, start_of_test, state};

const HEALTH: [&str; 4] = ["/livez", "/readyz", "/healthz", "/"];

/// The answers of `/livez` and of `/readyz` with its reason.
async fn health(house: &House) -> (StatusCode, StatusCode) {
    let live = house.send(house.bare(Method::GET, "/livez")).await;
    (live.status, house.send(house.bare(Method::GET, "/readyz")).await.status)
}

const WELL: (StatusCode, StatusCode) = (StatusCode::OK, StatusCode::OK);

#[tokio::test]
async fn anyone_may_ask_for_its_health_with_get_and_head() {
    let house = House::new().await;
    for path in HEALTH.into_iter().chain(["/metrics"]) {
        let get = house.send(house.bare(Method::GET, path)).await;
        assert_eq!(get.status, 200, "{path}");
        assert!(!get.text.is_empty(), "{path}");
        let head = house.send(house.bare(Method::HEAD, path)).await;
        assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""), "{path}");
        assert_eq!(head.headers["content-type"], get.headers["content-type"], "{path}");
    }
    let about = house.send(house.bare(Method::GET, "/")).await.json();
    assert_eq!(about, json!({"name": "hirebridge", "version": env!("CARGO_PKG_VERSION")}));
    assert_eq!(house.sim.calls(Operation::Any), 0, "Personio is not asked");
}

#[tokio::test]
async fn a_personio_that_is_down_does_not_make_it_unready() {
    let mut house = House::new().await;
    let other = Sim::start(Options::default()).await.expect("a simulator");
    let mine = std::mem::replace(&mut house.sim, Arc::new(other));
    Arc::into_inner(mine).expect("nobody else uses it").stop().await;
    let answer = house.deliver(&hire()).await;
    assert_eq!(state(&house.hire(&answer.hire()).await), "waiting(unreachable)");
    assert_eq!(health(&house).await, WELL);
}

#[tokio::test]
async fn an_ats_that_is_down_does_not_make_it_unready() {
    let nobody = "api_key = \"an-api-key-of-ashby\"\napi_base_url = \"http://127.0.0.1:9\"";
    let house = House::with(Setup { ashby: nobody.into(), ..Setup::default() }).await;
    let body = without_offer("candidateHire", "a-1", "Mia Beispiel", "mia@example.org");
    assert_eq!(house.deliver(&body).await.state(), "created");
    assert_eq!(health(&house).await, WELL);
}

#[tokio::test]
async fn while_draining_it_is_unready_at_once_and_still_accepts() {
    let mut house = House::with(Setup { server: "drain_delay = \"10s\"".into(), ..Setup::default() }).await;
    let service = house.service.take().expect("it is open");
    let url = service.url();
    let stopping = tokio::spawn(service.stop());
    tokio::task::yield_now().await;
    let http = reqwest::Client::builder().build().expect("a client");
    for (path, expected) in [("/livez", 200), ("/readyz", 503), ("/healthz", 503)] {
        let answer = http.get(format!("{url}{path}")).send().await.expect("an answer");
        assert_eq!(answer.status(), expected, "{path}");
        let body = answer.text().await.expect("a body");
        assert_eq!(body.contains("\"draining\""), expected == 503, "{path}: {body}");
    }
    let body = hire().to_string();
    let delivery = http.post(format!("{url}/webhooks/ashby"));
    let delivery = delivery.header("Ashby-Signature", signature(SECRET, body.as_bytes())).body(body);
    assert_eq!(delivery.send().await.expect("an answer").status(), 200);
    assert!(!stopping.is_finished());

    drop(http);
    house.clock.advance(SignedDuration::from_secs(10));
    stopping.await.expect("it stops");
    assert_eq!(house.sim.creates(), 1, "what was accepted was carried out");
    let http = reqwest::Client::builder().build().expect("a client");
    assert!(http.get(format!("{url}/livez")).send().await.is_err());
}

/// One delivery of each kind: created, repeated, held, waiting, refused, ignored.
async fn one_of_each(house: &House) {
    house.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::too_many(Some("0"))));
    assert_eq!(house.deliver(&hire()).await.state(), "created");
    assert_eq!(house.deliver(&hire()).await.json()["duplicate"], true);
    assert_eq!(house.deliver(&candidate_hire("a-2", "Bo", "no address")).await.state(), "held(invalid)");
    house.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::too_many(Some("3000"))));
    let waiting = house.deliver(&candidate_hire("a-3", "Bo Beispiel", "bo@example.org")).await;
    assert_eq!(waiting.state(), "waiting(throttled)");
    let ping = json!({"action": "ping", "data": {"webhookActionType": "ping"}});
    assert_eq!(house.deliver(&ping).await.state(), "ignored(ping)");
    let unsigned = house.bare(Method::POST, "/webhooks/ashby").body(hire().to_string());
    assert_eq!(house.send(unsigned).await.status, 401);
    let nowhere = house.bare(Method::POST, "/webhooks/nowhere").body("{}");
    assert_eq!(house.send(nowhere).await.status, 401);
}

#[tokio::test]
async fn the_metrics_count_hires_deliveries_and_calls() {
    let house = House::new().await;
    one_of_each(&house).await;
    house.clock.advance(SignedDuration::from_mins(5));
    let reply = house.send(house.bare(Method::GET, "/metrics")).await;
    assert_eq!(reply.headers["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(reply.text.ends_with("# EOF\n"));
    for line in [
        "hirebridge_hires{source=\"ashby\",state=\"created\"} 1",
        "hirebridge_hires{source=\"ashby\",state=\"held\"} 1",
        "hirebridge_hires{source=\"ashby\",state=\"waiting\"} 1",
        "hirebridge_deliveries_total{source=\"ashby\",result=\"stored\"} 3",
        "hirebridge_deliveries_total{source=\"ashby\",result=\"duplicate\"} 1",
        "hirebridge_deliveries_total{source=\"ashby\",result=\"ignored\"} 1",
        "hirebridge_deliveries_total{source=\"ashby\",result=\"refused\"} 1",
        "hirebridge_deliveries_total{source=\"unknown\",result=\"refused\"} 1",
        "hirebridge_delivery_answer_seconds_count 7",
        "hirebridge_personio_calls_total{operation=\"auth\",result=\"200\"} 1",
        "hirebridge_personio_calls_total{operation=\"look_up\",result=\"200\"} 2",
        "hirebridge_personio_calls_total{operation=\"create\",result=\"200\"} 1",
        "hirebridge_personio_calls_total{operation=\"create\",result=\"429\"} 2",
        "hirebridge_personio_retries_total{operation=\"create\"} 1",
        "hirebridge_oldest_unfinished_age_seconds 300.0",
        "hirebridge_personio_credential_refused 0",
    ] {
        assert!(reply.text.lines().any(|there| there == line), "{line} in {}", reply.text);
    }
}

#[tokio::test]
async fn each_source_tells_what_it_sent_last_and_what_was_refused_and_why() {
    let limit = "body_limit = \"4KiB\"";
    let house = House::with(Setup { ashby: limit.into(), ..Setup::default() }).await;
    let sources = async |house: &House| {
        let reply = house.ask(Method::GET, "/v1/sources", VIEWER, None).await.json();
        assert_eq!(reply["since"], json!(start_of_test()));
        assert_eq!(reply["sources"].as_array().map(Vec::len), Some(1));
        reply["sources"][0].clone()
    };
    let quiet = sources(&house).await;
    assert_eq!((&quiet["name"], &quiet["kind"]), (&json!("ashby"), &json!("ashby")));
    for nothing in ["last_delivery_at", "last_hire", "last_refusal"] {
        assert_eq!(quiet[nothing], json!(null), "{nothing}");
    }

    house.clock.advance(SignedDuration::from_mins(1));
    let id = house.deliver(&hire()).await.hire();
    house.clock.advance(SignedDuration::from_mins(1));
    for ignored in [json!({"action": "ping", "data": {}}), json!({"action": "ping", "data": {}})] {
        assert_eq!(house.deliver(&ignored).await.state(), "ignored(ping)");
    }
    let seen = sources(&house).await;
    assert_eq!(seen["last_hire"], json!({"id": id, "at": "2026-12-01T08:01:00Z"}));
    assert_eq!(seen["last_delivery_at"], "2026-12-01T08:02:00Z");
    assert_eq!(seen["ignored"], json!({"ping": 2}));
    assert_eq!(seen["secrets"], json!([{"n": 1, "last_used_at": "2026-12-01T08:02:00Z"}]));

    let post = || house.bare(Method::POST, "/webhooks/ashby");
    let signed = |by: &str| signature(by, b"{}");
    let refusals = [
        (post().body("{}"), 401, "header_missing"),
        (
            post().header("Ashby-Signature", signed("another-secret-of-sb")).body("{}"),
            401,
            "no_secret_matches",
        ),
        (post().body(vec![b' '; 6 << 10]), 413, "too_large"),
        (post().header("Content-Encoding", "gzip").body("{}"), 415, "content_encoding"),
    ];
    for (n, (request, status, reason)) in refusals.into_iter().enumerate() {
        house.clock.advance(SignedDuration::from_mins(1));
        assert_eq!(house.send(request).await.status, status, "{reason}");
        let source = sources(&house).await;
        let at = start_of_test() + SignedDuration::from_mins(i64::try_from(n).expect("a few") + 3);
        assert_eq!(source["last_refusal"], json!({"reason": reason, "at": at}));
        assert_eq!(source["refusals"], json!(n + 1));
        assert_eq!(source["last_delivery_at"], "2026-12-01T08:02:00Z", "a refusal is no delivery");
    }
}

#[tokio::test]
async fn the_healthcheck_ends_with_0_only_while_a_delivery_could_be_stored() {
    let sim = Sim::start(Options::default()).await.expect("a simulator");
    let folder = tempfile::TempDir::new().expect("a folder");
    let config = folder.path().join("hirebridge.toml");
    std::fs::write(&config, configuration(&sim.url(), folder.path(), &Setup::default())).expect("writable");
    let served = Served::start(folder.path(), &config).await;
    let (_, port) = served.url.rsplit_once(':').expect("a port");
    let listen = format!("127.0.0.1:{port}");
    let ask = async |args: &[&str]| {
        let mut command = hirebridge(folder.path());
        command.arg("healthcheck").args(args).env("HIREBRIDGE__SERVER__LISTEN", &listen);
        tokio::task::spawn_blocking(move || command.output().expect("it runs").status.code())
            .await
            .expect("it ends")
    };
    let nowhere = format!("{}/nowhere", served.url);
    assert_eq!(ask(&[]).await, Some(0));
    assert_eq!(ask(&["--url", &format!("{}/livez", served.url)]).await, Some(0));
    assert_eq!(ask(&["--url", &nowhere]).await, Some(1));
    assert_eq!(served.terminate(), Some(0));
    assert_eq!(ask(&[]).await, Some(1));
}
