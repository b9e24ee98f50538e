//! A scripted server for this room's tests: it notes every request and answers as it is told.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// `POST /v1/auth`, without the query.
    pub(super) what: String,
    pub(super) query: String,
    /// In lower case, one a line.
    pub(super) headers: String,
    pub(super) body: String,
}

/// What the server does.
#[derive(Clone, Copy)]
pub(super) enum Reply {
    /// Answers with JSON.
    Json(u16, &'static str),
    /// Writes these bytes and closes.
    Raw(&'static str),
    /// Says nothing until the client gives up.
    Hang,
}

/// The server.
pub(super) struct Stage {
    pub(super) url: url::Url,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

impl Stage {
    /// A server that answers each request by `script`, which is told how often the same was asked before.
    pub(super) async fn open(script: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (script, log) = (Arc::new(script), Arc::clone(&seen));
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, Arc::clone(&script), Arc::clone(&log)));
            }
        });
        let url = format!("http://127.0.0.1:{port}").parse().expect("a URL");
        Self { url, seen, task }
    }

    /// Refuses connections from now on.
    pub(super) async fn close(&mut self) {
        self.task.abort();
        assert!((&mut self.task).await.is_err_and(|end| end.is_cancelled()));
    }

    /// The requests of this kind, in order.
    pub(super) fn seen(&self, what: &str) -> Vec<Seen> {
        let seen = self.seen.lock().expect("no test panicked while noting");
        seen.iter().filter(|seen| seen.what == what).cloned().collect()
    }
}

async fn serve(
    mut socket: TcpStream,
    script: Arc<impl Fn(&Seen, usize) -> Reply>,
    log: Arc<Mutex<Vec<Seen>>>,
) {
    let Some(seen) = read(&mut socket).await else { return };
    let before = {
        let mut log = log.lock().expect("no test panicked while noting");
        let before = log.iter().filter(|earlier| earlier.what == seen.what).count();
        log.push(seen.clone());
        before
    };
    let text = match script(&seen, before) {
        Reply::Json(status, body) => {
            let length = body.len();
            format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}")
        }
        Reply::Raw(text) => text.to_owned(),
        Reply::Hang => return std::future::pending().await,
    };
    // The client may have given up.
    let _ = socket.write_all(text.as_bytes()).await;
}

async fn read(socket: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).ok()?;
    let (line, headers) = head.split_once("\r\n")?;
    let headers = headers.to_lowercase();
    let length = headers.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.map_or(Some(0), |length| length.parse().ok())?;
    while bytes.len() < head_end + 4 + length {
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let mut line = line.split(' ');
    let (method, target) = (line.next()?, line.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let body = String::from_utf8(bytes[head_end + 4..].to_vec()).ok()?;
    Some(Seen { what: format!("{method} {path}"), query: query.to_owned(), headers, body })
}
