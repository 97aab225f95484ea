//! Makes YAML documents. What the reference is known to lose is left out: texts of several lines that begin with a tab,
//! empty comments in lists; and the line breaks of Unicode, which it writes as they are and we escaped.

use std::fmt::Write as _;

use stackseal_tests::chance::Chance;

use super::words;

/// Writes one document.
pub struct Writer<'a> {
    chance: &'a mut Chance,
    out: String,
    anchors: Vec<String>,
    /// Lists that the place stands in.
    lists: usize,
}

/// A document, without the line that begins it.
pub fn document(chance: &mut Chance) -> String {
    match chance.below(60) {
        0 => String::new(),
        1 => "{}\n".to_owned(),
        2 => "null\n".to_owned(),
        3 => "# nothing else\n".to_owned(),
        _ => {
            let mut writer = Writer {
                chance,
                out: String::new(),
                anchors: Vec::new(),
                lists: 0,
            };
            if writer.chance.one_in(25) {
                let flow = writer.flow_mapping(3, "");
                writer.out.push_str(&flow);
                writer.out.push('\n');
            } else {
                let depth = if writer.chance.one_in(30) {
                    14
                } else {
                    1 + writer.chance.below(4)
                };
                writer.mapping(0, depth);
            }
            writer.out
        }
    }
}

