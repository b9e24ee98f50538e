//! The harness: hirebridge in this process on a real ledger, a simulated Personio over real HTTP, and a
//! clock that stands still until a test moves it. A call to Personio that nobody should have made fails
//! the test that caused it.

pub(crate) mod ashby;
pub(crate) mod ashby_api;
pub(crate) mod export;
pub(crate) mod failing;
pub(crate) mod files;
pub(crate) mod line;
pub(crate) mod mailbox;
pub(crate) mod postgres;
pub(crate) mod process;
pub(crate) mod receiver;
pub(crate) mod storage;
pub(crate) mod store_faults;
pub(crate) mod town;
pub(crate) mod wire;

use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use hirebridge::clock::Clock;
use hirebridge::config::Config;
use hirebridge::domain::HireId;
use hirebridge::http::limits::Limits;
use hirebridge::ledger::{OpenError, sqlite};
use hirebridge::service::{Service, StartError};
use hirebridge::sim::{Elapsed, Options, Sim};
use hirebridge::transfer::Way;
use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tempfile::TempDir;

use process::eventually;

/// The tokens of the configured operators.
pub(crate) const VIEWER: &str = "hb_viewer-token";
pub(crate) const SENDER: &str = "hb_sender-token";
pub(crate) const ADMIN: &str = "hb_admin-token";

/// The webhook secret of the source `ashby`.
pub(crate) const SECRET: &str = "ashby-secret-token";

/// When every test begins.
pub(crate) fn start_of_test() -> Timestamp {
    "2026-12-01T08:00:00Z".parse().expect("a time")
}

/// hirebridge, its Personio and its clock.
pub(crate) struct House {
    pub(crate) sim: Arc<Sim>,
    pub(crate) clock: Clock,
    pub(crate) service: Option<Service>,
    pub(crate) folder: TempDir,
    http: reqwest::Client,
    setup: Setup,
}

/// What a test wants otherwise than usual.
#[derive(Clone, Default)]
pub(crate) struct Setup {
    /// Where hires are kept; a file in the house's folder if the test does not say.
    pub(crate) ledger: Option<String>,
    /// Lines for `[sources.ashby]`.
    pub(crate) ashby: String,
    /// How long an incomplete delivery waits for a fuller one; not at all if the test does not say.
    pub(crate) settle: Option<String>,
    /// Lines for `[transfer]`.
    pub(crate) transfer: String,
    /// How long one call to Personio may take; long, for a machine that is busy, if the test does not say.
    pub(crate) attempt_timeout: Option<String>,
    /// Whether to learn what Personio knows.
    pub(crate) learn: bool,
    /// Whether calls to Personio leave at the pace that is the default; if not, they leave at once.
    pub(crate) paced: bool,
    /// Lines for `[server]`.
    pub(crate) server: String,
    /// Whole sections: mappings, more sources.
    pub(crate) sections: String,
    /// How patient the service is with connections.
    pub(crate) limits: Limits,
    /// Whether violations are what the test is about.
    pub(crate) may_violate: bool,
}

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("JSON, not: {}", self.text))
    }

    /// The id of the hire that a delivery belongs to.
    pub(crate) fn hire(&self) -> String {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()["hire"].as_str().unwrap_or_else(|| panic!("a hire, not: {}", self.text)).to_owned()
    }

    /// `state`, or `state(reason)`.
    pub(crate) fn state(&self) -> String {
        state(&self.json())
    }
}

/// `state`, or `state(reason)`, of an answer or a hire.
pub(crate) fn state(value: &Value) -> String {
    let state = value["state"].as_str().unwrap_or("-");
    match value["reason"].as_str() {
        Some(reason) => format!("{state}({reason})"),
        None => state.to_owned(),
    }
}

/// `code field=sent` of each warning, in order.
pub(crate) fn warnings(hire: &Value) -> Vec<String> {
    let all = hire["warnings"].as_array().expect("warnings");
    let words = |w: &Value| format!("{} {}={}", text(&w["code"]), text(&w["field"]), text(&w["sent"]));
    let mut words: Vec<_> = all.iter().map(words).collect();
    words.sort();
    words
}

/// A text, or nothing.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The notes of a hire.
pub(crate) fn notes(hire: &Value) -> Vec<&str> {
    hire["notes"].as_array().expect("notes").iter().map(text).collect()
}

