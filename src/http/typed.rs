//! Hires typed by hand, and previews of what is not stored.

use axum::Json;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::App;
use super::body;
use super::code::Code;
use super::contract::{fact_group, tag};
use super::door::{Sender, Viewer};
use super::hires::shown;
use super::problem::Problem;
use super::shapes::{HireShape, Preview};
use crate::domain::Facts;
use crate::domain::facts::FactError;
use crate::transfer::Typed;
use crate::words::Language;

/// The header that makes a repeat of the same request one hire.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

type Group = Option<Map<String, Value>>;

/// A hire typed by hand: facts under their canonical names.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "candidate": {"first_name": "Mia", "last_name": "Beispiel", "email": "mia.beispiel@example.org"},
    "job": {"title": "Engineer", "department": "Engineering"},
    "offer": {"start_date": "2027-02-01"},
    "source": "ashby",
    "ats_id": "1d2c8d5e-0c49-4d5c-9a1e-1f6c3a1b2c3d",
}))]
pub(super) struct TypedHire {
    #[schema(schema_with = fact_group::candidate, required = false)]
    candidate: Group,
    #[schema(schema_with = fact_group::job, required = false)]
    job: Group,
    #[schema(schema_with = fact_group::offer, required = false)]
    offer: Group,
    #[schema(schema_with = fact_group::tenant, required = false)]
    tenant: Group,
    /// Custom fields: title → value.
    #[schema(value_type = Option<Object>)]
    custom: Group,
    /// The source whose hire it is: its mapping is used, and its webhook for `ats_id` is the same hire.
    source: Option<String>,
    /// The application's id at that ATS.
    ats_id: Option<String>,
    /// The hash of the plan that a preview showed: then it is sent at once.
    plan_hash: Option<String>,
}

/// What to preview: a payload of an ATS, or a hire typed by hand.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PreviewRequest {
    /// The source whose mapping is used; needed with `payload`.
    source: Option<String>,
    /// What the ATS would send: JSON, or a text if it sends something else.
    #[schema(value_type = Option<Value>)]
    payload: Option<Value>,
    #[schema(schema_with = fact_group::candidate, required = false)]
    candidate: Group,
    #[schema(schema_with = fact_group::job, required = false)]
    job: Group,
    #[schema(schema_with = fact_group::offer, required = false)]
    offer: Group,
    #[schema(schema_with = fact_group::tenant, required = false)]
    tenant: Group,
    /// Custom fields: title → value.
    #[schema(value_type = Option<Object>)]
    custom: Group,
    /// The application's id at the ATS, if the hire will be entered with it.
    ats_id: Option<String>,
}

/// Show the plan for a payload or for a hire typed by hand.
///
/// Nothing is written, and Personio is not changed. Where a marker attribute is configured, it carries the
/// hire's key: give `ats_id` or the `Idempotency-Key` that the hire will be entered with, so that the hash
/// is the same then.
#[utoipa::path(post, path = "/v1/hires/preview", tag = tag::HIRES, operation_id = "preview",
    params(("Idempotency-Key" = Option<String>, Header,
        description = "The one that the typed hire will be entered with",
        example = "8e03978e-40d5-43e8-bc93-6894a57f9324")),
    request_body(content = PreviewRequest, description = "A payload with its source, or facts", examples(
        ("payload" = (value = json!({"source": "ashby",
            "payload": {"action": "candidateHire", "data": {"application": {"id": "…"}}}}))),
        ("typed" = (value = json!({"candidate": {"first_name": "Mia", "last_name": "Beispiel",
            "email": "mia.beispiel@example.org"}, "offer": {"start_date": "2027-02-01"}}))),
    )),
    responses(
        (status = 200, description = "The plan", body = Preview),
        (status = 422, description = "The payload is not about a hire, or fields are not right"),
    ))]
pub(super) async fn preview(
    _: Viewer,
    State(app): State<App>,
    headers: HeaderMap,
    body::Json(request): body::Json<PreviewRequest>,
) -> Result<Json<Preview>, Problem> {
    let PreviewRequest { source, payload, candidate, job, offer, tenant, custom, ats_id } = request;
    let groups = [candidate, job, offer, tenant, custom];
    let Some(payload) = payload else {
        check_ats_id(ats_id.as_ref(), source.as_ref())?;
        let (facts, idempotency_key) = (facts(groups)?, idempotency_key(&headers)?);
        let typed = Typed { facts, source, ats_id, idempotency_key, plan_hash: None };
        return Ok(Json(app.transfer.preview_facts(typed).await?.into()));
    };
    if groups.iter().any(Option::is_some) || ats_id.is_some() {
        return Err(Problem::of(Code::Invalid).field("payload", "cannot be together with typed facts"));
    }
    let Some(name) = source else {
        return Err(Problem::of(Code::Invalid).field("source", "is needed with `payload`"));
    };
    let source = app.sources.named(&name);
    let source = source.ok_or_else(|| Problem::from(crate::transfer::DeskError::UnknownSource(name)))?;
    Ok(Json(app.transfer.preview_delivery(source, &bytes(payload)).await?.into()))
}

fn bytes(payload: Value) -> Vec<u8> {
    match payload {
        Value::String(text) => text.into_bytes(),
        other => other.to_string().into_bytes(),
    }
}

