//! The two steps before the first stack: name the organisation, make its key pair.

use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
use stackseal_model::api::{Encryption, Organisation};
use stackseal_model::name::OrganisationName;

use crate::api;
use crate::browser;
use crate::components::copy::copy_button;
use crate::components::field::{Field, field};
use crate::components::icon::{Icon, icon};
use crate::components::notice::{Weight, notice};
use crate::error::Words;
use crate::session::App;
use crate::view::{Content, View, button, code, dd, div, dl, dt, form, h1, main, p};

/// The first step.
pub fn name_organisation() -> View {
    let app = App::take();
    browser::set_title("Name your organisation");
    let name = RwSignal::new(String::new());
    let tried = RwSignal::new(false);
    let failed = RwSignal::new(None::<Words>);
    let busy = RwSignal::new(false);
    let submit = move || {
        let Ok(parsed) = OrganisationName::parse(&name.get_untracked()) else {
            tried.set(true);
            return browser::focus("organisation");
        };
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        spawn_local(async move {
            match api::name_organisation(parsed).await {
                Ok(organisation) => app.set_organisation(organisation),
                Err(failure) => failed.set(Some(failure.words())),
            }
            busy.set(false);
        });
    };
    step(
        "Step 1 of 2",
        "Name your organisation",
        (
            p().child("The name stands on this page and, shortened, in the cluster file. You can change it later."),
            move || {
                failed
                    .get()
                    .map(|words| notice(Weight::Danger, words, ().view()))
            },
            form()
                .on(ev::submit, move |event| {
                    event.prevent_default();
                    submit();
                })
                .child((
                    field(Field {
                        id: "organisation",
                        label: "Organisation name",
                        hint: "For example Acme Ltd.",
                        value: name,
                        check: |text| {
                            OrganisationName::parse(text)
                                .err()
                                .map(|invalid| invalid.message)
                        },
                        tried,
                    }),
                    button()
                        .attr("type", "submit")
                        .class("primary")
                        .attr("aria-disabled", move || busy.get().then_some("true"))
                        .child("Continue"),
                )),
        )
            .view(),
    )
}

/// The second step. Once the pair is made, it is shown until the person goes on.
pub fn initialise_encryption(
    organisation: Organisation,
    made: RwSignal<Option<Encryption>>,
) -> View {
    let app = App::take();
    browser::set_title("Initialize encryption");
    let failed = RwSignal::new(None::<Words>);
    let busy = RwSignal::new(false);
    let name = organisation.name.to_string();
    let start = move || {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        failed.set(None);
        spawn_local(async move {
            match api::initialise_encryption().await {
                Ok(encryption) => made.set(Some(encryption)),
                Err(failure) => failed.set(Some(failure.words())),
            }
            busy.set(false);
        });
    };
    let finish = move |encryption: Encryption| {
        app.set_organisation(Organisation {
            encryption: Some(encryption),
            ..organisation.clone()
        });
        made.set(None);
    };
    (move || match made.get() {
        None => step(
            "Step 2 of 2",
            "Initialize encryption",
            (
                p().child(format!("This makes the key pair of {name}. The public half seals values, here in your browser, before anything is sent. The private half opens them, and stays in the vault of this server.")),
                move || failed.get().map(|words| notice(Weight::Danger, words, ().view())),
                button().attr("type", "button").class("primary").attr("aria-disabled", move || busy.get().then_some("true")).on(ev::click, move |_| start()).child(move || {
                    if busy.get() { "Making the key pair…" } else { "Initialize encryption" }
                }),
            )
                .view(),
        ),
        Some(encryption) => {
            let finish = finish.clone();
            let shown = encryption.clone();
            step(
                "Done",
                "Encryption is on",
                (
                    key(&shown),
                    button().attr("type", "button").class("primary").on(ev::click, move |_| finish(encryption.clone())).child("Go to your stacks"),
                )
                    .view(),
            )
        }
    })
    .view()
}

/// The public half of the key pair, and where the private half lies.
pub fn key(encryption: &Encryption) -> View {
    let recipient = encryption.recipient.clone();
    div()
        .class("key")
        .child(
            dl().child((
                dt().child("Recipient (public key)"),
                dd().child((
                    code()
                        .class("recipient")
                        .attr("translate", "no")
                        .attr("data-testid", "recipient")
                        .child(encryption.recipient.clone()),
                    copy_button("recipient", move || recipient.clone()),
                )),
                dt().child("Fingerprint"),
                dd().child(
                    code()
                        .attr("translate", "no")
                        .child(encryption.fingerprint.clone()),
                ),
                dt().child("Private key"),
                dd().child(encryption.private_key.clone()),
            )),
        )
        .view()
}

fn step(number: &'static str, title: &'static str, body: View) -> View {
    main()
        .class("alone")
        .child(
            div().class("panel").child((
                div()
                    .class("brand")
                    .child((icon(Icon::Locked), "Stackseal")),
                p().class("hint step").child(number),
                h1().child(title),
                body,
            )),
        )
        .view()
}
