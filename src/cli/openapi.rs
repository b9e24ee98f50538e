//! `hirebridge openapi`: prints the contract.

use std::io::Write;

/// Print the OpenAPI 3.1 document of the HTTP interface.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  hirebridge openapi > openapi.yaml")]
pub(super) struct Args {}

pub(super) fn run() -> anyhow::Result<()> {
    Ok(write!(std::io::stdout(), "{}", crate::http::openapi())?)
}
