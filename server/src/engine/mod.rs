//! What keeps. The relay hands over batches of [`Write`]s and answers its peers when the engine has
//! them on disk; it reads by [`Key`], and is woken when something new stands somewhere.
//!
//! The seam is these few types and the methods of [`Engine`]. Another engine would have to keep three
//! promises: nothing is answered, nor shown to any reader, before it is durable; writes of one batch
//! run in order; and a wake-up follows every cell that came to stand.

mod embedded;

use cobijo_protocol::{
    Day,
    card::CardVersion,
    cell::Cell,
    link::DeskId,
    mailbox::{ItemId, MailboxKey},
    slot::Address,
};

pub(crate) use embedded::{Embedded as Engine, Opened, open};

/// How long a cell is to live.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Life {
    /// The relay's day.
    pub(crate) day: Day,
    /// Days a cell lives.
    pub(crate) retention_days: u16,
}

impl Life {
    /// The last day of a cell written now. The clock may have been set back since the last sweep: it is
    /// not believed, or the cell would go as soon as the clock is right again.
    pub(crate) fn expires(self, last_sweep: Option<Day>) -> Day {
        let day = last_sweep.map_or(self.day, |last| self.day.max(last));
        day.saturating_add(Day::from(self.retention_days))
    }
}

/// One change. Writes of a batch run in order; after the first put that isn't
/// [`Written::Stored`] the rest is [`Written::Skipped`].
#[derive(Debug, Clone)]
pub(crate) enum Write {
    /// Fills an empty slot. [W-4]
    Put {
        address: Address,
        cell: Cell,
        life: Life,
    },
    /// Makes a full slot gone.
    Erase { address: Address },
    /// Adds an item to a mailbox that the card of a hosted desk names.
    Drop {
        mailbox: MailboxKey,
        cell: Cell,
        life: Life,
    },
    /// Takes an item out of its mailbox.
    Remove { mailbox: MailboxKey, item: ItemId },
    /// Publishes a card.
    Card(NewCard),
    /// Hosts a desk.
    Host { desk: DeskId },
    /// Hosts a desk no longer; its card stays, so that an older one is refused if it comes back.
    Unhost { desk: DeskId },
    /// Takes `day` as the day of the last sweep, whatever stood there.
    ConfirmDay { day: Day },
}

/// A verified card with what the engine must know of it.
#[derive(Debug, Clone)]
pub(crate) struct NewCard {
    pub(crate) desk: DeskId,
    pub(crate) version: CardVersion,
    pub(crate) mailbox: MailboxKey,
    pub(crate) bytes: Vec<u8>,
}

/// What became of one write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// It stands, or stood before.
    Stored,
    /// Other bytes stand, or stood, there.
    Taken,
    /// The mailbox is full.
    Full,
    /// No card of a hosted desk names the mailbox, or the desk isn't hosted.
    Unknown,
    /// A card of this or a higher version stands there.
    Outdated,
    /// Done, or nothing was to be done.
    Done,
    /// Not run.
    Skipped,
}

/// What can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Key {
    /// A slot.
    Slot(Address),
    /// An item of a mailbox.
    Item(MailboxKey, ItemId),
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing.
    Empty,
    /// A cell.
    Full(Cell),
    /// Nothing any more, until it expires.
    Gone,
}

/// Something new stands here.
pub(crate) type Wake = Key;

/// How a sweep ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Swept {
    /// Everything that had expired is removed.
    Done,
    /// The day moved further than a clock should; the operator has to confirm it.
    Refused,
}

/// The engine can't go on. Nothing that it was asked and hasn't answered may be taken as done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EngineError {
    /// It has stopped, by request or after a failure that it has reported.
    #[error("the store has stopped")]
    Stopped,
    /// What it found on disk is not what this version writes.
    #[error("the data directory holds something that this version did not write")]
    Foreign,
    /// The disk refused a write, a flush or a read.
    #[error("the disk of the data directory refused to read or write")]
    Disk,
    /// Another process has the data directory.
    #[error("another relay is running on this data directory")]
    Locked,
}
