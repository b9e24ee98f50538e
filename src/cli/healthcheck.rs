//! `hirebridge healthcheck`: for images without curl.

use std::process::ExitCode;
use std::time::Duration;

use reqwest::Method;
use url::Url;

use super::ConfigFile;
use crate::clock::Clock;
use crate::config;
use crate::outbound::{Client, Request, Reuse};

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
    let url = match args.url {
        Some(url) => url,
        None => format!("http://127.0.0.1:{}/readyz", config::port(args.config.path().as_deref())).parse()?,
    };
    let time = Duration::from_secs(3);
    let client = Client::new(Reuse::Never, time, Clock::system())?;
    let answer = client.send(Request::new(Method::GET, url), time).await?;
    anyhow::ensure!(answer.status == 200, "not ready: status {}", answer.status);
    Ok(ExitCode::SUCCESS)
}
