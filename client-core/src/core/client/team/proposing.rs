//! A member proposes colleagues: for a purpose, beside her, or in her place., [A-11]

use cobijo_protocol::{
    content::{Proposal, Purpose, Reads},
    keys::PublicKey,
};

use super::{CommandError, Context, ConversationId, Event, Member};
use crate::core::{client::ShiftEnd, key_packages::Wish};

impl Member {
    /// Proposes a colleague for something other than a hand-over.
    pub(super) fn propose(
        &mut self,
        conversation: ConversationId,
        colleague: PublicKey,
        (purpose, reason, reads): (Purpose, String, Reads),
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        if purpose == Purpose::HandOver {
            return Err(CommandError::NotFitting);
        }
        let wish = Wish {
            conversation,
            person: self.conversations.person(conversation)?,
            colleague,
            purpose,
            reason,
            reads,
            ends: None,
        };
        self.wish(wish, context)
    }

    fn wish(&mut self, wish: Wish, context: &mut Context<'_>) -> Result<(), CommandError> {
        let is_own = wish.colleague == self.desk.key().public();
        if !is_own && self.conversations.has(wish.conversation, &wish.colleague) {
            return Err(CommandError::InRoom);
        }
        self.desk.propose(wish, context)
    }

    /// Tells the person when the own shift ends, and with whom she may go on.
    pub(super) fn hand_over(
        &mut self,
        conversation: ConversationId,
        ends: ShiftEnd,
        next: Option<(PublicKey, String)>,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        let person = self.conversations.person(conversation)?;
        let Some((colleague, reason)) = next else {
            return self
                .conversations
                .end_shift(conversation, ends, None, context);
        };
        let wish = Wish {
            conversation,
            person,
            colleague,
            purpose: Purpose::HandOver,
            reason,
            reads: Reads::Summary,
            ends: Some(ends),
        };
        self.wish(wish, context)
    }

    /// The colleague's KeyPackage was taken.
    pub(super) fn say_proposal(
        &mut self,
        id: ConversationId,
        proposal: Proposal,
        ends: Option<ShiftEnd>,
        context: &mut Context<'_>,
    ) {
        let proposed = self.conversations.propose(id, proposal, ends, context);
        if proposed.is_err() {
            context.event(Event::ProposalFailed(id));
        }
    }

    /// In a conversation that has just begun her buddy is named before anything else is said.
    pub(super) fn name_buddy(&mut self, conversation: ConversationId, context: &mut Context<'_>) {
        let Some(buddy) = self.desk.buddy() else {
            return;
        };
        let about = (Purpose::Buddy, String::new(), Reads::FromNow);
        if self.propose(conversation, buddy, about, context).is_err() {
            context.event(Event::ProposalFailed(conversation));
        }
    }
}
