//! Ends the process when a stop was asked for, and what is being written does not end: a named pipe
//! without a reader, or a reader that has stalled, holds a write for as long as it likes.
//!
//! A second signal ends it at once, the first one after a moment. What a checkpoint holds is whole
//! at every instant, so nothing is lost.

use std::io;
use std::process::exit;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Once, OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use smp_host::failure::{Code, Failure};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Exit;
use super::console::Console;

/// How long a stop may take. A page that is being written to a slow disk is done by then.
const GRACE: Duration = Duration::from_secs(5);
/// How long the last words may take: their reader may have stalled too.
const LAST_WORDS: Duration = Duration::from_millis(500);

static CONSOLE: OnceLock<Console> = OnceLock::new();
static RESUMABLE: AtomicBool = AtomicBool::new(false);

/// The signals that ask for a stop.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    /// Listens to them. Until then, each ends the process.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }
}

/// Notes where the last words go.
pub(crate) fn speak_through(console: Console) {
    let _ = CONSOLE.set(console);
}

/// Notes that the same command resumes a run that is ended.
pub(crate) fn is_resumable() {
    RESUMABLE.store(true, Ordering::Relaxed);
}

/// Watches for signals, in a thread that no write holds.
pub(crate) fn watch() {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| {
        // Without a thread, a write that does not end is ended by force alone.
        let _ = thread::Builder::new().name("signals".into()).spawn(wait_and_leave);
    });
}

fn wait_and_leave() {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return;
    };
    let is_asked = runtime.block_on(async {
        let mut signals = Signals::new()?;
        signals.next().await;
        let _ = tokio::time::timeout(GRACE, signals.next()).await;
        io::Result::Ok(())
    });
    if is_asked.is_ok() {
        leave();
    }
}

fn leave() {
    let stopped = if RESUMABLE.load(Ordering::Relaxed) { Exit::Stopped } else { Exit::Failed };
    let (said, heard) = mpsc::channel();
    let speaker = thread::Builder::new().spawn(move || {
        if let Some(console) = CONSOLE.get() {
            let failure = Failure::new(Code::Interrupted, "the run was stopped").with_hint(
                "What was being written did not end: its reader has stalled, or there is none.",
            );
            console.failure(&failure);
        }
        let _ = said.send(());
    });
    if speaker.is_ok() {
        let _ = heard.recv_timeout(LAST_WORDS);
    }
    exit(i32::from(stopped.code()));
}
