//! `stackseal keygen`: an age key pair, in the form of `age-keygen`.

use std::path::Path;

use stackseal_core::{Identity, Random, Timestamp};
use zeroize::Zeroizing;

use crate::args::Keygen;
use crate::exit::Failure;
use crate::keys::{Lines, identities, passphrase, protected};
use crate::output::Shown as _;
use crate::{files, output};

/// Makes a key pair, or prints the recipients of an identity file.
///
/// # Errors
/// `file-exists`, `file-unwritable`, `random-failed`; with `-y` those of reading, and `invalid-identity`.
pub(crate) fn run(
    arguments: &Keygen,
    now: Timestamp,
    random: &mut dyn Random,
) -> Result<(), Failure> {
    if let Some(path) = &arguments.recipients_of {
        return print_recipients(path);
    }
    let identity = match arguments.pq {
        true => Identity::generate_hybrid(random),
        false => Identity::generate(random),
    };
    let identity = identity.map_err(|error| Failure::of_argument(&error, "keygen"))?;
    let recipient = identity.recipient();
    let secret = identity.to_text();
    let text = Zeroizing::new(format!(
        "# created: {now}\n# public key: {recipient}\n{}\n",
        secret.as_str()
    ));
    match &arguments.output {
        Some(path) => {
            files::make_way(path)?;
            files::create(path, text.as_bytes())?;
        }
        None => output::result(text.as_bytes())?,
    }
    output::note(&format!("Public key: {recipient}"));
    Ok(())
}

fn print_recipients(path: &Path) -> Result<(), Failure> {
    let name = path.shown();
    let bytes = if path == Path::new("-") {
        files::read_stdin()?
    } else {
        files::read(path)?
    };
    let text = if protected::is_protected(&bytes) {
        protected::open(&bytes, &name.to_string(), passphrase::on_terminal)
            .map_err(|why| Failure::usage("invalid-identity", format!("{name}: {why}")))?
    } else {
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| Failure::unreadable(format!("{name} is not a text file")))?;
        Zeroizing::new(text.to_owned())
    };
    let mut recipients = String::new();
    for (line, identity) in identities(&text, Lines::One) {
        let identity = identity
            .map_err(|error| Failure::of_argument(&error, &format!("{name}: line {line}")))?;
        recipients.push_str(identity.recipient().as_str());
        recipients.push('\n');
    }
    if recipients.is_empty() {
        return Err(Failure::usage(
            "invalid-identity",
            format!("{name} holds no identity"),
        ));
    }
    output::result(recipients.as_bytes())
}
