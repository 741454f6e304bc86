//! Desks as they sign themselves: root key, desk key, attestations, card and its daily part. [D-1]–[D-9]

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::{
    Day, cbor,
    fixed::opaque_debug,
    keys::{BadSignature, Labelled, PublicKey, Signed},
    limits::{ALIAS_BYTES_MAX, CARD_BYTES_MAX, CARD_POSTERS_MAX},
    link::DeskId,
    mailbox::MailboxKey,
    opening::Opening,
};

/// Bytes of an X-Wing public key.
pub const INTAKE_KEY_BYTES: usize = 1216;

/// What the root key signs: a desk key for 30 days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeskKey {
    /// The desk's root key.
    pub root: PublicKey,
    /// The key that coordinators hold.
    pub key: PublicKey,
    /// Grows with every desk key.
    pub serial: u32,
    /// Last day of its use.
    pub not_after: Day,
}

impl Labelled for DeskKey {
    const LABEL: &'static str = "cobijo/1 desk key";
}

opaque_debug!(Attestation);

/// What an attested member may do. Only coordinators have rights that others don't. [D-4]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Answers people.
    Accompanier,
    /// Holds the desk key, and answers people.
    Coordinator,
    /// Answers people, and knows digital security.
    DigitalSecurity,
    /// Answers people, and knows the law.
    Lawyer,
    /// Answers people, and knows psychology.
    Psychologist,
}

impl Role {
    /// Whether people are told of this role as of somebody with a special knowledge.
    pub fn is_specialist(self) -> bool {
        match self {
            Self::Accompanier | Self::Coordinator => false,
            Self::DigitalSecurity | Self::Lawyer | Self::Psychologist => true,
        }
    }
}

/// What a desk key signs about a member.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    /// The name that people see.
    pub alias: String,
    /// What the member may do.
    pub role: Role,
    /// Key of every leaf of this member.
    pub key: PublicKey,
    /// Last day on which the member may be added to a group.
    pub not_after: Day,
    /// Grows with every attestation of the desk.
    pub serial: u32,
}

impl Labelled for Attestation {
    const LABEL: &'static str = "cobijo/1 attestation";
}

/// An attestation with the chain to the root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attested {
    /// By the root.
    pub desk_key: Signed<DeskKey>,
    /// By the desk key.
    pub attestation: Signed<Attestation>,
}

impl Attested {
    /// The member and the desk key's serial, if the chain leads to `root`. Says nothing about dates. [D-3]
    ///
    /// # Errors
    /// [`BadSignature`] where a link of the chain does not hold.
    pub fn verify(&self, root: &PublicKey) -> Result<(Attestation, DeskKey), BadSignature> {
        let desk_key = verify_desk_key(&self.desk_key, root)?;
        let attestation = self.attestation.verify(&desk_key.key)?;
        if is_alias(&attestation.alias) {
            Ok((attestation, desk_key))
        } else {
            Err(BadSignature)
        }
    }
}

/// Marks that turn the text beside them around, or end its line.
const TURNING: [RangeInclusive<char>; 4] = [
    '\u{061c}'..='\u{061c}',
    '\u{200e}'..='\u{200f}',
    '\u{2028}'..='\u{202e}',
    '\u{2066}'..='\u{2069}',
];

/// Whether a text may be an alias: 1 to 64 bytes that can neither move a terminal's cursor nor turn
/// the text beside it around. [D-4]
pub fn is_alias(text: &str) -> bool {
    let turns = |c: char| TURNING.iter().any(|marks| marks.contains(&c));
    (1..=ALIAS_BYTES_MAX).contains(&text.len()) && !text.chars().any(|c| c.is_control() || turns(c))
}

/// Verifies a desk key under the root that its reader expects.
///
/// # Errors
/// [`BadSignature`] for another root.
pub fn verify_desk_key(
    desk_key: &Signed<DeskKey>,
    root: &PublicKey,
) -> Result<DeskKey, BadSignature> {
    let value = desk_key.verify(root)?;
    if value.root == *root {
        Ok(value)
    } else {
        Err(BadSignature)
    }
}

/// Text in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Spanish.
    pub es: String,
    /// English.
    pub en: String,
}

