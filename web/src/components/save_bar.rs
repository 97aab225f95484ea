//! Saving: the button, the strip that says what it will do, and the way of the newest save.

use leptos::ev;
use leptos::prelude::*;
use stackseal_model::api::SaveState;

use super::icon::{Icon, icon};
use crate::browser;
use crate::diff;
use crate::draft::{Draft, Preview};
use crate::seal::Finding;
use crate::view::{Content, View, button, div, li, ol, p, span};
use crate::words::{Effect as Changes, Plan, effect, short_commit};
use crate::workbench::{Saving, Workbench};

/// The button, at the top.
pub fn save_button() -> View {
    let bench = Workbench::take();
    let busy = Memo::new(move |_| bench.is_busy());
    let label = move || {
        bench.saving.with(|saving| match saving {
            Saving::Sealing => "Encrypting…".to_owned(),
            Saving::Sending => "Saving…".to_owned(),
            Saving::Watching(save) if busy.get() && save.state == SaveState::Accepted => {
                "Committing…".to_owned()
            }
            Saving::Watching(save) if busy.get() && save.state == SaveState::Committed => {
                "Pushing…".to_owned()
            }
            Saving::Idle | Saving::Conflict(_) | Saving::Refused { .. } | Saving::Watching(_) => {
                "Seal and save".to_owned()
            }
        })
    };
    button()
        .attr("type", "button")
        .class("primary save")
        .attr("aria-disabled", move || {
            (busy.get() || !can_be_saved(&bench.changed())).then_some("true")
        })
        .attr("title", if browser::is_mac() { "⌘S" } else { "Ctrl-S" })
        .on(ev::click, move |_| bench.save())
        .child((icon(Icon::Locked), label))
        .view()
}

/// Whether there is something to save, and nothing that keeps it from being saved. Tracks.
fn can_be_saved(changed: &[Draft]) -> bool {
    let refused = |preview: &Preview| matches!(preview, Preview::Refused(_));
    !changed.is_empty() && !changed.iter().any(|draft| draft.preview.with(refused))
}

/// How much differs from Git, beside the button.
pub fn change_count() -> View {
    let bench = Workbench::take();
    span()
        .class("change-count")
        .child(move || match bench.changed().len() {
            // where the screen is small, the way of the save is out of sight
            0 => match bench.saving.get() {
                Saving::Watching(save) if save.state == SaveState::Pushed => announced(bench),
                _ => "No changes".to_owned(),
            },
            1 => "1 file changed".to_owned(),
            n => format!("{n} files changed"),
        })
        .view()
}

/// The strip under the panes.
pub fn strip() -> View {
    let bench = Workbench::take();
    let sentence = Memo::new(move |_| plan(bench));
    div()
        .class("strip")
        .child((
            p().class("plan")
                .class_if("wrong", move || sentence.with(|(_, wrong)| *wrong))
                .child(move || sentence.get().0),
            steps(bench),
            p().class("unseen")
                .attr("role", "status")
                .attr("aria-live", "polite")
                .attr("data-testid", "save-state")
                .child(move || announced(bench)),
        ))
        .view()
}

/// What saving will do, or why it cannot be done yet.
fn plan(bench: Workbench) -> (String, bool) {
    let changed = bench.changed();
    if changed.is_empty() {
        return (
            "Nothing to save: nothing was changed here.".to_owned(),
            false,
        );
    }
    let mut all = Changes::default();
    for draft in &changed {
        match draft.preview.get() {
            Preview::Ready(text) => {
                let git = draft.origin.with(|origin| {
                    origin
                        .as_ref()
                        .map(|origin| origin.git.clone())
                        .unwrap_or_default()
                });
                let one = effect(&diff::rows(&git, &text));
                all.sealed += one.sealed;
                all.clear += one.clear;
            }
            Preview::Refused(_) if draft.is_blank() => {
                return (
                    "Name the new file and write its text, then it can be saved.".to_owned(),
                    false,
                );
            }
            Preview::Refused(words) => {
                let name = draft.name.get();
                let name = if name.is_empty() {
                    "The new file".to_owned()
                } else {
                    name
                };
                // what concerns the text stands under it in full
                let listed = |finding: &Finding| finding.words == words;
                let more = match draft.check.with(|check| check.findings.iter().any(listed)) {
                    true => "",
                    false => &words.why,
                };
                let sentence = format!("{name} cannot be saved yet. {} {more}", words.what);
                return (sentence.trim_end().to_owned(), true);
            }
            Preview::Waiting => {}
        }
    }
    let Some(organisation) = bench.app.organisation() else {
        return (String::new(), false);
    };
    let plan = Plan {
        files: changed.len(),
        effect: all,
        organisation: organisation.name.as_str(),
        recipient: organisation
            .encryption
            .as_ref()
            .map(|encryption| encryption.recipient.as_str())
            .unwrap_or_default(),
        branch: &organisation.repository.branch,
        remote: &organisation.repository.remote,
    };
    (format!("Will be saved: {}", plan.sentence()), false)
}

/// The steps of the newest save, with their times.
fn steps(bench: Workbench) -> View {
    (move || {
        let Saving::Watching(save) = bench.saving.get() else {
            return None;
        };
        let reached = |state: SaveState| {
            save.steps
                .iter()
                .find(|step| step.state == state)
                .map(|step| step.at.clone())
        };
        let step = |state: SaveState, name: &'static str| {
            let at = reached(state);
            let done = at.is_some();
            let clock = at.as_deref().map(browser::clock_time);
            let commit = (state == SaveState::Pushed && done)
                .then(|| save.commit.as_deref().map(short_commit))
                .flatten();
            li().class_if("done", move || done)
                .attr("title", at)
                .child((
                    icon(if done { Icon::Check } else { Icon::Dot }),
                    name,
                    span().class("clock").child(clock),
                    commit.map(|commit| span().class("commit").child(commit)),
                ))
        };
        Some(
            ol().class("steps")
                .attr("aria-label", "The way of the newest save")
                .child((
                    step(SaveState::Accepted, "Saved"),
                    step(SaveState::Committed, "Committed"),
                    step(SaveState::Pushed, "Pushed"),
                )),
        )
    })
    .view()
}

/// One short text per state, for the live region.
fn announced(bench: Workbench) -> String {
    bench.saving.with(|saving| match saving {
        Saving::Idle => String::new(),
        Saving::Sealing => "Encrypting".to_owned(),
        Saving::Sending => "Saving".to_owned(),
        Saving::Conflict(_) => "Conflict".to_owned(),
        Saving::Refused { .. } => "Not saved".to_owned(),
        Saving::Watching(save) => match save.state {
            SaveState::Accepted => "Saved".to_owned(),
            SaveState::Committed => "Committed".to_owned(),
            SaveState::Pushed => format!(
                "Pushed {}",
                save.commit.as_deref().map(short_commit).unwrap_or_default()
            ),
            SaveState::Pending => "Waiting".to_owned(),
            SaveState::Conflict => "Conflict".to_owned(),
            SaveState::Discarded => "Discarded".to_owned(),
        },
    })
}
