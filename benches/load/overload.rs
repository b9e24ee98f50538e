//! Overload: ten times as much is offered as the service can carry, and it goes on carrying.
//!
//! Capacity first: closed-loop senders, as many as the service carries hires at a time, each with its next hire
//! when the last one was answered. Then the rush: an open loop that offers ten times that rate whatever is
//! answered, on far more connections than deliveries are taken at a time, while health is asked for.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use tokio::time::Instant;

use crate::check::Simulator;
use crate::cores::Cores;
use crate::process::Process;
use crate::senders::{Connection, Template};
use crate::{ground, roles};

/// How long Personio takes for a call.
const LATENCY_MS: u64 = 5;

/// How many hires the service carries at a time: the default of `transfer.in_flight`.
const IN_FLIGHT: usize = 64;

/// Connections of the rush: half as many again as the default of `server.in_flight`.
const CONNECTIONS: usize = 1536;

/// Ten times the capacity is offered.
const TIMES: f64 = 10.0;

/// How often health and memory are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A sender does little, and there are many.
const STACK: usize = 128 * 1024;

/// How long each part lasts.
struct Lengths {
    capacity: Duration,
    rush: Duration,
}

/// What a rush came to.
#[derive(Default)]
struct Rush {
    took: Duration,
    /// The numbers of the hires that were answered with success.
    taken: Vec<usize>,
    /// How many were answered 503.
    refused: usize,
    /// How many connections broke, each with at most one delivery that has no answer.
    broken: usize,
    /// How many times a connection was closed after an answer.
    reopened: usize,
}

/// What was seen of the service meanwhile.
struct Watched {
    live: Vec<Duration>,
    ready: Vec<Duration>,
    unwell: usize,
    peak_kib: u64,
}

pub(crate) fn run(folder: &Path, quick: bool) -> anyhow::Result<()> {
    let lengths = if quick {
        Lengths { capacity: Duration::from_secs(2), rush: Duration::from_secs(3) }
    } else {
        Lengths { capacity: Duration::from_secs(15), rush: Duration::from_mins(1) }
    };
    let cores = Cores::shared_out()?;
    let personio = Process::start(roles::SIMULATOR, folder, &cores.start())?;
    let simulator = Simulator::at(personio.address());
    simulator.slow_down(LATENCY_MS)?;
    ground::configure_with(folder, &personio.address().to_string(), IN_FLIGHT, "4s")?;
    let mut service = Process::start(roles::SERVICE, folder, &cores.start())?;
    cores.keep_off()?;
    let (to, template, next) = (service.address(), Template::new()?, AtomicUsize::new(0));
    let offer = |rate, connections, length| rush(to, &template, &next, rate, connections, length);

    offer(None, IN_FLIGHT, lengths.capacity / 4)?;
    service.finish()?;
    let busy = || anyhow::Ok([service.cpu()?, personio.cpu()?]);
    let (before, busy_before) = (created(to)?, busy()?);
    let calm = offer(None, IN_FLIGHT, lengths.capacity)?;
    let capacity = rate(created(to)? - before, calm.took);
    let calm_busy = shares(busy_before, busy()?, calm.took);
    service.finish()?;
    let calm_kib = memory(service.id(), "VmRSS")?;

    let busy = || anyhow::Ok([service.cpu()?, personio.cpu()?]);
    let (before, busy_before) = (created(to)?, busy()?);
    let (rushed, watched) =
        watch(to, service.id(), || offer(Some(capacity * TIMES), CONNECTIONS, lengths.rush))?;
    let carried = rate(created(to)? - before, rushed.took);
    let rush_busy = shares(busy_before, busy()?, rushed.took);
    println!("{cores}");
    report(capacity, carried, &rushed, &watched, calm_kib);
    println!("{:<28}{calm_busy:>24}", "cores busy, calm");
    println!("{:<28}{rush_busy:>24}", "cores busy, rush");

    println!("finishing what was taken …");
    service.finish()?;
    let sent: BTreeSet<_> = (0..next.load(Ordering::Relaxed)).map(Template::email).collect();
    let answered: BTreeSet<_> = rushed.taken.iter().map(|number| Template::email(*number)).collect();
    simulator.expect(&answered, &sent)?;
    println!("each of {} hires that were taken in the rush was created exactly once", answered.len());
    Ok(())
}

/// How many cores service and simulator have used.
fn shares(before: [Duration; 2], after: [Duration; 2], took: Duration) -> String {
    let share = |n: usize| after[n].saturating_sub(before[n]).as_secs_f64() / took.as_secs_f64();
    format!("{:.2}  {:.2}", share(0), share(1))
}

