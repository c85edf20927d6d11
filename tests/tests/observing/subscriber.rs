//! A `tracing` subscriber that keeps all that it is given. No test is in here.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

/// All that was told. Clones are one.
#[derive(Clone, Default)]
pub(crate) struct Told(Arc<Mutex<Vec<Entry>>>);

/// A span or an event.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entry {
    /// The span's name; none for an event.
    pub(crate) span: Option<&'static str>,
    /// The name of the span around it.
    pub(crate) within: Option<&'static str>,
    pub(crate) level: String,
    pub(crate) fields: BTreeMap<&'static str, String>,
    id: Option<u64>,
}

impl Told {
    /// Runs this, and gives what it told on this thread.
    pub(crate) fn by<T>(work: impl FnOnce() -> T) -> (T, Vec<Entry>) {
        let told = Self::default();
        let subscriber = tracing_subscriber::registry().with(told.clone());
        let result = tracing::subscriber::with_default(subscriber, work);
        let entries = told.0.lock().unwrap().clone();
        (result, entries)
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Told {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let metadata = attributes.metadata();
        if !metadata.target().starts_with("smp_") {
            return;
        }
        let mut entry = Entry {
            span: Some(metadata.name()),
            within: context.span(id).unwrap().parent().map(|parent| parent.name()),
            level: metadata.level().to_string(),
            id: Some(id.into_u64()),
            ..Entry::default()
        };
        attributes.record(&mut entry);
        self.0.lock().unwrap().push(entry);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut entries = self.0.lock().unwrap();
        // An id is used again once its span has ended: the last one counts.
        let mut spans = entries.iter_mut().rev();
        if let Some(entry) = spans.find(|entry| entry.id == Some(id.into_u64())) {
            values.record(entry);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if !event.metadata().target().starts_with("smp_") {
            return;
        }
        let within = context.event_span(event).map(|span| span.name());
        let level = event.metadata().level().to_string();
        let mut entry = Entry { within, level, ..Entry::default() };
        event.record(&mut entry);
        self.0.lock().unwrap().push(entry);
    }
}

impl Visit for Entry {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }
}

impl Entry {
    /// A field; empty where it was not given.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}
