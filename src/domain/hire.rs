//! One hire: its key, what is known about it, and the steps it has taken.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::employee::normalised_email;
use super::facts::Facts;
use super::file::File;
use super::history::{Actor, Change, Difference, Entry};
use super::plan::{Note, Plan, Warning};
use super::state::State;
use super::step::{Effect, Event, NotAllowed, step};

/// Our id of a hire: a UUID version 7, so that ids sort by time of receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HireId(pub Uuid);

impl fmt::Display for HireId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What makes a hire one hire: the kind of ATS, the account there and the application. Never the
/// source's name, a delivery's id or a body's hash.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct HireKey {
    /// The kind of ATS: `ashby`, `recruitee`, … or `manual` for a hire typed by hand.
    pub kind: String,
    /// The account at the ATS.
    pub account: String,
    /// The application's id at the ATS, or what stands for it.
    pub application: String,
}

impl HireKey {
    /// The key as one text, unambiguous: for keyed hashes and for the marker attribute.
    pub fn text(&self) -> String {
        format!("{}/{}/{}", self.kind, self.account, self.application)
    }

    /// A candidate of the same account as one text; never the text of a key.
    pub fn candidate(&self, id: &str) -> String {
        format!("candidate {}/{}/{id}", self.kind, self.account)
    }
}

impl fmt::Debug for HireKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

/// What look-up 0 said before the first send; later adoption rests on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LookUpZero {
    /// Not asked yet.
    NotAsked,
    /// Nobody had the e-mail address.
    Absent,
    /// The credential may not read employees.
    NotAllowed,
}

/// Marks that do not change the state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "independent marks, each of which stands for itself")]
pub struct Flags {
    /// A person took it off the list.
    #[serde(default, skip_serializing_if = "is_false")]
    pub dismissed: bool,
    /// The ATS took the hire back when it was, or may have been, sent; or it is not clear whether it did.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unhired: bool,
    /// A person sent it although the ATS had taken it back.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unhire_overruled: bool,
    /// More than one employee in Personio may be this person.
    #[serde(default, skip_serializing_if = "is_false")]
    pub double: bool,
    /// A person approved it, so that it is not held again for what that person saw.
    #[serde(default, skip_serializing_if = "is_false")]
    pub approved: bool,
    /// It is sent again after an unknown outcome, so never without a look-up.
    #[serde(default, skip_serializing_if = "is_false")]
    pub after_unknown: bool,
    /// A person has said that this is not the same hire as another one with this e-mail address.
    #[serde(default, skip_serializing_if = "is_false")]
    pub second_hire_approved: bool,
    /// It was created, and its warnings are to be looked at.
    #[serde(default, skip_serializing_if = "is_false")]
    pub warnings: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's skip_serializing_if asks for a reference")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

/// How one name was split into first and last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameSplit {
    /// Two words.
    Certain,
    /// At a known particle, which stays with the last name.
    ByParticle,
    /// By guess: one word, a comma, or several words without a known particle.
    Uncertain,
}

/// The personal part of a hire: stored encrypted, as one record.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// What the ATS told us.
    #[serde(default)]
    pub facts: Facts,
    /// What the source could not complete, as Personio attributes: `department`, `hire_date` …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacking: Vec<String>,
    /// The files that the ATS told us of, without what is in them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<File>,
    /// How the ATS's one name was split in two, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_split: Option<NameSplit>,
    /// What a person changed: Personio attribute → value.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub corrections: Map<String, Value>,
    /// What would be, or was, sent.
    #[serde(default)]
    pub plan: Plan,
    /// What a person should look at after sending, besides the plan's own warnings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    /// Expected things about the sending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// When it happened at the ATS, by the delivery that made this hire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hired_at: Option<Timestamp>,
    /// When the ATS took the hire back, if no delivery of this hire says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unhired_at: Option<Timestamp>,
    /// The employees in Personio who may be this person, if there is more than one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubles: Vec<u64>,
    /// What people changed, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

/// One hire, as it is in the ledger plus the steps not saved yet.
#[derive(Clone)]
pub struct Hire {
    /// Our id.
    pub id: HireId,
    /// The source it came through first.
    pub source: String,
    /// What makes it one hire.
    pub key: HireKey,
    /// The state; changed by [`Hire::apply`] alone.
    pub(crate) state: State,
    /// The ledger's version: a save succeeds only on the version that was read.
    pub(crate) version: u64,
    /// What is personal.
    pub record: Record,
    /// What look-up 0 said.
    pub look_up_zero: LookUpZero,
    /// The employee's id in Personio.
    pub employee: Option<u64>,
    /// Marks that do not change the state.
    pub flags: Flags,
    /// When something is to be done next; `None` when nothing is, or a person has to act.
    pub next_at: Option<Timestamp>,
    /// Since when it waits, or is being looked up.
    pub since: Option<Timestamp>,
    /// How often it was put off, looked up or audited since then.
    pub tries: u32,
    /// When Personio is asked once more whether somebody else is the same person, after the creation.
    pub audit_at: Option<Timestamp>,
    /// When it was received.
    pub received_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The steps since it was read, not saved yet.
    pub(crate) unsaved: Vec<Entry>,
    /// The record as the ledger has it, which writes again only what has changed; `None` if it has none.
    pub(crate) kept: Option<Arc<Record>>,
}

impl Record {
    /// The person's e-mail address in the form in which hires are compared.
    pub fn person(&self) -> Option<String> {
        let planned = Some(self.plan.employee.email()).filter(|email| !email.is_empty());
        planned.or_else(|| self.facts.text("candidate.email")).map(normalised_email)
    }

    /// The candidate's id at the ATS.
    pub fn candidate(&self) -> Option<&str> {
        self.facts.text("candidate.id")
    }
}

