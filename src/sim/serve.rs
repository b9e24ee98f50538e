//! The HTTP server: an own accept loop, because a simulator must be able to cut a connection at any point.

use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::answer::{Cut, Reply};
use super::call::Call;
use super::control;
use super::record::Outcome;
use super::world::{Admitted, Ending, Verdict, World};

/// What all connections share.
pub(super) struct House {
    world: Mutex<World>,
    pub(super) stopping: CancellationToken,
    pub(super) tasks: TaskTracker,
    /// Rings at each arrival, after the work that was due with it.
    pub(super) arrivals: watch::Sender<()>,
    /// Rings when waiting answers may go.
    pub(super) answers: watch::Sender<()>,
}

impl House {
    pub(super) fn new(world: World) -> Self {
        Self {
            world: Mutex::new(world),
            stopping: CancellationToken::new(),
            tasks: TaskTracker::new(),
            arrivals: watch::Sender::new(()),
            answers: watch::Sender::new(()),
        }
    }

    /// The state. A panic elsewhere leaves it usable: a test that fails should fail with its own message.
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Accepts connections until the simulator stops.
pub(super) async fn serve(listener: TcpListener, house: Arc<House>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = house.stopping.cancelled() => return,
        };
        if let Ok((stream, _)) = accepted {
            house.tasks.spawn(connection(stream, Arc::clone(&house)));
        }
    }
}

async fn connection(stream: TcpStream, house: Arc<House>) {
    // Only a matter of speed: without it small answers wait for the peer's acknowledgement.
    let _ = stream.set_nodelay(true);
    let stopping = house.stopping.clone();
    let service = service_fn(move |request| respond(request, Arc::clone(&house)));
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = stopping.cancelled() => return,
    };
    if ended.is_err_and(|error| error.source().and_then(<dyn Error>::downcast_ref) == Some(&Cut::Reset)) {
        // With nothing lingering the closing becomes a reset; if it cannot be set it is a plain end.
        let _ = connection.into_parts().io.into_inner().set_zero_linger();
    }
}

async fn respond(request: Request<Incoming>, house: Arc<House>) -> Result<Response<Reply>, Cut> {
    let call = Call::read(request).await?;
    if call.path().starts_with("/_sim/") {
        return Ok(control::answer(&call, &house).into_response());
    }
    let mut released = house.answers.subscribe();
    let Verdict { number, latency, waits, ending, later } = house.world().admit(call);
    house.arrivals.send_replace(());
    if let Some((ms, admitted)) = later {
        house.tasks.spawn(perform_later(ms, admitted, Arc::clone(&house)));
    }
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    if waits {
        // An error means that the simulator is gone, and with it the reason to wait.
        let _ = released.changed().await;
    }
    end(number, ending, &house).await
}

async fn end(number: u64, ending: Ending, house: &House) -> Result<Response<Reply>, Cut> {
    let (outcome, result) = match ending {
        Ending::Answer(answer) => (Outcome::Answered(answer.status), Ok(answer.into_response())),
        Ending::Half(answer) => (Outcome::HalfAnswered(answer.status), Ok(answer.into_half())),
        Ending::Close => (Outcome::Cut, Err(Cut::Close)),
        Ending::Reset => (Outcome::Reset, Err(Cut::Reset)),
        Ending::Hang => {
            house.world().log.finish(number, Outcome::Hanging);
            return std::future::pending().await;
        }
    };
    house.world().log.finish(number, outcome);
    result
}

async fn perform_later(ms: u64, admitted: Admitted, house: Arc<House>) {
    let due = tokio::time::sleep(std::time::Duration::from_millis(ms));
    tokio::select! {
        () = due => { house.world().perform(&admitted); }
        () = house.stopping.cancelled() => {}
    }
}
