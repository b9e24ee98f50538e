//! Where a hire becomes an employee: carries out the effects of a hire's steps, and nothing else does.
//!
//! [`receive`](Transfer::receive) stores what an ATS delivered, `carry` takes a hire from state to state, the
//! desk does what a person asks for, and `compare` tells what arrived. Each hire is worked on
//! in a task of its own, which goes on when whoever asked has hung up.

mod aftermath;
mod always;
mod audit;
mod begin;
mod bulkhead;
mod carry;
mod compare;
mod desk;
mod documents;
mod filed;
mod gate;
mod look_up;
mod order;
mod people;
mod planner;
mod pointed;
mod progress;
mod receive;
mod recovery;
mod refusal;
mod resend;
mod restored;
mod resume;
mod retention;
mod search;
mod seen;
mod tell;
mod there;
mod typed;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use tokio::sync::{Mutex, Notify};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::clock::Clock;
use crate::domain::employee::is_dynamic;
use crate::domain::{Entry, Hire, HireId, State};
use crate::ledger::{Ledger, LedgerError, Restored};
use crate::outbound::fetch::Fetch;
use crate::personio::{Reader, Writer};
use crate::telemetry::Metrics;

pub use desk::{Approval, By};
pub use people::{Erased, Whom};
pub use planner::Planner;
pub use receive::{NotReceived, Receipt, Stored};
pub use refusal::{Decided, DeskError, FieldError};
pub use retention::Retention;
pub use search::{Found, Search};
pub use there::{There, ThereField};
pub use typed::Typed;

use audit::Audits;
use bulkhead::Bulkhead;
use documents::Papers;
use gate::{Door, Gate};
use progress::{Progress, is_passing};
use seen::Seen;

/// How often the ledger is asked what another replica has made of a hire that somebody waits for.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// How hires are sent and looked up.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// How long after an unknown outcome the person is looked up; the last one repeats for 24 hours.
    pub lookups: Vec<SignedDuration>,
    /// Hold a hire when its e-mail address cannot be looked up before sending.
    pub require_lookup: bool,
    /// A Personio attribute that carries the hire's key: `dynamic_<number>`.
    pub marker: Option<String>,
    /// How long a hire that cannot be sent waits before a person is asked.
    pub give_up_after: SignedDuration,
    /// How long after an unknown outcome a hire that was not found is sent again by itself, once; never if not set.
    pub resend_after_unknown: Option<SignedDuration>,
    /// How long after the creation the person is looked up once more; not at all if zero.
    pub audit_after: SignedDuration,
    /// How many hires are on their way to Personio at a time; the others wait in the ledger.
    pub in_flight: usize,
    /// How many new hires may be stored and wait for their turn; while there are so many, others are not taken.
    pub ahead: usize,
}

impl Settings {
    /// What cannot be obeyed: key and problem.
    pub fn objections(&self) -> Vec<(&'static str, String)> {
        let mut all = Vec::new();
        if self.lookups.is_empty() || self.lookups.iter().any(|after| !after.is_positive()) {
            all.push(("transfer.lookups", "must be one or more times, such as [\"60s\", \"1h\"]".to_owned()));
        }
        if self.marker.as_deref().is_some_and(|marker| !is_dynamic(marker)) {
            all.push((
                "transfer.marker",
                "must be an attribute of the company's own: dynamic_<number>".to_owned(),
            ));
        }
        if self.in_flight == 0 {
            all.push(("transfer.in_flight", "must be at least 1".to_owned()));
        }
        if !self.give_up_after.is_positive() {
            all.push(("transfer.give_up_after", "must be longer than nothing, such as \"72h\"".to_owned()));
        }
        if let Some(problem) =
            self.resend_after_unknown.and_then(|after| resend::objection(after, aftermath::LOOK_FOR))
        {
            all.push(("transfer.resend_after_unknown", problem));
        }
        if self.audit_after.is_negative() {
            all.push((
                "transfer.audit_after",
                "must be a time such as \"24h\", or \"0s\" for no audit".to_owned(),
            ));
        }
        all
    }
}

