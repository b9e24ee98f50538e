//! One running hirebridge: puts the rooms together, starts them, and stops them in order.

mod reload;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::ats::Sources;
use crate::catalog::Learned;
use crate::check::Doctor;
use crate::clock::Clock;
use crate::config::Config;
use crate::due;
use crate::http::intake::Intake;
use crate::http::limits::Limits;
use crate::http::no_place::NoPlace;
use crate::http::operators::Operators;
use crate::http::proxies::Proxies;
use crate::http::reload::Reload;
use crate::http::tries::Tries;
use crate::http::{self, App, SourceWatch};
use crate::ledger::{self, Ledger, LedgerError, Restored};
use crate::mapping::Mappings;
use crate::outbound::fetch::Fetch;
use crate::personio::{self, Reader};
use crate::poll::Polls;
use crate::telemetry::Metrics;
use crate::transfer::{Parts, Planner, Transfer};
use reload::Standing;

/// A running service.
pub struct Service {
    address: SocketAddr,
    settings: http::Settings,
    limits: Limits,
    sources: Arc<Sources>,
    catalog: Learned,
    transfer: watch::Receiver<Transfer>,
    reload: Reload,
    doctor: Arc<Doctor>,
    clock: Clock,
    draining: CancellationToken,
    stop: CancellationToken,
    running: Vec<JoinHandle<()>>,
    polls: watch::Receiver<u64>,
}

/// Why the service did not start. Nothing was sent anywhere.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting cannot be obeyed; [`Config::load`] says so with its line.
    #[error("`{key}` {problem}")]
    Setting {
        /// The setting.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The ledger cannot be opened.
    #[error("`{}`: {}", .0.key(), .0)]
    Ledger(ledger::OpenError),
    /// What is in the ledger cannot be read.
    #[error("the ledger cannot be read: {0}")]
    Unreadable(LedgerError),
    /// Personio's side cannot be set up.
    #[error(transparent)]
    Personio(#[from] personio::ConnectError),
    /// The address cannot be listened on.
    #[error("`server.listen`: {address} cannot be listened on: {why}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        why: std::io::Error,
    },
}

impl StartError {
    /// The setting that is to be changed, if it is one's fault.
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Setting { key, .. } => Some(key),
            Self::Ledger(error) => Some(error.key()),
            Self::Listen { .. } => Some("server.listen"),
            Self::Unreadable(_) | Self::Personio(_) => None,
        }
    }
}

fn first<T, E>(result: Result<T, Vec<E>>, words: impl Fn(&E) -> (String, String)) -> Result<T, StartError> {
    result.map_err(|errors| {
        let (key, problem) = errors.first().map(words).unwrap_or_default();
        StartError::Setting { key, problem }
    })
}

/// What is made of the settings that a running service can take up.
struct Made {
    sources: Arc<Sources>,
    mappings: Arc<Mappings>,
    operators: Operators,
    proxies: Proxies,
}

impl Made {
    fn of(config: &Config) -> Result<Self, StartError> {
        let sources =
            first(Sources::build(&config.ats(), &config.guard()), |e| (e.key.clone(), e.problem.clone()))?;
        let mappings = first(config.mappings(), |e| (e.key.clone(), e.message.clone()))?;
        let operators = first(Operators::build(&config.operators), |e| (e.key.clone(), e.problem.clone()))?;
        let words = |(key, problem): &(&str, String)| ((*key).to_owned(), problem.clone());
        let proxies = first(Proxies::build(&config.server), words)?;
        Ok(Self { sources: Arc::new(sources), mappings: Arc::new(mappings), operators, proxies })
    }

    /// Refuses an operator who is in the ledger too.
    async fn is_said_once(&self, ledger: &dyn Ledger) -> Result<(), StartError> {
        let passes = ledger.keyring().passes().await.map_err(StartError::Unreadable)?;
        let twice = self.operators.said_twice(&passes);
        twice.map_or(Ok(()), |e| Err(StartError::Setting { key: e.key, problem: e.problem }))
    }

