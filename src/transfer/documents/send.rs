//! Sending a document: from the spool to Personio, for one permit.

use std::io;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;

use super::super::gate::Door;
use super::super::{Inner, LedgerError};
use crate::domain::catalog::Category;
use crate::domain::document::Taken;
use crate::domain::examine::clean;
use crate::domain::{
    Actor, Document, DocumentEvent, DocumentId, File, Flaw, Hire, Upload, UploadOutcome, Waiting,
};
use crate::ledger::{Ledger, Withheld};
use crate::mapping::Drawer;
use crate::personio::{CallError, Content};

/// How long an upload may take, with its repeats and the wait for its turn.
const UPLOAD_WITHIN: SignedDuration = SignedDuration::from_mins(2);

/// When it is tried again what waits for somebody else.
const SOON: SignedDuration = SignedDuration::from_mins(1);

impl Inner {
    /// Sends a document whose file was taken, to the employee that is there.
    pub(super) async fn file(
        &self,
        hire: &Hire,
        mut document: Document,
        taken: Taken,
    ) -> Result<(), LedgerError> {
        let now = self.now();
        if self.may_be_filed(hire, &document).await? {
            self.step(&mut document, &DocumentEvent::Forgotten)?;
            return self.store(&mut document).await;
        }
        let shut = self.parts.reader.shut_until();
        if let Some(at) = shut.or(self.gate.next_probe()) {
            return self.not_now(document, Some(at.max(now + SignedDuration::from_secs(5)))).await;
        }
        let upload = match self.upload_of(hire, &document, taken).await {
            Ok(Ok(upload)) => upload,
            Ok(Err(flaw)) => return self.unfit(&mut document, flaw).await,
            Err(error) => return self.could_not_ask(document, &error).await,
        };
        let deadline = now + UPLOAD_WITHIN.max(self.parts.call_timeout);
        if self.ends_at.get().is_some_and(|ends_at| *ends_at < deadline) {
            return self.not_now(document, Some(deadline)).await;
        }
        let shelf = self.parts.ledger.shelf();
        let ticket = match shelf.permit(&mut document, upload, &Actor::System, now, deadline).await? {
            Ok(ticket) => ticket,
            Err(Withheld::SameFile) => {
                self.step(&mut document, &DocumentEvent::Duplicate)?;
                return self.store(&mut document).await;
            }
            Err(Withheld::HireChanged) => return self.not_now(document, Some(now + SOON)).await,
            Err(Withheld::Spent) => return self.unfit(&mut document, Flaw::NotSent).await,
        };
        let content = content(&self.parts.ledger, document.id, taken);
        let uploading = self.parts.writer.upload(ticket, content).await;
        document.sheet.said = uploading.said;
        self.ended(&mut document, uploading.outcome, uploading.retry_at)?;
        self.store(&mut document).await
    }

    /// What the outcome means for the document.
    fn ended(
        &self,
        document: &mut Document,
        outcome: UploadOutcome,
        retry_at: Option<Timestamp>,
    ) -> Result<(), LedgerError> {
        let (id, n) = (document.hire, document.n);
        self.step(document, &DocumentEvent::Uploaded(outcome.clone()))?;
        match outcome {
            UploadOutcome::Stored => {
                (document.since, document.tries) = (None, 0);
                tracing::info!(hire = %id, document = n, "a document is in Personio");
            }
            UploadOutcome::Refused(flaw) => {
                tracing::warn!(hire = %id, document = n, flaw = flaw.code(), "Personio refused a document");
            }
            UploadOutcome::Unknown { what } => {
                tracing::warn!(hire = %id, document = n, what, "it is unknown whether a document is in Personio");
            }
            UploadOutcome::NotSent(why) => {
                if why == Waiting::Credential {
                    self.gate.close(Door::Token, self.now());
                }
                let patience = self.parts.settings.give_up_after;
                return self.put_off_document(document, retry_at, patience, Flaw::NotSent);
            }
        }
        Ok(())
    }

