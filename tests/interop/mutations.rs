//! Sealed files, damaged: both refuse them, or both read the same data. Nothing panics.
//!
//! What is damaged was sealed by `sops` or by us, in turns. `STACKSEAL_SEED` and `STACKSEAL_COUNT` repeat a run.

#[expect(dead_code, reason = "the rest of it serves generated documents")]
#[path = "differential/batch.rs"]
mod batch;
#[path = "mutations/damage.rs"]
mod damage;
#[path = "differential/flat.rs"]
mod flat;
#[path = "differential/json.rs"]
mod json;
#[expect(dead_code, reason = "the rest of it serves generated documents")]
#[path = "differential/judge.rs"]
mod judge;
#[path = "differential/words.rs"]
mod words;
#[path = "differential/yaml.rs"]
mod yaml;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use stackseal_core::{Document, Error, Format, Limits, Opened, Plain};
use stackseal_tests::chance::{self, Chance};
use stackseal_tests::data::without_comments;

use batch::{Batch, Settings};
use judge::{Judge, Ours};

/// How many differences of one kind are shown.
const SHOWN: usize = 4;

/// Kinds of differences that are on purpose, and why. They are counted and told.
const TOLERATED: &[(&str, &str)] = &[
    (
        "sops refuses: status : panic",
        "it crashes at a type or a block that it does not expect",
    ),
    (
        "we refuse: duplicate-key",
        "readers disagree on which of two keys counts; it takes one",
    ),
    (
        "we refuse: metadata-invalid",
        "it reads the block without regard to case, and of two equal fields the last",
    ),
    (
        "we refuse: yaml-syntax: a comment stands within a value",
        "it takes a comment that touches a quote; YAML wants a blank between, and so does the parser",
    ),
    (
        "we refuse: yaml-syntax: a quote is not closed before this line",
        "it takes lines of a quoted text that stand no further in than their key; the parser, as YAML, does not",
    ),
    (
        "we refuse: invalid-selector: the expression is refused",
        "it takes an expression that does not compile for one that matches nothing",
    ),
    (
        "we refuse: spare bits",
        "any flipped bit is an error here, also where the last digit of base64 has more bits than it takes",
    ),
    (
        "we refuse: not-utf-8",
        "it reads other characters in place of such bytes where no MAC covers them",
    ),
];

/// How often a sealed file is damaged before another is taken.
const DAMAGES: usize = 15;

#[derive(Default)]
struct Tally {
    refused: usize,
    read_alike: usize,
    differences: BTreeMap<String, (usize, Vec<String>)>,
}

fn compare(format: Format) {
    let (seed, count) = (chance::seed(), chance::count(150));
    println!(
        "{format:?}: seed {seed}, {count} damaged files (STACKSEAL_SEED={seed} STACKSEAL_COUNT={count} repeats this run)"
    );
    let (next, tally) = (AtomicUsize::new(0), Mutex::new(Tally::default()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                let judge = Judge::new();
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number * DAMAGES >= count {
                        break;
                    }
                    examine(&judge, format, seed, number, &tally);
                }
            });
        }
    });
    let Tally {
        refused,
        read_alike,
        differences,
    } = tally.into_inner().unwrap();
    println!("{format:?}: both refused {refused}, both read the same {read_alike}");
    let mut text = String::new();
    for (class, (count, shown)) in &differences {
        let tolerated = TOLERATED.iter().find(|(kind, _)| class.starts_with(kind));
        if let Some((kind, why)) = tolerated {
            println!("{format:?}: {kind}: {count} ({why})");
            continue;
        }
        let _ = writeln!(text, "{class}: {count}\n{}", shown.join("\n"));
    }
    assert!(text.is_empty(), "{format:?}, seed {seed}\n{text}");
    assert!(refused > 0, "nothing was refused");
}

