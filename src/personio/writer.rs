//! What changes Personio: one employee, or one document, for one ticket.

use jiff::Timestamp;
use serde_json::Value;
use tower::ServiceExt;

use super::error::{CallError, Failed, retry_at};
use super::{Stack, meta, person, v1};
use crate::clock::Clock;
use crate::domain::{Employee, Outcome, Waiting, Warning};
use crate::ledger::Ticket;
use crate::outbound::{Answer, Failure};

/// Creates employees and adds their documents. It has one owner and cannot be cloned.
pub struct Writer {
    pub(super) stack: Stack,
    pub(super) clock: Clock,
}

/// What became of a create call.
#[derive(Debug)]
pub struct Creation {
    /// The outcome.
    pub outcome: Outcome,
    /// What Personio said that it dropped, if it was created.
    pub warnings: Vec<Warning>,
    /// When Personio asks us to come back, if it was not sent for that.
    pub retry_at: Option<Timestamp>,
}

impl From<Outcome> for Creation {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, warnings: Vec::new(), retry_at: None }
    }
}

impl Writer {
    pub(super) fn new(stack: Stack, clock: Clock) -> Self {
        Self { stack, clock }
    }

    /// Creates the employee that the ticket carries, before the ticket's deadline. It is asked for again only
    /// if it surely was not carried out.
    pub async fn create(&self, ticket: Ticket<Employee>) -> Creation {
        let call = v1::create(ticket.content(), ticket.deadline());
        match self.stack.clone().oneshot(call).await {
            Ok(answer) => judge(&answer, ticket.content(), self.clock.now()),
            Err(Failed::Call(Failure::Lost(code))) => Outcome::Unknown { what: code.to_owned() }.into(),
            Err(failed) => not_sent(&CallError::from(failed)),
        }
    }
}

/// The call was not sent, or was turned away at the door.
fn not_sent(error: &CallError) -> Creation {
    let (waiting, retry_at) = match error {
        CallError::Credential | CallError::NotAllowed => (Waiting::Credential, None),
        CallError::Throttled { retry_at } => (Waiting::Throttled, *retry_at),
        CallError::Unreachable(_) | CallError::Refused(_) | CallError::Unreadable(_) => {
            (Waiting::Unreachable, None)
        }
    };
    Creation { retry_at, ..Outcome::NotSent(waiting).into() }
}

/// What an answer says. Only the status, `success` and the id decide; a server's failure leaves it open
/// whatever its body says, because it may have come after the work.
fn judge(answer: &Answer, sent: &Employee, now: Timestamp) -> Creation {
    match answer.status {
        200..=299 => created(answer, sent),
        401 | 403 => Outcome::NotSent(Waiting::Credential).into(),
        429 => Creation { retry_at: retry_at(answer, now), ..Outcome::NotSent(Waiting::Throttled).into() },
        400 | 404 | 405 | 409 | 413 | 415 | 422 => refused(answer),
        400..=499 if answer.status != 408 && says_no(answer) => refused(answer),
        status => Outcome::Unknown { what: format!("status_{status}") }.into(),
    }
}

/// A refusal, with Personio's own words for the person who is to mend it. They decide nothing.
fn refused(answer: &Answer) -> Creation {
    let envelope = v1::Envelope::read(&answer.body);
    let message = envelope.and_then(|envelope| envelope.error["message"].as_str().map(Value::from));
    let said = message.map(|sent| Warning { field: None, ..Warning::about("personio_said", "", Some(sent)) });
    Creation { warnings: said.into_iter().collect(), ..Outcome::Refused { status: answer.status }.into() }
}

pub(super) fn says_no(answer: &Answer) -> bool {
    v1::Envelope::read(&answer.body).is_some_and(|envelope| envelope.success == Some(false))
}

fn created(answer: &Answer, sent: &Employee) -> Creation {
    let unknown = |what: &str| Outcome::Unknown { what: what.to_owned() }.into();
    let Some(envelope) = v1::Envelope::read(&answer.body) else { return unknown("unreadable") };
    if envelope.success == Some(false) {
        return refused(answer);
    }
    let Some(employee) = envelope.data.get("id").and_then(person::id) else { return unknown("no_id") };
    let mut warnings = meta::warnings(&envelope.meta, sent);
    if let Some(inner) = envelope.data.get("meta") {
        warnings.extend(meta::warnings(inner, sent));
    }
    Creation { warnings, ..Outcome::Created { employee }.into() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn judged(status: u16, body: &str) -> Outcome {
        let answer = Answer { status, body: body.to_owned().into(), ..Answer::default() };
        judge(&answer, &Employee::default(), Timestamp::UNIX_EPOCH).outcome
    }

    const YES: &str = r#"{"success":true,"data":{"id":81723,"message":"success"}}"#;
    const NO: &str = r#"{"success":false,"error":{"code":0,"message":"Diese E-Mail ist vergeben"}}"#;

    #[test]
    fn success_false_is_a_refusal_whatever_the_status_unless_the_server_failed() {
        for status in [200, 201, 400, 404, 405, 409, 410, 413, 415, 418, 422] {
            assert_eq!(judged(status, NO), Outcome::Refused { status }, "{status}");
        }
        for status in [408, 500, 502, 503, 504] {
            assert_eq!(judged(status, NO), Outcome::Unknown { what: format!("status_{status}") });
        }
    }

    #[test]
    fn only_an_id_makes_an_employee() {
        assert_eq!(judged(200, YES), Outcome::Created { employee: 81723 });
        assert_eq!(judged(201, r#"{"success":true,"data":{"id":"7"}}"#), Outcome::Created { employee: 7 });
        for body in ["", "<html>", "[]", r#"{"success":"yes"}"#, r#"{"success":true,"da"#] {
            assert_eq!(judged(200, body), Outcome::Unknown { what: "unreadable".into() }, "{body}");
        }
        for body in [r#"{"success":true}"#, "{}", r#"{"success":true,"data":{"id":null}}"#] {
            assert_eq!(judged(200, body), Outcome::Unknown { what: "no_id".into() }, "{body}");
        }
    }

    #[test]
    fn what_is_turned_away_at_the_door_waits_and_what_nobody_knows_is_unknown() {
        assert_eq!(judged(401, NO), Outcome::NotSent(Waiting::Credential));
        assert_eq!(judged(403, NO), Outcome::NotSent(Waiting::Credential));
        assert_eq!(judged(429, NO), Outcome::NotSent(Waiting::Throttled));
        for status in [301, 307, 418] {
            assert_eq!(judged(status, YES), Outcome::Unknown { what: format!("status_{status}") });
        }
    }

    #[test]
    fn meta_is_read_at_the_top_and_inside_the_data() {
        let mut sent = Employee::default();
        sent.set("office", Value::from("Berlin"));
        for body in [
            json!({"success": true, "data": {"id": 1}, "meta": ["office unknown"]}),
            json!({"success": true, "data": {"id": 1, "meta": {"office": "unknown"}}}),
        ] {
            let answer = Answer { status: 200, body: body.to_string().into(), ..Answer::default() };
            let creation = judge(&answer, &sent, Timestamp::UNIX_EPOCH);
            assert_eq!(creation.warnings.len(), 1, "{body}");
        }
    }
}
