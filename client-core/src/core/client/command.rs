//! What the person in front of the client may ask for, and why it is refused.

use cobijo_protocol::{
    capsule::Shows,
    card::{Role, Text},
    circle::About,
    content::{MessageId, Purpose, Reads},
    keys::PublicKey,
    link::{DeskLink, Invite, RelayUrl},
    opening::Opening,
};

use super::{
    board::PeopleCommand,
    capacity::Capacity,
    file::FileCommand,
    view::{ConversationId, InviteId, RowId, ShiftEnd},
};
use crate::core::phrase::PhraseKeys;

/// One thing asked for by the person in front of the client.
///
/// [`Client::handle_command`](super::Client::handle_command) refuses at once what can't be; what
/// takes a relay's answer is told by an [`Event`](super::Event).
#[derive(Clone)]
pub enum Command {
    /// For a desk's side.
    Team(TeamCommand),
    /// For a person's side.
    Person(PersonCommand),
    /// Says something in a conversation.
    Say {
        /// Where.
        conversation: ConversationId,
        /// What.
        text: String,
    },
    /// About a file of a conversation.
    File(FileCommand),
    /// Leaves a conversation; a person's leave ends it.
    Leave(ConversationId),
    /// Writes the summary anew.
    EditSummary {
        /// Where.
        conversation: ConversationId,
        /// The one that was seen, if there was one: where another one stands, nothing is written.
        seen: Option<MessageId>,
        /// All of it.
        text: String,
    },
}

/// What a member of a desk, or who becomes one, may ask for.
#[derive(Clone)]
pub enum TeamCommand {
    /// Creates a desk, with its root key and first desk key. The relay's operator must host it.
    CreateDesk {
        /// Where the desk will be.
        relay: RelayUrl,
        /// The coordinator's name, as people will see it.
        alias: String,
        /// What the card says.
        description: Description,
    },
    /// Coordinator: changes what the card says.
    Describe(Description),
    /// Coordinator with the root key: signs the next desk key.
    RenewDeskKey,
    /// Coordinator: gives out the root key ([`Event::RootKey`](super::Event::RootKey)) to be kept offline.
    ExportRoot,
    /// Coordinator: forgets the root key, after it was exported.
    DropRoot,
    /// Coordinator: takes the exported root key back in.
    ImportRoot(cobijo_protocol::keys::SecretKey),
    /// Coordinator: makes a single-use invitation.
    Invite,
    /// Coordinator: lets in the newcomer whose words were the same.
    Admit {
        /// The invitation.
        invite: InviteId,
        /// What she may do.
        role: Role,
    },
    /// Coordinator: takes an invitation back, also because the words differed.
    Revoke(InviteId),
    /// Joins a desk by invitation, or comes back into the own one, which this client can't follow.
    JoinDesk {
        /// The invitation.
        invite: Invite,
        /// The name that people will see; whoever comes back keeps hers.
        alias: String,
    },
    /// Begins a shift: opens the mailboxes, and posts the card's daily part if nobody has.
    StartShift,
    /// Says how many live conversations she takes on this shift; above them the queue offers no more.
    Take(Capacity),
    /// Says which colleague learns beside her on this shift: proposed as a buddy in every conversation that
    /// she begins, before anything else is said there.
    LearnBeside(Option<PublicKey>),
    /// Ends it.
    EndShift,
    /// Answers a waiting person.
    Claim(RowId),
    /// Passes a row on, also one that is being answered while no answer is on its way. Nobody else is told.
    Pass(RowId),
    /// Takes a row off the queue unanswered, and erases its item for the whole desk.
    Dismiss(RowId),
    /// Proposes a colleague to the person; takes one of the colleague's KeyPackages.
    Propose {
        /// Where.
        conversation: ConversationId,
        /// Attested key of the colleague.
        colleague: PublicKey,
        /// What for; not to hand over.
        purpose: Purpose,
        /// Why, for the person to read.
        reason: String,
        /// What the colleague will be able to read.
        reads: Reads,
    },
    /// For a circle or a side room.
    Circle(CircleCommand),
    /// Tells the person when the own shift ends; with a colleague, whose KeyPackage is taken, she may go on
    /// with her, and then this member leaves.
    HandOver {
        /// Where.
        conversation: ConversationId,
        /// When.
        ends: ShiftEnd,
        /// Attested key of a colleague, and why, for the person to read.
        next: Option<(PublicKey, String)>,
    },
    /// Coordinator: removes a member from the desk and, by statement, from every conversation.
    RemoveMember(PublicKey),
    /// Coordinator with the root key: makes a new group for the desk, where colleagues can't follow the one
    /// before, and brings all into it but these, who are removed from every conversation too.
    MakeSuccessor(Vec<PublicKey>),
    /// What concerns the people whom she accompanies, and herself.
    People(PeopleCommand),
    /// Leaves the desk and its conversations ([`Event::LeftDesk`](super::Event::LeftDesk)).
    LeaveDesk,
}

