//! The checkpoint: an append-only journal of deliveries, from which a stopped collection resumes.
//!
//! ```text
//! 5f0c…  {"journal":2,"connector":…,"settings":…,"output":…}      identity of the collection
//! 91ab…  {"page":{…,"next":"…","offset":…,"digest":…}}            one line per page, after the page's rows are on the disk
//! 77e1…  {"restart":true}                                         the second sweep began
//! ```
//! Each line begins with a checksum over itself and all lines before it: an incomplete line, and
//! whatever follows it, counts as never written. A page's digest covers all rows so far, so that a
//! run resumes only with the output that they were written to. It holds no personal data: account
//! ids and settings are hashed, cursors are the service's own.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, ErrorKind, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::output::Fingerprint;
use crate::collect::guard::{Admitted, Counts, Mark};
use crate::collect::report::Note;
use crate::failure::{Code, Failure};
use crate::remedy::{Place, Remedy};

/// Version of this journal's format. Version 1 had no component, origin or digests.
const FORMAT: u32 = 2;
/// Longest line, in bytes: the marks of the largest page, and a cursor.
const LONGEST_LINE: u64 = 64 * 1024 * 1024;

/// The identity of a checkpoint's collection. All of it must be equal for a resume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Id of the connector.
    pub connector: String,
    /// Version of the connector.
    pub version: String,
    /// Digest of the component: another build of the same version may give other rows.
    pub component: String,
    /// The origin of the requests, or the recorded traffic in its place.
    pub origin: String,
    /// Hash of the settings that are not secret; they identify the organization.
    pub settings: String,
    /// The output, as an absolute path.
    pub output: String,
    /// The format of the output.
    pub format: String,
}

/// One page that was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Where the next page begins; `None` after the last page.
    pub next: Option<String>,
    /// Bytes of the output, including this page's rows.
    pub offset: u64,
    /// Fingerprint of these bytes.
    pub digest: Fingerprint,
    /// The counts so far.
    pub counts: Counts,
    /// The members of the page.
    pub admitted: Admitted,
    /// What the connector noted on it, and on no page before.
    pub notes: Vec<Note>,
}

/// An entry of the journal, in order.
#[allow(clippy::large_enum_variant, reason = "nearly every entry is a page")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A page was delivered.
    Page(Page),
    /// The second sweep began.
    Restart,
}

/// A checkpoint that is being written.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    file: File,
    chain: Chain,
}

type Chain = [u8; 8];

#[derive(Serialize, Deserialize)]
struct Form {
    journal: u32,
}

#[derive(Serialize, Deserialize)]
struct Header {
    journal: u32,
    #[serde(flatten)]
    identity: Identity,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    Page {
        next: Option<String>,
        offset: u64,
        digest: String,
        #[serde(flatten)]
        counts: Counts,
        new: String,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        again: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        notes: Vec<Note>,
    },
    Restart(bool),
}

impl Checkpoint {
    /// Opens the checkpoint at this path, or begins one. Its entries are returned.
    ///
    /// # Errors
    /// `checkpoint`, when it is another collection's, in use, no checkpoint, or where none can be;
    /// `output`, when it cannot be written.
    pub fn open(path: &Path, identity: &Identity) -> Result<(Self, Vec<Entry>), Failure> {
        let failed = |error: io::Error| fault(path, &error);
        if path.is_dir() {
            return Err(impossible(path, "it is a folder"));
        }
        if std::fs::metadata(path).is_ok_and(|there| !there.is_file()) {
            return Err(impossible(path, "it is a device, a pipe or a socket"));
        }
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(super::target::OWNER_ALONE)
            .open(path)
            .map_err(|error| match error.kind() {
                ErrorKind::NotFound => impossible(path, "its folder is not there"),
                ErrorKind::NotADirectory
                | ErrorKind::IsADirectory
                | ErrorKind::PermissionDenied
                | ErrorKind::ReadOnlyFilesystem
                | ErrorKind::InvalidFilename => impossible(path, &error.to_string()),
                _ => failed(error),
            })?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(refused(
                    path,
                    "is in use by another run",
                    "Wait until that run has ended, or use another checkpoint.",
                )
                .with_remedy(Remedy::WaitForRun { of: Place::Checkpoint }));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let mut checkpoint = Self { path: path.to_owned(), file, chain: Chain::default() };
        let length = checkpoint.file.metadata().map_err(failed)?.len();
        let entries = if length == 0 { None } else { checkpoint.read(identity)? };
        match entries {
            Some(entries) => Ok((checkpoint, entries)),
            None => {
                checkpoint
                    .file
                    .set_len(0)
                    .and_then(|()| checkpoint.file.rewind())
                    .map_err(failed)?;
                checkpoint.write(&Header { journal: FORMAT, identity: identity.clone() })?;
                super::target::sync_folder(path);
                Ok((checkpoint, Vec::new()))
            }
        }
    }

