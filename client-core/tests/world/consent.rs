//! What accompaniers and a person agree on.

use cobijo_client_core::core::client::{
    Command, CommandError, Event, PersonCommand, ProposalView, ShiftEnd, TeamCommand,
};
use cobijo_protocol::{
    card::Attested,
    content::{Minute, Purpose, Reads},
    keys::PublicKey,
};
use serde_bytes::ByteBuf;

use super::{World, hostile::read};

/// When shifts end here, and when the next one begins.
pub(crate) const ENDS: ShiftEnd = ShiftEnd {
    at: Minute::from_number(28_800_700),
    back: Some(Minute::from_number(28_803_000)),
};

impl World {
    /// Proposes a colleague.
    pub(crate) fn propose(
        &mut self,
        member: usize,
        colleague: usize,
        purpose: Purpose,
        reads: Reads,
    ) -> Result<(), CommandError> {
        let propose = TeamCommand::Propose {
            conversation: self.conversation(member).id,
            colleague: self.key(colleague),
            purpose,
            reason: "Sabe escuchar, obsidiana".to_owned(),
            reads,
        };
        self.team(member, propose)
    }

    /// Hands over to a colleague.
    pub(crate) fn hand_over(
        &mut self,
        member: usize,
        colleague: Option<usize>,
    ) -> Result<(), CommandError> {
        let reason = "Conoce tu tema, obsidiana".to_owned();
        let hand_over = TeamCommand::HandOver {
            conversation: self.conversation(member).id,
            ends: ENDS,
            next: colleague.map(|colleague| (self.key(colleague), reason)),
        };
        self.team(member, hand_over)
    }

    /// A colleague as her attestation shows her, and a KeyPackage of hers that nobody has taken.
    pub(crate) fn offer_of(&self, colleague: usize) -> (Attested, ByteBuf) {
        let pool: Vec<(PublicKey, Vec<ByteBuf>)> = read(self, 0, &["board", "pool"]);
        let key = self.key(colleague);
        let hers = pool.into_iter().find(|(owner, _)| *owner == key);
        let key_package = hers.unwrap().1.remove(0);
        (read(self, colleague, &["me", "attested"]), key_package)
    }

    /// What waits for her answer.
    pub(crate) fn proposals(&self, ana: usize) -> Vec<ProposalView> {
        self.conversation(ana).proposals
    }

    /// Her yes to what was proposed first, which lets the colleague read no more than that.
    pub(crate) fn yes(&self, ana: usize, reads: Reads) -> Command {
        let room = self.conversation(ana);
        Command::Person(PersonCommand::Accept {
            conversation: room.id,
            proposal: room.proposals[0].id,
            reads,
        })
    }

    /// Says yes to whoever is proposed to her first.
    pub(crate) fn accept(&mut self, ana: usize) {
        let yes = self.yes(ana, Reads::Summary);
        self.command(ana, yes).unwrap();
    }

    /// Her no to what was proposed first.
    pub(crate) fn no(&self, ana: usize) -> Command {
        let room = self.conversation(ana);
        Command::Person(PersonCommand::Refuse {
            conversation: room.id,
            proposal: room.proposals[0].id,
        })
    }

    /// Somebody writes the summary anew, on top of what she sees.
    pub(crate) fn edit(&mut self, client: usize, text: &str) -> Result<(), CommandError> {
        let command = self.edit_command(client, text);
        self.command(client, command)
    }

    pub(crate) fn edit_command(&self, client: usize, text: &str) -> Command {
        let room = self.conversation(client);
        Command::EditSummary {
            conversation: room.id,
            seen: room.summary.map(|summary| summary.id),
            text: text.to_owned(),
        }
    }

    /// She erases it.
    pub(crate) fn erase_summary(&mut self, ana: usize) -> Result<(), CommandError> {
        let conversation = self.conversation(ana).id;
        self.command(
            ana,
            Command::Person(PersonCommand::EraseSummary(conversation)),
        )
    }

    /// What the summary of somebody's first conversation says.
    pub(crate) fn summary(&self, client: usize) -> Option<String> {
        let conversations = self.clients[client].client.conversations();
        conversations
            .into_iter()
            .next()?
            .summary
            .map(|one| one.text)
    }

    /// Whether a word stands on somebody's disk.
    pub(crate) fn knows(&self, client: usize, word: &str) -> bool {
        let disk = &self.clients[client].disk;
        disk.windows(word.len()).any(|part| part == word.as_bytes())
    }

    /// Whether somebody has come into a conversation by a yes.
    pub(crate) fn came_in(&self, client: usize) -> bool {
        self.saw(client, |event| {
            matches!(event, Event::ConversationJoined(_))
        })
    }
}
