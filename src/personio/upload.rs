//! A document for a ticket: the file is read while it is sent.

use jiff::Timestamp;
use tower::ServiceExt;

use super::error::{CallError, Failed, retry_at};
use super::person;
use super::v1;
use super::writer::{Writer, says_no};
use crate::domain::{Flaw, Upload, UploadOutcome, Waiting};
use crate::ledger::Ticket;
use crate::outbound::form::Content;
use crate::outbound::{Answer, Failure};

/// The longest message that is kept, in characters.
const LONGEST_MESSAGE: usize = 500;

/// What became of an upload.
#[derive(Debug)]
pub struct Uploading {
    /// The outcome.
    pub outcome: UploadOutcome,
    /// What Personio said when it refused, for the person who is to mend it. It decides nothing.
    pub said: Option<String>,
    /// When Personio asks us to come back, if it was not sent for that.
    pub retry_at: Option<Timestamp>,
}

impl From<UploadOutcome> for Uploading {
    fn from(outcome: UploadOutcome) -> Self {
        Self { outcome, said: None, retry_at: None }
    }
}

impl Writer {
    /// Adds the document that the ticket describes, before the ticket's deadline. It is sent again only if it surely
    /// was not carried out; then `content` is opened anew.
    pub async fn upload(&self, ticket: Ticket<Upload>, content: Content) -> Uploading {
        let call = v1::upload(ticket.content(), content, ticket.deadline());
        match self.stack.clone().oneshot(call).await {
            Ok(answer) => judge(&answer, self.clock.now()),
            Err(Failed::Call(Failure::Lost(code))) => unknown(code),
            Err(failed) => not_sent(&CallError::from(failed)),
        }
    }
}

fn unknown(what: impl Into<String>) -> Uploading {
    UploadOutcome::Unknown { what: what.into() }.into()
}

/// The call was not sent, or was turned away at the door.
fn not_sent(error: &CallError) -> Uploading {
    let (waiting, retry_at) = match error {
        CallError::Credential | CallError::NotAllowed => (Waiting::Credential, None),
        CallError::Throttled { retry_at } => (Waiting::Throttled, *retry_at),
        CallError::Unreachable(_) | CallError::Refused(_) | CallError::Unreadable(_) => {
            (Waiting::Unreachable, None)
        }
    };
    Uploading { retry_at, ..UploadOutcome::NotSent(waiting).into() }
}

/// What an answer says. A new token was tried by now: what is still turned away has no right to documents, since
/// the credential itself is taken.
fn judge(answer: &Answer, now: Timestamp) -> Uploading {
    match answer.status {
        200..=299 => stored(answer),
        401 | 403 => UploadOutcome::Refused(Flaw::NoRight).into(),
        429 => {
            Uploading { retry_at: retry_at(answer, now), ..UploadOutcome::NotSent(Waiting::Throttled).into() }
        }
        400 | 404 | 405 | 409 | 413 | 415 | 422 => refused(answer),
        400..=499 if answer.status != 408 && says_no(answer) => refused(answer),
        status => unknown(format!("status_{status}")),
    }
}

fn stored(answer: &Answer) -> Uploading {
    let Some(envelope) = v1::Envelope::read(&answer.body) else { return unknown("unreadable") };
    match envelope.data.get("id").and_then(person::id) {
        _ if envelope.success == Some(false) => refused(answer),
        Some(_) => UploadOutcome::Stored.into(),
        None => unknown("no_id"),
    }
}

fn refused(answer: &Answer) -> Uploading {
    let error = v1::Envelope::read(&answer.body).map(|envelope| envelope.error).unwrap_or_default();
    let message = error["message"].as_str().unwrap_or_default();
    let mut said: Vec<_> = Some(message).filter(|message| !message.is_empty()).into_iter().collect();
    let objections = error["error_data"].as_object();
    let fields = objections.into_iter().flatten().filter_map(|(_, texts)| texts.as_array());
    said.extend(fields.flatten().filter_map(serde_json::Value::as_str));
    let said: String = said.join(" ").chars().take(LONGEST_MESSAGE).collect();
    let only_the_file = objections.is_some_and(|fields| fields.len() == 1 && fields.contains_key("file"));
    let outcome = UploadOutcome::Refused(flaw(answer.status, message, only_the_file));
    Uploading { said: Some(said).filter(|said| !said.is_empty()), ..outcome.into() }
}

