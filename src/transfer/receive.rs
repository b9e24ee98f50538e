//! A delivery comes in: it is stored before anything else happens to it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::order::is_taken_back;
use super::planner::Told;
use super::{Inner, Transfer};
use crate::ats::api::ApiError;
use crate::ats::{self, Event as Said, Hired, Misread, Source, Verified};
use crate::domain::{Actor, Effect, Event, Facts, Hire, HireId, State};
use crate::ledger::{Accepted, Delivery, LedgerError};

/// How long the ATS may take to say whether somebody was hired.
const CONFIRM_WITHIN: Duration = Duration::from_secs(10);

/// The largest body that stays in memory, read, while its hire stands in line; a larger one, with files in it, is
/// read from the ledger when its turn comes.
const KEPT_IN_LINE: usize = 1 << 20;

/// What a delivery is answered. Nothing in it is personal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The hire it belongs to, if it is about one.
    pub hire: Option<HireId>,
    /// The hire's stored state, or `ignored`.
    pub state: &'static str,
    /// Why, as a stable code.
    pub reason: Option<&'static str>,
    /// Whether the hire was known already.
    pub duplicate: bool,
    /// How many warnings a created hire has.
    pub warnings: usize,
}

/// Why a delivery was not taken: the ATS is to send it again.
#[derive(Debug, thiserror::Error)]
pub enum NotReceived {
    /// It could not be stored.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// It says too little by itself, and the ATS could not be asked for the rest.
    #[error(transparent)]
    Ats(ApiError),
    /// The ATS does not list yet what the delivery announces.
    #[error("the ATS does not list yet what was signed")]
    NotYet,
}

/// What was stored of a delivery, and the hire whose outcome may be waited for.
pub struct Stored {
    receipt: Receipt,
    pending: Option<Hire>,
}

impl Stored {
    /// What is about no hire that is known.
    pub(super) fn nothing(reason: &'static str) -> Self {
        let receipt =
            Receipt { hire: None, state: "ignored", reason: Some(reason), duplicate: false, warnings: 0 };
        Self { receipt, pending: None }
    }

    /// What is about a hire that was known, of which nothing more is to be waited for.
    pub(super) fn known(hire: &Hire) -> Self {
        Self { receipt: answer(hire, hire.state(), true), pending: None }
    }
}

impl Transfer {
    /// Stores what was verified. When this returns, the hire is on stable storage and is carried on whether
    /// or not anybody listens.
    ///
    /// # Errors
    /// [`NotReceived`]: the ATS is to send it again.
    pub async fn receive(&self, source: &Source, verified: &Verified) -> Result<Stored, NotReceived> {
        match source.read(verified) {
            Ok(ats::Delivery { event: Said::Ignored { reason, .. }, .. }) => Ok(Stored::nothing(reason)),
            Ok(ats::Delivery { event: Said::Unhire(unhired), .. }) => {
                Ok(self.0.unhired(source, unhired, verified).await?)
            }
            Ok(ats::Delivery { event: Said::Merge(merged), .. }) => {
                Ok(self.0.merged(source, &merged).await?)
            }
            Ok(ats::Delivery { event: Said::Files(filed), .. }) => {
                self.0.filed(source, *filed, verified).await
            }
            Ok(ats::Delivery { event: Said::Hire(hired), .. })
                if hired.to_confirm && !self.0.confirm(source, &hired).await? =>
            {
                Ok(self.0.unhired(source, hired.taken_back(), verified).await?)
            }
            Ok(ats::Delivery { event: Said::Hire(hired), payload }) => {
                Ok(self.0.hired(source, *hired, payload, verified).await?)
            }
            Err(misread) => Ok(self.0.misread(source, &misread, verified).await?),
        }
    }

