//! The metrics of a platform, in Prometheus' form. No tenant, person or key is a label.

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use sqlx::{Row, query};

use crate::clock::now;
use crate::problem::Problem;
use crate::store::Store;

/// Bounds of the histograms, in seconds.
const SECONDS: [f64; 12] =
    [0.000_5, 0.001, 0.002, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0, 30.0, 300.0, 3_600.0];

/// The metrics of this process.
#[derive(Clone, Debug)]
pub struct Metrics {
    handle: PrometheusHandle,
}

impl Metrics {
    /// Sets the metrics up. In one process, it is done once.
    ///
    /// # Errors
    /// If it was done before.
    pub fn install() -> Result<Self, Problem> {
        let failed = |error: &dyn std::fmt::Display| {
            Problem::broken(format!("the metrics cannot be set up: {error}"))
        };
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS)
            .map_err(|error| failed(&error))?;
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        metrics::set_global_recorder(recorder).map_err(|error| failed(&error))?;
        metrics::describe_counter!(
            "smp_runs_total",
            "Runs that left a process, by connector and outcome."
        );
        metrics::describe_counter!("smp_pages_total", "Pages that were committed.");
        metrics::describe_counter!("smp_members_total", "Members on committed pages.");
        metrics::describe_counter!(
            "smp_requests_total",
            "Requests to services, by class of their status."
        );
        metrics::describe_counter!(
            "smp_commits_fenced_total",
            "Commits that were refused because another process holds the run."
        );
        metrics::describe_histogram!(
            "smp_run_duration_seconds",
            "From the start of a run until it leaves a process."
        );
        metrics::describe_histogram!("smp_page_commit_seconds", "Time of a page's transaction.");
        metrics::describe_histogram!(
            "smp_pace_wait_seconds",
            "How long a request waited for the pace of its account."
        );
        metrics::describe_gauge!(
            "smp_connections_due",
            "Connections whose run is due and has not begun."
        );
        metrics::describe_gauge!(
            "smp_oldest_due_seconds",
            "How long the oldest run waits to begin: the alarm."
        );
        for name in ["smp_pages_total", "smp_members_total", "smp_commits_fenced_total"] {
            metrics::counter!(name).increment(0);
        }
        Ok(Self { handle })
    }

    /// All metrics as text.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn text(&self, store: &Store) -> Result<String, Problem> {
        let sql = "SELECT count(*) AS n, min(next_due) AS first \
                   FROM connections WHERE paused = 0 AND next_due <= $1";
        let row = query(sql).bind(now()).fetch_one(store.read()).await?;
        let due: i64 = row.try_get("n")?;
        let first: Option<i64> = row.try_get("first")?;
        let sql = "SELECT count(*) AS n, min(started) AS first \
                   FROM runs \
                   WHERE state IN ('open', 'waiting') AND state = 'open' AND held IS NULL";
        let row = query(sql).fetch_one(store.read()).await?;
        let queued: i64 = row.try_get("n")?;
        let since: Option<i64> = row.try_get("first")?;
        let oldest = first.into_iter().chain(since).min().map_or(0, |at| (now() - at).max(0));
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a floating-point number")]
        {
            metrics::gauge!("smp_connections_due").set(due.saturating_add(queued) as f64);
            metrics::gauge!("smp_oldest_due_seconds").set(oldest as f64 / 1_000.0);
        }
        Ok(self.handle.render())
    }
}
