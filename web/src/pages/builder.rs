//! The Stack Builder: the files of one stack, the editor, and beside it what Git will hold.

use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
use stackseal_model::api::Purpose;
use stackseal_model::name::StackName;
use stackseal_model::stack::MemberKind;
use zeroize::Zeroizing;

use crate::browser;
use crate::components::details::details;
use crate::components::dialog::dialog;
use crate::components::editor::{Editor, Glyph, Told, editor, marks_json};
use crate::components::frame::link;
use crate::components::git_pane::git_pane;
use crate::components::icon::{Icon, icon};
use crate::components::keys::{copy_value, keys};
use crate::components::members::members;
use crate::components::notice::{Weight, notice};
use crate::components::save_bar::{change_count, save_button, save_notice, strip};
use crate::draft::{Draft, Standing};
use crate::error::Words;
use crate::route::Route;
use crate::samples;
use crate::workbench::{Load, Tab, Workbench};
use crate::view::{Content, View, button, div, h1, h2, header, p, section, strong};

/// The screen of one stack.
pub fn builder(name: StackName) -> View {
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
        Load::Waiting => p().class("hint waiting").attr("role", "status").child("Reading the stack…").view(),
        Load::Failed(words) => notice(
            Weight::Danger,
            words,
            button().attr("type", "button").on(ev::click, move |_| spawn_local(bench.load())).child("Try again").view(),
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
                move || (bench.load.get() == Load::Ready).then(|| div().class("head-actions").child((change_count(), save_button()))),
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
            .attr("aria-pressed", move || if bench.tab.get() == tab { "true" } else { "false" })
            .on(ev::click, move |_| bench.tab.set(tab))
            .child(name)
    };
    (
        save_notice(),
        div().class("parts").attr("role", "group").attr("aria-label", "Shown part").child((
            part(Tab::Members, "Files"),
            part(Tab::Edit, "Edit"),
            part(Tab::Git, "Git"),
        )),
        div().class("panes").child((
            members(),
            section().class("edit-pane").class_if("nothing", move || shown.get().is_none()).attr("aria-label", "Editor").child((
                move || draft().map(details),
                move || draft().map(sealed_banner),
                text_editor(bench),
                move || draft().map(|draft| (move || (!draft.locked.get()).then(|| keys(draft))).view()),
                move || shown.get().is_none().then(|| no_files(bench)),
            )),
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

/// Above a sealed file: why it cannot be edited, and the one thing to do about it.
fn sealed_banner(draft: Draft) -> View {
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

/// The one editor, which shows the draft that is active and keeps a history for each.
fn text_editor(bench: Workbench) -> View {
    let told = Told {
        changed: Box::new(move || {
            if let Some(draft) = untrack(|| bench.shown()) {
                bench.with_editor(|editor| draft.text.set(Zeroizing::new(editor.text())));
            }
        }),
        copy: Box::new(move |id| {
            if let Some(draft) = untrack(|| bench.shown()) {
                copy_value(bench, draft, &id);
            }
        }),
        revealed: Box::new(move |id, on| {
            bench.revealed.update(|revealed| {
                if on {
                    *revealed = Some(id);
                } else if revealed.as_deref() == Some(id.as_str()) {
                    *revealed = None;
                }
            });
        }),
    };
    editor(told, move |cell| {
        bench.editor.set_value(Some(cell));
        // the file that is shown, and what was put into it from outside
        Effect::new(move |_| {
            let Some(draft) = bench.shown() else { return };
            draft.revision.track();
            let locked = draft.locked.get();
            untrack(|| {
                let label = match draft.name.get() {
                    name if name.is_empty() => "YAML of the new file".to_owned(),
                    name => format!("YAML of {name}"),
                };
                let marks = marks(draft);
                bench.with_editor(|editor| {
                    editor.open(&draft.id.to_string(), &draft.text.read(), &label, locked, &marks);
                });
            });
        });
        // where the marks lie
        Effect::new(move |_| {
            let Some(draft) = bench.shown() else { return };
            let json = marks(draft);
            bench.with_editor(|editor: &Editor| editor.set_marks(&json));
        });
    })
}

fn marks(draft: Draft) -> String {
    let check = draft.check.read();
    let marks = draft.marks.read();
    let glyph = |hit: &_| match draft.standing(hit) {
        Standing::Changed => Glyph::Changed,
        Standing::Kept => Glyph::Sealed,
        Standing::New => Glyph::Marked,
    };
    marks_json(&draft.text.read(), &marks, &check, glyph)
}

/// What is only done after it was asked twice.
fn questions(bench: Workbench) -> View {
    let discarding = Signal::derive(move || bench.asks_to_discard.with(Option::is_some));
    let unmarking = Signal::derive(move || bench.asks_to_unmark.with(Option::is_some));
    let taking = Signal::derive(move || bench.asks_to_take_theirs.get());
    (
        dialog("discard", "Drop what you typed?", discarding, move || bench.asks_to_discard.set(None), move || {
            let yes = move || {
                if let Some(draft) = bench.asks_to_discard.get_untracked() {
                    bench.asks_to_discard.set(None);
                    bench.discard(draft);
                }
            };
            question("The changes to this file since its last save are gone then.", "Keep editing", "Drop the changes", move || bench.asks_to_discard.set(None), yes)
        }),
        dialog("unmark", "Store this value in clear text?", unmarking, move || bench.asks_to_unmark.set(None), move || {
            let yes = move || {
                if let Some((draft, mark)) = bench.asks_to_unmark.get_untracked() {
                    bench.asks_to_unmark.set(None);
                    draft.marks.update(|marks| marks.retain(|other| *other != mark));
                }
            };
            question("Git holds it sealed today. Without the mark, the next save writes it in clear text, for everyone who can read the repository.", "Keep it sealed", "Store it in clear text", move || bench.asks_to_unmark.set(None), yes)
        }),
        dialog("take-theirs", "Discard your text?", taking, move || bench.asks_to_take_theirs.set(false), move || {
            let yes = move || {
                bench.asks_to_take_theirs.set(false);
                bench.take_theirs();
            };
            question("What the branch holds now takes its place. Your text cannot be brought back.", "Keep my text", "Discard my text", move || bench.asks_to_take_theirs.set(false), yes)
        }),
    )
        .view()
}

fn question(
    text: &'static str,
    no_name: &'static str,
    yes_name: &'static str,
    no: impl Fn() + 'static,
    yes: impl Fn() + 'static,
) -> View {
    div()
        .child((
            p().child(text),
            div().class("dialog-actions").child((
                button().attr("type", "button").attr("autofocus", "").on(ev::click, move |_| no()).child(no_name),
                button().attr("type", "button").class("danger").on(ev::click, move |_| yes()).child(yes_name),
            )),
        ))
        .view()
}

fn save_by_keyboard(bench: Workbench) {
    let listener = window_event_listener(ev::keydown, move |event| {
        if (event.ctrl_key() || event.meta_key()) && !event.alt_key() && event.key().eq_ignore_ascii_case("s") {
            event.prevent_default();
            bench.save();
        }
    });
    on_cleanup(move || listener.remove());
}
