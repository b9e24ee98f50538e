//! The configuration is read again while the service runs: taken up whole, or not at all.

use std::sync::Arc;

use axum::Router;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::{Made, StartError};
use crate::config::{Config, ConfigErrors};
use crate::http::reload::{Ask, Reloaded, Wrong};
use crate::http::{self, App};
use crate::ledger;
use crate::personio::Reader;
use crate::telemetry;
use crate::transfer::{Planner, Transfer};

/// What goes by the configuration of the moment, and is put in the place of what went by the former one.
pub(super) struct Standing {
    pub(super) config: Config,
    /// The ledger's as at the start.
    pub(super) ledger: ledger::Settings,
    pub(super) app: App,
    pub(super) reader: Reader,
    pub(super) routers: watch::Sender<Router>,
    pub(super) transfers: watch::Sender<Transfer>,
}

impl Standing {
    /// Reads the configuration again when somebody asks for it, and the credential whenever Personio turns us away.
    pub(super) async fn keep(mut self, mut asks: mpsc::Receiver<Ask>, stop: CancellationToken) {
        loop {
            let transfer = self.app.transfer.clone();
            tokio::select! {
                () = stop.cancelled() => return,
                Some(ask) = asks.recv() => {
                    let answer = self.reload().await;
                    // Whoever asked may have gone; it is in the log.
                    drop(ask.send(answer));
                }
                () = transfer.turned_away() => self.renew_credential().await,
            }
        }
    }

    async fn reload(&mut self) -> Result<Reloaded, Vec<Wrong>> {
        let mut newer = self.config.again().map_err(|errors| refused(&errors))?;
        let changes = self.config.changes(&newer);
        // The guard stays until a restart: all calls go by the same one.
        newer.outbound = self.config.outbound.clone();
        if !changes.live.is_empty() {
            let made = Made::of(&newer).map_err(|error| vec![unbuilt(&error)])?;
            let ledger = Arc::clone(self.app.transfer.ledger());
            made.is_said_once(&*ledger).await.map_err(|error| vec![unbuilt(&error)])?;
            self.put_in_place(&newer, made);
        }
        if changes.of_credential() {
            self.take_credential(&newer).await;
        }
        let (taken, waiting) = (changes.live.join(", "), changes.fixed.join(", "));
        tracing::info!(taken, "the configuration was read again");
        if !waiting.is_empty() {
            tracing::warn!(waiting, "these settings need a restart");
        }
        self.config = newer.taken_up(&self.config);
        Ok(Reloaded { changed: changes.live, needs_restart: changes.fixed })
    }

    /// From now on requests, and hires that are begun, go by `config`. What is under way ends as it began.
    fn put_in_place(&mut self, config: &Config, made: Made) {
        telemetry::change_level(config.log.level);
        let Planner { catalog, clock, .. } = self.app.transfer.planner();
        let planner = made.planner(config, catalog, clock);
        let doctor = made.doctor(config, &self.ledger, &self.reader, &planner.catalog, clock);
        let settings = http::Settings {
            public_url: config.server.public_url.clone(),
            wait: config.server.wait,
            body_limit: config.server.body_limit,
            trusted_proxies: config.server.trusted_proxies.clone(),
            proxy_sign_in: config.server.proxy_sign_in.clone(),
            ..(*self.app.settings).clone()
        };
        self.app.transfer = self.app.transfer.changed(config.transfer.clone(), config.retention, planner);
        self.app.sources = made.sources;
        self.app.operators = Arc::new(made.operators);
        self.app.proxies = Arc::new(made.proxies);
        self.app.doctor = Arc::new(doctor);
        self.app.settings = Arc::new(settings);
        self.transfers.send_replace(self.app.transfer.clone());
        drop(self.routers.send_replace(http::router(self.app.clone())));
    }

    /// Personio has turned us away: the secret may have been changed there, and here in its file.
    async fn renew_credential(&mut self) {
        let newer = match self.config.again() {
            Ok(newer) => newer,
            Err(errors) => {
                for error in &errors {
                    tracing::warn!(%error, "whether the credential was changed cannot be read");
                }
                return;
            }
        };
        if self.config.changes(&newer).of_credential() {
            self.take_credential(&newer).await;
            self.config.take_credential(&newer);
            tracing::info!("the credential for Personio was changed: it is tried at once");
        }
    }

    async fn take_credential(&self, newer: &Config) {
        let personio = &newer.personio;
        self.reader.change_credential(&personio.client_id, &personio.client_secret).await;
        self.app.transfer.try_credential().await;
    }
}

fn refused(errors: &ConfigErrors) -> Vec<Wrong> {
    errors
        .iter()
        .map(|error| Wrong { key: error.key.clone(), said: error.to_string() })
        .inspect(complain)
        .collect()
}

fn unbuilt(error: &StartError) -> Wrong {
    let wrong = Wrong { key: error.key().unwrap_or_default().to_owned(), said: error.to_string() };
    complain(&wrong);
    wrong
}

fn complain(wrong: &Wrong) {
    tracing::error!(
        key = wrong.key,
        problem = wrong.said,
        "the configuration is refused; the former one goes on"
    );
}
