//! `hirebridge demo`: the main job, with no account and no server.

mod ashby;
mod deliveries;
mod folder;
mod report;
mod visit;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use jiff::SignedDuration;

use super::serve::Stop;
use crate::clock::Clock;
use crate::config::Config;
use crate::service::Service;
use crate::sim::{Behaviour, Fault, Operation, Options, Sim};
use crate::telemetry;
use ashby::Ashby;
use folder::Folder;
use visit::Visitor;

/// See the whole way of a hire: starts the service and a simulated Personio, delivers sample hires, shows what
/// became of them, and stays up.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  hirebridge demo                        see it; Ctrl-C ends it and leaves nothing behind
  hirebridge demo --once                 exit code 0 if every hire ended as it should
  hirebridge demo --data d               keeps ledger, configuration and simulator in d
  hirebridge demo --data d --slow 30s    Personio takes 30 s to answer: kill it in mid-send, start it again
                                         without --slow, and see the hire being looked up and adopted")]
pub(super) struct Args {
    /// End after the sample hires, with exit code 0 only if each ended as it should
    #[arg(long)]
    once: bool,
    /// Keep everything in this folder instead of a temporary one
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where to listen; by default port 8080, or a free one if that is taken
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// How long the simulated Personio takes to answer a create
    #[arg(long, value_name = "TIME")]
    slow: Option<SignedDuration>,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let mut stop = Stop::listen()?;
    let folder = Folder::prepare(args.data)?;
    let sim = Sim::start(Options { data: Some(folder.personio()), ..Options::default() }).await?;
    slow_down(&sim, args.slow);
    let ashby = Ashby::start().await?;
    folder.configure(&sim.url(), ashby.url(), args.listen)?;
    let config = Config::load(Some(&folder.config()), std::iter::empty())?;
    telemetry::start_logging(&config.log);
    let service = Service::start(config, Clock::system()).await?;
    let visitor = Visitor::new(&service, &folder)?;
    let house = report::House { service: &service, sim: &sim, folder: &folder };
    house.left_over().await?;
    if !args.once {
        house.opening(args.slow)?;
    }
    let mut ended = tokio::select! {
        ended = visitor.deliver_all(&service) => ended?,
        () = stop.wanted() => {
            house.broken_off()?;
            return Ok(ExitCode::FAILURE);
        }
    };
    report::table(&ended)?;
    if !args.once {
        house.invitation(&ended)?;
    }
    tokio::select! {
        followed = visitor.follow(&mut ended, &service, args.once) => {
            followed?;
            if !args.once {
                stop.wanted().await;
            }
        }
        () = stop.wanted() => {}
    }
    tokio::select! {
        () = service.stop() => {}
        () = stop.wanted() => {}
    }
    sim.stop().await;
    let all_well = ended.iter().all(visit::Ended::is_as_expected);
    Ok(if all_well || !args.once { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn slow_down(sim: &Sim, slow: Option<SignedDuration>) {
    if let Some(ms) = slow.and_then(|slow| u64::try_from(slow.as_millis()).ok()) {
        sim.misbehave(Fault::new(Operation::CreateEmployee, Behaviour::Latency { ms }));
    }
}