    /// Waits, for `wait` at most, for what becomes of what was stored. A hire that finds no room at the
    /// moment is not waited for.
    pub async fn outcome(&self, stored: Stored, wait: Duration) -> Receipt {
        let Stored { receipt, pending } = stored;
        match pending {
            Some(hire) => {
                let begun = Instant::now();
                let state = self.0.wait(&hire, wait).await;
                match self.compared(&hire, state, wait.saturating_sub(begun.elapsed())).await {
                    Some(compared) => answer(&compared, compared.state(), receipt.duplicate),
                    None => answer(&hire, state, receipt.duplicate),
                }
            }
            None => receipt,
        }
    }

    /// A created hire once it has been read back, or as it is when the time is up.
    async fn compared(&self, hire: &Hire, state: State, wait: Duration) -> Option<Hire> {
        if !matches!(state, State::Created(_)) {
            return None;
        }
        // Late is no harm: the state is told, and the hire shows the rest.
        let _ = tokio::time::timeout(wait, self.idle(hire.id)).await;
        self.ledger().hire(hire.id).await.ok().flatten()
    }
}

impl Inner {
    /// Nothing is stored yet while the ATS is asked: if it cannot be, it is to send the delivery again.
    async fn confirm(&self, source: &Source, hired: &Hired) -> Result<bool, NotReceived> {
        source.confirm(hired, Instant::now() + CONFIRM_WITHIN).await.map_err(NotReceived::Ats)
    }

    async fn hired(
        self: &Arc<Self>,
        source: &Source,
        hired: Hired,
        payload: Value,
        verified: &Verified,
    ) -> Result<Stored, LedgerError> {
        let now = self.now();
        let key = source.key(&hired.application);
        let mut hire = Hire::received(self.new_id(), source.name(), key, hired.facts.clone(), now);
        hire.record.name_split = hired.name_split;
        hire.record.hired_at = hired.at;
        if !hired.settled {
            hire.next_at = Some(now + source.settle());
        }
        let delivery = self.delivery(source, &hired.event, hired.delivery_id.clone(), verified);
        let is_small = delivery.body.len() <= KEPT_IN_LINE;
        let inner = Arc::clone(self);
        let (hire, duplicate) = self
            .whatever_happens(async move {
                match inner.parts.ledger.accept(hire, delivery).await? {
                    Accepted::New(hire) => {
                        // What is not stored of them now is found again in the delivery when the plan is made.
                        if inner.parts.planner.ignored_by(&hire).is_none()
                            && let Err(error) = inner.files_came(&hire, &hired.files).await
                        {
                            tracing::warn!(hire = %hire.id, %error, "files are not noted yet");
                        }
                        let told = is_small.then(|| Told { hired: Some(hired), payloads: vec![payload] });
                        Ok((inner.begin(hire, told), false))
                    }
                    Accepted::Repeat(hire) => {
                        inner.files_came(&hire, &hired.files).await?;
                        let hire = if is_taken_back(&hire) {
                            inner.hired_again(hire, &hired).await?
                        } else {
                            inner.repeated(hire, &hired.facts, hired.settled).await?
                        };
                        Ok((hire, true))
                    }
                }
            })
            .await?;
        let receipt = answer(&hire, hire.state(), duplicate);
        Ok(Stored { receipt, pending: self.will_move(&hire).then_some(hire) })
    }

    /// Whether something may become of the hire soon: it is being carried, here or by another replica, or waits
    /// for a fuller delivery. Not if it waits for room here.
    fn will_move(&self, hire: &Hire) -> bool {
        self.progress.is_moving(hire.id)
            || hire.state() == State::Sending
            || self.bulkhead.has_room()
            || hire.next_at.is_some_and(|at| at > self.now())
    }

    /// Starts work on a hire that was just stored, unless it waits for a fuller delivery.
    fn begin(self: &Arc<Self>, hire: Hire, told: Option<Told>) -> Hire {
        if hire.next_at.is_some_and(|at| at > self.now()) {
            self.due.notify_one();
        } else {
            self.start(hire.clone(), Effect::Plan, told);
        }
        hire
    }

