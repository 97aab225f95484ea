//! What went wrong, in the page's words: what happened, why, what to do; the code stands quietly beside.
//!
//! The server's and the codec's own sentences are the second half; this table has the first.

use stackseal_core::Error;
use stackseal_model::problem::Problem;

/// Why a request to the server brought no answer that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No answer came.
    Offline,
    /// The server refused, with its reason.
    Refused(Box<Problem>),
    /// The answer is not what this page understands.
    Unreadable,
}

/// An error as the page shows it. Never holds a value or a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// What happened.
    pub what: String,
    /// Why, and what to do.
    pub why: String,
    /// The stable code.
    pub code: String,
}

impl Failure {
    /// Whether the session has ended.
    pub fn is_signed_out(&self) -> bool {
        matches!(self, Self::Refused(problem) if problem.status == 401)
    }

    /// Whether the thing asked for does not exist.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Refused(problem) if problem.status == 404)
    }

    /// The reason, when the branch holds another version than the person began from.
    pub fn conflict(&self) -> Option<&Problem> {
        match self {
            Self::Refused(problem) if problem.code == "conflict" => Some(problem),
            Self::Offline | Self::Refused(_) | Self::Unreadable => None,
        }
    }

    /// Whether trying the very same request again can help.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Offline => true,
            Self::Refused(problem) => matches!(problem.status, 429 | 500..),
            Self::Unreadable => false,
        }
    }

    /// The words for it.
    pub fn words(&self) -> Words {
        match self {
            Self::Offline => words(
                "The server did not answer.",
                "Your text is still here. Check the connection, then try again.",
                "offline",
            ),
            Self::Refused(problem) if problem.status == 401 => words(
                "You are signed out.",
                "Your text is still here. Open a new sign-in link in another tab, then try again in this one.",
                &problem.code,
            ),
            Self::Refused(problem) => of_problem(problem),
            Self::Unreadable => words(
                "The server answered in a way that this page does not understand.",
                "It may have been updated meanwhile. Copy what you typed, then reload the page.",
                "unreadable-answer",
            ),
        }
    }
}

/// The words for a reason that the server gave.
pub fn of_problem(problem: &Problem) -> Words {
    let what = headline(&problem.code).map_or_else(|| sentence(&problem.title), str::to_owned);
    let place = place(problem.path.as_deref(), problem.line);
    Words {
        what,
        why: format!("{place}{}", sentence(&problem.detail)),
        code: problem.code.clone(),
    }
}

/// The words for what the codec refused.
pub fn of_codec(error: &Error) -> Words {
    let code = error.code().as_str();
    match error.fault() {
        Some(fault) => of_fault(code, &fault.message, fault.path.as_deref(), fault.line),
        None => of_fault(code, &error.to_string(), None, None),
    }
}

/// The words for a message of the codec.
pub fn of_fault(code: &str, message: &str, path: Option<&str>, line: Option<usize>) -> Words {
    let what = headline(code)
        .unwrap_or("This cannot be sealed as it is.")
        .to_owned();
    Words {
        what,
        why: format!("{}{}", place(path, line), sentence(message)),
        code: code.to_owned(),
    }
}

/// A message as a sentence: a capital first, a full stop last.
pub fn sentence(message: &str) -> String {
    let message = message.trim();
    let mut characters = message.chars();
    let Some(first) = characters.next() else {
        return String::new();
    };
    // a name that begins the message keeps its spelling
    let word: String = message.chars().take_while(|c| !c.is_whitespace()).collect();
    let plain = word
        .chars()
        .all(|c| c.is_ascii_lowercase() || matches!(c, ',' | ':' | '\''));
    let mut text: String = if plain {
        first.to_uppercase().chain(characters).collect()
    } else {
        message.to_owned()
    };
    if !text.ends_with(['.', '!', '?', ':', '…']) {
        text.push('.');
    }
    text
}

