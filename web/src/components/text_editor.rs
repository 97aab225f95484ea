//! The editor of the builder: shows the draft that is active, and tells it what was typed.

use leptos::prelude::*;
use zeroize::Zeroizing;

use super::editor::{Editor, Glyph, Told, editor, marks_json};
use super::keys::copy_value;
use crate::draft::{Draft, Standing};
use crate::view::{View, follow};
use crate::workbench::Workbench;

/// The one editor, which shows the draft that is active and keeps a history for each.
pub fn text_editor(bench: Workbench) -> View {
    let told = Told {
        changed: Box::new(move || {
            if let Some(draft) = untrack(|| bench.shown()) {
                bench.with_editor(|editor| draft.text.set(Zeroizing::new(editor.text())));
            }
        }),
        copy: Box::new(move |id| {
            if let Some(draft) = untrack(|| bench.shown()) {
                copy_value(bench, draft, &id);
            }
        }),
        revealed: Box::new(move |id, on| {
            bench.revealed.update(|revealed| {
                if on {
                    *revealed = Some(id);
                } else if revealed.as_deref() == Some(id.as_str()) {
                    *revealed = None;
                }
            });
        }),
    };
    editor(told, move |cell| {
        bench.editor.set_value(Some(cell));
        // the file that is shown, and what was put into it from outside
        follow(move || {
            let Some(draft) = bench.shown() else { return };
            draft.revision.track();
            let locked = draft.locked.get();
            untrack(|| {
                let label = match draft.name.get() {
                    name if name.is_empty() => "YAML of the new file".to_owned(),
                    name => format!("YAML of {name}"),
                };
                let marks = marks(draft);
                bench.with_editor(|editor| {
                    editor.open(
                        &draft.id.to_string(),
                        &draft.text.read(),
                        &label,
                        locked,
                        &marks,
                    );
                });
            });
        });
        // where the marks lie
        follow(move || {
            let Some(draft) = bench.shown() else { return };
            let json = marks(draft);
            bench.with_editor(|editor: &Editor| editor.set_marks(&json));
        });
    })
}

fn marks(draft: Draft) -> String {
    let check = draft.check.read();
    let marks = draft.marks.read();
    let glyph = |hit: &_| match draft.standing(hit) {
        Standing::Changed => Glyph::Changed,
        Standing::Kept => Glyph::Sealed,
        Standing::New => Glyph::Marked,
    };
    marks_json(&draft.text.read(), &marks, &check, glyph)
}
