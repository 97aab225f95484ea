//! A modal question. The browser's own `dialog` keeps the focus inside and gives it back afterwards.

use leptos::ev;
use leptos::html::{self, div, h2};
use leptos::prelude::*;

/// A dialog that is open while `open` is true; closing it in any way calls `close`.
pub fn dialog(
    id: &'static str,
    title: &'static str,
    open: Signal<bool>,
    close: impl Fn() + Copy + 'static,
    body: impl Fn() -> AnyView + Send + 'static,
) -> AnyView {
    let node = NodeRef::<html::Dialog>::new();
    let title_id = format!("{id}-title");
    Effect::new(move |_| {
        let open = open.get();
        let Some(node) = node.get() else { return };
        if open && !node.open() {
            // refused only for a node outside the document
            drop(node.show_modal());
        } else if !open && node.open() {
            node.close();
        }
    });
    html::dialog()
        .node_ref(node)
        .id(id)
        .attr("aria-labelledby", title_id.clone())
        .on(ev::close, move |_| {
            if open.get_untracked() {
                close();
            }
        })
        .child((
            h2().id(title_id).child(title),
            div().class("dialog-body").child(move || open.get().then(&body)),
        ))
        .into_any()
}
