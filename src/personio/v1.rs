//! Personio's API, generation 1: paths, bodies, answers. Names go in, unknown names are dropped.
//!
//! Source: <https://developer.personio.de/reference> and the definitions behind it.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::call::{Call, Operation};
use super::error::CallError;
use super::person::Person;
use crate::domain::catalog::Category;
use crate::domain::examine::media_type;
use crate::domain::{Attribute, Employee, Upload};
use crate::outbound::Answer;
use crate::outbound::form::{Attached, Content, Form};

const AUTH: &str = "v1/auth";
const EMPLOYEES: &str = "v1/company/employees";
const CATEGORIES: &str = "v1/company/document-categories";
const DOCUMENTS: &str = "v1/company/documents";
const ATTRIBUTES: &str = "v1/company/employees/attributes";

/// How long a token is good if Personio does not say.
const A_DAY: SignedDuration = SignedDuration::from_hours(24);

/// The body of `POST /v1/auth`. Never in the query:
/// <https://developer.personio.de/changelog/deprecated-query-string-credentials-on-post-v1auth>.
pub(super) fn credential(id: &SecretString, secret: &SecretString) -> Bytes {
    #[derive(Serialize)]
    struct Credential<'a> {
        client_id: &'a str,
        client_secret: &'a str,
    }
    json(&Credential { client_id: id.expose_secret(), client_secret: secret.expose_secret() })
}

pub(super) fn authenticate(credential: Bytes, deadline: Timestamp) -> Call {
    Call::post(Operation::Authenticate, AUTH, credential, deadline)
}

/// Personio answers with nobody or one; a longer page only if it should ignore the filter.
pub(super) fn look_up(email: &str, deadline: Timestamp) -> Call {
    let query = vec![("email", email.to_owned()), ("limit", "100".to_owned())];
    Call { query, ..Call::get(Operation::LookUp, EMPLOYEES, deadline) }
}

pub(super) fn read(id: u64, deadline: Timestamp) -> Call {
    Call::get(Operation::Read, format!("{EMPLOYEES}/{id}"), deadline)
}

pub(super) fn attributes(deadline: Timestamp) -> Call {
    Call::get(Operation::Attributes, ATTRIBUTES, deadline)
}

pub(super) fn categories(deadline: Timestamp) -> Call {
    Call::get(Operation::Categories, CATEGORIES, deadline)
}

/// People from `offset` on, with these attributes. A page has at most a hundred:
/// <https://developer.personio.de/changelog/pagination-enforcement-v1-employees-api>.
pub(super) fn page(attributes: &[&str], offset: usize, deadline: Timestamp) -> Call {
    let mut query = vec![("limit", "100".to_owned()), ("offset", offset.to_string())];
    query.extend(attributes.iter().map(|attribute| ("attributes[]", (*attribute).to_owned())));
    Call { query, ..Call::get(Operation::Page, EMPLOYEES, deadline) }
}

pub(super) fn create(employee: &Employee, deadline: Timestamp) -> Call {
    #[derive(Serialize)]
    struct New<'a> {
        employee: &'a Employee,
    }
    Call::post(Operation::Create, EMPLOYEES, json(&New { employee }), deadline)
}

/// A document as `POST /v1/company/documents` takes it: <https://github.com/personio/api-docs>.
pub(super) fn upload(upload: &Upload, content: Content, deadline: Timestamp) -> Call {
    let mut fields = vec![
        ("title", upload.title.clone()),
        ("employee_id", upload.employee.to_string()),
        ("category_id", upload.category.to_string()),
    ];
    fields.extend(upload.date.map(|date| ("date", date.to_string())));
    fields.extend(upload.comment.clone().map(|comment| ("comment", comment)));
    let (name, media_type) = (upload.file_name.clone(), media_type(&upload.file_name));
    let form = Form { fields, file: Attached { field: "file", name, media_type, content } };
    Call::post_form(Operation::Upload, DOCUMENTS, form, deadline)
}

fn json(body: &impl Serialize) -> Bytes {
    serde_json::to_vec(body).expect("strings and JSON values serialise").into()
}

/// What every answer is wrapped in. On failure `success` is false, with any status.
#[derive(Deserialize)]
pub(super) struct Envelope {
    pub(super) success: Option<bool>,
    #[serde(default)]
    pub(super) data: Value,
    #[serde(default)]
    pub(super) meta: Value,
    #[serde(default)]
    pub(super) error: Value,
    #[serde(default)]
    pub(super) metadata: Value,
}

impl Envelope {
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }
}

/// The data of a successful answer.
fn data(answer: &Answer, now: Timestamp) -> Result<Value, CallError> {
    successful(answer, now).map(|envelope| envelope.data)
}

fn successful(answer: &Answer, now: Timestamp) -> Result<Envelope, CallError> {
    if !(200..=299).contains(&answer.status) {
        return Err(CallError::from_answer(answer, now));
    }
    let envelope = Envelope::read(&answer.body).ok_or(CallError::Unreadable("not_personio_json"))?;
    match envelope.success {
        Some(false) => Err(CallError::Refused(answer.status)),
        _ => Ok(envelope),
    }
}

