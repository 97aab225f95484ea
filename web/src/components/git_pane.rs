//! "What Git will hold": the very bytes that saving sends, and their difference to what Git holds.

use leptos::ev;
use leptos::prelude::*;

use super::editor::{Shown, git_view};
use super::icon::{Icon, icon};
use crate::diff;
use crate::draft::{Draft, Preview};
use crate::view::{Content, View, button, div, h2, p, section, span};
use crate::words::count;
use crate::workbench::Workbench;

/// Which of the two is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Diff,
    Sealed,
}

/// The pane.
pub fn git_pane(draft: Draft) -> View {
    let bench = Workbench::take();
    let side = RwSignal::new(Side::Sealed);
    let fold = RwSignal::new(true);
    // while the draft cannot be sealed, the last bytes stay in view
    let bytes = Memo::new(move |before: Option<&String>| match draft.preview.get() {
        Preview::Ready(text) => text,
        Preview::Refused(_) | Preview::Waiting => before.cloned().unwrap_or_default(),
    });
    let stale = Memo::new(move |_| {
        draft
            .preview
            .with(|preview| matches!(preview, Preview::Refused(_)))
    });
    let git = Memo::new(move |_| {
        draft
            .origin
            .with(|origin| origin.as_ref().map(|origin| origin.git.clone()))
    });
    let theirs = move || bench.theirs.get().map(|member| member.text);
    let shown = Memo::new(move |_| {
        if let Some(text) = theirs() {
            return Shown::Text(text);
        }
        match side.get() {
            Side::Sealed => Shown::Text(bytes.get()),
            Side::Diff => {
                let old = git.get().unwrap_or_default();
                let new = bytes.get();
                Shown::diff(&diff::hunks(diff::rows(&old, &new), CONTEXT))
            }
        }
    });
    let tally = move || {
        if stale.get() {
            return String::new();
        }
        let old = git.get().unwrap_or_default();
        let new = bytes.get();
        let count = diff::count(&diff::rows(&old, &new));
        if count == diff::Count::default() {
            "No changes".to_owned()
        } else {
            format!("+{} −{}", count.added, count.removed)
        }
    };
    let theirs_shown = move || bench.theirs.with(Option::is_some);
    let tab = move |this: Side, name: &'static str, extra: View| {
        button()
            .attr("type", "button")
            .attr("role", "tab")
            .attr(
                "id",
                if this == Side::Sealed {
                    "git-tab-sealed"
                } else {
                    "git-tab-diff"
                },
            )
            .attr("aria-controls", "git-panel")
            .attr("aria-selected", move || {
                if !theirs_shown() && side.get() == this {
                    "true"
                } else {
                    "false"
                }
            })
            .attr(
                "tabindex",
                move || if side.get() == this { "0" } else { "-1" },
            )
            .on(ev::click, move |_| {
                bench.theirs.set(None);
                side.set(this);
            })
            .child((name, extra))
    };
    let caption = move || {
        if bench.theirs.with(Option::is_some) {
            return "What the branch holds now, after somebody else's change.".to_owned();
        }
        let size = count(bytes.with(String::len), "byte", "bytes");
        if stale.get() {
            let nothing = bytes.with(String::is_empty);
            match draft.is_blank() {
                true => "Nothing yet: the file is empty.",
                false if nothing => "Nothing yet: what you typed cannot be saved.",
                false => "Out of date: what you typed cannot be saved yet.",
            }
            .to_owned()
        } else if draft.changed.get() {
            format!("{size}, exactly as they will be committed.")
        } else {
            format!("{size}, as Git holds them.")
        }
    };
    section()
        .class("git-pane")
        .class_if("stale", move || stale.get())
        .attr("aria-labelledby", "git-title")
        .child((
            div().class("pane-head").child((
                h2().attr("id", "git-title")
                    .child((icon(Icon::Git), "What Git will hold")),
                div()
                    .class("tabs")
                    .attr("role", "tablist")
                    .attr("aria-label", "Views of what Git will hold")
                    .on(ev::keydown, move |event| {
                        if matches!(event.key().as_str(), "ArrowLeft" | "ArrowRight") {
                            let next = if side.get_untracked() == Side::Sealed {
                                Side::Diff
                            } else {
                                Side::Sealed
                            };
                            side.set(next);
                            crate::browser::focus(if next == Side::Sealed {
                                "git-tab-sealed"
                            } else {
                                "git-tab-diff"
                            });
                        }
                    })
                    .child((
                        tab(Side::Sealed, "Sealed text", ().view()),
                        tab(
                            Side::Diff,
                            "Diff",
                            span().class("tally").child(tally).view(),
                        ),
                        move || {
                            theirs_shown().then(|| {
                                button()
                                    .attr("type", "button")
                                    .attr("role", "tab")
                                    .attr("aria-controls", "git-panel")
                                    .attr("aria-selected", "true")
                                    .child("Git now")
                            })
                        },
                    )),
            )),
            div()
                .attr("id", "git-panel")
                .class("pane-body")
                .attr("role", "tabpanel")
                .attr("aria-labelledby", move || {
                    if side.get() == Side::Sealed {
                        "git-tab-sealed"
                    } else {
                        "git-tab-diff"
                    }
                })
                .child(git_view("What Git will hold", shown.into(), fold.into())),
            div().class("pane-foot").child((
                p().class("hint").child(caption),
                button()
                    .attr("type", "button")
                    .class("quiet")
                    .on(ev::click, move |_| fold.update(|fold| *fold = !*fold))
                    .child(move || {
                        if fold.get() {
                            "Show ciphertext"
                        } else {
                            "Fold ciphertext"
                        }
                    }),
            )),
        ))
        .view()
}

const CONTEXT: usize = 3;
