//! The file formats. Each gives a document's leaves with their byte spans, and text for values.

pub(crate) mod yaml;
