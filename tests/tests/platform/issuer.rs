//! An issuer of OpenID Connect that cannot be used: people are told to wait, and the operator why.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

use smp_tests::mock::Builder;

use crate::folder;
use crate::server::{log, platform};

#[test]
fn an_issuer_whose_certificate_is_not_trusted_is_told_apart_in_the_log() {
    let (folder, issuer) = (folder(), Builder::default().start_tls().unwrap());
    let log = log(&folder.data);
    let mut serve = platform()
        .args(["serve", "--public-url", "https://smp.acme.test", "--oidc-client", "smp"])
        .args(["--oidc-issuer", &issuer.url(), "--data"])
        .arg(&folder.data)
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(serve.stdout.take().unwrap()).read_line(&mut line).unwrap();
    // What ends TLS learns from it where to go on.
    let (_, rest) =
        line.split_once("https://smp.acme.test by ").unwrap_or_else(|| panic!("{line}"));
    let address = rest.split_once(',').unwrap().0;
    let mut visit = TcpStream::connect(address).unwrap();
    visit.write_all(b"GET /console/oidc HTTP/1.0\r\nhost: smp.acme.test\r\n\r\n").unwrap();
    let mut page = String::new();
    visit.read_to_string(&mut page).unwrap();
    serve.kill().unwrap();
    serve.wait().unwrap();
    assert!(page.starts_with("HTTP/1.0 503") && page.contains("Enter the console"), "{page}");
    assert!(!page.contains("certificate"), "it is the operator's: {page}");
    let told = std::fs::read_to_string(log).unwrap();
    assert!(told.contains("its certificate is not trusted"), "{told}");
}
