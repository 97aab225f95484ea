//! A folder for plaintext that is gone afterwards, whatever ends this process.
//!
//! A second process of this program makes the folder, waits until its standard input ends, and removes the folder.
//! The other end of that pipe is held here alone, so it ends with this process: by a signal that cannot be caught,
//! too. The keeper removes nothing but what it made itself, and has a session of its own, out of reach of the
//! terminal's signals.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, BufRead as _, BufReader, ErrorKind, Write as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use stackseal_core::Random;

use crate::exit::Failure;
use crate::keyring::Environment;
use crate::output;
use crate::output::Shown as _;
use crate::shell::User;

/// The folder. Dropping it removes it with everything in it.
pub(crate) struct PrivateFolder {
    path: PathBuf,
    owner: Option<User>,
    keeper: Child,
}

impl PrivateFolder {
    /// Makes a folder in the first of the places that takes one. With an `owner`, that user may use it, too.
    ///
    /// # Errors
    /// `private-folder-unavailable`.
    pub(crate) fn make(places: &[PathBuf], owner: Option<User>) -> Result<Self, Failure> {
        let unavailable = |why: &dyn std::fmt::Display| {
            let places: Vec<_> = places.iter().map(|it| it.shown()).collect();
            Failure::usage(
                "private-folder-unavailable",
                format!(
                    "there is no safe folder for the plaintext (tried: {}): {why}; set TMPDIR to a folder that can be \
                     written to",
                    places.join(", ")
                ),
            )
        };
        let mut keeper = Command::new(own_program().map_err(|error| unavailable(&error))?)
            .arg0("stackseal")
            .arg("keep-folder")
            .args(places)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| unavailable(&error))?;
        let mut line = Vec::new();
        let told = keeper.stdout.take().map_or(Ok(0), |stdout| {
            BufReader::new(stdout).read_until(b'\n', &mut line)
        });
        let path = match told {
            Ok(_) if line.pop() == Some(b'\n') => PathBuf::from(OsString::from_vec(line)),
            _ => {
                drop(keeper.stdin.take());
                let _ended = keeper.wait();
                return Err(unavailable(&"none of them takes a new folder"));
            }
        };
        let folder = Self {
            path,
            owner,
            keeper,
        };
        hand_over(&folder.path, owner).map_err(|error| unavailable(&error))?;
        Ok(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a file that its owner alone may read.
    ///
    /// # Errors
    /// `file-unwritable`.
    pub(crate) fn write(&self, name: &OsStr, bytes: &[u8]) -> Result<PathBuf, Failure> {
        let path = self.path.join(name);
        let made = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        made.and_then(|mut file| file.write_all(bytes))
            .and_then(|()| hand_over(&path, self.owner))
            .map_err(|error| {
                Failure::unwritable(format!("{} cannot be written: {error}", path.shown()))
            })?;
        Ok(path)
    }
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        if let Err(error) = remove(&self.path) {
            let path = self.path.shown();
            output::warning(&format!(
                "{path} cannot be removed: {error}; plaintext may be in it, so remove it yourself"
            ));
        }
        drop(self.keeper.stdin.take());
        let _ended = self.keeper.wait();
    }
}

/// Where such a folder may be, best first: what lies in memory never reaches a disk. Another user has no way into ours.
pub(crate) fn places(environment: &Environment, owner: Option<User>) -> Vec<PathBuf> {
    let own = rustix::process::geteuid().as_raw();
    let runtime = environment.runtime_folder.iter().filter(|path| {
        owner.is_none() && fs::metadata(path).is_ok_and(|metadata| metadata.uid() == own)
    });
    let mut places: Vec<_> = runtime.cloned().collect();
    places.push(PathBuf::from("/dev/shm"));
    places.push(environment.temporary_folder.clone());
    places.retain(|path| path.is_absolute() && !path.as_os_str().as_bytes().contains(&b'\n'));
    places
}

/// Removes a folder with everything in it. A program that still writes there may be in the way for a moment.
///
/// # Errors
/// Why it is still there.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    let mut last = Ok(());
    for _ in 0..TRIES {
        last = match fs::remove_dir_all(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            done => done,
        };
    }
    last
}

