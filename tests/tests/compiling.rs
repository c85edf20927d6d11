//! Tests that untrusted components are compiled in a separate process, with limits on time and
//! memory, and without the host's environment.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::Path;
use std::time::Instant;

use smp_host::component::compile::Compiler;
use smp_host::component::engine::{Engine, EngineOptions};
use smp_host::component::plugin::Plugin;
use smp_host::failure::{Code, Failure};
use smp_tests::harness::{Run, binary, component};

#[test]
fn a_component_that_takes_too_long_or_too_much_memory_to_compile_is_refused() {
    for (limit, words) in [
        ("compile-time=10ms", "too long to compile: the limit `compile-time` is 10 ms"),
        ("compile-memory=4MiB", "too much memory to compile: the limit `compile-memory` is 4 MiB"),
        ("component=1KiB", "larger than a component may be: the limit `component` is 1 KiB"),
    ] {
        let cache = tempfile::tempdir().unwrap();
        let ended = Run::new("inspect")
            .env("XDG_CACHE_HOME", cache.path())
            .args(["--limit", limit, "--json"])
            .end();
        let told = ended.said("component");
        assert!(
            ended.code == Some(1) && told.contains(words) && told.contains("--limit "),
            "{limit}: {told}"
        );
        assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 0, "{limit}: nothing is kept");
    }
}

#[test]
fn limits_of_the_caller_are_kept_and_a_lack_of_addresses_is_told() {
    let inspect = |limit: &str| {
        let cache = tempfile::tempdir().unwrap();
        let run = Run::new("inspect").env("XDG_CACHE_HOME", cache.path()).arg("--json");
        run.behind(limit).end()
    };
    // A reservation of addresses as large as usual does not fit into 4 GB.
    for limit in ["ulimit -v 4000000", "ulimit -t 100", "ulimit -t 100; ulimit -v 4000000"] {
        let ended = inspect(limit);
        assert_eq!(ended.code, Some(0), "{limit}: {}", ended.stderr);
    }
    let fixture = smp_tests::harness::folder("fixtures/acme");
    let run = Run::new("collect").file("--fixture", &fixture).args(["--format", "ndjson"]);
    let ended = run.behind("ulimit -v 4000000").end();
    assert!(ended.code == Some(0) && !ended.lines().is_empty(), "{}", ended.stderr);
    let ended = inspect("ulimit -v 120000");
    let error = ended.error();
    let hint = error["hint"].as_str().unwrap();
    assert_eq!((ended.code, &error["remedy"]["kind"]), (Some(1), &"free-machine".into()));
    assert!(hint.contains("address space of this program is limited to 118 MiB"), "{error}");
    // The engine keeps the memory of a component in a file without a name.
    let ended = inspect("trap '' XFSZ; ulimit -f 0");
    let error = ended.error();
    let (message, hint) = (error["message"].as_str().unwrap(), error["hint"].as_str().unwrap());
    assert_eq!((ended.code, &error["remedy"]["kind"]), (Some(1), &"free-machine".into()));
    assert!(message.starts_with("this machine limits the size of files"), "{error}");
    assert!(hint.contains("is limited to 0 bytes: raise that limit (`ulimit -f`)"), "{error}");
}

#[test]
fn a_lack_of_open_files_is_told_as_one_wherever_it_would_show() {
    let fixture = smp_tests::harness::folder("fixtures/acme");
    for most in [5, 6, 7, 9, 12, 16, 64] {
        let output = tempfile::tempdir().unwrap();
        let run = Run::new("collect").file("--fixture", &fixture).arg("--json");
        let run = run.file("--output", &output.path().join("members.csv"));
        let ended = run.behind(&format!("ulimit -n {most}")).end();
        if most == 64 {
            assert_eq!(ended.code, Some(0), "{}", ended.stderr);
            continue;
        }
        let error = ended.error();
        assert_eq!((ended.code, &error["code"]), (Some(1), &"limit".into()), "{most}: {error}");
        assert_eq!(error["remedy"]["kind"], "free-machine", "{most}: {error}");
        assert!(error["message"].as_str().unwrap().contains("open files"), "{most}: {error}");
    }
}

