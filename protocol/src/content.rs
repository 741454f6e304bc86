//! What application messages say, as canonical CBOR inside an MLS PrivateMessage. –[A-6]

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use sha2::{Digest, Sha256};

use crate::{
    Day,
    card::{Attested, CardVersion, DeskKey, Role},
    circle::CircleContent,
    commit::Statement,
    file::{File, Fingerprint},
    fixed::{byte_array, opaque_debug},
    handover::{Block, BoardRow, Over, SealedWord, TeamNotes, Told, Unclaimed},
    keys::{IntakeSeed, PublicKey, SecretKey, Signed},
    link::DeskId,
    slot::ThreadSecret,
};

byte_array!(
    /// Names a message of an author: see [`MessageId::of`].
    public MessageId, 16
);

impl MessageId {
    /// `SHA-256("cobijo/1 message" ‖ author's signature key ‖ message)[..16]`: nobody can give two
    /// messages one name, or one of hers the name of somebody else's.
    pub fn of(author: &PublicKey, message: &[u8]) -> Self {
        let digest: [u8; 32] = Sha256::new()
            .chain_update(b"cobijo/1 message")
            .chain_update(author.as_bytes())
            .chain_update(message)
            .finalize()
            .into();
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        Self::from_bytes(id)
    }
}

/// HPKE info of a sealed desk key: label ‖ desk.
pub fn desk_key_seal_info(desk: &DeskId) -> Vec<u8> {
    [b"cobijo/1 desk key seal".as_slice(), desk.as_bytes()].concat()
}

opaque_debug!(
    Content,
    DeskContent,
    Proposal,
    IntakeKey,
    ClaimNotice,
    SnapshotPart,
    Message
);

/// An application message.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Random, so that the author's messages all have other names.
    pub id: MessageId,
    /// Lamport clock, which orders messages of different authors for display.
    pub clock: u64,
    /// What it says.
    pub content: Content,
}

/// What an application message says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Content {
    /// Text to read.
    Text(String),
    /// A colleague is proposed to the person.
    Proposal(Proposal),
    /// She says no; her yes is the commit that adds the colleague.
    Refusal {
        /// Name of the proposal's message.
        proposal: MessageId,
    },
    /// A file, which whoever wants to fetches. [F-1]
    File(Box<File>),
    /// The fingerprint of a file that stays with its author. [F-8]
    Fingerprint(Fingerprint),
    /// An accompanier closes the conversation for now, and leaves once this is stored.
    Closing,
    /// What was told so far, in the words that she and her accompaniers agreed on.
    Summary {
        /// Above the one that it takes the place of.
        version: u32,
        /// All of it; nothing where she erased it.
        text: String,
    },
    /// The author's shift ends.
    ShiftEnds {
        /// When.
        at: Minute,
        /// When she is back, if she knows.
        back: Option<Minute>,
        /// With whom the person may go on meanwhile.
        next: Option<Proposal>,
    },
    /// The author leaves; whoever commits next removes the leaf.
    Leave(Statement),
    /// A fact that the next commit must act on, passed on by a member.
    Statement(Statement),
    /// For the desk group only.
    Desk(DeskContent),
    /// About a circle: in it, or in a conversation of somebody who is asked into it.
    Circle(CircleContent),
}

/// A colleague is proposed to the person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// Who is proposed.
    pub member: Attested,
    /// What for.
    pub purpose: Purpose,
    /// Why, in the proposer's words.
    pub reason: String,
    /// What will be readable.
    pub reads: Reads,
    /// The colleague's KeyPackage, which the proposer has taken.
    pub key_package: ByteBuf,
}

/// What a colleague is proposed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// To accompany her too.
    Accompany,
    /// To learn beside the proposer.
    Buddy,
    /// To go on in place of the proposer, whose shift ends.
    HandOver,
    /// To help with what she knows.
    Specialist,
    /// To support the proposer.
    Supervise,
}

