//! Removing a member from the desk, in an order that leaves her nothing to use.
//!
//! First, where she is a coordinator, a new desk key; then a card that doesn't name her as poster; then
//! the commit. Only after it the next intake key: it is stored in the group, where she would read it
//! before. Last, the statement that removes her from every conversation.

use std::time::Duration;

use cobijo_protocol::{card::Role, content::Content, keys::PublicKey};
use serde::{Deserialize, Serialize};

use super::{Asked, Desk, DeskEvent};
use crate::core::{
    client::{CardRefusal, CommandError, Context, Event},
    group::Change,
    port::Now,
};

/// Time that the card is given to forget her: a relay that refuses it keeps nobody in. [D-11]
const CARD_WAIT: Duration = Duration::from_secs(300);

/// Removals that are remembered to be stated again.
const STATED_MAX: usize = 64;

/// A member on the way out.
#[derive(Serialize, Deserialize)]
pub(super) struct Eviction {
    pub(super) member: PublicKey,
    stage: Stage,
}

#[derive(Serialize, Deserialize)]
enum Stage {
    /// The card is about to forget her.
    Card { since: Now },
    /// The commit is on its way.
    Removing,
    /// It could not be made; tried again in the next epoch.
    Refused,
}

impl Eviction {
    /// When it no longer waits for the card.
    fn due(&self) -> Option<Now> {
        match self.stage {
            Stage::Card { since } => Some(since.plus(CARD_WAIT)),
            Stage::Removing | Stage::Refused => None,
        }
    }
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
            self.retry_evictions();
            self.advance(context);
            return Ok(());
        }
        if role == Role::Coordinator && self.keys.root_key().is_none() {
            return Err(CommandError::RootElsewhere);
        }
        self.evictions.push(Eviction {
            member,
            stage: Stage::Card { since: context.now },
        });
        if role == Role::Coordinator {
            self.renew_desk_key(context);
        }
        self.card.refresh();
        self.advance(context);
        Ok(())
    }

    pub(super) fn request_removal(&mut self, member: PublicKey) {
        self.group.request(Change {
            removes: vec![member],
            ..Change::default()
        });
        self.asked.push_back(Asked::Remove(member));
    }

    pub(super) fn is_evicted(&self, key: &PublicKey) -> bool {
        self.evictions.iter().any(|one| one.member == *key)
    }

    /// Goes on with removing where the card has forgotten her, or there is no publishing it. [D-11]
    pub(super) fn keep_evicting(&mut self, context: &mut Context<'_>) {
        let is_stuck = match self.refusal {
            Some(
                CardRefusal::NotHosted
                | CardRefusal::DeskKeyExpired
                | CardRefusal::NotPoster
                | CardRefusal::Conflict,
            ) => true,
            Some(CardRefusal::Unreachable) | None => false,
        };
        for position in 0..self.evictions.len() {
            let eviction = &self.evictions[position];
            let (member, due) = (eviction.member, eviction.due());
            let Some(due) = due else {
                continue;
            };
            let is_forgotten = self.has_forgotten(&member);
            if is_forgotten || is_stuck || due <= context.now {
                self.evictions[position].stage = Stage::Removing;
                self.request_removal(member);
                if !is_forgotten {
                    self.tell_still_named(&member, context);
                }
            }
        }
    }

    /// When the next removal no longer waits for the card.
    pub(super) fn evicting_due(&self) -> Option<Now> {
        self.evictions.iter().filter_map(Eviction::due).min()
    }

    /// Whether the card names neither her as poster nor a desk key that she may hold.
    fn has_forgotten(&self, member: &PublicKey) -> bool {
        let signer = self.keys.signer();
        let desk_key = signer.and_then(|(_, signed)| signed.unverified().ok());
        let serial = desk_key.map(|desk_key| desk_key.serial);
        self.card.card().is_none_or(|card| {
            !card.body.posters.contains(member) && Some(card.desk_key.serial) == serial
        })
    }

    fn tell_still_named(&self, member: &PublicKey, context: &mut Context<'_>) {
        let members = self.members().into_iter();
        let removed = members.filter(|one| one.key == *member);
        for alias in removed.map(|one| one.alias) {
            context.event(Event::CardStillNames { alias });
        }
    }

    /// A removal could not be made. It is not forgotten: she is no poster, and it is tried again.
    pub(super) fn handle_not_removed(&mut self, member: &PublicKey, context: &mut Context<'_>) {
        let mut evictions = self.evictions.iter_mut();
        if let Some(eviction) = evictions.find(|one| one.member == *member) {
            eviction.stage = Stage::Refused;
            context.event(Event::NotRemoved(*member));
        }
    }

    /// A new epoch may take what the one before refused.
    pub(super) fn retry_evictions(&mut self) {
        for position in 0..self.evictions.len() {
            let eviction = &mut self.evictions[position];
            if matches!(eviction.stage, Stage::Refused) {
                eviction.stage = Stage::Removing;
                let member = eviction.member;
                self.request_removal(member);
            }
        }
    }

    /// A member is out: whoever removed her tells the conversations.
    pub(super) fn handle_removed(&mut self, member: &PublicKey) {
        let eviction = self.evictions.iter().position(|one| one.member == *member);
        if let Some(position) = eviction {
            self.evictions.remove(position);
            self.to_state.push(*member);
        }
    }

    /// States removals, by the desk key of now, which no later one has voided.
    pub(super) fn state_removals(&mut self, context: &mut Context<'_>) {
        if !self.keys.holds_desk_key() {
            return;
        }
        for member in std::mem::take(&mut self.to_state) {
            let Some(statement) = self.keys.state_removal(member) else {
                continue;
            };
            let told = Content::Statement(statement.clone());
            let _too_long = self.group.send(told, context.rng);
            self.events.push_back(DeskEvent::Statement(statement));
            self.stated.truncate(STATED_MAX - 1);
            self.stated.insert(0, member);
        }
    }

    /// In another group, what was begun is begun anew, and what was stated is stated again: the words may
    /// have been lost with the group before, or be void by a newer desk key.
    pub(super) fn evict_anew(&mut self, now: Now) {
        let here: Vec<_> = self.members().iter().map(|member| member.key).collect();
        self.to_state.append(&mut self.stated);
        for mut eviction in std::mem::take(&mut self.evictions) {
            if here.contains(&eviction.member) {
                eviction.stage = Stage::Card { since: now };
                self.evictions.push(eviction);
            } else {
                self.to_state.push(eviction.member);
            }
        }
    }
}
