//! Whoever is slow, silent or in doubt about framing is cut; everybody else is served, also while the
//! service is overloaded or stops.

use std::time::Duration;

use futures_util::future::join_all;
use hirebridge::http::limits::Limits;
use hirebridge::sim::{Behaviour, Fault, Operation};
use jiff::SignedDuration;
use reqwest::Method;
use tokio::time::timeout;

use crate::support::ashby::{candidate_hire, hire};
use crate::support::line::{ASK, HALF_BODY, HALF_HEAD, Line, NEVER};
use crate::support::process::{Served, eventually};
use crate::support::{House, Setup, configuration, state};
use tokio::io::AsyncWriteExt;

async fn house_within(limits: Limits) -> House {
    House::with(Setup { limits, ..Setup::default() }).await
}

fn hires(count: usize) -> Vec<serde_json::Value> {
    let hire = |n| candidate_hire(&format!("a-{n}"), "Mia Beispiel", &format!("mia{n}@example.org"));
    (0..count).map(hire).collect()
}

#[tokio::test]
async fn slow_connections_are_cut_while_good_traffic_flows() {
    let second = Duration::from_secs(1);
    let house = house_within(Limits { head: second, body: second, ..Limits::default() }).await;
    let (mut held, mut dripping) = (Vec::new(), Vec::new());
    for _ in 0..60 {
        held.push(Line::to(&house).await);
        held.push(Line::saying(&house, HALF_HEAD).await);
        held.push(Line::saying(&house, HALF_BODY).await);
        dripping.push(Line::saying(&house, HALF_HEAD).await.drip());
        dripping.push(Line::saying(&house, HALF_BODY).await.drip());
    }
    let good = async {
        for body in hires(10) {
            assert_eq!(house.deliver(&body).await.state(), "created");
        }
    };
    let cut = join_all(held.iter_mut().map(Line::last_words));
    let ((), cut, dripped) = tokio::join!(good, cut, join_all(dripping));
    for (n, words) in cut.iter().enumerate() {
        let late = if n % 3 == 2 { "HTTP/1.1 408 " } else { "" };
        assert!(words.starts_with(late) && words.is_empty() == late.is_empty(), "{words}");
    }
    assert_eq!(dripped.iter().filter(|words| words.starts_with("HTTP/1.1 408 ")).count(), 60);
}

#[tokio::test]
async fn an_idle_connection_outlasts_the_time_for_heads_and_then_ends() {
    let head = Duration::from_millis(100);
    let house = house_within(Limits { head, idle: 4 * head, ..Limits::default() }).await;
    let mut line = Line::to(&house).await;
    for _ in 0..3 {
        line.say(ASK).await;
        line.hear("{\"status\":\"ok\"}").await;
        tokio::time::sleep(head + head / 2).await;
    }
    assert_eq!(line.last_words().await, "");
}

#[tokio::test]
async fn a_later_head_has_its_time_as_well() {
    let house = house_within(Limits { head: Duration::from_millis(100), ..Limits::default() }).await;
    let mut line = Line::saying(&house, &format!("{ASK}{HALF_HEAD}")).await;
    let words = line.last_words().await;
    assert!(words.starts_with("HTTP/1.1 200 ") && words.ends_with("{\"status\":\"ok\"}"), "{words}");
}

#[tokio::test]
async fn at_the_cap_the_oldest_unfinished_head_makes_room() {
    let house = house_within(Limits { connections: 4, ..Limits::default() }).await;
    let mut idle = Line::saying(&house, ASK).await;
    idle.hear("{\"status\":\"ok\"}").await;
    let mut oldest = Line::saying(&house, HALF_HEAD).await;
    let mut silent = [Line::to(&house).await, Line::to(&house).await];
    let mut fresh = Line::saying(&house, ASK).await;
    fresh.hear("{\"status\":\"ok\"}").await;
    assert_eq!(oldest.last_words().await, "");
    let mut another = Line::saying(&house, ASK).await;
    another.hear("{\"status\":\"ok\"}").await;
    assert_eq!(silent[0].last_words().await, "");
    for line in [&mut idle, &mut silent[1], &mut fresh] {
        line.say(ASK).await;
        line.hear("{\"status\":\"ok\"}").await;
    }
}

#[tokio::test]
async fn whoever_does_not_read_the_answers_is_cut() {
    let house = house_within(Limits { answer: Duration::from_millis(300), ..Limits::default() }).await;
    let mut line = Line::to(&house).await;
    let ask = "GET /openapi.yaml HTTP/1.1\r\nHost: x\r\n\r\n";
    while timeout(NEVER, line.0.write_all(ask.as_bytes())).await.expect("it does not wait for ever").is_ok() {
    }
    let metrics = house.send(house.bare(Method::GET, "/metrics")).await.text;
    assert!(metrics.contains("hirebridge_connections_cut_total{why=\"slow\"} 1\n"), "{metrics}");
    assert!(metrics.contains("hirebridge_connections 1\n"), "{metrics}");
}

