//! Learns what Personio knows, and keeps it at hand for plans.
//!
//! Attributes and categories are lists that Personio gives. Departments, offices and subcompanies it lists
//! nowhere: their names are collected from employees, page by page, and nothing else of them is kept.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::domain::Catalog;
use crate::domain::catalog::{NAMED, Names};
use crate::personio::{CallError, Reader};

/// How soon it is tried again when Personio could not be asked.
const AGAIN: SignedDuration = SignedDuration::from_mins(1);

/// How long the first plan waits for what is being learned.
const FIRST_WAIT: Duration = Duration::from_secs(2);

/// How old what is known may be when a plan has a value that Personio does not seem to know.
const FRESH: SignedDuration = SignedDuration::from_mins(1);

/// How long such a plan waits for what is learned anew.
const ANEW_WAIT: Duration = Duration::from_secs(3);

/// So many pages of employees are read again for the sake of one plan.
const FEW_PAGES: usize = 3;

/// Between two pages of employees, so that hires have the way to Personio for themselves.
const BETWEEN_PAGES: SignedDuration = SignedDuration::from_millis(500);

/// What is known now. Cheap to clone; by default nothing is, and nobody learns.
#[derive(Clone, Default)]
pub struct Learned(Arc<Inner>);

#[derive(Default)]
struct Inner {
    shelf: watch::Sender<Shelf>,
    personio: Option<(Reader, Clock)>,
    /// Whoever learns holds it, so that nobody asks for what somebody is asking for.
    lesson: Mutex<Lesson>,
}

#[derive(Clone, Default)]
struct Shelf {
    catalog: Arc<Catalog>,
    /// Somebody is learning and has not been through yet.
    expected: bool,
}

/// The last time that somebody asked.
#[derive(Default)]
struct Lesson {
    at: Option<Timestamp>,
    /// How many pages of employees there were.
    pages: usize,
}

impl Learned {
    /// To be learned from this Personio: the first plan waits for whoever is about to [`keep`](Self::keep) it.
    pub fn from_personio(reader: Reader, clock: Clock) -> Self {
        let shelf = watch::Sender::new(Shelf { expected: true, ..Shelf::default() });
        Self(Arc::new(Inner { shelf, personio: Some((reader, clock)), lesson: Mutex::default() }))
    }

    /// What is known now.
    pub fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.0.shelf.borrow().catalog)
    }

    /// Returns when it has been tried once to learn something, or after a short while; at once where nobody does.
    pub async fn first(&self) {
        // Without it the plan says what could not be checked.
        let _ = tokio::time::timeout(FIRST_WAIT, self.tried()).await;
    }

    /// Returns when it has been tried once to learn something; at once where nobody does.
    pub async fn tried(&self) {
        // The sender is ours: it does not go away meanwhile.
        let _ = self.0.shelf.subscribe().wait_for(|shelf| !shelf.expected).await;
    }

    /// Learns at once and then `every` so often, until `stop`.
    pub async fn keep(self, every: SignedDuration, stop: CancellationToken) {
        let Some((_, clock)) = &self.0.personio else { return };
        loop {
            let pause = tokio::select! {
                () = stop.cancelled() => return,
                learned = self.learn() => match learned {
                    Ok(()) => every,
                    Err(error) => {
                        tracing::warn!(%error, "what Personio knows cannot be learned; plans go on with what is known");
                        every.min(AGAIN)
                    }
                },
            };
            self.0.shelf.send_modify(|shelf| shelf.expected = false);
            tokio::select! {
                () = stop.cancelled() => return,
                () = clock.sleep_until(clock.now() + pause) => {}
            }
        }
    }

    /// Learns once, for whoever keeps nothing.
    ///
    /// # Errors
    /// [`CallError`] if Personio could not be asked.
    pub async fn once(&self) -> Result<(), CallError> {
        let learned = self.learn().await;
        self.0.shelf.send_modify(|shelf| shelf.expected = false);
        learned
    }

    /// Asks Personio for everything once. What the credential may not read is not known.
    ///
    /// # Errors
    /// [`CallError`] if Personio could not be asked; what was known before stays.
    pub async fn learn(&self) -> Result<(), CallError> {
        let Some((reader, clock)) = &self.0.personio else { return Ok(()) };
        let mut lesson = self.0.lesson.lock().await;
        lesson.at = Some(clock.now());
        self.learn_attributes(reader).await?;
        // No hire waits for categories: whatever comes of them, what plans need is known by then.
        lesson.pages = self.learn_names(reader, clock).await?;
        let categories = allowed(reader.categories().await)?;
        self.change(|catalog| catalog.categories = categories);
        Ok(())
    }

    /// For a plan with something that Personio does not seem to know: somebody may have made it there just now.
    /// What was learned more than a minute ago is learned anew, once for all who ask. Returns whether something
    /// else is known now than what was `seen`.
    pub async fn renew(&self, seen: &Catalog) -> bool {
        if let Some((reader, clock)) = &self.0.personio {
            // Without it the plan goes on with what is known.
            let _ = tokio::time::timeout(ANEW_WAIT, self.learn_anew(reader, clock)).await;
        }
        *seen != *self.catalog()
    }

    async fn learn_anew(&self, reader: &Reader, clock: &Clock) -> Result<(), CallError> {
        let mut lesson = self.0.lesson.lock().await;
        let now = clock.now();
        if lesson.at.is_some_and(|at| now.duration_since(at) < FRESH) {
            return Ok(());
        }
        lesson.at = Some(now);
        self.learn_attributes(reader).await?;
        if lesson.pages <= FEW_PAGES {
            lesson.pages = self.learn_names(reader, clock).await?;
        }
        Ok(())
    }

    async fn learn_attributes(&self, reader: &Reader) -> Result<(), CallError> {
        let attributes = allowed(reader.attributes().await)?;
        self.change(|catalog| catalog.attributes = attributes);
        Ok(())
    }

    /// Returns how many pages there were.
    async fn learn_names(&self, reader: &Reader, clock: &Clock) -> Result<usize, CallError> {
        let (names, pages) = allowed(names(reader, clock).await)?.unzip();
        self.change(|catalog| catalog.names = names);
        Ok(pages.unwrap_or_default())
    }

    fn change(&self, change: impl FnOnce(&mut Catalog)) {
        self.0.shelf.send_modify(|shelf| change(Arc::make_mut(&mut shelf.catalog)));
    }
}

/// The names that employees carry. A page costs one call; there are a hundred people on it.
async fn names(reader: &Reader, clock: &Clock) -> Result<(Names, usize), CallError> {
    let mut names = Names::new();
    let (mut seen, mut pages) = (0, 0);
    loop {
        let (people, more) = reader.page(&NAMED, seen).await?;
        (seen, pages) = (seen + people.len(), pages + 1);
        for person in people {
            for attribute in NAMED {
                if let Some(name) = person.values.get(attribute).and_then(|value| value.as_str()) {
                    names.entry(attribute.to_owned()).or_default().insert(name.to_owned());
                }
            }
        }
        if !more {
            return Ok((names, pages));
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
