//! What every outgoing call needs, whoever is called: a client that follows nothing and repeats
//! nothing by itself and goes only where the guard lets it, a judgement of what happened, repeats with patience and within a budget, a breaker and a
//! pace.
//!
//! [`Client`] makes one attempt and says what it saw: an [`Answer`] or a [`Failure`]. [`classify()`] says
//! what that means. [`retry`], [`breaker`] and [`pace`] are tower layers; whoever speaks a dialect stacks them.

pub mod breaker;
pub mod budget;
pub mod classify;
pub mod client;
pub mod download;
pub mod fetch;
pub mod form;
pub mod guard;
pub mod pace;
pub mod retry;

use std::time::Duration;

use jiff::Timestamp;
use url::Url;

pub use classify::{Meaning, classify};
pub use client::{Answer, Body, Client, ClientError, Failure, Request, Reuse};
pub use guard::Guard;

/// Whether secrets may be sent there: over TLS, or in plain HTTP to this machine itself.
pub fn is_private(url: &Url) -> bool {
    let here = url.host().is_some_and(|host| guard::is_here(&host));
    url.scheme() == "https" || (url.scheme() == "http" && here)
}

/// A call on its way through the layers.
pub trait Call: Clone {
    /// When the call must have ended, repeats and waits included.
    fn deadline(&self) -> Timestamp;

    /// Whether carrying it out twice is as good as once.
    fn is_repeatable(&self) -> bool;
}

/// What is left until a deadline; zero once it has passed.
pub fn left(deadline: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(deadline.duration_since(now)).unwrap_or_default()
}
