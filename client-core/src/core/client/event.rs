//! What the client tells whoever is in front of it.

use cobijo_protocol::{
    Day,
    card::CardVersion,
    content::{MessageId, Reads},
    keys::{PublicKey, SecretKey},
    link::{DeskLink, Invite},
    opening::Opening,
    words::{AliasIndices, WordIndices},
};

use super::file::FileView;
use super::view::{ConversationId, Entry, InviteId, RowId, Speaker};

/// Something happened that may be worth showing; all of it can be read again from the views.
#[derive(Clone)]
pub enum Event {
    /// The desk exists; its relay's operator must host this id.
    DeskCreated(DeskLink),
    /// The card is published, by this client or a colleague.
    CardPublished(CardVersion),
    /// The card could not be published.
    CardRefused(CardRefusal),
    /// The card names a mailbox that the desk was never told of: whoever posted it may keep for herself
    /// who writes to it.
    UnknownMailbox {
        /// Who posted it, where she is still a member.
        alias: Option<String>,
    },
    /// A colleague tried a change of the desk that the rules don't allow; nothing has changed.
    NotAllowed {
        /// Who.
        alias: String,
    },
    /// A colleague has taken many of the own KeyPackages today: while they are used up, nobody else can
    /// propose this member.
    KeyPackagesTaken {
        /// Who.
        alias: String,
    },
    /// The root key, to be kept offline.
    RootKey(SecretKey),
    /// The desk key is used up after this day.
    DeskKeyExpires(Day),
    /// The desk key was renewed, or came from a coordinator.
    DeskKeyReceived,
    /// An invitation was made.
    Invited {
        /// Its number here.
        id: InviteId,
        /// What to hand over in person.
        invite: Invite,
    },
    /// Somebody used an invitation; the words are to be compared before [`super::TeamCommand::Admit`].
    NewcomerArrived {
        /// Which invitation.
        id: InviteId,
        /// The name she wants.
        alias: String,
        /// To compare.
        words: WordIndices,
    },
    /// The newcomer is a member of the desk's group.
    NewcomerJoined(InviteId),
    /// An invitation is over without anybody having joined.
    InviteEnded {
        /// Which.
        id: InviteId,
        /// Why.
        reason: InviteEnd,
    },
    /// Newcomer: the words to compare with whom invited her.
    InviteWords(WordIndices),
    /// Newcomer: she is a member.
    JoinedDesk,
    /// Newcomer: the invitation does not work.
    JoinFailed(JoinFailure),
    /// That this profile leaves the desk is stored: a colleague's client takes it out.
    LeftDesk,
    /// This profile is no longer a member of the desk.
    RemovedFromDesk,
    /// The desk's group has stopped for this client.
    DeskStopped,
    /// The desk's new group is made, and who could be brought into it is in.
    SuccessorMade,
    /// A colleague could not be brought into the desk's new group: she needs an invitation.
    NotBrought {
        /// Her alias.
        alias: String,
    },
    /// The desk goes on for this client, in the new group that its root key names.
    DeskGoesOn,
    /// This member could not be removed from the desk yet; it is tried again.
    NotRemoved(PublicKey),
    /// A member is removed though no card could be published that doesn't name her; it is tried again.
    CardStillNames {
        /// Who.
        alias: String,
    },
    /// The shift began or ended.
    Shift {
        /// Whether the mailboxes are open.
        on: bool,
    },
    /// Rows came, went or changed.
    QueueChanged,
    /// Somebody changed what the board or the notes say of a conversation.
    BoardChanged(AliasIndices),
    /// A colleague says that a conversation is over which goes on here: what stood of it is told again.
    SaidOver {
        /// Who.
        alias: String,
        /// What the desk calls it.
        conversation: AliasIndices,
    },
    /// Coordinator: a colleague needs help in a conversation, now.
    HelpAsked {
        /// Who.
        alias: String,
        /// What the desk calls it.
        conversation: AliasIndices,
    },
    /// A coordinator comes to who asked for help.
    HelpComes {
        /// Which coordinator.
        alias: String,
        /// What the desk calls the conversation.
        conversation: AliasIndices,
    },
    /// Coordinator: somebody has waited for long.
    Unclaimed {
        /// Her row, where this client sees it.
        row: Option<RowId>,
        /// For how many minutes.
        minutes: u32,
    },
    /// Coordinator: a colleague carries something hard, and wants to talk.
    WantsToTalk {
        /// Who.
        alias: String,
    },
    /// Coordinator: a colleague shares a note after something hard.
    Debrief {
        /// Who.
        alias: String,
        /// What it says.
        text: String,
    },
    /// Coordinator: a colleague has blocked somebody, or no longer does.
    Blocked {
        /// Who.
        alias: String,
        /// What the desk calls the conversation.
        conversation: AliasIndices,
        /// Whether she is blocked.
        blocked: bool,
    },
    /// Whether she carries something hard: the answer stays here, unless she wants to talk.
    CheckOut,
    /// The queue offers somebody again.
    PauseOver,
    /// This client answered first: the conversation begins.
    ClaimWon {
        /// Which row.
        row: RowId,
        /// The conversation that began.
        conversation: ConversationId,
    },
    /// A colleague answered first, or the person is gone.
    ClaimLost(RowId),
    /// The colleague's KeyPackages are used up or lost; nothing was proposed.
    ProposalFailed(ConversationId),
    /// A colleague's conversation was joined by the person's yes.
    ConversationJoined(ConversationId),
    /// Something happened in a conversation.
    Conversation(ConversationId, ConversationEvent),
    /// Person: her message is stored.
    IntakeStored {
        /// Usual wait of the desk, in minutes: from and to.
        wait_minutes: (u16, u16),
        /// When somebody answers.
        opening: Opening,
    },
    /// Person: her message could not be left with the desk.
    IntakeFailed(IntakeFailure),
    /// Person: the desk's card is out of date; her message is sealed to it all the same.
    CardExpired,
    /// Person: what she added is stored.
    AdditionStored,
    /// Person: somebody has answered.
    Answered(ConversationId),
    /// Person: her phrase leads back to where she is.
    PhraseKept,
    /// Person: for two weeks it could not be made to lead there; perhaps it leads nowhere.
    PhraseNotKept,
    /// Person: she has come back, to where she waits or into her conversation; no other device of hers goes
    /// on.
    CameBack(Option<ConversationId>),
    /// Person: the phrase is wrong, was never used, or what it found has expired or was erased. All is as before.
    NothingFound,
    /// Person: how many slots are left to be erased of what she erased or took back; telling the others counts
    /// as one.
    Erasing {
        /// How many.
        left: usize,
    },
    /// Person: a conversation is erased, as far as this client can: nothing is left of it here, or at the relay.
    Erased {
        /// Which.
        conversation: ConversationId,
        /// Whether the others were told: their clients wipe at their next contact with the relay.
        told: bool,
    },
    /// Person: this device has locked itself.
    Locked(Locked),
}

