//! Tests of checkpoints: what is read back, and what is refused.

use std::fs;

use proptest::prelude::*;

use super::*;
use crate::collect::guard::mark;

fn identity() -> Identity {
    let text = |text: &str| text.to_owned();
    Identity {
        connector: text("c"),
        version: text("1"),
        component: text("sha256:0"),
        origin: text("https://a.test"),
        settings: text("s"),
        output: text("/o"),
        format: text("csv"),
    }
}

fn page(number: u64) -> Entry {
    let admitted = Admitted { new: vec![mark(&number.to_string()), mark("x")], again: vec![] };
    let counts = Counts { pages: number, first_total: Some(9), ..Counts::default() };
    Entry::Page(Page {
        next: Some(format!("c{number}")),
        offset: number * 100,
        digest: [7; 32],
        counts,
        admitted,
        notes: vec![Note {
            message: format!("note {number}"),
            hint: "Look.".into(),
            setting: None,
        }],
    })
}

#[test]
fn where_no_checkpoint_can_be_another_place_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    for (place, why) in [
        (".", "it is a folder"),
        ("missing/checkpoint", "its folder is not there"),
        ("file/checkpoint", "Not a directory"),
    ] {
        let failure = Checkpoint::open(&folder.path().join(place), &identity()).unwrap_err();
        let elsewhere = Remedy::OtherPlace { of: Place::Checkpoint };
        assert_eq!((failure.code, &*failure.remedy), (Code::Checkpoint, &elsewhere), "{place}");
        assert!(failure.message.contains(why), "{place}: {failure}");
    }
}

fn journal(entries: &[Entry]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    let (mut checkpoint, there) = Checkpoint::open(&path, &identity()).unwrap();
    assert_eq!(there, []);
    for entry in entries {
        checkpoint.append(entry).unwrap();
    }
    (folder, path)
}

#[test]
fn what_was_written_is_read_again_and_goes_on() {
    let entries = [page(1), Entry::Restart, page(2)];
    let (_folder, path) = journal(&entries);
    let (mut checkpoint, there) = Checkpoint::open(&path, &identity()).unwrap();
    assert_eq!(there, entries);
    checkpoint.append(&page(3)).unwrap();
    drop(checkpoint);
    assert_eq!(Checkpoint::open(&path, &identity()).unwrap().1.len(), 4);
}

#[test]
fn a_torn_line_counts_as_never_written_wherever_it_is_torn() {
    let (_folder, path) = journal(&[page(1), page(2)]);
    let whole = fs::read(&path).unwrap();
    let ends: Vec<usize> = whole
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n')
        .map(|(at, _)| at + 1)
        .collect();
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let (checkpoint, there) = Checkpoint::open(&path, &identity()).unwrap();
        let good = ends.iter().filter(|end| **end <= length).count();
        assert_eq!(there.len(), good.saturating_sub(1), "{length}");
        drop(checkpoint);
        assert_eq!(fs::read(&path).unwrap(), &whole[..ends[good.max(1) - 1]], "{length}");
    }
}

#[test]
fn a_changed_line_ends_what_is_believed() {
    let (_folder, path) = journal(&[page(1), page(2), page(3)]);
    let text = fs::read_to_string(&path).unwrap().replace("\"c2\"", "\"c9\"");
    fs::write(&path, text).unwrap();
    assert_eq!(Checkpoint::open(&path, &identity()).unwrap().1, [page(1)]);
}

#[test]
fn another_collections_checkpoint_is_refused_and_left_as_it_is() {
    let (_folder, path) = journal(&[page(1)]);
    let before = fs::read(&path).unwrap();
    type Change = fn(&mut Identity);
    let changes: [(Change, &str); 7] = [
        (|identity| identity.connector.push('x'), "connector is another one: `c` there, `cx` now"),
        (
            |identity| identity.version.push('x'),
            "connector's version is another one: `1` there, `1x` now",
        ),
        (
            |identity| identity.settings.push('x'),
            "organization, or another setting, is another one",
        ),
        (
            |identity| identity.origin.push('x'),
            "service that is asked is another one: `https://a.test` there, `https://a.testx` \
             now",
        ),
        (
            |identity| identity.component.push('x'),
            "component's build is another one: `sha256:0` there, `sha256:0x` now",
        ),
        (|identity| identity.output.push('x'), "output is another one: `/o` there, `/ox` now"),
        (|identity| identity.format.push('x'), "format is another one: `csv` there, `csvx` now"),
    ];
    for (change, what) in changes {
        let mut other = identity();
        change(&mut other);
        let failure = Checkpoint::open(&path, &other).unwrap_err();
        assert_eq!(failure.code, Code::Checkpoint);
        assert!(
            failure.message.ends_with(&format!("belongs to another collection: the {what}")),
            "{}",
            failure.message
        );
        assert!(failure.hint.is_some_and(|hint| hint.starts_with("Nothing was changed. ")));
    }
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn somebody_elses_file_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    for text in
        ["my notes", "my notes\nand more\n", "{\"json\":true}\n", "deadbeefdeadbeef but not ours\n"]
    {
        fs::write(&path, text).unwrap();
        assert_eq!(
            Checkpoint::open(&path, &identity()).unwrap_err().code,
            Code::Checkpoint,
            "{text}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn two_runs_do_not_share_a_checkpoint() {
    let (_folder, path) = journal(&[]);
    let _first = Checkpoint::open(&path, &identity()).unwrap();
    let failure = Checkpoint::open(&path, &identity()).unwrap_err();
    assert!(failure.message.ends_with("is in use by another run"));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint");
        fs::write(&path, &bytes).unwrap();
        match Checkpoint::open(&path, &identity()) {
            Ok((_, entries)) => prop_assert_eq!(entries, []),
            Err(failure) => prop_assert_eq!(failure.code, Code::Checkpoint),
        }
    }
}
