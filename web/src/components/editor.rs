//! The YAML editor and the view of Git, which are JavaScript (`web/editor/`), as seen from here.

use leptos::prelude::*;
use serde::Serialize;
use wasm_bindgen::prelude::*;
use web_sys::HtmlElement;

use crate::diff::Row;
use crate::offsets;
use crate::seal::{Check, Hit};
use crate::view::{Content, View, div, follow};
use crate::wire;

#[wasm_bindgen(raw_module = "stackseal-editor")]
extern "C" {
    /// The editor of one screen; it keeps a state for each file that was open in it.
    pub type Editor;

    #[wasm_bindgen(constructor)]
    fn new(
        host: &HtmlElement,
        changed: &Closure<dyn FnMut()>,
        copy: &Closure<dyn FnMut(String)>,
        revealed: &Closure<dyn FnMut(String, bool)>,
    ) -> Editor;
    /// Shows a file.
    #[wasm_bindgen(method)]
    pub fn open(this: &Editor, id: &str, text: &str, label: &str, read_only: bool, marks: &str);
    /// The text, line breaks as they were.
    #[wasm_bindgen(method)]
    pub fn text(this: &Editor) -> String;
    /// Tells which values to mask, as [`marks_json`] writes it.
    #[wasm_bindgen(method, js_name = setMarks)]
    pub fn set_marks(this: &Editor, json: &str);
    /// Shows one value, or hides it.
    #[wasm_bindgen(method, js_name = toggleReveal)]
    pub fn toggle_reveal(this: &Editor, id: &str);
    /// Hides all values.
    #[wasm_bindgen(method, js_name = hideAll)]
    pub fn hide_all(this: &Editor);
    /// Empties a value, ready to type a new one.
    #[wasm_bindgen(method)]
    pub fn replace(this: &Editor, id: &str);
    /// Puts the cursor at the end of a line.
    #[wasm_bindgen(method, js_name = goTo)]
    pub fn go_to(this: &Editor, line: usize);
    /// Drops the state of a file with its history.
    #[wasm_bindgen(method)]
    pub fn forget(this: &Editor, id: &str);
    #[wasm_bindgen(method)]
    fn destroy(this: &Editor);

    type GitView;

    #[wasm_bindgen(constructor)]
    fn new(host: &HtmlElement, label: &str) -> GitView;
    #[wasm_bindgen(method, js_name = setText)]
    fn set_text(this: &GitView, text: &str);
    #[wasm_bindgen(method, js_name = setDiff)]
    fn set_diff(this: &GitView, json: &str);
    #[wasm_bindgen(method, js_name = setFold)]
    fn set_fold(this: &GitView, on: bool);
    #[wasm_bindgen(method)]
    fn destroy(this: &GitView);
}

/// What the editor tells.
pub struct Told {
    /// The text changed.
    pub changed: Box<dyn FnMut()>,
    /// The value of this hit is to be copied.
    pub copy: Box<dyn FnMut(String)>,
    /// The value of this hit was revealed or hidden.
    pub revealed: Box<dyn FnMut(String, bool)>,
}

/// The editor's place in the page; `ready` gets the editor once it is there.
pub fn editor(
    told: Told,
    ready: impl FnOnce(StoredValue<Option<Editor>, LocalStorage>) + 'static,
) -> View {
    let place = div().class("editor-host");
    let host: HtmlElement = place.node();
    let cell = StoredValue::new_local(None::<Editor>);
    let closures = StoredValue::new_local(None);
    let start = StoredValue::new_local(Some((told, ready)));
    follow(move || {
        let Some(Some((told, ready))) = start.try_update_value(Option::take) else {
            return;
        };
        let changed = Closure::wrap(told.changed);
        let copy = Closure::wrap(told.copy);
        let revealed = Closure::wrap(told.revealed);
        cell.set_value(Some(Editor::new(&host, &changed, &copy, &revealed)));
        closures.set_value(Some((changed, copy, revealed)));
        ready(cell);
    });
    on_cleanup(move || {
        cell.try_update_value(|editor| editor.take().inspect(Editor::destroy));
    });
    place.view()
}

/// What the view of Git shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// A difference, as rows in JSON.
    Diff(String),
    /// A text.
    Text(String),
}

impl Shown {
    /// A difference, ready to be shown.
    pub fn diff(rows: &[Row<'_>]) -> Self {
        Self::Diff(wire::write(rows).unwrap_or_default())
    }
}

/// The read-only view of what Git holds or will hold.
pub fn git_view(label: &'static str, shown: Signal<Shown>, fold: Signal<bool>) -> View {
    let place = div().class("git-host");
    let host: HtmlElement = place.node();
    let cell = StoredValue::new_local(None::<GitView>);
    follow(move || {
        cell.update_value(|view| {
            let view = view.get_or_insert_with(|| GitView::new(&host, label));
            match shown.get() {
                Shown::Diff(json) => view.set_diff(&json),
                Shown::Text(text) => view.set_text(&text),
            }
            view.set_fold(fold.get());
        });
    });
    on_cleanup(move || {
        cell.try_update_value(|view| view.take().inspect(GitView::destroy));
    });
    place.view()
}

/// How a marked value stands against Git.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Glyph {
    /// Git holds another value, sealed.
    Changed,
    /// It will be sealed for the first time.
    Marked,
    /// It cannot be sealed.
    Refused,
    /// Git holds it sealed.
    Sealed,
}

/// Which values to mask and which lines are refused, for the editor. Only places and paths, no values.
pub fn marks_json(
    text: &str,
    marks: &[String],
    check: &Check,
    glyph: impl Fn(&Hit) -> Glyph,
) -> String {
    let refused = |line| {
        check
            .findings
            .iter()
            .any(|finding| finding.refuses && finding.line == Some(line))
    };
    let mut places = Vec::new();
    for hits in [&check.hits, &check.exposed] {
        let ends: Vec<usize> = hits
            .iter()
            .flat_map(|hit| [hit.span.start, hit.span.end])
            .collect();
        let ends = offsets::in_editor(text, &ends);
        for (hit, ends) in hits.iter().zip(ends.chunks_exact(2)) {
            places.push(Place {
                id: &hit.id,
                path: &hit.path,
                from: ends.first().copied().unwrap_or_default(),
                to: ends.last().copied().unwrap_or_default(),
                kind: if refused(hit.line) {
                    Glyph::Refused
                } else {
                    glyph(hit)
                },
                mask: !hit.empty,
                tip: match hit.mark.and_then(|mark| marks.get(mark)) {
                    Some(mark) => format!("{} is sealed by the mark {mark}", hit.path),
                    None => format!("{} would be sealed too", hit.path),
                },
            });
        }
    }
    let problems = check
        .findings
        .iter()
        .filter(|finding| finding.refuses)
        .filter_map(|finding| {
            Some(Problem {
                line: finding.line?,
                tip: format!("{} {}", finding.words.what, finding.words.why),
            })
        });
    let marks = Marks {
        keep: check.unreadable,
        marks: places,
        problems: problems.collect(),
    };
    wire::write(&marks).unwrap_or_default()
}

#[derive(Serialize)]
struct Marks<'a> {
    /// Where the values lie is not known now: those that were masked stay masked.
    keep: bool,
    marks: Vec<Place<'a>>,
    problems: Vec<Problem>,
}

#[derive(Serialize)]
struct Place<'a> {
    id: &'a str,
    path: &'a str,
    from: usize,
    to: usize,
    kind: Glyph,
    mask: bool,
    tip: String,
}

#[derive(Serialize)]
struct Problem {
    line: usize,
    tip: String,
}
