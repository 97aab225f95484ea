//! Elements and what stands in them, driven by Leptos' signals.
//!
//! Leptos' own views are one type per shape of element, which makes a page of this size heavy, and its
//! `view!` hands static parts to `innerHTML`, which the page's policy (Trusted Types) forbids. Here every
//! element is made with `createElement` and is of one type. What is given as a function follows its signals:
//! the part it returns is built anew when they change, and everything that belonged to the old part (effects,
//! listeners, cleanups) goes with it.

use std::borrow::Cow;

use leptos::ev::EventDescriptor;
use leptos::prelude::{Owner, RenderEffect, StoredValue, document};
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Event, HtmlInputElement, Node};

/// What can stand in an element.
pub enum View {
    /// Nothing.
    Empty,
    /// A part that follows signals.
    Live(Box<dyn FnMut() -> View>),
    /// Several, one after another.
    Many(Vec<View>),
    /// An element.
    One(Element),
    /// Words.
    Text(Cow<'static, str>),
}

/// An element that is being built.
pub struct Element(web_sys::Element);

/// What can be put into an element.
pub trait Content {
    /// As a view.
    fn view(self) -> View;
}

/// What an attribute can be set to; nothing takes it away.
pub trait Attribute {
    /// Sets it, once or whenever signals change.
    fn apply(self, element: &web_sys::Element, name: &'static str);
}

/// An element by its tag.
pub fn element(tag: &'static str) -> Element {
    made(document().create_element(tag))
}

/// An SVG element by its tag.
pub fn drawing(tag: &'static str) -> Element {
    made(document().create_element_ns(Some("http://www.w3.org/2000/svg"), tag))
}

fn made(result: Result<web_sys::Element, wasm_bindgen::JsValue>) -> Element {
    #[expect(clippy::expect_used, reason = "tags are written in this program, and well-formed")]
    Element(result.expect("a well-formed tag"))
}

/// Puts the page into the document's body.
pub fn show(page: View) {
    if let Some(body) = document().body() {
        append(&body, page);
    }
}

impl Element {
    /// Sets an attribute.
    pub fn attr(self, name: &'static str, value: impl Attribute) -> Self {
        value.apply(&self.0, name);
        self
    }

    /// Sets its classes.
    pub fn class(self, names: &'static str) -> Self {
        self.attr("class", names)
    }

    /// Adds a class while a condition holds.
    pub fn class_if(self, name: &'static str, holds: impl Fn() -> bool + 'static) -> Self {
        let classes = self.0.class_list();
        keep(RenderEffect::new(move |_| {
            // class names of this program cannot be refused
            drop(classes.toggle_with_force(name, holds()));
        }));
        self
    }

