//! A long queue of one tenant: others do not wait behind it.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use smp_tests::mock::{Builder, Call, Fault, Mock, When};

use super::server::{Server, log, platform};
use super::{edit, folder, mock};

/// Runs at the same time, and connections whose service does not answer.
const PLACES: usize = 8;
/// What a validation may take, and how far beyond that a busy machine may be.
const VALIDATION: Duration = Duration::from_secs(2);
const SLACK: u32 = 3;
/// Connections of the same tenant that are due, all at the same instant.
const QUEUE: &str = "
    UPDATE connections SET next_due = 1 WHERE tenant = 'big';
    WITH RECURSIVE numbers(number) AS
        (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < 10000)
    INSERT INTO connections (id, tenant, connector, digest, name, settings, account, account_name,
        upstream, grants, every_hours, paused, state, failures, secret_version, next_due, runs,
        complete, created)
    SELECT 'c_queued' || number, tenant, connector, digest, name, settings, 'a' || number,
        account_name, upstream, grants, every_hours, 0, 'ready', 0, 1, 2, 0, 0, created
    FROM numbers, (SELECT * FROM connections WHERE tenant = 'big' LIMIT 1)";

fn start(data: &Path, mocks: &[Mock]) -> Server {
    let mut command = platform();
    command.args(["serve", "--json", "--slots", &PLACES.to_string(), "--data"]).arg(data);
    for mock in mocks {
        command.args(["--allow-upstream", &mock.url()]);
    }
    Server::spawned(command, &log(data))
}

/// Open runs, as the database has them.
fn open(data: &Path) -> i64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let file = sqlx::sqlite::SqliteConnectOptions::new().filename(data.join("platform.db"));
        let pool = sqlx::SqlitePool::connect_with(file).await.unwrap();
        let sql = "SELECT count(*) FROM runs WHERE state = 'open'";
        let number = sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap();
        pool.close().await;
        number
    })
}

#[test]
fn nobody_waits_behind_ten_thousand_runs_of_another_tenant() {
    let folder = folder();
    let slow = |number: usize| {
        let organization = format!("organization-{number}");
        Builder::default().members(20).organization_id(&organization).start().unwrap()
    };
    let mut mocks: Vec<Mock> = (0..PLACES).map(slow).collect();
    mocks.push(mock(20, 0));
    let (fast, slow) = mocks.split_last().unwrap();
    let server = start(&folder.data, &mocks);
    for mock in slow {
        let path = server.connected("big", mock);
        server.ended(&path, &server.first_run(&path));
    }
    let small = server.connected("small", fast);
    server.ended(&small, &server.first_run(&small));
    let token = server.token.clone();
    server.end();
    for mock in slow {
        mock.set_fault(Call::Users, When::Always, Fault::Slow(Duration::from_secs(120)));
    }
    edit(&folder.data, QUEUE);

    let server = start(&folder.data, &mocks).with(token);
    let validated = || {
        let began = Instant::now();
        let path = format!("{small}/validate");
        let (status, validation) = server.ask("POST", &path, &Value::Null);
        assert_eq!((status, &validation["ready"]), (200, &json!(true)), "{validation}");
        let took = began.elapsed();
        // The account's own pace is not measured.
        std::thread::sleep(Duration::from_secs(2));
        took
    };
    let mut times = Vec::new();
    let began = Instant::now();
    while open(&folder.data) < 9_900 {
        times.push(validated());
        assert!(began.elapsed() < Duration::from_secs(120), "{} are open", open(&folder.data));
    }
    times.extend([validated(), validated(), validated()]);
    println!("validations took {times:?} while {} runs were open", open(&folder.data));
    assert!(times.iter().all(|took| *took < VALIDATION * SLACK), "{times:?}");

    let began = Instant::now();
    assert_eq!(server.collected(&small)["state"], json!("complete"));
    println!("a run of another tenant took {:?}", began.elapsed());
    assert!(began.elapsed() < VALIDATION * SLACK, "{:?}", began.elapsed());
    assert!(open(&folder.data) > 9_800);
}
