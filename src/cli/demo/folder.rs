//! The demo's folder: a configuration like a real one, its secrets, the ledger and the simulator's state.

use std::fs;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::ashby::API_KEY;

use crate::cli::secret::webhook_secret;
use crate::http::operators::new_token;
use crate::ledger::LedgerKey;
use crate::sim::Seed;

/// Where the demo keeps what it makes.
pub(super) struct Folder {
    path: PathBuf,
    /// The name of the operator's role stands in for a person's.
    token: String,
    token_hash: String,
    secret: String,
    temporary: bool,
}

impl Folder {
    /// Makes the folder, or takes it as a former demo left it.
    pub(super) fn prepare(kept: Option<PathBuf>) -> anyhow::Result<Self> {
        let temporary = kept.is_none();
        let path = kept.unwrap_or_else(|| {
            std::env::temp_dir().join(format!("hirebridge-demo-{}", uuid::Uuid::now_v7()))
        });
        fs::create_dir_all(&path).with_context(|| format!("{} cannot be made", path.display()))?;
        keep(&path.join("ledger.key"), || Ok(LedgerKey::generate()))?;
        let secret = keep(&path.join("ashby.secret"), webhook_secret)?;
        let pair = keep(&path.join("operator.token"), || {
            let (token, hash) = new_token();
            Ok(format!("{token}\n{hash}"))
        })?;
        let (token, hash) = pair.split_once('\n').context("operator.token is not what a demo wrote")?;
        Ok(Self { token: token.to_owned(), token_hash: hash.to_owned(), path, secret, temporary })
    }

    pub(super) fn config(&self) -> PathBuf {
        self.path.join("hirebridge.toml")
    }

    pub(super) fn personio(&self) -> PathBuf {
        self.path.join("personio.json")
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    pub(super) fn secret(&self) -> &str {
        &self.secret
    }

    /// The folder, if it stays.
    pub(super) fn kept(&self) -> Option<&Path> {
        (!self.temporary).then_some(&self.path)
    }

    /// Writes the configuration: the simulators have other ports each time.
    pub(super) fn configure(
        &self,
        personio: &str,
        ashby: &str,
        listen: Option<SocketAddr>,
    ) -> anyhow::Result<()> {
        let seed = Seed::default();
        let listen = listen.unwrap_or_else(free_address);
        let ledger = self.path.join("hirebridge.db");
        let text = format!(
            r#"# Written by `hirebridge demo`; a configuration like a real one, with a simulated Personio and Ashby.
[server]
listen = "{listen}"

[log]
format = "text"
level = "error"

[ledger]
url = "sqlite:{ledger}"
key = {{ file = "ledger.key" }}

[outbound]
allow = ["127.0.0.1"]
[personio]
base_url = "{personio}"
client_id = "{id}"
client_secret = "{secret}"
profile_url = "{personio}/_sim/employees#{{id}}"

[transfer]
lookups = ["5s", "15s", "60s"]

[sources.ashby]
kind = "ashby"
secrets = [{{ file = "ashby.secret" }}]
api_key = "{API_KEY}"
api_base_url = "{ashby}"

[sources.ashby.documents]
resume = "CVs"

# The sample hires name department and office in custom fields.
[mapping.fields]
department = {{ first_of = ["job.department", "custom.Department"] }}
office = {{ first_of = ["job.location", "custom.Office"] }}

[[operators]]
name = "demo"
role = "admin"
token_sha256 = "{hash}"
"#,
            ledger = ledger.display(),
            id = seed.client_id,
            secret = seed.client_secret,
            hash = self.token_hash,
        );
        write(&self.config(), &text)
    }
}

/// What is only for this demo goes with it.
impl Drop for Folder {
    fn drop(&mut self) {
        if self.temporary && fs::remove_dir_all(&self.path).is_err() {
            tracing::warn!(path = %self.path.display(), "the demo's folder could not be removed");
        }
    }
}

/// The usual port, or a free one if that is taken.
fn free_address() -> SocketAddr {
    let usual = SocketAddr::from(([127, 0, 0, 1], 8080));
    match TcpListener::bind(usual) {
        Ok(_) => usual,
        Err(_) => SocketAddr::from(([127, 0, 0, 1], 0)),
    }
}

/// The file's text, which is made the first time.
fn keep(path: &Path, make: impl FnOnce() -> anyhow::Result<String>) -> anyhow::Result<String> {
    if path.exists() {
        let text = fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
        return Ok(text.trim().to_owned());
    }
    let text = make()?;
    write(path, &text)?;
    Ok(text)
}

/// Writes a file that only its owner may read.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let file = fs::OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(path);
    file.and_then(|mut file| writeln!(file, "{}", text.trim_end()))
        .with_context(|| format!("{} cannot be written", path.display()))
}
