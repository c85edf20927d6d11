//! The operator's word on where the key may go. A descriptor only asks for an origin; nothing leaves before somebody said yes.
//!
//! A yes on a terminal is remembered for the component's digest: another build asks again.

use std::fs;
use std::io::{self, BufRead, IsTerminal, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::PathBuf;

use smp_harness::component::plugin::Facts;
use smp_harness::failure::{Code, Failure};
use smp_harness::http::origin::Origin;
use smp_harness::text;

/// Approves the live origin, or says why it is not approved.
pub(crate) fn approve(facts: &Facts, allowed: Option<&Origin>) -> Result<Origin, Failure> {
    let api = &facts.descriptor.api;
    let base = Origin::parse(&api.base).map_err(|error| Failure::new(Code::Contract, format!("the connector's API base is {error}")))?;
    match allowed {
        Some(origin) if *origin == base => return Ok(base),
        Some(origin) => {
            return Err(Failure::new(Code::Denied, format!("the connector asks for {base}, and `--allow-origin` approves {origin}"))
                .with_hint("Make sure that the connector is the one you mean, then approve the origin that it asks for."));
        }
        None => {}
    }
    if is_remembered(facts, &base) {
        return Ok(base);
    }
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Err(Failure::new(Code::Denied, format!("nobody approved that the key goes to {base}")).with_hint(format!(
            "Approve it with `--allow-origin {base}`, or run this once on a terminal and say yes. `--fixture` and `--upstream` need no approval."
        )));
    }
    if !ask(facts, &base).map_err(|error| Failure::new(Code::Denied, format!("the question could not be asked: {error}")))? {
        return Err(Failure::new(Code::Denied, format!("you did not approve that the key goes to {base}")).with_hint("Nothing was sent."));
    }
    remember(facts, &base);
    Ok(base)
}

fn ask(facts: &Facts, base: &Origin) -> io::Result<bool> {
    let mut terminal = io::stderr().lock();
    let name = text::shortened(&facts.descriptor.name, 60);
    writeln!(terminal, "The connector “{name}” wants to send requests with your key to")?;
    writeln!(terminal, "    {base}")?;
    for endpoint in &facts.descriptor.api.endpoints {
        let (path, purpose) = (text::shortened(&endpoint.path, 100), text::shortened(&endpoint.purpose, 100));
        writeln!(terminal, "    {} {path}   {purpose}", smp_harness::http::policy::method_of(endpoint.method))?;
    }
    writeln!(terminal, "Its digest is {}.", facts.digest)?;
    write!(terminal, "Allow this for this build of the connector? [y/N] ")?;
    terminal.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

fn is_remembered(facts: &Facts, base: &Origin) -> bool {
    let Some(path) = approvals() else { return false };
    fs::read_to_string(path).is_ok_and(|lines| lines.lines().any(|line| line == entry(facts, base)))
}

/// Remembers a yes. Where that does not work, the question comes again.
fn remember(facts: &Facts, base: &Origin) {
    let Some(path) = approvals() else { return };
    let Some(folder) = path.parent() else { return };
    let written = fs::create_dir_all(folder)
        .and_then(|()| fs::set_permissions(folder, fs::Permissions::from_mode(0o700)))
        .and_then(|()| fs::OpenOptions::new().append(true).create(true).mode(0o600).open(&path))
        .and_then(|mut file| writeln!(file, "{}", entry(facts, base)));
    if let Err(error) = written {
        tracing::debug!("the approval is not remembered: {error}");
    }
}

fn entry(facts: &Facts, base: &Origin) -> String {
    format!("{} {base}", facts.digest)
}

fn approvals() -> Option<PathBuf> {
    Some(super::source::home_folder("XDG_STATE_HOME", ".local/state")?.join("approved-origins"))
}
