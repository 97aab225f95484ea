//! The scalar types, their bytes for cipher and MAC, and how those are read back.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;

use zeroize::Zeroizing;

use crate::error::{Error, ErrorCode};
use crate::number;
use crate::text::Text;

/// Bytes that many may share.
pub type Bytes = Arc<Zeroizing<Vec<u8>>>;

/// A typed scalar. It may be a secret: `Debug` shows the type alone, and text is wiped on drop.
#[derive(Clone)]
pub enum Value {
    /// `true` or `false`.
    Boolean(bool),
    /// Bytes that are no UTF-8, from `!!binary`.
    Bytes(Bytes),
    /// IEEE double.
    Float(f64),
    /// Signed 64 bits.
    Integer(i64),
    /// Nothing; never encrypted, not part of the MAC.
    Null,
    /// Text.
    String(Text),
    /// A moment, RFC 3339 with the shortest fraction.
    Time(Text),
}

/// The bytes of a value: those that it holds, or its text made of it. They may be secret.
pub enum Plaintext<'a> {
    /// Made for this.
    Own(Zeroizing<Vec<u8>>),
    /// Held elsewhere.
    Part(&'a [u8]),
}

#[cfg(any(test, feature = "formats"))]
impl Plaintext<'_> {
    /// A copy of its own.
    pub(crate) fn into_owned(self) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Own(bytes) => bytes,
            Self::Part(bytes) => Zeroizing::new(bytes.to_vec()),
        }
    }
}

impl Deref for Plaintext<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Own(bytes) => bytes,
            Self::Part(bytes) => bytes,
        }
    }
}

/// The type of a [`Value`] without the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ValueKind {
    /// `true` or `false`.
    Boolean,
    /// IEEE double.
    Float,
    /// Signed 64 bits.
    Integer,
    /// Nothing.
    Null,
    /// Text, or bytes.
    String,
    /// A moment.
    Time,
}

impl ValueKind {
    /// The word for people: `number`, `boolean`, …
    pub fn word(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Float | Self::Integer => "number",
            Self::Null => "null",
            Self::String => "text",
            Self::Time => "date",
        }
    }
}

impl Value {
    /// Text, for short.
    pub(crate) fn string(text: &str) -> Self {
        Self::String(text.into())
    }

    /// Bytes, for short.
    pub(crate) fn bytes(bytes: Vec<u8>) -> Self {
        Self::Bytes(Arc::new(Zeroizing::new(bytes)))
    }

    /// The type.
    pub fn kind(&self) -> ValueKind {
        match self {
            Self::Boolean(_) => ValueKind::Boolean,
            Self::Float(_) => ValueKind::Float,
            Self::Integer(_) => ValueKind::Integer,
            Self::Null => ValueKind::Null,
            Self::Bytes(_) | Self::String(_) => ValueKind::String,
            Self::Time(_) => ValueKind::Time,
        }
    }

