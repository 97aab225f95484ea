//! What the parser refuses, in words that say what to do about it.

use granit_parser::{ErrorKind, ScanError};

use crate::error::{Error, ErrorCode};

/// The error for a text that is no YAML, with the line where that shows.
pub(crate) fn error(refused: &ScanError, text: &str) -> Error {
    let message = words(refused.kind());
    let line = refused.marker().line();
    let line = match message {
        TAB => tabbed(text, line).unwrap_or(line),
        _ => line,
    };
    Error::input(ErrorCode::YamlSyntax, message).at_line(line)
}

/// The first line from `line` on that a tab indents: a value before it is told where it begins.
fn tabbed(text: &str, line: usize) -> Option<usize> {
    let indented = |line: &str| line.trim_start_matches(' ').starts_with('\t');
    let lines = text.lines().enumerate().skip(line.saturating_sub(1));
    lines
        .map(|(at, line)| (at + 1, line))
        .find(|(_, line)| indented(line))
        .map(|(number, _)| number)
}

const TAB: &str = "a tab stands where only spaces may; indent with spaces";

/// What is wrong and what to do. Nothing of the text is told: it may be a value.
fn words(kind: &ErrorKind) -> &'static str {
    use ErrorKind as K;
    match kind {
        K::MappingValueNotAllowed | K::InvalidColonPlacement => {
            "a `:` stands where no key can; put a value that holds `: ` in quotes, and look at the indentation"
        }
        K::SimpleKeyExpected | K::InvalidSimpleKey | K::ExpectedDocumentStart => {
            "a line is neither `key: value` nor part of the value above; a key ends in `:` with a blank behind it"
        }
        K::InvalidMappingValueWhitespace | K::FlowMappingValueAdjacentCollection => {
            "a blank belongs behind the `:` of a key"
        }
        K::ExpectedBlockMappingKey
        | K::ExpectedBlockSequenceEntry
        | K::InvalidIndentation
        | K::BlockSequenceEntryNotAllowed
        | K::MappingKeyNotAllowed => {
            "this line does not go on with what stands above; begin it in the same column as its neighbours"
        }
        K::InvalidBlockEntryWhitespace => "a blank belongs behind the `-` of a list",
        K::BlockEntryInFlowCollection | K::PlainScalarStartsWithDashFlowIndicator => {
            "a `-` cannot stand between brackets; separate their entries by commas"
        }
        K::TabNotAllowed
        | K::TabInBlockIndentation
        | K::TabInIndentation
        | K::TabAtBlockScalarStart
        | K::TabInPlainScalar => TAB,
        K::UnclosedQuotedScalar => {
            "a quote is opened and never closed; close it, and double a `'` that is part of the text"
        }
        K::InvalidTrailingSingleQuotedScalar | K::InvalidTrailingDoubleQuotedScalar => {
            "text follows behind the closing quote; double a `'` that is part of the text, or write ` #` before a comment"
        }
        K::InvalidQuotedScalarIndent | K::DocumentIndicatorInQuotedScalar => {
            "a quote is not closed before this line; close it, or indent the lines of a longer text"
        }
        K::UnknownQuotedScalarEscape
        | K::InvalidQuotedScalarHexEscape
        | K::InvalidLowSurrogateHexEscape
        | K::InvalidLowSurrogate
        | K::MissingLowSurrogate
        | K::UnpairedLowSurrogate
        | K::InvalidUnicodeEscape => {
            "a backslash in double quotes begins an escape that does not exist; write two of them, or use single quotes"
        }
        K::UnexpectedEofFlowSequence
        | K::UnexpectedEofFlowMapping
        | K::UnexpectedEofImplicitFlowMapping
        | K::UnclosedFlowCollection { .. } => "a bracket is opened and never closed",
        K::MisplacedFlowCollectionEnd | K::MismatchedFlowCollectionEnd { .. } => {
            "a bracket closes what was not opened with its like"
        }
        K::ExpectedFlowMappingSeparator | K::ExpectedFlowSequenceSeparator => {
            "entries between brackets are separated by commas; put one here, or close the bracket before"
        }
        K::InvalidFlowScalarIndent => {
            "a line between brackets stands too far left; indent it, or close the bracket before"
        }
        K::ZeroBlockScalarIndent | K::InvalidBlockScalarHeader => {
            "behind `|` or `>` only `-`, `+`, a digit from 1 and a comment may stand; begin the text in the next line"
        }
        K::InvalidBlockScalarIndent => {
            "a line of a `|` or `>` text is indented otherwise than the text or its header says; indent all lines alike"
        }
        K::CommentInterceptedScalar | K::CommentNotSeparated => {
            "a comment stands within a value; put a blank before `#`, or the value in quotes"
        }
        K::UnexpectedCharacter { .. } => {
            "a value cannot begin with this character; put the value in quotes"
        }
        K::UnknownAnchor => {
            "`*` names an anchor that does not stand above; put a text that begins with `*` in quotes"
        }
        K::MissingAnchorOrAliasName => {
            "a name belongs behind `&` or `*`; put a text that begins so in quotes"
        }
        K::UndeclaredTagHandle
        | K::ExpectedTagBang
        | K::InvalidTagTerminator
        | K::MissingTagUri
        | K::UnclosedVerbatimTag
        | K::InvalidTagEscape
        | K::InvalidGlobalTagCharacter => {
            "`!` begins a tag that cannot be read; put a text that begins so in quotes"
        }
        K::InvalidDocumentEnd | K::MissingDocumentEndBeforeDirective | K::DirectiveDisallowed => {
            "documents are separated by a line `---`; put one before what follows"
        }
        K::BomInsideDocument => "a byte order mark stands within the text; remove it",
        K::RecursionLimitExceeded => "lists and maps are nested too deep; split the text",
        K::TooManyComments => "more comments follow each other than can be kept; split the text",
        _ => "this cannot be read as YAML; look at quotes, brackets and indentation",
    }
}

