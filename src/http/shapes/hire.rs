//! A hire, as it is shown.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::contract::StateName;
use super::plan::{PlanShape, WarningShape};
use crate::domain::examine::clean;
use crate::domain::{self, Change, Difference, Document, Entry};
use crate::transfer::Transfer;
use crate::words::{self, Language};

/// One hire.
#[derive(Serialize, ToSchema)]
#[schema(as = Hire, example = json!({
    "id": "01942f5e-9c1b-7c3e-8a37-2f6f2a6f0c11",
    "source": "ashby",
    "account": "acme",
    "ats_id": "1d2c8d5e-0c49-4d5c-9a1e-1f6c3a1b2c3d",
    "state": "created",
    "reason": null,
    "says": "The employee is in Personio, and something about the record needs a look.",
    "remedy": "Set right in Personio what the warnings name; send or add the documents that are missing.",
    "missing": ["position"],
    "employee": {"id": 4711, "url": "https://acme.app.personio.com/staff/details/4711"},
    "warnings": [{"code": "dropped", "field": "department", "sent": "Enginering", "options": ["Engineering"]}],
    "doubles": [],
    "notes": [],
    "documents": [],
    "plan": {
        "hash": "9f2c4d1b7c0e5a6f8b3d2e1c0a9f8e7d6c5b4a39281706f5e4d3c2b1a0918273",
        "sendable": true,
        "employee": {"email": "mia.beispiel@example.org", "first_name": "Mia", "last_name": "Beispiel",
            "department": "Enginering", "hire_date": "2027-02-01"},
        "documents": [], "warnings": [], "notes": [], "missing": ["position"],
        "status": "onboarding", "final": ["email"],
    },
    "flags": {"dismissed": false, "unhired": false, "double": false, "approved": false, "second_hire_approved": false,
        "warnings": true},
    "received_at": "2027-01-04T09:12:44Z",
    "updated_at": "2027-01-04T09:12:46Z",
    "history": [
        {"at": "2027-01-04T09:12:44Z", "actor": "source:ashby", "from": null, "to": "received", "cause": "stored"},
        {"at": "2027-01-04T09:12:44Z", "actor": "system", "from": "received", "to": "ready", "cause": "planned"},
    ],
}))]
pub(in super::super) struct HireShape {
    id: Uuid,
    /// The source it came through first; `manual` if it was typed by hand for none.
    source: String,
    /// The account at the ATS.
    account: String,
    /// The application's id at the ATS.
    ats_id: String,
    #[schema(value_type = StateName)]
    state: &'static str,
    /// Why it is in this state, as a stable code.
    reason: Option<&'static str>,
    /// What state and reason mean, in the language that was asked for.
    says: &'static str,
    /// What to do, in that language.
    remedy: Option<&'static str>,
    /// Attributes that the mapping names and for which there is no value.
    missing: Vec<String>,
    /// The employee in Personio, once there is one.
    employee: Option<EmployeeLink>,
    /// What a person should look at.
    warnings: Vec<WarningShape>,
    /// The employees who may be this person, if the flag `double` is set.
    doubles: Vec<EmployeeLink>,
    /// Expected things, as stable codes.
    notes: Vec<String>,
    documents: Vec<DocumentShape>,
    /// What would be, or was, sent; `null` until the plan was made.
    plan: Option<PlanShape>,
    flags: FlagsShape,
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// What the ATS, or whoever typed it, has told: groups as a hire is typed; not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    facts: Option<Value>,
    /// What happened, oldest first; not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<Vec<EntryShape>>,
}

impl HireShape {
    /// A hire as lists show it.
    pub(in super::super) fn of(
        hire: &domain::Hire,
        documents: &[&Document],
        transfer: &Transfer,
        language: Language,
    ) -> Self {
        let link = |id| EmployeeLink::of(id, transfer);
        let words = words::of_hire(hire.state(), hire.flags.warnings, language);
        let plan = &hire.record.plan;
        Self {
            id: hire.id.0,
            source: hire.source.clone(),
            account: hire.key.account.clone(),
            ats_id: hire.key.application.clone(),
            state: hire.state().name(),
            reason: hire.state().reason(),
            says: &words.says,
            remedy: words.remedy.as_deref(),
            missing: plan.missing.clone(),
            employee: hire.employee.map(link),
            warnings: hire.warnings().map(WarningShape::from).collect(),
            doubles: hire.record.doubles.iter().copied().map(link).collect(),
            notes: hire.notes().cloned().collect(),
            documents: documents.iter().map(|one| DocumentShape::of(one, language)).collect(),
            plan: plan.employee.attributes().next().map(|_| PlanShape::from(plan)),
            flags: FlagsShape::from(&hire.flags),
            received_at: hire.received_at,
            updated_at: hire.updated_at,
            facts: None,
            history: None,
        }
    }

