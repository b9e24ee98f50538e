//! More than fits: everything is answered, with success or with "come back", and what was answered with success
//! ends once.

use futures_util::future::join_all;
use hirebridge::outbound::breaker::TRY_EVERY;
use hirebridge::sim::{Behaviour, Fault, Operation};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::ashby::{candidate_hire, nth};
use crate::support::line::{ASK, HALF_BODY, Line};
use crate::support::process::eventually;
use crate::support::{House, Reply, Setup, is_problem, state};

/// A delivery of which nothing but the head has come, once the service waits for its body.
async fn half_sent(house: &House, framing: &str) -> TcpStream {
    let mut line = TcpStream::connect(house.service().address()).await.expect("it listens");
    let head =
        format!("POST /webhooks/ashby HTTP/1.1\r\nHost: x\r\n{framing}\r\nExpect: 100-continue\r\n\r\n");
    line.write_all(head.as_bytes()).await.expect("it takes the head");
    let mut heard = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
    line.read_exact(&mut heard).await.expect("it answers");
    assert!(heard.starts_with(b"HTTP/1.1 100 "), "{}", String::from_utf8_lossy(&heard));
    line
}

/// Success, or a refusal that says when to come back.
fn is_taken(reply: &Reply) -> bool {
    if reply.status != 200 {
        is_problem(reply, 503, "overloaded");
        assert!(reply.headers.contains_key("retry-after"), "{reply:?}");
    }
    reply.status == 200
}

