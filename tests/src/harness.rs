//! Runs the real binary as a user does: arguments in, exit code, standard output and standard error
//! out.
//!
//! The binary and the component were built by `make test`; a test that does not find them says how
//! to build them.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot run says so by panicking"
)]

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use crate::mock::Mock;
use crate::terminal;

/// Name of the environment variable that holds the key in tests.
pub const KEY_VARIABLE: &str = "SMP_TEST_KEY";

/// Starts a server of another maker, all of whose output goes to the end of this log.
///
/// # Panics
/// When it cannot be started.
pub fn in_background(command: &mut Command, log: &Path) -> Child {
    let log = File::options().create(true).append(true).open(log).expect("a log");
    let output = log.try_clone().expect("a second handle of the log");
    command.stdin(Stdio::null()).stdout(output).stderr(log).spawn().expect("the server starts")
}

/// A number of a long test, from the environment: `make soak` sets higher ones.
#[must_use]
pub fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|number| number.parse().ok()).unwrap_or(otherwise)
}

/// The built connector.
///
/// # Panics
/// When it is not built.
#[must_use]
pub fn component() -> PathBuf {
    built(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../dist/atlassian-cloud.wasm"),
        "make component",
    )
}

/// A component for tests only: a hostile one by the name of its file, or `example`.
///
/// # Panics
/// When it is not built.
#[must_use]
pub fn test_component(name: &str) -> PathBuf {
    // The folder of all profiles is two levels above the command.
    let target =
        binary().ancestors().nth(2).expect("the command lies in the target folder").to_owned();
    built(target.join("test-components").join(name).with_extension("wasm"), "make test-components")
}

/// The built command.
///
/// # Panics
/// When it is not built.
#[must_use]
pub fn binary() -> PathBuf {
    // A test is in `target/PROFILE/deps`, the command one level above.
    let test = std::env::current_exe().expect("the test knows where it is");
    let profile = test.ancestors().nth(2).expect("a test lies in the target folder");
    built(profile.join("smp-harness"), "cargo build --release --workspace")
}

/// `make`, without what a `make` around the test hands down: it would print folders, and build
/// elsewhere.
#[must_use]
pub fn make() -> Command {
    let mut make = Command::new("make");
    for inherited in [
        "MAKEFLAGS",
        "MFLAGS",
        "MAKELEVEL",
        "MAKEOVERRIDES",
        "CARGO_MAKEFLAGS",
        "CARGO_TARGET_DIR",
        "RUSTFLAGS",
    ] {
        make.env_remove(inherited);
    }
    make
}

/// A folder of the workspace's `tests`.
#[must_use]
pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The Rust files below a folder, without what a build or an installation puts there.
///
/// # Panics
/// When a folder cannot be read.
#[must_use]
pub fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let entry = entry.expect("an entry");
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let is_made = name.starts_with('.') || ["target", "dist", "node_modules"].contains(&&*name);
        // A link may lead anywhere, also back here.
        if is_made || path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The names of a folder's entries, sorted.
///
/// # Panics
/// When it cannot be read.
#[must_use]
pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry.expect("an entry").file_name().into_string().expect("a name that is text")
        })
        .collect();
    names.sort();
    names
}

/// A file as JSON.
///
/// # Panics
/// When it does not exist, or is not JSON.
#[must_use]
pub fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("the file is there")).expect("JSON")
}

/// Says that a test was skipped, and why.
#[expect(clippy::print_stderr, reason = "the person who runs the tests must know")]
pub fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}

fn built(path: PathBuf, how: &str) -> PathBuf {
    assert!(
        path.exists(),
        "`{}` does not exist; `{how}` builds it, and so does `make test`",
        path.display()
    );
    path
}

/// A run of the command that is being prepared.
#[derive(Debug)]
pub struct Run {
    command: Command,
}

