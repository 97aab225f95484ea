//! What dotenv and INI share: the `sops` block as flat keys, and text for values that are no text.
//!
//! A step into a mapping is written `__map_` and its key, one into a list `__list_` and the position; the first key
//! stands alone: `age__list_0__map_enc`. Line breaks are the two characters `\n` (SOPS 3.11, `stores/flatten.go`).

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::error::{Error, ErrorCode};
use crate::number;
use crate::path::{Path, Segment};
use crate::tree::{Entry, Node};
use crate::value::Value;

/// Flat keys with the text of their values, in the order of the block. Nulls and empty collections have none.
pub(crate) fn flatten(metadata: &Node) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut open: Vec<(String, Steps<'_>)> = Vec::from_iter(steps(String::new(), metadata));
    while let Some((prefix, steps)) = open.last_mut() {
        let Some((step, node)) = steps.next() else {
            open.pop();
            continue;
        };
        let key = match step {
            Segment::Key(key) if prefix.is_empty() => key.to_string(),
            Segment::Key(key) => format!("{prefix}{MAP}{key}"),
            Segment::Index(index) => format!("{prefix}{LIST}{index}"),
        };
        match node {
            Node::Leaf(value) => pairs.extend(scalar(value).map(|text| (key, text))),
            Node::List(_) | Node::Mapping(_) => open.extend(self::steps(key, node)),
        }
    }
    pairs
}

/// The leaves that flat keys stand for, in the order of their paths: a list's items follow each other. Where a key
/// stands twice the last counts.
pub(crate) fn unflatten<'a>(
    pairs: impl Iterator<Item = (&'a str, &'a Value, usize)>,
) -> Vec<(Path, Value, usize)> {
    let mut leaves: Vec<(Path, Value, usize)> = pairs
        .map(|(key, value, line)| (path_of(key), typed(key, value), line))
        .collect();
    // Turned round, the last of a key comes first, and that one stays.
    leaves.reverse();
    leaves.sort_by(|one, other| one.0.cmp(&other.0));
    leaves.dedup_by(|later, first| later.0 == first.0);
    leaves
}

/// The text of a value as the reference prints it into files that know text alone.
///
/// # Errors
/// `value-not-representable` for bytes that are no text.
pub(crate) fn text(value: &Value) -> Result<Zeroizing<String>, Error> {
    Ok(Zeroizing::new(match value {
        Value::Boolean(value) => value.to_string(),
        Value::Bytes(_) => {
            return Err(not_representable(
                "the value is bytes that are no text, which this format cannot hold; take YAML or JSON",
            ));
        }
        Value::Float(number) => float(*number),
        Value::Integer(number) => number.to_string(),
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.as_str().to_owned(),
        Value::Time(text) => without_fraction(text),
    }))
}

pub(crate) fn not_representable(message: &str) -> Error {
    Error::input(ErrorCode::ValueNotRepresentable, message)
}

/// What stands in a collection, step by step.
struct Steps<'a> {
    entries: core::slice::Iter<'a, Entry>,
    next: usize,
}

fn steps(prefix: String, node: &Node) -> Option<(String, Steps<'_>)> {
    match node {
        Node::Leaf(_) => None,
        Node::List(entries) | Node::Mapping(entries) => {
            let entries = entries.iter();
            Some((prefix, Steps { entries, next: 0 }))
        }
    }
}

impl<'a> Iterator for Steps<'a> {
    type Item = (Segment, &'a Node);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Entry::Item { key, node } = self.entries.next()? {
                let index = self.next;
                self.next += 1;
                let step = match key {
                    Some(key) => Segment::Key(key.clone()),
                    None => Segment::Index(index),
                };
                return Some((step, node));
            }
        }
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Bytes(_) => None,
        Value::Float(number) => Some(number::positional(*number)),
        Value::Boolean(_) | Value::Integer(_) | Value::String(_) | Value::Time(_) => {
            let text = text(value).ok()?;
            Some(text.replace('\n', "\\n"))
        }
    }
}

