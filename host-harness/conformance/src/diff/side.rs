//! One build on the recorded traffic of one case: what came of each call.

use std::path::Path;

use smp_host::failure::Failure;
use smp_replay::stage::bench::Bench;
use smp_replay::stage::played::{Call, Played, play};

/// One build on one case.
pub(super) struct Side {
    /// The calls, and what came of them; none where the form refuses the settings.
    pub(super) calls: Vec<(Call, Played)>,
    /// Why the form refuses the settings.
    pub(super) refused: Option<Failure>,
}

impl Side {
    /// Makes every call of the case.
    ///
    /// # Errors
    /// When the case cannot be read or played.
    pub(super) async fn played(bench: &Bench, folder: &Path) -> Result<Self, Failure> {
        let mut case = bench.case_of_any_build(folder)?;
        let mut calls = Vec::new();
        if let Some(checked) = case.checked.take() {
            for call in Call::ALL {
                calls.push((call, play(bench, &case, &checked, call, None).await?));
            }
        }
        Ok(Self { calls, refused: case.refused })
    }

    /// How many of the calls never came back.
    pub(super) fn hung(&self) -> usize {
        self.calls.iter().filter(|(_, played)| played.end.hung()).count()
    }
}
