use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use super::{
    block_leaves, emit, insertion, opened, opened_comment, parse, removal, sealed, sealed_comment,
};
use crate::document::splice;
use crate::error::ErrorCode;
use crate::format::Format;
use crate::format::parts::{Item, Parsed, Root, Scalar};
use crate::limits::Limits;
use crate::tree::arrange::arrange;
use crate::tree::{Entry, Node};
use crate::value::Value;

fn read(text: &str) -> Parsed {
    parse(text, &Limits::default()).unwrap()
}

fn root(text: &str) -> Root {
    read(text).documents.remove(0)
}

fn tree_of(text: &str) -> Node {
    let root = root(text);
    // Items stand in the reference's order: where in the text a comment stands does not count.
    let items = root.items.iter().collect();
    let arranged = arrange(items, root.collections.iter().enumerate(), &root, None);
    arranged.tree(&mut 0).unwrap()
}

/// `section.key=value` and `section;comment`, in order.
fn items(text: &str) -> Vec<String> {
    let items = root(text).items.into_iter();
    items
        .map(|item| match item {
            Item::Comment(comment) => format!("{};{}", comment.path, comment.text),
            Item::Scalar(scalar) => {
                format!("{}={}", scalar.path, scalar.value.as_str().unwrap())
            }
        })
        .collect()
}

fn value(line: &str) -> String {
    let all = items(line);
    all[0].strip_prefix("DEFAULT.k=").unwrap().to_owned()
}

fn item(key: &str, node: Node) -> Entry {
    let key = Some(key.into());
    Entry::Item { key, node }
}

fn leaf(text: &str) -> Node {
    Node::Leaf(Value::string(text))
}

fn comment(text: &str) -> Entry {
    Entry::Comment(text.into())
}

fn metadata() -> Node {
    let age = Entry::Item {
        key: None,
        node: Node::Mapping(vec![item("enc", leaf("a\nb\n"))]),
    };
    Node::Mapping(vec![
        item("age", Node::List(vec![age])),
        item("encrypted_regex", leaf("^(a|b);#$")),
        item("version", leaf("3.11.0")),
    ])
}

fn with_block(text: &str) -> String {
    splice(text, &[insertion(text, &root(text), &metadata())])
}

fn without_block(text: &str) -> String {
    splice(text, &removal(text, &root(text)).unwrap())
}

fn hidden(text: &str) -> String {
    let root = root(text);
    let edits = root.items.iter().flat_map(|item| match item {
        Item::Comment(comment) if comment.text.is_empty() => Vec::new(),
        Item::Comment(comment) => sealed_comment("ENC[AES256_GCM,data:c]", comment),
        Item::Scalar(scalar) if scalar.value.is_empty() => Vec::new(),
        Item::Scalar(scalar) => sealed("ENC[AES256_GCM,data:s]", scalar),
    });
    let mut edits: Vec<_> = edits.collect();
    edits.push(insertion(text, &root, &metadata()));
    splice(text, &edits)
}

/// Puts the items of `plain` back in the place of those of `hidden`.
fn shown(hidden: &str, plain: &str) -> String {
    let (hidden_root, plain) = (root(hidden), root(plain));
    let inside = |item: &&Item| match item {
        Item::Comment(comment) => !Format::Ini.names_block(&comment.path),
        Item::Scalar(scalar) => !Format::Ini.names_block(&scalar.path),
    };
    let items: Vec<_> = hidden_root.items.iter().filter(inside).collect();
    assert_eq!(items.len(), plain.items.len(), "{hidden}");
    let pairs = items.into_iter().zip(&plain.items);
    let edits = pairs.flat_map(|pair| match pair {
        (Item::Comment(_), Item::Comment(was)) if was.text.is_empty() => Vec::new(),
        (Item::Comment(at), Item::Comment(was)) => opened_comment(&was.text, at),
        (Item::Scalar(at), Item::Scalar(was)) => {
            assert_eq!(at.path, was.path);
            opened(&was.value, at, "").unwrap()
        }
        _ => panic!("another item"),
    });
    let mut edits: Vec<_> = edits.collect();
    edits.extend(removal(hidden, &hidden_root).unwrap());
    splice(hidden, &edits)
}

