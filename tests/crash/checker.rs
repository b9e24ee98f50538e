//! The independent checker: what must be true of everything that was seen from outside, whatever was killed and
//! whatever went wrong. It knows the published states by their names and nothing else of hirebridge.

mod filed;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::evidence::{Create, Evidence, steps};
use crate::support::state;

pub(crate) use filed::unrest_of_documents;

/// Something that must be true.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Invariant {
    /// A hire becomes one employee at most.
    OneEmployee,
    /// At most one create call of a hire is sent whose effect cannot be ruled out, and none after it.
    OneCreate,
    /// A hire that was `unknown` is never sent again.
    UnknownIsNotSentAgain,
    /// One person is created once, however many applications there are.
    OnePersonOnce,
    /// Each hire that was answered for is there, under the id that each answer names.
    AnsweredIsKept,
    /// An answer names a state that was stored, and one answer at most is the first.
    AnswersAreStored,
    /// Each hire has ended, or is visible with a reason.
    EndedOrVisible,
    /// `created` names the employee that Personio has, and nobody is there whom no hire accounts for.
    CreatedIsThere,
    /// Plain `created` only if Personio dropped nothing; what it dropped is named.
    NothingDroppedSilently,
    /// A file is uploaded once to an employee, and never again after an end that is not a person's.
    OneDocument,
    /// What Personio has is a file of the hire's, whole and in its place.
    DocumentsAreWhole,
    /// Each file of a created hire has arrived, or its state says why not.
    DocumentsArrive,
    /// No state goes backward, and nothing that was shown is taken back.
    OnlyForward,
    /// Nothing happens that nobody asked for.
    NoAccident,
}

/// An invariant that does not hold, and of which hire.
pub(crate) struct Complaint {
    pub(crate) invariant: Invariant,
    /// The application, if it is about one.
    pub(crate) application: Option<String>,
    pub(crate) what: String,
}

/// The evidence, sorted by application.
struct Case<'e> {
    evidence: &'e Evidence,
    shown: BTreeMap<&'e str, &'e Value>,
    complaints: Vec<Complaint>,
}

/// Everything that is wrong.
pub(crate) fn check(evidence: &Evidence) -> Vec<Complaint> {
    let shown = evidence.shown.iter().map(|hire| (text(&hire["ats_id"]), hire)).collect();
    let mut case = Case { evidence, shown, complaints: Vec::new() };
    case.one_employee();
    case.one_create();
    case.unknown_is_not_sent_again();
    case.one_person_once();
    case.answered_is_kept();
    case.answers_are_stored();
    case.ended_or_visible();
    case.created_is_there();
    case.employees_are_accounted_for();
    case.nothing_dropped_silently();
    case.one_upload();
    case.unknown_documents_are_not_sent_again();
    case.documents_are_whole();
    case.documents_arrive();
    case.only_forward();
    case.nothing_taken_back();
    case.no_accident();
    case.complaints
}

