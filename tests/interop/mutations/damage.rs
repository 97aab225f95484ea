//! Ways to damage a file: by lines, by bytes, and by what a sealed value is made of.

use stackseal_tests::chance::Chance;

/// A damaged copy, and what was done to it.
pub fn damaged(chance: &mut Chance, text: &[u8]) -> (Vec<u8>, String) {
    loop {
        let (copy, what) = match chance.below(12) {
            0..=4 => by_lines(chance, text),
            5..=8 => by_bytes(chance, text),
            _ => by_values(chance, text),
        };
        if copy != text {
            return (copy, what);
        }
    }
}

fn shown(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let short: String = text.chars().take(120).collect();
    format!("{short:?}")
}

fn by_lines(chance: &mut Chance, text: &[u8]) -> (Vec<u8>, String) {
    let mut lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let (one, other) = (chance.below(lines.len()), chance.below(lines.len()));
    let what = match chance.below(4) {
        0 => format!("line {one} deleted: {}", shown(lines.remove(one))),
        1 => {
            let line = lines[one];
            lines.insert(one, line);
            format!("line {one} doubled: {}", shown(line))
        }
        2 => {
            let line = lines[one];
            lines.insert(other, line);
            format!("line {one} copied to {other}: {}", shown(line))
        }
        _ => {
            lines.swap(one, other);
            format!(
                "lines {one} and {other} swapped: {}, {}",
                shown(lines[one]),
                shown(lines[other])
            )
        }
    };
    (lines.concat(), what)
}

fn by_bytes(chance: &mut Chance, text: &[u8]) -> (Vec<u8>, String) {
    let mut copy = text.to_vec();
    let at = chance.below(copy.len());
    let around = shown(&text[at.saturating_sub(20)..text.len().min(at + 20)]);
    let what = match chance.below(6) {
        0 => {
            copy[at] ^= 1 << chance.below(8);
            "bit flipped"
        }
        1 => {
            copy.remove(at);
            "deleted"
        }
        2 => {
            copy.insert(
                at,
                *chance.pick(&[
                    &b' ', &b':', &b'"', &b'A', &b'=', &b'\n', &b'#', &b'-', &b',', &b'[',
                ]),
            );
            "inserted"
        }
        3 => {
            copy[at] = *chance.pick(&[
                &b' ', &b':', &b'"', &b'A', &b'=', &b'\n', &b'#', &b'-', &b'0', &b'}',
            ]);
            "replaced"
        }
        4 => {
            let end = copy.len().min(at + 1 + chance.below(40));
            copy.drain(at..end);
            "some deleted"
        }
        _ => {
            copy.truncate(at);
            "cut off"
        }
    };
    (copy, format!("{what} at {at} of {around}"))
}

/// The places of `ENC[…]`.
fn sealed(text: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text[from..].windows(4).position(|four| four == b"ENC[") {
        let start = from + start;
        let Some(length) = text[start..].iter().position(|byte| *byte == b']') else {
            break;
        };
        found.push(start..start + length + 1);
        from = start + length;
    }
    found
}

fn by_values(chance: &mut Chance, text: &[u8]) -> (Vec<u8>, String) {
    let values = sealed(text);
    if values.is_empty() {
        return by_bytes(chance, text);
    }
    let one = values[chance.below(values.len())].clone();
    let other = values[chance.below(values.len())].clone();
    let replaced = |range: &std::ops::Range<usize>, with: &[u8]| {
        [&text[..range.start], with, &text[range.end..]].concat()
    };
    let value = String::from_utf8_lossy(&text[one.clone()]).into_owned();
    let (with, what) = match chance.below(9) {
        0 => (text[other].to_vec(), "another value"),
        1 => (b"plain".to_vec(), "a plain text"),
        2 => (b"\"\"".to_vec(), "an empty text"),
        3 => (b"12".to_vec(), "a number"),
        4 => (
            value
                .replace(
                    "type:str",
                    chance.pick(&[
                        "type:int",
                        "type:comment",
                        "type:bytes",
                        "type:",
                        "type:x",
                        "type:float",
                    ]),
                )
                .into_bytes(),
            "another type",
        ),
        5 => (
            value.replace("AES256_GCM", "AES256_CBC").into_bytes(),
            "another cipher",
        ),
        6 => (
            value.replace(",tag:", ",iv:AAAA,tag:").into_bytes(),
            "another nonce",
        ),
        7 => (value.replace(']', "] ").into_bytes(), "something behind it"),
        _ => (
            value.replace("data:", "data: ").into_bytes(),
            "a blank in it",
        ),
    };
    (
        replaced(&one, &with),
        format!("value at {}: {what}", one.start),
    )
}