/// The lasting part of a card, signed by the desk key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardBody {
    /// Grows with every change.
    pub version: u32,
    /// Who answers.
    pub name: Text,
    /// What the desk says of itself.
    pub about: Text,
    /// When somebody answers, in words.
    pub hours: Text,
    /// When somebody answers, for clients.
    pub opening: Opening,
    /// Usual wait, in minutes: from and to.
    pub wait_minutes: (u16, u16),
    /// Languages spoken, as BCP 47 tags.
    pub languages: Vec<String>,
    /// Keys of the members that may sign the daily part.
    pub posters: Vec<PublicKey>,
}

impl Labelled for CardBody {
    const LABEL: &'static str = "cobijo/1 card";
}

/// The daily part, signed by a poster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Daily {
    /// The desk.
    pub desk: DeskId,
    /// Serial of the desk key of the card it belongs to.
    pub desk_serial: u32,
    /// Version of that card.
    pub version: u32,
    /// Its day.
    pub day: Day,
    /// Where to drop.
    pub mailbox: MailboxKey,
    /// X-Wing key to seal to.
    pub intake_key: ByteBuf,
    /// The poster.
    pub poster: PublicKey,
}

impl Labelled for Daily {
    const LABEL: &'static str = "cobijo/1 daily";
}

/// A card as it is published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnverifiedCard {
    /// By the root.
    pub desk_key: Signed<DeskKey>,
    /// By the desk key.
    pub card: Signed<CardBody>,
    /// By a poster.
    pub daily: Signed<Daily>,
}

/// A card whose signatures all hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// The desk key that signed it.
    pub desk_key: DeskKey,
    /// The lasting part.
    pub body: CardBody,
    /// The daily part.
    pub daily: Daily,
}

/// What must grow from one published card to the next. [D-6]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CardVersion {
    /// Serial of the desk key.
    pub desk_serial: u32,
    /// Version of the lasting part.
    pub version: u32,
    /// Day of the daily part.
    pub day: Day,
}

/// Why a card is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// Not canonical CBOR of a card, or a count or length out of bounds.
    #[error("card that does not decode")]
    Malformed,
    /// A signature, or what a part says of another, does not hold.
    #[error("card that is not signed by its desk")]
    Signature,
    /// Above [`CARD_BYTES_MAX`].
    #[error("card that is too large")]
    TooLarge,
}

impl UnverifiedCard {
    /// Decodes what was fetched or is to be published.
    ///
    /// # Errors
    /// [`CardError::TooLarge`] or [`CardError::Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, CardError> {
        if bytes.len() > CARD_BYTES_MAX {
            return Err(CardError::TooLarge);
        }
        cbor::decode(bytes).map_err(|_| CardError::Malformed)
    }

    /// Encodes for publishing.
    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(self)
    }

    /// Verifies that the card is of `desk`. Says nothing about dates. [D-5]
    ///
    /// # Errors
    /// [`CardError::Signature`] or [`CardError::Malformed`].
    pub fn verify(&self, desk: &DeskId) -> Result<Card, CardError> {
        let signature = |_| CardError::Signature;
        let root = self.desk_key.unverified().map_err(signature)?.root;
        if DeskId::of(&root) != *desk {
            return Err(CardError::Signature);
        }
        let desk_key = verify_desk_key(&self.desk_key, &root).map_err(signature)?;
        let body = self.card.verify(&desk_key.key).map_err(signature)?;
        let poster = self.daily.unverified().map_err(signature)?.poster;
        let daily = self.daily.verify(&poster).map_err(signature)?;
        let belongs = daily.desk == *desk
            && daily.desk_serial == desk_key.serial
            && daily.version == body.version;
        if !belongs || !body.posters.contains(&poster) {
            return Err(CardError::Signature);
        }
        let is_bounded = body.posters.len() <= CARD_POSTERS_MAX
            && daily.intake_key.len() == INTAKE_KEY_BYTES
            && body.opening.is_valid();
        if !is_bounded {
            return Err(CardError::Malformed);
        }
        Ok(Card {
            desk_key,
            body,
            daily,
        })
    }
}

impl Card {
    /// What must grow.
    pub fn version(&self) -> CardVersion {
        CardVersion {
            desk_serial: self.desk_key.serial,
            version: self.body.version,
            day: self.daily.day,
        }
    }

    /// Whether the card is out of date on `day`: a person is warned then. [D-7]
    pub fn is_expired(&self, day: Day) -> bool {
        day > self.desk_key.not_after || day > self.daily.day.saturating_add(1)
    }
}
