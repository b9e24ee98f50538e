//! The contract: what `openapi.yaml` says besides what stands at each route.

use std::borrow::Cow;
use std::sync::LazyLock;

use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder, Schema};
use utoipa::{OpenApi, PartialSchema, ToSchema};

use super::access::{Access, operations};
use super::code::Code;
use super::problem::{self, Problem};
use super::shapes::FLAGS;
use crate::ats;
use crate::domain::state::ALL;
use crate::words::Language;

/// The groups of routes.
pub(super) mod tag {
    pub(in super::super) const WEBHOOKS: &str = "webhooks";
    pub(in super::super) const HIRES: &str = "hires";
    pub(in super::super) const PEOPLE: &str = "people";
    pub(in super::super) const VALUES: &str = "values";
    pub(in super::super) const OPERATORS: &str = "operators";
    pub(in super::super) const SIGHT: &str = "sight";
    pub(in super::super) const HEALTH: &str = "health";
}

/// The name of the scheme by which operators show their token.
const BEARER: &str = "bearer";

/// The name of the scheme by which browsers show that they are signed in.
const SESSION: &str = "session";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "hirebridge",
        description = "Carries each hire from an applicant tracking system into Personio, once.\n\n\
            Everything under `/v1` needs a token (`hirebridge token new` makes one): \
            `Authorization: Bearer hb_…`, or a browser that is signed in with one. `x-role` says which role an \
            operation needs at least: `viewer`, `sender` or `admin`. Every answer that is no success is a problem as RFC 9457 has it, \
            with a stable `code`. Every answer carries `X-Request-Id`, which is in all log lines of the request.",
    ),
    tags(
        (name = "webhooks", description = "What applicant tracking systems call"),
        (name = "hires", description = "Hires: seen, previewed, corrected, sent"),
        (name = "people", description = "What a person may ask for: erasure, all that is stored, and who has looked"),
        (name = "values", description = "What is always translated, since a person corrected it once and an admin confirmed it"),
        (name = "operators", description = "Who may use the API, and browsers that are signed in"),
        (name = "sight", description = "Whether the sources work"),
        (name = "health", description = "For whoever runs the service; no token is needed"),
    ),
    components(schemas(
        problem::Body,
        ats::SoftgardenDelivery,
        ats::SoftgardenAddress,
        ats::SoftgardenDocument<'static>
    )),
)]
struct Contract;

/// The contract without its routes.
pub(super) fn base() -> utoipa::openapi::OpenApi {
    let mut api = Contract::openapi();
    let bearer = Http::builder().scheme(HttpAuthScheme::Bearer).bearer_format("hb_…");
    let bearer = bearer.description(Some("An operator's token; its role decides what it may do."));
    let components = api.components.get_or_insert_default();
    components.add_security_scheme(BEARER, SecurityScheme::Http(bearer.build()));
    let cookie = "A browser that is signed in (`POST /v1/session`). Whatever is not GET or HEAD needs the header \
         `X-Hirebridge-Console: 1` then.";
    let cookie = ApiKeyValue::with_description("hirebridge_session", cookie);
    components.add_security_scheme(SESSION, SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    api
}

/// What may go wrong behind the door, whatever the route; what besides, if it takes a body; and if it is
/// about one hire.
const USUAL: [Code; 4] = [Code::Unauthenticated, Code::Forbidden, Code::Internal, Code::LedgerUnavailable];
const WITH_BODY: [Code; 3] = [Code::InvalidJson, Code::TooLarge, Code::UnsupportedMediaType];
const OF_ONE_HIRE: [Code; 1] = [Code::HireNotFound];

/// Adds what holds for all routes: every refusal is a problem; behind the door a token is needed, and what
/// may go wrong.
pub(super) fn complete(api: &mut utoipa::openapi::OpenApi) {
    let responses =
        USUAL.iter().chain(&WITH_BODY).chain(&OF_ONE_HIRE).map(|code| (name(*code), response(*code).into()));
    api.components.get_or_insert_default().responses.extend(responses);
    for (path, item) in &mut api.paths.paths {
        operations(item).for_each(refuse_with_problems);
        if path.starts_with("/v1/") {
            let of_one_hire = path.contains("{id}");
            operations(item).for_each(|operation| guard(operation, of_one_hire));
        }
    }
}

/// Gives every refusal that does not say what it holds the form that all of them have.
fn refuse_with_problems(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && status.starts_with(['4', '5'])
            && response.content.is_empty()
        {
            let schema = Ref::from_schema_name("Problem");
            let content = ContentBuilder::new().schema(Some(schema)).build();
            response.content.insert(problem::MEDIA_TYPE.to_owned(), content.into());
        }
    }
}

