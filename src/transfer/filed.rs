//! Files come on their own: signed, perhaps, some time after the hire. They follow the hire if there is one.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Inner;
use super::receive::{NotReceived, Stored};
use crate::ats::api::ApiError;
use crate::ats::{Filed, Source, Verified};
use crate::ledger::LedgerError;

/// How long the ATS may take to say whose files they are.
const FIND_WITHIN: Duration = Duration::from_secs(10);

/// What is answered when the ATS does not want to say it, as a stable code.
const NOT_TOLD: &str = "ats_refused";

impl Inner {
    /// Nothing is stored yet while the ATS is asked: if it cannot be, it is to send the delivery again.
    pub(super) async fn found(
        self: &Arc<Self>,
        source: &Source,
        filed: Filed,
        verified: &Verified,
    ) -> Result<Stored, NotReceived> {
        match source.find(filed, Instant::now() + FIND_WITHIN).await {
            Ok(filed) => Ok(self.filed(source, filed, verified).await?),
            Err(error @ (ApiError::Refused(_) | ApiError::NoFiles)) => {
                tracing::warn!(source = source.name(), %error, "files not found");
                Ok(Stored::nothing(NOT_TOLD))
            }
            Err(error) => Err(NotReceived::Ats(error)),
        }
    }

    /// Lets files follow their hire.
    #[expect(clippy::unused_async, reason = "documents are not stored yet")]
    async fn filed(
        self: &Arc<Self>,
        _source: &Source,
        filed: Filed,
        _verified: &Verified,
    ) -> Result<Stored, LedgerError> {
        Ok(Stored::nothing(filed.otherwise))
    }
}
