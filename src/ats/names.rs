//! Splits one name into first and last name, for an ATS that keeps only one.
//!
//! No rule can do this for every name of the world. So each split says how sure it is, and the text
//! stays byte for byte what the ATS sent: nothing but the white space between the parts is left out.

use std::ops::Range;

use crate::domain::NameSplit;

/// Words that begin a last name when another word follows: German, Dutch, French, Spanish, Portuguese,
/// Italian, Arabic, Hebrew, Scandinavian, Welsh and Irish ones.
const PARTICLES: &[&str] = &[
    "von", "vom", "van", "zu", "zum", "zur", "der", "den", "dem", "de", "de'", "del", "della", "delle",
    "dello", "degli", "dei", "di", "da", "dal", "dalla", "do", "dos", "das", "du", "des", "le", "la", "lo",
    "ten", "ter", "te", "'t", "’t", "het", "al", "el", "bin", "bint", "ibn", "ben", "abu", "af", "av", "ap",
    "ó", "ní",
];

/// Words that belong to the last name only before a particle: titles of nobility and prepositions.
const BEFORE_PARTICLES: &[&str] = &[
    "freiherr",
    "freifrau",
    "freiin",
    "graf",
    "gräfin",
    "baron",
    "baronin",
    "baronesse",
    "prinz",
    "prinzessin",
    "fürst",
    "fürstin",
    "ritter",
    "edler",
    "edle",
    "op",
    "uit",
    "aan",
    "in",
    "auf",
    "an",
    "aus",
];

/// Particles that are first names as well, so that a name may well begin with them.
const GIVEN_NAMES: &[&str] = &["ben", "al"];

/// Beginnings of a word that make it a last name: `d'Arc`, `O'Brien`, `al-Masri`.
const ATTACHED: &[&str] =
    &["d'", "d’", "dell'", "dell’", "dall'", "dall’", "l'", "l’", "o'", "o’", "al-", "el-"];

/// The parts of a name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Split<'a> {
    /// The first name; absent when there is no telling.
    pub first: Option<&'a str>,
    /// The last name.
    pub last: Option<&'a str>,
    /// How sure it is.
    pub how: NameSplit,
}

/// Splits a name; `None` when there is none.
pub fn split(name: &str) -> Option<Split<'_>> {
    let name = name.trim();
    if let Some((last, first)) = name.split_once(',') {
        let (first, last) = (known(first), known(last));
        return (first.is_some() || last.is_some()).then_some(Split {
            first,
            last,
            how: NameSplit::Uncertain,
        });
    }
    let words = words(name);
    let end = words.last()?.end;
    let (at, how) = last_name(name, &words);
    let last = Some(&name[words[at].start..end]);
    let first = at.checked_sub(1).map(|before| &name[..words[before].end]);
    Some(Split { first, last, how })
}