#[test]
fn values_are_read_as_the_reference_does() {
    for (text, expected) in [
        ("k=v", "v"),
        ("k : v ", "v"),
        ("k = a=b:c", "a=b:c"),
        ("k =", ""),
        ("k = \" x \"", " x "),
        ("k = 'x'", "x"),
        ("k = \"a\" \"b\"", "\"a\" \"b\""),
        ("k = \"a", "\"a"),
        ("k = it's \"q\"", "it's \"q\""),
        ("k = a;b", "a"),
        ("k = \"a;b\"", "\"a"),
        ("k = `a;b`", "a;b"),
        ("k = `a` b` c", "a` b"),
        ("k = \"\"\"a\"\"\"\"", "a\""),
        ("k = \"\"\"a\n b\r\nc\"\"\"", "a\n b\r\nc"),
        ("k = \"\"\"a\nb\"\"\" \\\nc\"\"\"", "a\nb\"\"\" \\\nc"),
        ("k = `\n`", "\n"),
        ("k = \"\"\"", "\"\"\""),
        ("k = a \\\n  b ; c\nx = y", "a b ; c"),
        ("k = a\\\n\nx = y", "a"),
        ("k = a\\\\\n b\\", "a\\b"),
        ("k = \u{a0}x\u{2003}", "x"),
        ("\u{feff}k = x", "x"),
    ] {
        assert_eq!(value(text), expected, "{text:?}");
    }
}

#[test]
fn keys_are_read_as_the_reference_does() {
    for (line, key) in [
        ("a b = x", "a b"),
        ("\"a=b\" = x", "a=b"),
        ("`a:b`: x", "a:b"),
        ("\"\"\"a\"b\"\"\" = x", "a\"b"),
        ("\" a \" = x", "a"),
        ("- = x", "#1"),
        ("'a' = x", "'a'"),
        ("]x = y", "]x"),
    ] {
        let path = format!("DEFAULT.{key}=");
        assert!(items(line)[0].starts_with(&path), "{line}");
    }
    assert_eq!(
        items("-=a\n-=b\n[s]\n-=c"),
        ["DEFAULT.#1=a", "DEFAULT.#2=b", "s.#1=c"]
    );
}

#[test]
fn sections_stand_side_by_side_even_under_one_name() {
    let text = "a=1\n[s]\nb=2\n [ t ] \n[s]\nc=3\n[a]b]\n[DEFAULT]\nd=4";
    let root = root(text);
    let names: Vec<&str> = root.keys.iter().map(|key| key.name.as_ref()).collect();
    assert_eq!(names, ["DEFAULT", "s", " t ", "s", "a]b", "DEFAULT"]);
    let tree = tree_of(text);
    let section = |name: &str, pairs: &[(&str, &str)]| {
        let pairs = pairs.iter().map(|(key, text)| item(key, leaf(text)));
        item(name, Node::Mapping(pairs.collect()))
    };
    assert_eq!(
        tree,
        Node::Mapping(vec![
            section("DEFAULT", &[("a", "1")]),
            section("s", &[("b", "2")]),
            section(" t ", &[]),
            section("s", &[("c", "3")]),
            section("a]b", &[]),
            section("DEFAULT", &[("d", "4")]),
        ])
    );
    let empty = item("DEFAULT", Node::Mapping(Vec::new()));
    assert_eq!(tree_of(""), Node::Mapping(vec![empty]));
}