    /// It was not tried: that does not count.
    async fn not_now(&self, mut document: Document, at: Option<Timestamp>) -> Result<(), LedgerError> {
        document.tries = document.tries.saturating_sub(1);
        self.put_off_document(&mut document, at, self.parts.settings.give_up_after, Flaw::NotSent)?;
        self.store(&mut document).await
    }

    async fn could_not_ask(&self, mut document: Document, error: &CallError) -> Result<(), LedgerError> {
        let at = match error {
            CallError::Throttled { retry_at } => *retry_at,
            CallError::Credential => {
                self.gate.close(Door::Token, self.now());
                None
            }
            _ => None,
        };
        self.put_off_document(&mut document, at, self.parts.settings.give_up_after, Flaw::NotSent)?;
        self.store(&mut document).await
    }

    /// What goes with the file.
    async fn upload_of(
        &self,
        hire: &Hire,
        document: &Document,
        taken: Taken,
    ) -> Result<Result<Upload, Flaw>, CallError> {
        let file = &document.sheet.file;
        let drawer = self.parts.planner.mappings.of(&hire.source).filing().of(file.kind);
        let Some(employee) = hire.employee else { return Ok(Err(Flaw::EmployeeUnknown)) };
        let category = match self.category_of(hire, file, drawer).await? {
            Ok(category) => category,
            Err(flaw) => return Ok(Err(flaw)),
        };
        let (facts, name) = (&hire.record.facts, &document.sheet.file_name);
        let file_name = drawer.map_or_else(|| name.clone(), |drawer| drawer.file_name(facts, name));
        let title = drawer.map_or_else(|| name.clone(), |drawer| drawer.title(facts, name));
        let date = drawer.and_then(|drawer| drawer.date(facts, file));
        let (file_name, size) = (clean(&file_name), taken.size);
        Ok(Ok(Upload { employee, category, title, date, comment: None, file_name, size }))
    }

    /// The planned category; if Personio does not have that, the one that is configured by now.
    async fn category_of(
        &self,
        hire: &Hire,
        file: &File,
        drawer: Option<&Drawer>,
    ) -> Result<Result<u64, Flaw>, CallError> {
        let planned = hire.record.plan.documents.iter().find(|planned| planned.id == file.id);
        let mut found = Err(Flaw::CategoryUnknown);
        for name in [planned.map(|planned| &planned.category), drawer.map(|drawer| &drawer.category)] {
            if let (Some(name), Err(_)) = (name, found) {
                found = self.category(name).await?;
            }
        }
        Ok(found)
    }

    /// The id of a category by its name or id; what was learned a while ago is looked up anew if it does not have it.
    async fn category(&self, name: &str) -> Result<Result<u64, Flaw>, CallError> {
        let learned = self.parts.planner.catalog.catalog();
        if let Some(id) = learned.categories.as_deref().and_then(|all| among(all, name)) {
            return Ok(Ok(id));
        }
        match self.parts.reader.categories().await {
            Ok(all) => Ok(among(&all, name).ok_or(Flaw::CategoryUnknown)),
            // It may not be listed; an id may be right for all that.
            Err(CallError::NotAllowed) => Ok(name.parse().map_err(|_| Flaw::NoRight)),
            Err(error) => Err(error),
        }
    }
}

/// The one that a rule means; none if several are called the same.
fn among(all: &[Category], name: &str) -> Option<u64> {
    match Category::meant_by(name, all)[..] {
        [category] => Some(category.id),
        _ => None,
    }
}

/// The file out of the spool: two chunks are in memory at most.
fn content(ledger: &Arc<dyn Ledger>, document: DocumentId, taken: Taken) -> Content {
    let ledger = Arc::clone(ledger);
    Content::new(taken.size, move || {
        let (sender, pieces) = mpsc::channel(1);
        let ledger = Arc::clone(&ledger);
        tokio::spawn(async move {
            for n in 0.. {
                let chunk = ledger.shelf().chunk(document, taken.fill, n).await;
                let piece = match chunk {
                    Ok(Some(chunk)) => Ok(chunk.into()),
                    Ok(None) => return,
                    Err(error) => Err(io::Error::other(error)),
                };
                let broken = piece.is_err();
                if sender.send(piece).await.is_err() || broken {
                    return;
                }
            }
        });
        pieces
    })
}
