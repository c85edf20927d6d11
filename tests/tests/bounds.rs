//! Tests of a run's bounds with the Atlassian connector: it stays far below them, and reaching one
//! is `limit`.
//!
//! Components that try to break them are tested elsewhere; these tests only show that each bound
//! exists.

#![expect(clippy::unwrap_used, reason = "a test that cannot run says so by panicking")]

use smp_host::component::compile::Compiler;
use smp_host::component::engine::{Engine, EngineOptions};
use smp_host::component::plugin::Plugin;
use smp_host::contract::MemberPage;
use smp_host::failure::{Code, Failure};
use smp_host::host::{Host, RunOptions};
use smp_host::limits::Limits;
use smp_host::settings::Settings;
use smp_replay::fixture::Fixture;
use smp_replay::player::{Mode, Player};
use smp_tests::harness::{component, folder};

const KIB: usize = 1024;

#[test]
fn a_page_comes_within_bounds_far_below_the_usual_ones() {
    let close = Limits {
        memory: 4096 * KIB,
        table_elements: 500,
        instances: 8,
        call_bytes: 1024 * KIB,
        // The page, and the domains for its note.
        requests: 2,
        ..Limits::default()
    };
    assert_eq!(first_page(close).unwrap().members.len(), 200);
}

/// A type that lets `serde_json` refuse a value brings the tables that write floating-point numbers,
/// 19 KiB, which each tenant maps. The kit's own types do not.
#[test]
fn the_component_has_no_tables_of_floating_point_numbers() {
    use wasmparser::{Parser, Payload};
    let bytes = std::fs::read(component()).unwrap();
    let mut data = 0;
    for payload in Parser::new(0).parse_all(&bytes) {
        if let Payload::DataSection(segments) = payload.unwrap() {
            data += segments.into_iter().map(|one| one.unwrap().data.len()).sum::<usize>();
        }
    }
    assert!((8 * KIB..40 * KIB).contains(&data), "{data} bytes of data");
}

#[test]
fn each_bound_that_is_reached_ends_the_run_as_a_limit() {
    for (limits, words) in [
        (Limits { memory: 200 * KIB, ..Limits::default() }, "more memory"),
        (Limits { table_elements: 10, ..Limits::default() }, "larger tables"),
        (Limits { requests: 0, ..Limits::default() }, "more requests"),
    ] {
        let failure = first_page(limits).unwrap_err();
        assert_eq!(failure.code, Code::Limit, "{failure}");
        assert!(failure.message.contains(words), "{failure}");
        assert!(failure.hint.is_some());
    }
}

#[test]
fn what_one_call_hands_over_is_bounded() {
    let failure = first_page(Limits { call_bytes: 8 * KIB, ..Limits::default() }).unwrap_err();
    assert_eq!(failure.code, Code::Limit, "{failure}");
}

#[test]
fn an_engine_with_memory_set_aside_gives_the_same_bytes() {
    let [usual, pooled] = [None, Some(4)].map(|pooled_runs| {
        now(async {
            let plugin =
                plugin(&EngineOptions { pooled_runs, ..EngineOptions::new(Compiler::Inside) })
                    .await;
            let player = Player::new(&plugin).unwrap();
            player.outcome(&player.case(&folder("fixtures/acme")).unwrap()).await.unwrap()
        })
    });
    assert_eq!(usual, pooled);
}

#[test]
fn the_bounds_of_an_engine_are_those_of_its_runs_and_no_run_widens_them() {
    let engine = Limits { requests: 0, ..Limits::default() };
    for limits in
        [None, Some(Limits::default()), Some(Limits { memory: 4096 * KIB, ..Limits::default() })]
    {
        let failure = first_page_of(engine.clone(), limits).unwrap_err();
        assert!(
            failure.code == Code::Limit && failure.message.contains("`requests` is 0"),
            "{failure}"
        );
    }
}

fn first_page(limits: Limits) -> Result<MemberPage, Failure> {
    first_page_of(Limits::default(), Some(limits))
}

fn first_page_of(engine: Limits, limits: Option<Limits>) -> Result<MemberPage, Failure> {
    now(async {
        let plugin =
            plugin(&EngineOptions { limits: engine, ..EngineOptions::new(Compiler::Inside) }).await;
        let fixture = Fixture::open(&folder("fixtures/a-page-of-a-hundred-kilobytes"))?;
        let playback = Player::new(&plugin)?.playback(&fixture, Mode::Strict)?;
        let settings = Settings { values: fixture.settings().clone(), ..Settings::default() }
            .check(plugin.descriptor(), false)?;
        let options = RunOptions { limits, ..playback.options() };
        Host::default().session(&plugin, &settings, playback.grants(), options).collect(None).await
    })
}

async fn plugin(options: &EngineOptions) -> Plugin {
    let engine = Engine::new(options).unwrap();
    Plugin::load(&engine, &std::fs::read(component()).unwrap()).await.unwrap()
}

fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
