//! Letting operators in, and keeping them out again, while the service runs.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::App;
use super::body;
use super::code::Code;
use super::contract::tag;
use super::door::Admin;
use super::operators::{NAME_RULE, Operator, Role, hash_of, is_name, new_token};
use super::problem::Problem;
use super::values::SaidShape;
use crate::domain::{Pass, Said};
use crate::ledger::Which;

/// The longest label, in characters.
const LONGEST_LABEL: usize = 64;

/// Everybody who is let in by a token, or was.
#[derive(Serialize, ToSchema)]
pub(super) struct OperatorList {
    operators: Vec<OperatorShape>,
}

/// A token: whose it is and what it may do. Never the token, nor its hash.
#[derive(Serialize, ToSchema)]
#[schema(as = Operator, example = json!({
    "id": "01942f5e-9c1b-7c3e-8a37-2f6f2a6f0c11",
    "name": "mia",
    "role": "sender",
    "label": "laptop",
    "place": "ledger",
    "added": {"by": "ada", "at": "2027-01-04T09:12:44Z"},
    "last_used": "2027-01-04",
    "revoked": null,
}))]
pub(super) struct OperatorShape {
    /// The token's id; none, if it is in the configuration.
    id: Option<Uuid>,
    /// The operator's name.
    name: String,
    /// `viewer`, `sender` or `admin`.
    #[schema(example = "sender")]
    role: &'static str,
    /// What it is for.
    label: Option<String>,
    /// `ledger`, or `configuration` for those that are fixed there.
    #[schema(example = "ledger")]
    place: &'static str,
    /// Who added it.
    added: Option<SaidShape>,
    /// The day on which it was used last, in UTC.
    #[schema(value_type = Option<String>, format = Date)]
    last_used: Option<Date>,
    /// Who revoked it; since then it lets nobody in.
    revoked: Option<SaidShape>,
}

impl From<Pass> for OperatorShape {
    fn from(pass: Pass) -> Self {
        Self {
            last_used: pass.last_used(),
            id: Some(pass.id),
            name: pass.name,
            role: pass.role.name(),
            label: pass.label,
            place: "ledger",
            added: Some(pass.added.into()),
            revoked: pass.revoked.map(SaidShape::from),
        }
    }
}

impl From<&Operator> for OperatorShape {
    fn from(fixed: &Operator) -> Self {
        Self {
            id: None,
            name: fixed.name.to_string(),
            role: fixed.role.name(),
            label: None,
            place: "configuration",
            added: None,
            last_used: None,
            revoked: None,
        }
    }
}

/// List the operators and their tokens.
///
/// Those of the configuration, then those that were added, with who added them and who revoked them; never a token or
/// its hash. For admins.
#[utoipa::path(get, path = "/v1/operators", tag = tag::OPERATORS, operation_id = "list_operators", responses(
    (status = 200, description = "The operators", body = OperatorList),
))]
pub(super) async fn list(_: Admin, State(app): State<App>) -> Result<Json<OperatorList>, Problem> {
    let passes = app.transfer.ledger().keyring().passes().await?;
    let fixed = app.operators.all().map(OperatorShape::from);
    Ok(Json(OperatorList { operators: fixed.chain(passes.into_iter().map(OperatorShape::from)).collect() }))
}

/// Who is to be let in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "mia", "role": "sender", "label": "laptop"}))]
pub(super) struct NewOperator {
    /// The operator's name: 1 to 64 letters, digits, `.`, `_`, `@` or `-`.
    name: String,
    /// `viewer`, `sender` or `admin`.
    role: String,
    /// What the token is for.
    label: Option<String>,
}

/// A token that was added.
#[derive(Serialize, ToSchema)]
pub(super) struct Added {
    /// The token. It is shown this once.
    #[schema(example = "hb_…")]
    token: String,
    /// Whose it is.
    operator: OperatorShape,
}

