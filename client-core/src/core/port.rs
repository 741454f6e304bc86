//! The port between machines and a connection.

use cobijo_protocol::{
    Day,
    cell::Cell,
    keys::SecretKey,
    mailbox::{ItemId, MailboxKey},
    slot::{Address, EraseKey, Mark, Slot, SlotKey},
};

/// Random numbers of the core: seeded by the shell, by tests with a fixed seed.
pub type Rng = rand_chacha::ChaCha20Rng;

/// The own clock: milliseconds since 1970-01-01 UTC, as the shell believes.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Default,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct Now(u64);

impl Now {
    /// Wraps milliseconds since 1970-01-01 UTC.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01 UTC.
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// The UTC day.
    pub fn day(self) -> Day {
        Day::try_from(self.0 / 86_400_000).unwrap_or(Day::MAX)
    }

    /// The instant `duration` later.
    pub fn plus(self, duration: std::time::Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)),
        )
    }

    /// Time since an `earlier` instant; zero where the clock went back.
    pub fn since(self, earlier: Self) -> std::time::Duration {
        std::time::Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// What a machine is told about the relay it talks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelayFacts {
    /// Its UTC day at the hello.
    pub day: Day,
    /// Days a cell lives.
    pub retention_days: u16,
}

/// A put: always these same bytes for one slot, so that a retry is safe.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Put {
    /// What must be shown to write.
    pub slot_key: SlotKey,
    /// What the address commits to beside it.
    pub mark: Mark,
    /// What is to stand there.
    pub cell: Cell,
}

impl Put {
    /// A put into `slot`.
    pub fn new(slot: &Slot, cell: Cell) -> Self {
        Self {
            slot_key: slot.slot_key().clone(),
            mark: slot.mark(),
            cell,
        }
    }

    /// Where it goes.
    pub fn address(&self) -> Address {
        self.slot_key.address(&self.mark)
    }
}

/// Puts that go in order: each only when all before it are stored.
pub type Chain = Vec<Put>;

/// What a machine wants from the relay at this moment: derived from its state, never remembered.
///
/// Order is priority. Whatever was wanted before and isn't any more is taken back.
#[derive(Debug, Clone, Default)]
pub struct Wants {
    /// Slots to know of.
    pub watch: Vec<Address>,
    /// Cells to store.
    pub chains: Vec<Chain>,
    /// Slots to erase.
    pub erases: Vec<(SlotKey, EraseKey)>,
    /// Cells to leave in mailboxes.
    pub drops: Vec<(MailboxKey, Cell)>,
    /// Mailboxes to open.
    pub mailboxes: Vec<SecretKey>,
    /// Items to remove from opened mailboxes.
    pub removes: Vec<(MailboxKey, ItemId)>,
}

impl Wants {
    /// Wants what another machine wants on the same connection, behind what is wanted already.
    pub fn extend(&mut self, other: Self) {
        self.watch.extend(other.watch);
        self.chains.extend(other.chains);
        self.erases.extend(other.erases);
        self.drops.extend(other.drops);
        self.mailboxes.extend(other.mailboxes);
        self.removes.extend(other.removes);
    }
}

/// What a connection tells a machine.
///
/// Everything may come more than once (after a reconnection), so handling it must be idempotent.
#[derive(Debug, Clone)]
pub enum Seen {
    /// A connection stands; nothing that an earlier one said is still being waited for.
    Connected(RelayFacts),
    /// A watched slot is empty, and stays watched.
    Empty(Address),
    /// What stands in a watched slot.
    Full(Address, Cell),
    /// A watched slot was erased.
    Gone(Address),
    /// The cell that was put stands there durably (or did before it was erased).
    Stored(Address),
    /// Other bytes stand there, or did.
    Taken(Address),
    /// A slot that was to be erased is gone, or was empty.
    Erased(Address),
    /// What became of a drop.
    Dropped(MailboxKey, Dropped),
    /// An item of an opened mailbox.
    Item(MailboxKey, ItemId, Cell),
    /// An item is no longer in its mailbox.
    Removed(MailboxKey, ItemId),
}

/// What became of a drop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dropped {
    /// It is stored.
    Stored,
    /// The mailbox is full.
    Full,
    /// No current card names the mailbox.
    Unknown,
}
