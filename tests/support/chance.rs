//! Numbers from a seed (SplitMix64), and what generators of documents take from them.

/// A small generator of numbers. The same seed gives the same numbers everywhere.
#[derive(Clone, Debug)]
pub struct Chance(u64);

/// What a run starts from: `STACKSEAL_SEED`, or a fresh number, which whoever asks has to print.
pub fn seed() -> u64 {
    std::env::var("STACKSEAL_SEED").map_or_else(
        |_| {
            let mut bytes = [0; 4];
            getrandom::fill(&mut bytes).unwrap();
            u64::from(u32::from_le_bytes(bytes))
        },
        |text| text.parse().expect("STACKSEAL_SEED is no number"),
    )
}

/// How many of something: `STACKSEAL_COUNT`, or what is given.
pub fn count(usual: usize) -> usize {
    std::env::var("STACKSEAL_COUNT").map_or(usual, |text| {
        text.parse().expect("STACKSEAL_COUNT is no number")
    })
}

impl Chance {
    /// Starts from a seed and the number of what is made from it, so that each of many can be made alone.
    pub fn new(seed: u64, number: usize) -> Self {
        let number = u64::try_from(number).unwrap();
        let mut chance = Self(seed ^ number.wrapping_mul(0xd134_2543_de82_ef95));
        let first = chance.next();
        Self(first)
    }

    #[expect(clippy::should_implement_trait, reason = "it never ends")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound).unwrap()).unwrap()
    }

    pub fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    pub fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    pub fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    /// Up to `most` characters, each out of the pieces given.
    pub fn text(&mut self, pieces: &[&str], most: usize) -> String {
        let length = self.below(most + 1);
        (0..length).map(|_| self.pick(pieces)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        let numbers = |seed, number| {
            let mut chance = Chance::new(seed, number);
            [chance.next(), chance.next()]
        };
        assert_eq!(numbers(7, 3), numbers(7, 3));
        assert_ne!(numbers(7, 3), numbers(7, 4));
        assert_ne!(numbers(7, 3), numbers(8, 3));
    }
}
