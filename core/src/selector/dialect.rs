//! The regular expressions that Rust and Go's RE2 read alike.
//!
//! Accepted: literals, escaped ASCII punctuation, `\t \n \r \f \v`, `^ $ .`, `* + ?` (also lazy),
//! `{n}` `{n,}` `{n,m}` up to 1000 in all, ASCII classes without nesting or set operations, POSIX
//! names in classes, groups (plain, `(?:`, `(?i)`, `(?i:`, `(?P<name>`), alternation, and
//! `\d \w \s \b` with their ASCII meaning. Everything else is refused with the reason.

use alloc::string::String;

const LONGEST: usize = 1024;
const MOST_REPEATS: usize = 1000;

/// The same expression for the `regex` crate, or why it is refused.
pub(super) fn translate(text: &str) -> Result<String, &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    if text.len() > LONGEST {
        return Err("it is longer than 1024 bytes");
    }
    let mut reader = Reader {
        rest: text,
        out: String::new(),
        atom: false,
        depth: 0,
        repeats: 1,
    };
    while let Some(c) = reader.next() {
        reader.step(c)?;
    }
    if reader.depth > 0 {
        return Err("a group is not closed");
    }
    Ok(reader.out)
}

struct Reader<'a> {
    rest: &'a str,
    out: String,
    /// Whether a quantifier may follow.
    atom: bool,
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

    fn step(&mut self, c: char) -> Result<(), &'static str> {
        match c {
            '\\' => self.escape()?,
            '[' => self.class()?,
            '(' => self.group()?,
            ')' => {
                self.depth = self
                    .depth
                    .checked_sub(1)
                    .ok_or("a group is closed that was not opened")?;
                self.out.push(')');
                self.atom = true;
            }
            '|' | '^' | '$' => {
                self.out.push(c);
                self.atom = false;
            }
            '*' | '+' | '?' => {
                self.out.push(c);
                self.quantified()?;
            }
            '{' => self.counted()?,
            '}' | ']' => return Err("a closing bracket stands alone; escape it"),
            c if c.is_control() => return Err("it holds a control character"),
            c => {
                self.out.push(c);
                self.atom = true;
            }
        }
        Ok(())
    }

    /// A quantifier was written: it needs something before it, and none may follow.
    fn quantified(&mut self) -> Result<(), &'static str> {
        if !self.atom {
            return Err("a repetition has nothing to repeat, or follows another one");
        }
        self.atom = false;
        if self.take("?") {
            self.out.push('?');
        }
        Ok(())
    }

    fn counted(&mut self) -> Result<(), &'static str> {
        let (inside, rest) = self
            .rest
            .split_once('}')
            .ok_or("a brace is not closed; escape it")?;
        let (least, most) = inside.split_once(',').unwrap_or((inside, inside));
        let number = |text: &str| -> Option<usize> {
            (!text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit()))
                .then(|| text.parse().ok())?
        };
        let least = number(least).ok_or("a brace holds no repetition like {2,5}; escape it")?;
        let most = if most.is_empty() {
            least.max(1)
        } else {
            number(most).ok_or("a brace holds no repetition like {2,5}; escape it")?
        };
        if most < least {
            return Err("a repetition ends below where it begins");
        }
        self.repeats = self.repeats.saturating_mul(most.max(1));
        if self.repeats > MOST_REPEATS {
            return Err("its repetitions come to more than 1000");
        }
        self.rest = rest;
        self.out.push('{');
        self.out.push_str(inside);
        self.out.push('}');
        self.quantified()
    }

    fn group(&mut self) -> Result<(), &'static str> {
        self.atom = false;
        self.out.push('(');
        if self.take("?") {
            if self.take("i)") {
                self.out.push_str("?i)");
                return Ok(());
            }
            if self.take(":") {
                self.out.push_str("?:");
            } else if self.take("i:") {
                self.out.push_str("?i:");
            } else if self.take("P<") || self.take("<") {
                let (name, rest) = self
                    .rest
                    .split_once('>')
                    .ok_or("a group's name is not closed")?;
                let fine = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                    && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
                if !fine {
                    return Err("a group's name, or a look-around, is not supported");
                }
                self.out.push_str("?P<");
                self.out.push_str(name);
                self.out.push('>');
                self.rest = rest;
            } else {
                return Err("this kind of group is not read alike by all tools");
            }
        }
        self.depth += 1;
        Ok(())
    }

    fn escape(&mut self) -> Result<(), &'static str> {
        let c = self.next().ok_or("it ends in a backslash")?;
        self.atom = true;
        match c {
            'd' => self.out.push_str("[0-9]"),
            'D' => self.out.push_str("[^0-9]"),
            'w' => self.out.push_str("[0-9A-Za-z_]"),
            'W' => self.out.push_str("[^0-9A-Za-z_]"),
            's' => self.out.push_str(r"[\t\n\x0C\r ]"),
            'S' => self.out.push_str(r"[^\t\n\x0C\r ]"),
            'b' => {
                self.out.push_str(r"(?-u:\b)");
                self.atom = false;
            }
            't' | 'n' | 'r' | 'f' | 'v' => {
                self.out.push('\\');
                self.out.push(c);
            }
            c if is_literal_escape(c) => {
                self.out.push('\\');
                self.out.push(c);
            }
            _ => return Err("an escape is not read alike by all tools"),
        }
        Ok(())
    }

    fn class(&mut self) -> Result<(), &'static str> {
        self.out.push('[');
        if self.take("^") {
            self.out.push('^');
        }
        let mut first = true;
        loop {
            if self.rest.starts_with("&&")
                || self.rest.starts_with("--")
                || self.rest.starts_with("~~")
            {
                return Err("a class holds a set operation of some tools");
            }
            match self.next().ok_or("a class is not closed")? {
                ']' if first => return Err("a class begins with ']'; escape it"),
                ']' => break,
                '[' => {
                    let (name, rest) = self
                        .rest
                        .split_once(":]")
                        .ok_or("a class holds '['; escape it")?;
                    let name = name
                        .strip_prefix(':')
                        .ok_or("a class holds '['; escape it")?;
                    if !POSIX.contains(&name) {
                        return Err("a class name is not known");
                    }
                    self.out.push_str("[:");
                    self.out.push_str(name);
                    self.out.push_str(":]");
                    self.rest = rest;
                }
                '\\' => match self.next().ok_or("it ends in a backslash")? {
                    'd' => self.out.push_str("0-9"),
                    'w' => self.out.push_str("0-9A-Za-z_"),
                    's' => self.out.push_str(r"\t\n\x0C\r "),
                    c if is_literal_escape(c) || matches!(c, 't' | 'n' | 'r' | 'f' | 'v') => {
                        self.out.push('\\');
                        self.out.push(c);
                    }
                    _ => return Err("an escape in a class is not read alike by all tools"),
                },
                c if c.is_ascii() && !c.is_ascii_control() => self.out.push(c),
                _ => return Err("a class holds a character that is not ASCII"),
            }
            first = false;
        }
        self.out.push(']');
        self.atom = true;
        Ok(())
    }
}