#[test]
fn a_comment_follows_its_key_and_opens_its_section() {
    for (text, expected) in [
        ("; c\nk=v", &["DEFAULT.k=v", "DEFAULT;c"][..]),
        ("k=v ; c", &["DEFAULT.k=v", "DEFAULT;c"]),
        ("k=v;c#d", &["DEFAULT.k=v", "DEFAULT;c#d"]),
        ("#  # c \nk=v", &["DEFAULT.k=v", "DEFAULT;c"]),
        (";#c\nk=v", &["DEFAULT.k=v", "DEFAULT;#c"]),
        (";\nk=v", &["DEFAULT.k=v", "DEFAULT;"]),
        ("; a\n\n # b\nk=v", &["DEFAULT.k=v", "DEFAULT;a\n# b"]),
        ("; a\nk=v ; b", &["DEFAULT.k=v", "DEFAULT;a\n; b"]),
        ("; c\n[s]\nk=v", &["s;c", "s.k=v"]),
        ("[s] ; c", &["s;c"]),
        ("; a\n[s] # b", &["s;a\n# b"]),
        ("k=v\n; c", &["DEFAULT.k=v"]),
        ("k=`v` ; c", &["DEFAULT.k=v"]),
        ("k=\"\"\"v\nw\"\"\"; c", &["DEFAULT.k=v\nw", "DEFAULT;c"]),
        // The last occurrence settles the comment, too.
        ("; c\nk=v\nk=w", &["DEFAULT.k=w"]),
        (
            "k=v\nx=y\n; c\nk=w",
            &["DEFAULT.k=w", "DEFAULT;c", "DEFAULT.x=y"],
        ),
        ("[s]\nk=v\n; c\n[s]\nx=y", &["s.k=v", "s;c", "s.x=y"]),
    ] {
        assert_eq!(items(text), expected, "{text:?}");
    }
    let Node::Mapping(sections) = tree_of("[s]\nk=v\n; c\n[s]\nx=y") else {
        panic!("no mapping")
    };
    let second = Node::Mapping(vec![comment("c"), item("x", leaf("y"))]);
    assert_eq!(sections[2], item("s", second));
}

#[test]
fn what_cannot_be_sealed_in_its_place_is_an_obstacle() {
    for (text, line) in [
        ("k=v\n; c", 2),
        ("k=v ; c\n[s] ; c", 2),
        ("; a\nk=v ; b", 2),
        ("; a\n\n; b\nk=v", 4),
        ("; a\n  ; b\nk=v", 3),
        ("; #a\nk=v", 2),
        (";\n; a\nk=v", 3),
        ("[s] junk", 1),
        ("\"k\" junk = v", 1),
        ("k = `v` junk", 1),
        ("k = `v` ; c", 1),
        ("k = \"\"\"v\nw\"\"\" junk", 1),
        ("k = \"\"\"v\nw\"\"\" ; c", 1),
        ("k = v \\\nw", 1),
        ("k = v\nk = w", 2),
        ("k = a`b", 1),
        ("k = \"\"\"", 1),
    ] {
        let parsed = read(text);
        let obstacle = parsed.obstacles.first().map(|o| (o.code, o.line));
        let expected = Some((ErrorCode::LayoutUnsupported, line));
        assert_eq!(obstacle, expected, "{text:?}");
        // The layout of the reference has none, and its tree is the same.
        let canonical = emit(&tree_of(text)).unwrap();
        let again = read(&canonical);
        assert!(again.obstacles.is_empty(), "{text:?} {canonical:?}");
        let values = |text: &str| {
            let all = items(text).into_iter();
            all.filter(|item| item.contains('=')).collect::<Vec<_>>()
        };
        assert_eq!(values(&canonical), values(text), "{text:?}");
    }
}

#[test]
fn what_is_sealed_in_its_place_opens_to_the_same_text() {
    for text in [
        "",
        "\n",
        "\u{feff}",
        "\u{feff}k=v",
        "k=v",
        "k=v\r",
        "k=v\r\n",
        "  k : v  \n\n\n",
        "# c\n# d\n\t k=v\nl=w;e\n",
        "; a\n; b\nk = \" x \"\n\n#   c\n[s]\nl='y'\n[t]",
        ";a\n;b\nk=v",
        "k=v ;;; a",
        "k = `a;b`\nl = `plain`\nm = \"\"\"x\n y\n\"\"\"\nn = `\r\n`\r\n",
        "- = a\n- = b\n",
        "\"#1\" = x\n`[y` = z\n",
        "[s]\nk=\n[s]\nl = ; c\n",
        "k = \"\"\"a\"\"\"\"\n",
    ] {
        assert!(read(text).obstacles.is_empty(), "{text:?}");
        let hidden = hidden(text);
        assert_eq!(shown(&hidden, text), text, "{hidden:?}");
    }
}

