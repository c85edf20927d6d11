//! Who waits, and for whom: bodies that do not arrive, places, and streams of events.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};

use super::*;

/// A body that never arrives.
fn stalled() -> Body {
    Body::from_stream(stream::pending::<Result<Vec<u8>, std::io::Error>>())
}

fn form(path: &str, cookie: &str, body: Body) -> Request<Body> {
    let request = Request::post(path).header("host", HOST).header("cookie", cookie);
    request.header("sec-fetch-site", "same-origin").body(body).unwrap()
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let site = site().await;
    let request =
        Request::post("/console").header("host", HOST).header("sec-fetch-site", "same-origin");
    let got = site.ask(request.body(Body::from(vec![b'a'; LARGEST_BODY + 1])).unwrap()).await;
    assert_eq!(got.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn senders_that_stall_keep_no_one_out() {
    let site = site().await;
    let (cookie, link) = (site.operator(), site.console.link().unwrap());
    let mut stalling = Vec::new();
    for path in [site.to("/leave"), "/console".to_owned(), link.clone()] {
        for _ in 0..40 {
            let request = form(&path, &cookie, stalled());
            stalling.push(tokio::spawn(site.router.clone().oneshot(request)));
        }
    }
    // Each of them has begun: nothing is left to do but to wait.
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    let got = site.get(&site.home(), &[("cookie", &cookie)]).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.text);
    assert!(site.post(&link, "", "").await.headers.get("set-cookie").is_some());
    for asset in ["style.css", "script.js", "icon.svg"] {
        let got = site.get(&format!("/console/{asset}"), &[]).await;
        assert_eq!(got.status, StatusCode::OK, "{asset}");
    }
    assert!(stalling.iter().all(|task| !task.is_finished()), "they wait still");
    for task in stalling {
        task.abort();
    }
}

#[tokio::test]
async fn without_a_session_a_body_is_not_waited_for() {
    let site = site().await;
    let request = form(&site.to("/leave"), "smp-console=AAAA", stalled());
    let got = tokio::time::timeout(Duration::from_secs(5), site.ask(request)).await.unwrap();
    assert_eq!(got.status, StatusCode::FORBIDDEN);
}

#[tokio::test(start_paused = true)]
async fn a_body_has_ten_seconds_to_arrive() {
    let refused = guard::whole(form("/console", "", stalled())).await.unwrap_err();
    assert_eq!((refused.status, refused.code.as_str()), (408, "too-slow"));
    let whole = guard::whole(form("/console", "", Body::from("a=b"))).await.unwrap();
    assert_eq!(to_bytes(whole.into_body(), 10).await.unwrap(), "a=b");
}

#[tokio::test(start_paused = true)]
async fn a_place_that_is_given_up_is_anothers() {
    let places = Arc::new(Semaphore::new(1));
    let first = guard::Place::among(&places).await.unwrap();
    let busy = guard::Place::among(&places).await.err().unwrap();
    assert_eq!((busy.status, busy.code.as_str()), (503, "busy"));
    first.give_up();
    let second = guard::Place::among(&places).await.unwrap();
    drop(first);
    assert!(guard::Place::among(&places).await.is_err(), "it was given up once");
    drop(second);
    assert!(guard::Place::among(&places).await.is_ok());
}

#[tokio::test]
async fn a_stream_of_events_ends_with_the_session() {
    let site = site().await;
    let cookie = site.operator();
    let id = site.connected("acme", "Own", "ready").await;
    let mut writing = site.store.write().await.unwrap();
    let run = table::ask(&mut writing, &id, 1, true).await.unwrap();
    writing.commit().await.unwrap();
    let path = site.to(&format!("/c/{id}/runs/{run}/events"));
    let request = Request::get(path).header("host", HOST).header("cookie", &cookie);
    let answer = site.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let mut events = answer.into_body().into_data_stream();
    let first = tokio::time::timeout(Duration::from_secs(30), events.next()).await.unwrap();
    assert!(String::from_utf8_lossy(&first.unwrap().unwrap()).contains("changed"));
    assert_eq!(site.post(&site.to("/leave"), &cookie, "").await.status, StatusCode::OK);
    let rest = tokio::time::timeout(Duration::from_secs(30), events.count()).await;
    assert!(rest.is_ok(), "it goes on without a session");
}