/// Delivers new hires for so long: at this rate, or as soon as the last one was answered.
fn rush(
    to: SocketAddr,
    template: &Template,
    next: &AtomicUsize,
    per_second: Option<f64>,
    connections: usize,
    length: Duration,
) -> anyhow::Result<Rush> {
    let open: Result<Vec<_>, _> = (0..connections).map(|_| Connection::open(to)).collect();
    let (open, total) = (open?, Mutex::new(Rush::default()));
    let started = Instant::now();
    let senders = u32::try_from(connections)?;
    let each = per_second.map(|rate| Duration::from_secs_f64(f64::from(senders) / rate));
    thread::scope(|scope| {
        for (place, mut connection) in (0..senders).zip(open) {
            let total = &total;
            let send = move || {
                let mut own = Rush::default();
                let new = || {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    (number, template.delivery(number))
                };
                let (mut number, mut delivery) = new();
                let mut sends_at = each.map(|each| started + each * place / senders);
                while started.elapsed() < length {
                    if let (Some(at), Some(each)) = (&mut sends_at, each) {
                        thread::sleep(at.duration_since(Instant::now()));
                        // Whoever is late leaves out what it could not offer.
                        *at = (*at + each).max(Instant::now());
                    }
                    match connection.exchange(&delivery) {
                        Ok((200, _)) => {
                            own.taken.push(number);
                            (number, delivery) = new();
                        }
                        // It is sent again, as an ATS does.
                        Ok((503, _)) => own.refused += 1,
                        _ => {
                            own.broken += 1;
                            connection.give_up();
                            (number, delivery) = new();
                        }
                    }
                    if !connection.is_open() {
                        let Ok(again) = Connection::open(to) else { break };
                        connection = again;
                        own.reopened += 1;
                    }
                }
                total.lock().unwrap_or_else(std::sync::PoisonError::into_inner).add(own);
            };
            thread::Builder::new().stack_size(STACK).spawn_scoped(scope, send)?;
        }
        anyhow::Ok(())
    })?;
    let mut total = total.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    total.took = started.elapsed();
    Ok(total)
}

impl Rush {
    fn add(&mut self, own: Self) {
        self.taken.extend(own.taken);
        self.refused += own.refused;
        self.broken += own.broken;
        self.reopened += own.reopened;
    }

    fn offered(&self) -> usize {
        self.taken.len() + self.refused + self.broken
    }
}

/// Asks for health and looks at the memory for as long as `work` takes.
fn watch<T>(
    to: SocketAddr,
    id: u32,
    work: impl FnOnce() -> anyhow::Result<T>,
) -> anyhow::Result<(T, Watched)> {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut seen = Watched { live: Vec::new(), ready: Vec::new(), unwell: 0, peak_kib: 0 };
            let mut connection = Connection::open(to)?;
            while !over.load(Ordering::Relaxed) {
                for (path, took) in [("/livez", &mut seen.live), ("/readyz", &mut seen.ready)] {
                    let asked = Instant::now();
                    let (status, _) = connection.exchange(&get(path))?;
                    took.push(asked.elapsed());
                    seen.unwell += usize::from(status != 200);
                }
                seen.peak_kib = seen.peak_kib.max(memory(id, "VmRSS")?);
                thread::sleep(LOOK_EVERY);
            }
            anyhow::Ok(seen)
        });
        let done = work();
        over.store(true, Ordering::Relaxed);
        let seen = watcher.join().map_err(|_| anyhow::anyhow!("the watcher panicked"))?;
        Ok((done?, seen?))
    })
}

fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").into_bytes()
}

/// How many employees the service has created since its start.
fn created(to: SocketAddr) -> anyhow::Result<u32> {
    let (_, text) = Connection::open(to)?.exchange(&get("/metrics"))?;
    let text = String::from_utf8(text)?;
    let name = r#"hirebridge_personio_calls_total{operation="create",result="200"} "#;
    let count = text.lines().find_map(|line| line.strip_prefix(name));
    Ok(count.map(str::parse).transpose()?.unwrap_or_default())
}

/// A line of `/proc/PID/status`, in KiB.
fn memory(id: u32, what: &str) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(what)).context("the system shows it")?;
    let number = line.trim_start_matches(':').split_whitespace().next();
    Ok(number.context("it has a number")?.parse()?)
}

fn rate(count: u32, took: Duration) -> f64 {
    f64::from(count) / took.as_secs_f64()
}

fn report(capacity: f64, carried: f64, rush: &Rush, watched: &Watched, calm_kib: u64) {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let per_second = |number| rate(count(number), rush.took);
    let offered = f64::from(count(rush.offered()).max(1));
    let rows = [
        ("capacity, created/s", format!("{capacity:.0}")),
        ("rush, s", format!("{:.0}", rush.took.as_secs_f64())),
        ("offered/s", format!("{:.0}", per_second(rush.offered()))),
        ("offered, times capacity", format!("{:.1}", per_second(rush.offered()) / capacity)),
        ("taken (stored)/s", format!("{:.0}", per_second(rush.taken.len()))),
        ("created/s", format!("{carried:.0}")),
        ("GOODPUT, created/capacity", format!("{:.2}", carried / capacity)),
        ("taken/capacity", format!("{:.2}", per_second(rush.taken.len()) / capacity)),
        ("503, share of offered", format!("{:.2}", f64::from(count(rush.refused)) / offered)),
        ("connections broken", rush.broken.to_string()),
        ("connections closed/s", format!("{:.0}", per_second(rush.reopened))),
        ("/livez p50, p99, most, ms", percentiles(&watched.live)),
        ("/readyz p50, p99, most, ms", percentiles(&watched.ready)),
        ("health not 200", watched.unwell.to_string()),
        ("memory before, MiB", (calm_kib / 1024).to_string()),
        ("memory at most, MiB", (watched.peak_kib / 1024).to_string()),
    ];
    for (name, cell) in rows {
        println!("{name:<28}{cell:>24}");
    }
}

fn percentiles(took: &[Duration]) -> String {
    let mut took: Vec<f64> = took.iter().map(|took| took.as_secs_f64() * 1e3).collect();
    took.sort_by(f64::total_cmp);
    let at =
        |percent: usize| took.get(took.len().saturating_sub(1) * percent / 100).copied().unwrap_or(f64::NAN);
    format!("{:.1}  {:.1}  {:.1}", at(50), at(99), at(100))
}
