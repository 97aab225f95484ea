//! Asks for passphrases on the terminal, whatever standard input and output are, and shows nothing of what is typed.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write as _};

use rustix::termios::{self, LocalModes, OptionalActions, Termios};
use zeroize::Zeroizing;

/// Asks a question and brings the answer, or why there is none.
pub(crate) type Ask = fn(&str) -> Result<Zeroizing<String>, String>;

/// Asks for the passphrase of `name` until `open` takes it, three times at most. `open` gives nothing for a wrong one.
///
/// # Errors
/// Why there is no passphrase, what `open` says, or that all were wrong.
pub(crate) fn unlock<T>(
    name: &str,
    ask: Ask,
    open: impl Fn(&str) -> Result<Option<T>, String>,
) -> Result<T, String> {
    let mut prompt = format!("Enter the passphrase of {name}: ");
    for _ in 0..TRIES {
        let passphrase = ask(&prompt)?;
        if passphrase.is_empty() {
            return Err("no passphrase was given".to_owned());
        }
        if let Some(opened) = open(&passphrase)? {
            return Ok(opened);
        }
        prompt = format!("That is wrong. Enter the passphrase of {name}: ");
    }
    Err("the passphrase is wrong".to_owned())
}

/// Asks on the terminal that the process was started from.
///
/// # Errors
/// When there is no such terminal.
pub(crate) fn on_terminal(prompt: &str) -> Result<Zeroizing<String>, String> {
    let no_terminal = |error: std::io::Error| {
        format!("it takes a passphrase, and there is no terminal to ask for it (/dev/tty: {error})")
    };
    let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty");
    let terminal = terminal.map_err(no_terminal)?;
    let quiet = Quiet::new(&terminal).map_err(no_terminal)?;
    (&terminal)
        .write_all(prompt.as_bytes())
        .map_err(no_terminal)?;
    let line = read_line(&terminal);
    drop(quiet);
    let _shown = (&terminal).write_all(b"\n");
    match line {
        Ok(Line::Text(text)) => Ok(text),
        Ok(Line::Interrupted) => {
            // as if the terminal had sent it
            let _sent = rustix::process::kill_process(
                rustix::process::getpid(),
                rustix::process::Signal::INT,
            );
            Err("it was interrupted".to_owned())
        }
        Err(error) => Err(format!("the passphrase cannot be read: {error}")),
    }
}

/// A terminal that shows nothing and gives every key at once, until this is dropped.
///
/// Ctrl-C comes as a character, too: ended by a signal, the process would leave the terminal like this.
struct Quiet<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Quiet<'a> {
    fn new(terminal: &'a File) -> std::io::Result<Self> {
        let before = termios::tcgetattr(terminal)?;
        let mut quiet = before.clone();
        quiet.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        // what was typed ahead stays
        termios::tcsetattr(terminal, OptionalActions::Drain, &quiet)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        // nothing can be done about a terminal that went away
        let _restored = termios::tcsetattr(self.terminal, OptionalActions::Drain, &self.before);
    }
}

/// What was typed.
#[derive(Debug, PartialEq)]
enum Line {
    Interrupted,
    Text(Zeroizing<String>),
}

/// Reads until Enter, with the keys that people expect to work.
fn read_line(mut keys: impl Read) -> std::io::Result<Line> {
    // large enough from the start, so that growing leaves no copy behind
    let mut typed = Zeroizing::new(Vec::with_capacity(MAX));
    let mut key = Zeroizing::new([0]);
    while keys.read(key.as_mut_slice())? == 1 {
        let [byte] = *key;
        match byte {
            b'\r' | b'\n' => break,
            CTRL_C | CTRL_BACKSLASH => return Ok(Line::Interrupted),
            CTRL_D if typed.is_empty() => break,
            CTRL_U => typed.clear(),
            BACKSPACE | DELETE => {
                // a character may be several bytes, the first of which has no 10 at its front
                while typed.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
            }
            byte if typed.len() < MAX => typed.push(byte),
            _ => {}
        }
    }
    let text = std::str::from_utf8(&typed).map_err(std::io::Error::other)?;
    Ok(Line::Text(Zeroizing::new(text.to_owned())))
}

const TRIES: usize = 3;
const MAX: usize = 1024;
const CTRL_C: u8 = 0x03;
const CTRL_D: u8 = 0x04;
const BACKSPACE: u8 = 0x08;
const CTRL_U: u8 = 0x15;
const CTRL_BACKSLASH: u8 = 0x1c;
const DELETE: u8 = 0x7f;

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[u8]) -> Line {
        read_line(keys).unwrap()
    }

    fn text(text: &str) -> Line {
        Line::Text(Zeroizing::new(text.to_owned()))
    }

    #[test]
    fn a_line_ends_with_enter_and_can_be_corrected() {
        assert_eq!(typed(b"secret\nmore"), text("secret"));
        assert_eq!(typed(b"secret\r"), text("secret"));
        assert_eq!(typed(b"secret"), text("secret"));
        assert_eq!(
            typed("se\u{e9}\u{7f}cret\u{8}t\n".as_bytes()),
            text("secret")
        );
        assert_eq!(typed(b"\x7fother\x15secret\n"), text("secret"));
        assert_eq!(typed(b"\x04secret\n"), text(""));
        assert_eq!(typed(b"sec\x03ret\n"), Line::Interrupted);
        assert!(read_line(&b"\xff\n"[..]).is_err());
    }

    #[test]
    fn a_passphrase_may_be_wrong_twice() {
        use std::cell::Cell;

        fn ask(prompt: &str) -> Result<Zeroizing<String>, String> {
            assert!(prompt.contains("the file"), "{prompt}");
            Ok(Zeroizing::new("guess".to_owned()))
        }
        let tries = Cell::new(0);
        let count = |wanted: i32| {
            tries.set(0);
            unlock("the file", ask, |_| {
                tries.set(tries.get() + 1);
                Ok((tries.get() == wanted).then_some(()))
            })
        };
        assert_eq!(count(3), Ok(()));
        assert_eq!(count(4), Err("the passphrase is wrong".to_owned()));
        assert_eq!(tries.get(), 3);
        let nothing = unlock::<()>("it", |_| Ok(Zeroizing::default()), |_| panic!("opened"));
        assert_eq!(nothing, Err("no passphrase was given".to_owned()));
    }
}
