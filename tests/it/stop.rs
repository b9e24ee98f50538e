//! What was accepted is finished: when the service stops, and when the sender hangs up.

use std::time::Duration;

use hirebridge::sim::{Behaviour, Fault, Operation};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::support::ashby::{candidate_hire, hire};
use crate::support::line::{ASK, HALF_BODY, HALF_HEAD, Line};
use crate::support::process::eventually;
use crate::support::town::Town;
use crate::support::{House, Setup, state};

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_finishes_what_was_accepted() {
    let town = Town::new().await;
    town.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::Wait));
    let served = town.serve().await;
    let url = served.url.clone();
    let delivery = tokio::spawn(town.deliver(&served, &hire()));
    town.sim.arrival(Operation::CreateEmployee, 1).await;
    let ended = tokio::spawn(Town::terminate(served));
    eventually("it accepts nothing more", || async {
        TcpStream::connect(url.trim_start_matches("http://")).await.is_err().then_some(())
    })
    .await;
    town.sim.release_answers();
    let answer = delivery.await.expect("no panic").expect("an answer, although it stops");
    assert_eq!(state(&answer), "created");
    assert_eq!(ended.await.expect("no panic"), Some(0));
    assert_eq!(state(&town.hires(&town.serve().await).await[0]), "created");
    assert_eq!(town.sim.creates(), 1);
}

/// Requests that never end: they may hold a stop for their own time-outs, and not for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_half_sent_request_does_not_keep_the_service_from_stopping() {
    let town = Town::new().await;
    let served = town.serve().await;
    let address = served.url.trim_start_matches("http://").to_owned();
    let mut open = Vec::new();
    for sent in [
        "",
        "POST /webhooks/ash",
        "POST /webhooks/ashby HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{\"half\"",
        "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(&address).await.expect("it listens");
        stream.write_all(sent.as_bytes()).await.expect("written");
        open.push(stream);
    }
    let mut idle = [0; 12];
    open[3].read_exact(&mut idle).await.expect("an answer, then a connection that is kept");
    let code = tokio::time::timeout(Duration::from_secs(25), Town::terminate(served)).await;
    assert_eq!(code.expect("it ends although requests are open"), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_with_nothing_to_do_stops_without_waiting_for_idle_connections() {
    let town = Town::new().await;
    let served = town.serve().await;
    assert_eq!(state(&town.deliver(&served, &hire()).await.expect("an answer")), "created");
    // Far below every time-out of a connection, far above what a stop takes.
    let soon = Duration::from_secs(8);
    let code = tokio::time::timeout(soon, Town::terminate(served)).await;
    assert_eq!(code.expect("it ends"), Some(0));
}

/// Stops the service while Personio hangs in these calls, each of another hire, and requests are half sent.
/// Then Personio is well again, and the service started. How long the stop took.
async fn a_stop_with_a_hanging_personio(call_timeout: &str, calls: &[Operation]) -> Duration {
    let setup = Setup { attempt_timeout: Some(call_timeout.into()), ..Setup::default() };
    let town = Town::with(setup).await;
    let usual = std::fs::read_to_string(&town.config).expect("it was written");
    let changed = usual.replace("call_timeout = \"40s\"", &format!("call_timeout = \"{call_timeout}\""));
    std::fs::write(&town.config, changed).expect("writable");
    let served = town.serve().await;
    let address = served.url.trim_start_matches("http://").to_owned();
    let mut lines = Vec::new();
    for text in ["", HALF_HEAD, HALF_BODY, ASK] {
        let mut line = Line::at(&address).await;
        line.say(text).await;
        lines.push(line);
    }
    let mut deliveries = Vec::new();
    for (n, call) in calls.iter().enumerate() {
        town.sim.misbehave(Fault::new(*call, Behaviour::Wait));
        let next = town.sim.calls(*call) + 1;
        let hire = candidate_hire(&format!("a-{n}"), "Mia Beispiel", &format!("mia{n}@example.org"));
        deliveries.push(tokio::spawn(town.deliver(&served, &hire)));
        town.sim.arrival(*call, next).await;
    }
    let told = Instant::now();
    assert_eq!(Town::terminate(served).await, Some(0));
    let took = told.elapsed();
    for delivery in deliveries {
        let answer = delivery.await.expect("no panic").expect("what was accepted is answered");
        assert_ne!(state(&answer), "created");
    }
    town.sim.behave();
    town.sim.release_answers();
    let served = town.serve().await;
    eventually("all are created", || async {
        let hires = town.hires(&served).await;
        let created = hires.iter().filter(|hire| hire["state"] == "created").count();
        (created == hires.len()).then_some(())
    })
    .await;
    assert_eq!((town.sim.creates(), town.sim.employees().len()), (calls.len(), calls.len()), "each once");
    took
}

#[tokio::test(flavor = "multi_thread")]
async fn what_hangs_in_personio_when_the_service_stops_goes_on_after_the_next_start() {
    a_stop_with_a_hanging_personio("4s", &[Operation::CreateEmployee]).await;
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::disallowed_methods, reason = "whoever runs the tests says whether they may take long")]
async fn a_stop_does_not_wait_for_a_personio_that_hangs_longer() {
    if std::env::var_os("HIREBRIDGE_LONG_TESTS").is_some() {
        let calls = [Operation::CreateEmployee, Operation::ListEmployees];
        let took = a_stop_with_a_hanging_personio("40s", &calls).await;
        assert!(took < Duration::from_secs(25), "{took:?}");
    }
}

#[tokio::test]
async fn a_sender_that_hangs_up_does_not_stop_the_send() {
    for operation in [Operation::ListEmployees, Operation::CreateEmployee] {
        let (house, body) = (House::new().await, hire());
        house.sim.misbehave(Fault::once(operation, Behaviour::Wait));
        tokio::select! {
            answer = house.deliver(&body) => panic!("answered too early: {answer:?}"),
            () = house.sim.arrival(operation, 1) => {}
        }
        // The service notices that the connection is gone only when it looks: an answer proves that it has.
        house.get("/v1/hires").await;
        house.sim.release_answers();
        let id = house.get("/v1/hires").await.json()["hires"][0]["id"].as_str().expect("an id").to_owned();
        assert_eq!(state(&house.hire(&id).await), "created", "{operation}");
        assert_eq!(house.sim.creates(), 1);
    }
}
