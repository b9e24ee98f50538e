//! Shows that the checker can fail: it is given evidence that was tampered with, once for each way in which an
//! invariant can be broken, and must complain of exactly that.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::checker::{Invariant, check};
use crate::evidence::{Answer, Create, Delivered, Evidence, Filed, Made, Upload};
use crate::papers::Paper;

type Forgery = (Invariant, &'static str, fn(&mut Evidence));

/// Every forgery is found out, and honest evidence is not complained of; how many there were.
///
/// # Panics
/// If the checker does not see what it should.
pub(crate) fn are_found_out() -> usize {
    let complaints = check(&honest());
    assert!(complaints.is_empty(), "honest evidence: {:?}", complaints.first().map(|c| &c.what));
    for (invariant, what, forge) in FORGERIES {
        let mut evidence = honest();
        forge(&mut evidence);
        let found = check(&evidence).iter().any(|complaint| complaint.invariant == *invariant);
        assert!(found, "the checker does not see: {what} ({invariant:?})");
    }
    FORGERIES.len()
}

/// Five hires: created, created with a warning, adopted, held, and one of unknown outcome.
fn honest() -> Evidence {
    let mut evidence = Evidence::default();
    let sending = [
        ("", "received", "stored"),
        ("received", "ready", "planned"),
        ("ready", "ready", "looked_up:absent"),
        ("ready", "sending", "permitted"),
    ];
    let with = |more: &[(&'static str, &'static str, &'static str)]| [&sending, more].concat();
    let created = [("sending", "created", "called:created"), ("created", "created", "compared")];
    let adopted = [
        ("sending", "unknown", "called:unknown:cut"),
        ("unknown", "created(adopted)", "appeared"),
        ("created(adopted)", "created(adopted)", "compared"),
    ];
    evidence.hire(0, &with(&created), Some("Engineering"));
    evidence.hire(1, &with(&created), Some("Nowhere"));
    evidence.hire(2, &with(&adopted), None);
    let waited = [("ready", "waiting(throttled)", "put_off"), ("waiting(throttled)", "ready", "due")];
    let held = [
        ("", "received", "stored"),
        ("received", "held(missing)", "planned"),
        ("held(missing)", "received", "facts_added"),
    ];
    let end = [("ready", "held(exists)", "looked_up:active")];
    evidence.hire(3, &[&held[..], &sending[1..2], &waited, &end].concat(), None);
    evidence.hire(4, &with(&[("sending", "unknown", "owner_gone")]), None);
    evidence.shown[1]["warnings"] = json!([{"code": "dropped", "field": "department"}]);
    evidence.paper(
        0,
        "sent",
        &["document_permitted", "document_not_sent", "document_permitted", "document_sent"],
    );
    evidence.paper(1, "unknown", &["document_permitted", "document_unknown"]);
    evidence.paper(2, "failed", &["document_failed"]);
    evidence.paper(3, "pending", &[]);
    evidence
}

impl Evidence {
    /// What is seen of a hire that went this way.
    fn hire(&mut self, n: usize, way: &[(&str, &str, &str)], department: Option<&str>) {
        let application = format!("a-{n}");
        let (hire, made) = (format!("hire-{n}"), 1_000 + n as u64);
        let end = way.last().expect("a way").1;
        let (state, reason) = end.split_once('(').unwrap_or((end, ""));
        let reason = Some(reason.trim_end_matches(')')).filter(|reason| !reason.is_empty());
        let history: Vec<Value> =
            way.iter().map(|(from, to, cause)| json!({"from": from, "to": to, "cause": cause})).collect();
        let employee = (state == "created").then(|| json!({"id": made}));
        self.shown.push(json!({"id": hire, "ats_id": application, "state": state, "reason": reason,
            "employee": employee, "warnings": [], "notes": [], "history": history}));
        self.glimpses.push(json!({"ats_id": application, "history": history[..1]}));
        let answer = |state: &str, duplicate| Answer { hire: hire.clone(), state: state.into(), duplicate };
        let answers = vec![answer("received", false), answer(end, true)];
        self.delivered.push(Delivered { application: application.clone(), person: n, answers });
        let sent = json!({"email": "mia@example.org", "department": department});
        let number = self.creates.len() as u64;
        if way.iter().any(|(_, to, _)| *to == "sending") {
            self.creates.push(Create {
                number,
                application: application.clone(),
                turned_away: true,
                sent: sent.clone(),
            });
            self.creates.push(Create {
                number: number + 1,
                application: application.clone(),
                turned_away: false,
                sent,
            });
        }
        if state == "created" {
            let department = department.filter(|name| *name != "Nowhere");
            let stored = json!({"email": "mia@example.org", "department": department});
            self.employees.push(Made { id: made, application, stored });
        }
    }

    /// What is seen of the file that the hire has.
    fn paper(&mut self, n: usize, state: &str, codes: &[&str]) {
        let (application, employee) = (format!("a-{n}"), 1_000 + n as u64);
        let name = format!("{application} Lebenslauf.pdf");
        let content = Bytes::from(format!("%PDF-1.7 of {application}"));
        let kind = "resume";
        self.papers.push(Paper { application, kind, name: name.clone(), content: content.clone() });
        let reason = (state == "failed").then_some("link_dead");
        self.shown[n]["documents"] =
            json!([{"n": 1, "name": name, "state": state, "reason": reason, "remedy": "Look."}]);
        let at = self.shown[n]["state"].clone();
        for code in codes {
            // Before the last step of the hire, which goes its own way.
            let place = self.history(n).len() - 1;
            self.history(n).insert(place, json!({"from": at, "to": at, "cause": format!("{code}:1")}));
        }
        let permits = codes.iter().filter(|code| **code == "document_permitted").count();
        for number in 1..=permits {
            let (employee, name) = (employee.to_string(), name.clone());
            self.uploads.push(Upload {
                number: number as u64,
                employee,
                name,
                turned_away: number < permits,
            });
        }
        if state == "sent" {
            self.filed.push(Filed { employee, category: 2, name, content });
        }
    }

    fn upload(&mut self, n: usize, turned_away: bool) {
        let mut again = self
            .uploads
            .iter()
            .find(|upload| upload.name.starts_with(&format!("a-{n} ")))
            .expect("one")
            .clone();
        (again.number, again.turned_away) = (99, turned_away);
        self.uploads.push(again);
    }

    fn history(&mut self, n: usize) -> &mut Vec<Value> {
        self.shown[n]["history"].as_array_mut().expect("a history")
    }

    fn step(&mut self, n: usize, from: &str, to: &str, cause: &str) {
        self.history(n).push(json!({"from": from, "to": to, "cause": cause}));
        let (state, reason) = to.split_once('(').unwrap_or((to, ""));
        self.shown[n]["state"] = json!(state);
        self.shown[n]["reason"] = json!(reason.strip_suffix(')'));
    }

    fn again(&mut self, n: usize, turned_away: bool) {
        let application = format!("a-{n}");
        self.creates.push(Create { number: 99, application, turned_away, sent: json!({}) });
    }
}

const FORGERIES: &[Forgery] = &[
    (Invariant::OneEmployee, "a second employee", |e| {
        let twin = Made { id: 7, ..e.employees[0].clone() };
        e.employees.push(twin);
    }),
    (Invariant::OneCreate, "a second create after one that was answered", |e| e.again(0, false)),
    (Invariant::OneCreate, "a second create after one whose answer was lost", |e| e.again(2, false)),
    (Invariant::OneCreate, "another try, turned away, after one that may have had an effect", |e| {
        e.again(4, true);
    }),
    (Invariant::UnknownIsNotSentAgain, "sent again after `unknown`", |e| {
        e.step(4, "unknown", "sending", "permitted");
        e.step(4, "sending", "unknown", "owner_gone");
    }),
    (Invariant::UnknownIsNotSentAgain, "made ready after `held(unknown)`", |e| {
        e.step(4, "unknown", "held(unknown)", "not_found");
        e.step(4, "held(unknown)", "ready", "approved");
    }),
    (Invariant::OnePersonOnce, "two applications of one person, both employees", |e| {
        e.delivered[1].person = 0;
    }),
    (Invariant::AnsweredIsKept, "an answered hire that is not there", |e| {
        e.shown.remove(3);
    }),
    (Invariant::AnsweredIsKept, "two answers with different ids", |e| {
        e.delivered[0].answers[1].hire = "hire-9".into();
    }),
    (Invariant::AnsweredIsKept, "answers with another id than the API's", |e| {
        e.shown[0]["id"] = json!("hire-9");
    }),
    (Invariant::AnswersAreStored, "answered with a state that it never had", |e| {
        e.delivered[3].answers[0].state = "created".into();
    }),
    (Invariant::AnswersAreStored, "twice answered as new", |e| e.delivered[0].answers[1].duplicate = false),
    (Invariant::EndedOrVisible, "left in `sending`", |e| {
        e.history(4).pop();
        e.shown[4]["state"] = json!("sending");
    }),
    (Invariant::EndedOrVisible, "created and never compared", |e| {
        e.history(0).pop();
    }),
    (Invariant::EndedOrVisible, "held without a reason", |e| e.shown[3]["reason"] = Value::Null),
    (Invariant::EndedOrVisible, "unknown without a cause", |e| {
        e.history(4).last_mut().expect("a step")["cause"] = json!("");
    }),
    (Invariant::CreatedIsThere, "created, and nobody is there", |e| {
        e.employees.remove(0);
    }),
    (Invariant::CreatedIsThere, "created as somebody else", |e| {
        e.shown[0]["employee"]["id"] = e.shown[1]["employee"]["id"].clone();
    }),
    (Invariant::CreatedIsThere, "there, and the hire still unknown", |e| {
        let made = Made { id: 7, application: "a-4".into(), stored: json!({}) };
        e.employees.push(made);
    }),
    (Invariant::NothingDroppedSilently, "a dropped value that nobody names", |e| {
        e.shown[1]["warnings"] = json!([]);
    }),
    (Invariant::NothingDroppedSilently, "another value named than was dropped", |e| {
        e.shown[1]["warnings"][0]["field"] = json!("office");
    }),
    (Invariant::OneDocument, "a document that is there twice", |e| {
        let twin = e.filed[0].clone();
        e.filed.push(twin);
    }),
    (Invariant::OneDocument, "an upload after one that was answered", |e| e.upload(0, false)),
    (Invariant::OneDocument, "an upload after a lost answer, even if it was turned away", |e| {
        e.upload(1, true);
    }),
    (Invariant::OneDocument, "a document that goes on after `unknown`", |e| {
        e.history(1).push(json!({"from": "created", "to": "created", "cause": "document_permitted:1"}));
    }),
    (Invariant::DocumentsAreWhole, "a document that lost its end", |e| {
        e.filed[0].content.truncate(5);
    }),
    (Invariant::DocumentsAreWhole, "a document in another category", |e| e.filed[0].category = 1),
    (Invariant::DocumentsAreWhole, "a document of somebody else", |e| e.filed[0].employee = 1_001),
    (Invariant::DocumentsAreWhole, "a document that nobody had", |e| {
        e.papers.retain(|paper| paper.application != "a-0");
    }),
    (Invariant::DocumentsArrive, "a document that is `sent` and not there", |e| e.filed.clear()),
    (Invariant::DocumentsArrive, "a file that is never spoken of", |e| e.shown[0]["documents"] = json!([])),
    (Invariant::DocumentsArrive, "a document that waits for ever", |e| {
        e.shown[2]["documents"][0]["state"] = json!("pending");
    }),
    (Invariant::DocumentsArrive, "a failure without a reason", |e| {
        e.shown[2]["documents"][0]["reason"] = Value::Null;
    }),
    (Invariant::OnlyForward, "from `created` back to `received`", |e| {
        e.step(0, "created", "received", "facts_added");
    }),
    (Invariant::OnlyForward, "from `held(exists)` on by itself", |e| {
        e.step(3, "held(exists)", "received", "facts_added");
    }),
    (Invariant::OnlyForward, "a step that is missing", |e| {
        e.history(0).remove(1);
    }),
    (Invariant::OnlyForward, "a state that is not the last of its history", |e| {
        e.shown[2]["reason"] = Value::Null;
    }),
    (Invariant::OnlyForward, "a step that was shown and is gone", |e| {
        e.glimpses[0]["history"][0]["cause"] = json!("facts_added");
    }),
    (Invariant::NoAccident, "a hire that nobody delivered", |e| {
        e.delivered.remove(3);
    }),
    (Invariant::NoAccident, "one application, two hires", |e| {
        let twin = e.shown[3].clone();
        e.shown.push(twin);
    }),
    (Invariant::NoAccident, "the service ended by itself", |e| e.accidents.push("it ended".into())),
];
