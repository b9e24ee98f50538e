//! A message as a letter that a person reads.

use std::fmt::Write;

use super::message::Message;
use super::{Part, Parts};
use crate::domain::Hire;
use crate::words::{self, Language};

/// The reason of a digest.
pub(super) const DIGEST: &str = "digest";

/// A letter in plain text.
pub(super) struct Letter {
    pub(super) subject: String,
    pub(super) text: String,
}

impl Letter {
    pub(super) fn of(message: &Message, language: Language) -> Self {
        let data = &message.data;
        let labels = Labels::of(language);
        let says = data.says.unwrap_or(labels.look);
        let mut text = says.to_owned();
        let hire = data.hire.map(|hire| hire.to_string());
        for (label, value) in [
            (labels.cause, data.cause),
            (labels.remedy, data.remedy),
            (labels.hire, hire.as_deref()),
            (labels.name, data.name.as_deref()),
            (labels.source, data.source.as_deref()),
            (labels.link, data.link.as_deref()),
        ] {
            if let Some(value) = value {
                line(&mut text, &format!("\n{label}: {value}"));
            }
        }
        Self { subject: format!("hirebridge: {says}"), text }
    }

    /// All that wait for a person, newest first.
    pub(super) fn digest(count: u64, hires: &[Hire], parts: &Parts) -> Self {
        let labels = Labels::of(parts.settings.language);
        let subject = format!("hirebridge: {count} {}", labels.wait);
        let has = |part| parts.settings.include.contains(&part);
        let mut text = subject.clone();
        for hire in hires {
            line(&mut text, "");
            if has(Part::State) {
                let says = words::of_hire(hire.state(), hire.flags.warnings, parts.settings.language);
                line(&mut text, &format!("{} ({})", says.says, hire.source));
            }
            let name = has(Part::Name).then(|| super::message::name(hire)).flatten();
            let id = has(Part::Id).then(|| hire.id.to_string());
            let link = has(Part::Link).then(|| parts.link(hire.id)).flatten();
            [name, id, link].into_iter().flatten().for_each(|said| line(&mut text, &said));
        }
        Self { subject, text }
    }
}

fn line(text: &mut String, line: &str) {
    write!(text, "\n{line}").expect("writing to a string does not fail");
}

struct Labels {
    look: &'static str,
    cause: &'static str,
    remedy: &'static str,
    hire: &'static str,
    name: &'static str,
    source: &'static str,
    link: &'static str,
    wait: &'static str,
}

impl Labels {
    fn of(language: Language) -> Self {
        match language {
            Language::English => Self {
                look: "A hire is to be looked at.",
                cause: "Cause",
                remedy: "What to do",
                hire: "Hire",
                name: "Name",
                source: "Source",
                link: "Open it",
                wait: "waiting for a person",
            },
            Language::German => Self {
                look: "Eine Einstellung ist anzusehen.",
                cause: "Ursache",
                remedy: "Was zu tun ist",
                hire: "Einstellung",
                name: "Name",
                source: "Quelle",
                link: "Öffnen",
                wait: "Einstellungen warten auf jemanden",
            },
        }
    }
}
