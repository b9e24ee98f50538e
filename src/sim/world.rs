//! One simulated Personio: the company, the credential, and what goes wrong; every call goes through here.

use std::borrow::Cow;
use std::time::Duration;

use super::answer::Answer;
use super::auth::Tokens;
use super::call::Call;
use super::company::Company;
use super::faults::{Behaviour, Course, Faults, Work, asked_status};
use super::limits::Limits;
use super::manner::{Language, Manner};
use super::operation::Operation;
use super::record::{Bearer, Log};
use super::state_file::StateFile;
use super::{attributes, documents, employees};

pub(super) struct World {
    pub(super) company: Company,
    pub(super) tokens: Tokens,
    pub(super) manner: Manner,
    pub(super) faults: Faults,
    pub(super) log: Log,
    pub(super) file: Option<StateFile>,
    limits: Limits,
    late: Vec<Admitted>,
}

/// A call that has its number, and whose token was judged.
pub(super) struct Admitted {
    pub(super) number: u64,
    call: Call,
    bearer: Bearer,
    german: bool,
    invisible: Option<(Option<u32>, Option<u64>)>,
}

/// What is to happen on the wire.
pub(super) enum Ending {
    Answer(Answer),
    Half(Answer),
    Close,
    Reset,
    Hang,
}

/// What becomes of an admitted call.
pub(super) struct Verdict {
    pub(super) number: u64,
    pub(super) latency: Duration,
    pub(super) waits: bool,
    pub(super) ending: Ending,
    /// Work that is to be done after so many milliseconds.
    pub(super) later: Option<(u64, Admitted)>,
}

impl World {
    pub(super) fn new(
        company: Company,
        tokens: Tokens,
        manner: Manner,
        limits: Limits,
        file: Option<StateFile>,
    ) -> Self {
        let (faults, log) = (Faults::default(), Log::default());
        Self { company, tokens, manner, faults, log, file, limits, late: Vec::new() }
    }

    /// Records a call, draws the faults that concern it and does the work that is due now.
    pub(super) fn admit(&mut self, call: Call) -> Verdict {
        if self.manner.rate_limits && !self.limits.take(call.operation) {
            let bearer = self.tokens.judge(call.token.as_deref(), &self.manner);
            let number = self.log.arrive(call.record(bearer));
            let message = self.manner.say("Too many requests", "Zu viele Anfragen");
            let ending = Ending::Answer(Answer::refusal(429, 429, message));
            return Verdict { number, latency: Duration::ZERO, waits: false, ending, later: None };
        }
        let course = self.faults.draw(call.operation);
        if course.revokes {
            self.tokens.revoke();
        }
        let bearer = self.tokens.judge(call.token.as_deref(), &self.manner);
        let number = self.log.arrive(call.record(bearer));
        let Course { latency, waits, german, invisible, end, .. } = course;
        let admitted = Admitted { number, call, bearer, german, invisible };
        let (ending, later) = self.carry_out(admitted, end);
        Verdict { number, latency, waits, ending, later }
    }

    fn carry_out(
        &mut self,
        admitted: Admitted,
        end: Option<(Work, Behaviour)>,
    ) -> (Ending, Option<(u64, Admitted)>) {
        let Some((work, behaviour)) = end else {
            return (Ending::Answer(self.perform(&admitted)), None);
        };
        let german = admitted.german;
        let (proper, later) = match work {
            Work::Undone => (None, None),
            Work::Done => (Some(self.perform(&admitted)), None),
            Work::Late { ms: Some(ms) } => (None, Some((ms, admitted))),
            Work::Late { ms: None } => {
                self.late.push(admitted);
                (None, None)
            }
        };
        (self.ending(behaviour, proper, german), later)
    }

    fn ending(&self, behaviour: Behaviour, proper: Option<Answer>, german: bool) -> Ending {
        let proper =
            || proper.unwrap_or_else(|| Answer::data(200, serde_json::json!({"message": "success"})));
        match behaviour {
            Behaviour::Status { code, body, retry_after } => {
                Ending::Answer(asked_status(code, body, retry_after))
            }
            Behaviour::Refused => {
                let manner = spoken(&self.manner, german);
                let message = manner.say("Something went wrong", "Es ist ein Problem aufgetreten");
                Ending::Answer(Answer::refusal(200, 0, message))
            }
            Behaviour::Html => Ending::Answer(Answer::html()),
            Behaviour::WithoutId => Ending::Answer(proper().without_id()),
            Behaviour::HalfBody => Ending::Half(proper()),
            Behaviour::Cut => Ending::Close,
            Behaviour::Reset => Ending::Reset,
            // The others never end a call.
            _ => Ending::Hang,
        }
    }