#[test]
fn quotes_and_marks_stay_around_what_is_sealed() {
    let text = hidden("#  c\nk = \" x \"\nl=`z`\nm = '' ;y\n");
    let expected = "#  ENC[AES256_GCM,data:c]\nk = \"ENC[AES256_GCM,data:s]\"\n\
        l=`ENC[AES256_GCM,data:s]`\nm = '' ;ENC[AES256_GCM,data:c]\n";
    assert_eq!(
        text.strip_prefix(expected)
            .map(|rest| rest.starts_with("\n[sops]\n")),
        Some(true),
        "{text}"
    );
}

#[test]
fn the_block_goes_and_the_text_is_what_it_was() {
    let block = "[sops]\nage__list_0__map_enc = a\\nb\\n\n\
        encrypted_regex      = `^(a|b);#$`\nversion              = 3.11.0";
    for text in [
        "",
        "\n",
        "\n\n",
        "\r\n",
        "k=v",
        "k=v\n",
        "k=v\n\n",
        "k=v\r",
        "k=v\r\n",
        "a=b\nk=v\r",
        "a=b\r\nk=v",
        "a=b\r\nk=v\n",
        "[s]",
        "[s]\n",
        "\u{feff}",
        " ",
        "k=\"\"\"\n\"\"\"",
    ] {
        let sealed = with_block(text);
        assert_eq!(without_block(&sealed), text, "{sealed:?}");
        assert!(sealed.replace("\r\n", "\n").contains(block), "{sealed:?}");
        assert!(removal(text, &root(text)).is_none());
        let leaves = block_leaves(&root(&sealed));
        let found: Vec<_> = leaves.iter().map(|(path, ..)| path.to_string()).collect();
        assert_eq!(found, ["age[0].enc", "encrypted_regex", "version"]);
        assert_eq!(leaves[0].1, Value::string("a\nb\n"));
        assert_eq!(leaves[1].1, Value::string("^(a|b);#$"));
    }
}

#[test]
fn the_block_goes_wherever_it_stands() {
    for (sealed, text) in [
        ("[sops]\na=b\n", ""),
        ("k=v\n\n[sops]\na=b\n", "k=v\n"),
        ("k=v\n[sops]\na=b\n", "k=v\n"),
        ("k=v\n[sops]\na=b", "k=v"),
        (
            "k=v\n\n[sops]\na=b\n\n; c\n [s]\nx=y\n",
            "k=v\n\n; c\n [s]\nx=y\n",
        ),
        ("[sops]\na=b\n[sops]\nc=d\n", ""),
        ("k=v\n\n[sops]\na=b\n; lost\n", "k=v\n"),
    ] {
        assert_eq!(without_block(sealed), text, "{sealed:?}");
    }
    let leaves = block_leaves(&root("[sops]\na=b\n[sops]\nc=d\n"));
    assert_eq!(leaves.len(), 1, "the first counts");
}

#[test]
fn a_block_with_real_line_breaks_is_read() {
    let leaves = block_leaves(&root("[sops]\nage__list_0__map_enc = \"\"\"a\nb\n\"\"\"\n"));
    assert_eq!(leaves[0].1, Value::string("a\nb\n"));
}

#[test]
fn a_backslash_behind_quotes_goes_where_it_would_take_them_back() {
    let text = "[s]\nk = \"\"\"ENC[x]\"\"\" \\\nl = 1\n";
    let scalar = root(text).items.into_iter().find_map(|item| match item {
        Item::Scalar(scalar) => Some(scalar),
        Item::Comment(_) => None,
    });
    let scalar = scalar.unwrap();
    for (value, expected) in [
        ("a\nb", "[s]\nk = \"\"\"a\nb\"\"\"\nl = 1\n"),
        ("a", "[s]\nk = \"\"\"a\"\"\" \\\nl = 1\n"),
    ] {
        let edits = opened(&Value::string(value), &scalar, text).unwrap();
        assert_eq!(splice(text, &edits), expected);
    }
}

