//! What differs between two configurations, and which of it a running service can take up.

/// What a running service goes by anew; everything else is set at the start. A name that ends with a dot is
/// that of a section.
const LIVE: &[&str] = &[
    "server.public_url",
    "server.wait",
    "server.body_limit",
    "log.level",
    "personio.client_id",
    "personio.client_secret",
    "transfer.",
    "sources.",
    "mapping.",
    "operators",
];

/// What is not, though its section is.
const FIXED: &[&str] = &["transfer.in_flight"];

/// Whether a running service can take up another value of this key.
pub(super) fn is_live(key: &str) -> bool {
    !FIXED.contains(&key) && LIVE.iter().any(|live| key == *live || (key.starts_with(live) && starts_within(key, live)))
}

fn starts_within(key: &str, live: &str) -> bool {
    live.ends_with('.') || key[live.len()..].starts_with(['.', '['])
}
