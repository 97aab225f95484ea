//! Passing over values: where go-yaml takes each to end.

use super::{Done, Kind, Scanner};

impl Scanner<'_> {
    pub(super) fn scan_plain(&mut self) {
        self.put(Kind::Scalar, self.mark.at);
        let inside = self.indent.map_or(0, |indent| indent + 1);
        let mut broken = false;
        while self.document_indicator().is_none() && self.byte(0) != b'#' {
            loop {
                broken &= !self.skip_ordinary();
                if self.is_blank_or_end(0) {
                    break;
                }
                let ends = match self.byte(0) {
                    b':' => self.is_blank_or_end(1),
                    b',' | b'?' | b'[' | b']' | b'{' | b'}' => self.flow > 0,
                    _ => false,
                };
                if ends {
                    break;
                }
                self.skip();
                broken = false;
            }
            if !self.is_blank(0) && !self.is_break(0) {
                break;
            }
            loop {
                if self.is_break(0) {
                    self.skip_line();
                    broken = true;
                } else if self.is_blank(0) {
                    self.skip();
                } else {
                    break;
                }
            }
            if self.flow == 0 && self.mark.column < inside {
                break;
            }
        }
        if broken {
            self.key_allowed = true;
        }
    }

    pub(super) fn scan_quoted(&mut self, quote: u8) -> Done {
        self.indicator(Kind::Scalar);
        loop {
            if self.mark.column > 0 {
                // At the start of a line the document may end.
                let _passed = self.skip_ordinary();
            }
            let next = self.byte(0);
            if next == 0 || self.document_indicator().is_some() {
                return None;
            }
            if self.is_break(0) {
                self.skip_line();
            } else if next == quote && (quote == b'"' || self.byte(1) != quote) {
                self.skip();
                return Some(());
            } else if next == quote || next == b'\\' && quote == b'"' {
                self.skip();
                if self.is_break(0) {
                    self.skip_line();
                } else {
                    self.skip();
                }
            } else {
                self.skip();
            }
        }
    }

    pub(super) fn scan_block_scalar(&mut self) -> Done {
        let start = self.mark.at;
        self.indicator(Kind::Scalar);
        let mut digit = None;
        for _ in 0..2 {
            match self.byte(0) {
                b'+' | b'-' => self.skip(),
                byte @ b'1'..=b'9' => {
                    digit = Some(usize::from(byte - b'0'));
                    self.skip();
                }
                _ => {}
            }
        }
        while self.is_blank(0) {
            self.skip();
        }
        if self.byte(0) == b'#' {
            self.scan_line_comment(start);
        }
        if !self.is_break_or_end(0) {
            return None;
        }
        if self.is_break(0) {
            self.skip_line();
        }
        let mut indent = digit.map(|digit| self.indent.unwrap_or(0) + digit);
        loop {
            let column = self.scan_block_breaks(indent);
            let indent = *indent.get_or_insert(column);
            if self.mark.column != indent || self.is_end(0) {
                return Some(());
            }
            self.skip_to_end_of_line();
            if self.is_break(0) {
                self.skip_line();
            }
        }
    }

    /// Passes indentation and empty lines of a block; gives the indentation that they show.
    pub(super) fn scan_block_breaks(&mut self, indent: Option<usize>) -> usize {
        let mut most = 0;
        loop {
            while indent.is_none_or(|indent| self.mark.column < indent) && self.byte(0) == b' ' {
                self.skip();
            }
            most = most.max(self.mark.column);
            if !self.is_break(0) {
                break;
            }
            self.skip_line();
        }
        most.max(self.indent.map_or(1, |indent| indent + 1))
    }
}
