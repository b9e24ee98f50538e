//! Where in a connection's bytes a head ends and the next one begins.
//!
//! hyper settles a request with both a length and a transfer coding by ignoring the length. A proxy in
//! front may settle it the other way, and what it takes for the body we would take for the next request. So
//! the bytes are looked at on their way to hyper, and such a head is spoilt: hyper then answers 400 and closes.
//! The same goes for a line that ends without a carriage return, and for any coding but one `chunked`.

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
    coding: Option<Coding>,
    length: Option<Length>,
    spoilt: bool,
    /// How many heads have ended.
    heads: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Chunked,
    /// Any other, or more than one.
    Unclear,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    Of(u64),
    /// Two that differ, or none that we can read.
    Unclear,
}

impl Framing {
    pub(super) fn new() -> Self {
        Self {
            part: Part::Head,
            lines: 0,
            line: Vec::new(),
            coding: None,
            length: None,
            spoilt: false,
            heads: 0,
        }
    }

    /// Whether a head has begun and not ended.
    pub(super) fn in_head(&self) -> bool {
        self.part == Part::Head && (self.lines > 0 || !self.line.is_empty())
    }

    /// Whether there may be more to come of a body.
    pub(super) fn in_body(&self) -> bool {
        matches!(self.part, Part::Body(_) | Part::Rest)
    }

    /// How many whole requests have come, if nothing has begun since.
    pub(super) fn whole(&self) -> Option<usize> {
        (!self.spoilt && !self.in_head() && !self.in_body()).then_some(self.heads)
    }

    /// Whether the last head must not be obeyed.
    pub(super) fn is_spoilt(&self) -> bool {
        self.spoilt
    }

    /// Follows bytes that have arrived. In a head that must not be obeyed, the end of a line is overwritten.
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
        let clear = match line.split_last() {
            // Empty lines before a request are allowed.
            Some((b'\r', [])) if self.lines == 0 => true,
            Some((b'\r', [])) => self.ends(),
            Some((b'\r', header)) => {
                self.header(header);
                true
            }
            _ => false,
        };
        self.line = line;
        self.line.clear();
        if !clear {
            bytes[end] = 0;
            self.spoilt = true;
            self.part = Part::Rest;
        }
        end + 1
    }

    /// Keeps the beginning of a line, and its last byte.
    fn keep(&mut self, bytes: &[u8]) {
        let room = LINE.saturating_sub(self.line.len());
        let (kept, more) = bytes.split_at(bytes.len().min(room));
        self.line.extend_from_slice(kept);
        if let (Some(last), Some(end)) = (more.last(), self.line.last_mut()) {
            *end = *last;
        }
    }

    fn header(&mut self, line: &[u8]) {
        self.lines += 1;
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { return };
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            let chunked = self.coding.is_none() && value.trim_ascii().eq_ignore_ascii_case(b"chunked");
            self.coding = Some(if chunked { Coding::Chunked } else { Coding::Unclear });
        } else if name.eq_ignore_ascii_case(b"content-length") {
            let length = length(value).map_or(Length::Unclear, Length::Of);
            let same = self.length.is_none_or(|earlier| earlier == length);
            let whole = line.len() < LINE - 1;
            self.length = Some(if same && whole { length } else { Length::Unclear });
        }
    }

    /// The head has ended. Returns whether it may be obeyed.
    fn ends(&mut self) -> bool {
        self.lines = 0;
        self.heads = self.heads.wrapping_add(1);
        let part = match (self.coding.take(), self.length.take()) {
            (None, None) => Some(Part::Head),
            (None, Some(Length::Of(length))) => Some(following(length)),
            (Some(Coding::Chunked), None) => Some(Part::Rest),
            (_, Some(_)) | (Some(Coding::Unclear), _) => None,
        };
        self.part = part.unwrap_or(Part::Rest);
        part.is_some()
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
            "Transfer-Encoding: identity, chunked\r\nContent-Length: x\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: chunked, identity\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding:\r\n",
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
                    assert!(framing.is_spoilt() && framing.in_body());
                }
            }
        }
    }

    #[test]
    fn what_may_be_obeyed_passes_unchanged() {
        for text in [
            format!("{FRONT}\r\n{FRONT}Content-Length: 5\r\n\r\n\r\n\r\n1{FRONT}\r\n"),
            format!("{FRONT}Content-Length: 3\r\ncontent-length:3\r\n\r\n123"),
            format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(2 * LINE)),
            format!("{FRONT}X-Content-Length: 3\r\nX: Transfer-Encoding: chunked\r\n\r\n"),
            format!("\r\n\r\n{FRONT}Content-Length: 0\r\n\r\n"),
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
    fn a_line_without_a_carriage_return_spoils_its_head() {
        let long = format!("X: {}\n\r\n", "x".repeat(2 * LINE));
        for end in ["\n\r\n", "\r\n\n", "X: y\n\r\n", &long] {
            let text = format!("GET / HTTP/1.1\r\nHost: x{end}");
            for size in [1, 7, 1000] {
                let (bytes, framing) = seen(&text, size);
                assert_eq!(bytes.split(|byte| *byte == 0).count(), 2, "{text}");
                assert!(framing.is_spoilt());
            }
        }
        assert!(seen("\nGET / HTTP/1.1\r\n", 3).1.is_spoilt());
    }

    #[test]
    fn whole_requests_are_counted_when_nothing_else_has_begun() {
        let one = format!("{FRONT}Content-Length: 5\r\n\r\n\r\n\r\n1");
        assert_eq!(seen("", 1).1.whole(), Some(0));
        for size in [1, 7, 1000] {
            assert_eq!(seen(&one, size).1.whole(), Some(1));
            assert_eq!(seen(&format!("{one}{one}"), size).1.whole(), Some(2));
            assert_eq!(seen(&one[..one.len() - 1], size).1.whole(), None);
            assert_eq!(seen(&format!("{one}P"), size).1.whole(), None);
            assert_eq!(seen(&format!("{FRONT}Transfer-Encoding: chunked\r\n\r\n"), size).1.whole(), None);
        }
    }

    #[test]
    fn it_is_told_whether_a_head_or_a_body_is_unfinished() {
        assert!(seen("G", 1).1.in_head() && seen(FRONT, 5).1.in_head());
        assert!(seen(&format!("{FRONT}Content-Length: 2\r\n\r\n1"), 9).1.in_body());
        assert!(!seen("\r\n", 1).1.in_head());
    }
}
