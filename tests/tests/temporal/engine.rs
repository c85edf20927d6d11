//! The processes of a test that use the engine.

use smp_tests::mock::Mock;
use smp_tests::postgres::Cluster;
use smp_tests::temporal::Temporal;

use super::fleet::{self, Worker};
use super::server::Server;

/// Starts `serve`.
pub(crate) fn serve(
    engine: &Temporal,
    cluster: &Cluster,
    mocks: &[Mock],
    options: &[&str],
) -> Server {
    let engine = engine.options(engine.port());
    let all: Vec<&str> = engine.iter().map(String::as_str).chain(options.iter().copied()).collect();
    fleet::serve(cluster, mocks, &all)
}

/// Starts a worker.
pub(crate) fn work(
    engine: &Temporal,
    cluster: &Cluster,
    mocks: &[Mock],
    name: &str,
    options: &[&str],
) -> Worker {
    work_at(engine, engine.port(), cluster, mocks, name, options)
}

/// Starts a worker that reaches the engine at this port.
pub(crate) fn work_at(
    engine: &Temporal,
    port: u16,
    cluster: &Cluster,
    mocks: &[Mock],
    name: &str,
    options: &[&str],
) -> Worker {
    let engine = engine.options(port);
    let all: Vec<&str> = engine.iter().map(String::as_str).chain(options.iter().copied()).collect();
    Worker::start(cluster, mocks, name, &all)
}
