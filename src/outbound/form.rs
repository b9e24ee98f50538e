//! A form with one file in it, which is read while it is sent: memory does not grow with the file. The boundary
//! is the library's.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use reqwest::multipart::{self, Part};
use tokio::sync::mpsc;

use super::client::Failure;

/// A file's bytes, piece by piece. An error breaks the call off.
pub type Pieces = mpsc::Receiver<io::Result<Bytes>>;

/// What is in a file; it is opened anew for every attempt.
#[derive(Clone)]
pub struct Content {
    size: u64,
    open: Arc<dyn Fn() -> Pieces + Send + Sync>,
}

impl Content {
    /// So many bytes, which `open` begins to give each time it is called. If they turn out to be fewer or more, the
    /// call breaks off.
    pub fn new(size: u64, open: impl Fn() -> Pieces + Send + Sync + 'static) -> Self {
        Self { size, open: Arc::new(open) }
    }

    /// What is in memory already.
    pub fn of(bytes: Bytes) -> Self {
        let size = bytes.len() as u64;
        Self::new(size, move || {
            let (sender, pieces) = mpsc::channel(1);
            // There is room for one.
            drop(sender.try_send(Ok(bytes.clone())));
            pieces
        })
    }

    /// How many bytes there are.
    pub fn size(&self) -> u64 {
        self.size
    }
}

/// Size only.
impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Content({} bytes)", self.size)
    }
}

/// A file as a form carries it.
#[derive(Clone)]
pub struct Attached {
    /// The field's name.
    pub field: &'static str,
    /// Its name; cleaned by whoever knows the other side.
    pub name: String,
    /// Its media type.
    pub media_type: &'static str,
    /// Its bytes.
    pub content: Content,
}

/// The form. The file comes last.
#[derive(Clone)]
pub struct Form {
    /// Fields and their texts.
    pub fields: Vec<(&'static str, String)>,
    /// The file.
    pub file: Attached,
}

/// Fields' names only.
impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.fields.iter().map(|(name, _)| name).collect();
        write!(f, "Form({names:?} {:?})", self.file.content)
    }
}

impl Form {
    pub(super) fn into_multipart(self) -> Result<multipart::Form, Failure> {
        let Attached { field, name, media_type, content } = self.file;
        let body = reqwest::Body::wrap(Reading { left: content.size, pieces: (content.open)() });
        let file = Part::stream_with_length(body, content.size).file_name(name);
        let file = file.mime_str(media_type).map_err(|_| Failure::NotSent("not_sendable"))?;
        let fields = self.fields.into_iter();
        let form = fields.fold(multipart::Form::new(), |form, (name, text)| form.text(name, text));
        Ok(form.part(field, file))
    }
}

/// A file that is being read.
struct Reading {
    pieces: Pieces,
    left: u64,
}

impl Body for Reading {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let piece = match self.pieces.poll_recv(context) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(None) if self.left == 0 => return Poll::Ready(None),
            Poll::Ready(None) => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
            Poll::Ready(Some(piece)) => piece,
        };
        Poll::Ready(Some(piece.and_then(|piece| {
            let left = self.left.checked_sub(piece.len() as u64);
            self.left = left.ok_or(io::ErrorKind::InvalidData)?;
            Ok(Frame::data(piece))
        })))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
