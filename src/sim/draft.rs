//! The strict reading of an `employee` object: every field by name and by type.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Deserialize as _;
use serde_json::{Map, Value};

use super::calendar::strict_date;
use super::person::{Gender, Person, Status};

/// One thing that the caller says about a person.
#[derive(Clone)]
pub(super) enum Change {
    Email(String),
    FirstName(String),
    LastName(String),
    PreferredName(String),
    Gender(Gender),
    Position(String),
    Subcompany(String),
    Department(String),
    Office(String),
    HireDate(Date),
    WeeklyHours(f64),
    Status(Status),
    Supervisor(Option<u64>),
    Custom(BTreeMap<String, String>),
}

/// What the body is for: an update takes no e-mail, requires nothing, and may take a supervisor away.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Create,
    Update,
}

/// Reads `{"employee": {…}}`; `Err` names every violation.
pub(super) fn read(body: &Value, purpose: Purpose) -> Result<Vec<Change>, Vec<String>> {
    let employee = employee_of(body).map_err(|what| vec![what])?;
    let mut wrong = Vec::new();
    let mut changes = Vec::new();
    for (key, value) in employee {
        match Change::read(key, value, purpose) {
            Ok(change) => changes.push(change),
            Err(what) => wrong.push(what),
        }
    }
    if purpose == Purpose::Create {
        let missing =
            ["email", "first_name", "last_name"].into_iter().filter(|key| !employee.contains_key(*key));
        wrong.extend(missing.map(|key| format!("employee.{key} is required")));
    }
    if wrong.is_empty() { Ok(changes) } else { Err(wrong) }
}

fn employee_of(body: &Value) -> Result<&Map<String, Value>, String> {
    let object = body.as_object().ok_or("the body must be a JSON object")?;
    if let Some(other) = object.keys().find(|key| *key != "employee") {
        return Err(format!("unknown field {other} beside employee"));
    }
    object.get("employee").and_then(Value::as_object).ok_or_else(|| "employee must be an object".into())
}

impl Change {
    fn read(key: &str, value: &Value, purpose: Purpose) -> Result<Self, String> {
        Ok(match key {
            "email" if purpose == Purpose::Create => Self::Email(text(key, value)?),
            "email" => return Err("employee.email cannot be changed".into()),
            "first_name" => Self::FirstName(text(key, value)?),
            "last_name" => Self::LastName(text(key, value)?),
            "preferred_name" => Self::PreferredName(text(key, value)?),
            "gender" => {
                Self::Gender(Gender::deserialize(value).map_err(|_| wrong(key, "male, female or diverse"))?)
            }
            "position" => Self::Position(text(key, value)?),
            "subcompany" => Self::Subcompany(text(key, value)?),
            "department" => Self::Department(text(key, value)?),
            "office" => Self::Office(text(key, value)?),
            "hire_date" => Self::HireDate(
                strict_date(&text(key, value)?).ok_or_else(|| wrong(key, "a date like 2027-01-31"))?,
            ),
            "weekly_working_hours" => {
                Self::WeeklyHours(value.as_f64().ok_or_else(|| wrong(key, "a number"))?)
            }
            "status" => Self::Status(
                Status::deserialize(value)
                    .map_err(|_| wrong(key, "onboarding, active, leave or inactive"))?,
            ),
            "supervisor_id" if value.is_null() && purpose == Purpose::Update => Self::Supervisor(None),
            "supervisor_id" => {
                Self::Supervisor(Some(value.as_u64().ok_or_else(|| wrong(key, "a whole number"))?))
            }
            "custom_attributes" => Self::Custom(custom(value)?),
            _ => return Err(format!("unknown field employee.{key}")),
        })
    }

    pub(super) fn apply(self, person: &mut Person) {
        match self {
            Self::Email(email) => person.email = email,
            Self::FirstName(name) => person.first_name = name,
            Self::LastName(name) => person.last_name = name,
            Self::PreferredName(name) => person.preferred_name = Some(name),
            Self::Gender(gender) => person.gender = Some(gender),
            Self::Position(title) => person.position = Some(title),
            Self::Subcompany(name) => person.subcompany = Some(name),
            Self::Department(name) => person.department = Some(name),
            Self::Office(name) => person.office = Some(name),
            Self::HireDate(date) => person.hire_date = Some(date),
            Self::WeeklyHours(hours) => person.weekly_working_hours = Some(hours),
            Self::Status(status) => person.status = Some(status),
            Self::Supervisor(id) => person.supervisor_id = id,
            Self::Custom(values) => person.custom_attributes.extend(values),
        }
    }
}

/// Personio documents every custom attribute's value as a string, numbers too.
fn custom(value: &Value) -> Result<BTreeMap<String, String>, String> {
    let object = value.as_object().ok_or_else(|| wrong("custom_attributes", "an object"))?;
    let read = |(key, value): (&String, &Value)| {
        text(&format!("custom_attributes.{key}"), value).map(|text| (key.clone(), text))
    };
    object.iter().map(read).collect()
}

fn text(key: &str, value: &Value) -> Result<String, String> {
    value.as_str().map(str::to_owned).ok_or_else(|| wrong(key, "a string"))
}

fn wrong(key: &str, wanted: &str) -> String {
    format!("employee.{key} must be {wanted}")
}