/// The result of a run.
#[derive(Debug)]
pub struct Ended {
    /// The exit code. `None` if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Run {
    /// `smp-harness NAME CONNECTOR.wasm`, in a clean environment: no proxy, no key, no home.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let mut run = Self::bare();
        run.command.arg(name).arg(component());
        run
    }

    /// `smp-harness` and nothing else.
    #[must_use]
    pub fn bare() -> Self {
        let mut command = Command::new(binary());
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Tests share the compiled code: compiling it for each would take most of their time.
        let cache = binary().with_file_name("test-cache");
        command.env(
            "XDG_CACHE_HOME",
            std::path::absolute(cache).expect("the target folder has a path"),
        );
        Self { command }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<I: IntoIterator<Item = S>, S: AsRef<std::ffi::OsStr>>(
        mut self,
        arguments: I,
    ) -> Self {
        self.command.args(arguments);
        self
    }

    /// Adds an option that names a file.
    #[must_use]
    pub fn file(self, option: &str, path: &Path) -> Self {
        self.args([option.as_ref(), path.as_os_str()])
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it in this folder.
    #[must_use]
    pub fn within(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Sends its standard output there; [`Ended::stdout`] is empty then.
    #[must_use]
    pub fn stdout_to(mut self, place: std::fs::File) -> Self {
        self.command.stdout(place);
        self
    }

    /// Uses a mock as the service, with the mock's organization and key, and without a pace.
    #[must_use]
    pub fn at(self, mock: &Mock) -> Self {
        self.paced_at(mock).args(["--rate", "off"])
    }

    /// Uses a mock as the service, with the mock's organization and key, at the default pace.
    #[must_use]
    pub fn paced_at(self, mock: &Mock) -> Self {
        self.for_organization_of(mock).args(["--upstream", &mock.url()])
    }

    /// Gives it the mock's organization and key, and no service.
    #[must_use]
    pub fn for_organization_of(self, mock: &Mock) -> Self {
        let organization = format!("organization-id={}", mock.organization().id);
        let secret = format!("api-key=env:{KEY_VARIABLE}");
        self.env(KEY_VARIABLE, mock.key()).args(["--set", &organization, "--secret", &secret])
    }

    /// Limits its files to this many blocks of 512 bytes, which acts like a full disk.
    ///
    /// The limit's signal is ignored, so that a write fails instead of ending the process.
    #[must_use]
    pub fn on_a_disk_of(self, blocks: u32) -> Self {
        self.behind(&format!("trap '' XFSZ; ulimit -f {blocks}"))
    }

    /// Runs it behind these commands of a shell, which is then replaced by it.
    #[must_use]
    pub fn behind(self, commands: &str) -> Self {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &format!("{commands}; exec \"$0\" \"$@\"")]);
        command.arg(self.command.get_program()).args(self.command.get_args());
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.envs(self.command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if let Some(folder) = self.command.get_current_dir() {
            command.current_dir(folder);
        }
        Self { command }
    }

    /// Starts it.
    ///
    /// # Panics
    /// When the system does not start it.
    #[must_use]
    pub fn start(mut self) -> Child {
        self.command.spawn().expect("the command starts")
    }

    /// Runs it to its end on a terminal, with this input. The screen's text is its standard error.
    ///
    /// # Panics
    /// When the system gives no terminal, or the command cannot be run.
    #[must_use]
    pub fn on_a_terminal(self, typed: &str) -> Ended {
        terminal::run(self.command, typed)
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// When it cannot be run, or writes something else than text.
    #[must_use]
    pub fn end(mut self) -> Ended {
        Ended::from(self.command.output().expect("the command runs"))
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("what the command writes is text");
        Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

impl Ended {
    /// Waits for the end of a run that was started.
    ///
    /// # Panics
    /// When it cannot be waited for, or wrote something else than text.
    #[must_use]
    pub fn of(child: Child) -> Self {
        Self::from(child.wait_with_output().expect("the command ends"))
    }

    /// The failure that `--json` writes: the last line on standard error.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn error(&self) -> Value {
        let line = self.stderr.lines().last().unwrap_or_default();
        let value: Value = serde_json::from_str(line)
            .unwrap_or_else(|error| panic!("no failure in {:?}: {error}", self.stderr));
        value.get("error").cloned().unwrap_or_default()
    }

    /// The message and the hint of the failure that `--json` writes, which has this code.
    ///
    /// # Panics
    /// When there is none, it has another code, or it has no hint.
    pub fn said(&self, code: &str) -> String {
        let error = self.error();
        let text = |key: &str| {
            error
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or_else(|| panic!("no {key}: {}", self.stderr))
        };
        assert_eq!(text("code"), code, "{}", self.stderr);
        format!("{} {}", text("message"), text("hint"))
    }

    /// Standard output as JSON.
    ///
    /// # Panics
    /// When it is not JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!("no JSON in {:?} ({:?}): {error}", self.stdout, self.stderr)
        })
    }

    /// Standard output as lines of JSON.
    ///
    /// # Panics
    /// When it is not.
    #[must_use]
    pub fn lines(&self) -> Vec<Value> {
        self.stdout
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line of JSON"))
            .collect()
    }
}

/// An address on loopback that no connection may reach: it listens, and answers nothing.
#[derive(Debug)]
pub struct Lonely {
    listener: TcpListener,
}

impl Lonely {
    /// Listens on a free port.
    ///
    /// # Panics
    /// When the system gives none.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        listener.set_nonblocking(true).expect("a listener that does not wait");
        Self { listener }
    }

    /// Its origin.
    ///
    /// # Panics
    /// When the system does not tell the port.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.listener.local_addr().expect("an address"))
    }

    /// Whether a client has connected before this call, however little it sent.
    #[must_use]
    pub fn was_visited(&self) -> bool {
        self.listener.accept().is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_who_came_is_seen_though_nothing_was_sent() {
        let lonely = Lonely::start();
        assert!(!lonely.was_visited());
        drop(
            std::net::TcpStream::connect(lonely.listener.local_addr().expect("an address"))
                .expect("a connection"),
        );
        assert!(lonely.was_visited());
    }
}