impl Writer<'_> {
    fn one_in(&mut self, chances: usize) -> bool {
        self.chance.one_in(chances)
    }

    fn push(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn blanks(&mut self, count: usize) {
        let _ = write!(self.out, "{:count$}", "");
    }

    fn comments(&mut self, indent: usize) {
        while self.one_in(7) {
            if self.one_in(4) {
                self.push("\n");
            }
            let column = match self.chance.below(8) {
                0 => 0,
                1 => indent + 1 + self.chance.below(4),
                _ => indent,
            };
            self.blanks(column);
            let text = words::comment(self.chance);
            self.push("#");
            self.push(&text);
            self.push("\n");
        }
        if self.lists == 0 && self.one_in(60) {
            self.blanks(indent);
            self.push("#\n");
        }
        if self.one_in(12) {
            self.push("\n");
        }
    }

    /// A comment behind what stands in the line, perhaps, and the line's end.
    fn end(&mut self) {
        if self.one_in(9) {
            let blanks = 1 + self.chance.below(3);
            self.blanks(blanks);
            let text = words::comment(self.chance);
            self.push("#");
            self.push(&text);
        } else if self.one_in(40) {
            self.push("  ");
        }
        self.push("\n");
    }

    fn mapping(&mut self, indent: usize, depth: usize) {
        for number in 0..=self.chance.below(4) {
            self.comments(indent);
            self.blanks(indent);
            self.entry(indent, depth, number);
        }
        if self.one_in(8) {
            self.comments(indent);
        }
    }

    fn entry(&mut self, indent: usize, depth: usize, number: usize) {
        if !self.anchors.is_empty() && number == 0 && self.one_in(5) {
            let name = self.anchor_named();
            match self.chance.below(3) {
                0 => self.push(&format!("<<: [*{name}, *{name}]")),
                1 => self.push(&format!("\"<<\": *{name}")),
                _ => self.push(&format!("<<: *{name}")),
            }
            self.end();
            return;
        }
        let key = self.key(number);
        if self.one_in(40) {
            self.push("? ");
            self.push(&key);
            self.push("\n");
            self.blanks(indent);
        } else {
            self.push(&key);
            if self.one_in(40) {
                self.push(" ");
            }
        }
        self.push(":");
        let step = self.step();
        self.value(indent, indent + step, depth);
    }

    fn step(&mut self) -> usize {
        if self.one_in(2) {
            2
        } else {
            1 + self.chance.below(4)
        }
    }

    fn anchor_named(&mut self) -> String {
        let at = self.chance.below(self.anchors.len());
        self.anchors[at].clone()
    }

    fn key(&mut self, number: usize) -> String {
        match self.chance.below(30) {
            0 => format!("\"quoted {number}\""),
            1 => format!("'it''s {number}'"),
            2 => format!("with space {number}"),
            3 => format!(
                "{:?}",
                words::text(self.chance).replace(|c: char| !c.is_ascii() || c.is_control(), "u")
                    + &number.to_string()
            ),
            4 => format!("'{number}'"),
            5 => format!("ключ{number}"),
            6 => format!("\"\\U0001F600 {number}\""),
            7 => format!("{}{number}", "long".repeat(40)),
            8 => format!("a.b/c-{number}"),
            9 => format!("\"line\\nbreak{number}\""),
            10 if number == 0 => self
                .chance
                .pick(&[
                    "\"\"", "'true'", "y", "\"<<\"", "\"~\"", "-x", "\"1.5\"", "=", "yes", "no",
                ])
                .to_owned(),
            _ => words::key(self.chance, number),
        }
    }

    /// What stands behind `key:` or the dash, to the line's end; what goes on below is indented by `inner`, a list perhaps
    /// as far as its key.
    fn value(&mut self, outer: usize, inner: usize, depth: usize) {
        let mut anchor = None;
        if self.one_in(14) {
            let name = format!("anchor{}", self.anchors.len());
            self.push(&format!(" &{name}"));
            anchor = Some(name);
        }
        match if depth == 0 {
            6 + self.chance.below(14)
        } else {
            self.chance.below(20)
        } {
            0..=2 => {
                self.end();
                if self.one_in(10) {
                    self.comments(inner);
                }
                self.mapping(inner, depth - 1);
            }
            3 | 4 => {
                self.end();
                let at = if self.lists == 0 && self.one_in(3) {
                    outer
                } else {
                    inner
                };
                self.list(at, depth - 1);
            }
            5 | 6 => {
                self.push(" ");
                let line = format!("\n{:1$}", "", inner);
                let flow = if self.one_in(2) {
                    self.flow_mapping(2, &line)
                } else {
                    self.flow_list(2, &line)
                };
                self.push(&flow);
                self.end();
            }
            7 | 8 => self.block(outer, inner),
            9 => self.end(),
            10 if anchor.is_none() && !self.anchors.is_empty() => {
                let name = self.anchor_named();
                self.push(&format!(" *{name}"));
                self.end();
            }
            11 => self.folded(inner),
            12 if self.one_in(2) => {
                let tagged = self.chance.pick(&[
                    "!!str 12",
                    "!!str",
                    "!!int \"7\"",
                    "!!float 3",
                    "!!bool \"true\"",
                    "!!null ''",
                    "!custom text",
                    "!!binary aGVsbG8=",
                    "!!binary /////w==",
                    "!!timestamp 2001-12-14",
                    "! 12",
                    "!!str true",
                    "!<tag:yaml.org,2002:str> 5",
                    "!!int 0x1F",
                    "!!float 1e3",
                    "!c {a: 1}",
                    "!!map {a: b}",
                    "!!set {p, q}",
                    "!!seq [a]",
                ]);
                self.push(" ");
                self.push(tagged);
                self.end();
            }
            _ => {
                self.push(" ");
                let scalar = self.scalar(false);
                self.push(&scalar);
                self.end();
            }
        }
        self.anchors.extend(anchor);
    }

    fn list(&mut self, indent: usize, depth: usize) {
        self.lists += 1;
        for _ in 0..=self.chance.below(4) {
            self.comments(indent);
            self.blanks(indent);
            self.item(indent, depth);
        }
        self.lists -= 1;
    }

    fn item(&mut self, indent: usize, depth: usize) {
        self.push("-");
        if depth > 0 && self.one_in(4) {
            // a mapping that begins on the item's line
            let blanks = if self.one_in(5) { 3 } else { 1 };
            self.blanks(blanks);
            let at = indent + 1 + blanks;
            self.entry(at, depth - 1, 0);
            for number in 1..=self.chance.below(3) {
                self.comments(at);
                self.blanks(at);
                self.entry(at, depth - 1, number);
            }
        } else if depth > 0 && self.one_in(8) {
            self.blanks(1);
            self.item(indent + 2, depth - 1);
            if self.one_in(2) {
                self.blanks(indent + 2);
                self.item(indent + 2, depth - 1);
            }
        } else {
            let step = self.step();
            self.value(indent, indent + step, depth);
        }
    }

    fn flow_mapping(&mut self, depth: usize, line: &str) -> String {
        let mut text = "{".to_owned();
        let count = self.chance.below(4);
        for number in 0..count {
            let separator = self.flow_separator(number, line);
            text.push_str(&separator);
            let key = words::key(self.chance, number);
            let value = self.flow_value(depth, line);
            let _ = match self.chance.below(8) {
                0 => write!(text, "\"{key}\":{value}"),
                1 => write!(text, "{key}"),
                _ => write!(text, "{key}: {value}"),
            };
        }
        if count > 0 && self.one_in(9) {
            text.push(',');
        }
        text.push('}');
        text
    }

    fn flow_list(&mut self, depth: usize, line: &str) -> String {
        let mut text = "[".to_owned();
        let count = self.chance.below(4);
        for number in 0..count {
            let separator = self.flow_separator(number, line);
            text.push_str(&separator);
            let value = match self.chance.below(9) {
                0 => format!("single{number}: {}", self.flow_value(0, line)),
                _ => self.flow_value(depth, line),
            };
            text.push_str(&value);
        }
        text.push(']');
        text
    }

    fn flow_separator(&mut self, number: usize, line: &str) -> String {
        let mut text = if number > 0 { "," } else { "" }.to_owned();
        if !line.is_empty() && self.one_in(10) {
            if self.one_in(4) {
                text.push_str(" #");
                text.push_str(&words::comment(self.chance));
            }
            text.push_str(line);
            text.push(' ');
        } else if number > 0 && !self.one_in(6) {
            text.push(' ');
        }
        text
    }

    fn flow_value(&mut self, depth: usize, line: &str) -> String {
        match if depth == 0 { 2 } else { self.chance.below(4) } {
            0 => self.flow_mapping(depth - 1, line),
            1 => self.flow_list(depth - 1, line),
            _ => self.scalar(true),
        }
    }

    fn block(&mut self, outer: usize, inner: usize) {
        let style = self.chance.pick(&["|", "|", "|", ">"]);
        let chomping = self.chance.pick(&["", "-", "+"]);
        let explicit = inner > outer && inner - outer < 10 && self.one_in(5);
        let number = if explicit {
            (inner - outer).to_string()
        } else {
            String::new()
        };
        self.push(&format!(" {style}{number}{chomping}"));
        self.end();
        let mut first = !explicit;
        for _ in 0..=self.chance.below(4) {
            if !first && self.one_in(5) {
                self.push("\n");
                continue;
            }
            let line = self.chance.pick(&[
                "-----BEGIN KEY-----",
                "plain words",
                "with: colon",
                "   indented more",
                "# no comment",
                "ünïcode ✓",
                "trailing blank ",
                "tab\there",
                "- item",
                "'quoted'",
                "{{ template }}",
                "back\\slash",
            ]);
            self.blanks(inner);
            // the first line sets the indentation
            let line = if first { line.trim_start() } else { line };
            self.push(line);
            self.push("\n");
            first = false;
        }
        if self.one_in(6) {
            self.push("\n");
        }
    }

    /// A scalar over several lines, not as a block.
    fn folded(&mut self, inner: usize) {
        let mark = self.chance.pick(&["\"", "'", ""]);
        self.push(" ");
        self.push(mark);
        self.push("first words");
        for _ in 0..=self.chance.below(2) {
            self.push("\n");
            if self.one_in(4) {
                self.push("\n");
            }
            self.blanks(inner.max(1));
            self.push(
                self.chance
                    .clone()
                    .pick(&["more words", "and again", "a,b"]),
            );
        }
        if mark == "\"" && self.one_in(2) {
            self.push("\\\n");
            self.blanks(inner.max(1));
            self.push("\\  joined\\t");
        }
        self.push(mark);
        self.end();
    }

    fn scalar(&mut self, flow: bool) -> String {
        match self.chance.below(12) {
            0 | 1 => words::number(self.chance),
            2 => {
                let time = words::time(self.chance);
                if flow { format!("\"{time}\"") } else { time }
            }
            3 => self.double_quoted(),
            4 => format!("'{}'", self.printable().replace('\'', "''")),
            5 => self
                .chance
                .pick(&[
                    "true", "False", "TRUE", "yes", "no", "on", "y", "N", "tRue", "null", "~",
                    "NULL", "nil",
                ])
                .to_owned(),
            6 => self
                .chance
                .pick(&[
                    ".inf", "-.INF", "+.Inf", ".nan", ".NaN", "0", "-0", "1_000", "=", "<", "\"\"",
                    "''",
                ])
                .to_owned(),
            _ if flow => self
                .chance
                .pick(&[
                    "word",
                    "two words",
                    "a#b",
                    "x-y",
                    "\"a, b\"",
                    "'it''s'",
                    "v1.2.3",
                    "ü",
                ])
                .to_owned(),
            _ => self
                .chance
                .pick(&[
                    "word",
                    "two words",
                    "https://example.org/?a=b&c=d",
                    "a#b",
                    "ünïcode ✓ 漢字",
                    "dGVzdA==",
                    "$2b$12$abc/def.ghi",
                    "it's",
                    "say \"hi\"",
                    "x\\y",
                    "a, b",
                    "x[y]",
                    "-x",
                    "?x",
                    ":x",
                    "1.2.3",
                    "12:30:45",
                    "v1",
                    "*".trim_start_matches('*').trim(),
                    "a  b",
                    "C:\\dir",
                    "key=value",
                    "{{",
                    "0x",
                    "@at".trim_start_matches('@'),
                ])
                .to_owned(),
        }
    }

    /// A text without what may not stand in a document as it is.
    fn printable(&mut self) -> String {
        let text = words::text(self.chance);
        text.chars()
            .filter(|c| {
                !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}')
            })
            .collect()
    }

    fn double_quoted(&mut self) -> String {
        let text = if self.one_in(4) {
            words::lines(self.chance)
        } else {
            words::text(self.chance)
        };
        let text = text.replace(['\u{2028}', '\u{2029}'], "");
        let mut quoted = String::from("\"");
        for c in text.chars() {
            match c {
                '"' => quoted.push_str("\\\""),
                '\\' => quoted.push_str("\\\\"),
                '\n' => quoted.push_str("\\n"),
                '\t' => quoted.push_str(self.chance.pick(&["\\t", "\t"])),
                '\r' => quoted.push_str("\\r"),
                '\u{85}' => quoted.push_str("\\N"),
                '\u{a0}' => quoted.push_str("\\_"),
                c if u32::from(c) < 0x20 || c == '\u{7f}' => {
                    let _ = write!(quoted, "\\x{:02x}", u32::from(c));
                }
                c if c > '\u{ffff}' || matches!(c, '\u{feff}' | '\u{fffe}' | '\u{80}') => {
                    let _ = write!(quoted, "\\U{:08X}", u32::from(c));
                }
                c if !c.is_ascii() && self.one_in(3) => {
                    let _ = write!(quoted, "\\u{:04x}", u32::from(c));
                }
                c => quoted.push(c),
            }
        }
        quoted.push('"');
        quoted
    }
}
