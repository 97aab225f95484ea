//! dotenv: `KEY=value` lines, `#` lines and empty lines, as the reference reads them.
//!
//! Nothing is trimmed or unquoted: what stands before the first `=` is the key, what follows it the value, a carriage
//! return included. The two characters `\n` of a value are a line break (SOPS 3.11, `stores/dotenv`). Metadata are
//! keys that begin with `sops_`.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use super::Edit;
use super::flat;
use super::parts::{Collection, Comment, Item, Parsed, Root, Scalar, Style, TopKey};
use crate::error::{Error, ErrorCode};
use crate::limits::Limits;
use crate::path::{Path, Segment};
use crate::text::Text;
use crate::tree::{Entry, Node};
use crate::value::Value;

/// What the keys of the block begin with.
const PREFIX: &str = "sops_";

/// Reads a text.
///
/// # Errors
/// `dotenv-syntax` for a line without `=`, `limit-exceeded`.
pub(crate) fn parse(text: &str, limits: &Limits) -> Result<Parsed, Error> {
    let mut root = Root {
        end: text.len(),
        collections: vec![Collection {
            path: Path::default(),
            start: 0,
            items: None,
        }],
        ..Root::default()
    };
    let mut nodes = 0;
    let mut start = 0;
    for (number, line) in (1..).zip(text.split('\n')) {
        let end = start + line.len();
        if let Some(comment) = line.strip_prefix('#') {
            nodes += 1;
            root.items.push(Item::Comment(Comment {
                path: Path::default(),
                span: (start..end).into(),
                line: number,
                text: comment.into(),
                seat: None,
                of_section: false,
            }));
        } else if let Some((key, value)) = line.split_once('=') {
            nodes += 2;
            check_sizes(key, value, limits).map_err(|error| error.at_line(number))?;
            root.has_content = true;
            pair(&mut root, key, value, start..end, number);
        } else if !line.is_empty() {
            return Err(syntax(line).at_line(number));
        }
        if nodes > limits.nodes {
            return Err(Error::input(
                ErrorCode::LimitExceeded,
                format!(
                    "the text has more than {} keys, values and comments; split it",
                    limits.nodes
                ),
            )
            .at_line(number));
        }
        start = end + 1;
    }
    Ok(Parsed {
        documents: vec![root],
        obstacles: Vec::new(),
    })
}

/// What to replace so that a sealed value stands where the value stood.
pub(crate) fn sealed(enc: &str, at: &Scalar) -> Vec<Edit> {
    vec![(at.span.range(), enc.to_owned())]
}

/// What to replace so that a sealed comment stands where the comment stood.
pub(crate) fn sealed_comment(enc: &str, at: &Comment) -> Vec<Edit> {
    vec![(at.span.range(), format!("#{enc}"))]
}

/// What to replace so that an opened value stands where its sealed form stood.
///
/// # Errors
/// `value-not-representable` for bytes that are no text.
pub(crate) fn opened(value: &Value, at: &Scalar) -> Result<Vec<Edit>, Error> {
    let text = value_text(value).map_err(|error| error.at_line(at.line).at_path(&at.path))?;
    Ok(vec![(at.span.range(), text)])
}

/// What to replace so that an opened comment stands where its sealed form stood.
pub(crate) fn opened_comment(text: &str, at: &Comment) -> Vec<Edit> {
    vec![(at.span.range(), comment_text(text))]
}

/// What to insert so that the block stands at the end of the text: its keys sorted by bytes.
pub(crate) fn insertion(text: &str, root: &Root, metadata: &Node) -> Edit {
    let mut pairs = flat::flatten(metadata);
    pairs.sort();
    let lines: Vec<String> = pairs
        .iter()
        .map(|(key, value)| format!("{PREFIX}{key}={value}"))
        .collect();
    let lines = lines.join("\n");
    let before = text.get(..root.end).unwrap_or(text);
    // A text without a last line break ends without one behind the block, too: so it can be told afterwards.
    let block = if before.is_empty() || before.ends_with('\n') {
        lines + "\n"
    } else {
        format!("\n{lines}")
    };
    (root.end..root.end, block)
}