fn guard(operation: &mut Operation, of_one_hire: bool) {
    let scheme = |name: &str| SecurityRequirement::new(name, Vec::<String>::new());
    let is_open = Access::of(operation) == Some(Access::Anyone);
    operation.security = Some(if is_open { Vec::new() } else { vec![scheme(BEARER), scheme(SESSION)] });
    let with_body = WITH_BODY.into_iter().filter(|_| operation.request_body.is_some());
    let of_one_hire = OF_ONE_HIRE.into_iter().filter(|_| of_one_hire);
    for code in USUAL.into_iter().chain(with_body).chain(of_one_hire) {
        let known = RefOr::Ref(Ref::from_response_name(name(code)));
        operation.responses.responses.entry(code.status().as_str().to_owned()).or_insert(known);
    }
}

fn name(code: Code) -> String {
    format!("{code:?}")
}

fn response(code: Code) -> Response {
    let example = serde_json::to_value(Problem::of(code).body()).ok();
    let schema = Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(schema)).example(example).build();
    ResponseBuilder::new()
        .description(code.words(Language::English).says.as_str())
        .content(problem::MEDIA_TYPE, content)
        .build()
}

/// The contract as YAML, made once.
pub(super) fn yaml() -> String {
    static YAML: LazyLock<String> = LazyLock::new(super::openapi);
    YAML.clone()
}

/// The names of states: an answer's `state` is always the stored one.
pub(super) struct StateName;

impl PartialSchema for StateName {
    fn schema() -> RefOr<Schema> {
        let mut names: Vec<_> = ALL.iter().map(|state| state.name()).collect();
        names.dedup();
        let names = ObjectBuilder::new().schema_type(SchemaType::new(Type::String)).enum_values(Some(names));
        let names = names.description(Some("Where a hire stands; the stored state, never a guess."));
        RefOr::T(Schema::Object(names.build()))
    }
}

impl ToSchema for StateName {
    fn name() -> Cow<'static, str> {
        "State".into()
    }
}

/// The names of flags, of which a list may be asked for one.
pub(super) struct FlagName;

impl PartialSchema for FlagName {
    fn schema() -> RefOr<Schema> {
        let names = ObjectBuilder::new().schema_type(SchemaType::new(Type::String));
        RefOr::T(Schema::Object(names.enum_values(Some(FLAGS.iter().copied())).build()))
    }
}

impl ToSchema for FlagName {
    fn name() -> Cow<'static, str> {
        "Flag".into()
    }
}

/// The schemas of the groups of facts, made from the list of canonical facts.
pub(super) mod fact_group {
    use utoipa::openapi::schema::{Array, Object, ObjectBuilder, SchemaType, Type};
    use utoipa::openapi::{KnownFormat, RefOr, Schema, SchemaFormat};

    use crate::domain::facts::{Kind, NAMES};

    pub(in super::super) fn candidate() -> Object {
        group("candidate.")
    }

    pub(in super::super) fn job() -> Object {
        group("job.")
    }

    pub(in super::super) fn offer() -> Object {
        group("offer.")
    }

    pub(in super::super) fn tenant() -> Object {
        group("tenant.")
    }

    fn group(prefix: &str) -> Object {
        let fields = NAMES.iter().filter_map(|(name, kind)| Some((name.strip_prefix(prefix)?, *kind)));
        fields.fold(ObjectBuilder::new(), |object, (name, kind)| object.property(name, of(kind))).build()
    }

    fn of(kind: Kind) -> RefOr<Schema> {
        let plain = |kind: Type| ObjectBuilder::new().schema_type(SchemaType::new(kind));
        let schema = match kind {
            Kind::Text => Schema::Object(plain(Type::String).build()),
            Kind::Number => Schema::Object(plain(Type::Number).build()),
            Kind::Date => Schema::Object(
                plain(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Date))).build(),
            ),
            Kind::List => Schema::Array(Array::new(plain(Type::String).build())),
            Kind::Emails => {
                let text = || plain(Type::String).build();
                let address = plain(Type::Object).property("address", text()).property("kind", text());
                Schema::Array(Array::new(address.required("address").build()))
            }
        };
        RefOr::T(schema)
    }
}
