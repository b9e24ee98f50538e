//! The routes as a client sees them, as far as nothing needs Personio.

mod api;
mod contract;
mod delivery;
mod front;
mod languages;

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::BodyExt;
use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

use super::*;
use crate::catalog::Learned;
use crate::ledger;
use crate::mapping::{self, Mapping};
use crate::outbound::Guard;
use crate::{ats, personio, transfer};

const VIEWER: &str = "hb_viewer";
const SENDER: &str = "hb_sender";
const SECRET: &str = "ashby-secret-token";

/// The service with one source and one viewer, on a ledger of its own.
struct House {
    app: App,
    _folder: TempDir,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    async fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("the body is there").to_bytes();
        let text = String::from_utf8(bytes.to_vec()).expect("the body is text");
        Self { status: parts.status, headers: parts.headers, text }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("JSON, not {}", self.text))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The code of a problem, whose form is checked on the way.
    fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), problem::MEDIA_TYPE, "{}", self.text);
        let body = self.json();
        assert_eq!(body["status"], self.status.as_u16());
        let code = body["code"].as_str().unwrap_or_default().to_owned();
        assert_eq!(body["type"], format!("urn:hirebridge:problem:{code}"));
        assert!(body["title"].is_string());
        code
    }
}

fn sources() -> Sources {
    let settings = ats::settings::Settings {
        kind: "ashby".into(),
        secrets: vec![SECRET.into()],
        body_limit: Some(ByteSize(200)),
        ..ats::settings::Settings::default()
    };
    let all = BTreeMap::from([("ashby".to_owned(), settings)]);
    Sources::build(&all, &Guard::default()).expect("the settings are right")
}

fn operators() -> Operators {
    let operator = |name: &str, role: &str, token: &str| {
        let token_sha256 = hex::encode(digest(&SHA256, token.as_bytes()));
        operators::Settings { name: name.into(), role: role.into(), token_sha256 }
    };
    let all = [operator("vera", "viewer", VIEWER), operator("mia", "sender", SENDER)];
    Operators::build(&all).expect("the settings are right")
}

/// Transfer towards a Personio that cannot be reached.
async fn transfer(
    ledger_settings: &ledger::Settings,
    sources: Arc<Sources>,
    clock: Clock,
) -> (Transfer, Doctor) {
    let personio = json!({"base_url": "http://127.0.0.1:9", "client_id": "a", "client_secret": "b", "app_id": "HIREBRIDGE",
        "attempt_timeout": "1s", "call_timeout": "1s", "reads_per_minute": 0, "creates_per_minute": 0, "uploads_per_minute": 0});
    let personio = serde_json::from_value(personio).expect("the settings are right");
    let metrics = Metrics::default();
    let guard = Guard::open_to(&"http://127.0.0.1:9".parse().expect("a URL"));
    let (reader, writer) =
        personio::connect(&personio, &guard, &clock, &metrics).expect("nothing is asked yet");
    let common = Mapping::compile(&mapping::Settings::default(), None).expect("the built-in rules are right");
    let settings = transfer::Settings {
        lookups: vec![SignedDuration::from_secs(60)],
        require_lookup: false,
        marker: None,
        give_up_after: SignedDuration::from_hours(72),
        resend_after_unknown: None,
        audit_after: SignedDuration::from_hours(24),
        in_flight: 64,
        ahead: 512,
    };
    let mappings = Arc::new(mapping::Mappings { common, by_source: BTreeMap::new() });
    let call_timeout = SignedDuration::from_secs(1);
    let ledger = ledger::open(ledger_settings).await.expect("the ledger opens");
    let doctor = Doctor {
        learned: Learned::default(),
        ledger: ledger_settings.clone(),
        sources: Arc::clone(&sources),
        reader: reader.clone(),
        mappings: Arc::clone(&mappings),
        marker: None,
        clock: clock.clone(),
    };
    let planner = transfer::Planner {
        sources,
        mappings,
        catalog: Learned::default(),
        marker: None,
        clock: clock.clone(),
    };
    let parts = transfer::Parts {
        settings,
        retention: transfer::Retention {
            files: SignedDuration::from_hours(720),
            bodies: SignedDuration::from_hours(720),
            people: SignedDuration::from_hours(4380),
            accesses: SignedDuration::from_hours(8760),
        },
        ledger,
        restored: None,
        reader,
        writer: Arc::new(writer),
        fetch: crate::outbound::fetch::Fetch::new(&crate::outbound::Guard::default(), &clock)
            .expect("TLS is there"),
        planner,
        clock,
        metrics,
        call_timeout,
    };
    (Transfer::new(parts), doctor)
}

impl House {
    async fn new() -> Self {
        let folder = TempDir::new().expect("a folder can be made");
        let url = format!("sqlite:{}", folder.path().join("ledger.db").display());
        let key = STANDARD.encode([7; 32]).into();
        let ledger = ledger::Settings { url: url.into(), password: None, key, previous_keys: Vec::new() };
        let settings = Settings {
            listen: ([127, 0, 0, 1], 8080).into(),
            public_url: "https://hires.example.com/".parse().ok(),
            wait: SignedDuration::from_secs(4),
            body_limit: ByteSize(1000),
            drain_delay: SignedDuration::ZERO,
            in_flight: 1024,
            body_memory: ByteSize::mib(64),
            trusted_proxies: Vec::new(),
            proxy_sign_in: None,
        };
        let (sources, clock) = (Arc::new(sources()), Clock::manual(Timestamp::UNIX_EPOCH));
        let (transfer, doctor) = transfer(&ledger, Arc::clone(&sources), clock.clone()).await;
        let app = App {
            transfer,
            doctor: Arc::new(doctor),
            sources,
            operators: Arc::new(operators()),
            tries: Tries::default(),
            proxies: Arc::default(),
            metrics: Metrics::default(),
            clock,
            watch: SourceWatch::new(Timestamp::UNIX_EPOCH),
            draining: CancellationToken::new(),
            stopping: CancellationToken::new(),
            limits: Limits::default(),
            intake: Intake::of(1024, ByteSize::mib(64)),
            settings: Arc::new(settings),
            reload: Reload::channel().0,
        };
        Self { app, _folder: folder }
    }

    async fn ask(&self, method: Method, uri: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let request = Request::builder().method(method).uri(uri);
        let named = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host"));
        let request = if named { request } else { request.header("host", "x") };
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let request = request.body(Body::from(body.to_owned())).expect("the request is well formed");
        let response = router(self.app.clone()).oneshot(request).await.expect("the router always answers");
        Answer::of(response).await
    }

    async fn get(&self, uri: &str) -> Answer {
        self.ask(Method::GET, uri, &[], "").await
    }

    async fn viewer(&self, method: Method, uri: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.operator(VIEWER, method, uri, headers, body).await
    }

    async fn operator(
        &self,
        token: &str,
        method: Method,
        uri: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let token = format!("Bearer {token}");
        let headers: Vec<_> = headers.iter().copied().chain([("authorization", token.as_str())]).collect();
        self.ask(method, uri, &headers, body).await
    }

    async fn post(&self, uri: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.ask(Method::POST, uri, headers, body).await
    }
}
