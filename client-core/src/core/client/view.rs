//! What is shown: plain data, read from the client's state at any time.

use cobijo_protocol::{
    card::{CardVersion, Role},
    content::{MessageId, Minute, Purpose, Reads},
    file::Fingerprint,
    keys::PublicKey,
    link::DeskLink,
    words::{AliasIndices, WordIndices},
};

use super::{
    capacity::Capacity,
    circles::{CircleInviteView, CircleView},
    command::Description,
    event::JoinFailure,
    file::FileView,
};
use crate::core::port::Now;

/// Declares a number that this profile gives to something; it means nothing elsewhere.
macro_rules! local_number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(u32);

        impl $name {
            /// Wraps the number.
            pub const fn from_number(number: u32) -> Self {
                Self(number)
            }

            /// The number.
            pub const fn number(self) -> u32 {
                self.0
            }
        }
    };
}

local_number!(
    /// A connection of the client.
    ChannelId
);
local_number!(
    /// A conversation as this profile numbers it: the same for its successors.
    ConversationId
);
local_number!(
    /// An invitation as its inviter numbers it.
    InviteId
);
local_number!(
    /// A file as its conversation numbers it here.
    FileNumber
);
local_number!(
    /// A row of the queue as this profile numbers it.
    RowId
);

/// What the profile is.
#[derive(Clone, PartialEq, Eq)]
pub enum Standing {
    /// Neither a desk's nor a person's yet.
    Fresh,
    /// A newcomer to a desk.
    Joining(JoiningView),
    /// A member of a desk.
    Member(Box<DeskView>),
    /// No longer a member.
    Removed,
    /// A person who comes back: what her phrase finds is looked for.
    Returning,
    /// A person who wrote to a desk.
    Person(PersonView),
}

/// A newcomer's way into a desk.
#[derive(Clone, PartialEq, Eq)]
pub struct JoiningView {
    /// The desk.
    pub link: DeskLink,
    /// To compare with the inviter, once her key is known.
    pub words: Option<WordIndices>,
    /// Whether the attestation has come.
    pub attested: bool,
    /// Why she can't join with this invitation.
    pub failure: Option<JoinFailure>,
}

/// A desk as its members see it.
#[derive(Clone, PartialEq, Eq)]
pub struct DeskView {
    /// What people are given.
    pub link: DeskLink,
    /// The own attested key.
    pub key: PublicKey,
    /// The own alias.
    pub alias: String,
    /// The own role.
    pub role: Role,
    /// Whether this profile can sign as the desk.
    pub holds_desk_key: bool,
    /// Whether this profile can sign the next desk key.
    pub holds_root_key: bool,
    /// Last day of the desk key.
    pub desk_key_until: u32,
    /// The highest card version seen.
    pub card: Option<CardVersion>,
    /// What the card says, or is about to say.
    pub description: Option<Description>,
    /// Whether the card of today is published.
    pub open_today: bool,
    /// Whether the card names somebody who is no longer in the desk.
    pub names_removed: bool,
    /// Whether the mailboxes are open.
    pub on_shift: bool,
    /// Live conversations that this member takes on shift.
    pub capacity: Capacity,
    /// Those that she has, with the answers on their way.
    pub live: usize,
    /// Until when she pauses: the queue offers nobody.
    pub paused_until: Option<Now>,
    /// Whether she is asked if she carries something hard.
    pub check_out: bool,
    /// Everyone in the desk, oneself included.
    pub colleagues: Vec<ColleagueView>,
    /// Invitations that are not finished.
    pub invites: Vec<InviteView>,
}

impl DeskView {
    /// Whether the queue offers no more.
    pub fn is_full(&self) -> bool {
        self.live >= usize::from(self.capacity.get())
    }
}

/// A member of the desk.
#[derive(Clone, PartialEq, Eq)]
pub struct ColleagueView {
    /// Attested key.
    pub key: PublicKey,
    /// The name that people see.
    pub alias: String,
    /// What the member may do.
    pub role: Role,
    /// KeyPackages that are left: without one she can't be proposed.
    pub key_packages: usize,
    /// Whether this is the own leaf.
    pub own: bool,
}

