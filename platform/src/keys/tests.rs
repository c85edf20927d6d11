//! Keys of a store: rotation, other processes, and a key that is lost or another one.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::store::{Place, secrets::Stored};

fn context(connection: &str) -> Context<'_> {
    Context { tenant: "t", connection, setting: "api-key", version: 1 }
}

#[tokio::test]
async fn a_rotation_keeps_every_secret_and_another_process_follows() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&Place::Folder(folder.path().into())).await.unwrap();
    let path = folder.path().join("key");
    let source = Source::File(path.clone());
    let keys = Keys::open(&source, &store).await.unwrap();
    let other = Keys::open(&source, &store).await.unwrap();
    let mut made = keys.data_keys(250).await.unwrap();
    let mut writing = store.write().await.unwrap();
    for number in 0..250 {
        let connection = format!("c{number:03}");
        let secret = format!("key {number}");
        let sealed =
            keys.seal(&mut writing, &mut made, &context(&connection), &secret).await.unwrap();
        let stored = Stored { connection, setting: "api-key".into(), version: 1, sealed };
        secrets::put(&mut writing, &stored).await.unwrap();
    }
    writing.commit().await.unwrap();
    let before = std::fs::read(&path).unwrap();
    assert_eq!(keys.rotate(&store).await.unwrap(), 250);
    assert_ne!(std::fs::read(&path).unwrap(), before);
    for number in [0, 99, 100, 249] {
        let connection = format!("c{number:03}");
        let stored = secrets::of(&store, &connection).await.unwrap();
        for keys in [&keys, &other] {
            let opened = keys.unseal(&context(&connection), &stored[0].sealed).await.unwrap();
            assert_eq!(*opened, format!("key {number}"));
        }
    }
    // What the other process seals after the rotation opens after the old key is forgotten.
    let mut writing = store.write().await.unwrap();
    let sealed = other.seal(&mut writing, &mut made, &context("c250"), "later").await.unwrap();
    writing.commit().await.unwrap();
    assert_eq!(*keys.unseal(&context("c250"), &sealed).await.unwrap(), "later");
    std::fs::remove_file(&path).unwrap();
    let lost = Keys::open(&source, &store).await.unwrap_err();
    assert!(lost.hint.unwrap().contains("keys of 250 connections"));
    std::fs::write(&path, before).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let wrong = Keys::open(&source, &store).await.unwrap_err();
    assert!(wrong.detail.contains("is not the key of this store"), "{wrong}");
}
