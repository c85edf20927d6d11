//! The way to the engine: connected, looked at, and left in good order.

use std::error::Error;
use std::time::Duration;

use anyhow::Context as _;
use temporalio_client::errors::ClientConnectError;
use temporalio_client::{Client, ClientOptions, Connection, ConnectionOptions, tonic};
use temporalio_common::protos::temporal::api::workflowservice::v1::DescribeNamespaceRequest;
use temporalio_sdk::runtime::worker_tuner::{FixedSizeSlotSupplier, TunerHolder};
use temporalio_sdk::{Runtime, Worker, WorkerOptions};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;

use crate::collecting::{Answer, Collecting};
use crate::lines::{Mouth, ears, mouth};
use crate::protocol::{Said, Say, VERSION};
use crate::sweeping::Sweeping;
use crate::tls;
use crate::workflows::{COLLECT, Collect, Ended, SERVE, Sweep};
use crate::{Arguments, Part};

/// Time between two looks at the engine.
const LOOK: Duration = Duration::from_secs(2);
/// How long an engine may take to answer a look.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long the process that started this one may take to give its runs back.
const GRACE: Duration = Duration::from_secs(8);
/// How long the engine may take to take them.
const LAST: Duration = Duration::from_secs(3);

/// Runs until standard input ends, or a signal.
///
/// # Errors
/// If the engine refuses what this program needs of it.
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let mouth = mouth();
    mouth.say(Said::Hello { version: VERSION });
    let done = spoken(arguments, mouth.clone()).await;
    if let Err(error) = &done {
        mouth.say(Said::Engine { there: false, why: Some(shortened(&format!("{error:#}"))) });
        // It is written by another thread.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    done
}

async fn spoken(arguments: Arguments, mouth: Mouth) -> anyhow::Result<()> {
    let heard = ears();
    let mut signalled = signalled()?;
    let client = tokio::select! {
        client = connected(&arguments, &mouth) => client?,
        // Nothing has begun yet, so nothing is to be handed over.
        () = gone(&heard) => return Ok(()),
        _ = signalled.wait_for(|signalled| *signalled) => return Ok(()),
    };
    let runtime = Runtime::from_current_tokio(Default::default())?;
    match arguments.part {
        Part::Serve => serve(&arguments, &runtime, client, mouth, heard, signalled).await,
        Part::Work => work(&arguments, &runtime, client, mouth, heard, signalled).await,
    }
}

/// Whether a signal asked this program to end.
fn signalled() -> anyhow::Result<watch::Receiver<bool>> {
    let (sender, receiver) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        sender.send_replace(true);
        // Another one changes nothing.
        std::future::pending::<()>().await;
    });
    Ok(receiver)
}

/// Waits until nobody speaks any more, without taking what was said.
async fn gone(heard: &UnboundedReceiver<Say>) {
    while !heard.is_closed() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Connects, however long the engine is away.
async fn connected(arguments: &Arguments, mouth: &Mouth) -> anyhow::Result<Client> {
    let mut wait = Duration::from_millis(250);
    loop {
        let options = ConnectionOptions::new(arguments.engine.clone())
            .identity(format!("smp-platform/{}", std::process::id()))
            .connect_timeout(PATIENCE)
            .maybe_api_key(tls::api_key(&arguments.engine)?)
            .maybe_tls_options(tls::options(&arguments.engine)?)
            .build();
        let connecting = tokio::time::timeout(PATIENCE * 2, Connection::connect(options)).await;
        let why = match connecting {
            Ok(Ok(connection)) => {
                let options = ClientOptions::new(arguments.namespace.clone()).build();
                let client = Client::new(connection, options)?;
                match looked(&client).await {
                    Ok(()) => return Ok(client),
                    Err(why) => why,
                }
            }
            Ok(Err(ClientConnectError::SystemInfoCallError(status))) => said(&status),
            Ok(Err(error)) => innermost(&error),
            Err(_) => "it does not answer".to_owned(),
        };
        mouth.say(Said::Engine { there: false, why: Some(why) });
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LOOK);
    }
}

/// What a call of the engine failed of.
fn said(status: &tonic::Status) -> String {
    match status.source() {
        Some(cause) => innermost(cause),
        None => shortened(status.message()),
    }
}

/// The last cause of an error: those before it only say where it was met.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    shortened(&last.to_string())
}

/// A text as a part of a line.
fn shortened(text: &str) -> String {
    text.chars().filter(|sign| !sign.is_control()).take(300).collect()
}

