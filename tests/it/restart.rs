//! Never two, never lost, never a guess: also when the process is killed at any point, stopped or started twice.

use std::path::PathBuf;

use futures_util::future::join_all;
use hirebridge::sim::{Behaviour, Fault, Operation, Options, Sim, Work};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::ashby::{candidate_hire, hire, signature, without_offer};
use crate::support::process::{Served, eventually, hirebridge, text};
use crate::support::{ADMIN, House, SECRET, Setup, configuration, state};

/// A Personio that outlives the service, and the folder in which the service is started again.
struct Town {
    sim: Sim,
    folder: TempDir,
    config: PathBuf,
    http: reqwest::Client,
}

impl Town {
    async fn new() -> Self {
        Self::with(Setup::default()).await
    }

    /// Looks up soon and answers soon, so that nothing here takes long.
    async fn with(setup: Setup) -> Self {
        let setup =
            Setup { transfer: r#"lookups = ["50ms", "100ms"]"#.into(), server: server(&setup), ..setup };
        let sim = Sim::start(Options::default()).await.expect("the simulator starts");
        let folder = TempDir::new().expect("a folder can be made");
        let config = folder.path().join("hirebridge.toml");
        std::fs::write(&config, configuration(&sim.url(), folder.path(), &setup)).expect("writable");
        Self { sim, folder, config, http: reqwest::Client::builder().build().expect("a client") }
    }

    /// Starts the service, and waits for the last call of its self-check: what comes then is for a hire.
    async fn serve(&self) -> Served {
        let checks = self.sim.calls(Operation::ListAttributes);
        let served = Served::start(self.folder.path(), &self.config).await;
        self.sim.arrival(Operation::ListAttributes, checks + 1).await;
        served
    }

    /// The answer, or nothing if the service did not live to give it.
    fn deliver(&self, served: &Served, body: &Value) -> impl Future<Output = Option<Value>> + use<> {
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
    async fn deliver_until(&self, served: &Served, body: &Value, operation: Operation) {
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

    async fn hires(&self, served: &Served) -> Vec<Value> {
        let list = self.ask(served, "/v1/hires?limit=100").await;
        list["hires"].as_array().expect("hires").clone()
    }

    /// The only hire there is, with its history, once it is in this state.
    async fn becomes(&self, served: &Served, wanted: &str) -> Value {
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
    async fn terminate(served: Served) -> Option<i32> {
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

/// The states a hire went through.
fn way(hire: &Value) -> Vec<&str> {
    let history = hire["history"].as_array().expect("a history");
    let mut way: Vec<_> = history.iter().filter_map(|entry| entry["to"].as_str()).collect();
    way.dedup();
    way
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hire_killed_while_its_create_was_on_the_wire_is_looked_up_and_adopted() {
    let town = Town::new().await;
    town.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::Hang).done());
    let served = town.serve().await;
    town.deliver_until(&served, &hire(), Operation::CreateEmployee).await;
    served.kill();
    let served = town.serve().await;
    let hire = town.becomes(&served, "created(adopted)").await;
    assert_eq!(way(&hire), ["received", "ready", "sending", "unknown", "created(adopted)"]);
    assert_eq!(hire["employee"]["id"], json!(town.sim.employees()[0].id));
    assert_eq!((town.sim.creates(), town.sim.employees().len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hire_killed_while_its_create_was_on_the_wire_and_not_found_is_not_created_again() {
    let town = Town::new().await;
    town.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::Hang).work(Work::Undone));
    let served = town.serve().await;
    town.deliver_until(&served, &hire(), Operation::CreateEmployee).await;
    served.kill();
    let served = town.serve().await;
    let lookups = town.sim.calls(Operation::ListEmployees);
    town.sim.arrival(Operation::ListEmployees, lookups + 3).await;
    let repeat = town.deliver(&served, &hire()).await.expect("an answer");
    assert_eq!((state(&repeat).as_str(), &repeat["duplicate"]), ("unknown", &json!(true)));
    town.becomes(&served, "unknown").await;
    assert_eq!((town.sim.creates(), town.sim.employees().len()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hire_killed_before_its_permit_is_sent_after_the_restart() {
    let town = Town::new().await;
    let served = town.serve().await;
    town.sim.misbehave(Fault::once(Operation::ListEmployees, Behaviour::Hang));
    town.deliver_until(&served, &hire(), Operation::ListEmployees).await;
    served.kill();
    assert_eq!(town.sim.creates(), 0);
    let served = town.serve().await;
    let stored = town.becomes(&served, "created").await;
    let repeat = town.deliver(&served, &hire()).await.expect("an answer");
    assert_eq!((&repeat["hire"], &repeat["duplicate"]), (&stored["id"], &json!(true)));
    assert_eq!((town.sim.creates(), town.sim.employees().len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hire_killed_about_when_its_outcome_was_stored_is_created_once() {
    for yields in [0, 1, 8, 64] {
        let town = Town::new().await;
        town.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::Wait));
        let served = town.serve().await;
        town.deliver_until(&served, &hire(), Operation::CreateEmployee).await;
        town.sim.release_answers();
        for _ in 0..yields {
            tokio::task::yield_now().await;
        }
        served.kill();
        let served = town.serve().await;
        eventually("the hire has ended", || async {
            let hires = town.hires(&served).await;
            ["created", "created(adopted)"].contains(&state(&hires[0]).as_str()).then_some(())
        })
        .await;
        assert_eq!((town.sim.creates(), town.sim.employees().len()), (1, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hire_killed_before_it_was_compared_is_compared_after_the_restart() {
    let town = Town::with(Setup {
        sections: "[mapping.fields]\ndepartment = { const = \"Nowhere\" }".into(),
        ..Setup::default()
    })
    .await;
    town.sim.adjust(|manner| manner.meta = hirebridge::sim::MetaShape::Absent);
    town.sim.misbehave(Fault::once(Operation::GetEmployee, Behaviour::Hang));
    let served = town.serve().await;
    let delivery = town.deliver(&served, &hire());
    tokio::join!(delivery, town.sim.arrival(Operation::GetEmployee, 1));
    served.kill();
    let served = town.serve().await;
    eventually("the dropped department is named", || async {
        let warnings = town.hires(&served).await.remove(0)["warnings"].take();
        (warnings[0]["field"] == "department").then_some(())
    })
    .await;
    assert_eq!(town.sim.creates(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answered_delivery_is_lost_and_none_is_created_twice_when_many_are_in_flight() {
    let town = Town::with(Setup { server: "wait = \"10ms\"".into(), ..Setup::default() }).await;
    town.sim.misbehave(Fault::new(Operation::CreateEmployee, Behaviour::Wait));
    let bodies: Vec<_> = (0..20)
        .map(|n| candidate_hire(&format!("a-{n}"), "Mia Beispiel", &format!("mia{n}@example.org")))
        .collect();
    let served = town.serve().await;
    let mut answers = join_all(bodies[..10].iter().map(|body| town.deliver(&served, body))).await;
    let others: Vec<_> = bodies[10..].iter().map(|body| tokio::spawn(town.deliver(&served, body))).collect();
    town.sim.arrival(Operation::CreateEmployee, 12).await;
    served.kill();
    answers.extend(join_all(others).await.into_iter().map(|answer| answer.expect("no panic")));
    town.sim.behave();

    let served = town.serve().await;
    let known: Vec<_> = town.hires(&served).await.iter().map(|hire| hire["id"].clone()).collect();
    let answered: Vec<_> = answers.into_iter().flatten().map(|answer| answer["hire"].clone()).collect();
    assert!(answered.len() >= 10, "the first ten were answered");
    assert!(answered.iter().all(|hire| known.contains(hire)), "every answered delivery is a hire");

    let repeats = join_all(bodies.iter().map(|body| town.deliver(&served, body))).await;
    let repeats: Vec<_> =
        repeats.into_iter().map(|answer| answer.expect("an answer")["hire"].clone()).collect();
    assert!(answered.iter().all(|hire| repeats.contains(hire)), "a repeat is the same hire");
    let emails = |employee: &Value| employee["email"].as_str().expect("an address").to_owned();
    let hires = eventually("who is in Personio is created, and who is not is unknown", || async {
        let hires = town.hires(&served).await;
        let there: Vec<_> = town.sim.employees().iter().map(|stored| stored.person.email.clone()).collect();
        let settled = hires.iter().all(|hire| {
            let wanted =
                if there.contains(&emails(&hire["plan"]["employee"])) { "created" } else { "unknown" };
            hire["state"] == wanted
        });
        settled.then_some(hires)
    })
    .await;
    assert_eq!(hires.len(), 20);
    let requests = town.sim.requests();
    let creates = requests.iter().filter(|request| request.operation == Operation::CreateEmployee);
    let mut sent: Vec<_> = creates.map(|request| emails(&request.body["employee"])).collect();
    sent.sort();
    let all = sent.len();
    sent.dedup();
    assert_eq!((sent.len(), town.sim.employees().len()), (all, all), "each was sent once");
}

#[tokio::test(flavor = "multi_thread")]
async fn hires_that_wait_or_settle_go_after_a_restart() {
    let town =
        Town::with(Setup { server: "wait = \"10ms\"".into(), settle: Some("1s".into()), ..Setup::default() })
            .await;
    town.sim.adjust(|manner| manner.rights.employees_write = false);
    let served = town.serve().await;
    town.deliver(&served, &hire()).await.expect("an answer");
    town.becomes(&served, "waiting(credential)").await;
    let early = without_offer("applicationUpdate", "a-2", "Max Muster", "max@example.org");
    assert_eq!(state(&town.deliver(&served, &early).await.expect("an answer")), "received");
    served.kill();
    town.sim.adjust(|manner| manner.rights.employees_write = true);
    let refused = town.sim.creates();
    let served = town.serve().await;
    eventually("both are created", || async {
        let hires = town.hires(&served).await;
        hires.iter().all(|hire| hire["state"] == "created").then_some(())
    })
    .await;
    assert_eq!((town.sim.creates() - refused, town.sim.employees().len()), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_instance_on_the_same_ledger_refuses_to_start() {
    let town = Town::new().await;
    let served = town.serve().await;
    let mut second = hirebridge(town.folder.path());
    second.args(["serve", "--config"]).arg(&town.config);
    let output = second.output().expect("the program runs");
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("`ledger.url`") && said.contains("in use by another hirebridge"), "{said}");
    // The first one is none the worse for it.
    assert_eq!(state(&town.deliver(&served, &hire()).await.expect("an answer")), "created");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_finishes_what_was_accepted() {
    let town = Town::new().await;
    town.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::Wait));
    let served = town.serve().await;
    let url = served.url.clone();
    let delivery = tokio::spawn(town.deliver(&served, &hire()));
    town.sim.arrival(Operation::CreateEmployee, 1).await;
    let ended = tokio::spawn(Town::terminate(served));
    eventually("it accepts nothing more", || async {
        TcpStream::connect(url.trim_start_matches("http://")).await.is_err().then_some(())
    })
    .await;
    town.sim.release_answers();
    let answer = delivery.await.expect("no panic").expect("an answer, although it stops");
    assert_eq!(state(&answer), "created");
    assert_eq!(ended.await.expect("no panic"), Some(0));
    assert_eq!(state(&town.hires(&town.serve().await).await[0]), "created");
    assert_eq!(town.sim.creates(), 1);
}

/// Requests that never end: they may hold a stop for their own time-outs, and not for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_half_sent_request_does_not_keep_the_service_from_stopping() {
    let town = Town::new().await;
    let served = town.serve().await;
    let address = served.url.trim_start_matches("http://").to_owned();
    let mut open = Vec::new();
    for sent in [
        "",
        "POST /webhooks/ash",
        "POST /webhooks/ashby HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{\"half\"",
        "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(&address).await.expect("it listens");
        stream.write_all(sent.as_bytes()).await.expect("written");
        open.push(stream);
    }
    let mut idle = [0; 12];
    open[3].read_exact(&mut idle).await.expect("an answer, then a connection that is kept");
    let code = tokio::time::timeout(std::time::Duration::from_secs(25), Town::terminate(served)).await;
    assert_eq!(code.expect("it ends although requests are open"), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_with_nothing_to_do_stops_without_waiting_for_idle_connections() {
    let town = Town::new().await;
    let served = town.serve().await;
    assert_eq!(state(&town.deliver(&served, &hire()).await.expect("an answer")), "created");
    // Far below every time-out of a connection, far above what a stop takes.
    let soon = std::time::Duration::from_secs(8);
    let code = tokio::time::timeout(soon, Town::terminate(served)).await;
    assert_eq!(code.expect("it ends"), Some(0));
}

#[tokio::test]
async fn a_sender_that_hangs_up_does_not_stop_the_send() {
    for operation in [Operation::ListEmployees, Operation::CreateEmployee] {
        let (house, body) = (House::new().await, hire());
        house.sim.misbehave(Fault::once(operation, Behaviour::Wait));
        tokio::select! {
            answer = house.deliver(&body) => panic!("answered too early: {answer:?}"),
            () = house.sim.arrival(operation, 1) => {}
        }
        // The service notices that the connection is gone only when it looks: an answer proves that it has.
        house.get("/v1/hires").await;
        house.sim.release_answers();
        let id = house.get("/v1/hires").await.json()["hires"][0]["id"].as_str().expect("an id").to_owned();
        assert_eq!(state(&house.hire(&id).await), "created", "{operation}");
        assert_eq!(house.sim.creates(), 1);
    }
}
