//! One outline set of icons, 16 px, drawn in the current colour. Always beside a word or a name.

use crate::view::{Content, View, drawing};

/// What an icon shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    /// A tick.
    Check,
    /// A cross.
    Close,
    /// Two sheets.
    Copy,
    /// A dot: changed.
    Dot,
    /// A sheet with lines: a manifest.
    File,
    /// A line between two points: a commit.
    Git,
    /// A question mark.
    Help,
    /// A closed lock.
    Locked,
    /// A moon.
    Moon,
    /// A box: an add-on.
    Package,
    /// A pencil.
    Pencil,
    /// A plus sign.
    Plus,
    /// An eye.
    Reveal,
    /// A cog.
    Settings,
    /// Layers.
    Stacks,
    /// A sun.
    Sun,
    /// An open lock.
    Unlocked,
    /// A triangle.
    Warning,
}

/// The icon as a node that assistive technology passes over.
pub fn icon(icon: Icon) -> View {
    let fill = if icon == Icon::Dot {
        "currentColor"
    } else {
        "none"
    };
    let shapes: Vec<_> = shapes(icon)
        .iter()
        .map(|shape| drawing("path").attr("d", *shape))
        .collect();
    drawing("svg")
        .attr("class", "icon")
        .attr("viewBox", "0 0 16 16")
        .attr("width", "16")
        .attr("height", "16")
        .attr("fill", fill)
        .attr("stroke", "currentColor")
        .attr("stroke-width", "1.4")
        .attr("stroke-linecap", "round")
        .attr("stroke-linejoin", "round")
        .attr("aria-hidden", "true")
        .child(shapes)
        .view()
}

fn shapes(icon: Icon) -> &'static [&'static str] {
    match icon {
        Icon::Check => &["M3 8.5 6.5 12 13 4.5"],
        Icon::Close => &["M4 4l8 8", "M12 4l-8 8"],
        Icon::Copy => &[
            "M6.5 5.5h6a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1h-6a1 1 0 0 1-1-1v-6a1 1 0 0 1 1-1z",
            "M3.3 10.5a.8.8 0 0 1-.8-.8V3.3c0-.4.4-.8.8-.8h6.4c.4 0 .8.4.8.8",
        ],
        Icon::Dot => &["M8 5.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z"],
        Icon::File => &[
            "M4 2h5l3.5 3.5V13a1 1 0 0 1-1 1H4.5a1 1 0 0 1-1-1V2.5A.5.5 0 0 1 4 2z",
            "M6 8.5h4",
            "M6 11h4",
        ],
        Icon::Git => &[
            "M1.5 8h4",
            "M10.5 8h4",
            "M8 5.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z",
        ],
        Icon::Help => &[
            "M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8z",
            "M6.2 6.3a1.8 1.8 0 1 1 2.6 1.7c-.5.3-.8.6-.8 1.2",
            "M8 11.4v.1",
        ],
        Icon::Locked => &[
            "M4.5 7.5h7a1 1 0 0 1 1 1v4a1 1 0 0 1-1 1h-7a1 1 0 0 1-1-1v-4a1 1 0 0 1 1-1z",
            "M5.5 7.5V5a2.5 2.5 0 0 1 5 0v2.5",
        ],
        Icon::Moon => &["M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5z"],
        Icon::Package => &[
            "M8 1.8 13.5 4.8v6.4L8 14.2l-5.5-3V4.8z",
            "M2.7 5 8 8l5.3-3",
            "M8 8v6",
        ],
        Icon::Pencil => &["M3 13h3l7-7-3-3-7 7z", "M8.7 4.3l3 3"],
        Icon::Plus => &["M8 3.5v9", "M3.5 8h9"],
        Icon::Reveal => &[
            "M1.8 8S4 3.8 8 3.8 14.2 8 14.2 8 12 12.2 8 12.2 1.8 8 1.8 8z",
            "M8 6.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6z",
        ],
        Icon::Settings => &[
            "M2 4.5h6.5",
            "M12.5 4.5H14",
            "M10.5 3a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3z",
            "M2 11.5h1.5",
            "M7.5 11.5H14",
            "M5.5 10a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3z",
        ],
        Icon::Stacks => &["M8 2 14 5 8 8 2 5z", "M2 8l6 3 6-3", "M2 11l6 3 6-3"],
        Icon::Sun => &[
            "M8 5.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z",
            "M8 1.5V3",
            "M8 13v1.5",
            "M1.5 8H3",
            "M13 8h1.5",
            "M3.4 3.4l1 1",
            "M11.6 11.6l1 1",
            "M3.4 12.6l1-1",
            "M11.6 4.4l1-1",
        ],
        Icon::Unlocked => &[
            "M4.5 7.5h7a1 1 0 0 1 1 1v4a1 1 0 0 1-1 1h-7a1 1 0 0 1-1-1v-4a1 1 0 0 1 1-1z",
            "M5.5 7.5V5a2.5 2.5 0 0 1 4.9-.7",
        ],
        Icon::Warning => &["M8 2.5 14.5 13.5H1.5z", "M8 6.5v3", "M8 11.5v.1"],
    }
}
