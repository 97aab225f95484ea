//! Takes away from a text what a difference does not need.

/// The smallest text found of which `still` holds, asked at most `budget` times.
pub fn shrunk(text: &[u8], budget: usize, still: impl FnMut(&[u8]) -> bool) -> Vec<u8> {
    let mut search = Search { budget, still };
    let lines: Vec<Vec<u8>> = text
        .split_inclusive(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    let text = search.without(lines).concat();
    match String::from_utf8(text) {
        Ok(text) => {
            let characters = text.chars().map(|c| c.to_string().into_bytes()).collect();
            search.without(characters).concat()
        }
        Err(error) => error.into_bytes(),
    }
}

struct Search<F> {
    budget: usize,
    still: F,
}

impl<F: FnMut(&[u8]) -> bool> Search<F> {
    /// The pieces that are needed: runs of them are taken away, ever shorter ones.
    fn without(&mut self, mut pieces: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let mut run = pieces.len().div_ceil(2);
        while run > 0 && self.budget > 0 {
            let mut at = 0;
            let mut changed = false;
            while at < pieces.len() && self.budget > 0 {
                let end = pieces.len().min(at + run);
                let fewer = [&pieces[..at], &pieces[end..]].concat();
                self.budget -= 1;
                if (self.still)(&fewer.concat()) {
                    pieces = fewer;
                    changed = true;
                } else {
                    at = end;
                }
            }
            if !changed || run > 1 {
                run /= 2;
            }
        }
        pieces
    }
}

#[test]
fn what_is_not_needed_goes() {
    let text = b"one\ntwo\nthree\nfour\n";
    let needs = |text: &[u8]| text.windows(2).any(|pair| pair == b"hr") && text.contains(&b'w');
    assert_eq!(shrunk(text, 500, needs), b"whr");
}
