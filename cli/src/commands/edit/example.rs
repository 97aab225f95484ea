//! What the editor shows for a document that does not exist yet.

use stackseal_core::Format;

/// An example in a format, with what the format has to offer.
pub(super) fn of(format: Format) -> &'static str {
    match format {
        Format::Binary => BINARY,
        Format::Dotenv => DOTENV,
        Format::Ini => INI,
        Format::Json => JSON,
        Format::Yaml => YAML,
    }
}

const BINARY: &str =
    "Write your own text here. It is sealed when you save it and leave the editor.\n";

const DOTENV: &str = "\
# Write your own values here. They are sealed when you save them and leave the editor.
EXAMPLE_KEY=example value
EXAMPLE_LINES=one\\ntwo
";

const INI: &str = "\
; Write your own values here. They are sealed when you save them and leave the editor.
[example]
key    = example value
number = 1234.5
";

const JSON: &str = "\
{
\t\"hello\": \"Write your own values here. They are sealed when you save them and leave the editor.\",
\t\"example_key\": \"example value\",
\t\"example_list\": [
\t\t\"one\",
\t\t\"two\"
\t],
\t\"example_number\": 1234.5,
\t\"example_switch\": true
}
";

const YAML: &str = "\
# Write your own values here. They are sealed when you save them and leave the editor.
example_key: example value
example_list:
    - one
    - two
example_number: 1234.5
example_switch: true
";

#[cfg(test)]
mod tests {
    use stackseal_core::{Document, Limits, Plain};

    use super::*;

    #[test]
    fn every_example_is_a_document_with_values() {
        for format in [
            Format::Binary,
            Format::Dotenv,
            Format::Ini,
            Format::Json,
            Format::Yaml,
        ] {
            let text = of(format).as_bytes();
            let document = Document::<Plain>::parse_as(format, text, &Limits::default()).unwrap();
            assert!(!document.leaves().is_empty(), "{format:?}");
        }
    }
}