fn known(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

/// Where the words of a name are.
fn words(name: &str) -> Vec<Range<usize>> {
    let mut from = 0;
    let place = |word: &str| {
        let start = from + name[from..].find(word)?;
        from = start + word.len();
        Some(start..from)
    };
    name.split_whitespace().filter_map(place).collect()
}

/// With which word the last name begins.
fn last_name(name: &str, words: &[Range<usize>]) -> (usize, NameSplit) {
    let lower: Vec<String> = words.iter().map(|word| name[word.clone()].to_lowercase()).collect();
    let begins_with_particle = is_particle(&lower[0]) && !GIVEN_NAMES.contains(&lower[0].as_str());
    match words.len() {
        1 => (0, NameSplit::Uncertain),
        // `de Jong` is a last name alone; `Van Nguyen` is a first and a last name.
        2 if begins_with_particle && name.starts_with(char::is_lowercase) => (0, NameSplit::Uncertain),
        2 => (1, NameSplit::Certain),
        // `van der Berg Jan`: the last name may have been put first.
        count if begins_with_particle => (count - 1, NameSplit::Uncertain),
        count => match (1..count).find(|at| begins_last_name(&lower, *at)) {
            Some(at) => (at, NameSplit::ByParticle),
            None => (count - 1, NameSplit::Uncertain),
        },
    }
}

fn begins_last_name(words: &[String], at: usize) -> bool {
    let word = words[at].as_str();
    let particle_at = |at: usize| at + 1 < words.len() && is_particle(&words[at]);
    let attached = ATTACHED.iter().any(|start| word.len() > start.len() && word.starts_with(start));
    attached || particle_at(at) || (BEFORE_PARTICLES.contains(&word) && particle_at(at + 1))
}

fn is_particle(word: &str) -> bool {
    PARTICLES.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parts, with `-` for an absent one.
    fn parts(name: &str) -> (&str, &str, NameSplit) {
        let split = split(name).expect("there is a name");
        (split.first.unwrap_or("-"), split.last.unwrap_or("-"), split.how)
    }

    #[test]
    fn two_words_are_first_and_last_name() {
        for (name, first, last) in [
            ("Hanna Meier", "Hanna", "Meier"),
            ("Karl-Theodor Müller-Lüdenscheidt", "Karl-Theodor", "Müller-Lüdenscheidt"),
            ("Zoë O'Brien", "Zoë", "O'Brien"),
            ("Van Nguyen", "Van", "Nguyen"),
            ("Anh Le", "Anh", "Le"),
            ("Ben Affleck", "Ben", "Affleck"),
            ("Omar al-Masri", "Omar", "al-Masri"),
            ("李 小龍", "李", "小龍"),
        ] {
            assert_eq!(parts(name), (first, last, NameSplit::Certain), "{name}");
        }
    }

    #[test]
    fn particles_stay_with_the_last_name() {
        for (name, first, last) in [
            ("Jörg van der Müller", "Jörg", "van der Müller"),
            ("Anna Maria von der Leyen", "Anna Maria", "von der Leyen"),
            ("VINCENT VAN GOGH", "VINCENT", "VAN GOGH"),
            ("Wernher vom Stein zum Altenstein", "Wernher", "vom Stein zum Altenstein"),
            ("Ursula zur Mühlen", "Ursula", "zur Mühlen"),
            ("Marie Freifrau von Ebner-Eschenbach", "Marie", "Freifrau von Ebner-Eschenbach"),
            ("Otto Graf Lambsdorff von Berg", "Otto Graf Lambsdorff", "von Berg"),
            ("Sophie in 't Veld", "Sophie", "in 't Veld"),
            ("Dirk op de Beeck", "Dirk", "op de Beeck"),
            ("Corrie ten Boom", "Corrie", "ten Boom"),
            ("Daniël ter Stege", "Daniël", "ter Stege"),
            ("Juan Carlos de la Cruz García", "Juan Carlos", "de la Cruz García"),
            ("Luis del Olmo", "Luis", "del Olmo"),
            ("Maria João dos Santos Silva", "Maria João", "dos Santos Silva"),
            ("Vasco da Gama", "Vasco", "da Gama"),
            ("Charles de Gaulle", "Charles", "de Gaulle"),
            ("Marie Anne d'Arc", "Marie Anne", "d'Arc"),
            ("Jean Marie Le Pen", "Jean Marie", "Le Pen"),
            ("Leonardo di ser Piero", "Leonardo", "di ser Piero"),
            ("Andrea della Valle", "Andrea", "della Valle"),
            ("Mohammed bin Salman", "Mohammed", "bin Salman"),
            ("Ahmed Hassan al-Masri", "Ahmed Hassan", "al-Masri"),
            ("Nawal El Saadawi", "Nawal", "El Saadawi"),
            ("Ben van Dijk", "Ben", "van Dijk"),
            ("Hilma af Klint", "Hilma", "af Klint"),
            ("Mary Anne O’Brien", "Mary Anne", "O’Brien"),
        ] {
            assert_eq!(parts(name), (first, last, NameSplit::ByParticle), "{name}");
        }
    }

    #[test]
    fn what_may_be_wrong_is_said_to_be_uncertain() {
        for (name, first, last) in [
            ("Anna Lena Schmidt", "Anna Lena", "Schmidt"),
            ("Gabriel García Márquez", "Gabriel García", "Márquez"),
            ("José Ortega y Gasset", "José Ortega y", "Gasset"),
            ("Dr. Jörg Müller", "Dr. Jörg", "Müller"),
            ("Thi Hoa Le", "Thi Hoa", "Le"),
            ("Müller, Jörg", "Jörg", "Müller"),
            ("van der Berg , Jan Peter", "Jan Peter", "van der Berg"),
            ("Müller,", "-", "Müller"),
            (", Jörg", "Jörg", "-"),
            ("Suharto", "-", "Suharto"),
            ("de Jong", "-", "de Jong"),
            ("van der Berg Jan", "van der Berg", "Jan"),
            ("Jörg 🎸 Müller", "Jörg 🎸", "Müller"),
        ] {
            assert_eq!(parts(name), (first, last, NameSplit::Uncertain), "{name}");
        }
    }

    #[test]
    fn nothing_is_a_name_when_there_is_no_word() {
        for name in ["", "  ", "\u{a0}", ",", " , "] {
            assert!(split(name).is_none(), "{name:?}");
        }
    }

    #[test]
    fn the_text_stays_byte_for_byte() {
        let decomposed = "Jo\u{308}rg Mu\u{308}ller";
        assert_eq!(parts(decomposed), ("Jo\u{308}rg", "Mu\u{308}ller", NameSplit::Certain));
        assert_eq!(parts("  Ana\tLi\u{a0}\u{a0}van  Dam "), ("Ana\tLi", "van  Dam", NameSplit::ByParticle));
        assert_eq!(parts("Zoe\u{200b} Meier"), ("Zoe\u{200b}", "Meier", NameSplit::Certain));
        let long = format!("{} {}", "ä".repeat(250), "ö".repeat(250));
        assert_eq!(parts(&long), ("ä".repeat(250).as_str(), "ö".repeat(250).as_str(), NameSplit::Certain));
    }
}
