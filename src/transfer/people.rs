//! One person, wherever hires of that person are stored: to be erased.
//!
//! Only what hirebridge stores is meant: neither Personio nor the ATS is touched.

use super::{DeskError, Inner, Transfer};
use crate::domain::employee::normalised_email;
use crate::domain::{Actor, Held, Hire, HireId, State};
use crate::ledger::privacy::Erasure;
use crate::ledger::{Filter, LedgerError};

/// How many records are opened at a time.
const AT_A_TIME: usize = 200;

/// Who is meant.
pub enum Whom {
    /// The person of this hire.
    Hire(HireId),
    /// Whoever applied with this id at the ATS of a source.
    AtsId {
        /// The source.
        source: String,
        /// The application's id.
        id: String,
    },
    /// Whoever has, or had, this e-mail address.
    Email(String),
    /// This employee in Personio.
    Employee(u64),
}

/// Hires that were erased, and those that will be.
#[derive(Default)]
pub struct Erased {
    /// Nothing personal is left of these.
    pub hires: Vec<HireId>,
    /// These are on their way: each is erased as soon as it has ended.
    pub pending: Vec<HireId>,
}

impl Transfer {
    /// The hires of a person, oldest first. What is erased is nobody's any more.
    ///
    /// # Errors
    /// [`LedgerError`] if they cannot be read.
    pub async fn hires_of(&self, whom: &Whom) -> Result<Vec<Hire>, LedgerError> {
        let ids = match whom {
            Whom::Hire(id) => vec![*id],
            Whom::AtsId { source, id } => self.0.by_ats_id(source, id).await?,
            Whom::Email(address) => self.0.by_email(&normalised_email(address)).await?,
            Whom::Employee(id) => self.ledger().privacy().of_employee(*id).await?,
        };
        let mut hires = Vec::new();
        for id in ids {
            hires.extend(self.ledger().hire(id).await?.filter(|hire| hire.state() != State::Erased));
        }
        Ok(hires)
    }

    /// Erases these hires: at once, or, if one is on its way, as soon as it has ended. Personio and the ATS are not told.
    ///
    /// # Errors
    /// [`LedgerError`] if one cannot be written; those before it are erased.
    pub async fn erase(&self, hires: &[HireId], operator: &str) -> Result<Erased, LedgerError> {
        let actor = Actor::Operator(operator.to_owned());
        let mut all = Erased::default();
        for id in hires {
            match self.ledger().privacy().erase(*id, &actor, self.0.now()).await? {
                Erasure::Erased => all.hires.push(*id),
                Erasure::Requested => all.pending.push(*id),
                Erasure::Absent => {}
            }
            tracing::info!(hire = %id, operator, "a person is to be erased");
        }
        self.0.seen.forget();
        Ok(all)
    }

    /// Erases the person of one hire; whether that is done.
    ///
    /// # Errors
    /// [`DeskError::NotFound`] if there is no such hire, or it was erased before.
    pub async fn erase_one(&self, id: HireId, operator: &str) -> Result<bool, DeskError> {
        let erased = self.erase(&[id], operator).await?;
        match (erased.hires.is_empty(), erased.pending.is_empty()) {
            (true, true) => Err(DeskError::NotFound),
            (is_pending, _) => Ok(!is_pending),
        }
    }
}

impl Inner {
    /// By the key, if the source is known, and by the columns, for what came through a source that is gone.
    async fn by_ats_id(&self, source: &str, id: &str) -> Result<Vec<HireId>, LedgerError> {
        let (source_name, ats_id) = (Some(source.to_owned()), Some(id.to_owned()));
        let filter = Filter { source: source_name, ats_id, limit: AT_A_TIME, ..Filter::default() };
        let mut ids: Vec<_> = self.parts.ledger.list(&filter).await?.iter().map(|hire| hire.id).collect();
        if let Some(source) = self.parts.planner.sources.named(source) {
            ids.extend(self.parts.ledger.find(&source.key(id)).await?.map(|hire| hire.id));
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }

    /// By the hash of the address by which hires are compared; and, since a person may have others, in every record.
    async fn by_email(&self, address: &str) -> Result<Vec<HireId>, LedgerError> {
        let ledger = &self.parts.ledger;
        let mut ids = ledger.privacy().of_email(address).await?;
        let mut filter = Filter { limit: AT_A_TIME, ..Filter::default() };
        loop {
            let hires = ledger.list(&filter).await?;
            for hire in &hires {
                if has_address(hire, address) || self.is_in_a_body(hire, address).await? {
                    ids.push(hire.id);
                }
            }
            filter.after = hires.last().map(|hire| hire.id);
            if hires.len() < AT_A_TIME {
                break;
            }
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }

    /// Of what could not be read there is no record: only the delivery itself.
    async fn is_in_a_body(&self, hire: &Hire, address: &str) -> Result<bool, LedgerError> {
        if hire.state() != State::Held(Held::Unreadable) {
            return Ok(false);
        }
        let bodies = self.parts.ledger.bodies(hire.id).await?;
        Ok(bodies.iter().any(|body| String::from_utf8_lossy(body).to_lowercase().contains(address)))
    }
}

fn has_address(hire: &Hire, address: &str) -> bool {
    let corrected = hire.record.corrections.get("email").and_then(|value| value.as_str());
    let said = hire.record.facts.text("candidate.email");
    let others = hire.other_addresses();
    let all = corrected.into_iter().chain(said).chain(others.iter().map(String::as_str));
    hire.person().as_deref() == Some(address) || all.map(normalised_email).any(|one| one == address)
}
