//! The regular expressions that Rust and Go's RE2 read alike.
//!
//! Accepted: literals, escaped ASCII punctuation, `\t \n \r \f \v`, `^ $ .`, `* + ?` (also lazy),
//! `{n}` `{n,}` `{n,m}` up to 1000 in all, ASCII classes without nesting or set operations, POSIX
//! names in classes, groups (plain, `(?:`, `(?i)`, `(?i:`, `(?P<name>`), alternation, and
//! `\d \w \s \b` with their ASCII meaning. Everything else is refused with the reason.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::program::{Class, Node};

const LONGEST: usize = 1024;
const DEEPEST: usize = 100;
const MOST_REPEATS: usize = 1000;

/// Whether an expression refused for this reason does not compile elsewhere either. What stands before the place was read.
pub(super) fn compiles_nowhere(why: &str) -> bool {
    [
        BACKSLASH_AT_END,
        CLASS_OPEN,
        GROUP_OPEN,
        LOOK_AROUND,
        NOT_OPENED,
    ]
    .contains(&why)
}

const BACKSLASH_AT_END: &str = "it ends in a backslash";
const CLASS_OPEN: &str = "a class is not closed";
const GROUP_OPEN: &str = "a group is not closed";
const LOOK_AROUND: &str = "a look-around is not supported";
const NOT_OPENED: &str = "a group is closed that was not opened";

