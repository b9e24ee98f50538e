//! What is in Personio now, as it is shown.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::hire::EmployeeLink;
use crate::transfer::{There, ThereField, Transfer};

/// Who is in Personio now.
#[derive(Serialize, ToSchema)]
#[schema(as = InPersonio)]
pub(in super::super) struct ThereShape {
    people: Vec<PersonShape>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = PersonInPersonio)]
struct PersonShape {
    employee: EmployeeLink,
    /// `onboarding`, `active`, `leave` or `inactive`, if the credential may read it.
    #[schema(example = "onboarding")]
    status: Option<String>,
    fields: Vec<FieldShape>,
}

/// An attribute of the plan, there and here.
#[derive(Serialize, ToSchema)]
#[schema(as = FieldInPersonio)]
struct FieldShape {
    /// The Personio attribute.
    #[schema(example = "department")]
    field: String,
    /// `same`, `other`, `empty`, or `hidden`: the credential may not read it.
    #[schema(example = "other")]
    verdict: &'static str,
    /// What the plan has.
    #[schema(value_type = Value)]
    planned: Value,
    /// What Personio shows, if that is something else.
    #[schema(value_type = Option<Value>)]
    there: Option<Value>,
}

impl ThereShape {
    pub(in super::super) fn of(people: Vec<There>, transfer: &Transfer) -> Self {
        let person = |There { id, status, fields }| PersonShape {
            employee: EmployeeLink::of(id, transfer),
            status,
            fields: fields.into_iter().map(FieldShape::from).collect(),
        };
        Self { people: people.into_iter().map(person).collect() }
    }
}

impl From<ThereField> for FieldShape {
    fn from(field: ThereField) -> Self {
        let ThereField { name, planned, verdict, there } = field;
        Self { field: name, verdict, planned, there }
    }
}
