//! Collects the members of an organization into a `Vec`: the least that a platform writes.
//!
//! `API_KEY=… embed CONNECTOR.wasm ORGANIZATION-ID ORIGIN`: the origin is the service's, such as
//! `https://api.atlassian.com`, or that of a mock on this machine.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example shows what it does")]

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use smp_host::collect::in_memory::InMemory;
use smp_host::component::compile::Compiler;
use smp_host::component::engine::{Engine, EngineOptions};
use smp_host::component::{plugin::Plugin, worker};
use smp_host::contract::Member;
use smp_host::host::{Host, RunOptions};
use smp_host::http::{origin::Origin, policy::Grants};
use smp_host::live::{LiveClient, LiveOptions};
use smp_host::settings::{SecretText, Settings};

/// The first argument with which the engine starts this program again, to compile a component.
const WORKER: &str = "compile-component";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let collected = match arguments.as_slice() {
        // First of all: this process compiles, within limits, and does nothing else.
        [worker, job] if worker == WORKER => return worker::work(job),
        [connector, organization, origin] => collect(connector, organization, origin),
        _ => Err("usage: API_KEY=… embed CONNECTOR.wasm ORGANIZATION-ID ORIGIN".into()),
    };
    match collected {
        Ok(members) => {
            members.iter().for_each(|member| println!("{}  {}", member.id, member.name));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn collect(file: &str, organization: &str, url: &str) -> Result<Vec<Member>, Box<dyn Error>> {
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
    let session = Host::default().session(&plugin, &settings, &grants, options);
    let mut members = InMemory::default();
    let report = session.collect_members(&mut members, std::future::pending()).await;
    // Without an error the list is whole.
    report.error.map_or(Ok(()), Err)?;
    Ok(members.pages().iter().flat_map(|page| page.members.clone()).collect())
}
