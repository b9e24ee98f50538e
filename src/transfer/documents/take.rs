//! Taking a file: from the ATS into the spool, piece by piece, while its link lives.

use std::io::{Cursor, Read};

use aws_lc_rs::digest::{Context, SHA256};
use base64::prelude::BASE64_STANDARD;
use base64::read::DecoderReader;
use bytes::Bytes;
use jiff::SignedDuration;
use serde_json::Value;
use tokio::time::Instant;
use uuid::Uuid;

use super::super::{Inner, LedgerError};
use crate::ats::api::ApiError;
use crate::ats::{Event, Source};
use crate::domain::document::Taken;
use crate::domain::examine::{CleanFile, HEAD, LARGEST, examine};
use crate::domain::{Document, DocumentId, DocumentState, File, Flaw, Hire, Place};
use crate::ledger::Shelf;
use crate::ledger::shelf::CHUNK;
use crate::outbound::fetch::{FetchError, Incoming, Link};

/// How much is kept for one hire, in bytes.
const ALL_OF_A_HIRE: u64 = 60 * 1024 * 1024;

/// How long the ATS may take to say where a file is.
const OPEN_WITHIN: std::time::Duration = std::time::Duration::from_secs(20);

/// How long a file may take to come.
const TAKE_WITHIN: SignedDuration = SignedDuration::from_secs(90);

/// How long a file is asked for of which the ATS makes a new link each time; and one that has a link alone.
const PATIENCE: SignedDuration = SignedDuration::from_hours(24);
const PATIENCE_WITH_A_LINK: SignedDuration = SignedDuration::from_mins(15);

/// Why a file is not in the spool.
enum Untaken {
    /// It never will be.
    Unfit(Flaw),
    /// Its link leads to this host, where no call may go.
    Forbidden(String),
    /// Another try may succeed; if none does, what it comes to.
    Again(String, Flaw),
    Ledger(LedgerError),
}

impl From<LedgerError> for Untaken {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

impl From<Flaw> for Untaken {
    fn from(flaw: Flaw) -> Self {
        Self::Unfit(flaw)
    }
}

impl From<ApiError> for Untaken {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::NoSuchFile => Self::Unfit(Flaw::LinkDead),
            ApiError::NoRight => Self::Unfit(Flaw::AtsNoRight),
            ApiError::NoFiles => Self::Unfit(Flaw::NotFetched),
            // It may be that it is being changed.
            ApiError::Status(401) => Self::Again(error.code(), Flaw::AtsNoRight),
            ApiError::TooLarge
            | ApiError::Unreadable
            | ApiError::Unreachable
            | ApiError::Timeout
            | ApiError::Status(_)
            | ApiError::Refused(_) => Self::Again(error.code(), Flaw::NotFetched),
        }
    }
}

impl From<FetchError> for Untaken {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Forbidden(_) => Self::Unfit(Flaw::LinkForbidden),
            FetchError::Dead(_) => Self::Unfit(Flaw::LinkDead),
            FetchError::TooLarge => Self::Unfit(Flaw::TooLarge),
            FetchError::BrokenOff(code) => Self::Again(code.to_owned(), Flaw::NotFetched),
        }
    }
}

/// A file that is coming.
enum Inflow {
    Linked(Box<Incoming>),
    Inline(Box<DecoderReader<'static, base64::engine::GeneralPurpose, Cursor<Vec<u8>>>>),
}

impl Inflow {
    fn declared(&self) -> Option<String> {
        match self {
            Self::Linked(incoming) => incoming.declared_type().map(str::to_owned),
            Self::Inline(_) => None,
        }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Untaken> {
        match self {
            Self::Linked(incoming) => Ok(incoming.next().await?),
            Self::Inline(decoder) => {
                let mut piece = vec![0; 64 << 10];
                let read = decoder.read(&mut piece).map_err(|_| Flaw::NotFetched)?;
                piece.truncate(read);
                Ok((read > 0).then(|| piece.into()))
            }
        }
    }
}

impl Inner {
    /// Takes a document's file. The hire's others count against what is kept for one hire.
    pub(super) async fn take(
        &self,
        hire: &Hire,
        mut document: Document,
        all: &[Document],
    ) -> Result<(), LedgerError> {
        let others = all.iter().filter(|other| other.id != document.id);
        let kept =
            others.filter(|other| other.state() != DocumentState::Same).filter_map(|other| other.taken);
        let room = ALL_OF_A_HIRE.saturating_sub(kept.map(|taken| taken.size).sum());
        match self.spool(hire, &document, room).await {
            Ok((file, taken, content)) => {
                document.sheet.file_name = file.name;
                (document.taken, document.content) = (Some(taken), Some(content));
                (document.since, document.tries, document.next_at) = (None, 0, Some(self.now()));
                self.store(&mut document).await
            }
            Err(Untaken::Unfit(flaw)) => self.unfit(&mut document, flaw).await,
            Err(Untaken::Forbidden(host)) => {
                document.sheet.said = Some(host);
                self.unfit(&mut document, Flaw::LinkForbidden).await
            }
            Err(Untaken::Again(code, flaw)) => {
                tracing::warn!(hire = %hire.id, document = document.n, code, "a file did not come");
                let (patience, flaw) = match document.sheet.file.place {
                    Place::Link(_) => (PATIENCE_WITH_A_LINK, Flaw::LinkDead),
                    Place::Handle(_) | Place::KeyedLink(_) | Place::Inline(_) => (PATIENCE, flaw),
                };
                self.put_off_document(&mut document, None, patience, flaw)?;
                self.store(&mut document).await
            }
            Err(Untaken::Ledger(error)) => Err(error),
        }
    }