/// Reads an expression, or says why it is refused.
pub(super) fn parse(text: &str) -> Result<Node, &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    if text.len() > LONGEST {
        return Err("it is longer than 1024 bytes");
    }
    let mut reader = Reader {
        rest: text,
        depth: 0,
        repeats: 1,
    };
    let node = reader.alternatives(false)?;
    if reader.rest.is_empty() {
        Ok(node)
    } else {
        Err(NOT_OPENED)
    }
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
    repeats: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = self.rest.get(c.len_utf8()..)?;
        Some(c)
    }

    fn take(&mut self, prefix: &str) -> bool {
        match self.rest.strip_prefix(prefix) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Reads up to the end or the closing bracket, which is left.
    fn alternatives(&mut self, mut any_case: bool) -> Result<Node, &'static str> {
        let mut all = Vec::new();
        let mut sequence = Vec::new();
        // Whether a repetition may follow.
        let mut atom = false;
        while !self.rest.is_empty() && !self.rest.starts_with(')') {
            if self.take("|") {
                all.push(Node::Sequence(core::mem::take(&mut sequence)));
                atom = false;
            } else if self.take("(?i)") {
                any_case = true;
                atom = false;
            } else if let Some(bounds) = self.repetition()? {
                let repeated = sequence.pop().filter(|_| atom);
                let repeated =
                    repeated.ok_or("a repetition has nothing to repeat, or follows another one")?;
                sequence.push(Node::Repeat(Box::new(repeated), bounds.0, bounds.1));
                atom = false;
            } else {
                let node = self.node(any_case)?;
                atom = !matches!(node, Node::Start | Node::End | Node::WordBound);
                sequence.push(node);
            }
        }
        all.push(Node::Sequence(sequence));
        Ok(Node::Alternatives(all))
    }

    fn node(&mut self, any_case: bool) -> Result<Node, &'static str> {
        let class = match self.next().ok_or("it ends too early")? {
            '^' => return Ok(Node::Start),
            '$' => return Ok(Node::End),
            '(' => return self.group(any_case),
            '\\' => {
                if self.take("b") {
                    return Ok(Node::WordBound);
                }
                self.escape()?
            }
            '[' => self.class()?,
            '.' => Class {
                negated: true,
                ..Class::of(&[('\n', '\n')])
            },
            c if c.is_control() => return Err("it holds a control character"),
            c => Class::of(&[(c, c)]),
        };
        let beyond_ascii = class.ranges.iter().any(|(_, to)| !to.is_ascii());
        if any_case && beyond_ascii {
            return Err("(?i) stands before a character that is not ASCII");
        }
        Ok(Node::Class(Class { any_case, ..class }))
    }

    fn repetition(&mut self) -> Result<Option<(usize, Option<usize>)>, &'static str> {
        let bounds = if self.take("*") {
            (0, None)
        } else if self.take("+") {
            (1, None)
        } else if self.take("?") {
            (0, Some(1))
        } else if self.take("{") {
            self.counted()?
        } else {
            return Ok(None);
        };
        // Lazy or not, what matches is the same.
        self.take("?");
        Ok(Some(bounds))
    }

    fn counted(&mut self) -> Result<(usize, Option<usize>), &'static str> {
        const NO_REPETITION: &str = "a brace holds no repetition like {2,5}; escape it";
        let (inside, rest) = self.rest.split_once('}').ok_or(NO_REPETITION)?;
        let (least, most) = inside.split_once(',').unwrap_or((inside, inside));
        let number = |text: &str| -> Option<usize> {
            let fine = matches!(text.len(), 1..=4) && text.bytes().all(|b| b.is_ascii_digit());
            text.parse().ok().filter(|_| fine)
        };
        let least = number(least).ok_or(NO_REPETITION)?;
        let most = if most.is_empty() {
            None
        } else {
            Some(number(most).ok_or(NO_REPETITION)?)
        };
        if most.is_some_and(|most| most < least) {
            return Err("a repetition ends below where it begins");
        }
        self.repeats = self.repeats.saturating_mul(most.unwrap_or(least).max(1));
        if self.repeats > MOST_REPEATS {
            return Err("its repetitions come to more than 1000");
        }
        self.rest = rest;
        Ok((least, most))
    }

    fn group(&mut self, mut any_case: bool) -> Result<Node, &'static str> {
        if self.take("?") {
            if ["=", "!", "<=", "<!"]
                .iter()
                .any(|mark| self.rest.starts_with(mark))
            {
                return Err(LOOK_AROUND);
            }
            if self.take("i:") {
                any_case = true;
            } else if self.take("P<") || self.take("<") {
                let (name, rest) = self
                    .rest
                    .split_once('>')
                    .ok_or("a group's name is not closed")?;
                let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
                if !begins || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                    return Err("a group's name is not read alike by all tools");
                }
                self.rest = rest;
            } else if !self.take(":") {
                return Err("this kind of group is not read alike by all tools");
            }
        }
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("its groups are nested too deeply");
        }
        let inside = self.alternatives(any_case)?;
        self.depth -= 1;
        if self.take(")") {
            Ok(inside)
        } else {
            Err(GROUP_OPEN)
        }
    }

    fn escape(&mut self) -> Result<Class, &'static str> {
        let c = self.next().ok_or(BACKSLASH_AT_END)?;
        let named = |ranges: &[(char, char)], negated| Class {
            negated,
            ..Class::of(ranges)
        };
        Ok(match c {
            'd' | 'D' => named(DIGIT, c == 'D'),
            'w' | 'W' => named(WORD, c == 'W'),
            's' | 'S' => named(SPACE, c == 'S'),
            c => {
                let c = literal(c).ok_or("an escape is not read alike by all tools")?;
                named(&[(c, c)], false)
            }
        })
    }

    fn class(&mut self) -> Result<Class, &'static str> {
        let mut class = Class {
            negated: self.take("^"),
            ..Class::default()
        };
        let mut first = true;
        loop {
            if ["&&", "--", "~~"]
                .iter()
                .any(|mark| self.rest.starts_with(mark))
            {
                return Err("a class holds a set operation of some tools");
            }
            match self.next().ok_or(CLASS_OPEN)? {
                ']' if !first => return Ok(class),
                ']' if self.rest.starts_with('-') => {
                    return Err("a class begins with ']' and '-'; escape them");
                }
                '[' => {
                    let (name, rest) = self
                        .rest
                        .strip_prefix(':')
                        .and_then(|rest| rest.split_once(":]"))
                        .ok_or("a class holds '['; escape it")?;
                    let named = POSIX.iter().find(|(known, _)| *known == name);
                    class
                        .ranges
                        .extend(named.ok_or("a class name is not known")?.1);
                    self.rest = rest;
                }
                '\\' if self.take("d") => class.ranges.extend(DIGIT),
                '\\' if self.take("w") => class.ranges.extend(WORD),
                '\\' if self.take("s") => class.ranges.extend(SPACE),
                c => {
                    let from = self.in_class(c)?;
                    class.ranges.push((from, self.range_end(from)?));
                }
            }
            first = false;
        }
    }

    /// One character of a class, escaped or not.
    fn in_class(&mut self, c: char) -> Result<char, &'static str> {
        match c {
            '\\' => {
                let c = self.next().ok_or(BACKSLASH_AT_END)?;
                literal(c).ok_or("an escape in a class is not read alike by all tools")
            }
            c if c.is_ascii() && !c.is_ascii_control() => Ok(c),
            _ => Err("a class holds a character that is not ASCII"),
        }
    }

    fn range_end(&mut self, from: char) -> Result<char, &'static str> {
        // A dash at the end of the class stands for itself.
        if !self.rest.starts_with('-') || self.rest.starts_with("-]") {
            return Ok(from);
        }
        self.next();
        let c = self.next().ok_or("a class is not closed")?;
        if c == '[' {
            return Err("a class holds '['; escape it");
        }
        let to = self.in_class(c)?;
        if to < from {
            return Err("a range in a class ends before it begins");
        }
        Ok(to)
    }
}

