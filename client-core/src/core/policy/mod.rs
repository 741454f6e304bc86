//! What a commit may do: one pure function of the group's state and the commit's bytes.
//!
//! Every member runs it on every commit, so it may look at nothing that another member could see
//! differently: no clock, no network, no secret, no memory but [`Standing`]. A commit that it
//! refuses is void for everyone and the next slot follows; only a policy number that this client
//! doesn't know stops it. The rules are [P-1]–[P-30] of the specification. [P-1]

mod profile;
mod refusal;
mod shape;
mod statement;

use std::collections::BTreeSet;

use cobijo_protocol::{
    commit::{CommitData, Terms},
    credential::Identity,
    keys::PublicKey,
};

pub use refusal::{Refusal, Rule};
pub(crate) use shape::LIFETIME;

/// A leaf of the epoch in which the commit stands.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Leaf {
    /// Its index in the tree.
    pub index: u32,
    /// Its signature key.
    pub key: PublicKey,
    /// Who it is.
    pub identity: Identity,
    /// SHA-256 of its TLS-serialised LeafNode.
    pub node_hash: [u8; 32],
}

/// Whether the person of a conversation is still in it. [P-22]
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// She is, or the group has no one person.
    Here,
    /// Her leave was committed.
    Left,
    /// Her wipe was committed.
    Wiped,
}

/// What every member knows of the group before the commit.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// MLS group id.
    pub group: &'a [u8],
    /// Epoch in which the commit stands.
    pub epoch: u64,
    /// The group's terms.
    pub terms: &'a Terms,
    /// All leaves, in ascending order of index.
    pub leaves: &'a [Leaf],
    /// Highest desk serial in any leaf or statement so far. [P-10]
    pub desk_serial: u32,
    /// Whether the person of a conversation has left.
    pub presence: Presence,
    /// Leaves that may not renew again before others have committed. [P-29]
    pub renewed: &'a BTreeSet<u32>,
}

/// What a commit does.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// Leaf index of its author.
    pub author: u32,
    /// Its path leaf, where it has a path.
    pub path: Option<PathLeaf>,
    /// Its Adds, in order.
    pub adds: &'a [Added],
    /// Leaf indices of its Removes, in order.
    pub removes: &'a [u32],
    /// Its authenticated data.
    pub data: &'a CommitData,
}

/// Which parts of the author's leaf a path leaves as they are, compared byte for byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathLeaf {
    /// The capabilities.
    pub keeps_capabilities: bool,
    /// The credential.
    pub keeps_credential: bool,
    /// The extensions.
    pub keeps_extensions: bool,
    /// The signature key.
    pub keeps_key: bool,
}

/// A leaf that the commit adds, as its KeyPackage shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// Its signature key.
    pub key: PublicKey,
    /// Who it is; `None` where [`cobijo_protocol::credential::Credential::identify`] refuses.
    pub identity: Option<Identity>,
    /// The KeyPackage's lifetime: not before, not after.
    pub lifetime: (u64, u64),
}

/// What follows from a valid commit. [P-28]
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Effect {
    /// The group's desk serial from now on.
    pub desk_serial: u32,
    /// The person's presence from now on; [`Presence::Wiped`] tells to wipe.
    pub presence: Presence,
    /// Leaves that are removed, in ascending order, and why.
    pub removed: Vec<(u32, Cause)>,
    /// Leaves that may not renew again from now on. [P-29]
    pub renewed: BTreeSet<u32>,
}

/// Why a leaf is removed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The author may remove it.
    Author,
    /// Its owner leaves.
    Leave,
    /// A coordinator removes the member.
    Removal,
    /// Its owner comes back with another leaf.
    Rescue,
    /// The person ended the conversation.
    Wipe,
}

/// Judges a commit.
///
/// # Errors
/// [`Refusal::Void`] with the rule that it breaks; [`Refusal::UnknownPolicy`] where the client stops.
pub fn judge(standing: &Standing<'_>, change: &Change<'_>) -> Result<Effect, Refusal> {
    refusal::known_policy(standing.terms)?;
    let step = shape::Step::of(standing, change)?;
    let warrants = statement::Warrants::of(&step)?;
    profile::check(&step, &warrants)?;
    let renewed = profile::renewed(&step)?;

    let causes = step.removed.iter().map(|leaf| {
        let cause = warrants.cause(leaf).unwrap_or(Cause::Author);
        (leaf.index, cause)
    });
    let mut removed: Vec<_> = causes.collect();
    removed.sort_unstable();
    let attested = step
        .newcomers
        .iter()
        .filter_map(|newcomer| newcomer.desk_serial());
    Ok(Effect {
        desk_serial: attested.fold(warrants.desk_serial, u32::max),
        presence: warrants.presence,
        removed,
        renewed,
    })
}

/// Whether a leaf's owner may add and remove without a statement. [P-21], [P-24], [P-26]
pub fn leads(terms: &Terms, leaf: &Leaf) -> bool {
    profile::leads(terms, leaf)
}

#[cfg(test)]
mod tests;
