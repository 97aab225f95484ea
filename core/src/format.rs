//! The file formats. Each gives a document's parts with their byte spans, and text for values.

#[cfg(feature = "formats")]
pub(crate) mod binary;
#[cfg(feature = "formats")]
pub(crate) mod dotenv;
#[cfg(feature = "formats")]
pub(crate) mod emit;
#[cfg(feature = "formats")]
pub(crate) mod flat;
#[cfg(feature = "formats")]
pub(crate) mod ini;
#[cfg(feature = "formats")]
pub(crate) mod json;
pub(crate) mod parts;
pub(crate) mod yaml;

mod grammar;

use alloc::string::String;

/// A file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// Any bytes, as one value.
    #[cfg(feature = "formats")]
    Binary,
    /// `KEY=value` lines.
    #[cfg(feature = "formats")]
    Dotenv,
    /// Sections of keys.
    #[cfg(feature = "formats")]
    Ini,
    /// JSON.
    #[cfg(feature = "formats")]
    Json,
    /// YAML.
    Yaml,
}

impl Format {
    /// The format that a file's name tells, as the reference takes it: by the ending, in lower case alone; anything
    /// else is binary.
    #[cfg(feature = "formats")]
    pub fn of_name(name: &str) -> Self {
        let name = name.rsplit('/').next().unwrap_or(name);
        let ending = name.rsplit_once('.').map(|(_, ending)| ending);
        match ending {
            Some("yaml" | "yml") => Self::Yaml,
            Some("json") => Self::Json,
            Some("env") => Self::Dotenv,
            Some("ini") => Self::Ini,
            _ => Self::Binary,
        }
    }

    /// The format that a word of the reference names (`yaml`, `json`, `dotenv`, `ini`, `binary`).
    #[cfg(feature = "formats")]
    pub fn of_word(word: &str) -> Option<Self> {
        match word {
            "yaml" => Some(Self::Yaml),
            "json" => Some(Self::Json),
            "dotenv" => Some(Self::Dotenv),
            "ini" => Some(Self::Ini),
            "binary" => Some(Self::Binary),
            _ => None,
        }
    }
}

/// A replacement of bytes of the text.
pub(crate) type Edit = (core::ops::Range<usize>, String);
