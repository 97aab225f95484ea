//! What a person has to know or decide about the newest save.

use leptos::ev;
use leptos::prelude::*;
use stackseal_model::api::{Save, SaveState};

use super::copy::copy_secret;
use super::notice::{Weight, notice};
use crate::browser;
use crate::error::{Words, of_problem};
use crate::view::{Content, View, button, div};
use crate::words::ago;
use crate::workbench::{Conflict, Saving, Workbench};

/// The notice, while there is something to say.
pub fn save_notice() -> View {
    let bench = Workbench::take();
    div()
        .class("save-notice")
        .child(move || match bench.saving.get() {
            Saving::Refused { words, again } => Some(notice(
                Weight::Danger,
                words,
                again.then(|| act("Try again", move || bench.save())).view(),
            )),
            Saving::Conflict(met) => Some(conflict(bench, met)),
            Saving::Watching(save) if save.state == SaveState::Pending => {
                Some(pending(bench, &save))
            }
            Saving::Watching(_) if bench.unreachable.get() => Some(notice(
                Weight::Warning,
                Words {
                    what: "The server does not answer.".to_owned(),
                    why:
                        "The save is in its journal and goes on by itself; this page keeps asking."
                            .to_owned(),
                    code: "offline".to_owned(),
                },
                ().view(),
            )),
            Saving::Idle | Saving::Sealing | Saving::Sending | Saving::Watching(_) => None,
        })
        .view()
}

fn pending(bench: Workbench, save: &Save) -> View {
    let words = save.reason.as_ref().map(of_problem).unwrap_or_default();
    let since = save
        .steps
        .first()
        .and_then(|step| browser::parse_time(&step.at));
    let since = since
        .map(|then| format!(" {}", ago(browser::now_ms(), then)))
        .unwrap_or_default();
    let words = Words {
        what: format!("Saved{since}, but not in Git yet. {}", words.what),
        ..words
    };
    let (retry, discard) = (save.id.clone(), save.id.clone());
    notice(
        Weight::Warning,
        words,
        (
            act("Try again", move || bench.retry(retry.clone())),
            act("Discard this save", move || {
                bench.discard_save(discard.clone())
            }),
        )
            .view(),
    )
}

fn conflict(bench: Workbench, conflict: Conflict) -> View {
    let Conflict { words, save, .. } = conflict;
    let Some(draft) = untrack(|| bench.conflicting()) else {
        return of_another_visit(bench, words, save);
    };
    let words = Words {
        what: "Somebody else changed this file meanwhile.".to_owned(),
        why: format!(
            "Nothing was overwritten and your text is still here. {}",
            words.why
        ),
        ..words
    };
    let seen = move || bench.theirs.with(Option::is_some);
    let copy = move || {
        copy_secret(
            bench.app,
            "your text".to_owned(),
            draft.text.get_untracked(),
        )
    };
    notice(
        Weight::Danger,
        words,
        (
            act("Show what Git has now", move || bench.show_theirs()),
            act("Copy my text", copy),
            move || seen().then(|| act("Keep mine, to save over it", move || bench.keep_mine())),
            act("Discard mine", move || bench.asks_to_take_theirs.set(true)),
        )
            .view(),
    )
}

/// The text of that save is not here: it was typed in another tab, or before the page was loaded.
fn of_another_visit(bench: Workbench, words: Words, save: Option<String>) -> View {
    let words = Words {
        what: "An earlier save of this stack met somebody else's change and was not applied.".to_owned(),
        why: "Its text was typed in another tab or at another visit. Make the change again, or discard that save.".to_owned(),
        ..words
    };
    let discard = save.map(|id| act("Discard that save", move || bench.discard_save(id.clone())));
    notice(Weight::Warning, words, discard.view())
}

fn act(name: &'static str, act: impl Fn() + 'static) -> View {
    button()
        .attr("type", "button")
        .on(ev::click, move |_| act())
        .child(name)
        .view()
}
