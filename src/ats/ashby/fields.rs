//! The custom fields that there are in Ashby, for whoever sets them up. Needs the right `hiringProcessMetadataRead`.
//!
//! Fact: <https://developers.ashbyhq.com/reference/customfieldlist>.

use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use super::super::CustomField;
use super::super::api::{Api, ApiError};
use super::ask::results;

/// The largest page that Ashby gives.
const PAGE: usize = 100;

/// So many pages are read at most.
const PAGES: usize = 20;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Field {
    title: String,
    object_type: Option<String>,
    #[serde(default)]
    is_archived: bool,
    selectable_values: Option<Vec<Choice>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Choice {
    label: String,
    #[serde(default)]
    is_archived: bool,
}

/// All that are in use.
pub(super) async fn all(api: &Api, deadline: Instant) -> Result<Vec<CustomField>, ApiError> {
    let mut all = Vec::new();
    let mut body = json!({ "limit": PAGE });
    for _ in 0..PAGES {
        let answer = api.post_json("customField.list", &body, deadline).await?;
        let next = answer["nextCursor"].as_str().filter(|_| answer["moreDataAvailable"] == true);
        let next = next.map(str::to_owned);
        let fields =
            serde_json::from_value::<Vec<Field>>(results(answer)?).map_err(|_| ApiError::Unreadable)?;
        all.extend(fields.into_iter().filter(|field| !field.is_archived).map(CustomField::from));
        let Some(next) = next else { break };
        body = json!({ "limit": PAGE, "cursor": next });
    }
    Ok(all)
}

impl From<Field> for CustomField {
    fn from(field: Field) -> Self {
        let choices = field.selectable_values.unwrap_or_default().into_iter();
        Self {
            title: field.title,
            place: field.object_type.unwrap_or_default(),
            options: choices.filter(|choice| !choice.is_archived).map(|choice| choice.label).collect(),
        }
    }
}