/// Looks whether the engine answers, and has the namespace.
async fn looked(client: &Client) -> Result<(), String> {
    let namespace = client.options().namespace.clone();
    let mut request = tonic::Request::new(DescribeNamespaceRequest {
        namespace,
        ..DescribeNamespaceRequest::default()
    });
    request.set_timeout(PATIENCE);
    let mut service = client.connection().workflow_service();
    match tokio::time::timeout(PATIENCE, service.describe_namespace(request)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(status)) => Err(said(&status)),
        Err(_) => Err("it does not answer".to_owned()),
    }
}

/// Says whenever the engine goes away or comes back.
async fn look(client: Client, mouth: Mouth) {
    let mut before = None;
    loop {
        let looked = looked(&client).await;
        if before.as_ref() != Some(&looked) {
            let (there, why) = (looked.is_ok(), looked.clone().err());
            mouth.say(Said::Engine { there, why });
            before = Some(looked);
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn serve(
    arguments: &Arguments,
    runtime: &Runtime,
    client: Client,
    mouth: Mouth,
    mut heard: UnboundedReceiver<Say>,
    mut signalled: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let sweeping = Sweeping::new(client.clone(), mouth.clone(), arguments.heartbeat);
    sweeping.keep_the_schedule().await.context("the schedule cannot be made")?;
    let options = WorkerOptions::new(SERVE)
        .register_workflow::<Sweep>()?
        .register_workflow::<Collect>()?
        .register_activities(sweeping.clone())
        .build();
    let mut worker = Worker::new(runtime, client.clone(), options)?;
    let stop = worker.shutdown_handle();
    let looking = tokio::spawn(look(client, mouth));
    let hearing = async {
        loop {
            let next = tokio::select! {
                next = heard.recv() => next,
                _ = signalled.wait_for(|signalled| *signalled) => None,
            };
            match next {
                Some(Say::Runs { id, runs }) => sweeping.answered(id, runs),
                Some(Say::Start { run }) => {
                    let sweeping = sweeping.clone();
                    tokio::spawn(async move { sweeping.start(run).await });
                }
                Some(_) => {}
                None => break,
            }
        }
        stop();
        tokio::time::sleep(LAST).await;
    };
    let done = tokio::select! {
        done = worker.run() => done.context("the engine cannot be used"),
        () = hearing => Ok(()),
    };
    looking.abort();
    done
}

async fn work(
    arguments: &Arguments,
    runtime: &Runtime,
    client: Client,
    mouth: Mouth,
    mut heard: UnboundedReceiver<Say>,
    mut signalled: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let collecting = Collecting::new(mouth.clone());
    let slots = |number: usize| FixedSizeSlotSupplier::new(number);
    let tuner = TunerHolder::builder()
        .workflow_task_slot_supplier(slots(2))
        .activity_task_slot_supplier(slots(arguments.slots.into()))
        .local_activity_task_slot_supplier(slots(1))
        .nexus_task_slot_supplier(slots(1))
        .build();
    let options = WorkerOptions::new(COLLECT)
        .register_activities(collecting.clone())
        .tuner(tuner)
        // A sign of life is given before the lease of a short one is over.
        .max_heartbeat_throttle_interval(Duration::from_secs((arguments.heartbeat / 3).max(1)))
        .build();
    let mut worker = Worker::new(runtime, client.clone(), options)?;
    let stop = worker.shutdown_handle();
    let looking = tokio::spawn(look(client, mouth));
    let hearing = async {
        loop {
            let next = tokio::select! {
                next = heard.recv() => next,
                _ = signalled.wait_for(|signalled| *signalled) => None,
            };
            match next {
                None | Some(Say::Rest) => break,
                Some(next) => answered(&collecting, next),
            }
        }
        // Nothing more is taken. After a signal, the process gives its runs back, since it got the
        // signal, too; if it is gone, they are given back for it.
        stop();
        let rest = async {
            while let Some(next) = heard.recv().await {
                answered(&collecting, next);
            }
        };
        let _ = tokio::time::timeout(GRACE, rest).await;
        collecting.hand_over();
        tokio::time::sleep(LAST).await;
    };
    let done = tokio::select! {
        done = worker.run() => done.context("the engine cannot be used"),
        () = hearing => Ok(()),
    };
    looking.abort();
    done
}

fn answered(collecting: &Collecting, heard: Say) {
    match heard {
        Say::Alive => collecting.alive(),
        Say::Done { task, state, members, pages } => {
            collecting.answered(task, Answer::Ended(Ended { state, members, pages }));
        }
        Say::Again { task, after_ms, code } => {
            collecting.answered(task, Answer::Again(Duration::from_millis(after_ms), code));
        }
        Say::Failed { task, code } => collecting.answered(task, Answer::Failed(code)),
        Say::Rest | Say::Runs { .. } | Say::Start { .. } => {}
    }
}
