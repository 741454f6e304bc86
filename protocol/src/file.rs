//! Files: what a message says of one, and where its bytes stand. [F-1]–[F-4]
//!
//! A file's bytes never stand in a message. They are cut into *parts*, each like the bodies of a head with
//! an empty first part, under a secret that is derived from the file's. All bodies stand before the
//! message that names the secret is said, so nobody but the author can have written them.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::{
    cell::Cell,
    fixed::{byte_array, opaque_debug},
    limits::{FILE_BODIES_MAX, FILE_BODIES_MIN, FILE_LABEL_BYTES_MAX, HEAD_BODIES_MAX},
    parts::{BODY_PART_MAX, Head, Split},
    slot::{Slot, ThreadSecret, file_part_secret},
};

/// Most bytes of a file: what [`FILE_BODIES_MAX`] bodies hold.
pub const FILE_BYTES_MAX: usize = FILE_BODIES_MAX * BODY_PART_MAX;
/// Bytes of a part that is not the last.
pub const FILE_PART_BYTES: usize = HEAD_BODIES_MAX * BODY_PART_MAX;

byte_array!(
    /// SHA-256 of a file's bytes.
    public FileHash, 32
);

opaque_debug!(File, FileBodies, FileLabel, Fingerprint);

/// A time of the author's clock: milliseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(u64);

impl Millis {
    /// Wraps milliseconds since 1970-01-01 UTC.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01 UTC.
    pub const fn millis(self) -> u64 {
        self.0
    }
}

/// A file that a message tells of. [F-1]
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// What readers may do with it.
    pub way: Way,
    /// What its bytes are.
    pub kind: FileKind,
    /// SHA-256 of its bytes.
    pub sha256: FileHash,
    /// SHA-256 of the bytes that these were made from, where they were.
    pub original: Option<FileHash>,
    /// When the author's device read it.
    pub taken: Millis,
    /// What the author calls it: the name that it has on her device is not told.
    pub label: Option<FileLabel>,
    /// Where its bytes stand.
    pub bodies: FileBodies,
}

/// The fingerprint of a file that was not sent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fingerprint {
    /// What its bytes are.
    pub kind: FileKind,
    /// How many.
    pub size: u64,
    /// SHA-256 of them.
    pub sha256: FileHash,
    /// When the author's device read it.
    pub taken: Millis,
    /// What the author calls it.
    pub label: Option<FileLabel>,
}

/// What readers may do with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Way {
    /// Look at it until then.
    Show {
        /// When it goes, by the author's clock.
        until: Millis,
    },
    /// Keep it: a sealed copy of the original.
    Keep,
}

/// What a file's bytes are, as its author's client found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// A JPEG picture.
    Jpeg,
    /// A PNG picture.
    Png,
    /// A WebP picture.
    Webp,
    /// Anything else.
    Other,
}

impl FileKind {
    /// What the first bytes say.
    pub fn of(bytes: &[u8]) -> Self {
        if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
            Self::Jpeg
        } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Self::Png
        } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
            Self::Webp
        } else {
            Self::Other
        }
    }
}

/// What an author calls a file.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FileLabel(String);

impl FileLabel {
    /// The text: clients clean it before they show it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for FileLabel {
    type Error = BadFile;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.is_empty() || text.len() > FILE_LABEL_BYTES_MAX {
            Err(BadFile)
        } else {
            Ok(Self(text))
        }
    }
}

impl From<FileLabel> for String {
    fn from(label: FileLabel) -> Self {
        label.0
    }
}

/// It can't be a file of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no file that a message may tell of")]
pub struct BadFile;

/// A file's length: from 1 to [`FILE_BYTES_MAX`] bytes. [F-1]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct FileSize(u32);

impl TryFrom<u64> for FileSize {
    type Error = BadFile;

