//! What is shown of the hand-over board, and of calls for coordinators.

use cobijo_protocol::{
    Day,
    content::MessageId,
    handover::{BoardRow, How, TeamNotes, Word},
    keys::PublicKey,
    words::{AliasIndices, person_alias},
};

use super::view::ConversationId;
use crate::core::port::Now;

/// All that members told each other of people.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct BoardView {
    /// Of each conversation what stands.
    pub rows: Vec<BoardRowView>,
    /// Calls for a coordinator: those that nobody answered first.
    pub helps: Vec<HelpView>,
    /// For how many minutes those wait of whom the coordinators were told lately.
    pub unclaimed: Vec<u32>,
    /// Coordinator: what was said to her alone.
    pub words: Vec<WordView>,
    /// Who is blocked.
    pub blocked: Vec<BlockedView>,
    /// The own notes after something hard, which nobody else has.
    pub debriefs: Vec<DebriefView>,
}

/// What stands of one conversation.
#[derive(Clone, PartialEq, Eq)]
pub struct BoardRowView {
    /// Names it.
    pub person: PublicKey,
    /// What the desk calls it.
    pub alias: AliasIndices,
    /// The own conversation, where this member is in it.
    pub conversation: Option<ConversationId>,
    /// The board's row.
    pub row: Option<Told<BoardRow>>,
    /// The team's notes.
    pub notes: Option<Told<TeamNotes>>,
}

impl BoardRowView {
    /// Nothing stands yet.
    pub(crate) fn empty(person: PublicKey) -> Self {
        Self {
            person,
            alias: person_alias(&person),
            conversation: None,
            row: None,
            notes: None,
        }
    }
}

/// Something that was told, and by whom.
#[derive(Clone, PartialEq, Eq)]
pub struct Told<T> {
    /// What.
    pub what: T,
    /// Alias of who told it; nothing where she is no longer of the desk.
    pub by: Option<String>,
    /// Whether she said that somebody else had said it, before this member came.
    pub retold: bool,
    /// The day on which it was said.
    pub day: Day,
}

/// A call for a coordinator.
#[derive(Clone, PartialEq, Eq)]
pub struct HelpView {
    /// Its message.
    pub id: MessageId,
    /// Alias of who asks.
    pub by: String,
    /// Whether this member asks.
    pub own: bool,
    /// What the desk calls the conversation.
    pub alias: AliasIndices,
    /// When this client learnt of it.
    pub since: Now,
    /// Alias of the coordinator who comes.
    pub taken_by: Option<String>,
}

/// What was said to this coordinator alone.
#[derive(Clone, PartialEq, Eq)]
pub struct WordView {
    /// Alias of who said it.
    pub by: String,
    /// When it came.
    pub at: Now,
    /// What.
    pub word: Word,
}

/// Somebody whose intakes are passed over.
#[derive(Clone, PartialEq, Eq)]
pub struct BlockedView {
    /// Who.
    pub person: PublicKey,
    /// What the desk called her conversation.
    pub alias: AliasIndices,
    /// Alias of who blocked her; nothing where she is no longer of the desk.
    pub by: Option<String>,
}

/// A note of one's own after something hard.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DebriefView {
    /// When it was written.
    pub at: Now,
    /// What it says.
    pub text: String,
}

/// Why an accompanier closes a conversation. The desk alone is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClosingReason {
    /// As was agreed with her.
    Agreed,
    /// She stopped coming.
    StoppedComing,
    /// She was referred elsewhere.
    Referred,
    /// The desk can't help with it.
    NotOurScope,
    /// The desk was abused.
    Abuse,
}

impl From<ClosingReason> for How {
    fn from(reason: ClosingReason) -> Self {
        match reason {
            ClosingReason::Agreed => Self::Agreed,
            ClosingReason::StoppedComing => Self::StoppedComing,
            ClosingReason::Referred => Self::Referred,
            ClosingReason::NotOurScope => Self::NotOurScope,
            ClosingReason::Abuse => Self::Abuse,
        }
    }
}

/// What a member of a desk may ask for that concerns people, or herself.
#[derive(Clone)]
pub enum PeopleCommand {
    /// Writes a row of the hand-over board, of the version above the one that it is built on.
    WriteRow(BoardRow),
    /// Writes the team's notes of a conversation, as a row.
    WriteNotes(TeamNotes),
    /// Asks the coordinators into a conversation, now.
    AskHelp(ConversationId),
    /// Coordinator: comes to whoever asked by this message.
    Come(MessageId),
    /// Closes a conversation for now; the person is not told why.
    Close {
        /// Which.
        conversation: ConversationId,
        /// Why, for the desk alone.
        reason: ClosingReason,
        /// Whether the desk passes over what she asks for from now on: after abuse alone.
        block: bool,
    },
    /// Coordinator, or who blocked her: her intakes are answered again.
    Unblock(PublicKey),
    /// Answers whether she carries something hard.
    CheckOut(CheckOut),
    /// Writes a note after something hard: for herself, or shared with one coordinator.
    Debrief {
        /// What it says.
        text: String,
        /// Attested key of the coordinator.
        share: Option<PublicKey>,
    },
    /// Forgets the own notes, and what was said to her alone.
    ForgetWords,
    /// The queue offers nobody for a quarter of an hour.
    Pause,
}

/// What a member answers who is asked, at the end of her shift, whether she carries something hard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckOut {
    /// She wants to talk about it: the coordinators are told, and nobody else.
    Talk,
    /// She is asked again when her next shift begins.
    Tomorrow,
    /// Nothing follows.
    No,
}
