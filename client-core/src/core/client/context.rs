//! What a machine is given beside its state when something happens.

use cobijo_protocol::link::{DeskId, RelayUrl};

use super::{ChannelId, ConversationId, Event, FileWork, InviteId, Output};
use crate::core::port::{Now, Rng};

/// The next numbers that this profile gives out.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Numbers {
    channel: u32,
    conversation: u32,
    invite: u32,
}

/// Time, randomness and a place for what follows.
pub(crate) struct Context<'a> {
    /// The own clock.
    pub(crate) now: Now,
    /// Random numbers.
    pub(crate) rng: &'a mut Rng,
    numbers: &'a mut Numbers,
    effects: &'a mut Vec<Output>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(
        now: Now,
        rng: &'a mut Rng,
        numbers: &'a mut Numbers,
        effects: &'a mut Vec<Output>,
    ) -> Self {
        Self {
            now,
            rng,
            numbers,
            effects,
        }
    }

    /// Tells whoever is in front of the client, once the state is saved.
    pub(crate) fn event(&mut self, event: Event) {
        self.effects.push(Output::Event(event));
    }

    /// Asks for a card, once the state is saved.
    pub(crate) fn fetch_card(&mut self, relay: RelayUrl, desk: DeskId) {
        self.effects.push(Output::FetchCard { relay, desk });
    }

    /// Publishes a card, once the state is saved.
    pub(crate) fn publish_card(&mut self, relay: RelayUrl, desk: DeskId, card: Vec<u8>) {
        self.effects.push(Output::PublishCard { relay, desk, card });
    }

    /// Has something done for a file, once the state is saved.
    pub(crate) fn file_work(&mut self, work: FileWork) {
        self.effects.push(Output::File(work));
    }

    /// A channel that nothing else uses.
    pub(crate) fn new_channel(&mut self) -> ChannelId {
        ChannelId::from_number(next(&mut self.numbers.channel))
    }

    /// A conversation's number.
    pub(crate) fn new_conversation(&mut self) -> ConversationId {
        ConversationId::from_number(next(&mut self.numbers.conversation))
    }

    /// An invitation's number.
    pub(crate) fn new_invite(&mut self) -> InviteId {
        InviteId::from_number(next(&mut self.numbers.invite))
    }
}

/// Counts from 1, as people do.
fn next(number: &mut u32) -> u32 {
    *number = number.saturating_add(1);
    *number
}