/// The token and how long it is good.
pub(super) fn read_token(answer: &Answer, now: Timestamp) -> Result<(String, SignedDuration), CallError> {
    let data = data(answer, now).map_err(|error| match error {
        CallError::NotAllowed | CallError::Refused(200..=299 | 400 | 422) => CallError::Credential,
        other => other,
    })?;
    let token = data["token"].as_str().filter(|token| !token.is_empty());
    let token = token.ok_or(CallError::Unreadable("no_token"))?;
    let lifetime = data["expires_in"].as_u64().and_then(|seconds| i64::try_from(seconds).ok());
    Ok((token.to_owned(), lifetime.map_or(A_DAY, SignedDuration::from_secs)))
}

pub(super) fn read_people(answer: &Answer, now: Timestamp) -> Result<Vec<Person>, CallError> {
    list(data(answer, now)?)?.into_iter().map(person).collect()
}

/// A page of people, and whether there are more behind them. Without a word on how many there are, the
/// first empty page is the last.
pub(super) fn read_page(
    answer: &Answer,
    offset: usize,
    now: Timestamp,
) -> Result<(Vec<Person>, bool), CallError> {
    let envelope = successful(answer, now)?;
    let people: Vec<_> = list(envelope.data)?.into_iter().map(person).collect::<Result<_, _>>()?;
    let total = envelope.metadata["total_elements"].as_u64().and_then(|total| usize::try_from(total).ok());
    let more = !people.is_empty() && total.is_none_or(|total| offset + people.len() < total);
    Ok((people, more))
}

pub(super) fn read_categories(answer: &Answer, now: Timestamp) -> Result<Vec<Category>, CallError> {
    let category = |shown: Value| {
        let id = shown["id"].as_u64()?;
        Some(Category { id, name: shown["attributes"]["name"].as_str()?.to_owned() })
    };
    let all: Option<Vec<_>> = list(data(answer, now)?)?.into_iter().map(category).collect();
    all.ok_or(CallError::Unreadable("no_categories"))
}

fn list(data: Value) -> Result<Vec<Value>, CallError> {
    match data {
        Value::Array(list) => Ok(list),
        _ => Err(CallError::Unreadable("no_list")),
    }
}

pub(super) fn read_person(answer: &Answer, now: Timestamp) -> Result<Option<Person>, CallError> {
    match data(answer, now) {
        Ok(data) => person(data).map(Some),
        Err(CallError::Refused(404)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn person(data: Value) -> Result<Person, CallError> {
    Person::read(data).ok_or(CallError::Unreadable("no_person"))
}

pub(super) fn read_attributes(answer: &Answer, now: Timestamp) -> Result<Vec<Attribute>, CallError> {
    #[derive(Deserialize)]
    struct Shown {
        key: String,
        #[serde(default)]
        label: String,
        #[serde(default, rename = "type")]
        kind: String,
        #[serde(default)]
        universal_id: Option<String>,
        #[serde(default)]
        options: Vec<String>,
    }
    let shown: Vec<Shown> =
        serde_json::from_value(data(answer, now)?).map_err(|_| CallError::Unreadable("no_attributes"))?;
    let known = |Shown { key, label, kind, universal_id, options }| Attribute {
        key,
        label,
        kind,
        universal_id,
        options,
    };
    Ok(shown.into_iter().map(known).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(status: u16, body: &Value) -> Answer {
        Answer { status, body: json(body), ..Answer::default() }
    }

    #[test]
    fn a_refused_credential_is_told_from_a_server_that_is_down() {
        let now = Timestamp::UNIX_EPOCH;
        let no = json!({"success": false, "error": {"code": 0, "message": "Wrong credentials"}});
        for status in [200, 400, 401, 403, 422] {
            assert_eq!(read_token(&answer(status, &no), now), Err(CallError::Credential), "{status}");
        }
        assert_eq!(read_token(&answer(404, &no), now), Err(CallError::Refused(404)));
        assert_eq!(read_token(&answer(503, &no), now), Err(CallError::Unreachable("status_503".into())));
        assert_eq!(read_token(&answer(200, &json!({})), now), Err(CallError::Unreadable("no_token")));
        let yes = json!({"success": true, "data": {"token": "papi-1", "expires_in": 60}});
        assert_eq!(read_token(&answer(200, &yes), now), Ok(("papi-1".into(), SignedDuration::from_secs(60))));
    }

    #[test]
    fn attributes_are_read_with_their_options() {
        let body = json!({"success": true, "data": [
            {"key": "dynamic_2", "label": "Shirt", "type": "list", "universal_id": null, "options": ["S", "M"]},
            {"key": "first_name", "label": "First name", "type": "standard", "universal_id": "first_name"},
        ]});
        let attributes = read_attributes(&answer(200, &body), Timestamp::UNIX_EPOCH).expect("attributes");
        assert_eq!(attributes[0].options, ["S", "M"]);
        assert_eq!(attributes[1].kind, "standard");
    }
}
