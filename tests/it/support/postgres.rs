//! A PostgreSQL server of the test's own, from Debian's packages, thrown away with the test.

use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use hirebridge::ledger::postgres::{Address, PostgresLedger};
use hirebridge::ledger::{LedgerKey, Owner};
use tempfile::TempDir;

use super::process::{eventually, text};

/// The user's password: no log and no error may show it.
pub(crate) const PASSWORD: &str = "pg-s3cret";

/// A running server.
pub(crate) struct Postgres {
    programs: PathBuf,
    folder: TempDir,
    server: Child,
}

impl Postgres {
    /// Starts a server; `None`, and says so, if none is installed. `test` is who asks.
    pub(crate) async fn start(test: &str) -> Option<Self> {
        let Some(programs) = programs() else {
            let why = format!("SKIPPED {test}: no PostgreSQL server here (apt-get install postgresql)\n");
            // Not `eprintln!`, which a passing test keeps to itself.
            std::io::stderr().write_all(why.as_bytes()).expect("standard error can be written");
            return None;
        };
        let folder = TempDir::new().expect("a folder can be made");
        fs::write(folder.path().join("password"), PASSWORD).expect("writable");
        let us = user();
        if let Some((uid, gid)) = us {
            for path in [folder.path().to_owned(), folder.path().join("password")] {
                std::os::unix::fs::chown(path, Some(uid), Some(gid)).expect("root may give it away");
            }
        }
        let data = folder.path().join("data");
        let made = run_as(us, &programs.join("initdb"))
            .args(["--username=hires", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"])
            .arg(format!("--pwfile={}", folder.path().join("password").display()))
            .arg(&data)
            .output()
            .expect("initdb runs");
        assert!(made.status.success(), "{}", text(&made.stderr));
        let server = serve(&programs, folder.path());
        let postgres = Self { programs, folder, server };
        postgres.answers().await;
        Some(postgres)
    }

    /// Where the server's programs are, if any are installed.
    pub(crate) fn programs() -> Option<PathBuf> {
        programs()
    }

    async fn answers(&self) {
        eventually("the server answers", || async { self.psql("postgres", "SELECT 1").ok() }).await;
    }

    /// Ends the server at once, as a crash would.
    pub(crate) fn stop(&mut self) {
        signal("QUIT", self.server.id());
        self.server.wait().expect("it ends");
    }

    /// Starts it again on what it has kept.
    pub(crate) async fn start_again(&mut self) {
        self.server = serve(&self.programs, self.folder.path());
        self.answers().await;
    }

    /// From now on nothing answers and no connection breaks.
    pub(crate) fn freeze(&self) {
        signal("STOP", self.server.id());
        self.children().for_each(|child| signal("STOP", child));
    }

    /// All goes on.
    pub(crate) fn thaw(&self) {
        self.children().for_each(|child| signal("CONT", child));
        signal("CONT", self.server.id());
    }

    /// The processes that serve connections, and the server's helpers.
    fn children(&self) -> impl Iterator<Item = u32> + use<> {
        let id = self.server.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        let ids: Vec<u32> = children.split_whitespace().filter_map(|child| child.parse().ok()).collect();
        ids.into_iter()
    }

    /// The URL of one of its databases.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://hires:{PASSWORD}@local/{database}?host={}", self.folder.path().display())
    }

    /// The folder in which its socket is.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Makes a database; its URL.
    pub(crate) fn database(&self, name: &str) -> String {
        self.ask("postgres", &format!("CREATE DATABASE {name}"));
        self.url(name)
    }

    /// What the server says to a statement.
    pub(crate) fn ask(&self, database: &str, sql: &str) -> String {
        self.psql(database, sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// Cuts every connection of hirebridge; how many.
    pub(crate) fn cut(&self) -> usize {
        let cut = self.ask(
            "postgres",
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'hirebridge'",
        );
        cut.trim().parse().unwrap_or_else(|_| panic!("a number, not: {cut}"))
    }

    fn psql(&self, database: &str, sql: &str) -> Result<String, String> {
        let output = Command::new(self.programs.join("psql"))
            .args(["-X", "-A", "-t", "-q", "-U", "hires", "-d", database, "-c", sql, "-h"])
            .arg(self.folder.path())
            .env("PGPASSWORD", PASSWORD)
            .output()
            .expect("psql runs");
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }
}

/// At once, without a tidy end: nothing in it is needed any more.
impl Drop for Postgres {
    fn drop(&mut self) {
        self.thaw();
        signal("QUIT", self.server.id());
        // It may have ended already.
        let _ = self.server.wait();
    }
}

/// To a process that may have ended already.
fn signal(name: &str, process: u32) {
    let sent = Command::new("kill").args([format!("-{name}"), process.to_string()]).output();
    sent.expect("kill runs");
}

/// A ledger as one replica opens it.
pub(crate) async fn open(url: &str) -> PostgresLedger {
    let key = LedgerKey::parse("BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=").expect("a key");
    let address = Address::parse(url, None).unwrap_or_else(|error| panic!("{error}"));
    PostgresLedger::open(&address, &key, Owner::new()).await.unwrap_or_else(|error| panic!("{error}"))
}

/// Where Debian keeps the server's programs: those of the newest version.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut found: Vec<_> = versions
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").is_file())
        .collect();
    found.sort();
    found.pop()
}

/// The server refuses to run as root: then it runs as the user that its package has made.
fn user() -> Option<(u32, u32)> {
    let root = fs::metadata("/proc/self").is_ok_and(|us| std::os::unix::fs::MetadataExt::uid(&us) == 0);
    let users = fs::read_to_string("/etc/passwd").expect("readable");
    let line = users.lines().find(|line| root && line.starts_with("postgres:"))?;
    let mut numbers = line.split(':').skip(2).map(|number| number.parse().expect("a number"));
    Some((numbers.next()?, numbers.next()?))
}

fn serve(programs: &Path, folder: &Path) -> Child {
    run_as(user(), &programs.join("postgres"))
        .arg("-D")
        .arg(folder.join("data"))
        .args(["-c", "listen_addresses=", "-c", "max_connections=60", "-k"])
        .arg(folder)
        .stdout(Stdio::null())
        .stderr(fs::File::create(folder.join("log")).expect("writable"))
        .spawn()
        .expect("the server starts")
}

fn run_as(user: Option<(u32, u32)>, program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/").env("LC_ALL", "C");
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
    command
}
