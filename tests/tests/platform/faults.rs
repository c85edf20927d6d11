//! Faults of the machine while runs go on: the process is killed at random moments, and the disk
//! is full for a while.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use smp_tests::harness::skipped;
use smp_tests::mock::{Builder, Call, ErrorAnswer, Fault, When};

use super::server::{Server, connection, log};
use super::{changed, folder, whats};

/// Pages of 100 members.
const PAGES: u64 = 14;

/// How many seeds are tried, from 1 on; `make soak` tries more.
fn seeds() -> u64 {
    std::env::var("SMP_SEEDS").ok().and_then(|number| number.parse().ok()).unwrap_or(1)
}

#[test]
fn killed_at_any_moment_nothing_is_lost_and_nothing_comes_twice() {
    for seed in 1..=seeds() {
        killed_at_random(seed);
    }
}

/// A first whole run, with an expired cursor in the middle, and one in which people are gone. The
/// process is killed all along, also while it starts and concludes.
fn killed_at_random(seed: u64) {
    println!("seed {seed}");
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let folder = folder();
    let expired = Fault::Status(ErrorAnswer::new(400).code("ADMIN-400-1"));
    let mock = Builder::default()
        .members(PAGES * 100)
        .latency(Duration::from_millis(10))
        .fault(Call::Users, When::Nth(5), expired)
        .start()
        .unwrap();
    let mut server = Server::start(&folder.data, &mock);
    let path = server.connected("acme", &mock);
    let first = server.first_run(&path);
    let (mut server_kills, at) = (0, format!("{path}/runs/{first}"));
    loop {
        std::thread::sleep(Duration::from_millis(random.random_range(0..1_800)));
        let run = server.get(&at);
        if run["state"] == "complete" {
            break;
        }
        assert!(matches!(run["state"].as_str(), Some("open" | "waiting")), "seed {seed}: {run}");
        server = server.killed_and_started(&folder.data, &mock);
        server_kills += 1;
        assert!(server_kills < 200, "seed {seed}: it does not get further: {run}");
    }
    let asked = mock.log().iter().filter(|request| request.call == Call::Users).count();
    // The sweep that its cursor ended, the whole one, and for each kill the page that was cut and
    // a page that was read ahead.
    let most = usize::try_from(PAGES).unwrap() + 5 + 2 * server_kills;
    assert!(asked <= most, "seed {seed}: {asked} requests, {server_kills} kills");
    whole(&server, &path, PAGES * 100, seed);

    let mock = changed(mock, PAGES * 100 - 30);
    let (_, asked) = server.ask("POST", &format!("{path}/runs"), &Value::Null);
    let at = format!("{path}/runs/{}", asked["id"].as_str().unwrap());
    for _ in 0..4 {
        std::thread::sleep(Duration::from_millis(random.random_range(0..900)));
        server = server.killed_and_started(&folder.data, &mock);
    }
    let ended = server.until(&at, |run| !matches!(run["state"].as_str(), Some("open" | "waiting")));
    assert_eq!(ended["state"], "complete", "seed {seed}: {ended}");
    whole(&server, &path, PAGES * 100 - 30, seed);
    let changes = server.get(&format!("{path}/changes?from={first}&limit=1000"));
    assert_eq!(whats(&changes), ["gone"; 30], "seed {seed}");
    assert_eq!(server.get(&format!("{path}/runs"))["data"].as_array().unwrap().len(), 2);
}

/// Everybody is there, each once.
fn whole(server: &Server, path: &str, members: u64, seed: u64) {
    let mut seen = BTreeMap::<String, u32>::new();
    let mut query = "limit=1000".to_owned();
    loop {
        let page = server.get(&format!("{path}/members?{query}"));
        assert_eq!(page["total"], json!(members), "seed {seed}");
        for member in page["data"].as_array().unwrap() {
            *seen.entry(member["id"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        match page["next"].as_str() {
            Some(next) => query = format!("limit=1000&after={next}"),
            None => break,
        }
    }
    let twice = seen.values().filter(|times| **times > 1).count();
    assert_eq!((seen.len(), twice), (usize::try_from(members).unwrap(), 0), "seed {seed}");
}

#[test]
fn a_full_disk_is_told_and_the_run_goes_on_when_there_is_room() {
    let folder = folder();
    let mock =
        Builder::default().members(2_500).latency(Duration::from_millis(20)).start().unwrap();
    // The store is on a disk of its own, which only this process sees.
    let mount = "mount -t tmpfs -o size=24m none \"$2\" && cp -a \"$1\"/. \"$2\"/";
    let disk = folder.data.with_extension("disk");
    fs::create_dir(&disk).unwrap();
    let probe = std::process::Command::new("unshare")
        .args(["-rm", "sh", "-c", &format!("{mount} && true"), "sh"])
        .args([&folder.data, &disk])
        .output();
    if !probe.is_ok_and(|probe| probe.status.success()) {
        skipped("this machine gives a test no disk of its own");
        return;
    }
    let server = Server::start_behind(&disk, &mock, mount, &folder.data);
    let path = server.connected("acme", &mock);
    let run = server.first_run(&path);
    let at = format!("{path}/runs/{run}");
    server.until(&at, |run| run["pages"].as_u64() >= Some(2));
    // The disk as the process sees it.
    let filler = server.root().join(disk.strip_prefix("/").unwrap()).join("filler");
    if fs::File::create(&filler).is_err() {
        skipped("only root can fill the disk of another process");
        return;
    }
    fill(&filler);
    let (status, told) = {
        let mut status = (0, Value::Null);
        for tenant in 0..40 {
            status = server.ask(
                "POST",
                "/api/v1/connections",
                &connection(&format!("other{tenant}"), &mock),
            );
            if status.0 == 503 {
                break;
            }
            fill(&filler);
        }
        status
    };
    let written = fs::read_to_string(log(&disk)).unwrap();
    assert_eq!((status, &told["code"]), (503, &json!("disk-full")), "{told} {written}");
    assert!(told["hint"].as_str().is_some_and(|hint| hint.contains("room")), "{told}");
    let stuck = server.get(&at);
    assert_eq!(stuck["state"], "open", "it is neither failed nor complete: {stuck}");
    assert!(stuck["pages"].as_u64() < Some(25), "{stuck}");
    let members = server.ask("GET", &format!("{path}/members"), &Value::Null);
    assert_ne!(members.0, 500, "what is there can be read: {}", members.1);
    fs::remove_file(&filler).unwrap();
    let ended = server.ended(&path, &run);
    assert_eq!(
        (&ended["state"], &ended["members"], &ended["pages"]),
        (&json!("complete"), &json!(2_500), &json!(25)),
        "{ended}"
    );
    whole(&server, &path, 2_500, 0);
    let log = fs::read_to_string(log(&disk)).unwrap();
    assert!(log.contains("the run goes on later") || log.contains("disk"), "{log}");
}

/// Fills the disk to its last byte.
fn fill(path: &Path) {
    let mut file = fs::File::options().create(true).append(true).open(path).unwrap();
    for size in [1 << 16, 1 << 12, 1 << 8, 1] {
        while file.write(&vec![0; size]).is_ok_and(|written| written > 0) {}
    }
}
