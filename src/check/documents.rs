//! What documents need: categories that exist, and the rights to read and to add them.

use super::rights::INTEGRATION;
use super::{Finding, Verdict, not_asked};
use crate::domain::catalog::Category;
use crate::mapping::Mappings;
use crate::personio::CallError;

/// How like a name has to be to be offered.
const LIKE: f64 = 0.6;

/// How many names are offered.
const OFFERED: usize = 3;

/// A category that the configuration names.
pub(super) struct Wanted {
    /// The key that names it: `sources.ashby.documents.resume`.
    key: String,
    /// Its name to the letter, or its id.
    category: String,
}

impl Wanted {
    /// Whether it can be sent although nobody may look whether it is there.
    fn is_an_id(&self) -> bool {
        self.category.parse::<u64>().is_ok()
    }
}

/// The categories that the rules name.
pub(super) fn wanted(mappings: &Mappings) -> Vec<Wanted> {
    let named = mappings.categories();
    named
        .map(|(source, kind, category)| Wanted {
            key: format!("sources.{source}.documents.{kind}"),
            category: category.to_owned(),
        })
        .collect()
}

/// Everything that can be told of documents.
pub(super) fn examined(answer: &Result<Vec<Category>, CallError>, wanted: &[Wanted]) -> Vec<Finding> {
    let mut findings = vec![listed(answer, wanted)];
    if let Ok(known) = answer {
        findings.extend(wanted.iter().map(|wanted| found(wanted, known)));
    }
    findings.push(uploading(wanted));
    findings
}

fn listed(answer: &Result<Vec<Category>, CallError>, wanted: &[Wanted]) -> Finding {
    match answer {
        Ok(categories) => {
            let names: Vec<_> = categories.iter().map(|category| category.name.as_str()).collect();
            Finding::ok("documents", format!("the categories can be read: {}", names.join(", ")))
        }
        Err(CallError::NotAllowed) if wanted.is_empty() => Finding::bad(
            Verdict::NotCheckable,
            "documents",
            "the categories may not be read",
            "the right to read documents, once documents are to be sent",
            "tick Documents > Read if documents are to be sent; nothing else needs it",
        )
        .at(&INTEGRATION),
        Err(CallError::NotAllowed) => Finding::bad(
            if wanted.iter().all(Wanted::is_an_id) { Verdict::Warning } else { Verdict::Problem },
            "documents",
            "the categories may not be read, so that a category's name does not lead to its id",
            "the right to read documents",
            "tick Documents > Read, or name every category by its id",
        )
        .at(&INTEGRATION),
        Err(error) => not_asked("documents", error),
    }
}

fn found(wanted: &Wanted, known: &[Category]) -> Finding {
    let Wanted { key, category: asked } = wanted;
    let fitting = Category::meant_by(asked, known);
    match fitting[..] {
        [category] => Finding::ok(
            "documents",
            format!("{key} goes to \u{201c}{}\u{201d} (id {})", category.name, category.id),
        ),
        [] => Finding::bad(
            Verdict::Problem,
            "documents",
            &format!(
                "{key} is \u{201c}{asked}\u{201d}, and Personio has no such category; {}",
                offered(asked, known)
            ),
            "a category that Personio has, its name to the letter or its id",
            &format!("correct {key}, or add the category in Personio"),
        ),
        _ => Finding::bad(
            Verdict::Problem,
            "documents",
            &format!(
                "{key} is \u{201c}{asked}\u{201d}, and Personio has several of that name: {}",
                ids(&fitting)
            ),
            "a name that one category has alone",
            &format!("put the id of the one that is meant into {key}"),
        ),
    }
}

fn ids(categories: &[&Category]) -> String {
    let ids: Vec<_> = categories.iter().map(|category| category.id.to_string()).collect();
    ids.join(", ")
}

