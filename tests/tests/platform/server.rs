//! A platform that a test starts and asks: the real binary, on a folder and a free port.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use smp_tests::harness::{binary, component};
use smp_tests::mock::{DEFAULT_KEY, Mock};

/// Long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running platform.
pub(crate) struct Server {
    child: Child,
    address: String,
    pub(crate) token: String,
}

/// The command `smp-platform`.
pub(crate) fn platform() -> Command {
    let mut command = Command::new(binary().with_file_name("smp-platform"));
    command.stdin(Stdio::null()).env_clear();
    command
}

/// Runs a command on this store to its end.
pub(crate) fn run(data: &Path, arguments: &[&str]) -> Output {
    platform().args(arguments).arg("--data").arg(data).output().unwrap()
}

/// A store with the connector, for the connections of tests.
pub(crate) fn installed(data: &Path) {
    let connector = component().display().to_string();
    let grant = "POST /admin/v2/orgs/{organization-id}/workspaces";
    let done = run(data, &["connector", "install", &connector, "--grant", grant]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

impl Server {
    /// Starts a platform on this store, with this mock as a permitted upstream.
    pub(crate) fn start(data: &Path, mock: &Mock) -> Self {
        Self::start_with(data, mock, &[])
    }

    /// The same with these variables in its environment.
    pub(crate) fn start_with(data: &Path, mock: &Mock, variables: &[(&str, &str)]) -> Self {
        let mut command = platform();
        command.envs(variables.iter().copied());
        Self::started(command, data, mock)
    }

    /// The same on a disk of its own: behind these commands of a shell in a namespace of mounts,
    /// which get the prepared folder and `data`.
    pub(crate) fn start_behind(data: &Path, mock: &Mock, commands: &str, prepared: &Path) -> Self {
        let mut command = Command::new("unshare");
        let script = format!("{commands} && shift 2 && exec \"$@\"");
        command.stdin(Stdio::null()).args(["-rm", "sh", "-c", &script, "sh"]);
        command.args([prepared, data]).arg(platform().get_program());
        Self::started(command, data, mock)
    }

    /// The root folder as the process sees it.
    pub(crate) fn root(&self) -> PathBuf {
        format!("/proc/{}/root", self.child.id()).into()
    }

    fn started(mut command: Command, data: &Path, mock: &Mock) -> Self {
        command.args(["serve", "--json", "--allow-upstream", &mock.url(), "--data"]).arg(data);
        Self::spawned(command, &log(data))
    }

    /// Starts this command, which serves and says so as JSON, with this log.
    pub(crate) fn spawned(mut command: Command, log: &Path) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(std::fs::File::options().create(true).append(true).open(log).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line)
            .unwrap_or_else(|_| panic!("{}", std::fs::read_to_string(log).unwrap()));
        let address = told["url"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
        let token = told["token"].as_str().unwrap_or_default().to_owned();
        Self { child, address, token }
    }

    /// Ends it as a crash does, and starts another one on the same store.
    pub(crate) fn killed_and_started(self, data: &Path, mock: &Mock) -> Self {
        let token = self.token.clone();
        drop(self);
        Self::start(data, mock).with(token)
    }

    /// Uses this token, of a store that has one already.
    pub(crate) fn with(mut self, token: String) -> Self {
        self.token = token;
        self
    }

    /// Its process.
    #[allow(dead_code, reason = "the tests of an engine use it")]
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it with SIGTERM. Returns how long that took.
    pub(crate) fn end(mut self) -> Duration {
        let began = Instant::now();
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
        began.elapsed()
    }

    /// Asks with this token. Returns the status and the body.
    pub(crate) fn bytes(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: &str,
    ) -> (u16, Vec<u8>) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.0\r\nhost: {}\r\nauthorization: Bearer {token}\r\n\
             content-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let status = std::str::from_utf8(&answer[9..12]).unwrap().parse().unwrap();
        (status, answer.split_off(end + 4))
    }

    /// Asks with this token. Returns the status and the JSON.
    pub(crate) fn ask_as(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: &Value,
    ) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, answer) = self.bytes(token, method, path, &body);
        (status, serde_json::from_slice(&answer).unwrap_or_default())
    }

    /// Asks as the operator.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        self.ask_as(&self.token, method, path, body)
    }

    /// Reads, as the operator.
    pub(crate) fn get(&self, path: &str) -> Value {
        let (status, answer) = self.ask("GET", path, &Value::Null);
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// Makes a connection of a tenant to the mock. Returns its path.
    pub(crate) fn connected(&self, tenant: &str, mock: &Mock) -> String {
        let (status, made) = self.ask("POST", "/api/v1/connections", &connection(tenant, mock));
        assert_eq!((status, &made["state"]), (201, &json!("ready")), "{made}");
        format!("/api/v1/connections/{}", made["id"].as_str().unwrap())
    }

    /// Asks for a run and waits for its end.
    pub(crate) fn collected(&self, connection: &str) -> Value {
        let (status, run) = self.ask("POST", &format!("{connection}/runs"), &Value::Null);
        assert_eq!(status, 202, "{run}");
        self.ended(connection, run["id"].as_str().unwrap())
    }

    /// Waits for the end of a run.
    pub(crate) fn ended(&self, connection: &str, run: &str) -> Value {
        self.until(&format!("{connection}/runs/{run}"), |run| {
            !matches!(run["state"].as_str(), Some("open" | "waiting"))
        })
    }

    /// The last run of a connection, which begins by itself.
    pub(crate) fn first_run(&self, connection: &str) -> String {
        let runs = self.until(&format!("{connection}/runs"), |runs| !runs["data"][0].is_null());
        runs["data"][0]["id"].as_str().unwrap().to_owned()
    }

    /// Reads until the answer is as it should be.
    pub(crate) fn until(&self, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let answer = self.get(path);
            if is_so(&answer) {
                return answer;
            }
            assert!(began.elapsed() < PATIENCE, "{answer}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The body that makes a connection to the mock.
pub(crate) fn connection(tenant: &str, mock: &Mock) -> Value {
    json!({
        "tenant": tenant,
        "connector": "atlassian-cloud",
        "settings": {"organization-id": mock.organization().id},
        "secrets": {"api-key": DEFAULT_KEY},
        "upstream": mock.url(),
    })
}

/// Where the platform of a store writes its log.
pub(crate) fn log(data: &Path) -> PathBuf {
    data.with_extension("log")
}
