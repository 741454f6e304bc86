//! Removing a member from the desk, in an order that leaves her nothing to use.
//!
//! First, where she is a coordinator, a new desk key; then a card that doesn't name her as poster; then
//! the commit. Only after it the next intake key: it is stored in the group, where she would read it
//! before. Last, the statement that removes her from every conversation.

use cobijo_protocol::{card::Role, commit::Statement, content::Content, keys::PublicKey};
use serde::{Deserialize, Serialize};

use super::{Asked, Desk, DeskEvent};
use crate::core::{
    client::{CardRefusal, CommandError, Context},
    group::Change,
    policy::Cause,
};

/// A member on the way out.
#[derive(Serialize, Deserialize)]
pub(super) struct Eviction {
    pub(super) member: PublicKey,
    /// For the conversations.
    statement: Statement,
    stage: Stage,
}

#[derive(PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    /// The card is about to forget her.
    Card,
    /// The commit is on its way.
    Removing,
}

impl Desk {
    /// Begins to remove a member.
    ///
    /// # Errors
    /// [`CommandError`] where it can't be done by this member.
    pub(crate) fn remove_member(
        &mut self,
        member: PublicKey,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        if member == self.me.key.public() {
            return Err(CommandError::Yourself);
        }
        let members = self.members();
        let removed = members.iter().find(|one| one.key == member);
        let role = removed.ok_or(CommandError::Unknown)?.role;
        if !self.keys.holds_desk_key() {
            return Err(CommandError::NotCoordinator);
        }
        if self.is_evicted(&member) {
            return Ok(());
        }
        if role == Role::Coordinator && self.keys.root_key().is_none() {
            return Err(CommandError::RootElsewhere);
        }
        let statement = self.keys.state_removal(member);
        self.evictions.push(Eviction {
            member,
            statement: statement.ok_or(CommandError::NotCoordinator)?,
            stage: Stage::Card,
        });
        if role == Role::Coordinator {
            self.renew_desk_key(context);
            let renewed = self.keys.state_removal(member);
            if let (Some(eviction), Some(statement)) = (self.evictions.last_mut(), renewed) {
                eviction.statement = statement;
            }
        }
        self.card.refresh();
        self.advance(context);
        Ok(())
    }

    pub(super) fn is_evicted(&self, key: &PublicKey) -> bool {
        self.evictions.iter().any(|one| one.member == *key)
    }

    /// Goes on with removing where the card has forgotten her, or there is no publishing it.
    pub(super) fn keep_evicting(&mut self, _context: &mut Context<'_>) {
        let card = self.card.card();
        let is_stuck = match self.refusal {
            Some(
                CardRefusal::NotHosted
                | CardRefusal::DeskKeyExpired
                | CardRefusal::NotPoster
                | CardRefusal::Conflict,
            ) => true,
            Some(CardRefusal::Unreachable) | None => false,
        };
        let serial = self
            .keys
            .signer()
            .and_then(|(_, signed)| signed.unverified().ok());
        let serial = serial.map(|desk_key| desk_key.serial);
        for eviction in &mut self.evictions {
            let is_forgotten = card.as_ref().is_none_or(|card| {
                !card.body.posters.contains(&eviction.member)
                    && Some(card.desk_key.serial) == serial
            });
            if eviction.stage == Stage::Card && (is_forgotten || is_stuck) {
                eviction.stage = Stage::Removing;
                self.group.request(Change {
                    removes: vec![eviction.member],
                    ..Change::default()
                });
                self.asked.push_back(Asked::Remove(eviction.member));
            }
        }
    }

    /// A member is out: whoever removed her, or the first coordinator where she left, changes the
    /// intake key, and tells the conversations.
    pub(super) fn handle_removed(
        &mut self,
        member: &PublicKey,
        cause: Cause,
        context: &mut Context<'_>,
    ) {
        let eviction = self.evictions.iter().position(|one| one.member == *member);
        if let Some(position) = eviction {
            let eviction = self.evictions.remove(position);
            self.make_intake_key(true, context);
            let statement = Content::Statement(eviction.statement.clone());
            let _too_long = self.group.send(statement, context.rng);
            let statement = DeskEvent::Statement(eviction.statement);
            self.events.push_back(statement);
        } else if cause == Cause::Leave && self.is_first_coordinator() {
            self.make_intake_key(true, context);
        }
    }

    fn is_first_coordinator(&self) -> bool {
        let own = self.me.key.public();
        let members = self.members();
        let mut coordinators = members.iter().filter(|one| one.role == Role::Coordinator);
        self.keys.holds_desk_key() && coordinators.next().is_some_and(|first| first.key == own)
    }
}