/// What a member of a desk may ask for about circles and side rooms.
#[derive(Clone)]
pub enum CircleCommand {
    /// Creates a circle, with a colleague as the other facilitator if there is to be one.
    Create {
        /// What it is.
        about: About,
        /// Attested key of the colleague.
        second: Option<PublicKey>,
    },
    /// Facilitator: asks the person of a conversation into a circle.
    Invite {
        /// Which circle.
        circle: ConversationId,
        /// Whom.
        conversation: ConversationId,
    },
    /// Facilitator: lets somebody in again who has come back.
    LetIn {
        /// Which circle.
        circle: ConversationId,
        /// Her question's message.
        asking: MessageId,
    },
    /// Facilitator: removes somebody from a circle.
    Remove {
        /// Which circle.
        circle: ConversationId,
        /// Key of the leaf.
        member: PublicKey,
    },
    /// Opens a side room about a conversation, for these colleagues.
    OpenSide {
        /// About whom.
        conversation: ConversationId,
        /// Attested keys.
        colleagues: Vec<PublicKey>,
    },
}

/// What a person who writes to a desk may ask for.
#[derive(Clone)]
pub enum PersonCommand {
    /// Writes to a desk: for the first time, or to the same one once her conversation has ended.
    Write {
        /// The desk.
        link: DeskLink,
        /// BCP 47 tag of the language she writes in.
        language: String,
        /// What she writes.
        text: String,
    },
    /// Adds to what she wrote, while she waits.
    Add(String),
    /// Takes her message back while nobody has answered.
    StopWaiting,
    /// Says yes to a proposal: her client adds the colleague.
    Accept {
        /// Where.
        conversation: ConversationId,
        /// The proposal's message.
        proposal: MessageId,
        /// What the colleague may read, where more was proposed.
        reads: Reads,
    },
    /// Says no to a proposal.
    Refuse {
        /// Where.
        conversation: ConversationId,
        /// The proposal's message.
        proposal: MessageId,
    },
    /// Says yes to an invitation to a circle.
    JoinCircle {
        /// Where she was invited.
        conversation: ConversationId,
        /// The invitation's message.
        invite: MessageId,
        /// The pseudonym that she wants there.
        alias: String,
    },
    /// Says no to it; nobody is told.
    RefuseCircle {
        /// Where she was invited.
        conversation: ConversationId,
        /// The invitation's message.
        invite: MessageId,
    },
    /// Removes an accompanier.
    Remove {
        /// Where.
        conversation: ConversationId,
        /// Attested key of the accompanier.
        member: PublicKey,
    },
    /// Keeps a return phrase from now on, of which these are the keys: only after her first message.
    KeepPhrase {
        /// What the phrase gives.
        keys: PhraseKeys,
        /// What is shown to whoever comes back.
        shows: Shows,
    },
    /// Comes back by her phrase, of which these are the keys.
    Return {
        /// The desk: whatever leads to another one is passed over.
        link: DeskLink,
        /// What the phrase gives.
        keys: PhraseKeys,
    },
    /// Doesn't go on with her way back; what her phrase leads to stays where it is.
    StopReturning,
    /// Erases a conversation: here, at the relay, and on the devices of all who read that she did.
    Erase {
        /// Which.
        conversation: ConversationId,
        /// Whether what stands at the relay goes in one burst, and not spread within a minute.
        at_once: bool,
    },
    /// Erases the summary: here, at the relay, and on the devices of all who read that she did.
    EraseSummary(ConversationId),
    /// Nobody answers; asks the desk.
    AskDesk {
        /// Where nobody answers.
        conversation: ConversationId,
        /// What the desk should know.
        text: String,
    },
}

