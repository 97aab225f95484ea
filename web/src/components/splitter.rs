//! The border between the editor and the Git pane: drawn with the pointer or moved with the arrow keys, and
//! remembered by this browser.

use leptos::ev;
use leptos::prelude::*;
use web_sys::HtmlElement;

use crate::browser;
use crate::view::{Content, View, div, follow};

/// The border. `panes` is the element whose custom property `--git-share` it sets.
pub fn splitter(panes: HtmlElement) -> View {
    let kept = browser::preference(KEY).and_then(|text| text.parse().ok());
    let share = RwSignal::new(kept.map_or(USUAL, |share: i32| share.clamp(LEAST, MOST)));
    let style = panes.style();
    follow(move || {
        // the name and the number are well-formed
        drop(style.set_property("--git-share", &format!("{}%", share.get())));
    });
    let keep = move || browser::set_preference(KEY, Some(&share.get_untracked().to_string()));
    let settle = move |wanted: i32| {
        share.set(wanted.clamp(LEAST, MOST));
        keep();
    };
    let border = div().class("splitter");
    let handle: HtmlElement = border.node();
    let holds = RwSignal::new(false);
    border
        .attr("role", "separator")
        .attr("tabindex", "0")
        .attr("aria-orientation", "vertical")
        .attr("aria-label", "Width of the Git pane")
        .attr("aria-valuemin", LEAST.to_string())
        .attr("aria-valuemax", MOST.to_string())
        .attr("aria-valuenow", move || share.get().to_string())
        .on(ev::keydown, move |event| {
            let step = match event.key().as_str() {
                "ArrowLeft" => STEP,
                "ArrowRight" => -STEP,
                _ => return,
            };
            event.prevent_default();
            settle(share.get_untracked() + step);
        })
        .on(ev::pointerdown, move |event| {
            event.prevent_default();
            // a pointer that is gone already cannot be held
            holds.set(handle.set_pointer_capture(event.pointer_id()).is_ok());
        })
        .on(ev::pointermove, move |event| {
            if holds.get_untracked() {
                let frame = panes.get_bounding_client_rect();
                let wanted = (frame.right() - f64::from(event.client_x())) / frame.width() * 100.0;
                #[expect(clippy::cast_possible_truncation, reason = "a share of the window")]
                share.set((wanted.round() as i32).clamp(LEAST, MOST));
            }
        })
        .on(ev::pointerup, move |_| {
            holds.set(false);
            keep();
        })
        .on(ev::dblclick, move |_| settle(USUAL))
        .view()
}

const KEY: &str = "git-pane-percent";
const USUAL: i32 = 37;
const LEAST: i32 = 20;
const MOST: i32 = 60;
const STEP: i32 = 2;