/// The types of the fields that are no text; everything else is.
fn typed(key: &str, value: &Value) -> Value {
    let text = value.as_str().unwrap_or_default();
    match key {
        // The reference takes every other text for false.
        "mac_only_encrypted" => match text {
            "true" | "false" => Value::Boolean(text == "true"),
            _ => Value::string(text),
        },
        "shamir_threshold" => {
            // Older releases wrote it as a float.
            let whole = crate::decimal::read(text).map(number::positional);
            let whole = whole.and_then(|whole| whole.parse().ok());
            let number = text.parse().ok().or(whole);
            number.map_or_else(|| value.clone(), Value::Integer)
        }
        // 3.13.0 wrote line breaks as they are, all others as two characters.
        _ => Value::string(&text.replace("\\n", "\n")),
    }
}

fn path_of(key: &str) -> Path {
    let mut path = Path::default();
    let mut mark = "";
    let mut rest = key;
    loop {
        let next = (0..rest.len()).find_map(|at| {
            let from = rest.get(at..)?;
            let mark = [MAP, LIST].into_iter().find(|mark| from.starts_with(mark));
            mark.map(|mark| (at, mark))
        });
        let end = next.map_or(rest.len(), |(at, _)| at);
        let name = rest.get(..end).unwrap_or_default();
        path.push(if mark == LIST {
            Segment::Index(position(name))
        } else {
            Segment::Key(name.into())
        });
        let Some((at, found)) = next else {
            return path;
        };
        mark = found;
        rest = rest.get(at + found.len()..).unwrap_or_default();
    }
}

/// A position in a list. The reference takes what is no number for the first, and breaks down over others that no list
/// has.
fn position(name: &str) -> usize {
    match name.parse::<i64>() {
        Ok(number) => usize::try_from(number)
            .ok()
            .filter(|number| *number < POSITIONS)
            .unwrap_or(usize::MAX),
        Err(_) => 0,
    }
}

/// As YAML text, but with `E`, and never without a point or exponent.
fn float(number: f64) -> String {
    if !number.is_finite() {
        return number::positional(number);
    }
    let text = number::yaml(number).replace('e', "E");
    if text.contains(['.', 'E']) {
        text
    } else {
        text + ".0"
    }
}

fn without_fraction(time: &str) -> String {
    let Some((whole, rest)) = time.split_once('.') else {
        return time.to_owned();
    };
    let zone = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    format!("{whole}{zone}")
}

/// No list is longer.
const POSITIONS: usize = 1_000_000;

