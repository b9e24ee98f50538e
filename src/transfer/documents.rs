//! Documents follow the hire: their files are taken when the ATS tells of them, and sent when the employee is there.
//!
//! All documents of a hire are worked on by one task, one after the other, beside the task that carries the hire:
//! neither waits for the other. What has to be done is in the ledger; a task that ends early loses nothing.

mod send;
mod take;

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Semaphore;
use tracing::Instrument;

use super::progress::{Progress, Running};
use super::{DeskError, Inner, LedgerError, Transfer};
use crate::domain::file::gather;
use crate::domain::{
    Actor, Document, DocumentEvent, DocumentId, DocumentState, File, Flaw, Hire, HireId, State,
};

/// Of so many hires documents are worked on at a time.
const AT_A_TIME: usize = 8;

/// The hires of which documents are being worked on.
#[derive(Clone)]
pub(super) struct Papers {
    progress: Progress,
    room: Arc<Semaphore>,
}

impl Default for Papers {
    fn default() -> Self {
        Self { progress: Progress::default(), room: Arc::new(Semaphore::new(AT_A_TIME)) }
    }
}

impl Transfer {
    /// Goes on with documents that are due, as far as there is room.
    ///
    /// # Errors
    /// [`LedgerError`] if they cannot be read.
    pub async fn resume_documents(&self) -> Result<(), LedgerError> {
        let inner = &self.0;
        let room = inner.papers.room.available_permits();
        if room == 0 || inner.ends_at.get().is_some() {
            return Ok(());
        }
        for id in self.ledger().shelf().due(inner.now(), AT_A_TIME).await? {
            inner.work_on_papers(id);
        }
        Ok(())
    }

    /// When a document is due next.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be read.
    pub async fn next_document(&self) -> Result<Option<Timestamp>, LedgerError> {
        self.ledger().shelf().next_due().await
    }

    /// Waits until this process works on no document of the hire.
    pub async fn idle_documents(&self, id: HireId) {
        self.0.papers.progress.idle(id).await;
    }

    /// A person wants one document sent, or tried, once more.
    ///
    /// # Errors
    /// [`DeskError::NotFound`], [`DeskError::NoDocument`], [`DeskError::DocumentState`].
    pub async fn send_document(
        &self,
        id: HireId,
        n: u32,
        operator: &str,
        wait: Duration,
    ) -> Result<Hire, DeskError> {
        let inner = Arc::clone(&self.0);
        let hire = inner.known(id).await?;
        let documents = self.ledger().shelf().of(&[id]).await?;
        let document = documents.into_iter().find(|document| document.n == n);
        let mut document = document.ok_or(DeskError::NoDocument)?;
        let now = inner.now();
        document
            .apply(&DocumentEvent::Again, &Actor::Operator(operator.to_owned()), now)
            .map_err(|refusal| DeskError::DocumentState { state: refusal.0 })?;
        (document.since, document.tries, document.next_at) = (None, 0, Some(now));
        inner
            .whatever_happens({
                let inner = Arc::clone(&inner);
                async move {
                    inner.parts.ledger.shelf().save(&mut document).await?;
                    inner.work_on_papers(hire.id);
                    Ok(())
                }
            })
            .await?;
        // Late is no harm: the document goes on.
        let _ = tokio::time::timeout(wait, self.idle_documents(id)).await;
        inner.known(id).await
    }
}

