//! Circles: peer support among several survivors, and side rooms of a desk's members. [O-2]–[O-4], [O-7]

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::{
    card::{Attestation, Attested, INTAKE_KEY_BYTES, is_alias},
    cbor::{self, NotCanonical},
    commit::Statement,
    content::MessageId,
    fixed::opaque_debug,
    keys::PublicKey,
    limits::{CIRCLE_ABOUT_BYTES_MAX, CIRCLE_FACILITATORS_MAX, CIRCLE_MEMBERS_MAX, GROUP_ID_BYTES},
};

opaque_debug!(CircleContent, CircleInvite, About, LetIn);

/// What is said about a circle.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum CircleContent {
    /// In the circle, by a facilitator: what it is.
    About(About),
    /// In a side room, by whoever opened it: MLS group id of the conversation that it is about.
    Side(ByteBuf),
    /// In a conversation, by a facilitator: the person is asked into a circle.
    Invite(CircleInvite),
    /// In her conversation: her yes. Her no is silent.
    Answer {
        /// Name of the invitation's message.
        invite: MessageId,
        /// [`LetIn`], sealed to its `answers_to`.
        sealed: ByteBuf,
    },
    /// In her conversation: she has come back, and asks to be let in again.
    Again {
        /// MLS group id of the circle.
        circle: ByteBuf,
        /// [`LetIn`], sealed to what her invitation named.
        sealed: ByteBuf,
    },
}

/// What a circle is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// What it is called: like an alias.
    pub name: String,
    /// What it is for.
    pub about: String,
}

/// An invitation, for the person of the conversation in which it is said. [O-3]
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CircleInvite {
    /// MLS group id of the circle.
    pub circle: ByteBuf,
    /// What it is.
    pub about: About,
    /// Who facilitates, in the order of the circle's terms.
    pub facilitators: Vec<Attested>,
    /// How many are in it, the facilitators included.
    pub members: u16,
    /// An X-Wing key of the facilitator's who invites.
    pub answers_to: ByteBuf,
}

/// What she sends to be let in, or let in again; it is sealed, since others of the conversation need not know her
/// pseudonym. [O-4]
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LetIn {
    /// MLSMessage that holds her KeyPackage for the circle.
    pub key_package: ByteBuf,
    /// What takes her old leaf out, where she comes back.
    pub rescue: Option<Statement>,
}

impl About {
    /// Whether it can be shown: a name like an alias, and a text of bounded length.
    pub fn fits(&self) -> bool {
        is_alias(&self.name) && self.about.len() <= CIRCLE_ABOUT_BYTES_MAX
    }
}

impl CircleInvite {
    /// Checks its form and its facilitators, one of whom says it; gives who they are. [O-3]
    pub fn verify(&self, root: &PublicKey, author: &PublicKey) -> Option<Vec<Attestation>> {
        let verified = { self.facilitators.iter() }.map(|one| one.verify(root).ok());
        let facilitators: Vec<_> = verified
            .map(|verified| verified.map(|(attestation, _)| attestation))
            .collect::<Option<_>>()?;
        let fits = self.about.fits()
            && self.circle.len() == GROUP_ID_BYTES
            && (1..=CIRCLE_FACILITATORS_MAX).contains(&facilitators.len())
            && (1..=CIRCLE_MEMBERS_MAX).contains(&usize::from(self.members))
            && self.answers_to.len() == INTAKE_KEY_BYTES;
        let says = { facilitators.iter() }.any(|one| one.key == *author);
        (fits && says).then_some(facilitators)
    }
}

impl LetIn {
    /// What is sealed.
    pub fn to_plaintext(&self) -> Vec<u8> {
        cbor::encode(self)
    }

    /// Reads what was sealed.
    ///
    /// # Errors
    /// [`NotCanonical`] for anything else.
    pub fn from_plaintext(plaintext: &[u8]) -> Result<Self, NotCanonical> {
        cbor::decode(plaintext)
    }
}

/// HPKE info of an answer to an invitation: label ‖ its name. [O-4]
pub fn answer_info(invite: &MessageId) -> Vec<u8> {
    [b"cobijo/1 circle answer".as_slice(), invite.as_bytes()].concat()
}

/// HPKE info of the question of whoever comes back: label ‖ the circle's group id. [O-7]
pub fn again_info(circle: &[u8]) -> Vec<u8> {
    [b"cobijo/1 circle again".as_slice(), circle].concat()
}
