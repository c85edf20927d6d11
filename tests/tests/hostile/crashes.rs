//! Tests with components that crash, and with one that remembers: nothing that a call leaves behind
//! survives its run.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use smp_host::component::compile::Compiler;
use smp_host::component::engine::{Engine, EngineOptions};
use smp_host::component::plugin::Plugin;
use smp_host::component::session::SessionOptions;
use smp_host::failure::Code;
use smp_host::http::clock::BoxFuture;
use smp_host::http::transport::{Request, Response, Transport, TransportError};
use smp_tests::harness::test_component;

use crate::made;
use crate::setup::{Setup, and_another_tenant_is_served, assert_failed, loaded, loads, now, tight};

#[test]
fn a_crash_in_any_call_is_a_failure_of_its_run_alone() {
    for failure in Setup::new("traps").all_fail() {
        assert_failed(&failure, Code::Trap, "`unreachable` instruction executed");
    }
    and_another_tenant_is_served();
}

#[test]
fn a_crash_in_describe_is_a_failure_of_loading() {
    assert_failed(
        &loaded("trap-in-describe").err().unwrap(),
        Code::Trap,
        "`unreachable` instruction executed",
    );
    assert_failed(
        &loads(&made::dummy("")).err().unwrap(),
        Code::Trap,
        "`unreachable` instruction executed",
    );
    and_another_tenant_is_served();
}

#[test]
fn a_crash_before_the_first_call_is_a_failure_of_loading() {
    let crashing = made::dummy("(func $crash unreachable) (start $crash)");
    assert_failed(
        &loads(&crashing).err().unwrap(),
        Code::Trap,
        "`unreachable` instruction executed",
    );
    let outside = made::dummy("(data (i32.const 65536) \"x\")");
    assert_failed(&loads(&outside).err().unwrap(), Code::Trap, "out of bounds memory access");
    and_another_tenant_is_served();
}

#[test]
fn a_run_goes_on_in_a_new_instance_after_a_crash() {
    let stage = Setup::new("traps");
    now(async {
        let mut session = stage.session();
        for _ in 0..3 {
            assert_failed(&session.connect().await.unwrap_err(), Code::Trap, "unreachable");
        }
        assert_eq!(session.describe().await.as_ref(), Ok(stage.plugin.descriptor()));
    });
    and_another_tenant_is_served();
}

#[test]
fn what_a_panic_says_is_logged_on_one_line_and_is_no_part_of_the_failure() {
    let stage = Setup::new("panics");
    let failure = stage.collect_fails();
    assert_failed(&failure, Code::Trap, "crashed");
    assert!(!format!("{failure:?}").contains("all is well"), "{failure:?}");
    let lines = stage.heard.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("tests/hostile/examples/panics.rs"), "{lines:?}");
    assert!(
        lines[0].ends_with("\\u{1b}[2Jall is well\\u{a}{\"error\":{\"code\":\"fine\"}}"),
        "{lines:?}"
    );
    and_another_tenant_is_served();
}

#[test]
fn no_run_sees_what_another_left_in_memory() {
    for organization in ["acme", "globex", "initech"] {
        let stage = Setup::of(loaded("remembers").unwrap(), organization, "");
        let (_, rows) = stage.collect();
        assert_eq!(rows.iter().map(|row| &row["id"]).collect::<Vec<_>>(), [organization]);
    }
    and_another_tenant_is_served();
}

#[test]
fn runs_at_the_same_time_do_not_see_each_other() {
    let plugin = loaded("remembers").unwrap();
    let [one, other] =
        ["acme", "globex"].map(|organization| Setup::of(plugin.clone(), organization, ""));
    now(async {
        let (mut first, mut second) = (one.session(), other.session());
        for times in 1..=3 {
            let pages = tokio::join!(first.collect(None), second.collect(None));
            let ids = |page: Result<smp_host::contract::MemberPage, _>| {
                page.unwrap().members.into_iter().map(|member| member.id).collect()
            };
            let (ids_of_one, ids_of_other): (Vec<String>, Vec<String>) =
                (ids(pages.0), ids(pages.1));
            assert_eq!(
                (ids_of_one, ids_of_other),
                (vec!["acme".to_owned(); times], vec!["globex".to_owned(); times])
            );
        }
    });
}

#[test]
fn in_a_pool_a_run_gives_its_memory_back_when_answers_are_slow() {
    let remembered = |pooled_runs: Option<u32>, latency: Duration| {
        let engine = Engine::new(&EngineOptions {
            pooled_runs,
            limits: tight(),
            ..EngineOptions::new(Compiler::Inside)
        })
        .unwrap();
        let plugin =
            now(Plugin::load(&engine, &fs::read(test_component("remembers")).unwrap())).unwrap();
        let stage = Setup::of(plugin.clone(), "acme", "ask").answered_by(Arc::new(Late(latency)));
        let (mut session, mut another) =
            (stage.session(), plugin.session(SessionOptions::powerless(tight())));
        let sizes = [(); 3].map(|()| {
            let page = now(session.collect(None)).unwrap();
            // Between two pages no other run gets the memory that is set aside for this one.
            assert_eq!(now(another.describe()).is_err(), pooled_runs.is_some());
            page.members.len()
        });
        drop(session);
        now(another.describe()).unwrap();
        sizes
    };
    assert_eq!(remembered(Some(1), Duration::from_millis(30)), [1, 1, 1]);
    assert_eq!(remembered(Some(1), Duration::ZERO), [1, 2, 3]);
    assert_eq!(remembered(None, Duration::from_millis(30)), [1, 2, 3]);
}

/// A slow service that answers with an empty object.
struct Late(Duration);

impl Transport for Late {
    fn send<'a>(&'a self, _: &'a Request) -> BoxFuture<'a, Result<Response, TransportError>> {
        Box::pin(async {
            tokio::time::sleep(self.0).await;
            Ok(Response { status: 200, headers: vec![], body: b"{}".to_vec() })
        })
    }
}
