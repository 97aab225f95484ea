//! What is told of aliases: a sealed file has none, since each of its values is sealed by itself.

use std::collections::BTreeSet;

use stackseal_core::edit::Edited;
use stackseal_core::tree::at::TreePath;
use stackseal_core::{AliasPlace, Document, Plain};

use crate::many::Told;
use crate::output;

/// Tells that aliases of a document that is sealed the first time are written out; `name` is how messages call it.
pub(crate) fn note_of_sealing(document: &Document<Plain>, name: &str, told: &mut Told) {
    let aliases = document.aliases();
    if !aliases.is_empty() {
        told.note(&format!(
            "{name}: in the sealed file each alias is written out, and all of it laid out as sops does: {}; 'stackseal \
             decrypt' and 'edit' bring your text back",
            listed(aliases.iter())
        ));
    }
}

/// Warns of what a change at a path did beside its place: aliases that are written out keep the value they had.
pub(crate) fn warn_of_change(
    before: &Document<Plain>,
    after: &Document<Plain>,
    path: &TreePath,
    edited: &Edited,
    name: &str,
) {
    let key = |alias: &AliasPlace| (alias.document, alias.path.to_string());
    let left: BTreeSet<_> = after.aliases().iter().map(key).collect();
    let (steps, aliases) = (path.steps(), before.aliases());
    // What stood at the path itself is gone as it should be.
    let replaced =
        |alias: &AliasPlace| alias.document == 0 && alias.path.to_segments().starts_with(steps);
    let gone = aliases
        .iter()
        .filter(|it| !left.contains(&key(it)) && !replaced(it));
    let (way, others): (Vec<_>, Vec<_>) =
        gone.partition(|alias| alias.document == 0 && steps.starts_with(&alias.path.to_segments()));
    if !way.is_empty() {
        output::warning(&format!(
            "{name}: an alias cannot hold for a part, so it is written out with the change: {}",
            listed(way.into_iter())
        ));
    }
    if !others.is_empty() {
        output::warning(&format!(
            "{name}: aliases that cannot follow this change are written out and keep the values that they stood for: \
             {}; set them, too, if they shall change",
            listed(others.into_iter())
        ));
    }
    if edited.laid_out_anew {
        output::warning(&format!(
            "{name}: the change cannot be made in its place alone, so the whole text is laid out anew; blank lines and \
             the like are lost"
        ));
    }
}

fn listed<'a>(aliases: impl Iterator<Item = &'a AliasPlace>) -> String {
    let told = aliases.map(|alias| format!("{} ({})", alias.path, alias.name));
    let mut told: Vec<_> = told.collect();
    let more = told.len().saturating_sub(SHOWN);
    told.truncate(SHOWN);
    match more {
        0 => told.join(", "),
        more => format!("{} and {more} more", told.join(", ")),
    }
}

/// So many aliases are named.
const SHOWN: usize = 12;
