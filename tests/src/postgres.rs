//! A PostgreSQL server of a test: a cluster in a temporary folder, reached by a socket in it, and
//! stopped when it is dropped. It runs as another user where the test is root, as PostgreSQL wants.

#![expect(clippy::unwrap_used, reason = "a test that cannot run says so by panicking")]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::in_background;
use crate::line::Line;

/// Long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running server.
#[derive(Debug)]
pub struct Cluster {
    folder: tempfile::TempDir,
    programs: PathBuf,
    server: Option<Child>,
}

/// The folder of PostgreSQL's programs, if they are installed.
fn programs() -> Option<PathBuf> {
    let of_path = std::env::var_os("PATH")?;
    let mut folders: Vec<PathBuf> = std::env::split_paths(&of_path).collect();
    // Debian has them beside the PATH, by version.
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    folders.extend(versions.map(|version| version.path().join("bin")));
    let all = |folder: &Path| {
        ["initdb", "postgres", "psql", "pg_dump"].iter().all(|name| folder.join(name).exists())
    };
    folders.into_iter().find(|folder| all(folder))
}

/// The user as which a server runs: not root.
fn user() -> Option<&'static str> {
    rustix::process::getuid().is_root().then_some("postgres")
}

fn id(user: &str, of: &str) -> u32 {
    let told = Command::new("id").args([of, user]).output().unwrap();
    String::from_utf8(told.stdout).unwrap().trim().parse().unwrap()
}

impl Cluster {
    /// Makes and starts a server; `None` if PostgreSQL is not installed.
    ///
    /// # Panics
    /// When it does not work.
    #[must_use]
    pub fn start() -> Option<Self> {
        let programs = programs()?;
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("pg");
        fs::create_dir(&data).unwrap();
        if let Some(user) = user() {
            fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
            chown(&data, Some(id(user, "-u")), Some(id(user, "-g"))).unwrap();
        }
        let mut cluster = Self { folder, programs, server: None };
        let made = cluster
            .program("initdb")
            .args(["--auth=trust", "--username=smp", "--encoding=UTF8", "--locale=C.UTF-8", "-D"])
            .arg(data.join("db"))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        cluster.start_again();
        Some(cluster)
    }

    /// A program of PostgreSQL as the user of the server.
    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command = match user() {
            Some(user) => {
                let mut command = Command::new("setpriv");
                command.arg(format!("--reuid={user}")).arg(format!("--regid={user}"));
                command.arg("--clear-groups").arg(program);
                command
            }
            None => Command::new(program),
        };
        command.current_dir("/").stdin(Stdio::null());
        command
    }

    /// The processes of the server, to see what they cost.
    #[must_use]
    pub fn process(&self) -> Option<u32> {
        self.server.as_ref().map(Child::id)
    }

    /// The folder of its socket.
    fn socket(&self) -> PathBuf {
        self.folder.path().join("pg")
    }

    /// A line to its database, and the address of the database at the other end of it.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn line(&self) -> (Line, String) {
        let folder = self.folder.path().join("line");
        fs::create_dir(&folder).unwrap();
        let line = Line::to_socket(&self.socket().join(".s.PGSQL.5432"), &folder);
        (line, format!("postgres://smp@localhost/postgres?host={}", folder.display()))
    }

    /// The folder of this test, for key files and logs.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The address of its database.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://smp@localhost/postgres?host={}", self.socket().display())
    }

    /// Starts the server after it was stopped, and waits until it answers.
    ///
    /// # Panics
    /// When it does not work.
    pub fn start_again(&mut self) {
        let mut server = self.program("postgres");
        server.arg("-D").arg(self.socket().join("db")).arg("-k").arg(self.socket());
        server.args(["-c", "listen_addresses=", "-c", "max_connections=200"]);
        let server = in_background(&mut server, &self.folder.path().join("postgres.log"));
        self.server = Some(server);
        let began = Instant::now();
        while !self.sql_output("SELECT 1").status.success() {
            assert!(began.elapsed() < PATIENCE, "PostgreSQL does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Stops it at once, as `pg_ctl stop -m immediate` does: what was not committed is lost.
    ///
    /// # Panics
    /// When it does not work.
    pub fn stop_at_once(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        // Its own processes end with it; a killed one would leave them.
        let _ = kill_process(Pid::from_child(&server), Signal::QUIT);
        let status = server.wait().unwrap();
        assert!(status.code().is_some() || status.signal().is_some());
    }

    fn sql_output(&self, sql: &str) -> Output {
        Command::new(self.programs.join("psql"))
            .args(["-X", "-At", "-v", "ON_ERROR_STOP=1", "-U", "smp", "-h"])
            .arg(self.socket())
            .args(["-d", "postgres", "-c", sql])
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// What a statement answers, a line a row.
    ///
    /// # Panics
    /// When it does not work.
    pub fn sql(&self, sql: &str) -> String {
        let done = self.sql_output(sql);
        assert!(done.status.success(), "{sql}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().trim_end().to_owned()
    }

    /// Asks until the answer is as it should be.
    ///
    /// # Panics
    /// When it does not work.
    pub fn until(&self, sql: &str, is_so: impl Fn(&str) -> bool) -> String {
        let began = Instant::now();
        loop {
            let answer = self.sql(sql);
            if is_so(&answer) {
                return answer;
            }
            assert!(began.elapsed() < PATIENCE, "{sql}: {answer}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// All that the database holds, as text.
    ///
    /// # Panics
    /// When it does not work.
    #[must_use]
    pub fn dump(&self) -> String {
        let done = Command::new(self.programs.join("pg_dump"))
            .args(["-U", "smp", "-d", "postgres", "-h"])
            .arg(self.socket())
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop_at_once();
    }
}
