//! One run: the storm, the calm after it, and what was seen.

use std::path::Path;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use fastrand::Rng;
use futures_util::future::join_all;
use hirebridge::sim::{Options, Sim};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::Store;
use crate::checker::{unrest, unrest_of_documents};
use crate::evidence::Evidence;
use crate::hires::{self, Application};
use crate::papers::{Cabinet, Paper};
use crate::replicas::{CALL, Replica, Toll};
use crate::senders::{Ats, Sent};
use crate::support::postgres::Postgres;
use crate::support::{Setup, configuration};
use crate::weather::{Weather, fair, kinds};
use crate::witness::{Api, Witness, employees, filed};

/// How long after a permit's deadline its holder counts as gone on PostgreSQL, and a little more.
const LEASE: Duration = Duration::from_secs(31);

/// How long everything may take to come to rest, on a busy machine too.
const CALM: Duration = Duration::from_secs(150);

/// What came of a run.
pub(crate) struct Outcome {
    pub(crate) evidence: Evidence,
    pub(crate) weather: Weather,
    pub(crate) deliveries: usize,
    pub(crate) kills: usize,
    pub(crate) in_recovery: usize,
    pub(crate) before_ready: usize,
    /// How long a start took until it was ready: the middle one.
    pub(crate) start: Duration,
    pub(crate) storm: Duration,
    pub(crate) calm: Duration,
}

/// Everything of one run.
struct House {
    sim: Sim,
    replicas: Vec<Replica>,
    toll: Toll,
    http: reqwest::Client,
    hires: Vec<Application>,
    cabinet: Cabinet,
    _folder: TempDir,
    server: Option<Postgres>,
}

/// Runs one; `None` if there is no PostgreSQL server to be had.
pub(crate) async fn run(seed: u64, hires: usize, kills: usize, store: Store) -> Option<Outcome> {
    println!("crash proof: seed {seed}, {hires} hires, {kills} kills");
    let mut rng = Rng::with_seed(seed);
    let house = House::build(&mut rng, hires, kills, store).await?;
    let started = Instant::now();
    let (sent, witness, weather) = house.storm(&mut rng).await;
    let storm = started.elapsed();
    let mut evidence = house.calm(&mut rng, witness, &sent).await;
    let calm = started.elapsed().saturating_sub(storm);
    let deliveries = sent.iter().map(|sent| sent.deliveries).sum();
    let toll = &house.toll;
    let (in_recovery, before_ready) = (toll.in_recovery.load(SeqCst), toll.before_ready.load(SeqCst));
    let kills = toll.done();
    let start = middle(toll.starts.lock().expect("nobody panicked").clone());
    evidence.accidents.extend(too_mild(hires, kills, in_recovery, &weather));
    Some(Outcome { evidence, weather, deliveries, kills, in_recovery, before_ready, start, storm, calm })
}

fn middle(mut all: Vec<Duration>) -> Duration {
    all.sort();
    all.get(all.len() / 2).copied().unwrap_or_default()
}

/// A run that has met too little proves nothing.
fn too_mild(hires: usize, kills: usize, in_recovery: usize, weather: &Weather) -> Vec<String> {
    let mut mild = Vec::new();
    if in_recovery < (kills / 4).min(10) {
        mild.push(format!("only {in_recovery} of {kills} kills were soon after a start"));
    }
    if hires >= 400 && weather.faults.len() < kinds() {
        mild.push(format!("only these misbehaviours were met: {:?}", weather.faults));
    }
    mild
}

impl House {
    async fn build(rng: &mut Rng, hires: usize, kills: usize, store: Store) -> Option<Self> {
        let folder = TempDir::new().expect("a folder can be made");
        let server = match store {
            Store::Sqlite => None,
            Store::Postgres => Some(Postgres::start("the crash proof").await?),
        };
        let sim = Sim::start(Options { manner: fair(), ..Options::default() }).await;
        let sim = sim.expect("the simulator starts");
        let (hires, known) = hires::hires(rng, hires);
        for person in known {
            sim.add(person);
        }
        let papers: Vec<Paper> = hires.iter().flat_map(|hire| hire.papers.iter().cloned()).collect();
        let candidates = hires.iter().filter_map(Application::candidate).collect();
        let cabinet = Cabinet::open(rng, papers, candidates).await;
        let ledger = server.as_ref().map(|server| server.database("crash"));
        let config = folder.path().join("hirebridge.toml");
        std::fs::write(&config, settings(rng, &sim.url(), folder.path(), ledger, &cabinet))
            .expect("writable");
        let names: &[&str] = if store == Store::Sqlite { &["one"] } else { &["one", "two"] };
        let replicas = names.iter().map(|name| Replica::new(folder.path(), &config, name)).collect();
        let http = reqwest::Client::builder().build().expect("a client");
        let toll = Toll::of(kills);
        Some(Self { sim, replicas, toll, http, hires, cabinet, _folder: folder, server })
    }