    /// Whether encryption leaves it as it is: null and the empty text.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::String(text) => text.is_empty(),
            Self::Bytes(bytes) => bytes.is_empty(),
            _ => false,
        }
    }

    /// The text of a string value.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The bytes that are encrypted and hashed (SOPS 3.11, `ToBytes`).
    pub(crate) fn plaintext(&self) -> Plaintext<'_> {
        Plaintext::Own(Zeroizing::new(match self {
            Self::Boolean(true) => return Plaintext::Part(b"True"),
            Self::Boolean(false) => return Plaintext::Part(b"False"),
            Self::Bytes(bytes) => return Plaintext::Part(bytes),
            Self::Float(number) => number::positional(*number).into_bytes(),
            Self::Integer(number) => number.to_string().into_bytes(),
            Self::Null => return Plaintext::Part(&[]),
            Self::String(text) | Self::Time(text) => return Plaintext::Part(text.as_bytes()),
        }))
    }

    /// The same bytes for the MAC; a float may come back as an integer (`1.0` is written `1`).
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        matches!(self, Self::Null) == matches!(other, Self::Null)
            && *self.plaintext() == *other.plaintext()
    }

    /// The `type:` label of the sealed form.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Boolean(_) => "bool",
            Self::Float(_) => "float",
            Self::Integer(_) => "int",
            Self::Null | Self::Bytes(_) | Self::String(_) => "str",
            Self::Time(_) => "time",
        }
    }

    /// Reads decrypted bytes under a label. The reference writes no `bytes`, and breaks down where it should read them.
    pub(crate) fn from_plaintext(
        label: &str,
        mut bytes: Zeroizing<Vec<u8>>,
    ) -> Result<Self, Error> {
        if label == "str" {
            return Ok(match String::from_utf8(core::mem::take(&mut *bytes)) {
                Ok(text) => Self::String(text.into()),
                Err(error) => Self::bytes(error.into_bytes()),
            });
        }
        let text = core::str::from_utf8(&bytes);
        let value = match (label, text) {
            ("int", Ok(text)) => text.parse().ok().map(Self::Integer),
            ("float", Ok(text)) => float(text).map(Self::Float),
            ("bool", Ok("1" | "t" | "T" | "TRUE" | "true" | "True")) => Some(Self::Boolean(true)),
            ("bool", Ok("0" | "f" | "F" | "FALSE" | "false" | "False")) => {
                Some(Self::Boolean(false))
            }
            ("time", Ok(text)) => {
                crate::format::yaml::time::canonical(text).map(|text| Self::Time(text.into()))
            }
            _ => None,
        };
        value.ok_or_else(|| {
            Error::input(
                ErrorCode::LeafMalformed,
                "the sealed value does not read as the type that its label names; the label was altered",
            )
        })
    }
}

impl fmt::Debug for Plaintext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plaintext({} bytes, redacted)", self.len())
    }
}

impl PartialEq for Value {
    /// Same type and same bytes; `NaN` equals itself here, since its text does.
    fn eq(&self, other: &Self) -> bool {
        self.label() == other.label()
            && matches!(self, Self::Null) == matches!(other, Self::Null)
            && *self.plaintext() == *other.plaintext()
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({}, redacted)", self.label())
    }
}

fn float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is = |word: &str| unsigned.eq_ignore_ascii_case(word);
    match text {
        _ if is("inf") || is("infinity") => Some(if text.starts_with('-') {
            f64::NEG_INFINITY
        } else {
            f64::INFINITY
        }),
        _ if text.eq_ignore_ascii_case("nan") => Some(f64::NAN),
        _ => crate::decimal::read(text),
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn debug_shows_the_type_alone() {
        assert_eq!(
            format!("{:?}", Value::string("hunter2")),
            "Value(str, redacted)"
        );
    }

    #[test]
    fn plaintext_reads_back_as_the_same_value() {
        for value in [
            Value::Boolean(true),
            Value::Boolean(false),
            Value::Float(-0.0),
            Value::Float(f64::NAN),
            Value::Float(1e300),
            Value::Integer(i64::MIN),
            Value::string("ä\n"),
            Value::bytes(alloc::vec![0xff, 0]),
            Value::Time("2001-12-14T21:59:43.1-05:00".into()),
        ] {
            let again =
                Value::from_plaintext(value.label(), value.plaintext().into_owned()).unwrap();
            assert_eq!(again, value);
        }
    }

    #[test]
    fn a_label_that_does_not_fit_is_refused() {
        for (label, bytes) in [
            ("int", "x"),
            ("int", "1.5"),
            ("float", "x"),
            ("bool", "yes"),
            ("time", "today"),
            ("blob", "x"),
        ] {
            let error = Value::from_plaintext(label, Zeroizing::new(bytes.into())).unwrap_err();
            assert_eq!(error.code(), ErrorCode::LeafMalformed, "{label}");
        }
    }
}
