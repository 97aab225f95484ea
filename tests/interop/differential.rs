//! Generated documents, to both: each seals what the other opens, and nothing of the text is lost.
//!
//! `STACKSEAL_SEED` and `STACKSEAL_COUNT` repeat a run or make a longer one; `make differential COUNT=20000` does that.
//! Where they differ, the document is taken apart until little is left, and that is shown.

#[path = "differential/batch.rs"]
mod batch;
#[path = "differential/flat.rs"]
mod flat;
#[path = "differential/found.rs"]
mod found;
#[path = "differential/json.rs"]
mod json;
#[path = "differential/judge.rs"]
mod judge;
#[path = "differential/shrink.rs"]
mod shrink;
#[path = "differential/words.rs"]
mod words;
#[path = "differential/yaml.rs"]
mod yaml;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use stackseal_core::Format;
use stackseal_tests::chance;

use batch::Batch;
use judge::{Difference, Judge, Verdict};

/// How many differences of one kind are taken apart and shown.
const SHOWN: usize = 3;

/// Kinds of differences that are open, with the format and why. They are counted and told.
const TOLERATED: &[(Format, &str, &str)] = &[(
    Format::Yaml,
    "we refuse: a line of a `|` or `>` text is indented otherwise than the text or its",
    "the parser takes no comment between the text and where it begins by its header, as in `- >2` before `   #`",
)];

/// What a run found.
#[derive(Default)]
struct Tally {
    agreed: usize,
    moved: usize,
    refused: BTreeMap<&'static str, usize>,
    lost_by_the_reference: usize,
    differences: BTreeMap<String, (usize, Vec<String>)>,
}

fn compare(format: Format) {
    let (seed, count) = (chance::seed(), chance::count(300));
    println!(
        "{format:?}: seed {seed}, {count} documents (STACKSEAL_SEED={seed} STACKSEAL_COUNT={count} repeats this run)"
    );
    let (next, made, tally) = (
        AtomicUsize::new(0),
        AtomicUsize::new(0),
        Mutex::new(Tally::default()),
    );
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let judge = Judge::new();
                while made.load(Ordering::SeqCst) < count {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    let batch = Batch::new(format, seed, number, count);
                    made.fetch_add(batch.len(), Ordering::SeqCst);
                    examine(&judge, &batch, &tally);
                }
            });
        }
    });
    tally.into_inner().unwrap().finish(format, seed);
}

/// Judges a batch; where something is to be said about it, its halves.
fn examine(judge: &Judge, batch: &Batch, tally: &Mutex<Tally>) {
    let text = batch.text();
    let verdict = judge.judge(&text, &batch.settings);
    let count = |add: &dyn Fn(&mut Tally)| add(&mut tally.lock().unwrap());
    match verdict {
        Verdict::Agree => count(&|tally| tally.agreed += batch.len()),
        Verdict::Moved => count(&|tally| tally.moved += batch.len()),
        _ if batch.len() > 1 => {
            let before = tally.lock().unwrap().differing();
            let middle = batch.len() / 2;
            examine(judge, &batch.only(0..middle), tally);
            examine(judge, &batch.only(middle..batch.len()), tally);
            // what the halves do not show lies between them
            if let Verdict::Differ(difference) = &verdict
                && tally.lock().unwrap().differing() == before
            {
                report(judge, batch, difference, tally);
            }
        }
        Verdict::BothRefuse(code) => count(&|tally| *tally.refused.entry(code).or_default() += 1),
        Verdict::ReferenceLost => count(&|tally| tally.lost_by_the_reference += 1),
        Verdict::Differ(difference) => report(judge, batch, &difference, tally),
    }
}

fn report(judge: &Judge, batch: &Batch, found: &Difference, tally: &Mutex<Tally>) {
    let tolerated = TOLERATED
        .iter()
        .any(|(format, class, _)| *format == batch.settings.format && *class == found.class);
    let before = {
        let mut tally = tally.lock().unwrap();
        let (count, _) = tally.differences.entry(found.class.clone()).or_default();
        *count += 1;
        *count
    };
    if before > SHOWN || tolerated {
        return;
    }
    let mut last = found.clone();
    let text = shrink::shrunk(&batch.text(), 200, |text| {
        let shown = judge.shows(text, &batch.settings, &found.class);
        let still = shown.is_some();
        last = shown.unwrap_or_else(|| last.clone());
        still
    });
    let mut shown = String::new();
    let _ = writeln!(shown, "  options: {}", batch.settings.options().join(" "));
    let _ = writeln!(shown, "  document: {:?}", String::from_utf8_lossy(&text));
    let _ = writeln!(shown, "  theirs: {:?}", start(&last.theirs));
    let _ = write!(shown, "  ours: {:?}", start(&last.ours));
    let mut tally = tally.lock().unwrap();
    let known = &mut tally.differences.entry(found.class.clone()).or_default().1;
    known.push(shown);
}

/// As much of a text as helps.
fn start(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.chars().take(300).collect()
}

impl Tally {
    fn differing(&self) -> usize {
        self.differences.values().map(|(count, _)| count).sum()
    }

    fn finish(self, format: Format, seed: u64) {
        let Self {
            agreed,
            moved,
            refused,
            lost_by_the_reference,
            differences,
        } = &self;
        println!(
            "{format:?}: {agreed} agreed, {moved} with comments that move at each reading, both refused {refused:?}, sops cannot read its own: {lost_by_the_reference}"
        );
        let mut text = String::new();
        let mut wrong = 0;
        for (class, (count, shown)) in differences {
            if let Some((_, _, why)) = TOLERATED
                .iter()
                .find(|(of, tolerated, _)| *of == format && tolerated == class)
            {
                println!("{format:?}: {class}: {count} ({why})");
                continue;
            }
            wrong += count;
            let _ = writeln!(text, "{class}: {count}\n{}", shown.join("\n\n"));
        }
        assert!(
            wrong == 0,
            "{format:?}, seed {seed}: {wrong} differences\n{text}"
        );
        assert!(*agreed > 0, "nothing was compared");
    }
}

#[test]
fn yaml_means_the_same_to_both() {
    compare(Format::Yaml);
}

#[test]
fn json_means_the_same_to_both() {
    compare(Format::Json);
}

#[test]
fn dotenv_means_the_same_to_both() {
    compare(Format::Dotenv);
}

#[test]
fn ini_means_the_same_to_both() {
    compare(Format::Ini);
}

#[test]
fn binary_means_the_same_to_both() {
    compare(Format::Binary);
}
