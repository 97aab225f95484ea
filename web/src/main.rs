//! The Stack Builder: a page that seals marked values in the browser, before anything is sent.
//!
//! Client-side rendered: Leptos' signals, effects, owners and contexts drive the elements of [`view`].
//! [`seal`] is the only caller of the codec; [`api`] is the only caller of the server.
#![allow(
    unreachable_pub,
    reason = "in a program `pub` says that other modules use it"
)]

mod api;
mod app;
mod browser;
mod components;
mod diff;
mod draft;
mod error;
mod http;
mod offsets;
mod pages;
mod route;
mod samples;
mod seal;
mod session;
mod view;
mod wire;
mod words;
mod workbench;

fn main() {
    std::panic::set_hook(Box::new(|_| browser::give_up()));
    leptos::mount::mount_to_body(|| view::show(app::app()));
}
