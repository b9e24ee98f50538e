//! What a list is asked for: which hires, and where the page begins.

use std::borrow::Cow;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value};
use url::form_urlencoded;
use utoipa::ToSchema;
use uuid::Uuid;

use super::code::Code;
use super::problem::Problem;
use super::shapes::FLAGS;
use crate::domain::HireId;
use crate::domain::state::ALL;
use crate::ledger::Filter;
use crate::transfer::Search;

/// How many hires a page has unless the query says otherwise.
const USUAL: usize = 50;

/// How many it may have.
const MOST: usize = 200;

/// How many characters a name that is looked for may have.
const LONGEST_NAME: usize = 100;

/// The query of `GET /v1/hires`. Every parameter that is wrong is named, and no value repeated.
pub(super) struct Page(pub(super) Search);

impl<S: Sync> FromRequestParts<S> for Page {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        search(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

fn search(query: &str) -> Result<Search, Problem> {
    read(form_urlencoded::parse(query.as_bytes()), Code::InvalidQuery)
}

/// What `POST /v1/hires/search` takes: a name, and what a list can be asked for.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"name": "mia beisp", "state": "created", "limit": 20}))]
pub(super) struct SearchRequest {
    /// Words that are all in the names or the e-mail address; accents and capitals do not count.
    #[schema(max_length = 100)]
    name: String,
    /// The parameters of `GET /v1/hires`: `state`, `reason`, `needs`, `source`, `ats_id`, `flag`, `since`, `limit`,
    /// `cursor`.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    filters: Map<String, Value>,
}

impl SearchRequest {
    pub(super) fn understood(self) -> Result<Search, Problem> {
        if self.name.chars().count() > LONGEST_NAME {
            let message = format!("must have at most {LONGEST_NAME} characters");
            return Err(Problem::of(Code::Invalid).field("name", message));
        }
        let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let filters = self.filters.into_iter().map(|(name, value)| (name.into(), text(value).into()));
        Ok(Search { name: Some(self.name), ..read(filters, Code::Invalid)? })
    }
}

/// Reads all parameters; those that are wrong are named.
fn read<'a>(
    parameters: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>,
    otherwise: Code,
) -> Result<Search, Problem> {
    let mut search = Search { filter: Filter { limit: USUAL, ..Filter::default() }, ..Search::default() };
    let mut mistakes = Vec::new();
    for (name, value) in parameters {
        if let Err(expected) = set(&mut search, &name, &value) {
            mistakes.push((name.into_owned(), expected));
        }
    }
    if mistakes.is_empty() {
        return Ok(search);
    }
    let problem = Problem::of(otherwise);
    Err(mistakes.into_iter().fold(problem, |problem, (name, expected)| problem.field(name, expected)))
}

fn set(search: &mut Search, name: &str, value: &str) -> Result<(), &'static str> {
    let filter = &mut search.filter;
    match name {
        "needs" if value == "person" => search.needs_person = true,
        "needs" => return Err("must be `person`"),
        "name" => return Err("does not belong in a URL; `POST /v1/hires/search` takes it"),
        "reason" => filter.reason = Some(value.to_owned()),
        "state" => filter.state = Some(state(value).ok_or("is not the name of a state")?),
        "source" => filter.source = Some(value.to_owned()),
        "ats_id" => filter.ats_id = Some(value.to_owned()),
        "since" => {
            filter.since = Some(value.parse().map_err(|_| "must be a time such as 2027-01-31T09:00:00Z")?);
        }
        "flag" => filter.flag = Some(flag(value).ok_or("is not the name of a flag")?),
        "cursor" => filter.after = Some(parse_cursor(value).ok_or("is not a `next_cursor` of this list")?),
        "limit" => filter.limit = limit(value).ok_or("must be a number from 1 to 200")?,
        _ => return Err("is not a known parameter"),
    }
    Ok(())
}

fn state(value: &str) -> Option<String> {
    ALL.iter().any(|state| state.name() == value).then(|| value.to_owned())
}

fn flag(value: &str) -> Option<&'static str> {
    FLAGS.iter().copied().find(|flag| *flag == value)
}

fn limit(value: &str) -> Option<usize> {
    value.parse().ok().filter(|limit| (1..=MOST).contains(limit))
}

/// Where the next page begins. What it says is ours to change.
pub(super) fn cursor(last: HireId) -> String {
    URL_SAFE_NO_PAD.encode(last.0.as_bytes())
}

fn parse_cursor(text: &str) -> Option<HireId> {
    Uuid::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok().map(HireId)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_and_its_cursor_survives() {
        let id = HireId(Uuid::from_u128(7));
        let query = format!(
            "needs=person&state=held&reason=missing&source=ashby&ats_id=a%2Fb&since=2027-01-31T09:00:00Z&limit=200&flag=unhired&cursor={}",
            cursor(id)
        );
        let search = search(&query).expect("the query is right");
        let filter = &search.filter;
        assert!(search.needs_person);
        assert_eq!((filter.state.as_deref(), filter.reason.as_deref()), (Some("held"), Some("missing")));
        assert_eq!(filter.ats_id.as_deref(), Some("a/b"));
        assert_eq!(filter.flag, Some("unhired"));
        assert_eq!((filter.limit, filter.after), (200, Some(id)));
    }

    #[test]
    fn every_wrong_parameter_is_named_and_no_value_repeated() {
        let query = "state=mia&since=mia&limit=201&flag=mia&cursor=mia&needs=mia&name=mia";
        let problem = search(query).expect_err("is refused");
        let body = serde_json::to_value(problem.body()).expect("a problem serialises");
        let names: Vec<_> =
            body["errors"].as_array().into_iter().flatten().filter_map(|e| e["field"].as_str()).collect();
        assert_eq!(names, ["state", "since", "limit", "flag", "cursor", "needs", "name"]);
        assert_eq!(body["code"], Value::from("invalid_query"));
        assert!(!body.to_string().contains("mia"));
    }
}
