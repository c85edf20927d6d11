//! The operator's approval of the origin that the key is sent to, and of the requests. A descriptor
//! only asks for them; nothing is sent before somebody has approved it.
//!
//! Approving the origin grants all requests that read by `GET`. Every other request is shown and
//! granted separately, even if the origin was named. A yes on a terminal is remembered for the
//! component's digest: another build asks again.

use std::fs;
use std::io::{self, BufRead, IsTerminal, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::PathBuf;

use smp_host::component::plugin::PluginInfo;
use smp_host::contract::{Endpoint, Setting};
use smp_host::failure::{Code, Failure};
use smp_host::http::base::{Purpose, needed, origin};
use smp_host::http::origin::Origin;
use smp_host::http::policy::{Grants, method_of};
use smp_host::http::transport::Method;
use smp_host::remedy::Remedy;
use smp_host::text;

use super::console::Console;
use super::home::home_folder;
use crate::show::terminal::{Look, Style, width};
use crate::show::words::hang;

/// Most endpoints in a question, so that the origin stays on the screen whatever a descriptor
/// declares.
const SHOWN: usize = 8;

/// The approvals on the command line.
pub(crate) struct Approval<'a> {
    /// The origin in place of the live one.
    pub(crate) upstream: Option<&'a Origin>,
    /// The live origin.
    pub(crate) allowed: Option<&'a Origin>,
    /// Endpoints beyond `GET`.
    pub(crate) named: &'a [(Method, String)],
    /// The settings: origin and endpoints depend on them.
    pub(crate) settings: &'a [Setting],
    /// What the run is for: endpoints depend on it.
    pub(crate) purpose: Purpose,
}

/// The grants of the connector, or why the origin is not approved.
pub(crate) fn grants(
    facts: &PluginInfo,
    approval: &Approval<'_>,
    console: &Console,
) -> Result<Grants, Failure> {
    let origin = match approval.upstream {
        Some(origin) => origin.clone(),
        None => approved_origin(facts, approval, console)?,
    };
    let mut grants = Grants::reading(origin.clone(), &facts.descriptor);
    for endpoint in needed(&facts.descriptor, approval.settings, approval.purpose)
        .filter(|endpoint| method_of(endpoint.method) != Method::Get)
    {
        let (method, path) = (method_of(endpoint.method), endpoint.path.as_str());
        let entry = format!("{} {origin} {method} {path}", facts.digest);
        let named =
            approval.named.iter().any(|(known, template)| *known == method && template == path);
        if named
            || is_remembered(&entry)
            || (may_ask(console) && ask_for(endpoint, &origin, &entry, console)?)
        {
            grants = grants.with(method, path);
        }
    }
    Ok(grants)
}

/// Approves the live origin, or returns why it is not approved.
fn approved_origin(
    facts: &PluginInfo,
    approval: &Approval<'_>,
    console: &Console,
) -> Result<Origin, Failure> {
    let base = origin(&facts.descriptor.api, approval.settings)?;
    match approval.allowed {
        Some(origin) if *origin == base => return Ok(base),
        Some(origin) => {
            return Err(Failure::new(
                Code::Denied,
                format!("the connector asks for {base}, and `--allow-origin` approves {origin}"),
            )
            .with_remedy(Remedy::ApproveOrigin { origin: base.to_string() })
            .with_hint(
                "Make sure that the connector is the one you mean, then approve the origin that \
                 it asks for.",
            ));
        }
        None => {}
    }
    let entry = format!("{} {base}", facts.digest);
    if is_remembered(&entry) {
        return Ok(base);
    }
    if !may_ask(console) {
        return Err(Failure::new(
            Code::Denied,
            format!("sending the key to {base} is not approved"),
        )
        .with_remedy(Remedy::ApproveOrigin { origin: base.to_string() })
        .with_hint(
            "Run this once on a terminal and say yes. `--fixture` and `--upstream` need no \
             approval.",
        ));
    }
    if !yes(&origin_question(facts, &base, approval, console.error_look()), &entry, console)? {
        return Err(Failure::new(
            Code::Denied,
            format!("you did not approve sending the key to {base}"),
        )
        .with_remedy(Remedy::ApproveOrigin { origin: base.to_string() })
        .with_hint("Nothing was sent."));
    }
    Ok(base)
}

