//! The widgets that screens are made of, one per file.

pub mod copy;
pub mod details;
pub mod dialog;
pub mod editor;
pub mod field;
pub mod frame;
pub mod git_pane;
pub mod help;
pub mod icon;
pub mod keys;
pub mod members;
pub mod notice;
pub mod questions;
pub mod save_bar;
pub mod save_notice;
pub mod sealed_banner;
pub mod splitter;
pub mod text_editor;
pub mod theme;
pub mod toast;