/// What a backslash before `c` stands for in both engines (`\<` and `\>` are word bounds to some).
fn literal(c: char) -> Option<char> {
    match c {
        't' => Some('\t'),
        'n' => Some('\n'),
        'r' => Some('\r'),
        'f' => Some('\x0c'),
        'v' => Some('\x0b'),
        '<' | '>' | '_' => None,
        c => c.is_ascii_punctuation().then_some(c),
    }
}

type Ranges = &'static [(char, char)];

const DIGIT: Ranges = &[('0', '9')];
const WORD: Ranges = &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];
/// Without the vertical tab, as in Go.
const SPACE: Ranges = &[('\t', '\n'), ('\x0c', '\r'), (' ', ' ')];

const POSIX: &[(&str, Ranges)] = &[
    ("alnum", &[('0', '9'), ('A', 'Z'), ('a', 'z')]),
    ("alpha", &[('A', 'Z'), ('a', 'z')]),
    ("ascii", &[('\0', '\x7f')]),
    ("blank", &[('\t', '\t'), (' ', ' ')]),
    ("cntrl", &[('\0', '\x1f'), ('\x7f', '\x7f')]),
    ("digit", DIGIT),
    ("graph", &[('!', '~')]),
    ("lower", &[('a', 'z')]),
    ("print", &[(' ', '~')]),
    ("punct", &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')]),
    ("space", &[('\t', '\r'), (' ', ' ')]),
    ("upper", &[('A', 'Z')]),
    ("word", WORD),
    ("xdigit", &[('0', '9'), ('A', 'F'), ('a', 'f')]),
];

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::super::program::Program;
    use super::*;

    const ALIKE: &[&str] = &[
        "^(a|b)$",
        r"^(\.dockerconfigjson)$",
        "(?i)password",
        "(?i:pass)word",
        "(?:a|b)+?",
        "(?P<n>x)",
        "(?<n>x)y",
        "[a-z0-9_-]+",
        "[[:alpha:]]",
        "a{2,5}",
        "^a{2}$",
        "a{2,}",
        r"\d+\w*\s?",
        r"\bkey\b",
        "^.*$",
        "[^a-c]",
        r"[\w-]",
        "ключ",
        r"\$\{x\}",
        "a||b",
        "()",
        "^$",
        "a|",
        "(?i)K",
        "(?i)[r-t]",
        r"\D\W\S",
        r"[\s\d]",
        r"[\]\[\\^-]",
        "x.y",
        "(a|b(c|d)*)+e",
        "(a{2}){3}",
        "^(?:(?i)ab)c$",
        r"\v\f\t",
        "a+?b*?c??",
        "[[:^alpha:]x]?",
        "é+",
        "a}",
        "}]+",
        "]?[]a]",
        "[^]b-]",
    ];
    const KEYS: &[&str] = &[
        "",
        "a",
        "b",
        "ab",
        "aa",
        "aaa",
        "aaaaaa",
        "password",
        "PassWord",
        "x",
        "key",
        "a key b",
        "ékey",
        "k",
        "K",
        "\u{212a}",
        "s",
        "ſ",
        "S",
        ".dockerconfigjson",
        "xdockerconfigjson",
        "ключ",
        "${x}",
        "naïve",
        "٣",
        "7",
        "\u{a0}",
        "a b",
        "ace",
        "bdce",
        "xzy",
        "x\ny",
        "-",
        "]",
        "[",
        "\\",
        "^",
        "_",
        "abC",
        "ABc",
        "éé",
        "\u{b}\u{c}\t",
        "abc",
        "z9 ",
    ];

    #[test]
    fn it_matches_as_the_regex_crate_does() {
        for text in ALIKE {
            let Ok(node) = parse(text) else {
                assert!(text.contains("[:^"), "{text}");
                continue;
            };
            let program = Program::compile(&node).unwrap();
            // What `\d \w \s \b` mean in Go.
            let ascii: String = text
                .replace(r"\b", r"(?-u:\b)")
                .replace(r"[\s\d]", r"[\t\n\x0C\r 0-9]");
            let ascii = ascii
                .replace(r"[\w-]", "[0-9A-Za-z_-]")
                .replace(r"\d", "[0-9]")
                .replace(r"\w", "[0-9A-Za-z_]");
            let ascii = ascii
                .replace(r"\s", r"[\t\n\x0C\r ]")
                .replace(r"\D", "[^0-9]")
                .replace(r"\W", "[^0-9A-Za-z_]");
            let ascii = ascii.replace(r"\S", r"[^\t\n\x0C\r ]");
            let oracle =
                regex::Regex::new(&ascii).unwrap_or_else(|error| panic!("{text}: {error}"));
            for key in KEYS {
                assert_eq!(
                    program.is_match(key),
                    oracle.is_match(key),
                    "{text} on {key:?}"
                );
            }
        }
    }

    #[test]
    fn generated_expressions_match_as_the_regex_crate_does() {
        let mut state = 20_261_121u64;
        let mut draw = |bound: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % bound
        };
        let parts = [
            "a", "b", "c", ".", "^", "$", "(", ")", "|", "*", "+", "?", "{2}", "{1,3}", "[ab]",
            "[^a]", "(?i)", "(?:", "K", "s",
        ];
        let letters = ['a', 'b', 'c', 'A', 'k', 'K', '\u{17f}', '\n', 'é'];
        let mut compared = 0;
        for _ in 0..60_000 {
            let text: String = (0..=draw(8)).map(|_| parts[draw(parts.len())]).collect();
            let Ok(node) = parse(&text) else { continue };
            let oracle =
                regex::Regex::new(&text).unwrap_or_else(|error| panic!("accepted {text}: {error}"));
            let program = Program::compile(&node).unwrap();
            for _ in 0..4 {
                let key: String = (0..draw(6)).map(|_| letters[draw(letters.len())]).collect();
                assert_eq!(
                    program.is_match(&key),
                    oracle.is_match(&key),
                    "{text} on {key:?}"
                );
                compared += 1;
            }
        }
        assert!(compared > 20_000, "{compared}");
    }

    #[test]
    fn a_begun_match_that_dies_ends_the_search_of_an_anchored_expression() {
        for (text, anchored) in [
            ("^a", true),
            ("^(a|b)$", true),
            ("(^a|^b)", true),
            ("^a|b", false),
            ("(^b)+a", true),
            ("a^", false),
        ] {
            let Ok(node) = parse(text) else {
                panic!("{text}");
            };
            assert_eq!(
                Program::compile(&node).unwrap().is_anchored(),
                anchored,
                "{text}"
            );
        }
    }

    #[test]
    fn what_they_read_differently_is_refused() {
        for text in [
            "",
            "(",
            ")",
            "^(password",
            "a**",
            "a++",
            "*a",
            "^*",
            "pass(?=word)",
            r"(a)\1",
            r"a\Z",
            r"\p{L}",
            r"\pL",
            r"\u0041",
            r"^\cA$",
            r"^\C$",
            r"\<key\>",
            r"^\Qa.b\E$",
            "(?x)a b",
            "a{1001}",
            "(a{100}){100}",
            "a{,2}",
            "^{$",
            "a{5,2}",
            "[[a]]",
            "[a&&b]",
            "[a-z--c]",
            "[~~]",
            "[a",
            "[]",
            "[]-a]",
            "[^]",
            "a\\",
            "[é]",
            "a\tb",
            "(?i)é",
            "[b-a]",
            "[a-[:alpha:]]",
            r"\B",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse(&"a".repeat(1025)).is_err());
        assert!(parse(&"(".repeat(500)).is_err());
        let large = parse(&alloc::format!("({}){{900}}", "a".repeat(900))).unwrap();
        assert!(Program::compile(&large).is_none());
    }
}
