//! Makes dotenv lines and INI sections.

use std::fmt::Write as _;

use stackseal_tests::chance::Chance;

use super::words;

/// Some lines of a dotenv file.
pub fn dotenv(chance: &mut Chance, number: usize) -> String {
    let mut text = String::new();
    for line in 0..=chance.below(4) {
        match chance.below(14) {
            0 => text.push('\n'),
            1 => {
                let _ = write!(text, "#{}", words::comment(chance));
            }
            2 => text.push('#'),
            3 => {
                let _ = write!(text, "{}=", words::key(chance, line));
            }
            _ => {
                let key = match chance.below(12) {
                    0 => format!("export {}", words::key(chance, number)),
                    1 => String::new(),
                    2 => " # not a comment".to_owned(),
                    3 => "SAME".to_owned(),
                    4 => "ключ".to_owned(),
                    5 => format!("{} ", words::key(chance, number)),
                    6 => "a.b-c/d\"e".to_owned(),
                    7 => "back\\nslash".to_owned(),
                    _ => format!("{}_{number}", words::key(chance, line)),
                };
                let value = match chance.below(10) {
                    0 => format!("\"{}\"", words::text(chance).replace(['\u{b}'], "")),
                    1 => words::number(chance),
                    2 => format!(" {} ", words::text(chance)),
                    3 => "one\\ntwo\\\\nthree\\".to_owned(),
                    4 => "value # with".to_owned(),
                    5 => "carriage\r".to_owned(),
                    6 => "a=b=c".to_owned(),
                    _ => words::text(chance),
                };
                let _ = write!(text, "{key}={value}");
            }
        }
        text.push('\n');
    }
    if chance.one_in(400) {
        text.push_str("no equals sign\n");
    }
    text
}

/// A section of an INI file.
pub fn ini(chance: &mut Chance, number: usize) -> String {
    let mut text = String::new();
    ini_comments(chance, &mut text);
    let name = match chance.below(16) {
        0 => "same".to_owned(),
        1 => format!("with space {number}"),
        2 => format!("a.b:c \"{number}\""),
        3 => format!(" edge {number} "),
        4 => format!("раздел{number}"),
        5 => "DEFAULT".to_owned(),
        6 => format!("x_unencrypted{number}_unencrypted"),
        _ => format!("section{number}"),
    };
    let _ = writeln!(text, "[{name}]");
    for line in 0..chance.below(5) {
        ini_comments(chance, &mut text);
        let key = match chance.below(14) {
            0 => format!("\"quoted={line}\""),
            1 => format!("`tick:{line}`"),
            2 => format!("with space {line}"),
            3 => "same".to_owned(),
            4 => format!("ü{line}"),
            5 => format!("  {}", words::key(chance, line)),
            _ => words::key(chance, line),
        };
        let between = chance.pick(&["=", " = ", " = ", ":", " : ", "=  "]);
        let _ = writeln!(text, "{key}{between}{}", ini_value(chance));
    }
    if chance.one_in(400) {
        text.push_str("no delimiter\n");
    }
    text
}

/// Keys before any section.
pub fn ini_top(chance: &mut Chance) -> String {
    let mut text = String::new();
    if chance.one_in(3) {
        for line in 0..chance.below(3) {
            ini_comments(chance, &mut text);
            let _ = writeln!(text, "top{line} = {}", ini_value(chance));
        }
    }
    text
}

fn ini_value(chance: &mut Chance) -> String {
    let plain = |chance: &mut Chance| -> String {
        let text = chance.text(
            &[
                "a", "b", "1", ".", "/", " ", "word", "ü", "漢", "$", "%", "=", ":", "\\n", "!",
                "[", "]", "'", "\"",
            ],
            8,
        );
        text.trim().trim_start_matches(['"', '\'', '`']).to_owned()
    };
    match chance.below(20) {
        0 => String::new(),
        1 => format!("\"{}\"", plain(chance).replace('"', "")),
        2 => format!("'{}'", plain(chance).replace('\'', "")),
        3 => format!("`{}; # {}`", plain(chance), plain(chance)),
        4 => format!("\"\"\"{}\"\"\"", plain(chance).replace('"', "")),
        5 => format!(
            "\"\"\"first\n  second {}\n\n third\"\"\"",
            chance.pick(&["", "; x", "# y", "[z]"])
        ),
        6 => format!("{} ; remark", plain(chance)),
        7 => format!("{} # remark", plain(chance)),
        8 => format!("{};glued", plain(chance)),
        9 => "ends \\\n  goes on".to_owned(),
        10 => words::number(chance),
        11 => "\"  edges  \"".to_owned(),
        12 => "%(top0)s ${x}".to_owned(),
        13 => "tab\there".to_owned(),
        14 => chance
            .pick(&[
                "true", "null", "<nil>", "0x1F", "a\\b", "\\", "=", "x=y", "😀",
            ])
            .to_owned(),
        _ => plain(chance),
    }
}

/// A mark behind a mark, and blanks or nothing behind one, are taken differently: `make differential` shows how.
fn ini_comment(chance: &mut Chance) -> String {
    let text = words::comment(chance);
    if std::env::var_os("STACKSEAL_WILD").is_some() {
        return text;
    }
    let text = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '#' | ';'));
    format!("c{text}")
}

fn ini_comments(chance: &mut Chance, text: &mut String) {
    while chance.one_in(5) {
        match chance.below(5) {
            0 => text.push('\n'),
            1 => {
                let _ = writeln!(text, "#{}", ini_comment(chance));
            }
            2 => {
                let _ = writeln!(text, "  ; {}", ini_comment(chance));
            }
            _ => {
                let _ = writeln!(text, ";{}", ini_comment(chance));
            }
        }
    }
}
