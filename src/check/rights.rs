//! What the credential may do, as far as it can be proved without changing anything.

use jiff::Timestamp;

use super::{Finding, Verdict, not_asked};
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
