//! Where a value stands: the text form for people and the additional data for the cipher.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Segment {
    /// Position in a list, from 0.
    Index(usize),
    /// Key of a mapping.
    Key(Arc<str>),
}

/// The steps from the top of a document to a value.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path {
    segments: Vec<Segment>,
}

impl Path {
    /// The top.
    #[cfg(feature = "formats")]
    pub(crate) const fn top() -> Self {
        Self {
            segments: Vec::new(),
        }
    }

    /// The steps.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The keys on the way, without list positions: what selectors test.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &str> + Clone {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Key(key) => Some(key.as_ref()),
            Segment::Index(_) => None,
        })
    }

    /// The nearest key: the value's own, or that of the list it stands in.
    pub fn last_key(&self) -> Option<&str> {
        self.keys().next_back()
    }

    /// The keys joined by `.`: how a mark names this value. List positions are left out.
    pub fn dotted(&self) -> String {
        let mut text = String::new();
        for key in self.keys() {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(key);
        }
        text
    }

    /// Additional authenticated data of a leaf here: each key followed by `:`, and `:` alone at the
    /// top. List positions do not take part, keys are not escaped (SOPS 3.11, `sops.go`).
    pub fn additional_data(&self) -> String {
        let mut text = String::new();
        for key in self.keys() {
            text.push_str(key);
            text.push(':');
        }
        if text.is_empty() {
            text.push(':');
        }
        text
    }

    pub(crate) fn push(&mut self, segment: Segment) {
        self.segments.push(segment);
    }

    pub(crate) fn child(&self, segment: Segment) -> Self {
        let mut path = self.clone();
        path.push(segment);
        path
    }
}

impl fmt::Display for Path {
    /// `auth.users[0].password`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, segment) in self.segments.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) if at == 0 => f.write_str(key)?,
                Segment::Key(key) => write!(f, ".{key}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn list_positions_are_shown_but_not_authenticated() {
        let mut path = Path::default();
        assert_eq!(path.additional_data(), ":");
        for segment in [
            Segment::Key("a".into()),
            Segment::Index(2),
            Segment::Key("b:c".into()),
        ] {
            path.push(segment);
        }
        assert_eq!(path.to_string(), "a[2].b:c");
        assert_eq!(path.additional_data(), "a:b:c:");
        assert_eq!(path.dotted(), "a.b:c");
        assert_eq!(path.last_key(), Some("b:c"));
    }
}
