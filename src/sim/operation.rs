//! The operations of Personio v1 that the simulator knows, and the paths that lead to them.

use hyper::Method;
use serde::{Deserialize, Serialize};

/// One operation of the API, as faults and records name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Every operation; only of use in a [`Fault`](super::Fault).
    Any,
    /// `POST /v1/auth`
    Auth,
    /// `POST /v1/company/employees`
    CreateEmployee,
    /// `GET /v1/company/employees`
    ListEmployees,
    /// `GET /v1/company/employees/{id}`
    GetEmployee,
    /// `PATCH /v1/company/employees/{id}`
    UpdateEmployee,
    /// `GET /v1/company/employees/attributes` and its alias `…/custom-attributes`
    ListAttributes,
    /// `GET /v1/company/document-categories`
    ListCategories,
    /// `POST /v1/company/documents`
    UploadDocument,
    /// Anything else: answered 404 and recorded as a violation.
    Unknown,
}

impl Operation {
    /// The operation behind a method and path, with the id that the path carries.
    pub(super) fn of(method: &Method, path: &str) -> (Self, Option<u64>) {
        let Some(rest) = path.strip_prefix("/v1/") else { return (Self::Unknown, None) };
        let operation = match (method.as_str(), rest) {
            ("POST", "auth") => Self::Auth,
            ("POST", "company/employees") => Self::CreateEmployee,
            ("GET", "company/employees") => Self::ListEmployees,
            ("GET", "company/employees/attributes" | "company/employees/custom-attributes") => {
                Self::ListAttributes
            }
            ("GET", "company/document-categories") => Self::ListCategories,
            ("POST", "company/documents") => Self::UploadDocument,
            (method, rest) => return Self::of_one_employee(method, rest),
        };
        (operation, None)
    }

    fn of_one_employee(method: &str, rest: &str) -> (Self, Option<u64>) {
        let id = rest.strip_prefix("company/employees/").and_then(|id| id.parse().ok());
        match (method, id) {
            ("GET", Some(_)) => (Self::GetEmployee, id),
            ("PATCH", Some(_)) => (Self::UpdateEmployee, id),
            _ => (Self::Unknown, None),
        }
    }

    /// Whether a success of it changes what is stored.
    pub(super) fn writes(self) -> bool {
        matches!(self, Self::CreateEmployee | Self::UpdateEmployee | Self::UploadDocument)
    }
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.serialize(f)
    }
}