/// What a desk's card says, beside its keys.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Description {
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
}

/// Why a command is refused at once. Nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// She has as many live conversations as she said that she takes.
    #[error("as many conversations as she takes")]
    AtCapacity,
    /// The alias is empty, too long, or could disturb a screen.
    #[error("name that can't be shown")]
    Alias,
    /// Another member of the desk has that name.
    #[error("name that another member has")]
    AliasTaken,
    /// The desk's card would be too large.
    #[error("description that is too long for a card")]
    CardTooLarge,
    /// The colleague has no KeyPackage left in the desk.
    #[error("no KeyPackage of this colleague is left")]
    ColleagueUnavailable,
    /// The file's time is over.
    #[error("file whose time is over")]
    FileExpired,
    /// Something of the file is missing, or was altered.
    #[error("file that can't be had")]
    FileGone,
    /// The root key is in this profile: it would be lost with it.
    #[error("the root key is kept here")]
    HoldsRootKey,
    /// The profile belongs to a desk or to a conversation already.
    #[error("profile that is in use already")]
    InUse,
    /// The colleague is in the conversation already.
    #[error("colleague who is there already")]
    InRoom,
    /// The invitation has expired.
    #[error("invitation that has expired")]
    InviteExpired,
    /// Somebody has changed it meanwhile.
    #[error("changed by somebody else meanwhile")]
    Changed,
    /// There is no other coordinator, and without one nobody can be let in or removed.
    #[error("the only coordinator")]
    LastCoordinator,
    /// Her buddy is about to be named, before anything else is said.
    #[error("before a buddy is named")]
    NamingBuddy,
    /// Somebody has written the summary anew meanwhile.
    #[error("summary that is not the one that stands")]
    NewerSummary,
    /// There is nothing in the summary; only the person empties it.
    #[error("nothing in the summary")]
    NoSummary,
    /// Nobody has used the invitation yet, so there are no words to compare.
    #[error("nobody has used the invitation yet")]
    NobodyYet,
    /// Only a facilitator of the circle may do this.
    #[error("only for facilitators of the circle")]
    NotFacilitator,
    /// Somebody of that role, or who will read that, is not proposed for that.
    #[error("not for that purpose")]
    NotFitting,
    /// Only a coordinator with the desk key may do this.
    #[error("only for coordinators who hold the desk key")]
    NotCoordinator,
    /// This profile has not joined a desk, or not yet.
    #[error("not a member of a desk yet")]
    NotMember,
    /// The mailboxes are opened on shift only.
    #[error("not on shift")]
    NotOnShift,
    /// This profile is not a person's, or she is not at this step.
    #[error("not at this step")]
    NotNow,
    /// The root key is not in this profile.
    #[error("the root key is kept elsewhere")]
    RootElsewhere,
    /// The group has stopped: it can't be written in.
    #[error("conversation that has stopped")]
    Stopped,
    /// The summary is too long.
    #[error("summary that is too long")]
    SummaryTooLong,
    /// As many as a desk's card or a group holds.
    #[error("as many as there may be")]
    TooMany,
    /// The text is too long for one message.
    #[error("text that is too long")]
    TooLong,
    /// There is no such conversation, row, invitation, member or proposal.
    #[error("unknown")]
    Unknown,
    /// The key is not the desk's root key.
    #[error("another root key")]
    WrongRoot,
    /// One can't do this to oneself.
    #[error("not to oneself")]
    Yourself,
}
