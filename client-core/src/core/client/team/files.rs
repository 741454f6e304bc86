//! Files in a member's conversations.

use super::Team;
use crate::core::client::{Context, FileId, PartDone};

impl Team {
    /// The shell has done something for a file.
    pub(in crate::core::client) fn handle_part(
        &mut self,
        done: &PartDone,
        context: &mut Context<'_>,
    ) {
        if let Self::Member(member) = self {
            member.conversations.handle_part(done, context);
            member.route(context);
        }
    }

    /// What the shell keeps of all files.
    pub(in crate::core::client) fn local_files(&self) -> Vec<FileId> {
        match self {
            Self::Newcomer(_) => Vec::new(),
            Self::Member(member) => member.conversations.local_files(),
        }
    }
}
