//! The examples of `smp-host`, run as a reader would run them: against the mock, with the real
//! connector, and one of them killed in the middle.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use smp_tests::harness::{Ended, Run, binary, component, folder};
use smp_tests::mock::{Call, Fault, Mock, When};
use smp_tests::registry::{Release, policy};
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

/// Longer than any step takes, also on a busy machine.
const LONG: Duration = Duration::from_secs(60);

fn example(name: &str) -> Command {
    let path = binary().with_file_name("examples").join(name);
    assert!(
        path.exists(),
        "`{}` is not there; `cargo build --release --locked --workspace --examples` builds it",
        path.display()
    );
    let mut command = Command::new(path);
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn ended(command: &mut Command) -> Ended {
    Ended::of(command.spawn().unwrap())
}

fn embed(mock: &Mock, key: &str) -> Ended {
    let mut command = example("embed");
    command.env("API_KEY", key).arg(component());
    ended(command.args([mock.organization().id.as_str(), &mock.url()]))
}

#[test]
fn embed_collects_every_member_into_a_vec() {
    let mock = Mock::builder().members(25).page_size(10).start().unwrap();
    let run = embed(&mock, mock.key());
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let ids: Vec<_> =
        run.stdout.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
    let expected = mock.expected_members();
    assert_eq!(ids, expected.iter().map(|member| member.account_id.as_str()).collect::<Vec<_>>());
}

#[test]
fn embed_shows_no_member_where_the_key_is_wrong() {
    let mock = Mock::builder().members(25).start().unwrap();
    let run = embed(&mock, "ATCTT3xFfGN0wrongwrongwrong");
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{}", run.stderr);
    assert!(!run.stderr.is_empty() && !run.stderr.contains("wrongwrong"), "{}", run.stderr);
}

fn embed_database(mock: &Mock, database: &Path) -> Command {
    let mut command = example("embed_database");
    command.env("API_KEY", mock.key()).arg(database).arg(component());
    command.args([mock.organization().id.as_str(), &mock.url()]);
    command
}

/// The number of rows of a table.
async fn count(database: &Path, table: &'static str) -> i64 {
    let options = SqliteConnectOptions::new().filename(database).read_only(true);
    let mut sqlite = options.connect().await.unwrap();
    let rows = match table {
        "member" => "SELECT count(*) FROM member",
        _ => "SELECT count(*) FROM page",
    };
    sqlx::query_scalar(rows).fetch_one(&mut sqlite).await.unwrap()
}

#[tokio::test]
async fn embed_database_resumes_after_the_last_page_when_it_is_killed() {
    let scratch = tempfile::tempdir().unwrap();
    let database = scratch.path().join("members.sqlite");
    let mock = Mock::builder().members(50).page_size(10).start().unwrap();
    mock.set_fault(Call::Users, When::Nth(4), Fault::Stall);

    // The fourth page never comes: by then three are kept.
    let mut first = embed_database(&mock, &database).spawn().unwrap();
    assert!(mock.wait_for(Call::Users, 4, LONG));
    first.kill().unwrap();
    let killed = Ended::of(first);
    assert_eq!(count(&database, "member").await, 30);
    assert_eq!(
        (killed.code, killed.stdout.as_str()),
        (None, "0 pages are kept of an earlier run\n")
    );

    mock.clear_faults();
    let second = ended(&mut embed_database(&mock, &database));
    assert_eq!(second.code, Some(0), "{}", second.stderr);
    assert_eq!(
        second.stdout,
        "3 pages are kept of an earlier run\n\
         complete: 50 members, 50 in the database, resumed: true\n"
    );
    let kept = [count(&database, "member").await, count(&database, "page").await];
    assert_eq!(kept, [50, 0], "a complete list leaves no mark to resume from");
    let pages = mock.log().into_iter().filter(|entry| entry.call == Call::Users).count();
    assert_eq!(pages, 4 + 2, "no page that was kept is asked for again");
}

#[test]
fn embed_database_forgets_members_only_after_a_complete_list() {
    let scratch = tempfile::tempdir().unwrap();
    let database = scratch.path().join("members.sqlite");
    let complete = |members: u64| {
        let mock = Mock::builder().members(members).page_size(10).start().unwrap();
        let run = ended(&mut embed_database(&mock, &database));
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        run.stdout
    };
    assert!(complete(30).contains("complete: 30 members, 30 in the database, resumed: false"));
    assert!(complete(12).contains("complete: 12 members, 12 in the database, resumed: false"));
}

/// A signed package of our connector, and what `trusted` says of it with this trust file.
fn trusted(connectors: &str, change: impl FnOnce(&Path)) -> Ended {
    let home = tempfile::tempdir().unwrap();
    let package = Release::new(&fs::read(component()).unwrap(), "atlassian-cloud", "0.1.0");
    let package = package.write(home.path());
    let keys: PathBuf = home.path().join("keys");
    let made = Run::bare().args(["sign", "--generate"]).arg(&keys).env("COSIGN_PASSWORD", "").end();
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let key = keys.join("cosign.key");
    let signed = Run::bare().arg("sign").arg(&package).file("--key", &key);
    assert_eq!(signed.env("COSIGN_PASSWORD", "").end().code, Some(0));
    let file = package.join("atlassian-cloud.wasm");
    change(&file);
    let trust = policy(home.path(), &keys.join("cosign.pub"), connectors);
    ended(example("trusted").arg(trust).arg(file))
}

#[test]
fn trusted_runs_only_what_the_trust_file_permits() {
    let permitted = trusted("{ atlassian-cloud = {} }", |_| {});
    assert_eq!(permitted.code, Some(0), "{}", permitted.stderr);
    let said = "atlassian-cloud 0.1.0 may run\nExample Ltd vouches for it";
    assert!(permitted.stdout.starts_with(said), "{}", permitted.stdout);

    let other = trusted("{ another = {} }", |_| {});
    let changed = trusted("{ atlassian-cloud = {} }", |file| {
        fs::write(file, [fs::read(file).unwrap(), b" ".to_vec()].concat()).unwrap();
    });
    for refused in [other, changed] {
        assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""), "{}", refused.stderr);
        assert!(refused.stderr.starts_with("untrusted: "), "{}", refused.stderr);
    }
}

#[test]
fn each_example_opens_with_a_header_and_is_short() {
    let examples = folder("../host-harness/host/examples");
    let mut files = Vec::new();
    let mut folders = vec![examples];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("//! "), "{}", file.display());
        assert!(text.lines().count() < 80, "{}: {}", file.display(), text.lines().count());
    }
}
