//! Documents as the reference, or a person after it, writes them.

use stackseal_core::{Document, Encrypted, Limits, Opened};

use crate::support::{open, seal};

fn read(text: &str) -> Document<Encrypted> {
    Document::<Encrypted>::parse(text.as_bytes(), &Limits::default()).unwrap()
}

/// Seals by the default rule, changes the sealed text, and opens it.
fn open_changed(text: &str, change: impl Fn(&str) -> String) -> Opened {
    let sealed = seal(text, &[]);
    let changed = change(sealed.text());
    assert_ne!(changed, sealed.text());
    open(&read(&changed))
}

/// The reference writes a comment in a list as an item.
fn as_item(sealed: &str) -> String {
    sealed.replace("#ENC[", "- ENC[")
}

#[test]
fn a_list_of_empty_collections_needs_no_other_item() {
    for text in [
        "s:\n- []\n# x\n- {}\nb: y\n",
        "s:\n- - []\n# x\n- {}\nb: y\n",
        "s:\n- y\n# x\n- z\nb: c\n",
    ] {
        assert_eq!(open_changed(text, as_item).plain().text(), text);
    }
}