    /// With what is known about it, and what happened to it.
    pub(in super::super) fn in_full(mut self, hire: &domain::Hire, history: Vec<Entry>) -> Self {
        let changes = &hire.record.changes;
        let change = |entry: &Entry| changes.iter().find(|change| change.belongs_to(entry));
        self.facts = Some(hire.record.facts.to_nested());
        self.history = Some(history.into_iter().map(|entry| EntryShape::of(change(&entry), entry)).collect());
        self
    }
}

/// Where the employee is.
#[derive(Serialize, ToSchema)]
pub(super) struct EmployeeLink {
    /// The id in Personio.
    id: u64,
    /// The profile in Personio, if `profile_url` is configured.
    url: Option<String>,
}

impl EmployeeLink {
    pub(super) fn of(id: u64, transfer: &Transfer) -> Self {
        Self { id, url: transfer.profile_link(id) }
    }
}

/// A file of the hire's that follows it. Kinds that are off have none: `notes` names them.
#[derive(Serialize, ToSchema)]
#[schema(as = Document, example = json!({"n": 1, "name": "Lebenslauf.pdf", "kind": "resume", "state": "sent",
    "reason": null, "says": "The document is in Personio.", "remedy": "Nothing.", "said": null}))]
struct DocumentShape {
    /// Its number within the hire.
    n: u32,
    /// The file's name.
    name: String,
    /// `resume`, `offer_letter`, `signed_offer`, `e_signature`, `cover_letter` or `other`.
    kind: &'static str,
    /// `pending`, `sending`, `sent`, `failed`, `unknown` or `same`.
    #[schema(example = "pending")]
    state: &'static str,
    /// Why it is in this state, as a stable code.
    reason: Option<&'static str>,
    /// What state and reason mean, in the language that was asked for.
    says: &'static str,
    /// What to do, in that language.
    remedy: Option<&'static str>,
    /// What Personio said when it refused the document; of `link_forbidden`, the host that the link leads to.
    said: Option<String>,
}

impl DocumentShape {
    fn of(document: &Document, language: Language) -> Self {
        let (state, sheet) = (document.state(), &document.sheet);
        let words = words::of_document(state, language);
        let name = if sheet.file_name.is_empty() { clean(&sheet.file.name) } else { sheet.file_name.clone() };
        Self {
            n: document.n,
            name,
            kind: sheet.file.kind.name(),
            state: state.name(),
            reason: state.reason(),
            says: &words.says,
            remedy: words.remedy.as_deref(),
            said: sheet.said.clone(),
        }
    }
}

/// The flags that a list can be asked for.
pub(in super::super) const FLAGS: &[&str] =
    &["dismissed", "unhired", "double", "approved", "second_hire_approved", "warnings"];

#[derive(Serialize, ToSchema)]
#[schema(as = Flags)]
#[expect(clippy::struct_excessive_bools, reason = "independent marks, each of which stands for itself")]
struct FlagsShape {
    /// A person took it off the list.
    dismissed: bool,
    /// The ATS took the hire back when it was, or may have been, sent; or nobody can tell which came last. Nothing is
    /// deleted in Personio: a person decides.
    unhired: bool,
    /// More than one employee in Personio may be this person: `doubles` names them.
    double: bool,
    /// A person approved it.
    approved: bool,
    /// A person said that it is another hire than the one with the same e-mail address.
    second_hire_approved: bool,
    /// It was created, and something did not arrive or is doubtful: `warnings` names it.
    warnings: bool,
}

impl From<&domain::Flags> for FlagsShape {
    fn from(flags: &domain::Flags) -> Self {
        Self {
            dismissed: flags.dismissed,
            unhired: flags.unhired,
            double: flags.double,
            approved: flags.approved,
            second_hire_approved: flags.second_hire_approved,
            warnings: flags.warnings,
        }
    }
}

/// One line of a hire's history.
#[derive(Serialize, ToSchema)]
#[schema(as = HistoryEntry)]
struct EntryShape {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// `system`, `source:NAME` or `operator:NAME`.
    #[schema(example = "operator:mia")]
    actor: String,
    /// The state before, as `name` or `name(reason)`.
    #[schema(example = "held(review)")]
    from: Option<String>,
    /// The state after.
    #[schema(example = "ready")]
    to: String,
    /// Why, as a stable code.
    #[schema(example = "approved")]
    cause: String,
    /// Which values the person corrected.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<ChangedField>,
    /// What the person said about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// A value that a person corrected.
#[derive(Serialize, ToSchema)]
struct ChangedField {
    /// The Personio attribute.
    #[schema(example = "department")]
    field: String,
    /// What would have been sent.
    #[schema(value_type = Option<Value>)]
    before: Option<Value>,
    /// What was sent in its place.
    #[schema(value_type = Option<Value>)]
    after: Option<Value>,
}

impl EntryShape {
    fn of(change: Option<&Change>, entry: Entry) -> Self {
        let Entry { at, actor, from, to, cause } = entry;
        let fields = change.map_or_else(Vec::new, |change| change.fields.clone());
        let field = |Difference { field, before, after }| ChangedField { field, before, after };
        let fields = fields.into_iter().map(field).collect();
        Self { at, actor, from, to, cause, fields, note: change.and_then(|change| change.note.clone()) }
    }
}
