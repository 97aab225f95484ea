//! Typed reading of a configuration's YAML: each refusal names the file, the place and what belongs there.
//!
//! Types give way where `sops` lets them: null is nothing at all, `yes` and `off` are booleans, `2.0` is an integer.
//! Numbers where text belongs are refused, since how they were written (`1.10`) is not known any more.

use serde::Deserialize as _;
use serde_yaml::{Deserializer, Mapping, Value};

use crate::exit::Failure;

/// Reads the first YAML document of a file, with anchors and merges worked out.
///
/// # Errors
/// `config-invalid`.
pub(super) fn parse(file: &str, bytes: &[u8]) -> Result<Value, Failure> {
    let refuse = |why: &dyn std::fmt::Display| {
        Failure::usage(
            "config-invalid",
            format!("could not read config file {file} as YAML: {why}"),
        )
    };
    // The library counts a byte order mark as a column, and so would end the first mapping early.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut documents = Deserializer::from_slice(bytes);
    let Some(first) = documents.next() else {
        return Ok(Value::Null);
    };
    let mut value = Value::deserialize(first).map_err(|error| refuse(&error))?;
    merge(&mut value).map_err(|why| refuse(&why))?;
    Ok(value)
}

/// Works out `<<`, innermost first, so that what is merged has got its own merges before. The parser has bounded the
/// depth. (The library's own way leaves out merges of what is merged.)
fn merge(value: &mut Value) -> Result<(), &'static str> {
    match value {
        Value::Mapping(mapping) => {
            mapping.values_mut().try_for_each(merge)?;
            let sources = match mapping.remove("<<") {
                None => return Ok(()),
                Some(Value::Sequence(sources)) => sources,
                Some(source) => vec![source],
            };
            for source in sources {
                let Value::Mapping(source) = source else {
                    return Err("'<<' merges what is no mapping; name an anchor of a mapping");
                };
                for (key, value) in source {
                    mapping.entry(key).or_insert(value);
                }
            }
            Ok(())
        }
        Value::Sequence(values) => values.iter_mut().try_for_each(merge),
        Value::Tagged(tagged) => merge(&mut tagged.value),
        Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

/// A value and where it stands.
pub(super) struct Node<'a> {
    file: &'a str,
    /// Fields and positions from the root, such as `creation_rules[0].age`.
    pub(super) place: String,
    value: &'a Value,
}

impl<'a> Node<'a> {
    pub(super) fn root(file: &'a str, value: &'a Value) -> Self {
        Self::at(file, String::new(), value)
    }

    /// A value that was kept from an earlier reading.
    pub(super) fn at(file: &'a str, place: String, value: &'a Value) -> Self {
        let mut value = value;
        while let Value::Tagged(tagged) = value {
            value = &tagged.value;
        }
        Self { file, place, value }
    }

