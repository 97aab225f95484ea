//! The page as a whole: who is here decides between signing in, setting up and the screens.

use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::browser;
use crate::components::dialog::dialog;
use crate::components::frame::{frame, link};
use crate::components::icon::{Icon, icon};
use crate::components::notice::{Weight, notice};
use crate::components::theme;
use crate::components::toast::toasts;
use crate::pages::builder::builder;
use crate::pages::settings::settings;
use crate::pages::setup::{initialise_encryption, name_organisation};
use crate::pages::sign_in::sign_in;
use crate::pages::stacks::stacks;
use crate::route::Route;
use crate::session::{App, Who};
use crate::view::{Content, View, button, div, h1, main, p};

/// The page.
pub fn app() -> View {
    let app = App::provide();
    let theme = theme::theme();
    start(app);
    let made = RwSignal::new(None);
    // renaming the organisation must not build the screen anew
    let stage = Memo::new(move |_| Stage::of(&app.who.get()));
    let screen = move || match stage.get() {
        Stage::Asking => main()
            .class("alone")
            .child(
                p().class("hint")
                    .attr("role", "status")
                    .child("Opening Stackseal…"),
            )
            .view(),
        Stage::Failed => app.who.with_untracked(|who| match who {
            Who::Unknown(words) => main()
                .class("alone")
                .child(
                    div().class("panel").child((
                        h1().child("Stackseal"),
                        notice(
                            Weight::Danger,
                            words.clone(),
                            button()
                                .attr("type", "button")
                                .on(ev::click, move |_| spawn_local(app.load()))
                                .child("Try again")
                                .view(),
                        ),
                    )),
                )
                .view(),
            Who::Asking | Who::Nobody(_) | Who::Person(_) => ().view(),
        }),
        Stage::SignedOut => app.who.with_untracked(|who| match who {
            Who::Nobody(reason) => sign_in(reason.clone()),
            Who::Asking | Who::Person(_) | Who::Unknown(_) => ().view(),
        }),
        Stage::Nameless => name_organisation(),
        Stage::Keyless => match untrack(|| app.organisation()) {
            Some(organisation) => initialise_encryption(organisation, made),
            None => ().view(),
        },
        Stage::Ready => frame(move || at(app, theme), theme),
    };
    (screen, leave_question(app), toasts()).view()
}

/// What has to be known about the person before a screen can be shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Asking,
    Failed,
    Keyless,
    Nameless,
    Ready,
    SignedOut,
}

impl Stage {
    fn of(who: &Who) -> Self {
        match who {
            Who::Asking => Self::Asking,
            Who::Nobody(_) => Self::SignedOut,
            Who::Unknown(_) => Self::Failed,
            Who::Person(session) => match &session.organisation {
                None => Self::Nameless,
                Some(organisation) if organisation.encryption.is_none() => Self::Keyless,
                Some(_) => Self::Ready,
            },
        }
    }
}

/// A sign-in link is used at once and vanishes from the address; else the session is looked up. A link may
/// also be opened while the page is there: then only the fragment changes.
fn start(app: App) {
    if !use_link(app) {
        spawn_local(app.load());
    }
    browser::on_fragment(move || {
        use_link(app);
    });
}

fn use_link(app: App) -> bool {
    let fragment = browser::take_fragment();
    match fragment.strip_prefix("token=") {
        Some(token) if !token.is_empty() && app.unsaved.get_untracked() == 0 => {
            spawn_local(app.sign_in(token.to_owned()));
            true
        }
        _ => false,
    }
}

fn at(app: App, theme: RwSignal<Option<&'static str>>) -> View {
    match app.route.get() {
        Route::Builder(name) => builder(&name),
        Route::Settings => settings(theme),
        Route::SignIn | Route::Stacks => stacks(),
        Route::NotFound => div()
            .class("empty")
            .child((
                icon(Icon::Stacks),
                h1().child("There is nothing here"),
                p().child("The address may be mistyped, or an old one."),
                link(Route::Stacks, "button primary", "See all stacks".view()),
            ))
            .view(),
    }
}

/// Asked before a screen with unsaved changes is left.
fn leave_question(app: App) -> View {
    let open = Signal::derive(move || app.leaving.with(Option::is_some));
    let stay = move || app.leaving.set(None);
    dialog("leave", "Leave without saving?", open, stay, move || {
        let leave = move || {
            if let Some(route) = app.leaving.get_untracked() {
                app.go_now(route);
            }
        };
        div()
            .child((
                p().child(move || match app.unsaved.get() {
                    1 => "1 file has changes that are not saved. They are gone when you leave; nothing is kept in this browser.".to_owned(),
                    n => format!("{n} files have changes that are not saved. They are gone when you leave; nothing is kept in this browser."),
                }),
                div().class("dialog-actions").child((
                    button().attr("type", "button").attr("autofocus", "").on(ev::click, move |_| stay()).child("Stay here"),
                    button().attr("type", "button").class("danger").on(ev::click, move |_| leave()).child("Leave and drop the changes"),
                )),
            ))
            .view()
    })
}
