//! Coming back into a conversation by the return leaf. [B-8]
//!
//! What was said meanwhile is read first, with nobody else online; nothing is shown or said before her
//! one commit has won, so that of two who come back at once one sees and says nothing.

use cobijo_protocol::{
    capsule::Shows,
    keys::{PublicKey, SecretKey},
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{Conversation, ConversationEvent, History};
use crate::{
    core::{
        group::{Group, Replaced},
        port::{Now, Rng},
    },
    mls::Suite,
};

/// What has been read, before anything is shown.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Returning {
    shows: Shows,
    /// The highest clock heard.
    heard: u64,
    /// What comes before was there when she said or committed something last.
    from: u64,
}

impl Conversation {
    /// Her side, from the group that her return leaf has joined.
    pub fn returning(group: Group, person: SecretKey, shows: Shows) -> Self {
        let mut conversation = Self::of_person(group, person);
        conversation.group.stay_silent();
        conversation.returning = Some(Returning {
            shows,
            heard: 0,
            from: 0,
        });
        conversation
    }

    /// Whether she has come back, and her commit has not won yet.
    pub fn is_returning(&self) -> bool {
        self.returning.is_some()
    }

    /// Whether all that stands has been read on this connection.
    pub fn is_caught_up(&self) -> bool {
        self.group.is_caught_up()
    }

    /// The group's suite.
    pub fn suite(&self) -> Suite {
        self.group.suite()
    }

    /// Root key of the desk.
    pub fn root(&self) -> PublicKey {
        self.group.terms().root
    }

    /// Whether the leaf of this key is in the group.
    pub fn has_leaf(&self, key: &PublicKey) -> bool {
        self.group.members().iter().any(|member| member.key == *key)
    }

    /// Asks for the commit that adds her next return leaf, and removes her other leaves but this one.
    pub fn request_return_leaf(&mut self, key_package: ByteBuf) {
        self.group.request_return_leaf(key_package);
    }

    /// Whether such a commit is still to be made.
    pub fn has_return_request(&self) -> bool {
        self.group.has_return_request()
    }

    /// A commit of hers that this leaf can't follow: it goes on in a leaf which that adds.
    pub(crate) fn replaced(&self) -> Option<&Replaced> {
        self.group.replaced()
    }

    /// Goes on in the leaf that the commit added, if `group` is what it made; else the commit is void.
    pub(crate) fn go_on_as(&mut self, mut group: Group, now: Now, rng: &mut Rng) -> bool {
        if !self.group.is_replaced_by(&mut group, rng) {
            self.group.is_not_replaced(rng);
            return false;
        }
        group.stay_silent();
        group.go_on_from(self.group.clock());
        // Whoever made it came back and crashed: she may have seen nothing of what was new.
        group.inherit_erase_keys(&mut self.group);
        self.group = group;
        self.drain(now);
        true
    }

    /// Notes a message of somebody's, before anything is shown.
    pub(super) fn heard(&mut self, clock: u64, is_hers: bool) {
        if let Some(returning) = &mut self.returning {
            returning.heard = returning.heard.max(clock);
            if is_hers {
                returning.from = returning.from.max(clock);
            }
        }
    }

    /// Notes a commit of hers: whoever made it had read all before it.
    pub(super) fn heard_commit(&mut self) {
        if let Some(returning) = &mut self.returning {
            returning.from = returning.heard.saturating_add(1);
        }
    }

    /// Shows what is to be shown, once her commit has won.
    pub(super) fn end_return(&mut self) {
        if self.group.is_silent() {
            return;
        }
        let Some(returning) = self.returning.take() else {
            return;
        };
        if returning.shows == Shows::New {
            self.history.forget_before(returning.from);
        }
        self.events.clear();
        let lines = self.history.entries().iter().cloned();
        self.events.extend(lines.map(ConversationEvent::Entry));
        self.events.push_back(ConversationEvent::MembersChanged);
    }

    /// Another device was first: nothing is shown here.
    pub(super) fn forget_return(&mut self) {
        if self.returning.is_some() {
            self.history = History::default();
        }
    }
}
