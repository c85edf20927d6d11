//! The ways in: links, tokens, and the sessions behind them.

use super::*;

#[tokio::test]
async fn a_link_opens_the_console_once_and_sets_a_cookie_for_its_path_alone() {
    let site = site().await;
    let link = site.console.link().unwrap();
    let got = site.post(&link, "", "").await;
    assert_eq!(got.status, StatusCode::OK, "a redirect would lose the cookie: {}", got.text);
    let home = site.home();
    assert!(got.text.contains(&format!("content=\"0; url={home}\"")), "{}", got.text);
    let set = got.headers["set-cookie"].to_str().unwrap();
    let path = format!("; Path={}/; ", site.console.guard.prefix);
    for part in [path.as_str(), "HttpOnly", "SameSite=Strict"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(!set.contains("Secure"), "plain http of this machine: {set}");
    assert_guarded(&got);
    let again = site.post(&link, "", "").await;
    assert_eq!(again.status, StatusCode::FORBIDDEN);
    assert!(again.text.contains("works once") && again.headers.get("set-cookie").is_none());
    let cookie = set.split(';').next().unwrap();
    assert_eq!(site.get(&home, &[("cookie", cookie)]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn who_looks_at_a_link_does_not_use_it_up() {
    let site = site().await;
    let link = site.console.link().unwrap();
    for method in ["GET", "HEAD", "GET"] {
        let request = Request::builder().method(method).uri(&link).header("host", HOST);
        let got = site.ask(request.body(Body::empty()).unwrap()).await;
        assert_eq!(got.status, StatusCode::OK);
        assert!(got.headers.get("set-cookie").is_none(), "{method}");
        assert_guarded(&got);
        if method == "GET" {
            assert!(got.text.contains(&format!("action=\"{link}\"")), "{}", got.text);
        }
    }
    let got = site.post(&link, "", "").await;
    assert!(got.headers.get("set-cookie").is_some());
    let got = site.get(&link, &[]).await;
    assert_eq!(got.status, StatusCode::FORBIDDEN);
    assert!(got.text.contains("works once"), "{}", got.text);
}

#[tokio::test]
async fn wrong_links_end_no_right_one() {
    let site = site().await;
    let right = site.console.link().unwrap();
    let secret = right.rsplit('/').next().unwrap();
    assert_eq!(secret.len(), 43, "256 random bits: {secret}");
    for _ in 0..40 {
        let wrong = "/console/enter/0123456789abcdef0123456789abcdef";
        let got = site.get(wrong, &[]).await;
        assert_eq!(got.status, StatusCode::FORBIDDEN);
        assert_guarded(&got);
        assert_eq!(site.post(wrong, "", "").await.status, StatusCode::FORBIDDEN);
    }
    assert!(site.post(&right, "", "").await.headers.get("set-cookie").is_some());
}

#[tokio::test]
async fn a_program_makes_a_link_with_its_token_alone() {
    let site = site().await;
    let (_, token) = tokens::make(&site.store, Role::Viewer, Some("acme"), None).await.unwrap();
    let ask = async |token: &str, headers: &[(&str, &str)]| {
        let request = Request::post("/console/links");
        let mut request = request.header("authorization", format!("Bearer {token}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        site.ask(request.body(Body::empty()).unwrap()).await
    };
    let got = ask(&token, &[("host", HOST)]).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.text);
    assert_guarded(&got);
    let link: serde_json::Value = serde_json::from_str(&got.text).unwrap();
    let link = link["console"].as_str().unwrap();
    assert!(site.post(link, "", "").await.headers.get("set-cookie").is_some());
    let wrong = ask("smp_wrong", &[("host", HOST)]).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert!(wrong.text.contains("no-token") && wrong.text.contains("hint"), "{}", wrong.text);
    let elsewhere = ask(&token, &[("host", "evil.test")]).await;
    assert_eq!(elsewhere.status, StatusCode::FORBIDDEN);
    let looked = site.get("/console/links", &[]).await;
    assert_eq!(looked.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(looked.text.contains("made by a POST"), "{}", looked.text);
    let mut last = got.status;
    for _ in 0..300 {
        last = ask(&token, &[("host", HOST)]).await.status;
    }
    assert_eq!(last, StatusCode::SERVICE_UNAVAILABLE, "links that are not used are bounded");
    assert!(site.console.link().is_ok(), "another holder's are not");
}

#[tokio::test]
async fn a_token_opens_the_console_until_it_is_revoked_and_for_its_tenant() {
    let site = site().await;
    let own = site.connected("acme", "Own", "ready").await;
    let other = site.connected("other", "Other", "ready").await;
    let (id, token) = tokens::make(&site.store, Role::Viewer, Some("acme"), None).await.unwrap();
    let form = |text: String| {
        let request = Request::post("/console").header("host", HOST);
        request.header("sec-fetch-site", "same-origin").body(Body::from(text)).unwrap()
    };
    let wrong = site.ask(form("token=smp_wrong".into())).await;
    assert_eq!(wrong.status, StatusCode::FORBIDDEN);
    assert!(!wrong.text.contains("smp_wrong"), "what was entered is not repeated");
    let got = site.ask(form(format!("token={token}"))).await;
    let cookie = got.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let page = |path: &str| format!("{}{path}", site.console.guard.prefix);
    let overview = site.get(&site.home(), &[("cookie", &cookie)]).await;
    assert!(overview.text.contains("Own") && !overview.text.contains("Other"), "{}", overview.text);
    for (path, status) in [
        (page(&format!("/c/{own}")), StatusCode::OK),
        (page(&format!("/c/{other}")), StatusCode::NOT_FOUND),
        (page("/connections?tenant=other"), StatusCode::OK),
        (page("/connect"), StatusCode::FORBIDDEN),
    ] {
        let got = site.get(&path, &[("cookie", &cookie)]).await;
        assert_eq!(got.status, status, "{path}");
        assert!(!got.text.contains("Other"), "{path}");
        assert_guarded(&got);
    }
    for path in [format!("/c/{own}/delete"), format!("/c/{own}/change"), format!("/c/{own}/key")] {
        let request = Request::post(page(&path)).header("host", HOST).header("cookie", &cookie);
        let request = request.header("sec-fetch-site", "same-origin");
        let got = site.ask(request.body(Body::from("sure=yes&paused=yes")).unwrap()).await;
        assert_eq!(got.status, StatusCode::FORBIDDEN, "{path}");
    }
    tokens::revoke(&site.store, &id).await.unwrap();
    assert_eq!(site.get(&site.home(), &[("cookie", &cookie)]).await.status, StatusCode::FORBIDDEN);
}
