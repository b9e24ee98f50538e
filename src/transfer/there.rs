//! What is in Personio now, fetched while somebody looks. Nothing of it is kept.

use serde_json::Value;

use super::refusal::DeskError;
use super::{Inner, Transfer};
use crate::domain::{Hire, HireId};
use crate::personio::{CallError, Person, Shown};

/// Somebody in Personio who is, or may be, the person of a hire.
pub struct There {
    /// The employee's id.
    pub id: u64,
    /// The employee's status.
    pub status: Option<String>,
    /// What the plan has, and what Personio has; in the plan's order.
    pub fields: Vec<ThereField>,
}

/// One attribute of the plan.
pub struct ThereField {
    /// The Personio attribute.
    pub name: String,
    /// What the plan has.
    pub planned: Value,
    /// `same`, `other`, `empty`, or `hidden`: the credential may not read it.
    pub verdict: &'static str,
    /// What Personio shows, if that is something else.
    pub there: Option<Value>,
}

impl Transfer {
    /// Asks Personio for the hire's employee; for a hire that has none yet, for everybody with its e-mail address.
    ///
    /// # Errors
    /// [`DeskError::NotFound`], [`DeskError::LookUpImpossible`], [`DeskError::PersonioUnreachable`].
    pub async fn there(&self, id: HireId) -> Result<Vec<There>, DeskError> {
        let hire = self.0.known(id).await?;
        let people = self.0.people(&hire).await.map_err(|error| match error {
            CallError::NotAllowed => DeskError::LookUpImpossible,
            _ => DeskError::PersonioUnreachable,
        })?;
        Ok(people.into_iter().map(|person| There::of(&hire, &person)).collect())
    }
}

impl Inner {
    async fn people(&self, hire: &Hire) -> Result<Vec<Person>, CallError> {
        let reader = &self.parts.reader;
        let mut ids: Vec<_> = hire.employee.into_iter().chain(hire.record.doubles.iter().copied()).collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return reader.find_by_email(hire.record.plan.employee.email(), self.call_deadline()).await;
        }
        let mut people = Vec::new();
        for id in ids {
            people.extend(reader.person(id).await?);
        }
        Ok(people)
    }
}

impl There {
    fn of(hire: &Hire, person: &Person) -> Self {
        let field = |(name, planned): (&str, &Value)| {
            let (verdict, there) = match person.shows(name, planned) {
                Shown::Same => ("same", None),
                Shown::Other(value) => ("other", Some(value)),
                Shown::Empty => ("empty", None),
                Shown::Hidden => ("hidden", None),
            };
            ThereField { name: name.to_owned(), planned: planned.clone(), verdict, there }
        };
        let fields = hire.record.plan.employee.attributes().map(field).collect();
        Self { id: person.id, status: person.status.clone(), fields }
    }
}
