//! Timestamps as go-yaml reads and writes them.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;

use crate::timestamp::days_in_month;

/// The RFC 3339 text with the shortest fraction, or `None` when the text is no timestamp.
///
/// Read: `Y-M-D`, `Y-M-Dth:m:s[.f]Z|±hh:mm` and `Y-M-D h:m:s[.f]` with any number of blanks; month, day and clock may have
/// one digit, the fraction may follow a comma. An offset of a day or more has no text: see [`offset_is_too_far`].
pub(crate) fn canonical(text: &str) -> Option<String> {
    let parts = read(text)?;
    if parts.offset.abs() >= DAY_MINUTES {
        return None;
    }
    let Parts {
        year,
        month,
        day,
        hour,
        minute,
        second,
        ..
    } = parts;
    let fraction = parts.fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    let zone = match parts.offset {
        0 => "Z".to_owned(),
        minutes => {
            let sign = if minutes < 0 { '-' } else { '+' };
            format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
        }
    };
    Some(format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{point}{fraction}{zone}"
    ))
}

/// A timestamp by its shape whose offset no RFC 3339 text can hold; the reference fails on it.
pub(crate) fn offset_is_too_far(text: &str) -> bool {
    read(text).is_some_and(|parts| parts.offset.abs() >= DAY_MINUTES)
}

const DAY_MINUTES: i64 = 24 * 60;

struct Parts<'a> {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    /// At most nine digits.
    fraction: &'a str,
    /// Minutes east of UTC.
    offset: i64,
}

fn read(text: &str) -> Option<Parts<'_>> {
    let mut cursor = Cursor(text);
    let year = cursor.number(4, 4)?;
    cursor.take("-")?;
    let month = cursor.number(1, 2)?;
    cursor.take("-")?;
    let day = cursor.number(1, 2)?;
    if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
        return None;
    }
    let mut parts = Parts {
        year,
        month,
        day,
        hour: 0,
        minute: 0,
        second: 0,
        fraction: "",
        offset: 0,
    };
    if cursor.0.is_empty() {
        return Some(parts);
    }
    let zoned = cursor.take("T").or_else(|| cursor.take("t")).is_some();
    if !zoned {
        cursor.take(" ")?;
        cursor.0 = cursor.0.trim_start_matches(' ');
    }
    parts.hour = cursor.number(1, 2)?;
    cursor.take(":")?;
    parts.minute = cursor.number(1, 2)?;
    cursor.take(":")?;
    parts.second = cursor.number(1, 2)?;
    if parts.hour > 23 || parts.minute > 59 || parts.second > 59 {
        return None;
    }
    if cursor.take(".").or_else(|| cursor.take(",")).is_some() {
        parts.fraction = cursor.digits()?;
    }
    if zoned {
        parts.offset = cursor.zone()?;
    }
    cursor.0.is_empty().then_some(parts)
}

struct Cursor<'a>(&'a str);

impl<'a> Cursor<'a> {
    fn take(&mut self, prefix: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(prefix)?;
        Some(())
    }

    fn number(&mut self, least: usize, most: usize) -> Option<i64> {
        let length = self
            .0
            .bytes()
            .take(most)
            .take_while(u8::is_ascii_digit)
            .count();
        let (digits, rest) = self
            .0
            .split_at_checked(length)
            .filter(|_| length >= least)?;
        self.0 = rest;
        digits.parse().ok()
    }

    /// One digit or more; those past nanoseconds are dropped.
    fn digits(&mut self) -> Option<&'a str> {
        let length = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.0.split_at_checked(length).filter(|_| length > 0)?;
        self.0 = rest;
        digits.get(..length.min(9))
    }

    fn zone(&mut self) -> Option<i64> {
        if self.take("Z").is_some() {
            return Some(0);
        }
        let sign = if self.take("-").is_some() {
            -1
        } else {
            self.take("+").map(|()| 1)?
        };
        let hours = self.number(2, 2)?;
        self.take(":")?;
        let minutes = self.number(2, 2)?;
        (hours <= 24 && minutes <= 60).then_some(sign * (hours * 60 + minutes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_of_go_yaml() {
        for (text, expected) in [
            ("2002-12-14", "2002-12-14T00:00:00Z"),
            ("2001-1-2", "2001-01-02T00:00:00Z"),
            (
                "2001-12-14t21:59:43.10-05:00",
                "2001-12-14T21:59:43.1-05:00",
            ),
            ("2001-12-14 21:59:43,5", "2001-12-14T21:59:43.5Z"),
            ("2001-12-14  1:2:3", "2001-12-14T01:02:03Z"),
            ("2001-12-14T1:2:3Z", "2001-12-14T01:02:03Z"),
            ("2001-12-14T21:59:43+00:00", "2001-12-14T21:59:43Z"),
            (
                "2001-12-14T21:59:43.1234567899Z",
                "2001-12-14T21:59:43.123456789Z",
            ),
        ] {
            assert_eq!(canonical(text).as_deref(), Some(expected));
        }
        for text in [
            "2001-13-14",
            "2021-02-30",
            "2001-12-14 21:59:43.10 -5",
            "2001-12-14T21:59:43",
            "2001-12-14 21:59:43Z",
            "201-1-1",
            "2001-12-14T21:59:43.10-25:00",
            "2001-12-14T24:00:00Z",
            "2001-12-14T1:2:3.Z",
            "2001-12-14  ",
            "2001-12-14 \t1:2:3",
            "2001-12-14T 1:2:3Z",
        ] {
            assert_eq!(canonical(text), None, "{text}");
        }
        assert!(offset_is_too_far("2001-12-14T21:59:43+24:00"));
        assert!(!offset_is_too_far("2001-12-14T21:59:43+25:00"));
    }
}
