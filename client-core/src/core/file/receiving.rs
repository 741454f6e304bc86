//! Fetching a file: part after part, each kept by the shell before the next is asked for. [F-5]

use cobijo_protocol::file::{FileBodies, FileHash};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{FileId, FileWork};
use crate::core::{
    port::{Seen, Wants},
    thread::{Bodies, Content, OnEmpty},
};

/// A file on its way from the relay.
#[derive(Serialize, Deserialize)]
pub(super) struct Receiving {
    bodies: FileBodies,
    sha256: FileHash,
    /// Where its bytes are kept in this profile.
    pub(super) local: FileId,
    /// Parts below this one are kept.
    part: u32,
    #[serde(skip)]
    step: Step,
}

/// What is being done with a part; a restart begins it again.
#[derive(Default)]
enum Step {
    /// Nothing yet.
    #[default]
    Begin,
    /// Its bodies are being read.
    Reading(Bodies),
    /// The shell is keeping it.
    Keeping,
    /// All are kept, and what is kept is being hashed, from the first part.
    Checking { hash: Sha256, part: u32 },
    /// It has ended.
    Over(Received),
}

/// What a file was read to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Received {
    /// It is here, and as its author said.
    Whole,
    /// Something of it is void or missing, for everyone.
    Incomplete,
    /// Its bytes are others than its author said.
    Altered,
    /// What was kept of it is lost.
    Lost,
}

impl Receiving {
    pub(super) fn new(bodies: FileBodies, sha256: FileHash, local: FileId) -> Self {
        Self {
            bodies,
            sha256,
            local,
            part: 0,
            step: Step::Begin,
        }
    }

    /// Parts that are kept.
    pub(super) fn done(&self) -> u32 {
        self.part
    }

    /// What became of it, once that is known.
    pub(super) fn received(&self) -> Option<Received> {
        match &self.step {
            Step::Over(received) => Some(*received),
            Step::Begin | Step::Reading(_) | Step::Keeping | Step::Checking { .. } => None,
        }
    }

    /// Takes the steps that are possible; gives what the shell has to do.
    pub(super) fn poll_work(&mut self) -> Option<FileWork> {
        loop {
            match &self.step {
                Step::Begin => match self.bodies.head(self.part) {
                    Some(head) => {
                        self.step = Step::Reading(Bodies::new(head, true, OnEmpty::Close));
                    }
                    None => {
                        let hash = Sha256::new();
                        self.step = Step::Checking { hash, part: 0 };
                        return Some(self.read(0));
                    }
                },
                Step::Reading(reading) => {
                    let payload = match reading.content()? {
                        Content::Payload(payload) => payload,
                        Content::Void | Content::Gone => return self.end(Received::Incomplete),
                    };
                    let Some(bytes) = self.bodies.open(self.part, &payload) else {
                        return self.end(Received::Incomplete);
                    };
                    if bytes.is_empty() {
                        self.part += 1;
                        self.step = Step::Begin;
                        continue;
                    }
                    let work = FileWork::Keep {
                        file: self.local,
                        part: self.part,
                        bytes: bytes.to_vec().into(),
                    };
                    self.step = Step::Keeping;
                    return Some(work);
                }
                Step::Keeping | Step::Checking { .. } | Step::Over(_) => return None,
            }
        }
    }

    fn read(&self, part: u32) -> FileWork {
        FileWork::Read {
            file: self.local,
            part,
        }
    }

    fn end(&mut self, received: Received) -> Option<FileWork> {
        self.step = Step::Over(received);
        None
    }

    /// The shell has made a part durable.
    pub(super) fn handle_kept(&mut self, part: u32) {
        if part == self.part && matches!(self.step, Step::Keeping) {
            self.part += 1;
            self.step = Step::Begin;
        }
    }

    /// The shell has read a part, or found that it is lost; gives what it has to read next.
    pub(super) fn handle_read(&mut self, part: u32, bytes: Option<&[u8]>) -> Option<FileWork> {
        let Step::Checking { hash, part: next } = &mut self.step else {
            return None;
        };
        let (size, is_next) = (self.bodies.size, part == *next);
        if !is_next {
            return None;
        }
        let Some(bytes) = bytes.filter(|bytes| bytes.len() == size.range(part).len()) else {
            return self.end(Received::Lost);
        };
        hash.update(bytes);
        *next += 1;
        let next = *next;
        if !size.range(next).is_empty() {
            return Some(self.read(next));
        }
        let digest: [u8; 32] = hash.clone().finalize().into();
        let is_same = digest == *self.sha256.as_bytes();
        self.end(if is_same {
            Received::Whole
        } else {
            Received::Altered
        })
    }

    /// What is wanted from the relay: the bodies of one part.
    pub(super) fn wants(&self, wants: &mut Wants) {
        if let Step::Reading(reading) = &self.step {
            reading.wants(wants);
        }
    }

    /// Takes what the relay said.
    pub(super) fn handle_seen(&mut self, seen: &Seen) {
        if let Step::Reading(reading) = &mut self.step {
            reading.handle_seen(seen);
        }
    }
}
