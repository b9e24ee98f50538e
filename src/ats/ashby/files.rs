//! Ashby's files. A handle says neither what its file is nor of which type: the place where it stands tells what it
//! is, and for an offer's files their name.

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::api::{Api, ApiError};
use super::super::{Filed, Opened, is_id, link};
use super::ask::ask;
use super::shapes::{Application, Candidate, Offer};
use crate::domain::file::gather;
use crate::domain::{DocumentKind, File, Note, Place};

/// The host in the vendor's example: <https://developers.ashbyhq.com/reference/fileinfo>.
const EXAMPLE_HOST: &str = "s3.amazonaws.com";

/// Ashby's code for a key that lacks a right; with it, and for a wrong key, the status may be 403. Source: Ashby's OpenAPI.
const NO_RIGHT: &str = "missing_endpoint_permission";

/// Words that say that an offer was signed.
const SIGNED: &[&str] =
    &["signed", "countersigned", "signiert", "unterschrieben", "unterzeichnet", "gegengezeichnet"];

/// Words that say it may not be, yet.
const NOT_YET: &[&str] = &[
    "not", "non", "un", "never", "be", "please", "pending", "awaiting", "draft", "template", "nicht", "noch",
    "wird", "werden", "bitte", "entwurf", "vorlage",
];

/// `{id, name, handle}`: <https://developers.ashbyhq.com/reference/candidateinfo>.
#[derive(Deserialize)]
struct Named {
    id: String,
    name: String,
    handle: String,
}

/// Files as they are found, and what could not be read.
#[derive(Default)]
pub(super) struct Files {
    /// Each once.
    pub(super) found: Vec<File>,
    /// What was left out, as stable codes.
    pub(super) notes: Vec<Note>,
}

impl Files {
    /// The files of an offer's latest version: the letter in its formats, and the signed one.
    pub(super) fn of_offer(&mut self, offer: &Offer) {
        if let Some(version) = &offer.latest_version {
            self.of_version(&version.file_handles);
        }
    }

    fn of_version(&mut self, handles: &Value) {
        self.list(handles, "offer", offer_kind);
    }

    /// The CV, as `application.info` shows it.
    pub(super) fn of_application(&mut self, application: &Application) {
        self.one(&application.resume_file_handle, "application", |_| DocumentKind::Resume);
    }

    /// The CV and all other files of a candidate, as `candidate.info` shows them; the CV is in both places.
    pub(super) fn of_candidate(&mut self, candidate: &Candidate) {
        self.one(&candidate.resume_file_handle, "resume", |_| DocumentKind::Resume);
        self.list(&candidate.file_handles, "candidate", |_| DocumentKind::Other);
    }

    fn list(&mut self, handles: &Value, place: &str, kind: fn(&str) -> DocumentKind) {
        match handles {
            Value::Null => {}
            Value::Array(handles) => {
                for (index, handle) in handles.iter().enumerate() {
                    self.one(handle, &format!("{place}[{index}]"), kind);
                }
            }
            _ => self.left_out(place),
        }
    }

    fn one(&mut self, handle: &Value, place: &str, kind: fn(&str) -> DocumentKind) {
        if handle.is_null() {
            return;
        }
        let handle =
            Named::deserialize(handle).ok().filter(|known| is_id(&known.id) && !known.handle.is_empty());
        let Some(Named { id, name, handle }) = handle else { return self.left_out(place) };
        gather(
            &mut self.found,
            [File { kind: kind(&name), id, name, date: None, place: Place::Handle(handle) }],
        );
    }

    /// A file that is not as documented never stops a hire.
    fn left_out(&mut self, place: &str) {
        self.notes.push(format!("file_left_out:{place}"));
    }
}

/// Only the name tells a signed offer from the others. Whatever is not sure stays an offer letter.
fn offer_kind(name: &str) -> DocumentKind {
    let name = name.to_lowercase();
    let words = || name.split(|c: char| !c.is_alphanumeric());
    let has = |list: &[&str]| words().any(|word| list.contains(&word));
    if name.rsplit_once('.').is_some_and(|(_, ending)| ending == "pdf") && has(SIGNED) && !has(NOT_YET) {
        DocumentKind::SignedOffer
    } else {
        DocumentKind::OfferLetter
    }
}

/// `file.info`.
#[derive(Deserialize)]
struct Link {
    url: String,
}

/// Asks for a link to a file. How long it lives is not documented: it is for use at once.
pub(super) async fn open(api: &Api, handle: &str, deadline: Instant) -> Result<Opened, ApiError> {
    let link = ask::<Link>(api, "file.info", &json!({ "fileHandle": handle }), deadline).await;
    let link = link.map_err(|error| match error {
        ApiError::Refused(code) if code.ends_with("not_found") => ApiError::NoSuchFile,
        ApiError::Refused(code) if code == NO_RIGHT => ApiError::NoRight,
        ApiError::Status(403) => ApiError::NoRight,
        error => error,
    })?;
    link::at_storage(&link.url, EXAMPLE_HOST)
}

/// `offer.info`, as far as files go.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfferInfo {
    application_id: String,
    #[serde(default)]
    latest_version: Value,
    #[serde(default)]
    versions: Value,
}

