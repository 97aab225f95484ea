//! "Encrypted Keys (SOPS)": the marks of a file, what each hits, and what is wrong with it.

use leptos::ev;
use leptos::prelude::*;

use super::copy::copy_secret;
use super::icon::{Icon, icon};
use super::notice::{Weight, notice};
use crate::draft::{Draft, Standing};
use crate::seal::{self, Finding, Hit};
use crate::words::count;
use crate::workbench::Workbench;
use crate::view::{Content, View, button, code, div, form, h2, input, label, li, p, section, span, ul};

/// The section.
pub fn keys(draft: Draft) -> View {
    let bench = Workbench::take();
    // values are typed often, marks and places change seldom: only then is the list built anew
    let model = Memo::new(move |_| Model::of(draft));
    section()
        .class("keys")
        .attr("aria-labelledby", "keys-title")
        .child((
            div().class("keys-head").child((
                h2().attr("id", "keys-title").child("Encrypted Keys (SOPS)"),
                p().class("hint").child(move || {
                    let values = model.with(|model| model.hits.iter().filter(|hit| !hit.hit.empty).count());
                    if values == 0 { String::new() } else { count(values, "value sealed", "values sealed") }
                }),
            )),
            add(draft),
            move || suggestions(draft),
            move || model.with(|model| model.about_text()),
            ul().class("marks").child(move || {
                let model = model.get();
                let marks = draft.marks.get_untracked();
                marks.into_iter().enumerate().map(|(number, mark)| item(bench, draft, number, mark, &model)).collect::<Vec<_>>()
            }),
            move || model.with(|model| model.extras(draft)),
        ))
        .view()
}

/// What the list shows.
#[derive(Clone, PartialEq)]
struct Model {
    marks: Vec<String>,
    hits: Vec<Placed>,
    findings: Vec<Finding>,
}

#[derive(Clone, PartialEq)]
struct Placed {
    hit: Hit,
    standing: Standing,
}

impl Model {
    fn of(draft: Draft) -> Self {
        let check = draft.check.get();
        let hits = check.hits.into_iter().map(|hit| {
            let standing = draft.standing(&hit);
            // where the value ends says how long it is, and changes with every key
            Placed { hit: Hit { span: 0..0, ..hit }, standing }
        });
        Self { marks: draft.marks.get(), hits: hits.collect(), findings: check.findings }
    }

    /// What concerns the text as a whole.
    fn about_text(&self) -> Vec<View> {
        let of_text = self.findings.iter().filter(|finding| finding.mark.is_none() && finding.words.code != MORE);
        of_text.map(remark).collect()
    }

    /// Values that no mark names, by the name that hits them.
    fn extras(&self, draft: Draft) -> Vec<View> {
        let mut keys: Vec<&str> = self.hits.iter().filter(|placed| placed.hit.mark.is_none()).map(|placed| placed.hit.key.as_str()).collect();
        keys.sort_unstable();
        keys.dedup();
        keys.into_iter().map(|key| self.extra(draft, key)).collect()
    }

    fn extra(&self, draft: Draft, key: &str) -> View {
        let of_key = |placed: &&Placed| placed.hit.key == key;
        let all = self.hits.iter().filter(of_key).count();
        let unnamed: Vec<_> = self
            .hits
            .iter()
            .filter(of_key)
            .filter(|placed| placed.hit.mark.is_none())
            .map(|placed| li().child((code().child(placed.hit.path.clone()), line_link(placed.hit.line))))
            .collect();
        let name = key.to_owned();
        div()
            .class("extra")
            .attr("role", "group")
            .attr("aria-label", format!("More values named {key}"))
            .child((
                p().child((
                    icon(Icon::Warning),
                    "Would be sealed too, because tools choose by name alone:",
                )),
                ul().child(unnamed),
                button()
                    .attr("type", "button")
                    .on(ev::click, move |_| mark_name(draft, &name))
                    .child(format!("Seal all {all} values named {key}")),
            ))
            .view()
    }
}

/// Replaces the paths that end in a name by the name itself.
fn mark_name(draft: Draft, name: &str) {
    draft.marks.update(|marks| {
        let ends = |mark: &str| !mark.starts_with('.') && mark.rsplit('.').next() == Some(name);
        let at = marks.iter().position(|mark| ends(mark)).unwrap_or(marks.len());
        marks.retain(|mark| !ends(mark));
        marks.insert(at.min(marks.len()), name.to_owned());
    });
}

fn item(bench: Workbench, draft: Draft, number: usize, mark: String, model: &Model) -> View {
    let hits: Vec<_> = model.hits.iter().filter(|placed| placed.hit.mark == Some(number)).cloned().collect();
    let findings: Vec<_> = model.findings.iter().filter(|finding| finding.mark == Some(number)).map(remark).collect();
    let refused = model.findings.iter().any(|finding| finding.mark == Some(number) && finding.refuses);
    let summary = if hits.is_empty() { String::new() } else { count(hits.len(), "value", "values") };
    let remove_label = format!("Remove the mark {mark}");
    let removed = mark.clone();
    li().class_if("refused", move || refused)
        .child((
            div().class("mark").child((
                code().child(mark),
                span().class("hint").child(summary),
                button()
                    .attr("type", "button")
                    .class("quiet icon-only")
                    .attr("aria-label", remove_label.clone())
                    .attr("title", remove_label)
                    .on(ev::click, move |_| remove(bench, draft, &removed))
                    .child(icon(Icon::Close)),
            )),
            ul().class("hits").child(hits.into_iter().map(|placed| hit_row(bench, draft, placed)).collect::<Vec<_>>()),
            findings,
        ))
        .view()
}

