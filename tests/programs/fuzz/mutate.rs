//! Damages input, in one or several ways at a time.

use stackseal_tests::chance::Chance;

/// Pieces that mean something to some parser.
const PIECES: &[&str] = &[
    ":",
    ": ",
    "- ",
    "\n",
    "\n  ",
    "\r\n",
    "\r",
    "#",
    " #",
    "{",
    "}",
    "[",
    "]",
    ",",
    "\"",
    "'",
    "|",
    ">",
    "|2-",
    ">+",
    "&a ",
    "*a",
    "<<: ",
    "!!str ",
    "!",
    "---\n",
    "...\n",
    "? ",
    "\t",
    "\u{feff}",
    "\u{2028}",
    "\u{85}",
    "\0",
    "\\",
    "\\u",
    "\\ud800",
    "ENC[",
    "ENC[AES256_GCM,data:",
    ",iv:",
    ",tag:",
    ",type:str]",
    ",type:comment]",
    "sops",
    "sops:",
    "sops_",
    "[sops]\n",
    "=",
    ";",
    "`",
    "\"\"\"",
    "__map_",
    "__list_0",
    "null",
    "true",
    "1e400",
    "0x",
    "-",
    "9223372036854775808",
    "2001-12-14",
    "漢",
    "😀",
    "age1",
    "-----BEGIN AGE ENCRYPTED FILE-----",
    "-> X25519 ",
    "--- ",
    "(",
    ")",
    "*",
    "+?",
    "{1000}",
    "(?",
    "\\p{",
    "]]",
    "[\"a\"]",
];

/// An input made from one or two of the seeds.
pub fn mutated(chance: &mut Chance, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut input = seeds[chance.below(seeds.len())].clone();
    let most = if chance.one_in(4) { 20 } else { 4 };
    let times = if chance.one_in(20) {
        0
    } else {
        1 + chance.below(most)
    };
    for _ in 0..times {
        mutate(chance, &mut input, seeds);
    }
    input.truncate(1 << 20);
    input
}

fn mutate(chance: &mut Chance, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
    let at = chance.below(input.len() + 1);
    let end = (at + 1 + chance.below(30)).min(input.len()).max(at);
    match chance.below(12) {
        0 => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << chance.below(8);
            }
        }
        1 => {
            if let Some(byte) = input.get_mut(at) {
                *byte = chance.byte();
            }
        }
        2 => drop(input.drain(at..end)),
        3..=6 => {
            let piece = chance.pick(PIECES).as_bytes();
            input.splice(at..at, piece.iter().copied());
        }
        7 => {
            let piece = input[at..end].to_vec();
            let to = chance.below(input.len() + 1);
            input.splice(to..to, piece);
        }
        8 => {
            let other = &seeds[chance.below(seeds.len())];
            let from = chance.below(other.len() + 1);
            let until = (from + chance.below(200)).min(other.len());
            input.splice(at..end, other[from..until].iter().copied());
        }
        9 => input.truncate(at),
        10 => {
            // depth and length: rarely much of it
            let piece = chance.pick(PIECES).as_bytes();
            let most = if chance.one_in(30) { 14 } else { 6 };
            let times = 1 << chance.below(most);
            input.splice(at..at, piece.repeat(times));
        }
        _ => swap_lines(chance, input),
    }
}

fn swap_lines(chance: &mut Chance, input: &mut Vec<u8>) {
    let mut lines: Vec<&[u8]> = input.split_inclusive(|byte| *byte == b'\n').collect();
    if lines.is_empty() {
        return;
    }
    let (one, other) = (chance.below(lines.len()), chance.below(lines.len()));
    match chance.below(3) {
        0 => lines.swap(one, other),
        1 => drop(lines.remove(one)),
        _ => lines.insert(other, lines[one]),
    }
    let changed = lines.concat();
    *input = changed;
}
