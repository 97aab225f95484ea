//! Ciphertexts that are kept through a merge, and the check that nothing comes out in clear that was sealed.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use sha2::{Digest as _, Sha256};

use super::tree::alike;
use super::{Act, Conflict, Subject, Version, Versions};
use crate::cipher::SealedValue;
use crate::data_key::DataKey;
use crate::document::{Document, Encrypted, Plain};
use crate::format::parts::Item;
use crate::open::{Ciphertexts, Kept, Opened, Place};
use crate::order::Table;
use crate::path::Path;
use crate::text::Text;
use crate::value::Value;

/// The ciphertexts for the values and comments of a merged text that a side has under the same data key, each taken
/// once: equal ones would tell that the values are equal. The side that comes first goes before the others.
///
/// A value of the text gets the type that it was sealed with, where the text does not tell it: `1` may be a float.
pub(super) fn kept(
    sides: &[Option<&Opened>],
    data_key: &DataKey,
    plain: &mut Document<Plain>,
) -> Kept {
    let sides: Vec<(&Opened, Ciphertexts<'_>)> = (sides.iter().flatten())
        .map(|side| (*side, side.ciphertexts()))
        .collect();
    let places: Vec<_> = plain
        .scalars()
        .map(|(at, scalar)| (at, scalar.path.clone()))
        .collect();
    for ((at, path), scalar) in places.iter().zip(plain.scalars_mut()) {
        let mut sealed =
            (sides.iter()).flat_map(|(_, known)| known.values.get(|it| it.cmp(&(*at, path))));
        if let Some((_, (value, _))) = sealed.find(|(_, (value, _))| alike(value, &scalar.value)) {
            scalar.value.clone_from(value);
        }
    }
    let sides = sides.iter().filter(|(side, _)| side.data_key() == data_key);
    let (values, comments): (Vec<_>, Vec<_>) = sides
        .map(|(_, known)| (&known.values, &known.comments))
        .unzip();
    Kept {
        values: found(
            |value: &Value| digest(&value.plaintext()),
            plain.scalars().map(|(at, it)| ((at, &it.path), &it.value)),
            &values,
        ),
        comments: found(
            |text: &Text| digest(text.as_bytes()),
            plain.comments().map(|(at, it)| ((at, &it.path), &it.text)),
            &comments,
        ),
    }
}

/// All ciphertexts of a document.
pub(super) fn all(opened: &Opened) -> Kept {
    fn owned<T: Clone>(known: &Table<Place<'_>, (&T, Text)>) -> Vec<((usize, Path), (T, Text))> {
        let entries = known.entries().iter();
        entries
            .map(|((at, path), (what, enc))| {
                ((*at, (*path).clone()), ((*what).clone(), enc.clone()))
            })
            .collect()
    }
    let known = opened.ciphertexts();
    Kept {
        values: owned(&known.values),
        comments: owned(&known.comments),
    }
}

/// First what stands where it stood, then what moved within what its ciphertext is bound to.
fn found<'a, T: PartialEq + Clone + 'a>(
    digest: fn(&T) -> [u8; 32],
    wanted: impl Iterator<Item = (Place<'a>, &'a T)>,
    sides: &[&Table<Place<'_>, (&T, Text)>],
) -> Vec<((usize, Path), (T, Text))> {
    let mut used: BTreeSet<&str> = BTreeSet::new();
    let mut found = Vec::new();
    let mut left = Vec::new();
    for (place, what) in wanted {
        let mut there = sides
            .iter()
            .flat_map(|known| known.get(|at| at.cmp(&place)));
        match there.find(|(_, (known, enc))| *known == what && !used.contains(enc.as_str())) {
            Some((_, (_, enc))) => {
                used.insert(enc.as_str());
                found.push((place, what, enc));
            }
            None => left.push((place, what)),
        }
    }
    let mut moved: BTreeMap<Told, Vec<(&T, &Text)>> = BTreeMap::new();
    if !left.is_empty() {
        for ((_, path), (known, enc)) in sides.iter().flat_map(|known| known.entries()) {
            if !used.contains(enc.as_str()) {
                moved
                    .entry((path.additional_data(), digest(known)))
                    .or_default()
                    .push((*known, enc));
            }
        }
    }
    for (place, what) in left {
        let Some(known) = moved.get_mut(&(place.1.additional_data(), digest(what))) else {
            continue;
        };
        if let Some(at) = known.iter().position(|(known, _)| *known == what) {
            let (_, enc) = known.remove(at);
            if used.insert(enc.as_str()) {
                found.push((place, what, enc));
            }
        }
    }
    let owned = |((at, path), what, enc): (Place<'_>, &T, &Text)| {
        ((at, path.clone()), (what.clone(), enc.clone()))
    };
    found.into_iter().map(owned).collect()
}

/// The first value or comment of a merged document that stands in clear and does so on neither side.
pub(super) fn comes_clear(
    versions: &Versions<'_>,
    merged: &Document<Encrypted>,
) -> Option<Conflict> {
    let mut clear: BTreeSet<Told> = BTreeSet::new();
    for side in [versions.ours, versions.theirs] {
        match side {
            Version::Plain(document) => clear.extend(in_clear(document).map(|(_, told)| told)),
            Version::Sealed(opened) => {
                clear.extend(in_clear(opened.sealed()).map(|(_, told)| told))
            }
        }
    }
    let mut found = in_clear(merged).filter(|(_, told)| !clear.contains(told));
    found.next().map(|((document, item), _)| Conflict {
        document,
        subject: Subject::Clear(match item {
            Item::Comment(comment) => comment.path.clone(),
            Item::Scalar(scalar) => scalar.path.clone(),
        }),
        ours: Act::Changed,
        theirs: Act::Changed,
    })
}

/// Where something belongs, and a digest of its bytes.
type Told = (String, [u8; 32]);

/// What is not sealed, with what tells it from others. A comment may move.
fn in_clear<State>(document: &Document<State>) -> impl Iterator<Item = ((usize, &Item), Told)> {
    document.items().filter_map(|(at, item)| {
        let told = match item {
            Item::Comment(comment) => {
                let text = comment.text.trim();
                let sealed = matches!(SealedValue::parse(text), Some(Ok(_)));
                (!sealed && !text.is_empty())
                    .then(|| (String::new(), digest(comment.text.as_bytes())))
            }
            Item::Scalar(scalar) => {
                let text = scalar.value.as_str().map(str::trim_end);
                let sealed = matches!(text.and_then(SealedValue::parse), Some(Ok(_)));
                let told = || {
                    (
                        scalar.path.additional_data(),
                        digest(&scalar.value.plaintext()),
                    )
                };
                (!sealed && !scalar.value.is_empty()).then(told)
            }
        };
        told.map(|told| ((at, item), told))
    })
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
