//! The command line: one file a subcommand.

mod backup;
mod check;
mod codes;
mod config;
mod demo;
mod erase;
mod export;
mod fields;
mod healthcheck;
mod openapi;
mod operators;
mod person;
mod preview;
mod remote;
mod secret;
mod send;
mod serve;
mod sim;
mod token;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Config;
use crate::service::StartError;
use crate::telemetry;

/// Carries each hire from an applicant tracking system into Personio, once.
#[derive(Parser)]
#[command(
    version,
    after_help = "See it work, without an account or a server:\n  hirebridge demo\n\nRun it for real:\n  \
                  hirebridge serve --config hirebridge.toml"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// Where the configuration is.
#[derive(clap::Args)]
struct ConfigFile {
    /// The configuration file [default: hirebridge.toml, if it is there]
    #[arg(long = "config", value_name = "FILE", env = "HIREBRIDGE_CONFIG")]
    named: Option<PathBuf>,
}

impl ConfigFile {
    /// The file that was named, or the default one if it is there: everything may come from the environment.
    fn path(&self) -> Option<PathBuf> {
        let default = || Some(PathBuf::from("hirebridge.toml")).filter(|path| path.exists());
        self.named.clone().or_else(default)
    }

    fn load(&self) -> anyhow::Result<Config> {
        let path = self.path();
        Config::load(path.as_deref(), crate::config::environment())
            .map_err(|errors| anyhow::anyhow!("the configuration cannot be used\n{errors}"))
    }

    /// Why the service did not start, with the line of the setting that is to be changed.
    fn refusal(&self, error: &StartError) -> anyhow::Error {
        match error.key() {
            Some(key) => {
                let place = crate::config::place(self.path().as_deref(), crate::config::environment(), key);
                anyhow::anyhow!("cannot start\n{place}: {error}")
            }
            None => anyhow::anyhow!("cannot start: {error}"),
        }
    }
}

#[derive(Subcommand)]
enum Command {
    Serve(serve::Args),
    Demo(demo::Args),
    Sim(sim::Args),
    Check(check::Args),
    #[command(subcommand)]
    Config(config::Command),
    Fields(fields::Args),
    Preview(preview::Args),
    Send(send::Args),
    Codes(codes::Args),
    Backup(backup::Args),
    Erase(erase::Args),
    Export(export::Args),
    Secret(secret::Args),
    #[command(subcommand)]
    Token(token::Command),
    #[command(subcommand)]
    Operators(operators::Command),
    Openapi(openapi::Args),
    Healthcheck(healthcheck::Args),
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    telemetry::quiet_panics();
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return report(&error.into()),
    };
    match runtime.block_on(run(cli.command)) {
        Ok(code) => code,
        Err(error) => report(&error),
    }
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let done = |()| ExitCode::SUCCESS;
    match command {
        Command::Serve(args) => serve::run(args).await.map(done),
        Command::Demo(args) => demo::run(args).await,
        Command::Sim(args) => sim::run(args).await.map(done),
        Command::Check(args) => check::run(args).await,
        Command::Config(command) => config::run(command).await.map(done),
        Command::Fields(args) => fields::run(args).await.map(done),
        Command::Preview(args) => preview::run(args).await,
        Command::Send(args) => send::run(args).await,
        Command::Codes(args) => codes::run(&args).map(done),
        Command::Backup(args) => backup::run(args).await.map(done),
        Command::Erase(args) => erase::run(args).await.map(done),
        Command::Export(args) => export::run(args).await.map(done),
        Command::Secret(args) => secret::run(&args).map(done),
        Command::Operators(command) => operators::run(command).await.map(done),
        Command::Token(command) => token::run(&command).map(done),
        Command::Openapi(_) => openapi::run().map(done),
        Command::Healthcheck(args) => healthcheck::run(args).await,
    }
}

/// Says on standard error what went wrong, cause by cause. Whoever reads our output may have gone: that
/// is no failure.
fn report(error: &anyhow::Error) -> ExitCode {
    let gone =
        error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
    if gone {
        return ExitCode::SUCCESS;
    }
    let said = writeln!(io::stderr(), "hirebridge: {error:#}");
    // Where standard error is closed nothing more can be said.
    drop(said);
    ExitCode::FAILURE
}
