//! Target `checkpoint`: the journal of a collection. Whatever is in the file, only entries that
//! were written are accepted.
//!
//! An input begins with a letter:
//! * `r`: the rest is the file.
//! * `s`: the rest are lines without checksums, which the target adds, so that the content after a
//!   checksum is reached too.
//! * `d`: the rest is a damage, in five bytes, and the pages delivered before it, in four bytes
//!   each.
//!
//! Property: a file is refused and not changed, or begun again if not even its first line is whole,
//! or read up to its first bad line, which an independent reader finds too. The entries equal the
//! lines. An entry that is added then is found the next time, after the others.

use std::fs;
use std::path::Path;

use serde_json::Value;
use sha2::{Digest, Sha256};
use smp_host::collect::guard::{Admitted, Counts, mark};
use smp_host::failure::Code;
use smp_host::files::checkpoint::{Checkpoint, Entry, Identity, Page};

use super::scratch;

/// Texts with a meaning in a journal.
pub const DICTIONARY: &[&str] = &[
    "r",
    "s",
    "d",
    "\n",
    " ",
    "{\"journal\":1,",
    "{\"journal\":2,\"connector\":\"c\",\"version\":\"1\",\"component\":\"d\",\"origin\":\"a\",",
    "\"settings\":\"s\",\"output\":\"/o\",\"format\":\"csv\"}\n",
    "\"digest\":\"0000000000000000000000000000000000000000000000000000000000000000\"",
    "{\"restart\":true}\n",
    "\"next\":null",
    "\"next\":\"c1\"",
    "\"offset\":",
    "\"members\":",
    "\"first_total\":null",
    "\"new\":\"AAAAAAAAAAAAAAAAAAAAAA\"",
    "\"again\":\"\"",
    "AAAAAAAAAAAAAAAAAAAAAA",
    "5f0c0000000000aa ",
];

/// Runs the target.
pub fn run(data: &[u8]) {
    let (kind, rest) = data.split_first().map_or((b'r', data), |(kind, rest)| (*kind, rest));
    let folder = scratch::folder();
    let path = folder.path().join("checkpoint");
    match kind {
        b's' => fs::write(&path, signed(rest)).expect("a file"),
        b'd' => return damaged(rest, &path),
        _ => fs::write(&path, rest).expect("a file"),
    }
    let before = fs::read(&path).expect("the file");
    let good = good_lines(&before);
    match Checkpoint::open(&path, &identity()) {
        Err(failure) => {
            assert_eq!(failure.code, Code::Checkpoint, "{failure}");
            assert_eq!(fs::read(&path).expect("the file"), before, "refused, and changed");
        }
        Ok((checkpoint, entries)) if good.is_empty() => {
            assert_eq!(entries, [], "begun again, with entries");
            assert!(!before.contains(&b'\n'), "a foreign file was begun again");
            goes_on(checkpoint, &entries, &path);
        }
        Ok((checkpoint, entries)) => {
            assert_eq!(entries.len() + 1, good.len(), "{entries:?}");
            assert_is_ours(good[0]);
            entries.iter().zip(&good[1..]).for_each(|(entry, line)| assert_same(entry, line));
            goes_on(checkpoint, &entries, &path);
        }
    }
}

/// Writes a journal, damages it, and checks what can be read.
fn damaged(rest: &[u8], path: &Path) {
    let Some((damage, pages)) = rest.split_first_chunk::<5>() else { return };
    let written: Vec<Entry> = pages.chunks(4).take(8).map(entry).collect();
    let (mut checkpoint, _) = Checkpoint::open(path, &identity()).expect("a new journal");
    written.iter().for_each(|entry| checkpoint.append(entry).expect("an entry more"));
    drop(checkpoint);
    let whole = fs::read(path).expect("the file");
    let [kind, high, low, length, value] = *damage;
    let at = usize::from(u16::from_be_bytes([high, low])) % (whole.len() + 1);
    let end = (at + usize::from(length)).min(whole.len());
    let mut bytes = whole.clone();
    match kind % 4 {
        0 => bytes.truncate(at),
        1 => bytes[at..end].iter_mut().for_each(|byte| *byte ^= value.max(1)),
        2 => drop(bytes.drain(at..end)),
        _ => drop(bytes.splice(at..at, whole[at..end].to_vec())),
    }
    fs::write(path, &bytes).expect("a file");
    // Whole lines before the first changed byte: no more and no fewer may be accepted.
    let same = whole.iter().zip(&bytes).take_while(|(one, other)| one == other).count();
    let intact = whole[..same].iter().filter(|byte| **byte == b'\n').count();
    match Checkpoint::open(path, &identity()) {
        Ok((checkpoint, entries)) => {
            assert_eq!(entries, written[..intact.saturating_sub(1)], "damaged at {same}");
            goes_on(checkpoint, &entries, path);
        }
        Err(failure) => {
            assert_eq!((failure.code, intact), (Code::Checkpoint, 0), "{failure}");
            assert_eq!(fs::read(path).expect("the file"), bytes, "refused, and changed");
        }
    }
}

