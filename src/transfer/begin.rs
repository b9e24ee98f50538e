//! How work on a hire begins: its turn, its berth, a task of its own.

use std::sync::Arc;

use tracing::Instrument;

use super::bulkhead::{Berth, Line, Turn};
use super::planner::Told;
use super::progress::Running;
use super::{Inner, LedgerError};
use crate::domain::{Effect, Hire};

impl Inner {
    /// Starts work on a hire in a task of its own, at once or when its turn comes; unless this process works on
    /// it already or has no room for it: then it is due in the ledger.
    pub(super) fn start(self: &Arc<Self>, hire: Hire, effect: Effect, told: Option<Told>) -> bool {
        let Some(running) = self.progress.start(hire.id, hire.state()) else { return false };
        self.go_on(hire, effect, told, running, Line::Fresh, |_, _| true)
    }

    /// The same with a hire that was taken on already, if it still `may` go when its turn has come.
    pub(super) fn go_on(
        self: &Arc<Self>,
        hire: Hire,
        effect: Effect,
        told: Option<Told>,
        running: Running,
        line: Line,
        may: impl FnOnce(&Self, &Hire) -> bool + Send + 'static,
    ) -> bool {
        if self.ends_at.get().is_some() {
            return false;
        }
        let Some(turn) = self.bulkhead.queue(line, &self.due) else { return false };
        running.say(hire.state());
        running.stands(matches!(turn, Turn::Later(_)));
        let inner = Arc::clone(self);
        let work = async move {
            let Some(berth) = inner.bulkhead.board(turn, &inner.due).await else { return };
            running.stands(false);
            let berth = Arc::new(berth);
            let again = may(&inner, &hire) && inner.carried(hire, effect, told, &berth, running).await;
            inner.bulkhead.leave(&berth, &inner.due);
            if again {
                inner.due.notify_one();
            }
        };
        self.tasks.spawn(work.in_current_span());
        true
    }

    /// Carries a hire in one more task, so that whatever goes wrong in there, the berth is left. Returns whether
    /// the due loop is to be told.
    async fn carried(
        self: &Arc<Self>,
        hire: Hire,
        effect: Effect,
        told: Option<Told>,
        berth: &Arc<Berth>,
        running: Running,
    ) -> bool {
        let id = hire.id;
        let work = Arc::clone(self).carry(hire, effect, told, Arc::clone(berth), running);
        if let Ok(again) = tokio::spawn(work.in_current_span()).await {
            return again;
        }
        tracing::error!(hire = %id, "the work on this hire was broken off by an internal error");
        if let Err(error) = self.abandoned(id).await {
            tracing::error!(hire = %id, %error, "it could not be marked; a restart will");
        }
        true
    }

    /// Runs to its end in a task of its own: whoever asked may hang up between a commit and what follows it.
    pub(super) async fn whatever_happens<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, LedgerError>> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let broken_off =
            |_| Err(LedgerError::Unusable("the work was broken off by an internal error".into()));
        self.tasks.spawn(work.in_current_span()).await.unwrap_or_else(broken_off)
    }

    /// Saves a hire and goes on with it.
    pub(super) async fn save_and_start(
        self: &Arc<Self>,
        mut hire: Hire,
        effect: Effect,
    ) -> Result<Hire, LedgerError> {
        let inner = Arc::clone(self);
        self.whatever_happens(async move {
            inner.save(&mut hire).await?;
            inner.start(hire.clone(), effect, None);
            Ok(hire)
        })
        .await
    }
}
