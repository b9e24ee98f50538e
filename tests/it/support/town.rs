//! A service in a process of its own, to be killed and started again on the same ledger, and its Personio.

use std::path::PathBuf;

use hirebridge::sim::{Operation, Options, Sim};
use serde_json::Value;
use tempfile::TempDir;

use super::ashby::signature;
use super::process::{Served, eventually};
use super::{ADMIN, SECRET, Setup, configuration, state};

/// A Personio that outlives the service, and the folder in which the service is started again.
pub(crate) struct Town {
    pub(crate) sim: Sim,
    pub(crate) folder: TempDir,
    pub(crate) config: PathBuf,
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
        Self { sim, folder, config, http: reqwest::Client::builder().build().expect("a client") }
    }

    /// Starts the service, and waits for the last call of its self-check: what comes then is for a hire.
    pub(crate) async fn serve(&self) -> Served {
        let checks = self.sim.calls(Operation::ListAttributes);
        let served = Served::start(self.folder.path(), &self.config).await;
        self.sim.arrival(Operation::ListAttributes, checks + 1).await;
        served
    }

    /// The answer, or nothing if the service did not live to give it.
    pub(crate) fn deliver(
        &self,
        served: &Served,
        body: &Value,
    ) -> impl Future<Output = Option<Value>> + use<> {
        let body = body.to_string();
        let request = self.http.post(format!("{}/webhooks/ashby", served.url));
        let request = request.header("Ashby-Signature", signature(SECRET, body.as_bytes())).body(body);
        async move {
            let answer = request.send().await.ok()?;
            let ok = answer.status() == 200;
            let body = answer.text().await.ok()?;
            assert!(ok, "{body}");
            Some(serde_json::from_str(&body).expect("JSON"))
        }
    }

    /// Delivers, and returns as soon as Personio has got the next call of this operation.
    pub(crate) async fn deliver_until(&self, served: &Served, body: &Value, operation: Operation) {
        let next = self.sim.calls(operation) + 1;
        tokio::select! {
            answer = self.deliver(served, body) => panic!("answered too early: {answer:?}"),
            () = self.sim.arrival(operation, next) => {}
        }
    }

    async fn ask(&self, served: &Served, path: &str) -> Value {
        let request = self.http.get(format!("{}{path}", served.url)).bearer_auth(ADMIN);
        let text = request.send().await.expect("an answer").text().await.expect("a body");
        serde_json::from_str(&text).expect("JSON")
    }

    pub(crate) async fn hires(&self, served: &Served) -> Vec<Value> {
        let list = self.ask(served, "/v1/hires?limit=100").await;
        list["hires"].as_array().expect("hires").clone()
    }

    /// The only hire there is, with its history, once it is in this state.
    pub(crate) async fn becomes(&self, served: &Served, wanted: &str) -> Value {
        eventually(&format!("the hire is {wanted}"), || async {
            let hires = self.hires(served).await;
            assert_eq!(hires.len(), 1, "one hire");
            let id = hires[0]["id"].as_str().expect("an id");
            let hire = self.ask(served, &format!("/v1/hires/{id}")).await;
            (state(&hire) == wanted).then_some(hire)
        })
        .await
    }

    /// SIGTERM; the exit code.
    pub(crate) async fn terminate(served: Served) -> Option<i32> {
        tokio::task::spawn_blocking(|| served.terminate()).await.expect("it ends")
    }
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
