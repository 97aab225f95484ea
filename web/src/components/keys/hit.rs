//! One value that a mark seals: where it stands, how it stands against Git, and what can be done with it.

use leptos::ev;
use leptos::prelude::*;

use super::Placed;
use crate::components::copy::copy_secret;
use crate::components::icon::{Icon, icon};
use crate::draft::{Draft, Standing};
use crate::seal::{self, Hit};
use crate::view::{Content, View, button, code, li, span};
use crate::workbench::Workbench;

/// The row of a value.
pub fn hit_row(bench: Workbench, draft: Draft, placed: Placed) -> View {
    let Placed { hit, standing } = placed;
    let (glyph, class, word) = match standing {
        _ if hit.empty => (Icon::Unlocked, "state", "empty, nothing to seal"),
        Standing::Changed => (Icon::Dot, "state changed", "changed, will be sealed"),
        Standing::Kept => (Icon::Locked, "state sealed", "sealed, unchanged"),
        Standing::New => (Icon::Unlocked, "state marked", "will be sealed"),
    };
    let actions = (!hit.empty).then(|| value_actions(bench, draft, &hit));
    li().class("hit")
        .child((
            span().class(class).child(icon(glyph)),
            code().child(hit.path),
            line_link(hit.line),
            span().class("hint word").child(word),
            actions,
        ))
        .view()
}

fn value_actions(bench: Workbench, draft: Draft, hit: &Hit) -> View {
    let (id, path) = (hit.id.clone(), hit.path.clone());
    let revealed = {
        let id = id.clone();
        Memo::new(move |_| {
            bench
                .revealed
                .with(|revealed| revealed.as_deref() == Some(id.as_str()))
        })
    };
    let small = |label: String, glyph: Icon, act: Box<dyn Fn()>| {
        button()
            .attr("type", "button")
            .class("quiet icon-only")
            .attr("aria-label", label.clone())
            .attr("title", label)
            .on(ev::click, move |_| act())
            .child(icon(glyph))
    };
    let (reveal_id, copy_id, replace_id) = (id.clone(), id.clone(), id);
    span()
        .class("hit-actions")
        .child((
            small(
                format!("Reveal {path}"),
                Icon::Reveal,
                Box::new(move || bench.with_editor(|editor| editor.toggle_reveal(&reveal_id))),
            )
            .attr("aria-pressed", move || {
                if revealed.get() { "true" } else { "false" }
            }),
            small(
                format!("Copy {path}"),
                Icon::Copy,
                Box::new(move || copy_value(bench, draft, &copy_id)),
            ),
            small(
                format!("Replace {path}"),
                Icon::Pencil,
                Box::new(move || bench.with_editor(|editor| editor.replace(&replace_id))),
            ),
        ))
        .view()
}

/// Copies the value of a hit without showing it.
pub fn copy_value(bench: Workbench, draft: Draft, id: &str) {
    let found = draft
        .check
        .with_untracked(|check| check.masked().find(|hit| hit.id == id).cloned());
    let value = found
        .as_ref()
        .and_then(|hit| draft.text.with_untracked(|text| seal::value(text, hit)));
    if let (Some(hit), Some(value)) = (found, value) {
        copy_secret(bench.app, hit.path, value);
    }
}

/// A place in the text, as a way to it.
pub fn line_link(line: usize) -> View {
    way_to(line, format!("line {line}"), format!("Go to line {line}"))
}

/// A way to a place in the text: the words that are seen, and those that are heard.
pub fn way_to(line: usize, seen: String, heard: String) -> View {
    let bench = Workbench::take();
    button()
        .attr("type", "button")
        .class("quiet line")
        .attr("aria-label", heard)
        .on(ev::click, move |_| {
            bench.with_editor(|editor| editor.go_to(line))
        })
        .child(seen)
        .view()
}
