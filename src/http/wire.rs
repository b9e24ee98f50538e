//! The bytes between a connection and hyper, with a time for each wait. hyper's one timer for heads counts
//! an idle connection's wait as well, and it has none for an answer that nobody reads.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::framing::Framing;
use super::limits::Limits;
use super::no_place::NoPlace;
use super::seats::{Seat, Stage};

/// So much is thrown away at most while lingering.
const LEFT_OVER: usize = 4 * 1024 * 1024;

/// hyper reads a head that came in pieces when its end has come: a spoilt one is given this one.
const END: &[u8] = b"\r\n\r\n";

/// A delivery of more bytes goes the usual way.
const SPACE: usize = 16 * 1024;

/// A stream whose other side must not let us wait too long.
pub(super) struct Wire<S> {
    stream: S,
    seat: Arc<Seat>,
    limits: Limits,
    framing: Framing,
    reading: Timer,
    writing: Timer,
    /// Since when an answer is blocked, and how much of it was taken since.
    blocked: Option<(Instant, usize)>,
    lingering: Option<(Instant, usize)>,
    no_place: Option<Arc<NoPlace>>,
}

/// A timer that is set when it is first needed.
#[derive(Default)]
struct Timer(Option<Pin<Box<Sleep>>>);

impl Timer {
    /// Whether `until` has passed; if not, the task is woken then.
    fn is_over(&mut self, cx: &mut Context<'_>, until: Instant) -> bool {
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(until)));
        if sleep.deadline() != until {
            sleep.as_mut().reset(until);
        }
        sleep.as_mut().poll(cx).is_ready()
    }
}

impl<S> Wire<S> {
    pub(super) fn new(stream: S, seat: Arc<Seat>, limits: Limits, no_place: Option<Arc<NoPlace>>) -> Self {
        Self {
            stream,
            seat,
            limits,
            framing: Framing::new(),
            reading: Timer::default(),
            writing: Timer::default(),
            blocked: None,
            lingering: None,
            no_place,
        }
    }

    fn too_slow(&self) -> io::Error {
        self.seat.too_slow();
        io::Error::from(io::ErrorKind::TimedOut)
    }

    /// Bytes have arrived.
    fn arrived(&mut self, bytes: &mut [u8]) {
        self.framing.follow(bytes);
        if self.framing.in_head() && matches!(self.seat.stage(), Stage::Idle(_)) {
            self.seat.enter(Stage::Head(Instant::now()));
        }
    }

    /// Until when the other side has to send something.
    fn read_until(&self) -> Option<Instant> {
        match self.seat.stage() {
            Stage::Head(since) => Some(since + self.limits.head),
            Stage::Idle(since) => Some(since + self.limits.idle),
            // A body's time is up where it is read, so that it can be answered.
            Stage::Busy | Stage::Answered => None,
        }
    }

    /// Nothing has come; there is a time for that.
    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.read_until() {
            Some(until) if self.reading.is_over(cx, until) => Poll::Ready(Err(self.too_slow())),
            _ => Poll::Pending,
        }
    }

    /// Everything is written that there is.
    fn written(&mut self) {
        self.blocked = None;
        if self.seat.stage() == Stage::Answered {
            let now = Instant::now();
            self.seat.enter(if self.framing.in_head() { Stage::Head(now) } else { Stage::Idle(now) });
        }
    }

    fn took(&mut self, cx: &mut Context<'_>, taken: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match taken {
            Poll::Ready(Ok(bytes)) => {
                if let Some((_, taken)) = &mut self.blocked {
                    *taken += bytes;
                }
                Poll::Ready(Ok(bytes))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                let (since, taken) = *self.blocked.get_or_insert_with(|| (Instant::now(), 0));
                let until = self.limits.answer_until(since, taken);
                if self.writing.is_over(cx, until) {
                    Poll::Ready(Err(self.too_slow()))
                } else {
                    Poll::Pending
                }
            }
        }
    }
}