impl OfferInfo {
    /// The version with this id, else the latest.
    fn named(&self, id: Option<&String>) -> &Value {
        let all = [&self.latest_version].into_iter().chain(self.versions.as_array().into_iter().flatten());
        let named = |version: &&Value| id.is_some_and(|id| version["id"] == id.as_str());
        all.into_iter().find(named).unwrap_or(&self.latest_version)
    }
}

/// Asks whose files came, and which they are.
pub(super) async fn find(api: &Api, mut filed: Filed, deadline: Instant) -> Result<Filed, ApiError> {
    let mut files = Files::default();
    if let Some(offer) = filed.ids.get("offer") {
        let offer: OfferInfo = ask(api, "offer.info", &json!({ "offerId": offer }), deadline).await?;
        if !is_id(&offer.application_id) {
            return Err(ApiError::Unreadable);
        }
        files.of_version(&offer.named(filed.ids.get("offer_version"))["fileHandles"]);
        filed.application = Some(offer.application_id);
    } else if let Some(application) = &filed.application {
        all(api, application, &mut files, deadline).await?;
    }
    gather(&mut filed.files, files.found);
    Ok(filed)
}

/// Ashby has no list of the documents that were signed for an application: all that the application has is looked
/// through for what is new. A right that is lacking costs only what it would have shown.
async fn all(api: &Api, application: &str, files: &mut Files, deadline: Instant) -> Result<(), ApiError> {
    let body = json!({ "applicationId": application });
    let shown: Application = ask(api, "application.info", &body, deadline).await?;
    files.of_application(&shown);
    let candidate = async {
        let Some(candidate) = &shown.candidate else { return Ok(None) };
        granted(ask::<Candidate>(api, "candidate.info", &json!({ "id": candidate.id }), deadline).await)
    };
    let accepted = json!({ "applicationId": application, "acceptanceStatus": ["Accepted"] });
    let offers = async { granted(ask::<Vec<Offer>>(api, "offer.list", &accepted, deadline).await) };
    let (candidate, offers) = tokio::join!(candidate, offers);
    candidate?.iter().for_each(|candidate| files.of_candidate(candidate));
    let ours = |offer: &&Offer| offer.is_accepted() && offer.application_id == application;
    offers?.iter().flatten().filter(ours).for_each(|offer| files.of_offer(offer));
    Ok(())
}

fn granted<T>(answer: Result<T, ApiError>) -> Result<Option<T>, ApiError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(ApiError::Refused(_) | ApiError::Status(403)) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_pdf_whose_name_surely_says_so_is_a_signed_offer() {
        for (name, signed) in [
            ("Offer Letter - Joerg van der Mueller (signed).pdf", true),
            ("Offer_SIGNED.PDF", true),
            ("Angebot-unterschrieben.pdf", true),
            ("offer e-signed.pdf", true),
            ("Vertrag, gegengezeichnet.pdf", true),
            ("Offer Letter - Joerg van der Mueller.pdf", false),
            ("Offer (signed).docx", false),
            ("unsigned offer.pdf", false),
            ("Offer (not signed).pdf", false),
            ("Offer to be signed.pdf", false),
            ("Angebot nicht unterschrieben.pdf", false),
            ("Noch nicht signiert.pdf", false),
            ("Designed offer.pdf", false),
            ("signed", false),
        ] {
            let expected = if signed { DocumentKind::SignedOffer } else { DocumentKind::OfferLetter };
            assert_eq!(offer_kind(name), expected, "{name}");
        }
    }

    #[test]
    fn the_resume_is_not_once_more_another_file() {
        let text = include_str!("../../../tests/fixtures/ats/ashby/api-candidate.info.json");
        let answer: Value = serde_json::from_str(text).expect("the fixture is JSON");
        let candidate = Candidate::deserialize(&answer["results"]).expect("is a candidate");
        let mut files = Files::default();
        files.of_candidate(&candidate);
        let found: Vec<_> = files.found.iter().map(|file| (file.kind, file.name.as_str())).collect();
        assert_eq!(found, [(DocumentKind::Resume, "cv-joerg.pdf"), (DocumentKind::Other, "certificate.pdf")]);
        assert_eq!(files.notes, Vec::<Note>::new());
    }

    #[test]
    fn a_handle_that_is_not_as_documented_is_left_out_and_noted() {
        let mut files = Files::default();
        let good = json!({"id": "1", "name": "a.pdf", "handle": "h"});
        files.of_version(&json!([{"id": "a/b", "name": "a.pdf", "handle": "h"}, good, {"id": "2"}, 7, null]));
        files.of_version(&json!("none"));
        files.of_version(&Value::Null);
        assert_eq!(files.found.len(), 1);
        let places = ["offer[0]", "offer[2]", "offer[3]", "offer"];
        assert_eq!(files.notes, places.map(|place| format!("file_left_out:{place}")));
    }

    #[test]
    fn the_version_that_was_signed_is_looked_at_not_the_latest() {
        let offer = json!({"applicationId": "a", "latestVersion": {"id": "v2"}, "versions": [{"id": "v2"}, {"id": "v1", "fileHandles": []}]});
        let offer = OfferInfo::deserialize(&offer).expect("has the shape");
        let id = |id: &str| Some(id.to_owned());
        assert_eq!(offer.named(id("v1").as_ref())["id"], "v1");
        assert_eq!(offer.named(id("v3").as_ref())["id"], "v2");
        assert_eq!(offer.named(None)["id"], "v2");
    }
}
