//! The aliases of a text, for whoever tells people what becomes of them.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

use super::Document;
use crate::format::parts::Alias;
use crate::path::Path;

/// Where an alias stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliasPlace {
    /// Keys and list positions from the top; a merge is at its `<<`.
    pub path: Path,
    /// Which of the text's documents, from 0.
    pub document: usize,
    /// The name that it has, with its star.
    pub name: String,
}

impl<State> Document<State> {
    /// The aliases that stand as values, in file order.
    pub fn aliases(&self) -> Vec<AliasPlace> {
        let mut aliases = Vec::new();
        for (document, root) in self.roots().iter().enumerate() {
            let place = |alias: &Alias| AliasPlace {
                path: alias.path.clone(),
                document,
                name: name(self.text().get(alias.start..).unwrap_or_default()),
            };
            aliases.extend(root.aliases.iter().map(place));
        }
        aliases
    }
}

/// The name that a text begins with.
fn name(text: &str) -> String {
    let ends = |c: char| c.is_whitespace() || matches!(c, ',' | '[' | ']' | '{' | '}');
    text.split(ends).next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned as _;
    use alloc::string::ToString as _;

    use crate::document::{Document, Plain};
    use crate::error::ErrorCode;
    use crate::limits::Limits;

    #[test]
    fn a_few_lines_do_not_stand_for_millions() {
        let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned();
        for (one, next) in "abcde".chars().zip("bcdef".chars()) {
            let entries = alloc::vec![alloc::format!("*{one}"); 9].join(",");
            bomb.push_str(&alloc::format!("{next}: &{next} [{entries}]\n"));
        }
        // Nor do many documents of which each stands for less.
        let many = "a: &a [1, 2, 3]\nb: [*a, *a, *a, *a]\n---\n".repeat(9000);
        for text in [&bomb, &many] {
            let document = Document::<Plain>::parse(text.as_bytes(), &Limits::generous());
            let error = document.unwrap().trees().unwrap_err();
            assert_eq!(error.code(), ErrorCode::LimitExceeded);
        }
    }

    #[test]
    fn aliases_are_told_with_their_places() {
        let text = "a: &x {k: 1}\nb: *x\nc:\n  <<: *x\n  l: [*x, 2]\n---\na: &y 1\nb: *y\n";
        let document = Document::<Plain>::parse(text.as_bytes(), &Limits::default()).unwrap();
        let places = document.aliases();
        let places = places
            .iter()
            .map(|it| (it.document, it.path.to_string(), it.name.as_str()));
        let expected = [
            (0, "b", "*x"),
            (0, "c.<<", "*x"),
            (0, "c.l[0]", "*x"),
            (1, "b", "*y"),
        ];
        assert!(
            places.eq(expected.map(|(document, path, name)| (document, path.to_owned(), name))),
            "{:?}",
            document.aliases()
        );
    }
}
