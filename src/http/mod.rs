//! The outside of the house: who may come in, what they may ask, and how they are answered.
//!
//! [`router`] is the table of contents. Each file is one subject; [`problem`] is how all of them say no.
//! What a hire becomes is decided in `transfer`, never here.

mod access;
mod actions;
mod backup;
mod body;
mod catalog;
pub mod code;
mod codes;
mod connection;
mod console;
mod contract;
mod desk;
pub mod door;
mod framing;
mod health;
mod hires;
pub mod intake;
mod language;
pub mod limits;
mod list;
pub mod no_place;
pub mod operators;
mod passes;
mod people;
mod pointed;
pub mod problem;
pub mod proxies;
pub mod proxy_sign_in;
pub mod reload;
mod request;
mod same_site;
mod seats;
pub mod serve;
mod session;
mod shapes;
mod sources;
mod status;
pub mod tries;
mod turned_away;
mod typed;
mod values;
mod version;
mod visitor;
mod webhooks;
mod wire;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::post;
use bytesize::ByteSize;
use jiff::SignedDuration;
use serde::Deserialize;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tower::{ServiceExt, service_fn};
use tower_http::catch_panic::CatchPanicLayer;
use url::Url;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt};
use utoipa_axum::routes;

use crate::ats::Sources;
use crate::check::Doctor;
use crate::clock::Clock;
use crate::telemetry::Metrics;
use crate::transfer::Transfer;
use access::{Gates, anyone, needs};
use door::Door;
use intake::Intake;
use limits::Limits;
use operators::{Operators, Role};
use proxies::Proxies;
use reload::Reload;
use tries::Tries;

pub use shapes::Preview;
pub use sources::SourceWatch;

/// `[server]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where to listen, in plain HTTP.
    pub listen: SocketAddr,
    /// How the service is reached from outside, for the URLs it shows.
    pub public_url: Option<Url>,
    /// How long a delivery waits for the final state.
    pub wait: SignedDuration,
    /// The largest body, if a source does not say otherwise.
    pub body_limit: ByteSize,
    /// How long the service says that it is not ready, and still accepts, before it stops.
    pub drain_delay: SignedDuration,
    /// How many deliveries may be read and stored at a time; others are asked to come back.
    pub in_flight: usize,
    /// How much memory the bodies of these deliveries may take together.
    pub body_memory: ByteSize,
    /// Addresses and networks of the proxies whose word is taken for where a request comes from.
    pub trusted_proxies: Vec<String>,
    /// How a proxy says who asks; not at all, if nothing is said.
    #[serde(default)]
    pub proxy_sign_in: Option<proxy_sign_in::Settings>,
}

impl Settings {
    /// The URL to register at a source's ATS.
    pub fn webhook_url(&self, source: &str) -> String {
        match &self.public_url {
            Some(url) => format!("{}/webhooks/{source}", url.as_str().trim_end_matches('/')),
            None => format!("http://{}/webhooks/{source}", self.listen),
        }
    }

    /// What cannot be obeyed: key and problem.
    pub fn objections(&self) -> Vec<(&'static str, String)> {
        let none = (self.in_flight == 0).then(|| ("server.in_flight", "must be at least 1".to_owned()));
        let little = (self.body_memory < self.body_limit)
            .then(|| ("server.body_memory", "must be at least as much as server.body_limit".to_owned()));
        let proxies = Proxies::build(self).err().into_iter().flatten();
        none.into_iter().chain(little).chain(proxies).collect()
    }

    fn wait(&self) -> Duration {
        Duration::try_from(self.wait).unwrap_or_default()
    }
}

/// What the handlers work with.
#[derive(Clone)]
pub struct App {
    /// What becomes of hires.
    pub transfer: Transfer,
    /// Who delivers.
    pub sources: Arc<Sources>,
    /// Who may use the API.
    pub operators: Arc<Operators>,
    /// Who has tried wrong tokens lately.
    pub tries: Tries,
    /// Which proxies are believed.
    pub proxies: Arc<Proxies>,
    /// What is counted.
    pub metrics: Metrics,
    /// What time it is.
    pub clock: Clock,
    /// What the sources have sent.
    pub watch: SourceWatch,
    /// Looks at everything a hire needs.
    pub doctor: Arc<Doctor>,
    /// Cancelled when the service is about to stop: from then on it is not ready.
    pub draining: CancellationToken,
    /// Cancelled when it stops accepting: what has not arrived by then is not waited for.
    pub stopping: CancellationToken,
    /// How patient it is.
    pub limits: Limits,
    /// Room for deliveries that are being read and stored.
    pub intake: Intake,
    /// `[server]`.
    pub settings: Arc<Settings>,
    /// Has the configuration read again.
    pub reload: Reload,
}

