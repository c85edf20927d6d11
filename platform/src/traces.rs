//! Traces, sent to a collector by OTLP where `OTEL_EXPORTER_OTLP_ENDPOINT` names one: a span of each
//! run, of its calls and requests, and of each request to the interface. No tenant, person or key
//! is in them.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use smp_host::live::{LiveClient, body};
use tokio::runtime::Handle;
use url::Url;

use crate::outside;
use crate::problem::Problem;

/// The variables that name a collector: for traces alone, and for everything.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
const PROTOCOLS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
/// The one protocol that is spoken.
const PROTOCOL: &str = "http/protobuf";
/// Time of one request to the collector.
const REQUEST: Duration = Duration::from_secs(10);
/// How long the last spans may take at the end.
const GRACE: Duration = Duration::from_secs(3);
/// Largest answer of a collector, in bytes: it says which spans it did not take.
const LARGEST_ANSWER: u64 = 64 * 1024;

/// The traces of this process.
#[derive(Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// Traces for the collector that the environment names, sent on this runtime. `None` if it
    /// names none.
    ///
    /// # Errors
    /// If the collector's address or protocol cannot be used.
    pub fn of_environment(runtime: &Handle) -> Result<Option<Self>, Problem> {
        let set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let Some(endpoint) = ENDPOINTS.into_iter().find(set) else { return Ok(None) };
        let value = std::env::var(endpoint).unwrap_or_default();
        if !is_of_a_server(&value) {
            return Err(Problem::invalid(format!(
                "`{endpoint}` is not the address of a collector"
            ))
            .hint("Write it as `http://HOST:4318`, or unset it to send no traces."));
        }
        if let Some(protocol) = PROTOCOLS.into_iter().find(set)
            && std::env::var(protocol).ok().as_deref() != Some(PROTOCOL)
        {
            return Err(Problem::invalid(format!("`{protocol}` names another protocol"))
                .hint(format!("Traces are sent as `{PROTOCOL}`, usually to port 4318.")));
        }
        let failed = |error: String| {
            Problem::invalid(format!("traces cannot be sent to the collector: {error}"))
                .hint(format!("Correct `{endpoint}`, or unset it to send no traces."))
        };
        let client = outside::client(REQUEST, LARGEST_ANSWER, false)
            .map_err(|error| failed(error.to_string()))?;
        let sender = Sender { client, runtime: runtime.clone(), is_down: AtomicBool::new(false) };
        let exporter = SpanExporter::builder().with_http().with_http_client(sender).build();
        let exporter = exporter.map_err(|error| failed(error.to_string()))?;
        let mut resource = Resource::builder();
        if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
            resource = resource.with_service_name("smp-platform");
        }
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource.build())
            .build();
        Ok(Some(Self { provider }))
    }

    /// The tracer of this program's spans.
    #[must_use]
    pub fn tracer(&self) -> SdkTracer {
        self.provider.tracer("smp-platform")
    }

    /// Sends what is left. It blocks, so it is called where nothing else waits.
    pub fn end(&self) {
        let _ = self.provider.shutdown_with_timeout(GRACE);
    }
}

/// Sends spans with the client that everything else is sent with. The exporter has a thread of its
/// own, and the client needs the runtime.
#[derive(Debug)]
struct Sender {
    client: LiveClient,
    runtime: Handle,
    is_down: AtomicBool,
}

impl HttpClient for Sender {
    fn send_bytes<'sender, 'sent>(
        &'sender self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'sent>>
    where
        'sender: 'sent,
        Self: 'sent,
    {
        let client = self.client.clone();
        let sending = self.runtime.spawn(async move { sent(&client, request).await });
        Box::pin(async move {
            let answer = sending.await.map_err(HttpError::from).flatten();
            let is_down = !answer.as_ref().is_ok_and(|answer| answer.status().is_success());
            // Told once, not with every batch.
            if self.is_down.swap(is_down, Ordering::Relaxed) != is_down {
                if is_down {
                    tracing::warn!("the collector does not take traces: they are dropped");
                } else {
                    tracing::info!("the collector takes traces again");
                }
            }
            answer
        })
    }
}

async fn sent(client: &LiveClient, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let (head, bytes) = request.into_parts();
    let outgoing = client.request_of_operator(head.method, &head.uri.to_string());
    let mut answer = outgoing.headers(head.headers).body(bytes).send().await?;
    let status = answer.status();
    let bytes = body(&mut answer, LARGEST_ANSWER).await.map_err(|_| "the answer broke off")?;
    let mut response = Response::new(Bytes::from(bytes));
    *response.status_mut() = status;
    Ok(response)
}

/// Whether a text is the URL of a server.
fn is_of_a_server(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}