fn place(path: Option<&str>, line: Option<usize>) -> String {
    match (path, line) {
        (Some(path), Some(line)) => format!("Line {line}, {path}: "),
        (Some(path), None) => format!("{path}: "),
        (None, Some(line)) => format!("Line {line}: "),
        (None, None) => String::new(),
    }
}

fn words(what: &str, why: &str, code: &str) -> Words {
    Words {
        what: what.to_owned(),
        why: why.to_owned(),
        code: code.to_owned(),
    }
}

/// What happened, by code; codes that are not here bring their own title.
fn headline(code: &str) -> Option<&'static str> {
    Some(match code {
        "age-file-invalid" => "The wrapped data key is damaged.",
        "alias-in-sealed-document" => "An alias or merge cannot be sealed.",
        "already-sealed" => "This text is already sealed.",
        "branch-gone" => "The branch is gone from the remote.",
        "comment-in-clear" => "A comment stays readable.",
        "duplicate-key" => "A key stands twice in the same place.",
        "duplicate-mark" => "A mark stands twice.",
        "empty-document" => "There is nothing to save yet.",
        "journal-full" => "Too many saves are waiting.",
        "layout-unsupported" => "This layout cannot carry a seal.",
        "internal" => "The codec's own proof failed, so nothing was sent.",
        "leaf-tampered" => "A sealed value was altered.",
        "leaf-not-sealed" => "A value that should be sealed is readable.",
        "leaf-malformed" => "A sealed value is damaged.",
        "limit-exceeded" => "This file is too large.",
        "mac-mismatch" => "This file was changed outside, its seal no longer fits.",
        "marks-shrink" => "A sealed value would stand in clear.",
        "mark-count" => "This file has too many marks.",
        "mark-hits-more" => "A mark would seal more than it names.",
        "mark-invalid" => "This is no key name.",
        "mark-matches-nothing" => "A mark matches nothing.",
        "mark-on-reserved-field" => "This part must stay readable.",
        "metadata-invalid" => "The sops block is damaged.",
        "no-matching-identity" => "The key at hand does not open this file.",
        "non-string-key" => "A key is not a text.",
        "non-string-in-secret" => "A number or boolean under a mark in a Secret.",
        "not-utf-8" => "This text is not UTF-8.",
        "random-failed" => "The browser's random generator failed, so nothing was sealed.",
        "recipient-mismatch" => "This file is sealed for someone else.",
        "secret-in-clear" => "This Secret would be committed in clear.",
        "selector-matches-nothing" => "Nothing would be sealed.",
        "tag-unsupported" => "A tagged value cannot be sealed.",
        "value-looks-sealed" => "A marked value already looks sealed.",
        "value-out-of-range" => "A number is too large to be kept exactly.",
        "yaml-syntax" => "This is not valid YAML.",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_become_sentences() {
        assert_eq!(sentence("a key is missing"), "A key is missing.");
        assert_eq!(sentence("apiKey: no such key."), "apiKey: no such key.");
        assert_eq!(
            sentence("`x` matches nothing; did you mean `X`?"),
            "`x` matches nothing; did you mean `X`?"
        );
        assert_eq!(sentence(""), "");
    }

    #[test]
    fn the_place_is_named_once() {
        let words = of_fault(
            "duplicate-key",
            "write it once",
            Some("auth.password"),
            Some(7),
        );
        assert_eq!(words.what, "A key stands twice in the same place.");
        assert_eq!(words.why, "Line 7, auth.password: Write it once.");
    }

    #[test]
    fn an_unknown_code_brings_its_own_title() {
        let problem = Problem {
            title: "the branch is protected".to_owned(),
            detail: "allow the push, then try again".to_owned(),
            code: "remote-policy".to_owned(),
            status: 409,
            ..Problem::default()
        };
        let words = Failure::Refused(Box::new(problem)).words();
        assert_eq!(
            (words.what.as_str(), words.code.as_str()),
            ("The branch is protected.", "remote-policy")
        );
    }
}