/// Enter a hire by hand.
///
/// Without `plan_hash` it is stored as `held(review)`; with the hash of its preview it is sent at once. Give
/// `source` and `ats_id` so that a later webhook is the same hire, or else an `Idempotency-Key`: a repeat
/// with the same key is the same hire.
#[utoipa::path(post, path = "/v1/hires", tag = tag::HIRES, operation_id = "enter_hire",
    params(("Idempotency-Key" = Option<String>, Header,
        description = "Needed unless `source` and `ats_id` are given: at most 255 visible ASCII characters",
        example = "8e03978e-40d5-43e8-bc93-6894a57f9324")),
    request_body(content = TypedHire, description = "The facts"),
    responses(
        (status = 201, description = "The new hire", body = HireShape,
            headers(("Location" = String, description = "Where it is"))),
        (status = 200, description = "The hire that was there already", body = HireShape),
        (status = 400, description = "An idempotency key is needed"),
        (status = 409, description = "The plan is not the one with this hash"),
        (status = 422, description = "Fields are not right, or the key was used for something else"),
    ))]
pub(super) async fn enter(
    sender: Sender,
    State(app): State<App>,
    language: Language,
    headers: HeaderMap,
    body::Json(typed): body::Json<TypedHire>,
) -> Result<Response, Problem> {
    let idempotency_key = idempotency_key(&headers)?;
    let typed = typed.understood(idempotency_key)?;
    let (hire, known) = app.transfer.enter(typed, sender.name(), app.settings.wait()).await?;
    let shape = shown(&app, &hire, language).await?;
    if known {
        return Ok(shape.into_response());
    }
    Ok((StatusCode::CREATED, [(LOCATION, format!("/v1/hires/{}", hire.id))], shape).into_response())
}

impl TypedHire {
    fn understood(self, idempotency_key: Option<String>) -> Result<Typed, Problem> {
        let Self { candidate, job, offer, tenant, custom, source, ats_id, plan_hash } = self;
        check_ats_id(ats_id.as_ref(), source.as_ref())?;
        if ats_id.is_none() && idempotency_key.is_none() {
            return Err(Problem::of(Code::IdempotencyKeyMissing));
        }
        let facts = facts([candidate, job, offer, tenant, custom])?;
        Ok(Typed { facts, source, ats_id, idempotency_key, plan_hash })
    }
}

fn check_ats_id(ats_id: Option<&String>, source: Option<&String>) -> Result<(), Problem> {
    if ats_id.is_some() && source.is_none() {
        return Err(Problem::of(Code::Invalid).field("source", "is needed with `ats_id`"));
    }
    Ok(())
}

/// The groups in the order candidate, job, offer, tenant, custom.
fn facts(groups: [Group; 5]) -> Result<Facts, Problem> {
    let names = ["candidate", "job", "offer", "tenant", "custom"];
    let named = names.into_iter().zip(groups);
    let nested = named.filter_map(|(name, group)| Some((name.to_owned(), Value::Object(group?)))).collect();
    Facts::from_nested(&nested).map_err(|errors| {
        errors.into_iter().fold(Problem::of(Code::Invalid), |problem, error| match error {
            FactError::UnknownName { name, nearest: None } => problem.field(name, "is not a known fact"),
            FactError::UnknownName { name, nearest: Some(nearest) } => {
                problem.field(name, format!("is not a known fact; did you mean `{nearest}`?"))
            }
            FactError::WrongKind { name, expected } => problem.field(name, format!("must be {expected}")),
        })
    })
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let key = value.to_str().unwrap_or_default().trim_matches('"');
    let fits = (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    if !fits || values.next().is_some() {
        return Err(Problem::of(Code::IdempotencyKeyInvalid));
    }
    Ok(Some(key.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn typed(body: Value, key: Option<&str>) -> Result<Typed, Value> {
        let typed: TypedHire = serde_json::from_value(body).expect("the shape is right");
        typed
            .understood(key.map(str::to_owned))
            .map_err(|problem| serde_json::to_value(problem.body()).expect("a problem serialises"))
    }

    #[test]
    fn a_typed_hire_needs_something_that_makes_a_repeat_the_same() {
        let refused = typed(json!({"candidate": {}}), None).err().expect("is refused");
        assert_eq!(refused["code"], "idempotency_key_missing");
        assert!(typed(json!({}), Some("k")).is_ok());
        assert!(typed(json!({"source": "ashby", "ats_id": "a"}), None).is_ok());
        let refused = typed(json!({"ats_id": "a"}), Some("k")).err().expect("is refused");
        assert_eq!(refused["errors"][0]["field"], "source");
    }

    #[test]
    fn facts_that_are_none_are_named_with_the_nearest_known_one() {
        let body = json!({"candidate": {"email": 7, "frist_name": "Mia"}, "custom": {"Shirt": "M"}});
        let refused = typed(body, Some("k")).err().expect("is refused");
        assert_eq!(
            refused["errors"],
            json!([
                {"field": "candidate.email", "message": "must be text"},
                {"field": "candidate.frist_name",
                    "message": "is not a known fact; did you mean `candidate.first_name`?"},
            ])
        );
    }
}
