//! `hirebridge serve`: the service.

use std::io::Write;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::ConfigFile;
use crate::check::Verdict;
use crate::clock::Clock;
use crate::service::Service;
use crate::telemetry;

/// Run the service: take deliveries and carry each hire into Personio.
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  hirebridge serve --config hirebridge.toml

Wrong or missing settings refuse the start, each with key and line. SIGTERM and Ctrl-C stop it in order;
SIGHUP has the configuration read again.")]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigFile,
}

pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let config = args.config.load()?;
    telemetry::start_logging(&config.log);
    let server = config.server.clone();
    let mut stop = Stop::listen()?;
    let hangup = signal(SignalKind::hangup())?;
    let started = Service::start(config, Clock::system()).await;
    let service = started.map_err(|error| args.config.refusal(&error))?;
    tracing::info!(address = %service.address(), "listening");
    if let Err(error) = introduce(&service, &server) {
        // Whoever started it reads no output: no reason not to serve.
        tracing::warn!(%error, "what to register at each ATS could not be printed");
    }
    // Without systemd there is nobody to tell.
    drop(sd_notify::notify(&[sd_notify::NotifyState::Ready]));
    let checked = async {
        log_findings(&service).await;
        std::future::pending::<()>().await;
    };
    let broken = tokio::select! {
        () = stop.wanted() => None,
        why = service.broken() => Some(why),
        () = checked => None,
        () = reload_on_hangup(&service, hangup) => None,
    };
    drop(sd_notify::notify(&[sd_notify::NotifyState::Stopping]));
    if let Some(why) = broken {
        service.give_up().await;
        anyhow::bail!("the ledger has stopped for good: {why}\n{AFTER_BROKEN}");
    }
    tracing::info!("stopping");
    tokio::select! {
        () = service.stop() => tracing::info!("stopped"),
        () = stop.wanted() => tracing::warn!("stopped at once; what was being sent will be looked up"),
    }
    Ok(())
}

/// Reads the configuration again at each SIGHUP. What is wrong with it is in the log.
async fn reload_on_hangup(service: &Service, mut hangup: Signal) {
    while hangup.recv().await.is_some() {
        drop(service.reload().now().await);
    }
    std::future::pending::<()>().await;
}

/// What whoever reads the last words is to do.
const AFTER_BROKEN: &str = "what was written last may be on the disk or not: look after the disk, then start hirebridge again; \
                            it reads what is there and goes on with that";

/// The signals that ask for an end.
pub(super) struct Stop {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Stop {
    pub(super) fn listen() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Returns at the next SIGTERM or Ctrl-C.
    pub(super) async fn wanted(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// What to register at each ATS.
fn introduce(service: &Service, server: &crate::http::Settings) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    for source in service.sources().iter() {
        let setup = source.setup();
        let paused = if source.is_enabled() { "" } else { ", paused" };
        let awaiting = if source.awaits_secret() { ", awaiting its secret" } else { "" };
        writeln!(out, "source {} ({}{paused}{awaiting})", source.name(), source.kind())?;
        if let Some(poll) = source.poll() {
            writeln!(out, "  fetched:    from {}, every {:#}", poll.host(), poll.every())?;
        }
        if !source.is_pushed() {
            continue;
        }
        writeln!(out, "  register:   {}", server.webhook_url(source.name()))?;
        writeln!(out, "  event:      {}", setup.event_to_choose)?;
        writeln!(out, "  secret:     {}", setup.where_secret_goes)?;
    }
    if server.public_url.is_none() {
        writeln!(
            out,
            "server.public_url is not set: put the address that the ATS reaches in place of the URLs' host"
        )?;
    }
    out.flush()
}

/// Runs the self-check once and logs what it found.
async fn log_findings(service: &Service) {
    for finding in service.doctor().examine().await {
        let (about, found) = (&finding.about, &finding.found);
        let remedy = finding.remedy.as_deref();
        match finding.verdict {
            Verdict::Ok | Verdict::NotCheckable => tracing::info!(about, found, "check"),
            Verdict::Warning => tracing::warn!(about, found, remedy, "check"),
            Verdict::Problem => tracing::error!(about, found, remedy, "check"),
        }
    }
}