#[test]
fn values_open_in_quotes_that_read_back() {
    let at = |text: &str| match root(text).items.remove(0) {
        Item::Scalar(scalar) => scalar,
        Item::Comment(_) => panic!("no value"),
    };
    let open = |value: &Value, at: &Scalar| opened(value, at, "").unwrap().remove(0).1;
    let plain = at("k=ENC[x]");
    for (value, text) in [
        ("v", "v"),
        ("a=b:c", "a=b:c"),
        ("a;b", "`a;b`"),
        ("a#b", "`a#b`"),
        (" a", "\" a\""),
        ("a\nb", "\"\"\"a\nb\"\"\""),
        ("a`b", "\"\"\"a`b\"\"\""),
        ("it's \"q\"", "it's \"q\""),
        // The reference prints these so that it reads others back.
        ("\"x\"", "'\"x\"'"),
        ("'x'", "\"'x'\""),
        ("x\\", "\"x\\\""),
        ("\"\"\"", "'\"\"\"'"),
    ] {
        assert_eq!(open(&Value::string(value), &plain), text, "{value:?}");
    }
    assert_eq!(open(&Value::Float(1e21), &plain), "1E+21");
    assert_eq!(open(&Value::Null, &plain), "<nil>");
    assert_eq!(open(&Value::string("v"), &at("k=\"ENC[x]\"")), "\"v\"");
    assert_eq!(open(&Value::string("a\"b"), &at("k=\"ENC[x]\"")), "a\"b");
    assert_eq!(open(&Value::string("a#b"), &at("k='ENC[x]'")), "`a#b`");
    assert_eq!(open(&Value::string("v"), &at("k=`ENC[x]`")), "`v`");
    assert_eq!(
        open(&Value::string("v"), &at("k=\"\"\"ENC[x]\"\"\"")),
        "\"\"\"v\"\"\""
    );
    let error = opened(&Value::string("a\"\"\"`\n`\"\"\"\n"), &plain, "").unwrap_err();
    assert_eq!(error.code(), ErrorCode::ValueNotRepresentable);
}

#[test]
fn comments_open_as_the_reference_prints_them() {
    for (sealed, text, expected) in [
        ("; ENC[x]\nk=v", "c", "; c\nk=v"),
        ("; ENC[x]\nk=v", "a\n; b", "; a\n; b\nk=v"),
        ("; ENC[x]\nk=v", "a\n;b", "; a\n; b\nk=v"),
        ("; ENC[x]\nk=v", "#c", "# c\nk=v"),
        ("# ENC[x]\nk=v", "c", "# c\nk=v"),
        // No line of a comment becomes a key.
        ("; ENC[x]\nk=v", "a\nx=y", "; a\n; x=y\nk=v"),
        (";ENC[x]\nk=v", "a\n[s]\n;b", ";a\n; [s]\n;b\nk=v"),
        // Of those of sections it trims none.
        ("; ENC[x]\nk=v", "\tc", "; c\nk=v"),
        ("; ENC[x]\n[s]", "\tc", "; \tc\n[s]"),
        ("; ENC[x]\n[s]", "a\n\tb", "; a\n; \tb\n[s]"),
        // An empty line would make the reference break down.
        ("; ENC[x]\nk=v", "\n; b", "; b\nk=v"),
    ] {
        let edits = root(sealed)
            .items
            .into_iter()
            .filter_map(|item| match item {
                Item::Comment(comment) => Some(opened_comment(text, &comment)),
                Item::Scalar(_) => None,
            });
        let edits: Vec<_> = edits.flatten().collect();
        assert_eq!(splice(sealed, &edits), expected);
    }
}

#[test]
fn a_tree_is_printed_as_the_reference_does() {
    let text = "; c\na     = 1\nb key = `;`\n\n\
        ; t\n; u\n[s]\n`k:v` = \n; i\nl     = \" x \"\n\n[s]\n\n[t]\nm = \"\"\"n\no\"\"\"\n";
    assert_eq!(emit(&tree_of(text)).unwrap(), text);
    let section = |entries: Vec<Entry>| Node::Mapping(entries);
    let tree = Node::Mapping(vec![
        comment("between sections"),
        item(
            "b",
            section(vec![
                comment(" of the section"),
                comment(" lost"),
                item("a", leaf("b")),
                comment(" lost, too"),
                comment(" of a"),
                item("c", Node::Leaf(Value::Boolean(true))),
            ]),
        ),
        item("DEFAULT", section(vec![item("#1", leaf("x"))])),
    ]);
    assert_eq!(
        emit(&tree).unwrap(),
        ";  of the section\n[b]\n; of a\na = b\nc = true\n\n[DEFAULT]\n\"#1\" = x\n"
    );
}

