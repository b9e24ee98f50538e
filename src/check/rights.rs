//! What the credential may do, as far as it can be proved without changing anything.

use jiff::Timestamp;

use super::{Finding, Verdict, not_asked};
use crate::domain::catalog::Category;
use crate::personio::{CallError, Reader};

/// Where a credential's rights are ticked.
/// Source: <https://support.personio.de/hc/en-us/articles/4404623630993>.
pub(super) const INTEGRATION: &str = "Marketplace > Connected integrations > your custom integration";

/// Where the attributes are ticked that a credential may read. The same source.
pub(super) const READABLE: &str =
    "Marketplace > Connected integrations > your custom integration > Readable employee attributes";

/// An address that nobody has: reading employees is tried with it.
const NOBODY: &str = "hirebridge-check@example.invalid";

pub(super) async fn reading(reader: &Reader, deadline: Timestamp) -> Finding {
    match reader.find_by_email(NOBODY, deadline).await {
        Ok(_) => {
            Finding::ok("employees", "may be read: hires are looked up before and compared after sending")
        }
        Err(CallError::NotAllowed) => Finding::bad(
            Verdict::Warning,
            "employees",
            "may not be read: hires are sent without a look-up, and what Personio dropped is not noticed",
            "the right to read employees",
            "tick Employees > Read, and tick the attributes that you map as readable",
        )
        .at(INTEGRATION),
        Err(error) => not_asked("employees", &error),
    }
}

/// Creating cannot be tried without creating somebody.
pub(super) fn writing() -> Finding {
    Finding::bad(
        Verdict::NotCheckable,
        "employees",
        "whether they may be created shows with the first hire",
        "the right to write employees",
        "look whether Employees > Write is ticked",
    )
    .at(INTEGRATION)
}

pub(super) fn categories(answer: &Result<Vec<Category>, CallError>) -> Finding {
    match answer {
        Ok(categories) => {
            let names: Vec<_> = categories.iter().map(|category| category.name.as_str()).collect();
            Finding::ok("documents", format!("the categories can be read: {}", names.join(", ")))
        }
        Err(CallError::NotAllowed) => Finding::bad(
            Verdict::NotCheckable,
            "documents",
            "the categories may not be read",
            "the right to read documents, once documents are to be sent",
            "tick Documents > Read if documents are to be sent; nothing else needs it",
        )
        .at(INTEGRATION),
        Err(error) => not_asked("documents", error),
    }
}

/// Uploading cannot be tried without leaving a document.
pub(super) fn uploading() -> Finding {
    Finding::bad(
        Verdict::NotCheckable,
        "documents",
        "whether they may be added shows with the first one",
        "the right to write documents, once documents are to be sent",
        "look whether Documents > Write is ticked if documents are to be sent; nothing else needs it",
    )
    .at(INTEGRATION)
}
