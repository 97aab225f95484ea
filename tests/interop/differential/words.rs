//! What generated documents are made of: keys, texts and numbers of every form that a rule of the format is about.

use stackseal_tests::chance::Chance;

/// Pieces of texts, each of them special to some format.
pub const PIECES: &[&str] = &[
    "a", "b", "z", "Z", "0", "7", " ", " ", "-", ":", ": ", " #", "#", ",", "[", "]", "{", "}",
    "&", "*", "!", "|", ">", "'", "\"", "%", "@", "`", "?", "? ", "- ", "=", "\\", "\\n", ";", "<",
    "~", ".", "...", "---", "_", "/", "$", "ü", "漢", "é", "word", "true", "null", "on",
];

/// Characters that are written escaped by some.
pub const RARE: &[&str] = &[
    "😀",
    "\t",
    "\u{7f}",
    "\u{80}",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "\u{2029}",
    "\u{feff}",
    "\u{200b}",
    "\u{e000}",
    "\u{fffd}",
    "\u{10ffff}",
    "\u{1}",
    "\u{1b}",
    "\u{0}",
    "\u{7}",
    "\u{8}",
    "\u{b}",
    "\u{c}",
    "\u{d7ff}",
    "\u{fffe}",
];

/// A text of one line, up to 12 pieces.
pub fn text(chance: &mut Chance) -> String {
    let mut text = chance.text(PIECES, 12);
    if chance.one_in(8) {
        let rare = chance.pick(RARE);
        let at = text.char_indices().map(|(at, _)| at).nth(chance.below(8));
        text.insert_str(at.unwrap_or(text.len()), rare);
    }
    text
}

/// A text of several lines. It does not begin with a tab: that the reference writes as null.
pub fn lines(chance: &mut Chance) -> String {
    let mut text = String::new();
    for _ in 0..=chance.below(4) {
        if chance.one_in(5) {
            text.push_str("  ");
        }
        text.push_str(&chance.text(PIECES, 6));
        if chance.one_in(9) {
            text.push('\t');
        }
        text.push('\n');
    }
    if chance.one_in(3) {
        text.pop();
    }
    let from = text.len() - text.trim_start_matches('\t').len();
    text.split_off(from)
}

/// A number in one of the many ways to write one, and what only looks like one.
pub fn number(chance: &mut Chance) -> String {
    let digits = |chance: &mut Chance, most: usize| -> String {
        let count = 1 + chance.below(most);
        (0..count)
            .map(|_| chance.pick(&["0", "1", "7", "8", "9", "5"]))
            .collect()
    };
    let sign = chance.pick(&["", "", "", "-", "+"]).to_owned();
    let body = match chance.below(12) {
        0 => digits(chance, 20),
        1 => format!("0{}", digits(chance, 5)),
        2 => format!("0x{}", chance.text(&["0", "9", "a", "F", "_", "g"], 8)),
        3 => format!(
            "{}{}",
            chance.pick(&["0o", "0O", "0b", "0B", "0X"]),
            digits(chance, 4)
        ),
        4 => format!("{}_{}", digits(chance, 3), digits(chance, 3)),
        5 => format!("{}.{}", digits(chance, 9), digits(chance, 9)),
        6 => format!(".{}", digits(chance, 6)),
        7 => format!("{}.", digits(chance, 4)),
        8 => {
            let exponent = chance.pick(&[
                "e5", "e-7", "E+20", "e300", "e-320", "e21", "e06", "e400", "e",
            ]);
            format!("{}.{}{exponent}", digits(chance, 2), digits(chance, 3))
        }
        9 => format!(
            "{}{}",
            digits(chance, 3),
            chance.pick(&["e3", "e-3", "E9", "e", "_", "__1", "_1_"])
        ),
        10 => format!("{}:{}", digits(chance, 3), digits(chance, 2)),
        _ => digits(chance, 6),
    };
    let zero = body.parse::<f64>().is_ok_and(|number| number == 0.0);
    // a float of -0 is written as an integer by the reference, which then finds another MAC
    if zero { body } else { sign + &body }
}

/// A time, well formed or nearly so.
pub fn time(chance: &mut Chance) -> String {
    let two = |chance: &mut Chance, most: usize| match chance.below(4) {
        0 => (1 + chance.below(9)).to_string(),
        _ => format!("{:02}", 1 + chance.below(most)),
    };
    let year = chance
        .pick(&["2001", "1999", "2024", "0001", "9999", "1900"])
        .to_owned();
    let mut text = format!("{year}-{}-{}", two(chance, 13), two(chance, 31));
    if chance.one_in(3) {
        return text;
    }
    text.push_str(chance.pick(&["T", "t", " ", "  "]));
    let clock = format!(
        "{}:{}:{}",
        two(chance, 24),
        two(chance, 59),
        two(chance, 60)
    );
    text.push_str(&clock);
    text.push_str(chance.pick(&[
        "",
        "",
        ".1",
        ".100",
        ",25",
        ".123456789",
        ".1234567890",
        ".",
    ]));
    text.push_str(chance.pick(&[
        "Z", "Z", "", "-05:00", "+02:00", "+5", " Z", "-0530", "+14:30", "z",
    ]));
    text
}

/// What a key is called. The number keeps keys of one mapping apart.
pub fn key(chance: &mut Chance, number: usize) -> String {
    let word = chance.pick(&[
        "password",
        "secret",
        "data",
        "host",
        "token",
        "name",
        "user",
        "plain_unencrypted",
        "x_enc",
        "url",
        "port",
    ]);
    format!("{word}{number}")
}

/// What stands in a comment, the leading blank included. Some of them are what rules go by.
pub fn comment(chance: &mut Chance) -> String {
    let text = chance.pick(&[
        " a remark",
        " sops:enc",
        " sops:plain",
        " ünïcode ✓",
        "# double",
        " trailing colon:",
        "no blank",
        " tail  ",
        "  two",
        " key: value",
        " - item",
        " 'quoted'",
        "!shebang",
        " 漢字",
        " a # b",
        " \\n",
    ]);
    text.to_owned()
}