#[tokio::test]
async fn at_the_cap_with_all_in_service_a_new_one_is_told_to_come_back() {
    let linger = Duration::from_millis(300);
    let house = house_within(Limits { connections: 2, linger, ..Limits::default() }).await;
    house.sim.misbehave(Fault::new(Operation::ListEmployees, Behaviour::Wait));
    let in_service: Vec<_> = hires(2).iter().map(|body| tokio::spawn(house.signed(body).send())).collect();
    house.sim.arrival(Operation::ListEmployees, 2).await;
    for asked in [ASK, HALF_HEAD, HALF_BODY] {
        let words = Line::saying(&house, asked).await.last_words().await;
        assert!(words.starts_with("HTTP/1.1 503 ") && words.contains("\"overloaded\""), "{words}");
        assert!(words.contains("retry-after: 10\r\n") && words.contains("connection: close\r\n"), "{words}");
    }
    // Whoever asks nothing is closed, and whoever comes when too many are being told as well.
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(Line::to(&house).await);
    }
    for words in join_all(silent.iter_mut().map(Line::last_words)).await {
        assert_eq!(words, "");
    }
    house.sim.behave();
    house.sim.release_answers();
    for delivery in in_service {
        let answer = delivery.await.expect("no panic").expect("an answer");
        assert!(answer.text().await.expect("a body").contains("\"created\""));
    }
    let metrics = house.send(house.bare(Method::GET, "/metrics")).await.text;
    assert!(metrics.contains("hirebridge_connections_cut_total{why=\"full\"} 103\n"), "{metrics}");
}

#[tokio::test]
async fn requests_that_follow_at_once_are_all_answered() {
    let house = House::new().await;
    let post = "POST /webhooks/ashby HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nnull";
    let mut line = Line::saying(&house, &format!("{ASK}{post}{ASK}")).await;
    for status in ["200", "401", "200"] {
        let answer = line.hear("}").await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
    let chunked = "POST /webhooks/ashby HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    line.say(&format!("{chunked}4\r\nnull\r\n0\r\n\r\n")).await;
    let words = line.last_words().await;
    assert!(words.starts_with("HTTP/1.1 401 "), "{words}");
}

#[tokio::test]
async fn a_stop_cuts_what_is_half_sent_and_waits_for_no_timer() {
    let hour = Duration::from_hours(1);
    let limits = Limits { head: hour, idle: hour, body: hour, drain: hour, stop: hour, ..Limits::default() };
    let mut house = house_within(limits).await;
    assert_eq!(house.deliver(&hire()).await.state(), "created");
    let mut lines = vec![Line::to(&house).await, Line::saying(&house, HALF_HEAD).await];
    let mut idle = Line::saying(&house, ASK).await;
    idle.hear("{\"status\":\"ok\"}").await;
    let mut half_body =
        Line::saying(&house, &HALF_BODY.replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n")).await;
    half_body.hear("\r\n\r\n").await;
    lines.push(idle);
    // The house's clock stands still: nothing that goes by it is waited for either.
    timeout(NEVER, house.close()).await.expect("it stops by itself");
    for line in &mut lines {
        assert_eq!(line.last_words().await, "");
    }
    let words = half_body.last_words().await;
    assert!(words.starts_with("HTTP/1.1 503 ") && words.contains("retry-after: "), "{words}");
}

#[tokio::test]
async fn what_is_being_sent_when_the_service_stops_is_finished_and_answered() {
    let mut house = House::new().await;
    house.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::Wait));
    let delivering = tokio::spawn(house.signed(&hire()).send());
    eventually("the call arrives", || async { (house.sim.creates() == 1).then_some(()) }).await;
    let stopping = tokio::spawn(house.service.take().expect("the house is open").stop());
    house.sim.release_answers();
    let answer = delivering.await.expect("it is sent").expect("it is answered");
    let answer = answer.text().await.expect("a body");
    assert!(answer.contains("\"created\""), "{answer}");
    stopping.await.expect("it stops");
    house.open().await;
    let hires = house.get("/v1/hires").await.json();
    assert_eq!(state(&hires["hires"][0]), "created");
    assert_eq!(house.sim.creates(), 1);
}

