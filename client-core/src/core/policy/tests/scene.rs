//! A group and a commit in it, well-formed unless a test spoils them.

use std::collections::BTreeSet;

use cobijo_protocol::{
    card::{Attestation, Attested, DeskKey, Role},
    cbor,
    commit::{
        CommitData, MemberRescue, POLICY, Profile, Removal, Statement, Terms, sign_leave,
        sign_person_rescue, sign_wipe,
    },
    credential::{Credential, Identity, PersonCredential, PersonLeaf},
    keys::{PublicKey, SecretKey, Signed},
    slot::ThreadSecret,
};
use serde_bytes::ByteBuf;
use sha2::{Digest, Sha256};

use super::super::{Added, Change, Effect, Leaf, PathLeaf, Presence, Refusal, Standing, judge};

/// Leaf indices of the scenes; 3 is blank, as after a removal.
pub(super) const LUZ: u32 = 0;
pub(super) const HERS: u32 = 1;
pub(super) const HER_RETURN: u32 = 2;
pub(super) const SOL: u32 = 4;
/// In circles and desks.
pub(super) const ANA: u32 = 1;
pub(super) const BEA: u32 = 2;

/// A path that changes nothing that it must not.
pub(super) const KEPT: PathLeaf = PathLeaf {
    keeps_capabilities: true,
    keeps_credential: true,
    keeps_extensions: true,
    keeps_key: true,
};

/// A leaf as it stands or is added: its key and what its credential says.
#[derive(Clone)]
pub(super) struct Someone {
    pub(super) key: SecretKey,
    pub(super) credential: Vec<u8>,
}

/// A group and a commit.
#[derive(Clone)]
pub(super) struct Scene {
    pub(super) group: Vec<u8>,
    pub(super) epoch: u64,
    pub(super) terms: Terms,
    pub(super) leaves: Vec<(u32, Someone)>,
    pub(super) desk_serial: u32,
    pub(super) presence: Presence,
    pub(super) renewed: BTreeSet<u32>,
    pub(super) author: u32,
    pub(super) path: Option<PathLeaf>,
    pub(super) adds: Vec<(Someone, (u64, u64))>,
    pub(super) removes: Vec<u32>,
    pub(super) data: CommitData,
}

impl Scene {
    /// Luz and Sol answer; she has a device leaf (serial 1) and a return leaf (serial 2).
    pub(super) fn conversation() -> Self {
        Self::of(
            Profile::Conversation,
            vec![
                (LUZ, accompanier("luz")),
                (HERS, device(1)),
                (HER_RETURN, return_leaf(2)),
                (SOL, accompanier("sol")),
            ],
        )
    }

    /// Luz is its facilitator, Ana and Bea are persons, Sol is a member of the desk without a say.
    pub(super) fn circle() -> Self {
        Self::of(
            Profile::Circle,
            vec![
                (LUZ, accompanier("luz")),
                (ANA, peer("ana", 1, PersonLeaf::Device, "ana 1")),
                (BEA, peer("bea", 1, PersonLeaf::Device, "bea 1")),
                (SOL, accompanier("sol")),
            ],
        )
    }

    /// Luz coordinates, Ana, Bea and Sol don't.
    pub(super) fn desk() -> Self {
        Self::of(
            Profile::Desk,
            vec![
                (LUZ, member("luz", Role::Coordinator, 1, 1)),
                (ANA, accompanier("ana")),
                (BEA, accompanier("bea")),
                (SOL, accompanier("sol")),
            ],
        )
    }

    /// A group that only its creator is in yet.
    pub(super) fn founded(profile: Profile, creator: Someone) -> Self {
        let mut scene = Self::of(profile, vec![(LUZ, creator)]);
        scene.epoch = 0;
        scene
    }

    fn of(profile: Profile, leaves: Vec<(u32, Someone)>) -> Self {
        let facilitators = match profile {
            Profile::Circle => vec![key("luz").public()],
            Profile::Conversation | Profile::Desk => Vec::new(),
        };
        Self {
            group: b"the group".to_vec(),
            epoch: 7,
            terms: Terms {
                profile,
                policy: POLICY,
                root: root().public(),
                facilitators,
                predecessor: None,
            },
            data: CommitData {
                policy: POLICY,
                cut: leaves.iter().map(|&(index, _)| (index, 3)).collect(),
                statements: Vec::new(),
                welcomes: Vec::new(),
            },
            leaves,
            desk_serial: 1,
            presence: Presence::Here,
            renewed: BTreeSet::new(),
            author: LUZ,
            path: Some(KEPT),
            adds: Vec::new(),
            removes: Vec::new(),
        }
    }

