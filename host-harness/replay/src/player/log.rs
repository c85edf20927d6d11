//! The log lines of a component, kept in memory.

use std::sync::{Mutex, PoisonError};

use smp_host::observer::{Context, Event, Observer};

/// Most log lines that are kept of a run.
const MOST_LINES: usize = 1_000;

/// Collects the log lines of a component.
#[derive(Debug, Default)]
pub struct LogCollector(Mutex<Vec<String>>);

impl LogCollector {
    /// The lines so far.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Observer for LogCollector {
    fn event(&self, _: &Context, event: &Event<'_>) {
        if let Event::Log { message, .. } = event {
            let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if lines.len() < MOST_LINES {
                lines.push((*message).to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use smp_host::contract::log::Level;

    #[test]
    fn log_lines_are_kept_up_to_a_bound_and_nothing_else_is() {
        let log = LogCollector::default();
        log.event(
            &Context::default(),
            &Event::Waiting { wait: Duration::ZERO, reason: "busy", tries: 1 },
        );
        (0..=MOST_LINES).for_each(|_| {
            log.event(&Context::default(), &Event::Log { level: Level::Info, message: "a line" })
        });
        assert_eq!(log.lines(), vec!["a line"; MOST_LINES]);
    }
}
