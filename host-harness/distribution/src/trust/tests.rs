//! Tests of the trust policy: who is vouched for, and the words of each refusal.

use super::*;
use crate::metadata::testing::component;
use crate::package::Sums;
use crate::signature::key::KeyPair;

fn policy(key: &KeyPair, connectors: &str) -> TrustPolicy {
    let text = format!(
        "[[publisher]]\nname = \"Example Ltd\"\nkeys = ['''{}''']\nconnectors = {connectors}\n",
        key.public().to_pem()
    );
    TrustPolicy::read(text.as_bytes()).unwrap()
}

fn package(version: &str, signer: Option<&KeyPair>) -> Package {
    let wasm = component("example", version);
    let sums =
        Sums::read(format!("{}  example.wasm\n", Digest::of(&wasm).hex()).into_bytes()).unwrap();
    let signature =
        signer.map(|signer| signature::to_text(&signer.sign(sums.bytes()).unwrap()).into_bytes());
    Package::whole(sums, BTreeMap::from([("example.wasm".into(), wasm)]), signature).unwrap()
}

fn refusal(policy: &TrustPolicy, package: &Package) -> String {
    let failure = policy.judge(package).unwrap_err();
    assert!(failure.code == Code::Untrusted && failure.hint.is_some(), "{failure:?}");
    failure.message
}

#[test]
fn a_release_of_a_trusted_publisher_is_vouched_for() {
    let key = KeyPair::generate().unwrap();
    let verified = policy(&key, "{ example = { minimum = \"1.0.0\" } }")
        .judge(&package("1.0.0+5", Some(&key)))
        .unwrap();
    assert_eq!(
        (verified.publisher.as_str(), verified.identity.to_string().as_str()),
        ("Example Ltd", "example 1.0.0+5")
    );
    assert_eq!(verified.key, key.public().fingerprint());
}

#[test]
fn the_entry_for_a_key_is_one_of_a_trust_file() {
    let key = KeyPair::generate().unwrap();
    let entry = entry(&key.public());
    let policy = TrustPolicy::read(entry.as_bytes()).unwrap();
    assert_eq!(policy.publishers[0].keys, [key.public()]);
    assert!(entry.contains(&key.public().fingerprint().to_string()));
}

#[test]
fn a_bundle_beside_the_sums_is_a_signature_too() {
    let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let policy = policy(&key, "{ example = {} }");
    let bundle = |signer: &KeyPair, material: &str| {
        let package = package("1.0.0", None);
        let signature = signer.sign(package.sums().unwrap().bytes()).unwrap();
        let text = signature::to_text(&signature);
        let bundle = format!(
            "{{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\",\
             \"verificationMaterial\":{{\"{material}\":{{}}}},\
             \"messageSignature\":{{\"signature\":\"{text}\"}}}}"
        );
        package.with_bundle(Some(bundle.into_bytes()))
    };
    assert!(policy.judge(&bundle(&key, "publicKey")).is_ok());
    let keyless = refusal(&policy, &bundle(&key, "certificate"));
    assert!(keyless.starts_with("it is signed without a key"));
    let unknown = refusal(&policy, &bundle(&other, "publicKey"));
    assert!(unknown.starts_with("it is signed, but not by a key"));
    let unread = package("1.0.0", None).with_bundle(Some(b"{}".to_vec()));
    assert!(refusal(&policy, &unread).contains("holds no signature that is read here"));
    let both = package("1.0.0", Some(&other));
    let both = both.with_bundle(bundle(&key, "publicKey").bundle().map(ToOwned::to_owned));
    assert!(policy.judge(&both).is_ok());
}