impl Inner {
    /// Files of a hire are known: those of a kind that is to follow become its documents, and are taken at once.
    pub(super) async fn files_came(self: &Arc<Self>, hire: &Hire, files: &[File]) -> Result<(), LedgerError> {
        let filing = self.parts.planner.mappings.of(&hire.source).filing();
        let wanted = files.iter().filter(|file| filing.of(file.kind).is_some());
        let wanted: Vec<_> = wanted.map(File::without_content).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let shelf = self.parts.ledger.shelf();
        let known = shelf.of(&[hire.id]).await?;
        let is_new = |file: &&File| !known.iter().any(|document| document.sheet.file.id == file.id);
        let new = wanted.iter().filter(is_new).cloned();
        let new: Vec<_> =
            new.map(|file| Document::of(file, hire.id, DocumentId(self.new_id().0), self.now())).collect();
        if !new.is_empty() {
            shelf.add(&new).await?;
        }
        for document in known {
            self.told_again(document, &wanted).await?;
        }
        self.work_on_papers(hire.id);
        Ok(())
    }

    /// As long as a file was not taken, the ATS may say anew what it is and where.
    async fn told_again(&self, mut document: Document, files: &[File]) -> Result<(), LedgerError> {
        let file = files.iter().find(|file| file.id == document.sheet.file.id);
        let Some(file) =
            file.filter(|_| document.state() == DocumentState::Pending && document.taken.is_none())
        else {
            return Ok(());
        };
        let mut both = vec![document.sheet.file.clone()];
        if gather(&mut both, [file.clone()]) {
            document.sheet.file = both.swap_remove(0);
            document.next_at = Some(self.now());
            match self.parts.ledger.shelf().save(&mut document).await {
                Err(LedgerError::Conflict) => {}
                saved => saved?,
            }
        }
        Ok(())
    }

    /// Starts work on the documents of a hire, unless this process is at it or has no room: then they are due in the
    /// ledger, and their turn comes.
    pub(super) fn work_on_papers(self: &Arc<Self>, id: HireId) {
        if self.ends_at.get().is_some() {
            return;
        }
        let Some(running) = self.papers.progress.start(id, State::Received) else { return };
        let Ok(room) = Arc::clone(&self.papers.room).try_acquire_owned() else { return };
        let inner = Arc::clone(self);
        let work = async move {
            let work = tokio::spawn(Arc::clone(&inner).papers(id, running).in_current_span()).await;
            drop(room);
            match work {
                // More may have come while it was at the last one; and others may wait for room.
                Ok(Ok(())) => inner.due.notify_one(),
                Ok(Err(error)) => {
                    tracing::error!(hire = %id, %error, "the ledger failed; the documents go on when it works again");
                }
                Err(_) => {
                    tracing::error!(hire = %id, "the work on documents was broken off by an internal error");
                }
            }
        };
        self.tasks.spawn(work.in_current_span());
    }

    /// Does what is due of a hire's documents, one after the other: so their sizes add up, and memory holds one piece.
    async fn papers(self: Arc<Self>, id: HireId, _running: Running) -> Result<(), LedgerError> {
        loop {
            let documents = self.parts.ledger.shelf().of(&[id]).await?;
            let hire = self.again(id).await?;
            let now = self.now();
            let Some(document) = documents.iter().find(|document| is_its_turn(document, &hire, now)) else {
                return Ok(());
            };
            if self.ends_at.get().is_some() {
                return Ok(());
            }
            let done = match (document.state(), document.taken) {
                (DocumentState::Pending, _) if is_taken_back(&hire) => {
                    self.unfit(&mut document.clone(), Flaw::HireTakenBack).await
                }
                (DocumentState::Pending, None) => self.take(&hire, document.clone(), &documents).await,
                (DocumentState::Pending, Some(taken)) => self.file(&hire, document.clone(), taken).await,
                _ => self.settle(hire, document.clone(), &documents).await,
            };
            match done {
                // Somebody else was faster: it is looked at again.
                Err(LedgerError::Conflict) => {}
                done => done?,
            }
        }
    }

    /// What became of a document shows on its hire, once the employee is there.
    async fn settle(
        &self,
        mut hire: Hire,
        mut document: Document,
        all: &[Document],
    ) -> Result<(), LedgerError> {
        if let State::Created(_) = hire.state() {
            let raised = wants_a_look(&hire, all);
            if raised != hire.flags.warnings {
                hire.flags.warnings = raised;
                self.save(&mut hire).await?;
                if raised {
                    self.parts.metrics.created_with_warnings();
                }
            }
        }
        document.next_at = None;
        self.parts.ledger.shelf().save(&mut document).await
    }