/// What a transfer is made of.
#[derive(Clone)]
pub struct Parts {
    /// How hires are sent and looked up.
    pub settings: Settings,
    /// How long things are kept.
    pub retention: Retention,
    /// Where hires are kept.
    pub ledger: Arc<dyn Ledger>,
    /// Whether that was restored from a backup, and when.
    pub restored: Option<Restored>,
    /// Reads Personio.
    pub reader: Reader,
    /// Creates employees: there is one, and it is here.
    pub writer: Arc<Writer>,
    /// Opens links to files.
    pub fetch: Fetch,
    /// Makes plans.
    pub planner: Planner,
    /// What time it is.
    pub clock: Clock,
    /// What an operator sees.
    pub metrics: Metrics,
    /// How long one call to Personio may take, with its repeats.
    pub call_timeout: SignedDuration,
}

/// Whether hires can be sent at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// They can, as far as is known.
    Open,
    /// Personio does not answer as it should; hires wait.
    OutOfOrder {
        /// When a call tries whether it answers again.
        next_try_at: Timestamp,
    },
    /// Personio does not take the credential, or it lacks a right; hires wait.
    CredentialRefused,
}

/// Takes hires to Personio. Cheap to clone. It goes by one configuration, and so does each hire that it has begun
/// to carry; after a change there is another one, and everything under way is common to both.
#[derive(Clone)]
pub struct Transfer(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    parts: Parts,
    gate: Arc<Gate>,
    bulkhead: Arc<Bulkhead>,
    progress: Progress,
    seen: Arc<Seen>,
    audits: Audits,
    papers: Papers,
    tasks: TaskTracker,
    due: Arc<Notify>,
    /// Held by whoever tries whether Personio answers again.
    knocking: Arc<Mutex<()>>,
    /// When this process ends, once that is known.
    ends_at: Arc<OnceLock<Timestamp>>,
}

impl Transfer {
    /// Puts the parts together; nothing runs yet.
    pub fn new(parts: Parts) -> Self {
        let gate = Arc::new(Gate::open(parts.metrics.clone()));
        let bulkhead = Arc::new(Bulkhead::of(parts.settings.in_flight, parts.settings.ahead));
        let inner = Inner {
            parts,
            gate,
            bulkhead,
            progress: Progress::default(),
            seen: Arc::default(),
            audits: Audits::default(),
            papers: Papers::default(),
            tasks: TaskTracker::new(),
            due: Arc::default(),
            knocking: Arc::default(),
            ends_at: Arc::default(),
        };
        Self(Arc::new(inner))
    }

    /// The same, going by other settings and another planner from now on. How many hires are on their way at a time
    /// stays as it is.
    #[must_use]
    pub fn changed(&self, settings: Settings, retention: Retention, planner: Planner) -> Self {
        let parts = Parts { settings, retention, planner, ..self.0.parts.clone() };
        Self(Arc::new(Inner { parts, ..Inner::clone(&self.0) }))
    }

    /// Returns when Personio has turned us away since this was last asked.
    pub async fn turned_away(&self) {
        self.0.gate.turned_away().await;
    }

    /// The credential is another one: tries at once whether Personio takes it. If so, hires that wait for that go on.
    pub async fn try_credential(&self) {
        let inner = &self.0;
        // A token says nothing of the right to create: the next hire tries that.
        inner.gate.probe_at(inner.now());
        if inner.parts.reader.authenticate().await.is_ok() {
            inner.credential_works(Door::Token);
        }
        inner.due.notify_one();
    }

    /// Where hires are kept.
    pub fn ledger(&self) -> &Arc<dyn Ledger> {
        &self.0.parts.ledger
    }

