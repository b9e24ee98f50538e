//! A flood: deliveries on many connections at once, whatever is answered. One thread has them all: it takes little of the
//! processors, and the service does not have to wake a thread for each answer.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::senders::Template;

/// What is delivered, and where.
#[derive(Clone, Copy)]
pub(crate) struct Flood {
    pub(crate) to: SocketAddr,
    pub(crate) template: &'static Template,
    /// The number of the next hire.
    pub(crate) next: &'static AtomicUsize,
}

/// What a flood came to.
#[derive(Default)]
pub(crate) struct Washed {
    pub(crate) took: Duration,
    /// The numbers of the hires that were answered with success.
    pub(crate) taken: Vec<usize>,
    /// How many were answered 503.
    pub(crate) refused: usize,
    /// How many connections broke, each with at most one delivery that has no answer.
    pub(crate) broken: usize,
    /// How many connections were closed after an answer.
    pub(crate) closed: usize,
}

/// What a connection answered.
struct Answer {
    status: u16,
    closes: bool,
}

impl Flood {
    /// Delivers for so long: so many a second together, or each as soon as the last one was answered.
    pub(crate) fn run(
        self,
        per_second: Option<f64>,
        connections: u32,
        length: Duration,
    ) -> anyhow::Result<Washed> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut open = Vec::new();
            for _ in 0..connections {
                open.push(connect(self.to).await?);
            }
            let started = Instant::now();
            let every = per_second.map(|rate| Duration::from_secs_f64(f64::from(connections) / rate));
            let mut senders = JoinSet::new();
            for (place, stream) in (0..connections).zip(open) {
                let first = every.map(|every| started + every * place / connections);
                senders.spawn(self.send(stream, first.zip(every), started + length));
            }
            let mut total = Washed::default();
            while let Some(own) = senders.join_next().await {
                total.add(own?);
            }
            total.took = started.elapsed();
            Ok(total)
        })
    }

    /// One connection's part. Whoever is late leaves out what it could not offer.
    async fn send(self, mut stream: TcpStream, pace: Option<(Instant, Duration)>, until: Instant) -> Washed {
        let new = || {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            (number, self.template.delivery(number))
        };
        let (mut own, mut pace, mut buffer) = (Washed::default(), pace, Vec::new());
        let (mut number, mut delivery) = new();
        while Instant::now() < until {
            if let Some((at, every)) = &mut pace {
                sleep_until(*at).await;
                *at = (*at + *every).max(Instant::now());
            }
            let answer = exchange(&mut stream, &delivery, &mut buffer).await;
            let goes_on = answer.as_ref().is_ok_and(|answer| !answer.closes);
            match answer.map(|answer| answer.status) {
                Ok(200) => own.taken.push(number),
                // It is sent again, as an ATS does.
                Ok(503) => own.refused += 1,
                _ => own.broken += 1,
            }
            if own.taken.last() == Some(&number) {
                (number, delivery) = new();
            }
            if !goes_on {
                own.closed += 1;
                let Ok(again) = connect(self.to).await else { break };
                stream = again;
            }
        }
        own
    }
}

impl Washed {
    fn add(&mut self, own: Self) {
        self.taken.extend(own.taken);
        self.refused += own.refused;
        self.broken += own.broken;
        self.closed += own.closed;
    }

    pub(crate) fn offered(&self) -> usize {
        self.taken.len() + self.refused + self.broken
    }
}

async fn connect(to: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Writes a request and reads all of its answer.
async fn exchange(stream: &mut TcpStream, request: &[u8], buffer: &mut Vec<u8>) -> anyhow::Result<Answer> {
    stream.write_all(request).await?;
    buffer.clear();
    loop {
        anyhow::ensure!(stream.read_buf(buffer).await? > 0, "the connection was closed");
        let Some(end) = buffer.windows(4).position(|end| end == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&buffer[..end])?;
        let status = head.get(9..12).context("there is a status")?.parse()?;
        let (mut length, mut closes) = (0, false);
        for (name, value) in head.lines().filter_map(|line| line.split_once(": ")) {
            match name {
                "content-length" => length = value.parse()?,
                "connection" => closes = value == "close",
                _ => {}
            }
        }
        while buffer.len() < end + 4 + length {
            anyhow::ensure!(stream.read_buf(buffer).await? > 0, "the connection was closed");
        }
        return Ok(Answer { status, closes });
    }
}
