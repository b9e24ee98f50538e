//! `hirebridge healthcheck`: for images without curl.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use reqwest::Method;
use url::Url;

use super::ConfigFile;
use crate::clock::Clock;
use crate::config;
use crate::outbound::{Client, Guard, Request, Reuse};

/// Ask the service on this machine whether it can store a delivery; exit code 0 if so.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  hirebridge healthcheck                                     the port is the configuration's
  hirebridge healthcheck --url http://127.0.0.1:8080/livez   ask something else")]
pub(super) struct Args {
    /// What to ask instead of /readyz at the configured port
    #[arg(long)]
    url: Option<Url>,
    #[command(flatten)]
    config: ConfigFile,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let url = args.url.map_or_else(|| ready(&args.config), Ok)?;
    let time = Duration::from_secs(3);
    let client = Client::new(Reuse::Never, time, &Guard::open_to(&url), Clock::system())?;
    let asked = url.clone();
    let answer = client.send(Request::new(Method::GET, url), time).await;
    let answer = answer.with_context(|| format!("{asked} was not answered"))?;
    anyhow::ensure!(answer.status == 200, "not ready: status {}", answer.status);
    Ok(ExitCode::SUCCESS)
}

fn ready(config: &ConfigFile) -> anyhow::Result<Url> {
    Ok(format!("http://{}/readyz", address(config)?).parse()?)
}

/// Where the configured service is reached from this machine.
pub(super) fn address(config: &ConfigFile) -> anyhow::Result<SocketAddr> {
    let listens = config::listens_on(config.path().as_deref());
    Ok(local(listens.context("`server.listen` is not an address with a port")?))
}

/// Where a service that listens on this address is reached from the same machine.
fn local(listens: SocketAddr) -> SocketAddr {
    let ip = match listens.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listens.port())
}