    /// Calls when an event reaches it.
    pub fn on<E: EventDescriptor>(self, event: E, mut act: impl FnMut(E::EventType) + 'static) -> Self
    where
        E::EventType: JsCast,
    {
        listen(&self.0, &event.name(), Box::new(move |event| act(event.unchecked_into())));
        self
    }

    /// Keeps the text of a field as the signals have it.
    pub fn value(self, text: impl Fn() -> String + 'static) -> Self {
        let input = self.0.unchecked_ref::<HtmlInputElement>().clone();
        keep(RenderEffect::new(move |_| {
            let text = text();
            // setting it moves the cursor
            if input.value() != text {
                input.set_value(&text);
            }
        }));
        self
    }

    /// Keeps a box or a choice as the signals have it.
    pub fn checked(self, is: impl Fn() -> bool + 'static) -> Self {
        let input = self.0.unchecked_ref::<HtmlInputElement>().clone();
        keep(RenderEffect::new(move |_| input.set_checked(is())));
        self
    }

    /// Puts something into it, behind what is there.
    pub fn child(self, content: impl Content) -> Self {
        append(&self.0, content.view());
        self
    }

    /// The element itself, as the kind it is known to be.
    pub fn node<T: JsCast + Clone>(&self) -> T {
        self.0.unchecked_ref::<T>().clone()
    }
}

fn listen(element: &web_sys::Element, event: &str, mut act: Box<dyn FnMut(Event)>) {
    let owner = Owner::current();
    let call = Closure::<dyn FnMut(Event)>::new(move |event| match &owner {
        Some(owner) => owner.with(|| act(event)),
        None => act(event),
    });
    // collected together with the element
    drop(element.add_event_listener_with_callback(event, call.into_js_value().unchecked_ref()));
}

fn append(parent: &Node, view: View) {
    // a node that was just made can be put anywhere
    let put = |node: &Node| drop(parent.append_child(node));
    match view {
        View::Empty => {}
        View::Live(part) => live(parent, part),
        View::Many(views) => views.into_iter().for_each(|view| append(parent, view)),
        View::One(Element(element)) => put(&element),
        View::Text(text) => put(&document().create_text_node(&text)),
    }
}

/// A part between two marks, which is replaced when its signals change.
fn live(parent: &Node, mut part: Box<dyn FnMut() -> View>) {
    let (start, end) = (document().create_text_node(""), document().create_text_node(""));
    drop(parent.append_child(&start));
    drop(parent.append_child(&end));
    keep(RenderEffect::new(move |_| {
        let fresh = document().create_document_fragment();
        append(&fresh, part());
        let Some(parent) = end.parent_node() else { return };
        while let Some(old) = start.next_sibling().filter(|old| !old.is_same_node(Some(&end))) {
            drop(parent.remove_child(&old));
        }
        drop(parent.insert_before(&fresh, Some(&end)));
    }));
}

/// An effect runs for as long as the part that it belongs to.
fn keep(effect: RenderEffect<()>) {
    StoredValue::new_local(effect);
}

impl Content for View {
    fn view(self) -> View {
        self
    }
}

impl Content for Element {
    fn view(self) -> View {
        View::One(self)
    }
}

impl Content for &'static str {
    fn view(self) -> View {
        View::Text(self.into())
    }
}

impl Content for String {
    fn view(self) -> View {
        View::Text(self.into())
    }
}

impl<T: Content> Content for Option<T> {
    fn view(self) -> View {
        self.map_or(View::Empty, T::view)
    }
}

impl<T: Content> Content for Vec<T> {
    fn view(self) -> View {
        View::Many(self.into_iter().map(T::view).collect())
    }
}

impl<T: Content, F: FnMut() -> T + 'static> Content for F {
    fn view(mut self) -> View {
        View::Live(Box::new(move || self().view()))
    }
}

impl Content for () {
    fn view(self) -> View {
        View::Empty
    }
}

macro_rules! tuples {
    ($($($part:ident)+;)+) => {
        $(impl<$($part: Content),+> Content for ($($part,)+) {
            #[expect(non_snake_case, reason = "a part has the name of its type")]
            fn view(self) -> View {
                let ($($part,)+) = self;
                View::Many(vec![$($part.view()),+])
            }
        })+
    };
}

tuples! {
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
}

impl Attribute for &str {
    fn apply(self, element: &web_sys::Element, name: &'static str) {
        // names of attributes are written in this program, and well-formed
        drop(element.set_attribute(name, self));
    }
}

impl Attribute for String {
    fn apply(self, element: &web_sys::Element, name: &'static str) {
        self.as_str().apply(element, name);
    }
}

impl<T: Attribute> Attribute for Option<T> {
    fn apply(self, element: &web_sys::Element, name: &'static str) {
        match self {
            Some(value) => value.apply(element, name),
            None => drop(element.remove_attribute(name)),
        }
    }
}

impl<T: Attribute, F: Fn() -> T + 'static> Attribute for F {
    fn apply(self, element: &web_sys::Element, name: &'static str) {
        let element = element.clone();
        keep(RenderEffect::new(move |_| self().apply(&element, name)));
    }
}

macro_rules! tags {
    ($($tag:ident)+) => {
        $(#[doc = concat!("`", stringify!($tag), "`.")]
        pub fn $tag() -> Element {
            element(stringify!($tag))
        })+
    };
}

tags! {
    a aside button code dd div dl dt fieldset form h1 h2 header input kbd label legend li main nav ol p section
    span strong table tbody td th thead tr ul
}
