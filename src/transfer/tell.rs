//! The ATS is told that a hire is in Personio, where it wants to know. Once, and never at the expense of the hire.

use std::time::Duration;

use tokio::time::Instant;

use super::{Inner, LedgerError};
use crate::ats::Arrived;
use crate::domain::{Hire, State};

/// How long that may take: the delivery's answer may be waiting for it.
const WITHIN: Duration = Duration::from_secs(3);

/// The note of a hire of which the ATS was told, or could not be.
const TOLD: &str = "noted_at_ats";
const NOT_TOLD: &str = "not_noted_at_ats";

impl Inner {
    pub(super) async fn tell_the_ats(&self, hire: &mut Hire) -> Result<(), LedgerError> {
        let source = self.parts.planner.sources.named(&hire.source).filter(|source| source.is_told());
        let tried = hire.notes().any(|note| [TOLD, NOT_TOLD].iter().any(|code| note.starts_with(code)));
        let (Some(source), State::Created(_), false) = (source, hire.state(), tried) else { return Ok(()) };
        let history = self.parts.ledger.history(hire.id).await?;
        let by = history.iter().rev().find_map(|entry| entry.actor.strip_prefix("operator:"));
        let arrived = Arrived {
            application: hire.key.application.clone(),
            candidate: hire.record.candidate().map(str::to_owned),
            link: hire.employee.and_then(|employee| self.parts.reader.profile_link(employee)),
            at: self.now(),
            by: by.map(str::to_owned),
        };
        match source.tell(&arrived, Instant::now() + WITHIN).await {
            Ok(()) => hire.note(TOLD),
            Err(error) => hire.note(&format!("{NOT_TOLD}:{}", error.code())),
        }
        Ok(())
    }
}