/// Adds an entry, and finds it after the others.
fn goes_on(mut checkpoint: Checkpoint, entries: &[Entry], path: &Path) {
    checkpoint.append(&Entry::Restart).expect("an entry more");
    drop(checkpoint);
    let (_, after) = Checkpoint::open(path, &identity()).expect("what was just written");
    assert_eq!(after.split_last(), Some((&Entry::Restart, entries)));
}

/// The lines of a file as far as their checksums are right.
fn good_lines(bytes: &[u8]) -> Vec<&str> {
    let mut chain = [0; 8];
    let mut good = Vec::new();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let Some(line) = std::str::from_utf8(line).ok().and_then(|line| line.strip_suffix('\n'))
        else {
            break;
        };
        let Some((checksum, json)) = line.split_once(' ') else { break };
        chain = next(chain, json.as_bytes());
        if checksum != hex(&chain) {
            break;
        }
        good.push(json);
    }
    good
}

/// The lines with their checksums.
fn signed(lines: &[u8]) -> Vec<u8> {
    let mut chain = [0; 8];
    let mut file = Vec::new();
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        let json = line.strip_suffix(b"\n").unwrap_or(line);
        chain = next(chain, json);
        file.extend_from_slice(hex(&chain).as_bytes());
        file.push(b' ');
        file.extend_from_slice(line);
    }
    file
}

fn next(chain: [u8; 8], json: &[u8]) -> [u8; 8] {
    *Sha256::digest([&chain[..], json].concat()).first_chunk().expect("a digest is longer")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn identity() -> Identity {
    let text = |text: &str| text.to_owned();
    let (component, origin) = (text("d"), text("a"));
    Identity {
        connector: text("c"),
        version: text("1"),
        component,
        origin,
        settings: text("s"),
        output: text("/o"),
        format: text("csv"),
    }
}

/// Requires that a first line names this collection.
fn assert_is_ours(line: &str) {
    let told: Value = serde_json::from_str(line).expect("a header");
    assert_eq!(told["journal"], 2);
    let identity = serde_json::to_value(identity()).expect("JSON");
    for (key, value) in identity.as_object().expect("an object") {
        assert_eq!(told[key], *value, "{key}");
    }
}

/// Requires that an entry equals its line.
fn assert_same(entry: &Entry, line: &str) {
    let told: Value = serde_json::from_str(line).expect("an entry");
    match entry {
        Entry::Restart => assert!(told.get("restart").is_some(), "{line}"),
        Entry::Page(page) => {
            let told = &told["page"];
            assert_eq!(page.next.as_deref(), told["next"].as_str(), "{line}");
            assert_eq!(Some(page.offset), told["offset"].as_u64(), "{line}");
            assert_eq!(
                Some(hex(&page.digest).as_str()),
                told["digest"].as_str().map(str::to_lowercase).as_deref(),
                "{line}"
            );
            assert_eq!(Some(page.counts.members), told["members"].as_u64(), "{line}");
            let marks = |key: &str| {
                told[key].as_str().unwrap_or_default().trim_end_matches('=').len() * 6 / 8 / 16
            };
            assert_eq!(
                (page.admitted.new.len(), page.admitted.again.len()),
                (marks("new"), marks("again")),
                "{line}"
            );
        }
    }
}

fn entry(bytes: &[u8]) -> Entry {
    let [count, again, next, offset] =
        [0, 1, 2, 3].map(|at| bytes.get(at).copied().unwrap_or_default());
    if count == u8::MAX {
        return Entry::Restart;
    }
    let marks = |prefix: char, count: u8| {
        (0..count % 5).map(|number| mark(&format!("{prefix}{number}"))).collect()
    };
    let counts = Counts {
        pages: u64::from(offset),
        members: u64::from(count),
        last_total: Some(9),
        ..Counts::default()
    };
    let next = (next != 0).then(|| format!("c\n\"\u{e9}{next}"));
    let admitted = Admitted { new: marks('n', count), again: marks('a', again) };
    Entry::Page(Page {
        next,
        offset: u64::from(offset),
        digest: [offset; 32],
        counts,
        admitted,
        notes: vec![],
    })
}
