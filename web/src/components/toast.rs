//! The one place for short messages: announced once, gone after a while.

use leptos::prelude::*;

use crate::browser;
use crate::session::App;
use crate::view::{Content, View, div, follow};

/// The region, empty until something is said.
pub fn toasts() -> View {
    let app = App::take();
    let timer = StoredValue::new_local(None);
    follow(move || {
        if app.toast.with(Option::is_some) {
            timer.set_value(Some(browser::after(SHOWN_MS, move || app.toast.set(None))));
        }
    });
    div()
        .class("toasts")
        .attr("role", "status")
        .attr("aria-live", "polite")
        .child(move || app.toast.get().map(|text| div().class("toast").child(text)))
        .view()
}

const SHOWN_MS: u32 = 6_000;
