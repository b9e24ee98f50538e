//! Files come on their own: signed, perhaps, some time after the hire. They follow the hire if there is one.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Inner;
use super::receive::{NotReceived, Stored};
use crate::ats::api::ApiError;
use crate::ats::{Filed, Source, Verified};
use crate::domain::{Facts, Hire, HireKey};
use crate::ledger::{Accepted, LedgerError};

/// How long the ATS may take to say whose files they are.
const FIND_WITHIN: Duration = Duration::from_secs(10);

/// What is answered when the ATS does not want to say it, as a stable code.
const NOT_TOLD: &str = "ats_refused";

impl Inner {
    /// Nothing is stored yet while the ATS is asked: if it cannot be, it is to send the delivery again. It is not
    /// asked about somebody who was not hired.
    pub(super) async fn filed(
        self: &Arc<Self>,
        source: &Source,
        filed: Filed,
        verified: &Verified,
    ) -> Result<Stored, NotReceived> {
        let otherwise = filed.otherwise;
        if let Some(key) = filed.application.as_deref().map(|application| source.key(application))
            && self.parts.ledger.find(&key).await?.is_none()
        {
            return Ok(Stored::nothing(otherwise));
        }
        let found = match source.find(filed, Instant::now() + FIND_WITHIN).await {
            Ok(found) => found,
            Err(error @ (ApiError::Refused(_) | ApiError::NoFiles)) => {
                tracing::warn!(source = source.name(), %error, "files not found");
                return Ok(Stored::nothing(NOT_TOLD));
            }
            Err(error) => return Err(NotReceived::Ats(error)),
        };
        match found.application.as_deref().map(|application| source.key(application)) {
            Some(key) if self.parts.ledger.find(&key).await?.is_some() => {
                Ok(self.follows(source, key, found, verified).await?)
            }
            _ => Ok(Stored::nothing(otherwise)),
        }
    }

    /// Files of a hire that is known are its documents, whatever became of it by now.
    async fn follows(
        self: &Arc<Self>,
        source: &Source,
        key: HireKey,
        filed: Filed,
        verified: &Verified,
    ) -> Result<Stored, LedgerError> {
        let same = Hire::received(self.new_id(), source.name(), key, Facts::new(), self.now());
        let delivery = self.delivery(source, &filed.event, filed.delivery_id.clone(), verified);
        let inner = Arc::clone(self);
        self.whatever_happens(async move {
            let (Accepted::New(hire) | Accepted::Repeat(hire)) =
                inner.parts.ledger.accept(same, delivery).await?;
            inner.files_came(&hire, &filed.files).await?;
            Ok(Stored::known(&hire))
        })
        .await
    }
}
