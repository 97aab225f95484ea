//! Answers the questions of standard input, one a line, as this machine's own build does.

use std::io::{BufRead as _, Write as _, stdin, stdout};

fn main() -> std::io::Result<()> {
    let mut out = stdout().lock();
    for question in stdin().lock().lines() {
        writeln!(out, "{}", stackseal_wasm::answer(&question?))?;
    }
    out.flush()
}
