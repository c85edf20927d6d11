//! A terminal for the command: typed input, and the text on the screen.
//!
//! It is a pseudo-terminal as standard input and standard error; standard output stays a pipe. The
//! input is ready before any question, one line for each.

#![expect(clippy::expect_used, reason = "a test that cannot run says so by panicking")]

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::harness::Ended;

/// Runs a command to its end on a new terminal. The text on the screen, including the typed input,
/// is its standard error.
///
/// # Panics
/// When the system gives no terminal, or the command cannot be run.
pub(crate) fn run(mut command: Command, typed: &str) -> Ended {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
    grantpt(&master).and_then(|()| unlockpt(&master)).expect("a pseudo-terminal of our own");
    let name =
        ptsname(&master, Vec::new()).expect("its name").into_string().expect("a name that is text");
    let slave =
        OpenOptions::new().read(true).write(true).open(Path::new(&name)).expect("its other end");
    let mut master = File::from(master);
    master.write_all(typed.as_bytes()).expect("a line that fits");
    let copy = slave.try_clone().expect("a second handle");
    command.stdin(Stdio::from(copy)).stderr(Stdio::from(slave)).stdout(Stdio::piped());
    let child = command.spawn().expect("the command starts");
    // Its own handles are now the last ones: reading ends when the command has ended.
    drop(command);
    let screen = std::thread::spawn(move || {
        let mut text = Vec::new();
        // The end of a terminal is an error.
        let _ended = master.read_to_end(&mut text);
        String::from_utf8_lossy(&text).replace("\r\n", "\n")
    });
    let ended = child.wait_with_output().expect("the command ends");
    let screen = screen.join().expect("the screen is read");
    Ended {
        code: ended.status.code(),
        stdout: String::from_utf8_lossy(&ended.stdout).into_owned(),
        stderr: screen,
    }
}
