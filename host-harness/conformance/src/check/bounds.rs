//! Checks that a connector stays well below the limits of a host. Pure.

use super::rules::{FRUGAL, Findings, MEMORY, Outcomes, QUICK};
use smp_host::limits::Limits;
use smp_host::text::grouped;
use smp_replay::player::Used;

/// Judges the highest usage of all runs. A run that reached a limit has already failed.
pub(super) fn judge(used: Used, limits: &Limits, outcomes: &mut Outcomes) {
    let (mut memory, mut time, mut requests) =
        (Findings::of(&MEMORY), Findings::of(&QUICK), Findings::of(&FRUGAL));
    let at_most = format!(
        "{} of {} KiB.",
        grouped(kibibytes(used.most.memory)),
        grouped(kibibytes(limits.memory))
    );
    if used.most.memory > limits.memory / 2 {
        memory.add(at_most.clone());
    }
    if used.most.computing > limits.cpu / 2 {
        time.add(format!(
            "{:.1} of {} seconds in one call",
            used.most.computing.as_secs_f64(),
            limits.cpu.as_secs()
        ));
    }
    let sent = format!(
        "{} of {} requests in one collection.",
        grouped(used.most_requests),
        grouped(limits.requests)
    );
    if used.most_requests > limits.requests / 2 {
        requests.add(sent.clone());
    }
    outcomes.add(memory.judged(at_most));
    outcomes.add(time.judged(format!(
        "Less than {} of {} seconds in one call.",
        limits.cpu.as_secs() / 2,
        limits.cpu.as_secs()
    )));
    outcomes.add(requests.judged(sent));
}

fn kibibytes(bytes: usize) -> u64 {
    u64::try_from(bytes.div_ceil(1024)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use smp_host::component::session::MostUsed;
    use smp_host::validation::CheckOutcome;

    #[test]
    fn above_half_of_a_bound_is_warned_about() {
        let limits =
            Limits { memory: 100, cpu: Duration::from_secs(10), requests: 10, ..Limits::default() };
        let warned = |memory, seconds, most_requests| {
            let mut outcomes = Outcomes::default();
            judge(
                Used {
                    most: MostUsed { memory, computing: Duration::from_secs(seconds) },
                    most_requests,
                },
                &limits,
                &mut outcomes,
            );
            let warned = outcomes
                .complete("", None)
                .into_iter()
                .filter(|rule| rule.outcome == CheckOutcome::Warning);
            warned.map(|rule| rule.id).collect::<Vec<_>>()
        };
        assert_eq!(warned(50, 5, 5), [""; 0]);
        assert_eq!(warned(51, 5, 5), ["memory"]);
        assert_eq!(warned(50, 6, 5), ["computing-time"]);
        assert_eq!(warned(50, 5, 6), ["requests"]);
    }
}
