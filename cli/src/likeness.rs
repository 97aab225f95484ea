//! Whether a text is sealed, was sealed, or only looks so: judged before, or without, opening it.

use stackseal_core::{Document, Encrypted, Error, ErrorCode, Format, Limits, document};

use crate::exit;

/// Whether a text has what every sealed file has, whatever its format.
pub(crate) fn may_be_sealed(bytes: &[u8]) -> bool {
    let text = std::str::from_utf8(bytes);
    text.is_ok_and(|text| ["sops", "lastmodified"].iter().all(|it| text.contains(it)))
}

/// Whether a text that could not be read as sealed is meant to be so, but broken.
pub(crate) fn claims_to_be_sealed(bytes: &[u8], error: &Error) -> bool {
    let text = String::from_utf8_lossy(bytes);
    !has_no_block(error) && text.contains("ENC[AES256_GCM,")
}

/// Whether a text could not be read as sealed because it is a plain one.
pub(crate) fn is_plain(error: &Error) -> bool {
    has_no_block(error) && exit::of_ruin(&error.to_string()).is_none()
}

/// Whether a text is sealed, or was. One that goes as a binary file may tell of sealed values, as these words do.
pub(crate) fn holds_sealed(format: Format, bytes: &[u8]) -> bool {
    let may_be = format != Format::Binary || bytes.trim_ascii_start().starts_with(b"{");
    may_be && std::str::from_utf8(bytes).is_ok_and(document::holds_sealed)
}

/// The sealed document of a text, or why what is left of one cannot be read. `None` for a plain text.
pub(crate) fn of_sealed(
    format: Format,
    bytes: &[u8],
) -> Option<Result<Document<Encrypted>, Error>> {
    match Document::<Encrypted>::parse_as(format, bytes, &Limits::generous()) {
        Ok(document) => Some(Ok(document)),
        Err(error) => {
            let is_block = error.code() == ErrorCode::MetadataInvalid;
            let was_sealed = !is_plain(&error) && (is_block || holds_sealed(format, bytes));
            was_sealed.then_some(Err(error))
        }
    }
}

fn has_no_block(error: &Error) -> bool {
    error.code() == ErrorCode::MetadataInvalid
        && error.to_string().contains("sops metadata not found")
}
