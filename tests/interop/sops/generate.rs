//! Makes YAML documents of many shapes from a seed.

use std::fmt::Write as _;

/// A generated document and the rule to seal it by.
pub struct Generated {
    pub text: String,
    /// `encrypted_regex`; `None` for the default rule.
    pub regex: Option<String>,
}

/// The seed of this run: `STACKSEAL_SEED`, or a fresh one.
pub fn seed() -> u64 {
    std::env::var("STACKSEAL_SEED").map_or_else(
        |_| {
            let mut bytes = [0; 4];
            getrandom::fill(&mut bytes).unwrap();
            u64::from(u32::from_le_bytes(bytes))
        },
        |text| text.parse().unwrap(),
    )
}

/// A small generator of numbers (SplitMix64) and what is made of them.
pub struct Generator {
    state: u64,
    /// Writes no comments: below a dash, the reference moves them about.
    quiet: bool,
}

impl Generator {
    pub fn new(seed: u64) -> Self {
        Self {
            state: seed,
            quiet: false,
        }
    }

    /// A document whose top level holds `fragments` independent small documents, one a key.
    pub fn document(&mut self, fragments: usize) -> Generated {
        let mut text = String::new();
        if self.one_in(6) {
            text.push_str("---\n");
        }
        if self.one_in(3) {
            self.comment(&mut text, 0);
        }
        for number in 0..fragments {
            let _ = write!(text, "part{number}:");
            self.node(&mut text, 2, 3);
            if self.one_in(4) {
                text.push('\n');
            }
        }
        let regex = match self.below(3) {
            0 => None,
            1 => Some("^(password|secret|data)$".to_owned()),
            _ => Some("pass|^part[0-3]$".to_owned()),
        };
        // A rule that names something must hit something.
        text.push_str("last:\n  password: hunter2\n");
        if self.one_in(8) {
            text = text.replace('\n', "\r\n");
        }
        Generated { text, regex }
    }

    /// What stands after `key:`, up to and with the line's end.
    fn node(&mut self, text: &mut String, indent: usize, depth: usize) {
        match if depth == 0 { 9 } else { self.below(10) } {
            0..=2 => {
                text.push('\n');
                self.mapping(text, indent, depth);
            }
            3 | 4 => {
                text.push('\n');
                self.sequence(text, indent, depth);
            }
            5 => {
                let flow = self.flow(2);
                let _ = writeln!(text, " {flow}");
            }
            6 => self.block_scalar(text, indent),
            _ => {
                let scalar = self.scalar();
                let _ = write!(text, " {scalar}");
                if !self.quiet && self.one_in(6) {
                    text.push_str("  # beside");
                }
                text.push('\n');
            }
        }
    }

    fn mapping(&mut self, text: &mut String, indent: usize, depth: usize) {
        let step = 1 + self.below(4);
        for number in 0..=self.below(3) {
            if !self.quiet && self.one_in(6) {
                self.comment(text, indent);
            }
            let key = self.key(number);
            let _ = write!(text, "{:indent$}{key}:", "");
            self.node(text, indent + step, depth - 1);
        }
    }

    fn sequence(&mut self, text: &mut String, indent: usize, depth: usize) {
        for _ in 0..=self.below(3) {
            let _ = write!(text, "{:indent$}-", "");
            if self.one_in(3) {
                // a mapping that begins on the item's line
                let key = self.key(0);
                let scalar = self.scalar();
                let _ = writeln!(text, " {key}: {scalar}");
                if self.one_in(2) {
                    let scalar = self.scalar();
                    let _ = writeln!(text, "{:1$}other: {scalar}", "", indent + 2);
                }
            } else {
                let before = std::mem::replace(&mut self.quiet, true);
                self.node(text, indent + 2, depth - 1);
                self.quiet = before;
            }
        }
    }

    fn flow(&mut self, depth: usize) -> String {
        let scalar = self.flow_scalar();
        match if depth == 0 { 2 } else { self.below(3) } {
            0 => format!("{{secret: {scalar}, more: {}}}", self.flow(depth - 1)),
            1 => format!("[{scalar}, {}, 3]", self.flow(depth - 1)),
            _ => scalar,
        }
    }

    fn block_scalar(&mut self, text: &mut String, indent: usize) {
        let header = self.pick(&["|", "|-", "|+", ">", ">-"]);
        let _ = writeln!(text, " {header}");
        for _ in 0..=self.below(3) {
            let line = self.pick(&[
                "-----BEGIN KEY-----",
                "plain words",
                "with: colon",
                "  indented more",
                "# no comment",
                "ünïcode ✓",
            ]);
            // the first line sets the indentation
            let line = line.trim_start();
            let _ = writeln!(text, "{:indent$}{line}", "");
            if self.one_in(5) {
                text.push('\n');
            }
        }
    }

    fn comment(&mut self, text: &mut String, indent: usize) {
        let words = self.pick(&[
            "a remark",
            "TODAY: value",
            "ünïcode ✓",
            "#double",
            "trailing colon:",
        ]);
        let _ = writeln!(text, "{:indent$}# {words}", "");
    }

    fn key(&mut self, number: usize) -> String {
        let name = self.pick(&[
            "password",
            "secret",
            "data",
            "host",
            "\"quoted key\"",
            "'it''s'",
            "with space",
            "dotted.key",
            "passphrase",
        ]);
        match name.strip_suffix(['"', '\'']) {
            Some(open) => format!("{open}{number}{}", &name[name.len() - 1..]),
            None if number == 0 => name.to_owned(),
            None => format!("{name}{number}"),
        }
    }

    fn scalar(&mut self) -> String {
        self.pick(&[
            "word",
            "two words",
            "admin",
            "0",
            "-1",
            "9223372036854775807",
            "007",
            "0x1F",
            "0o17",
            "0b101",
            "1_000",
            "1.5",
            "-2.5e10",
            "1e3",
            ".5",
            "3.",
            "true",
            "False",
            "TRUE",
            "yes",
            "no",
            "on",
            "y",
            "null",
            "~",
            "NULL",
            "2001-12-14",
            "2001-12-14T21:59:43.10-05:00",
            "2001-12-14 21:59:43",
            "12:30:45",
            "1.2.3",
            "\"\"",
            "''",
            "\"quoted\"",
            "'single'",
            "\"tab\\tand\\nline\"",
            "\"\\u00e9 \\x41\"",
            "'it''s'",
            "\"123\"",
            "'true'",
            "\"null\"",
            "\"  edges  \"",
            "\"# no comment\"",
            "a#b",
            "https://example.org/?a=b&c=d",
            "ünïcode ✓ 漢字",
            "\"emoji \\U0001F600\"",
            "=",
            "<",
            "a: b".trim_end_matches(": b"),
            "!important".trim_start_matches('!'),
            "\"{not: flow}\"",
            "\"ENC\"",
            "dGVzdA==",
            "$2b$12$abc/def.ghi",
        ])
        .to_owned()
    }

    fn flow_scalar(&mut self) -> String {
        self.pick(&[
            "word",
            "12",
            "1.5",
            "true",
            "null",
            "\"a, b\"",
            "'it''s'",
            "two words",
            "\"\"",
            "2001-12-14",
        ])
        .to_owned()
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    fn below(&mut self, bound: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        usize::try_from(z % u64::try_from(bound).unwrap()).unwrap()
    }
}