    /// What looks at everything; the ledger is the one that was opened at the start.
    fn doctor(
        &self,
        config: &Config,
        ledger: &ledger::Settings,
        reader: &Reader,
        catalog: &Learned,
        clock: &Clock,
    ) -> Doctor {
        Doctor {
            ledger: ledger.clone(),
            sources: Arc::clone(&self.sources),
            reader: reader.clone(),
            mappings: Arc::clone(&self.mappings),
            learned: catalog.clone(),
            marker: config.transfer.marker.clone(),
            clock: clock.clone(),
        }
    }

    fn planner(&self, config: &Config, catalog: &Learned, clock: &Clock) -> Planner {
        Planner {
            sources: Arc::clone(&self.sources),
            mappings: Arc::clone(&self.mappings),
            catalog: catalog.clone(),
            marker: config.transfer.marker.clone(),
            clock: clock.clone(),
        }
    }
}

impl Service {
    /// Opens the ledger and begins to listen; what a former process left behind is taken up beside that.
    ///
    /// # Errors
    /// [`StartError`], in words that say what to change.
    pub async fn start(config: Config, clock: Clock) -> Result<Self, StartError> {
        Self::start_within(config, clock, Limits::default()).await
    }

    /// The same, with a patience of the caller's own.
    ///
    /// # Errors
    /// [`StartError`], in words that say what to change.
    pub async fn start_within(config: Config, clock: Clock, limits: Limits) -> Result<Self, StartError> {
        let limits = limits.fitted();
        let metrics = Metrics::default();
        let made = Made::of(&config)?;
        let (reader, writer) = personio::connect(&config.personio, &config.guard(), &clock, &metrics)?;
        let learn_every = config.personio.learn_every;
        let catalog = if learn_every.is_positive() {
            Learned::from_personio(reader.clone(), clock.clone())
        } else {
            Learned::default()
        };
        let ledger = ledger::open(&config.ledger).await.map_err(StartError::Ledger)?;
        made.is_said_once(&*ledger).await?;
        let fetch = Fetch::new(&config.guard(), &clock).map_err(personio::ConnectError::from)?;
        let transfer = Transfer::new(Parts {
            settings: config.transfer.clone(),
            retention: config.retention,
            restored: restored(&*ledger, &clock).await.map_err(StartError::Unreadable)?,
            ledger,
            reader: reader.clone(),
            writer: Arc::new(writer),
            fetch: fetch.clone(),
            planner: made.planner(&config, &catalog, &clock),
            clock: clock.clone(),
            metrics: metrics.clone(),
            call_timeout: config.personio.call_timeout,
        });
        let doctor = Arc::new(made.doctor(&config, &config.ledger, &reader, &catalog, &clock));
        let listener = listen(config.server.listen)?;
        let address = listener.local_addr().unwrap_or(config.server.listen);
        let (draining, stop) = (CancellationToken::new(), CancellationToken::new());
        let (reload, asks) = Reload::channel();
        let app = App {
            transfer: transfer.clone(),
            sources: Arc::clone(&made.sources),
            operators: Arc::new(made.operators),
            tries: Tries::default(),
            proxies: Arc::new(made.proxies),
            metrics: metrics.clone(),
            clock: clock.clone(),
            watch: SourceWatch::new(clock.now()),
            doctor: Arc::clone(&doctor),
            draining: draining.clone(),
            stopping: stop.clone(),
            limits,
            intake: Intake::of(config.server.in_flight, config.server.body_memory),
            settings: Arc::new(config.server.clone()),
            reload: reload.clone(),
        };
        let no_place = Some(NoPlace::of(app.clone()).await);
        let (routers, router) = watch::channel(http::router(app.clone()));
        let (transfers, transfer) = watch::channel(transfer);
        let (told, polls) = watch::channel(0);
        let polled = Polls {
            transfers: transfer.clone(),
            fetch,
            watch: app.watch.clone(),
            metrics: metrics.clone(),
            clock: clock.clone(),
            stop: stop.clone(),
            told,
        };
        let mut running = vec![
            tokio::spawn(polled.run()),
            tokio::spawn(due::run(transfer.clone(), clock.clone(), stop.clone())),
            tokio::spawn(http::serve::serve(
                listener,
                http::current(router),
                stop.clone(),
                limits,
                metrics,
                no_place,
            )),
            tokio::spawn(catalog.clone().keep(learn_every, stop.clone())),
        ];
        let (settings, ledger) = (config.server.clone(), config.ledger.clone());
        let standing = Standing { config, ledger, app, reader, routers, transfers };
        running.push(tokio::spawn(standing.keep(asks, stop.clone())));
        Ok(Self {
            address,
            settings,
            limits,
            sources: made.sources,
            catalog,
            transfer,
            reload,
            doctor,
            clock,
            draining,
            stop,
            running,
            polls,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://` and the address, for callers on this machine.
    pub fn url(&self) -> String {
        let ip = self.address.ip();
        let ip = if ip.is_unspecified() { std::net::Ipv4Addr::LOCALHOST.into() } else { ip };
        format!("http://{}", SocketAddr::new(ip, self.address.port()))
    }

    /// The sources that were configured at the start.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// What was learned of Personio.
    pub fn catalog(&self) -> &Learned {
        &self.catalog
    }

    /// What takes hires to Personio, going by the configuration of this moment.
    pub fn transfer(&self) -> Transfer {
        self.transfer.borrow().clone()
    }

    /// Has the configuration read again.
    pub fn reload(&self) -> &Reload {
        &self.reload
    }

    /// Returns when it was told so often since the start how a poll went, all sources together.
    pub async fn polled(&self, times: u64) {
        // The other end is gone only when nothing is polled any more.
        drop(self.polls.clone().wait_for(|told| *told >= times).await);
    }

    /// Looks at everything a hire needs.
    pub fn doctor(&self) -> &Doctor {
        &self.doctor
    }

    /// Says at once that it is not ready, goes on accepting for `drain_delay`, then stops accepting, and
    /// returns when what was accepted has ended, or 25 seconds later: then the rest is left in the ledger,
    /// and the next start goes on with it.
    pub async fn stop(self) {
        self.draining.cancel();
        let delay = self.clock.now() + self.settings.drain_delay;
        if self.settings.drain_delay.is_positive() {
            self.clock.sleep_until(delay).await;
        }
        let within = self.limits.stop;
        self.end(within).await;
    }

    /// Returns, with the reason, when the ledger has stopped for good. Then the process is to end and to be started
    /// anew: only that tells what is on the disk.
    pub async fn broken(&self) -> String {
        self.transfer().ledger().broken().await
    }

    /// Ends a service whose ledger is broken: answers those who have asked, sends nothing more. A call that is under
    /// way then has an unknown outcome, which cannot be stored here; the next start looks it up.
    pub async fn give_up(self) {
        self.draining.cancel();
        self.end(GIVING_UP).await;
    }

    async fn end(self, within: Duration) {
        let left = SignedDuration::try_from(within).unwrap_or(SignedDuration::MAX);
        let transfer = self.transfer();
        transfer.close(self.clock.now().saturating_add(left).unwrap_or(Timestamp::MAX));
        self.stop.cancel();
        let ended = async {
            for part in self.running {
                if part.await.is_err() {
                    tracing::error!("a part of the service ended badly");
                }
            }
            transfer.drain().await;
        };
        if tokio::time::timeout(within, ended).await.is_err() {
            tracing::warn!("hires are left in the ledger; the next start goes on with them");
        }
    }
}

/// Whether the ledger was restored from a backup, and may still meet what it has forgotten.
async fn restored(ledger: &dyn Ledger, clock: &Clock) -> Result<Option<Restored>, LedgerError> {
    let restored = ledger.restored(clock.now()).await?;
    let doubtful = restored.filter(|since| clock.now() < since.doubtful_until());
    if let Some(since) = doubtful {
        let (restored, until) = (since.at, since.doubtful_until());
        tracing::warn!(
            %restored, %until,
            "the ledger was restored from a backup: hires that cannot be looked up in Personio wait for a person until then"
        );
    }
    Ok(restored)
}

/// How long a service whose ledger is broken goes on answering those who have asked.
const GIVING_UP: Duration = Duration::from_secs(5);

/// How many connections the kernel keeps until they are accepted. Past it a client believes that it is
/// connected while nobody knows of it.
const BACKLOG: u32 = 4096;

fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    let open = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    open().map_err(|why| StartError::Listen { address, why })
}
