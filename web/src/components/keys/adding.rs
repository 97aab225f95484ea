//! Adding a mark: by typing it, or by taking one that looks right.

use leptos::ev;
use leptos::prelude::*;

use crate::components::icon::{Icon, icon};
use crate::draft::Draft;
use crate::view::{Content, View, button, div, form, input, label, li, span, ul};

/// The field.
pub fn add(draft: Draft) -> View {
    let text = RwSignal::new(String::new());
    let submit = move || {
        let mark = text.get_untracked().trim().to_owned();
        if !mark.is_empty() {
            draft.mark(&mark);
            text.set(String::new());
        }
    };
    form()
        .class("add-mark")
        .on(ev::submit, move |event| {
            event.prevent_default();
            submit();
        })
        .child((
            label()
                .class("unseen")
                .attr("for", "new-mark")
                .child("Key to encrypt"),
            input()
                .attr("id", "new-mark")
                .attr("type", "text")
                .attr("autocomplete", "off")
                .attr("autocapitalize", "off")
                .attr("spellcheck", "false")
                .attr(
                    "placeholder",
                    "password, auth.password or .dockerconfigjson",
                )
                .value(move || text.get())
                .on(ev::input, move |event| text.set(event_target_value(&event))),
            button().attr("type", "submit").child("Add key"),
        ))
        .view()
}

/// Keys that look secret and are not marked, ready to be taken.
pub fn suggestions(draft: Draft) -> Option<View> {
    let suggestions = draft.suggestions.get();
    if suggestions.is_empty() || draft.locked.get() {
        return None;
    }
    let chips: Vec<_> = suggestions
        .into_iter()
        .map(|suggestion| {
            let mark = suggestion.mark.clone();
            li().child(
                button()
                    .attr("type", "button")
                    .class("chip")
                    .attr("aria-label", format!("Mark {}", suggestion.mark))
                    .on(ev::click, move |_| draft.mark(&mark))
                    .child((icon(Icon::Plus), suggestion.mark)),
            )
        })
        .collect();
    Some(
        div()
            .class("suggestions")
            .child((
                span()
                    .class("hint")
                    .attr("id", "suggest-title")
                    .child("Look secret, stay readable:"),
                ul().attr("aria-labelledby", "suggest-title").child(chips),
            ))
            .view(),
    )
}
