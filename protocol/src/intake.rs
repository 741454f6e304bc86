//! First contact: what a person seals to a desk, and the threads that she and the desk meet in. [I-1]–[I-11]

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{
    Day,
    card::{Attestation, Attested, DeskKey, is_alias},
    cbor::{self, NotCanonical},
    commit::Statement,
    fixed::{byte_array, opaque_debug},
    keys::{PublicKey, SecretKey, Signature},
    limits::CELL_BYTES,
    link::DeskId,
    parts::{Data, Head},
    slot::{ThreadSecret, TooLong},
};

/// Bytes of an X-Wing encapsulation.
pub const ENCAPSULATION_BYTES: usize = 1120;
/// Bytes of an intake's plaintext: length u16 BE ‖ CBOR ‖ zeros.
pub const INTAKE_PLAINTEXT_BYTES: usize = CELL_BYTES - ENCAPSULATION_BYTES - 16;

byte_array!(
    /// SHA-256 of an MLSMessage that holds a Welcome or a KeyPackage.
    public MessageHash, 32
);

impl MessageHash {
    /// Hashes a message.
    pub fn of(message: &[u8]) -> Self {
        Self(Sha256::digest(message).into())
    }
}

opaque_debug!(
    Intake,
    IntakeKind,
    Waiting,
    Newcomer,
    Reply,
    SignedReply,
    Claim,
    Taking
);

/// What a person seals to a desk's intake key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intake {
    /// Secret of the threads she waits in.
    pub r: ThreadSecret,
    /// Her key for this conversation.
    pub person: PublicKey,
    /// BCP 47 tag of her language.
    pub language: String,
    /// Why she comes.
    pub kind: IntakeKind,
    /// First text; longer text goes on in the waiting thread.
    pub text: String,
}

/// Why somebody comes to a desk.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum IntakeKind {
    /// For the first time.
    First,
    /// Nobody answers in her conversation.
    CameBack {
        /// The conversation's MLS group id.
        group: ByteBuf,
        /// By her key over r ‖ group id: see [`sign_contact`].
        signature: Signature,
    },
    /// She, or a member, can't follow a group.
    Rescue {
        /// Its MLS group id.
        group: ByteBuf,
        /// By the person key or attested key over r ‖ group id: see [`sign_contact`].
        signature: Signature,
    },
}

impl Intake {
    /// What is sealed: length u16 BE ‖ CBOR ‖ zeros, [`INTAKE_PLAINTEXT_BYTES`] long. [I-1]
    ///
    /// # Errors
    /// [`TooLong`] where the text must be cut, and go on in the waiting thread.
    pub fn to_plaintext(&self) -> Result<Zeroizing<Vec<u8>>, TooLong> {
        let content = Zeroizing::new(cbor::encode(self));
        let len = u16::try_from(content.len()).map_err(|_| TooLong)?;
        let mut plaintext = Zeroizing::new(vec![0; INTAKE_PLAINTEXT_BYTES]);
        plaintext[..2].copy_from_slice(&len.to_be_bytes());
        plaintext
            .get_mut(2..2 + content.len())
            .ok_or(TooLong)?
            .copy_from_slice(&content);
        Ok(plaintext)
    }

    /// Reads what was sealed.
    ///
    /// # Errors
    /// [`NotCanonical`] for anything that [`Intake::to_plaintext`] would not have written: the item
    /// is dropped.
    pub fn from_plaintext(plaintext: &[u8]) -> Result<Self, NotCanonical> {
        let (len, rest) = plaintext.split_first_chunk().ok_or(NotCanonical)?;
        let (content, padding) = rest
            .split_at_checked(u16::from_be_bytes(*len).into())
            .ok_or(NotCanonical)?;
        let is_padded =
            plaintext.len() == INTAKE_PLAINTEXT_BYTES && padding.iter().all(|&byte| byte == 0);
        if is_padded {
            cbor::decode(content)
        } else {
            Err(NotCanonical)
        }
    }
}

/// HPKE info of an intake: label ‖ desk ‖ card version u32 BE ‖ day u32 BE. [I-2]
pub fn intake_info(desk: &DeskId, version: u32, day: Day) -> Vec<u8> {
    [
        b"cobijo/1 intake".as_slice(),
        desk.as_bytes(),
        &version.to_be_bytes(),
        &day.to_be_bytes(),
    ]
    .concat()
}

/// HPKE info of what a waiting person adds: label ‖ r. [I-4]
pub fn waiting_info(r: &ThreadSecret) -> Vec<u8> {
    [b"cobijo/1 waiting".as_slice(), r.as_bytes()].concat()
}