    /// A document cannot go on by itself.
    async fn unfit(&self, document: &mut Document, flaw: Flaw) -> Result<(), LedgerError> {
        tracing::warn!(hire = %document.hire, document = document.n, flaw = flaw.code(), "a document cannot be sent");
        self.step(document, &DocumentEvent::Unfit(flaw))?;
        self.store(document).await
    }

    /// It is tried again, ever later up to 15 minutes, or when somebody said; until `patience` is over.
    fn put_off_document(
        &self,
        document: &mut Document,
        at: Option<Timestamp>,
        patience: SignedDuration,
        flaw: Flaw,
    ) -> Result<(), LedgerError> {
        let now = self.now();
        let since = *document.since.get_or_insert(now);
        if now.duration_since(since) >= patience {
            return self.step(document, &DocumentEvent::Unfit(flaw));
        }
        let pause = SignedDuration::from_secs((5i64 << document.tries.min(8)).min(900));
        document.tries += 1;
        document.next_at = Some(at.unwrap_or(now + pause).max(now + SignedDuration::from_secs(1)));
        Ok(())
    }

    /// Takes a step as the system itself. What ended is due once more, so that its hire shows it.
    pub(super) fn step(&self, document: &mut Document, event: &DocumentEvent) -> Result<(), LedgerError> {
        let now = self.now();
        let taken = document.apply(event, &Actor::System, now);
        taken.map_err(|refusal| LedgerError::Damaged(refusal.to_string()))?;
        document.next_at = Some(now);
        Ok(())
    }

    /// Stores what is known, however often the store fails for a moment.
    async fn store(&self, document: &mut Document) -> Result<(), LedgerError> {
        loop {
            match self.parts.ledger.shelf().save(document).await {
                Err(LedgerError::Unusable(why)) => {
                    tracing::error!(hire = %document.hire, document = document.n, %why,
                        "a document's state could not be stored; trying again");
                    self.parts.clock.sleep_until(self.now() + SignedDuration::from_secs(1)).await;
                }
                done => return done,
            }
        }
    }

    /// The ones that sent these documents are gone: nobody knows what became of the calls.
    pub(super) async fn recover_documents(&self) -> Result<(), LedgerError> {
        for mut document in self.parts.ledger.shelf().orphans().await? {
            if self.papers.progress.is_running(document.hire) {
                continue;
            }
            self.step(&mut document, &DocumentEvent::OwnerGone)?;
            match self.parts.ledger.shelf().save(&mut document).await {
                // Another replica was faster.
                Err(LedgerError::Conflict) => {}
                saved => saved?,
            }
            self.due.notify_one();
        }
        Ok(())
    }
}

/// Whether a person should look at a created hire.
pub(super) fn wants_a_look(hire: &Hire, documents: &[Document]) -> bool {
    hire.warnings().next().is_some() || documents.iter().any(|document| document.state().wants_a_person())
}

/// Whether nothing of the employee who is there is to be sent any more.
fn is_taken_back(hire: &Hire) -> bool {
    matches!(hire.state(), State::Created(_)) && hire.is_taken_back()
}

fn is_its_turn(document: &Document, hire: &Hire, now: Timestamp) -> bool {
    let may = match (document.state(), document.taken) {
        (DocumentState::Pending, None) => {
            !matches!(hire.state(), State::Cancelled | State::Ignored | State::Erased)
        }
        (DocumentState::Pending, Some(_)) => matches!(hire.state(), State::Created(_)),
        (DocumentState::Sending, _) => false,
        _ => true,
    };
    may && document.next_at.is_some_and(|at| at <= now)
}
