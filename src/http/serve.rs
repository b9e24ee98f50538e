//! The accept loop. `axum::serve` has no time-outs, and its graceful stop waits for ever on a request that
//! never ends; here a head has 10 seconds, and a stop 20.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::Service;

/// How long a request's head may take; hyper counts an idle connection's wait for the next one as well.
const HEAD: Duration = Duration::from_secs(10);

/// How long requests in flight may take to end once the service stops.
const DRAIN: Duration = Duration::from_secs(20);

/// How long to wait before accepting again when the process has no file descriptor left.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until `shutdown` is cancelled; then accepts nothing more, lets requests in flight end and cuts
/// off what has not ended after 20 seconds. What was stored goes on after the next start.
pub async fn serve(listener: TcpListener, router: Router, shutdown: CancellationToken) {
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, router.clone(), graceful.watcher()));
                }
                Err(error) => bear(&error).await,
            },
        }
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!(connections = connections.len(), "cut off requests that did not end");
    }
    connections.shutdown().await;
}

async fn connection(stream: TcpStream, router: Router, watcher: Watcher) {
    let Ok(peer) = stream.peer_addr() else { return };
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "the connection answers late");
    }
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        let answer = router.clone().call(request);
        async move { Ok::<_, Infallible>(answer.await.unwrap_or_else(|never| match never {})) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection ended badly");
    }
}

/// An error of `accept` concerns one connection, or a shortage that passes: the loop goes on.
async fn bear(error: &io::Error) {
    use io::ErrorKind as Kind;
    let gone = [Kind::ConnectionAborted, Kind::ConnectionReset, Kind::ConnectionRefused, Kind::Interrupted];
    if !gone.contains(&error.kind()) {
        tracing::error!(%error, "cannot accept connections at the moment");
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn a_request_in_flight_is_answered_although_the_service_stops() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let shutdown = CancellationToken::new();
        let stop = shutdown.clone();
        let stopping = async move || {
            stop.cancel();
            "done"
        };
        let service = tokio::spawn(serve(listener, Router::new().route("/", get(stopping)), shutdown));
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("is written");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("the connection is closed in order");
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("done"), "{answer}");
        service.await.expect("the loop ends by itself");
        assert!(TcpStream::connect(address).await.is_err());
    }
}
