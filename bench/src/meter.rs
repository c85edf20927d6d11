//! Meters for processor time and memory, as the kernel counts them.

use std::fs;
use std::time::Instant;

/// Which processor time to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// This process, with all its threads.
    Process,
    /// This thread.
    Thread,
}

/// Processor time since the start, in the program and in the kernel, in seconds.
#[must_use]
pub fn cpu(whose: Whose) -> f64 {
    let clock = match whose {
        Whose::Process => libc::CLOCK_PROCESS_CPUTIME_ID,
        Whose::Thread => libc::CLOCK_THREAD_CPUTIME_ID,
    };
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    #[expect(unsafe_code, reason = "the kernel's clocks cannot be had without")]
    // SAFETY: the struct is valid, and the kernel only writes into it.
    unsafe {
        libc::clock_gettime(clock, &raw mut time);
    }
    seconds(time.tv_sec) + seconds(time.tv_nsec) / 1e9
}

/// The cost of the child processes that this one started and waited for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Children {
    /// Processor time, in seconds. The kernel may count it in steps of some milliseconds.
    pub cpu: f64,
    /// The highest peak memory of one of them, in bytes.
    pub peak: u64,
}

/// Reads the kernel's counters.
#[must_use]
pub fn children() -> Children {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    #[expect(unsafe_code, reason = "the kernel's figures cannot be had without")]
    // SAFETY: the struct is valid when all its bytes are zero, it is large enough, and the kernel
    // only writes into it.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_CHILDREN, usage.as_mut_ptr());
        usage.assume_init()
    };
    let time = |time: libc::timeval| seconds(time.tv_sec) + seconds(time.tv_usec) / 1e6;
    Children {
        cpu: time(usage.ru_utime) + time(usage.ru_stime),
        peak: u64::try_from(usage.ru_maxrss).unwrap_or(0) * 1024,
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn seconds(number: i64) -> f64 {
    number as f64
}

/// Present memory of this process, in bytes.
#[must_use]
pub fn resident() -> u64 {
    status("VmRSS:")
}

/// Peak memory of this process so far, in bytes.
#[must_use]
pub fn peak() -> u64 {
    status("VmHWM:")
}

fn status(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.trim().strip_suffix(" kB").and_then(|number| number.parse::<u64>().ok()).unwrap_or(0)
        * 1024
}

/// The load of the machine in the last minute: processes that compute or wait for a processor.
#[must_use]
pub fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0.0)
}

/// Processors that this process may use.
#[must_use]
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Runs the work, and returns this thread's processor time for it, in seconds.
pub fn cpu_of<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let before = cpu(Whose::Thread);
    let value = work();
    (value, cpu(Whose::Thread) - before)
}

/// Runs the work, and returns the elapsed time, in seconds.
pub fn wall_of<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let before = Instant::now();
    let value = work();
    (value, before.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn computing_takes_processor_time_and_memory() {
        let (sum, time) = cpu_of(|| {
            (0..20_000_000_u64).fold(0, |sum, number| std::hint::black_box(sum ^ number))
        });
        assert!(time > 0.0, "{sum}");
        assert!(cpu(Whose::Process) >= time);
        assert!(resident() > 0 && peak() >= resident() / 2);
    }
}
