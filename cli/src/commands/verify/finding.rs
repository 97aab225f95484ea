//! Something that `verify` finds, as people and as programs read it.

use std::path::Path;

use stackseal_core::{Error, ErrorCode};

use crate::exit::{self, Failure};
use crate::output::Shown as _;

/// Something wrong with a file.
pub(super) struct Finding {
    pub(super) line: Option<usize>,
    /// Where in the document.
    pub(super) path: Option<String>,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Finding {
    pub(super) fn of(failure: Failure, file: &Path) -> Self {
        let message = failure.message.strip_prefix(&format!("{} ", file.shown()));
        Self {
            line: None,
            path: None,
            code: failure.code,
            message: message.map(str::to_owned).unwrap_or(failure.message),
        }
    }

    pub(super) fn of_error(error: &Error) -> Self {
        let fault = error.fault();
        Self {
            line: fault.and_then(|fault| fault.line),
            path: fault.and_then(|fault| fault.path.clone()),
            code: error.code().as_str(),
            message: match (fault, error.code()) {
                (Some(fault), ErrorCode::LeafNotSealed) => format!(
                    "{}; 'stackseal rotate --ignore-mac -i' seals it",
                    fault.message
                ),
                (Some(fault), _) => fault.message.clone(),
                (None, _) => error.to_string(),
            },
        }
    }

    /// A text that could not be read as a sealed one.
    pub(super) fn of_unread(error: &Error) -> Self {
        let mut finding = Self::of_error(error);
        if let Some(advice) = exit::of_ruin(&finding.message) {
            finding.message.push_str("; ");
            finding.message.push_str(advice);
        }
        finding
    }

    pub(super) fn text(&self, file: &str) -> String {
        let line = self.line.map(|line| format!(":{line}")).unwrap_or_default();
        let path = self
            .path
            .as_ref()
            .map(|path| format!("{path}: "))
            .unwrap_or_default();
        let text = format!("{file}{line}: {path}{} [{}]", self.message, self.code);
        // A key may hold anything, and must not look like another finding.
        let shown = |c: char| match c.is_control() {
            true => c.escape_unicode().to_string(),
            false => c.to_string(),
        };
        text.chars().map(shown).collect()
    }

    pub(super) fn json(&self, file: &str) -> String {
        serde_json::json!({
            "file": file,
            "line": self.line,
            "path": self.path,
            "code": self.code,
            "message": self.message,
        })
        .to_string()
    }
}
