//! `stores`: how many blanks results are indented with.

use crate::exit::Failure;

use super::node::Node;
use super::unknown::{self, Unknown};

/// Fields that nobody reads. They decide nothing about who opens what, so none is a reason to refuse.
///
/// # Errors
/// `config-invalid` where no mapping stands.
pub(super) fn unknown(stores: &Node<'_>) -> Result<Vec<Unknown>, Failure> {
    let mut unknown = unknown::fields(stores, &STORES)?;
    for store in ["yaml", "json", "json_binary"] {
        unknown.extend(unknown::fields(&stores.field(store)?, &["indent"])?);
    }
    Ok(unknown.into_iter().map(Unknown::harmless).collect())
}

/// The formats that something can be said about.
const STORES: [&str; 5] = ["dotenv", "ini", "json", "json_binary", "yaml"];

/// What the configuration or `--indent` says; what that means is asked for when a result is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Indentation {
    /// `stores.yaml.indent`.
    pub(crate) yaml: i64,
    /// `stores.json.indent`.
    pub(crate) json: i64,
    /// `stores.json_binary.indent`: of the envelope around a binary file.
    pub(crate) json_binary: i64,
}

/// What a step of JSON is indented with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JsonStep {
    Blanks(usize),
    Tab,
}

impl Default for Indentation {
    fn default() -> Self {
        Self {
            yaml: 0,
            json: -1,
            json_binary: -1,
        }
    }
}

impl Indentation {
    pub(super) fn read(stores: &Node<'_>) -> Result<Self, Failure> {
        for other in ["dotenv", "ini"] {
            stores.field(other)?.mapping()?;
        }
        let of = |name| stores.field(name)?.field("indent")?.integer();
        let default = Self::default();
        Ok(Self {
            yaml: of("yaml")?.unwrap_or(default.yaml),
            json: of("json")?.unwrap_or(default.json),
            json_binary: of("json_binary")?.unwrap_or(default.json_binary),
        })
    }

    /// What `--indent` does: one number for all formats.
    pub(crate) fn all(blanks: i64) -> Self {
        Self {
            yaml: blanks,
            json: blanks,
            json_binary: blanks,
        }
    }

    /// Blanks for a step of YAML. 0 is the default, 4; what the reference's emitter cannot do becomes 2, as there.
    ///
    /// # Errors
    /// `config-invalid`, exit 4, when negative.
    pub(crate) fn yaml_step(self) -> Result<usize, Failure> {
        match self.yaml {
            ..0 => Err(refused("YAML", "0 (as usual) or more")),
            0 => Ok(4),
            step @ 2..=9 => Ok(usize::try_from(step).unwrap_or(2)),
            _ => Ok(2),
        }
    }

    /// For JSON documents.
    ///
    /// # Errors
    /// `config-invalid`, exit 4, below -1 or beyond all reason.
    pub(crate) fn json_step(self) -> Result<JsonStep, Failure> {
        json_step(self.json)
    }

    /// For the envelope around a binary file.
    ///
    /// # Errors
    /// As [`Self::json_step`].
    pub(crate) fn json_binary_step(self) -> Result<JsonStep, Failure> {
        json_step(self.json_binary)
    }
}

fn json_step(indent: i64) -> Result<JsonStep, Failure> {
    match usize::try_from(indent) {
        Ok(blanks @ ..=MOST) => Ok(JsonStep::Blanks(blanks)),
        Err(_) if indent == -1 => Ok(JsonStep::Tab),
        _ => Err(refused("JSON", "-1 (a tab), or 0 to 1000")),
    }
}

fn refused(format: &str, expected: &str) -> Failure {
    Failure {
        status: 4,
        code: "config-invalid",
        message: format!(
            "the indentation of {format} is not accepted; {expected} blanks can be asked for"
        ),
    }
}

/// Deeply nested documents would become huge beyond.
const MOST: usize = 1000;

#[cfg(test)]
mod tests {
    use serde_yaml::Value;

    use super::*;

    fn read(text: &str) -> Indentation {
        let value: Value = serde_yaml::from_str(text).unwrap();
        Indentation::read(&Node::root("f", &value)).unwrap()
    }

    #[test]
    fn what_is_not_said_is_as_usual() {
        for text in [
            "~",
            "{}",
            "{yaml: ~, json: {}, json_binary: {indent: ~}, dotenv: {x: 1}, foo: 5}",
        ] {
            assert_eq!(read(text), Indentation::default(), "{text}");
        }
        let read = read("{yaml: {indent: 2}, json: {indent: 0}, json_binary: {indent: 2.0}}");
        assert_eq!((read.yaml, read.json, read.json_binary), (2, 0, 2));
    }

    #[test]
    fn yaml_is_indented_by_two_to_nine_blanks() {
        for (indent, step) in [
            (0, 4),
            (1, 2),
            (2, 2),
            (3, 3),
            (9, 9),
            (10, 2),
            (i64::MAX, 2),
        ] {
            assert_eq!(
                Indentation::all(indent).yaml_step().unwrap(),
                step,
                "{indent}"
            );
        }
        assert_eq!(Indentation::all(-1).yaml_step().unwrap_err().status, 4);
    }

    #[test]
    fn json_is_indented_by_a_tab_or_any_number_of_blanks() {
        assert_eq!(Indentation::default().json_step().unwrap(), JsonStep::Tab);
        for blanks in [0, 1, 10] {
            let indentation = Indentation::all(i64::try_from(blanks).unwrap());
            assert_eq!(
                indentation.json_binary_step().unwrap(),
                JsonStep::Blanks(blanks)
            );
        }
        for indent in [-2, i64::MIN, 1001, i64::MAX] {
            assert_eq!(
                Indentation::all(indent).json_step().unwrap_err().status,
                4,
                "{indent}"
            );
        }
    }
}