    pub(super) fn value(&self) -> &'a Value {
        self.value
    }

    pub(super) fn is_null(&self) -> bool {
        self.value.is_null()
    }

    /// The field of that name; null when it is missing.
    pub(super) fn field(&self, name: &str) -> Result<Self, Failure> {
        let value = self.mapping()?.and_then(|mapping| mapping.get(name));
        let place = match self.place.is_empty() {
            true => name.to_owned(),
            false => format!("{}.{name}", self.place),
        };
        Ok(Self::at(self.file, place, value.unwrap_or(&Value::Null)))
    }

    /// The mapping, `None` for null.
    pub(super) fn mapping(&self) -> Result<Option<&'a Mapping>, Failure> {
        match self.value {
            Value::Null => Ok(None),
            Value::Mapping(mapping) => Ok(Some(mapping)),
            _ => Err(self.wrong("a mapping")),
        }
    }

    /// The items of a list; null has none, and items that are null count for nothing.
    pub(super) fn items(&self) -> Result<Vec<Self>, Failure> {
        let mut items = self.all_items()?;
        items.retain(|item| !item.is_null());
        Ok(items)
    }

    /// The items of a list, null ones too.
    pub(super) fn all_items(&self) -> Result<Vec<Self>, Failure> {
        match self.value {
            Value::Null => Ok(Vec::new()),
            Value::Sequence(values) => Ok(values
                .iter()
                .enumerate()
                .map(|(at, value)| Self::at(self.file, format!("{}[{at}]", self.place), value))
                .collect()),
            _ => Err(self.wrong("a list")),
        }
    }

    /// The text; null is the empty one.
    pub(super) fn text(&self) -> Result<String, Failure> {
        match self.value {
            Value::Null => Ok(String::new()),
            Value::String(text) => Ok(text.clone()),
            _ => Err(self.wrong("text")),
        }
    }

    /// The text of each item of a list.
    pub(super) fn texts(&self) -> Result<Vec<String>, Failure> {
        self.items()?.iter().map(Self::text).collect()
    }

    /// The integer, `None` for null.
    pub(super) fn integer(&self) -> Result<Option<i64>, Failure> {
        let number = match self.value {
            Value::Null => return Ok(None),
            Value::Number(number) => number,
            _ => return Err(self.wrong("an integer")),
        };
        // A float's digits tell whether it is a whole number, and are no more than an integer has.
        let whole = |float: f64| {
            format!("{float:.0}")
                .parse()
                .ok()
                .filter(|_| float.fract() == 0.0)
        };
        number
            .as_i64()
            .or_else(|| number.as_f64().and_then(whole))
            .map(Some)
            .ok_or_else(|| self.wrong("an integer"))
    }

    /// The boolean, `None` for null.
    pub(super) fn boolean(&self) -> Result<Option<bool>, Failure> {
        match self.value {
            Value::Null => Ok(None),
            Value::Bool(boolean) => Ok(Some(*boolean)),
            Value::String(text) if YES.contains(&text.as_str()) => Ok(Some(true)),
            Value::String(text) if NO.contains(&text.as_str()) => Ok(Some(false)),
            _ => Err(self.wrong("true or false")),
        }
    }

    /// That something else belongs here.
    pub(super) fn wrong(&self, expected: &str) -> Failure {
        let found = match self.value {
            Value::Bool(_) => "true or false",
            Value::Mapping(_) => "a mapping",
            Value::Null => "nothing",
            Value::Number(_) => "a number",
            Value::Sequence(_) => "a list",
            Value::String(_) => "text",
            Value::Tagged(_) => "a tag",
        };
        let quotes = match (expected, self.value) {
            ("text", Value::Bool(_) | Value::Number(_)) => "; put it in quotes",
            ("text", _) => "",
            (_, Value::String(_)) => "; mind quotes and spelling",
            _ => "",
        };
        self.refuse(&format!(
            "{expected} belongs here, but this is {found}{quotes}"
        ))
    }

    /// That something is wrong here.
    pub(super) fn refuse(&self, why: &str) -> Failure {
        let place = match self.place.is_empty() {
            true => "the whole file",
            false => &self.place,
        };
        Failure::usage("config-invalid", format!("{}: {place}: {why}", self.file))
    }
}

