//! A connection of which every byte is the test's.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, ToSocketAddrs};
use tokio::time::timeout;

use super::House;

pub(crate) const HALF_HEAD: &str = "POST /webhooks/ashby HTTP/1.1\r\nHost: x\r\nContent-Le";
pub(crate) const HALF_BODY: &str =
    "POST /webhooks/ashby HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{";
pub(crate) const ASK: &str = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";

/// Nothing in these tests takes as long, and the service's own limits are longer.
pub(crate) const NEVER: Duration = Duration::from_secs(15);

/// The connection.
pub(crate) struct Line(pub(crate) TcpStream);

impl Line {
    pub(crate) async fn at(address: impl ToSocketAddrs) -> Self {
        Self(TcpStream::connect(address).await.expect("it listens"))
    }

    pub(crate) async fn to(house: &House) -> Self {
        Self::at(house.service().address()).await
    }

    pub(crate) async fn saying(house: &House, text: &str) -> Self {
        let mut line = Self::to(house).await;
        line.say(text).await;
        line
    }

    pub(crate) async fn say(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.expect("it takes the bytes");
    }

    /// What is answered, up to and including `end`.
    pub(crate) async fn hear(&mut self, end: &str) -> String {
        let mut heard = Vec::new();
        while !heard.ends_with(end.as_bytes()) {
            let byte = timeout(NEVER, self.0.read_u8()).await.expect("it answers");
            heard.push(byte.unwrap_or_else(|_| panic!("{end}, not {}", String::from_utf8_lossy(&heard))));
        }
        String::from_utf8(heard).expect("text")
    }

    /// All that is answered until the service closes the connection.
    pub(crate) async fn last_words(&mut self) -> String {
        let mut heard = Vec::new();
        // A reset is an end as well.
        let _ = timeout(NEVER, self.0.read_to_end(&mut heard)).await.expect("it is cut");
        String::from_utf8(heard).expect("text")
    }

    /// Sends one byte after the other until the service has had enough.
    pub(crate) async fn drip(mut self) -> String {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        let (mut reader, mut writer) = self.0.split();
        let dripping = async {
            loop {
                ticks.tick().await;
                if writer.write_all(b"a").await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        let mut heard = Vec::new();
        tokio::select! {
            () = dripping => unreachable!("it drips for ever"),
            end = timeout(NEVER, reader.read_to_end(&mut heard)) => drop(end.expect("it is cut")),
        }
        String::from_utf8(heard).expect("text")
    }
}