    /// Names the author.
    pub(super) fn by(mut self, author: u32) -> Self {
        self.author = author;
        self
    }

    /// These have renewed already.
    pub(super) fn renewed(mut self, leaves: &[u32]) -> Self {
        self.renewed.extend(leaves);
        self
    }

    /// Adds a leaf, with its Welcome.
    pub(super) fn adds(mut self, someone: Someone) -> Self {
        self.adds.push((someone, (0, u64::MAX)));
        let secret = ThreadSecret::from_bytes([self.adds.len() as u8; 32]);
        self.data.welcomes.push((5000, secret));
        self
    }

    /// Removes leaves.
    pub(super) fn removes(mut self, leaves: &[u32]) -> Self {
        self.removes.extend(leaves);
        self
    }

    /// Carries a statement.
    pub(super) fn says(mut self, statement: Statement) -> Self {
        self.data.statements.push(statement);
        self
    }

    /// Carries the leave of a leaf: of hers, or a member's.
    pub(super) fn says_leave(self, leaf: u32) -> Self {
        let hers =
            self.terms.profile == Profile::Conversation && [HERS, HER_RETURN].contains(&leaf);
        let signer = if hers {
            key("her")
        } else {
            self.someone(leaf).key.clone()
        };
        self.says_leave_signed(leaf, &signer)
    }

    /// Carries the leave of a leaf, signed by whoever's key.
    pub(super) fn says_leave_signed(self, leaf: u32, signer: &SecretKey) -> Self {
        let statement = sign_leave(signer, &self.group, leaf, &self.node_hash(leaf));
        self.says(statement)
    }

    /// Carries her wipe.
    pub(super) fn says_wipe(self) -> Self {
        let statement = sign_wipe(&key("her"), &self.group);
        self.says(statement)
    }

    /// Carries a person's rescue.
    pub(super) fn says_rescue(self, person: &str, leaf: &Someone) -> Self {
        let statement = sign_person_rescue(&key(person), &self.group, &leaf.key.public());
        self.says(statement)
    }

    /// Carries a member's rescue, by the desk key of that serial.
    pub(super) fn says_member_rescue(self, old: &str, new: &str, desk_serial: u32) -> Self {
        let statement = member_rescue(&self.group, old, new, desk_serial);
        self.says(statement)
    }

    /// Spoils whatever a test wants spoilt.
    pub(super) fn with(mut self, spoil: impl FnOnce(&mut Self)) -> Self {
        spoil(&mut self);
        self
    }

    fn someone(&self, index: u32) -> &Someone {
        let mut leaves = self.leaves.iter();
        &leaves.find(|leaf| leaf.0 == index).unwrap().1
    }

    /// Stands for the hash of that leaf's LeafNode.
    pub(super) fn node_hash(&self, index: u32) -> [u8; 32] {
        self.someone(index).node_hash()
    }

    /// The leaves as the policy sees them.
    pub(super) fn policy_leaves(&self) -> Vec<Leaf> {
        let leaves = self.leaves.iter();
        leaves
            .map(|(index, someone)| Leaf {
                index: *index,
                key: someone.key.public(),
                identity: someone.identity(&self.terms.root).unwrap(),
                node_hash: someone.node_hash(),
            })
            .collect()
    }

    /// What the policy says.
    pub(super) fn verdict(&self) -> Result<Effect, Refusal> {
        let adds = self.adds.iter().map(|(someone, lifetime)| Added {
            key: someone.key.public(),
            identity: someone.identity(&self.terms.root),
            lifetime: *lifetime,
        });
        judge(
            &Standing {
                group: &self.group,
                epoch: self.epoch,
                terms: &self.terms,
                leaves: &self.policy_leaves(),
                desk_serial: self.desk_serial,
                presence: self.presence,
                renewed: &self.renewed,
            },
            &Change {
                author: self.author,
                path: self.path,
                adds: &adds.collect::<Vec<_>>(),
                removes: &self.removes,
                data: &self.data,
            },
        )
    }
}

impl Someone {
    fn identity(&self, root: &PublicKey) -> Option<Identity> {
        Credential::identify(&self.credential, &self.key.public(), root).ok()
    }

    /// Stands for the hash of its LeafNode.
    pub(super) fn node_hash(&self) -> [u8; 32] {
        Sha256::digest(self.key.public().as_bytes()).into()
    }

