//! Tests of the live transport: dates, the key, and private networks.

use super::*;

#[test]
fn an_answer_has_a_date_that_can_be_read() {
    let now = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(784_111_777);
    let own = "Sun, 06 Nov 1994 08:49:37 GMT";
    for (dates, dated_as) in [
        (&[][..], own),
        (&["today"], own),
        (&["Sun, 06 Nov 1994 08:00:00 GMT"], "Sun, 06 Nov 1994 08:00:00 GMT"),
    ] {
        let header = |value: &&str| ("date".to_owned(), (*value).to_owned());
        let mut headers = vec![("content-type".to_owned(), "text/plain".to_owned())];
        headers.extend(dates.iter().map(header));
        let expected = [headers[0].clone(), header(&dated_as)];
        assert_eq!(dated(headers, now), expected, "{dates:?}");
    }
}

#[test]
fn a_credential_is_not_shown() {
    let credential = Credential::new(
        &crate::contract::Attachment::Bearer,
        &[],
        crate::secret::Secret::new("ATCTTkey".into()).unwrap(),
    );
    assert!(!format!("{credential:?} {:?}", header(&credential)).contains("ATCTT"));
}

fn client(private_network: bool, system_proxy: bool) -> LiveClient {
    let (timeout, user_agent) = (Duration::from_secs(5), String::new());
    let options = LiveOptions {
        timeout,
        largest_body: 1024,
        extra_roots: None,
        system_proxy,
        private_network,
        ranges: Vec::new(),
        user_agent,
    };
    LiveClient::new(&options).unwrap()
}

async fn sent(client: &LiveClient, origin: &str) -> TransportError {
    let request = Request {
        method: Method::Get,
        path_and_query: "/".into(),
        body: None,
        headers: Arc::default(),
    };
    client.transport(Origin::parse(origin).unwrap(), None).send(&request).await.unwrap_err()
}

#[tokio::test]
async fn nothing_goes_into_a_private_network_that_was_not_named() {
    let listener = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    for host in [
        "localhost",
        "LOCALHOST",
        "127.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
    ] {
        let error = sent(&client(false, false), &format!("https://{host}:{port}")).await;
        let TransportError::NotPublic(denied) = error else { panic!("{host}: {error:?}") };
        // An address is not resolved.
        let is_name = host.eq_ignore_ascii_case("localhost");
        assert_eq!((denied.resolved.is_some(), denied.range), (is_name, None), "{host}");
    }
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "somebody came");
    // Requests go to an origin that the operator named, wherever it is; here no server speaks
    // TLS.
    drop(listener);
    assert!(matches!(
        sent(&client(true, false), &format!("https://localhost:{port}")).await,
        TransportError::Connection(_)
    ));
}

#[tokio::test]
async fn a_proxy_in_a_private_network_is_used_and_is_no_origin() {
    let mut client = client(false, false);
    client.proxy_hosts = Arc::new(BTreeSet::from(["localhost".to_owned()]));
    let error = sent(&client, "https://localhost:9").await;
    assert!(
        matches!(&error, TransportError::NotPublic(denied) if denied.resolved.is_none()),
        "{error:?}"
    );
    let resolved = async |exempt| {
        let answer = reqwest::dns::Resolve::resolve(
            &PublicResolver { exempt, ranges: Arc::default() },
            "localhost".parse().unwrap(),
        )
        .await;
        answer.map(|addresses| addresses.map(|address| address.ip()).collect::<Vec<_>>())
    };
    assert!(
        resolved(Arc::clone(&client.proxy_hosts))
            .await
            .unwrap()
            .iter()
            .all(|address| address.is_loopback())
    );
    assert!(resolved(Arc::default()).await.unwrap_err().is::<PrivateNetwork>());
}