    /// A repeat adds what the stored hire lacks, until the permit; a complete one ends the waiting for more.
    async fn repeated(
        self: &Arc<Self>,
        mut hire: Hire,
        facts: &Facts,
        settled: bool,
    ) -> Result<Hire, LedgerError> {
        loop {
            let now = self.now();
            let was_settling = hire.state() == State::Received && hire.next_at.is_some_and(|at| at > now);
            if !hire.state().is_before_permit() || !hire.record.facts.fill(facts) {
                if settled && was_settling {
                    self.start(hire.clone(), Effect::Plan, None);
                }
                return Ok(hire);
            }
            let settles_at = hire.next_at.filter(|_| was_settling && !settled);
            let actor = Actor::Source(hire.source.clone());
            if hire.flags.dismissed {
                // A person has said that it is not to be sent: it is kept up to date, and stays off the list.
                hire.remark(&actor, "facts_added", now);
                match self.save(&mut hire).await {
                    Err(LedgerError::Conflict) => hire = self.again(hire.id).await?,
                    saved => return saved.map(|()| hire),
                }
                continue;
            }
            let Ok(effect) = hire.apply(&Event::FactsAdded, &actor, now) else { return Ok(hire) };
            if effect == Effect::Plan {
                hire.next_at = settles_at.or(Some(now));
            }
            match self.save(&mut hire).await {
                Ok(()) => {
                    if effect == Effect::Plan && settles_at.is_none() {
                        self.start(hire.clone(), effect, None);
                    }
                    return Ok(hire);
                }
                Err(LedgerError::Conflict) => hire = self.again(hire.id).await?,
                Err(error) => return Err(error),
            }
        }
    }

    /// A signed body that is no hire we can read: seen by a person once, never asked for again.
    async fn misread(
        &self,
        source: &Source,
        misread: &Misread,
        verified: &Verified,
    ) -> Result<Stored, LedgerError> {
        let digest = || {
            let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verified.body());
            format!("body-{}", hex::encode(&digest.as_ref()[..16]))
        };
        let application = misread.application.clone().unwrap_or_else(digest);
        let actor = Actor::Source(source.name().to_owned());
        let key = source.key(&application);
        let mut hire = Hire::held(self.new_id(), source.name(), key, misread.held, &actor, self.now());
        hire.note(&match &misread.path {
            Some(path) => format!("{}:{path}", misread.code),
            None => misread.code.to_owned(),
        });
        let delivery = self.delivery(source, "unreadable", None, verified);
        let (hire, duplicate) = match self.parts.ledger.accept(hire, delivery).await? {
            Accepted::New(hire) => (hire, false),
            Accepted::Repeat(hire) => (hire, true),
        };
        Ok(Stored { receipt: answer(&hire, hire.state(), duplicate), pending: None })
    }

    pub(super) fn delivery(
        &self,
        source: &Source,
        event: &str,
        id: Option<String>,
        verified: &Verified,
    ) -> Delivery {
        Delivery {
            source: source.name().to_owned(),
            at: self.now(),
            event: event.to_owned(),
            delivery_id: id.or_else(|| verified.delivery_id().map(str::to_owned)),
            secret: verified.secret(),
            body: verified.body().to_vec(),
        }
    }

    /// Reads a hire again that somebody else has changed.
    pub(super) async fn again(&self, id: HireId) -> Result<Hire, LedgerError> {
        let gone = || LedgerError::Damaged(format!("hire {id} was there a moment ago"));
        self.parts.ledger.hire(id).await?.ok_or_else(gone)
    }
}

fn answer(hire: &Hire, state: State, duplicate: bool) -> Receipt {
    let is_created = matches!(hire.state(), State::Created(_));
    let warnings = if is_created { hire.warnings().count() } else { 0 };
    Receipt { hire: Some(hire.id), state: state.name(), reason: state.reason(), duplicate, warnings }
}
