//! Runs a program in the foreground and stays until it has ended, so that what was made for it can be removed.
//!
//! Signals that would end this process are passed on to the program. Before it runs, and between two runs, they end
//! this process after the folder was removed, unless somebody keeps what was typed: then they are kept until they are
//! asked for.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::exit::Failure;
use crate::private_folder::{self, PrivateFolder};

/// What catches signals from its making to the end of the process.
pub(crate) struct Foreground(Arc<Mutex<State>>);

struct State {
    /// The program, as long as it runs.
    program: Option<Pid>,
    /// The last signal that was passed on.
    passed_on: Option<i32>,
    /// Whether SIGHUP and SIGTERM wait when no program runs.
    keeps: bool,
    /// One that waits.
    waiting: Option<i32>,
    /// Whoever waits for a person.
    asked: Option<mpsc::Sender<Answer>>,
    /// What is removed before a signal ends this process.
    folder: PathBuf,
}

/// What a person, or whoever ends this process, answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// There are no more lines.
    End,
    Line,
    Signal(i32),
}

impl Foreground {
    /// Catches signals from now on. Those that whoever started us wants ignored stay so.
    ///
    /// # Errors
    /// `command-failed` when the system does not let us.
    pub(crate) fn with(folder: &PrivateFolder) -> Result<Self, Failure> {
        let ignored = ignored(&fs::read_to_string(OWN_STATUS).unwrap_or_default());
        let caught = ALL.iter().filter(|(signal, _)| ignored & bit(*signal) == 0);
        let mut signals = Signals::new(caught.map(|(signal, _)| *signal)).map_err(|error| {
            Failure::usage(
                "command-failed",
                format!("signals cannot be caught, so plaintext could stay behind: {error}"),
            )
        })?;
        let state = Arc::new(Mutex::new(State {
            program: None,
            passed_on: None,
            keeps: false,
            waiting: None,
            asked: None,
            folder: folder.path().to_path_buf(),
        }));
        let foreground = Self(Arc::clone(&state));
        let _until_the_end = thread::spawn(move || {
            for signal in signals.forever() {
                lock(&state).receive(signal);
            }
        });
        Ok(foreground)
    }

    /// From now on SIGHUP and SIGTERM do not end this process, which does so itself when it has seen to what was typed:
    /// the next program gets them, or the next [`Self::answer`] tells of them.
    pub(crate) fn keep(&self) {
        lock(&self.0).keeps = true;
    }

    /// Runs a program to its end.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn run(&self, command: &mut Command) -> io::Result<ExitStatus> {
        let mut program = {
            // a signal that comes meanwhile waits until there is somebody to get it
            let mut state = lock(&self.0);
            state.passed_on = None;
            let program = command.spawn()?;
            state.program = pid(&program);
            if let Some(signal) = state.waiting.take() {
                state.receive(signal);
            }
            program
        };
        if let Some(pid) = pid(&program) {
            wait(pid);
        }
        // Its number is its own until it is fetched here: no signal meets another program.
        lock(&self.0).program = None;
        program.wait()
    }

    /// Waits until a person has typed a line. A signal that waits, or comes meanwhile, is an answer.
    pub(crate) fn answer(&self) -> Answer {
        let (answer, answered) = mpsc::channel();
        {
            let mut state = lock(&self.0);
            if let Some(signal) = state.waiting.take() {
                return Answer::Signal(signal);
            }
            state.asked = Some(answer.clone());
        }
        let _until_a_line = thread::spawn(move || {
            let line = io::stdin().read_line(&mut String::new());
            let _nobody_waits = answer.send(match line {
                Ok(1..) => Answer::Line,
                _ => Answer::End,
            });
        });
        let answer = answered.recv().unwrap_or(Answer::End);
        if answer == Answer::Line {
            lock(&self.0).asked = None;
        }
        answer
    }

    /// The signal that the last run was ended with from outside, if it was.
    pub(crate) fn passed_on(&self) -> Option<i32> {
        lock(&self.0).passed_on
    }
}

