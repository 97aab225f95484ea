//! Settings: the organisation, its key, its repository, this session and the theme.

use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
use stackseal_model::api::Repository;
use stackseal_model::name::OrganisationName;

use super::setup::key;
use crate::api;
use crate::browser;
use crate::components::field::{Field, field};
use crate::components::notice::{Weight, notice};
use crate::components::theme;
use crate::error::Words;
use crate::session::{App, Who};
use crate::view::{Content, View, button, code, dd, div, dl, dt, form, h1, h2, header, p, section};

/// The screen.
pub fn settings(theme: RwSignal<Option<&'static str>>) -> View {
    let app = App::take();
    browser::set_title("Settings");
    div()
        .class("page narrow")
        .child((
            header().class("page-head").child(h1().child("Settings")),
            part("organisation-title", "Organisation", rename(app)),
            part(
                "encryption-title",
                "Encryption",
                (move || app.encryption().map(|encryption| key(&encryption))).view(),
            ),
            part(
                "repository-title",
                "Repository",
                (move || {
                    app.organisation()
                        .map(|organisation| repository(organisation.repository))
                })
                .view(),
            ),
            part("appearance-title", "Appearance", theme::choice(theme)),
            part("session-title", "Session", session(app)),
        ))
        .view()
}

fn part(id: &'static str, title: &'static str, body: View) -> View {
    section()
        .class("setting")
        .attr("aria-labelledby", id)
        .child((h2().attr("id", id).child(title), body))
        .view()
}

fn rename(app: App) -> View {
    let before = untrack(|| app.organisation())
        .map(|organisation| organisation.name.to_string())
        .unwrap_or_default();
    let name = RwSignal::new(before);
    let tried = RwSignal::new(false);
    let failed = RwSignal::new(None::<Words>);
    let submit = move || {
        let Ok(parsed) = OrganisationName::parse(&name.get_untracked()) else {
            tried.set(true);
            return browser::focus("organisation");
        };
        failed.set(None);
        spawn_local(async move {
            match api::name_organisation(parsed).await {
                Ok(organisation) => {
                    app.set_organisation(organisation);
                    app.say("Renamed the organisation.");
                }
                Err(failure) => failed.set(Some(failure.words())),
            }
        });
    };
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
                id: "organisation",
                label: "Organisation name",
                hint: "Stands on this page and, shortened, in the cluster file",
                value: name,
                check: |text| {
                    OrganisationName::parse(text)
                        .err()
                        .map(|invalid| invalid.message)
                },
                tried,
            }),
            button().attr("type", "submit").child("Rename"),
        ))
        .view()
}

fn repository(repository: Repository) -> View {
    let row = |name: &'static str, value: String| {
        (
            dt().child(name),
            dd().child(code().attr("translate", "no").child(value)),
        )
    };
    dl().child((
        row("Remote", repository.remote),
        row("Branch", repository.branch),
        row("Cluster file", repository.cluster_file),
    ))
    .view()
}

fn session(app: App) -> View {
    let failed = RwSignal::new(None::<Words>);
    let actor = move || {
        app.who.with(|who| match who {
            Who::Person(session) => format!("Signed in as {}.", session.actor),
            Who::Asking | Who::Nobody(_) | Who::Unknown(_) => String::new(),
        })
    };
    div()
        .child((
            p().child(actor),
            move || {
                failed
                    .get()
                    .map(|words| notice(Weight::Danger, words, ().view()))
            },
            button()
                .attr("type", "button")
                .on(ev::click, move |_| {
                    spawn_local(async move {
                        if let Err(failure) = app.sign_out().await {
                            failed.set(Some(failure.words()));
                        }
                    });
                })
                .child("Sign out"),
        ))
        .view()
}
