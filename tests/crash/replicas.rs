//! The real program as child processes, and what kills them.

use std::fs::OpenOptions;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::support::process::hirebridge;

/// How long a call to Personio may take with all its attempts: a permit's lease follows it.
pub(crate) const CALL: Duration = Duration::from_secs(4);

/// A start belongs to the recovery for so long.
const RECOVERY: Duration = Duration::from_millis(500);

/// How long a process lives at most once it is ready; twice the time that it took if that is longer, so that a
/// slow machine gets to work as well.
const LIFE: Duration = Duration::from_millis(500);

/// How long a start may take before it counts as failed, on a busy machine too.
const START: Duration = Duration::from_mins(1);

/// How long an answer to "ready?" is waited for. There has to be an end: a request that takes a connection from the
/// client's pool just when that connection learns of its death can get lost inside the client, which then waits for ever.
const READY: Duration = Duration::from_secs(2);

/// One replica: an address that stays, and the process of the moment.
pub(crate) struct Replica {
    folder: PathBuf,
    config: PathBuf,
    listen: String,
    log: PathBuf,
    child: Mutex<Option<Child>>,
}

impl Replica {
    pub(crate) fn new(folder: &Path, config: &Path, name: &str) -> Self {
        // An address of its own: nobody's outgoing connection can take the port while nobody listens.
        let listener = TcpListener::bind("127.0.0.2:0").expect("the whole of 127.0.0.0/8 is this machine");
        let listen = listener.local_addr().expect("it is bound").to_string();
        let log = folder.join(format!("{name}.log"));
        Self { folder: folder.into(), config: config.into(), listen, log, child: Mutex::new(None) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.listen)
    }

    pub(crate) fn start(&self) {
        let log = OpenOptions::new().create(true).append(true).open(&self.log).expect("a log file");
        let child = hirebridge(&self.folder)
            .arg("serve")
            .arg("--config")
            .arg(&self.config)
            .env("HIREBRIDGE__SERVER__LISTEN", &self.listen)
            .env("HIREBRIDGE__PERSONIO__CALL_TIMEOUT", format!("{}s", CALL.as_secs()))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the program starts");
        *self.child() = Some(child);
    }

    fn child(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `kill -9`. What happened, if it was not alive any more.
    pub(crate) fn kill(&self) -> Option<String> {
        let mut child = self.child().take()?;
        if let Ok(Some(status)) = child.try_wait() {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            let end: Vec<&str> = log.lines().rev().take(5).collect();
            return Some(format!("the service ended by itself ({status}); its log ends with {end:#?}"));
        }
        child.kill().expect("it can be killed");
        tokio::task::block_in_place(|| child.wait()).expect("it ends");
        None
    }

    /// Waits until it can store a delivery.
    pub(crate) async fn ready(&self, http: &reqwest::Client) -> Result<(), String> {
        let asked = Instant::now();
        while asked.elapsed() < START {
            if is_ready(self, http, READY).await {
                return Ok(());
            }
            sleep(Duration::from_millis(5)).await;
        }
        Err(self.kill().unwrap_or_else(|| format!("not ready after {START:?}")))
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The kills: how many there are to be, and how many there were.
pub(crate) struct Toll {
    wanted: usize,
    begun: AtomicUsize,
    done: watch::Sender<usize>,
    pub(crate) in_recovery: AtomicUsize,
    pub(crate) before_ready: AtomicUsize,
    /// How long it took to be ready.
    pub(crate) starts: Mutex<Vec<Duration>>,
    pub(crate) accidents: Mutex<Vec<String>>,
}

impl Toll {
    pub(crate) fn of(wanted: usize) -> Self {
        let zero = AtomicUsize::default;
        Self {
            wanted,
            begun: zero(),
            done: watch::Sender::new(0),
            in_recovery: zero(),
            before_ready: zero(),
            starts: Mutex::default(),
            accidents: Mutex::default(),
        }
    }

    pub(crate) fn wanted(&self) -> usize {
        self.wanted
    }

    pub(crate) fn done(&self) -> usize {
        *self.done.borrow()
    }

    /// Waits until there were so many kills.
    pub(crate) async fn reaches(&self, kills: usize) {
        let mut done = self.done.subscribe();
        done.wait_for(|done| *done >= kills).await.expect("the toll lives as long as whoever waits");
    }

    pub(crate) fn accident(&self, what: Option<String>) {
        self.accidents.lock().unwrap_or_else(PoisonError::into_inner).extend(what);
    }

    /// Kills a replica and starts it again until there were enough kills; every third time so soon that it
    /// has hardly begun to recover. It is dead in the end.
    pub(crate) async fn haunt(&self, replica: &Replica, http: &reqwest::Client, mut rng: Rng) {
        loop {
            let number = self.begun.fetch_add(1, SeqCst);
            if number >= self.wanted {
                return;
            }
            replica.start();
            let started = Instant::now();
            let soon = number.is_multiple_of(3);
            if soon {
                sleep(up_to(RECOVERY, &mut rng)).await;
            } else if let Err(what) = replica.ready(http).await {
                self.accident(Some(what));
            } else {
                let took = started.elapsed();
                self.starts.lock().unwrap_or_else(PoisonError::into_inner).push(took);
                sleep(up_to(LIFE.max(took * 2), &mut rng)).await;
            }
            let was_ready = !soon || is_ready(replica, http, Duration::from_millis(50)).await;
            if started.elapsed() < RECOVERY {
                self.in_recovery.fetch_add(1, SeqCst);
            }
            self.before_ready.fetch_add(usize::from(!was_ready), SeqCst);
            self.accident(replica.kill());
            self.done.send_modify(|done| *done += 1);
        }
    }
}

async fn is_ready(replica: &Replica, http: &reqwest::Client, patience: Duration) -> bool {
    let asked = http.get(format!("{}/readyz", replica.url())).timeout(patience).send().await;
    asked.is_ok_and(|answer| answer.status() == 200)
}

fn up_to(longest: Duration, rng: &mut Rng) -> Duration {
    longest.mul_f64(rng.f64())
}
