//! Installed connectors: verified and approved when they are installed, compiled once and shared by
//! all runs.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use smp_conformance::diff;
use smp_distribution::loading::ConnectorFile;
use smp_distribution::trust::TrustPolicy;
use smp_host::component::compile::Compiler;
use smp_host::component::engine::{Engine, EngineOptions};
use smp_host::component::plugin::Plugin;
use smp_host::contract::{self, Descriptor, HttpMethod};
use smp_host::http::base::bases;
use smp_host::http::policy::method_of;

use crate::problem::Problem;
use crate::store::connectors::{self, Approved, Build};
use crate::store::{Store, audit};

/// The connectors of a process.
#[derive(Clone)]
pub struct Catalog {
    store: Store,
    engine: Engine,
    trust: Option<Arc<TrustPolicy>>,
    loaded: Arc<Mutex<HashMap<String, Plugin>>>,
    /// One build is compiled at a time, so that none is compiled twice.
    loading: Arc<tokio::sync::Mutex<()>>,
}

/// What an installation did.
#[derive(Clone, Debug)]
pub struct Installed {
    /// The build.
    pub build: Build,
    /// Whether it is the active one now.
    pub active: bool,
}

impl Catalog {
    /// A catalog whose components are compiled by this compiler.
    ///
    /// # Errors
    /// If the machine lacks a resource.
    pub fn new(
        store: Store,
        compiler: Compiler,
        cache: Option<PathBuf>,
        trust: Option<Arc<TrustPolicy>>,
    ) -> Result<Self, Problem> {
        let engine = Engine::new(&EngineOptions { cache, ..EngineOptions::new(compiler) })?;
        let (loaded, loading) = (Arc::default(), Arc::default());
        Ok(Self { store, engine, trust, loaded, loading })
    }

    /// The bounds of its runs.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// A build, ready to run.
    ///
    /// # Errors
    /// If it is not installed, revoked, or cannot run here.
    pub async fn plugin(&self, digest: &str) -> Result<Plugin, Problem> {
        if let Some(plugin) = self.loaded(digest) {
            return Ok(plugin);
        }
        let _turn = self.loading.lock().await;
        if let Some(plugin) = self.loaded(digest) {
            return Ok(plugin);
        }
        if let (Some(trust), Some(digest)) =
            (&self.trust, smp_distribution::digest::Digest::parse(digest))
        {
            trust.not_revoked(&digest)?;
        }
        let component = connectors::component(&self.store, digest).await?;
        let plugin = Plugin::load(&self.engine, &component).await?;
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.insert(digest.to_owned(), plugin.clone());
        Ok(plugin)
    }