async fn health_answers(house: &House) {
    for path in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(house.send(house.bare(Method::GET, path)).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn far_past_every_cap_each_delivery_is_taken_or_asked_to_come_back_and_each_taken_one_ends_once() {
    const HIRES: usize = 120;
    let server = "in_flight = 3\nwait = \"50ms\"\nbody_limit = \"16KiB\"\nbody_memory = \"48KiB\"";
    let setup = Setup { server: server.into(), transfer: "in_flight = 2".into(), ..Setup::default() };
    let house = House::with(setup).await;
    house.sim.misbehave(Fault::new(Operation::CreateEmployee, Behaviour::Latency { ms: 2 }));
    let bodies: Vec<Value> = (0..HIRES)
        .map(|n| candidate_hire(&format!("a-{n}"), "Mia Beispiel", &format!("mia{n}@example.org")))
        .collect();
    let lines = join_all((0..3).map(|_| half_sent(&house, "Content-Length: 1000"))).await;
    assert!(!is_taken(&house.deliver(&bodies[0]).await), "there is no room");
    health_answers(&house).await;
    let deliver = async |body: &Value| {
        eventually("it is taken", || async {
            let reply = house.deliver(body).await;
            is_taken(&reply).then(|| reply.hire())
        })
        .await
    };
    let all = join_all(bodies.iter().map(deliver));
    let meanwhile = async {
        for _ in 0..20 {
            health_answers(&house).await;
        }
        drop(lines);
    };
    let (ids, ()) = tokio::join!(all, meanwhile);
    for id in &ids {
        let ends = || async { (state(&house.hire(id).await) == "created").then_some(()) };
        eventually("it ends", ends).await;
    }
    assert_eq!((house.sim.creates(), house.sim.employees().len()), (HIRES, HIRES));
}

#[tokio::test]
async fn bodies_have_a_memory_and_past_it_a_delivery_is_refused_before_it_is_read() {
    let server = "body_limit = \"64KiB\"\nbody_memory = \"100KB\"";
    let house = House::with(Setup { server: server.into(), ..Setup::default() }).await;
    let mut large = half_sent(&house, "Content-Length: 60000").await;
    let large_too = half_sent(&house, "Content-Length: 60000").await;
    drop(large_too);
    large.write_all(&vec![b' '; 59_000]).await.expect("it takes the bytes");
    let asks = "Content-Length: 60000\r\nExpect: 100-continue";
    eventually("the next large one is refused", || async {
        let mut line = TcpStream::connect(house.service().address()).await.expect("it listens");
        let head = format!("POST /webhooks/ashby HTTP/1.1\r\nHost: x\r\n{asks}\r\n\r\n");
        line.write_all(head.as_bytes()).await.expect("it takes the head");
        let mut heard = [0; "HTTP/1.1 503".len()];
        line.read_exact(&mut heard).await.expect("it answers");
        (heard == *b"HTTP/1.1 503").then_some(())
    })
    .await;
    let mut growing = half_sent(&house, "Transfer-Encoding: chunked").await;
    let chunk = [b"c350\r\n".as_slice(), &vec![b' '; 50_000], b"\r\n"].concat();
    growing.write_all(&chunk).await.expect("it takes the bytes");
    let mut heard = vec![0; "HTTP/1.1 503".len()];
    growing.read_exact(&mut heard).await.expect("it answers");
    assert_eq!(heard, b"HTTP/1.1 503");
    let small = candidate_hire("a-1", "Mia Beispiel", "mia@example.org");
    assert_eq!(house.deliver(&small).await.state(), "created");
    health_answers(&house).await;
    drop(large);
    let mut all = candidate_hire("a-2", "Bo Beispiel", "bo@example.org");
    all["data"]["application"]["padding"] = "x".repeat(60_000).into();
    eventually("its memory is free again", || async { is_taken(&house.deliver(&all).await).then_some(()) })
        .await;
}

/// A whole delivery, as it goes over the wire.
fn on_the_wire(house: &House, body: &Value) -> String {
    let request = house.signed(body).build().expect("it is well formed");
    let signature = request.headers()["Ashby-Signature"].to_str().expect("text");
    let body = body.to_string();
    format!(
        "POST /webhooks/ashby HTTP/1.1\r\nHost: x\r\nAshby-Signature: {signature}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn all_are_created_once(house: &House, ids: &[String]) {
    for id in ids {
        let ends = || async { (state(&house.hire(id).await) == "created").then_some(()) };
        eventually("it ends", ends).await;
    }
    assert_eq!((house.sim.creates(), house.sim.employees().len()), (ids.len(), ids.len()));
}

#[tokio::test]
async fn past_those_that_stand_in_line_nothing_is_taken_and_all_that_was_is_created_once() {
    let transfer = "in_flight = 2\nahead = 3";
    let setup = Setup { server: "wait = \"10ms\"".into(), transfer: transfer.into(), ..Setup::default() };
    let house = House::with(setup).await;
    house.sim.misbehave(Fault::new(Operation::ListEmployees, Behaviour::Wait));
    let mut ids = Vec::new();
    for n in 0..5 {
        let answer = house.deliver(&nth(n)).await;
        assert_eq!(answer.state(), "received");
        ids.push(answer.hire());
    }
    house.sim.arrival(Operation::ListEmployees, 2).await;
    let asking =
        "POST /webhooks/ashby HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n";
    let words = Line::saying(&house, asking).await.last_words().await;
    assert!(words.starts_with("HTTP/1.1 503 ") && words.contains("retry-after: "), "{words}");
    assert!(words.contains("\"code\":\"overloaded\"") && words.contains("connection: close"), "{words}");
    let words = Line::saying(&house, HALF_BODY).await.last_words().await;
    assert!(words.starts_with("HTTP/1.1 503 "), "nothing is waited for: {words}");
    // Whole ones are refused on a connection that goes on, whatever they come in; a known hire as well.
    let mut line = Line::to(&house).await;
    let (sixth, known) = (on_the_wire(&house, &nth(5)), on_the_wire(&house, &nth(0)));
    for text in [&sixth, &known, &format!("{sixth}{known}")] {
        line.say(text).await;
        for _ in 0..text.matches("POST").count() {
            let answer = line.hear("}").await;
            assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("retry-after: "), "{answer}");
            assert!(!answer.contains("connection: close"), "{answer}");
        }
    }
    line.say(ASK).await;
    assert!(line.hear("}").await.starts_with("HTTP/1.1 200 "));
    health_answers(&house).await;
    assert_eq!(house.get("/v1/hires").await.json()["hires"].as_array().map(Vec::len), Some(5));
    let metrics = house.send(house.bare(Method::GET, "/metrics")).await.text;
    let refused = "hirebridge_deliveries_total{source=\"ashby\",result=\"refused\"} 6\n";
    assert!(metrics.contains(refused), "{metrics}");

    house.sim.behave();
    house.sim.release_answers();
    all_are_created_once(&house, &ids).await;
    line.say(&sixth).await;
    assert!(line.hear("}").await.starts_with("HTTP/1.1 200 "), "it is taken again");
    let sixth = house.deliver(&nth(5)).await;
    ids.push(sixth.hire());
    all_are_created_once(&house, &ids).await;
}

#[tokio::test]
async fn in_an_outage_everything_is_taken_and_what_waits_for_its_end_stands_in_nobodys_way() {
    let transfer = "in_flight = 1\nahead = 2";
    let setup = Setup { server: "wait = \"10ms\"".into(), transfer: transfer.into(), ..Setup::default() };
    let house = House::with(setup).await;
    house.sim.misbehave(Fault::new(Operation::Any, Behaviour::status(503)));
    let mut ids = Vec::new();
    for n in 0..20 {
        let taken = || async {
            let reply = house.deliver(&nth(n)).await;
            is_taken(&reply).then(|| reply.hire())
        };
        ids.push(eventually("there is a place again", taken).await);
    }
    for id in &ids {
        let waits = || async { (state(&house.hire(id).await) == "waiting(unreachable)").then_some(()) };
        eventually("it waits for the end of the outage", waits).await;
    }
    // Personio answers again, but for the first look-up.
    house.sim.behave();
    house.sim.misbehave(Fault::new(Operation::ListEmployees, Behaviour::Wait));
    let until = SignedDuration::try_from(TRY_EVERY).expect("it is short");
    house.clock.advance(until + SignedDuration::from_mins(15));
    house.sim.arrival(Operation::ListEmployees, 1).await;
    for n in 20..22 {
        let reply = house.deliver(&nth(n)).await;
        assert!(is_taken(&reply), "twenty others are due");
        ids.push(reply.hire());
    }
    assert!(!is_taken(&house.deliver(&nth(22)).await), "two stand in line");
    house.sim.behave();
    house.sim.release_answers();
    all_are_created_once(&house, &ids).await;
}
