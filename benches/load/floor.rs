//! The floor: the least that any bridge must do for a hire. It verifies, maps, looks up, creates and reads back,
//! through the service's own accept loop, rules and clients, and stores nothing. Like the service it answers when it
//! has read back: the answer says whether all has arrived.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use bytes::Bytes;
use bytesize::ByteSize;
use hirebridge::ats::Received;
use hirebridge::clock::Clock;
use hirebridge::config::Config;
use hirebridge::domain::Employee;
use hirebridge::outbound::{Client, Request, Reuse};
use hirebridge::personio::{self, Reader};
use hirebridge::telemetry::Metrics;
use hirebridge::transfer::Planner;
use hirebridge::{http, outbound};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::ground;

const PATIENCE: Duration = Duration::from_secs(10);

/// The running floor.
pub(crate) struct Floor {
    address: SocketAddr,
}

/// What every hire needs.
struct Desk {
    planner: Planner,
    reader: Reader,
    creates: Client,
    employees: Url,
    headers: HeaderMap,
    clock: Clock,
}

impl Floor {
    /// Gets a token and begins to listen.
    pub(crate) async fn start(config: &Config) -> anyhow::Result<Self> {
        let clock = Clock::system();
        let (reader, _) = personio::connect(&config.personio, &config.guard(), &clock, &Metrics::default())?;
        reader.authenticate().await?;
        let creates = Client::new(Reuse::Never, PATIENCE, &config.guard(), clock.clone())?;
        let desk = Arc::new(Desk {
            planner: ground::planner(config)?,
            reader,
            headers: headers(&creates, &config.personio).await?,
            creates,
            employees: config.personio.base_url.join("v1/company/employees")?,
            clock,
        });
        let listener = TcpListener::bind(config.server.listen).await?;
        let address = listener.local_addr()?;
        let router = Router::new().route("/webhooks/{source}", post(take)).with_state(desk);
        tokio::spawn(http::serve::serve(
            listener,
            router,
            CancellationToken::new(),
            http::limits::Limits::default(),
            Metrics::default(),
            None,
        ));
        Ok(Self { address })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// The headers of a create, as the service sends them.
async fn headers(client: &Client, settings: &personio::Settings) -> anyhow::Result<HeaderMap> {
    let credential = json!({
        "client_id": settings.client_id.expose_secret(),
        "client_secret": settings.client_secret.expose_secret(),
    });
    let request = Request::new(Method::POST, settings.base_url.join("v1/auth")?);
    let request = request.with_json(serde_json::to_vec(&credential)?.into());
    let answer: Value = serde_json::from_slice(&client.send(request, PATIENCE).await?.body)?;
    let token = answer["data"]["token"].as_str().context("the simulator gives a token")?;
    Ok(HeaderMap::from_iter([
        (AUTHORIZATION, HeaderValue::try_from(format!("Bearer {token}"))?),
        (HeaderName::from_static("x-personio-app-id"), HeaderValue::try_from(&settings.app_id)?),
    ]))
}

async fn take(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, StatusCode> {
    let employee = desk.plan(&headers, body).await?;
    let deadline = desk.clock.now() + SignedDuration::try_from(PATIENCE).unwrap_or_default();
    let known =
        desk.reader.find_by_email(employee.email(), deadline).await.or(Err(StatusCode::BAD_GATEWAY))?;
    if !known.is_empty() {
        return Err(StatusCode::CONFLICT);
    }
    let id = desk.create(&employee).await.or(Err(StatusCode::BAD_GATEWAY))?;
    desk.reader.person(id).await.or(Err(StatusCode::BAD_GATEWAY))?;
    Ok(Json(json!({"hire": id, "state": "created", "reason": null, "duplicate": false})))
}

impl Desk {
    async fn plan(&self, headers: &HeaderMap, body: Bytes) -> Result<Employee, StatusCode> {
        let source = self.planner.sources.named(ground::SOURCE).ok_or(StatusCode::UNAUTHORIZED)?;
        let Ok(Received::Signed(verified)) =
            source.receive(headers, body, ByteSize::mib(1), self.clock.now())
        else {
            return Err(StatusCode::UNAUTHORIZED);
        };
        let plan = self.planner.preview(source, verified.body(), Timestamp::UNIX_EPOCH, &[]).await;
        Ok(plan.or(Err(StatusCode::UNPROCESSABLE_ENTITY))?.employee)
    }

    async fn create(&self, employee: &Employee) -> Result<u64, outbound::Failure> {
        #[derive(Serialize)]
        struct New<'a> {
            employee: &'a Employee,
        }
        let body = serde_json::to_vec(&New { employee }).expect("an employee has string keys");
        let mut request = Request::new(Method::POST, self.employees.clone());
        request.headers = self.headers.clone();
        let answer = self.creates.send(request.with_json(body.into()), PATIENCE).await?;
        let answer: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        answer["data"]["id"].as_u64().ok_or(outbound::Failure::Lost("no_id"))
    }
}
