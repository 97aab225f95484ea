//! Light, dark, or as the system has it.

use leptos::ev;
use leptos::prelude::*;

use super::icon::{Icon, icon};
use crate::browser;
use crate::view::{Content, View, button, div, fieldset, follow, input, label, legend, span};

/// What a person chose; `None` follows the system.
pub fn theme() -> RwSignal<Option<&'static str>> {
    let chosen = match browser::preference(KEY).as_deref() {
        Some("dark") => Some("dark"),
        Some("light") => Some("light"),
        _ => None,
    };
    let signal = RwSignal::new(chosen);
    follow(move || {
        let theme = signal.get();
        let Some(root) = document().document_element() else {
            return;
        };
        // attribute names that cannot be refused
        drop(match theme {
            Some(theme) => root.set_attribute("data-theme", theme),
            None => root.remove_attribute("data-theme"),
        });
        browser::set_preference(KEY, theme);
    });
    signal
}

/// One button that turns to the other theme.
pub fn switch(theme: RwSignal<Option<&'static str>>) -> View {
    let dark = move || {
        theme
            .get()
            .map_or_else(browser::prefers_dark, |theme| theme == "dark")
    };
    let name = move || {
        if dark() {
            "Use the light theme"
        } else {
            "Use the dark theme"
        }
    };
    button()
        .attr("type", "button")
        .class("rail-item")
        .attr("aria-label", name)
        .attr("title", name)
        .on(ev::click, move |_| {
            theme.set(Some(if dark() { "light" } else { "dark" }))
        })
        .child((
            move || icon(if dark() { Icon::Sun } else { Icon::Moon }),
            span()
                .class("rail-label")
                .child(move || if dark() { "Light" } else { "Dark" }),
        ))
        .view()
}

/// All three choices.
pub fn choice(theme: RwSignal<Option<&'static str>>) -> View {
    let option = move |value: Option<&'static str>, name: &'static str| {
        label().class("choice").child((
            input()
                .attr("type", "radio")
                .attr("name", "theme")
                .checked(move || theme.get() == value)
                .on(ev::change, move |_| theme.set(value)),
            name,
        ))
    };
    fieldset()
        .class("choices")
        .child((
            legend().child("Theme"),
            div().child((
                option(None, "As the system has it"),
                option(Some("light"), "Light"),
                option(Some("dark"), "Dark"),
            )),
        ))
        .view()
}

const KEY: &str = "theme";