/// A problem with this status and code, in the form that all problems have.
pub(crate) fn is_problem(reply: &Reply, status: u16, code: &str) {
    assert_eq!(
        (reply.status.as_u16(), reply.json()["code"].as_str()),
        (status, Some(code)),
        "{}",
        reply.text
    );
    assert_eq!(reply.headers["content-type"], "application/problem+json");
    assert_eq!(reply.json()["type"], format!("urn:hirebridge:problem:{code}"));
    assert_eq!(reply.json()["status"], status);
}

impl House {
    /// The usual house.
    pub(crate) async fn new() -> Self {
        Self::with(Setup::default()).await
    }

    /// A house with some settings of the test's own.
    pub(crate) async fn with(setup: Setup) -> Self {
        let today = start_of_test().to_string()[..10].parse().ok();
        Self::facing(setup, Options { today, ..Options::default() }).await
    }

    /// A house with a Personio of the test's own.
    pub(crate) async fn facing(setup: Setup, personio: Options) -> Self {
        let clock = Clock::manual(start_of_test());
        let of_the_test = clock.clone();
        let elapsed = Some(Arc::new(move || of_the_test.elapsed()) as Elapsed);
        let sim = Sim::start(Options { elapsed, ..personio }).await.expect("the simulator starts");
        Self::built(setup, Arc::new(sim), clock).await
    }

    /// Another replica, with the other's Personio and clock.
    pub(crate) async fn beside(other: &Self, setup: Setup) -> Self {
        Self::built(setup, Arc::clone(&other.sim), other.clock.clone()).await
    }

    async fn built(setup: Setup, sim: Arc<Sim>, clock: Clock) -> Self {
        let folder = TempDir::new().expect("a folder can be made");
        let http = reqwest::Client::builder().build().expect("a client");
        let mut house = Self { sim, clock, service: None, folder, http, setup };
        house.open().await;
        house
    }

    /// Starts the service on the house's folder.
    pub(crate) async fn open(&mut self) {
        let path = self.folder.path().join("hirebridge.toml");
        std::fs::write(&path, configuration(&self.sim.url(), self.folder.path(), &self.setup))
            .expect("writable");
        // A ledger that was just closed is given free in its own time.
        let service = eventually("the ledger is free", || async {
            let config =
                Config::load(Some(&path), std::iter::empty()).unwrap_or_else(|errors| panic!("{errors}"));
            match Box::pin(Service::start_within(config, self.clock.clone(), self.setup.limits)).await {
                Err(StartError::Ledger(OpenError::Sqlite(sqlite::OpenError::InUse(_)))) => None,
                started => Some(started.unwrap_or_else(|error| panic!("{error}"))),
            }
        })
        .await;
        if self.setup.learn {
            service.catalog().tried().await;
        }
        self.service = Some(service);
    }

    /// Stops the service in order.
    pub(crate) async fn close(&mut self) {
        if let Some(service) = self.service.take() {
            service.stop().await;
        }
    }

    /// Stops the service and starts it with other settings.
    pub(crate) async fn reconfigure(&mut self, change: impl FnOnce(&mut Setup)) {
        self.close().await;
        change(&mut self.setup);
        self.open().await;
    }

