//! What Personio takes: the attributes of an employee, for whoever corrects a plan.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::App;
use super::contract::tag;
use super::door::Viewer;
use crate::domain::Catalog;
use crate::domain::employee::{SYSTEM, Shape};

/// What Personio takes when an employee is created.
#[derive(Serialize, ToSchema)]
#[schema(as = Catalog, example = json!({
    "learned": true,
    "attributes": [
        {"key": "department", "label": "Abteilung", "shape": "text", "options": ["Engineering", "People"], "closed": false},
        {"key": "dynamic_101", "label": "T-shirt size", "shape": "option", "options": ["M", "L"], "closed": true},
    ],
}))]
pub(super) struct CatalogShape {
    /// Whether Personio could be asked for its attributes; if not, those of the company are not known.
    learned: bool,
    /// Personio's own attributes first, then the company's, by their labels.
    attributes: Vec<AttributeShape>,
}

/// An attribute that a plan may have.
#[derive(Serialize, ToSchema)]
#[schema(as = Attribute)]
struct AttributeShape {
    /// What corrections call it.
    key: String,
    /// What people see in Personio, if that is known.
    label: Option<String>,
    /// How a value must look: `text`, `lines`, `date`, `number`, `integer`, `option` or `tags`.
    shape: &'static str,
    /// Values that are known; `null` if none are.
    options: Option<Vec<String>>,
    /// Whether Personio takes nothing but these.
    closed: bool,
}

/// The attributes that a plan may have, with the values that Personio is known to take.
///
/// As far as it was learned from Personio: departments, offices and subcompanies are listed nowhere, and are those
/// that its employees have.
#[utoipa::path(get, path = "/v1/catalog", tag = tag::HIRES, operation_id = "catalog", responses(
    (status = 200, description = "The attributes", body = CatalogShape),
))]
pub(super) async fn list(_: Viewer, State(app): State<App>) -> Json<CatalogShape> {
    let catalog = app.transfer.planner().catalog.catalog();
    let mut own: Vec<_> = catalog.own().map(|one| shape(&catalog, &one.key)).collect();
    own.sort_by(|one, other| (&one.label, &one.key).cmp(&(&other.label, &other.key)));
    let attributes = SYSTEM.iter().map(|(key, _)| shape(&catalog, key)).chain(own).collect();
    Json(CatalogShape { learned: catalog.attributes.is_some(), attributes })
}

fn shape(catalog: &Catalog, key: &str) -> AttributeShape {
    let known = catalog.attribute(key);
    let shape = catalog.shape(key);
    let options = match shape {
        Shape::Gender => ["male", "female", "diverse"].map(str::to_owned).to_vec(),
        Shape::Status => ["onboarding", "active", "leave", "inactive"].map(str::to_owned).to_vec(),
        _ => catalog.names_of(key).chain(known.iter().flat_map(|own| &own.options)).cloned().collect(),
    };
    let closed = matches!(shape, Shape::Gender | Shape::Status | Shape::Option | Shape::Tags);
    AttributeShape {
        key: key.to_owned(),
        label: known.map(|known| known.label.clone()),
        shape: match shape {
            Shape::Text => "text",
            Shape::Lines => "lines",
            Shape::Date => "date",
            Shape::Number => "number",
            Shape::Integer => "integer",
            Shape::Option | Shape::Gender | Shape::Status => "option",
            Shape::Tags => "tags",
        },
        closed: closed && !options.is_empty(),
        options: Some(options).filter(|options| !options.is_empty()),
    }
}
