//! A modal question. The browser's own `dialog` keeps the focus inside and gives it back afterwards.

use leptos::ev;
use leptos::prelude::*;
use web_sys::HtmlDialogElement;

use crate::view::{Content, View, div, element, follow, h2};

/// A dialog that is open while `open` is true; closing it in any way calls `close`.
pub fn dialog(
    id: &'static str,
    title: &'static str,
    open: Signal<bool>,
    close: impl Fn() + Copy + 'static,
    body: impl Fn() -> View + 'static,
) -> View {
    let title_id = format!("{id}-title");
    let dialog = element("dialog")
        .attr("id", id)
        .attr("aria-labelledby", title_id.clone())
        .on(ev::close, move |_| {
            // the event comes late: the screen that asked may be gone by then, and its signals with it
            if open.try_get_untracked() == Some(true) {
                close();
            }
        })
        .child(h2().attr("id", title_id).child(title))
        .child(
            div()
                .class("dialog-body")
                .child(move || open.get().then(&body)),
        );
    let node: HtmlDialogElement = dialog.node();
    // behind the body in line: what is to get the focus has to be there
    follow(move || {
        if open.get() && !node.open() {
            // refused only for a node outside the document
            drop(node.show_modal());
        } else if !open.get() && node.open() {
            node.close();
        }
    });
    dialog.view()
}
