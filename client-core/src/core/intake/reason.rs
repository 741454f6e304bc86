//! Why a person writes to a desk, and the leaf that is to be added.

use cobijo_protocol::{
    credential::{Credential, PersonCredential, PersonLeaf},
    intake::{IntakeKind, sign_contact},
    keys::SecretKey,
    slot::ThreadSecret,
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::{
    core::{contest::random, port::Rng},
    mls::{MlsError, Suite, key_package::OwnKeyPackage},
};

/// Why she writes to a desk.
#[derive(Clone)]
pub enum Reason {
    /// For the first time: with a fresh person key.
    First,
    /// Nobody answers in a conversation of hers.
    CameBack {
        /// Its MLS group id.
        group: Vec<u8>,
        /// Her key in it.
        person: SecretKey,
    },
    /// She can't follow a conversation of hers.
    Rescue {
        /// Its MLS group id.
        group: Vec<u8>,
        /// Her key in it.
        person: SecretKey,
        /// Above every serial of hers in it.
        serial: u32,
    },
}

/// A leaf of hers that is still to be added.
#[derive(Clone, Serialize, Deserialize)]
pub struct PersonPackage {
    /// The leaf's signature key.
    pub key: SecretKey,
    /// What vouches for it.
    pub credential: Credential,
    /// The KeyPackage, with what opens its Welcome.
    pub package: OwnKeyPackage,
}

impl PersonPackage {
    /// Makes a leaf of hers with a fresh signature key. [B-9]
    ///
    /// # Errors
    /// [`MlsError`] where openmls fails.
    pub fn new(
        suite: Suite,
        person: &SecretKey,
        serial: u32,
        leaf: PersonLeaf,
        rng: &mut Rng,
    ) -> Result<Self, MlsError> {
        let key = SecretKey::from_bytes(random(rng));
        let credential = PersonCredential::sign(person, serial, leaf, &key.public());
        Self::with(suite, key, credential, rng)
    }

    /// Makes her leaf of a circle, under her pseudonym there. [O-2]
    ///
    /// # Errors
    /// [`MlsError`] where openmls fails.
    pub fn for_circle(
        suite: Suite,
        person: &SecretKey,
        serial: u32,
        alias: &str,
        rng: &mut Rng,
    ) -> Result<Self, MlsError> {
        let key = SecretKey::from_bytes(random(rng));
        let leaf = PersonLeaf::Device;
        let credential = PersonCredential::sign(person, serial, leaf, &key.public());
        Self::with(suite, key, credential.with_alias(alias), rng)
    }

    fn with(
        suite: Suite,
        key: SecretKey,
        credential: PersonCredential,
        rng: &mut Rng,
    ) -> Result<Self, MlsError> {
        let credential = Credential::Person(credential);
        let package = OwnKeyPackage::new(suite, &key, &credential, rng)?;
        Ok(Self {
            key,
            credential,
            package,
        })
    }
}

/// Her key, what the intake says, and the serial of a leaf to be added, if any.
pub(super) fn begin(
    r: &ThreadSecret,
    reason: Reason,
    rng: &mut Rng,
) -> (SecretKey, IntakeKind, Option<u32>) {
    match reason {
        Reason::First => (
            SecretKey::from_bytes(random(rng)),
            IntakeKind::First,
            Some(1),
        ),
        Reason::CameBack { group, person } => {
            let signature = sign_contact(&person, r, &group);
            (
                person,
                IntakeKind::CameBack {
                    group: ByteBuf::from(group),
                    signature,
                },
                None,
            )
        }
        Reason::Rescue {
            group,
            person,
            serial,
        } => {
            let signature = sign_contact(&person, r, &group);
            (
                person,
                IntakeKind::Rescue {
                    group: ByteBuf::from(group),
                    signature,
                },
                Some(serial),
            )
        }
    }
}
