//! What Personio has, as far as the credential may read it.

use super::rights::{INTEGRATION, READABLE};
use super::{Finding, Verdict, not_asked};
use crate::domain::catalog::{NAMED, Names};
use crate::domain::employee::shape_of;
use crate::domain::{Attribute, Catalog};
use crate::mapping::Mappings;
use crate::personio::CallError;

/// Whether the attributes can be listed; `named` are those of the company's own that the configuration names.
pub(super) fn listed(answer: &Result<Vec<Attribute>, CallError>, named: &[&str]) -> Finding {
    match answer {
        Ok(known) => Finding::ok("attributes", format!("{} can be read", known.len())),
        Err(CallError::NotAllowed) => {
            let found = match named {
                [] => "cannot be listed".to_owned(),
                named => format!("cannot be listed, so {} could not be checked", named.join(", ")),
            };
            Finding::bad(
                Verdict::Warning,
                "attributes",
                &found,
                "the right to read employees, which includes their attributes",
                "tick Employees > Read",
            )
            .at(&INTEGRATION)
        }
        Err(error) => not_asked("attributes", error),
    }
}

/// The names of departments, offices and subcompanies.
pub(super) fn names(known: Option<&Names>) -> Finding {
    let Some(known) = known else {
        return Finding::bad(
            Verdict::NotCheckable,
            "names",
            "which departments, offices and subcompanies there are is not known",
            "the right to read employees and these attributes, and `personio.learn_every` not \"0s\"",
            "tick Employees > Read and these attributes, or compare the names in your mapping with those in Personio by eye",
        )
        .at(&READABLE);
    };
    let counted = NAMED.map(|attribute| {
        let count = known.get(attribute).map_or(0, std::collections::BTreeSet::len);
        format!("{attribute}: {count}")
    });
    Finding::ok("names", format!("known from employees: {}", counted.join(", ")))
}

/// The attribute that is to carry the hire's key.
pub(super) fn marker(marker: Option<&str>, catalog: &Catalog) -> Option<Finding> {
    let marker = marker.filter(|_| catalog.attributes.is_some())?;
    Some(match catalog.attribute(marker) {
        Some(known) => {
            Finding::ok("attributes", format!("{marker} is \u{201c}{}\u{201d}, the marker", known.label))
        }
        None => Finding::bad(
            Verdict::Problem,
            "attributes",
            &format!("{marker} is the marker and Personio does not list it"),
            "an attribute that exists and that the credential may read",
            "correct transfer.marker, or tick the attribute as readable",
        )
        .at(&READABLE),
    })
}

/// The mapped attributes of every Personio that the credential may not read. Only where it may read any: a
/// list of the company's own attributes alone says nothing about them.
pub(super) fn unread(mappings: &Mappings, catalog: &Catalog) -> Option<Finding> {
    let known = catalog.attributes.as_deref()?;
    known.iter().find(|attribute| shape_of(&attribute.key).is_some())?;
    // The supervisor is read under another name than it is sent.
    let mapped = mappings.system_attributes().into_iter().filter(|name| *name != "supervisor_id");
    let unread: Vec<_> = mapped.filter(|name| catalog.attribute(name).is_none()).collect();
    (!unread.is_empty()).then(|| {
        Finding::bad(
            Verdict::Warning,
            "attributes",
            &format!("may not be read, so nobody notices if Personio drops them: {}", unread.join(", ")),
            "every attribute that is sent can be read back",
            "tick them as readable",
        )
        .at(&READABLE)
    })
}

/// Without the status nobody can tell who has left from who is there. Only where any of every Personio may be read.
pub(super) fn status(catalog: &Catalog) -> Option<Finding> {
    let known = catalog.attributes.as_deref()?;
    known.iter().find(|attribute| shape_of(&attribute.key).is_some())?;
    catalog.attribute("status").is_none().then(|| {
        Finding::bad(
            Verdict::Warning,
            "attributes",
            "status may not be read, so somebody who comes back is held(exists) in place of held(rehire)",
            "the status can be read",
            "tick it as readable",
        )
        .at(&READABLE)
    })
}