/// Lets another user at what is ours.
///
/// # Errors
/// When the system does not let us.
pub(crate) fn hand_over(path: &Path, owner: Option<User>) -> io::Result<()> {
    match owner {
        Some(User { uid, gid }) => chown(path, Some(uid), Some(gid)),
        None => Ok(()),
    }
}

/// The second process: makes the folder, tells its path, and removes it when nobody is left to use it.
///
/// # Errors
/// `private-folder-unavailable`; nothing is left then.
pub(crate) fn keep(places: &[PathBuf], random: &mut dyn Random) -> Result<(), Failure> {
    // Whoever is sent to end both of us ends the other one, and with it this one.
    for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] {
        let _ignored = signal_hook::flag::register(signal, Arc::default());
    }
    // Fails for whoever leads a session already.
    let _own_session = rustix::process::setsid();
    let mut made = places.iter().filter_map(|place| make(place, random).ok());
    let path = made.next().ok_or_else(|| {
        Failure::usage("private-folder-unavailable", "no place takes a new folder")
    })?;
    let _released = std::env::set_current_dir("/");
    let line = [path.as_os_str().as_bytes(), b"\n"].concat();
    if output::result(&line).is_ok() {
        wait_for_end(io::stdin().lock());
    }
    remove(&path).map_err(|error| Failure::unwritable(format!("{} stays: {error}", path.shown())))
}

fn make(place: &Path, random: &mut dyn Random) -> io::Result<PathBuf> {
    let mut name = [0; 8];
    random
        .fill(&mut name)
        .map_err(|_| io::Error::other("no random name"))?;
    let path =
        fs::canonicalize(place)?.join(format!("stackseal-{:016x}", u64::from_be_bytes(name)));
    DirBuilder::new().mode(0o700).create(&path)?;
    Ok(path)
}

fn wait_for_end(mut input: impl io::Read) {
    let mut byte = [0];
    loop {
        match input.read(&mut byte) {
            Ok(0) => return,
            Err(error) if error.kind() != ErrorKind::Interrupted => return,
            _ => {}
        }
    }
}

/// This very program, also when another one was put in its place meanwhile.
fn own_program() -> io::Result<PathBuf> {
    let running = PathBuf::from("/proc/self/exe");
    match running.exists() {
        true => Ok(running),
        false => std::env::current_exe(),
    }
}

const TRIES: usize = 100;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn environment(runtime: &Path, temporary: &str) -> Environment {
        Environment {
            runtime_folder: Some(runtime.to_path_buf()),
            temporary_folder: PathBuf::from(temporary),
            ..Environment::default()
        }
    }

    #[test]
    fn memory_comes_before_disks_and_another_user_does_not_get_into_our_own_folder() {
        let runtime = tempfile::tempdir().unwrap();
        let paths = |owner| places(&environment(runtime.path(), "/tmp"), owner);
        let memory = Path::new("/dev/shm");
        assert_eq!(paths(None), [runtime.path(), memory, Path::new("/tmp")]);
        let other = User { uid: 1, gid: 1 };
        assert_eq!(paths(Some(other)), [memory, Path::new("/tmp")]);
        for unfit in ["tmp", "/t\nmp", ""] {
            let places = places(&environment(Path::new("/no/such"), unfit), None);
            assert_eq!(places, [memory]);
        }
    }

    #[test]
    fn a_folder_is_made_for_us_alone_and_removed_with_what_is_in_it() {
        let place = tempfile::tempdir().unwrap();
        let mut count = |out: &mut [u8]| {
            out.fill(7);
            Ok(())
        };
        let folder = make(place.path(), &mut count).unwrap();
        assert!(folder.ends_with("stackseal-0707070707070707"));
        let mode = fs::metadata(&folder).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        assert!(make(place.path(), &mut count).is_err());
        fs::create_dir(folder.join("more")).unwrap();
        fs::write(folder.join("more/.swp"), "secret").unwrap();
        remove(&folder).unwrap();
        assert!(!folder.exists());
        remove(&folder).unwrap();
    }

    #[test]
    fn the_end_of_the_input_is_waited_for() {
        wait_for_end(&b"not yet"[..]);
    }
}
