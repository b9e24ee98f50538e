//! Thousands who connect and never finish a request are cut, and whoever comes in earnest does not notice.

use std::cell::Cell;
use std::time::Duration;

use futures_util::future::join_all;
use hirebridge::http::limits::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{interval, timeout};

use crate::support::ashby::candidate_hire;
use crate::support::line::{ASK, HALF_BODY, HALF_HEAD, Line};
use crate::support::process::{Served, eventually};
use crate::support::state;
use crate::support::town::Town;

/// How many connect. Fewer only where the system permits fewer open files.
const BESIEGERS: usize = 5_000;

/// What a connection sends at once, and whether one byte after the other follows. Few dawdle with a body:
/// those take room from other deliveries until they are found out, which is another matter.
fn manner(number: usize) -> (&'static str, bool) {
    match number % 10 {
        0..3 => ("", false),
        3..6 => (HALF_HEAD, false),
        6..9 => (HALF_HEAD, true),
        _ => (HALF_BODY, true),
    }
}

/// Goes on until the service ends the connection; the answer.
async fn besiege(mut stream: TcpStream, drips: bool) -> String {
    let (mut reader, mut writer) = stream.split();
    let mut ticks = interval(Duration::from_millis(500));
    let dripping = async {
        while drips && writer.write_all(b"a").await.is_ok() {
            ticks.tick().await;
        }
        std::future::pending::<()>().await;
    };
    let mut heard = Vec::new();
    tokio::select! {
        () = dripping => unreachable!("it does not end by itself"),
        // A reset is an end as well.
        _ = reader.read_to_end(&mut heard) => String::from_utf8(heard).expect("text"),
    }
}

/// Delivers one hire after the other, asks over fresh connections whether the service is ready, and counts.
async fn visit(town: &Town, served: &Served, hires: &Cell<usize>) {
    loop {
        let n = hires.get();
        let body = candidate_hire(&format!("a-{n}"), "Mia Beispiel", &format!("mia{n}@example.org"));
        town.deliver(served, &body).await.expect("a hire is answered");
        hires.set(n + 1);
        let mut line = Line::at(address(served)).await;
        line.say(&ASK.replace("livez", "readyz")).await;
        assert!(line.hear("}").await.starts_with("HTTP/1.1 200 "));
    }
}

fn address(served: &Served) -> &str {
    served.url.trim_start_matches("http://")
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_unfinished_requests_are_cut_while_good_traffic_flows() {
    // Raises the limit on open files for the besiegers, as the service does for itself.
    let possible = Limits { connections: BESIEGERS, ..Limits::default() }.fitted().connections;
    if possible < BESIEGERS {
        eprintln!("only {possible} connections instead of {BESIEGERS}: raise the limit on open files");
    }
    let town = Town::new().await;
    let served = town.serve().await;
    let mut besieging = Vec::new();
    for number in 0..possible {
        let (first, drips) = manner(number);
        let mut line = Line::at(address(&served)).await;
        line.say(first).await;
        besieging.push(tokio::spawn(besiege(line.0, drips)));
    }
    let hires = Cell::new(0);
    let cut = tokio::select! {
        () = visit(&town, &served, &hires) => unreachable!("it does not end by itself"),
        // Idle connections are ended after 75 s: they would be too late.
        cut = timeout(Duration::from_mins(1), join_all(besieging)) => cut.expect("all are cut"),
    };
    let mut late = 0;
    for (number, words) in cut.into_iter().enumerate() {
        let words = words.expect("no panic");
        let body = manner(number).0 == HALF_BODY;
        assert_eq!((words.starts_with("HTTP/1.1 408 "), words.is_empty()), (body, !body), "{words}");
        late += usize::from(body);
    }
    eventually("the service is as before", || async {
        let mut line = Line::at(address(&served)).await;
        line.say("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await;
        let metrics = line.hear("# EOF\n").await;
        let value =
            |name: &str| metrics.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        assert_eq!(
            value("hirebridge_connections_cut_total{why=\"slow\"}"),
            Some(possible - late),
            "{metrics}"
        );
        // This one, and one that is kept for deliveries.
        value("hirebridge_connections ").is_some_and(|open| open <= 2).then_some(())
    })
    .await;
    // The last delivery may have been under way when the last besieger was cut.
    eventually("every hire is created", || async {
        let all = town.hires(&served).await;
        assert!(all.len() >= hires.get().min(100) && hires.get() > 0, "{} of {}", all.len(), hires.get());
        all.iter().all(|hire| state(hire) == "created").then_some(())
    })
    .await;
}
