//! Elements and what stands in them, driven by Leptos' signals.
//!
//! Leptos' own views are one type per shape of element, which makes a page of this size heavy, and its
//! `view!` hands static parts to `innerHTML`, which the page's policy (Trusted Types) forbids. Here every
//! element is made with `createElement` and is of one type. What is given as a function follows its signals:
//! the part it returns is built anew when they change, and everything that belonged to the old part (effects,
//! listeners, cleanups) goes with it.

use leptos::ev::EventDescriptor;
use leptos::prelude::{Effect, Owner, RenderEffect, StoredValue, document};
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Event, HtmlInputElement, Node};

/// Something that can stand in an element, of whatever kind.
pub struct View(Box<dyn FnOnce(&Node)>);

/// An element that is being built.
pub struct Element(web_sys::Element);

/// What can be put into an element.
pub trait Content: Sized + 'static {
    /// Puts it behind what is there.
    fn put(self, parent: &Node);

    /// The same, as a type that does not tell what it is.
    fn view(self) -> View {
        View(Box::new(move |parent| self.put(parent)))
    }
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
    #[expect(
        clippy::expect_used,
        reason = "tags are written in this program, and well-formed"
    )]
    Element(result.expect("a well-formed tag"))
}

/// Puts the page into the document's body.
pub fn show(page: View) {
    if let Some(body) = document().body() {
        page.put(&body);
    }
}

/// Runs whenever the signals that it reads change, for as long as the part that it belongs to.
pub fn follow(act: impl FnMut() + 'static) {
    // one type for all of them
    let mut act: Box<dyn FnMut()> = Box::new(act);
    Effect::new(move |_| act());
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
        always(Box::new(move || {
            // class names of this program cannot be refused
            drop(classes.toggle_with_force(name, holds()));
        }));
        self
    }

    /// Calls when an event reaches it.
    #[expect(clippy::needless_pass_by_value, reason = "events are named, not kept")]
    pub fn on<E: EventDescriptor>(
        self,
        event: E,
        mut act: impl FnMut(E::EventType) + 'static,
    ) -> Self
    where
        E::EventType: JsCast,
    {
        listen(
            &self.0,
            &event.name(),
            Box::new(move |event| act(event.unchecked_into())),
        );
        self
    }

    /// Keeps the text of a field as the signals have it.
    pub fn value(self, text: impl Fn() -> String + 'static) -> Self {
        let input = self.0.unchecked_ref::<HtmlInputElement>().clone();
        always(Box::new(move || {
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
        always(Box::new(move || input.set_checked(is())));
        self
    }

    /// Puts something into it, behind what is there.
    pub fn child(self, content: impl Content) -> Self {
        content.put(&self.0);
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

/// Adds a node that was just made, which can be put anywhere.
fn append(parent: &Node, node: &Node) {
    drop(parent.append_child(node));
}

/// A part between two marks, which is replaced when its signals change.
fn live(parent: &Node, mut part: Box<dyn FnMut(&Node)>) {
    let (start, end) = (
        document().create_text_node(""),
        document().create_text_node(""),
    );
    append(parent, &start);
    append(parent, &end);
    always(Box::new(move || {
        let fresh = document().create_document_fragment();
        part(&fresh);
        let Some(parent) = end.parent_node() else {
            return;
        };
        while let Some(old) = start
            .next_sibling()
            .filter(|old| !old.is_same_node(Some(&end)))
        {
            drop(parent.remove_child(&old));
        }
        drop(parent.insert_before(&fresh, Some(&end)));
    }));
}

fn set(element: &web_sys::Element, name: &str, value: &str) {
    // names of attributes are written in this program, and well-formed
    drop(element.set_attribute(name, value));
}

/// Runs at once and whenever signals change, for as long as the part that it belongs to.
fn always(mut act: Box<dyn FnMut()>) {
    StoredValue::new_local(RenderEffect::new(move |_| act()));
}

impl Content for View {
    fn put(self, parent: &Node) {
        self.0(parent);
    }

    fn view(self) -> View {
        self
    }
}

impl Content for Element {
    fn put(self, parent: &Node) {
        append(parent, &self.0);
    }
}

impl Content for &'static str {
    fn put(self, parent: &Node) {
        append(parent, &document().create_text_node(self));
    }
}

impl Content for String {
    fn put(self, parent: &Node) {
        append(parent, &document().create_text_node(&self));
    }
}

impl<T: Content> Content for Option<T> {
    fn put(self, parent: &Node) {
        if let Some(content) = self {
            content.put(parent);
        }
    }
}

impl<T: Content> Content for Vec<T> {
    fn put(self, parent: &Node) {
        self.into_iter().for_each(|content| content.put(parent));
    }
}

impl<T: Content, F: FnMut() -> T + 'static> Content for F {
    fn put(mut self, parent: &Node) {
        live(parent, Box::new(move |parent| self().put(parent)));
    }
}

impl Content for () {
    fn put(self, _parent: &Node) {}
}

macro_rules! tuples {
    ($($($part:ident)+;)+) => {
        $(impl<$($part: Content),+> Content for ($($part,)+) {
            #[expect(non_snake_case, reason = "a part has the name of its type")]
            fn put(self, parent: &Node) {
                let ($($part,)+) = self;
                $($part.put(parent);)+
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
        set(element, name, self);
    }
}

impl Attribute for String {
    fn apply(self, element: &web_sys::Element, name: &'static str) {
        set(element, name, &self);
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
        always(Box::new(move || self().apply(&element, name)));
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
