//! The files of the stack: which there are, how each stands, and how to add one.

use leptos::ev;
use leptos::prelude::*;
use stackseal_model::stack::MemberKind;

use super::icon::{Icon, icon};
use crate::draft::{Draft, Preview};
use crate::view::{Content, View, button, div, h2, li, nav, p, span, ul};
use crate::workbench::Workbench;

/// The list.
pub fn members() -> View {
    let bench = Workbench::take();
    let group = move |kind: MemberKind, title: &'static str, add: &'static str| {
        let list = move || {
            let drafts = bench.drafts.get();
            drafts
                .into_iter()
                .filter(|draft| draft.kind == kind)
                .map(|draft| li().child(entry(draft)))
                .collect::<Vec<_>>()
        };
        div().class("member-group").child((
            div().class("member-head").child((
                h2().child(title),
                button()
                    .attr("type", "button")
                    .class("quiet icon-only")
                    .attr("aria-label", add)
                    .attr("title", add)
                    .on(ev::click, move |_| {
                        bench.add_blank(kind);
                    })
                    .child(icon(Icon::Plus)),
            )),
            ul().child(list),
            p().class("hint none").child(move || {
                let empty = bench
                    .drafts
                    .with(|drafts| drafts.iter().all(|draft| draft.kind != kind));
                empty.then_some("None yet.")
            }),
        ))
    };
    nav()
        .class("members")
        .attr("aria-label", "Files of the stack")
        .child((
            group(MemberKind::Manifest, "Manifests", "Add a manifest"),
            group(MemberKind::Addon, "Add-ons", "Add an add-on"),
        ))
        .view()
}

fn entry(draft: Draft) -> View {
    let bench = Workbench::take();
    let state = Memo::new(move |_| standing(draft));
    button()
        .attr("type", "button")
        .class("member")
        .attr("aria-current", move || {
            (bench.active.get() == Some(draft.id)).then_some("true")
        })
        .on(ev::click, move |_| bench.show(draft))
        .child((
            icon(if draft.kind == MemberKind::Addon {
                Icon::Package
            } else {
                Icon::File
            }),
            span().class("member-name").child(move || {
                let name = draft.name.get();
                if name.is_empty() {
                    "Without a name".to_owned()
                } else {
                    name
                }
            }),
            move || {
                let (glyph, class, word) = state.get();
                glyph.map(|glyph| {
                    span().class(class).attr("title", word).child((
                        icon(glyph),
                        span().class("unseen").child(format!(", {word}")),
                    ))
                })
            },
        ))
        .view()
}

fn standing(draft: Draft) -> (Option<Icon>, &'static str, &'static str) {
    if draft.changed.get()
        && !draft.is_blank()
        && draft
            .preview
            .with(|preview| matches!(preview, Preview::Refused(_)))
    {
        return (Some(Icon::Warning), "state refused", "cannot be saved yet");
    }
    if draft.changed.get() {
        return (Some(Icon::Dot), "state changed", "changed");
    }
    if draft
        .origin
        .with(|origin| origin.as_ref().is_some_and(|origin| origin.sealed))
    {
        return if draft.locked.get() {
            (Some(Icon::Locked), "state sealed", "sealed")
        } else {
            (
                Some(Icon::Unlocked),
                "state sealed",
                "sealed, open in this tab",
            )
        };
    }
    (None, "state", "")
}
