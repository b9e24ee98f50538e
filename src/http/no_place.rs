//! Deliveries for which there is no place, answered before anything is made of them. When far more comes than can be
//! carried, nearly all that the service does is to say so: what that takes is lacking to those that are carried.

use std::sync::Arc;

use axum::body::Bytes;

use super::App;
use super::intake;
use super::turned_away;
use super::webhooks;

/// Says no to a delivery as soon as it has come in. Everything but the plainest delivery goes the usual way, and may be
/// refused there.
pub struct NoPlace {
    app: App,
    /// How a delivery begins, and its source's name.
    beginnings: Vec<(Vec<u8>, String)>,
    words: Bytes,
}

impl NoPlace {
    /// For the deliveries of this service.
    pub async fn of(app: App) -> Arc<Self> {
        let beginning = |name: &str| format!("POST /webhooks/{name} HTTP/1.1\r\n").into_bytes();
        let names = app.sources.iter().map(|source| source.name().to_owned());
        let beginnings = names.map(|name| (beginning(&name), name)).collect();
        let words = turned_away::words(intake::overloaded().at_its_end()).await;
        Arc::new(Self { app, beginnings, words })
    }

    /// The whole answer to one whole request, if it is a delivery that must come back later.
    pub(super) fn answer(&self, request: &[u8]) -> Option<&[u8]> {
        let (_, source) = self.beginnings.iter().find(|(beginning, _)| request.starts_with(beginning))?;
        self.app.intake.is_full(self.app.transfer.places()).then(|| {
            webhooks::note_overload(&self.app, source);
            &*self.words
        })
    }
}
