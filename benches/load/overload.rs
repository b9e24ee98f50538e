//! Overload: ten times as much is offered as the service can carry, and it goes on carrying.
//!
//! Capacity first: closed-loop senders, as many as the service carries hires at a time, each with its next hire
//! when the last one was answered. Then the rush: an open loop that offers ten times that rate whatever is
//! answered, on far more connections than deliveries are taken at a time, while health is asked for.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use tokio::time::Instant;

use crate::check::Simulator;
use crate::cores::Cores;
use crate::flood::{Flood, Washed};
use crate::process::Process;
use crate::senders::{Connection, Template};
use crate::{ground, roles};

/// How long Personio takes for a call.
const LATENCY_MS: u64 = 5;

/// How many hires the service carries at a time: the default of `transfer.in_flight`.
const IN_FLIGHT: u32 = 64;

/// Connections of the rush: half as many again as the default of `server.in_flight`.
const CONNECTIONS: u32 = 1536;

/// Ten times the capacity is offered.
const TIMES: f64 = 10.0;

/// How often health and memory are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How long each part lasts.
struct Lengths {
    capacity: Duration,
    rush: Duration,
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
    ground::configure_with(folder, &personio.address().to_string(), IN_FLIGHT as usize, "4s")?;
    let mut service = Process::start(roles::SERVICE, folder, &cores.start())?;
    cores.keep_off()?;
    // The flood's tasks have them to the end.
    let (template, next): (&_, &_) = (Box::leak(Box::new(Template::new()?)), Box::leak(Box::default()));
    let to = service.address();
    let offer = |rate, connections, length| Flood { to, template, next }.run(rate, connections, length);

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

fn report(capacity: f64, carried: f64, rush: &Washed, watched: &Watched, calm_kib: u64) {
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
        ("connections closed/s", format!("{:.0}", per_second(rush.closed))),
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
