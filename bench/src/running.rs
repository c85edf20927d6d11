//! What a running tenant takes of the platform's memory: runs of many tenants at once in one
//! process, each waiting for its second page.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use smp_tests::harness::component;
use smp_tests::mock::{Builder, Call, Fault, Mock, When};

use crate::many::{Ended, ask, connect, program, started};

/// Members of a tenant: three pages.
const MEMBERS: u64 = 300;
const PAGES: usize = 3;
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// Until what happens after a page has happened.
const SETTLED: Duration = Duration::from_secs(3);

/// Memory of a process.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// With so many tenants, none of which runs, in bytes.
    pub at_rest: u64,
    /// More for each that runs, in bytes.
    pub of_a_run: u64,
}

/// Measures it with so many tenants. Each has collected once before.
///
/// # Errors
/// If something does not work.
pub fn measure(tenants: usize) -> Result<Memory> {
    let folder = tempfile::tempdir()?;
    let mocks: Vec<Mock> = (0..tenants)
        .map(|tenant| {
            let organization = format!("organization-{tenant}");
            Builder::default().members(MEMBERS).organization_id(&organization).start()
        })
        .collect::<Result<_, _>>()?;
    let on = |command: &[&str]| -> Result<std::process::Command> {
        let mut command = program(command)?;
        command.arg("--data").arg(folder.path().join("data"));
        Ok(command)
    };
    let installed = on(&["connector", "install"])?.arg(component()).output()?;
    ensure!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
    // A tenant takes three quarters of the places at most, and each here has one.
    let command = on(&["serve", "--json", "--slots", &tenants.to_string()])?;
    let (serve, line) = started(command, &folder.path().join("log"), &mocks)?;
    let process = serve.id();
    let _serve = Ended(serve);
    let told: Value = serde_json::from_str(&line).context("`serve` does not start")?;
    let text = |name: &str| told.get(name).and_then(Value::as_str).context("a malformed line");
    let (url, token) = (text("url")?.trim_start_matches("http://"), text("token")?);
    let connections = connect(url, token, &mocks)?;
    // A validation asks for pages, too.
    let asked = |mock: &Mock| mock.log().iter().filter(|one| one.call == Call::Users).count();
    let all_asked = |more: &[usize]| -> Result<()> {
        for (mock, pages) in mocks.iter().zip(more) {
            ensure!(mock.wait_for(Call::Users, *pages, PATIENCE), "a run does not go on");
        }
        std::thread::sleep(SETTLED);
        Ok(())
    };
    all_asked(&vec![PAGES; tenants])?;
    let at_rest = resident(process)?;
    for mock in &mocks {
        mock.set_fault(Call::Users, When::From(2), Fault::Slow(PATIENCE));
    }
    let before: Vec<usize> = mocks.iter().map(asked).collect();
    for id in connections {
        let path = format!("/api/v1/connections/{id}/runs");
        ask(url, token, "POST", &path, "")?;
    }
    all_asked(&before.iter().map(|pages| pages + 2).collect::<Vec<_>>())?;
    let running = resident(process)?;
    let of_a_run = running.saturating_sub(at_rest) / u64::try_from(tenants)?;
    Ok(Memory { at_rest, of_a_run })
}

fn resident(process: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    Ok(kib.context("no memory is told")? * 1024)
}
