//! The clock of the HTTP capability. It is passed in, so that waiting can be tested and replayed
//! without waiting.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A future that a trait object can return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A clock with sleeps.
pub trait Clock: Send + Sync {
    /// Time since a fixed instant. It never goes back.
    fn now(&self) -> Duration;
    /// The date, for headers that name an instant.
    fn date(&self) -> SystemTime;
    /// Sleeps.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// The machine's clock, through tokio: a test that pauses tokio's time pauses this clock too.
#[derive(Debug)]
pub struct SystemClock {
    start: tokio::time::Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { start: tokio::time::Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn date(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// A virtual clock: a sleep moves it forward and returns at once.
#[derive(Debug)]
pub struct VirtualClock {
    start: SystemTime,
    elapsed_ms: AtomicU64,
}

impl VirtualClock {
    /// A clock that starts at this date.
    #[must_use]
    pub fn new(start: SystemTime) -> Self {
        Self { start, elapsed_ms: AtomicU64::new(0) }
    }
}

impl Default for VirtualClock {
    fn default() -> Self {
        Self::new(UNIX_EPOCH)
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Duration {
        Duration::from_millis(self.elapsed_ms.load(Ordering::SeqCst))
    }

    fn date(&self) -> SystemTime {
        self.start + self.now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        // Rounded up: a wait of less than a millisecond must move the clock too, or a waiting loop
        // would never end.
        let ms = u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
        self.elapsed_ms.fetch_add(ms, Ordering::SeqCst);
        Box::pin(std::future::ready(()))
    }
}
