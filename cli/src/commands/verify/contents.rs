//! Texts that Git keeps, by their names, from one `git cat-file --batch`.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::process::{Child, Command, Stdio};

use stackseal_core::Format;
use zeroize::Zeroizing;

use crate::likeness;
use crate::many::{FIRST, starts_as_sealed};

/// The `git` that brings them.
pub(super) struct Contents {
    child: Child,
    /// Whether an answer was not read to its end, so that the next one cannot be found.
    is_broken: bool,
}

/// A text, as far as it matters.
pub(super) struct Blob {
    bytes: Zeroizing<Vec<u8>>,
    pub(super) is_empty: bool,
}

impl Blob {
    /// The text, unless it is certainly not sealed.
    pub(super) fn if_sealed(&self, format: Format) -> Option<&[u8]> {
        let bytes = &self.bytes;
        let is_meant = likeness::may_be_sealed(bytes) || likeness::holds_sealed(format, bytes);
        let may_be = is_meant && starts_as_sealed(format, bytes);
        may_be.then_some(&self.bytes)
    }

    pub(super) fn into_bytes(self) -> Zeroizing<Vec<u8>> {
        self.bytes
    }

    /// The text; nothing for a binary file that is certainly not sealed.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Contents {
    pub(super) fn of(mut git: Command) -> io::Result<Self> {
        let child = git
            .args(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        Ok(Self {
            child,
            is_broken: false,
        })
    }

    /// The text of that name.
    pub(super) fn read(&mut self, id: &str, format: Format) -> io::Result<Blob> {
        if self.is_broken {
            return Err(garbled());
        }
        self.is_broken = true;
        let size = self.ask(id)?;
        let blob = size.map(|size| self.take(size, format)).transpose()?;
        self.is_broken = false;
        blob.ok_or_else(|| io::Error::new(ErrorKind::NotFound, format!("Git has no text {id}")))
    }

    /// How long the text is that comes next; `None` where there is none of that name.
    fn ask(&mut self, id: &str) -> io::Result<Option<u64>> {
        let stdin = self.child.stdin.as_mut().ok_or_else(garbled)?;
        stdin.write_all(format!("{id}\n").as_bytes())?;
        let head = self.head()?;
        let mut words = head.split(' ');
        match (words.next(), words.next(), words.next()) {
            (Some(it), Some("missing"), None) if it == id => Ok(None),
            (Some(it), Some("blob"), Some(size)) if it == id => {
                size.parse().map(Some).map_err(|_| garbled())
            }
            _ => Err(garbled()),
        }
    }

    /// The line before a text. Nothing behind it is taken along, as what else held that could not be wiped.
    fn head(&mut self) -> io::Result<String> {
        let stdout = self.child.stdout.as_mut().ok_or_else(garbled)?;
        let (mut line, mut byte) = (Vec::new(), [0]);
        while line.len() < LONGEST {
            stdout.read_exact(&mut byte)?;
            match byte {
                [b'\n'] => return String::from_utf8(line).map_err(|_| garbled()),
                [byte] => line.push(byte),
            }
        }
        Err(garbled())
    }

    fn take(&mut self, size: u64, format: Format) -> io::Result<Blob> {
        let stdout = self.child.stdout.as_mut().ok_or_else(garbled)?;
        let mut rest = stdout.take(size);
        let mut bytes = Zeroizing::new(Vec::new());
        (&mut rest).take(FIRST).read_to_end(&mut bytes)?;
        match format == Format::Binary && !starts_as_sealed(format, &bytes) {
            true => {
                bytes.clear();
                io::copy(&mut rest, &mut io::sink())?;
            }
            false => {
                bytes.reserve_exact(usize::try_from(rest.limit()).map_err(|_| garbled())?);
                rest.read_to_end(&mut bytes)?;
            }
        }
        if rest.limit() > 0 {
            return Err(garbled());
        }
        let mut end = [0];
        stdout.read_exact(&mut end)?;
        match end {
            [b'\n'] => Ok(Blob {
                bytes,
                is_empty: size == 0,
            }),
            _ => Err(garbled()),
        }
    }
}

impl Drop for Contents {
    fn drop(&mut self) {
        // It ends with its input.
        drop(self.child.stdin.take());
        drop(self.child.wait());
    }
}

fn garbled() -> io::Error {
    io::Error::new(
        ErrorKind::InvalidData,
        "git cat-file gives no answer that is understood",
    )
}

/// Bytes that the line before a text can have.
const LONGEST: usize = 1024;
