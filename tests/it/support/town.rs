//! A service in a process of its own, to be killed and started again on the same ledger, and its Personio.

use std::ffi::OsString;
use std::path::PathBuf;

use hirebridge::sim::{Operation, Options, Sim};
use serde_json::Value;
use tempfile::TempDir;

use super::ashby::signature;
use super::process::{Served, eventually};
use super::{ADMIN, Reply, SECRET, Setup, configuration, state};

/// A Personio that outlives the service, and the folder in which the service is started again.
pub(crate) struct Town {
    pub(crate) sim: Sim,
    pub(crate) folder: TempDir,
    pub(crate) config: PathBuf,
    /// What a service finds in its environment beside the usual.
    pub(crate) environment: Vec<(&'static str, OsString)>,
    http: reqwest::Client,
}

impl Town {
    pub(crate) async fn new() -> Self {
        Self::with(Setup::default()).await
    }

    /// Looks up soon and answers soon, so that nothing here takes long.
    pub(crate) async fn with(setup: Setup) -> Self {
        let transfer = format!("lookups = [\"50ms\", \"100ms\"]\n{}", setup.transfer);
        let setup = Setup { transfer, server: server(&setup), ..setup };
        let sim = Sim::start(Options::default()).await.expect("the simulator starts");
        let folder = TempDir::new().expect("a folder can be made");
        let config = folder.path().join("hirebridge.toml");
        std::fs::write(&config, configuration(&sim.url(), folder.path(), &setup)).expect("writable");
        let http = reqwest::Client::builder().build().expect("a client");
        Self { sim, folder, config, environment: Vec::new(), http }
    }

    /// Starts the service, and waits for the last call of its self-check: what comes then is for a hire.
    pub(crate) async fn serve(&self) -> Served {
        let checks = self.sim.calls(Operation::ListAttributes);
        let mut served = self.spawn();
        assert!(served.is_ready().await, "it ended: {}", served.log());
        self.sim.arrival(Operation::ListAttributes, checks + 1).await;
        served
    }

    /// Starts the service and does not wait.
    pub(crate) fn spawn(&self) -> Served {
        Served::spawn(self.folder.path(), &self.config, &self.environment)
    }

    /// The answer, or nothing if the service did not live to give it.
    pub(crate) fn deliver(
        &self,
        served: &Served,
        body: &Value,
    ) -> impl Future<Output = Option<Value>> + use<> {
        let answer = self.post(served, body);
        async move {
            let answer = answer.await?;
            assert!(answer.status == 200, "{}", answer.text);
            Some(answer.json())
        }
    }

    /// The answer, whatever it says, or nothing if the service did not live to give it.
    pub(crate) fn post(&self, served: &Served, body: &Value) -> impl Future<Output = Option<Reply>> + use<> {
        let body = body.to_string();
        let request = self.http.post(format!("{}/webhooks/ashby", served.url));
        reply(request.header("Ashby-Signature", signature(SECRET, body.as_bytes())).body(body))
    }

    /// The same, of an address that anyone may ask.
    pub(crate) fn get(&self, served: &Served, path: &str) -> impl Future<Output = Option<Reply>> + use<> {
        reply(self.http.get(format!("{}{path}", served.url)))
    }

    /// Delivers, and returns as soon as Personio has got the next call of this operation.
    pub(crate) async fn deliver_until(&self, served: &Served, body: &Value, operation: Operation) {
        let next = self.sim.calls(operation) + 1;
        tokio::select! {
            answer = self.deliver(served, body) => panic!("answered too early: {answer:?}"),
            () = self.sim.arrival(operation, next) => {}
        }
    }

    /// What the REST API says.
    pub(crate) async fn ask(&self, served: &Served, path: &str) -> Value {
        self.try_ask(served, path).await.expect("an answer")
    }

    /// The same, or nothing if the service does not live to say it.
    pub(crate) async fn try_ask(&self, served: &Served, path: &str) -> Option<Value> {
        let request = self.http.get(format!("{}{path}", served.url)).bearer_auth(ADMIN);
        Some(reply(request).await?.json())
    }

    pub(crate) async fn hires(&self, served: &Served) -> Vec<Value> {
        let list = self.ask(served, "/v1/hires?limit=100").await;
        list["hires"].as_array().expect("hires").clone()
    }

    /// A hire with its history.
    pub(crate) async fn hire(&self, served: &Served, id: &str) -> Value {
        self.ask(served, &format!("/v1/hires/{id}")).await
    }

    /// The only hire there is, with its history, once it is in this state.
    pub(crate) async fn becomes(&self, served: &Served, wanted: &str) -> Value {
        eventually(&format!("the hire is {wanted}"), || async {
            let hires = self.hires(served).await;
            assert_eq!(hires.len(), 1, "one hire");
            let hire = self.hire(served, hires[0]["id"].as_str().expect("an id")).await;
            (state(&hire) == wanted).then_some(hire)
        })
        .await
    }

    /// SIGTERM; the exit code.
    pub(crate) async fn terminate(served: Served) -> Option<i32> {
        tokio::task::spawn_blocking(|| served.terminate()).await.expect("it ends")
    }
}

async fn reply(request: reqwest::RequestBuilder) -> Option<Reply> {
    let answer = request.send().await.ok()?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    Some(Reply { status, headers, text: answer.text().await.ok()? })
}

fn server(setup: &Setup) -> String {
    if setup.server.is_empty() { "wait = \"3s\"".into() } else { setup.server.clone() }
}

impl Drop for Town {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.sim.violations(), Vec::<String>::new(), "calls that nobody should have made");
        }
    }
}
