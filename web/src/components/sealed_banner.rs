//! Above a sealed file: why it cannot be edited, and the one thing to do about it.

use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
use stackseal_model::api::Purpose;

use super::icon::{Icon, icon};
use super::notice::{Weight, notice};
use crate::draft::Draft;
use crate::error::Words;
use crate::view::{Content, View, button, div, p, strong};
use crate::workbench::Workbench;

/// The banner, while the file is locked.
pub fn sealed_banner(draft: Draft) -> View {
    let bench = Workbench::take();
    let busy = RwSignal::new(false);
    let failed = RwSignal::new(None::<Words>);
    let unlock = move || {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        failed.set(None);
        spawn_local(async move {
            if let Err(words) = bench.unlock(draft, Purpose::Edit).await {
                failed.try_set(Some(words));
            }
            busy.try_set(false);
        });
    };
    (move || {
        draft.locked.get().then(|| {
            div().class("sealed-banner").child((
                icon(Icon::Locked),
                p().child((
                    strong().child("This file is sealed. "),
                    "Unlocking brings its data key, wrapped for this tab alone, and opens the values here. The server records who asked, and when.",
                )),
                button()
                    .attr("type", "button")
                    .class("primary")
                    .attr("aria-disabled", move || busy.get().then_some("true"))
                    .on(ev::click, move |_| unlock())
                    .child(move || if busy.get() { "Unlocking…" } else { "Unlock to edit" }),
                move || failed.get().map(|words| notice(Weight::Danger, words, ().view())),
            ))
        })
    })
    .view()
}
