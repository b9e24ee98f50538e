//! A plan, as it is shown.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::domain::{Plan, Warning};

/// Exactly what Personio would get, and what is to be known about it.
#[derive(Serialize, ToSchema)]
#[schema(as = Plan, example = json!({
    "hash": "9f2c4d1b7c0e5a6f8b3d2e1c0a9f8e7d6c5b4a39281706f5e4d3c2b1a0918273",
    "sendable": true,
    "employee": {"email": "mia.beispiel@example.org", "first_name": "Mia", "last_name": "Beispiel",
        "department": "Enginering", "hire_date": "2027-02-01"},
    "documents": [],
    "warnings": [],
    "notes": [],
    "missing": ["position"],
    "status": "onboarding",
    "final": ["email"],
}))]
pub struct PlanShape {
    /// SHA-256 of what Personio would get: sending asks for it.
    hash: String,
    /// Whether it may be sent as it is.
    sendable: bool,
    /// The employee, as Personio's create call takes it.
    #[schema(value_type = Object)]
    employee: Map<String, Value>,
    /// The documents that would follow.
    documents: Vec<PlannedDocumentShape>,
    /// What a person should look at.
    warnings: Vec<WarningShape>,
    /// Expected things, as stable codes.
    notes: Vec<String>,
    /// Attributes that the mapping names and for which there is no value.
    missing: Vec<String>,
    /// The status with which Personio will begin: the one that is sent or, without one, by its own rule for the
    /// first day.
    #[schema(example = "onboarding")]
    status: Option<String>,
    /// Attributes that cannot be changed later through the API, only in Personio itself.
    #[serde(rename = "final")]
    unchangeable: &'static [&'static str],
}

/// What Personio's update call does not take.
/// Source: <https://developer.personio.de/reference/patch_company-employees-employee-id>.
const FINAL: &[&str] = &["email"];

impl From<&Plan> for PlanShape {
    fn from(plan: &Plan) -> Self {
        let documents = plan.documents.iter().map(|document| PlannedDocumentShape {
            id: document.id.clone(),
            kind: document.kind.clone(),
            category: document.category.clone(),
        });
        Self {
            hash: plan.hash(),
            sendable: plan.sendable(),
            employee: plan.employee.clone().into(),
            documents: documents.collect(),
            warnings: plan.warnings.iter().map(WarningShape::from).collect(),
            notes: plan.notes.clone(),
            missing: plan.missing.clone(),
            status: plan.begins_as().map(str::to_owned),
            unchangeable: FINAL,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = PlannedDocument)]
struct PlannedDocumentShape {
    /// The file's id at the ATS.
    id: String,
    /// `resume`, `offer_letter` …
    kind: String,
    /// The Personio category it goes to.
    category: String,
}

/// Something a person should look at.
#[derive(Serialize, ToSchema)]
#[schema(as = Warning)]
pub(super) struct WarningShape {
    /// The stable code: `dropped`, `changed`, `name_split` …
    #[schema(example = "dropped")]
    code: String,
    /// The Personio attribute it is about.
    #[schema(example = "department")]
    field: Option<String>,
    /// The value that was, or would be, sent.
    #[schema(value_type = Option<Value>)]
    sent: Option<Value>,
    /// The values that Personio would take, where they are known; the likeliest first.
    options: Vec<String>,
    /// What to write into the configuration so that it does not happen again, ready to paste.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        example = "department = { from = \"job.department\", values = { \"Eng\" = \"Engineering\" } } # in [mapping.fields]"
    )]
    line: Option<String>,
}

impl From<&Warning> for WarningShape {
    fn from(warning: &Warning) -> Self {
        Self {
            code: warning.code.clone(),
            field: warning.field.clone(),
            sent: warning.sent.clone(),
            options: warning.options.clone(),
            line: warning.line.clone(),
        }
    }
}

/// A plan that was made and not stored.
#[derive(Serialize, ToSchema)]
pub struct Preview {
    plan: PlanShape,
}

impl From<Plan> for Preview {
    fn from(plan: Plan) -> Self {
        Self { plan: PlanShape::from(&plan) }
    }
}
