//! Matching: the expression as a small machine that is stepped through the key once.
//!
//! All states are followed at the same time (Thompson's way), so that no expression takes more than
//! its size times the length of the key; there is no backtracking that input could blow up.

use alloc::vec;
use alloc::vec::Vec;

/// A set of characters.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Class {
    pub(super) negated: bool,
    /// Inclusive ranges.
    pub(super) ranges: Vec<(char, char)>,
    /// Whether letters match in either case.
    pub(super) any_case: bool,
}

impl Class {
    pub(super) fn of(ranges: &[(char, char)]) -> Self {
        Self {
            ranges: ranges.to_vec(),
            ..Self::default()
        }
    }

    fn has(&self, c: char) -> bool {
        let within = |c: char| {
            self.ranges
                .iter()
                .any(|(from, to)| (*from..=*to).contains(&c))
        };
        let hit = within(c) || (self.any_case && other_cases(c).iter().any(|c| within(*c)));
        hit != self.negated
    }
}

/// The characters that are the same letter as an ASCII letter in another case. Both Go and Rust
/// count the Kelvin sign and the long s among them.
fn other_cases(c: char) -> [char; 3] {
    match c {
        'k' | 'K' | '\u{212a}' => ['k', 'K', '\u{212a}'],
        's' | 'S' | '\u{17f}' => ['s', 'S', '\u{17f}'],
        c => [c, c.to_ascii_lowercase(), c.to_ascii_uppercase()],
    }
}

/// A part of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Alternatives(Vec<Self>),
    Class(Class),
    End,
    Repeat(alloc::boxed::Box<Self>, usize, Option<usize>),
    Sequence(Vec<Self>),
    Start,
    WordBound,
}

#[derive(Clone, Debug)]
enum Step {
    Class(Class),
    End,
    Fork(usize, usize),
    Match,
    Start,
    WordBound,
}

/// A compiled expression.
#[derive(Clone, Debug)]
pub(super) struct Program {
    steps: Vec<Step>,
    /// Whether nothing but the beginning of a key can begin a match.
    anchored: bool,
}

/// More steps than this are refused.
const MOST_STEPS: usize = 4096;

impl Program {
    /// `None` when the expression is too large.
    pub(super) fn compile(node: &Node) -> Option<Self> {
        let mut program = Self {
            steps: Vec::new(),
            anchored: is_anchored(node),
        };
        program.add(node)?;
        program.push(Step::Match)?;
        Some(program)
    }

    fn push(&mut self, step: Step) -> Option<usize> {
        self.steps.push(step);
        (self.steps.len() <= MOST_STEPS).then(|| self.steps.len() - 1)
    }

    /// Sets where a fork goes; steps are always added before they are pointed at.
    fn aim(&mut self, fork: usize, to: (usize, usize)) {
        if let Some(step) = self.steps.get_mut(fork) {
            *step = Step::Fork(to.0, to.1);
        }
    }

    fn add(&mut self, node: &Node) -> Option<()> {
        match node {
            Node::Class(class) => self.push(Step::Class(class.clone())).map(drop),
            Node::End => self.push(Step::End).map(drop),
            Node::Start => self.push(Step::Start).map(drop),
            Node::WordBound => self.push(Step::WordBound).map(drop),
            Node::Sequence(nodes) => nodes.iter().try_for_each(|node| self.add(node)),
            Node::Alternatives(nodes) => self.alternatives(nodes),
            Node::Repeat(node, least, most) => self.repeat(node, *least, *most),
        }
    }

    fn alternatives(&mut self, nodes: &[Node]) -> Option<()> {
        let mut exits = Vec::new();
        for (at, node) in nodes.iter().enumerate() {
            if at + 1 == nodes.len() {
                self.add(node)?;
                break;
            }
            let fork = self.push(Step::Fork(0, 0))?;
            self.add(node)?;
            exits.push(self.push(Step::Fork(0, 0))?);
            self.aim(fork, (fork + 1, self.steps.len()));
        }
        let end = self.steps.len();
        for exit in exits {
            self.aim(exit, (end, end));
        }
        Some(())
    }

