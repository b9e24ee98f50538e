//! Attributes: the catalogue, and people as Personio writes them, each value in its wrapping.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::company::Company;
use super::fitting::tags;
use super::manner::{Manner, TagsShape};
use super::person::{Person, Stored};
use super::seed::{Attribute, AttributeKind};

/// What every Personio has: key (also the universal id), label, type.
const SYSTEM: [(&str, &str, &str); 23] = [
    ("id", "ID", "integer"),
    ("first_name", "First name", "standard"),
    ("last_name", "Last name", "standard"),
    ("preferred_name", "Name (preferred)", "standard"),
    ("email", "Email", "standard"),
    ("gender", "Gender", "standard"),
    ("status", "Status", "standard"),
    ("position", "Position", "standard"),
    ("supervisor", "Supervisor", "standard"),
    ("employment_type", "Employment type", "standard"),
    ("weekly_working_hours", "Weekly hours", "standard"),
    ("hire_date", "Hire date", "date"),
    ("contract_end_date", "Contract ends", "date"),
    ("termination_date", "Termination date", "date"),
    ("termination_type", "Termination type", "standard"),
    ("termination_reason", "Termination reason", "standard"),
    ("probation_period_end", "Probation period end", "date"),
    ("created_at", "created_at", "date"),
    ("last_modified_at", "Last modified", "date"),
    ("subcompany", "Subcompany", "standard"),
    ("office", "Office", "standard"),
    ("department", "Department", "standard"),
    ("cost_centers", "Cost center", "standard"),
];

const FIRST_SUBCOMPANY: usize = 7001;
const FIRST_OFFICE: usize = 131_001;
const FIRST_DEPARTMENT: usize = 281_001;

/// `GET /v1/company/employees/attributes`: what the credential may read.
pub(super) fn catalogue(company: &Company, manner: &Manner) -> Answer {
    let system = SYSTEM.iter().map(|(key, label, kind)| {
        json!({"key": key, "label": label, "type": kind, "universal_id": key, "options": []})
    });
    let own = company.attributes.iter().map(|attribute| json!(attribute));
    let readable = |entry: &Value| entry["key"].as_str().is_some_and(|key| manner.readable(key));
    Answer::data(200, system.chain(own).filter(readable).collect::<Vec<_>>())
}

/// `{"type":"Employee","attributes":{…}}` with what was asked for and may be read.
pub(super) fn wrapped(
    company: &Company,
    stored: &Stored,
    manner: &Manner,
    asked: &dyn Fn(&str) -> bool,
) -> Value {
    let shown = |key: &str| asked(key) && manner.readable(key);
    let mut attributes = Map::new();
    for (key, label, kind) in SYSTEM.iter().filter(|(key, ..)| shown(key)) {
        let value = system_value(company, stored, key);
        attributes.insert((*key).to_owned(), wrap(label, &value, kind, Some(key)));
    }
    for attribute in company.attributes.iter().filter(|attribute| shown(&attribute.key)) {
        let value = own_value(attribute, stored.person.custom_attributes.get(&attribute.key), manner.tags);
        let universal_id = attribute.universal_id.as_deref();
        attributes
            .insert(attribute.key.clone(), wrap(&attribute.label, &value, &attribute.kind, universal_id));
    }
    json!({"type": "Employee", "attributes": attributes})
}

fn wrap(label: &str, value: &Value, kind: &impl Serialize, universal_id: Option<&str>) -> Value {
    json!({"label": label, "value": value, "type": kind, "universal_id": universal_id})
}

fn system_value(company: &Company, stored: &Stored, key: &str) -> Value {
    let person = &stored.person;
    match key {
        "id" => json!(stored.id),
        "first_name" => json!(person.first_name),
        "last_name" => json!(person.last_name),
        "preferred_name" => json!(person.preferred_name.as_deref().unwrap_or_default()),
        "email" => json!(person.email),
        "gender" => person.gender.map_or(json!(""), |gender| json!(gender)),
        "status" => json!(person.status),
        "position" => json!(person.position.as_deref().unwrap_or_default()),
        "supervisor" => supervisor(company, person),
        "employment_type" => json!("internal"),
        "weekly_working_hours" => json!(person.weekly_working_hours.map(|hours| hours.to_string())),
        "hire_date" => json!(person.hire_date.map(|date| company.calendar.midnight(date))),
        "created_at" => json!(company.calendar.stamp(stored.created_at)),
        "last_modified_at" => json!(company.calendar.stamp(stored.last_modified_at)),
        "subcompany" => {
            entry("Subcompany", FIRST_SUBCOMPANY, &company.subcompanies, person.subcompany.as_ref())
        }
        "office" => entry("Office", FIRST_OFFICE, &company.offices, person.office.as_ref()),
        "department" => {
            entry("Department", FIRST_DEPARTMENT, &company.departments, person.department.as_ref())
        }
        "cost_centers" => json!([]),
        _ => Value::Null,
    }
}

/// `{"type":"Department","attributes":{"id":…,"name":…}}`
fn entry(kind: &str, first_id: usize, names: &[String], name: Option<&String>) -> Value {
    let place = name.and_then(|name| names.iter().position(|known| known == name));
    match place {
        Some(place) => json!({"type": kind, "attributes": {"id": first_id + place, "name": name}}),
        None => Value::Null,
    }
}

fn supervisor(company: &Company, person: &Person) -> Value {
    let supervisor = person.supervisor_id.and_then(|id| company.employees.get(&id));
    supervisor.map_or(Value::Null, |stored| short(company, stored))
}

/// The few attributes with which Personio names an employee inside another answer.
pub(super) fn short(company: &Company, stored: &Stored) -> Value {
    let named = |(key, label, kind): &(&str, &str, &str)| {
        let value = system_value(company, stored, key);
        ((*key).to_owned(), wrap(label, &value, kind, Some(key)))
    };
    let shown = SYSTEM.iter().filter(|(key, ..)| ["id", "first_name", "last_name", "email"].contains(key));
    json!({"type": "Employee", "attributes": shown.map(named).collect::<Map<_, _>>()})
}

/// The value of an own attribute. Empty is `""`, `[]` or `null`, as the real ones are.
fn own_value(attribute: &Attribute, value: Option<&String>, shape: TagsShape) -> Value {
    let text = value.map(String::as_str).filter(|text| !text.is_empty());
    match (attribute.kind, text) {
        (AttributeKind::Standard | AttributeKind::Multiline, None) => json!(""),
        (AttributeKind::Tags, None) => json!([]),
        (_, None) => Value::Null,
        (AttributeKind::Integer, Some(text)) => json!(text.parse::<i64>().ok()),
        (AttributeKind::Decimal, Some(text)) => json!(text.parse::<f64>().ok()),
        (AttributeKind::Tags, Some(text)) => match shape {
            TagsShape::Commas => json!(tags(text).collect::<Vec<_>>().join(",")),
            TagsShape::JsonInString => json!(json!(tags(text).collect::<Vec<_>>()).to_string()),
        },
        (_, Some(text)) => json!(text),
    }
}
