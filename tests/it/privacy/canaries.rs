//! The canaries, where they are put, and how one is found.

use std::path::{Path, PathBuf};

use axum::Router;
use axum::http::Uri;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hirebridge::sim::{Behaviour, Options, Person, Seed, Sim};
use serde_json::json;
use tempfile::TempDir;

use crate::support::ashby::{candidate_hire, with_field};
use crate::support::{ADMIN, SECRET, SENDER, Setup, VIEWER, configuration};

pub(super) const WEBHOOK_SECRET: &str = "canary-webhook-secret";
const CLIENT_ID: &str = "canary-client-id";
const CLIENT_SECRET: &str = "canary-client-secret";
const API_KEY: &str = "canary-ashby-api-key";
const LEDGER_KEY: &[u8; 32] = b"canary ledger key of thirty-two.";

/// A number that occurs nowhere else.
const SALARY: u64 = 7_654_321_098;

/// What a Personio token of the simulator begins with.
const TOKEN: &str = "papi-";

/// Whether a canary, or another spelling of one, is in it.
pub(super) fn leaks(bytes: &[u8]) -> bool {
    let api_key = STANDARD.encode(format!("{API_KEY}:"));
    let ledger_key = STANDARD.encode(LEDGER_KEY);
    let salary = SALARY.to_string();
    let others = [&api_key, &ledger_key, &salary, TOKEN, VIEWER, SENDER, ADMIN];
    let lower = bytes.to_ascii_lowercase();
    let has = |needle: &str| {
        let needle = needle.to_ascii_lowercase();
        lower.windows(needle.len()).any(|window| window == needle.as_bytes())
    };
    has("canary") || others.into_iter().any(has)
}

pub(super) fn is_clean(what: &str, bytes: &[u8]) {
    assert!(!leaks(bytes), "a canary came out at {what}: {}", String::from_utf8_lossy(bytes));
}

/// A complete hire with a canary in everything that is personal.
pub(super) fn hire(application: &str, email: &str) -> Vec<u8> {
    let mut body = candidate_hire(application, "Canary Canaryson", email);
    let candidate = &mut body["data"]["application"]["candidate"];
    candidate["primaryPhoneNumber"] =
        json!({"value": "+49 30 canary", "type": "Personal", "isPrimary": true});
    let job = &mut body["data"]["application"]["job"];
    *job = json!({"id": "j", "title": "Head of Canary", "departmentId": "d-1", "locationId": "l-1"});
    let salary = json!({"currencyCode": "EUR", "value": SALARY});
    body["data"]["offer"]["latestVersion"]["salary"] = salary;
    let body = with_field(body, "IBAN", "DE00 canary");
    with_field(body, "Team", "canary department").to_string().into_bytes()
}

/// Names that would break or dress up a log line, and what becomes of such a hire.
pub(super) const NAMES_THAT_BREAK_LINES: [(&str, &str); 5] = [
    ("Canary\r\n{\"level\":\"ERROR\"} Canaryson", "held(invalid)"),
    ("Canary \u{1b}[31mred", "held(invalid)"),
    ("Canary\u{2028}line Canaryson", "held(invalid)"),
    ("Canary\r\nCanaryson", "held(invalid)"),
    ("Canary \u{0}nul", "held(invalid)"),
];

/// Signed bodies that cannot be read as a hire, and what becomes of them.
pub(super) fn unreadable() -> Vec<(Vec<u8>, &'static str)> {
    let shape =
        json!({"action": "candidateHire", "data": {"application": {"id": "u-1", "candidate": "canary"}}});
    vec![
        (b"{\"canary\": canary@example.org".to_vec(), "held(unreadable)"),
        (b"\xff canary".to_vec(), "held(unreadable)"),
        (b"{\"action\": \"canary\", \"action\": \"canary\"}".to_vec(), "held(ambiguous)"),
        (b"[".repeat(100).into_iter().chain(*b"canary").collect(), "held(unreadable)"),
        (shape.to_string().into_bytes(), "held(unreadable)"),
        (b"\"canary\"".to_vec(), "held(unreadable)"),
    ]
}

/// Personio's no, with a message that repeats what was sent.
pub(super) fn refusal(code: u16) -> Behaviour {
    let message = "The email canary@example.org of Canary Canaryson has already been taken.";
    let body = json!({"success": false, "error": {"code": code, "message": message}});
    Behaviour::Status { code, body: Some(body), retry_after: None }
}

