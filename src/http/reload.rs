//! The configuration, read again on request.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};
use utoipa::ToSchema;

use super::App;
use super::code::Code;
use super::contract::tag;
use super::door::Admin;
use super::problem::Problem;

/// What was taken up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"changed": ["mapping.fields.department", "sources.ashby.secrets"], "needs_restart": ["server.listen"]}))]
pub struct Reloaded {
    /// Keys whose new values hold from now on.
    pub changed: Vec<String>,
    /// Keys whose new values hold after a restart.
    pub needs_restart: Vec<String>,
}

/// Something that is wrong with the configuration. Never a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The key, or nothing if it is about the whole file.
    pub key: String,
    /// File, line, key, problem and remedy, as a sentence.
    pub said: String,
}

/// A request to read the configuration again, with where the answer goes.
pub type Ask = oneshot::Sender<Result<Reloaded, Vec<Wrong>>>;

/// Has the configuration read again. Cheap to clone.
#[derive(Clone)]
pub struct Reload(mpsc::Sender<Ask>);

impl Reload {
    /// Where to ask, and where what was asked arrives.
    pub fn channel() -> (Self, mpsc::Receiver<Ask>) {
        let (asks, arrive) = mpsc::channel(1);
        (Self(asks), arrive)
    }

    /// Reads it. `None` if the service is stopping.
    ///
    /// # Errors
    /// Everything that is wrong; then the former one goes on as it is.
    pub async fn now(&self) -> Option<Result<Reloaded, Vec<Wrong>>> {
        let (answer, answered) = oneshot::channel();
        self.0.send(answer).await.ok()?;
        answered.await.ok()
    }
}

/// Read the configuration again: the file, the secret files, the environment.
///
/// Refused whole if anything is wrong with it; then the former one goes on. Requests and hires that are under way end
/// as they began.
#[utoipa::path(post, path = "/v1/config/reload", tag = tag::SIGHT, operation_id = "reload", responses(
    (status = 200, description = "It is taken up", body = Reloaded),
    (status = 422, description = "It cannot be used: `errors` names every key, with file and line"),
    (status = 503, description = "The service is stopping"),
))]
pub(super) async fn reload(admin: Admin, State(app): State<App>) -> Result<Json<Reloaded>, Problem> {
    tracing::info!(operator = admin.name(), "asked to read the configuration again");
    let stopping = || Problem::of(Code::Overloaded).detail("stopping");
    let reloaded = app.reload.now().await.ok_or_else(stopping)?;
    let refused = Problem::of(Code::ConfigurationRefused);
    reloaded
        .map(Json)
        .map_err(|wrong| wrong.into_iter().fold(refused, |all, one| all.field(one.key, one.said)))
}