/// A payload in the waiting thread.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Waiting {
    /// An MLSMessage that holds a KeyPackage; the highest serial of each kind of leaf counts.
    KeyPackage(ByteBuf),
    /// More of what she writes: HPKE encapsulation ‖ ciphertext under the same intake key.
    More(ByteBuf),
    /// An invited newcomer, before any attestation.
    Newcomer(Newcomer),
    /// A person who can't follow a group: the statement that lets her KeyPackage in.
    Rescue(Statement),
}

/// What an invited newcomer says of herself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Newcomer {
    /// The key to attest.
    pub key: PublicKey,
    /// The name she wants to be seen by.
    pub alias: String,
    /// By that key over r ‖ alias, so that nobody else's key is attested.
    pub signature: Signature,
}

/// A payload in the reply thread.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Reply {
    /// A claimer answers: the Welcome with this hash stands where `content` says.
    Claimed(SignedReply),
    /// A claimer of "ask the desk" or a rescue offers a KeyPackage; her yes adds it.
    Offered(SignedReply),
    /// The reply at this index can't be joined: the contest goes on.
    NotThisOne {
        /// Index in the reply thread.
        index: u64,
        /// By the person key: see [`sign_not_this_one`].
        signature: Signature,
    },
    /// To an invited newcomer.
    Attested {
        /// Her attestation, with the chain.
        attested: Attested,
    },
}

/// A claimer's reply.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedReply {
    /// SHA-256 of the MLSMessage that is offered: a Welcome, or the KeyPackage in `content`.
    pub hash: MessageHash,
    /// The KeyPackage, for an offer; for a claim the head of the Welcome.
    pub content: ByteBuf,
    /// Who replies.
    pub by: Attested,
    /// By the attested key: see [`SignedReply::sign`].
    pub signature: Signature,
}

/// A payload in the claim thread: its writer is about to answer. Advisory; the reply thread decides.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// Who claims.
    pub by: Attested,
    /// By the attested key over r ‖ index u64 BE, so that no cell counts twice.
    pub signature: Signature,
}

/// A payload in the taking thread of a colleague's KeyPackage: the first valid one has it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Taking {
    /// Who takes it.
    pub by: Attested,
    /// Key of the person that the colleague is proposed to: only she may sign the GroupInfo of the Welcome.
    pub person: PublicKey,
    /// By the attested key over welcome secret ‖ person.
    pub signature: Signature,
}

const CLAIM_LABEL: &str = "cobijo/1 claiming";
const TAKING_LABEL: &str = "cobijo/1 taking";
const REPLY_LABEL: &str = "cobijo/1 reply";
const NOT_THIS_ONE_LABEL: &str = "cobijo/1 not this one";
const NEWCOMER_LABEL: &str = "cobijo/1 newcomer";
const CONTACT_LABEL: &str = "cobijo/1 contact";

impl SignedReply {
    /// Signs over r ‖ hash ‖ content.
    pub fn sign(
        key: &SecretKey,
        by: Attested,
        r: &ThreadSecret,
        hash: MessageHash,
        content: Vec<u8>,
    ) -> Self {
        let signature = key.sign(REPLY_LABEL, &replied(r, &hash, &content));
        Self {
            hash,
            content: ByteBuf::from(content),
            by,
            signature,
        }
    }

    /// Who claims, if a member attested under `root` signed it, and the content is the head of a Welcome. [I-6]
    pub fn verify_claimed(
        &self,
        root: &PublicKey,
        r: &ThreadSecret,
    ) -> Option<(Attestation, DeskKey)> {
        self.verify(root, r)
            .filter(|_| self.welcome_head().is_some())
    }

    /// The head of the Welcome that a claim names: all of it stands in bodies. [H-5]
    pub fn welcome_head(&self) -> Option<Head> {
        match Data::decode(&self.content)? {
            Data::Head(head) if head.part.is_empty() => Some(head),
            Data::Head(_) | Data::Whole(_) => None,
        }
    }

    /// Who offers herself, if a member attested under `root` signed it, and the hash is that of the
    /// content, which isn't empty. [I-6]
    pub fn verify_offered(
        &self,
        root: &PublicKey,
        r: &ThreadSecret,
    ) -> Option<(Attestation, DeskKey)> {
        let is_of_content = !self.content.is_empty() && self.hash == MessageHash::of(&self.content);
        self.verify(root, r).filter(|_| is_of_content)
    }

