//! The few things that the page asks of the browser itself: address, clock, clipboard, storage, timers.

use std::cell::Cell;
use std::rc::Rc;

use gloo_timers::callback::{Interval, Timeout};
use gloo_timers::future::TimeoutFuture;
use leptos::ev;
use leptos::prelude::{document, window, window_event_listener};
use stackseal_core::{RandomFailed, Timestamp};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{HtmlElement, KeyboardEvent, Storage};

/// The program hit a fault of its own and cannot go on: says so, without the message, which may quote a text.
pub fn give_up() {
    let Some(body) = document().body() else {
        return;
    };
    let notice = document().create_element("p");
    if let Ok(notice) = notice {
        notice.set_text_content(Some(
            "Stackseal stopped because of a fault in this page. Nothing more is sent. Select and copy what you still need, then reload.",
        ));
        drop(notice.set_attribute("role", "alert"));
        drop(notice.set_attribute("class", "gave-up"));
        drop(body.prepend_with_node_1(&notice));
    }
}

/// The path part of the address.
pub fn path() -> String {
    window().location().pathname().unwrap_or_default()
}

/// The fragment of the address without `#`, which is then removed from the address and the history.
pub fn take_fragment() -> String {
    let fragment = window().location().hash().unwrap_or_default();
    if !fragment.is_empty() {
        replace(&path());
    }
    fragment.trim_start_matches('#').to_owned()
}

/// Adds an address to the history.
pub fn push(path: &str) {
    if let Ok(history) = window().history() {
        // fails only for a foreign origin, which a path cannot name
        drop(history.push_state_with_url(&JsValue::NULL, "", Some(path)));
    }
}

/// Puts an address in the place of the present one.
pub fn replace(path: &str) {
    if let Ok(history) = window().history() {
        drop(history.replace_state_with_url(&JsValue::NULL, "", Some(path)));
    }
}

/// Loads the page afresh at an address.
pub fn reload_at(path: &str) {
    drop(window().location().replace(path));
}

/// Calls when the person goes back or forward.
pub fn on_back(act: impl Fn() + 'static) {
    // the listener lives as long as the page
    drop(window_event_listener(ev::popstate, move |_| act()));
}

/// Calls when only the fragment of the address changes.
pub fn on_fragment(act: impl Fn() + 'static) {
    drop(window_event_listener(ev::hashchange, move |_| act()));
}

/// Lets the browser ask before the tab is closed, while something is unsaved.
pub fn ask_before_closing(unsaved: impl Fn() -> bool + 'static) {
    drop(window_event_listener(ev::beforeunload, move |event| {
        if unsaved() {
            event.prevent_default();
        }
    }));
}

/// Calls when nothing was pressed, moved or touched for so many milliseconds; once per pause.
pub fn on_idle(after: f64, act: impl Fn() + 'static) {
    let last = Rc::new(Cell::new(now_ms()));
    let idle = Rc::new(Cell::new(false));
    let seen = {
        let (last, idle) = (Rc::clone(&last), Rc::clone(&idle));
        move || {
            last.set(now_ms());
            idle.set(false);
        }
    };
    let by_key = seen.clone();
    drop(window_event_listener(ev::keydown, move |_| by_key()));
    drop(window_event_listener(ev::pointerdown, {
        let seen = seen.clone();
        move |_| seen()
    }));
    drop(window_event_listener(ev::pointermove, move |_| seen()));
    Interval::new(5_000, move || {
        if now_ms() - last.get() >= after && !idle.replace(true) {
            act();
        }
    })
    .forget();
}

/// Calls when the page is left, also when the browser keeps it for the way back. On that way it is loaded afresh.
pub fn on_leaving(act: impl Fn() + 'static) {
    drop(window_event_listener(ev::pagehide, move |_| act()));
    drop(window_event_listener(ev::pageshow, |event| {
        if event.persisted() {
            drop(window().location().reload());
        }
    }));
}

/// Calls once after a pause; dropping the handle cancels it.
pub fn after(milliseconds: u32, act: impl FnOnce() + 'static) -> Timeout {
    Timeout::new(milliseconds, act)
}

/// The top of a new screen is shown first.
pub fn scroll_to_top() {
    window().scroll_to_with_x_and_y(0.0, 0.0);
}

