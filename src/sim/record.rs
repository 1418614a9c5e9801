//! Recordings: a header, the commands with their ticks, and state hashes every second.
//!
//! File format `.cnr`: the line `CNR1\n`, then records, each as `length: u32 LE`, `postcard bytes`, `checksum: u32 LE` (first
//! four bytes of BLAKE3). A file cut short opens up to its last whole record.

use std::io::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::command::Command;

const MAGIC: &[u8] = b"CNR1\n";
/// No record is longer than this; a larger length is damage.
const MAX_RECORD_BYTES: u32 = 64 * 1024 * 1024;

/// Three words: a replay with another dose setting must keep the first two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateHash {
    /// Rods, wall, free bodies.
    pub mechanics: u64,
    /// Flow, contrast, therapy, patient.
    pub blood: u64,
    /// X-ray room.
    pub xray: u64,
}

impl std::fmt::Display for StateHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}-{:016x}-{:016x}", self.mechanics, self.blood, self.xray)
    }
}

/// What a recording is of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Program version; bits are promised for the same version only.
    pub version: String,
    /// Id of the case.
    pub case_id: String,
    /// The case file's text, so that a recording stands alone.
    pub case_text: String,
    /// Hash of anatomy and devices the case was compiled with.
    pub assets_hash: String,
    /// Seed.
    pub seed: u64,
    /// Ticks per second.
    pub ticks_per_s: u64,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Record {
    /// First record.
    Header(Header),
    /// A command applied at the start of a tick.
    Command {
        /// Tick.
        tick: u64,
        /// Command.
        command: Command,
    },
    /// Hashes of the state after a tick.
    Hash {
        /// Tick.
        tick: u64,
        /// Words.
        hash: StateHash,
    },
    /// The session ended after this tick.
    End {
        /// Tick.
        tick: u64,
    },
}

/// A whole recording in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// Header.
    pub header: Header,
    /// Commands in order.
    pub commands: Vec<(u64, Command)>,
    /// Hashes in order.
    pub hashes: Vec<(u64, StateHash)>,
    /// Last tick known.
    pub last_tick: u64,
    /// The file ended in the middle of a record.
    pub truncated: bool,
}

/// Why a recording cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// File access.
    #[error("{path}: {source}")]
    Io {
        /// File.
        path: String,
        /// Cause.
        source: std::io::Error,
    },
    /// Not a recording.
    #[error("{path} is not a cathnav recording: it must begin with `CNR1`, found {found}")]
    NotARecording {
        /// File.
        path: String,
        /// First bytes.
        found: String,
    },
    /// No header.
    #[error("{path} holds no whole header record; nothing can be replayed from it")]
    NoHeader {
        /// File.
        path: String,
    },
    /// Other version.
    #[error(
        "the recording was made by version {found}, this is {here}; a replay gives the same bits only within one version"
    )]
    Version {
        /// In the file.
        found: String,
        /// This program.
        here: String,
    },
    /// Other assets.
    #[error(
        "the recording was made with anatomy and devices {found}, here they are {here}; it cannot be replayed bit by bit"
    )]
    Assets {
        /// In the file.
        found: String,
        /// Here.
        here: String,
    },
    /// The replay differs.
    #[error(
        "the replay differs from the recording at tick {tick} ({word}): recorded {recorded:016x}, now {replayed:016x}"
    )]
    Diverged {
        /// First tick with another hash.
        tick: u64,
        /// `mechanics`, `blood` or `xray`.
        word: &'static str,
        /// Recorded word.
        recorded: u64,
        /// Replayed word.
        replayed: u64,
    },
}

/// Bytes of one record.
fn encode(record: &Record) -> Vec<u8> {
    let payload = postcard::to_stdvec(record).expect("plain data always serializes");
    let mut bytes = Vec::with_capacity(payload.len() + 8);
    bytes.extend((payload.len() as u32).to_le_bytes());
    bytes.extend(&payload);
    bytes.extend(&blake3::hash(&payload).as_bytes()[..4]);
    bytes
}

/// Bytes of a whole recording file.
pub fn to_bytes(records: &[Record]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    for record in records {
        bytes.extend(encode(record));
    }
    bytes
}

/// Appends records to a file as they come; what was written survives a crash.
#[derive(Debug)]
pub struct RecordWriter {
    file: std::fs::File,
}

impl RecordWriter {
    /// Creates the file.
    ///
    /// # Errors
    /// When it cannot be created or written.
    pub fn create(path: &Path) -> std::io::Result<Self> {
        let mut file = std::fs::File::create(path)?;
        file.write_all(MAGIC)?;
        Ok(Self { file })
    }

    /// Appends and flushes to the disk.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn append(&mut self, records: &[Record]) -> std::io::Result<()> {
        let bytes: Vec<u8> = records.iter().flat_map(encode).collect();
        self.file.write_all(&bytes)?;
        self.file.sync_data()
    }
}

