//! The tokens of JSON: strings, numbers, words and the blanks between, each read once from left to right.

use alloc::string::String;
use core::ops::Range;

use zeroize::Zeroizing;

use crate::decimal;
use crate::error::{Error, ErrorCode};
use crate::text::Text;

/// Reads on through the text; knows the line it is at.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

/// What is wrong at the line.
pub(super) fn syntax(message: &str, line: usize) -> Error {
    Error::input(ErrorCode::JsonSyntax, message).at_line(line)
}

/// The blanks of JSON.
pub(super) const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            line: 1,
        }
    }

    /// Offset of what comes next.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// From 1.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// The next byte after blanks; `None` at the end of the text.
    pub(super) fn next_token(&mut self) -> Option<u8> {
        loop {
            match self.peek()? {
                b'\n' => self.line += 1,
                b' ' | b'\t' | b'\r' => {}
                other => return Some(other),
            }
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Goes over one byte of punctuation.
    pub(super) fn skip(&mut self) {
        self.at += 1;
    }

    /// Whether the word comes next; goes over it then.
    pub(super) fn word(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        if found {
            self.at += word.len();
        }
        found
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// A number, at its first character: `-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?`, correctly rounded.
    pub(super) fn number(&mut self) -> Result<(Range<usize>, f64), Error> {
        let start = self.at;
        self.over(b"-");
        let zero = self.over(b"0");
        let mut whole = zero || self.digits();
        if self.over(b".") {
            whole &= self.digits();
        }
        if self.over(b"eE") {
            self.over(b"+-");
            whole &= self.digits();
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        let number = decimal::read(text).filter(|_| whole).ok_or_else(|| {
            syntax("a number is not complete; digits stand before and behind the point and after the e", self.line)
        })?;
        if number.is_infinite() {
            return Err(Error::input(
                ErrorCode::ValueOutOfRange,
                "this number is too large for a double; put it in quotes",
            )
            .at_line(self.line));
        }
        Ok((start..self.at, number))
    }

    fn over(&mut self, any: &[u8]) -> bool {
        let found = self.peek().is_some_and(|byte| any.contains(&byte));
        self.at += usize::from(found);
        found
    }

    fn digits(&mut self) -> bool {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at > start
    }

    /// A string, at its first quote: its bytes with the quotes, and what it says if that is not what stands there.
    pub(super) fn string(&mut self) -> Result<(Range<usize>, Option<Text>), Error> {
        let start = self.at;
        self.at += 1;
        let mut escaped = false;
        // To the next quote, if nothing before it must be looked at; this way the rest is read fast.
        let rest = self.rest();
        let plain = rest.split('"').next().unwrap_or_default();
        let is_odd = |byte: u8| byte == b'\\' || byte < 0x20;
        if plain.len() < rest.len() && !plain.bytes().fold(false, |odd, byte| odd | is_odd(byte)) {
            self.at += plain.len();
        }
        loop {
            match self.peek() {
                None => {
                    return Err(syntax("the text ends inside a string; close it", self.line));
                }
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.at += 2;
                }
                Some(b'\n' | b'\r') => {
                    return Err(syntax(
                        "a string is not closed on its line; close it, or write the line break as \\n",
                        self.line,
                    ));
                }
                Some(0..0x20) => {
                    return Err(syntax(
                        "a string holds a control character; write it as \\t or \\u and four digits",
                        self.line,
                    ));
                }
                Some(_) => self.at += 1,
            }
        }
        let inside = start + 1..self.at;
        self.at += 1;
        let text = escaped.then(|| {
            let source = self.text.get(inside).unwrap_or_default();
            let mut text = Zeroizing::new(String::with_capacity(source.len()));
            unescape(source, &mut text).ok_or_else(|| {
                syntax(
                    "a string holds an escape that JSON does not know; \\\\ stands for the backslash itself",
                    self.line,
                )
            })?;
            Ok::<_, Error>(Text::from(text))
        });
        Ok((start..self.at, text.transpose()?))
    }
}

/// Reads escapes. What they say is never longer than they are, so that room of the source's length suffices and no
/// copy is left behind by growing.
fn unescape(source: &str, out: &mut String) -> Option<()> {
    let mut rest = source;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let mut chars = after.chars();
        let c = match chars.next()? {
            c @ ('"' | '\\' | '/') => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let unit = unit(chars.as_str())?;
                chars = chars.as_str().get(4..)?.chars();
                match low_half(unit, chars.as_str()) {
                    Some(c) => {
                        chars = chars.as_str().get(6..)?.chars();
                        c
                    }
                    // Half a pair stands for nothing.
                    None => char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER),
                }
            }
            _ => return None,
        };
        out.push(c);
        rest = chars.as_str();
    }
    out.push_str(rest);
    Some(())
}