#[cfg(test)]
mod tests {
    use crate::document::{Document, Plain};
    use crate::limits::Limits;

    #[test]
    fn common_slips_are_told_with_their_line_and_what_to_do() {
        for (text, line, hint) in [
            ("a: 1\nb: c: d\n", 2, "in quotes"),
            ("a: b\n  c: d\n", 2, "indentation"),
            ("a: 1\nword\nb: 2\n", 2, "with a blank behind"),
            ("a: 1\n  b: 2\n", 2, "indentation"),
            ("a:\n  b: 1\n c: 2\n", 3, "same column"),
            ("a:\n\tb: 1\n", 2, "indent with spaces"),
            ("a:\n  b: one\n\tc: two\n", 3, "indent with spaces"),
            ("a: 'it's'\n", 1, "double a `'`"),
            ("a: 'open\nb: 2\n", 2, "not closed"),
            ("a: \"C:\\dir\"\n", 1, "single quotes"),
            ("a: [1, 2\n", 1, "never closed"),
            ("a: [1}\n", 1, "bracket"),
            ("a: {b: 1 c: 2}\n", 1, "commas"),
            ("a: @b\n", 1, "in quotes"),
            ("a: `b`\n", 1, "in quotes"),
            ("a: *b\n", 1, "anchor"),
            ("a: |x\n  b\n", 1, "next line"),
            ("- a\nb: 1\n", 2, "same column"),
        ] {
            let error = Document::<Plain>::parse(text.as_bytes(), &Limits::default()).unwrap_err();
            let fault = error.fault().unwrap();
            assert_eq!(error.code().as_str(), "yaml-syntax", "{text:?}");
            assert!(fault.message.contains(hint), "{text:?}: {}", fault.message);
            assert_eq!(fault.line, Some(line), "{text:?}: {}", fault.message);
        }
    }
}