/// Names the screen in the tab. Never with anything but the screen's and a stack's name.
pub fn set_title(screen: &str) {
    document().set_title(&format!("{screen} · Stackseal"));
}

/// Milliseconds since the Unix epoch.
pub fn now_ms() -> f64 {
    js_sys::Date::now()
}

/// The moment, for `lastmodified`.
pub fn now() -> Result<Timestamp, stackseal_core::Error> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "seconds of the present fit by far"
    )]
    Timestamp::from_unix((now_ms() / 1000.0) as i64)
}

/// Milliseconds since the Unix epoch of an RFC 3339 time.
pub fn parse_time(text: &str) -> Option<f64> {
    let time = js_sys::Date::parse(text);
    (!time.is_nan()).then_some(time)
}

/// The time of day of an RFC 3339 time, as this browser writes it.
pub fn clock_time(text: &str) -> String {
    match parse_time(text) {
        Some(time) => js_sys::Date::new(&JsValue::from_f64(time))
            .to_locale_time_string("en-GB")
            .into(),
        None => String::new(),
    }
}

/// Moves the focus to an element.
pub fn focus(id: &str) {
    if let Some(element) = document()
        .get_element_by_id(id)
        .and_then(|element| element.dyn_into::<HtmlElement>().ok())
    {
        // an element that cannot take the focus leaves it where it is
        drop(element.focus());
    }
}

/// Fills with the browser's cryptographic random bytes.
pub fn random(out: &mut [u8]) -> Result<(), RandomFailed> {
    getrandom::fill(out).map_err(|_| RandomFailed)
}

/// A random text of 32 hex digits: one per attempt to save.
pub fn random_key() -> Result<String, RandomFailed> {
    let mut bytes = [0u8; 16];
    random(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Puts a text on the clipboard.
pub async fn copy(text: &str) -> Result<(), ()> {
    let written = window().navigator().clipboard().write_text(text);
    JsFuture::from(written).await.map(drop).map_err(drop)
}

/// Waits, then tells whether the clipboard must still hold what was copied: this window kept the focus and
/// nothing else was copied in it.
pub async fn kept_clipboard(milliseconds: u32) -> bool {
    let kept = Rc::new(Cell::new(true));
    let lose = || {
        let kept = Rc::clone(&kept);
        move || kept.set(false)
    };
    let (on_blur, on_copy, on_cut) = (lose(), lose(), lose());
    let listeners = [
        window_event_listener(ev::blur, move |_| on_blur()),
        window_event_listener(ev::copy, move |_| on_copy()),
        window_event_listener(ev::cut, move |_| on_cut()),
    ];
    TimeoutFuture::new(milliseconds).await;
    for listener in listeners {
        listener.remove();
    }
    kept.get()
}

/// Waits.
pub async fn pause(milliseconds: u32) {
    TimeoutFuture::new(milliseconds).await;
}

/// A preference of this browser (never a value): `None` when there is none or no storage.
pub fn preference(name: &str) -> Option<String> {
    storage()?.get_item(name).ok().flatten()
}

/// Keeps a preference, or with `None` forgets it.
pub fn set_preference(name: &str, value: Option<&str>) {
    let Some(storage) = storage() else { return };
    // without room the preference holds for this visit only
    drop(match value {
        Some(value) => storage.set_item(name, value),
        None => storage.remove_item(name),
    });
}

fn storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

/// Whether the system is set to dark.
pub fn prefers_dark() -> bool {
    window()
        .match_media("(prefers-color-scheme: dark)")
        .ok()
        .flatten()
        .is_some_and(|query| query.matches())
}

/// Whether a key goes into a text, or belongs to a shortcut of the system.
pub fn is_typing(event: &KeyboardEvent) -> bool {
    let modified = event.ctrl_key() || event.meta_key() || event.alt_key();
    // inside a shadow root the event names only its host
    let first = event.composed_path().get(0).dyn_into::<HtmlElement>();
    modified
        || first.is_ok_and(|node| {
            node.is_content_editable()
                || matches!(node.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT")
        })
}

/// Whether the person uses a Mac, where shortcuts are written with ⌘.
pub fn is_mac() -> bool {
    window()
        .navigator()
        .user_agent()
        .is_ok_and(|agent| agent.contains("Mac"))
}
