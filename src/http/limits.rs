//! How patient the service is with whoever is connected. No settings: what an ATS or a balancer needs is
//! known, and a test has its own.

use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::time::Instant;

/// File descriptors that are kept for everything but connections: the ledger, Personio, the log.
const SPARE: u64 = 256;

/// Times and numbers of connections.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a request's head may take: the first from the connection on, others from their first byte.
    pub head: Duration,
    /// How long a connection may stay open without a request. Balancers give up after 60 seconds and more,
    /// and it is they who should close first.
    pub idle: Duration,
    /// How long a body may take to arrive, besides what `rate` gives.
    pub body: Duration,
    /// How long a blocked answer may take to be read, besides what `rate` gives.
    pub answer: Duration,
    /// Bodies and answers get a second more for each so many bytes that have passed.
    pub rate: u32,
    /// How long the rest of a body that nobody wants is thrown away before the connection closes: closed at
    /// once, it would be reset, and the sender might never see the answer.
    pub linger: Duration,
    /// How many connections there may be.
    pub connections: usize,
    /// How long requests in flight may take to end once the service stops.
    pub drain: Duration,
    /// How long the service as a whole may take to stop. A second less than the 25 that are promised: the
    /// process has to end as well.
    pub stop: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            body: Duration::from_secs(10),
            answer: Duration::from_secs(10),
            rate: 64 * 1024,
            linger: Duration::from_secs(1),
            connections: 10_000,
            drain: Duration::from_secs(20),
            stop: Duration::from_secs(24),
        }
    }
}

impl Limits {
    /// With as many connections as there can be open files. Often a process begins with 1,024 and may have
    /// many more: that is asked for first.
    #[must_use]
    pub fn fitted(mut self) -> Self {
        let needed = u64::try_from(self.connections).unwrap_or(u64::MAX).saturating_add(SPARE);
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let mut open_files = current.unwrap_or(needed);
        if open_files < needed {
            let wanted = needed.min(maximum.unwrap_or(needed));
            let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
            open_files = if raised.is_ok() { wanted } else { open_files };
        }
        if open_files < needed {
            // Half of a small limit is better than none.
            let connections = open_files.saturating_sub(SPARE).max(open_files / 2);
            self.connections = usize::try_from(connections).unwrap_or(usize::MAX);
            tracing::warn!(
                self.connections,
                "the limit on open files leaves room for so many connections at most; raise it"
            );
        }
        self
    }

    /// How much time is earned by so many bytes.
    fn earned(&self, bytes: usize) -> Duration {
        #[expect(clippy::cast_precision_loss, reason = "a fraction of a second does not matter")]
        Duration::from_secs_f64(bytes as f64 / f64::from(self.rate.max(1)))
    }

    /// Until when a body must be complete that began at `since`, as long as no more of it has arrived.
    pub(super) fn body_until(&self, since: Instant, arrived: usize) -> Instant {
        since + self.body + self.earned(arrived)
    }

    /// Until when more of an answer must be taken that is blocked since `since`.
    pub(super) fn answer_until(&self, since: Instant, taken: usize) -> Instant {
        since + self.answer + self.earned(taken)
    }
}
