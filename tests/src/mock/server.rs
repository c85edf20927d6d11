//! The mock's server: accepts connections until it is stopped, over HTTP/1.1 or HTTP/2, with or
//! without TLS.
//!
//! It runs on a separate thread with its own runtime, so that a mock works in tests with and
//! without one. Stopping ends every connection, including those whose answer never comes.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, oneshot};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use super::misbehave::BrokenOff;
use super::service::DropConnection;

/// Connections at a time: below the usual limit of open files; others wait.
const CONNECTION_LIMIT: usize = 512;

/// A server that listens and does not answer yet.
pub(super) struct Server {
    runtime: Runtime,
    listener: tokio::net::TcpListener,
}

impl Server {
    /// Takes a listener over.
    pub(super) fn on(listener: TcpListener) -> io::Result<Server> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        listener.set_nonblocking(true)?;
        let entered = runtime.enter();
        let listener = tokio::net::TcpListener::from_std(listener)?;
        drop(entered);
        Ok(Server { runtime, listener })
    }

    /// Serves until `stop` resolves, successfully or not. Blocks.
    pub(super) fn run(
        self,
        router: Router,
        acceptor: Option<TlsAcceptor>,
        stop: oneshot::Receiver<()>,
    ) {
        self.runtime.block_on(async {
            tokio::select! {
                () = accept(&self.listener, router, acceptor) => {}
                _ = stop => {}
            }
        });
    }
}

async fn accept(listener: &tokio::net::TcpListener, router: Router, acceptor: Option<TlsAcceptor>) {
    let places = Arc::new(Semaphore::new(CONNECTION_LIMIT));
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        // A connection that broke before it was accepted concerns only its client.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        let (router, acceptor) = (router.clone(), acceptor.clone());
        tokio::spawn(async move {
            serve(stream, router, acceptor).await;
            drop(place);
        });
    }
}

async fn serve(stream: TcpStream, router: Router, acceptor: Option<TlsAcceptor>) {
    // Without this, an answer may wait for the acknowledgement of the previous one.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    match acceptor {
        None => converse(stream, router).await,
        Some(acceptor) => {
            if let Ok(stream) = acceptor.accept(stream).await {
                converse(stream, router).await;
            }
        }
    }
}

async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, router: Router) {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let router = router.clone();
        async move {
            let response = router.oneshot(request.map(axum::body::Body::new) as Request).await?;
            match response.extensions().get::<DropConnection>() {
                None => Ok(response),
                Some(DropConnection) => Err(BrokenOff),
            }
        }
    });
    let connection = auto::Builder::new(TokioExecutor::new());
    // Errors of a connection are the client's affair, or a fault's.
    let _ended = connection.serve_connection(TokioIo::new(stream), service).await;
}