#[test]
fn what_ini_cannot_hold_is_refused_with_its_path() {
    let section = |key: &str, node: Node| item("s", Node::Mapping(vec![item(key, node)]));
    for (entry, path) in [
        (item("a", leaf("x")), "a"),
        (item("a", Node::Leaf(Value::Null)), "a"),
        (item("", Node::Mapping(Vec::new())), ""),
        (section("a", Node::List(Vec::new())), "s.a"),
        (section("a", Node::Mapping(Vec::new())), "s.a"),
        (section("", leaf("x")), "s."),
        (section("-", leaf("x")), "s.-"),
        (section(" a", leaf("x")), "s. a"),
        (section("a\"\"\"b`", leaf("x")), "s.a\"\"\"b`"),
    ] {
        let error = emit(&Node::Mapping(vec![entry])).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ValueNotRepresentable, "{path}");
        assert_eq!(error.fault().unwrap().path.as_deref(), Some(path));
    }
}

#[test]
fn a_line_that_is_nothing_is_refused_without_repeating_it() {
    for (text, line) in [
        ("k=v\nhunter2", 2),
        ("[hunter2", 1),
        ("[]", 1),
        ("=hunter2", 1),
        ("\"\" = hunter2", 1),
        ("\"hunter2 = x", 1),
        ("k=\"\"\"a\nb\"\"\"\nhunter2", 3),
        ("\nk = `hunter2\n\n", 2),
        ("k = `", 1),
    ] {
        let error = parse(text, &Limits::default()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::IniSyntax, "{text:?}");
        assert_eq!(error.fault().unwrap().line, Some(line), "{text:?}");
        assert!(!error.to_string().contains("hunter2"));
    }
}

#[test]
fn a_text_beyond_a_limit_is_refused() {
    let limits = Limits {
        nodes: 4,
        scalar_bytes: 4,
        key_bytes: 2,
        ..Limits::default()
    };
    assert!(parse("; c\n[s]\nk=1234", &limits).is_ok());
    for text in [
        "k=1\nl=2\n[s]",
        ";\n;\n;\n;\n;\n",
        "k=12345",
        "[abc]",
        "abc=1",
    ] {
        let error = parse(text, &limits).unwrap_err();
        assert_eq!(error.code(), ErrorCode::LimitExceeded, "{text:?}");
    }
}

#[test]
fn any_text_is_refused_or_comes_back() {
    let tokens = [
        "a", "k", "=", ":", " ", "\n", "\n", "\"", "\"\"\"", "'", "`", "#", "; ", "[", "[s]", "]",
        "\\", "\\\n", "\r\n", "\t", "-", "é", "k = v\n", "\u{feff}", "\u{a0}",
    ];
    let mut state = 1_u64;
    let mut below = |bound: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(state >> 33).unwrap() % bound
    };
    let (mut in_place, mut anew) = (0, 0);
    for _ in 0..20_000 {
        let count = below(16);
        let text: String = (0..count).map(|_| tokens[below(tokens.len())]).collect();
        let Ok(parsed) = parse(&text, &Limits::default()) else {
            continue;
        };
        let layout = if parsed.obstacles.is_empty() {
            in_place += 1;
            text
        } else {
            anew += 1;
            // What INI cannot hold is refused.
            let Ok(canonical) = emit(&tree_of(&text)) else {
                continue;
            };
            assert!(
                read(&canonical).obstacles.is_empty(),
                "{text:?} {canonical:?}"
            );
            canonical
        };
        assert_eq!(without_block(&with_block(&layout)), layout, "{layout:?}");
        let hidden = hidden(&layout);
        assert_eq!(shown(&hidden, &layout), layout, "{hidden:?}");
    }
    assert!(in_place > 2_000 && anew > 1_000, "{in_place} {anew}");
}
