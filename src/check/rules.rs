//! The mapping's rules, held against what Personio has.

use super::rights::{ATTRIBUTES, READABLE};
use super::{Finding, Verdict};
use crate::ats::{Source, Sources};
use crate::domain::Catalog;
use crate::mapping::{Doubt, Mapping, Mappings, What};

/// What is wrong with the rules; else which attributes of the company's own they fill.
pub(super) fn examined(mappings: &Mappings, catalog: &Catalog) -> Vec<Finding> {
    let doubts = mappings.doubts(catalog);
    let wrong = doubts.iter().map(told);
    let by_key = mappings.own_attributes().into_iter().filter_map(|key| catalog.attribute(key));
    let by_label = mappings.labels().into_iter().filter_map(|label| catalog.labelled(label).ok());
    let exists = by_key.chain(by_label).map(|known| {
        Finding::ok("attributes", format!("{} is \u{201c}{}\u{201d}, {}", known.key, known.label, known.kind))
    });
    exists.chain(wrong).collect()
}

fn told(Doubt { key, what }: &Doubt) -> Finding {
    let name = key.rsplit_once("fields.").map_or(key.as_str(), |(_, name)| name);
    match what {
        What::NotListed => Finding::bad(
            Verdict::Problem,
            "attributes",
            &format!("{name} is mapped and Personio does not list it"),
            "an attribute that exists and that the credential may read",
            &format!("correct {key}, or tick the attribute as readable"),
        )
        .at(&READABLE),
        What::NoLabel(labels) => Finding::bad(
            Verdict::Problem,
            "attributes",
            &format!("no attribute is labelled \u{201c}{name}\u{201d}{}", nearest(labels)),
            "a label that one attribute has which the credential may read",
            &format!("correct {key}, or tick the attribute as readable"),
        )
        .at(&READABLE),
        What::Several(keys) => Finding::bad(
            Verdict::Problem,
            "attributes",
            &format!("several attributes are labelled \u{201c}{name}\u{201d}: {}", keys.join(", ")),
            "a label that one attribute has",
            &format!("put the key of the one that is meant in place of the label in {key}"),
        )
        .at(&ATTRIBUTES),
        What::Type { fact, takes } => mapped(
            Verdict::Problem,
            &format!("{name} takes {takes}, which {fact} never is"),
            "a fact of the attribute's type",
            &format!("correct {key}"),
        ),
        What::Unfit { value, wrong } => mapped(
            Verdict::Problem,
            &format!("{value:?} does not fit {name}: it {wrong}"),
            "values of the attribute's type",
            &format!("correct {key}"),
        ),
        What::Unknown { value, options, complete: true } => unknown(
            Verdict::Problem,
            name,
            value,
            options,
            &format!("correct {key}, or add the option in Personio"),
        )
        .at(&ATTRIBUTES),
        What::Unknown { value, options, complete: false } => unknown(
            Verdict::Warning,
            name,
            value,
            options,
            &format!("correct {key}; if nobody is in it yet, add it to the rule's known_values"),
        ),
    }
}

fn unknown(verdict: Verdict, name: &str, value: &str, options: &[String], remedy: &str) -> Finding {
    let found = format!("Personio does not seem to know {value:?} for {name}{}", nearest(options));
    mapped(verdict, &found, "names and options as they are in Personio, to the letter", remedy)
}

fn mapped(verdict: Verdict, found: &str, expected: &str, remedy: &str) -> Finding {
    Finding::bad(verdict, "mapping", found, expected, remedy)
}

/// The likeliest of what there is.
fn nearest(known: &[String]) -> String {
    let known: Vec<_> = known.iter().take(3).map(|one| format!("{one:?}")).collect();
    if known.is_empty() { String::new() } else { format!("; it has {}", known.join(", ")) }
}

/// Whether each source's hires find their subcompany, as far as can be told before any hire.
pub(super) fn subcompanies(sources: &Sources, mappings: &Mappings, catalog: &Catalog) -> Vec<Finding> {
    let Some(names) = &catalog.names else { return Vec::new() };
    let known: Vec<_> = names.get("subcompany").into_iter().flatten().map(String::as_str).collect();
    if known.is_empty() {
        return vec![Finding::ok("subcompany", "nobody is in one, so none is sent")];
    }
    let known = known.join(", ");
    sources.iter().map(|source| subcompany(source, mappings.of(source.name()), &known)).collect()
}

fn subcompany(source: &Source, mapping: &Mapping, known: &str) -> Finding {
    let (name, kind) = (source.name(), source.kind());
    if mapping.rules("subcompany") {
        return Finding::ok("subcompany", format!("{name} has a rule; Personio knows {known}"));
    }
    let expected = format!("one of {known}");
    if source.has_tenants() {
        return Finding::bad(
            Verdict::NotCheckable,
            "subcompany",
            &format!("{name} has no rule, so it is the tenant's name, which {kind} tells with each hire"),
            &expected,
            "compare your tenants' names with these to the letter, or add a rule for subcompany (docs/mapping.md)",
        );
    }
    Finding::bad(
        Verdict::Warning,
        "subcompany",
        &format!("{name} has no rule and {kind} tells none, so its hires are created without"),
        &expected,
        "add a rule for subcompany (docs/mapping.md), or set it in Personio by hand",
    )
}