#[tokio::test]
async fn a_hire_that_could_not_end_in_time_is_left_before_its_permit() {
    // The stop takes 5 s at most and a call 8 s.
    let limits = Limits { stop: Duration::from_secs(5), ..Limits::default() };
    let setup = Setup { limits, server: "wait = \"10ms\"".into(), ..Setup::default() };
    let mut house = House::with(setup).await;
    house.sim.misbehave(Fault::once(Operation::ListEmployees, Behaviour::Wait));
    let id = house.deliver(&hire()).await.hire();
    eventually("the look-up arrives", || async {
        (house.sim.calls(Operation::ListEmployees) == 1).then_some(())
    })
    .await;
    let stopping = tokio::spawn(house.service.take().expect("the house is open").stop());
    tokio::task::yield_now().await;
    house.sim.release_answers();
    stopping.await.expect("it stops");
    assert_eq!(house.sim.creates(), 0);
    house.open().await;
    eventually("it goes on after the next start", || async {
        (state(&house.hire(&id).await) == "created").then_some(())
    })
    .await;
    assert_eq!(house.sim.creates(), 1);
}

#[tokio::test]
async fn a_stopping_service_is_unready_and_takes_deliveries_until_the_balancer_has_noticed() {
    let mut house = House::with(Setup { server: "drain_delay = \"1h\"".into(), ..Setup::default() }).await;
    let mut line = Line::saying(&house, ASK).await;
    line.hear("}").await;
    let delivery = house.signed(&hire());
    let stopping = tokio::spawn(house.service.take().expect("the house is open").stop());
    tokio::task::yield_now().await;
    line.say(&ASK.replace("livez", "readyz")).await;
    assert!(line.hear("}").await.contains(" 503 "));
    assert_eq!(house.send(delivery).await.state(), "created");
    house.clock.advance(SignedDuration::from_hours(1));
    stopping.await.expect("it stops");
    assert_eq!(line.last_words().await, "");
}

#[tokio::test]
async fn a_process_told_to_stop_ends_in_order_with_half_sent_requests_open() {
    let house = House::new().await;
    let config = house.folder.path().join("process.toml");
    let folder = tempfile::TempDir::new().expect("a folder can be made");
    std::fs::write(&config, configuration(&house.sim.url(), folder.path(), &Setup::default()))
        .expect("writable");
    let served = Served::start(folder.path(), &config).await;
    let address = served.url.trim_start_matches("http://").to_owned();
    let mut lines = Vec::new();
    for text in ["", HALF_HEAD, HALF_BODY, ASK] {
        let mut line = Line::at(&address).await;
        line.say(text).await;
        lines.push(line);
    }
    lines[3].hear("}").await;
    let ended = tokio::task::spawn_blocking(|| served.terminate());
    assert_eq!(timeout(NEVER, ended).await.expect("it does not wait for them").expect("it ends"), Some(0));
}

#[tokio::test]
async fn more_hires_than_personio_takes_at_a_time_are_stored_and_created_once() {
    let setup =
        Setup { server: "wait = \"10ms\"".into(), transfer: "in_flight = 4".into(), ..Setup::default() };
    let house = House::with(setup).await;
    house.sim.misbehave(Fault::new(Operation::ListEmployees, Behaviour::Wait));
    let bodies = hires(30);
    let mut ids = Vec::new();
    for answer in join_all(bodies.iter().map(|body| house.deliver(body))).await {
        assert_eq!(answer.state(), "received");
        ids.push(answer.hire());
    }
    eventually("some hires are on their way", || async {
        (house.sim.calls(Operation::ListEmployees) == 4).then_some(())
    })
    .await;
    house.sim.behave();
    house.sim.release_answers();
    for id in &ids {
        eventually("it has its turn", || async { (state(&house.hire(id).await) == "created").then_some(()) })
            .await;
    }
    assert_eq!((house.sim.creates(), house.sim.employees().len()), (30, 30));
}

#[tokio::test]
async fn a_delivery_too_many_is_refused_before_its_body_is_read() {
    let house = House::with(Setup { server: "in_flight = 1".into(), ..Setup::default() }).await;
    let expecting = HALF_BODY.replace("\r\n\r\n{", "\r\nExpect: 100-continue\r\n\r\n");
    let mut first = Line::saying(&house, &expecting).await;
    assert!(first.hear("\r\n\r\n").await.starts_with("HTTP/1.1 100 "));
    let mut second = Line::saying(&house, &expecting).await;
    let words = second.last_words().await;
    assert!(words.starts_with("HTTP/1.1 503 ") && words.contains("retry-after: "), "{words}");
    assert!(words.contains("\"code\":\"overloaded\""), "{words}");
    for path in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(house.send(house.bare(Method::GET, path)).await.status, 200);
    }
    drop(first);
    eventually("there is room again", || async {
        let answer = house.deliver(&hire()).await;
        (answer.status == 200).then_some(())
    })
    .await;
}
