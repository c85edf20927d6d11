//! The parts alone, each on a page of 100 members: `make bench-parts`.

#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::io;
use std::sync::{Arc, LazyLock};

use atlassian_cloud::endpoint::users;
use divan::Bencher;
use smp_bench::pages::{ORGANIZATION, Pages, USUAL};
use smp_bench::stage::{Replayed, Stage, runtime};
use smp_harness::component::check;
use smp_harness::contract::{Instant, MemberPage};
use smp_harness::http::policy::Policy;
use smp_harness::http::transport::{Method, Request};
use smp_harness::limits::Limits;
use smp_harness::run::checkpoint::{Checkpoint, Entry, Identity, Page};
use smp_harness::run::guard::{Admitted, Guard, mark};
use smp_harness::sink::Format;
use smp_harness::terminal::Look;

static PAGES: LazyLock<Arc<Pages>> = LazyLock::new(|| Arc::new(Pages::new(2, USUAL)));
static STAGE: LazyLock<Stage> = LazyLock::new(|| runtime().unwrap().block_on(Stage::set(None)).unwrap());
/// The first page, as the component gives it.
static PAGE: LazyLock<MemberPage> = LazyLock::new(|| {
    let mut session = STAGE.session(Replayed::at_once(&PAGES));
    runtime().unwrap().block_on(session.collect(&STAGE.settings.public, None)).unwrap()
});

fn main() {
    divan::main();
}

/// The core's parser, natively.
#[divan::bench]
fn parse_natively(bencher: Bencher<'_, '_>) {
    let body = PAGES.body(0);
    bencher.bench_local(|| users::read(divan::black_box(&body), None).unwrap());
}

/// A page through the component, in an instance that is there.
#[divan::bench]
fn through_the_component(bencher: Bencher<'_, '_>) {
    let (runtime, mut session) = (runtime().unwrap(), STAGE.session(Replayed::at_once(&PAGES)));
    bencher.bench_local(|| runtime.block_on(session.collect(&STAGE.settings.public, None)).unwrap());
}

/// A page through the component, in an instance of its own.
#[divan::bench]
fn through_a_fresh_instance(bencher: Bencher<'_, '_>) {
    let runtime = runtime().unwrap();
    bencher.bench_local(|| {
        let mut session = STAGE.session(Replayed::at_once(&PAGES));
        runtime.block_on(session.collect(&STAGE.settings.public, None)).unwrap()
    });
}

#[divan::bench]
fn policy(bencher: Bencher<'_, '_>) {
    let policy = Policy::new(STAGE.plugin.descriptor(), &STAGE.settings.public, STAGE.grants());
    let path_and_query = format!("/admin/v1/orgs/{ORGANIZATION}/users?cursor=page-000000000001");
    let request = Request { method: Method::Get, path_and_query, body: None };
    bencher.bench_local(|| policy.check(divan::black_box(&request)).unwrap());
}

#[divan::bench]
fn check_against_the_contract(bencher: Bencher<'_, '_>) {
    let limits = Limits::default();
    bencher.bench_local(|| check::page(divan::black_box(&PAGE), &limits).unwrap());
}

#[divan::bench]
fn guard(bencher: Bencher<'_, '_>) {
    let limits = Limits::default();
    let fresh = || (Guard::new(&limits), PAGE.clone());
    bencher.with_inputs(fresh).bench_local_values(|(mut guard, mut page)| (guard.admit(&mut page, None).unwrap(), guard, page));
}

#[divan::bench(args = ["ndjson", "csv"])]
fn write(bencher: Bencher<'_, '_>, format: &str) {
    let (now, format) = (Instant { seconds: 0, nanoseconds: 0 }, format.parse::<Format>().unwrap());
    let mut sink = format.sink(io::BufWriter::new(io::sink()), false, now, Look::PLAIN);
    bencher.bench_local(|| sink.write_page(&PAGE).and_then(|()| sink.flush()).unwrap());
}

/// With the wait for the disk.
#[divan::bench]
fn checkpoint(bencher: Bencher<'_, '_>) {
    let folder = tempfile::tempdir().unwrap();
    let text = || "bench".to_owned();
    let identity = Identity { connector: text(), version: text(), settings: text(), output: text(), format: text() };
    let (mut checkpoint, _) = Checkpoint::open(&folder.path().join("checkpoint"), &identity).unwrap();
    let admitted = Admitted { new: PAGE.members.iter().map(|member| mark(&member.id)).collect(), again: vec![] };
    let counts = Guard::new(&Limits::default()).counts();
    let entry = Entry::Page(Page { next: PAGE.next.clone(), offset: 1, counts, admitted });
    bencher.bench_local(|| checkpoint.append(&entry).unwrap());
}
