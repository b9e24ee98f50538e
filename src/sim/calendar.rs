//! The simulator's day, and its time zone: Personio writes a hire date as midnight in Germany.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};

/// Central European time by its rule, so that no time zone database is needed.
const GERMANY: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

pub(super) struct Calendar {
    /// A fixed day for tests; the system's day otherwise.
    today: Option<Date>,
    zone: TimeZone,
}

impl Calendar {
    pub(super) fn new(today: Option<Date>) -> Self {
        Self { today, zone: TimeZone::posix(GERMANY).expect("the rule is a constant and well formed") }
    }

    pub(super) fn now(&self) -> Timestamp {
        match self.today {
            Some(day) => self.at(day.at(12, 0, 0, 0)).expect("the fixed day is no edge of time").timestamp(),
            None => wall_clock(),
        }
    }

    pub(super) fn today(&self) -> Date {
        self.today.unwrap_or_else(|| wall_clock().to_zoned_datetime(self.zone.clone()).date())
    }

    /// The start of a day as Personio writes it: `2014-11-09T00:00:00+01:00`.
    pub(super) fn midnight(&self, date: Date) -> String {
        self.at(date.at(0, 0, 0, 0)).map_or_else(|| format!("{date}T00:00:00+01:00"), |zoned| text(&zoned))
    }

    pub(super) fn stamp(&self, moment: Timestamp) -> String {
        text(&moment.to_zoned_datetime(self.zone.clone()))
    }

    /// `updated_since`: `2022-12-24T08:15:30` or `2022-12-24`, German time.
    pub(super) fn moment(&self, text: &str) -> Option<Timestamp> {
        Some(self.at(text.parse().ok()?)?.timestamp())
    }

    /// `None` for the very last day that a date can hold: it is past the last timestamp.
    fn at(&self, civil: DateTime) -> Option<ZonedDateTime> {
        civil.to_zoned_datetime(self.zone.clone()).ok()
    }
}

/// A date exactly as Personio wants it: `YYYY-MM-DD` and nothing more.
pub(super) fn strict_date(text: &str) -> Option<Date> {
    let digits_and_dashes = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if digits_and_dashes { text.parse().ok() } else { None }
}

fn text(zoned: &ZonedDateTime) -> String {
    zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

#[expect(clippy::disallowed_methods, reason = "the simulator is its own outside world, with its own clock")]
fn wall_clock() -> Timestamp {
    Timestamp::now()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn midnight_follows_german_summer_time() {
        let calendar = Calendar::new(None);
        assert_eq!(calendar.midnight(date(2027, 1, 1)), "2027-01-01T00:00:00+01:00");
        assert_eq!(calendar.midnight(date(2027, 7, 1)), "2027-07-01T00:00:00+02:00");
    }

    #[test]
    fn only_a_plain_calendar_date_is_a_date() {
        assert_eq!(strict_date("2027-01-31"), Some(date(2027, 1, 31)));
        for wrong in ["2027-1-31", "2027-02-30", "2027-01-31T00:00:00", "31.01.2027", "+27-01-31", ""] {
            assert_eq!(strict_date(wrong), None, "{wrong}");
        }
    }
}
