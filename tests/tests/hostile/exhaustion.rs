//! Tests with components that exhaust the machine: its time, its stack, its memory.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use smp_host::collect::report::Outcome;
use smp_host::component::compile::Compiler;
use smp_host::component::engine::{Engine, EngineOptions};
use smp_host::component::plugin::Plugin;
use smp_host::component::session::SessionOptions;
use smp_host::failure::{Code, Failure};
use smp_host::http::clock::BoxFuture;
use smp_host::http::transport::{Request, Response, Transport, TransportError};
use smp_host::limits::Limits;
use smp_tests::harness::test_component;

use crate::made;
use crate::setup::{
    Setup, and_another_tenant_is_served, another_tenant_is_served, assert_failed, assert_limited,
    loaded, loads, now, tight,
};

#[test]
fn a_loop_without_end_is_ended_in_every_call() {
    let stage = Setup::new("endless-loop");
    for failure in stage.all_fail() {
        assert_limited(&failure, "cpu");
    }
    and_another_tenant_is_served();
}

#[test]
fn a_loop_without_end_in_describe_is_ended_while_loading() {
    assert_limited(&loaded("endless-describe").err().unwrap(), "cpu");
    and_another_tenant_is_served();
}

#[test]
fn a_loop_without_end_before_the_first_call_is_ended_while_loading() {
    let endless = made::dummy("(func $endless (loop $again br $again)) (start $endless)");
    assert_limited(&loads(&endless).err().unwrap(), "cpu");
    and_another_tenant_is_served();
}

#[test]
fn while_one_computes_without_end_another_is_served_on_its_thread() {
    let stage =
        Setup::new("endless-loop").within(Limits { cpu: Duration::from_secs(1), ..tight() });
    now(async {
        let began = Instant::now();
        let other = async {
            another_tenant_is_served().await;
            began.elapsed()
        };
        let ((report, _), served_after) = tokio::join!(stage.collection(), other);
        assert_limited(&report.error.unwrap(), "cpu");
        assert!(served_after < began.elapsed() / 2, "{served_after:?} of {:?}", began.elapsed());
    });
}

#[test]
fn calls_of_the_host_without_end_are_ended_by_computing_time() {
    let stage = Setup::new("endless-host-calls").within(Limits { requests: 10, ..tight() });
    let began = Instant::now();
    assert_limited(&stage.validate().unwrap_err(), "cpu");
    // The host's note takes precedence: it explains why there is no answer.
    assert_limited(&stage.connect().unwrap_err(), "requests");
    assert_failed(&stage.collect_fails(), Code::Denied, "/v1/orgs/acme/secrets");
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}: they were ended by the time of a call",
        began.elapsed()
    );
    assert_eq!(stage.heard.requests().len(), 10);
    and_another_tenant_is_served();
}

#[test]
fn a_call_that_waits_without_end_is_ended() {
    let limits = Limits { call_time: Duration::from_millis(200), ..tight() };
    let stage = Setup::new("tame").within(limits).answered_by(Arc::new(Silent));
    for failure in stage.all_fail() {
        assert_limited(&failure, "call-time");
    }
    and_another_tenant_is_served();
}

#[test]
fn recursion_without_end_is_ended_on_either_stack() {
    let stage = Setup::new("deep-recursion");
    assert_limited(&stage.connect().unwrap_err(), "stack");
    // The compiler's stack in linear memory has nothing below it.
    assert_failed(&stage.collect_fails(), Code::Trap, "out of bounds memory access");
    and_another_tenant_is_served();
}

#[test]
fn memory_is_given_up_to_a_bound() {
    for (attack, bound) in [("greed", 64 << 20), ("greed", 2 << 20), ("modesty", 64 << 20)] {
        let stage = Setup::attacking("memory-bomb", attack).within(Limits {
            memory: bound,
            cpu: Duration::from_secs(5),
            ..tight()
        });
        let (report, rows) = stage.collect();
        match attack {
            "greed" => assert_limited(&report.error.unwrap(), "memory"),
            _ => assert_eq!((report.outcome, rows.len()), (Outcome::Complete, 2)),
        }
        and_another_tenant_is_served();
    }
}

#[test]
fn memory_that_is_wanted_from_the_start_is_given_up_to_the_same_bound() {
    assert_limited(&loads(&made::dummy_with_memory(65_536)).err().unwrap(), "memory");
    and_another_tenant_is_served();
}

#[test]
fn tables_are_given_up_to_a_bound() {
    let from_the_start = made::dummy("(table 20000000 funcref)");
    let many = made::dummy(&"(table 5000 funcref)".repeat(10));
    let growing = made::dummy(
        "(table $table 0 funcref)
         (func $grow (loop $again (br_if $again (i32.ne (i32.const -1) (table.grow $table \
         (ref.null func) (i32.const 5000))))) unreachable)
         (start $grow)",
    );
    for bytes in [from_the_start, many, growing] {
        assert_limited(&loads(&bytes).err().unwrap(), "table-elements");
    }
    and_another_tenant_is_served();
}