/// Punctuation that both engines take as itself behind a backslash (`\<` and `\>` are word bounds to some).
fn is_literal_escape(c: char) -> bool {
    c.is_ascii_punctuation() && !matches!(c, '<' | '>' | '_')
}

const POSIX: &[&str] = &[
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_engines_read_alike_passes() {
        for text in [
            "^(a|b)$",
            r"^(\.dockerconfigjson)$",
            "(?i)password",
            "(?i:pass)word",
            "(?:a|b)+?",
            "(?P<n>x)",
            "[a-z0-9_-]+",
            "[[:alpha:]]",
            "a{2,5}",
            "a{2}",
            "a{2,}",
            r"\d+\w*\s?",
            r"\bkey\b",
            "^.*$",
            "[^a-c]",
            r"[\w-]",
            "ключ",
            r"\$\{x\}",
        ] {
            let translated = translate(text).unwrap_or_else(|why| panic!("{text}: {why}"));
            assert!(
                regex::Regex::new(&translated).is_ok(),
                "{text} -> {translated}"
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
            "[]a]",
            "[a",
            "a\\",
            "[é]",
            "a\tb",
        ] {
            assert!(translate(text).is_err(), "{text}");
        }
        assert!(translate(&"a".repeat(1025)).is_err());
    }

    #[test]
    fn word_and_digit_are_ascii() {
        let matches = |text: &str, key: &str| {
            regex::Regex::new(&translate(text).unwrap())
                .unwrap()
                .is_match(key)
        };
        assert!(!matches(r"^\d+$", "٣"));
        assert!(!matches(r"^\w+$", "naïve"));
        assert!(matches(r"\bkey", "ékey"));
        assert!(!matches(r"^\s$", "\u{a0}"));
        assert!(matches(r"(?i)^k$", "\u{212a}"));
    }
}
