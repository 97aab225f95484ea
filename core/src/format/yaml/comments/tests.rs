//! Expected places were read off go-yaml 3.0.4 with the reference's own filing.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::document::{Document, Plain};
use crate::limits::Limits;
#[cfg(feature = "formats")]
use crate::tree::{Entry, Node};
#[cfg(feature = "formats")]
use crate::value::Value;

fn parsed(text: &str) -> Document<Plain> {
    Document::<Plain>::parse(text.as_bytes(), &Limits::generous()).unwrap()
}

fn additional_data(text: &str) -> Vec<String> {
    let document = parsed(text);
    let comments = document.comments();
    comments
        .map(|(_, comment)| comment.path.additional_data())
        .collect()
}

#[test]
fn comments_belong_where_the_reference_files_them() {
    for (text, expected) in [
        ("s:\n- a\n# c\n- b\n", &["s:"][..]),
        ("s:\n  - a\n  # c\n  - b\n", &["s:"]),
        ("s:\n- # c\n  a: b\n", &["s:"]),
        ("s:\n  - # c\n    a: b\n", &["s:"]),
        ("s:\n- a # c\n", &["s:"]),
        ("s: {} # c\n", &["s:"]),
        ("s: []  # c\nt: u\n", &["s:"]),
        ("s:\n- {} # c\n", &["s:"]),
        ("s: []\n# c\nt: u\n", &[":"]),
        ("a:\n  b:\n    c: d\n  # x\n# y\nd: e\n", &["a:b:", ":"]),
        (
            "a:\n  b:\n    c: d\n  # x\n  # z\nd: e\n",
            &["a:b:", "a:b:"],
        ),
        ("a:\n  b:\n    c: d\n  # x\n\nd: e\n", &["a:"]),
        ("a:\n  b:\n    c: d\n  # x\n  e: f\n", &["a:"]),
    ] {
        assert_eq!(additional_data(text), expected, "{text}");
    }
}

#[test]
fn a_comment_that_the_block_would_follow_belongs_elsewhere_than_at_the_end_of_a_text() {
    assert_eq!(additional_data("l:\n- 1\n# x\n"), ["l:"]);
    assert_eq!(additional_data("l:\n- 1\n# x\nm: 2\n"), [":"]);
}

/// A tree in which a value is `v` or `~`, and a comment what it says.
#[cfg(feature = "formats")]
fn drawn(node: &Node) -> String {
    let entry = |entry: &Entry| match entry {
        Entry::Comment(text) => format!("#{}", text.as_str()),
        Entry::Item { key: None, node } => drawn(node),
        Entry::Item {
            key: Some(key),
            node,
        } => format!("{key}:{}", drawn(node)),
    };
    let inside = || {
        let entries: Vec<String> = node.entries().iter().map(entry).collect();
        entries.join(" ")
    };
    match node {
        Node::Leaf(Value::Null) => "~".into(),
        Node::Leaf(_) => "v".into(),
        Node::List(_) => format!("[{}]", inside()),
        Node::Mapping(_) => format!("{{{}}}", inside()),
    }
}

#[cfg(feature = "formats")]
#[test]
fn comments_go_between_the_entries_where_the_reference_has_them() {
    for (text, expected) in [
        ("#a\nk: 1\n#b\n", "{#a k:v #b}"),
        ("k:\n  a: 1\n  #x\n#y\nm: 2\n", "{k:{a:v #x} #y m:v}"),
        ("k:\n  a: 1\n  #x\n\nm: 2\n", "{k:{a:v #x} m:v}"),
        ("k:\n  a: 1\n#x\n\n#y\nm: 2\n", "{k:{a:v} #x #y m:v}"),
        ("k: 1 #a\nm: 2 #b\n", "{#a k:v #b m:v}"),
        ("k: #a\n  m: 1\n", "{#a k:{m:v}}"),
        ("k: #a\n  - 1\n", "{#a k:[v]}"),
        ("k: #a\n- 1\n", "{#a k:[v]}"),
        ("k:\n- #a\n- 1\n", "{k:[~ #a v]}"),
        ("k:\n- #a\n  m: 1\n", "{k:[{#a m:v}]}"),
        ("k:\n- #a\n", "{k:[~] #a}"),
        ("k:\n- 1 #a\n#b\n- 2\n", "{k:[#a v #b v]}"),
        ("k:\n#a\n- 1\n", "{k:[#a v]}"),
        ("k:\n#a\n- b: #c\n", "{k:[#a {#c b:~}]}"),
        ("k:\n- - 1 #a\n", "{k:[[#a v]]}"),
        ("k:\n- #a\n  - 1\n", "{k:[[#a v]]}"),
        ("k:\n- 1\n#a\n", "{k:[v #a]}"),
        ("k:\n- 1\n#a\nm: 2\n", "{k:[v] #a m:v}"),
        (
            "k: [ #a\n 1, #b\n 2 #c\n #d\n] #e\n",
            "{k:[#e #b v #c v #d]}",
        ),
        (
            "k: { #a\n b: 1, #c\n d: 2 #e\n #f\n} #g\n",
            "{k:{#g #c b:v #e d:v #f}}",
        ),
        ("k: {} #a\nm: 1\n", "{k:{#a} m:v}"),
        ("k: &x #a\n  m: 1\n", "{k:{#a m:v}}"),
        ("k: | #a\n  t\n#b\nm: 1\n", "{#a k:v #b m:v}"),
        ("k: \"a\n  b\" #a\nm: 1\n", "{#a k:v m:v}"),
        ("? a #b\n: c #d\n", "{#b #d a:v}"),
        ("? #a\n  b\n: #c\n  d: 1\n", "{#a #c b:{d:v}}"),
        (
            "#a\n---\n#b\nk: 1\n---\n#c\n\nm: 2\n#d\n",
            "{#a #b k:v #c}{m:v #d}",
        ),
        ("---\n#a\n", "{#a}"),
        ("#a\n\n#b\nk: 1\n", "{#a #b k:v}"),
        ("k: 1\n\n#a\n\n#b\n", "{k:v #a #b}"),
        (
            "k:\n  a:\n    b: 1\n    #x\n  #y\n#z\n",
            "{k:{a:{b:v #x} #y} #z}",
        ),
        (
            "k:\n  a: 1\n  #x\n#y\n\n#z\nm: 1\n",
            "{k:{a:v #x} #y #z m:v}",
        ),
        ("k:\n  - a\n  #x\n  #y\n\n  - b\n", "{k:[v #x #y v]}"),
        ("k: 1\r\n#a\r\n#b\r\nm: 2\r\n", "{k:v #a #b m:v}"),
    ] {
        let trees = parsed(text).trees().unwrap();
        let drawn: String = trees.iter().map(drawn).collect();
        assert_eq!(drawn, expected, "{text}");
    }
}

#[test]
fn a_comment_that_the_reference_drops_stays_in_the_text_and_belongs_around() {
    // at the opening bracket
    assert_eq!(additional_data("k: [ # c\n  1]\n"), ["k:"]);
    assert_eq!(additional_data("k: {\n  # c\n}\n"), ["k:"]);
}

#[test]
fn what_is_no_yaml_for_go_yaml_has_its_comments_somewhere() {
    // a key longer than it looks ahead
    let long = format!("{{? {} : 1}} # c\n", "k".repeat(2000));
    assert_eq!(additional_data(&long).len(), 1);
    assert_eq!(
        super::seats::of_text("a: b: c # d").map(|found| found.seats.len()),
        None
    );
}
