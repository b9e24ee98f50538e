//! The simulator as its callers see it: over HTTP, with a client that knows nothing of it.

mod auth;
mod control;
mod documents;
mod employees;
mod faults;
mod strictness;

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use super::*;

const EMPLOYEES: &str = "/v1/company/employees";
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// A simulator, and somebody at a desk who calls it with a good token.
struct Desk {
    sim: Sim,
    http: Client,
    token: String,
}

struct Answered {
    status: u16,
    headers: HeaderMap,
    /// The body; a text if it is not JSON, null if it is empty.
    body: Value,
}

impl Desk {
    async fn open() -> Self {
        Self::with(Options::default()).await
    }

    async fn with(options: Options) -> Self {
        let mut desk = Self::unknown(options).await;
        let answered = desk.log_in().await;
        desk.token = answered.body["data"]["token"].as_str().expect("the credentials are right").into();
        desk
    }

    /// Without a token.
    async fn unknown(options: Options) -> Self {
        let sim = Sim::start(options).await.expect("a free port");
        Self { sim, http: client(), token: String::new() }
    }

    async fn log_in(&self) -> Answered {
        answered(self.auth(JSON, credentials().to_string())).await
    }

    fn auth(&self, content_type: &str, body: String) -> RequestBuilder {
        self.bare(Method::POST, "/v1/auth").header(CONTENT_TYPE, content_type).body(body)
    }

    /// A request without token and app id.
    fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.sim.url()))
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).bearer_auth(&self.token).header("X-Personio-App-ID", "HIREBRIDGE")
    }

    async fn get(&self, path: &str) -> Answered {
        answered(self.request(Method::GET, path)).await
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> Answered {
        answered(self.request(method, path).json(body)).await
    }

    fn creation(&self, employee: &Value) -> RequestBuilder {
        self.request(Method::POST, EMPLOYEES).json(&json!({"employee": employee}))
    }

    async fn create(&self, employee: Value) -> Answered {
        answered(self.creation(&employee)).await
    }

    /// Creates somebody while something goes wrong on the wire.
    async fn failing_create(&self) -> reqwest::Error {
        let sent = self.creation(&mia()).send().await;
        sent.expect_err("the connection ends without an answer")
    }

    /// How many a look-up by Mia's address finds.
    async fn found(&self) -> usize {
        let answered = self.get("/v1/company/employees?email=mia.beispiel%40example.org").await;
        answered.body["data"].as_array().expect("a list").len()
    }

    fn outcomes(&self) -> Vec<Outcome> {
        self.sim.requests().iter().map(|request| request.outcome).collect()
    }
}

async fn answered(request: RequestBuilder) -> Answered {
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.expect("a whole body");
    let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap_or(json!(text)) };
    Answered { status, headers, body }
}

/// A connection for each call: what happens to one never touches the next.
fn client() -> Client {
    let builder = Client::builder().no_proxy().pool_max_idle_per_host(0).retry(reqwest::retry::never());
    builder.build().expect("no setting here can be refused")
}

fn credentials() -> Value {
    json!({"client_id": "sim-client-id", "client_secret": "sim-client-secret"})
}

fn mia() -> Value {
    json!({"email": "mia.beispiel@example.org", "first_name": "Mia", "last_name": "Beispiel"})
}

/// Mia with more fields, or with other values.
fn mia_and(more: Value) -> Value {
    let (Value::Object(mut employee), Value::Object(more)) = (mia(), more) else {
        unreachable!("both are written as objects");
    };
    employee.extend(more);
    Value::Object(employee)
}

fn person(email: &str) -> Person {
    Person { email: email.into(), first_name: "Ada".into(), last_name: "Muster".into(), ..Person::default() }
}

/// Lets the simulator go on until something is so; ten seconds are for a machine that is on its knees.
async fn until(what: impl Fn() -> bool) {
    let waiting = async {
        while !what() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("it happens soon");
}

fn refusal(code: u16, message: &str) -> Value {
    json!({"success": false, "error": {"code": code, "message": message}})
}