/// Something happened in a conversation.
#[derive(Clone)]
pub enum ConversationEvent {
    /// A line came.
    Entry(Entry),
    /// The own message is stored at the relay.
    Stored(MessageId),
    /// A file is further on its way, or at the end of it.
    File(FileView),
    /// A commit cut a message off that was shown: it counts again when its author sends it again.
    Unconfirmed(MessageId),
    /// It came again.
    Confirmed(MessageId),
    /// A removed member's message that was shown did not count.
    Withdrawn(MessageId),
    /// Somebody came in, or went out.
    MembersChanged,
    /// The code to compare is another one.
    CodeChanged,
    /// More void commits than chance makes: someone here is blocking.
    Blocking,
    /// This accompanier has closed it: nothing of it is kept here.
    Closed,
    /// The summary is another one, or was erased.
    SummaryChanged,
    /// A proposal waits for the person's answer.
    Proposed(MessageId),
    /// Person: an invitation to a circle waits for her answer.
    Invited(MessageId),
    /// Facilitator: somebody said yes under a pseudonym that stands already; she is to be asked again.
    AliasStands,
    /// Facilitator: somebody has come back, and asks to be let in again.
    AsksAgain {
        /// Her pseudonym.
        alias: String,
    },
    /// Adding or removing somebody was not possible.
    ChangeRefused,
    /// Person: a colleague of the desk offers to come in; her yes adds, and tells her so much.
    DeskOffers(Speaker, Reads),
    /// Person: her yes adds nobody, since who proposed, or who was proposed, is no longer of the desk.
    NotAdded,
    /// Person: the desk's card no longer names this accompanier, who is still here.
    NoLongerAtDesk(Speaker),
    /// It can no longer be followed.
    Stopped(Stopped),
}

/// Why a conversation can't be followed any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stopped {
    /// A commit is broken for this client.
    Broken,
    /// Away for longer than the relay keeps cells.
    Stale,
    /// The group follows rules that this client doesn't know.
    UnknownRules,
    /// Removed from it.
    Removed,
    /// The person erased it.
    Wiped,
    /// Left by oneself.
    Left,
    /// She came back from another device: it goes on there.
    Returned,
}

/// Why a device of a person's has locked itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Locked {
    /// She goes on from another device.
    Elsewhere,
    /// She stopped on her way back.
    Stopped,
    /// What it found leads into no conversation that stands.
    Unjoinable,
}

/// Why a card was not published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardRefusal {
    /// The relay's operator does not host this desk.
    NotHosted,
    /// The desk key has expired: it must be renewed first.
    DeskKeyExpired,
    /// This member is no poster of the card.
    NotPoster,
    /// A card of this desk that this client's rules refuse stands at the relay.
    Conflict,
    /// The relay could not be reached, or was busy; tried again later.
    Unreachable,
}

/// Why an invitation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InviteEnd {
    /// 48 hours have passed.
    Expired,
    /// Taken back.
    Revoked,
    /// The newcomer's KeyPackage could not be added.
    Unusable,
}

/// Why a newcomer can't join.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JoinFailure {
    /// 48 hours have passed since this client began.
    Expired,
    /// Somebody used the invitation before.
    Used,
    /// The desk's group could not be joined.
    NoWelcome,
}

/// Why a person's message could not be left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IntakeFailure {
    /// There is no such desk at this relay.
    NoDesk,
    /// The card is not this desk's, or is lower than one that was seen.
    BadCard,
    /// The desk's mailbox is full; tried again later.
    Full,
    /// The relay can't be reached; tried again later.
    Unreachable,
}
