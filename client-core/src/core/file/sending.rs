//! Sending a file: part after part, and no byte of it in the state. [F-4]

use std::collections::BTreeSet;

use cobijo_protocol::{
    file::{File, FileBodies, Way},
    slot::Address,
};
use serde::{Deserialize, Serialize};

use super::{FileId, FileNumber, FileState, FileView, FileWork, OutgoingFile, told::view_of};
use crate::core::port::{Chain, Now, Put, Seen, Wants};

/// A file that is on its way, as it is shown.
#[derive(Serialize, Deserialize)]
pub(super) struct Outgoing {
    pub(super) number: FileNumber,
    pub(super) sending: Sending,
}

/// A file on its way to the relay.
#[derive(Serialize, Deserialize)]
pub(super) struct Sending {
    /// What will be said once all of it stands.
    file: File,
    /// Where its bytes are in this profile.
    pub(super) local: FileId,
    /// Parts below this one stand at the relay.
    part: u32,
    #[serde(skip)]
    loaded: Loaded,
}

/// The part that is on its way.
#[derive(Default)]
enum Loaded {
    /// Its bytes must be asked for.
    #[default]
    No,
    /// They are.
    Asked,
    /// Sealed; these slots are not known to be stored.
    Sealed {
        chain: Chain,
        open: BTreeSet<Address>,
    },
    /// It can't be sent.
    Failed,
}

impl Outgoing {
    pub(super) fn new(number: FileNumber, outgoing: OutgoingFile, bodies: FileBodies) -> Self {
        let local = outgoing.local;
        let file = File {
            way: outgoing.way,
            kind: outgoing.kind,
            sha256: outgoing.sha256,
            original: outgoing.original,
            taken: outgoing.taken,
            label: outgoing.label,
            bodies,
        };
        Self {
            number,
            sending: Sending::new(file, local),
        }
    }

    pub(super) fn view(&self) -> FileView {
        let file = &self.sending.file;
        let state = FileState::Sending {
            done: self.sending.part,
            total: file.bodies.size.parts(),
        };
        FileView {
            own: true,
            state,
            ..view_of(file, self.number)
        }
    }

    /// When it is no longer worth sending.
    pub(super) fn until(&self) -> Option<Now> {
        match self.sending.file.way {
            Way::Show { until } => Some(Now::from_millis(until.millis())),
            Way::Keep => None,
        }
    }
}

impl Sending {
    fn new(file: File, local: FileId) -> Self {
        Self {
            file,
            local,
            part: 0,
            loaded: Loaded::No,
        }
    }

    /// Where its bytes are here, and what was to be said of it.
    pub(super) fn into_parts(self) -> (FileId, File) {
        (self.local, self.file)
    }

    /// Whether all of it stands at the relay.
    pub(super) fn is_stored(&self) -> bool {
        self.part >= self.file.bodies.size.parts()
    }

    /// Whether it never will.
    pub(super) fn has_failed(&self) -> bool {
        matches!(self.loaded, Loaded::Failed)
    }

    /// Parts that stand.
    pub(super) fn done(&self) -> u32 {
        self.part
    }

    /// What the shell has to read.
    pub(super) fn poll_work(&mut self) -> Option<FileWork> {
        if self.is_stored() || !matches!(self.loaded, Loaded::No) {
            return None;
        }
        if self.file.bodies.size.range(self.part).is_empty() {
            self.seal(&[]);
            return None;
        }
        self.loaded = Loaded::Asked;
        Some(FileWork::Read {
            file: self.local,
            part: self.part,
        })
    }

    /// The shell has read a part, or found that it is lost.
    pub(super) fn handle_read(&mut self, part: u32, bytes: Option<&[u8]>) {
        if part != self.part || !matches!(self.loaded, Loaded::Asked) {
            return;
        }
        match bytes {
            Some(bytes) => self.seal(bytes),
            None => self.loaded = Loaded::Failed,
        }
    }

    fn seal(&mut self, bytes: &[u8]) {
        let Some(sealed) = self.file.bodies.seal(self.part, bytes) else {
            self.loaded = Loaded::Failed;
            return;
        };
        let put = |(slot, cell)| Put::new(&slot, cell);
        let chain: Chain = sealed.into_iter().map(put).collect();
        let open = chain.iter().map(Put::address).collect();
        self.loaded = Loaded::Sealed { chain, open };
    }

    /// What is wanted from the relay: the bodies of one part.
    pub(super) fn wants(&self, wants: &mut Wants) {
        if let Loaded::Sealed { chain, .. } = &self.loaded {
            wants.chains.push(chain.clone());
        }
    }

    /// Takes what the relay said.
    pub(super) fn handle_seen(&mut self, seen: &Seen) {
        let Loaded::Sealed { chain, open } = &mut self.loaded else {
            return;
        };
        match seen {
            Seen::Stored(at) => {
                open.remove(at);
                if open.is_empty() {
                    self.part += 1;
                    self.loaded = Loaded::No;
                }
            }
            // Nobody else knows the secret: the relay lies.
            Seen::Taken(at) if chain.iter().any(|put| put.address() == *at) => {
                self.loaded = Loaded::Failed;
            }
            Seen::Connected(_)
            | Seen::Empty(_)
            | Seen::Full(..)
            | Seen::Gone(_)
            | Seen::Taken(_)
            | Seen::Erased(_)
            | Seen::Dropped(..)
            | Seen::Item(..)
            | Seen::Removed(..) => {}
        }
    }
}
