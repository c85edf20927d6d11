//! Tests that the stored results are complete, and that every table and plot in the documentation
//! comes from them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use smp_bench::document;
use smp_bench::plot::PLOTS;
use smp_bench::results::{Results, YARDSTICK};
use smp_bench::setup::folder;

/// Every figure of a full run. When you add a figure, add it here, and store a run that has it.
const KEYS: [&str; 50] = [
    "size.component",
    "size.gzip",
    "size.code",
    "size.data",
    "size.rest",
    "path.ratio",
    YARDSTICK,
    "path.component",
    "path.whole",
    "path.members",
    "million.cpu",
    "million.wall",
    "million.peak",
    "million.few",
    "million.guard",
    "wire.wall",
    "wire.peak",
    "wire.cpu",
    "wire.mock",
    "wire.latency",
    "start.cached",
    "start.first",
    "tenants.wall",
    "tenants.cpu",
    "tenants.bound",
    "tenants.memory",
    "tenants.waiting",
    "parts.bare",
    "parts.epoch",
    "parts.epoch-share",
    "parts.all-share",
    "parts.policy",
    "parts.capability",
    "parts.answer",
    "parts.check",
    "parts.guard",
    "parts.ndjson",
    "parts.csv",
    "parts.checkpoint",
    "instructions.native",
    "instructions.component",
    "growth.members.1000",
    "growth.members.10000",
    "growth.members.100000",
    "growth.members.1000000",
    "growth.tenants.1",
    "growth.tenants.10",
    "growth.tenants.100",
    "growth.tenants.1000",
    "growth.tenants.10000",
];

fn kept() -> Results {
    Results::read(&folder().join("results.json")).unwrap()
}

#[test]
fn every_figure_is_kept_and_was_measured() {
    let kept = kept();
    let keys: Vec<_> = kept.figures.iter().map(|figure| figure.key.as_str()).collect();
    assert_eq!(keys, KEYS);
    for figure in &kept.figures {
        assert!(
            figure.samples > 0 && figure.min <= figure.median && figure.median <= figure.max,
            "{}",
            figure.key
        );
    }
}

#[test]
fn the_page_on_performance_shows_what_is_kept() {
    let page = fs::read_to_string(folder().join("../docs/PERFORMANCE.md")).unwrap();
    assert_eq!(page, document::filled(&page, &kept()), "`BLESS=1 make bench` writes both");
}

#[test]
fn the_plots_show_what_is_kept() {
    for (name, plot) in PLOTS {
        assert_eq!(
            fs::read_to_string(folder().join("../docs").join(name)).unwrap(),
            plot.draw(&kept()).unwrap(),
            "{name}"
        );
    }
}
