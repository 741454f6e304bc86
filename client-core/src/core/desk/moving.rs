//! Another mailbox, after somebody is out who knows the one that the card names. [A-7] [D-12]
//!
//! Whoever removed her makes it. Where nobody did, or she is gone before it is done, the coordinators who
//! hold the desk key take turns, until a card names a mailbox that nobody who is out has been told of.

use std::time::Duration;

use cobijo_protocol::{
    card::Role,
    content::{Content, DeskContent, IntakeKey, MessageId},
    credential::Identity,
    mailbox::MailboxKey,
};

use super::{Desk, board::Source};
use crate::core::{client::Context, policy::Cause, port::Now};

/// Time that a coordinator leaves to the one before her.
const TURN: Duration = Duration::from_secs(30);

impl Desk {
    /// Somebody is out: another mailbox will be named.
    pub(super) fn plan_move(&mut self, removed: &[(Identity, Cause)], now: Now) {
        self.moving = self.turn(removed).map(|turn| now.plus(TURN * turn));
    }

    /// Whoever is out knows the welcome secrets of what was offered, and all intake keys, those on their
    /// way too: none of them is named again.
    pub(super) fn forget_what_others_know(&mut self) {
        self.board.drop_pool();
        self.offers.retire_free();
        self.board.spend_intake_keys();
        self.storing
            .iter_mut()
            .for_each(|storing| storing.is_spent = true);
        self.mailbox = None;
        self.moving = None;
    }

    /// Makes the next mailbox, where the turn has come to this member and nobody else has made one.
    pub(super) fn move_if_due(&mut self, context: &mut Context<'_>) {
        let is_due = self.moving.is_some_and(|due| due <= context.now);
        // Before all is read, it may have been made already.
        if !is_due || !self.group.is_caught_up() {
            return;
        }
        if self.has_moved() {
            self.moving = None;
        } else if self.keys.holds_desk_key() {
            self.moving = None;
            self.make_intake_key(true, context);
        }
    }

    /// When the turn comes to this member.
    pub(super) fn moving_due(&self, now: Now) -> Option<Now> {
        self.moving.filter(|due| *due > now)
    }

    /// Whether the card names a mailbox that nobody who is out was told of.
    pub(super) fn has_moved(&self) -> bool {
        let card = self.card.card();
        card.is_some_and(|card| self.board.intake_key(&card.daily.mailbox).is_some())
    }

    /// A commit cut an own intake key off, and whoever it removed may have read it where it stood: others
    /// would take it for new if it were told as before. It is told as a snapshot tells keys.
    pub(super) fn tell_key_again(
        &mut self,
        id: MessageId,
        key: IntakeKey,
        context: &mut Context<'_>,
    ) {
        let mailbox = MailboxKey::of(&key.mailbox);
        let position = self.storing.iter().position(|storing| storing.id == id);
        let is_spent = match position {
            Some(position) => self.storing[position].is_spent,
            None => self.board.intake_key(&mailbox).is_none(),
        };
        if !is_spent {
            let content = Content::Desk(DeskContent::IntakeKey(key));
            let again = self.group.send_once(content, context.rng);
            if let (Some(position), Ok(id)) = (position, again) {
                self.storing[position].id = id;
            }
            return;
        }
        if let Some(position) = position {
            self.storing.remove(position);
            let own = Source::Author(self.me.key.public());
            self.board.learn_intake_key(key.clone(), own, context.now);
            self.board.spend_intake_key(&mailbox);
        }
        self.tell(DeskContent::ToldAgain(key), context.rng);
    }

    /// How many coordinators this one leaves time to; `None` for whoever is none.
    fn turn(&self, removed: &[(Identity, Cause)]) -> Option<u32> {
        let is_own = |(identity, _): &(Identity, Cause)| match identity {
            Identity::Member { attestation, .. } => self.is_evicted(&attestation.key),
            Identity::Person(_) => false,
        };
        if removed.iter().any(is_own) {
            return Some(0);
        }
        let own = self.me.key.public();
        let members = self.members().into_iter();
        let mut coordinators = members.filter(|one| one.role == Role::Coordinator);
        let rank = coordinators.position(|one| one.key == own)?;
        let has_author = removed.iter().any(|(_, cause)| *cause != Cause::Leave);
        u32::try_from(rank + usize::from(has_author)).ok()
    }
}
