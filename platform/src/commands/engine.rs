//! The options of an engine, which `serve` and `work` share.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use smp_platform::engine::Options;
use smp_platform::problem::Problem;
use smp_platform::store::Place;

use super::address;

/// Temporal, which decides who runs what and when.
#[derive(Debug, Args)]
pub(super) struct EngineArguments {
    /// Let Temporal say who runs what: http://HOST:PORT, or https:// for TLS. It needs a
    /// `--database`, and `smp-temporal` beside this program.
    #[arg(long, value_name = "URL")]
    temporal: Option<String>,
    /// The namespace in it, one for each platform.
    #[arg(long, value_name = "NAME", default_value = "default", requires = "temporal")]
    temporal_namespace: String,
    /// The program that speaks with it, if it is not beside this one.
    #[arg(long, value_name = "FILE", requires = "temporal")]
    temporal_bridge: Option<PathBuf>,
}

impl EngineArguments {
    /// How the engine of this store is reached, if there is one.
    pub(super) fn options(
        &self,
        place: &Place,
        lease: Duration,
    ) -> Result<Option<Options>, Problem> {
        let Some(text) = &self.temporal else { return Ok(None) };
        if place.folder().is_some() {
            return Err(Problem::invalid("Temporal needs a store that several processes share")
                .hint("Give a `--database` in place of `--data`, or leave `--temporal` out."));
        }
        let way_out = "Write it as `http://HOST:PORT`, or `https://HOST:PORT` for TLS.";
        let url = address("--temporal", text, way_out)?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(Problem::invalid("the address of Temporal cannot be used").hint(way_out));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Problem::invalid("the address of Temporal holds a user or a password")
                .hint("Give the key of a user as `TEMPORAL_API_KEY` (docs/deploy.md)."));
        }
        let (namespace, program) = (self.temporal_namespace.clone(), self.temporal_bridge.clone());
        Options::new(url, namespace, program, lease).map(Some)
    }
}
