//! What leaves this process: forms with files, as a strict Personio reads them, and the guard as a user meets it.

use std::time::Duration;

use bytes::Bytes;
use hirebridge::clock::Clock;
use hirebridge::config::Config;
use hirebridge::outbound::form::{Attached, Content, Form};
use hirebridge::outbound::{Body, Client, Guard, Request, Reuse};
use hirebridge::sim::{Options, Person, Sim};
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::ashby::hire;
use crate::support::town::Town;
use crate::support::{Setup, configuration};

const PIECE: usize = 64 * 1024;

/// So many bytes of a PDF, made while they are read.
fn pdf(size: usize) -> Content {
    Content::new(size as u64, move || {
        let (sender, pieces) = tokio::sync::mpsc::channel(2);
        tokio::spawn(async move {
            let mut left = size;
            while left > 0 {
                let piece = Bytes::from(b"%PDF".repeat(PIECE / 4)).slice(..PIECE.min(left));
                left -= piece.len();
                if sender.send(Ok(piece)).await.is_err() {
                    return;
                }
            }
        });
        pieces
    })
}

async fn headers(sim: &Sim) -> HeaderMap {
    let credential = json!({"client_id": "sim-client-id", "client_secret": "sim-client-secret"});
    let asked = reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client")
        .post(format!("{}/v1/auth", sim.url()));
    let answer = asked.json(&credential).send().await.expect("an answer");
    let answer: Value = answer.json().await.expect("JSON");
    let token = answer["data"]["token"].as_str().expect("a token");
    let value = |text: &str| HeaderValue::try_from(text).expect("ASCII");
    let mut headers = HeaderMap::new();
    headers.insert("authorization", value(&format!("Bearer {token}")));
    headers.insert("x-personio-app-id", value("HIREBRIDGE"));
    headers
}

#[tokio::test]
async fn a_streamed_form_is_what_a_strict_personio_takes() {
    let sim = Sim::start(Options::default()).await.expect("the simulator starts");
    let employee = sim.add(Person { email: "mia@example.org".into(), ..Person::default() });
    let url = format!("{}/v1/company/documents", sim.url()).parse().expect("a URL");
    let client = Client::new(Reuse::Never, Duration::from_secs(5), &Guard::open_to(&url), Clock::system());
    let client = client.expect("root certificates");
    let headers = headers(&sim).await;
    for (size, status) in [(20 * 1024 * 1024 + 3, 201), (31 * 1024 * 1024, 422), (1, 201)] {
        let fields = [
            ("title", "Zeugnis Größe 1".to_owned()),
            ("employee_id", employee.to_string()),
            ("category_id", "2".into()),
        ];
        let name = "Zeugnis 'Größe' 山田.pdf".to_owned();
        let file = Attached { field: "file", name, media_type: "application/pdf", content: pdf(size) };
        let form = Form { fields: fields.to_vec(), file };
        let request = Request::new(Method::POST, url.clone());
        let request = Request { headers: headers.clone(), body: Body::Form(form), ..request };
        let answer = client.send(request, Duration::from_mins(1)).await.expect("an answer");
        assert_eq!(answer.status, status, "{size}: {}", String::from_utf8_lossy(&answer.body));
    }
    let stored = sim.documents();
    let seen: Vec<_> =
        stored.iter().map(|document| (document.content.len(), document.file_name.as_str())).collect();
    let name = "Zeugnis 'Größe' 山田.pdf";
    assert_eq!(seen, [(20 * 1024 * 1024 + 3, name), (1, name)]);
    assert_eq!(sim.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_personio_in_a_private_network_has_to_be_allowed() {
    let folder = TempDir::new().expect("a folder can be made");
    let path = folder.path().join("hirebridge.toml");
    let text = configuration("https://192.168.0.7", folder.path(), &Setup::default());
    std::fs::write(&path, &text).expect("writable");
    let refused = Config::load(Some(&path), std::iter::empty()).expect_err("it is private").to_string();
    assert!(refused.contains("personio.base_url") && refused.contains("`outbound.allow`"), "{refused}");
    let allowed = text.replace(r#"allow = ["127.0.0.1"]"#, r#"allow = ["192.168.0.7"]"#);
    std::fs::write(&path, allowed).expect("writable");
    assert!(Config::load(Some(&path), std::iter::empty()).is_ok());
    std::fs::write(&path, text.replace("allow = [", "allow = [\"no host\", ")).expect("writable");
    let refused = Config::load(Some(&path), std::iter::empty()).expect_err("it is no host").to_string();
    assert!(refused.contains("outbound.allow"), "{refused}");
}

#[tokio::test]
async fn an_ats_in_a_private_network_has_to_be_allowed() {
    let setup =
        Setup { ashby: "api_key = \"k\"\napi_base_url = \"https://10.0.0.1\"".into(), ..Setup::default() };
    let folder = TempDir::new().expect("a folder can be made");
    let path = folder.path().join("hirebridge.toml");
    std::fs::write(&path, configuration("https://api.personio.de", folder.path(), &setup)).expect("writable");
    let refused = Config::load(Some(&path), std::iter::empty()).expect_err("it is private").to_string();
    assert!(refused.contains("sources.ashby.api_base_url"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_in_the_environment_is_not_used() {
    let mut town = Town::new().await;
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        town.environment.push((name, "http://127.0.0.1:9".into()));
    }
    let mut served = town.spawn();
    assert!(served.is_ready().await, "it ended: {}", served.log());
    assert_eq!(town.deliver(&served, &hire()).await.expect("an answer")["state"], "created");
    assert_eq!(town.sim.creates(), 1);
}
