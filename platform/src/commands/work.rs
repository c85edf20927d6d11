//! `work`: runs of a PostgreSQL database, beside the process that serves it.

use std::net::SocketAddr;
use std::path::PathBuf;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use clap::Args;
use smp_host::http::origin::Origin;
use smp_platform::catalog::Catalog;
use smp_platform::connections::Connections;
use smp_platform::engine::{self, Status};
use smp_platform::keys::Keys;
use smp_platform::metrics::Metrics;
use smp_platform::problem::Problem;
use smp_platform::runs::scheduler::{self, Duty, SLOTS, Wake};
use smp_platform::store::{Place, Store};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::engine::EngineArguments;
use super::{
    KeyArguments, LeaseArguments, MOST_SLOTS, cache, compiler, end_on_signal, origin, say, trust,
};

#[derive(Debug, Args)]
pub(super) struct Work {
    /// The PostgreSQL database of the store: postgres://USER@HOST:PORT/DATABASE.
    #[arg(long, value_name = "URL", env = "SMP_DATABASE", hide_env_values = true)]
    database: String,
    #[command(flatten)]
    key: KeyArguments,
    /// Run so many connections at the same time.
    #[arg(long, value_name = "N", default_value_t = SLOTS,
          value_parser = clap::value_parser!(u16).range(1..=MOST_SLOTS))]
    slots: u16,
    #[command(flatten)]
    engine: EngineArguments,
    #[command(flatten)]
    lease: LeaseArguments,
    /// Allow connections to this origin in place of the live one, as `serve` does.
    #[arg(long = "allow-upstream", value_name = "URL", value_parser = origin)]
    allow_upstream: Vec<Origin>,
    /// Run only connectors that this trust file does not revoke.
    #[arg(long, value_name = "FILE.toml")]
    trust: Option<PathBuf>,
    /// Tell the metrics of this process on this address, to everyone who asks there.
    #[arg(long, value_name = "ADDRESS:PORT")]
    metrics: Option<SocketAddr>,
}

impl Work {
    pub(super) async fn run(self) -> Result<(), Problem> {
        let place = Place::Server(self.database.clone());
        let trust = trust(self.trust.as_deref())?;
        let options = self.engine.options(&place, self.lease.get())?;
        let store = Store::join(&self.database).await?;
        let keys = Keys::join(&self.key.source(&place)?, &store).await?;
        let metrics = Metrics::install()?;
        let catalog = Catalog::new(store.clone(), compiler(), cache(&place), trust)?;
        let connections = Connections::new(store.clone(), keys, catalog, self.allow_upstream)?
            .lending(self.lease.get());
        let (end, shutdown) = watch::channel(false);
        let status = options.as_ref().map(|_| Status::default());
        let told = match self.metrics {
            Some(address) => Some(tell(address, metrics, store.clone(), status.clone()).await?),
            None => None,
        };
        let signals = end_on_signal(end)?;
        let at = told.as_ref().map_or(String::new(), |(_, address)| {
            format!(", with metrics on http://{address}/metrics")
        });
        say(&format!("Working on {} runs at the same time{at}.\n", self.slots))?;
        let slots = self.slots.into();
        let duty = Duty { slots, schedule: None, engine: options.is_some() };
        let done = match options.zip(status) {
            None => scheduler::run(connections, Wake::default(), duty, shutdown).await,
            Some((options, status)) => {
                // It gives back what is left of the runs, so it ends after them.
                let (last, over) = watch::channel(false);
                let all = connections.clone();
                let turns = tokio::spawn(scheduler::run(all, Wake::default(), duty, over));
                engine::work(connections, slots, options, status, shutdown).await;
                last.send_replace(true);
                turns.await.unwrap_or(Ok(()))
            }
        };
        signals.abort();
        if let Some((task, _)) = told {
            task.abort();
        }
        store.close().await;
        done
    }
}

/// Tells metrics and health, and nothing else.
async fn tell(
    address: SocketAddr,
    metrics: Metrics,
    store: Store,
    engine: Option<Status>,
) -> Result<(tokio::task::JoinHandle<()>, SocketAddr), Problem> {
    let unusable = |error: std::io::Error| {
        Problem::new(503, "address", format!("`{address}` cannot be listened on: {error}"))
            .hint("Give a free port with `--metrics`, or 0 for any.")
    };
    let listener = TcpListener::bind(address).await.map_err(unusable)?;
    let address = listener.local_addr().map_err(unusable)?;
    let router = Router::new()
        .route("/metrics", get(text))
        .route("/healthz", get(async move || health(engine.as_ref())))
        .with_state((metrics, store));
    let task = tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "the metrics are not told any more");
        }
    });
    Ok((task, address))
}

/// Answers as long as the process lives: without the engine, its runs go on.
fn health(engine: Option<&Status>) -> String {
    let warning = engine.and_then(Status::warning);
    warning.map_or_else(|| "ok\n".to_owned(), |warning| format!("ok. {warning}\n"))
}

async fn text(State((metrics, store)): State<(Metrics, Store)>) -> Response {
    match metrics.text(&store).await {
        Ok(text) => {
            ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
        }
        Err(problem) => (StatusCode::SERVICE_UNAVAILABLE, problem.detail).into_response(),
    }
}