    /// Does the work of every call that was to be carried out later; how many there were.
    pub(super) fn release_late(&mut self) -> usize {
        let late = std::mem::take(&mut self.late);
        for admitted in &late {
            self.perform(admitted);
        }
        late.len()
    }

    /// Does the work of a call, and gives its proper answer.
    pub(super) fn perform(&mut self, admitted: &Admitted) -> Answer {
        let manner = spoken(&self.manner, admitted.german);
        let call = &admitted.call;
        let (mut answer, created) = match objection(admitted, &manner) {
            Some(objection) => (objection, None),
            None => answered(&mut self.company, &mut self.tokens, call, &manner),
        };
        if let (Some(id), Some((lookups, ms))) = (created, admitted.invisible) {
            self.company.hide(id, lookups, ms);
        }
        if call.operation != Operation::Auth {
            answer.violations.extend(no_app_id(call));
            answer.token = self.tokens.current().filter(|_| answer.status < 300);
        }
        let violations = std::mem::take(&mut answer.violations);
        self.log.object(admitted.number, call.operation, violations);
        if call.operation.writes() && answer.status < 300 {
            self.save();
        }
        answer
    }

    /// Writes the data file, if there is one. A failure is nothing a caller can mend: it is shown as a violation.
    pub(super) fn save(&mut self) {
        if let Some(Err(error)) = self.file.as_ref().map(|file| file.save(&self.company)) {
            self.log.object(0, Operation::Any, vec![error.to_string()]);
        }
    }
}

/// The switches, with the language that this call is answered in.
fn spoken(manner: &Manner, german: bool) -> Cow<'_, Manner> {
    if german {
        Cow::Owned(Manner { language: Language::German, ..manner.clone() })
    } else {
        Cow::Borrowed(manner)
    }
}

/// The operation's own answer, and the id of whom it created.
fn answered(
    company: &mut Company,
    tokens: &mut Tokens,
    call: &Call,
    manner: &Manner,
) -> (Answer, Option<u64>) {
    let answer = match call.operation {
        Operation::CreateEmployee => return employees::create(company, call, manner),
        Operation::Auth => tokens.issue(call, manner),
        Operation::ListEmployees => employees::list(company, call, manner),
        Operation::GetEmployee => employees::one(company, call, manner),
        Operation::UpdateEmployee => employees::update(company, call, manner),
        Operation::ListAttributes => attributes::catalogue(company, manner),
        Operation::ListCategories => documents::categories(company),
        Operation::UploadDocument => documents::upload(company, call, manner),
        Operation::Any | Operation::Unknown => unknown(call),
    };
    (answer, None)
}

/// What stands in the way of any personnel call: no token, a bad one, a missing right, an unknown parameter.
fn objection(admitted: &Admitted, manner: &Manner) -> Option<Answer> {
    let Admitted { call, bearer, .. } = admitted;
    if matches!(call.operation, Operation::Auth | Operation::Unknown) {
        return None;
    }
    if *bearer == Bearer::Missing {
        let message = manner.say("Authorization is not provided", "Autorisierung fehlt");
        return Some(Answer::refusal(401, 401, message));
    }
    if *bearer == Bearer::Rejected || !manner.rights.allow(call.operation) {
        let message = manner.say("Provided authorization is not valid", "Die Autorisierung ist ungültig");
        return Some(Answer::refusal(manner.refusal_status, manner.refusal_status, message));
    }
    let known: &[&str] = match call.operation {
        Operation::ListEmployees => &["limit", "offset", "email", "attributes[]", "updated_since"],
        _ => &[],
    };
    let unknown = call.query.iter().map(|(key, _)| key).find(|key| !known.contains(&key.as_str()));
    unknown.map(|key| Answer::violation(vec![format!("unknown query parameter {key}")]))
}

/// Personio asks for it "very strongly" and works without it (<https://developer.personio.de/reference/include-our-headers-in-your-requests>).
fn no_app_id(call: &Call) -> Option<String> {
    call.header("x-personio-app-id").is_none().then(|| "X-Personio-App-ID is missing".into())
}

fn unknown(call: &Call) -> Answer {
    let what = format!("there is no {} {}", call.method(), call.path());
    Answer::refusal(404, 404, "Not Found").with_violations(vec![what])
}
