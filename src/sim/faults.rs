//! Misbehaviour on request: what goes wrong, for which operation, how often.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::{Answer, Payload};
use super::operation::Operation;

/// One thing that goes wrong. The module's front page shows the JSON form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The operation that it concerns; [`Operation::Any`] is every one.
    pub operation: Operation,
    /// How many calls it concerns; `None` is until cleared.
    #[serde(default)]
    pub times: Option<u32>,
    /// Whether the work of the call is carried out all the same. `None` is as the behaviour implies:
    /// done for `half_body`, `without_id` and `html`, undone for every other.
    #[serde(default)]
    pub work: Option<Work>,
    /// What goes wrong.
    pub behaviour: Behaviour,
}

/// What becomes of the work of a call that is not answered properly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// Nothing is carried out.
    Undone,
    /// It is carried out before the misbehaviour: the case that makes duplicates.
    Done,
    /// It is carried out later: after so many milliseconds, or, without them, when told to.
    Late {
        /// Milliseconds from the call's arrival; `None` waits for `Sim::release_late`.
        #[serde(default)]
        ms: Option<u64>,
    },
}

/// What goes wrong. The first five change a call and let it be answered (several may meet in one call); the
/// others are the end of it (the first that matches is taken).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Behaviour {
    /// The work is done at once, the answer comes so much later.
    Latency {
        /// Milliseconds.
        ms: u64,
    },
    /// The work is done at once, the answer waits for `Sim::release_answers`.
    Wait,
    /// Messages are German.
    German,
    /// Whom this call creates stays invisible to look-ups (list and get).
    Invisible {
        /// For so many look-ups that would have shown the person.
        #[serde(default)]
        lookups: Option<u32>,
        /// For so many milliseconds. With neither: until faults are cleared.
        #[serde(default)]
        ms: Option<u64>,
    },
    /// The token is revoked just before this call.
    RevokeToken,
    /// This status is answered.
    Status {
        /// The HTTP status.
        code: u16,
        /// The body: a string is sent as plain text, anything else as JSON, nothing as an empty body.
        #[serde(default)]
        body: Option<Value>,
        /// The text of a `Retry-After` header: seconds, a date, or nonsense.
        #[serde(default)]
        retry_after: Option<String>,
    },
    /// 200 with `success:false`.
    Refused,
    /// 200 with an HTML page.
    Html,
    /// The proper answer without `data.id`.
    WithoutId,
    /// The head and half the body of the proper answer, then the end of the connection.
    HalfBody,
    /// No answer: the connection is closed.
    Cut,
    /// No answer: the connection is reset.
    Reset,
    /// No answer, and the connection stays open until the simulator stops.
    Hang,
}

impl Fault {
    /// A fault until cleared.
    pub fn new(operation: Operation, behaviour: Behaviour) -> Self {
        Self { operation, times: None, work: None, behaviour }
    }

    /// A fault of the next call alone.
    pub fn once(operation: Operation, behaviour: Behaviour) -> Self {
        Self::new(operation, behaviour).times(1)
    }

    /// For so many calls.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// The same, with this said about the work.
    #[must_use]
    pub fn work(mut self, work: Work) -> Self {
        self.work = Some(work);
        self
    }

    /// The work is carried out, although the answer says or shows something else.
    #[must_use]
    pub fn done(self) -> Self {
        self.work(Work::Done)
    }

    /// The work is carried out when [`Sim::release_late`](super::Sim::release_late) says so.
    #[must_use]
    pub fn late(self) -> Self {
        self.work(Work::Late { ms: None })
    }

    fn concerns(&self, operation: Operation) -> bool {
        self.times != Some(0) && (self.operation == operation || self.operation == Operation::Any)
    }

    fn effective_work(&self) -> Work {
        let answered = matches!(self.behaviour, Behaviour::HalfBody | Behaviour::WithoutId | Behaviour::Html);
        self.work.unwrap_or(if answered { Work::Done } else { Work::Undone })
    }
}

impl Behaviour {
    /// A status with an empty body.
    pub fn status(code: u16) -> Self {
        Self::Status { code, body: None, retry_after: None }
    }

    /// 429 with an empty body, and `Retry-After` if given.
    pub fn too_many(retry_after: Option<&str>) -> Self {
        Self::Status { code: 429, body: None, retry_after: retry_after.map(str::to_owned) }
    }

    fn ends_the_call(&self) -> bool {
        !matches!(
            self,
            Self::Latency { .. } | Self::Wait | Self::German | Self::Invisible { .. } | Self::RevokeToken
        )
    }
}

/// What the faults mean for one call.
#[derive(Debug, Default)]
pub(super) struct Course {
    pub(super) latency: Duration,
    pub(super) waits: bool,
    pub(super) german: bool,
    pub(super) invisible: Option<(Option<u32>, Option<u64>)>,
    pub(super) revokes: bool,
    pub(super) end: Option<(Work, Behaviour)>,
}

/// The faults that are waiting for their calls, oldest first.
#[derive(Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Takes what concerns this call.
    pub(super) fn draw(&mut self, operation: Operation) -> Course {
        let mut course = Course::default();
        for fault in self.0.iter_mut().filter(|fault| fault.concerns(operation)) {
            if fault.behaviour.ends_the_call() && course.end.is_some() {
                continue;
            }
            fault.times = fault.times.map(|times| times - 1);
            course.take(fault);
        }
        self.0.retain(|fault| fault.times != Some(0));
        course
    }
}

impl Course {
    fn take(&mut self, fault: &Fault) {
        match fault.behaviour {
            Behaviour::Latency { ms } => self.latency += Duration::from_millis(ms),
            Behaviour::Wait => self.waits = true,
            Behaviour::German => self.german = true,
            Behaviour::Invisible { lookups, ms } => self.invisible = Some((lookups, ms)),
            Behaviour::RevokeToken => self.revokes = true,
            _ => self.end = Some((fault.effective_work(), fault.behaviour.clone())),
        }
    }
}

/// The answer that a `status` fault asks for.
pub(super) fn asked_status(code: u16, body: Option<Value>, retry_after: Option<String>) -> Answer {
    let payload = match body {
        None => Payload::Empty,
        Some(Value::String(text)) => Payload::Text("text/plain; charset=utf-8", text),
        Some(json) => Payload::Json(json),
    };
    Answer { retry_after, ..Answer::new(code, payload) }
}