fn origin_question(
    facts: &PluginInfo,
    base: &Origin,
    approval: &Approval<'_>,
    look: Look,
) -> String {
    let name = text::shortened(&facts.descriptor.name, 60);
    let mut lines = vec![
        format!("The connector “{name}” wants to send requests with your key to"),
        format!("    {base}"),
    ];
    let endpoints = needed(&facts.descriptor, approval.settings, approval.purpose);
    let (reading, other): (Vec<_>, Vec<_>) =
        endpoints.partition(|endpoint| method_of(endpoint.method) == Method::Get);
    lines.extend(reading.iter().take(SHOWN).map(|endpoint| line(endpoint, look)));
    if reading.len() > SHOWN {
        lines.push(format!("    and {} more that `inspect` shows", reading.len() - SHOWN));
    }
    if !other.is_empty() {
        lines.push(format!("and {} other than GET; you are asked about each.", other.len()));
    }
    lines.push(format!("Its digest is {}.", facts.digest));
    lines.push(format!(
        "Allow requests with your key to {base} for this build of the connector? [y/N]"
    ));
    laid_out(&lines, look)
}

/// Asks for one endpoint beyond `GET`. A no is not a failure: the run works as far as it can
/// without it.
fn ask_for(
    endpoint: &Endpoint,
    origin: &Origin,
    entry: &str,
    console: &Console,
) -> Result<bool, Failure> {
    let says = if endpoint.read_only {
        "According to the connector, this changes nothing there."
    } else {
        "It may change data there."
    };
    let look = console.error_look();
    let lines = [
        format!("The connector also wants to send to {origin}"),
        line(endpoint, look),
        format!("{says} Allow this request? [y/N]"),
    ];
    yes(&laid_out(&lines, look), entry, console)
}

/// The lines of a question, with words kept whole, and the cursor behind the last one.
fn laid_out(lines: &[String], look: Look) -> String {
    let columns = look.width.max(Look::NARROWEST);
    let mut question = String::new();
    for line in lines {
        // An endpoint, an address and a digest are lines of their own already.
        if line.starts_with(' ') || width(line) <= columns {
            question.push_str(line);
            question.push('\n');
        } else {
            hang(&mut question, "", line, look, Style::Plain);
        }
    }
    format!("{} ", question.trim_end())
}

fn line(endpoint: &Endpoint, look: Look) -> String {
    let (path, purpose) =
        (text::shortened(&endpoint.path, 100), text::shortened(&endpoint.purpose, 100));
    let first = format!("    {} {path}   ", method_of(endpoint.method));
    let columns = look.width.max(Look::NARROWEST);
    if width(&first) + width(&purpose) <= columns {
        return format!("{first}{purpose}");
    }
    let mut lines = first.trim_end().to_owned();
    lines.push('\n');
    hang(&mut lines, "        ", &purpose, look, Style::Plain);
    lines.trim_end().to_owned()
}

/// Whether there is a terminal to ask on.
fn may_ask(console: &Console) -> bool {
    !console.json() && io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks on the terminal, and remembers a yes.
fn yes(question: &str, entry: &str, console: &Console) -> Result<bool, Failure> {
    let asked = || -> io::Result<bool> {
        console.question(question)?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
    };
    let yes = asked().map_err(|error| {
        Failure::new(Code::Denied, format!("the question could not be asked: {error}"))
    })?;
    if yes {
        remember(entry);
    }
    Ok(yes)
}

fn is_remembered(entry: &str) -> bool {
    let Some(path) = approvals() else { return false };
    fs::read_to_string(path).is_ok_and(|lines| lines.lines().any(|line| line == entry))
}

/// Remembers a yes. If that fails, the question comes again.
fn remember(entry: &str) {
    let Some(path) = approvals() else { return };
    let Some(folder) = path.parent() else { return };
    let written = fs::create_dir_all(folder)
        .and_then(|()| fs::set_permissions(folder, fs::Permissions::from_mode(0o700)))
        .and_then(|()| fs::OpenOptions::new().append(true).create(true).mode(0o600).open(&path))
        .and_then(|mut file| writeln!(file, "{entry}"));
    if let Err(error) = written {
        tracing::debug!("the approval is not remembered: {error}");
    }
}

fn approvals() -> Option<PathBuf> {
    Some(home_folder("XDG_STATE_HOME", ".local/state")?.join("approved-origins"))
}
