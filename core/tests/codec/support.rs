//! A seeded generator, fixed keys and short forms of the codec's calls.

use stackseal_core::{
    DataKey, Document, Encrypted, Error, Identity, Limits, Mark, Opened, Plain, Random,
    RandomFailed, Recipient, Sealing, Selector, Timestamp, marks,
};

/// SplitMix64: reproducible, and good enough where nothing is secret.
pub(crate) struct Seeded(pub(crate) u64);

impl Seeded {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }
}

impl Random for Seeded {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomFailed> {
        for chunk in out.chunks_mut(8) {
            let bytes = self.next().to_le_bytes();
            chunk.copy_from_slice(bytes.get(..chunk.len()).unwrap());
        }
        Ok(())
    }
}

pub(crate) fn identity(number: u64) -> Identity {
    Identity::generate(&mut Seeded(number)).unwrap()
}

pub(crate) fn recipients(numbers: &[u64]) -> Vec<Recipient> {
    numbers
        .iter()
        .map(|number| identity(*number).recipient())
        .collect()
}

pub(crate) fn time(minute: u8) -> Timestamp {
    Timestamp::parse(&format!("2026-11-21T08:{minute:02}:00Z")).unwrap()
}

pub(crate) fn plain(text: &str) -> Document<Plain> {
    Document::<Plain>::parse(text.as_bytes(), &Limits::default()).unwrap()
}

pub(crate) fn parse_marks(marks: &[&str]) -> Vec<Mark> {
    marks
        .iter()
        .map(|mark| Mark::parse(mark).unwrap())
        .collect()
}

pub(crate) fn rule(document: &Document<Plain>, names: &[&str]) -> Result<Selector, Error> {
    if names.is_empty() {
        return Ok(Selector::default());
    }
    marks::analyse(document, &parse_marks(names))
        .rule()
        .cloned()
}

/// Seals to identity 1 by marks; no marks stand for the default rule.
pub(crate) fn try_seal(text: &str, names: &[&str]) -> Result<Document<Encrypted>, Error> {
    let document = Document::<Plain>::parse(text.as_bytes(), &Limits::default())?;
    let selector = rule(&document, names)?;
    document.seal(Sealing {
        recipients: &recipients(&[1]),
        selector: &selector,
        now: time(0),
        random: &mut Seeded(7),
    })
}

pub(crate) fn seal(text: &str, names: &[&str]) -> Document<Encrypted> {
    try_seal(text, names).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn key(document: &Document<Encrypted>) -> DataKey {
    document.data_key(&[identity(1)]).unwrap()
}

pub(crate) fn open(document: &Document<Encrypted>) -> Opened {
    document
        .open(&key(document))
        .unwrap_or_else(|error| panic!("{error}"))
}

/// The lines that stand in only one of the two texts, `-` and `+`, in order.
pub(crate) fn line_diff(before: &str, after: &str) -> Vec<String> {
    let (before, after): (Vec<&str>, Vec<&str>) =
        (before.lines().collect(), after.lines().collect());
    let gone = before
        .iter()
        .filter(|line| !after.contains(line))
        .map(|line| format!("-{line}"));
    gone.chain(
        after
            .iter()
            .filter(|line| !before.contains(line))
            .map(|line| format!("+{line}")),
    )
    .collect()
}
