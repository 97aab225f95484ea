//! What a document may be before it is refused: a bound for every resource that input can take.

/// Bounds on a document. The default suits what the page and the server take (R-24 of the threat model).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of text; 4 GiB at most, whatever stands here.
    pub bytes: usize,
    /// Nested collections.
    pub depth: usize,
    /// Keys, values, list items and comments.
    pub nodes: usize,
    /// Bytes of one scalar.
    pub scalar_bytes: usize,
    /// Bytes of one key. Rules are tried on every key; the reference takes 1024 characters, more behind `?`.
    pub key_bytes: usize,
    /// Documents in one text.
    pub documents: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 1 << 20,
            depth: 64,
            nodes: 10_000,
            scalar_bytes: 64 << 10,
            key_bytes: 4 << 10,
            documents: 100,
        }
    }
}

impl Limits {
    /// Bounds for a command that a person runs on files of their own.
    pub fn generous() -> Self {
        Self {
            bytes: 1 << 30,
            depth: 250,
            nodes: 10_000_000,
            scalar_bytes: 1 << 30,
            key_bytes: 16 << 10,
            documents: 100_000,
        }
    }
}
