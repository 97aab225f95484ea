//! The armor: an age file as text, in base64 lines of 64 columns between two fixed lines.
//!
//! Source: age specification, section "ASCII armor", which is a strict subset of PEM.

use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::{Error, ErrorCode};

/// Wraps a binary file; the text ends in a newline.
pub fn encode(file: &[u8]) -> String {
    let base64 = STANDARD.encode(file);
    let mut text =
        String::with_capacity(base64.len() + base64.len() / COLUMNS + BEGIN.len() + END.len() + 3);
    text.push_str(BEGIN);
    text.push('\n');
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(COLUMNS));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(END);
    text.push('\n');
    text
}

/// Unwraps a text. Lines may end in LF or CRLF; up to 1 KiB of white space may stand before and
/// after. Anything else that deviates is refused.
///
/// # Errors
/// `age-file-invalid`.
pub fn decode(text: &str) -> Result<Vec<u8>, Error> {
    let mut rest = text;
    let mut blank = 0;
    loop {
        let line = next_line(&mut rest)
            .ok_or_else(|| invalid("it does not begin with -----BEGIN AGE ENCRYPTED FILE-----"))?;
        if line == BEGIN {
            break;
        }
        blank += line.len() + 1;
        if !is_blank(line) || blank > MAX_BLANK {
            return Err(invalid(
                "it does not begin with -----BEGIN AGE ENCRYPTED FILE-----",
            ));
        }
    }
    let mut file = Vec::with_capacity(rest.len() / 4 * 3);
    let mut short = false;
    loop {
        let line = next_line(&mut rest)
            .ok_or_else(|| invalid("its last line -----END AGE ENCRYPTED FILE----- is missing"))?;
        if line == END {
            break;
        }
        if short {
            return Err(invalid(
                "a line before the last is shorter than 64 characters",
            ));
        }
        let mut bytes = [0; COLUMNS / 4 * 3];
        let decoded = STANDARD
            .decode_slice(line, &mut bytes)
            .ok()
            .and_then(|length| bytes.get(..length))
            .filter(|decoded| !decoded.is_empty())
            .ok_or_else(|| invalid("a line is not canonical base64 of at most 64 characters"))?;
        short = decoded.len() < COLUMNS / 4 * 3;
        file.extend_from_slice(decoded);
    }
    if !is_blank(rest) || rest.len() > MAX_BLANK {
        return Err(invalid("something stands after its last line"));
    }
    Ok(file)
}

/// The next line without its LF or CRLF; `None` at the end of the text.
fn next_line<'a>(rest: &mut &'a str) -> Option<&'a str> {
    if rest.is_empty() {
        return None;
    }
    let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
    *rest = after;
    Some(line.strip_suffix('\r').unwrap_or(line))
}

fn is_blank(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}

fn invalid(reason: &str) -> Error {
    Error::input(
        ErrorCode::AgeFileInvalid,
        format_args!("the age armor is malformed: {reason}"),
    )
}

const BEGIN: &str = "-----BEGIN AGE ENCRYPTED FILE-----";
const END: &str = "-----END AGE ENCRYPTED FILE-----";
const COLUMNS: usize = 64;
const MAX_BLANK: usize = 1024;