    fn api(&self) -> Api<'_> {
        Api { replicas: &self.replicas, http: &self.http }
    }

    fn ats(&self) -> Ats<'_> {
        Ats { replicas: &self.replicas, http: &self.http, toll: &self.toll }
    }

    /// Hires come in as the kills go on, so that each of them meets some.
    async fn storm(&self, rng: &mut Rng) -> (Vec<Sent>, Witness, Weather) {
        let (toll, ats) = (&self.toll, self.ats());
        let haunted = self.replicas.iter().map(|replica| toll.haunt(replica, &self.http, rng.fork()));
        let haunted: Vec<_> = haunted.collect();
        let sent = self
            .hires
            .iter()
            .enumerate()
            .map(|(n, hire)| ats.deliver(hire, rng.fork(), n * toll.wanted() / self.hires.len()));
        let sent: Vec<_> = sent.collect();
        let (mut winds, mut eyes, api) = (rng.fork(), rng.fork(), self.api());
        let over = || toll.reaches(toll.wanted());
        let witness = Witness::default().watch(&self.sim, &api, &mut eyes, over());
        let weather = Weather::default().blow(&self.sim, &mut winds, over());
        let lives = async {
            join_all(haunted).await;
            self.restart().await;
        };
        // The last deliveries need somebody to take them, so the restart is beside them.
        let (sent, witness, weather, ()) = tokio::join!(join_all(sent), witness, weather, lives);
        (sent, witness, weather)
    }

    /// After the last kill. A second replica comes back when the last lease has ended, so that what the dead
    /// had in hand is found then, and not only by the next search.
    async fn restart(&self) {
        if let Some(server) = &self.server {
            // An upload may take two minutes, and its lease a while more: since nobody is alive, that need not be waited for.
            server.ask("crash", "UPDATE hirebridge.documents SET lease_until = clock_timestamp(), claimed_until = clock_timestamp()");
        }
        for (n, replica) in self.replicas.iter().enumerate() {
            if n > 0 {
                sleep(LEASE + CALL).await;
            }
            replica.start();
            self.toll.accident(replica.ready(&self.http).await.err());
        }
    }

    /// Waits until nothing moves, lets the ATS say everything once more, and writes down what there is.
    async fn calm(&self, rng: &mut Rng, mut witness: Witness, sent: &[Sent]) -> Evidence {
        self.rest(rng).await;
        let mut delivered: Vec<_> = sent.iter().map(|sent| sent.delivered.clone()).collect();
        let ats = self.ats();
        for (hire, delivered) in self.hires.iter().zip(&mut delivered) {
            delivered.answers.push(ats.until_taken(hire.source, hire.whole(), rng.fork()).await.0);
        }
        let shown = self.api().all(rng).await.expect("the API answers now that nobody kills it");
        for replica in &self.replicas {
            self.toll.accident(replica.kill());
        }
        witness.collect(&self.sim);
        let mut accidents = self.sim.violations();
        accidents.extend(self.cabinet.wrong());
        accidents.append(&mut self.toll.accidents.lock().expect("nobody panicked"));
        Evidence {
            delivered,
            creates: witness.creates(),
            employees: employees(&self.sim),
            papers: self.hires.iter().flat_map(|hire| hire.papers.iter().cloned()).collect(),
            uploads: witness.uploads(),
            filed: filed(&self.sim),
            shown,
            glimpses: witness.glimpses,
            accidents,
        }
    }

    /// Returns when every hire has ended or is with a person, or time is up: then the checker will say so.
    async fn rest(&self, rng: &mut Rng) {
        let since = Instant::now();
        while since.elapsed() < CALM && !self.rests(rng).await {
            sleep(Duration::from_secs(1)).await;
        }
    }

    async fn rests(&self, rng: &mut Rng) -> bool {
        let made = employees(&self.sim);
        let Some(listed) = self.api().list(rng).await else { return false };
        let passing = |hire: &serde_json::Value| match hire["state"].as_str().unwrap_or_default() {
            "created" | "held" => false,
            "unknown" => made.iter().any(|made| made.application == hire["ats_id"]),
            _ => true,
        };
        if listed.iter().any(passing) {
            return false;
        }
        let Some(shown) = self.api().all(rng).await else { return false };
        shown.iter().all(|hire| unrest(hire).is_none() && unrest_of_documents(hire).is_none())
    }
}

/// Everything soon, so that it comes to rest soon; what else may differ is the seed's choice.
fn settings(
    rng: &mut Rng,
    personio: &str,
    folder: &Path,
    ledger: Option<String>,
    cabinet: &Cabinet,
) -> String {
    let marker = if rng.bool() { "marker = \"dynamic_111\"\n" } else { "" };
    let room = if rng.bool() { 8 } else { 64 };
    let setup = Setup {
        ledger,
        ashby: "account = \"default\"".into(),
        settle: Some(if rng.bool() { "0s" } else { "150ms" }.into()),
        transfer: format!("lookups = [\"200ms\", \"500ms\", \"2s\", \"5s\"]\nin_flight = {room}\n{marker}"),
        attempt_timeout: Some("1500ms".into()),
        server: "wait = \"400ms\"".into(),
        sections: hires::mapping() + &cabinet.source(),
        ..Setup::default()
    };
    configuration(personio, folder, &setup)
}
