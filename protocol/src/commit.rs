//! What stands in a group's context and in a commit's authenticated data. [G-1], [G-6]–[G-12]

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::{
    Day,
    card::DeskKey,
    cbor::{self, NotCanonical},
    fixed::opaque_debug,
    keys::{Labelled, PublicKey, SecretKey, Signature, Signed},
    slot::ThreadSecret,
};

/// MLS extension type (private use) of [`Terms`].
pub const TERMS_EXTENSION: u16 = 0xF0C0;
/// MLS extension type (private use) of a KeyPackage's welcome secret, 32 bytes.
pub const WELCOME_SECRET_EXTENSION: u16 = 0xF0C1;
/// The policy of this version.
pub const POLICY: u16 = 1;
/// Label of the MLS exporter that gives an epoch's thread secret.
pub const EXPORTER_LABEL: &str = "cobijo channel";

opaque_debug!(
    Predecessor,
    Succession,
    CommitData,
    Statement,
    MemberRescue,
    WelcomePayload
);

/// What a group is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// One survivor and the accompaniers she agreed to.
    Conversation,
    /// Several survivors with facilitators.
    Circle,
    /// A helpline's team.
    Desk,
}

/// A group's terms: a required extension of its context, fixed at creation. [G-1]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// What the group is for.
    pub profile: Profile,
    /// Which policy decides; a client that doesn't know it stops.
    pub policy: u16,
    /// Root key of the desk.
    pub root: PublicKey,
    /// Attested keys of a circle's facilitators; empty elsewhere.
    pub facilitators: Vec<PublicKey>,
    /// The group that this one is the successor of.
    pub predecessor: Option<Predecessor>,
}

/// The group that a successor replaces.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Predecessor {
    /// Its MLS group id.
    pub group: ByteBuf,
    /// The last epoch that its maker saw.
    pub epoch: u64,
    /// How many successors there were before this one, and one.
    pub number: u32,
}

impl Terms {
    /// How many groups stood before this one, each the successor of another. [G-18]
    #[must_use]
    pub fn number(&self) -> u32 {
        self.predecessor.as_ref().map_or(0, |before| before.number)
    }

    /// What a successor of the group with these terms names, seen last in that epoch.
    #[must_use]
    pub fn predecessor_of_next(&self, group: &[u8], epoch: u64) -> Predecessor {
        Predecessor {
            group: ByteBuf::from(group),
            epoch,
            number: self.number().saturating_add(1),
        }
    }
}

/// What a root key signs to name the successor of its desk's group: the highest number counts. [G-22]
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Succession {
    /// As in the successor's terms.
    pub number: u32,
    /// The successor's MLS group id.
    pub group: ByteBuf,
    /// Attested key of the coordinator who makes it: only she may sign the GroupInfo of its Welcomes.
    pub maker: PublicKey,
}

impl Labelled for Succession {
    const LABEL: &'static str = "cobijo/1 succession";
}

/// A commit's authenticated data. [G-6]
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommitData {
    /// As in [`Terms`].
    pub policy: u16,
    /// For every leaf of the epoch, once and in order, how many of its message slots the author had read.
    pub cut: Vec<(u32, u32)>,
    /// Facts from outside that the policy may use.
    pub statements: Vec<Statement>,
    /// Heads of the Welcomes, in the order of the Adds: total bytes and body secret.
    pub welcomes: Vec<(u32, ThreadSecret)>,
}

impl CommitData {
    /// Decodes.
    ///
    /// # Errors
    /// [`NotCanonical`] makes the commit void.
    pub fn decode(bytes: &[u8]) -> Result<Self, NotCanonical> {
        cbor::decode(bytes)
    }
}

/// A fact from outside, signed by whom it concerns, that can't be replayed. [G-9]
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Statement {
    /// The owner of a leaf leaves; a person's leave covers all her leaves.
    Leave {
        /// The leaf whose present LeafNode is signed over.
        leaf: u32,
        /// By the leaf's person key, or a member's attested key: see [`sign_leave`].
        signature: Signature,
    },
    /// A person ends it: every client that reads it wipes.
    Wipe {
        /// Her key.
        person: PublicKey,
        /// By her key over the group id: see [`sign_wipe`].
        signature: Signature,
    },
    /// A coordinator removes a member of the desk.
    Removal {
        /// By the root.
        desk_key: Signed<DeskKey>,
        /// By the desk key.
        removal: Signed<Removal>,
    },
    /// A person who can't follow comes back with a new leaf.
    PersonRescue {
        /// Her key.
        person: PublicKey,
        /// Signature key of the new leaf.
        leaf_key: PublicKey,
        /// By her key: see [`sign_person_rescue`].
        signature: Signature,
    },
    /// A member who can't follow comes back with a new leaf.
    MemberRescue {
        /// By the root.
        desk_key: Signed<DeskKey>,
        /// By the desk key.
        rescue: Signed<MemberRescue>,
    },
}

