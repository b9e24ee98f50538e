//! Never leaked: values that occur nowhere else (canaries) go in on every path, and must not come out.

mod canaries;

use std::path::Path;

use hirebridge::sim::{Behaviour, Fault, Operation, Person, Sim};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::support::ashby::signature;
use crate::support::process::{Served, eventually, hirebridge, run, text};
use crate::support::{ADMIN, SENDER, VIEWER, state};
use canaries::{Nest, WEBHOOK_SECRET, is_clean, leaks};

/// A running hirebridge, and what it said to whoever must not hear a canary.
struct Heard<'a> {
    served: &'a Served,
    http: Client,
    answers: Vec<(String, String)>,
}

impl<'a> Heard<'a> {
    fn by(served: &'a Served) -> Self {
        Self { served, http: Client::builder().build().expect("a client"), answers: Vec::new() }
    }

    /// Asks; the answer must be clean, but for what an operator who may see the hire is shown.
    async fn ask(&mut self, method: Method, path: &str, dress: impl FnOnce(Request) -> Request) -> Value {
        let request = self.http.request(method.clone(), format!("{}{path}", self.served.url));
        let response = dress(request).send().await.expect("an answer");
        let status = response.status();
        let headers = format!("{:?}", response.headers());
        let body = response.text().await.expect("a body");
        let mut value: Value = serde_json::from_str(&body).unwrap_or_default();
        let personal = value.as_object_mut().map(|body| (body.remove("plan"), body.remove("difference")));
        let public = if personal.is_some() { value.to_string() } else { body };
        self.answers.push((format!("{method} {path}: {status}"), format!("{headers}\n{public}")));
        if let (Some(plan), Some(body)) = (personal.and_then(|(plan, _)| plan), value.as_object_mut()) {
            body.insert("plan".into(), plan);
        }
        value
    }

    async fn deliver(&mut self, body: &[u8]) -> String {
        let signature = signature(WEBHOOK_SECRET, body);
        let body = body.to_vec();
        let answer = self
            .ask(Method::POST, "/webhooks/ashby", |r| r.header("Ashby-Signature", signature).body(body))
            .await;
        state(&answer)
    }

    /// What an operator sees of a hire may be personal: it is not kept.
    async fn hires(&self) -> Value {
        let url = format!("{}/v1/hires?limit=200", self.served.url);
        let answer = self.http.get(url).bearer_auth(ADMIN).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        serde_json::from_str(&answer.text().await.expect("a body")).expect("JSON")
    }

    fn assert_clean(&self) {
        for (what, answer) in &self.answers {
            is_clean(what, answer.as_bytes());
        }
    }
}

type Request = reqwest::RequestBuilder;

/// Deliveries that end in each state, and those that are refused.
async fn every_delivery(heard: &mut Heard<'_>, sim: &Sim) {
    let create = Operation::CreateEmployee;
    let hire = canaries::hire;
    assert_eq!(heard.deliver(&hire("a-1", "canary.one@example.org")).await, "created");
    assert_eq!(heard.deliver(&hire("a-1", "canary.one@example.org")).await, "created");
    assert_eq!(heard.deliver(&hire("a-2", "canary.one@example.org")).await, "held(second_hire)");
    let (email, first_name, last_name) =
        ("canary.two@example.org".to_owned(), "Canary".to_owned(), "C".to_owned());
    sim.add(Person { email, first_name, last_name, ..Person::default() });
    assert_eq!(heard.deliver(&hire("a-10", "canary.two@example.org")).await, "held(exists)");
    sim.misbehave(Fault::once(create, canaries::refusal(422)));
    assert_eq!(heard.deliver(&hire("a-3", "canary.three@example.org")).await, "held(refused)");
    sim.misbehave(Fault::once(create, canaries::refusal(500)));
    assert_eq!(heard.deliver(&hire("a-4", "canary.four@example.org")).await, "unknown");
    sim.misbehave(Fault::once(create, Behaviour::Cut));
    assert_eq!(heard.deliver(&hire("a-5", "canary.five@example.org")).await, "unknown");
    sim.misbehave(Fault::once(Operation::ListEmployees, canaries::refusal(404)));
    assert_eq!(heard.deliver(&hire("a-6", "canary.six@example.org")).await, "waiting(unreachable)");
    assert_eq!(heard.deliver(&hire("a-7", "canary, no address")).await, "held(invalid)");
    let mut body: Value = serde_json::from_slice(&hire("a-8", "canary.eight@example.org")).expect("JSON");
    body["data"].as_object_mut().expect("an object").remove("offer");
    assert_eq!(heard.deliver(body.to_string().as_bytes()).await, "created", "asked of the ATS in vain");
    for (n, (name, expected)) in canaries::NAMES_THAT_BREAK_LINES.into_iter().enumerate() {
        let body = hire(&format!("n-{n}"), &format!("canary.n{n}@example.org"));
        let mut body: Value = serde_json::from_slice(&body).expect("JSON");
        body["data"]["application"]["candidate"]["name"] = json!(name);
        assert_eq!(heard.deliver(body.to_string().as_bytes()).await, expected, "{name:?}");
    }
    for (body, expected) in canaries::unreadable() {
        assert_eq!(heard.deliver(&body).await, expected, "{}", String::from_utf8_lossy(&body));
    }
    let body = hire("a-9", "canary.nine@example.org");
    for value in ["canary", "sha256=canary", &signature("canary-other-secret", &body)] {
        for path in ["/webhooks/ashby", "/webhooks/canary-source?secret=canary", "/webhooks/ashby/?canary=1"]
        {
            let (body, value) = (body.clone(), value.to_owned());
            let dress = |r: Request| {
                r.header("Ashby-Signature", value).header("User-Agent", "canary\u{2028}").body(body)
            };
            heard.ask(Method::POST, path, dress).await;
        }
    }
    let large = "canary".repeat(1_000);
    heard.ask(Method::POST, "/webhooks/ashby", |r| r.body(large)).await;
}

