//! What a hire is, which states it goes through, and what would be sent: pure values and functions.
//!
//! Nothing here reads a clock, a socket or a file. Names of the field:
//! [`Facts`] are what the ATS told us, a [`Plan`] is what Personio would get, a [`Hire`] carries both
//! from [`State::Received`] to its end, and [`step()`] is the one place where a state may change.

pub mod catalog;
pub mod document;
pub mod employee;
pub mod examine;
pub mod facts;
pub mod file;
pub mod hire;
pub mod history;
pub mod operator;
pub mod plan;
pub mod state;
pub mod step;
pub mod translation;

pub use catalog::{Attribute, Catalog, Verdict};
pub use document::{
    Document, DocumentEvent, DocumentId, DocumentState, Flaw, Upload, UploadOutcome, step_document,
};
pub use employee::Employee;
pub use facts::Facts;
pub use file::{DocumentKind, File, Place};
pub use hire::{Flags, Hire, HireId, HireKey, LookUpZero, NameSplit, Record};
pub use history::{Actor, Change, Difference, Entry};
pub use operator::{Pass, Role, UnknownRole};
pub use plan::{Note, Plan, PlannedDocument, Warning};
pub use state::{Held, How, State, Waiting};
pub use step::{Effect, Event, Found, NotAllowed, Outcome, prevails, step};
pub use translation::{Said, Translation};