    fn verify(&self, root: &PublicKey, r: &ThreadSecret) -> Option<(Attestation, DeskKey)> {
        let (attestation, desk_key) = self.by.verify(root).ok()?;
        let message = replied(r, &self.hash, &self.content);
        attestation
            .key
            .verify(REPLY_LABEL, &message, &self.signature)
            .then_some((attestation, desk_key))
    }
}

impl Claim {
    /// Signs over r ‖ index. [I-9]
    pub fn sign(key: &SecretKey, by: Attested, r: &ThreadSecret, index: u64) -> Self {
        let signature = key.sign(CLAIM_LABEL, &indexed(r, index));
        Self { by, signature }
    }

    /// The claimer, if a member attested under `root` claims at `index`.
    pub fn verify(&self, root: &PublicKey, r: &ThreadSecret, index: u64) -> Option<Attestation> {
        let (attestation, _) = self.by.verify(root).ok()?;
        attestation
            .key
            .verify(CLAIM_LABEL, &indexed(r, index), &self.signature)
            .then_some(attestation)
    }
}

impl Taking {
    /// Signs over welcome secret ‖ person. [I-11]
    pub fn sign(
        key: &SecretKey,
        by: Attested,
        welcome_secret: &ThreadSecret,
        person: PublicKey,
    ) -> Self {
        let message = [welcome_secret.as_bytes().as_slice(), person.as_bytes()].concat();
        Self {
            by,
            person,
            signature: key.sign(TAKING_LABEL, &message),
        }
    }

    /// The taker, if a member attested under `root` takes it for that person.
    pub fn verify(&self, root: &PublicKey, welcome_secret: &ThreadSecret) -> Option<Attestation> {
        let (attestation, _) = self.by.verify(root).ok()?;
        let message = [welcome_secret.as_bytes().as_slice(), self.person.as_bytes()].concat();
        attestation
            .key
            .verify(TAKING_LABEL, &message, &self.signature)
            .then_some(attestation)
    }
}

/// What follows the label: r ‖ hash ‖ content.
fn replied(r: &ThreadSecret, hash: &MessageHash, content: &[u8]) -> Vec<u8> {
    [r.as_bytes().as_slice(), hash.as_bytes(), content].concat()
}

/// What follows the label: r ‖ index u64 BE.
fn indexed(r: &ThreadSecret, index: u64) -> Vec<u8> {
    [r.as_bytes().as_slice(), &index.to_be_bytes()].concat()
}

/// Signs that the reply at `index` can't be joined. [I-8]
pub fn sign_not_this_one(person: &SecretKey, r: &ThreadSecret, index: u64) -> Reply {
    let signature = person.sign(NOT_THIS_ONE_LABEL, &indexed(r, index));
    Reply::NotThisOne { index, signature }
}

/// Whether the person said that the reply at `index` can't be joined.
#[must_use]
pub fn verify_not_this_one(
    person: &PublicKey,
    r: &ThreadSecret,
    index: u64,
    signature: &Signature,
) -> bool {
    person.verify(NOT_THIS_ONE_LABEL, &indexed(r, index), signature)
}

impl Newcomer {
    /// Signs over r ‖ alias. [I-10]
    pub fn sign(key: &SecretKey, alias: String, r: &ThreadSecret) -> Self {
        let signature = key.sign(
            NEWCOMER_LABEL,
            &[r.as_bytes().as_slice(), alias.as_bytes()].concat(),
        );
        Self {
            key: key.public(),
            alias,
            signature,
        }
    }

    /// Whether the newcomer holds the key, and the alias may be one.
    #[must_use]
    pub fn verify(&self, r: &ThreadSecret) -> bool {
        is_alias(&self.alias)
            && self.key.verify(
                NEWCOMER_LABEL,
                &[r.as_bytes().as_slice(), self.alias.as_bytes()].concat(),
                &self.signature,
            )
    }
}

/// Signs a contact about a group one is a member of: over r ‖ group id.
pub fn sign_contact(key: &SecretKey, r: &ThreadSecret, group: &[u8]) -> Signature {
    key.sign(CONTACT_LABEL, &[r.as_bytes(), group].concat())
}

/// Whether `key` signed a contact about the group.
#[must_use]
pub fn verify_contact(
    key: &PublicKey,
    r: &ThreadSecret,
    group: &[u8],
    signature: &Signature,
) -> bool {
    key.verify(CONTACT_LABEL, &[r.as_bytes(), group].concat(), signature)
}
