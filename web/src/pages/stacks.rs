//! The list of stacks, and making one.

use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
use stackseal_model::api::NewStack;
use stackseal_model::name::StackName;
use stackseal_model::stack::StackSummary;

use crate::api;
use crate::browser;
use crate::components::dialog::dialog;
use crate::components::field::{Field, field};
use crate::components::frame::link;
use crate::components::icon::{Icon, icon};
use crate::components::notice::{Weight, notice};
use crate::error::Words;
use crate::route::Route;
use crate::samples;
use crate::session::App;
use crate::view::{
    Content, View, button, div, form, h1, h2, header, p, table, tbody, td, th, thead, tr,
};

/// The screen.
pub fn stacks() -> View {
    let app = App::take();
    browser::set_title("Stacks");
    let list = RwSignal::new(None::<Result<Vec<StackSummary>, Words>>);
    let load = move || {
        spawn_local(async move {
            let answer = api::stacks().await;
            if answer
                .as_ref()
                .is_err_and(crate::error::Failure::is_signed_out)
            {
                app.load().await;
            }
            list.try_set(Some(answer.map_err(|failure| failure.words())));
        });
    };
    load();
    let naming = RwSignal::new(false);
    let body = move || match list.get() {
        None => p()
            .class("hint waiting")
            .attr("role", "status")
            .child("Reading the stacks…")
            .view(),
        Some(Err(words)) => notice(
            Weight::Danger,
            words,
            button()
                .attr("type", "button")
                .on(ev::click, move |_| load())
                .child("Try again")
                .view(),
        ),
        Some(Ok(stacks)) if stacks.is_empty() => empty(app, naming),
        Some(Ok(stacks)) => filled(app, stacks),
    };
    div()
        .class("page")
        .child((
            header().class("page-head").child((
                h1().child("Stacks"),
                button()
                    .attr("type", "button")
                    .class("primary")
                    .on(ev::click, move |_| naming.set(true))
                    .child((icon(Icon::Plus), "New stack")),
            )),
            body,
            new_stack(app, naming),
        ))
        .view()
}

fn empty(app: App, naming: RwSignal<bool>) -> View {
    div()
        .class("empty")
        .child((
            icon(Icon::Stacks),
            h2().child("No stacks yet"),
            p().child("A stack is a set of manifests and add-ons that belong together. Mark the keys that are secret, and Git only ever sees them sealed."),
            div().class("actions").child((
                button().attr("type", "button").class("primary").on(ev::click, move |_| take_sample(app)).child("Take the sample stack"),
                button().attr("type", "button").on(ev::click, move |_| naming.set(true)).child("Start with an empty one"),
            )),
        ))
        .view()
}

fn filled(app: App, stacks: Vec<StackSummary>) -> View {
    let has_sample = stacks
        .iter()
        .any(|stack| stack.name.as_str() == samples::NAME);
    let rows: Vec<_> = stacks.into_iter().map(|stack| row(app, stack)).collect();
    let sample = (!has_sample).then(|| {
        button()
            .attr("type", "button")
            .class("quiet")
            .on(ev::click, move |_| take_sample(app))
            .child("Take the sample stack")
    });
    div()
        .child((
            table().class("list").child((
                thead().child(tr().child((
                    th().attr("scope", "col").child("Name"),
                    th().attr("scope", "col").class("wide").child("Description"),
                    th().attr("scope", "col").class("number").child("Files"),
                    th().attr("scope", "col").class("number").child("Sealed"),
                ))),
                tbody().child(rows),
            )),
            sample,
        ))
        .view()
}

fn row(app: App, stack: StackSummary) -> View {
    let route = Route::Builder(stack.name.clone());
    let target = route.clone();
    let sealed = (stack.sealed > 0).then(|| icon(Icon::Locked));
    tr().on(ev::click, move |event| {
        // the link in the row speaks for itself
        if !event.default_prevented() {
            app.go(target.clone());
        }
    })
    .child((
        th().attr("scope", "row")
            .child(link(route, "row-link", stack.name.to_string().view())),
        td().class("wide").child(stack.description),
        td().class("number").child(stack.members.to_string()),
        td().class("number sealed")
            .child((sealed, stack.sealed.to_string())),
    ))
    .view()
}

/// Opens the builder on a stack of that name with the sample's files as changes; saving them makes it.
fn take_sample(app: App) {
    if let Ok(name) = StackName::parse(samples::NAME) {
        app.sample.set_value(true);
        app.go(Route::Builder(name));
    }
}

fn new_stack(app: App, open: RwSignal<bool>) -> View {
    let name = RwSignal::new(String::new());
    let description = RwSignal::new(String::new());
    let tried = RwSignal::new(false);
    let failed = RwSignal::new(None::<Words>);
    let busy = RwSignal::new(false);
    let submit = move || {
        if busy.get_untracked() {
            return;
        }
        match StackName::parse(name.get_untracked().trim()) {
            Err(_) => {
                failed.set(None);
                tried.set(true);
                browser::focus("stack-name");
            }
            Ok(stack) => {
                busy.set(true);
                failed.set(None);
                let request = NewStack {
                    name: stack.clone(),
                    description: description.get_untracked().trim().to_owned(),
                };
                spawn_local(async move {
                    match api::new_stack(&request).await {
                        Ok(()) => {
                            open.set(false);
                            app.go(Route::Builder(stack));
                        }
                        Err(failure) => failed.set(Some(failure.words())),
                    }
                    busy.set(false);
                });
            }
        }
    };
    let close = move || {
        failed.set(None);
        open.set(false);
    };
    dialog("new-stack", "New stack", open.into(), close, move || {
        form()
            .on(ev::submit, move |event| {
                event.prevent_default();
                submit();
            })
            .child((
                move || {
                    failed
                        .get()
                        .map(|words| notice(Weight::Danger, words, ().view()))
                },
                field(Field {
                    id: "stack-name",
                    label: "Name",
                    hint: "Lower-case letters, digits and -",
                    value: name,
                    check: |text| StackName::parse(text).err().map(|invalid| invalid.message),
                    tried,
                }),
                field(Field {
                    id: "stack-description",
                    label: "Description",
                    hint: "What it is for; may stay empty",
                    value: description,
                    check: |_| None,
                    tried,
                }),
                div().class("dialog-actions").child((
                    button()
                        .attr("type", "button")
                        .on(ev::click, move |_| close())
                        .child("Cancel"),
                    button()
                        .attr("type", "submit")
                        .class("primary")
                        .attr("aria-disabled", move || busy.get().then_some("true"))
                        .child("Create stack"),
                )),
            ))
            .view()
    })
}
