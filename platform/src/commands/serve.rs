//! `serve`: the API, the schedule and the runs in one process.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::json;
use smp_host::http::origin::Origin;
use smp_platform::api::{Api, Hosts};
use smp_platform::catalog::Catalog;
use smp_platform::connections::Connections;
use smp_platform::console::Console;
use smp_platform::engine::{self, Status};
use smp_platform::metrics::Metrics;
use smp_platform::problem::Problem;
use smp_platform::runs::scheduler::{self, Duty, SLOTS, Wake};
use smp_platform::store::serving::Lock;
use smp_platform::store::tokens::{self, Role};
use tokio::net::TcpListener;
use tokio::sync::watch;
use url::Url;

use super::engine::EngineArguments;
use super::oidc::OidcArguments;
use super::{
    KeyArguments, LeaseArguments, MOST_SLOTS, StoreArguments, cache, compiler, end_on_signal,
    origin, say, trust,
};

/// How long open answers may take after SIGTERM.
const GRACE: Duration = Duration::from_secs(8);

#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    store: StoreArguments,
    #[command(flatten)]
    key: KeyArguments,
    /// Listen on this address. Beyond this machine, `--public-url` is needed.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The address by which users reach it, through what ends TLS before it: the only host that is
    /// answered.
    #[arg(long, value_name = "https://…", value_parser = public_url)]
    public_url: Option<Url>,
    /// Allow connections to this origin in place of the live one, such as a mock or a proxy.
    #[arg(long = "allow-upstream", value_name = "URL", value_parser = origin)]
    allow_upstream: Vec<Origin>,
    #[command(flatten)]
    oidc: OidcArguments,
    /// Run only connectors that this trust file does not revoke.
    #[arg(long, value_name = "FILE.toml")]
    trust: Option<PathBuf>,
    /// Run so many connections at the same time; 0 leaves all runs to `work`, as `--temporal` does.
    #[arg(long, value_name = "N", default_value_t = SLOTS,
          value_parser = clap::value_parser!(u16).range(0..=MOST_SLOTS),
          conflicts_with = "temporal")]
    slots: u16,
    #[command(flatten)]
    engine: EngineArguments,
    #[command(flatten)]
    lease: LeaseArguments,
    /// Drop history, runs and people who are gone after so many days.
    #[arg(long, value_name = "DAYS", default_value_t = 730,
          value_parser = clap::value_parser!(i64).range(1..=36_500))]
    keep_days: i64,
    /// Write the line that says where it serves as JSON.
    #[arg(long)]
    json: bool,
}

impl Serve {
    pub(super) async fn run(self) -> Result<(), Problem> {
        if !self.listen.ip().is_loopback() && self.public_url.is_none() {
            return Err(Problem::invalid("`--listen` reaches beyond this machine")
                .hint("Give `--public-url https://…`, the address by which users reach it."));
        }
        let oidc = self.oidc.options()?;
        let trust = trust(self.trust.as_deref())?;
        let place = self.store.place();
        let options = self.engine.options(&place, self.lease.get())?;
        if options.is_none() && self.slots == 0 && place.folder().is_some() {
            return Err(Problem::invalid("a folder has no other process that runs connections")
                .hint("Give `--slots` at least 1, or keep the store in a `--database`."));
        }
        let lock = Lock::of(&place).await?;
        let store = self.store.open().await?;
        let keys = self.key.open(&place, &store).await?;
        let metrics = Metrics::install()?;
        let catalog = Catalog::new(store.clone(), compiler(), cache(&place), trust)?;
        let connections = Connections::new(store.clone(), keys, catalog, self.allow_upstream)?
            .lending(self.lease.get());
        let listener = TcpListener::bind(self.listen).await.map_err(|error| {
            Problem::new(
                503,
                "address",
                format!("`{}` cannot be listened on: {error}", self.listen),
            )
            .hint("Give a free port with `--listen`, or 0 for any.")
        })?;
        let address = listener.local_addr().unwrap_or_else(|_| (Ipv4Addr::LOCALHOST, 0).into());
        let (end, shutdown) = watch::channel(false);
        let status = options.as_ref().map(|_| Status::default());
        let wake = if status.is_some() { Wake::of_engine() } else { Wake::default() };
        let hosts = Hosts::of(address, self.public_url.as_ref());
        let api =
            Api::new(connections.clone(), wake.clone(), metrics, hosts.clone(), shutdown.clone())
                .with_engine(status.clone());
        let slots = if status.is_some() { 0 } else { self.slots.into() };
        let duty = Duty { slots, schedule: Some(self.keep_days), engine: status.is_some() };
        let console = Console::new(api.clone(), hosts, self.public_url.as_ref(), oidc)?;
        let driven = options.zip(status).map(|(options, status)| {
            let all = connections.clone();
            tokio::spawn(engine::serve(all, wake.clone(), options, status, shutdown.clone()))
        });
        // With an engine, it is the engine that is woken.
        let turn = if driven.is_some() { Wake::default() } else { wake };
        let schedule = tokio::spawn(scheduler::run(connections, turn, duty, shutdown.clone()));
        let signals = end_on_signal(end.clone())?;
        let (told, mut lost) = tokio::sync::oneshot::channel();
        let locked = tokio::spawn(async move {
            let _ = told.send(lock.keep().await);
            end.send_replace(true);
        });
        let token = if tokens::any(&store).await? {
            None
        } else {
            Some(tokens::make(&store, Role::Admin, None, None).await?.1)
        };
        // The proxy that the public address leads to has to know where to go on.
        let behind = self.public_url.as_ref().map_or(String::new(), |_| format!(" by {address}"));
        let url = self.public_url.map_or(format!("http://{address}"), |url| {
            url.as_str().trim_end_matches('/').to_owned()
        });
        let link = format!("{url}{}", console.link()?);
        if self.json {
            say(&format!(
                "{}\n",
                json!({
                    "url": url, "listen": address.to_string(), "token": token, "console": link,
                })
            ))?;
        } else {
            let token = token
                .map(|token| format!(", with the admin token {token}, which is not shown again"));
            let token = token.unwrap_or_default();
            say(&format!("Serving on {url}{behind}{token}. The console, once: {link}\n"))?;
        }
        let mut asked = shutdown.clone();
        let service = api
            .router()
            .merge(console.router())
            .into_make_service_with_connect_info::<SocketAddr>();
        let serving = axum::serve(listener, service)
            .with_graceful_shutdown(async move {
                let _ = asked.wait_for(|stop| *stop).await;
            })
            .into_future();
        let mut over = shutdown.clone();
        let late = async move {
            let _ = over.wait_for(|stop| *stop).await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            served = serving => served.map_err(|error| Problem::broken(format!("the server ended: {error}")))?,
            () = late => tracing::warn!("open answers were cut off"),
        }
        if tokio::time::timeout(GRACE, schedule).await.is_err() {
            tracing::warn!("runs were cut off; the next start goes on after their last page");
        }
        if let Some(driven) = driven {
            let _ = driven.await;
        }
        signals.abort();
        locked.abort();
        store.close().await;
        lost.try_recv().map_or(Ok(()), Err)
    }
}

fn public_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    let bare = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty();
    if url.scheme() != "https" || !bare || url.host_str().is_none() {
        return Err("write https://HOST, without a path".into());
    }
    Ok(url)
}
