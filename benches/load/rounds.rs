//! The rounds: service and floor in turn, so that whatever else happens on the machine happens to both.

use std::path::Path;
use std::time::Duration;

use crate::check::Simulator;
use crate::process::Process;
use crate::senders;
use crate::syncs::Syncs;

/// One column of the report: what is compared, and how often.
#[derive(Clone, Copy)]
pub(crate) struct Setting {
    /// How long the simulator takes for each call.
    pub(crate) latency_ms: u64,
    /// How much longer each sync of the ledger takes.
    pub(crate) sync_ms: u64,
    /// How many senders there are at once.
    pub(crate) senders: usize,
    /// How often each of the two has its turn.
    pub(crate) rounds: usize,
    /// How many hires each turn has.
    pub(crate) hires: usize,
}

impl Setting {
    /// The same, just to see that it works.
    pub(crate) fn quick(self) -> Self {
        Self { rounds: 1, hires: 64, ..self }
    }
}

/// Everything that takes part.
pub(crate) struct Bench<'a> {
    pub(crate) simulator: &'a Simulator,
    pub(crate) personio: &'a Process,
    pub(crate) service: Process,
    pub(crate) floor: Process,
    /// The service's syncs, if they can be seen.
    pub(crate) syncs: Option<&'a Syncs>,
    /// Where the ledger lies.
    pub(crate) folder: &'a Path,
    /// How many hires were delivered; the next one has this number.
    pub(crate) delivered: usize,
}

/// One turn.
pub(crate) struct Turn {
    /// From the first delivery until everything was read back.
    pub(crate) took: Duration,
    /// How long each answer took.
    pub(crate) latencies: Vec<Duration>,
    /// Processor time of service or floor.
    pub(crate) cpu: Duration,
    /// Processor time of the simulator.
    pub(crate) personio_cpu: Duration,
    /// Commits of the ledger.
    pub(crate) commits: u32,
}

/// A turn of the service and the floor's turn that follows it.
pub(crate) struct Round {
    pub(crate) service: Turn,
    pub(crate) floor: Turn,
    /// What each of the service's syncs took.
    pub(crate) syncs: Vec<Duration>,
}

impl Round {
    pub(crate) fn service(&self) -> &Turn {
        &self.service
    }

    pub(crate) fn floor(&self) -> &Turn {
        &self.floor
    }
}

impl Bench<'_> {
    /// Connections are opened, code and pages are loaded; nothing is kept of it.
    pub(crate) fn warm_up(&mut self) -> anyhow::Result<()> {
        let some = Setting { latency_ms: 0, sync_ms: 0, senders: 64, rounds: 1, hires: 256 };
        self.compare(some).map(drop)
    }

    /// All rounds of a setting.
    pub(crate) fn compare(&mut self, setting: Setting) -> anyhow::Result<Vec<Round>> {
        self.simulator.slow_down(setting.latency_ms)?;
        if let Some(syncs) = self.syncs {
            syncs.slow_down(setting.sync_ms)?;
        }
        (0..setting.rounds).map(|_| self.round(setting)).collect()
    }

    fn round(&mut self, setting: Setting) -> anyhow::Result<Round> {
        let before = self.syncs.map(Syncs::count).transpose()?.unwrap_or_default();
        let service = self.turn(setting, true)?;
        let syncs = self.syncs.map(|syncs| syncs.since(before)).transpose()?.unwrap_or_default();
        Ok(Round { service, floor: self.turn(setting, false)?, syncs })
    }

    fn turn(&mut self, setting: Setting, of_the_service: bool) -> anyhow::Result<Turn> {
        let numbers = self.delivered..self.delivered + setting.hires;
        self.delivered = numbers.end;
        let deliveries = numbers.map(senders::delivery).collect::<Result<Vec<_>, _>>()?;
        let process = if of_the_service { &mut self.service } else { &mut self.floor };
        let before = (process.cpu()?, self.personio.cpu()?, commits(self.folder)?);
        let sent = senders::send(process.address(), &deliveries, setting.senders)?;
        process.finish()?;
        let took = sent.started.elapsed();
        Ok(Turn {
            took,
            latencies: sent.latencies,
            cpu: process.cpu()?.saturating_sub(before.0),
            personio_cpu: self.personio.cpu()?.saturating_sub(before.1),
            commits: commits(self.folder)?.wrapping_sub(before.2),
        })
    }
}

/// How many transactions the ledger has seen: the third word of the header of SQLite's index of its log.
/// Source: <https://www.sqlite.org/walformat.html#the_wal_index_file_format>.
fn commits(folder: &Path) -> anyhow::Result<u32> {
    let index = std::fs::read(folder.join("hirebridge.db-shm"))?;
    let word = index.get(8..12).and_then(|word| word.try_into().ok()).unwrap_or_default();
    Ok(u32::from_ne_bytes(word))
}
