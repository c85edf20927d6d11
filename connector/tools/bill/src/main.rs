//! The build step that writes a connector's bill of materials: what is linked into it, as
//! CycloneDX.
//!
//! Cargo reports which packages it compiled for WebAssembly, in the messages of the build that made
//! the component. The metadata of a workspace differ: they join the features of all members, and so
//! include packages that are not linked.
//!
//! Usage: `bill-of-materials PACKAGE TARGET MESSAGES.json Cargo.lock OUTPUT.json`

mod lock;

mod units;

mod package;

mod document;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, anyhow, ensure};

use document::{Compiler, Parts};
use lock::{Key, Locked};
use package::About;
use units::Unit;

fn main() -> ExitCode {
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let [package, target, messages, lock, output] = arguments else {
        return Err(anyhow!(
            "expected five arguments: `bill-of-materials PACKAGE TARGET MESSAGES.json Cargo.lock \
             OUTPUT.json`"
        ));
    };
    let file = File::open(messages).with_context(|| format!("cannot read `{messages}`"))?;
    let units =
        units::of_target(BufReader::new(file), target).with_context(|| format!("`{messages}`"))?;
    let text = std::fs::read_to_string(lock).with_context(|| format!("cannot read `{lock}`"))?;
    let locked = lock::read(&text).with_context(|| format!("`{lock}`"))?;
    let root = units
        .iter()
        .find(|unit| unit.name == *package)
        .map(|unit| (unit.name.clone(), unit.version.clone()));
    let root = root.with_context(|| format!("`{package}` was not compiled in this build"))?;
    let about = about(&units, &locked)?;
    let document = Parts {
        root: &root,
        units: &units,
        locked: &locked,
        about: &about,
        compiler: &compiler()?,
    }
    .document();
    let text = format!("{}\n", serde_json::to_string_pretty(&document)?);
    let parent = Path::new(output).parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.map_or(Ok(()), std::fs::create_dir_all)?;
    std::fs::write(output, text).with_context(|| format!("cannot write `{output}`"))
}

fn about(units: &[Unit], locked: &BTreeMap<Key, Locked>) -> Result<BTreeMap<Key, About>> {
    let of = |unit: &Unit| -> Result<(Key, About)> {
        let key = (unit.name.clone(), unit.version.clone());
        let locked = locked
            .get(&key)
            .with_context(|| format!("`{} {}` is not in the lock file", unit.name, unit.version))?;
        let is_registered = locked.checksum.is_some();
        let about = if is_registered {
            About::of_registry(&unit.manifest)
        } else {
            About::of_workspace(&unit.manifest)
        };
        Ok((key, about?))
    };
    units.iter().map(of).collect()
}

/// The compiler of this folder's toolchain, which is the one that Cargo used.
fn compiler() -> Result<Compiler> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output().context("cannot run the compiler")?;
    let text = String::from_utf8(output.stdout).context("the compiler's output is not text")?;
    let entry =
        |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
    let (version, commit) = (entry("release: "), entry("commit-hash: "));
    ensure!(output.status.success(), "the compiler does not say its version");
    Ok(Compiler { version: version.context("no version")?, commit: commit.context("no commit")? })
}