/// An invitation, as its inviter sees it.
#[derive(Clone, PartialEq, Eq)]
pub struct InviteView {
    /// Which.
    pub id: InviteId,
    /// When it stops working.
    pub until: Now,
    /// Who used it: the alias and the words to compare.
    pub newcomer: Option<(String, WordIndices)>,
    /// Whether she was admitted and hasn't arrived yet.
    pub admitted: bool,
}

/// A row of the queue: never a preview of what was written.
#[derive(Clone, PartialEq, Eq)]
pub struct QueueRow {
    /// Which.
    pub id: RowId,
    /// What the desk calls her conversation.
    pub alias: AliasIndices,
    /// When this client first saw it.
    pub since: Now,
    /// BCP 47 tag of her language.
    pub language: String,
    /// Why she comes.
    pub reason: QueueReason,
    /// Whether somebody is answering.
    pub state: QueueState,
    /// Alias of the colleague who says that she has answered.
    pub by: Option<String>,
    /// Whether the member in front passed it on.
    pub passed: bool,
}

/// Why somebody waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QueueReason {
    /// For the first time.
    First,
    /// Nobody answers in her conversation.
    CameBack,
    /// She, or a member, can't follow a conversation.
    Rescue,
}

/// What happens to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QueueState {
    /// Nobody is answering.
    Waiting,
    /// A colleague is about to.
    Claimed,
    /// This client is about to.
    Claiming,
    /// A colleague says that she has answered; it can be answered anyway.
    Answered,
    /// There was nothing to answer her with, when this client tried.
    Unanswerable,
}

/// A conversation in a list.
#[derive(Clone, PartialEq, Eq)]
pub struct ConversationView {
    /// Which.
    pub id: ConversationId,
    /// What the desk calls it, on its own side.
    pub alias: Option<AliasIndices>,
    /// Everyone in it, oneself included.
    pub members: Vec<MemberView>,
    /// Six words to compare elsewhere.
    pub code: Option<WordIndices>,
    /// Whether it can be written in.
    pub open: bool,
    /// Whether this member closed it: nothing else is known of it.
    pub closed: bool,
    /// Where it was erased: nothing of it is left here.
    pub erased: Option<Erasure>,
    /// Proposals that the person has not answered.
    pub proposals: Vec<ProposalView>,
    /// Its files, and those that are on their way into it.
    pub files: Vec<FileView>,
    /// What it is, where it is a circle or a side room.
    pub circle: Option<CircleView>,
    /// Circles that the person was invited to here, and is in none of yet.
    pub invitations: Vec<CircleInviteView>,
    /// What was told so far, where somebody wrote it down and she has not erased it.
    pub summary: Option<SummaryView>,
}

/// What was told so far.
#[derive(Clone, PartialEq, Eq)]
pub struct SummaryView {
    /// Names it in commands: whoever writes it anew says which one she saw.
    pub id: MessageId,
    /// Grows with every edit.
    pub version: u32,
    /// All of it.
    pub text: String,
    /// Who wrote it so.
    pub author: Option<Speaker>,
    /// Whether this client did.
    pub own: bool,
    /// How sure it is.
    pub state: EntryState,
}

/// When an accompanier's shift ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ShiftEnd {
    /// When.
    pub at: Minute,
    /// When she is back, if she knows.
    pub back: Option<Minute>,
}

/// Who erased a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Erasure {
    /// The person did.
    ByPerson,
    /// She herself: something is still to be erased elsewhere.
    Going,
}

/// Someone in a conversation.
#[derive(Clone, PartialEq, Eq)]
pub struct MemberView {
    /// Who.
    pub speaker: Speaker,
    /// Key of the leaf: names a member in commands.
    pub key: PublicKey,
    /// Whether it is the own leaf.
    pub own: bool,
    /// Added, but not heard of yet.
    pub arriving: bool,
    /// No longer of the desk, as the person's client has seen; nobody else looks.
    pub former: bool,
}

