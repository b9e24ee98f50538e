//! `hirebridge sim`: the Personio simulator alone.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::sim::{Options, Seed, Sim};

/// Run the Personio simulator alone, to try a configuration without an account.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  hirebridge sim                               on http://127.0.0.1:9099; your configuration says
                                               [outbound] allow = [\"127.0.0.1\"] to call it
  hirebridge sim --data personio.json          keeps people and documents in a file

Make it misbehave while it runs: the next create is stored and its answer lost
  curl -X POST http://127.0.0.1:9099/_sim/faults -H 'Content-Type: application/json' \\
    -d '{\"operation\": \"create_employee\", \"times\": 1, \"work\": \"done\", \"behaviour\": \"cut\"}'")]
pub(super) struct Args {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:9099")]
    listen: SocketAddr,
    /// The file that keeps people and documents; without one they live in memory
    #[arg(long)]
    data: Option<PathBuf>,
}

pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let seed = Seed::default();
    let (id, secret) = (seed.client_id.clone(), seed.client_secret.clone());
    let sim =
        Sim::start(Options { listen: args.listen, data: args.data, seed, ..Options::default() }).await?;
    let mut out = std::io::stdout();
    writeln!(out, "A Personio to practise with, on {}", sim.url())?;
    writeln!(
        out,
        "\n[personio]\nbase_url      = \"{}\"\nclient_id     = \"{id}\"\nclient_secret = \"{secret}\"",
        sim.url()
    )?;
    writeln!(
        out,
        "\nWhat it stored: {}/_sim/employees  what arrived: {}/_sim/requests",
        sim.url(),
        sim.url()
    )?;
    writeln!(out, "Ctrl-C ends it.")?;
    tokio::signal::ctrl_c().await?;
    sim.stop().await;
    Ok(())
}
