//! Text that many parts share: a value or key that stands in a file as it reads is a part of the file's text, not a copy.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::sync::Arc;
use core::borrow::Borrow;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::ops::{Deref, Range};

use zeroize::Zeroizing;

/// A text, or a part of one. It may be secret: the whole is wiped when the last of its parts goes, and `Debug` does not
/// show it.
#[derive(Clone)]
pub struct Text {
    whole: Arc<Zeroizing<String>>,
    /// Bytes of the whole, between characters. Small, since there is one of these for every key and value.
    start: u32,
    /// [`TO_THE_END`] when the whole is longer than can be told.
    end: u32,
}

const TO_THE_END: u32 = u32::MAX;

impl Text {
    /// The text.
    pub fn as_str(&self) -> &str {
        self.whole.get(self.range()).unwrap_or_default()
    }

    fn range(&self) -> Range<usize> {
        let end = match self.end {
            TO_THE_END => self.whole.len(),
            end => end as usize,
        };
        self.start as usize..end
    }

    /// Whether both are the same place of the same text.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.whole, &other.whole) && self.range() == other.range()
    }

    /// The bytes of this text in a range, without a copy of them; nothing when the range is none of it.
    pub(crate) fn part(&self, range: Range<usize>) -> Self {
        let from = self.range().start;
        let part = self.as_str().get(range.clone()).unwrap_or_default();
        let ends = (from.checked_add(range.start), from.checked_add(range.end));
        let small = |end: Option<usize>| end.and_then(|end| u32::try_from(end).ok());
        match (small(ends.0), small(ends.1)) {
            (Some(start), Some(end)) if end != TO_THE_END && !part.is_empty() => Self {
                whole: self.whole.clone(),
                start,
                end,
            },
            _ => part.into(),
        }
    }

    /// A text that most likely stands at an offset of this one: that part of it, else a copy.
    pub(crate) fn part_or_copy(&self, at: usize, text: &str) -> Self {
        let end = at.saturating_add(text.len());
        if self.as_str().as_bytes().get(at..end) == Some(text.as_bytes()) {
            self.part(at..end)
        } else {
            text.into()
        }
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        self
    }
}

impl From<Zeroizing<String>> for Text {
    fn from(text: Zeroizing<String>) -> Self {
        Self {
            start: 0,
            end: u32::try_from(text.len()).unwrap_or(TO_THE_END),
            whole: Arc::new(text),
        }
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Zeroizing::new(text).into()
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl Default for Text {
    fn default() -> Self {
        String::new().into()
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Text {}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} bytes, redacted)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn a_part_is_shared_and_a_range_outside_is_nothing() {
        let text = Text::from("key: välue");
        let value = text.part(5..11);
        assert_eq!(value.as_str(), "välue");
        assert_eq!(value.part(1..3).as_str(), "ä");
        assert!(Arc::ptr_eq(&text.whole, &value.whole));
        for outside in [5..12, 7..9, Range { start: 6, end: 3 }] {
            assert_eq!(text.part(outside).as_str(), "");
        }
    }

    #[test]
    fn what_does_not_stand_there_is_copied() {
        let text = Text::from("a: b");
        assert!(Arc::ptr_eq(&text.whole, &text.part_or_copy(3, "b").whole));
        for (at, other) in [(3, "c"), (3, "bb"), (9, ""), (usize::MAX, "b")] {
            assert_eq!(text.part_or_copy(at, other).as_str(), other);
        }
    }

    #[test]
    fn debug_does_not_show_it() {
        assert_eq!(
            format!("{:?}", Text::from("hunter2")),
            "Text(7 bytes, redacted)"
        );
    }
}
