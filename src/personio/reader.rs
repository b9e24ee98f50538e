//! What only reads: it cannot change Personio.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use tower::ServiceExt;

use super::Stack;
use super::auth::Tokens;
use super::call::Call;
use super::error::CallError;
use super::person::Person;
use super::v1;
use super::wire::Wire;
use crate::clock::Clock;
use crate::domain::Attribute;
use crate::domain::catalog::Category;
use crate::outbound::Answer;
use crate::outbound::breaker::Breaker;
use crate::telemetry::Metrics;

/// What stands for the employee's id in a profile link.
pub(super) const ID: &str = "{id}";

/// Reads Personio. Cheap to clone.
#[derive(Clone)]
pub struct Reader {
    stack: Stack,
    tokens: Arc<Tokens>,
    breaker: Breaker<Metrics>,
    wire: Wire,
    patience: Duration,
    profile_url: Option<Arc<str>>,
    clock: Clock,
}

impl Reader {
    pub(super) fn new(
        stack: Stack,
        tokens: Arc<Tokens>,
        breaker: Breaker<Metrics>,
        wire: Wire,
        patience: Duration,
        profile_url: Option<Arc<str>>,
        clock: Clock,
    ) -> Self {
        Self { stack, tokens, breaker, wire, patience, profile_url, clock }
    }

    /// Who has this e-mail address, upper and lower case being the same. Ends before `deadline`.
    ///
    /// # Errors
    /// [`CallError`]; never an empty list when Personio could not be asked.
    pub async fn find_by_email(&self, email: &str, deadline: Timestamp) -> Result<Vec<Person>, CallError> {
        if email.is_empty() {
            return Ok(Vec::new());
        }
        let deadline = deadline.min(self.deadline());
        let found = self.look_up(email, deadline).await?;
        let lower = email.to_lowercase();
        // Whether Personio's filter ignores the case is not documented.
        if found.is_empty() && lower != email { self.look_up(&lower, deadline).await } else { Ok(found) }
    }

    async fn look_up(&self, email: &str, deadline: Timestamp) -> Result<Vec<Person>, CallError> {
        let answer = self.ask(v1::look_up(email, deadline)).await?;
        let mut people = v1::read_people(&answer, self.clock.now())?;
        // One without a visible address is believed only if the filter can have been at work.
        let only_one = people.len() == 1;
        people.retain(|person| person.may_have(email).unwrap_or(only_one));
        Ok(people)
    }

    /// Whether nobody has this e-mail address, beyond doubt: not even somebody whose address is not shown, and not
    /// because Personio answered with others than those who were asked for. Ends before `deadline`.
    ///
    /// # Errors
    /// [`CallError`] when Personio could not be asked.
    pub async fn is_surely_absent(&self, email: &str, deadline: Timestamp) -> Result<bool, CallError> {
        let deadline = deadline.min(self.deadline());
        let lower = email.to_lowercase();
        for address in
            [Some(email), Some(lower.as_str()).filter(|lower| *lower != email)].into_iter().flatten()
        {
            let answer = self.ask(v1::look_up(address, deadline)).await?;
            if address.is_empty() || !v1::read_people(&answer, self.clock.now())?.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The employee with this id; `None` if there is none.
    ///
    /// # Errors
    /// [`CallError`] if Personio could not be asked or does not allow it.
    pub async fn person(&self, id: u64) -> Result<Option<Person>, CallError> {
        let answer = self.ask(v1::read(id, self.deadline())).await?;
        v1::read_person(&answer, self.clock.now())
    }

    /// The attributes that the credential may read.
    ///
    /// # Errors
    /// [`CallError`] if Personio could not be asked or does not allow it.
    pub async fn attributes(&self) -> Result<Vec<Attribute>, CallError> {
        let answer = self.ask(v1::attributes(self.deadline())).await?;
        v1::read_attributes(&answer, self.clock.now())
    }

    /// The categories of documents.
    ///
    /// # Errors
    /// [`CallError`] if Personio could not be asked or does not allow it.
    pub async fn categories(&self) -> Result<Vec<Category>, CallError> {
        let answer = self.ask(v1::categories(self.deadline())).await?;
        v1::read_categories(&answer, self.clock.now())
    }

    /// People from `offset` on with only these attributes, and whether there are more behind them.
    ///
    /// # Errors
    /// [`CallError`] if Personio could not be asked or does not allow it.
    pub async fn page(&self, attributes: &[&str], offset: usize) -> Result<(Vec<Person>, bool), CallError> {
        let answer = self.ask(v1::page(attributes, offset, self.deadline())).await?;
        v1::read_page(&answer, offset, self.clock.now())
    }

    /// Makes sure that there is a token, so that the next call need not wait for one.
    ///
    /// # Errors
    /// [`CallError::Credential`] if Personio does not take the credential; others if it could not be asked.
    pub async fn authenticate(&self) -> Result<(), CallError> {
        self.tokens.token(self.deadline()).await.map(drop)
    }

    /// When the next call may try whether Personio answers again; `None` while all may be made.
    pub fn shut_until(&self) -> Option<Timestamp> {
        let left = self.breaker.shut_for()?;
        Some(self.clock.now().checked_add(left).unwrap_or(Timestamp::MAX))
    }

    /// Tries whether Personio answers again. What it answers does not matter.
    pub async fn knock(&self) {
        if let Err(error) = self.attributes().await {
            tracing::debug!(%error, "knocked at Personio");
        }
    }

    /// Goes by another credential from the next token on; so does the writer.
    pub async fn change_credential(&self, id: &SecretString, secret: &SecretString) {
        self.tokens.change(id, secret).await;
    }

    /// Where a person finds the employee in Personio, if the configuration says how.
    pub fn profile_link(&self, id: u64) -> Option<String> {
        self.profile_url.as_ref().map(|template| template.replace(ID, &id.to_string()))
    }

    /// By how much Personio's clock was ahead of ours at its last answer, if it has answered.
    pub fn clock_skew(&self) -> Option<SignedDuration> {
        self.wire.ahead()
    }

    async fn ask(&self, call: Call) -> Result<Answer, CallError> {
        Ok(self.stack.clone().oneshot(call).await?)
    }

    fn deadline(&self) -> Timestamp {
        self.clock.now().checked_add(self.patience).unwrap_or(Timestamp::MAX)
    }
}