/// What is unknown stands in the message as the name of a class, in every language: `[DocumentCategory]`.
/// Source: <https://github.com/personio/api-docs>. The size was looked at before: an objection to the file alone
/// is one to its type.
fn flaw(status: u16, message: &str, only_the_file: bool) -> Flaw {
    match status {
        404 if message.contains("[DocumentCategory]") => Flaw::CategoryUnknown,
        404 if message.contains("[Employee]") => Flaw::EmployeeUnknown,
        413 => Flaw::TooLarge,
        415 => Flaw::TypeNotTaken,
        422 if only_the_file => Flaw::TypeNotTaken,
        _ => Flaw::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, body: &str) -> UploadOutcome {
        let answer = Answer { status, body: body.to_owned().into(), ..Answer::default() };
        judge(&answer, Timestamp::UNIX_EPOCH).outcome
    }

    #[test]
    fn each_documented_answer_says_what_is_to_be_mended() {
        let missing = |model: &str| {
            format!(
                r#"{{"success":false,"error":{{"message":"No query results for model [{model}] 1","code":0}}}}"#
            )
        };
        let invalid = |field: &str| {
            format!(
                r#"{{"success":false,"error":{{"message":"Die Daten sind ungültig.","code":0,"error_data":{{"{field}":["?"]}}}}}}"#
            )
        };
        let cases = [
            (404, missing("DocumentCategory"), Flaw::CategoryUnknown),
            (404, missing("Employee"), Flaw::EmployeeUnknown),
            (404, "<html>".into(), Flaw::Refused),
            (422, invalid("file"), Flaw::TypeNotTaken),
            (422, invalid("title"), Flaw::Refused),
            (413, String::new(), Flaw::TooLarge),
            (415, String::new(), Flaw::TypeNotTaken),
            (403, missing("x"), Flaw::NoRight),
            (401, String::new(), Flaw::NoRight),
            (400, String::new(), Flaw::Refused),
            (200, invalid("file"), Flaw::TypeNotTaken),
        ];
        for (status, body, flaw) in cases {
            let expected = match (status, flaw) {
                // A refusal with a success's status tells no more than that.
                (200, _) => UploadOutcome::Refused(Flaw::Refused),
                (_, flaw) => UploadOutcome::Refused(flaw),
            };
            assert_eq!(judged(status, &body), expected, "{status} {body}");
        }
    }

    #[test]
    fn whoever_must_mend_it_hears_what_personio_said() {
        let body = r#"{"success":false,"error":{"message":"Ungültig.","code":0,"error_data":{"file":["Zu groß."],"title":["Fehlt."]}}}"#;
        let answer = Answer { status: 422, body: body.into(), ..Answer::default() };
        let uploading = judge(&answer, Timestamp::UNIX_EPOCH);
        assert_eq!(uploading.said.as_deref(), Some("Ungültig. Zu groß. Fehlt."));
        assert_eq!(uploading.outcome, UploadOutcome::Refused(Flaw::Refused));
    }

    #[test]
    fn what_nobody_knows_is_unknown_and_what_was_turned_away_at_the_door_waits() {
        let yes = r#"{"success":true,"data":{"id":1,"type":"Document"}}"#;
        assert_eq!(judged(201, yes), UploadOutcome::Stored);
        assert_eq!(judged(429, ""), UploadOutcome::NotSent(Waiting::Throttled));
        for (status, body, what) in [
            (201, "<html>", "unreadable"),
            (201, r#"{"success":true}"#, "no_id"),
            (500, yes, "status_500"),
            (502, "", "status_502"),
            (503, r#"{"success":false}"#, "status_503"),
            (408, "", "status_408"),
            (302, "", "status_302"),
        ] {
            assert_eq!(judged(status, body), UploadOutcome::Unknown { what: what.into() }, "{status} {body}");
        }
    }
}
