//! `make package` of a new project: the folder is whole, is a release of its commit, and is signed,
//! verified and run as `docs/publishing.md` says.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use smp_tests::harness::{Run, names, read_json};

use super::{Project, text_of};

const PASSWORD: &str = "a password";

impl Project {
    /// Packages it as a release. `linked` is among what is linked in.
    pub(super) fn is_packaged(&self, linked: &str) {
        let commit = self.commit();
        let ended = self.make(&["package", "RELEASE=1"]);
        assert!(ended.status.success(), "{}", text_of(&ended));
        let package = self.path().join("dist/rosterly-0.1.0");
        let whole = [
            "CHANGELOG.md",
            "SHA256SUMS",
            "listing.html",
            "listing.json",
            "listing.md",
            "rosterly.wasm",
            "sbom.cdx.json",
        ];
        assert_eq!(names(&package), whole);
        let read = |name: &str| fs::read(package.join(name)).unwrap();
        assert!(read("CHANGELOG.md").starts_with(b"## 0.1.0\n\n- The first version"));
        let listing = read_json(&package.join("listing.json"));
        assert_eq!(listing["metadata"]["revision"], commit, "{listing}");
        assert_eq!(listing["date"], "2023-11-14T22:13:20Z");
        let bill = read_json(&package.join("sbom.cdx.json"));
        let parts = bill["components"].as_array().unwrap();
        assert!(parts.iter().any(|part| part["name"] == linked), "{bill}");
        assert_eq!(bill["metadata"]["component"]["version"], "0.1.0");
        // A second one has the same bytes, and so the same signature.
        let sums = read("SHA256SUMS");
        fs::remove_dir_all(&package).unwrap();
        assert!(self.make(&["package"]).status.success());
        assert!(read("SHA256SUMS") == sums, "{}", String::from_utf8_lossy(&sums));
        self.is_signed();
    }

    /// Puts it under git, with nothing that is built, and returns the commit.
    fn commit(&self) -> Value {
        let git = |arguments: &[&str]| {
            let ended = Command::new("git")
                .args(["-c", "user.name=Author", "-c", "user.email=author@rosterly.test"])
                .args(["-c", "commit.gpgSign=false"])
                .args(arguments)
                .current_dir(self.path())
                .env("GIT_COMMITTER_DATE", "1700000000 +0000")
                .output()
                .unwrap();
            assert!(ended.status.success(), "{}", text_of(&ended));
            String::from_utf8(ended.stdout).unwrap()
        };
        git(&["init", "--quiet"]);
        git(&["add", "."]);
        git(&["commit", "--quiet", "--message", "Begin"]);
        let files = git(&["ls-files", "--", "dist", "build", "node_modules", ".venv"]);
        assert_eq!(files, "");
        json!(git(&["rev-parse", "HEAD"]).trim())
    }

    /// Signs the package, and runs it by a trust file; a changed file is refused.
    fn is_signed(&self) {
        let path = |name: &str| self.0.path().join(name);
        let package = self.path().join("dist/rosterly-0.1.0");
        let bare = || Run::bare().env("COSIGN_PASSWORD", PASSWORD);
        let made = bare().args(["sign", "--generate"]).arg(path("keys")).end();
        assert_eq!(made.code, Some(0), "{}", made.stderr);
        assert!(made.stdout.contains("connector-id"), "{}", made.stdout);
        let trust = path("trust.toml");
        fs::write(&trust, made.stdout.replace("connector-id", "rosterly")).unwrap();
        let signed = bare().arg("sign").arg(&package).file("--key", &path("keys/cosign.key")).end();
        assert_eq!(signed.code, Some(0), "{}", signed.stderr);
        let verify = || Run::bare().arg("verify").arg(&package).file("--trust", &trust).end();
        let verified = verify();
        assert_eq!(verified.code, Some(0), "{}", verified.stderr);
        assert!(verified.stdout.contains("rosterly 0.1.0"), "{}", verified.stdout);
        let collected = Run::bare()
            .arg("collect")
            .arg(package.join("rosterly.wasm"))
            .file("--trust", &trust)
            .file("--fixture", &self.path().join("fixtures/people-on-two-pages"))
            .end();
        assert_eq!(collected.code, Some(0), "{}", collected.stderr);
        let page = package.join("listing.md");
        fs::write(&page, fs::read_to_string(&page).unwrap() + "\n").unwrap();
        assert_eq!(verify().code, Some(1));
    }
}