/// Every way to be told no by the API.
async fn every_problem(heard: &mut Heard<'_>) {
    let hires = heard.hires().await;
    let of = |wanted: &str| {
        let mut all = hires["hires"].as_array().expect("hires").iter();
        let hire = all.find(|hire| state(hire) == wanted).unwrap_or_else(|| panic!("{wanted} in {hires}"));
        hire["id"].as_str().expect("an id").to_owned()
    };
    let (created, refused, invalid) = (of("created"), of("held(refused)"), of("held(invalid)"));
    let texts = [
        ("/v1/hires", "{\"candidate\": {\"email\": \"canary@example.org\", }"),
        ("/v1/hires", "{\"candidate\": \"canary@example.org\"}"),
        ("/v1/hires", "{\"candidate\": {\"email\": [\"canary@example.org\"]}}"),
        ("/v1/hires", "{\"candidate\": {\"mail\": \"canary@example.org\"}, \"ats_id\": \"canary\"}"),
        ("/v1/hires/preview", "{\"payload\": \"canary\", \"source\": \"canary-source\"}"),
        ("/v1/hires/preview", "{\"payload\": \"canary\", \"source\": \"ashby\"}"),
        ("/v1/hires/preview", "{\"payload\": {\"action\": \"canary\"}, \"source\": \"ashby\"}"),
        ("/v1/hires/preview", "\"canary\""),
        ("/v1/hires/canary-id/send", "{\"plan_hash\": \"canary\"}"),
        ("/v1/hires/{created}/send", "{\"plan_hash\": \"canary\"}"),
        ("/v1/hires/{refused}/send", "{\"plan_hash\": \"canary\"}"),
        (
            "/v1/hires/{invalid}/send",
            "{\"plan_hash\": \"canary\", \"corrections\": {\"hire_date\": \"canary\"}}",
        ),
        (
            "/v1/hires/{invalid}/preview",
            "{\"corrections\": {\"nonsense\": \"canary\", \"gender\": [\"canary\"]}}",
        ),
        ("/v1/hires/{refused}/link", "{\"employee_id\": \"canary\"}"),
        ("/v1/hires/{refused}/dismiss", "{\"dismissed\": \"canary\"}"),
    ];
    for (path, body) in texts {
        let path = path.replace("{created}", &created).replace("{refused}", &refused);
        let path = path.replace("{invalid}", &invalid);
        let json = |r: Request| {
            r.bearer_auth(SENDER)
                .header("Content-Type", "application/json")
                .header("Idempotency-Key", "k-1")
                .body(body)
        };
        let answer = heard.ask(Method::POST, &path, json).await;
        assert!(answer["code"].is_string(), "{path} {body}: {answer}");
    }
    for path in [
        "/v1/hires?state=canary&since=canary&limit=canary&cursor=canary",
        "/v1/hires?access_token=canary-token",
        "/v1/canary/canary@example.org",
        "/canary@example.org?token=canary",
        "/v1/hires/canary@example.org",
    ] {
        heard.ask(Method::GET, path, |r| r.bearer_auth(VIEWER)).await;
        heard.ask(Method::DELETE, path, |r| r.bearer_auth("canary-wrong-token")).await;
    }
    let odd = |r: Request| {
        let r =
            r.bearer_auth(SENDER).header("Idempotency-Key", "canary key").header("X-Request-Id", "canary id");
        r.header("Content-Type", "text/canary").body("canary")
    };
    heard.ask(Method::POST, "/v1/hires", odd).await;
}

async fn every_view(heard: &mut Heard<'_>) {
    for path in ["/metrics", "/", "/readyz", "/v1/sources", "/v1/check", "/openapi.yaml"] {
        heard.ask(Method::GET, path, |r| r.bearer_auth(ADMIN)).await;
    }
}

