//! Bringing a value into the shape that Personio's attribute has, or saying why it does not fit.

use jiff::civil::Date;
use serde_json::{Number, Value};

use crate::domain::catalog::NAMED;
use crate::domain::employee::{Shape, is_dynamic};

/// How many characters a text of several lines may have.
/// Source: <https://support.personio.de/hc/en-us/articles/208861829>.
const LONGEST_LINES: usize = 2_000;

/// Why a value cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// Control characters or overrides of the writing direction.
    Control,
    /// No calendar date.
    Date,
    /// No number.
    Number,
    /// No whole number.
    Integer,
    /// More text than Personio keeps.
    TooLong,
    /// No e-mail address.
    Email,
    /// A list or an object where one value is wanted.
    Several,
    /// None of Personio's states.
    Status,
    /// None of the values that stand for a gender: not sent, never guessed.
    Unnamed,
}

impl Unfit {
    /// The stable code of the warning.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Control => "control_characters",
            Self::Date => "not_a_date",
            Self::Number => "not_a_number",
            Self::Integer => "not_a_whole_number",
            Self::TooLong => "too_long",
            Self::Email => "not_an_email",
            Self::Several => "several_values",
            Self::Status => "not_a_status",
            Self::Unnamed => "not_known",
        }
    }

    /// What is wrong, for a person who typed it.
    pub(super) fn sentence(self) -> &'static str {
        match self {
            Self::Control => "must not have control characters",
            Self::Date => "must be a calendar date, YYYY-MM-DD",
            Self::Number => "must be a number",
            Self::Integer => "must be a whole number",
            Self::TooLong => "must not be longer than 2,000 characters",
            Self::Email => "must be an e-mail address",
            Self::Several => "must be one value",
            Self::Status => "must be onboarding, active, leave or inactive",
            Self::Unnamed => "must be male, female or diverse",
        }
    }
}

/// The value as Personio takes it; `None` when there is none. `options` are those of a list or tags attribute.
pub(super) fn fit(
    shape: Shape,
    attribute: &str,
    value: &Value,
    options: &[String],
) -> Result<Option<Value>, Unfit> {
    if NAMED.contains(&attribute) && value.as_array().is_some_and(|items| items.len() > 1) {
        return Err(Unfit::Several);
    }
    let Some(text) = plain(value, shape, options)? else { return Ok(None) };
    let fitted = match shape {
        Shape::Text if attribute == "email" => email(&text)?,
        Shape::Text | Shape::Option | Shape::Tags => clean(&text, false)?,
        Shape::Lines => lines(&text)?,
        Shape::Date => Value::String(date(&text)?),
        Shape::Number => Value::Number(number(&text)?),
        Shape::Integer => Value::Number(whole(&text)?),
        Shape::Gender => Value::String(gender(&text)?.to_owned()),
        Shape::Status => status(&text)?,
    };
    // Personio takes every value of an own attribute as text:
    // <https://developer.personio.de/reference/post_company-employees>.
    let as_text = is_dynamic(attribute) && fitted.is_number();
    Ok(Some(if as_text { Value::String(fitted.to_string()) } else { fitted }))
}

/// One value as text; a list of plain values is joined with commas where Personio takes several or any text.
fn plain(value: &Value, shape: Shape, options: &[String]) -> Result<Option<String>, Unfit> {
    Ok(match value {
        Value::Null => None,
        Value::String(text) if text.trim().is_empty() => None,
        Value::String(text) => Some(text.clone()),
        Value::Bool(yes) => Some(said(*yes, shape, options)?),
        Value::Number(_) => Some(value.to_string()),
        Value::Array(items) => {
            let parts: Vec<_> =
                items.iter().map(|item| plain(item, shape, options)).collect::<Result<_, _>>()?;
            let parts: Vec<_> = parts.into_iter().flatten().collect();
            let one_only = !matches!(shape, Shape::Text | Shape::Lines | Shape::Tags);
            if one_only && parts.len() > 1 {
                return Err(Unfit::Several);
            }
            (!parts.is_empty()).then(|| parts.join(", "))
        }
        Value::Object(_) => return Err(Unfit::Several),
    })
}