/// Damages one sealed file in several ways.
fn examine(judge: &Judge, format: Format, seed: u64, number: usize, tally: &Mutex<Tally>) {
    let batch = Batch::new(format, seed, number, 3);
    let (text, settings) = (batch.text(), &batch.settings);
    let sealed = if number.is_multiple_of(2) {
        judge.sealed_by_sops(&text, settings).ok()
    } else {
        match judge.sealed_by_us(&text, settings) {
            Ours::Done(sealed) => Some(sealed.text().as_bytes().to_vec()),
            _ => None,
        }
    };
    // not what is tried here: what neither opens whole, or both open otherwise
    let Some(sealed) =
        sealed.filter(|sealed| verdict(judge, sealed, settings) == Verdict::ReadAlike)
    else {
        return;
    };
    let mut chance = Chance::new(seed ^ 0x5eed, number);
    for _ in 0..DAMAGES {
        let (damaged, what) = damage::damaged(&mut chance, &sealed);
        let verdict = verdict(judge, &damaged, settings);
        let mut tally = tally.lock().unwrap();
        match verdict {
            Verdict::BothRefuse => tally.refused += 1,
            Verdict::ReadAlike => tally.read_alike += 1,
            Verdict::Differ(class) => {
                let (count, shown) = tally.differences.entry(class).or_default();
                *count += 1;
                if shown.len() < SHOWN {
                    shown.push(format!(
                        "  file {number} ({}): {what}",
                        settings.options().join(" ")
                    ));
                }
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Verdict {
    BothRefuse,
    ReadAlike,
    Differ(String),
}

fn verdict(judge: &Judge, sealed: &[u8], settings: &Settings) -> Verdict {
    let theirs = judge.opened_by_sops(sealed, settings, settings.word());
    match (judge.opened_by_us(sealed, settings), theirs) {
        (Ours::Panicked(message), _) => Verdict::Differ(format!("we panic: {message}")),
        (Ours::Refused(_), Err(_)) => Verdict::BothRefuse,
        (Ours::Refused(_), Ok(theirs))
            if reads_without_spare_bits(judge, sealed, settings, &theirs) =>
        {
            Verdict::Differ("we refuse: spare bits".to_owned())
        }
        (Ours::Refused(error), Ok(_)) => {
            let code = error.code().as_str();
            let message = error.fault().map_or("", |fault| fault.message.as_str());
            Verdict::Differ(format!("we refuse: {code}: {message}"))
        }
        (Ours::Done(_), Err(message)) => {
            Verdict::Differ(format!("sops refuses: {}", judge::kind(&message)))
        }
        (Ours::Done(opened), Ok(theirs)) => {
            if agree(&opened, &theirs, settings) {
                Verdict::ReadAlike
            } else {
                Verdict::Differ("both read it, as other data".to_owned())
            }
        }
    }
}

/// Whether what the reference read is read here once the bits are cleared that base64 has to spare.
fn reads_without_spare_bits(
    judge: &Judge,
    sealed: &[u8],
    settings: &Settings,
    theirs: &[u8],
) -> bool {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut cleared = sealed.to_vec();
    for at in 0..cleared.len() {
        let spare = match cleared.get(at + 1..) {
            Some([b'=', b'=', ..]) => 16,
            Some([b'=', ..]) => 4,
            _ => continue,
        };
        if let Some(digit) = DIGITS.iter().position(|digit| *digit == cleared[at]) {
            cleared[at] = DIGITS[digit / spare * spare];
        }
    }
    let opened = (cleared != sealed).then(|| judge.opened_by_us(&cleared, settings));
    matches!(opened, Some(Ours::Done(opened)) if agree(&opened, theirs, settings))
}

/// Whether what was opened here is what the reference read.
fn agree(opened: &Opened, theirs: &[u8], settings: &Settings) -> bool {
    let content = opened.plain().content();
    *content == *theirs || same_data(&content, theirs, settings)
}

/// Whether two texts say the same, comments aside.
fn same_data(one: &[u8], other: &[u8], settings: &Settings) -> bool {
    let data = |text| -> Result<Vec<_>, Error> {
        let document = Document::<Plain>::parse_as(settings.format, text, &Limits::generous())?;
        Ok(document.trees()?.iter().map(without_comments).collect())
    };
    matches!((data(one), data(other)), (Ok(one), Ok(other)) if one == other)
}

#[test]
fn damaged_yaml_is_read_by_both_or_by_none() {
    compare(Format::Yaml);
}

#[test]
fn damaged_json_is_read_by_both_or_by_none() {
    compare(Format::Json);
}

#[test]
fn damaged_dotenv_is_read_by_both_or_by_none() {
    compare(Format::Dotenv);
}

#[test]
fn damaged_ini_is_read_by_both_or_by_none() {
    compare(Format::Ini);
}

#[test]
fn damaged_binary_is_read_by_both_or_by_none() {
    compare(Format::Binary);
}
