//! "Encrypted Keys (SOPS)": the marks of a file, what each hits, and what is wrong with it.

mod adding;
mod hit;

use leptos::ev;
use leptos::prelude::*;

use self::adding::{add, suggestions};
pub use self::hit::copy_value;
use self::hit::{hit_row, line_link, way_to};
use super::icon::{Icon, icon};
use super::notice::{Weight, notice};
use crate::draft::{Draft, Standing};
use crate::seal::{Finding, Hit};
use crate::view::{Content, View, button, code, div, h2, li, p, section, span, ul};
use crate::words::count;
use crate::workbench::Workbench;

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
                    let values =
                        model.with(|model| model.hits.iter().filter(|hit| !hit.hit.empty).count());
                    if values == 0 {
                        String::new()
                    } else {
                        count(values, "secret value", "secret values")
                    }
                }),
            )),
            add(draft),
            move || suggestions(draft),
            move || model.with(|model| model.about_text()),
            ul().class("marks").child(move || {
                let model = model.get();
                let marks = draft.marks.get_untracked();
                marks
                    .into_iter()
                    .enumerate()
                    .map(|(number, mark)| item(bench, draft, number, mark, &model))
                    .collect::<Vec<_>>()
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
            Placed {
                hit: Hit { span: 0..0, ..hit },
                standing,
            }
        });
        Self {
            marks: draft.marks.get(),
            hits: hits.collect(),
            findings: check.findings,
        }
    }

    /// What concerns the text as a whole.
    fn about_text(&self) -> Vec<View> {
        let of_text = self
            .findings
            .iter()
            .filter(|finding| finding.mark.is_none() && finding.words.code != MORE);
        of_text.take(SHOWN).map(remark).collect()
    }

    /// Values that no mark names, by the name that hits them.
    fn extras(&self, draft: Draft) -> Vec<View> {
        let mut keys: Vec<&str> = self
            .hits
            .iter()
            .filter(|placed| placed.hit.mark.is_none())
            .map(|placed| placed.hit.key.as_str())
            .collect();
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
            .take(SHOWN)
            .map(|placed| {
                li().child((
                    code().child(placed.hit.path.clone()),
                    line_link(placed.hit.line),
                ))
            })
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
        let at = marks
            .iter()
            .position(|mark| ends(mark))
            .unwrap_or(marks.len());
        marks.retain(|mark| !ends(mark));
        marks.insert(at.min(marks.len()), name.to_owned());
    });
}

fn item(bench: Workbench, draft: Draft, number: usize, mark: String, model: &Model) -> View {
    let hits: Vec<_> = model
        .hits
        .iter()
        .filter(|placed| placed.hit.mark == Some(number))
        .cloned()
        .collect();
    let findings: Vec<_> = model
        .findings
        .iter()
        .filter(|finding| finding.mark == Some(number))
        .take(SHOWN)
        .map(remark)
        .collect();
    let refused = model
        .findings
        .iter()
        .any(|finding| finding.mark == Some(number) && finding.refuses);
    let summary = if hits.is_empty() {
        String::new()
    } else {
        count(hits.len(), "value", "values")
    };
    let more = hits.len().saturating_sub(SHOWN);
    let more = (more > 0).then(|| {
        li().class("hint")
            .child(format!("and {more} more, each with its lock in the text"))
    });
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
                    .on(ev::click, move |_| draft.unmark(&removed))
                    .child(icon(Icon::Close)),
            )),
            ul().class("hits").child((
                hits.into_iter()
                    .take(SHOWN)
                    .map(|placed| hit_row(bench, draft, placed))
                    .collect::<Vec<_>>(),
                more,
            )),
            findings,
        ))
        .view()
}

fn remark(finding: &Finding) -> View {
    // the words name the line
    let line = finding.line.map(|line| {
        way_to(
            line,
            "Go there".to_owned(),
            format!("Go there, line {line}"),
        )
    });
    if finding.refuses {
        return notice(Weight::Danger, finding.words.clone(), line.view());
    }
    p().class("remark hint")
        .child((finding.words.why.clone(), line))
        .view()
}

/// So many values of one mark, or findings, are listed.
const SHOWN: usize = 50;
/// The finding that is shown with the values it is about.
const MORE: &str = "mark-hits-more";
