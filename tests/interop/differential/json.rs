//! Makes JSON: values, each a member of the one object of a file.

use std::fmt::Write as _;

use stackseal_tests::chance::Chance;

use super::words;

/// A value.
pub fn value(chance: &mut Chance) -> String {
    let depth = if chance.one_in(30) {
        14
    } else {
        chance.below(4)
    };
    let mut text = String::new();
    put(chance, &mut text, depth);
    text
}

fn put(chance: &mut Chance, text: &mut String, depth: usize) {
    match if depth == 0 {
        2 + chance.below(8)
    } else {
        chance.below(10)
    } {
        0 | 1 => {
            let object = chance.one_in(2);
            text.push(if object { '{' } else { '[' });
            let count = chance.below(4);
            for number in 0..count {
                space(chance, text);
                if object {
                    key(chance, text, number);
                }
                put(chance, text, depth - 1);
                space(chance, text);
                if number + 1 < count {
                    text.push(',');
                }
            }
            if count == 0 {
                space(chance, text);
            }
            text.push(if object { '}' } else { ']' });
        }
        2 => text.push_str(chance.pick(&["true", "false", "null", "\"\"", "{}", "[]"])),
        3..=5 => number(chance, text),
        _ => string(chance, text),
    }
}

fn key(chance: &mut Chance, text: &mut String, number: usize) {
    match chance.below(15) {
        0 => string(chance, text),
        1 if number > 0 => text.push_str("\"same\""),
        _ => {
            let _ = write!(text, "\"{}\"", words::key(chance, number));
        }
    }
    if chance.one_in(9) {
        text.push(' ');
    }
    text.push(':');
    space(chance, text);
}

/// What may stand between two marks.
pub fn space(chance: &mut Chance, text: &mut String) {
    text.push_str(chance.pick(&["", "", " ", " ", "\n  ", "\r\n", "\t", "\n\n"]));
}

fn number(chance: &mut Chance, text: &mut String) {
    if chance.one_in(3) {
        text.push_str(chance.pick(&[
            "0",
            "-0",
            "-0.0",
            "1.0",
            "1e3",
            "1E+2",
            "1e21",
            "1e-7",
            "123456789012345678",
            "9007199254740993",
            "18446744073709551616",
            "0.1",
            "1e-400",
            "5e-324",
            "1.7976931348623157e308",
            "100000000000000000000000",
            "0.000001",
            "1e400",
        ]));
        return;
    }
    let digits = |chance: &mut Chance, most: usize| -> String {
        let count = 1 + chance.below(most);
        (0..count)
            .map(|_| chance.pick(&["1", "2", "9", "0", "5"]))
            .collect()
    };
    let whole = digits(chance, 18);
    let whole = whole.trim_start_matches('0');
    text.push_str(chance.pick(&["", "-"]));
    text.push_str(if whole.is_empty() { "0" } else { whole });
    if chance.one_in(2) {
        text.push('.');
        text.push_str(&digits(chance, 18));
    }
    if chance.one_in(4) {
        text.push_str(chance.pick(&["e", "E", "e+", "e-", "E-"]));
        text.push_str(&digits(chance, 2));
    }
}

fn string(chance: &mut Chance, text: &mut String) {
    let content = if chance.one_in(6) {
        words::lines(chance)
    } else {
        words::text(chance)
    };
    text.push('"');
    for c in content.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '/' => text.push_str(chance.pick(&["/", "\\/"])),
            '\n' => text.push_str(chance.pick(&["\\n", "\\u000a"])),
            '\t' => text.push_str("\\t"),
            c if u32::from(c) < 0x20 => {
                let _ = write!(text, "\\u{:04X}", u32::from(c));
            }
            c if !c.is_ascii() && chance.one_in(3) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(text, "\\u{unit:04x}");
                }
            }
            c => text.push(c),
        }
    }
    if chance.one_in(12) {
        text.push_str(chance.pick(&[
            "\\ud800", "\\udc00x", "\\b\\f", "\\u003c", "<&>", "\u{2028}",
        ]));
    }
    text.push('"');
}