/// What a desk key signs to remove a member everywhere. It never expires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Removal {
    /// The member's attested key.
    pub key: PublicKey,
}

impl Labelled for Removal {
    const LABEL: &'static str = "cobijo/1 removal";
}

/// What a desk key signs to let a member back into one group.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberRescue {
    /// The MLS group id.
    pub group: ByteBuf,
    /// Attested key of the leaf to remove.
    pub old_key: PublicKey,
    /// Attested key of the leaf to add; its attestation's serial is higher.
    pub new_key: PublicKey,
}

impl Labelled for MemberRescue {
    const LABEL: &'static str = "cobijo/1 member rescue";
}

const LEAVE_LABEL: &str = "cobijo/1 leave";
const WIPE_LABEL: &str = "cobijo/1 wipe";
const PERSON_RESCUE_LABEL: &str = "cobijo/1 rescue";

/// Signs a leave: over the group id and SHA-256 of the signer's present LeafNode (RFC 9420 §7.2), so
/// that it holds only while that LeafNode stands.
pub fn sign_leave(
    key: &SecretKey,
    group: &[u8],
    leaf: u32,
    leaf_node_hash: &[u8; 32],
) -> Statement {
    Statement::Leave {
        leaf,
        signature: key.sign(LEAVE_LABEL, &group_message(group, leaf_node_hash)),
    }
}

/// Whether `key` signed a leave of the LeafNode with that hash.
#[must_use]
pub fn verify_leave(
    key: &PublicKey,
    group: &[u8],
    leaf_node_hash: &[u8; 32],
    signature: &Signature,
) -> bool {
    key.verify(
        LEAVE_LABEL,
        &group_message(group, leaf_node_hash),
        signature,
    )
}

/// Signs a wipe of the group.
pub fn sign_wipe(person: &SecretKey, group: &[u8]) -> Statement {
    Statement::Wipe {
        person: person.public(),
        signature: person.sign(WIPE_LABEL, &group_message(group, &[])),
    }
}

/// Whether `person` signed a wipe of the group.
#[must_use]
pub fn verify_wipe(person: &PublicKey, group: &[u8], signature: &Signature) -> bool {
    person.verify(WIPE_LABEL, &group_message(group, &[]), signature)
}

/// Signs a person's rescue: over the group id and the new leaf's signature key.
pub fn sign_person_rescue(person: &SecretKey, group: &[u8], leaf_key: &PublicKey) -> Statement {
    let signature = person.sign(
        PERSON_RESCUE_LABEL,
        &group_message(group, leaf_key.as_bytes()),
    );
    Statement::PersonRescue {
        person: person.public(),
        leaf_key: *leaf_key,
        signature,
    }
}

/// Whether `person` signed a rescue by the leaf of `leaf_key`.
#[must_use]
pub fn verify_person_rescue(
    person: &PublicKey,
    group: &[u8],
    leaf_key: &PublicKey,
    signature: &Signature,
) -> bool {
    person.verify(
        PERSON_RESCUE_LABEL,
        &group_message(group, leaf_key.as_bytes()),
        signature,
    )
}

/// What follows the label: length of the group id u32 BE ‖ group id ‖ rest.
fn group_message(group: &[u8], rest: &[u8]) -> Vec<u8> {
    let len = u32::try_from(group.len()).unwrap_or(u32::MAX);
    [len.to_be_bytes().as_slice(), group, rest].concat()
}

/// What a Welcome's bodies carry: the Welcome, and what a newcomer must know beside it. [G-11]
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WelcomePayload {
    /// The committer's caught-up day: the newcomer has caught up until then.
    pub day: Day,
    /// The desk key of the highest serial in any leaf or earlier statement of the group. Signed by the
    /// root, so that a committer can't make a newcomer refuse what everyone else follows.
    pub desk_key: Option<Signed<DeskKey>>,
    /// The MLSMessage that holds the Welcome.
    pub welcome: ByteBuf,
}