    /// Adds an entry, and waits until it is on the disk.
    ///
    /// # Errors
    /// `output` if it cannot be written.
    pub fn append(&mut self, entry: &Entry) -> Result<(), Failure> {
        let line = match entry {
            Entry::Restart => Line::Restart(true),
            Entry::Page(page) => Line::Page {
                next: page.next.clone(),
                offset: page.offset,
                digest: hex::encode(page.digest),
                counts: page.counts,
                new: BASE64.encode(page.admitted.new.concat()),
                again: BASE64.encode(page.admitted.again.concat()),
                notes: page.notes.clone(),
            },
        };
        self.write(&line)
    }

    /// Removes the checkpoint of a finished collection. A file that cannot be removed is emptied,
    /// like a new one.
    ///
    /// # Errors
    /// `checkpoint` if it can be neither emptied nor removed: the next run would believe that its
    /// own collection is finished.
    pub fn remove(self) -> Result<(), Failure> {
        // Emptied and then removed: a run that is killed in between begins again.
        let emptied = self.file.set_len(0);
        let Err(error) = std::fs::remove_file(&self.path) else { return Ok(()) };
        match emptied.and_then(|()| self.file.sync_all()) {
            Err(_) if error.kind() != ErrorKind::NotFound => Err(refused(
                &self.path,
                &format!("can be neither removed nor emptied: {error}"),
                "Remove it before the next run, which would resume from it. A checkpoint belongs \
                 in a folder that this user may write to.",
            )),
            _ => Ok(()),
        }
    }

    fn write(&mut self, line: &impl Serialize) -> Result<(), Failure> {
        let failed = |error: io::Error| fault(&self.path, &error);
        let json = serde_json::to_string(line).map_err(|error| failed(error.into()))?;
        let chain = link(self.chain, json.as_bytes());
        let text = format!("{} {json}\n", hex::encode(chain));
        self.file
            .write_all(text.as_bytes())
            .and_then(|()| self.file.sync_data())
            .map_err(failed)?;
        self.chain = chain;
        Ok(())
    }

    /// Reads the entries. `None` if not even the first line was written whole.
    fn read(&mut self, identity: &Identity) -> Result<Option<Vec<Entry>>, Failure> {
        let path = self.path.clone();
        let elsewhere = Remedy::OtherPlace { of: Place::Checkpoint };
        let no_checkpoint = || {
            refused(&path, "is not a checkpoint", "Give another file: this one was not changed.")
                .with_remedy(elsewhere.clone())
        };
        let mut lines =
            Lines { reader: BufReader::new(&self.file), chain: Chain::default(), good: 0 };
        let Some(first) = lines.next_good().map_err(|_| no_checkpoint())? else {
            // A torn first line is a checkpoint's only if it begins like one; anything else is
            // another file.
            let torn = lines.starts_like_one().map_err(|_| no_checkpoint())?;
            return if torn { Ok(None) } else { Err(no_checkpoint()) };
        };
        let Form { journal } = serde_json::from_str(&first).map_err(|_| no_checkpoint())?;
        if journal != FORMAT {
            let age = if journal < FORMAT { "an earlier" } else { "a later" };
            return Err(refused(
                &path,
                &format!(
                    "was written by {age} version of this program, in a format that this version \
                     cannot resume from"
                ),
                "Nothing was changed. Finish the collection with the version that began it, or \
                 remove the checkpoint to begin again from the first page.",
            ));
        }
        let header: Header = serde_json::from_str(&first).map_err(|_| no_checkpoint())?;
        let others = |difference: Difference| {
            let Difference { what, hint, .. } = difference;
            refused(&path, &format!("belongs to another collection: the {what}"), hint)
                .with_remedy(elsewhere.clone())
        };
        let difference = difference(&header.identity, identity);
        if let Some(difference) = difference.clone().filter(|difference| difference.always) {
            return Err(others(difference));
        }
        let mut entries = Vec::new();
        while let Some(line) = lines.next_good().map_err(|error| fault(&path, &error))? {
            entries.push(entry(&line).ok_or_else(no_checkpoint)?);
        }
        match difference {
            // Nothing was delivered that could be mixed up.
            Some(_) if entries.is_empty() => return Ok(None),
            Some(difference) => return Err(others(difference)),
            None => {}
        }
        let (good, chain) = (lines.good, lines.chain);
        let cut = self.file.set_len(good).and_then(|()| self.file.seek(SeekFrom::Start(good)));
        cut.map_err(|error| fault(&path, &error))?;
        self.chain = chain;
        Ok(Some(entries))
    }
}

/// Reads lines as long as their checksums are right.
struct Lines<R> {
    reader: R,
    chain: Chain,
    /// Bytes of the valid lines.
    good: u64,
}

