//! What a group tells its owner.

use cobijo_protocol::{
    content::{Content, MessageId},
    credential::Identity,
    keys::PublicKey,
};
use serde::{Deserialize, Serialize};

use crate::core::policy::{Cause, Rule};

/// What happened in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupEvent {
    /// Somebody said something.
    Message {
        /// Who.
        author: Author,
        /// Its id.
        id: MessageId,
        /// Lamport clock, for the order of display.
        clock: u64,
        /// What.
        content: Content,
    },
    /// A message of one's own is durable at the relay.
    Stored {
        /// Its id.
        id: MessageId,
        /// Its Lamport clock, as everybody counts it where it stands.
        clock: u64,
    },
    /// A message that was shown is not part of the history unless it comes again.
    Unconfirmed {
        /// Its id.
        id: MessageId,
    },
    /// It came again.
    Confirmed {
        /// Its id.
        id: MessageId,
        /// Its Lamport clock, as everybody counts it where it stands.
        clock: u64,
    },
    /// An own message that was to be said in its epoch or not at all did not count.
    NotSaid {
        /// Its id.
        id: MessageId,
        /// What it would have said.
        content: Content,
    },
    /// A message of a removed member is not part of the history and never will be.
    Withdrawn {
        /// Its id.
        id: MessageId,
    },
    /// A message was erased before it was read.
    Missing {
        /// Whose.
        author: Author,
    },
    /// A commit took effect.
    Changed {
        /// The new epoch.
        epoch: u64,
        /// Whose commit it was.
        by: Option<Author>,
        /// Who was added.
        added: Vec<Identity>,
        /// Who was removed, and why.
        removed: Vec<(Identity, Cause)>,
    },
    /// A request can't be committed: the rule that it would break, where it is one of the policy.
    Refused(Option<Rule>),
    /// A commit with a good signature was void.
    VoidCommit {
        /// Its author.
        author: Author,
    },
    /// Someone here is blocking: this many commit slots of the epoch are void.
    Blocking {
        /// How many.
        voids: u64,
    },
    /// This member doesn't follow any more.
    Stopped(Stop),
}

/// Who said something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// Leaf index in the epoch in which it was said.
    pub leaf: u32,
    /// The leaf's signature key.
    pub key: PublicKey,
    /// Who the leaf is.
    pub identity: Identity,
}

/// A member as everybody sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Leaf index in the present epoch.
    pub leaf: u32,
    /// The leaf's signature key.
    pub key: PublicKey,
    /// Who the leaf is.
    pub identity: Identity,
    /// Whether it has been added and has not written yet.
    pub is_arriving: bool,
}

/// Why a member doesn't follow a group any more. It is final: what helps is a rescue or a successor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stop {
    /// A commit, or the own state, is broken for this member.
    Broken,
    /// The group's policy is not known to this version.
    Policy,
    /// A commit removes this member; its path could not be checked, so it is not confirmed.
    Removed,
    /// This member left.
    Left,
    /// She came back from elsewhere: a commit under her own key removes this leaf, unconfirmed as well.
    Returned,
    /// Away for so long that what is missing can't be told from what never was.
    Stale,
    /// The person ended the conversation: everything is to be wiped.
    Wiped,
}