    /// The same credential on another key.
    pub(super) fn on_key(mut self, name: &str) -> Self {
        self.key = key(name);
        self
    }
}

/// The key of that name.
pub(super) fn key(name: &str) -> SecretKey {
    SecretKey::from_bytes(Sha256::digest(name.as_bytes()).into())
}

fn root() -> SecretKey {
    key("root")
}

fn desk_key(serial: u32) -> SecretKey {
    key(&format!("desk key {serial}"))
}

/// The desk key of that serial, signed by a root.
pub(super) fn signed_desk_key(root: &SecretKey, serial: u32) -> Signed<DeskKey> {
    root.sign_value(&DeskKey {
        root: root.public(),
        key: desk_key(serial).public(),
        serial,
        not_after: 20_800,
    })
}

/// An accompanier on serials 1 and 1.
pub(super) fn accompanier(name: &str) -> Someone {
    member(name, Role::Accompanier, 1, 1)
}

/// A member; the alias is the first word of the name, its key is of the whole.
pub(super) fn member(name: &str, role: Role, serial: u32, desk_serial: u32) -> Someone {
    member_of(&root(), name, role, serial, desk_serial)
}

/// A member of the desk of that root.
pub(super) fn member_of(
    root: &SecretKey,
    name: &str,
    role: Role,
    serial: u32,
    desk_serial: u32,
) -> Someone {
    let attestation = Attestation {
        alias: name.split(' ').next().unwrap().to_owned(),
        role,
        key: key(name).public(),
        not_after: 20_800,
        serial,
    };
    Someone {
        key: key(name),
        credential: cbor::encode(&Credential::Member(Attested {
            desk_key: signed_desk_key(root, desk_serial),
            attestation: desk_key(desk_serial).sign_value(&attestation),
        })),
    }
}

/// A leaf of a person.
pub(super) fn person(name: &str, serial: u32, leaf: PersonLeaf, leaf_key: &str) -> Someone {
    let leaf_key = key(leaf_key);
    let credential = PersonCredential::sign(&key(name), serial, leaf, &leaf_key.public());
    on_leaf(credential, leaf_key)
}

/// A leaf of a person in a circle, whose pseudonym is her name.
pub(super) fn peer(name: &str, serial: u32, leaf: PersonLeaf, leaf_key: &str) -> Someone {
    called(name, name, serial, leaf, leaf_key)
}

/// A leaf of a person with that pseudonym.
pub(super) fn called(
    alias: &str,
    name: &str,
    serial: u32,
    leaf: PersonLeaf,
    leaf_key: &str,
) -> Someone {
    let leaf_key = key(leaf_key);
    let credential = PersonCredential::sign(&key(name), serial, leaf, &leaf_key.public());
    on_leaf(credential.with_alias(alias), leaf_key)
}

fn on_leaf(credential: PersonCredential, leaf_key: SecretKey) -> Someone {
    Someone {
        credential: cbor::encode(&Credential::Person(credential)),
        key: leaf_key,
    }
}

/// A device leaf of hers.
pub(super) fn device(serial: u32) -> Someone {
    person(
        "her",
        serial,
        PersonLeaf::Device,
        &format!("device {serial}"),
    )
}

/// A return leaf of hers.
pub(super) fn return_leaf(serial: u32) -> Someone {
    person(
        "her",
        serial,
        PersonLeaf::Return,
        &format!("return {serial}"),
    )
}

/// A coordinator's removal, by the desk key of that serial.
pub(super) fn removal(name: &str, desk_serial: u32) -> Statement {
    removal_of(&root(), name, desk_serial)
}

/// A removal with a chain from that root.
pub(super) fn removal_of(root: &SecretKey, name: &str, desk_serial: u32) -> Statement {
    let removal = Removal {
        key: key(name).public(),
    };
    Statement::Removal {
        desk_key: signed_desk_key(root, desk_serial),
        removal: desk_key(desk_serial).sign_value(&removal),
    }
}

/// A member's rescue into that group.
pub(super) fn member_rescue(group: &[u8], old: &str, new: &str, desk_serial: u32) -> Statement {
    let rescue = MemberRescue {
        group: ByteBuf::from(group),
        old_key: key(old).public(),
        new_key: key(new).public(),
    };
    Statement::MemberRescue {
        desk_key: signed_desk_key(&root(), desk_serial),
        rescue: desk_key(desk_serial).sign_value(&rescue),
    }
}