    fn loaded(&self, digest: &str) -> Option<Plugin> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }

    /// Installs a build. The first of a connector is active at once. An upgrade is, if it needs no
    /// approval that its predecessor has not; otherwise it waits, and the old one goes on. A
    /// connection uses the active build as soon as its settings are validated with it.
    ///
    /// # Errors
    /// If it cannot run here, or the database fails.
    pub async fn install(
        &self,
        file: &ConnectorFile,
        posts: &[String],
    ) -> Result<Installed, Problem> {
        let plugin = file.load(&self.engine).await?;
        let (info, descriptor) = (plugin.info(), plugin.descriptor());
        let declared = declared(descriptor);
        for post in posts {
            if !declared.iter().any(|endpoint| endpoint == post) {
                let others: Vec<_> = declared
                    .iter()
                    .filter(|endpoint| !endpoint.starts_with("GET "))
                    .cloned()
                    .collect();
                return Err(Problem::invalid(format!(
                    "the connector does not declare `{}`",
                    smp_host::text::shortened(post, 200)
                ))
                .hint(format!(
                    "Beyond GET it declares: {}.",
                    if others.is_empty() { "nothing".into() } else { others.join(", ") }
                )));
            }
        }
        let approved = Approved {
            origins: bases(&descriptor.api).map(ToOwned::to_owned).collect(),
            endpoints: declared
                .iter()
                .filter(|endpoint| endpoint.starts_with("GET ") || posts.contains(*endpoint))
                .cloned()
                .collect(),
        };
        let mut build = Build {
            digest: info.digest.clone(),
            id: descriptor.id.clone(),
            name: descriptor.name.clone(),
            version: descriptor.version.clone(),
            publisher: file.verified().map(|verified| verified.publisher.clone()),
            approved,
            state: "waiting".into(),
            changes: None,
            installed: None,
        };
        let before = match connectors::active(&self.store, &build.id).await {
            Ok(before) if before.digest != build.digest => Some(before),
            Ok(before) => {
                // The same build again: what was approved stays, and may grow.
                let endpoints: BTreeSet<_> = before
                    .approved
                    .endpoints
                    .iter()
                    .chain(&build.approved.endpoints)
                    .cloned()
                    .collect();
                build.approved.endpoints = endpoints.into_iter().collect();
                None
            }
            Err(problem) if problem.code == "unknown-connector" => None,
            Err(problem) => return Err(problem),
        };
        if let Some(before) = &before {
            self.compare(before, &plugin, &mut build, posts).await?;
        }
        let active = before.is_none() || build.changes.is_none();
        let mut writing = self.store.write().await?;
        connectors::put(&mut writing, &build, file.bytes()).await?;
        if active {
            connectors::activate(&mut writing, &build).await?;
            build.state = "active".into();
        }
        let action = audit::Action {
            tenant: None,
            actor: "operator",
            what: if active { "connector-installed" } else { "connector-waits-for-approval" },
            subject: &build.digest,
            detail: Some(&build.version),
        };
        audit::record(&mut writing, action).await?;
        writing.commit().await?;
        Ok(Installed { build, active })
    }

    /// Notes what an upgrade changes that an operator must look at.
    async fn compare(
        &self,
        before: &Build,
        plugin: &Plugin,
        build: &mut Build,
        posts: &[String],
    ) -> Result<(), Problem> {
        let old = self.plugin(&before.digest).await?;
        let changes = diff::compare(&old, plugin, &[]).await?;
        let origins =
            build.approved.origins.iter().filter(|it| !before.approved.origins.contains(it));
        let endpoints = build
            .approved
            .endpoints
            .iter()
            .filter(|it| !before.approved.endpoints.contains(it) && !posts.contains(it));
        let more: Vec<String> = origins.chain(endpoints).cloned().collect();
        // What was approved of the old build and is declared by the new one goes on.
        for endpoint in &before.approved.endpoints {
            if declared(plugin.descriptor()).contains(endpoint)
                && !build.approved.endpoints.contains(endpoint)
            {
                build.approved.endpoints.push(endpoint.clone());
            }
        }
        let json = changes.to_json();
        let findings = json.get("findings").and_then(Value::as_array).into_iter().flatten();
        let blocking = findings
            .filter_map(|finding| finding.get("class"))
            .any(|class| class.as_str() == Some("blocking"));
        if blocking || !more.is_empty() {
            build.changes = Some(json!({"more": more, "diff": json}).to_string());
        }
        Ok(())
    }

    /// Approves a build that waits: new connections use it from now on, and old ones as soon as they
    /// are validated with it.
    ///
    /// # Errors
    /// If there is none.
    pub async fn approve(&self, text: &str) -> Result<Build, Problem> {
        let build = self.find(text, &["waiting"]).await?;
        self.switch(&build, "connector-approved").await?;
        Ok(build)
    }

    /// Goes on with an earlier build.
    ///
    /// # Errors
    /// If there is none.
    pub async fn roll_back(&self, text: &str) -> Result<Build, Problem> {
        let build = self.find(text, &["retired"]).await?;
        self.switch(&build, "connector-rolled-back").await?;
        Ok(build)
    }

    async fn switch(&self, build: &Build, what: &str) -> Result<(), Problem> {
        let mut writing = self.store.write().await?;
        connectors::activate(&mut writing, build).await?;
        let action = audit::Action {
            tenant: None,
            actor: "operator",
            what,
            subject: &build.digest,
            detail: Some(&build.version),
        };
        audit::record(&mut writing, action).await?;
        writing.commit().await?;
        Ok(())
    }

    /// The latest build of this id, `id@version` or digest in one of these states.
    async fn find(&self, text: &str, states: &[&str]) -> Result<Build, Problem> {
        let (id, version) = match text.split_once('@') {
            Some((id, version)) => (id, Some(version)),
            None => (text, None),
        };
        let all = connectors::list(&self.store).await?;
        let found =
            all.iter().filter(|build| states.contains(&build.state.as_str())).filter(|build| {
                build.digest == text
                    || (build.id == id && version.is_none_or(|version| version == build.version))
            });
        found.max_by_key(|build| build.installed.clone()).cloned().ok_or_else(|| {
            Problem::not_found(&format!("connector that is {}", states.join(" or "))).hint(
                "`smp-platform connector list` shows them; give ID, ID@VERSION or the digest.",
            )
        })
    }

    /// The connectors as the API answers them: the active build of each, with its form.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn listing(&self) -> Result<Vec<Value>, Problem> {
        let mut listing = Vec::new();
        for build in
            connectors::list(&self.store).await?.iter().filter(|build| build.state == "active")
        {
            let plugin = self.plugin(&build.digest).await?;
            listing.push(described(build, plugin.descriptor()));
        }
        Ok(listing)
    }
}

/// The endpoints that a descriptor declares, as method and path template.
#[must_use]
pub fn declared(descriptor: &Descriptor) -> Vec<String> {
    let endpoints = descriptor.api.endpoints.iter();
    endpoints.map(|endpoint| format!("{} {}", method_of(endpoint.method), endpoint.path)).collect()
}

fn described(build: &Build, descriptor: &Descriptor) -> Value {
    let choice = |choice: &contract::Choice| json!({"value": choice.value, "label": choice.label});
    let is_read = |endpoint: &contract::Endpoint| endpoint.method == HttpMethod::Get;
    let settings: Vec<Value> = descriptor
        .settings
        .iter()
        .map(|field| {
            json!({
                "key": field.key,
                "label": field.label,
                "help": field.help,
                "required": field.required,
                "secret": field.secret.is_some(),
                "default": field.default,
                "choices": field.choices.iter().map(choice).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "id": build.id,
        "name": build.name,
        "version": build.version,
        "digest": build.digest,
        "publisher": build.publisher,
        "state": build.state,
        "installed": build.installed,
        "origins": build.approved.origins,
        "grants": build.approved.endpoints,
        "declares": declared(descriptor),
        "reads_only": descriptor.api.endpoints.iter().all(is_read),
        "settings": settings,
    })
}