/// The words of YAML 1.1, which hold wherever a boolean belongs.
const YES: &[&str] = &["y", "Y", "yes", "Yes", "YES", "on", "On", "ON"];
const NO: &[&str] = &["n", "N", "no", "No", "NO", "off", "Off", "OFF"];

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Value {
        parse("f", text.as_bytes()).unwrap()
    }

    fn refusal(text: &str) -> Failure {
        parse("f", text.as_bytes()).unwrap_err()
    }

    #[test]
    fn anchors_and_merges_of_merges_are_worked_out() {
        let read = value(
            "x: &x {a: 1, b: 1}
y: &y {<<: *x, b: 2, c: 2}
z: {<<: *y, c: 3}
list: {<<: [*x, *y], d: 4}
same: *x
",
        );
        assert_eq!(read["z"], value("{c: 3, b: 2, a: 1}"));
        assert_eq!(read["list"], value("{d: 4, a: 1, b: 1, c: 2}"));
        assert_eq!(read["same"], value("{a: 1, b: 1}"));
        for text in ["<<: 5", "<<: ~", "<<: [{a: 1}, 5]"] {
            assert!(refusal(text).message.contains("no mapping"), "{text}");
        }
    }

    #[test]
    fn only_the_first_document_is_read_and_a_byte_order_mark_is_no_fault() {
        assert_eq!(value("a: 1\n---\n: : :\n  - [\n"), value("\u{feff}a: 1"));
        let rules = value("\u{feff}rules:\n- a: 1\n");
        assert_eq!(rules, value("rules: [{a: 1}]"));
        assert_eq!(value(""), Value::Null);
    }

    #[test]
    fn what_is_no_yaml_or_says_a_thing_twice_is_refused_with_its_line() {
        for text in [
            "a: [",
            "a: 1\na: 2\n",
            "a: &x [*x]\n",
            "*gone",
            "a: \"\\q\"",
            "\u{0}",
        ] {
            let failure = refusal(text);
            assert_eq!(
                (failure.status, failure.code),
                (1, "config-invalid"),
                "{text}"
            );
            assert!(
                failure
                    .message
                    .starts_with("could not read config file f as YAML: ")
            );
        }
        assert!(refusal("b: 1\na: [\n").message.contains("line 3"));
        assert!(parse("f", b"a: \xff").is_err());
        let nested = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
        assert!(parse("f", nested.as_bytes()).is_err());
    }

    #[test]
    fn aliases_of_aliases_do_not_fill_the_memory() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let before = format!("*a{}, ", level - 1).repeat(10);
            text.push_str(&format!("a{level}: &a{level} [{before}]\n"));
        }
        assert!(refusal(&text).message.contains("repetition"));
    }

    #[test]
    fn types_give_way_where_sops_lets_them() {
        let integer = |text: &str| Node::root("f", &value(text)).integer().ok();
        for (text, expected) in [
            ("2", Some(2)),
            ("-1", Some(-1)),
            ("2.0", Some(2)),
            ("1e1", Some(10)),
            ("0x2", Some(2)),
            ("~", None),
        ] {
            assert_eq!(integer(text), Some(expected), "{text}");
        }
        for text in [
            "'2'",
            "2.9",
            "true",
            "[]",
            ".nan",
            ".inf",
            "1e30",
            "18446744073709551615",
            "x",
        ] {
            assert_eq!(integer(text), None, "{text}");
        }
        let boolean = |text: &str| Node::root("f", &value(text)).boolean().ok();
        for text in ["yes", "On", "'y'", "TRUE", "true"] {
            assert_eq!(boolean(text), Some(Some(true)), "{text}");
        }
        assert_eq!(boolean("OFF"), Some(Some(false)));
        assert_eq!(boolean("null"), Some(None));
        for text in ["'true'", "1", "yEs", "[]"] {
            assert_eq!(boolean(text), None, "{text}");
        }
        let text = |text: &str| Node::root("f", &value(text)).text().ok();
        assert_eq!(text("~"), Some(String::new()));
        assert_eq!(text("!mine a"), Some("a".to_owned()));
        assert_eq!(text("!!str 5"), Some("5".to_owned()));
        assert_eq!(text("5"), None);
        let values = value("[a, ~, b]");
        assert_eq!(Node::root("f", &values).texts().unwrap(), ["a", "b"]);
    }

    #[test]
    fn a_refusal_says_what_belongs_where() {
        let read = value("rules: [{suffix: 5}]");
        let rules = Node::root("f", &read).field("rules").unwrap();
        let suffix = rules.items().unwrap()[0].field("suffix").unwrap();
        assert_eq!(
            suffix.text().unwrap_err().message,
            "f: rules[0].suffix: text belongs here, but this is a number; put it in quotes"
        );
        assert_eq!(
            rules.mapping().unwrap_err().message,
            "f: rules: a mapping belongs here, but this is a list"
        );
    }
}
