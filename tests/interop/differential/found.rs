//! Documents that once meant other things to both, as small as they could be made.

use stackseal_core::Format;

use super::batch::Settings;
use super::judge::{Judge, Verdict};

/// A format, an option that chooses what is sealed, and a document.
type Found = (Format, Option<(&'static str, &'static str)>, &'static str);

const FOUND: &[Found] = &[
    (Format::Dotenv, None, "#\r\n"),
    (Format::Dotenv, None, "=\0"),
    (Format::Ini, None, "1:\n2:;d\n1="),
    (Format::Ini, None, "[4]\n]=#k\n2=\\"),
    (Format::Ini, None, "#\r;\n[3]"),
    (Format::Ini, None, "3=' \"'"),
    (Format::Yaml, None, "a: &x v\nb:\n  c: *x\n"),
    (Format::Yaml, None, "l:\n- 1\n# x\n"),
    (Format::Yaml, None, "t:\n- l: \"%\\n\"\n"),
    (Format::Yaml, None, "null"),
    (Format::Yaml, None, "{}\n"),
    (Format::Yaml, None, "---\n"),
    (Format::Yaml, None, "t: !\nu: &a\n"),
    (Format::Yaml, None, "a: 1\n---\nb: 2\n---\n"),
    (Format::Yaml, None, "{\"\": []}\n---\n"),
    (
        Format::Yaml,
        Some(("--unencrypted-regex", "t")),
        "t:\n- l: \"%\\n\"\n",
    ),
    (Format::Yaml, None, "---\n# alone\n"),
    // comments that were of another collection to each
    (Format::Yaml, None, "l:\n- #a\n"),
    (Format::Yaml, None, "t: {a: b} # c\nu: [] # d\nv: {} #\n"),
    (Format::Yaml, None, "c: \" \\t\\n|\" # d\n"),
    (Format::Yaml, None, "\"1\":\n- - l # \n"),
    (Format::Yaml, None, "\"a\\nb\":\n c: x # d\n"),
    (Format::Yaml, None, "#\n---\n#"),
    (Format::Yaml, None, "{h}\n---\n#\r\nd:"),
    (Format::Yaml, None, "e: [[],[[f #b\n]]]"),
    (Format::Yaml, None, "l: {o: {s,m} #\n}"),
    (Format::Yaml, None, "t:\n---\n#\n\ng: |\n t"),
    (Format::Yaml, None, "t:\n- #e\n     - &a\n       p:"),
    (Format::Yaml, None, "d: &0 {d: []} #n"),
    (Format::Yaml, None, "n:\n   o:\n #"),
    (
        Format::Yaml,
        Some(("--encrypted-suffix", "0")),
        "'0':\n#n\n- c: #t",
    ),
    (
        Format::Yaml,
        Some(("--unencrypted-comment-regex", "sops:enc")),
        "? t0\n:\n  c: [s]\n#m\n  2\": x\n",
    ),
    (
        Format::Yaml,
        Some(("--unencrypted-comment-regex", "sops:enc")),
        "n:\n# \n- t: #n",
    ),
    (Format::Yaml, None, "l: [] #a\n#b\n? p\n: {} #c"),
    (Format::Yaml, None, "r:\n t:\n -\n#e"),
    (
        Format::Yaml,
        Some(("--encrypted-suffix", "0")),
        "me0: []\n\"e\\n\": #\n #\n  ret0: b\n\"br0\": [z, [y]] # s",
    ),
    (
        Format::Yaml,
        None,
        "g:\n       -\n           p: |+\n            n\n\n # \n\n       -",
    ),
    (
        Format::Yaml,
        None,
        "c:\n      - |+\n       v\n\n#e\r\n      - /",
    ),
    (Format::Yaml, None, "t: | "),
    (Format::Yaml, None, "t: |\n "),
    (Format::Yaml, None, "t: |+\n "),
    (Format::Yaml, None, "t: |\n  a\n "),
    (Format::Yaml, None, "t: |\n  a\n   "),
    (Format::Yaml, None, "s:\n  p: |+2\n      "),
    (Format::Yaml, None, "s:\n  p: |2\n      \n    "),
    (Format::Yaml, None, "t:\n- >-  "),
    (Format::Yaml, None, "a: &b\n- c: 2\n<<: *b"),
    (Format::Yaml, None, "a: &b []\nc:\n  <<: *b"),
];

#[test]
fn what_differed_once_agrees() {
    let judge = Judge::new();
    let mut wrong = Vec::new();
    for (format, rule, text) in FOUND {
        let settings = Settings {
            format: *format,
            rule: rule.map(|(option, text)| (option, text.to_owned())),
            mac_only_encrypted: false,
        };
        match judge.judge(text.as_bytes(), &settings) {
            Verdict::Agree | Verdict::BothRefuse(_) | Verdict::Moved | Verdict::ReferenceLost => {}
            verdict => wrong.push(format!("{format:?} {text:?}: {verdict:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
