//! What arrived against what was sent: Personio answers 200 and drops names that it does not know.

use crate::domain::{Employee, Warning};
use crate::personio::{Person, Shown};

/// What became of the values that were sent.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Difference {
    /// Values that are not in Personio as they were sent.
    pub(super) warnings: Vec<Warning>,
    /// Attributes that arrived as they were sent.
    pub(super) arrived: Vec<String>,
    /// Attributes that the credential may not read, so that nobody can say.
    pub(super) unread: Vec<String>,
}

/// Compares each sent attribute with the one that Personio shows.
pub(super) fn compare(sent: &Employee, person: &Person) -> Difference {
    let mut difference = Difference::default();
    for (attribute, value) in sent.attributes() {
        let code = match person.shows(attribute, value) {
            Shown::Same => {
                difference.arrived.push(attribute.to_owned());
                continue;
            }
            Shown::Hidden => {
                difference.unread.push(attribute.to_owned());
                continue;
            }
            Shown::Empty => "dropped",
            Shown::Other(_) => "changed",
        };
        difference.warnings.push(Warning::about(code, attribute, Some(value.clone())));
    }
    difference
}