    pub(crate) fn service(&self) -> &Service {
        self.service.as_ref().expect("the house is open")
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.service().url())
    }

    /// So many hires at once, each of a person of its own.
    pub(crate) async fn deliver_all(&self, count: usize) -> Vec<Reply> {
        let bodies: Vec<_> = (0..count).map(ashby::nth).collect();
        join_all(bodies.iter().map(|body| self.deliver(body))).await
    }

    /// Delivers a body with the right signature.
    pub(crate) async fn deliver(&self, body: &Value) -> Reply {
        self.deliver_bytes(body.to_string().as_bytes()).await
    }

    /// Delivers bytes with the right signature.
    pub(crate) async fn deliver_bytes(&self, body: &[u8]) -> Reply {
        self.send(self.signed_bytes(body)).await
    }

    /// A delivery with the right signature, to be sent later.
    pub(crate) fn signed(&self, body: &Value) -> reqwest::RequestBuilder {
        self.signed_bytes(body.to_string().as_bytes())
    }

    fn signed_bytes(&self, body: &[u8]) -> reqwest::RequestBuilder {
        let signature = ashby::signature(SECRET, body);
        self.bare(Method::POST, "/webhooks/ashby").header("Ashby-Signature", signature).body(body.to_vec())
    }

    /// Asks the REST API.
    pub(crate) async fn ask(&self, method: Method, path: &str, token: &str, body: Option<&Value>) -> Reply {
        let request = self.http.request(method, self.url(path)).bearer_auth(token);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        self.send(request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.ask(Method::GET, path, ADMIN, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.ask(Method::POST, path, SENDER, Some(body)).await
    }

    /// A request with nothing added.
    pub(crate) fn bare(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, self.url(path))
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Reply {
        let response = request.send().await.expect("the service answers");
        let (status, headers) = (response.status(), response.headers().clone());
        Reply { status, headers, text: response.text().await.expect("a body") }
    }

    /// The hire, once this process has done with it for now.
    pub(crate) async fn hire(&self, id: &str) -> Value {
        self.idle(id).await;
        let reply = self.get(&format!("/v1/hires/{id}")).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()
    }

    async fn idle(&self, id: &str) {
        let (transfer, id) = (self.service().transfer(), HireId(id.parse().expect("an id")));
        transfer.idle(id).await;
        transfer.idle_documents(id).await;
    }

    /// Lets time pass, and everything that becomes due happen.
    pub(crate) async fn pass(&self, time: SignedDuration) {
        self.clock.advance(time);
        let transfer = self.service().transfer();
        transfer.clear_away().await.expect("the ledger works");
        // The service's own loop may take a hire from under our eyes before it works on it: look again then.
        let mut ticks = tokio::time::interval(std::time::Duration::from_millis(10));
        for _ in 0..100 {
            transfer.knock().await;
            transfer.resume_due().await.expect("the ledger can be read");
            transfer.resume_documents().await.expect("the ledger can be read");
            transfer.audit_due().await.expect("the ledger can be read");
            transfer.idle_audit().await;
            for hire in self.get("/v1/hires?limit=200").await.json()["hires"].as_array().expect("hires") {
                self.idle(hire["id"].as_str().expect("an id")).await;
            }
            let shut = matches!(transfer.way(), Way::OutOfOrder { .. });
            let document = transfer.next_document().await.expect("the ledger can be read");
            let next = transfer.ledger().next_due().await.expect("the ledger can be read");
            let next = [next, document].into_iter().flatten().min();
            if shut || next.is_none_or(|next| next > self.clock.now()) {
                return;
            }
            ticks.tick().await;
        }
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if !std::thread::panicking() && !self.setup.may_violate {
            assert_eq!(self.sim.violations(), Vec::<String>::new(), "calls that nobody should have made");
        }
    }
}

/// The configuration of a test's service.
pub(crate) fn configuration(personio: &str, folder: &Path, setup: &Setup) -> String {
    let operator = |name: &str, role: &str, token: &str| {
        let hash = hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes()));
        format!("[[operators]]\nname = \"{name}\"\nrole = \"{role}\"\ntoken_sha256 = \"{hash}\"\n")
    };
    format!(
        r#"
[server]
listen = "127.0.0.1:0"
{server}
[log]
level = "error"
[ledger]
url = "{ledger}"
key = "{key}"
[outbound]
allow = ["127.0.0.1"]
[personio]
base_url = "{personio}"
client_id = "sim-client-id"
client_secret = "sim-client-secret"
profile_url = "https://acme.app.personio.com/staff/details/{{id}}"
attempt_timeout = "{attempt_timeout}"
call_timeout = "40s"
learn_every = "{learn_every}"
{pace}
[transfer]
{transfer}
[sources.ashby]
kind = "ashby"
secrets = ["{SECRET}"]
settle = "{settle}"
{ashby}
{sections}
{vera}{mia}{ada}"#,
        ledger = setup.ledger.clone().unwrap_or_else(|| format!("sqlite:{}/ledger.db", folder.display())),
        key = STANDARD.encode([7; 32]),
        attempt_timeout = setup.attempt_timeout.as_deref().unwrap_or("20s"),
        learn_every = if setup.learn { "1h" } else { "0s" },
        pace = if setup.paced {
            ""
        } else {
            "reads_per_minute = 0\ncreates_per_minute = 0\nuploads_per_minute = 0"
        },
        server = setup.server,
        transfer = setup.transfer,
        ashby = setup.ashby,
        settle = setup.settle.as_deref().unwrap_or("0s"),
        sections = setup.sections,
        vera = operator("vera", "viewer", VIEWER),
        mia = operator("mia", "sender", SENDER),
        ada = operator("ada", "admin", ADMIN),
    )
}