    fn try_from(bytes: u64) -> Result<Self, Self::Error> {
        let size = u32::try_from(bytes).map_err(|_| BadFile)?;
        let is_within = (1..=FILE_BYTES_MAX).contains(&(size as usize));
        is_within.then_some(Self(size)).ok_or(BadFile)
    }
}

impl From<FileSize> for u64 {
    fn from(size: FileSize) -> Self {
        Self::from(size.0)
    }
}

impl FileSize {
    /// How many bytes.
    pub fn bytes(self) -> usize {
        self.0 as usize
    }

    /// Bodies, with those that are only padding: four numbers between each power of two and the next, so
    /// that how many there are says little of the length, and costs at most a quarter more. [F-3]
    pub fn bodies(self) -> usize {
        let bodies = self.bytes().div_ceil(BODY_PART_MAX).max(FILE_BODIES_MIN);
        bodies.next_multiple_of(1 << (bodies.ilog2() - 2))
    }

    /// Parts, of up to 64 bodies each.
    pub fn parts(self) -> u32 {
        u32::try_from(self.bodies().div_ceil(HEAD_BODIES_MAX)).unwrap_or(u32::MAX)
    }

    /// Which of the file's bytes stand in a part: none in one that is only padding.
    pub fn range(self, part: u32) -> Range<usize> {
        let start = (part as usize).saturating_mul(FILE_PART_BYTES);
        let end = start.saturating_add(FILE_PART_BYTES).min(self.bytes());
        start.min(end)..end
    }

    /// Bytes of a part with its padding; none behind the last.
    fn padded_len(self, part: u32) -> usize {
        let before = (part as usize).saturating_mul(HEAD_BODIES_MAX);
        self.bodies().saturating_sub(before).min(HEAD_BODIES_MAX) * BODY_PART_MAX
    }
}

/// Where a file's bytes stand: who has this reads and erases them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileBodies {
    /// How many bytes.
    pub size: FileSize,
    /// What the secrets of the parts are derived from.
    pub secret: ThreadSecret,
}

impl FileBodies {
    /// A part, as a head with an empty first part would name it; `None` behind the last. [F-2]
    pub fn head(&self, part: u32) -> Option<Head> {
        let total = u32::try_from(self.size.padded_len(part)).ok()?;
        (total > 0).then(|| Head {
            total,
            secret: file_part_secret(&self.secret, part),
            part: Vec::new(),
        })
    }

    /// Seals a part, given its bytes: always to the same cells, so that whoever was interrupted goes on
    /// without having to know how far she was. [F-4]
    pub fn seal(&self, part: u32, bytes: &[u8]) -> Option<Vec<(Slot, Cell)>> {
        let head = self.head(part)?;
        if bytes.len() != self.size.range(part).len() {
            return None;
        }
        let mut padded = bytes.to_vec();
        padded.resize(head.total as usize, 0);
        let split = Split::all_in_bodies(&padded, head.secret.clone()).ok()?;
        let sealed = split.bodies.iter().enumerate().map(|(index, body)| {
            let slot = head.body_slot(index, true);
            let cell = slot.seal_deterministic(body).ok()?;
            Some((slot, cell))
        });
        sealed.collect()
    }