#[tokio::test]
async fn no_personal_value_and_no_secret_comes_out_on_any_path() {
    for format in ["json", "text"] {
        let nest = Nest::new(format).await;
        let served = Served::start(nest.folder(), &nest.config).await;
        let mut heard = Heard::by(&served);
        every_delivery(&mut heard, &nest.sim).await;
        every_problem(&mut heard).await;
        every_view(&mut heard).await;
        let before = nest.sim.creates();
        nest.sim.misbehave(Fault::once(Operation::CreateEmployee, Behaviour::Hang).done());
        let flight = canaries::hire("f-1", "canary.flight@example.org");
        // The sender hangs up while Personio is being asked.
        tokio::select! {
            answer = heard.deliver(&flight) => panic!("in flight, not {answer}"),
            () = nest.sim.arrival(Operation::CreateEmployee, before + 1) => {}
        }
        heard.assert_clean();
        served.kill();
        nest.assert_ledger_is_sealed();

        let served = Served::start(nest.folder(), &nest.config).await;
        let mut heard = Heard::by(&served);
        eventually("the hire in flight is adopted", || async {
            let hires = heard.hires().await;
            let mut all = hires["hires"].as_array().expect("hires").iter();
            all.any(|hire| hire["ats_id"] == "f-1" && state(hire) == "created(adopted)").then_some(())
        })
        .await;
        assert_eq!(heard.deliver(&flight).await, "created(adopted)");
        every_view(&mut heard).await;
        heard.assert_clean();
        nest.assert_ledger_is_sealed();
        assert_eq!(served.terminate(), Some(0));
        nest.assert_ledger_is_sealed();
        assert_logs_are_clean(nest.folder(), format);
    }
}

/// All that the service wrote: complete, clean, and one line an event.
fn assert_logs_are_clean(folder: &Path, format: &str) {
    let (mut all, mut lines) = (String::new(), 0);
    for file in canaries::files(folder, &["log-", "out-"]) {
        let bytes = std::fs::read(&file).expect("readable");
        is_clean(&file.display().to_string(), &bytes);
        let text = String::from_utf8(bytes).expect("UTF-8");
        if file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("log-")) {
            for line in text.split('\n').filter(|line| !line.is_empty()) {
                lines += 1;
                assert!(line.len() <= 8 * 1024 && !line.chars().any(breaks_a_line), "{line:?}");
                let whole =
                    format != "json" || serde_json::from_str::<Value>(line).is_ok_and(|v| v.is_object());
                assert!(whole, "{line}");
            }
        }
        all.push_str(&text);
    }
    for said in
        ["delivery", "no_secret_matches", "asked Personio", "refused a request to the API", "register:"]
    {
        assert!(all.contains(said), "{said}: the log is complete");
    }
    assert!(lines > 50, "{lines} lines");
}

fn breaks_a_line(c: char) -> bool {
    c.is_control() || ['\u{2028}', '\u{2029}'].contains(&c)
}

#[tokio::test]
async fn a_wrong_configuration_is_told_without_its_values() {
    let nest = Nest::new("json").await;
    let right = std::fs::read_to_string(&nest.config).expect("readable");
    for (from, to) in canaries::WRONG_SETTINGS {
        assert!(right.contains(from), "{from} in {right}");
        std::fs::write(nest.folder().join("wrong.toml"), right.replace(from, to)).expect("writable");
        for command in ["check", "serve"] {
            let output = run(nest.folder(), &[command, "--config", "wrong.toml"]);
            assert_eq!(output.status.code(), Some(1), "{command}: {to}");
            assert!(text(&output.stderr).contains("wrong.toml:"), "{}", text(&output.stderr));
            is_clean(&format!("{command}: {to}"), &[output.stdout, output.stderr].concat());
        }
    }
    let mut command = hirebridge(nest.folder());
    command.args(["check", "--config"]).arg(&nest.config);
    command.env("HIREBRIDGE__LEDGER__KEY", "canary-ledger-key").env("HIREBRIDGE__SERVER__WAIT", "canary");
    let output = command.output().expect("it runs");
    assert!(text(&output.stderr).contains("HIREBRIDGE__SERVER__WAIT"));
    is_clean("environment", &[output.stdout, output.stderr].concat());
}

#[tokio::test]
async fn the_commands_say_no_personal_value_on_standard_error() {
    let nest = Nest::new("json").await;
    let folder = nest.folder().to_owned();
    let check = tokio::task::spawn_blocking(move || run(&folder, &["check"])).await.expect("it runs");
    assert!(check.status.success(), "{}", text(&check.stdout));
    is_clean("check", &[check.stdout, check.stderr].concat());
    std::fs::write(nest.folder().join("body.json"), canaries::hire("a-1", "canary@example.org"))
        .expect("writable");
    let preview = |file: &str| run(nest.folder(), &["preview", file, "--source", "ashby"]);
    let right = preview("body.json");
    assert!(leaks(&right.stdout), "the plan is shown to whoever asks for it");
    is_clean("preview", &right.stderr);
    for (body, _) in canaries::unreadable() {
        std::fs::write(nest.folder().join("body.json"), &body).expect("writable");
        let output = preview("body.json");
        assert_eq!(output.status.code(), Some(1));
        is_clean(&String::from_utf8_lossy(&body), &[output.stdout, output.stderr].concat());
    }
}
