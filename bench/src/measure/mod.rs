//! The measurements, one per file. Each returns its figures, in the order in which they are shown.

pub mod instructions;
pub mod million;
pub mod parts;
pub mod path;
pub mod size;
pub mod start;
pub mod tenants;
pub mod wire;

pub mod growth;

use anyhow::Result;

use crate::figure::Figure;

/// How much to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// A little, for a first impression: some figures are left out, and the rest is noisier.
    Quick,
    /// All of it.
    Full,
}

impl Depth {
    /// One of two numbers.
    #[must_use]
    pub fn pick<T>(self, quick: T, full: T) -> T {
        if self == Self::Quick { quick } else { full }
    }
}

/// A measurement.
pub type Measure = fn(Depth) -> Result<Vec<Figure>>;

/// All measurements: the group of their keys, a text for the progress, and the function. The
/// yardstick comes early.
pub const ALL: [(&str, &str, Measure); 9] = [
    ("size", "the size of the component", size::measure),
    ("path", "pages through the component, against native code", path::measure),
    ("million", "a million members", million::measure),
    ("wire", "20,000 members over loopback HTTP", wire::measure),
    ("start", "the start of a process", start::measure),
    ("tenants", "tenants at once", tenants::measure),
    ("parts", "what each part costs", parts::measure),
    ("instructions", "instructions", instructions::measure),
    ("growth", "growth", growth::measure),
];

const MIB: f64 = 1024.0 * 1024.0;

#[expect(clippy::cast_precision_loss, reason = "sizes and counts are far below 2^52")]
fn float(number: u64) -> f64 {
    number as f64
}