    /// The file's bytes in what a part was read to; `None` where its padding is not zero. [F-3]
    pub fn open<'a>(&self, part: u32, payload: &'a [u8]) -> Option<&'a [u8]> {
        let (bytes, padding) = payload.split_at_checked(self.size.range(part).len())?;
        let is_whole = payload.len() == self.size.padded_len(part);
        (is_whole && padding.iter().all(|&byte| byte == 0)).then_some(bytes)
    }

    /// Slot of body `index` of all parts. [F-2]
    pub fn slot(&self, index: usize) -> Option<Slot> {
        let part = u32::try_from(index / HEAD_BODIES_MAX).ok()?;
        let (head, index) = (self.head(part)?, index % HEAD_BODIES_MAX);
        (index < head.bodies()).then(|| head.body_slot(index, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bodies(bytes: usize) -> FileBodies {
        FileBodies {
            size: FileSize::try_from(bytes as u64).unwrap(),
            secret: ThreadSecret::from_bytes([7; 32]),
        }
    }

    /// [F-1]
    #[test]
    fn a_file_has_some_bytes_and_not_too_many() {
        for bytes in [0, FILE_BYTES_MAX as u64 + 1, 1 << 32, u64::MAX] {
            assert_eq!(FileSize::try_from(bytes), Err(BadFile));
        }
        let most = FileSize::try_from(FILE_BYTES_MAX as u64).unwrap();
        assert_eq!(most.bodies(), FILE_BODIES_MAX);
        assert_eq!(most.parts(), 64);
        for label in [String::new(), "x".repeat(FILE_LABEL_BYTES_MAX + 1)] {
            assert!(FileLabel::try_from(label).is_err());
        }
    }

    /// [F-3]
    #[test]
    fn the_number_of_bodies_says_little_and_costs_at_most_a_quarter() {
        let mut numbers = std::collections::BTreeSet::new();
        for needed in 1..=FILE_BODIES_MAX {
            let size = bodies(needed * BODY_PART_MAX).size;
            let padded = size.bodies();
            assert!(padded >= needed && padded <= FILE_BODIES_MAX);
            assert!(padded <= FILE_BODIES_MIN || padded * 4 <= needed * 5);
            numbers.insert(padded);
        }
        assert_eq!(numbers.len(), 33);
    }

    /// [F-2] [F-4]
    #[test]
    fn every_part_is_sealed_to_the_same_cells_and_comes_back() {
        let file: Vec<u8> = (0..FILE_PART_BYTES + 70_000_usize)
            .map(|at| at as u8)
            .collect();
        let bodies = bodies(file.len());
        let (mut rest, mut cells) = (Vec::new(), 0);
        for part in 0..bodies.size.parts() {
            let bytes = &file[bodies.size.range(part)];
            let sealed = bodies.seal(part, bytes).unwrap();
            assert!(sealed == bodies.seal(part, bytes).unwrap());
            let head = bodies.head(part).unwrap();
            let mut payload = Vec::new();
            for (index, (slot, cell)) in sealed.iter().enumerate() {
                assert!(bodies.slot(cells) == Some(slot.clone()));
                assert!(slot.erase_key().is_some());
                payload.extend(head.body_part(index, &slot.open(cell).unwrap()).unwrap());
                cells += 1;
            }
            rest.extend_from_slice(bodies.open(part, &payload).unwrap());
        }
        assert!(rest == file);
        assert_eq!(cells, bodies.size.bodies());
        assert!(bodies.slot(cells).is_none());
        assert!(bodies.head(bodies.size.parts()).is_none());
    }

    /// [F-3]
    #[test]
    fn padding_that_says_something_is_no_part() {
        let bodies = bodies(10);
        let mut payload = vec![0; FILE_BODIES_MIN * BODY_PART_MAX];
        assert!(bodies.open(0, &payload).is_some());
        assert!(bodies.open(0, &payload[1..]).is_none());
        payload[10] = 1;
        assert!(bodies.open(0, &payload).is_none());
        assert!(bodies.seal(0, &[1; 9]).is_none());
    }

    #[test]
    fn a_picture_is_known_by_its_first_bytes() {
        assert_eq!(FileKind::of(&[0xff, 0xd8, 0xff, 0xe1]), FileKind::Jpeg);
        assert_eq!(FileKind::of(b"\x89PNG\r\n\x1a\n...."), FileKind::Png);
        assert_eq!(FileKind::of(b"RIFF....WEBPVP8 "), FileKind::Webp);
        for other in [b"GIF89a".as_slice(), b"RIFF....WAVE", b""] {
            assert_eq!(FileKind::of(other), FileKind::Other);
        }
    }
}
