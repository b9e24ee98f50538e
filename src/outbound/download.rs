//! An answer that is too long for the memory: passed on piece by piece.

use std::time::Duration;

use bytes::Bytes;
use reqwest::Response;

use super::client::{Answer, Client, Failure, Request, answer, failure};

/// An answer whose body is still to come.
pub struct Download {
    response: Response,
    patience: Duration,
    left: Option<u64>,
}

impl Client {
    /// Sends the request once. Waits as long as it takes for the answer to begin; a body of which nothing more
    /// arrives for `patience` is given up. An answer that is no success is read whole.
    ///
    /// # Errors
    /// [`Failure`] if there is no answer.
    pub async fn download(
        &self,
        request: Request,
        patience: Duration,
    ) -> Result<Result<Download, Answer>, Failure> {
        let response = self.started(request).await?;
        if response.status() != 200 {
            let refusal = tokio::time::timeout(patience, answer(response, self.now())).await;
            return refusal.unwrap_or(Err(Failure::Lost("timeout"))).map(Err);
        }
        let left = response.content_length();
        Ok(Ok(Download { response, patience, left }))
    }
}

impl Download {
    /// The next piece; none at the end.
    ///
    /// # Errors
    /// [`Failure::Lost`] if it breaks off: also if fewer bytes came than were announced.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        let next = tokio::time::timeout(self.patience, self.response.chunk()).await;
        let piece = next.map_err(|_| Failure::Lost("timeout"))?.map_err(|error| failure(&error))?;
        let length = piece.as_ref().map_or(0, |piece| piece.len() as u64);
        self.left = self.left.map(|left| left.saturating_sub(length));
        if piece.is_none() && self.left != Some(0) {
            return Err(Failure::Lost("half_body"));
        }
        Ok(piece)
    }
}
