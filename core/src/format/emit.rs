//! A tree as text, laid out as the reference lays it out.