impl<R: BufRead + Seek> Lines<R> {
    fn next_good(&mut self) -> io::Result<Option<String>> {
        let mut bytes = Vec::new();
        let length =
            io::Read::take(&mut self.reader, LONGEST_LINE).read_until(b'\n', &mut bytes)?;
        let Some(line) = std::str::from_utf8(&bytes).ok().and_then(|line| line.strip_suffix('\n'))
        else {
            return Ok(None);
        };
        let Some((checksum, json)) = line.split_once(' ') else { return Ok(None) };
        let chain = link(self.chain, json.as_bytes());
        if checksum != hex::encode(chain) {
            return Ok(None);
        }
        self.chain = chain;
        self.good += u64::try_from(length).unwrap_or(u64::MAX);
        Ok(Some(json.to_owned()))
    }

    fn starts_like_one(&mut self) -> io::Result<bool> {
        self.reader.rewind()?;
        let mut start = Vec::new();
        io::Read::take(&mut self.reader, LONGEST_LINE).read_until(b'\n', &mut start)?;
        let whole = start.ends_with(b"\n");
        let digits = start.iter().take(16).all(u8::is_ascii_hexdigit);
        Ok(!whole && digits && start.get(16).is_none_or(|byte| *byte == b' '))
    }
}

fn entry(json: &str) -> Option<Entry> {
    match serde_json::from_str(json).ok()? {
        Line::Restart(_) => Some(Entry::Restart),
        Line::Page { next, offset, digest, counts, new, again, notes } => {
            let mut bytes = Fingerprint::default();
            hex::decode_to_slice(digest, &mut bytes).ok()?;
            let admitted = Admitted { new: marks(&new)?, again: marks(&again)? };
            Some(Entry::Page(Page { next, offset, digest: bytes, counts, admitted, notes }))
        }
    }
}

fn marks(text: &str) -> Option<Vec<Mark>> {
    let bytes = BASE64.decode(text).ok()?;
    let (marks, rest) = bytes.as_chunks();
    rest.is_empty().then(|| marks.to_vec())
}

fn link(chain: Chain, json: &[u8]) -> Chain {
    let digest = Sha256::new().chain_update(chain).chain_update(json).finalize();
    let mut next = Chain::default();
    for (to, from) in next.iter_mut().zip(digest) {
        *to = from;
    }
    next
}

/// A difference between two identities.
#[derive(Clone)]
struct Difference {
    what: String,
    /// What to do about it.
    hint: &'static str,
    /// Whether it counts even before anything was delivered.
    always: bool,
}

/// The first difference between two identities. Those that always count come first.
fn difference(there: &Identity, here: &Identity) -> Option<Difference> {
    const OTHER: &str = "Nothing was changed. Use a separate checkpoint for each collection, or \
                         remove this one to begin again.";
    const BUILD: &str = "Nothing was changed. Finish the collection with the component that began \
                         it, or remove the checkpoint to begin again from the first page with \
                         this one: one file cannot hold the rows of two builds.";
    const ORIGIN: &str = "Nothing was changed. Use the same service as the run that stopped, or a \
                          separate checkpoint and output for each service.";
    const SETTINGS: &str = "organization, or another setting,";
    let rows = [
        ("connector", &there.connector, &here.connector, OTHER, true),
        ("connector's version", &there.version, &here.version, BUILD, true),
        ("format", &there.format, &here.format, OTHER, true),
        (SETTINGS, &there.settings, &here.settings, OTHER, true),
        ("output", &there.output, &here.output, OTHER, true),
        ("service that is asked", &there.origin, &here.origin, ORIGIN, false),
        ("component's build", &there.component, &here.component, BUILD, false),
    ];
    let (name, there, here, hint, always) =
        rows.into_iter().find(|(_, there, here, ..)| there != here)?;
    // Settings are hashed, and their digests tell a person nothing.
    let shown = |text: &str| crate::text::shortened(text, 200).into_owned();
    let values = if name == SETTINGS {
        String::new()
    } else {
        format!(": `{}` there, `{}` now", shown(there), shown(here))
    };
    Some(Difference { what: format!("{name} is another one{values}"), hint, always })
}

fn fault(path: &Path, error: &io::Error) -> Failure {
    crate::collect::sink::fault(path, error).with_remedy(Remedy::MakeRoom { of: Place::Checkpoint })
}

/// The refusal of a place where no checkpoint can ever be, so that no later run could go on.
fn impossible(path: &Path, why: &str) -> Failure {
    refused(
        path,
        &format!("cannot be a checkpoint: {why}"),
        "No request was sent. Name a file in a folder that exists and that this user may write \
         to.",
    )
    .with_remedy(Remedy::OtherPlace { of: Place::Checkpoint })
}

fn refused(path: &Path, what: &str, hint: &str) -> Failure {
    Failure::new(Code::Checkpoint, format!("`{}` {what}", path.display())).with_hint(hint)
}

#[cfg(test)]
mod tests;