impl Case<'_> {
    fn complain(&mut self, invariant: Invariant, application: &str, what: impl Into<String>) {
        let application = Some(application.to_owned());
        self.complaints.push(Complaint { invariant, application, what: what.into() });
    }

    fn one_employee(&mut self) {
        let mut made: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for employee in &self.evidence.employees {
            made.entry(&employee.application).or_default().push(employee.id);
        }
        for (application, ids) in made.into_iter().filter(|(_, ids)| ids.len() > 1) {
            self.complain(Invariant::OneEmployee, application, format!("is the employees {ids:?}"));
        }
    }

    fn one_create(&mut self) {
        let mut creates: BTreeMap<&str, Vec<&Create>> = BTreeMap::new();
        for create in &self.evidence.creates {
            creates.entry(&create.application).or_default().push(create);
        }
        for (application, creates) in creates {
            let open = creates.iter().position(|create| !create.turned_away);
            if let Some(after) = open.and_then(|open| creates.get(open + 1)) {
                let what = format!("call {} creates it, after one that may have had an effect", after.number);
                self.complain(Invariant::OneCreate, application, what);
            }
        }
    }

    fn unknown_is_not_sent_again(&mut self) {
        for (application, hire) in self.shown.clone() {
            let was_unknown = |to: &str| to == "unknown" || to == "held(unknown)";
            let mut after = steps(hire).skip_while(|(_, to, _)| !was_unknown(to));
            if after.any(|(_, to, _)| ["ready", "sending", "waiting", "received"].contains(&bare(to))) {
                self.complain(Invariant::UnknownIsNotSentAgain, application, "goes on after `unknown`");
            }
        }
    }

    /// A refusal that was none (Personio says no, and does it) is not hirebridge's: such hires do not count.
    fn one_person_once(&mut self) {
        let mut people: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
        for hire in &self.evidence.delivered {
            let made = self.evidence.employees.iter().any(|made| made.application == hire.application);
            let refused = self.shown.get(&*hire.application).is_some_and(|shown| was_refused(shown));
            if made && !refused {
                people.entry(hire.person).or_default().insert(&hire.application);
            }
        }
        for (person, applications) in people.into_iter().filter(|(_, all)| all.len() > 1) {
            let first = applications.first().expect("there are several");
            self.complain(
                Invariant::OnePersonOnce,
                first,
                format!("person {person}: all of {applications:?}"),
            );
        }
    }

    fn answered_is_kept(&mut self) {
        for hire in &self.evidence.delivered {
            let ids: BTreeSet<&str> = hire.answers.iter().map(|answer| &*answer.hire).collect();
            let shown = self.shown.get(&*hire.application).map(|shown| text(&shown["id"]));
            if ids.len() > 1 || ids.first().is_some_and(|id| shown != Some(id)) {
                let what = format!("answers name {ids:?}, the API shows {shown:?}");
                self.complain(Invariant::AnsweredIsKept, &hire.application, what);
            }
        }
    }

    fn answers_are_stored(&mut self) {
        for hire in &self.evidence.delivered {
            let Some(shown) = self.shown.get(&*hire.application) else { continue };
            let states: BTreeSet<&str> = steps(shown).map(|(_, to, _)| to).collect();
            let strange = hire.answers.iter().find(|answer| !states.contains(&*answer.state));
            let firsts = hire.answers.iter().filter(|answer| !answer.duplicate).count();
            if let Some(answer) = strange {
                let what = format!("was answered with `{}`, which it never was", answer.state);
                self.complain(Invariant::AnswersAreStored, &hire.application, what);
            }
            if firsts > 1 {
                let what = format!("{firsts} answers say that it is new");
                self.complain(Invariant::AnswersAreStored, &hire.application, what);
            }
        }
    }

    fn ended_or_visible(&mut self) {
        for (application, hire) in self.shown.clone() {
            if let Some(what) = unrest(hire) {
                self.complain(Invariant::EndedOrVisible, application, what);
            }
        }
    }

    fn created_is_there(&mut self) {
        for (application, hire) in self.shown.clone() {
            let named = hire["employee"]["id"].as_u64();
            let made = self.evidence.employees.iter().find(|made| Some(made.id) == named);
            let theirs = made.is_some_and(|made| made.application == application);
            if hire["state"] == "created" && !theirs {
                let what = format!("is `created`, but {named:?} is not its employee");
                self.complain(Invariant::CreatedIsThere, application, what);
            }
        }
    }

    /// Somebody who is there is `created`, or with a person who sees why not.
    fn employees_are_accounted_for(&mut self) {
        for made in &self.evidence.employees {
            let shown = self.shown.get(&*made.application);
            let named = shown.and_then(|hire| hire["employee"]["id"].as_u64());
            let accounted = shown.is_some_and(|hire| {
                hire["state"] == "held" || (hire["state"] == "created" && named == Some(made.id))
            });
            if !accounted {
                let now = shown.map(|hire| state(hire));
                let what = format!("employee {} is there, the hire is {now:?} of {named:?}", made.id);
                self.complain(Invariant::CreatedIsThere, &made.application, what);
            }
        }
    }

    fn nothing_dropped_silently(&mut self) {
        for made in &self.evidence.employees {
            let creates = self.evidence.creates.iter();
            let mut sent =
                creates.filter(|create| create.application == made.application && !create.turned_away);
            let (Some(create), Some(hire)) = (sent.next_back(), self.shown.get(&*made.application)) else {
                continue;
            };
            let sent = create.sent.as_object().into_iter().flatten();
            let dropped = sent.filter(|(attribute, value)| made.stored[attribute.as_str()] != **value);
            let silent: Vec<&str> =
                dropped.map(|(attribute, _)| attribute.as_str()).filter(|a| !is_named(hire, a)).collect();
            if hire["state"] == "created" && !silent.is_empty() {
                let what = format!("is `created`, and nothing says that {silent:?} did not arrive");
                self.complain(Invariant::NothingDroppedSilently, &made.application, what);
            }
        }
    }

    fn only_forward(&mut self) {
        for (application, hire) in self.shown.clone() {
            let mut before = "";
            for (from, to, cause) in steps(hire) {
                if from != before || !may_follow(from, to, cause) {
                    let what = format!("after `{before}`: `{from}` to `{to}` ({cause})");
                    self.complain(Invariant::OnlyForward, application, what);
                }
                before = to;
            }
            if before != state(hire) {
                let what = format!("is `{}`, its history ends with `{before}`", state(hire));
                self.complain(Invariant::OnlyForward, application, what);
            }
        }
    }

    fn nothing_taken_back(&mut self) {
        for glimpse in &self.evidence.glimpses {
            let application = text(&glimpse["ats_id"]);
            let before = glimpse["history"].as_array().map(Vec::as_slice).unwrap_or_default();
            let shown = self.shown.get(application).and_then(|hire| hire["history"].as_array());
            if !shown.is_some_and(|now| now.starts_with(before)) {
                self.complain(Invariant::OnlyForward, application, "steps that were shown are gone");
            }
        }
    }

    fn no_accident(&mut self) {
        let delivered: BTreeSet<&str> =
            self.evidence.delivered.iter().map(|hire| &*hire.application).collect();
        let created = self.evidence.creates.iter().map(|create| &*create.application);
        let strangers: BTreeSet<&str> =
            created.chain(self.shown.keys().copied()).filter(|id| !delivered.contains(id)).collect();
        for stranger in strangers {
            self.complain(Invariant::NoAccident, stranger, "was never delivered");
        }
        if self.shown.len() != self.evidence.shown.len() {
            self.complain(Invariant::NoAccident, "", "an application is shown as two hires");
        }
        for what in &self.evidence.accidents {
            self.complaints.push(Complaint {
                invariant: Invariant::NoAccident,
                application: None,
                what: what.clone(),
            });
        }
    }
}

