//! The frame of every screen after sign-in: the rail with what exists, and the place for the screen.

use leptos::ev;
use leptos::prelude::*;

use super::help::{help, help_button};
use super::icon::{Icon, icon};
use super::theme;
use crate::route::Route;
use crate::session::App;
use crate::view::{Content, Element, View, a, aside, div, main, nav, span};

/// The frame around a screen.
pub fn frame(
    screen: impl Fn() -> View + Send + 'static,
    theme: RwSignal<Option<&'static str>>,
) -> View {
    let app = App::take();
    let help_open = RwSignal::new(false);
    let organisation = move || {
        app.organisation()
            .map(|organisation| organisation.name.to_string())
    };
    div()
        .class("frame")
        .child((
            a().attr("href", "#main")
                .class("skip")
                .child("Skip to the content"),
            aside()
                .class("rail")
                .attr("aria-label", "Stackseal")
                .child((
                    div().class("rail-brand").child((
                        icon(Icon::Locked),
                        span()
                            .class("rail-label")
                            .child(move || organisation().unwrap_or_default()),
                    )),
                    nav().attr("aria-label", "Main").child((
                        rail_link(Route::Stacks, Icon::Stacks, "Stacks"),
                        rail_link(Route::Settings, Icon::Settings, "Settings"),
                    )),
                    div()
                        .class("rail-foot")
                        .child((theme::switch(theme), help_button(help_open))),
                )),
            main()
                .attr("id", "main")
                .attr("tabindex", "-1")
                .child(screen),
            help(help_open),
        ))
        .view()
}

fn rail_link(route: Route, glyph: Icon, name: &'static str) -> View {
    let app = App::take();
    let target = route.clone();
    let current = move || {
        let here = app.route.get();
        here == target || (target == Route::Stacks && matches!(here, Route::Builder(_)))
    };
    link(
        route,
        "rail-item",
        (icon(glyph), span().class("rail-label").child(name)).view(),
    )
    .attr("aria-current", move || current().then_some("page"))
    .attr("title", name)
    .view()
}

/// A real link that changes the screen without loading the page again.
pub fn link(route: Route, class: &'static str, children: View) -> Element {
    let app = App::take();
    a().attr("href", route.path())
        .class(class)
        .child(children)
        .on(ev::click, move |event| {
            let elsewhere =
                event.ctrl_key() || event.meta_key() || event.shift_key() || event.button() != 0;
            if !elsewhere {
                event.prevent_default();
                app.go(route.clone());
            }
        })
}
