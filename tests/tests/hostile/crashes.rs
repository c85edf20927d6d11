//! Components that crash, and one that remembers: what a call leaves behind is gone with its run.

use smp_harness::failure::Code;

use crate::made;
use crate::stage::{Stage, and_another_tenant_is_served, assert_failed, loaded, loads, now};

#[test]
fn a_crash_in_any_call_is_a_failure_of_its_run_alone() {
    for failure in Stage::new("traps").all_fail() {
        assert_failed(&failure, Code::Trap, "`unreachable` instruction executed");
    }
    and_another_tenant_is_served();
}

#[test]
fn a_crash_in_describe_is_a_failure_of_loading() {
    assert_failed(&loaded("trap-in-describe").err().unwrap(), Code::Trap, "`unreachable` instruction executed");
    assert_failed(&loads(&made::dummy("")).err().unwrap(), Code::Trap, "`unreachable` instruction executed");
    and_another_tenant_is_served();
}

#[test]
fn a_crash_before_the_first_call_is_a_failure_of_loading() {
    let crashing = made::dummy("(func $crash unreachable) (start $crash)");
    assert_failed(&loads(&crashing).err().unwrap(), Code::Trap, "`unreachable` instruction executed");
    let outside = made::dummy("(data (i32.const 65536) \"x\")");
    assert_failed(&loads(&outside).err().unwrap(), Code::Trap, "out of bounds memory access");
    and_another_tenant_is_served();
}

#[test]
fn a_run_goes_on_in_a_new_instance_after_a_crash() {
    let stage = Stage::new("traps");
    let settings = &stage.checked.public;
    now(async {
        let mut session = stage.session();
        for _ in 0..3 {
            assert_failed(&session.connect(settings).await.unwrap_err(), Code::Trap, "unreachable");
        }
        assert_eq!(session.describe().await.as_ref(), Ok(stage.plugin.descriptor()));
    });
    and_another_tenant_is_served();
}

#[test]
fn what_a_panic_says_is_logged_on_one_line_and_is_no_part_of_the_failure() {
    let stage = Stage::new("panics");
    let failure = stage.collect_fails();
    assert_failed(&failure, Code::Trap, "crashed");
    assert!(!format!("{failure:?}").contains("all is well"), "{failure:?}");
    let lines = stage.heard.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("tests/hostile/examples/panics.rs"), "{lines:?}");
    assert!(lines[0].ends_with("\\u{1b}[2Jall is well\\u{a}{\"error\":{\"code\":\"fine\"}}"), "{lines:?}");
    and_another_tenant_is_served();
}

#[test]
fn no_run_sees_what_another_left_in_memory() {
    for organization in ["acme", "globex", "initech"] {
        let stage = Stage::of(loaded("remembers").unwrap(), organization, "");
        let (_, rows) = stage.collect();
        assert_eq!(rows.iter().map(|row| &row["id"]).collect::<Vec<_>>(), [organization]);
    }
    and_another_tenant_is_served();
}

#[test]
fn runs_at_the_same_time_do_not_see_each_other() {
    let plugin = loaded("remembers").unwrap();
    let [one, other] = ["acme", "globex"].map(|organization| Stage::of(plugin.clone(), organization, ""));
    now(async {
        let (mut first, mut second) = (one.session(), other.session());
        for times in 1..=3 {
            let pages = tokio::join!(first.collect(&one.checked.public, None), second.collect(&other.checked.public, None));
            let ids =
                |page: Result<smp_harness::contract::MemberPage, _>| page.unwrap().members.into_iter().map(|member| member.id).collect();
            let (ids_of_one, ids_of_other): (Vec<String>, Vec<String>) = (ids(pages.0), ids(pages.1));
            assert_eq!((ids_of_one, ids_of_other), (vec!["acme".to_owned(); times], vec!["globex".to_owned(); times]));
        }
    });
}