/// Why the hire has neither ended nor is with a person, with the reason.
pub(crate) fn unrest(hire: &Value) -> Option<String> {
    let last = |wanted: &str| steps(hire).filter(|(_, to, _)| bare(to) == wanted).last();
    let reason = match text(&hire["state"]) {
        "created" => last("created").is_some_and(|(_, _, cause)| cause == "compared"),
        "held" => hire["reason"].is_string(),
        "unknown" => last("unknown")
            .is_some_and(|(_, _, cause)| cause == "owner_gone" || cause.starts_with("called:unknown:")),
        _ => false,
    };
    (!reason).then(|| format!("is left as `{}`", state(hire)))
}

fn was_refused(hire: &Value) -> bool {
    steps(hire).any(|(_, _, cause)| cause.starts_with("called:refused"))
}

/// Whether the hire says that this attribute did not arrive, or that nobody could see whether it did.
fn is_named(hire: &Value, attribute: &str) -> bool {
    let warned = hire["warnings"].as_array().into_iter().flatten();
    let mut warned = warned.map(|warning| &warning["field"]);
    let mut notes = hire["notes"].as_array().into_iter().flatten().map(text);
    warned.any(|field| field == attribute)
        || notes.any(|note| note == "not_read_back" || note == format!("not_read_back:{attribute}"))
}

/// Whether a hire may go from one state to the other, as the published table has it.
fn may_follow(from: &str, to: &str, cause: &str) -> bool {
    let about_the_plan = ["missing", "invalid", "unmatched", "unreadable", "ambiguous"];
    let is_held = |reasons: &[&str]| reasons.iter().any(|reason| from == format!("held({reason})"));
    match (bare(from), bare(to)) {
        ("", "received" | "held") => cause == "stored",
        ("received", "ready" | "held")
        | ("ready", "received" | "ready" | "held" | "waiting" | "sending")
        | ("waiting", "ready" | "held" | "received")
        | ("sending", "created" | "held" | "waiting" | "unknown")
        | ("unknown", "created" | "held") => true,
        ("received", "received") | ("created", "created") => from == to,
        ("held", "received") => is_held(&about_the_plan) && cause == "facts_added",
        ("held", "held") => from == to || (is_held(&["refused"]) && cause.starts_with("looked_up:")),
        ("held", "created") => is_held(&["refused"]) && cause == "looked_up:ours",
        ("ready", "created") => cause == "looked_up:ours",
        _ => false,
    }
}

/// The state without its reason.
fn bare(state: &str) -> &str {
    state.split_once('(').map_or(state, |(name, _)| name)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