/// What to replace so that the text goes on without its block, wherever the block's lines stand; `None` without one.
pub(crate) fn removal(text: &str, root: &Root) -> Option<Vec<Edit>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for key in &root.keys {
        if !key.name.starts_with(PREFIX) {
            continue;
        }
        let end = text.len().min(key.end + 1);
        match runs.last_mut() {
            Some(run) if run.end == key.start => run.end = end,
            _ => runs.push(key.start..end),
        }
    }
    let last = runs.last_mut()?;
    if last.end == text.len() && !text.ends_with('\n') {
        last.start = last.start.saturating_sub(1);
    }
    Some(runs.into_iter().map(|run| (run, String::new())).collect())
}

/// The leaves of the block, each with its path below `sops` and its line.
pub(crate) fn block_leaves(root: &Root) -> Vec<(Path, Value, usize)> {
    let pairs = root.items.iter().filter_map(|item| match item {
        Item::Scalar(scalar) => {
            let key = scalar.path.last_key()?.strip_prefix(PREFIX)?;
            Some((key, &scalar.value, scalar.line))
        }
        Item::Comment(_) => None,
    });
    flat::unflatten(pairs)
}

/// A tree in the layout of the reference.
///
/// # Errors
/// `value-not-representable` for lists and mappings, bytes that are no text, and keys that would not read back.
pub(crate) fn emit(tree: &Node) -> Result<String, Error> {
    let Node::Mapping(entries) = tree else {
        return Err(flat::not_representable(
            "the document is no mapping at the top, which dotenv cannot hold; take YAML or JSON",
        ));
    };
    let mut text = String::new();
    for entry in entries {
        let line = match entry {
            Entry::Comment(comment) => comment_text(comment),
            Entry::Item { key, node } => {
                let key = key.as_deref().unwrap_or_default();
                pair_text(key, node).map_err(|error| error.at_path(key))?
            }
        };
        text.push_str(&line);
        text.push('\n');
    }
    Ok(text)
}

fn pair(root: &mut Root, key: &str, value: &str, line: Range<usize>, number: usize) {
    let name: Text = key.into();
    root.keys.push(TopKey {
        name: name.clone(),
        start: line.start,
        end: line.end,
        line: number,
    });
    root.items.push(Item::Scalar(Scalar {
        path: Path::default().child(Segment::Key(name)),
        span: (line.end - value.len()..line.end).into(),
        line: number,
        style: Style::Plain,
        flow: false,
        column: 0,
        tag: None,
        value: Value::string(&value.replace("\\n", "\n")),
    }));
}

fn check_sizes(key: &str, value: &str, limits: &Limits) -> Result<(), Error> {
    let message = if key.len() > limits.key_bytes {
        format!("a key has more than {} bytes; shorten it", limits.key_bytes)
    } else if value.len() > limits.scalar_bytes {
        format!("a value has more than {} bytes", limits.scalar_bytes)
    } else {
        return Ok(());
    };
    Err(Error::input(ErrorCode::LimitExceeded, message))
}

fn syntax(line: &str) -> Error {
    let message = if line.trim().is_empty() {
        "the line holds blanks, or the carriage return of a Windows line break, and nothing else, \
         which sops cannot read; empty it"
    } else {
        "the line is neither KEY=value nor a comment; put an = behind the key, or # in the first column"
    };
    Error::input(ErrorCode::DotenvSyntax, message)
}

/// A comment's further lines, which it cannot have here, become comments of their own.
fn comment_text(text: &str) -> String {
    format!("#{}", text.replace('\n', "\n#"))
}

fn value_text(value: &Value) -> Result<String, Error> {
    let text = flat::text(value)?;
    Ok(text.replace('\n', "\\n"))
}

