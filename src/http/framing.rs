//! Where in a connection's bytes a head ends and the next one begins.
//!
//! hyper settles a request with both a length and a transfer coding by ignoring the length. A proxy in
//! front may settle it the other way, and what it takes for the body we would take for the next request. So
//! the bytes are looked at on their way to hyper, and such a head is spoilt: hyper then answers 400 and closes.

/// A header line is kept up to here: more than a name and a length need.
const LINE: usize = 256;

/// What the next byte is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Head,
    /// A body of which so many bytes are to come.
    Body(u64),
    /// Whatever it is, no head follows: the connection closes after this request.
    Rest,
}

/// Follows the bytes of one connection.
#[derive(Debug)]
pub(super) struct Framing {
    part: Part,
    /// The lines of this head so far.
    lines: usize,
    line: Vec<u8>,
    coded: bool,
    length: Option<Length>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    Of(u64),
    /// Two that differ, or none that we can read.
    Unclear,
}

impl Framing {
    pub(super) fn new() -> Self {
        Self { part: Part::Head, lines: 0, line: Vec::new(), coded: false, length: None }
    }

    /// Whether a head has begun and not ended.
    pub(super) fn in_head(&self) -> bool {
        self.part == Part::Head && (self.lines > 0 || !self.line.is_empty())
    }

    /// Whether there may be more to come of a body.
    pub(super) fn in_body(&self) -> bool {
        matches!(self.part, Part::Body(_) | Part::Rest)
    }

    /// Follows bytes that have arrived. The end of a head that must not be obeyed is overwritten.
    pub(super) fn follow(&mut self, mut bytes: &mut [u8]) {
        while !bytes.is_empty() {
            let taken = match self.part {
                Part::Rest => return,
                Part::Body(left) => self.body(left, bytes.len()),
                Part::Head => self.head(bytes),
            };
            bytes = &mut bytes[taken..];
        }
    }

    fn body(&mut self, left: u64, arrived: usize) -> usize {
        let taken = usize::try_from(left).unwrap_or(usize::MAX).min(arrived);
        self.part = following(left - taken as u64);
        taken
    }

    /// Follows up to the end of one line.
    fn head(&mut self, bytes: &mut [u8]) -> usize {
        let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
            self.keep(bytes);
            return bytes.len();
        };
        self.keep(&bytes[..end]);
        let line = std::mem::take(&mut self.line);
        match line.strip_suffix(b"\r").unwrap_or(&line) {
            // Empty lines before a request are allowed.
            [] if self.lines == 0 => {}
            [] if !self.ends() => bytes[end] = 0,
            [] => {}
            header => self.header(header),
        }
        self.line = line;
        self.line.clear();
        end + 1
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = LINE.saturating_sub(self.line.len());
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn header(&mut self, line: &[u8]) {
        self.lines += 1;
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { return };
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.coded = true;
        } else if name.eq_ignore_ascii_case(b"content-length") {
            let length = length(value).map_or(Length::Unclear, Length::Of);
            let same = self.length.is_none_or(|earlier| earlier == length);
            self.length = Some(if same && line.len() < LINE { length } else { Length::Unclear });
        }
    }

    /// The head has ended. Returns whether it may be obeyed.
    fn ends(&mut self) -> bool {
        self.lines = 0;
        let (part, clear) = match (std::mem::take(&mut self.coded), self.length.take()) {
            (false, None) => (Part::Head, true),
            (false, Some(Length::Of(length))) => (following(length), true),
            (true, None) => (Part::Rest, true),
            (true, Some(_)) | (false, Some(Length::Unclear)) => (Part::Rest, false),
        };
        self.part = part;
        clear
    }
}

fn following(left: u64) -> Part {
    if left == 0 { Part::Head } else { Part::Body(left) }
}

fn length(value: &[u8]) -> Option<u64> {
    let digits = value.trim_ascii();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRONT: &str = "POST / HTTP/1.1\r\nHost: x\r\n";

    /// What hyper sees of these bytes if they arrive in pieces of `size`.
    fn seen(text: &str, size: usize) -> (Vec<u8>, Framing) {
        let (mut bytes, mut framing) = (text.as_bytes().to_vec(), Framing::new());
        for piece in bytes.chunks_mut(size) {
            framing.follow(piece);
        }
        (bytes, framing)
    }

    #[test]
    fn a_head_with_length_and_transfer_coding_is_spoilt_wherever_it_stands() {
        for headers in [
            "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
            "transfer-encoding: chunked\r\nCONTENT-LENGTH: 3\r\n",
            "Transfer-Encoding: identity, chunked\nContent-Length: x\n",
            "Content-Length: 3\r\nContent-Length: 4\r\n",
            "Content-Length: +3\r\n",
            "Content-Length: 18446744073709551616\r\n",
            &format!("Content-Length: {}3\r\n", " ".repeat(LINE)),
        ] {
            for first in
                ["", "\r\n", "GET / HTTP/1.1\r\n\r\n", &format!("{FRONT}Content-Length: 2\r\n\r\n\n\n")]
            {
                let text = format!("{first}{FRONT}{headers}\r\n");
                for size in [1, 7, 1000] {
                    let (bytes, framing) = seen(&text, size);
                    assert_eq!(bytes.last(), Some(&0), "{text}");
                    assert_eq!(framing.part, Part::Rest);
                }
            }
        }
    }

    #[test]
    fn what_may_be_obeyed_passes_unchanged() {
        for text in [
            format!("{FRONT}\r\n{FRONT}Content-Length: 5\r\n\r\n\r\n\r\n1{FRONT}\r\n"),
            format!("{FRONT}Content-Length: 3\r\ncontent-length:3\r\n\r\n123"),
            format!("{FRONT}X-Content-Length: 3\r\nX: Transfer-Encoding: chunked\r\n\r\n"),
            format!("\r\n\n{FRONT}Content-Length: 0\r\n\r\n"),
        ] {
            for size in [1, 7, 1000] {
                let (bytes, framing) = seen(&text, size);
                assert_eq!(bytes, text.as_bytes());
                assert!(!framing.in_head() && !framing.in_body(), "{text}");
            }
        }
        let chunked = format!("{FRONT}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
        assert_eq!(seen(&chunked, 5).0, chunked.as_bytes());
    }

    #[test]
    fn it_is_told_whether_a_head_or_a_body_is_unfinished() {
        assert!(seen("G", 1).1.in_head() && seen(FRONT, 5).1.in_head());
        assert!(seen(&format!("{FRONT}Content-Length: 2\r\n\r\n1"), 9).1.in_body());
        assert!(!seen("\r\n", 1).1.in_head());
    }
}