/// The likeliest of what there is; all, if none is like it.
fn offered(asked: &str, known: &[Category]) -> String {
    let shown = |category: &&Category| format!("\u{201c}{}\u{201d} (id {})", category.name, category.id);
    let likeness = |category: &Category| strsim::jaro_winkler(&plain(&category.name), &plain(asked));
    let mut likely: Vec<_> = known.iter().map(|category| (likeness(category), category)).collect();
    likely.retain(|(likeness, _)| *likeness >= LIKE);
    likely.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let mut likely: Vec<_> = likely.into_iter().map(|(_, category)| category).collect();
    likely.truncate(OFFERED);
    let meant = if likely.is_empty() { "it has" } else { "did you mean" };
    if likely.is_empty() {
        likely = known.iter().collect();
    }
    let names: Vec<_> = likely.iter().map(shown).collect();
    if names.is_empty() { "it has none".to_owned() } else { format!("{meant} {}", names.join(", ")) }
}

/// As a person compares: without case and accents.
fn plain(name: &str) -> String {
    deunicode::deunicode(name).to_lowercase()
}

/// Adding a document cannot be tried without leaving one.
fn uploading(wanted: &[Wanted]) -> Finding {
    let (expected, remedy) = if wanted.is_empty() {
        (
            "the right to write documents, once documents are to be sent",
            "look whether Documents > Write is ticked if documents are to be sent; nothing else needs it",
        )
    } else {
        ("the right to write documents", "look whether Documents > Write is ticked")
    };
    let found =
        "whether they may be added shows with the first one; without the right it is failed(no_right)";
    Finding::bad(Verdict::NotCheckable, "documents", found, expected, remedy).at(&INTEGRATION)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Vec<Category> {
        let names = ["Verträge", "Bewerbungsunterlagen", "Sonstiges", "Sonstiges"];
        (1..).zip(names).map(|(id, name)| Category { id, name: name.into() }).collect()
    }

    fn named(category: &str) -> Wanted {
        Wanted { key: "sources.ashby.documents.resume".into(), category: category.into() }
    }

    #[test]
    fn a_category_is_there_by_name_or_by_id() {
        for wanted in [named("Bewerbungsunterlagen"), named("2")] {
            let found = found(&wanted, &known());
            assert_eq!(found.verdict, Verdict::Ok);
            assert!(
                found.found.ends_with("goes to \u{201c}Bewerbungsunterlagen\u{201d} (id 2)"),
                "{}",
                found.found
            );
        }
    }

    #[test]
    fn the_nearest_names_are_offered_for_one_that_is_not_there() {
        for (name, offered) in [
            ("Vertraege", "did you mean \u{201c}Verträge\u{201d} (id 1)"),
            ("bewerbungsunterlagen", "did you mean \u{201c}Bewerbungsunterlagen\u{201d} (id 2)"),
            ("Xyz", "it has \u{201c}Verträge\u{201d} (id 1)"),
        ] {
            let found = found(&named(name), &known());
            assert_eq!(found.verdict, Verdict::Problem, "{name}");
            assert!(found.found.contains(offered), "{}", found.found);
            assert!(found.remedy.is_some_and(|remedy| remedy.contains("sources.ashby.documents.resume")));
        }
        assert!(found(&named("9"), &[]).found.ends_with("it has none"));
        assert!(found(&named("Sonstiges"), &known()).found.ends_with("several of that name: 3, 4"));
    }

    #[test]
    fn a_missing_right_is_a_problem_only_where_it_is_needed() {
        let may_not = Err(CallError::NotAllowed);
        for (wanted, verdict) in [
            (vec![], Verdict::NotCheckable),
            (vec![named("2")], Verdict::Warning),
            (vec![named("2"), named("Verträge")], Verdict::Problem),
        ] {
            let findings = examined(&may_not, &wanted);
            assert_eq!(
                findings.iter().map(|f| f.verdict).collect::<Vec<_>>(),
                [verdict, Verdict::NotCheckable]
            );
            assert!(findings.iter().all(|finding| finding.place.is_some()));
        }
    }
}
