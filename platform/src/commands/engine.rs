//! The options of an engine, which `serve` and `work` share.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use smp_platform::engine::Options;
use smp_platform::problem::Problem;
use url::Url;

/// Temporal, which decides who runs what and when.
#[derive(Debug, Args)]
pub(super) struct EngineArguments {
    /// Let Temporal say who runs what: http://HOST:PORT, or https:// for TLS. It needs a
    /// `--database`, and `smp-temporal` beside this program.
    #[arg(long, value_name = "URL", value_parser = address, requires = "database")]
    temporal: Option<Url>,
    /// The namespace in it, one for each platform.
    #[arg(long, value_name = "NAME", default_value = "default", requires = "temporal")]
    temporal_namespace: String,
    /// The program that speaks with it, if it is not beside this one.
    #[arg(long, value_name = "FILE", requires = "temporal")]
    temporal_bridge: Option<PathBuf>,
}

impl EngineArguments {
    /// How the engine is reached, if there is one.
    pub(super) fn options(&self, lease: Duration) -> Result<Option<Options>, Problem> {
        let Some(url) = self.temporal.clone() else { return Ok(None) };
        let (namespace, program) = (self.temporal_namespace.clone(), self.temporal_bridge.clone());
        Options::new(url, namespace, program, lease).map(Some)
    }
}

fn address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err("write http://HOST:PORT or https://HOST:PORT".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the address holds no user; see TEMPORAL_API_KEY in docs/deploy.md".into());
    }
    Ok(url)
}