/// Who speaks.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Speaker {
    /// The survivor.
    Person,
    /// A person in a circle, by the name that she has there.
    Pseudonym(String),
    /// A member of the desk.
    Member {
        /// The name that people see.
        alias: String,
        /// What the member may do.
        role: Role,
    },
}

/// A proposal to the person.
#[derive(Clone, PartialEq, Eq)]
pub struct ProposalView {
    /// Its message.
    pub id: MessageId,
    /// Who proposes; nobody where the desk offers.
    pub by: Option<Speaker>,
    /// Alias of the colleague.
    pub alias: String,
    /// What the colleague may do in the desk.
    pub role: Role,
    /// What for.
    pub purpose: Purpose,
    /// Why.
    pub reason: String,
    /// What the colleague will be able to read.
    pub reads: Reads,
    /// The proposer's shift, where its end is why.
    pub ends: Option<ShiftEnd>,
    /// Aliases of others to whom a yes with the summary tells it too: they came in after it was written.
    pub also_read_by: Vec<String>,
}

/// One line of a conversation.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Entry {
    /// Its message; lines about membership have none.
    pub id: Option<MessageId>,
    /// Lamport clock: orders the lines.
    pub clock: u64,
    /// When this client learnt of it.
    pub at: Now,
    /// Who wrote it; nobody for what the client says itself.
    pub author: Option<Speaker>,
    /// Whether this client wrote it.
    pub own: bool,
    /// What it says.
    pub content: EntryContent,
    /// How sure it is.
    pub state: EntryState,
}

/// What a line says.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryContent {
    /// Text to read.
    Text(String),
    /// A colleague is proposed.
    Proposal {
        /// Alias of the colleague.
        alias: String,
        /// What the colleague may do in the desk.
        role: Role,
        /// What for.
        purpose: Purpose,
        /// Why.
        reason: String,
        /// What the colleague will be able to read.
        reads: Reads,
    },
    /// A file.
    File(Box<FileView>),
    /// The fingerprint of a file that its author kept.
    Fingerprint(Fingerprint),
    /// The author's shift ends.
    ShiftEnds {
        /// When.
        ends: ShiftEnd,
        /// With whom the person may go on, who would read the summary.
        next: Option<Next>,
    },
    /// The person said no to a proposal.
    Refusal(MessageId),
    /// Came in.
    Joined(Speaker),
    /// Went out, or was removed.
    Left(Speaker),
    /// Took the place of somebody of that name, with another key.
    OtherKey(Speaker),
    /// The last accompanier closed it for now; what was said stands for so many days, unless she erases it.
    Closing {
        /// How many.
        days: u16,
    },
    /// The person goes on from another device.
    OtherDevice,
    /// A message of this author is missing.
    Missing(Speaker),
    /// Tried a change that the rules don't allow; nothing has changed.
    NotAllowed(Speaker),
}

/// A colleague with whom the person may go on.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Next {
    /// Alias of the colleague.
    pub alias: String,
    /// What the colleague may do in the desk.
    pub role: Role,
    /// Why.
    pub reason: String,
}

/// How sure a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryState {
    /// Not stored at the relay yet.
    Sending,
    /// Stored, or received.
    Stored,
    /// Received, and cut off by a commit until its author sends it again.
    NotConfirmed,
}

/// A person's side.
#[derive(Clone, PartialEq, Eq)]
pub struct PersonView {
    /// The desk.
    pub link: DeskLink,
    /// Where she is.
    pub stage: PersonStage,
    /// Her conversation, once somebody has answered.
    pub conversation: Option<ConversationId>,
    /// Whether a phrase leads back to where she is, or soon will.
    pub phrase: bool,
    /// How much is still to be erased of what she erased or took back.
    pub left_to_erase: usize,
}

/// Where a person is on her way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PersonStage {
    /// Her message is on its way to the relay.
    Sending,
    /// Her message is stored, and nobody has answered yet.
    Waiting,
    /// She comes back, and has not taken her place yet.
    Returning,
    /// Somebody has answered.
    Talking,
    /// It is over.
    Ended,
}