    /// Writes the file into the spool; what it is, how much, and the digest of its content.
    async fn spool(
        &self,
        hire: &Hire,
        document: &Document,
        room: u64,
    ) -> Result<(CleanFile, Taken, [u8; 32]), Untaken> {
        let mut inflow = self.open(hire, &document.sheet.file).await?;
        let mut filling = Filling::new(self.parts.ledger.shelf(), document.id, self.new_id().0, room);
        let mut head = Vec::new();
        while head.len() < HEAD
            && let Some(piece) = inflow.next().await?
        {
            head.extend_from_slice(&piece);
        }
        let first = &head[..head.len().min(HEAD)];
        let file = examine(&document.sheet.file.name, inflow.declared().as_deref(), first)?;
        filling.add(&head).await?;
        drop(head);
        while let Some(piece) = inflow.next().await? {
            filling.add(&piece).await?;
        }
        let (taken, content) = filling.end().await?;
        Ok((file, taken, content))
    }

    async fn open(&self, hire: &Hire, file: &File) -> Result<Inflow, Untaken> {
        let source = self.parts.planner.sources.named(&hire.source);
        let source = source.ok_or_else(|| Untaken::Again("no_source".to_owned(), Flaw::NotFetched))?;
        if let Place::Inline(_) = file.place {
            let text = self.delivered(hire, source, &file.id).await?.ok_or(Flaw::NotFetched)?;
            let decoder = DecoderReader::new(Cursor::new(text.into_bytes()), &BASE64_STANDARD);
            return Ok(Inflow::Inline(Box::new(decoder)));
        }
        let opened = source.open(file, Instant::now() + OPEN_WITHIN).await?;
        let link = Link { url: opened.url, headers: opened.headers, hosts: opened.hosts };
        if let Some(host) = self.parts.fetch.forbidden_host(&link) {
            return Err(Untaken::Forbidden(host));
        }
        let incoming = self.parts.fetch.open(&link, LARGEST, self.now() + TAKE_WITHIN).await?;
        Ok(Inflow::Linked(Box::new(incoming)))
    }

    /// The text of a file that came with a delivery.
    async fn delivered(
        &self,
        hire: &Hire,
        source: &Source,
        file: &str,
    ) -> Result<Option<String>, LedgerError> {
        let files = |payload: &Value| match source.read_payload(payload) {
            Ok(Event::Hire(hired)) => hired.files,
            Ok(Event::Files(filed)) => filed.files,
            _ => Vec::new(),
        };
        let content = |one: File| match one.place {
            Place::Inline(text) if one.id == file => Some(text),
            _ => None,
        };
        Ok(self.payloads(hire).await?.iter().flat_map(files).find_map(content))
    }
}

/// The spool being filled: never more than a chunk, and the piece that came last, is in memory.
struct Filling<'a> {
    shelf: &'a dyn Shelf,
    document: DocumentId,
    fill: Uuid,
    chunks: u32,
    buffer: Vec<u8>,
    digest: Context,
    size: u64,
    room: u64,
}

impl<'a> Filling<'a> {
    fn new(shelf: &'a dyn Shelf, document: DocumentId, fill: Uuid, room: u64) -> Self {
        let digest = Context::new(&SHA256);
        Self { shelf, document, fill, chunks: 0, buffer: Vec::with_capacity(CHUNK), digest, size: 0, room }
    }

    async fn add(&mut self, mut piece: &[u8]) -> Result<(), Untaken> {
        self.size += piece.len() as u64;
        if self.size > LARGEST {
            return Err(Flaw::TooLarge.into());
        }
        if self.size > self.room {
            return Err(Flaw::HireTooLarge.into());
        }
        self.digest.update(piece);
        while !piece.is_empty() {
            let (now, later) = piece.split_at(piece.len().min(CHUNK - self.buffer.len()));
            self.buffer.extend_from_slice(now);
            piece = later;
            if self.buffer.len() == CHUNK {
                self.write().await?;
            }
        }
        Ok(())
    }

    async fn write(&mut self) -> Result<(), LedgerError> {
        self.shelf.keep(self.document, self.fill, self.chunks, &self.buffer).await?;
        self.chunks += 1;
        self.buffer.clear();
        Ok(())
    }

    async fn end(mut self) -> Result<(Taken, [u8; 32]), LedgerError> {
        if !self.buffer.is_empty() {
            self.write().await?;
        }
        let mut content = [0; 32];
        content.copy_from_slice(self.digest.finish().as_ref());
        Ok((Taken { fill: self.fill, size: self.size }, content))
    }
}
