//! One connection, from its first byte to its end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::ConnectInfo;
use axum::http::header::{CONNECTION, HeaderValue, TRANSFER_ENCODING};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::Service;

use super::limits::Limits;
use super::no_place::NoPlace;
use super::seats::{Seat, Stage};
use super::wire::Wire;

/// The largest head; hyper's buffer for each connection. Ten thousand of them must fit into memory.
const HEAD: usize = 16 * 1024;

/// Serves a connection until it ends, or until its seat is taken away and nothing is in service on it.
pub(super) async fn serve(
    stream: TcpStream,
    router: Router,
    seat: Arc<Seat>,
    limits: Limits,
    no_place: Option<Arc<NoPlace>>,
) {
    let Ok(peer) = stream.peer_addr() else { return };
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "the connection answers late");
    }
    let service = service_fn(|request| answer(router.clone(), request, peer, Arc::clone(&seat)));
    let wire = TokioIo::new(Wire::new(stream, Arc::clone(&seat), limits, no_place));
    let connection =
        http1::Builder::new().header_read_timeout(None).max_buf_size(HEAD).serve_connection(wire, service);
    let mut connection = pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return note(ended),
        () = seat.end.cancelled() => {}
    }
    if seat.is_busy() {
        connection.as_mut().graceful_shutdown();
        note(connection.await);
    }
}

fn note(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended badly");
    }
}

async fn answer(
    mut router: Router,
    mut request: hyper::Request<Incoming>,
    peer: SocketAddr,
    seat: Arc<Seat>,
) -> Result<hyper::Response<Answer>, Infallible> {
    seat.enter(Stage::Busy);
    // Where a body in chunks ends is not followed, so that no other request may come after it.
    let last = request.headers().contains_key(TRANSFER_ENCODING);
    request.extensions_mut().insert(ConnectInfo(peer));
    let mut response = router.call(request).await?;
    if last {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response.map(|body| Answer { body, seat }))
}

/// An answer's body, which says when all of it is on its way.
struct Answer {
    body: Body,
    seat: Arc<Seat>,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.seat.enter(Stage::Answered);
    }
}