/// Every route.
fn routes() -> OpenApiRouter<App> {
    use Role::{Admin, Sender, Viewer};
    OpenApiRouter::with_openapi(contract::base())
        // The ATS, by signature.
        .routes(routes!(webhooks::deliver).map(|route| route.fallback(webhooks::only_post)))
        .route("/webhooks/{source}/", post(webhooks::deliver).fallback(webhooks::only_post))
        // Anyone.
        .routes(routes!(health::about))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(health::healthy))
        .routes(routes!(health::metrics))
        .routes(routes!(health::openapi))
        // Whoever signs in, or out.
        .routes(anyone(routes!(session::sign_in)))
        .routes(anyone(routes!(session::sign_out)))
        // Operators, by their role. What states none is open to nobody.
        .routes(needs(Viewer, routes!(session::who)))
        .routes(needs(Viewer, routes!(hires::list)))
        .routes(needs(Sender, routes!(typed::enter)))
        .routes(needs(Viewer, routes!(hires::search)))
        .routes(needs(Viewer, routes!(typed::preview)))
        .routes(needs(Sender, routes!(pointed::fetch)))
        .routes(needs(Viewer, routes!(hires::one)))
        .routes(needs(Viewer, routes!(hires::there)))
        .routes(needs(Viewer, routes!(actions::preview)))
        .routes(needs(Sender, routes!(actions::send)))
        .routes(needs(Sender, routes!(actions::dismiss)))
        .routes(needs(Sender, routes!(actions::link)))
        .routes(needs(Admin, routes!(pointed::replay)))
        .routes(needs(Admin, routes!(people::erase_one)))
        .routes(needs(Admin, routes!(people::accesses)))
        .routes(needs(Admin, routes!(people::erase)))
        .routes(needs(Admin, routes!(people::export)))
        .routes(needs(Sender, routes!(actions::send_document)))
        .routes(needs(Viewer, routes!(catalog::list)))
        .routes(needs(Viewer, routes!(values::list)))
        .routes(needs(Admin, routes!(values::confirm)))
        .routes(needs(Admin, routes!(values::revoke)))
        .routes(needs(Viewer, routes!(sources::list)))
        .routes(needs(Viewer, routes!(status::show)))
        .routes(needs(Viewer, routes!(codes::list)))
        .routes(needs(Admin, routes!(passes::list)))
        .routes(needs(Admin, routes!(passes::add)))
        .routes(needs(Admin, routes!(passes::revoke)))
        .routes(needs(Admin, routes!(health::check)))
        .routes(needs(Admin, routes!(backup::backup)))
        .routes(needs(Admin, routes!(reload::reload)))
}

/// The service.
pub fn router(app: App) -> Router {
    let (routes, api) = routes().split_for_parts();
    dressed(routes.merge(console::routes()), Gates::of(&api), app)
}

/// Gives each request to the router of that moment, so that it goes by one configuration from beginning to end.
pub fn current(routers: watch::Receiver<Router>) -> Router {
    Router::new().fallback_service(service_fn(move |request: Request| {
        let router = routers.borrow().clone();
        router.oneshot(request)
    }))
}

/// Routes behind what all requests go through, which is read from the last line up.
fn dressed(routes: Router<App>, gates: Gates, app: App) -> Router {
    let door = Door { app: app.clone(), gates: Arc::new(gates) };
    routes
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(from_fn_with_state(door, door::keep))
        .layer(from_fn(request::one_host))
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(from_fn(language::translate))
        .layer(from_fn(request::identify))
        .with_state(app)
}

/// The contract: OpenAPI 3.1 in YAML.
pub fn openapi() -> String {
    let mut api = routes().into_openapi();
    contract::complete(&mut api);
    api.to_yaml().expect("an OpenAPI document has a YAML form")
}
