//! Many generated documents in one file, so that one run of the reference judges all of them.

use stackseal_core::{Error, Format, Selector};
use stackseal_tests::chance::Chance;

use super::{flat, json, words, yaml};

/// How a file is to be sealed.
#[derive(Clone, Debug)]
pub struct Settings {
    pub format: Format,
    /// The option that states the rule, and its text; `None` for the default rule.
    pub rule: Option<(&'static str, String)>,
    pub mac_only_encrypted: bool,
}

/// What lies around the documents of a file.
#[derive(Clone, Copy, Debug, Default)]
struct Frame {
    byte_order_mark: bool,
    carriage_returns: bool,
    /// Whether the last line has no end.
    unfinished: bool,
    /// Whether the first document begins with its line.
    started: bool,
    /// Whether the last document ends with its line.
    ended: bool,
}

/// Documents that stand together in a file: of YAML as they are, of the other formats as parts of one.
#[derive(Clone, Debug)]
pub struct Batch {
    pub settings: Settings,
    parts: Vec<Vec<u8>>,
    frame: Frame,
}

impl Batch {
    /// The batch of that number, which has at most `most` parts.
    pub fn new(format: Format, seed: u64, number: usize, most: usize) -> Self {
        let mut chance = Chance::new(seed, number);
        let chance = &mut chance;
        // small ones, too: what lies around a file is tried once a file
        let size = if chance.one_in(4) {
            1 + chance.below(3)
        } else {
            25 + chance.below(10)
        };
        let size = if format == Format::Binary {
            1
        } else {
            size.min(most).max(1)
        };
        let settings = Settings::new(chance, format);
        let frame = Frame {
            byte_order_mark: chance.one_in(12) && format != Format::Json,
            carriage_returns: chance.one_in(10),
            unfinished: chance.one_in(6),
            started: chance.one_in(3),
            ended: chance.one_in(15),
        };
        let part = |number| match format {
            Format::Binary => bytes(chance),
            Format::Dotenv => flat::dotenv(chance, number).into_bytes(),
            Format::Ini if number == 0 => flat::ini_top(chance).into_bytes(),
            Format::Ini => flat::ini(chance, number).into_bytes(),
            Format::Json => {
                let mut text = format!("\"part{number}\":");
                json::space(chance, &mut text);
                text.push_str(&json::value(chance));
                text.into_bytes()
            }
            Format::Yaml => yaml::document(chance).into_bytes(),
        };
        let parts = (0..size).map(part).collect();
        Self {
            settings,
            parts,
            frame,
        }
    }

    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// The same with some of its parts.
    pub fn only(&self, range: core::ops::Range<usize>) -> Self {
        Self {
            parts: self.parts[range].to_vec(),
            ..self.clone()
        }
    }

    /// The file.
    pub fn text(&self) -> Vec<u8> {
        let mut text = match self.settings.format {
            Format::Binary => return self.parts.concat(),
            Format::Dotenv | Format::Ini => self.parts.concat(),
            Format::Json => {
                let separator: &[u8] = if self.frame.started { b", " } else { b",\n" };
                let end: &[u8] = if self.frame.ended { b" }" } else { b"}" };
                [b"{", &*self.parts.join(separator), end].concat()
            }
            Format::Yaml => {
                let start: &[u8] = if self.frame.started { b"---\n" } else { b"" };
                let end: &[u8] = if self.frame.ended { b"...\n" } else { b"" };
                [start, &*self.parts.join(&b"---\n"[..]), end].concat()
            }
        };
        if self.settings.format == Format::Json && !self.frame.unfinished {
            text.push(b'\n');
        }
        if self.frame.unfinished && text.last() == Some(&b'\n') {
            text.pop();
        }
        let text = String::from_utf8(text).unwrap();
        let text = if self.frame.carriage_returns {
            text.replace('\n', "\r\n")
        } else {
            text
        };
        let mark = if self.frame.byte_order_mark {
            "\u{feff}"
        } else {
            ""
        };
        format!("{mark}{text}").into_bytes()
    }
}

/// A binary file.
fn bytes(chance: &mut Chance) -> Vec<u8> {
    match chance.below(5) {
        0 => words::lines(chance).into_bytes(),
        1 => json::value(chance).into_bytes(),
        2 => yaml::document(chance).into_bytes(),
        _ => {
            let length = chance.below(300);
            (0..length).map(|_| chance.byte()).collect()
        }
    }
}

impl Settings {
    fn new(chance: &mut Chance, format: Format) -> Self {
        let regex = chance
            .pick(&[
                "^(password|secret|data)",
                "pass|tok",
                "1$",
                "(?i)^DATA",
                "a.*[02]$",
                "part[0-3]",
                "^section",
            ])
            .to_owned();
        let comment = chance
            .pick(&["sops:enc", "remark$", "plain", "é|✓"])
            .to_owned();
        let rule = match chance.below(9) {
            0 | 1 => Some(("--encrypted-regex", regex)),
            2 => Some(("--unencrypted-regex", regex)),
            3 => Some((
                "--encrypted-suffix",
                chance.pick(&["0", "_enc", "d1"]).to_owned(),
            )),
            4 => Some((
                "--unencrypted-suffix",
                chance.pick(&["0", "_enc", "d1"]).to_owned(),
            )),
            5 if format != Format::Json => Some(("--encrypted-comment-regex", comment)),
            6 if format != Format::Json => Some(("--unencrypted-comment-regex", comment)),
            _ => None,
        };
        let rule = rule.filter(|_| format != Format::Binary);
        Self {
            format,
            rule,
            mac_only_encrypted: chance.one_in(4),
        }
    }

    pub fn selector(&self) -> Result<Selector, Error> {
        let Some((option, text)) = &self.rule else {
            return Ok(Selector::default());
        };
        match *option {
            "--encrypted-comment-regex" => Selector::encrypted_comment_regex(text),
            "--encrypted-regex" => Selector::encrypted_regex(text),
            "--encrypted-suffix" => Ok(Selector::EncryptedSuffix(text.clone())),
            "--unencrypted-comment-regex" => Selector::unencrypted_comment_regex(text),
            "--unencrypted-regex" => Selector::unencrypted_regex(text),
            "--unencrypted-suffix" => Ok(Selector::UnencryptedSuffix(text.clone())),
            other => panic!("{other}"),
        }
    }

    /// The options with which the reference does the same.
    pub fn options(&self) -> Vec<&str> {
        let mut options = Vec::new();
        if self.mac_only_encrypted {
            options.push("--mac-only-encrypted");
        }
        if let Some((option, text)) = &self.rule {
            options.extend([*option, text.as_str()]);
        }
        options
    }

    /// The reference's word for the format.
    pub fn word(&self) -> &'static str {
        match self.format {
            Format::Binary => "binary",
            Format::Dotenv => "dotenv",
            Format::Ini => "ini",
            Format::Json => "json",
            Format::Yaml => "yaml",
        }
    }
}
