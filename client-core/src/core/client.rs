//! One profile: the owner of every machine. It routes, and says what is saved before what is sent.
//!
//! A client is a member of one desk, or a person who wrote to one. Each machine, or small family of
//! them, has a channel of its own (a connection of the shell), so that the relay can't link what they
//! do. After every input the client saves what changed, then says what follows from it: nothing is
//! sent that a crash could make it forget.

mod board;
mod capacity;
mod channels;
mod circles;
mod command;
mod context;
mod conversations;
mod erased;
mod event;
mod file;
mod filing;
mod finding;
mod opaque;
mod person;
mod refusal;
mod side;
mod team;
mod view;

use std::collections::{BTreeSet, VecDeque};

use cobijo_protocol::{
    cbor,
    link::{DeskId, RelayUrl},
};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

pub use board::{
    BlockedView, BoardRowView, BoardView, CheckOut, ClosingReason, DebriefView, HelpView,
    PeopleCommand, Told, WordView,
};
pub use capacity::{Capacity, NoCapacity};
pub use circles::{AskingView, CircleInviteView, CircleView};
pub use command::{CircleCommand, Command, CommandError, Description, PersonCommand, TeamCommand};
pub use event::{
    CardRefusal, ConversationEvent, Event, IntakeFailure, InviteEnd, JoinFailure, Locked, Stopped,
};
pub use file::{FileCommand, FileId, FileState, FileView, FileWork, OutgoingFile, PartDone};
pub use view::{
    ChannelId, ColleagueView, ConversationId, ConversationView, DeskView, Entry, EntryContent,
    EntryState, Erasure, FileNumber, InviteId, InviteView, JoiningView, MemberView, Next,
    PersonStage, PersonView, ProposalView, QueueReason, QueueRow, QueueState, RowId, ShiftEnd,
    Speaker, Standing, SummaryView,
};

pub(crate) use context::{Context, Numbers};
pub(crate) use side::Line;

use crate::core::port::{Now, Rng};
use channels::Channels;
use side::Side;

/// Version of the saved form: its first byte, so that a newer one is known before anything is decoded.
const STATE_VERSION: u8 = 1;

/// Bytes by which one step lets the state grow at most, but for a long message.
const SNAPSHOT_ROOM: usize = 1 << 16;

/// What the shell tells the client.
pub enum Input {
    /// A connection that was asked for stands.
    Opened {
        /// Which.
        channel: ChannelId,
    },
    /// A frame came.
    Received {
        /// On which connection.
        channel: ChannelId,
        /// The whole frame.
        frame: Vec<u8>,
    },
    /// A connection ended, or could not be made.
    Closed {
        /// Which.
        channel: ChannelId,
    },
    /// The time of [`Client::poll_timeout`] has come.
    Timeout,
    /// What became of [`Output::File`].
    FilePart(PartDone),
    /// What became of [`Output::FetchCard`].
    CardFetched {
        /// Of which desk.
        desk: DeskId,
        /// The bytes, unverified.
        card: Result<Vec<u8>, CardAbsent>,
    },
    /// What became of [`Output::PublishCard`].
    CardPublished {
        /// Of which desk.
        desk: DeskId,
        /// The relay's answer.
        answer: PublishAnswer,
    },
}

/// Why no card came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardAbsent {
    /// The relay has no card of this desk, or does not host it.
    NotFound,
    /// The relay could not be reached, or did not answer sensibly.
    Unreachable,
}

/// The relay's answer to a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishAnswer {
    /// It is published.
    Published,
    /// A card of the same version with other bytes, or of a higher one, stands there.
    Conflict,
    /// The relay's operator does not host this desk.
    NotHosted,
    /// The relay calls the card malformed, or of a day that has not come.
    Refused,
    /// The relay could not be reached, or is busy.
    Unreachable,
}

/// What the shell has to do, in this order.
pub enum Output {
    /// Make a connection; answered by [`Input::Opened`] or [`Input::Closed`].
    Open {
        /// Which.
        channel: ChannelId,
        /// To where.
        relay: RelayUrl,
    },
    /// Send a frame.
    Send {
        /// On which connection.
        channel: ChannelId,
        /// The whole frame.
        frame: Vec<u8>,
    },
    /// End a connection; not answered.
    Close {
        /// Which.
        channel: ChannelId,
    },
    /// Save this, in place of what was saved before. It must be durable before any later output is acted on.
    Store(Zeroizing<Vec<u8>>),
    /// Fetch a card.
    FetchCard {
        /// From where.
        relay: RelayUrl,
        /// Of which desk.
        desk: DeskId,
    },
    /// Publish a card.
    PublishCard {
        /// To where.
        relay: RelayUrl,
        /// Of which desk.
        desk: DeskId,
        /// Its bytes.
        card: Vec<u8>,
    },
    /// Read or keep a part of a file; answered by [`Input::FilePart`].
    File(FileWork),
    /// Forget all parts of a file, for good; not answered.
    DropFile(FileId),
    /// Tell whoever is in front of the client.
    Event(Event),
}

/// A profile. See the module.
pub struct Client {
    state: State,
    channels: Channels,
    outputs: VecDeque<Output>,
    stored: [u8; 32],
    stored_len: usize,
    /// Files of which the shell keeps something.
    local_files: BTreeSet<FileId>,
    /// The clock as it was told last.
    now: Now,
    /// The clock when what was due was done last.
    acted: Now,
}

/// All that is saved.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    numbers: Numbers,
    side: Side,
}

/// A saved state can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// It is not what a client saved.
    #[error("saved state that does not decode")]
    Malformed,
    /// A newer program saved it.
    #[error("saved state of another version")]
    Version,
}

