//! The name of a file, as it may travel.

/// The longest name, in characters: what Personio's titles may have.
const LONGEST: usize = 255;

/// The longest ending.
const LONGEST_ENDING: usize = 10;

/// What a file without a name is called.
const NAMELESS: &str = "document";

/// The name without its path and without anything that steers a terminal, a header, a direction of writing or a
/// file system; at most 255 characters, of which the ending is kept. Letters of every script stay.
pub fn clean(name: &str) -> String {
    let last = name.split(['/', '\\']).rfind(|part| !is_bare(part)).unwrap_or_default();
    let visible: String = last.chars().filter(|c| !steers(*c)).map(tamed).collect();
    let words: Vec<_> = visible.split_whitespace().collect();
    let name = words.join(" ");
    let name = name.trim_matches(['.', ' ']);
    match ending(name) {
        // The dot was at the front, or there was nothing else.
        _ if name.is_empty() => NAMELESS.to_owned(),
        Some(ending) => with_ending(&name[..name.len() - ending.len() - 1], ending),
        None if starts_as_ending(&visible, name) => with_ending(NAMELESS, name),
        None => name.chars().take(LONGEST).collect::<String>().trim_end().to_owned(),
    }
}

/// `.pdf`: a name that is nothing but an ending.
fn starts_as_ending(visible: &str, name: &str) -> bool {
    visible.trim_start().starts_with('.') && super::kind_of(name).is_some()
}

/// The name with this ending, which stays whole.
pub(super) fn with_ending(stem: &str, ending: &str) -> String {
    let room = LONGEST - ending.len() - 1;
    let stem: String = stem.chars().take(room).collect();
    format!("{}.{ending}", stem.trim_end_matches(['.', ' ']))
}

/// What stands after the last dot, if it looks like an ending.
pub(super) fn ending(name: &str) -> Option<&str> {
    let (stem, ending) = name.rsplit_once('.')?;
    let looks =
        (1..=LONGEST_ENDING).contains(&ending.len()) && ending.bytes().all(|b| b.is_ascii_alphanumeric());
    (looks && !stem.trim().is_empty()).then_some(ending)
}

/// A part of a path that names nothing.
fn is_bare(part: &str) -> bool {
    part.chars().all(|c| c == '.' || c.is_whitespace() || steers(c))
}

/// Control characters, and what is not seen but changes how the rest is seen: directions of writing, joiners of no
/// width, tags.
fn steers(c: char) -> bool {
    // A line end parts words: it becomes a space.
    c.is_control() && !c.is_whitespace()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// What file systems and headers take for something else.
fn tamed(c: char) -> char {
    match c {
        '"' => '\'',
        '<' | '>' | ':' | '|' | '?' | '*' => '_',
        c => c,
    }
}
