//! The child process that speaks with the engine: started, and started again with a back-off when
//! it ends. It gets no variable of the environment but those that it needs.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::protocol::{Said, Say, VERSION};
use super::{Options, Status};
use crate::problem::Problem;

/// How long the bridge may take to say its first line, and to end.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it may take to end when this process does.
const GRACE: Duration = Duration::from_secs(2);
/// The first wait until it is started again, and the longest.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// What it may know of the environment: how much it logs, certificates, and the key of the engine's
/// own users. Not the address of the database, nor the token of a Vault.
const VARIABLES: [&str; 12] = [
    "HOME",
    "PATH",
    "RUST_BACKTRACE",
    "SMP_LOG",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TEMPORAL_API_KEY",
    "TEMPORAL_TLS_CLIENT_CERT_PATH",
    "TEMPORAL_TLS_CLIENT_KEY_PATH",
    "TEMPORAL_TLS_SERVER_CA_CERT_PATH",
    "TMPDIR",
    "TZ",
];

/// Keeps a bridge.
pub(super) struct Keeper {
    options: Options,
    status: Status,
    arguments: Vec<String>,
    wait: Duration,
}

/// A bridge that runs.
pub(super) struct Bridge {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    voice: Voice,
    writing: JoinHandle<()>,
}

/// Says lines to a bridge.
#[derive(Clone, Debug)]
pub(super) struct Voice(mpsc::UnboundedSender<Option<Say>>);

impl Voice {
    /// Says a line. What a bridge that ended does not hear, the engine asks for again.
    pub(super) fn say(&self, say: Say) {
        let _ = self.0.send(Some(say));
    }

    fn end(&self) {
        let _ = self.0.send(None);
    }
}

impl Keeper {
    /// For this part, `serve` or `work`.
    pub(super) fn new(options: Options, status: Status, part: &str, slots: usize) -> Self {
        let number = |number: u64| number.max(1).to_string();
        let arguments = vec![
            part.to_owned(),
            format!("--engine={}", options.engine),
            format!("--namespace={}", options.namespace),
            format!("--slots={}", slots.max(1)),
            format!("--heartbeat={}", number(options.lease.as_secs())),
        ];
        Self { options, status, arguments, wait: Duration::ZERO }
    }

    /// A bridge, however often it has to be started. `None` when this process ends.
    pub(super) async fn started(&mut self, shutdown: &mut watch::Receiver<bool>) -> Option<Bridge> {
        loop {
            tokio::select! {
                () = over(shutdown) => return None,
                () = tokio::time::sleep(self.wait) => {}
            }
            self.wait = (self.wait * 2).clamp(FIRST_WAIT, LONGEST_WAIT);
            match Bridge::start(&self.options, &self.arguments).await {
                Ok(bridge) => return Some(bridge),
                Err(problem) => self.status.away(&problem.detail),
            }
        }
    }

    /// Notes what the bridge said of the engine. Returns whether it came back.
    pub(super) fn note(&mut self, there: bool, why: Option<&str>) -> bool {
        if !there {
            self.status.away(why.unwrap_or("it does not answer"));
            return false;
        }
        self.wait = Duration::ZERO;
        let was_away = !self.status.is_there();
        self.status.there();
        was_away
    }

    /// Ends a bridge that is of no use any more, or ended by itself.
    pub(super) async fn ended(&self, bridge: Bridge) {
        if self.status.is_there() {
            self.status.away("the bridge to it is started again");
        }
        bridge.end(PATIENCE).await;
    }
}

impl Bridge {
    async fn start(options: &Options, arguments: &[String]) -> Result<Self, Problem> {
        let broken =
            |what: String| Problem::broken(format!("`{}` {what}", options.program.display()));
        let mut command = Command::new(&options.program);
        command.args(arguments).env_clear().kill_on_drop(true);
        for name in VARIABLES {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child =
            command.spawn().map_err(|error| broken(format!("cannot be started: {error}")))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(broken("has no standard input".into()));
        };
        let (sender, said) = mpsc::unbounded_channel();
        let writing = tokio::spawn(written(input, said));
        let lines = BufReader::new(output).lines();
        let mut bridge = Self { child, lines, voice: Voice(sender), writing };
        match tokio::time::timeout(PATIENCE, bridge.next()).await {
            Ok(Some(Said::Hello { version: VERSION })) => Ok(bridge),
            Ok(Some(_)) => Err(broken("is of another version than this program".into())),
            Ok(None) => Err(broken("ends at once".into())),
            Err(_) => Err(broken("says nothing".into())),
        }
    }

    /// What says lines to it, also from other tasks.
    pub(super) fn voice(&self) -> Voice {
        self.voice.clone()
    }

    /// Says a line.
    pub(super) fn say(&self, say: Say) {
        self.voice.say(say);
    }

    /// The next line. `None` when it ended. A wait for it can be given up.
    pub(super) async fn next(&mut self) -> Option<Said> {
        loop {
            let line = self.lines.next_line().await.ok()??;
            match serde_json::from_str(&line) {
                Ok(said) => return Some(said),
                Err(error) => tracing::warn!(%error, "a line of the bridge is not understood"),
            }
        }
    }

    /// Ends it when this process ends.
    pub(super) async fn end_now(self) {
        self.end(GRACE).await;
    }

    /// Ends its standard input, which ends it: what it has of runs goes to other workers.
    async fn end(mut self, patience: Duration) {
        self.voice.end();
        let ended = async {
            let _ = (&mut self.writing).await;
            self.child.wait().await
        };
        match tokio::time::timeout(patience, ended).await {
            Ok(Ok(status)) if status.success() => {}
            Ok(Ok(status)) => tracing::warn!(%status, "the bridge to Temporal ended"),
            Ok(Err(_)) | Err(_) => {
                self.writing.abort();
                let _ = self.child.kill().await;
            }
        }
    }
}

/// Waits until this process ends.
pub(super) async fn over(shutdown: &mut watch::Receiver<bool>) {
    let _ = shutdown.wait_for(|stop| *stop).await;
}

/// Writes lines until there are no more, or the bridge is gone.
async fn written(mut input: ChildStdin, mut said: mpsc::UnboundedReceiver<Option<Say>>) {
    while let Some(Some(say)) = said.recv().await {
        let Ok(mut line) = serde_json::to_vec(&say) else { continue };
        line.push(b'\n');
        if input.write_all(&line).await.is_err() {
            break;
        }
    }
}
