//! The comments between tokens: which lines belong together, and what they are to the tokens around them.

use alloc::vec::Vec;

use super::{Kind, Mark, Scanner};
use crate::order;

/// What a comment is to a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Role {
    Foot,
    Head,
    Line,
}

/// The places of the lines of a comment; `None` is an empty line.
pub(in super::super) type Lines = Vec<Option<usize>>;

/// A comment that no token has taken yet.
#[derive(Debug)]
pub(in super::super) struct Found {
    /// Where the blanks before it begin.
    scanned: usize,
    /// The token that takes it begins here or behind.
    pub(in super::super) token: usize,
    /// Where it begins; the column of a comment on lines of its own is one more than it is.
    start: Mark,
    /// Where it ends; 0 behind a token on its line.
    end: usize,
    pub(in super::super) role: Role,
    pub(in super::super) lines: Lines,
}

/// Lines of comments that belong together.
struct Group {
    scanned: usize,
    token: usize,
    start: Mark,
    lines: Lines,
}

impl Scanner<'_> {
    /// The columns of comments that follow each other up to a place without anything between, each with where one begins.
    pub(super) fn columns_of_comments(&self, to: usize) -> Vec<(usize, usize)> {
        let mut to = to;
        let waiting = self.comments.get(self.comments_head..).unwrap_or_default();
        let columns = waiting.iter().rev().map_while(|comment| {
            let follows = comment.end >= to;
            to = comment.scanned;
            follows.then_some((comment.start.column, comment.start.at))
        });
        order::by_key(columns.collect(), |place| *place)
    }

    /// A comment that a list begins behind is about the list's first item.
    pub(super) fn line_comment_becomes_head(&mut self) {
        let kinds = (
            self.last(2).map(|token| token.kind),
            self.last(1).map(|token| token.kind),
        );
        if kinds != (Some(Kind::BlockSequenceStart), Some(Kind::BlockEntry)) || self.is_break(0) {
            return;
        }
        let mark = self.mark;
        let waiting = self.comments.get_mut(self.comments_head..);
        if let Some(comment) = waiting.and_then(|comments| comments.last_mut())
            && comment.role == Role::Line
        {
            comment.role = Role::Head;
            if comment.start.line + 1 == mark.line {
                comment.token = mark.at;
            }
        }
    }

    /// A comment behind a token, on its line.
    pub(super) fn scan_line_comment(&mut self, token: usize) {
        if self.newlines > 0 {
            return;
        }
        let blanks = (0..REACH).take_while(|ahead| self.is_blank(*ahead)).count();
        if blanks == REACH || self.byte(blanks) != b'#' {
            return;
        }
        (0..blanks).for_each(|_| self.skip());
        let start = self.mark;
        self.skip_to_end_of_line();
        self.comments.push(Found {
            scanned: 0,
            token,
            start,
            end: 0,
            role: Role::Line,
            lines: alloc::vec![Some(start.at)],
        });
    }

    /// Comments on lines of their own, from the first `#` on.
    pub(super) fn scan_comments(&mut self, scanned: Mark) {
        let before = match self.last(1) {
            Some(token) if token.kind == Kind::FlowEntry => self.last(2).or(Some(token)),
            token => token,
        };
        let Some(before) = before else { return };
        let indent = self.indent.unwrap_or(0);
        let mut first_empty = self.newlines <= 1;
        let mut recent_empty = false;
        // A comment that begins in this line is still about what stands before it.
        let foot_line = (scanned.line > 0).then(|| {
            let below = self.newlines == 0 && self.mark.column > 1;
            (self.mark.line + 1 + usize::from(below)).saturating_sub(self.newlines)
        });
        let (mut line, mut column) = (self.mark.line, self.mark.column);
        let mut group = Group {
            scanned: scanned.at,
            token: before.at,
            start: Mark::default(),
            lines: Lines::new(),
        };
        let mut ahead = 0;
        while ahead < REACH {
            column += 1;
            if self.is_blank(ahead) {
                ahead += 1;
                continue;
            }
            let dedented = group.start.column <= indent;
            let closes = self.flow > 0 && matches!(self.byte(ahead), b']' | b'}');
            if closes || self.is_break_or_end(ahead) {
                if closes || !recent_empty {
                    let at_foot = Some(group.start.line) == foot_line && before.kind != Kind::Value;
                    if closes || first_empty && (at_foot || dedented) {
                        // A comment further out has nothing to do with the token.
                        if dedented {
                            group.token = group.start.at;
                        }
                        self.put_foot(&mut group, ahead);
                    } else if !group.lines.is_empty() && !self.is_end(ahead) {
                        group.lines.push(None);
                    }
                }
                if !self.is_break(ahead) {
                    break;
                }
                first_empty = false;
                recent_empty = true;
                column = 0;
                line += 1;
                ahead += 1;
                continue;
            }
            // One that stands elsewhere than what goes on is about what came before.
            if column <= indent && column != group.start.column {
                self.put_foot(&mut group, ahead);
            }
            if self.byte(ahead) != b'#' {
                break;
            }
            let at = self.mark.at + ahead;
            if group.lines.is_empty() {
                group.start = Mark { at, line, column };
            }
            group.lines.push(Some(at));
            recent_empty = false;
            while self.mark.at < at {
                if self.is_break(0) {
                    self.skip_line();
                } else {
                    self.skip();
                }
            }
            self.skip_to_end_of_line();
            // The line break itself is not looked at.
            ahead = 1;
            column = 0;
            line = self.mark.line;
        }
        if !group.lines.is_empty() {
            self.comments.push(Found {
                scanned: group.scanned,
                token: group.start.at,
                start: group.start,
                end: self.mark.at + ahead - 1,
                role: Role::Head,
                lines: group.lines,
            });
        }
    }

    /// What was gathered is about what came before.
    fn put_foot(&mut self, group: &mut Group, ahead: usize) {
        if group.lines.is_empty() {
            return;
        }
        let end = self.mark.at + ahead;
        self.comments.push(Found {
            scanned: group.scanned,
            token: group.token,
            start: group.start,
            end,
            role: Role::Foot,
            lines: core::mem::take(&mut group.lines),
        });
        group.scanned = end;
        group.token = end;
    }
}

/// So many characters ahead comments are looked for.
const REACH: usize = 512;