impl NewOperator {
    fn checked(self) -> Result<(String, Role, Option<String>), Problem> {
        let mut refused = Problem::of(Code::Invalid);
        let role = self.role.parse::<Role>();
        let label = self.label.map(|label| label.trim().to_owned()).filter(|label| !label.is_empty());
        let long =
            |label: &String| label.chars().count() > LONGEST_LABEL || label.chars().any(char::is_control);
        let mut wrong = false;
        let mut refuse = |field: &str, message: &str| {
            wrong = true;
            refused = std::mem::replace(&mut refused, Problem::of(Code::Invalid)).field(field, message);
        };
        if !is_name(&self.name) {
            refuse("name", NAME_RULE);
        }
        if let Err(unknown) = role {
            refuse("role", &unknown.to_string());
        }
        if label.as_ref().is_some_and(long) {
            refuse("label", "must be at most 64 characters, none of them a control character");
        }
        match role {
            Ok(role) if !wrong => Ok((self.name, role, label)),
            _ => Err(refused),
        }
    }
}

/// Add a token for an operator, new or known.
///
/// The token is in the answer and nowhere else: only a keyed hash of it is kept. An operator may have several. A name
/// that is in the configuration is fixed there, and refused here. For admins.
#[utoipa::path(post, path = "/v1/operators", tag = tag::OPERATORS, operation_id = "add_operator",
    request_body(content = NewOperator, description = "Who, and what for"),
    responses(
        (status = 201, description = "The token, shown this once", body = Added),
        (status = 409, description = "The name is in the configuration: `name_taken`"),
        (status = 422, description = "A field is not right"),
    ))]
pub(super) async fn add(
    admin: Admin,
    State(app): State<App>,
    body::Json(new): body::Json<NewOperator>,
) -> Result<(StatusCode, Json<Added>), Problem> {
    let (name, role, label) = new.checked()?;
    if app.operators.has(&name) {
        return Err(Problem::of(Code::NameTaken));
    }
    let added = Said { by: admin.name().to_owned(), at: app.clock.now() };
    let pass = Pass { id: Uuid::now_v7(), name, role, label, added, used_at: None, revoked: None };
    let (token, _) = new_token();
    let keyring = app.transfer.ledger().keyring();
    keyring.add_pass(&pass, &keyring.mark(&hash_of(&token))).await?;
    tracing::info!(operator = admin.name(), name = pass.name, %role, pass = %pass.id, "added an operator's token");
    Ok((StatusCode::CREATED, Json(Added { token, operator: pass.into() })))
}

/// Whose tokens are to be revoked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "mia"}))]
pub(super) struct Revocation {
    /// All tokens of the operator of this name.
    name: Option<String>,
    /// The token with this id.
    id: Option<Uuid>,
}

/// Tokens that were revoked.
#[derive(Serialize, ToSchema)]
pub(super) struct Revoked {
    revoked: Vec<OperatorShape>,
}

/// Revoke one token, or all of an operator.
///
/// From the next request on they let nobody in, on any replica, and the browsers that were signed in with them are
/// signed out. Exactly one of `name` and `id`. For admins.
#[utoipa::path(post, path = "/v1/operators/revoke", tag = tag::OPERATORS, operation_id = "revoke_operator",
    request_body(content = Revocation, description = "Which"),
    responses(
        (status = 200, description = "Those that are revoked by this", body = Revoked),
        (status = 404, description = "There is none that is not revoked: `operator_not_found`"),
        (status = 409, description = "The operator is in the configuration: `name_taken`"),
        (status = 422, description = "A field is not right"),
    ))]
pub(super) async fn revoke(
    admin: Admin,
    State(app): State<App>,
    body::Json(which): body::Json<Revocation>,
) -> Result<Json<Revoked>, Problem> {
    let which = match which {
        Revocation { name: Some(name), id: None } if app.operators.has(&name) => {
            return Err(Problem::of(Code::NameTaken));
        }
        Revocation { name: Some(name), id: None } => Which::Of(name),
        Revocation { name: None, id: Some(id) } => Which::One(id),
        _ => return Err(Problem::of(Code::Invalid).field("name", "or `id` must be there, not both")),
    };
    let by = Said { by: admin.name().to_owned(), at: app.clock.now() };
    let revoked = app.transfer.ledger().keyring().revoke_passes(&which, &by).await?;
    if revoked.is_empty() {
        return Err(Problem::of(Code::OperatorNotFound));
    }
    for pass in &revoked {
        tracing::info!(operator = admin.name(), name = pass.name, pass = %pass.id, "revoked an operator's token");
    }
    Ok(Json(Revoked { revoked: revoked.into_iter().map(OperatorShape::from).collect() }))
}
