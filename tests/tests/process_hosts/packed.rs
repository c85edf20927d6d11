//! The conformance kit for hosts as it is packed: it is whole, and works outside of this
//! repository.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use smp_tests::harness::{binary, folder, make, names};

use super::{CASES, done, is_missing, text_of};

/// What is in the kit besides the cases.
const FILES: [&str; 8] = [
    "LICENSE",
    "atlassian-cloud.wasm",
    "embed-by-process.md",
    "hosts/Host.java",
    "hosts/check_host.py",
    "hosts/host.go",
    "hosts/host.mjs",
    "hosts/host.py",
];

#[test]
fn the_kit_is_packed_whole_and_works_by_itself() {
    if is_missing("python3") {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let path = |name: &str| scratch.path().join(name);
    // The connector is there already.
    let mut pack = make();
    pack.args(["--old-file=component", "host-kit"]).current_dir(folder(".."));
    done(pack.arg(format!("HOST_KIT={}", path("kit.tar.gz").display())));
    done(Command::new("tar").arg("--extract").args(["--file", "kit.tar.gz"]).current_dir(&scratch));
    let listed = done(Command::new("tar").args(["--list", "--file"]).arg(path("kit.tar.gz")));
    let (cases, others): (BTreeSet<&str>, BTreeSet<&str>) = listed
        .lines()
        .filter_map(|line| line.strip_prefix("host-kit/"))
        .filter(|file| !file.ends_with('/'))
        .partition(|file| file.starts_with("cases/"));
    assert_eq!(others, BTreeSet::from(FILES));
    assert_eq!(names(&path("host-kit/cases")), names(&folder("fixtures")));
    for case in CASES {
        for file in ["expected.json", "settings.json", "traffic.har"] {
            assert!(cases.contains(&*format!("cases/{case}/{file}")), "{case}: {file}");
        }
    }
    // The page is beside what it names.
    let page = fs::read_to_string(path("host-kit/embed-by-process.md")).unwrap();
    let way = page.lines().find_map(|line| line.strip_prefix("python3 hosts/check_host.py cases "));
    assert_eq!(way, Some("atlassian-cloud.wasm -- python3 hosts/host.py"));
    for file in FILES.iter().filter(|file| file.starts_with("hosts/host.")) {
        assert!(page.contains(&format!("]({file})")), "{file}");
    }
    for name in names(&path("host-kit/cases")) {
        if !CASES.contains(&name.as_str()) {
            let unused = path("host-kit/cases").join(&name);
            fs::remove_dir_all(&unused).or_else(|_| fs::remove_file(&unused)).unwrap();
        }
    }
    let ended = Command::new("python3")
        .args(["hosts/check_host.py", "cases", "atlassian-cloud.wasm", "--"])
        .args(["python3", "hosts/host.py"])
        .current_dir(path("host-kit"))
        .env("SMP_HARNESS", std::path::absolute(binary()).unwrap())
        .output()
        .unwrap();
    let said = text_of(&ended);
    assert!(ended.status.success() && said.contains("10 passed, 0 failed"), "{said}");
}
