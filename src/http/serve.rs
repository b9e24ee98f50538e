//! The accept loop. `axum::serve` has no time-outs, and its graceful stop waits for ever on a request that
//! never ends; here every wait has its [`Limits`].

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::connection;
use super::limits::Limits;
use super::no_place::NoPlace;
use super::seats::Seats;
use super::turned_away::TurnedAway;
use crate::telemetry::Metrics;

/// How long to wait before accepting again when the process has no file descriptor left.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until `shutdown` is cancelled; then accepts nothing more, closes what is idle or half sent, lets
/// requests in flight end and cuts off what has not ended in time. What was stored goes on after the next
/// start.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
    limits: Limits,
    metrics: Metrics,
    no_place: Option<Arc<NoPlace>>,
) {
    let seats = Arc::new(Seats::counted(metrics));
    let mut connections = JoinSet::new();
    let mut turned_away = TurnedAway::within(limits.linger).await;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                // When all are being served, there is no room.
                Ok((stream, _)) if connections.len() >= limits.connections && !seats.evict() => {
                    seats.metrics.connection_cut("full");
                    turned_away.tell(stream);
                }
                Ok((stream, _)) => {
                    let seat = seats.take(shutdown.child_token());
                    connections.spawn(connection::serve(stream, router.clone(), seat, limits, no_place.clone()));
                }
                Err(error) => bear(&error, &seats).await,
            },
        }
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.drain, ended).await.is_err() {
        tracing::warn!(connections = connections.len(), "cut off requests that did not end");
    }
    connections.shutdown().await;
}

/// An error of `accept` concerns one connection, or a shortage that passes: the loop goes on.
async fn bear(error: &io::Error, seats: &Seats) {
    use io::ErrorKind as Kind;
    let gone = [Kind::ConnectionAborted, Kind::ConnectionReset, Kind::ConnectionRefused, Kind::Interrupted];
    if !gone.contains(&error.kind()) {
        tracing::error!(%error, "cannot accept connections at the moment");
        seats.evict();
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

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
        let router = Router::new().route("/", get(stopping));
        let service =
            tokio::spawn(serve(listener, router, shutdown, Limits::default(), Metrics::default(), None));
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("is written");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("the connection is closed in order");
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("done"), "{answer}");
        service.await.expect("the loop ends by itself");
        assert!(TcpStream::connect(address).await.is_err());
    }
}
