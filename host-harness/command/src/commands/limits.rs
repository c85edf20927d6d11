//! `limits`: the limits of a connector, with their reasons.

use crate::show::limits;
use clap::Args;
use smp_host::limits::{Bound, Limits};

use super::Exit;
use super::console::Console;

#[derive(Debug, Args)]
pub(crate) struct ShowLimits {
    /// Write JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

impl ShowLimits {
    pub(crate) fn run(self, console: &Console) -> Exit {
        let usual = Limits::default();
        let shown = if self.json {
            let bound = |bound: &Bound| serde_json::json!({ "name": bound.name(), "default": usual.shown(*bound), "reason": bound.reason() });
            console.json_line(&Bound::ALL.iter().map(bound).collect())
        } else {
            console.data(&limits::text(&usual, console.output_look()))
        };
        match shown {
            Ok(()) => Exit::Done,
            Err(failure) => console.failed(&failure),
        }
    }
}