impl Hire {
    /// A hire that was just received; [`State::Received`] and due at once.
    pub fn received(id: HireId, source: &str, key: HireKey, facts: Facts, at: Timestamp) -> Self {
        let mut hire =
            Self::at_rest(id, source, key, facts, at, State::Received, &Actor::Source(source.to_owned()));
        hire.next_at = Some(at);
        hire
    }

    /// Whether the ATS took it back, and no person has overruled that.
    pub fn is_taken_back(&self) -> bool {
        self.flags.unhired && !self.flags.unhire_overruled
    }

    /// A verified delivery that cannot be read as a hire: held, seen by a person, never repeated.
    pub fn held(
        id: HireId,
        source: &str,
        key: HireKey,
        why: super::Held,
        actor: &Actor,
        at: Timestamp,
    ) -> Self {
        Self::at_rest(id, source, key, Facts::new(), at, State::Held(why), actor)
    }

    fn at_rest(
        id: HireId,
        source: &str,
        key: HireKey,
        facts: Facts,
        at: Timestamp,
        state: State,
        actor: &Actor,
    ) -> Self {
        let first = Entry {
            at,
            actor: actor.to_string(),
            from: None,
            to: state.to_string(),
            cause: "stored".to_owned(),
        };
        Self {
            id,
            source: source.to_owned(),
            key,
            state,
            version: 0,
            record: Record { facts, ..Record::default() },
            look_up_zero: LookUpZero::NotAsked,
            employee: None,
            flags: Flags::default(),
            next_at: None,
            since: None,
            tries: 0,
            audit_at: None,
            received_at: at,
            updated_at: at,
            unsaved: vec![first],
            kept: None,
        }
    }

    /// The version that is stored: another one after each change.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Where the hire stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// Takes a step and notes it in the history. Nothing is durable until the ledger has saved it.
    /// A next time, if the new state needs one, is set by the caller.
    ///
    /// # Errors
    /// [`NotAllowed`] if this cannot happen in the state the hire is in; nothing changes then.
    pub fn apply(&mut self, event: &Event, actor: &Actor, at: Timestamp) -> Result<Effect, NotAllowed> {
        let (next, effect) = step(self.state, event)?;
        self.unsaved.push(Entry::of(self.state, event, next, actor, at));
        self.updated_at = at;
        let stays = matches!(event, Event::Unhired) && self.state == next;
        // Whoever took it off the list has not seen this.
        self.flags.dismissed = false;
        self.state = next;
        if !stays {
            self.next_at = None;
        }
        Ok(effect)
    }

    /// Notes something in the history that does not change the state.
    pub fn remark(&mut self, actor: &Actor, what: &str, at: Timestamp) {
        let state = self.state.to_string();
        let (actor, cause) = (actor.to_string(), what.to_owned());
        self.unsaved.push(Entry { at, actor, from: Some(state.clone()), to: state, cause });
        self.updated_at = at;
    }

    /// Keeps what a person changed and said in the step that was taken last.
    pub fn add_to_last_step(&mut self, fields: Vec<Difference>, note: Option<String>) {
        let change = self.unsaved.last().map(|step| Change { fields, note, ..Change::of(step) });
        self.record.changes.extend(change);
    }

    /// The person's e-mail address in the form in which hires are compared.
    pub fn person(&self) -> Option<String> {
        self.record.person()
    }

    /// The candidate's addresses besides the planned one, each once; two that are compared as one are one.
    pub fn other_addresses(&self) -> Vec<String> {
        let facts = &self.record.facts;
        let listed = facts.value("candidate.emails").and_then(Value::as_array).into_iter().flatten();
        let listed = listed.filter_map(|one| one["address"].as_str());
        let mut seen: Vec<_> = self.person().into_iter().collect();
        let mut others = Vec::new();
        for address in facts.text("candidate.email").into_iter().chain(listed) {
            let normalised = normalised_email(address);
            if normalised.contains('@') && !seen.contains(&normalised) {
                seen.push(normalised);
                others.push(address.trim().to_owned());
            }
        }
        others
    }

    /// The candidate as one text, unambiguous across ATSs and their accounts: for keyed hashes.
    pub fn candidate(&self) -> Option<String> {
        self.record.candidate().map(|id| self.key.candidate(id))
    }

    /// All warnings: the plan's and those after sending.
    pub fn warnings(&self) -> impl Iterator<Item = &Warning> {
        self.record.plan.warnings.iter().chain(&self.record.warnings)
    }

    /// All notes: the plan's and those about the sending.
    pub fn notes(&self) -> impl Iterator<Item = &Note> {
        self.record.plan.notes.iter().chain(&self.record.notes)
    }

    /// Whether a rule has ever said that this hire is not for Personio.
    pub fn was_ignored(&self) -> bool {
        self.record.notes.iter().any(|note| note.starts_with(IGNORED_BY))
    }

    /// Notes the rule that says so.
    pub fn ignored(&mut self, rule: &str) {
        self.forget_ignored();
        self.note(&format!("{IGNORED_BY}{rule}"));
    }

    /// From now on no rule has said so.
    pub fn forget_ignored(&mut self) {
        self.record.notes.retain(|note| !note.starts_with(IGNORED_BY));
    }

    /// Adds a note about the sending once.
    pub fn note(&mut self, code: &str) {
        if !self.notes().any(|known| known == code) {
            self.record.notes.push(code.to_owned());
        }
    }
}

/// Before a rule's name: the note on a hire that is not for Personio because of that rule.
const IGNORED_BY: &str = "ignored_by:";

/// Id and state only: everything else may be personal.
impl fmt::Debug for Hire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hire({} {})", self.id, self.state)
    }
}
