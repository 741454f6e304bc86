//! Files of a client: what its shell keeps, and what it is asked for.

use std::collections::{BTreeMap, BTreeSet};

use cobijo_client_core::core::client::{
    Command, CommandError, FileCommand, FileId, FileNumber, FileState, FileView, FileWork, Input,
    OutgoingFile, PartDone,
};
use cobijo_protocol::file::{FILE_PART_BYTES, FileHash, FileKind, FileSize, Millis, Way};
use sha2::{Digest, Sha256};

use super::World;

/// Parts that a client's shell has kept.
#[derive(Default)]
pub(crate) struct Parts(BTreeMap<(FileId, u32), Vec<u8>>);

impl Parts {
    pub(crate) fn drop_file(&mut self, file: FileId) {
        self.0.retain(|(one, _), _| *one != file);
    }

    pub(crate) fn keep_only(&mut self, files: &BTreeSet<FileId>) {
        self.0.retain(|(one, _), _| files.contains(one));
    }

    /// Loses all of it, as a disk may.
    pub(crate) fn lose(&mut self) {
        self.0.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn bytes(&self, file: FileId) -> Vec<u8> {
        let parts = self.0.iter().filter(|((one, _), _)| *one == file);
        parts.flat_map(|(_, part)| part.clone()).collect()
    }
}

/// Bytes that are not all alike.
pub(crate) fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 31 + at / 251) as u8).collect()
}

pub(crate) fn hash(bytes: &[u8]) -> FileHash {
    FileHash::from_bytes(Sha256::digest(bytes).into())
}

impl World {
    /// What a shell does before it asks for a file to be sent.
    pub(crate) fn prepare(&mut self, client: usize, way: Way, bytes: &[u8]) -> Command {
        let conversation = self.conversation(client).id;
        let parts = &mut self.clients[client].parts;
        let local = FileId::from_bytes([u8::try_from(parts.len()).unwrap() + 1; 16]);
        for (part, bytes) in (0..).zip(bytes.chunks(FILE_PART_BYTES)) {
            parts.0.insert((local, part), bytes.to_vec());
        }
        let file = OutgoingFile {
            local,
            way,
            kind: FileKind::of(bytes),
            size: FileSize::try_from(bytes.len() as u64).unwrap(),
            sha256: hash(bytes),
            original: None,
            taken: Millis::from_millis(self.now.millis()),
            label: None,
        };
        Command::File(FileCommand::Send { conversation, file })
    }

    pub(crate) fn send_file(&mut self, client: usize, way: Way, bytes: &[u8]) {
        let send = self.prepare(client, way, bytes);
        self.command(client, send).unwrap();
    }

    pub(crate) fn open_command(&self, client: usize, file: FileNumber) -> Command {
        let conversation = self.conversation(client).id;
        Command::File(FileCommand::Open { conversation, file })
    }

    pub(crate) fn open_file(
        &mut self,
        client: usize,
        file: FileNumber,
    ) -> Result<(), CommandError> {
        let open = self.open_command(client, file);
        self.command(client, open)
    }

    pub(crate) fn files(&self, client: usize) -> Vec<FileView> {
        self.conversation(client).files
    }

    pub(crate) fn file_states(&self, client: usize) -> Vec<FileState> {
        self.files(client).iter().map(|file| file.state).collect()
    }

    /// Shown until so many hours from now.
    pub(crate) fn shown_for(&self, hours: u64) -> Way {
        let until = Millis::from_millis(self.now.millis() + hours * 3_600_000);
        Way::Show { until }
    }

    pub(super) fn do_file_work(&mut self, client: usize, work: FileWork) {
        if self.mute == Some((client, 0)) {
            return;
        }
        let parts = &mut self.clients[client].parts;
        let done = match work {
            FileWork::Read { file, part } => {
                let bytes = parts.0.get(&(file, part)).cloned();
                let bytes = bytes.map(Into::into);
                PartDone::Read { file, part, bytes }
            }
            FileWork::Keep { file, part, bytes } => {
                parts.0.insert((file, part), bytes.to_vec());
                PartDone::Kept { file, part }
            }
        };
        self.input(client, Input::FilePart(done));
    }
}
