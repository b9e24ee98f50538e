//! All codes as one page of Markdown: `docs/errors.md`.

use std::fmt::{self, Write};

use super::{Kind, Language, all};

/// The page, in every language one after the other.
pub fn markdown() -> String {
    let mut page = String::new();
    write(&mut page).expect("writing to a string does not fail");
    page
}

fn write(page: &mut String) -> fmt::Result {
    writeln!(page, "<!-- Made by `hirebridge codes --markdown`; the sentences are in src/words. -->")?;
    for language in Language::ALL {
        let (title, intro) = opening(language);
        write!(page, "\n# {title}\n\n{intro}\n")?;
        for kind in Kind::ALL {
            table(page, kind, language)?;
        }
    }
    Ok(())
}

fn table(page: &mut String, kind: Kind, language: Language) -> fmt::Result {
    let (title, intro) = heading(kind, language);
    let columns = columns(kind, language);
    write!(
        page,
        "\n## {title}\n\n{intro}\n\n| {} |\n|{}\n",
        columns.join(" | "),
        "---|".repeat(columns.len())
    )?;
    for (_, entry) in all().iter().filter(|(of, _)| *of == kind) {
        let words = entry.words(language);
        write!(page, "| `{}` | {} |", entry.code, words.says)?;
        for text in [&words.cause, &words.remedy].into_iter().flatten() {
            write!(page, " {text} |")?;
        }
        writeln!(page)?;
    }
    Ok(())
}

fn opening(language: Language) -> (&'static str, &'static str) {
    match language {
        Language::English => (
            "What the codes mean",
            "Every code that hirebridge shows, with its cause and what to do. What stands behind a colon in a code \
             (`not_read_back:office`) says more about the single case. `hirebridge codes CODE` prints the same, \
             `GET /v1/codes` gives it as JSON. [Auf Deutsch](#was-die-codes-bedeuten)",
        ),
        Language::German => (
            "Was die Codes bedeuten",
            "Alle Codes, die hirebridge zeigt, mit ihrer Ursache und dem, was zu tun ist. Was in einem Code hinter \
             einem Doppelpunkt steht (`not_read_back:office`), sagt mehr über den Einzelfall. \
             `hirebridge codes CODE --lang de` gibt dasselbe aus, `GET /v1/codes` liefert es als JSON.",
        ),
    }
}

fn columns(kind: Kind, language: Language) -> &'static [&'static str] {
    let columns: &[&str] = match language {
        Language::English => &["code", "meaning", "cause", "what to do"],
        Language::German => &["Code", "Bedeutung", "Ursache", "Was zu tun ist"],
    };
    if kind.is_one_sentence() { &columns[..2] } else { columns }
}

fn heading(kind: Kind, language: Language) -> (&'static str, &'static str) {
    match language {
        Language::English => match kind {
            Kind::State => ("States of a hire", "`state`, with `reason` in brackets."),
            Kind::Warning => ("Warnings", "`warnings`: what a person should look at."),
            Kind::Note => ("Notes", "`notes`: expected things, for the record."),
            Kind::Flag => ("Flags", "`flags`: marks that do not change the state."),
            Kind::Refusal => ("Refused deliveries", "`last_refusal` of a source, and the log."),
            Kind::Ignored => {
                ("Deliveries of which nothing became", "`ignored` of a source, and the answer's `reason`.")
            }
            Kind::Problem => ("Problems of the API", "`code` of an answer that is no success."),
            Kind::Detail => {
                ("Details of problems", "The sentence stands in `detail`; the name is shown nowhere.")
            }
            Kind::History => ("What happened to a hire", "`cause` in a hire's `history`, and in the log."),
            Kind::Document => {
                ("States of a document", "`state` of one of a hire's `documents`, with `reason` in brackets.")
            }
            Kind::Poll => ("Deliveries that are not fetched", "`poll.last_error` of a source, and the log."),
            Kind::Notice => {
                ("Notices", "`reason` of a notice by webhook or e-mail, beside the states of a hire.")
            }
        },
        Language::German => match kind {
            Kind::State => ("Zustände einer Einstellung", "`state`, mit `reason` in Klammern."),
            Kind::Warning => ("Warnungen", "`warnings`: was jemand ansehen sollte."),
            Kind::Note => ("Hinweise", "`notes`: Erwartetes, zur Kenntnis."),
            Kind::Flag => ("Kennzeichen", "`flags`: Merkmale, die den Zustand nicht ändern."),
            Kind::Refusal => ("Abgewiesene Meldungen", "`last_refusal` einer Quelle, und das Protokoll."),
            Kind::Ignored => {
                ("Meldungen, aus denen nichts wurde", "`ignored` einer Quelle, und `reason` der Antwort.")
            }
            Kind::Problem => ("Probleme der Schnittstelle", "`code` einer Antwort, die kein Erfolg ist."),
            Kind::Detail => {
                ("Einzelheiten zu Problemen", "Der Satz steht in `detail`; der Name erscheint nirgends.")
            }
            Kind::History => (
                "Was mit einer Einstellung geschah",
                "`cause` im `history` einer Einstellung, und im Protokoll.",
            ),
            Kind::Document => (
                "Zustände eines Dokuments",
                "`state` in `documents` einer Einstellung, mit `reason` in Klammern.",
            ),
            Kind::Poll => {
                ("Meldungen, die nicht abgeholt werden", "`poll.last_error` einer Quelle, und das Protokoll.")
            }
            Kind::Notice => (
                "Benachrichtigungen",
                "`reason` einer Benachrichtigung per Webhook oder E-Mail, neben den Zuständen einer Einstellung.",
            ),
        },
    }
}