impl State {
    fn receive(&mut self, signal: i32) {
        let Some(program) = self.program else {
            if self.keeps && is_for_the_whole(signal) {
                match &self.asked {
                    Some(asked) => drop(asked.send(Answer::Signal(signal))),
                    None => self.waiting = Some(signal),
                }
                return;
            }
            let _removed = private_folder::remove(&self.folder);
            let _ends_here = emulate_default_handler(signal);
            return;
        };
        // Keys on a terminal reach every program in its foreground by themselves; twice may mean something else.
        if [SIGINT, SIGQUIT].contains(&signal) && is_in_foreground() {
            return;
        }
        if let Some((_, name)) = ALL.iter().find(|(number, _)| *number == signal) {
            self.passed_on = Some(signal);
            // it may have ended just now
            let _sent = kill_process(program, *name);
        }
    }
}

/// Whether a signal is one that a terminal or a system sends which goes away, and no key of somebody who gives up.
pub(crate) fn is_for_the_whole(signal: i32) -> bool {
    matches!(signal, SIGHUP | SIGTERM)
}

/// The exit status that tells how a program ended, as shells have it.
pub(crate) fn status(ended: ExitStatus) -> u8 {
    let code = ended.code().and_then(|code| u8::try_from(code).ok());
    let of_signal = ended.signal().map(status_of_signal);
    code.or(of_signal).unwrap_or(1)
}

/// The exit status that tells that a signal ended a program, as shells have it.
pub(crate) fn status_of_signal(signal: i32) -> u8 {
    u8::try_from(signal.saturating_add(128)).unwrap_or(1)
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn pid(program: &Child) -> Option<Pid> {
    i32::try_from(program.id()).ok().and_then(Pid::from_raw)
}

/// Waits until a child has ended, and leaves its status to be fetched.
fn wait(pid: Pid) {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(pid), options) {}
}

/// Whether the terminal's keys go to this process and those that it started.
fn is_in_foreground() -> bool {
    let terminal = OpenOptions::new().read(true).open(Path::new("/dev/tty"));
    let group = terminal.map(|terminal| rustix::termios::tcgetpgrp(&terminal));
    matches!(group, Ok(Ok(group)) if group == rustix::process::getpgrp())
}

/// The signals that are ignored, one bit each, from the text that Linux has about this process.
fn ignored(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    line.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

fn bit(signal: i32) -> u64 {
    let place = u32::try_from(signal).ok().and_then(|it| it.checked_sub(1));
    place
        .and_then(|place| 1_u64.checked_shl(place))
        .unwrap_or(0)
}

const OWN_STATUS: &str = "/proc/self/status";

/// What is caught: everything that people send and that would end this process.
const ALL: &[(i32, Signal)] = &[
    (SIGHUP, Signal::HUP),
    (SIGINT, Signal::INT),
    (SIGQUIT, Signal::QUIT),
    (SIGTERM, Signal::TERM),
    (SIGUSR1, Signal::USR1),
    (SIGUSR2, Signal::USR2),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_read_from_the_mask() {
        let status = "Name:\tx\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000001007\nSigCgt:\t0\n";
        let ignored = ignored(status);
        let of = |signal| ignored & bit(signal) != 0;
        assert!(of(SIGHUP) && of(SIGINT) && of(SIGQUIT));
        assert!(!of(SIGTERM) && !of(SIGUSR1));
        assert_eq!(super::ignored("no such line"), 0);
        assert_eq!((bit(0), bit(-1), bit(65)), (0, 0, 0));
    }

    #[test]
    fn a_program_ended_by_a_signal_has_the_status_of_shells() {
        assert_eq!(status(ExitStatus::from_raw(3 << 8)), 3);
        assert_eq!(status(ExitStatus::from_raw(15)), 143);
    }
}