    /// The employee's page in Personio, if the configuration says how such a link looks.
    pub fn profile_link(&self, employee: u64) -> Option<String> {
        self.0.parts.reader.profile_link(employee)
    }

    /// Whether hires can be sent at the moment, as far as Personio's last answers tell.
    pub fn way(&self) -> Way {
        match self.0.parts.reader.shut_until() {
            Some(next_try_at) => Way::OutOfOrder { next_try_at },
            None if self.0.gate.is_closed() => Way::CredentialRefused,
            None => Way::Open,
        }
    }

    /// How many more new hires can be carried at the moment, or stand in the line of those that are carried next.
    pub fn places(&self) -> usize {
        self.0.bulkhead.free()
    }

    /// Says when this process ends. From now on no hire is begun, and no permit is spent on a call whose
    /// outcome might come too late: such hires stay in the ledger, for whoever goes on with them.
    pub fn close(&self, ends_at: Timestamp) {
        // Whoever said so first is right.
        let _ = self.0.ends_at.set(ends_at);
        self.0.bulkhead.close();
    }

    /// Waits until this process works on no hire any more.
    pub async fn drain(&self) {
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    /// Waits until this process has done with a hire for now.
    pub async fn idle(&self, id: HireId) {
        self.0.progress.idle(id).await;
    }
}

impl Inner {
    fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    /// A new hire's id. Sorts by the clock's time.
    fn new_id(&self) -> HireId {
        let now = self.now();
        let seconds = u64::try_from(now.as_second()).unwrap_or_default();
        let nanoseconds = u32::try_from(now.subsec_nanosecond()).unwrap_or_default();
        HireId(Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanoseconds)))
    }

    /// Saves a hire and writes a line for each change of its state.
    async fn save(&self, hire: &mut Hire) -> Result<(), LedgerError> {
        let steps = hire.unsaved.clone();
        self.parts.ledger.save(hire).await?;
        log(hire, &steps);
        Ok(())
    }

    /// Starts the schedule of look-ups after an unknown outcome.
    fn look_up_later(&self, hire: &mut Hire, last_byte: Timestamp) {
        hire.since = Some(last_byte);
        hire.tries = 0;
        hire.next_at = Some(last_byte + self.look_up_interval(0));
    }

    fn look_up_interval(&self, tries: u32) -> SignedDuration {
        let intervals = &self.parts.settings.lookups;
        let tries = usize::try_from(tries).unwrap_or(usize::MAX);
        intervals.get(tries).or(intervals.last()).copied().unwrap_or(SignedDuration::from_hours(1))
    }

    /// The stored state of a hire after at most `wait`, or as soon as it does not pass by itself. Another
    /// replica may work on it and cannot tell us: then the ledger is asked now and then.
    async fn wait(&self, hire: &Hire, wait: Duration) -> State {
        let (mut stored, mut left) = (hire.clone(), wait);
        loop {
            let turn = left.min(ASK_AGAIN);
            let state = self.progress.wait(&stored, turn).await;
            left -= turn;
            if is_passing(state) && !self.progress.is_running(hire.id) {
                stored = self.parts.ledger.hire(hire.id).await.ok().flatten().unwrap_or(stored);
            } else if !is_passing(state) || left.is_zero() {
                return state;
            }
            if left.is_zero() || !is_passing(stored.state()) {
                return stored.state();
            }
        }
    }
}

/// One line for each change of state, once it is stored.
fn log(hire: &Hire, steps: &[Entry]) {
    for step in steps.iter().filter(|step| step.from.as_ref() != Some(&step.to)) {
        let (from, to, cause, actor) = (step.from.as_deref(), &step.to, &step.cause, &step.actor);
        let age = step.at.duration_since(hire.received_at).as_millis();
        let age_ms = i64::try_from(age).unwrap_or(i64::MAX);
        tracing::info!(hire = %hire.id, source = %hire.source, from, to, cause, actor, age_ms, "hire");
    }
}