impl Recording {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, is no recording or holds no header.
    pub fn read(path: &Path) -> Result<Self, RecordError> {
        let name = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|source| RecordError::Io { path: name.clone(), source })?;
        Self::from_bytes(&bytes, &name)
    }

    /// Reads bytes; total for any input.
    ///
    /// # Errors
    /// When they are no recording or hold no header.
    pub fn from_bytes(bytes: &[u8], name: &str) -> Result<Self, RecordError> {
        let Some(mut rest) = bytes.strip_prefix(MAGIC) else {
            let found = format!("{:?}", String::from_utf8_lossy(&bytes[..bytes.len().min(8)]));
            return Err(RecordError::NotARecording { path: name.to_owned(), found });
        };
        let mut header = None;
        let (mut commands, mut hashes, mut last_tick) = (Vec::new(), Vec::new(), 0);
        let mut truncated = false;
        while !rest.is_empty() {
            let Some((record, after)) = decode(rest) else {
                truncated = true;
                break;
            };
            rest = after;
            match record {
                Record::Header(h) => header = Some(h),
                Record::Command { tick, command } => {
                    last_tick = last_tick.max(tick);
                    commands.push((tick, command));
                }
                Record::Hash { tick, hash } => {
                    last_tick = last_tick.max(tick);
                    hashes.push((tick, hash));
                }
                Record::End { tick } => last_tick = last_tick.max(tick),
            }
        }
        let header = header.ok_or_else(|| RecordError::NoHeader { path: name.to_owned() })?;
        Ok(Self { header, commands, hashes, last_tick, truncated })
    }

    /// Checks version and assets against this program.
    ///
    /// # Errors
    /// [`RecordError::Version`] or [`RecordError::Assets`].
    pub fn check_replayable(&self, assets_hash: &str) -> Result<(), RecordError> {
        let here = crate::VERSION;
        if self.header.version != here {
            return Err(RecordError::Version { found: self.header.version.clone(), here: here.to_owned() });
        }
        if self.header.assets_hash != assets_hash {
            let found = self.header.assets_hash.clone();
            return Err(RecordError::Assets { found, here: assets_hash.to_owned() });
        }
        Ok(())
    }
}

/// One record from the front, or `None` if it is not whole or damaged.
fn decode(bytes: &[u8]) -> Option<(Record, &[u8])> {
    let length = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?);
    if length > MAX_RECORD_BYTES {
        return None;
    }
    let end = 4 + length as usize;
    let payload = bytes.get(4..end)?;
    let checksum = bytes.get(end..end + 4)?;
    if blake3::hash(payload).as_bytes()[..4] != *checksum {
        return None;
    }
    Some((postcard::from_bytes(payload).ok()?, &bytes[end + 4..]))
}

/// Names the first word in which two hashes differ.
///
/// # Errors
/// [`RecordError::Diverged`].
pub fn compare(tick: u64, recorded: StateHash, replayed: StateHash) -> Result<(), RecordError> {
    for (word, a, b) in [
        ("mechanics", recorded.mechanics, replayed.mechanics),
        ("blood", recorded.blood, replayed.blood),
        ("xray", recorded.xray, replayed.xray),
    ] {
        if a != b {
            return Err(RecordError::Diverged { tick, word, recorded: a, replayed: b });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records() -> Vec<Record> {
        let header = Header {
            version: crate::VERSION.to_owned(),
            case_id: "c".to_owned(),
            case_text: "Case()".to_owned(),
            assets_hash: "abc".to_owned(),
            seed: 7,
            ticks_per_s: 60,
        };
        let hash = StateHash { mechanics: 1, blood: 2, xray: 3 };
        vec![
            Record::Header(header),
            Record::Command { tick: 3, command: Command::AskHint },
            Record::Hash { tick: 60, hash },
            Record::End { tick: 70 },
        ]
    }

    #[test]
    fn a_recording_comes_back_and_a_cut_one_opens_to_its_last_whole_record() {
        let bytes = to_bytes(&records());
        let whole = Recording::from_bytes(&bytes, "x").unwrap();
        assert_eq!((whole.commands.len(), whole.hashes.len(), whole.last_tick), (1, 1, 70));
        assert!(!whole.truncated);
        let cut = Recording::from_bytes(&bytes[..bytes.len() - 5], "x").unwrap();
        assert_eq!((cut.hashes.len(), cut.last_tick, cut.truncated), (1, 60, true));
        assert!(matches!(Recording::from_bytes(b"hello", "x"), Err(RecordError::NotARecording { .. })));
        assert!(matches!(Recording::from_bytes(b"CNR1\n\x01", "x"), Err(RecordError::NoHeader { .. })));
    }
}
