//! An error or a remark where it belongs: what happened, why, what to do, and quietly the code.

use super::icon::{Icon, icon};
use crate::error::Words;
use crate::view::{Content, View, div, p, strong};

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Something has to be done.
    Danger,
    /// Look before you go on.
    Warning,
}

/// The notice, with what can be done about it.
pub fn notice(weight: Weight, words: Words, actions: View) -> View {
    let (class, glyph) = match weight {
        Weight::Danger => ("notice danger", Icon::Warning),
        Weight::Warning => ("notice warning", Icon::Warning),
    };
    let Words { what, why, code } = words;
    let code = (!code.is_empty()).then(|| div().class("code").child(code));
    div()
        .class(class)
        .attr(
            "role",
            if weight == Weight::Danger {
                "alert"
            } else {
                "status"
            },
        )
        .child((
            icon(glyph),
            div().class("notice-text").child((
                p().child(strong().child(what)),
                p().child(why),
                code,
            )),
            div().class("notice-actions").child(actions),
        ))
        .view()
}