    fn repeat(&mut self, node: &Node, least: usize, most: Option<usize>) -> Option<()> {
        for _ in 0..least {
            self.add(node)?;
        }
        let Some(most) = most else {
            let fork = self.push(Step::Fork(0, 0))?;
            self.add(node)?;
            self.push(Step::Fork(fork, fork))?;
            self.aim(fork, (fork + 1, self.steps.len()));
            return Some(());
        };
        let mut forks = Vec::new();
        for _ in least..most {
            forks.push(self.push(Step::Fork(0, 0))?);
            self.add(node)?;
        }
        let end = self.steps.len();
        for fork in forks {
            self.aim(fork, (fork + 1, end));
        }
        Some(())
    }

    #[cfg(test)]
    pub(super) fn is_anchored(&self) -> bool {
        self.anchored
    }

    /// Whether the expression matches somewhere in the text.
    pub(super) fn is_match(&self, text: &str) -> bool {
        let mut states = States::new(self.steps.len());
        let mut current = States::new(self.steps.len());
        let mut open = Vec::new();
        let mut before = None;
        let mut rest = text.chars();
        loop {
            let after = rest.clone().next();
            if !(self.anchored && before.is_some())
                && self.follow(&mut states, &mut open, 0, before, after)
            {
                return true;
            }
            if self.anchored && states.list.is_empty() {
                return false;
            }
            let Some(c) = rest.next() else { return false };
            let next = rest.clone().next();
            core::mem::swap(&mut states, &mut current);
            states.clear();
            for at in &current.list {
                if let Some(Step::Class(class)) = self.steps.get(*at)
                    && class.has(c)
                    && self.follow(&mut states, &mut open, at + 1, Some(c), next)
                {
                    return true;
                }
            }
            before = Some(c);
        }
    }

    /// Adds a state and all that follow it without taking a character; true when it is the end.
    fn follow(
        &self,
        states: &mut States,
        open: &mut Vec<usize>,
        at: usize,
        before: Option<char>,
        after: Option<char>,
    ) -> bool {
        open.clear();
        open.push(at);
        while let Some(at) = open.pop() {
            if !states.enter(at) {
                continue;
            }
            let passes = match self.steps.get(at) {
                Some(Step::Match) => return true,
                Some(Step::Fork(one, other)) => {
                    open.extend([*other, *one]);
                    false
                }
                Some(Step::Start) => before.is_none(),
                Some(Step::End) => after.is_none(),
                Some(Step::WordBound) => is_word(before) != is_word(after),
                Some(Step::Class(_)) | None => false,
            };
            if passes {
                open.push(at + 1);
            }
        }
        false
    }
}

/// Whether each way through the expression begins with `^`.
fn is_anchored(node: &Node) -> bool {
    match node {
        Node::Start => true,
        Node::Alternatives(nodes) => nodes.iter().all(is_anchored),
        Node::Sequence(nodes) => nodes.first().is_some_and(is_anchored),
        Node::Repeat(node, least, _) => *least > 0 && is_anchored(node),
        Node::Class(_) | Node::End | Node::WordBound => false,
    }
}

fn is_word(c: Option<char>) -> bool {
    c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
}

struct States {
    seen: Vec<bool>,
    list: Vec<usize>,
}

impl States {
    fn new(steps: usize) -> Self {
        Self {
            seen: vec![false; steps],
            list: Vec::new(),
        }
    }

    fn clear(&mut self) {
        for at in self.list.drain(..) {
            if let Some(seen) = self.seen.get_mut(at) {
                *seen = false;
            }
        }
    }

    fn enter(&mut self, at: usize) -> bool {
        match self.seen.get_mut(at) {
            Some(seen) if !*seen => {
                *seen = true;
                self.list.push(at);
                true
            }
            _ => false,
        }
    }
}
