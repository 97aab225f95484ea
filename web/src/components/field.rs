//! A labelled line of text with its hint and its error, tied together for assistive technology.

use leptos::ev;
use leptos::prelude::*;

use crate::error::sentence;
use crate::view::{Content, View, div, input, label, p};

/// What a field is called and holds.
#[derive(Clone, Copy)]
pub struct Field {
    /// Unique in the page.
    pub id: &'static str,
    /// The visible name.
    pub label: &'static str,
    /// A sentence under the field; may be empty.
    pub hint: &'static str,
    /// The text.
    pub value: RwSignal<String>,
    /// What is wrong with the text.
    pub check: fn(&str) -> Option<String>,
    /// Whether it was tried: before that, an empty field is not wrong yet.
    pub tried: RwSignal<bool>,
}

/// The field.
pub fn field(field: Field) -> View {
    let Field {
        id,
        label: name,
        hint,
        value,
        check,
        tried,
    } = field;
    let error = Memo::new(move |_| {
        let early = !tried.get();
        value.with(|text| check(text).filter(|_| !(early && text.is_empty())))
    });
    let hint_id = format!("{id}-hint");
    div()
        .class("field")
        .child((
            label().attr("for", id).child(name),
            input()
                .attr("id", id)
                .attr("type", "text")
                .attr("autocomplete", "off")
                .attr("autocapitalize", "off")
                .attr("spellcheck", "false")
                .attr("aria-describedby", hint_id.clone())
                .attr("aria-invalid", move || {
                    error.with(Option::is_some).then_some("true")
                })
                .value(move || value.get())
                .on(ev::input, move |event| {
                    value.set(event_target_value(&event))
                }),
            p().attr("id", hint_id)
                .class("hint")
                .class_if("wrong", move || error.with(Option::is_some))
                .child(move || {
                    error
                        .get()
                        .map_or_else(|| hint.to_owned(), |message| sentence(&message))
                }),
        ))
        .view()
}
