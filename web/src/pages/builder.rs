//! The Stack Builder: the files of one stack, the editor, and beside it what Git will hold.

use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
use stackseal_model::name::StackName;
use stackseal_model::stack::MemberKind;
use web_sys::HtmlElement;

use crate::browser;
use crate::components::details::details;
use crate::components::frame::link;
use crate::components::git_pane::git_pane;
use crate::components::icon::{Icon, icon};
use crate::components::keys::keys;
use crate::components::members::members;
use crate::components::notice::{Weight, notice};
use crate::components::questions::questions;
use crate::components::save_bar::{change_count, save_button, strip};
use crate::components::save_notice::save_notice;
use crate::components::sealed_banner::sealed_banner;
use crate::components::splitter::splitter;
use crate::components::text_editor::text_editor;
use crate::route::Route;
use crate::samples;
use crate::view::{Content, View, button, div, h1, h2, header, p, section};
use crate::workbench::{Load, Tab, Workbench};

/// The screen of one stack.
pub fn builder(name: &StackName) -> View {
    browser::set_title(name.as_str());
    let bench = Workbench::provide(name.clone());
    if bench.app.sample.get_value() {
        bench.app.sample.set_value(false);
        bench.begin_sample();
    } else {
        spawn_local(bench.load());
    }
    save_by_keyboard(bench);
    let body = move || match bench.load.get() {
        Load::Waiting => p()
            .class("hint waiting")
            .attr("role", "status")
            .child("Reading the stack…")
            .view(),
        Load::Failed(words) => notice(
            Weight::Danger,
            words,
            button()
                .attr("type", "button")
                .on(ev::click, move |_| spawn_local(bench.load()))
                .child("Try again")
                .view(),
        ),
        Load::Missing => missing(),
        Load::Ready => panes(bench),
    };
    div()
        .class("builder")
        .attr("data-tab", move || match bench.tab.get() {
            Tab::Edit => "edit",
            Tab::Git => "git",
            Tab::Members => "members",
        })
        .child((
            header().class("builder-head").child((
                div().class("crumbs").child((
                    link(Route::Stacks, "crumb", "Stacks".view()),
                    h1().child(name.to_string()),
                    p().class("hint").child(move || bench.description.get()),
                )),
                move || {
                    (bench.load.get() == Load::Ready).then(|| {
                        div()
                            .class("head-actions")
                            .child((change_count(), save_button()))
                    })
                },
            )),
            body,
            questions(bench),
        ))
        .view()
}

fn missing() -> View {
    div()
        .class("empty")
        .child((
            icon(Icon::Stacks),
            h2().child("There is no such stack"),
            p().child("It may have been renamed or removed on the branch."),
            link(Route::Stacks, "button primary", "See all stacks".view()),
        ))
        .view()
}

fn panes(bench: Workbench) -> View {
    let shown = Memo::new(move |_| bench.shown().map(|draft| draft.id));
    let draft = move || shown.get().and_then(|_| untrack(|| bench.shown()));
    let part = move |tab: Tab, name: &'static str| {
        button()
            .attr("type", "button")
            .attr("aria-pressed", move || {
                if bench.tab.get() == tab {
                    "true"
                } else {
                    "false"
                }
            })
            .on(ev::click, move |_| bench.tab.set(tab))
            .child(name)
    };
    let panes = div().class("panes");
    let frame: HtmlElement = panes.node();
    (
        save_notice(),
        div()
            .class("parts")
            .attr("role", "group")
            .attr("aria-label", "Shown part")
            .child((
                part(Tab::Members, "Files"),
                part(Tab::Edit, "Edit"),
                part(Tab::Git, "Git"),
            )),
        panes.child((
            members(),
            section()
                .class("edit-pane")
                .class_if("nothing", move || shown.get().is_none())
                .attr("aria-label", "Editor")
                .child((
                    move || draft().map(details),
                    move || draft().map(sealed_banner),
                    text_editor(bench),
                    move || {
                        draft().map(|draft| {
                            (move || (!draft.locked.get()).then(|| keys(draft))).view()
                        })
                    },
                    move || shown.get().is_none().then(|| no_files(bench)),
                )),
            move || shown.get().is_some().then(|| splitter(frame.clone())),
            move || draft().map(git_pane),
        )),
        strip(),
    )
        .view()
}

fn no_files(bench: Workbench) -> View {
    div()
        .class("empty")
        .child((
            icon(Icon::File),
            h2().child("No files in this stack yet"),
            p().child("Add a manifest, or an add-on with its Helm values. Then mark the keys whose values are secret."),
            div().class("actions").child((
                button().attr("type", "button").class("primary").on(ev::click, move |_| {
                    bench.add_blank(MemberKind::Manifest);
                }).child("Add a manifest"),
                button().attr("type", "button").on(ev::click, move |_| {
                    bench.add_blank(MemberKind::Addon);
                }).child("Add an add-on"),
                button().attr("type", "button").class("quiet").on(ev::click, move |_| samples::fill(bench)).child("Take the sample files"),
            )),
        ))
        .view()
}

fn save_by_keyboard(bench: Workbench) {
    let listener = window_event_listener(ev::keydown, move |event| {
        if (event.ctrl_key() || event.meta_key())
            && !event.alt_key()
            && event.key().eq_ignore_ascii_case("s")
        {
            event.prevent_default();
            bench.save();
        }
    });
    on_cleanup(move || listener.remove());
}
