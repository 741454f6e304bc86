//! Files, as they are asked for, shown, and handed over to whoever keeps their bytes.

use cobijo_protocol::file::{FileHash, FileKind, FileLabel, FileSize, Fingerprint, Millis, Way};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{ConversationId, view::FileNumber};

/// Names the bytes of a file in this profile: random, and told to nobody.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FileId([u8; 16]);

impl FileId {
    /// Wraps random bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// What is asked for about files.
#[derive(Clone)]
pub enum FileCommand {
    /// Sends a file whose bytes the shell has kept.
    Send {
        /// Where.
        conversation: ConversationId,
        /// What.
        file: OutgoingFile,
    },
    /// Tells of a file that stays here.
    Tell {
        /// Where.
        conversation: ConversationId,
        /// What.
        fingerprint: Fingerprint,
    },
    /// Fetches a file: nothing is fetched before.
    Open {
        /// Of which conversation.
        conversation: ConversationId,
        /// Which.
        file: FileNumber,
    },
}

impl FileCommand {
    /// Where.
    pub(crate) fn conversation(&self) -> ConversationId {
        match self {
            Self::Send { conversation, .. }
            | Self::Tell { conversation, .. }
            | Self::Open { conversation, .. } => *conversation,
        }
    }
}

/// A file that is to be sent.
#[derive(Clone)]
pub struct OutgoingFile {
    /// Where the shell has kept its bytes.
    pub local: FileId,
    /// What readers may do with it.
    pub way: Way,
    /// What its bytes are.
    pub kind: FileKind,
    /// How many.
    pub size: FileSize,
    /// SHA-256 of them.
    pub sha256: FileHash,
    /// SHA-256 of the bytes that these were made from, where they were.
    pub original: Option<FileHash>,
    /// When it was read.
    pub taken: Millis,
    /// What she calls it.
    pub label: Option<FileLabel>,
}

/// A file of a conversation.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileView {
    /// Which.
    pub number: FileNumber,
    /// Whether this side sent it.
    pub own: bool,
    /// What readers may do with it.
    pub way: Way,
    /// What its bytes are, as its author says.
    pub kind: FileKind,
    /// How many.
    pub size: FileSize,
    /// SHA-256 of them.
    pub sha256: FileHash,
    /// SHA-256 of the bytes that these were made from, where they were.
    pub original: Option<FileHash>,
    /// When its author's device read it.
    pub taken: Millis,
    /// What its author calls it.
    pub label: Option<FileLabel>,
    /// Where it is on its way.
    pub state: FileState,
    /// Where its bytes are in this profile, once all of them are.
    pub local: Option<FileId>,
}

/// Where a file is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileState {
    /// Own: on its way to the relay; nobody is told of it yet.
    Sending {
        /// Parts that stand there.
        done: u32,
        /// All of them.
        total: u32,
    },
    /// Own: it could not be sent, and nobody is told of it.
    NotSent,
    /// Own: sent, and not kept here.
    Sent,
    /// Nothing of it was fetched.
    Unopened,
    /// It is being fetched.
    Opening {
        /// Parts that are here.
        done: u32,
        /// All of them.
        total: u32,
    },
    /// It is here.
    Here,
    /// Its time is over: it can't be had any more.
    Expired,
    /// Something of it is missing, for everyone.
    Gone,
    /// What stood there was not what its author said; nothing of it was kept.
    Altered,
}

/// What the shell has to do with the bytes of a file. A part is [`cobijo_protocol::file::FILE_PART_BYTES`] at most.
#[derive(Clone)]
pub enum FileWork {
    /// Read a part; answered by [`PartDone::Read`].
    Read {
        /// Of which file.
        file: FileId,
        /// Which.
        part: u32,
    },
    /// Keep a part, sealed; answered by [`PartDone::Kept`] once that is durable.
    Keep {
        /// Of which file.
        file: FileId,
        /// Which.
        part: u32,
        /// Its bytes.
        bytes: Zeroizing<Vec<u8>>,
    },
}

/// What the shell has done with a part of a file.
#[derive(Clone)]
pub enum PartDone {
    /// Read it.
    Read {
        /// Of which file.
        file: FileId,
        /// Which.
        part: u32,
        /// Its bytes, unless they are lost.
        bytes: Option<Zeroizing<Vec<u8>>>,
    },
    /// Made it durable.
    Kept {
        /// Of which file.
        file: FileId,
        /// Which.
        part: u32,
    },
}