fn pair_text(key: &str, node: &Node) -> Result<String, Error> {
    let Node::Leaf(value) = node else {
        return Err(flat::not_representable(
            "a list or mapping stands here, which dotenv cannot hold; take YAML or JSON",
        ));
    };
    if key.starts_with('#') || key.contains(['=', '\n']) {
        return Err(flat::not_representable(
            "the key holds a = or line break, or begins with #, so that dotenv would read another one; rename it",
        ));
    }
    Ok(format!("{key}={}", value_text(value)?))
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;
    use crate::document::splice;
    use crate::tree::arrange::arrange;

    fn root(text: &str) -> Root {
        let mut parsed = parse(text, &Limits::default()).unwrap();
        parsed.documents.remove(0)
    }

    fn tree_of(text: &str) -> Node {
        let root = root(text);
        let items = root.items.iter().collect();
        let arranged = arrange(items, root.collections.iter().enumerate(), &root, None);
        arranged.tree(&mut 0).unwrap()
    }

    fn pairs(text: &str) -> Vec<(String, String)> {
        let scalars = root(text).items.into_iter().filter_map(|item| match item {
            Item::Scalar(scalar) => Some(scalar),
            Item::Comment(_) => None,
        });
        let text = |scalar: &Scalar| scalar.value.as_str().unwrap().to_owned();
        scalars
            .map(|scalar| (scalar.path.to_string(), text(&scalar)))
            .collect()
    }

    fn item(key: &str, node: Node) -> Entry {
        let key = Some(key.into());
        Entry::Item { key, node }
    }

    fn leaf(text: &str) -> Node {
        Node::Leaf(Value::string(text))
    }

    #[test]
    fn nothing_is_trimmed_or_unquoted() {
        for (line, key, value) in [
            ("A=1", "A", "1"),
            ("export A=1", "export A", "1"),
            (" B=2", " B", "2"),
            ("C = 3", "C ", " 3"),
            ("A=\"q\"", "A", "\"q\""),
            ("A=b=c # d", "A", "b=c # d"),
            ("A=1\r", "A", "1\r"),
            ("=x", "", "x"),
            ("A=", "A", ""),
            ("A=x\\ny", "A", "x\ny"),
            ("A=x\\\\ny", "A", "x\\\ny"),
            ("\u{feff}A=1", "\u{feff}A", "1"),
        ] {
            assert_eq!(pairs(line), [(key.to_owned(), value.to_owned())], "{line}");
        }
        assert_eq!(pairs("A=1\n\nA=2").len(), 2);
    }

    #[test]
    fn comments_begin_in_the_first_column_and_stand_at_the_top() {
        let root = root("# a\nA=1\n#b=c\\n\r\n\n#");
        let comments: Vec<_> = root
            .items
            .iter()
            .filter_map(|item| match item {
                Item::Comment(comment) => {
                    Some((comment.text.as_str(), comment.line, comment.span.range()))
                }
                Item::Scalar(_) => None,
            })
            .collect();
        assert_eq!(
            comments,
            [(" a", 1, 0..3), ("b=c\\n\r", 3, 8..15), ("", 5, 17..18)]
        );
    }

    #[test]
    fn a_line_without_a_key_is_refused_without_repeating_it() {
        for (text, line) in [
            ("A=1\nhunter2", 2),
            ("\t\n", 1),
            ("A=1\r\n\r\nB=2", 2),
            (" # c", 1),
        ] {
            let error = parse(text, &Limits::default()).unwrap_err();
            assert_eq!(error.code(), ErrorCode::DotenvSyntax, "{text}");
            assert_eq!(error.fault().unwrap().line, Some(line), "{text}");
            assert!(!error.to_string().contains("hunter2"));
        }
    }

    #[test]
    fn a_text_beyond_a_limit_is_refused() {
        let limits = Limits {
            nodes: 3,
            scalar_bytes: 4,
            key_bytes: 2,
            ..Limits::default()
        };
        assert!(parse("#\nA=1234\n", &limits).is_ok());
        for text in ["A=1\nB=2", "A=12345", "ABC="] {
            let error = parse(text, &limits).unwrap_err();
            assert_eq!(error.code(), ErrorCode::LimitExceeded, "{text}");
        }
    }

    #[test]
    fn the_block_goes_and_the_text_is_what_it_was() {
        let age = Entry::Item {
            key: None,
            node: Node::Mapping(vec![item("enc", leaf("a\nb\n"))]),
        };
        let metadata = Node::Mapping(vec![
            item("version", leaf("3.11.0")),
            item("age", Node::List(vec![age])),
        ]);
        let block = "sops_age__list_0__map_enc=a\\nb\\n\nsops_version=3.11.0";
        for text in [
            "",
            "A=1",
            "A=1\n",
            "A=1\r",
            "A=1\r\n",
            "A=1\n\n\n",
            "\n",
            "#c",
            "A=\\n",
            "A=1\n#c\n",
        ] {
            let (at, block_text) = insertion(text, &root(text), &metadata);
            assert_eq!(block_text.trim_matches('\n'), block, "{text:?}");
            let sealed = splice(text, &[(at, block_text)]);
            let leaves = block_leaves(&root(&sealed));
            assert_eq!(leaves[0].0.to_string(), "age[0].enc");
            assert_eq!(leaves[0].1, Value::string("a\nb\n"), "{text:?}");
            let edits = removal(&sealed, &root(&sealed)).unwrap();
            assert_eq!(splice(&sealed, &edits), text);
            assert!(removal(text, &root(text)).is_none());
        }
    }

    #[test]
    fn lines_of_the_block_go_wherever_they_stand() {
        for (sealed, text) in [
            ("sops_a=1\nA=1\n\nsops_b=2\nB=2\nsops_c=3", "A=1\n\nB=2"),
            ("sops_a=1", ""),
            ("A=1\nsops_a=1\n#c\n", "A=1\n#c\n"),
        ] {
            let edits = removal(sealed, &root(sealed)).unwrap();
            assert_eq!(splice(sealed, &edits), text);
        }
    }

    #[test]
    fn what_is_sealed_in_its_place_opens_to_the_same_text() {
        let text = "# c\r\n\nA= x\\ny \r\nB=\"q\"\n#\nexport C=1";
        let first = root(text);
        let edits = first.items.iter().flat_map(|item| match item {
            Item::Comment(comment) => sealed_comment("ENC[c]", comment),
            Item::Scalar(scalar) => sealed("ENC[s]", scalar),
        });
        let hidden = splice(text, &edits.collect::<Vec<_>>());
        assert_eq!(
            hidden,
            "#ENC[c]\n\nA=ENC[s]\nB=ENC[s]\n#ENC[c]\nexport C=ENC[s]"
        );
        let second = root(&hidden);
        let edits = second
            .items
            .iter()
            .zip(&first.items)
            .flat_map(|pair| match pair {
                (Item::Comment(at), Item::Comment(was)) => opened_comment(&was.text, at),
                (Item::Scalar(at), Item::Scalar(was)) => opened(&was.value, at).unwrap(),
                _ => panic!("another item"),
            });
        assert_eq!(splice(&hidden, &edits.collect::<Vec<_>>()), text);
    }

    #[test]
    fn a_tree_is_printed_as_the_reference_does() {
        let text = "# c\nA=1\n B = x\\ny \n=\n#\nA=2\n";
        assert_eq!(emit(&tree_of(text)).unwrap(), text);
        let tree = Node::Mapping(vec![
            item("a", Node::Leaf(Value::Null)),
            item("b", Node::Leaf(Value::Float(1.0))),
            Entry::Comment(" x\ny=z".into()),
            item("c", leaf("C:\\new")),
        ]);
        assert_eq!(
            emit(&tree).unwrap(),
            "a=<nil>\nb=1.0\n# x\n#y=z\nc=C:\\new\n"
        );
    }

    #[test]
    fn what_dotenv_cannot_hold_is_refused() {
        for (key, node) in [
            ("a", Node::Mapping(Vec::new())),
            ("a", Node::List(Vec::new())),
            ("a=b", leaf("x")),
            ("#a", leaf("x")),
            ("a\nb", leaf("x")),
        ] {
            let error = emit(&Node::Mapping(vec![item(key, node)])).unwrap_err();
            assert_eq!(error.code(), ErrorCode::ValueNotRepresentable, "{key}");
            let shown = key.replace('\n', "\\n");
            assert_eq!(error.fault().unwrap().path, Some(shown));
        }
        assert!(emit(&leaf("x")).is_err());
    }
}
