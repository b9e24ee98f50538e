//! The ground that every benchmark stands on: one configuration, one payload, one signature.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use aws_lc_rs::hmac;
use hirebridge::catalog::Learned;
use hirebridge::config::{self, Config};
use hirebridge::ledger::LedgerKey;
use hirebridge::sim::Seed;
use hirebridge::transfer::Planner;

/// The name of the only source.
pub(crate) const SOURCE: &str = "ashby";

/// Ashby's header. Source: <https://developers.ashbyhq.com/docs/authenticating-webhooks>.
pub(crate) const SIGNATURE: &str = "ashby-signature";

/// A hire with an accepted offer, as Ashby sends it.
pub(crate) const PAYLOAD: &str = include_str!("../tests/fixtures/ats/ashby/candidateHire.json");

const SECRET: &str = "the benchmark's webhook secret";
const FILE: &str = "hirebridge.toml";

/// What Ashby would put into the header for this body.
pub(crate) fn signature(body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    format!("sha256={}", hex::encode(hmac::sign(&key, body)))
}

/// Writes a configuration like a real one, without limits on the rate of calls. `personio` is the
/// simulator's address.
pub(crate) fn configure(folder: &Path, personio: &str) -> anyhow::Result<()> {
    configure_with(folder, personio, 1024, "60s")
}

/// The same with so many hires at a time on their way to Personio, and answers that wait so long.
pub(crate) fn configure_with(
    folder: &Path,
    personio: &str,
    in_flight: usize,
    wait: &str,
) -> anyhow::Result<()> {
    let seed = Seed::default();
    let text = format!(
        r#"
[server]
listen = "127.0.0.1:0"
wait = "{wait}"

[log]
level = "error"

[ledger]
url = "sqlite:{ledger}"
key = "{key}"

[outbound]
allow = ["127.0.0.1"]
[personio]
base_url = "http://{personio}"
client_id = "{id}"
client_secret = "{secret}"
reads_per_minute = 0
creates_per_minute = 0
uploads_per_minute = 0

[transfer]
in_flight = {in_flight}

[sources.{SOURCE}]
kind = "ashby"
secrets = ["{SECRET}"]

[mapping.fields]
department = {{ first_of = ["job.department", "custom.Department"] }}
office = {{ first_of = ["job.location", "custom.Office"] }}
"#,
        ledger = folder.join("hirebridge.db").display(),
        key = LedgerKey::generate(),
        id = seed.client_id,
        secret = seed.client_secret,
    );
    std::fs::write(folder.join(FILE), text).context("the configuration cannot be written")
}

/// Reads the folder's configuration; the environment does not count. Unchecked, because the checks load the
/// system's certificates: more instructions than all that is counted.
pub(crate) fn configuration(folder: &Path) -> anyhow::Result<Config> {
    Ok(config::load(config::DEFAULTS, Some(&folder.join(FILE)), std::iter::empty())?)
}

/// What the service would plan hires with.
pub(crate) fn planner(config: &Config) -> anyhow::Result<Planner> {
    let wrong = "the benchmark's configuration is right";
    let sources = hirebridge::ats::Sources::build(&config.ats(), &config.guard()).ok().context(wrong)?;
    let mappings = config.mappings().ok().context(wrong)?;
    Ok(Planner {
        sources: Arc::new(sources),
        mappings: Arc::new(mappings),
        catalog: Learned::default(),
        marker: None,
    })
}
