//! The header: version line, one stanza a recipient, and the MAC over them.
//!
//! Reading is as strict as the specification: one text for one header. What the stanzas mean is
//! left to the recipient kinds.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::{FileKey, derive};
use crate::error::{Error, ErrorCode};

/// Most stanzas in a header. Each costs a scalar multiplication for every identity tried.
pub(super) const MAX_STANZAS: usize = 64;

/// One recipient's part of a header: the file key, wrapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stanza {
    /// Kind and parameters, at least one; printable ASCII without spaces.
    pub arguments: Vec<String>,
    /// Decoded body.
    pub body: Vec<u8>,
}

impl Stanza {
    /// The kind of recipient: `X25519`, `ssh-ed25519`, `scrypt`, and so on.
    pub fn kind(&self) -> &str {
        self.arguments.first().map_or("", String::as_str)
    }
}

/// A header as read.
pub(super) struct Header<'a> {
    pub(super) stanzas: Vec<Stanza>,
    /// From the first byte to the three dashes.
    authenticated: &'a [u8],
    mac: [u8; 32],
}

impl<'a> Header<'a> {
    /// Splits a file into its header and what follows.
    pub(super) fn parse(file: &'a [u8]) -> Result<(Self, &'a [u8]), Error> {
        let mut lines = Lines { file, at: 0 };
        if lines.read()? != VERSION {
            return Err(invalid(
                "it does not start with the line age-encryption.org/v1",
            ));
        }
        let mut stanzas = Vec::new();
        loop {
            let start = lines.at;
            let line = lines.read()?;
            if let Some(arguments) = line.strip_prefix(b"-> ") {
                if stanzas.len() == MAX_STANZAS {
                    return Err(invalid(&format!("it has more than {MAX_STANZAS} stanzas")));
                }
                let arguments = parse_arguments(arguments)?;
                stanzas.push(Stanza {
                    arguments,
                    body: parse_body(&mut lines)?,
                });
            } else if let Some(text) = line.strip_prefix(b"--- ") {
                let mut mac = [0; 32];
                if STANDARD_NO_PAD.decode_slice(text, &mut mac) != Ok(mac.len()) {
                    return Err(invalid("its MAC is not 32 bytes in base64"));
                }
                check_kinds(&stanzas)?;
                let authenticated = file.get(..start + END.len()).unwrap_or_default();
                let payload = file.get(lines.at..).unwrap_or_default();
                return Ok((
                    Self {
                        stanzas,
                        authenticated,
                        mac,
                    },
                    payload,
                ));
            } else {
                return Err(invalid(
                    "it has a line that is neither a stanza nor the MAC",
                ));
            }
        }
    }

    /// Checks the MAC.
    pub(super) fn verify(&self, file_key: &FileKey) -> Result<(), Error> {
        authenticator(self.authenticated, file_key)
            .verify_slice(&self.mac)
            .map_err(|_| {
                Error::input(
                    ErrorCode::AgeFileInvalid,
                    "the age header was altered: its MAC does not match",
                )
            })
    }
}

/// Writes a whole header, MAC included.
pub(super) fn encode(stanzas: &[Stanza], file_key: &FileKey) -> Vec<u8> {
    let mut header = Vec::from(VERSION);
    header.push(b'\n');
    for stanza in stanzas {
        header.extend_from_slice(b"->");
        for argument in &stanza.arguments {
            header.push(b' ');
            header.extend_from_slice(argument.as_bytes());
        }
        header.push(b'\n');
        let body = STANDARD_NO_PAD.encode(&stanza.body);
        for line in body.as_bytes().chunks(COLUMNS) {
            header.extend_from_slice(line);
            header.push(b'\n');
        }
        // The last line is always shorter than the others, so a full one is followed by an empty one.
        if body.len().is_multiple_of(COLUMNS) {
            header.push(b'\n');
        }
    }
    header.extend_from_slice(END);
    let mac = authenticator(&header, file_key).finalize().into_bytes();
    header.push(b' ');
    header.extend_from_slice(STANDARD_NO_PAD.encode(mac).as_bytes());
    header.push(b'\n');
    header
}

/// The error of every malformed header; the tests rely on its beginning.
pub(super) fn invalid(reason: &str) -> Error {
    Error::input(
        ErrorCode::AgeFileInvalid,
        format_args!("the age header is malformed: {reason}"),
    )
}

fn authenticator(authenticated: &[u8], file_key: &FileKey) -> Hmac<Sha256> {
    let key = derive(&[], file_key.as_slice(), b"header");
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut hmac = Hmac::<Sha256>::new_from_slice(key.as_slice()).expect("HMAC takes any key");
    hmac.update(authenticated);
    hmac
}

fn parse_arguments(text: &[u8]) -> Result<Vec<String>, Error> {
    text.split(|byte| *byte == b' ')
        .map(|argument| {
            let valid = !argument.is_empty() && argument.iter().all(u8::is_ascii_graphic);
            valid.then(|| String::from_utf8_lossy(argument).into_owned())
        })
        .collect::<Option<_>>()
        .ok_or_else(|| invalid("a stanza has an argument that is empty or not printable ASCII"))
}

fn parse_body(lines: &mut Lines<'_>) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    loop {
        let line = lines.read()?;
        let mut bytes = [0; COLUMNS / 4 * 3];
        let decoded = STANDARD_NO_PAD.decode_slice(line, &mut bytes).ok();
        let decoded = decoded.and_then(|length| bytes.get(..length));
        body.extend_from_slice(decoded.ok_or_else(|| {
            invalid("a stanza's body is not base64 in lines of 64, the last one shorter")
        })?);
        if line.len() < COLUMNS {
            return Ok(body);
        }
    }
}

fn check_kinds(stanzas: &[Stanza]) -> Result<(), Error> {
    if stanzas.is_empty() {
        return Err(invalid("it has no stanza"));
    }
    if stanzas.len() > 1 && stanzas.iter().any(|stanza| stanza.kind() == "scrypt") {
        return Err(invalid("a passphrase stanza stands beside another one"));
    }
    Ok(())
}

/// The lines of a header, each ended by LF.
struct Lines<'a> {
    file: &'a [u8],
    at: usize,
}

impl<'a> Lines<'a> {
    fn read(&mut self) -> Result<&'a [u8], Error> {
        let rest = self
            .file
            .get(self.at..self.file.len().min(MAX_BYTES))
            .unwrap_or_default();
        let Some(length) = rest.iter().position(|byte| *byte == b'\n') else {
            return Err(if self.file.len() > MAX_BYTES {
                invalid("it is longer than 64 KiB")
            } else {
                invalid("it ends in the middle")
            });
        };
        self.at += length + 1;
        Ok(rest.get(..length).unwrap_or_default())
    }
}

const VERSION: &[u8] = b"age-encryption.org/v1";
const END: &[u8] = b"---";
const COLUMNS: usize = 64;
const MAX_BYTES: usize = 64 * 1024;