impl<S: AsyncRead + Unpin> Wire<S> {
    /// Throws away what is left of a body that nobody wanted, for a while.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let (until, mut thrown) =
            *self.lingering.get_or_insert_with(|| (Instant::now() + self.limits.linger, 0));
        let mut bin = [0; 4096];
        while thrown < LEFT_OVER && !self.reading.is_over(cx, until) {
            let mut buf = ReadBuf::new(&mut bin);
            match Pin::new(&mut self.stream).poll_read(cx, &mut buf) {
                Poll::Ready(Ok(())) if !buf.filled().is_empty() => thrown += buf.filled().len(),
                Poll::Ready(_) => break,
                Poll::Pending => {
                    self.lingering = Some((until, thrown));
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(())
    }
}

impl<S: AsyncWrite + Unpin> Wire<S> {
    /// How many requests have come so far, if nothing has begun since and all are answered: what is written now
    /// answers the next one.
    fn answered(&self) -> Option<usize> {
        self.no_place.as_ref()?;
        let nothing_asked = matches!(self.seat.stage(), Stage::Head(_) | Stage::Idle(_));
        self.framing.whole().filter(|_| nothing_asked)
    }

    /// Answers these bytes at once, if they are one whole delivery for which there is no place. Whoever has so many
    /// answers unread that this one finds no room is cut.
    fn refuse(&mut self, cx: &mut Context<'_>, before: usize, request: &[u8]) -> io::Result<bool> {
        let one_came = self.framing.whole() == Some(before.wrapping_add(1));
        let no_place = self.no_place.as_ref().filter(|_| one_came).cloned();
        let Some(answer) = no_place.as_ref().and_then(|no_place| no_place.answer(request)) else {
            return Ok(false);
        };
        match Pin::new(&mut self.stream).poll_write(cx, answer)? {
            Poll::Ready(taken) if taken == answer.len() => {
                self.seat.enter(Stage::Idle(Instant::now()));
                Ok(true)
            }
            _ => Err(self.too_slow()),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.framing.is_spoilt() {
            buf.put_slice(&END[..END.len().min(buf.remaining())]);
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        while let Some(answered) = self.answered() {
            // Read into hyper's buffers, a flood would sweep everything else out of the processor's caches.
            let mut space = [MaybeUninit::uninit(); SPACE];
            let most = SPACE.min(buf.remaining());
            let mut read = ReadBuf::uninit(&mut space[..most]);
            if Pin::new(&mut self.stream).poll_read(cx, &mut read)?.is_pending() {
                return self.wait(cx);
            }
            self.arrived(read.filled_mut());
            if !self.refuse(cx, answered, read.filled())? {
                buf.put_slice(read.filled());
                return Poll::Ready(Ok(()));
            }
        }
        if Pin::new(&mut self.stream).poll_read(cx, buf)?.is_ready() {
            self.arrived(&mut buf.filled_mut()[before..]);
            return Poll::Ready(Ok(()));
        }
        self.wait(cx)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let taken = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.took(cx, taken)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let taken = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.took(cx, taken)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.written();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.lingering.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
        }
        if self.framing.in_body() {
            ready!(self.poll_linger(cx));
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio_util::sync::CancellationToken;

    use super::super::seats::Seats;
    use super::*;

    const SHORT: Duration = Duration::from_millis(20);

    fn wire<S>(stream: S) -> (Wire<S>, Arc<Seat>) {
        let seat = Arc::new(Seats::default()).take(CancellationToken::new());
        let limits = Limits { head: SHORT, idle: SHORT, answer: SHORT, ..Limits::default() };
        (Wire::new(stream, Arc::clone(&seat), limits, None), seat)
    }

    #[tokio::test]
    async fn whoever_does_not_read_the_answer_is_cut() {
        let (ours, _theirs) = duplex(16);
        let (mut wire, seat) = wire(ours);
        seat.enter(Stage::Busy);
        let error = wire.write_all(&[0; 1000]).await.expect_err("nobody reads");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn heads_and_idle_connections_have_their_time_and_a_busy_one_has_none() {
        let (ours, mut theirs) = duplex(64);
        let (mut wire, seat) = wire(ours);
        let mut buf = [0; 64];
        for stage in [Stage::Head(Instant::now()), Stage::Idle(Instant::now())] {
            seat.enter(stage);
            let error = wire.read(&mut buf).await.expect_err("nothing comes");
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        }
        theirs.write_all(b"GET / HT").await.expect("is written");
        assert_eq!(wire.read(&mut buf).await.ok(), Some(8));
        assert!(matches!(seat.stage(), Stage::Head(_)));
        seat.enter(Stage::Busy);
        assert!(tokio::time::timeout(2 * SHORT, wire.read(&mut buf)).await.is_err());
    }
}
