//! A silent leaf: the one she comes back by reads, and says nothing before its one commit has won. [B-8]
//!
//! Somebody who came back by the same leaf may have been first, and crashed: her commit stands, and who
//! has the same leaf can't follow it, since its path was never sealed to herself. What the commit adds
//! is hers again; the owner joins by that leaf, and compares what only a true commit has.

use cobijo_protocol::{credential::Identity, keys::PublicKey};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{
    Change, Group,
    build::{Origin, Request},
};
use crate::{
    core::{
        policy::{Cause, Effect, Leaf},
        port::Rng,
    },
    mls::{
        commit::{Checked, Examined, confirmation_of},
        verdict::Fault,
    },
};

/// A commit of hers that this leaf can't follow: it goes on in a leaf that the commit adds.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Replaced {
    /// What the epoch behind a true commit confirms itself by.
    confirmation: ByteBuf,
    /// Signature keys of the leaves that the commit adds.
    added: Vec<PublicKey>,
}

impl Replaced {
    /// By that commit.
    pub(super) fn of(payload: &[u8], examined: &Examined) -> Self {
        Self {
            confirmation: ByteBuf::from(confirmation_of(payload).unwrap_or_default()),
            added: examined.adds.iter().map(|add| add.key).collect(),
        }
    }

    /// Whether the commit adds the leaf of this key.
    pub(crate) fn adds(&self, key: &PublicKey) -> bool {
        self.added.contains(key)
    }
}

impl Group {
    /// Says nothing until a commit of its own has won.
    pub(crate) fn stay_silent(&mut self) {
        self.is_silent = true;
    }

    /// Whether it says nothing yet.
    pub(crate) fn is_silent(&self) -> bool {
        self.is_silent
    }

    /// Asks for the commit that adds her next return leaf, and removes her other leaves but this one.
    pub(crate) fn request_return_leaf(&mut self, key_package: ByteBuf) {
        let change = Change {
            adds: vec![key_package],
            removes: self.own_other_leaves().map(|leaf| leaf.key).collect(),
            statements: Vec::new(),
        };
        self.requests.push_back(Request {
            change,
            origin: Origin::Return,
        });
    }

    /// Her leaves but this one.
    pub(super) fn own_other_leaves(&self) -> impl Iterator<Item = &Leaf> {
        let own = self.facts.own_leaf;
        let person = self.person_of(own);
        let others = self
            .facts
            .leaves
            .iter()
            .filter(move |leaf| leaf.index != own);
        others.filter(move |leaf| person.is_some() && self.person_of(leaf.index) == person)
    }

    /// Whether such a commit is still to be made.
    pub(crate) fn has_return_request(&self) -> bool {
        let requests = self.built.iter().chain(&self.requests);
        { requests }.any(|request| request.origin == Origin::Return) || self.closing.is_some()
    }

    /// The commit that this leaf can't follow.
    pub(crate) fn replaced(&self) -> Option<&Replaced> {
        self.replaced.as_ref()
    }

    /// Whether the group of the leaf that was added is what that commit made.
    pub(crate) fn is_replaced_by(&mut self, other: &mut Self, rng: &mut Rng) -> bool {
        let Some(replaced) = &self.replaced else {
            return false;
        };
        self.mls.group() == other.mls.group()
            && other.facts.epoch == self.facts.epoch + 1
            && other
                .mls
                .confirmation(rng)
                .is_some_and(|tag| *replaced.confirmation == tag)
    }

    /// It isn't: the commit has another's tags, which no signature covers, and is void for everyone.
    pub(crate) fn is_not_replaced(&mut self, rng: &mut Rng) {
        self.replaced = None;
        self.contest.skip(rng);
    }

    /// Whether an examined commit, which is not this client's own, is one that this leaf can't follow
    /// although it is hers.
    pub(super) fn replaces(
        &self,
        examined: &Examined,
        effect: &Effect,
        checked: Result<Checked, Fault>,
    ) -> bool {
        let own = self.facts.own_leaf;
        let is_hers =
            self.person_of(own).is_some() && self.person_of(examined.author) == self.person_of(own);
        let cause = self.cause(effect);
        self.is_silent
            && is_hers
            && match checked {
                Ok(checked) => checked.removes_me && cause == Some(Cause::Author),
                Err(Fault::Broken) => examined.author == own,
                Err(Fault::Void) => false,
            }
    }

    /// Whether the author of a commit is another leaf of this member's person.
    pub(super) fn is_own_person(&self, author: u32) -> bool {
        let person = self.person_of(self.facts.own_leaf);
        person.is_some() && person == self.person_of(author)
    }

    /// Why this leaf is removed, if it is.
    pub(super) fn cause(&self, effect: &Effect) -> Option<Cause> {
        let mut removed = effect.removed.iter();
        removed
            .find(|(leaf, _)| *leaf == self.facts.own_leaf)
            .map(|(_, cause)| *cause)
    }

    fn person_of(&self, leaf: u32) -> Option<PublicKey> {
        match &self.leaf(leaf)?.identity {
            Identity::Person(hers) => Some(hers.person),
            Identity::Member { .. } => None,
        }
    }
}