impl Purpose {
    /// Whether somebody of that role, who will read that, can be proposed for it.
    pub fn fits(self, role: Role, reads: Reads) -> bool {
        match self {
            Self::Accompany => true,
            Self::Buddy => reads == Reads::FromNow,
            Self::HandOver => reads == Reads::Summary,
            Self::Specialist => role.is_specialist(),
            Self::Supervise => role == Role::Coordinator,
        }
    }
}

/// Minutes since 1970 in UTC: nobody's clock shows more of a shift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Minute(u32);

impl Minute {
    /// Wraps the number.
    pub const fn from_number(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// What of the past a newcomer will read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reads {
    /// Nothing from before, and all from now on.
    FromNow,
    /// The summary, and all from now on.
    Summary,
}

/// What members of a desk tell each other.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum DeskContent {
    /// A day's mailbox and intake key; stored here before a card names them.
    IntakeKey(IntakeKey),
    /// A claim is about to be decided, or was.
    Claim(ClaimNotice),
    /// One-time KeyPackages of the author: all that are left, in place of those announced before.
    KeyPackages(Vec<ByteBuf>),
    /// Where the author receives what is sealed to it: an X-Wing key.
    SealKey(ByteBuf),
    /// The desk key, sealed to one coordinator.
    DeskKey {
        /// Attested key of the coordinator.
        to: PublicKey,
        /// What the root key says of it.
        desk_key: Signed<DeskKey>,
        /// HPKE encapsulation ‖ ciphertext of the desk key's seed.
        sealed: ByteBuf,
    },
    /// Members attested anew under a new desk key, for their next KeyPackages and replies.
    Attested(Vec<Attested>),
    /// The card as it is now, so that everyone refuses lower versions.
    Card {
        /// Version of it.
        version: CardVersion,
        /// As published, all of it.
        card: ByteBuf,
    },
    /// An intake key that a commit cut off, told again: it opens intakes, and no card names it.
    ToldAgain(IntakeKey),
    /// A row of the hand-over board.
    Board(BoardRow),
    /// The team's notes of a conversation.
    Notes(TeamNotes),
    /// A conversation is over.
    Over(Over),
    /// The author needs a coordinator in the conversation of this person, now.
    Help(PublicKey),
    /// A coordinator comes: the name of the message that asked for help.
    Coming(MessageId),
    /// Somebody has waited for long.
    Unclaimed(Unclaimed),
    /// For one coordinator alone.
    Word(SealedWord),
    /// A person is blocked, or no longer.
    Block(Block),
    /// What a newcomer must know, in numbered parts.
    Snapshot(SnapshotPart),
}

/// A day's mailbox and intake key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntakeKey {
    /// The card's day.
    pub day: Day,
    /// Signing key of the mailbox.
    pub mailbox: SecretKey,
    /// Seed of the X-Wing key.
    pub seed: IntakeSeed,
}

/// What became of a waiting person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimNotice {
    /// Her `r`.
    pub r: ThreadSecret,
    /// Whether a reply is stored, so that she is no longer waiting.
    pub answered: bool,
}

/// A part of the snapshot for newcomers.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotPart {
    /// From 0.
    pub part: u32,
    /// How many there are.
    pub parts: u32,
    /// Intake keys that still open something.
    pub intake_keys: Vec<IntakeKey>,
    /// Open claims.
    pub claims: Vec<ClaimNotice>,
    /// KeyPackages by owner.
    pub pool: Vec<(PublicKey, Vec<ByteBuf>)>,
    /// Seal keys by coordinator; taken from a coordinator alone.
    pub seal_keys: Vec<(PublicKey, ByteBuf)>,
    /// The hand-over board.
    pub board: Vec<Told<BoardRow>>,
    /// Notes of conversations that go on.
    pub notes: Vec<Told<TeamNotes>>,
    /// Who is blocked, and by whom.
    pub blocked: Vec<(PublicKey, PublicKey)>,
}
