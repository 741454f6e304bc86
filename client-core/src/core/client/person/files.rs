//! Files in a person's conversations.

use super::{ChannelId, CommandError, Context, Line, Person, Seen, Talking};
use crate::core::client::{FileCommand, FileId, PartDone, filing};

impl Person {
    pub(super) fn handle_file_command(
        &mut self,
        command: FileCommand,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        let id = command.conversation();
        let is_meant = |talking: &&mut Talking| talking.id == id;
        let talking = self.talks_mut().find(is_meant);
        let talking = talking.ok_or(CommandError::Unknown)?;
        filing::handle_command(&mut talking.conversation, command, context)
    }

    pub(super) fn file_lines(&self) -> impl Iterator<Item = Line> {
        self.talks()
            .filter_map(|talking| filing::line(&talking.conversation, &self.link.relay))
    }

    pub(super) fn files_seen(
        &mut self,
        channel: ChannelId,
        seen: &Seen,
        context: &mut Context<'_>,
    ) {
        for talking in self.talks_mut() {
            filing::handle_seen(&mut talking.conversation, channel, seen, context);
        }
    }

    /// The shell has done something for a file.
    pub(in crate::core::client) fn handle_part(
        &mut self,
        done: &PartDone,
        context: &mut Context<'_>,
    ) {
        for talking in self.talks_mut() {
            let conversation = &mut talking.conversation;
            conversation.handle_part(done, context.now, context.rng);
        }
        self.go_on(context);
    }

    /// What the shell keeps of all files.
    pub(in crate::core::client) fn local_files(&self) -> Vec<FileId> {
        let local = |talking: &Talking| talking.conversation.local_files().collect::<Vec<_>>();
        self.talks().flat_map(local).collect()
    }
}