/// A mark that Git already holds is not dropped without a question: its value would become readable.
fn remove(bench: Workbench, draft: Draft, mark: &str) {
    if draft.is_sealed_in_git(mark) {
        bench.asks_to_unmark.set(Some((draft, mark.to_owned())));
    } else {
        draft.marks.update(|marks| marks.retain(|other| other != mark));
    }
}

fn hit_row(bench: Workbench, draft: Draft, placed: Placed) -> View {
    let Placed { hit, standing } = placed;
    let (glyph, class, word) = match standing {
        _ if hit.empty => (Icon::Unlocked, "state", "empty, nothing to seal"),
        Standing::Changed => (Icon::Dot, "state changed", "changed, will be sealed"),
        Standing::Kept => (Icon::Locked, "state sealed", "sealed, unchanged"),
        Standing::New => (Icon::Unlocked, "state marked", "will be sealed"),
    };
    let actions = (!hit.empty).then(|| value_actions(bench, draft, &hit));
    li().class("hit")
        .child((
            span().class(class).child(icon(glyph)),
            code().child(hit.path),
            line_link(hit.line),
            span().class("hint word").child(word),
            actions,
        ))
        .view()
}

fn value_actions(bench: Workbench, draft: Draft, hit: &Hit) -> View {
    let (id, path) = (hit.id.clone(), hit.path.clone());
    let revealed = {
        let id = id.clone();
        Memo::new(move |_| bench.revealed.with(|revealed| revealed.as_deref() == Some(id.as_str())))
    };
    let small = |label: String, glyph: Icon, act: Box<dyn Fn()>| {
        button()
            .attr("type", "button")
            .class("quiet icon-only")
            .attr("aria-label", label.clone())
            .attr("title", label)
            .on(ev::click, move |_| act())
            .child(icon(glyph))
    };
    let (reveal_id, copy_id, replace_id) = (id.clone(), id.clone(), id);
    span()
        .class("hit-actions")
        .child((
            small(format!("Reveal {path}"), Icon::Reveal, Box::new(move || bench.with_editor(|editor| editor.toggle_reveal(&reveal_id))))
                .attr("aria-pressed", move || if revealed.get() { "true" } else { "false" }),
            small(format!("Copy {path}"), Icon::Copy, Box::new(move || copy_value(bench, draft, &copy_id))),
            small(format!("Replace {path}"), Icon::Pencil, Box::new(move || bench.with_editor(|editor| editor.replace(&replace_id)))),
        ))
        .view()
}

/// Copies the value of a hit without showing it.
pub fn copy_value(bench: Workbench, draft: Draft, id: &str) {
    let found = draft.check.with_untracked(|check| check.hits.iter().find(|hit| hit.id == id).cloned());
    let value = found.as_ref().and_then(|hit| draft.text.with_untracked(|text| seal::value(text, hit)));
    if let (Some(hit), Some(value)) = (found, value) {
        copy_secret(bench.app, hit.path, value);
    }
}

fn line_link(line: usize) -> View {
    let bench = Workbench::take();
    button()
        .attr("type", "button")
        .class("quiet line")
        .attr("aria-label", format!("Go to line {line}"))
        .on(ev::click, move |_| bench.with_editor(|editor| editor.go_to(line)))
        .child(format!("line {line}"))
        .view()
}

fn remark(finding: &Finding) -> View {
    let line = finding.line.map(line_link);
    if finding.refuses {
        return notice(Weight::Danger, finding.words.clone(), line.view());
    }
    p().class("remark hint").child((finding.words.why.clone(), line)).view()
}

fn add(draft: Draft) -> View {
    let text = RwSignal::new(String::new());
    let submit = move || {
        let mark = text.get_untracked().trim().to_owned();
        if !mark.is_empty() {
            draft.mark(&mark);
            text.set(String::new());
        }
    };
    form()
        .class("add-mark")
        .on(ev::submit, move |event| {
            event.prevent_default();
            submit();
        })
        .child((
            label().class("unseen").attr("for", "new-mark").child("Key to encrypt"),
            input()
                .attr("id", "new-mark")
                .attr("type", "text")
                .attr("autocomplete", "off")
                .attr("autocapitalize", "off")
                .attr("spellcheck", "false")
                .attr("placeholder", "password, auth.password or .dockerconfigjson")
                .value(move || text.get())
                .on(ev::input, move |event| text.set(event_target_value(&event))),
            button().attr("type", "submit").child("Add key"),
        ))
        .view()
}

fn suggestions(draft: Draft) -> Option<View> {
    let suggestions = draft.suggestions.get();
    if suggestions.is_empty() || draft.locked.get() {
        return None;
    }
    let chips: Vec<_> = suggestions
        .into_iter()
        .map(|suggestion| {
            let mark = suggestion.mark.clone();
            li().child(
                button()
                    .attr("type", "button")
                    .class("chip")
                    .attr("aria-label", format!("Mark {}", suggestion.mark))
                    .on(ev::click, move |_| draft.mark(&mark))
                    .child((icon(Icon::Plus), suggestion.mark)),
            )
        })
        .collect();
    Some(
        div()
            .class("suggestions")
            .child((span().class("hint").attr("id", "suggest-title").child("Looks secret:"), ul().attr("aria-labelledby", "suggest-title").child(chips)))
            .view(),
    )
}

/// The finding that is shown with the values it is about.
const MORE: &str = "mark-hits-more";