/// What stands in the configuration, and what makes it wrong.
pub(super) const WRONG_SETTINGS: [(&str, &str); 16] = [
    ("client_secret = \"canary-client-secret\"", "client_secret = canary-client-secret"),
    ("client_secret = \"canary-client-secret\"", "client_secret = \"canary-client-secret"),
    ("client_secret = \"canary-client-secret\"", "client_secret = [\"canary-client-secret\"]"),
    ("client_secret = \"canary-client-secret\"", "client_secret = \"canary-${NAME}-canary\""),
    ("client_secret = \"canary-client-secret\"", "client_secret = { file = \"/\", canary = \"canary\" }"),
    ("client_secret = \"canary-client-secret\"", "client_secret = \"canary\"\nclient_secret = \"canary\""),
    ("base_url = \"http://127", "base_url = \"http://canary:canary@example.org/127"),
    ("[\"canary-webhook-secret\"]", "[\"canary\"]"),
    ("[\"canary-webhook-secret\"]", "[\"canary-webhook-secret\", \"canary-webhook-secret\"]"),
    ("[\"canary-webhook-secret\"]", "\"canary-webhook-secret\""),
    ("kind = \"ashby\"", "kind = \"canary\""),
    ("role = \"viewer\"", "role = \"canary\""),
    ("name = \"vera\"", "name = \"canary canary\""),
    ("level = \"trace\"", "level = \"canary\""),
    ("attempt_timeout = \"20s\"", "attempt_timeout = \"canary\""),
    ("listen = \"127.0.0.1:0\"", "listen = \"canary:canary\""),
];

/// Where hirebridge is tried: its folder, its Personio, its ATS.
pub(super) struct Nest {
    folder: TempDir,
    pub(super) sim: Sim,
    pub(super) config: PathBuf,
}

impl Nest {
    pub(super) async fn new(format: &str) -> Self {
        let there = Person {
            email: "canary.there@example.org".into(),
            first_name: "Canary".into(),
            last_name: "There".into(),
            ..Person::default()
        };
        let seed = Seed {
            client_id: CLIENT_ID.into(),
            client_secret: CLIENT_SECRET.into(),
            employees: vec![there],
            ..Seed::default()
        };
        let sim = Sim::start(Options { seed, ..Options::default() }).await.expect("a simulator");
        let folder = TempDir::new().expect("a folder");
        let config = folder.path().join("hirebridge.toml");
        let setup = Setup {
            ashby: format!(
                "api_key = \"{API_KEY}\"\napi_base_url = \"{}\"\nbody_limit = \"4KiB\"",
                ats().await
            ),
            transfer: "lookups = [\"1s\"]".into(),
            sections: "[mapping.fields]\n\
                department = { from = \"custom.Team\" }\n\
                dynamic_102 = { from = \"candidate.phone\" }\n\
                dynamic_103 = { from = \"custom.IBAN\" }\n\
                dynamic_111 = { from = \"offer.salary_amount\" }\n"
                .into(),
            ..Setup::default()
        };
        let text = configuration(&sim.url(), folder.path(), &setup)
            .replace("level = \"error\"", &format!("level = \"trace\"\nformat = \"{format}\""))
            .replace(&STANDARD.encode([7; 32]), &STANDARD.encode(LEDGER_KEY))
            .replace("sim-client-id", CLIENT_ID)
            .replace("sim-client-secret", CLIENT_SECRET)
            .replace(SECRET, WEBHOOK_SECRET);
        std::fs::write(&config, text).expect("writable");
        Self { folder, sim, config }
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// No canary can be read in the ledger's files.
    pub(super) fn assert_ledger_is_sealed(&self) {
        let files = files(self.folder(), &["ledger.db"]);
        assert!(!files.is_empty());
        for file in files {
            let bytes = std::fs::read(&file).expect("readable");
            let where_ = file.display().to_string();
            assert!(!leaks(&bytes), "a canary can be read in {where_}");
        }
    }
}

/// The files of a folder whose names begin so.
pub(super) fn files(folder: &Path, beginnings: &[&str]) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("readable").map(|entry| entry.expect("an entry").path());
    let begins = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        beginnings.iter().any(|beginning| name.starts_with(beginning))
    };
    entries.filter(begins).collect()
}

/// Ashby's API, which answers each question in another unpleasant way.
async fn ats() -> String {
    let answer = async |uri: Uri| match uri.path() {
        "/offer.list" => (200, r#"{"success":false,"errors":["canary_error canary@example.org"]}"#),
        "/department.info" => (500, "canary@example.org"),
        "/location.info" => (200, r#"{"success":true,"results":{"name":"canary office"}}"#),
        _ => (200, r#"{"success":true,"results":{"canary": canary"#),
    };
    let answer = async move |uri: Uri| {
        let (status, body) = answer(uri).await;
        (axum::http::StatusCode::from_u16(status).expect("a status"), body)
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    url
}