/// Yes or no, in the attribute's own words where it has a list of them.
fn said(yes: bool, shape: Shape, options: &[String]) -> Result<String, Unfit> {
    let words: &[&str] =
        if yes { &["yes", "ja", "true", "wahr"] } else { &["no", "nein", "false", "falsch"] };
    match shape {
        Shape::Option | Shape::Tags => {
            let own = options.iter().find(|option| words.contains(&option.trim().to_lowercase().as_str()));
            Ok(own.cloned().unwrap_or_else(|| yes.to_string()))
        }
        Shape::Text | Shape::Lines => Ok(yes.to_string()),
        _ => Err(Unfit::Several),
    }
}

/// The single tags of a value that is written as a comma list.
pub(super) fn tags(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|tag| !tag.is_empty())
}

/// Whether a character controls how text is written instead of being text: control characters, separators of
/// lines and paragraphs, overrides of the writing direction.
pub(super) fn is_unseen(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Text as it is, byte for byte, with line breaks.
fn lines(text: &str) -> Result<Value, Unfit> {
    if text.chars().count() > LONGEST_LINES { Err(Unfit::TooLong) } else { clean(text, true) }
}

/// Text as it is, byte for byte. Line breaks and tabs may stand in the company's own attributes only.
fn clean(text: &str, lines: bool) -> Result<Value, Unfit> {
    let allowed = |c: char| lines && matches!(c, '\n' | '\r' | '\t');
    if text.chars().any(|c| is_unseen(c) && !allowed(c)) {
        return Err(Unfit::Control);
    }
    Ok(Value::String(text.to_owned()))
}

fn email(text: &str) -> Result<Value, Unfit> {
    let text = text.trim();
    let (local, domain) = text.rsplit_once('@').ok_or(Unfit::Email)?;
    if local.is_empty()
        || domain.is_empty()
        || text.chars().any(|c| c.is_whitespace() || matches!(c, '<' | '>' | ','))
    {
        return Err(Unfit::Email);
    }
    clean(text, false)
}

/// The calendar date at the start of a date or an instant, as it is written there: never shifted by a zone.
fn date(text: &str) -> Result<String, Unfit> {
    let text = text.trim();
    let (day, rest) = text.split_at_checked(10).ok_or(Unfit::Date)?;
    let date: Date = day.parse().map_err(|_| Unfit::Date)?;
    let ends_there = rest.is_empty() || rest.starts_with(['T', 't', ' ']);
    let is_iso = day.as_bytes()[4] == b'-' && day.as_bytes()[7] == b'-';
    if ends_there && is_iso && date.year() >= 1900 { Ok(day.to_owned()) } else { Err(Unfit::Date) }
}

fn whole(text: &str) -> Result<Number, Unfit> {
    let number = number(text).map_err(|_| Unfit::Integer)?;
    #[expect(clippy::cast_possible_truncation, reason = "the bounds are checked, the fraction is none")]
    let whole = |float: f64| (float.fract() == 0.0 && float.abs() < 1e15).then_some(float as i64);
    let found = number.as_i64().or_else(|| whole(number.as_f64()?));
    found.map(Number::from).ok_or(Unfit::Integer)
}

fn number(text: &str) -> Result<Number, Unfit> {
    let text = text.trim();
    if let Ok(whole) = text.parse::<i64>() {
        return Ok(whole.into());
    }
    text.parse::<f64>().ok().and_then(Number::from_f64).ok_or(Unfit::Number)
}

/// Personio's word for what the ATS says; `Unnamed` for everything that does not plainly say one.
fn gender(text: &str) -> Result<&'static str, Unfit> {
    match text.trim().to_lowercase().as_str() {
        "male" | "m" | "männlich" | "1" => Ok("male"),
        "female" | "f" | "w" | "weiblich" | "2" => Ok("female"),
        "diverse" | "d" | "divers" => Ok("diverse"),
        _ => Err(Unfit::Unnamed),
    }
}

