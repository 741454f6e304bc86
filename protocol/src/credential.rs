//! Who a leaf is: the content of an MLS basic credential, as canonical CBOR. [G-3]–[G-5]

use serde::{Deserialize, Serialize};

use crate::{
    card::{Attestation, Attested, is_alias},
    cbor,
    keys::{BadSignature, PublicKey, SecretKey, Signature},
};

/// The identity in a leaf's basic credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Credential {
    /// A member of the desk.
    Member(Attested),
    /// A survivor.
    Person(PersonCredential),
}

/// A survivor's leaf: her person key vouches for the leaf's signature key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonCredential {
    /// Fresh for every conversation.
    pub person: PublicKey,
    /// Grows with every leaf of hers.
    pub serial: u32,
    /// What the leaf is for.
    pub leaf: PersonLeaf,
    /// By the person key.
    pub signature: Signature,
    /// Her pseudonym: in a circle, and nowhere else. The leaf's own signature covers it. [O-2]
    pub alias: Option<String>,
}

/// What a survivor's leaf is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PersonLeaf {
    /// Her present device.
    Device,
    /// The silent leaf whose keys only a capsule holds.
    Return,
}

/// Label of what a person key signs about a leaf.
const LEAF_LABEL: &str = "cobijo/1 person leaf";

impl PersonCredential {
    /// Makes the credential of a leaf.
    pub fn sign(person: &SecretKey, serial: u32, leaf: PersonLeaf, leaf_key: &PublicKey) -> Self {
        let signature = person.sign(LEAF_LABEL, &leaf_message(serial, leaf, leaf_key));
        Self {
            person: person.public(),
            serial,
            leaf,
            signature,
            alias: None,
        }
    }

    /// The same with the pseudonym that she has in a circle. [O-2]
    #[must_use]
    pub fn with_alias(self, alias: &str) -> Self {
        Self {
            alias: Some(alias.to_owned()),
            ..self
        }
    }

    /// Checks that the person key vouches for `leaf_key`, and that her pseudonym, if any, can be shown.
    ///
    /// # Errors
    /// [`BadSignature`] where it doesn't, or can't.
    pub fn verify(&self, leaf_key: &PublicKey) -> Result<(), BadSignature> {
        let message = leaf_message(self.serial, self.leaf, leaf_key);
        let has_alias = self.alias.as_deref().is_none_or(is_alias);
        if has_alias && self.person.verify(LEAF_LABEL, &message, &self.signature) {
            Ok(())
        } else {
            Err(BadSignature)
        }
    }
}

/// What follows the label: serial u32 BE ‖ 0 for a device, 1 for a return leaf ‖ leaf key.
fn leaf_message(serial: u32, leaf: PersonLeaf, leaf_key: &PublicKey) -> Vec<u8> {
    [
        serial.to_be_bytes().as_slice(),
        &[leaf as u8],
        leaf_key.as_bytes(),
    ]
    .concat()
}

/// Who a leaf is, once its credential has been checked against the leaf's key and the desk's root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Identity {
    /// A member of the desk, and the serial of the desk key that attests it.
    Member {
        /// What the desk key says.
        attestation: Attestation,
        /// Serial of that desk key.
        desk_serial: u32,
    },
    /// A survivor.
    Person(PersonCredential),
}

impl Identity {
    /// The key that speaks for this leaf in statements: the person key, or a member's attested key.
    pub fn person_or_attested_key(&self) -> PublicKey {
        match self {
            Self::Member { attestation, .. } => attestation.key,
            Self::Person(person) => person.person,
        }
    }

    /// Serial of the desk key that attests a member.
    pub fn desk_serial(&self) -> Option<u32> {
        match self {
            Self::Member { desk_serial, .. } => Some(*desk_serial),
            Self::Person(_) => None,
        }
    }

    /// Whether it is a member of the desk.
    pub fn is_member(&self) -> bool {
        matches!(self, Self::Member { .. })
    }
}

impl Credential {
    /// Decodes a credential's identity and checks it. [G-4]
    ///
    /// # Errors
    /// [`BadSignature`] for anything that doesn't decode, or isn't vouched for.
    pub fn identify(
        identity: &[u8],
        leaf_key: &PublicKey,
        root: &PublicKey,
    ) -> Result<Identity, BadSignature> {
        match cbor::decode(identity).map_err(|_| BadSignature)? {
            Self::Member(attested) => {
                let (attestation, desk_key) = attested.verify(root)?;
                if attestation.key != *leaf_key {
                    return Err(BadSignature);
                }
                Ok(Identity::Member {
                    attestation,
                    desk_serial: desk_key.serial,
                })
            }
            Self::Person(person) => {
                person.verify(leaf_key)?;
                Ok(Identity::Person(person))
            }
        }
    }
}
