//! What the codes mean, for whoever shows them to people.

use serde::Serialize;
use utoipa::ToSchema;

use super::contract::tag;
use super::door::Viewer;
use super::language::Spoken;
use crate::words::{self, Entry, Kind, Language};

/// Every code, in one language.
#[derive(Serialize, ToSchema)]
pub(super) struct CodeList {
    /// `en` or `de`.
    #[schema(example = "en")]
    language: &'static str,
    codes: Vec<CodeShape>,
}

/// A code and what it means.
#[derive(Serialize, ToSchema)]
#[schema(as = CodeWords)]
struct CodeShape {
    /// `state`, `warning`, `note`, `flag`, `refusal`, `ignored`, `problem`, `detail`, `history`, `document` or `poll`.
    kind: &'static str,
    /// The code. One that is shown with a colon is found here by what stands before the colon, as long as possible.
    code: &'static str,
    /// What it means.
    says: &'static str,
    /// How it came about.
    cause: Option<&'static str>,
    /// What to do.
    remedy: Option<&'static str>,
}

/// What every code means.
///
/// Says, cause and remedy of states (as `name(reason)`), warnings, notes, flags, refusals, problems and the words of the
/// history, in the language that `Accept-Language` asks for: English or German.
#[utoipa::path(get, path = "/v1/codes", tag = tag::SIGHT, operation_id = "codes",
    params(("Accept-Language" = Option<String>, Header, description = "`en` or `de`", example = "de-DE,de;q=0.9")),
    responses((status = 200, description = "Every code with its words", body = CodeList, example = json!({
        "language": "en",
        "codes": [{
            "kind": "state", "code": "held(missing)", "says": "A required value is missing.",
            "cause": "The applicant tracking system did not send it, or nobody has filled it in there.",
            "remedy": "Enter the value as a correction and send the hire.",
        }],
    }))))]
pub(super) async fn list(_: Viewer, language: Language) -> Spoken<CodeList> {
    let codes = words::all().iter().map(|(kind, entry)| shape(*kind, entry, language)).collect();
    Spoken(language, CodeList { language: language.tag(), codes })
}

fn shape(kind: Kind, entry: &'static Entry, language: Language) -> CodeShape {
    let words = entry.words(language);
    CodeShape {
        kind: kind.name(),
        code: &entry.code,
        says: &words.says,
        cause: words.cause.as_deref(),
        remedy: words.remedy.as_deref(),
    }
}
