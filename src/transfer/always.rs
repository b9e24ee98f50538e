//! "Always": what a person has corrected once is to hold from now on. An admin confirms it, and every plan knows it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;
use uuid::Uuid;

use super::refusal::{DeskError, FieldError};
use super::{Inner, LedgerError, Transfer};
use crate::domain::{Actor, Hire, Plan, Said, Translation};
use crate::mapping::{as_text, is_personal};

/// Where a wish that cannot be granted is named.
const FIELD: &str = "always";

impl Transfer {
    /// All translations, proposed and confirmed, oldest first.
    ///
    /// # Errors
    /// [`LedgerError`] if they cannot be read.
    pub async fn translations(&self) -> Result<Vec<Translation>, LedgerError> {
        self.ledger().translations().await
    }

    /// From now on this translation is part of every plan of its source.
    ///
    /// # Errors
    /// [`DeskError::ValueNotFound`] if it is gone.
    pub async fn confirm(&self, id: Uuid, operator: &str) -> Result<Translation, DeskError> {
        let all = self.translations().await?;
        let mut one = all.into_iter().find(|one| one.id == id).ok_or(DeskError::ValueNotFound)?;
        if one.confirmed.is_some() {
            return Ok(one);
        }
        one.confirmed = Some(Said { by: operator.to_owned(), at: self.0.now() });
        if !self.ledger().confirm(&one).await? {
            return Err(DeskError::ValueNotFound);
        }
        tracing::info!(value = %id, source = one.source, attribute = one.attribute, operator, "a value is always translated from now on");
        Ok(one)
    }

    /// Forgets a translation. What was sent with it stays as it is.
    ///
    /// # Errors
    /// [`DeskError::ValueNotFound`] if it is gone.
    pub async fn revoke(&self, id: Uuid, operator: &str) -> Result<(), DeskError> {
        if !self.ledger().revoke(id).await? {
            return Err(DeskError::ValueNotFound);
        }
        tracing::info!(value = %id, operator, "a value is no longer always translated");
        Ok(())
    }

    /// The confirmed translations as lines of the configuration.
    ///
    /// # Errors
    /// [`LedgerError`] if they cannot be read.
    pub async fn translations_as_toml(&self) -> Result<String, LedgerError> {
        let mut tables: BTreeMap<_, BTreeMap<_, Vec<_>>> = BTreeMap::new();
        let all = self.translations().await?;
        for one in all.iter().filter(|one| one.confirmed.is_some()) {
            let attributes = tables.entry(one.source.as_str()).or_default();
            attributes.entry(one.attribute.as_str()).or_default().push(one);
        }
        let planner = self.planner();
        let mut toml = String::new();
        for (source, attributes) in tables {
            let _ = writeln!(toml, "[sources.{source}.mapping.fields]");
            for (attribute, entries) in attributes {
                let pairs = entries.iter().map(|one| (one.from.as_str(), one.to.as_str()));
                let line = planner.mappings.of(source).written(&planner.catalog.catalog(), attribute, pairs);
                // No rule is for it any more.
                let _ =
                    writeln!(toml, "{}", line.unwrap_or_else(|| format!("# {attribute}: no rule is for it")));
            }
        }
        Ok(toml)
    }

    /// The plan for a delivery of this source. Writes nothing.
    ///
    /// # Errors
    /// [`DeskError::Unreadable`] or [`DeskError::NoHire`] if there is no hire in it.
    pub async fn preview_delivery(
        &self,
        source: &crate::ats::Source,
        body: &[u8],
    ) -> Result<Plan, DeskError> {
        let always = self.0.always(source.name()).await?;
        self.planner().preview(source, body, self.0.now(), &always).await
    }
}

impl Inner {
    /// What is always translated for hires of this source. Read for each plan: whoever confirms or revokes may be
    /// at another replica.
    pub(super) async fn always(&self, source: &str) -> Result<Vec<Translation>, LedgerError> {
        let mut all = self.parts.ledger.translations().await?;
        all.retain(|one| one.confirmed.is_some() && one.source == source);
        Ok(all)
    }

    /// What is to hold from now on, of the corrections of a hire that is about to be sent.
    pub(super) async fn proposals(
        &self,
        hire: &Hire,
        always: &[String],
        operator: &str,
    ) -> Result<Vec<Translation>, DeskError> {
        if always.is_empty() {
            return Ok(Vec::new());
        }
        let payloads = self.payloads(hire).await?;
        let told = self.parts.planner.told(hire, &payloads);
        let mut wrong = Vec::new();
        let mut proposals = Vec::new();
        for attribute in always {
            match self.proposal(hire, attribute, &told, operator) {
                Ok(proposal) => proposals.push(proposal),
                Err(why) => {
                    wrong.push(FieldError { field: FIELD.into(), message: format!("`{attribute}` {why}") });
                }
            }
        }
        if wrong.is_empty() { Ok(proposals) } else { Err(DeskError::Invalid(wrong)) }
    }

    fn proposal(
        &self,
        hire: &Hire,
        attribute: &str,
        told: &BTreeMap<String, String>,
        operator: &str,
    ) -> Result<Translation, &'static str> {
        if self.parts.planner.sources.named(&hire.source).is_none() {
            return Err("cannot be kept: the hire is of no configured source");
        }
        if is_personal(attribute) {
            return Err("belongs to one person alone");
        }
        let correction = hire.record.corrections.get(attribute).unwrap_or(&Value::Null);
        let to = as_text(correction).ok_or("is not corrected to a value")?;
        let from = told.get(attribute).ok_or("has no single value from the ATS that could be translated")?;
        let proposed = Said { by: operator.to_owned(), at: self.now() };
        Ok(Translation {
            id: self.new_id().0,
            source: hire.source.clone(),
            attribute: attribute.to_owned(),
            from: from.clone(),
            to,
            hire: hire.id,
            proposed,
            confirmed: None,
        })
    }

    /// Keeps what is not kept already, and says so in the hire's history.
    pub(super) async fn propose(
        &self,
        hire: &mut Hire,
        proposals: &[Translation],
    ) -> Result<(), LedgerError> {
        for one in proposals {
            self.parts.ledger.propose(one).await?;
            let actor = Actor::Operator(one.proposed.by.clone());
            hire.remark(&actor, &format!("always_proposed:{}", one.attribute), one.proposed.at);
        }
        Ok(())
    }
}
