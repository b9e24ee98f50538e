//! Learns what Personio knows, and keeps it at hand for plans.
//!
//! Attributes and categories are lists that Personio gives. Departments, offices and subcompanies it lists
//! nowhere: their names are collected from employees, page by page, and nothing else of them is kept.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::domain::Catalog;
use crate::domain::catalog::{NAMED, Names};
use crate::personio::{CallError, Reader};

/// How soon it is tried again when Personio could not be asked.
const AGAIN: SignedDuration = SignedDuration::from_mins(1);

/// How long the first plan waits for what is being learned.
const FIRST_WAIT: Duration = Duration::from_secs(2);

/// Between two pages of employees, so that hires have the way to Personio for themselves.
const BETWEEN_PAGES: SignedDuration = SignedDuration::from_millis(500);

/// What is known now. Cheap to clone; by default nothing is, and nobody learns.
#[derive(Clone)]
pub struct Learned(Arc<watch::Sender<Shelf>>);

#[derive(Clone, Default)]
struct Shelf {
    catalog: Arc<Catalog>,
    /// Somebody is learning and has not been through yet.
    expected: bool,
}

impl Default for Learned {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Shelf::default())))
    }
}

impl Learned {
    /// What is known now.
    pub fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.0.borrow().catalog)
    }

    /// Returns when it has been tried once to learn something; at once where nobody does.
    pub async fn first(&self) {
        if !self.0.borrow().expected {
            return;
        }
        let mut shelf = self.0.subscribe();
        let learned = shelf.wait_for(|shelf| !shelf.expected);
        // Without it the plan says what could not be checked.
        let _ = tokio::time::timeout(FIRST_WAIT, learned).await;
    }

    /// Says that somebody is about to learn: the first plan waits for it.
    pub fn expect(&self) {
        self.0.send_modify(|shelf| shelf.expected = true);
    }

    /// Learns at once and then `every` so often, until `stop`.
    pub async fn keep(self, reader: Reader, clock: Clock, every: SignedDuration, stop: CancellationToken) {
        loop {
            let pause = tokio::select! {
                () = stop.cancelled() => return,
                learned = self.learn(&reader, &clock) => match learned {
                    Ok(()) => every,
                    Err(error) => {
                        tracing::warn!(%error, "what Personio knows cannot be learned; plans go on with what is known");
                        every.min(AGAIN)
                    }
                },
            };
            self.0.send_modify(|shelf| shelf.expected = false);
            tokio::select! {
                () = stop.cancelled() => return,
                () = clock.sleep_until(clock.now() + pause) => {}
            }
        }
    }

    /// Asks Personio for everything once. What the credential may not read is not known.
    ///
    /// # Errors
    /// [`CallError`] if Personio could not be asked; what was known before stays.
    pub async fn learn(&self, reader: &Reader, clock: &Clock) -> Result<(), CallError> {
        let attributes = allowed(reader.attributes().await)?;
        let categories = allowed(reader.categories().await)?;
        self.change(|catalog| (catalog.attributes, catalog.categories) = (attributes, categories));
        let names = allowed(names(reader, clock).await)?;
        self.change(|catalog| catalog.names = names);
        Ok(())
    }

    fn change(&self, change: impl FnOnce(&mut Catalog)) {
        self.0.send_modify(|shelf| change(Arc::make_mut(&mut shelf.catalog)));
    }
}

/// The names that employees carry. A page costs one call; there are a hundred people on it.
async fn names(reader: &Reader, clock: &Clock) -> Result<Names, CallError> {
    let mut names = Names::new();
    let mut seen = 0;
    loop {
        let (people, more) = reader.page(&NAMED, seen).await?;
        seen += people.len();
        for person in people {
            for attribute in NAMED {
                if let Some(name) = person.values.get(attribute).and_then(|value| value.as_str()) {
                    names.entry(attribute.to_owned()).or_default().insert(name.to_owned());
                }
            }
        }
        if !more {
            return Ok(names);
        }
        clock.sleep_until(clock.now() + BETWEEN_PAGES).await;
    }
}

/// What the credential may not read is `None`.
fn allowed<T>(answer: Result<T, CallError>) -> Result<Option<T>, CallError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(CallError::NotAllowed) => Ok(None),
        Err(error) => Err(error),
    }
}