#[test]
fn a_component_that_is_made_to_wear_the_compiler_out_costs_a_process_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("slow.wasm");
    fs::write(&path, hard_to_compile()).unwrap();
    for (limit, words) in [
        ("compile-time=200ms", "the limit `compile-time` is 200 ms"),
        // It takes more than a gigabyte: without the bound, the system would kill the host or
        // another process.
        ("compile-memory=256MiB", "the limit `compile-memory` is 256 MiB"),
    ] {
        let started = Instant::now();
        // A distinct limit distinguishes its worker from those of other tests.
        let ended = Run::bare()
            .arg("inspect")
            .arg(&path)
            .args(["--limit", limit, "--limit", "component=12345678", "--json"])
            .end();
        assert!(ended.said("component").contains(words), "{}", ended.stderr);
        assert!(started.elapsed().as_secs() < 20, "{limit}: {:?}", started.elapsed());
        assert_eq!(workers("12345678"), [""; 0]);
    }
}

#[test]
fn the_environment_of_the_host_is_not_handed_to_the_compiler() {
    let seen = tempfile::tempdir().unwrap();
    let listing = seen.path().join("environment");
    let script = format!("env > '{}'; exec '{}' \"$@\"", listing.display(), binary().display());
    let arguments = ["-c", &script, "worker", "compile-component"].map(Into::into).to_vec();
    let plugin = now(load(
        Compiler::Apart { program: "/bin/sh".into(), arguments },
        &fs::read(component()).unwrap(),
    ));
    assert_eq!(plugin.unwrap().descriptor().id, "atlassian-cloud");
    let names: Vec<String> = fs::read_to_string(listing)
        .unwrap()
        .lines()
        .map(|line| line.split('=').next().unwrap().to_owned())
        .collect();
    // The shell adds some variables.
    let foreign: Vec<_> = names
        .iter()
        .filter(|name| {
            !["RAYON_NUM_THREADS", "PWD", "SHLVL", "OLDPWD", "_"].contains(&name.as_str())
        })
        .collect();
    assert!(foreign.is_empty() && names.contains(&"RAYON_NUM_THREADS".to_owned()), "{names:?}");
}

#[test]
fn a_worker_that_is_none_or_gives_no_code_is_a_failure_and_no_crash() {
    let bytes = fs::read(component()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let missing = Compiler::Apart { program: folder.path().join("missing"), arguments: vec![] };
    let shell = |script: &str| Compiler::Apart {
        program: "/bin/sh".into(),
        arguments: vec!["-c".into(), script.into()],
    };
    for (compiler, words) in [
        (missing, "cannot be used"),
        (shell("exit 0"), "for another engine"),
        (shell("echo no code"), "for another engine"),
        (shell("exit 101"), "the compiler crashed over it"),
        (shell("kill -SEGV $$"), "the compiler crashed over it"),
        (shell("kill -ABRT $$"), "too much memory"),
        (shell("echo bad >&2; exit 3"), "it cannot be compiled: bad"),
    ] {
        let shown = format!("{compiler:?}");
        let failure = now(load(compiler, &bytes)).err().unwrap();
        assert!(
            failure.code == Code::Component && failure.message.contains(words),
            "{shown}: {failure}"
        );
    }
}

#[test]
fn compiling_here_and_apart_give_the_same_connector() {
    let bytes = fs::read(component()).unwrap();
    let apart = Compiler::Apart { program: binary(), arguments: vec!["compile-component".into()] };
    let [here, apart] =
        [Compiler::Inside, apart].map(|compiler| now(load(compiler, &bytes)).unwrap());
    assert_eq!(here.descriptor(), apart.descriptor());
}

async fn load(compiler: Compiler, bytes: &[u8]) -> Result<Plugin, Failure> {
    Plugin::load(&Engine::new(&EngineOptions::new(compiler))?, bytes).await
}

/// A component with one function of very many blocks that all use very many values: half a megabyte
/// that makes register allocation slow and hungry for memory.
fn hard_to_compile() -> Vec<u8> {
    let (locals, blocks) = (1_500, 6_000);
    let mut module = String::from("module (func (param i32)");
    module.push_str(&" (local i32)".repeat(locals));
    for block in 0..blocks {
        let (one, other) = (1 + block * 7 % locals, 1 + block * 13 % locals);
        module.push_str(&format!(
            "(if (local.get 0) (then (local.set {one} (i32.add (local.get {other}) (local.get \
             {}))))) ",
            1 + block % locals
        ));
    }
    // By its names it is a connector: another file is refused before it is compiled.
    let export = "(instance $none) (export \"smp:connector/connector@0.2.0\" (instance $none))";
    wat::parse_str(format!("(component (core {module})) {export})")).unwrap()
}

/// Command lines of compilers that are still running.
fn workers(mark: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let lines =
        processes.filter_map(|process| fs::read(Path::new(&process.path()).join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).into_owned());
    lines.filter(|line| line.contains("compile-component") && line.contains(mark)).collect()
}

fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
