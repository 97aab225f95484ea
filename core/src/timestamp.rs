//! A moment in UTC to the second, as `lastmodified` holds it.

use alloc::string::String;
use core::fmt;

use crate::error::{Error, ErrorCode};

/// Seconds since 1970-01-01T00:00:00Z, between the years 0000 and 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From seconds since the Unix epoch.
    ///
    /// # Errors
    /// `timestamp-invalid` outside the years 0000 to 9999.
    pub fn from_unix(seconds: i64) -> Result<Self, Error> {
        if (MIN..=MAX).contains(&seconds) {
            Ok(Self(seconds))
        } else {
            Err(invalid())
        }
    }

    /// Reads RFC 3339; a fraction of a second is dropped and an offset applied, as the reference does
    /// before it uses the text as additional data. As there, `T` and `Z` are capital.
    ///
    /// # Errors
    /// `timestamp-invalid`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        parse(text.as_bytes()).ok_or_else(invalid)
    }

    /// Seconds since the Unix epoch.
    pub fn unix(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Timestamp {
    /// `YYYY-MM-DDThh:mm:ssZ`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, seconds) = (self.0.div_euclid(DAY), self.0.rem_euclid(DAY));
        let (year, month, day) = civil_from_days(days);
        let (h, m, s) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}Z")
    }
}

fn invalid() -> Error {
    Error::input(
        ErrorCode::TimestampInvalid,
        String::from("this is not a time like 2026-11-21T08:30:00Z"),
    )
}

fn parse(text: &[u8]) -> Option<Timestamp> {
    let number = |from: usize, to: usize| -> Option<i64> {
        text.get(from..to)?.iter().try_fold(0i64, |sum, digit| {
            digit
                .is_ascii_digit()
                .then(|| sum * 10 + i64::from(digit - b'0'))
        })
    };
    let is = |at: usize, bytes: &[u8]| text.get(at).is_some_and(|byte| bytes.contains(byte));
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let shape = is(4, b"-") && is(7, b"-") && is(10, b"T") && is(13, b":") && is(16, b":");
    let range = (1..=12).contains(&month) && day >= 1 && day <= days_in_month(year, month);
    if !shape || !range || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut rest = 19;
    if is(rest, b".") {
        let digits = text
            .get(rest + 1..)?
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count();
        if digits == 0 {
            return None;
        }
        rest += 1 + digits;
    }
    let offset = match text.get(rest)? {
        b'Z' if text.len() == rest + 1 => 0,
        sign @ (b'+' | b'-') if text.len() == rest + 6 && is(rest + 3, b":") => {
            let (h, m) = (number(rest + 1, rest + 3)?, number(rest + 4, rest + 6)?);
            if h > 23 || m > 59 {
                return None;
            }
            (h * 3600 + m * 60) * if *sign == b'-' { -1 } else { 1 }
        }
        _ => return None,
    };
    let seconds =
        days_from_civil(year, month, day) * DAY + hour * 3600 + minute * 60 + second - offset;
    (MIN..=MAX).contains(&seconds).then_some(Timestamp(seconds))
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days of a month, 0 for a month that does not exist.
pub(crate) fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar; the year starts in March, so that the
/// leap day is its last.
pub(crate) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

const DAY: i64 = 86_400;
const MIN: i64 = -62_167_219_200;
const MAX: i64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn reads_and_writes_the_same_second() {
        for text in [
            "1970-01-01T00:00:00Z",
            "2000-02-29T23:59:59Z",
            "2026-11-21T08:30:00Z",
            "0000-01-01T00:00:00Z",
        ] {
            assert_eq!(Timestamp::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(
            Timestamp::parse("2001-12-14T21:59:43.10-05:00")
                .unwrap()
                .to_string(),
            "2001-12-15T02:59:43Z"
        );
        assert_eq!(
            Timestamp::from_unix(951_868_799).unwrap().to_string(),
            "2000-02-29T23:59:59Z"
        );
    }

    #[test]
    fn refuses_what_is_no_moment() {
        for text in [
            "",
            "2026-11-21",
            "2026-02-29T00:00:00Z",
            "2026-11-21T24:00:00Z",
            "2026-11-21T08:30:00",
            "2026-11-21T08:30:00.Z",
            "2026-11-21T08:30:00+0100",
            "2026-11-21t08:30:00Z",
            "2026-11-21T08:30:00z",
        ] {
            assert!(Timestamp::parse(text).is_err(), "{text}");
        }
    }
}
