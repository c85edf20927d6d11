//! One build on the recorded traffic of one case: the outcome of each call.

use std::path::Path;

use smp_host::failure::Failure;
use smp_replay::player::Player;
use smp_replay::player::call::{Call, Played};

/// The outcomes of one build on one case.
pub(super) struct Side {
    /// The calls and their outcomes. Empty if the form refuses the settings.
    pub(super) calls: Vec<(Call, Played)>,
    /// Why the form refuses the settings.
    pub(super) refused: Option<Failure>,
}

impl Side {
    /// Makes every call of the case.
    ///
    /// # Errors
    /// If the case cannot be read or played.
    pub(super) async fn played(player: &Player, folder: &Path) -> Result<Self, Failure> {
        let case = player.case_of_any_build(folder)?;
        let mut calls = Vec::new();
        if let Ok(checked) = &case.checked {
            for call in player.calls_of(&case) {
                calls.push((call, player.play(&case, checked, call, None).await?));
            }
        }
        Ok(Self { calls, refused: case.checked.err() })
    }

    /// Number of calls that hung.
    pub(super) fn hung(&self) -> usize {
        self.calls.iter().filter(|(_, played)| played.end.hung()).count()
    }
}
