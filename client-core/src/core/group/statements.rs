//! Facts from outside that this member has learned, and acts on when it commits. [G-9]

use std::time::Duration;

use cobijo_protocol::{
    card::{Attested, DeskKey, verify_desk_key},
    commit::{Removal, Statement, sign_leave, verify_leave},
    content::{Content, MessageId},
    credential::Identity,
    keys::{PublicKey, SecretKey, Signed},
};
use serde::{Deserialize, Serialize};

use super::{
    Change, Group,
    build::{Origin, Request},
};
use crate::core::{
    policy::Leaf,
    port::{Now, Rng},
};

/// Statements remembered at once: a hostile member can't fill memory.
const LEARNED_MAX: usize = 64;
/// Time that the member of the next leaf leaves to the one before, so that they don't all race.
const TURN: Duration = Duration::from_secs(4);

/// The owner of this leaf leaves: it commits nothing any more, and waits to be removed.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Leaving {
    person: Option<SecretKey>,
    /// The message that says it.
    #[serde(default)]
    id: Option<MessageId>,
}

/// A statement that waits for its commit.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Learned {
    statement: Statement,
    due: Now,
}

impl Learned {
    pub(super) fn due(&self) -> Now {
        self.due
    }
}

impl Group {
    /// Says that the owner of this leaf leaves: whoever commits next removes the leaf, and for a person
    /// all her leaves. `person` is her key; a member signs with the leaf's own.
    pub fn leave(&mut self, person: Option<SecretKey>) {
        self.leaving.get_or_insert(Leaving { person, id: None });
    }

    /// Whether the owner of this leaf leaves.
    pub fn is_leaving(&self) -> bool {
        self.leaving.is_some()
    }

    /// Whether this message says that the owner of this leaf leaves.
    pub fn is_own_leave(&self, id: &MessageId) -> bool {
        let said = self
            .leaving
            .as_ref()
            .and_then(|leaving| leaving.id.as_ref());
        said == Some(id)
    }

    /// Whether the leave has not been said yet.
    pub(super) fn has_leave_to_say(&self) -> bool {
        self.leaving
            .as_ref()
            .is_some_and(|leaving| leaving.id.is_none())
    }

    /// Whoever has read the leave removes this leaf by the next commit: where that commit covers the leave
    /// and removes nobody, it was erased, and is said again.
    pub(super) fn repeat_lost_leave(&mut self) {
        if let Some(leaving) = &mut self.leaving {
            leaving.id.take_if(|id| !self.outbox.holds(id));
        }
    }

    /// Says the leave for the leaf as it is now: an own commit that is on its way would change it, and no
    /// other one is made any more.
    pub(super) fn say_leave(&mut self, rng: &mut Rng) {
        let own = self.facts.own_leaf;
        if self.built.is_some() || !self.has_leave_to_say() {
            return;
        }
        let (Some(leaving), Some(leaf)) = (&self.leaving, self.leaf(own)) else {
            return;
        };
        let key = leaving.person.as_ref().unwrap_or(self.mls.key());
        let statement = sign_leave(key, self.mls.group(), own, &leaf.node_hash);
        if let Ok(id) = self.send(Content::Leave(statement), rng)
            && let Some(leaving) = &mut self.leaving
        {
            leaving.id = Some(id);
        }
    }

    /// What attests the member of this key who is here, with its chain.
    pub(crate) fn attested(&mut self, key: &PublicKey, rng: &mut Rng) -> Option<Attested> {
        let leaf = self.facts.leaves.iter().find(|leaf| leaf.key == *key)?;
        let index = leaf.index;
        self.mls.attested(index, rng)
    }

    /// Takes note of a statement, to act on it in this member's turn.
    pub fn learn(&mut self, statement: Statement, now: Now) {
        let is_known = self
            .learned
            .iter()
            .any(|learned| learned.statement == statement);
        if is_known || self.learned.len() >= LEARNED_MAX || self.covered(&statement).is_empty() {
            return;
        }
        let turn = self
            .facts
            .leaves
            .iter()
            .take_while(|leaf| leaf.index != self.facts.own_leaf)
            .count();
        let due = now.plus(TURN * u32::try_from(turn).unwrap_or(u32::MAX));
        self.learned.push(Learned { statement, due });
    }

    /// Turns statements whose turn has come into requests, and forgets those that no leaf is left for.
    pub(super) fn request_statements(&mut self, now: Now) {
        let learned = std::mem::take(&mut self.learned);
        for Learned { statement, due } in learned {
            let removes = self.covered(&statement);
            // Nobody can remove itself: somebody else has learned it too.
            if removes.is_empty() || removes.contains(&self.own_key()) {
                continue;
            }
            if due > now {
                self.learned.push(Learned { statement, due });
                continue;
            }
            let change = Change {
                adds: Vec::new(),
                removes,
                statements: vec![statement],
            };
            self.requests.push_back(Request {
                change,
                origin: Origin::Statement,
            });
        }
    }

    /// Signature keys of the leaves that a statement removes, as far as it holds now.
    fn covered(&self, statement: &Statement) -> Vec<PublicKey> {
        let leaves = &self.facts.leaves;
        let keys = |leaves: Vec<&Leaf>| leaves.iter().map(|leaf| leaf.key).collect();
        match statement {
            Statement::Leave { leaf, signature } => {
                let Some(leaf) = self.leaf(*leaf) else {
                    return Vec::new();
                };
                let key = leaf.identity.person_or_attested_key();
                if !verify_leave(&key, self.mls.group(), &leaf.node_hash, signature) {
                    return Vec::new();
                }
                keys(
                    leaves
                        .iter()
                        .filter(|other| other.identity.person_or_attested_key() == key)
                        .collect(),
                )
            }
            Statement::Removal { desk_key, removal } => {
                // Whatever doesn't hold is not remembered, or it would crowd out what does.
                let removed = removal_of(desk_key, removal, &self.terms.root);
                let removed = removed.filter(|(_, serial)| *serial >= self.desk_serial);
                let Some((removed, _)) = removed else {
                    return Vec::new();
                };
                let is_meant = |leaf: &&Leaf| match &leaf.identity {
                    Identity::Member { attestation, .. } => attestation.key == removed,
                    Identity::Person(_) => false,
                };
                keys(leaves.iter().filter(is_meant).collect())
            }
            // These come with a commit of their own.
            Statement::Wipe { .. }
            | Statement::PersonRescue { .. }
            | Statement::MemberRescue { .. } => Vec::new(),
        }
    }
}

/// Whom the desk under this root states to be removed, where that holds.
pub(crate) fn removed_by(statement: &Statement, root: &PublicKey) -> Option<PublicKey> {
    let Statement::Removal { desk_key, removal } = statement else {
        return None;
    };
    removal_of(desk_key, removal, root).map(|(removed, _)| removed)
}

/// Whose removal it is, and the serial of the desk key that states it.
fn removal_of(
    desk_key: &Signed<DeskKey>,
    removal: &Signed<Removal>,
    root: &PublicKey,
) -> Option<(PublicKey, u32)> {
    let desk_key = verify_desk_key(desk_key, root).ok()?;
    let removal = removal.verify(&desk_key.key).ok()?;
    Some((removal.key, desk_key.serial))
}