/// Four hexadecimal digits.
fn unit(text: &str) -> Option<u32> {
    let digits = text.get(..4)?;
    let all = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u32::from_str_radix(digits, 16).ok().filter(|_| all)
}

/// The character of a pair of surrogates whose second half is escaped next.
fn low_half(high: u32, rest: &str) -> Option<char> {
    let low = unit(rest.strip_prefix("\\u")?)?;
    let is_pair = (0xd800..0xdc00).contains(&high) && (0xdc00..0xe000).contains(&low);
    let code = is_pair.then(|| 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00));
    code.and_then(char::from_u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(text: &str) -> Option<String> {
        let mut scanner = Scanner::new(text);
        let (span, value) = scanner.string().ok()?;
        assert_eq!((span, scanner.at()), (0..text.len(), text.len()));
        Some(match value {
            Some(value) => value.as_str().into(),
            None => text.get(1..text.len() - 1)?.into(),
        })
    }

    #[test]
    fn escapes_read_as_the_reference_reads_them() {
        for (text, value) in [
            (r#""""#, ""),
            (r#""a é 😀""#, "a é 😀"),
            (r#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
            (r#""\u0041\u00e9\u00E9\u2028""#, "Aéé\u{2028}"),
            (r#""x\u0000y""#, "x\0y"),
            (
                "\"\u{7f}\u{85}\u{2028}\u{feff}\"",
                "\u{7f}\u{85}\u{2028}\u{feff}",
            ),
            (r#""\ud83d\ude00\uD83D\uDE00""#, "😀😀"),
            (r#""\ud800""#, "\u{fffd}"),
            (
                r#""\ud800\u0041 \ud800\ud800\udc00 \udc00""#,
                "\u{fffd}A \u{fffd}𐀀 \u{fffd}",
            ),
            (r#""\udc00\ud800x\ud800\n""#, "\u{fffd}\u{fffd}x\u{fffd}\n"),
        ] {
            assert_eq!(string(text).as_deref(), Some(value), "{text}");
        }
    }

    #[test]
    fn what_is_no_string_is_refused() {
        for text in [
            "\"",
            "\"a",
            r#""\"#,
            r#""\""#,
            r#""\x""#,
            r#""\'""#,
            r#""\u""#,
            r#""\u12""#,
            r#""\u12g4""#,
            r#""\u+123""#,
            r#""\u00é""#,
            r#""\é""#,
            r#""\ud800\u12""#,
            "\"\t\"",
            "\"\n\"",
            "\"\r\"",
            "\"\0\"",
            "\"\u{1f}\"",
            "\"\\\n\"",
        ] {
            let error = Scanner::new(text).string().unwrap_err();
            assert_eq!(error.code(), ErrorCode::JsonSyntax, "{text:?}");
        }
    }

    #[test]
    fn room_for_a_string_is_taken_once() {
        for text in [
            r#""\u20ac\u20ac""#,
            r#""\ud800\ud800\ud83d\ude00""#,
            r#""\n\n\/""#,
        ] {
            let source = &text[1..text.len() - 1];
            let mut value = String::with_capacity(source.len());
            let room = value.capacity();
            unescape(source, &mut value).unwrap();
            assert_eq!(value.capacity(), room, "{text}");
        }
    }

    #[test]
    fn numbers_read_to_the_nearest_double() {
        for (text, value) in [
            ("0", 0.0),
            ("-0", -0.0),
            ("-0.0", -0.0),
            ("0e5", 0.0),
            ("1E+2", 100.0),
            ("1.5e-7", 1.5e-7),
            ("9007199254740993", 9_007_199_254_740_992.0),
            ("12345678901234567890", 12_345_678_901_234_567_000.0),
            ("1e-400", 0.0),
            ("1.7976931348623157e308", f64::MAX),
        ] {
            let mut scanner = Scanner::new(text);
            let (span, found) = scanner.number().unwrap();
            assert_eq!(found.to_bits(), value.to_bits(), "{text}");
            assert_eq!(span, 0..text.len());
        }
    }

    #[test]
    fn a_number_ends_where_json_ends_it() {
        for (text, length) in [
            ("01", 1),
            ("-00", 2),
            ("1 ", 1),
            ("1x", 1),
            ("1.5.5", 3),
            ("1-1", 1),
            ("1_0", 1),
        ] {
            assert_eq!(Scanner::new(text).number().unwrap().0, 0..length, "{text}");
        }
        for text in ["-", "1.", "1.e5", "-.5", "1e", "1e+", "1E-", "-x"] {
            let error = Scanner::new(text).number().unwrap_err();
            assert_eq!(error.code(), ErrorCode::JsonSyntax, "{text}");
        }
        for text in ["1e400", "-1e400", "1e99999999999999999999"] {
            let error = Scanner::new(text).number().unwrap_err();
            assert_eq!(error.code(), ErrorCode::ValueOutOfRange, "{text}");
        }
    }
}
