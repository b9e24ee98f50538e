//! Whoever comes while every connection is in service: told to come back, as long as only a few are being
//! told at a time, and otherwise closed.

use std::fmt::Write;
use std::time::Duration;

use axum::body::Bytes;
use axum::response::IntoResponse;
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, sink};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::code::Code;
use super::problem::Problem;

/// So many are told at a time: each is an open file beyond the limit on connections.
const AT_ONCE: usize = 64;

/// So much of what they sent is thrown away at most.
const THROWN: u64 = 64 * 1024;

/// Those who are being told.
pub(super) struct TurnedAway {
    words: Bytes,
    linger: Duration,
    told: JoinSet<()>,
}

impl TurnedAway {
    /// Nobody as yet. Each will have so long to ask, and to read the answer.
    pub(super) async fn within(linger: Duration) -> Self {
        Self {
            words: words(Problem::of(Code::Overloaded).detail("connections_full")).await,
            linger,
            told: JoinSet::new(),
        }
    }

    /// Tells one that there is no room.
    pub(super) fn tell(&mut self, stream: TcpStream) {
        while self.told.try_join_next().is_some() {}
        if self.told.len() < AT_ONCE {
            let (words, linger) = (self.words.clone(), self.linger);
            self.told.spawn(async move { drop(timeout(linger, farewell(stream, words)).await) });
        }
    }
}

/// Says it as soon as something was asked, for an answer to nothing is an error to most clients. What was
/// asked is not looked at; it is read, because closing before that would take the answer back.
async fn farewell(mut stream: TcpStream, words: Bytes) -> std::io::Result<()> {
    if stream.peek(&mut [0]).await? == 0 {
        return Ok(());
    }
    stream.write_all(&words).await?;
    stream.shutdown().await?;
    copy(&mut stream.take(THROWN), &mut sink()).await.map(drop)
}

/// The whole answer, as it goes over the wire.
pub(super) async fn words(problem: Problem) -> Bytes {
    let (parts, body) = problem.into_response().into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let mut head = format!("HTTP/1.1 {}\r\n", parts.status);
    for (name, value) in &parts.headers {
        let value = value.to_str().unwrap_or_default();
        write!(head, "{name}: {value}\r\n").expect("writing to a string does not fail");
    }
    write!(head, "content-length: {}\r\n\r\n", body.len()).expect("writing to a string does not fail");
    [head.as_bytes(), &body].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_answer_is_complete() {
        let words = TurnedAway::within(Duration::ZERO).await.words;
        let words = String::from_utf8(words.to_vec()).expect("text");
        let (head, body) = words.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{head}");
        for header in ["retry-after: 10", "connection: close", "content-type: application/problem+json"] {
            assert!(head.contains(header), "{head}");
        }
        assert_eq!(head.matches("content-length").count(), 1, "{head}");
        assert!(head.ends_with(&format!("content-length: {}", body.len())), "{head}");
        let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(body["code"], "overloaded");
    }
}
