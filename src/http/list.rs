//! The query of a list: which hires, and where the page begins.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::form_urlencoded;
use uuid::Uuid;

use super::code::Code;
use super::problem::Problem;
use super::shapes::FLAGS;
use crate::domain::HireId;
use crate::domain::state::ALL;
use crate::ledger::Filter;

/// How many hires a page has unless the query says otherwise.
const USUAL: usize = 50;

/// How many it may have.
const MOST: usize = 200;

/// The query of `GET /v1/hires`. Every parameter that is wrong is named, and no value repeated.
pub(super) struct Page(pub(super) Filter);

impl<S: Sync> FromRequestParts<S> for Page {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        filter(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

fn filter(query: &str) -> Result<Filter, Problem> {
    let mut filter = Filter { limit: USUAL, ..Filter::default() };
    let mut mistakes = Vec::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if let Err(expected) = set(&mut filter, &name, &value) {
            mistakes.push((name.into_owned(), expected));
        }
    }
    if mistakes.is_empty() {
        return Ok(filter);
    }
    let problem = Problem::of(Code::InvalidQuery);
    Err(mistakes.into_iter().fold(problem, |problem, (name, expected)| problem.field(name, expected)))
}

fn set(filter: &mut Filter, name: &str, value: &str) -> Result<(), &'static str> {
    match name {
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
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_query_is_read_and_its_cursor_survives() {
        let id = HireId(Uuid::from_u128(7));
        let query = format!(
            "state=held&source=ashby&ats_id=a%2Fb&since=2027-01-31T09:00:00Z&limit=200&flag=unhired&cursor={}",
            cursor(id)
        );
        let filter = filter(&query).expect("the query is right");
        assert_eq!(filter.state.as_deref(), Some("held"));
        assert_eq!(filter.ats_id.as_deref(), Some("a/b"));
        assert_eq!(filter.flag, Some("unhired"));
        assert_eq!((filter.limit, filter.after), (200, Some(id)));
    }

    #[test]
    fn every_wrong_parameter_is_named_and_no_value_repeated() {
        let query = "state=mia&since=mia&limit=201&flag=mia&cursor=mia&name=mia";
        let problem = filter(query).expect_err("is refused");
        let body = serde_json::to_value(problem.body()).expect("a problem serialises");
        let names: Vec<_> =
            body["errors"].as_array().into_iter().flatten().filter_map(|e| e["field"].as_str()).collect();
        assert_eq!(names, ["state", "since", "limit", "flag", "cursor", "name"]);
        assert_eq!(body["code"], Value::from("invalid_query"));
        assert!(!body.to_string().contains("mia"));
    }
}
