//! Copying: a button for a text that may be seen, and a function for one that may not.

use leptos::ev;
use leptos::task::spawn_local;
use zeroize::Zeroizing;

use super::icon::{Icon, icon};
use crate::browser;
use crate::session::App;
use crate::view::{Content, View, button};

/// A button that puts a public text on the clipboard.
pub fn copy_button(what: &'static str, text: impl Fn() -> String + 'static) -> View {
    let app = App::take();
    button()
        .attr("type", "button")
        .class("quiet")
        .attr("aria-label", format!("Copy {what}"))
        .on(ev::click, move |_| {
            let text = text();
            spawn_local(async move {
                app.say(match browser::copy(&text).await {
                    Ok(()) => format!("Copied the {what}."),
                    Err(()) => NO_CLIPBOARD.to_owned(),
                });
            });
        })
        .child((icon(Icon::Copy), "Copy"))
        .view()
}

/// Puts a secret value on the clipboard and takes it off again after 30 seconds, unless something else was
/// copied from this page. What other programs do to the clipboard meanwhile cannot be seen from here, so it
/// is cleared only when this window kept the focus all the time.
pub fn copy_secret(app: App, path: String, value: Zeroizing<String>) {
    spawn_local(async move {
        if browser::copy(&value).await.is_err() {
            app.say(NO_CLIPBOARD);
            return;
        }
        drop(value);
        app.say(format!("Copied {path}."));
        if browser::kept_clipboard(CLEAR_AFTER_MS).await {
            // what cannot be cleared stays; the person was not promised otherwise
            browser::copy("").await.unwrap_or_default();
        }
    });
}

const NO_CLIPBOARD: &str = "The browser did not let the page use the clipboard.";
const CLEAR_AFTER_MS: u32 = 30_000;
