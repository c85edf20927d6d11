//! What `embed.rs` does up to the session, for the examples that need one.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use smp_host::component::compile::Compiler;
use smp_host::component::engine::{Engine, EngineOptions};
use smp_host::component::{plugin::Plugin, session::Session};
use smp_host::host::{Host, RunOptions};
use smp_host::http::{origin::Origin, policy::Grants};
use smp_host::live::{LiveClient, LiveOptions};
use smp_host::settings::{SecretText, Settings};

/// The first argument with which the engine starts the program again, to compile a component.
pub(crate) const WORKER: &str = "compile-component";

/// A session of this connector with this organization; the key is in the variable `API_KEY`.
pub(crate) async fn of(
    file: &str,
    organization: &str,
    url: &str,
) -> Result<Session, Box<dyn Error>> {
    let program = std::env::current_exe()?;
    let compiler = Compiler::Apart { program, arguments: vec![WORKER.into()] };
    let engine = Engine::new(&EngineOptions::new(compiler))?;
    let plugin = Plugin::load(&engine, &std::fs::read(file)?).await?;
    let settings = Settings {
        values: [("organization-id".into(), organization.into())].into(),
        secrets: [("api-key".into(), SecretText::new(std::env::var("API_KEY")?))].into(),
    };
    let settings = settings.check(plugin.descriptor(), true)?;
    let grants = Grants::reading(Origin::parse(url)?, plugin.descriptor());
    let client = LiveClient::new(&LiveOptions {
        timeout: Duration::from_secs(60),
        largest_body: plugin.limits().response,
        extra_roots: None,
        system_proxy: !grants.origin().is_plain(),
        private_network: grants.origin().is_plain(),
        ranges: Vec::new(),
        user_agent: "embed/0.1".into(),
    })?;
    let transport = client.transport(grants.origin().clone(), settings.credential.clone());
    let options = RunOptions::new(Arc::new(transport));
    Ok(Host::default().session(&plugin, &settings, &grants, options))
}