impl Client {
    /// A profile that is neither a desk's nor a person's yet.
    pub fn new() -> Self {
        Self::with_state(State {
            numbers: Numbers::default(),
            side: Side::Fresh,
        })
    }

    /// Loads what [`Output::Store`] or [`Client::snapshot`] gave.
    ///
    /// # Errors
    /// [`RestoreError`] for anything else.
    pub fn restore(snapshot: &[u8]) -> Result<Self, RestoreError> {
        let (&version, state) = snapshot.split_first().ok_or(RestoreError::Malformed)?;
        if version != STATE_VERSION {
            return Err(RestoreError::Version);
        }
        let mut state: State = ciborium::from_reader(state).map_err(|_| RestoreError::Malformed)?;
        // What it was looked for with was never saved.
        state.side.stop_finding();
        Ok(Self::with_state(state))
    }

    /// The whole state.
    pub fn snapshot(&self) -> Zeroizing<Vec<u8>> {
        // A vector that grows leaves copies of what it held.
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.stored_len + SNAPSHOT_ROOM));
        bytes.push(STATE_VERSION);
        cbor::encode_into(&self.state, &mut bytes);
        bytes
    }

    /// Does what was asked for, or begins it. The first call after a start may be
    /// [`Client::handle_input`] with [`Input::Timeout`]: it asks for the connections.
    ///
    /// # Errors
    /// [`CommandError`] where it can't be; then nothing was begun.
    pub fn handle_command(
        &mut self,
        command: Command,
        now: Now,
        rng: &mut Rng,
    ) -> Result<(), CommandError> {
        self.now = now;
        let mut effects = Vec::new();
        let mut context = Context::new(now, rng, &mut self.state.numbers, &mut effects);
        let done = self.state.side.handle_command(command, &mut context);
        self.store();
        self.settle(effects, now, rng);
        done
    }

    /// Takes what the shell has to tell.
    pub fn handle_input(&mut self, input: Input, now: Now, rng: &mut Rng) {
        self.now = now;
        let mut effects = Vec::new();
        let side = &mut self.state.side;
        let mut context = Context::new(now, rng, &mut self.state.numbers, &mut effects);
        let is_touched = match input {
            Input::Opened { channel } => {
                self.channels.handle_opened(channel);
                false
            }
            Input::Received { channel, frame } => {
                let seen = self.channels.handle_frame(channel, &frame, now);
                // What a machine does must be saved, so it does nothing where nothing was said.
                let is_told = !seen.is_empty();
                if is_told {
                    side.handle_seen(channel, &seen, &mut context);
                }
                is_told
            }
            Input::Closed { channel } => {
                self.channels.handle_closed(channel, now, context.rng);
                false
            }
            Input::Timeout => {
                let is_due = side
                    .poll_timeout(self.acted.min(now))
                    .is_some_and(|due| due <= now);
                if is_due {
                    self.acted = now;
                    side.handle_timeout(&mut context);
                }
                is_due
            }
            Input::FilePart(done) => {
                side.handle_part(&done, &mut context);
                true
            }
            Input::CardFetched { desk, card } => {
                side.handle_card_fetched(&desk, card, &mut context);
                true
            }
            Input::CardPublished { desk, answer } => {
                side.handle_card_published(&desk, answer, &mut context);
                true
            }
        };
        if is_touched {
            self.store();
        }
        self.settle(effects, now, rng);
    }

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Input::Timeout`] is wanted, at the latest.
    pub fn poll_timeout(&self) -> Option<Now> {
        [
            self.state.side.poll_timeout(self.acted.min(self.now)),
            self.channels.poll_timeout(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// What the profile is.
    pub fn standing(&self) -> Standing {
        self.state.side.standing(self.now)
    }

    /// Who waits, longest first; empty off shift.
    pub fn queue(&self) -> Vec<QueueRow> {
        self.state.side.queue(self.now)
    }

    /// Files of which the shell keeps something: whatever else it finds, it forgets.
    pub fn local_files(&self) -> &BTreeSet<FileId> {
        &self.local_files
    }

    /// The hand-over board of a desk's member, with what else concerns people; empty for others.
    pub fn board(&self) -> BoardView {
        self.state.side.board(self.now)
    }

    /// All conversations.
    pub fn conversations(&self) -> Vec<ConversationView> {
        self.state.side.conversations()
    }

    /// The lines of a conversation, oldest first; empty for one that is not there.
    pub fn history(&self, conversation: ConversationId) -> Vec<Entry> {
        self.state.side.history(conversation)
    }

    fn with_state(state: State) -> Self {
        Self {
            local_files: state.side.local_files().into_iter().collect(),
            state,
            channels: Channels::default(),
            outputs: VecDeque::new(),
            stored: [0; 32],
            stored_len: 0,
            now: Now::default(),
            acted: Now::default(),
        }
    }

    /// Saves the state, where it has changed.
    fn store(&mut self) {
        let snapshot = self.snapshot();
        let digest = Sha256::digest(snapshot.as_slice()).into();
        if digest != self.stored {
            self.stored = digest;
            self.stored_len = snapshot.len();
            self.outputs.push_back(Output::Store(snapshot));
        }
    }

    /// Says what follows from what is saved.
    fn settle(&mut self, effects: Vec<Output>, now: Now, rng: &mut Rng) {
        self.outputs.extend(effects);
        let local = self.state.side.local_files().into_iter().collect();
        let before = std::mem::replace(&mut self.local_files, local);
        let dropped = before.difference(&self.local_files);
        self.outputs.extend(dropped.copied().map(Output::DropFile));
        let lines = self.state.side.lines(now);
        self.outputs
            .extend(self.channels.reconcile(lines, now, rng));
    }
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}
