//! What is only done in the builder after it was asked twice.

use leptos::ev;
use leptos::prelude::*;

use super::dialog::dialog;
use crate::draft::Draft;
use crate::view::{Content, View, button, div, p};
use crate::workbench::Workbench;

/// The dialogs, each closed until something asks.
pub fn questions(bench: Workbench) -> View {
    let discarding = Signal::derive(move || bench.asks_to_discard.with(Option::is_some));
    let taking = Signal::derive(move || bench.asks_to_take_theirs.get());
    (
        dialog(
            "discard",
            "Drop what you typed?",
            discarding,
            move || bench.asks_to_discard.set(None),
            move || {
                let asked = move || untrack(|| bench.draft(bench.asks_to_discard.get()?));
                let yes = move || {
                    if let Some(draft) = asked() {
                        bench.asks_to_discard.set(None);
                        bench.discard(draft);
                    }
                };
                let is_new = untrack(|| asked().is_some_and(Draft::is_new));
                question(
                    if is_new {
                        "This file was never saved. It is gone then."
                    } else {
                        "The changes to this file since its last save are gone then."
                    },
                    "Keep editing",
                    "Drop the changes",
                    move || bench.asks_to_discard.set(None),
                    yes,
                )
            },
        ),
        dialog(
            "take-theirs",
            "Discard your text?",
            taking,
            move || bench.asks_to_take_theirs.set(false),
            move || {
                let yes = move || {
                    bench.asks_to_take_theirs.set(false);
                    bench.take_theirs();
                };
                question(
                    "What the branch holds now takes its place. Your text cannot be brought back.",
                    "Keep my text",
                    "Discard my text",
                    move || bench.asks_to_take_theirs.set(false),
                    yes,
                )
            },
        ),
    )
        .view()
}

fn question(
    text: &'static str,
    no_name: &'static str,
    yes_name: &'static str,
    no: impl Fn() + 'static,
    yes: impl Fn() + 'static,
) -> View {
    div()
        .child((
            p().child(text),
            div().class("dialog-actions").child((
                button()
                    .attr("type", "button")
                    .attr("autofocus", "")
                    .on(ev::click, move |_| no())
                    .child(no_name),
                button()
                    .attr("type", "button")
                    .class("danger")
                    .on(ev::click, move |_| yes())
                    .child(yes_name),
            )),
        ))
        .view()
}
