//! Who has which of the machine's cores: senders that share them with the service take from it what they use.

use std::fmt;
use std::process::Command;

use anyhow::Context;

use crate::process::Start;

/// The cores of service and simulator, and those of the senders. Nobody has any of his own if there is but one core, or
/// no `taskset`.
pub(crate) struct Cores(Option<Shares>);

struct Shares {
    service: String,
    senders: String,
}

impl Cores {
    /// Half of them each; service and simulator have the odd one.
    pub(crate) fn shared_out() -> anyhow::Result<Self> {
        let all = allowed()?;
        let (senders, service) = all.split_at(all.len() / 2);
        let knows_how = Command::new("taskset").arg("--version").output().is_ok();
        let shares = || Shares { service: service.join(","), senders: senders.join(",") };
        Ok(Self((knows_how && !senders.is_empty()).then(shares)))
    }

    /// How service and simulator are started.
    pub(crate) fn start(&self) -> Start<'static> {
        let Some(shares) = &self.0 else { return Start::default() };
        let wrapper = ["taskset", "--cpu-list", &shares.service].map(str::to_owned).to_vec();
        Start { wrapper, ..Start::default() }
    }

    /// From now on this process, whose threads the senders are, keeps to its own.
    pub(crate) fn keep_off(&self) -> anyhow::Result<()> {
        let Some(shares) = &self.0 else { return Ok(()) };
        let id = std::process::id().to_string();
        let mut command = Command::new("taskset");
        let done = command.args(["--all-tasks", "--cpu-list", "--pid", &shares.senders, &id]).output()?;
        anyhow::ensure!(done.status.success(), "the senders cannot be kept to their cores");
        Ok(())
    }
}

impl fmt::Display for Cores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(Shares { service, senders }) => {
                write!(f, "service and simulator on core {service}, senders on core {senders}")
            }
            None => write!(f, "senders share the cores with service and simulator"),
        }
    }
}

/// The cores that this process may use.
fn allowed() -> anyhow::Result<Vec<String>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let mut all = Vec::new();
    for range in list.context("the system says so")?.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        all.extend((first.parse::<usize>()?..=last.parse()?).map(|core| core.to_string()));
    }
    Ok(all)
}
