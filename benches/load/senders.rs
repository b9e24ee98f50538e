//! Closed-loop senders: each has one connection and posts its next delivery when the last one was answered. Plain
//! sockets in plain threads, so that they take little of the processors that the others need.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::ground;

/// The place of the hire that has this number, in every e-mail address and id.
pub(crate) fn email(number: usize) -> String {
    address(&number.to_string())
}

fn address(number: &str) -> String {
    format!("hire-{number}@example.org")
}

/// A delivery of a hire of its own, signed, as it goes over the wire.
pub(crate) fn delivery(number: usize) -> anyhow::Result<Vec<u8>> {
    Ok(signed(&payload(&number.to_string())?))
}

fn payload(number: &str) -> anyhow::Result<Vec<u8>> {
    let mut payload: Value = serde_json::from_str(ground::PAYLOAD)?;
    let id = format!("application-{number}");
    payload["webhookActionId"] = json!(format!("delivery-{number}"));
    payload["data"]["application"]["id"] = json!(id);
    payload["data"]["application"]["candidate"]["id"] = json!(format!("candidate-{number}"));
    payload["data"]["application"]["candidate"]["primaryEmailAddress"]["value"] = json!(address(number));
    payload["data"]["offer"]["applicationId"] = json!(id);
    Ok(serde_json::to_vec(&payload)?)
}

fn signed(body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /webhooks/{} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{}: {}\r\nContent-Length: {}\r\n\r\n",
        ground::SOURCE,
        ground::SIGNATURE,
        ground::signature(body),
        body.len(),
    );
    [head.as_bytes(), body].concat()
}

/// Deliveries that differ in their number alone, made faster than they can be taken.
pub(crate) struct Template {
    body: Vec<u8>,
    /// Where the number stands.
    places: Vec<usize>,
}

impl Template {
    const DIGITS: usize = 10;

    pub(crate) fn new() -> anyhow::Result<Self> {
        let zeros = "0".repeat(Self::DIGITS);
        let body = payload(&zeros)?;
        let mark = format!("-{zeros}");
        let places = body.windows(mark.len()).enumerate().filter(|(_, part)| *part == mark.as_bytes());
        let places = places.map(|(place, _)| place + 1).collect();
        Ok(Self { body, places })
    }

    fn number(number: usize) -> String {
        format!("{number:0width$}", width = Self::DIGITS)
    }

    /// The address of the hire that has this number.
    pub(crate) fn email(number: usize) -> String {
        address(&Self::number(number))
    }

    /// A delivery of that hire, signed, as it goes over the wire.
    pub(crate) fn delivery(&self, number: usize) -> Vec<u8> {
        let mut body = self.body.clone();
        for place in &self.places {
            body[*place..place + Self::DIGITS].copy_from_slice(Self::number(number).as_bytes());
        }
        signed(&body)
    }
}

/// What the senders saw.
pub(crate) struct Sent {
    /// When the first delivery left.
    pub(crate) started: Instant,
    /// How long each answer took.
    pub(crate) latencies: Vec<Duration>,
}

/// Posts each delivery once.
pub(crate) fn send(to: SocketAddr, deliveries: &[Vec<u8>], senders: usize) -> anyhow::Result<Sent> {
    let connections: Result<Vec<_>, _> = (0..senders).map(|_| Connection::open(to)).collect();
    let next = AtomicUsize::new(0);
    let latencies = Mutex::new(Vec::with_capacity(deliveries.len()));
    let all_are_there = Barrier::new(senders + 1);
    let started = thread::scope(|scope| {
        let run = |mut connection: Connection| {
            let mut own = Vec::new();
            all_are_there.wait();
            while let Some(delivery) = deliveries.get(next.fetch_add(1, Ordering::Relaxed)) {
                own.push(connection.post_hire(delivery)?);
            }
            latencies.lock().unwrap_or_else(PoisonError::into_inner).append(&mut own);
            anyhow::Ok(())
        };
        let threads: Vec<_> =
            connections?.into_iter().map(|connection| scope.spawn(move || run(connection))).collect();
        all_are_there.wait();
        let started = Instant::now();
        for thread in threads {
            thread.join().map_err(|_| anyhow::anyhow!("a sender panicked"))??;
        }
        anyhow::Ok(started)
    })?;
    Ok(Sent { started, latencies: latencies.into_inner().unwrap_or_else(PoisonError::into_inner) })
}

/// One connection that is kept.
pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(crate) fn open(to: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(to)?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Posts a hire, which must be created, and says how long that took.
    fn post_hire(&mut self, delivery: &[u8]) -> anyhow::Result<Duration> {
        let started = Instant::now();
        let (status, body) = self.exchange(delivery)?;
        let took = started.elapsed();
        let body = String::from_utf8_lossy(&body);
        anyhow::ensure!(status == 200 && body.contains(r#""state":"created""#), "answered {status}: {body}");
        Ok(took)
    }

    /// Writes a request and reads the status and the body of its answer.
    pub(crate) fn exchange(&mut self, request: &[u8]) -> anyhow::Result<(u16, Vec<u8>)> {
        self.0.get_mut().write_all(request)?;
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        let status = line.split(' ').nth(1).context("the connection was closed")?.parse()?;
        let mut length = 0;
        while line.trim() != "" {
            line.clear();
            self.0.read_line(&mut line)?;
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        Ok((status, body))
    }
}
