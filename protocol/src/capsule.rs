//! A capsule: what a return phrase finds and opens. [B-3], [B-4]

use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{
    Day,
    card::{INTAKE_KEY_BYTES, is_alias},
    cbor::{self, NotCanonical},
    fixed::{byte_array, opaque_debug},
    keys::{PublicKey, SecretKey},
    limits::{
        CAPSULE_CIRCLES_MAX, CAPSULE_LEAVES_MAX, CAPSULE_MONTH_DAYS, CIRCLE_FACILITATORS_MAX,
        GROUP_ID_BYTES,
    },
    slot::ThreadSecret,
};

byte_array!(
    /// A private HPKE key of a leaf: an X-Wing decapsulation key. [D-9]
    secret DecapsulationKey, 32
);

byte_array!(
    /// What a phrase gives: every generation of its keys comes from it. [B-2]
    secret PhraseSecret, 64
);

byte_array!(
    /// Seed of the X-Wing key pair that capsules are sealed to. [B-2]
    secret PhraseSeed, 32
);

opaque_debug!(Capsule, CapsuleCircle, Place, ReturnLeaf);

impl PhraseSecret {
    /// Secret of the capsule threads of a generation, and the seed of what opens them. [B-2]
    pub fn generation(&self, number: u32) -> (ThreadSecret, PhraseSeed) {
        let info = [b"cobijo/1 generation".as_slice(), &number.to_be_bytes()];
        let mut okm = Zeroizing::new([0; 64]);
        #[expect(
            clippy::expect_used,
            reason = "a 64-byte key and 64 bytes of output are within HKDF's limits"
        )]
        Hkdf::<Sha256>::from_prk(self.as_bytes())
            .expect("64 bytes are a pseudorandom key")
            .expand_multi_info(&info, okm.as_mut())
            .expect("64 bytes within HKDF's limit");
        let half = |at: usize| std::array::from_fn(|byte| okm[at + byte]);
        (
            ThreadSecret::from_bytes(half(0)),
            PhraseSeed::from_bytes(half(32)),
        )
    }
}

/// HPKE info of a capsule.
pub const CAPSULE_INFO: &[u8] = b"cobijo/1 capsule";

/// What she needs to go on where she was. It never holds a group's state.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capsule {
    /// Root key of the desk.
    pub root: PublicKey,
    /// Her key for this conversation.
    pub person: SecretKey,
    /// Where she was.
    pub place: Place,
    /// What is shown to whoever comes back.
    pub shows: Shows,
    /// When it was written.
    pub day: Day,
    /// Return leaves, newest first.
    pub leaves: Vec<ReturnLeaf>,
    /// Circles that she is in, which have no return leaves. [O-7]
    pub circles: Vec<CapsuleCircle>,
}

/// A circle, and what she needs to ask its facilitators to let her in again.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapsuleCircle {
    /// Its MLS group id.
    pub group: ByteBuf,
    /// Her key for this circle.
    pub person: SecretKey,
    /// Serial of her last leaf there.
    pub serial: u32,
    /// Her pseudonym there.
    pub alias: String,
    /// What the circle is called.
    pub name: String,
    /// Attested keys of its facilitators.
    pub facilitators: Vec<PublicKey>,
    /// What answers to the facilitator who invited her are sealed to.
    pub answers_to: ByteBuf,
}

impl CapsuleCircle {
    fn fits(&self) -> bool {
        let facilitators = 1..=CIRCLE_FACILITATORS_MAX;
        self.group.len() == GROUP_ID_BYTES
            && is_alias(&self.alias)
            && is_alias(&self.name)
            && facilitators.contains(&self.facilitators.len())
            && self.answers_to.len() == INTAKE_KEY_BYTES
    }
}

/// Where she was.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Place {
    /// Her first message was stored, and nobody had answered that she knew of.
    Waiting {
        /// Secret of the threads she waits in.
        r: ThreadSecret,
        /// What her intake was sealed to.
        intake_key: ByteBuf,
    },
    /// In a conversation: its MLS group id.
    Group(ByteBuf),
}

/// What is shown to whoever comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shows {
    /// What follows her own last message or commit.
    New,
    /// All that the return leaf can read.
    All,
}

/// A return leaf: its KeyPackage with the private keys.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReturnLeaf {
    /// The leaf's signing key.
    pub key: SecretKey,
    /// MLSMessage that holds the KeyPackage.
    pub key_package: ByteBuf,
    /// Private key of its init key.
    pub init_key: DecapsulationKey,
    /// Private key of the leaf's encryption key.
    pub encryption_key: DecapsulationKey,
}

impl Capsule {
    /// What is sealed.
    pub fn to_plaintext(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(cbor::encode(self))
    }

    /// Reads what was sealed. [B-4]
    ///
    /// # Errors
    /// [`NotCanonical`] for anything else, and for counts or lengths that are out of bounds.
    pub fn from_plaintext(plaintext: &[u8]) -> Result<Self, NotCanonical> {
        let capsule: Self = cbor::decode(plaintext)?;
        let fits = match &capsule.place {
            Place::Waiting { intake_key, .. } => intake_key.len() == INTAKE_KEY_BYTES,
            Place::Group(_) => true,
        };
        let has_leaves = (1..=CAPSULE_LEAVES_MAX).contains(&capsule.leaves.len());
        let circles = &capsule.circles;
        let has_circles =
            circles.len() <= CAPSULE_CIRCLES_MAX && circles.iter().all(CapsuleCircle::fits);
        if fits && has_leaves && has_circles {
            Ok(capsule)
        } else {
            Err(NotCanonical)
        }
    }
}

/// The month of a day: the `leaf` of the thread that its capsules stand in. [B-3]
pub fn capsule_month(day: Day) -> u32 {
    day / CAPSULE_MONTH_DAYS
}
