//! A `tracing` subscriber that keeps the spans and events of a thread. It has no tests.
//!
//! It is installed for all threads: one for a single thread would miss spans that another thread
//! began first.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Once;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

/// Keeps spans and events.
pub(crate) struct Told;

thread_local! {
    static ENTRIES: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
}

/// A span or an event.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entry {
    /// The span's name. `None` for an event.
    pub(crate) span: Option<&'static str>,
    /// The name of the span around it.
    pub(crate) within: Option<&'static str>,
    pub(crate) level: String,
    pub(crate) fields: BTreeMap<&'static str, String>,
    id: Option<u64>,
}

impl Told {
    /// Runs the work, and returns its spans and events on this thread.
    pub(crate) fn by<T>(work: impl FnOnce() -> T) -> (T, Vec<Entry>) {
        static LISTENING: Once = Once::new();
        LISTENING.call_once(|| {
            let subscriber = tracing_subscriber::registry().with(Self);
            tracing::subscriber::set_global_default(subscriber).unwrap();
        });
        ENTRIES.take();
        let result = work();
        (result, ENTRIES.take())
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
        ENTRIES.with_borrow_mut(|entries| entries.push(entry));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        ENTRIES.with_borrow_mut(|entries| {
            // An id is reused once its span has ended: the last one counts.
            let mut spans = entries.iter_mut().rev();
            if let Some(entry) = spans.find(|entry| entry.id == Some(id.into_u64())) {
                values.record(entry);
            }
        });
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if !event.metadata().target().starts_with("smp_") {
            return;
        }
        let within = context.event_span(event).map(|span| span.name());
        let level = event.metadata().level().to_string();
        let mut entry = Entry { within, level, ..Entry::default() };
        event.record(&mut entry);
        ENTRIES.with_borrow_mut(|entries| entries.push(entry));
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
    /// A field; empty if it is absent.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}
