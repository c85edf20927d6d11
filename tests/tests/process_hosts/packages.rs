//! The wheel and the npm package, installed from their files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use smp_tests::harness::{binary, component, folder};

use super::{done, is_missing, text_of};

#[test]
fn a_wheel_is_made_and_installed_from_its_file() {
    if is_missing("python3") {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path();
    let make = || {
        let maker = folder("../host-harness/command/packages/wheel.py");
        done(Command::new("python3").arg(maker).arg(binary()).arg("1.2.3").arg(path))
    };
    let wheel = PathBuf::from(make().trim());
    let first = fs::read(&wheel).unwrap();
    make();
    assert!(fs::read(&wheel).unwrap() == first, "the same bytes");
    // One that sees the folder of a user.
    let mut venv = Command::new("python3");
    done(venv.args(["-m", "venv", "--system-site-packages"]).arg(path.join("venv")));
    let bin = path.join("venv/bin");
    let script = "import os, sys, smp_harness\n\
                  print(sum(1 for _ in smp_harness.members(*sys.argv[1:])))\n\
                  print(os.path.realpath(smp_harness.command_of_package()))\n";
    fs::write(path.join("count.py"), script).unwrap();
    let (target, user) = (path.join("target"), path.join("user"));
    let run = |program: PathBuf| {
        let mut command = Command::new(program);
        command.env("PYTHONUSERBASE", &user).env_remove("PYTHONPATH").env_remove("SMP_HARNESS");
        command
    };
    let install = || {
        let mut command = run(bin.join("pip"));
        command.args(["install", "--quiet", "--no-index", "--disable-pip-version-check"]);
        command.arg(&wheel);
        command
    };
    let count = |case: &str| {
        let mut command = run(bin.join("python"));
        command.arg(path.join("count.py")).arg(component());
        command.arg("--fixture").arg(folder("fixtures").join(case));
        command
    };
    // Wherever an installer puts it, the module finds the command that came with it.
    let finds = |command: &mut Command, root: &Path| {
        let said = done(command.env("PATH", "/usr/bin:/bin"));
        let found = fs::canonicalize(root).unwrap().join("bin/smp-harness");
        assert_eq!(said, format!("24\n{}\n", found.display()));
    };
    done(install().arg("--target").arg(&target));
    finds(count("acme").env("PYTHONPATH", &target), &target);
    done(install().arg("--user"));
    finds(&mut count("acme"), &user);
    done(install().arg("--ignore-installed"));
    finds(&mut count("acme"), &path.join("venv"));
    let version = done(Command::new(bin.join("smp-harness")).arg("--version"));
    assert!(version.starts_with("smp-harness "), "{version}");
    let failed = text_of(&count("fewer-members-than-told").output().unwrap());
    assert!(failed.contains("smp_harness.Failed: "), "{failed}");
}

/// The first bytes of a program for ARM64.
const ARM64: &[u8] = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\xb7\0 GLIBC_2.34 GLIBC_2.9";

#[test]
fn packages_are_named_by_the_processor_of_the_command() {
    if is_missing("python3") || is_missing("npm") {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path();
    let program = path.join("smp-harness");
    fs::write(&program, ARM64).unwrap();
    let make = |interpreter: &str, maker: &str| {
        let maker = folder("../host-harness/command/packages").join(maker);
        let mut command = Command::new(interpreter);
        let made = done(command.arg(maker).arg(&program).arg("1.2.3").arg(path.join("made")));
        PathBuf::from(made.trim())
    };
    let wheel = make("python3", "wheel.py");
    let name = "smp_harness-1.2.3-py3-none-manylinux_2_34_aarch64.whl";
    assert_eq!(wheel.file_name().unwrap(), name);
    let package = make("node", "npm.mjs");
    assert_eq!(package.file_name().unwrap(), "smp-harness-1.2.3-linux-arm64.tgz");
    let manifest = "package/package.json";
    let mut read = Command::new("tar");
    let said = done(read.args(["--extract", "--to-stdout", "--file"]).arg(&package).arg(manifest));
    let manifest: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(manifest["cpu"], serde_json::json!(["arm64"]));
    assert!(wheel.exists());
}

#[test]
fn an_npm_package_is_made_and_installed_from_its_file() {
    if is_missing("node") || is_missing("npm") {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path();
    let maker = folder("../host-harness/command/packages/npm.mjs");
    let made = done(Command::new("node").arg(maker).arg(binary()).arg("1.2.3").arg(path));
    fs::write(path.join("package.json"), "{\"private\": true}").unwrap();
    let mut install = Command::new("npm");
    install.args(["install", "--silent", "--offline", "--no-audit", "--no-fund", made.trim()]);
    done(install.current_dir(path));
    let version = done(Command::new(path.join("node_modules/.bin/smp-harness")).arg("--version"));
    assert!(version.starts_with("smp-harness "), "{version}");
    let script = "import { argv } from 'node:process';\n\
                  import { members } from 'smp-harness';\n\
                  let count = 0;\n\
                  try { for await (const _ of members(...argv.slice(2))) count += 1; }\n\
                  catch (failed) { count = failed.error.code; }\n\
                  console.log(count);\n";
    fs::write(path.join("count.mjs"), script).unwrap();
    for (case, counted) in [("acme", "24"), ("fewer-members-than-told", "incomplete")] {
        let fixture = folder("fixtures").join(case);
        let mut command = Command::new("node");
        command.arg(path.join("count.mjs")).arg(component()).arg("--fixture").arg(fixture);
        assert_eq!(done(command.env_remove("SMP_HARNESS")).trim(), counted);
    }
    // A first argument that is no file, as a program has that is given by itself.
    let mut loaded = Command::new("node");
    loaded.args(["--input-type=module", "--eval", "import 'smp-harness'", "no-such-file"]);
    done(loaded.current_dir(path));
}
