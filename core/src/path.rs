//! Where a value stands: the text form for people and the additional data for the cipher.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt::{self, Write as _};

use crate::text::Text;

/// One step of a [`Path`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Segment {
    /// Position in a list, from 0.
    Index(usize),
    /// Key of a mapping.
    Key(Text),
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => f.debug_tuple("Index").field(index).finish(),
            Self::Key(key) => f.debug_tuple("Key").field(&key.as_str()).finish(),
        }
    }
}

/// The steps from the top of a document to a value. Those to its collection are shared by all that stands in it.
#[derive(Clone, Default)]
pub struct Path {
    collection: Option<Arc<Vec<Segment>>>,
    last: Option<Segment>,
}

impl Path {
    /// The top.
    #[cfg(feature = "formats")]
    pub(crate) const fn top() -> Self {
        Self {
            collection: None,
            last: None,
        }
    }

    /// The steps.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &Segment> + Clone {
        let collection = self.collection();
        collection.iter().chain(&self.last)
    }

    /// The steps, gathered.
    pub fn to_segments(&self) -> Vec<Segment> {
        self.segments().cloned().collect()
    }

    /// How many steps there are.
    pub fn depth(&self) -> usize {
        self.collection().len() + usize::from(self.last.is_some())
    }

    /// The last step; `None` at the top.
    pub fn last(&self) -> Option<&Segment> {
        self.last.as_ref()
    }

    /// The steps but for the last one.
    pub fn collection(&self) -> &[Segment] {
        self.collection.as_ref().map_or(&[], |steps| steps)
    }

    /// Whether these are the steps.
    #[cfg(feature = "formats")]
    pub(crate) fn is(&self, steps: &[Segment]) -> bool {
        match steps.split_last() {
            Some((last, collection)) => {
                self.last.as_ref() == Some(last) && self.collection() == collection
            }
            None => self.last.is_none(),
        }
    }

    /// Whether it begins with these steps.
    #[cfg(feature = "formats")]
    pub(crate) fn begins_with(&self, steps: &[Segment]) -> bool {
        let mut own = self.segments();
        steps.iter().all(|step| own.next() == Some(step))
    }

    /// The keys on the way, without list positions: what selectors test.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &str> + Clone {
        self.segments().filter_map(|segment| match segment {
            Segment::Key(key) => Some(key.as_ref()),
            Segment::Index(_) => None,
        })
    }

    /// The nearest key: the value's own, or that of the list it stands in.
    pub fn last_key(&self) -> Option<&str> {
        self.keys().next_back()
    }

    /// The first step; `None` at the top.
    pub(crate) fn first(&self) -> Option<&Segment> {
        self.collection().first().or(self.last.as_ref())
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

    #[cfg(any(test, feature = "formats"))]
    pub(crate) fn push(&mut self, segment: Segment) {
        if self.last.is_some() {
            self.collection = Some(Arc::new(self.to_segments()));
        }
        self.last = Some(segment);
    }

    pub(crate) fn child(&self, segment: Segment) -> Self {
        self.steps().to(segment)
    }

    /// These steps, for the paths of all that stands here.
    pub(crate) fn steps(&self) -> Steps {
        Steps(self.last.as_ref().map(|_| Arc::new(self.to_segments())))
    }
}

/// The steps to a collection, to be shared by what stands in it.
#[derive(Clone, Default)]
pub(crate) struct Steps(Option<Arc<Vec<Segment>>>);

impl Steps {
    /// One step more.
    pub(crate) fn to(&self, segment: Segment) -> Path {
        Path {
            collection: self.0.clone(),
            last: Some(segment),
        }
    }
}

impl PartialEq for Path {
    fn eq(&self, other: &Self) -> bool {
        self.last == other.last && self.collection() == other.collection()
    }
}

impl Eq for Path {}

impl PartialOrd for Path {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Path {
    fn cmp(&self, other: &Self) -> Ordering {
        self.segments().cmp(other.segments())
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.segments()).finish()
    }
}

impl fmt::Display for Path {
    /// `auth.users[0].password`; control characters in keys are escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, segment) in self.segments().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) => {
                    if at > 0 {
                        f.write_str(".")?;
                    }
                    // On one line: what follows a line break would look like a message of its own.
                    for c in key.chars() {
                        match c.is_control() {
                            true => write!(f, "{}", c.escape_default())?,
                            false => f.write_char(c)?,
                        }
                    }
                }
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
