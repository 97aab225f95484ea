//! INI: sections of keys.
