//! `?`: the keys that do something, and a switch for those that are single letters.

use leptos::ev;
use leptos::prelude::*;

use super::dialog::dialog;
use super::icon::{Icon, icon};
use crate::browser;
use crate::view::{Content, View, button, dd, div, dl, dt, input, kbd, label, span};

/// The dialog, and whether it is open.
pub fn help(open: RwSignal<bool>) -> View {
    let single = RwSignal::new(browser::preference(SINGLE).as_deref() != Some("off"));
    let listener = window_event_listener(ev::keydown, move |event| {
        let wanted = event.key() == "?" && single.get_untracked() && !browser::is_typing(&event);
        if wanted && !open.get_untracked() {
            event.prevent_default();
            open.set(true);
        }
    });
    on_cleanup(move || listener.remove());
    dialog(
        "help",
        "Shortcuts",
        open.into(),
        move || open.set(false),
        move || body(open, single),
    )
}

/// The button that opens it.
pub fn help_button(open: RwSignal<bool>) -> View {
    button()
        .attr("type", "button")
        .class("rail-item")
        .attr("aria-label", "Shortcuts and help")
        .attr("title", "Shortcuts (?)")
        .on(ev::click, move |_| open.set(true))
        .child((
            icon(Icon::Help),
            span().class("rail-label").child("Shortcuts"),
        ))
        .view()
}

fn body(open: RwSignal<bool>, single: RwSignal<bool>) -> View {
    let command = if browser::is_mac() { "⌘" } else { "Ctrl" };
    let alt = if browser::is_mac() { "⌥" } else { "Alt" };
    let row = |keys: Vec<&'static str>, what: &'static str| {
        let keys: Vec<_> = keys.into_iter().map(|key| kbd().child(key)).collect();
        (dt().child(keys), dd().child(what))
    };
    div()
        .child((
            dl().class("shortcuts").child(vec![
                row(vec![command, "S"], "Seal and save"),
                row(vec![alt, "R"], "Reveal or hide the value at the cursor"),
                row(
                    vec![alt, "C"],
                    "Copy the value at the cursor without showing it",
                ),
                row(vec![command, "Z"], "Undo in the editor"),
                row(vec![command, "]"], "Indent the line; with [ the other way"),
                row(vec!["Tab"], "Leave the editor; it never keeps the focus"),
                row(vec!["?"], "This list"),
            ]),
            label().class("choice").child((
                input()
                    .attr("type", "checkbox")
                    .checked(move || single.get())
                    .on(ev::change, move |event| {
                        let on = event_target_checked(&event);
                        single.set(on);
                        browser::set_preference(SINGLE, (!on).then_some("off"));
                    }),
                "Open this with the ? key",
            )),
            div().class("dialog-actions").child(
                button()
                    .attr("type", "button")
                    .class("primary")
                    .on(ev::click, move |_| open.set(false))
                    .child("Close"),
            ),
        ))
        .view()
}

const SINGLE: &str = "single-letter-keys";
