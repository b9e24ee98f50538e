//! The roles: what this program does when it is started as a part of the benchmark.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use hirebridge::clock::Clock;
use hirebridge::service::Service;
use hirebridge::sim::{Options, Sim};
use hirebridge::{ledger, telemetry};

use crate::floor::Floor;
use crate::ground;

pub(crate) const SIMULATOR: &str = "simulator";
pub(crate) const SERVICE: &str = "service";
pub(crate) const FLOOR: &str = "floor";

/// How often the service is asked whether it has read back all it has created.
const LOOK: Duration = Duration::from_millis(1);

/// Plays a role until the input ends.
pub(crate) fn play(role: &str, folder: &Path) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match role {
            SIMULATOR => simulator().await,
            SERVICE => service(folder).await,
            FLOOR => floor(folder).await,
            _ => anyhow::bail!("there is no role {role}"),
        }
    })
}

async fn simulator() -> anyhow::Result<()> {
    let sim = Sim::start(Options::default()).await?;
    let address = sim.url().trim_start_matches("http://").parse()?;
    serve(address, async || Ok(())).await?;
    sim.stop().await;
    Ok(())
}

async fn service(folder: &Path) -> anyhow::Result<()> {
    let config = ground::configuration(folder)?;
    telemetry::start_logging(&config.log);
    let service = Service::start(config, Clock::system()).await?;
    serve(service.address(), async || Ok(at_rest(&service).await?)).await?;
    service.stop().await;
    Ok(())
}

/// A hire that was answered has a next time until it was read back.
async fn at_rest(service: &Service) -> Result<(), ledger::LedgerError> {
    while service.transfer().next_due().await?.is_some() {
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

async fn floor(folder: &Path) -> anyhow::Result<()> {
    let floor = Floor::start(&ground::configuration(folder)?).await?;
    serve(floor.address(), async || Ok(())).await
}

/// Says the address; then, for each line that comes in, finishes what there is to do and says so.
async fn serve(address: SocketAddr, finish: impl AsyncFn() -> anyhow::Result<()>) -> anyhow::Result<()> {
    say(&address.to_string())?;
    while tokio::task::spawn_blocking(|| std::io::stdin().lines().next()).await?.transpose()?.is_some() {
        finish().await?;
        say("finished")?;
    }
    Ok(())
}

fn say(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{line}")?;
    out.flush()
}