const LIST: &str = "__list_";
const MAP: &str = "__map_";

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn item(key: &str, node: Node) -> Entry {
        let key = (!key.is_empty()).then(|| key.into());
        Entry::Item { key, node }
    }

    fn leaf(text: &str) -> Node {
        Node::Leaf(Value::string(text))
    }

    fn read(pairs: &[(&str, &str)]) -> Vec<(String, Value)> {
        let values: Vec<_> = pairs.iter().map(|(_, text)| Value::string(text)).collect();
        let pairs = pairs.iter().zip(&values);
        unflatten(pairs.map(|((key, _), value)| (*key, value, 1)))
            .into_iter()
            .map(|(path, value, _)| (path.to_string(), value))
            .collect()
    }

    #[test]
    fn the_block_becomes_flat_keys_and_comes_back() {
        let entry = |name: &str| {
            let entries = vec![item("recipient", leaf(name)), item("enc", leaf("a\nb\n"))];
            item("", Node::Mapping(entries))
        };
        let group = vec![item("age", Node::List(vec![entry("one"), entry("two")]))];
        let metadata = Node::Mapping(vec![
            item(
                "key_groups",
                Node::List(vec![item("", Node::Mapping(group))]),
            ),
            item("kms", Node::List(Vec::new())),
            item("hc_vault", Node::Leaf(Value::Null)),
            item("shamir_threshold", Node::Leaf(Value::Integer(2))),
            item("mac_only_encrypted", Node::Leaf(Value::Boolean(true))),
            item("profile", leaf("")),
        ]);
        let pairs = flatten(&metadata);
        let pairs: Vec<(&str, &str)> = pairs
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        assert_eq!(
            pairs,
            [
                ("key_groups__list_0__map_age__list_0__map_recipient", "one"),
                ("key_groups__list_0__map_age__list_0__map_enc", "a\\nb\\n"),
                ("key_groups__list_0__map_age__list_1__map_recipient", "two"),
                ("key_groups__list_0__map_age__list_1__map_enc", "a\\nb\\n"),
                ("shamir_threshold", "2"),
                ("mac_only_encrypted", "true"),
                ("profile", ""),
            ]
        );
        let back = read(&pairs);
        let text = |at: usize| (back[at].0.as_str(), back[at].1.clone());
        assert_eq!(
            text(0),
            ("key_groups[0].age[0].enc", Value::string("a\nb\n"))
        );
        assert_eq!(
            text(3),
            ("key_groups[0].age[1].recipient", Value::string("two"))
        );
        assert_eq!(text(4), ("mac_only_encrypted", Value::Boolean(true)));
        assert_eq!(text(6), ("shamir_threshold", Value::Integer(2)));
    }

    #[test]
    fn the_items_of_a_list_come_in_order_however_they_stand() {
        let pairs: Vec<_> = [10, 2, 0, 1]
            .into_iter()
            .map(|at| format!("age__list_{at}__map_enc"))
            .collect();
        let pairs: Vec<_> = pairs.iter().map(|key| (key.as_str(), "x")).collect();
        let paths: Vec<_> = read(&pairs).into_iter().map(|(path, _)| path).collect();
        assert_eq!(
            paths,
            ["age[0].enc", "age[1].enc", "age[2].enc", "age[10].enc"]
        );
    }

    #[test]
    fn the_last_of_a_key_counts() {
        assert_eq!(
            read(&[("mac", "one"), ("version", "x"), ("mac", "two")]),
            [
                ("mac".to_owned(), Value::string("two")),
                ("version".to_owned(), Value::string("x")),
            ]
        );
    }

    #[test]
    fn line_breaks_are_read_in_both_spellings() {
        for text in ["a\\nb\\n", "a\nb\n"] {
            let back = read(&[("age__list_0__map_enc", text)]);
            assert_eq!(back[0].1, Value::string("a\nb\n"));
        }
    }

    #[test]
    fn numbers_and_booleans_of_the_block_are_read_as_such() {
        for (key, text, value) in [
            ("mac_only_encrypted", "false", Value::Boolean(false)),
            ("mac_only_encrypted", "yes", Value::string("yes")),
            ("shamir_threshold", "2.0", Value::Integer(2)),
            ("shamir_threshold", "3", Value::Integer(3)),
            ("shamir_threshold", "2.5", Value::string("2.5")),
            ("version", "3", Value::string("3")),
        ] {
            assert_eq!(read(&[(key, text)])[0].1, value, "{key}={text}");
        }
    }

    #[test]
    fn marks_are_found_from_the_left() {
        for (key, path) in [
            ("a___map_b", "a_.b"),
            ("a__map_", "a."),
            ("__list_1", "[1]"),
            ("a__list_x__list_2", "a[0][2]"),
            ("a__mapx", "a__mapx"),
            ("ä__map_ö", "ä.ö"),
        ] {
            let back = read(&[(key, "")]);
            assert_eq!(back[0].0.trim_start_matches('.'), path, "{key}");
        }
    }

    #[test]
    fn values_that_are_no_text_are_printed_as_the_reference_does() {
        let time = |text: &str| Value::Time(text.into());
        for (value, expected) in [
            (Value::Boolean(true), "true"),
            (Value::Integer(-12), "-12"),
            (Value::Null, "<nil>"),
            (Value::Float(1.0), "1.0"),
            (Value::Float(-0.0), "-0.0"),
            (Value::Float(0.0001), "0.0001"),
            (Value::Float(0.00001), "1E-05"),
            (Value::Float(100_000.0), "100000.0"),
            (Value::Float(123_456.5), "123456.5"),
            (Value::Float(1_234_567.0), "1.234567E+06"),
            (Value::Float(1e21), "1E+21"),
            (Value::Float(f64::INFINITY), "+Inf"),
            (Value::Float(f64::NEG_INFINITY), "-Inf"),
            (Value::Float(f64::NAN), "NaN"),
            (
                time("2001-12-14T21:59:43.1-05:00"),
                "2001-12-14T21:59:43-05:00",
            ),
            (time("2002-12-14T00:00:00Z"), "2002-12-14T00:00:00Z"),
            (time("2002-12-14T00:00:00.5Z"), "2002-12-14T00:00:00Z"),
        ] {
            assert_eq!(text(&value).unwrap().as_str(), expected);
        }
        let error = text(&Value::bytes(vec![0xff])).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ValueNotRepresentable);
    }
}