#[test]
fn instances_are_given_up_to_a_bound() {
    let mut many = String::from("(core module $more)");
    many.push_str(&"(core instance (instantiate $more))".repeat(100));
    assert_limited(&loads(&made::beside_a_dummy(&many)).err().unwrap(), "instances");
    and_another_tenant_is_served();
}

#[test]
fn memories_of_many_instances_count_together() {
    let mut many = String::from("(core module $more (memory 320))");
    many.push_str(&"(core instance (instantiate $more))".repeat(8));
    assert_limited(&loads(&made::beside_a_dummy(&many)).err().unwrap(), "memory");
    and_another_tenant_is_served();
}

#[test]
fn in_a_pool_no_run_takes_what_is_set_aside_for_others() {
    let engine = Engine::new(&EngineOptions {
        pooled_runs: Some(2),
        limits: tight(),
        ..EngineOptions::new(Compiler::Inside)
    })
    .unwrap();
    let load = |bytes: &[u8]| now(Plugin::load(&engine, bytes));
    let mut many = String::from("(core module $more (memory 1))");
    many.push_str(&"(core instance (instantiate $more))".repeat(4));
    let failure = load(&made::beside_a_dummy(&many)).err().unwrap();
    assert!(
        failure.code == Code::Component && failure.message.contains("than a pool sets aside"),
        "{failure}"
    );
    // Memory is set aside for two concurrent runs: both can be described, even while a third is
    // refused.
    let tame = load(&fs::read(test_component("tame")).unwrap()).unwrap();
    let mut sessions = [(); 3].map(|()| tame.session(SessionOptions::powerless(tight())));
    let told =
        sessions.each_mut().map(|session| now(session.describe()).map(|descriptor| descriptor.id));
    assert!(told[0].is_ok() && told[1].is_ok(), "{told:?}");
    let refused = told[2].as_ref().unwrap_err();
    assert!(refused.code == Code::Busy && refused.retryable(), "{refused}");
    assert!(refused.message.contains("no memory set aside"), "{refused}");
}

#[test]
fn a_run_waits_for_a_place_in_a_pool_if_it_is_told_to() {
    let engine = Engine::new(&EngineOptions {
        pooled_runs: Some(1),
        limits: tight(),
        ..EngineOptions::new(Compiler::Inside)
    })
    .unwrap();
    let tame = now(Plugin::load(&engine, &fs::read(test_component("tame")).unwrap())).unwrap();
    let [mut first, mut second] =
        [(); 2].map(|()| tame.session(SessionOptions::powerless(tight())));
    now(first.take_permit(Duration::ZERO)).unwrap();
    assert_eq!(now(second.take_permit(Duration::ZERO)).unwrap_err().code, Code::Busy);
    let ends_meanwhile = async { drop(first) };
    let (waited, ()) =
        now(async { tokio::join!(second.take_permit(Duration::from_secs(60)), ends_meanwhile) });
    assert_eq!(waited, Ok(()));
    assert!(now(second.describe()).is_ok());
}

#[test]
fn a_place_in_a_pool_is_free_when_its_memory_is() {
    let engine = Engine::new(&EngineOptions {
        pooled_runs: Some(2),
        limits: tight(),
        ..EngineOptions::new(Compiler::Inside)
    })
    .unwrap();
    let tame = now(Plugin::load(&engine, &fs::read(test_component("tame")).unwrap())).unwrap();
    let served: usize = std::thread::scope(|scope| {
        let run = |_| {
            scope.spawn(|| {
                let runs = (0..300)
                    .map(|_| now(tame.session(SessionOptions::powerless(tight())).describe()));
                // Four runs compete for two places: those without one are told so, and the others
                // are served.
                let other = |failure: &Failure| !failure.message.contains("for one more run");
                let failures: Vec<Failure> = runs.filter_map(Result::err).collect();
                assert!(
                    !failures.iter().any(other),
                    "{:?}",
                    failures.iter().find(|failure| other(failure))
                );
                300 - failures.len()
            })
        };
        [0, 1, 2, 3].map(run).map(|thread| thread.join().unwrap()).iter().sum()
    });
    assert!(served > 0);
}

#[test]
fn handles_are_given_up_to_a_bound() {
    let stage = Setup::new("handle-bomb").within(Limits { cpu: Duration::from_secs(5), ..tight() });
    assert_limited(&stage.collect_fails(), "handles");
    and_another_tenant_is_served();
}

/// A service that takes a request and never answers.
struct Silent;

impl Transport for Silent {
    fn send<'a>(&'a self, _: &'a Request) -> BoxFuture<'a, Result<Response, TransportError>> {
        Box::pin(std::future::pending())
    }
}
