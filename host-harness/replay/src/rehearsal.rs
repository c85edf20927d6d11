//! Plays a fixture: what the connector makes of its traffic, as one JSON value that is compared with `expected.json`.
//!
//! It is the same path as a real run, with a replay at its end and a clock that nobody waits on. So the same traffic gives the same
//! bytes, on any machine.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::fixture::{Fixture, Replay};
use smp_host::collect::stream::Stream;
use smp_host::component::plugin::Plugin;
use smp_host::component::session::Session;
use smp_host::failure::{Code, Failure};
use smp_host::files::{Format, Rows};
use smp_host::host::{Host, Pace, RunOptions};
use smp_host::http::clock::VirtualClock;
use smp_host::http::origin::Origin;
use smp_host::http::policy::{Grants, method_of};
use smp_host::http::retry::Jitter;
use smp_host::http::transport::Transport;
use smp_host::settings::{Checked, Settings};
use smp_host::validation::Validation;

/// Runs a fixture's validation and collection.
///
/// # Errors
/// When the fixture does not fit the connector, or its traffic is not what the connector asks for. A failure that the fixture is about
/// is no error: it is part of the value.
pub async fn play(plugin: &Plugin, fixture: &Fixture) -> Result<Value, Failure> {
    let settings = Settings { values: fixture.settings().clone(), ..Settings::default() };
    settings.check_keys(plugin.descriptor())?;
    let checked = match settings.check(plugin.descriptor(), false) {
        Ok(checked) => checked,
        Err(failure) => {
            let validation = Validation::refused(failure.clone());
            return Ok(json!({ "validate": validation.to_json(), "collect": { "error": expected(&failure), "rows": [] } }));
        }
    };
    Ok(json!({
        "validate": validated(plugin, fixture, &checked).await?,
        "collect": collected(plugin, fixture, &checked).await?,
    }))
}

async fn validated(plugin: &Plugin, fixture: &Fixture, checked: &Checked) -> Result<Value, Failure> {
    let stage = Stage::new(plugin, fixture)?;
    let mut session = stage.session(plugin, checked);
    let validation = match Validation::of(&mut session).await {
        Ok(validation) => validation.to_json(),
        Err(failure) if failure.code == Code::Fixture => return Err(failure),
        Err(failure) => json!({ "error": expected(&failure) }),
    };
    stage.replay.finish().map(|()| validation)
}

async fn collected(plugin: &Plugin, fixture: &Fixture, checked: &Checked) -> Result<Value, Failure> {
    let stage = Stage::new(plugin, fixture)?;
    let rows = Rows::default();
    let mut stream = Stream::in_memory(Format::Ndjson.sink(rows.clone(), false));
    let report = stage.session(plugin, checked).collect_members(&mut stream, std::future::pending()).await;
    match report.error.as_ref().filter(|failure| failure.code == Code::Fixture) {
        Some(failure) => return Err(failure.clone()),
        None => stage.replay.finish()?,
    }
    let mut value = report.to_json();
    if let Some(object) = value.as_object_mut() {
        object.insert("error".into(), report.error.as_ref().map(expected).into());
        object.insert("rows".into(), values(&rows.take()));
    }
    Ok(value)
}

/// A failure as a fixture expects it. What mends it is the host's word, which it may say better.
fn expected(failure: &Failure) -> Value {
    let mut value = failure.to_json();
    if let Some(object) = value.as_object_mut() {
        object.shift_remove("remedy");
    }
    value
}

/// What one call of a fixture is played on.
struct Stage {
    replay: Arc<Replay>,
    grants: Grants,
}

impl Stage {
    fn new(plugin: &Plugin, fixture: &Fixture) -> Result<Self, Failure> {
        let descriptor = plugin.descriptor();
        let declared: Vec<_> =
            descriptor.api.endpoints.iter().map(|endpoint| (method_of(endpoint.method), endpoint.path.clone())).collect();
        let replay = Arc::new(Replay::new(fixture, &declared)?);
        let origin = Origin::parse(&descriptor.api.base).map_err(|error| Failure::new(Code::Contract, error.to_string()))?;
        // A replay reaches nobody: the fixture itself says what may be asked.
        let grants = declared.into_iter().fold(Grants::none(origin), |grants, (method, path)| grants.with(method, path));
        Ok(Self { replay, grants })
    }

    fn session(&self, plugin: &Plugin, checked: &Checked) -> Session {
        let options = RunOptions {
            clock: Arc::new(VirtualClock::new(self.replay.start())),
            jitter: Jitter::None,
            pace: Pace::Off,
            ..RunOptions::new(Arc::clone(&self.replay) as Arc<dyn Transport>)
        };
        Host::default().session(plugin, checked, &self.grants, options)
    }
}

fn values(rows: &[u8]) -> Value {
    rows.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Value>(line).ok()).collect()
}
