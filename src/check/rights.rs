//! What the credential may do, as far as it can be proved without changing anything.

use jiff::Timestamp;

use super::{Finding, Place, Verdict, not_asked};
use crate::ats::Source;
use crate::ats::api::ApiError;
use crate::ats::poll::PollError;
use crate::personio::{CallError, Reader};

/// Where a credential's rights are ticked.
/// Sources: <https://support.personio.de/hc/en-us/articles/4404623630993> and, for the German words,
/// <https://support.personio.de/hc/de/articles/360018689897>.
pub(super) const INTEGRATION: Place = Place {
    en: "Marketplace > Connected integrations > your custom integration",
    de: "Marketplace > Verbundene Integrationen > Ihre Integration",
};

/// Where the attributes are ticked that a credential may read. The same sources, and
/// <https://support.goos.cloud/en/articles/7039569> for the German label.
pub(super) const READABLE: Place = Place {
    en: "Marketplace > Connected integrations > your custom integration > Readable employee attributes",
    de: "Marketplace > Verbundene Integrationen > Ihre Integration > Lesbare Mitarbeitendenattribute",
};

/// Where attributes and the options of lists are made.
/// Sources: <https://support.personio.de/hc/en-us/articles/208861829> and, for the German words,
/// <https://support.personio.de/hc/de/articles/4402880982673> and <https://support.personio.de/hc/de/articles/360001146169>.
pub(super) const ATTRIBUTES: Place = Place {
    en: "Settings > People > Employee information",
    de: "Einstellungen > Mitarbeiter > Mitarbeitendeninformationen",
};

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
        .at(&INTEGRATION),
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
    .at(&INTEGRATION)
}

/// The key to an ATS's own API: asked for its custom fields, which need one right; the others show with a hire.
pub(super) fn ats_key(source: &Source, refused: Option<&ApiError>) -> Finding {
    let (name, kind) = (source.name(), source.kind());
    let rights = format!("a key that {kind} takes, with the rights of docs/ats/{kind}.md");
    let told = |verdict, found: &str, remedy: &str| {
        Finding::bad(verdict, "api_key", &format!("{name}: {found}"), &rights, remedy)
    };
    match refused {
        Some(ApiError::Status(401)) => told(
            Verdict::Warning,
            &format!("{kind} does not take the API key, so hires go without what it would add"),
            &format!("make a new key in {kind} and put it into sources.{name}.api_key"),
        ),
        Some(error @ (ApiError::Unreachable | ApiError::Timeout | ApiError::Unreadable)) => told(
            Verdict::Warning,
            &format!("could not be checked: {error}"),
            "run `hirebridge check` again later",
        ),
        _ => told(
            Verdict::NotCheckable,
            &format!(
                "{kind} answers to the API key; whether it has all rights shows with a hire (note ats_call_failed)"
            ),
            &format!("compare the key's rights in {kind} with docs/ats/{kind}.md"),
        ),
    }
}

/// The place whose deliveries are fetched. Nothing is fetched to try it: what was given once may not be given again.
pub(super) fn place(source: &Source, host: &str, wrong: Option<PollError>) -> Finding {
    let (name, kind) = (source.name(), source.kind());
    let expected = format!("that {host} gives what is new to whoever asks, as docs/ats/{kind}.md says");
    let told =
        |verdict, found: String, remedy: &str| Finding::bad(verdict, "poll", &found, &expected, remedy);
    match wrong {
        None => told(
            Verdict::NotCheckable,
            format!("{name}: {host} answers; it was not asked for hires, since it may give each only once"),
            "look at `poll` in GET /v1/sources: it tells how the last poll went",
        ),
        Some(PollError::CredentialRefused) => told(
            Verdict::Warning,
            format!("{name}: {host} does not take the credential, so no hires may come"),
            &format!("compare sources.{name}.poll.credential with what you were given"),
        ),
        Some(error) => told(
            Verdict::Warning,
            format!("{name}: {host} cannot be asked: {error}"),
            &format!("check sources.{name}.poll.url, the network, and whether {kind} is out of order"),
        ),
    }
}