fn status(text: &str) -> Result<Value, Unfit> {
    let text = text.trim().to_lowercase();
    match text.as_str() {
        "onboarding" | "active" | "leave" | "inactive" => Ok(Value::String(text)),
        _ => Err(Unfit::Status),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn as_date(text: &str) -> Result<String, Unfit> {
        date(text)
    }

    #[test]
    fn a_date_is_the_one_that_is_written_whatever_the_zone() {
        for written in [
            "2027-01-01",
            "2027-01-01T00:00:00.000Z",
            "2027-01-01T23:30:00Z",
            "2027-01-01T00:30:00+14:00",
            "2027-01-01 00:00:00",
        ] {
            assert_eq!(as_date(written).as_deref(), Ok("2027-01-01"), "{written}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused_not_guessed() {
        for wrong in [
            "2027-02-30",
            "0000-00-00",
            "01.01.2027",
            "27-01-01",
            "1798761600000",
            "2027-01-011",
            "soon",
            "+12027-01-01",
        ] {
            assert_eq!(as_date(wrong), Err(Unfit::Date), "{wrong}");
        }
    }

    #[test]
    fn names_arrive_byte_for_byte_and_control_characters_do_not() {
        let long = "ß".repeat(500);
        for name in ["Jörg", "Jo\u{308}rg", "李小龍", "👩‍👩‍👧", "O'Neil", "=HYPERLINK(", "<script>", &long]
        {
            assert_eq!(fit(Shape::Text, "last_name", &json!(name), &[]), Ok(Some(json!(name))));
        }
        for name in ["a\u{0}b", "a\nb", "a\u{2028}b", "a\u{202E}b", "a\u{7f}"] {
            assert_eq!(fit(Shape::Text, "last_name", &json!(name), &[]), Err(Unfit::Control));
        }
        assert_eq!(fit(Shape::Lines, "dynamic_1", &json!("a\nb"), &[]), Ok(Some(json!("a\nb"))));
    }

    #[test]
    fn a_gender_is_sent_only_when_it_is_said() {
        for (said, sent) in [("M", "male"), ("weiblich", "female"), ("Divers", "diverse"), ("2", "female")] {
            assert_eq!(fit(Shape::Gender, "gender", &json!(said), &[]), Ok(Some(json!(sent))));
        }
        for unclear in ["0", "Herr", "unknown", "prefer not to say"] {
            assert_eq!(fit(Shape::Gender, "gender", &json!(unclear), &[]), Err(Unfit::Unnamed));
        }
    }

    #[test]
    fn yes_and_no_are_said_in_the_attributes_own_words() {
        let options = ["Ja".to_owned(), "Nein".to_owned()];
        assert_eq!(fit(Shape::Option, "dynamic_1", &json!(false), &options), Ok(Some(json!("Nein"))));
        assert_eq!(fit(Shape::Text, "dynamic_1", &json!(true), &[]), Ok(Some(json!("true"))));
        assert_eq!(fit(Shape::Date, "dynamic_1", &json!(true), &[]), Err(Unfit::Several));
    }

    #[test]
    fn numbers_lists_and_addresses_take_the_attributes_shape() {
        assert_eq!(fit(Shape::Number, "weekly_working_hours", &json!("38.5"), &[]), Ok(Some(json!(38.5))));
        assert_eq!(fit(Shape::Number, "weekly_working_hours", &json!("many"), &[]), Err(Unfit::Number));
        assert_eq!(fit(Shape::Text, "dynamic_1", &json!(["a", "b"]), &[]), Ok(Some(json!("a, b"))));
        assert_eq!(fit(Shape::Text, "dynamic_1", &json!({"a": 1}), &[]), Err(Unfit::Several));
        assert_eq!(
            fit(Shape::Text, "email", &json!("mia@example.org "), &[]),
            Ok(Some(json!("mia@example.org")))
        );
        assert_eq!(fit(Shape::Text, "email", &json!("mia"), &[]), Err(Unfit::Email));
        assert_eq!(fit(Shape::Integer, "dynamic_1", &json!("40.0"), &[]), Ok(Some(json!("40"))));
        assert_eq!(fit(Shape::Integer, "dynamic_1", &json!(38.5), &[]), Err(Unfit::Integer));
        assert_eq!(fit(Shape::Number, "dynamic_1", &json!(38.5), &[]), Ok(Some(json!("38.5"))));
        assert_eq!(
            fit(Shape::Date, "dynamic_1", &json!(["2027-01-01", "2027-01-02"]), &[]),
            Err(Unfit::Several)
        );
        assert_eq!(fit(Shape::Lines, "dynamic_1", &json!("x".repeat(2001)), &[]), Err(Unfit::TooLong));
    }
}
