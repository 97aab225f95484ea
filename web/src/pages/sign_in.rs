//! Signing in: by opening the link, or by pasting it here.

use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::browser;
use crate::components::icon::{Icon, icon};
use crate::components::notice::{Weight, notice};
use crate::error::Words;
use crate::session::App;
use crate::view::{Content, View, button, div, form, h1, input, label, main, p};

/// The screen for somebody who is not signed in; `reason` when a link was refused.
pub fn sign_in(reason: Option<Words>) -> View {
    let app = App::take();
    browser::set_title("Sign in");
    let link = RwSignal::new(String::new());
    let wrong = RwSignal::new(false);
    let submit = move || match token(&link.get_untracked()) {
        Some(token) => {
            link.set(String::new());
            spawn_local(app.sign_in(token));
        }
        None => wrong.set(true),
    };
    main()
        .class("alone")
        .child(
            div().class("panel").child((
                div().class("brand").child((icon(Icon::Locked), "Stackseal")),
                h1().child("Sign in"),
                reason.map(|words| notice(Weight::Danger, words, ().view())),
                p().child("Open the sign-in link that the server printed when it started. It works once. You can also paste it here."),
                form()
                    .on(ev::submit, move |event| {
                        event.prevent_default();
                        submit();
                    })
                    .child((
                        div().class("field").child((
                            label().attr("for", "link").child("Sign-in link"),
                            input()
                                .attr("id", "link")
                                .attr("type", "password")
                                .attr("autocomplete", "off")
                                .attr("spellcheck", "false")
                                .attr("aria-describedby", "link-hint")
                                .attr("aria-invalid", move || wrong.get().then_some("true"))
                                .value(move || link.get())
                                .on(ev::input, move |event| {
                                    wrong.set(false);
                                    link.set(event_target_value(&event));
                                }),
                            p().attr("id", "link-hint").class("hint").class_if("wrong", move || wrong.get()).child(move || {
                                if wrong.get() { "This is no sign-in link. It ends in #token= and a long text." } else { "" }
                            }),
                        )),
                        button().attr("type", "submit").class("primary").child("Sign in"),
                    )),
            )),
        )
        .view()
}

/// The token of a link, or of a fragment, or the token itself.
fn token(text: &str) -> Option<String> {
    let text = text.trim();
    let token = text.rsplit_once("token=").map_or(text, |(_, token)| token);
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '=' | '.');
    (token.len() >= 16 && token.chars().all(fits)).then(|| token.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_and_its_token_are_both_taken() {
        let token_text = "abcdefghijklmnopqrstuv";
        for text in [
            "http://127.0.0.1:8080/signin#token=abcdefghijklmnopqrstuv",
            " token=abcdefghijklmnopqrstuv\n",
            token_text,
        ] {
            assert_eq!(token(text).as_deref(), Some(token_text));
        }
        for text in [
            "",
            "http://127.0.0.1:8080/",
            "token=",
            "token=a b c d e f g h i j k",
        ] {
            assert_eq!(token(text), None, "{text}");
        }
    }
}
