//! The error body of every refused request: problem details (RFC 9457) with a stable code.

use alloc::string::String;

use serde::{Deserialize, Serialize};

/// Media type of a [`Problem`].
pub const PROBLEM_JSON: &str = "application/problem+json";

/// What went wrong, for a person and for a program. Never holds a value or a key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Reference to the code's entry in `docs/ERRORS.md`, for example `/docs/errors#mark-matches-nothing`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What happened, in one sentence.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// Stable kebab-case code, listed in `docs/ERRORS.md`.
    pub code: String,
    /// Why, and what to do, in one or two sentences.
    pub detail: String,
    /// File, key path or field concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Line in the text, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Finds the request in the server's log.
    #[serde(default)]
    pub request_id: String,
}
