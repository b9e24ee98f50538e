//! `hirebridge backup`: a copy of the running service's ledger.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use reqwest::Method;

use super::remote::{Remote, refusal};
use super::serve::Stop;
use crate::ledger::sqlite;
use crate::outbound::client::Failure;
use crate::outbound::download::Download;

/// How long nothing more may arrive.
const PATIENCE: Duration = Duration::from_mins(1);

/// Copy the ledger of a running service into a file, whole and checked; the service goes on.
#[derive(clap::Args)]
#[command(after_help = "\
The ledger key is NOT in the file: without it nothing personal in the file can be read. Keep it too, elsewhere.
The token must be an admin's. FILE is written whole or not at all, readable for you alone.
A ledger on PostgreSQL is backed up with pg_dump. docs/backup.md says more, and how to restore.

Example:
  hirebridge backup /backup/hirebridge.db --token-file admin.token")]
pub(super) struct Args {
    /// Where the copy goes
    file: PathBuf,
    /// Replace FILE if it is there
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    remote: Remote,
}

pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let mut stop = Stop::listen()?;
    tokio::select! {
        done = back_up(&args) => done,
        () = stop.wanted() => anyhow::bail!("broken off; {} was not written", args.file.display()),
    }
}

async fn back_up(args: &Args) -> anyhow::Result<()> {
    args.refuse_to_replace()?;
    let request = args.remote.request(Method::POST, "/v1/backup")?;
    let asked = request.url.clone();
    let answer = args.remote.client()?.download(request, PATIENCE).await;
    let answer = answer.with_context(|| format!("{asked} was not answered"))?;
    let download = answer.map_err(|answer| refusal(&answer))?;
    let part = Part::beside(&args.file)?;
    let bytes = part.fill(download).await?;
    sqlite::verify(&part.path)?;
    args.refuse_to_replace()?;
    part.become_file(&args.file)?;
    Ok(writeln!(
        std::io::stdout(),
        "{}: {bytes} bytes, checked.\n\n\
         The ledger key is NOT in it. Without the key nothing personal in it can be read, by you either:\n\
         keep a copy of the key (`ledger.key` of the configuration) too, in another place than this file.",
        args.file.display()
    )?)
}

impl Args {
    fn refuse_to_replace(&self) -> anyhow::Result<()> {
        let there = self.file.symlink_metadata().is_ok();
        anyhow::ensure!(self.force || !there, "{} is there; --force replaces it", self.file.display());
        Ok(())
    }
}

/// The file until it is whole; removed if it never is.
struct Part {
    path: PathBuf,
    file: File,
}

impl Part {
    fn beside(file: &Path) -> anyhow::Result<Self> {
        let mut name = file.file_name().context("FILE names no file")?.to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let path = file.with_file_name(name);
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let file = opened.with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(Self { path, file })
    }

    /// Writes all that comes, durably.
    async fn fill(&self, mut download: Download) -> anyhow::Result<u64> {
        let mut bytes = 0;
        let broken = |failure: Failure| anyhow::anyhow!("the backup broke off: {}", failure.code());
        while let Some(piece) = download.next().await.map_err(broken)? {
            (&self.file)
                .write_all(&piece)
                .with_context(|| format!("{} cannot be written", self.path.display()))?;
            bytes += piece.len() as u64;
        }
        self.file.sync_all().with_context(|| format!("{} cannot be written", self.path.display()))?;
        Ok(bytes)
    }

    /// Takes the file's name, durably.
    fn become_file(self, file: &Path) -> anyhow::Result<()> {
        let renamed = fs::rename(&self.path, file);
        renamed.with_context(|| format!("{} cannot be written", file.display()))?;
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.with_context(|| format!("{} cannot be written", folder.display()))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Gone already if it became the file.
        let _ = fs::remove_file(&self.path);
    }
}
