//! A person's side: her way from the first message to a conversation. Routes to the machines of
//! `intake`, `waiting` and `conversation`.

use cobijo_protocol::link::{DeskId, DeskLink};

use super::{
    CardAbsent, ChannelId, Command, CommandError, Context, ConversationId, ConversationView, Entry,
    Line, PersonCommand, PersonStage, PersonView,
};
use crate::core::port::{Now, Seen};

/// A person who wrote to a desk.
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct Person {
    link: DeskLink,
}

#[expect(clippy::unused_self, reason = "the machines come next")]
impl Person {
    /// Begins with her first message: fetches the card.
    pub(super) fn begin(
        command: PersonCommand,
        context: &mut Context<'_>,
    ) -> Result<Self, CommandError> {
        let PersonCommand::Write { link, .. } = command else {
            return Err(CommandError::NotNow);
        };
        context.fetch_card(link.relay.clone(), link.desk);
        Ok(Self { link })
    }

    pub(super) fn handle_command(
        &mut self,
        _command: Command,
        _context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        Err(CommandError::NotNow)
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

    pub(super) fn poll_timeout(&self) -> Option<Now> {
        None
    }

    pub(super) fn handle_timeout(&mut self, _context: &mut Context<'_>) {}

    pub(super) fn view(&self) -> PersonView {
        PersonView {
            link: self.link.clone(),
            stage: PersonStage::Sending,
            conversation: None,
        }
    }

    pub(super) fn conversations(&self) -> Vec<ConversationView> {
        Vec::new()
    }

    pub(super) fn history(&self, _conversation: ConversationId) -> Vec<Entry> {
        Vec::new()
    }
}
