//! What the cluster file says about a member besides its text: name, namespace, chart.

use leptos::ev;
use leptos::prelude::*;
use stackseal_model::name::{MemberName, NamespaceName};
use stackseal_model::stack::{Chart, MemberKind};

use super::icon::{Icon, icon};
use crate::draft::Draft;
use crate::error::sentence;
use crate::view::{Content, View, button, div, h2, input, label, p};
use crate::workbench::Workbench;

/// The head of the editor: what this file is, and its fields.
pub fn details(draft: Draft) -> View {
    let is_new = Memo::new(move |_| draft.is_new());
    let addon = draft.kind == MemberKind::Addon;
    let heading = move || {
        let name = draft.name.get();
        let kind = if addon { "add-on" } else { "manifest" };
        if name.is_empty() {
            format!("New {kind}")
        } else {
            name
        }
    };
    let chart = move |part: fn(&mut Chart) -> &mut String| {
        let read = move || draft.chart.with(|chart| part(&mut chart.clone()).clone());
        let write = move |text: String| draft.chart.update(|chart| *part(chart) = text);
        (read, write)
    };
    let chart_fields = addon.then(|| {
        let (name, set_name) = chart(|chart| &mut chart.name);
        let (version, set_version) = chart(|chart| &mut chart.version);
        let (registry, set_registry) = chart(|chart| &mut chart.repository_url);
        (
            entry("member-chart", "Chart", name, set_name, || None),
            entry("member-version", "Version", version, set_version, || None),
            entry(
                "member-registry",
                "Chart registry",
                registry,
                set_registry,
                || None,
            ),
        )
    });
    let path = move || {
        draft
            .origin
            .with(|origin| origin.as_ref().map(|origin| origin.path.clone()))
    };
    div()
        .class("details")
        .child((
            div().class("details-head").child((
                h2().child((
                    icon(if addon { Icon::Package } else { Icon::File }),
                    heading,
                )),
                p().class("path").child(path),
                discard(draft),
            )),
            div().class("details-fields").child((
                move || {
                    is_new.get().then(|| {
                        named("member-name", "Name", draft.name, move |text| {
                            let taken = "another file of this stack has that name; choose another";
                            let invalid = MemberName::parse(text).err();
                            invalid
                                .map(|invalid| invalid.message)
                                .or_else(|| draft.is_taken().then(|| taken.to_owned()))
                        })
                    })
                },
                named("member-namespace", "Namespace", draft.namespace, |text| {
                    NamespaceName::parse(text)
                        .err()
                        .map(|invalid| invalid.message)
                }),
                chart_fields,
            )),
        ))
        .view()
}

fn discard(draft: Draft) -> View {
    let bench = Workbench::take();
    let shown = Memo::new(move |_| draft.changed.get() && !draft.locked.get());
    (move || {
        shown.get().then(|| {
            button()
                .attr("type", "button")
                .class("quiet")
                .on(ev::click, move |_| {
                    bench.asks_to_discard.set(Some(draft.id))
                })
                .child(move || {
                    if draft.is_new() {
                        "Discard this file"
                    } else {
                        "Discard changes"
                    }
                })
        })
    })
    .view()
}

/// A field for a name; an empty one is not wrong here.
fn named(
    id: &'static str,
    label: &'static str,
    name: RwSignal<String>,
    check: impl Fn(&str) -> Option<String> + Clone + Send + Sync + 'static,
) -> View {
    let error = move || name.with(|name| check(name).filter(|_| !name.is_empty()));
    entry(
        id,
        label,
        move || name.get(),
        move |text| name.set(text),
        error,
    )
}

fn entry(
    id: &'static str,
    name: &'static str,
    value: impl Fn() -> String + Send + Sync + 'static,
    set: impl Fn(String) + 'static,
    error: impl Fn() -> Option<String> + Send + Sync + Clone + 'static,
) -> View {
    let wrong = error.clone();
    let error_id = format!("{id}-error");
    div()
        .class("entry")
        .child((
            label().attr("for", id).child(name),
            input()
                .attr("id", id)
                .attr("type", "text")
                .attr("autocomplete", "off")
                .attr("autocapitalize", "off")
                .attr("spellcheck", "false")
                .attr("aria-describedby", error_id.clone())
                .attr("aria-invalid", move || wrong().map(|_| "true"))
                .value(value)
                .on(ev::input, move |event| set(event_target_value(&event))),
            p().attr("id", error_id)
                .class("hint wrong")
                .child(move || error().map(|message| sentence(&message))),
        ))
        .view()
}