#[test]
fn a_file_beside_a_valid_signature_must_be_a_signature_too() {
    let key = KeyPair::generate().unwrap();
    let policy = policy(&key, "{ example = {} }");
    let bundle = |kind: &str, signed: &[u8]| {
        let text = signature::to_text(&key.sign(signed).unwrap());
        format!(
            "{{\"mediaType\":\"{kind}\",\"verificationMaterial\":{{\"publicKey\":{{}}}},\
             \"messageSignature\":{{\"signature\":\"{text}\"}}}}"
        )
    };
    let kind = "application/vnd.dev.sigstore.bundle.v0.3+json";
    let other = bundle(kind, b"other");
    let foreign = bundle("text/html", b"other");
    for (bundle, is_trusted) in [
        ("{}", false),
        ("", false),
        ("<script>alert(1)</script>", false),
        (foreign.as_str(), false),
        // A signature by a key that the trust file does not name.
        (other.as_str(), true),
    ] {
        let package = package("1.0.0", Some(&key)).with_bundle(Some(bundle.into()));
        if is_trusted {
            assert!(policy.judge(&package).is_ok(), "{bundle}");
        } else {
            let told = refusal(&policy, &package);
            let damaged = "SHA256SUMS.sigstore.json holds no signature that is read here";
            assert_eq!(told, damaged, "{bundle}");
        }
    }
    let signed = package("1.0.0", Some(&key));
    let valid = bundle(kind, signed.sums().unwrap().bytes());
    for junk in ["", "<html>"] {
        let files = BTreeMap::from([("example.wasm".into(), signed.component().to_vec())]);
        let sums = signed.sums().unwrap().clone();
        let package = Package::whole(sums, files, Some(junk.into())).unwrap();
        let package = package.with_bundle(Some(valid.clone().into_bytes()));
        assert!(refusal(&policy, &package).starts_with("SHA256SUMS.sig holds no signature"));
    }
}

#[test]
fn each_refusal_has_its_own_words() {
    let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let policy = policy(&key, "{ example = { minimum = \"1.2.0\" }, desk = {} }");
    assert!(refusal(&policy, &package("1.2.0", None)).starts_with("it is not signed"));
    assert!(
        refusal(&policy, &package("1.2.0", Some(&other)))
            .starts_with("it is signed, but not by a key")
    );
    let old = refusal(&policy, &package("1.1.9", Some(&key)));
    assert_eq!(old, "example 1.1.9 is older than the minimum in the trust file, which is 1.2.0");
    assert!(refusal(&policy, &package("1.2.0-rc.1", Some(&key))).contains("is older than"));
    let others = self::policy(&key, "{ desk = {} }");
    assert_eq!(
        refusal(&others, &package("1.2.0", Some(&key))),
        "Example Ltd signed it, who may not publish the connector `example`"
    );
    let mut revoking = policy.clone();
    let package = package("1.2.0", Some(&key));
    revoking.revoked.insert(Digest::of(package.component()));
    assert!(refusal(&revoking, &package).ends_with("is revoked by the trust file"));
}

#[test]
fn a_file_that_could_be_misread_is_refused() {
    let key = KeyPair::generate().unwrap().public().to_pem();
    let publisher = |name: &str| {
        format!(
            "[[publisher]]\nname = \"{name}\"\nkeys = ['''{key}''']\nconnectors = {{ a = {{}} \
             }}\n"
        )
    };
    for (text, reason) in [
        (String::new(), "missing field `publisher`"),
        ("publisher = []\nmore = 1".into(), "line 2: unknown field `more`"),
        (publisher("A").replace("{}", "{ minimun = \"1.0.0\" }"), "unknown field `minimun`"),
        (publisher("A").replace("{}", "{ minimum = \"1\" }"), "parsing major version number"),
        (
            publisher("A").replace("PUBLIC", "PRIVATE"),
            "key 1 of A cannot be used: it has a private key",
        ),
        (publisher("A").replace(&format!("'''{key}'''"), ""), "A has no key"),
        (publisher(" "), "a publisher has no name"),
        (publisher("A") + &publisher("A"), "the publisher `A` appears twice"),
        (publisher("A") + &publisher("B"), "appears twice"),
        (
            format!("revoked = [\"sha256:1\"]\n{}", publisher("A")),
            "a digest is `sha256:` and 64 digits",
        ),
    ] {
        let failure = TrustPolicy::read(text.as_bytes()).unwrap_err();
        assert!(
            failure.code == Code::InvalidSettings && failure.message.contains(reason),
            "{failure} {text}"
        );
    }
    let many: String =
        (0..=MOST_PUBLISHERS).map(|number| publisher(&format!("P{number}"))).collect();
    assert!(TrustPolicy::read(many.as_bytes()).unwrap_err().message.contains("more than 1000"));
}
