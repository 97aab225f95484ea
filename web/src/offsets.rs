//! From positions in bytes, as the codec gives them, to positions as the editor counts.
//!
//! The editor counts UTF-16 units, and each line break as one, also `\r\n` where the file uses nothing else.

/// Whether every line break of the text is `\r\n` (and there is one), as the editor decides it too.
pub fn breaks_are_crlf(text: &str) -> bool {
    let (mut crlf, mut other, mut previous) = (false, false, b' ');
    for byte in text.bytes() {
        match (previous, byte) {
            (b'\r', b'\n') => crlf = true,
            (_, b'\n') | (b'\r', _) => other = true,
            _ => {}
        }
        previous = byte;
    }
    crlf && !other && previous != b'\r'
}

/// Where the byte positions, which ascend, lie for the editor. A position inside a character counts as its
/// start, one past the end as the end.
pub fn in_editor(text: &str, positions: &[usize]) -> Vec<usize> {
    let crlf = breaks_are_crlf(text);
    let mut found = Vec::with_capacity(positions.len());
    let mut wanted = positions.iter().peekable();
    let mut units = 0;
    for (at, character) in text.char_indices() {
        let end = at + character.len_utf8();
        while wanted.next_if(|&&position| position < end).is_some() {
            found.push(units);
        }
        if wanted.peek().is_none() {
            break;
        }
        if !(crlf && character == '\r') {
            units += character.len_utf16();
        }
    }
    found.resize(positions.len(), units);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_outside_ascii_are_counted_as_the_editor_does() {
        // ä: 2 bytes, 1 unit; 🔑: 4 bytes, 2 units
        let text = "ä: 🔑x\n";
        assert_eq!(
            in_editor(text, &[0, 2, 4, 8, 9, 10, 99]),
            [0, 1, 3, 5, 6, 7, 7]
        );
    }

    #[test]
    fn the_same_place_may_be_asked_for_twice() {
        assert_eq!(in_editor("äb", &[0, 2, 2, 3]), [0, 1, 1, 2]);
        assert_eq!(in_editor("", &[0, 5]), [0, 0]);
    }

    #[test]
    fn a_dos_line_break_counts_as_one() {
        assert_eq!(in_editor("a: b\r\nc: d\r\n", &[6, 9, 12]), [5, 8, 10]);
        assert_eq!(in_editor("a: b\r\nc: d\n", &[6, 9]), [6, 9]);
    }

    #[test]
    fn mixed_line_breaks_are_no_dos_text() {
        assert!(breaks_are_crlf("a\r\nb\r\n"));
        for text in ["", "a", "a\n", "a\r\nb\n", "a\rb\r\n", "a\r\nb\r", "\n\r\n"] {
            assert!(!breaks_are_crlf(text), "{text:?}");
        }
    }
}
