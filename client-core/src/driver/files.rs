//! Where the bytes of files are read and kept.

use cobijo_protocol::file::{
    FILE_PART_BYTES, FileHash, FileKind, FileLabel, FileSize, Millis, Way,
};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{Driver, DriverError, now};
use crate::core::client::{
    Command, CommandError, ConversationId, FileCommand, FileId, FileView, FileWork, Input,
    OutgoingFile, PartDone,
};

/// A file that is to be sent.
pub struct NewFile<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// What they are.
    pub kind: FileKind,
    /// What readers may do with it.
    pub way: Way,
    /// SHA-256 of the bytes that these were made from, where they were.
    pub original: Option<FileHash>,
    /// When it was read.
    pub taken: Millis,
    /// What she calls it.
    pub label: Option<FileLabel>,
}

impl Driver {
    /// Keeps a file's bytes, sealed, and asks the client to send it: from then on it needs no other copy.
    ///
    /// # Errors
    /// The outer one: the driver can't go on. The inner one: the client refused, nothing has changed.
    pub fn send_file(
        &mut self,
        conversation: ConversationId,
        file: &NewFile<'_>,
    ) -> Result<Result<(), CommandError>, DriverError> {
        let Ok(size) = FileSize::try_from(file.bytes.len() as u64) else {
            return Ok(Err(CommandError::TooLong));
        };
        let mut local = [0; 16];
        getrandom::fill(&mut local).map_err(|_| DriverError::Random)?;
        let local = FileId::from_bytes(local);
        for (part, bytes) in (0..).zip(file.bytes.chunks(FILE_PART_BYTES)) {
            self.profile.keep_part(local, part, bytes)?;
        }
        let outgoing = OutgoingFile {
            local,
            way: file.way,
            kind: file.kind,
            size,
            sha256: hash(file.bytes),
            original: file.original,
            taken: file.taken,
            label: file.label.clone(),
        };
        let command = FileCommand::Send {
            conversation,
            file: outgoing,
        };
        let answer = self.handle_command(Command::File(command))?;
        if answer.is_err() {
            self.profile.drop_file(local)?;
        }
        Ok(answer)
    }

    /// The bytes of a file that is here; nothing where they are lost.
    ///
    /// # Errors
    /// The driver can't go on.
    pub fn read_file(&self, file: &FileView) -> Result<Option<Zeroizing<Vec<u8>>>, DriverError> {
        let Some(local) = file.local else {
            return Ok(None);
        };
        let mut bytes = Zeroizing::new(Vec::with_capacity(file.size.bytes()));
        for part in 0..file.size.parts() {
            if file.size.range(part).is_empty() {
                break;
            }
            match self.profile.read_part(local, part)? {
                Some(part) => bytes.extend_from_slice(&part),
                None => return Ok(None),
            }
        }
        Ok((hash(&bytes) == file.sha256).then_some(bytes))
    }

    pub(super) fn do_file_work(&mut self, work: FileWork) -> Result<(), DriverError> {
        let done = match work {
            FileWork::Read { file, part } => {
                let bytes = self.profile.read_part(file, part)?;
                PartDone::Read { file, part, bytes }
            }
            FileWork::Keep { file, part, bytes } => {
                self.profile.keep_part(file, part, &bytes)?;
                PartDone::Kept { file, part }
            }
        };
        self.client
            .handle_input(Input::FilePart(done), now(), &mut self.rng);
        Ok(())
    }
}

/// SHA-256 of a file's bytes.
pub fn hash(bytes: &[u8]) -> FileHash {
    FileHash::from_bytes(Sha256::digest(bytes).into())
}
