//! A desk's side: a member, or a newcomer on her way in. Routes to the machines of `desk`, `invite`,
//! `card`, `key_packages`, `claim` and `conversation`.

use cobijo_protocol::link::DeskId;

use super::{
    CardAbsent, ChannelId, Command, CommandError, Context, ConversationId, ConversationView, Entry,
    Line, PublishAnswer, QueueRow, Standing, TeamCommand,
};
use crate::core::port::{Now, Seen};

/// A member of a desk, or a newcomer.
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct Team {}

#[expect(clippy::unused_self, reason = "the machines come next")]
impl Team {
    pub(super) fn begin(
        _command: TeamCommand,
        _context: &mut Context<'_>,
    ) -> Result<Self, CommandError> {
        Err(CommandError::NotMember)
    }

    pub(super) fn handle_command(
        &mut self,
        _command: Command,
        _context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        Err(CommandError::NotMember)
    }

    pub(super) fn lines(&self, _now: Now) -> Vec<Line> {
        Vec::new()
    }

    pub(super) fn handle_seen(&mut self, _: ChannelId, _: &Seen, _: &mut Context<'_>) {}

    pub(super) fn handle_card_fetched(
        &mut self,
        _desk: &DeskId,
        _card: Result<Vec<u8>, CardAbsent>,
        _context: &mut Context<'_>,
    ) {
    }

    pub(super) fn handle_card_published(
        &mut self,
        _desk: &DeskId,
        _answer: PublishAnswer,
        _context: &mut Context<'_>,
    ) {
    }

    pub(super) fn poll_timeout(&self) -> Option<Now> {
        None
    }

    pub(super) fn handle_timeout(&mut self, _context: &mut Context<'_>) {}

    pub(super) fn standing(&self) -> Standing {
        Standing::Removed
    }

    pub(super) fn queue(&self) -> Vec<QueueRow> {
        Vec::new()
    }

    pub(super) fn conversations(&self) -> Vec<ConversationView> {
        Vec::new()
    }

    pub(super) fn history(&self, _conversation: ConversationId) -> Vec<Entry> {
        Vec::new()
    }
}
